//! Gathers the rows of a file into messages: one product and one region each, in the order of the file.
//!
//! Rows of one product and region stay in order, so that the first record of an hour is the first in the
//! file. Rows of different products may pass each other; they never meet.

use std::collections::BTreeMap;

use souk_proto::metering::v1::{StreamUsageRequest, UsageRecord};

use super::records::Row;

/// So many messages are gathered at once; a file with more products in turn gets smaller messages.
const OPEN_MAX: usize = 64;

/// Records of one product and region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    product_code: String,
    region: String,
    records: Vec<UsageRecord>,
    /// The lines that the records stand on.
    pub lines: Vec<u64>,
}

impl Batch {
    /// Makes the message, and keeps the lines.
    pub fn into_message(self, sandbox: &str) -> (StreamUsageRequest, Vec<u64>) {
        let message = StreamUsageRequest {
            sandbox: sandbox.to_owned(),
            product_code: self.product_code,
            region: self.region,
            usage_records: self.records,
        };
        (message, self.lines)
    }
}

/// The batches that are not full yet.
#[derive(Debug)]
pub struct Batcher {
    size_max: usize,
    open: BTreeMap<(String, String), Batch>,
}

impl Batcher {
    /// Batches of at most so many records.
    pub fn new(size_max: usize) -> Self {
        Batcher { size_max, open: BTreeMap::new() }
    }

    /// Takes a row; answers the batches that must go now.
    pub fn push(&mut self, row: Row) -> Vec<Batch> {
        let mut ready = Vec::new();
        let key = (row.product_code, row.region);
        if !self.open.contains_key(&key) && self.open.len() >= OPEN_MAX {
            ready.extend(self.take_largest());
        }
        let batch = self.open.entry(key.clone()).or_insert_with(|| Batch {
            product_code: key.0.clone(),
            region: key.1.clone(),
            ..Batch::default()
        });
        batch.records.push(row.record);
        batch.lines.push(row.line);
        if batch.records.len() >= self.size_max {
            ready.extend(self.open.remove(&key));
        }
        ready
    }

    /// The batches that are left.
    pub fn finish(self) -> impl Iterator<Item = Batch> {
        self.open.into_values()
    }

    fn take_largest(&mut self) -> Option<Batch> {
        let largest = self.open.iter().max_by_key(|(_, batch)| batch.records.len());
        let key = largest.map(|(key, _)| key.clone())?;
        self.open.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, product_code: &str) -> Row {
        let record = UsageRecord { quantity: Some(line), ..UsageRecord::default() };
        Row { line, product_code: product_code.to_owned(), region: String::new(), record }
    }

    #[test]
    fn rows_of_a_product_stay_together_and_in_order() {
        let mut batcher = Batcher::new(2);
        let mut gone: Vec<Batch> = [row(1, "a"), row(2, "b"), row(3, "a"), row(4, "a")]
            .into_iter()
            .flat_map(|row| batcher.push(row))
            .collect();
        gone.extend(batcher.finish());
        let shown: Vec<_> =
            gone.iter().map(|batch| (batch.product_code.as_str(), batch.lines.clone())).collect();
        assert_eq!(shown, [("a", vec![1, 3]), ("a", vec![4]), ("b", vec![2])]);

        let (message, lines) = gone.swap_remove(0).into_message("box");
        let quantities: Vec<_> = message.usage_records.iter().map(|record| record.quantity).collect();
        assert_eq!((quantities, lines), (vec![Some(1), Some(3)], vec![1, 3]));
    }

    #[test]
    fn many_products_in_turn_do_not_fill_the_memory() {
        let mut batcher = Batcher::new(100);
        let mut gone = batcher.push(row(0, "0"));
        for line in 0..=OPEN_MAX as u64 {
            gone.extend(batcher.push(row(line, &line.to_string())));
            assert!(batcher.open.len() <= OPEN_MAX);
        }
        // Product 0 has two rows and is the largest.
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].lines, [0, 0]);
    }
}
