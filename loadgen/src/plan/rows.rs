//! The records in the order in which they are sent.
//!
//! ```text
//! lane = the series of one product in one stream: here a, b and c
//!   row       0    1    2    3    4    5           6
//!   series    a    b    c    a    b    c    b      a
//!   hour      0    0    0    1    1    1    0      2
//!                                           └ a duplicate of row 1, sent after row 5
//! ```
//!
//! A payer's family is in one stream, and a stream is processed in order: a duplicate always comes after the
//! record that it repeats.

use souk_core::quantity::Quantity;

use super::{Cell, ONE, Plan, Use, quantity};

/// How many rows of its lane a duplicate comes after its record at most.
const BACK_MAX: u64 = 4_000;

/// Why a record is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To meter its cell.
    First,
    /// To repeat it: SUCCESS again.
    Repeat,
    /// To meter it with another quantity, which must not stand: DUPLICATE_RECORD.
    Contradict,
}

/// A record to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it meters.
    pub cell: Cell,
    /// Why.
    pub purpose: Purpose,
}

/// The records of a message: all of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The position of the product.
    pub product: u32,
    /// The records in order.
    pub rows: Vec<Row>,
}

impl Plan {
    /// The messages of one of so many streams, in order: hour by hour, whatever the product.
    pub fn messages(&self, stream: u32, streams: u32, batch: usize) -> impl Iterator<Item = Message> + '_ {
        let mut lanes: Vec<_> = (0..self.shape.sellers).map(|product| Lane::new(self, product)).collect();
        for (series, position) in self.series.iter().zip(0..) {
            if self.buyers[series.buyer as usize].family % streams == stream {
                lanes[series.product as usize].series.push(position);
            }
        }
        lanes.retain(|lane| !lane.series.is_empty());
        std::iter::from_fn(move || {
            lanes.retain(|lane| !lane.is_at_end());
            let lane = lanes.iter_mut().min_by_key(|lane| lane.hour())?;
            Some(Message { product: lane.product, rows: lane.by_ref().take(batch).collect() })
        })
    }

    /// What a row says that its cell metered.
    #[must_use]
    pub fn stated(&self, row: Row) -> Quantity {
        let planned = self.quantity(row.cell);
        match row.purpose {
            Purpose::First | Purpose::Repeat => planned,
            Purpose::Contradict => quantity(planned.millionths() + ONE),
        }
    }
}

/// The series of one product in one stream, and how far their rows have been sent.
struct Lane<'a> {
    plan: &'a Plan,
    product: u32,
    series: Vec<u32>,
    next_row: u64,
    /// A duplicate that comes before the next row.
    duplicate: Option<Row>,
}

impl<'a> Lane<'a> {
    fn new(plan: &'a Plan, product: u32) -> Lane<'a> {
        Lane { plan, product, series: Vec::new(), next_row: 0, duplicate: None }
    }

    fn hour(&self) -> u64 {
        self.next_row / self.series.len() as u64
    }

    fn is_at_end(&self) -> bool {
        self.duplicate.is_none() && u64::from(self.plan.shape.hours) <= self.hour()
    }

    fn cell(&self, row: u64) -> Cell {
        let width = self.series.len() as u64;
        Cell { series: self.series[(row % width) as usize], hour: (row / width) as u32 }
    }

    /// The duplicate that follows the row, if one does.
    fn duplicate_after(&self, row: u64) -> Option<Row> {
        let random = self.plan.random(Use::Duplicate, self.cell(row));
        if u64::from(self.plan.shape.duplicates_percent) <= random % 100 {
            return None;
        }
        let purpose = if random >> 8 & 1 == 0 { Purpose::Repeat } else { Purpose::Contradict };
        let back = (random >> 16) % (row + 1).min(BACK_MAX);
        Some(Row { cell: self.cell(row - back), purpose })
    }
}

impl Iterator for Lane<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if let Some(duplicate) = self.duplicate.take() {
            return Some(duplicate);
        }
        if self.is_at_end() {
            return None;
        }
        let row = self.next_row;
        self.next_row += 1;
        self.duplicate = self.duplicate_after(row);
        Some(Row { cell: self.cell(row), purpose: Purpose::First })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Shape;
    use super::*;

    const SHAPE: Shape =
        Shape { seed: 7, buyers: 20, sellers: 3, dimensions: 4, hours: 30, duplicates_percent: 10 };

    #[test]
    fn every_cell_is_metered_once_whatever_the_streams_and_the_batch() {
        let plan = Plan::new(SHAPE);
        for (streams, batch) in [(1, 1), (1, 1_000), (2, 100), (5, 7)] {
            let messages = (0..streams).flat_map(|stream| plan.messages(stream, streams, batch));
            let rows = messages.flat_map(|message| message.rows);
            let firsts: Vec<_> =
                rows.filter(|row| row.purpose == Purpose::First).map(|row| row.cell).collect();
            assert_eq!(firsts.len() as u64, plan.cells(), "{streams} {batch}");
            assert_eq!(firsts.iter().collect::<BTreeSet<_>>().len(), firsts.len(), "{streams} {batch}");
        }
    }

    #[test]
    fn a_duplicate_comes_after_its_record_and_there_are_about_as_many_as_asked() {
        let plan = Plan::new(SHAPE);
        let mut counts = [0_u64; 3];
        for stream in 0..2 {
            let mut seen = BTreeSet::new();
            for row in plan.messages(stream, 2, 64).flat_map(|message| message.rows) {
                counts[row.purpose as usize] += 1;
                match row.purpose {
                    Purpose::First => assert!(seen.insert(row.cell)),
                    Purpose::Repeat | Purpose::Contradict => assert!(seen.contains(&row.cell)),
                }
            }
        }
        let [firsts, repeats, contradictions] = counts;
        let tenth = firsts / 10;
        assert!((tenth / 3..tenth).contains(&repeats), "{counts:?}");
        assert!((tenth / 3..tenth).contains(&contradictions), "{counts:?}");
    }

    #[test]
    fn a_message_is_of_one_product_and_no_larger_than_a_batch() {
        let plan = Plan::new(SHAPE);
        for message in plan.messages(0, 1, 50) {
            assert!((1..=50).contains(&message.rows.len()));
            for row in &message.rows {
                assert_eq!(plan.series[row.cell.series as usize].product, message.product);
            }
        }
    }

    #[test]
    fn contradictions_say_another_quantity() {
        let plan = Plan::new(SHAPE);
        let cell = Cell { series: 1, hour: 2 };
        let stated = |purpose| plan.stated(Row { cell, purpose });
        assert_eq!(stated(Purpose::First), stated(Purpose::Repeat));
        assert_ne!(stated(Purpose::First), stated(Purpose::Contradict));
    }
}
