//! A body of BatchMeterUsage in the plain form that nearly all clients write, read where it lies.
//!
//! Only what breaks no constraint is read: every member at most once, nothing unknown, no licence, no allocations.
//! Whatever is read here, the [long way](super::metering) reads the same; whatever is not, it reads alone, and says what
//! is wrong with it.

use souk_core::ids::{MeteringRecordId, Region};
use souk_core::quantity::Quantity;
use souk_core::time::Timestamp;

use super::fields;
use crate::app::known_series::{tag, write_texts};
use crate::app::known_usage::{NamedRow, NamedRows};
use crate::aws::wire::{BODY_BYTES_MAX, plain, plain::Plain};
use crate::client_time::ClientClock;

/// Records of a batch at most.
pub const RECORDS_MAX: usize = 25;
/// Bytes of a code, a customer and a dimension at most; characters where they are more.
const TEXT_MAX: usize = 255;
const DECIMAL_MAX: usize = 17;
/// What an answer says of each record beside the record itself.
const RESULT_BYTES: usize = 112;

/// A batch, lent from its body.
#[derive(Debug)]
pub struct PlainBatch<'b> {
    /// The product's code.
    pub product_code: &'b str,
    region: &'b str,
    records: Vec<Record<'b>>,
}

#[derive(Debug)]
struct Record<'b> {
    /// The record as it stands in the body.
    text: &'b str,
    is_compact: bool,
    tag: u8,
    customer: &'b str,
    dimension: &'b str,
    timestamp: Timestamp,
    quantity: Quantity,
}

impl<'b> PlainBatch<'b> {
    /// Reads a body; none when it is not in the plain form.
    pub fn read(body: &'b [u8], region: &'b Region, clock: &ClientClock) -> Option<PlainBatch<'b>> {
        let mut reader = Plain::read(body).filter(|_| body.len() <= BODY_BYTES_MAX)?;
        let (mut product_code, mut records) = (None, None);
        reader.take(b'{')?;
        loop {
            match reader.name()? {
                "ProductCode" => once(&mut product_code, reader.string()?)?,
                "UsageRecords" => once(&mut records, read_records(&mut reader, clock)?)?,
                _ => return None,
            }
            if reader.ends_with(b'}')? {
                break;
            }
        }
        let product_code = product_code.filter(|code| fields::is_product_code(code) && is_text(code))?;
        let batch = PlainBatch { product_code, region: region.as_str(), records: records? };
        reader.peek().is_none().then_some(batch)
    }

    /// The answer to it when all of its records were metered, under these ids.
    pub fn print_metered(&self, ids: &[MeteringRecordId]) -> String {
        let texts: usize = self.records.iter().map(|record| record.text.len() + RESULT_BYTES).sum();
        let mut out = String::with_capacity(texts + 64);
        out.push_str("{\"Results\":[");
        for (index, (record, id)) in self.records.iter().zip(ids).enumerate() {
            out.push_str(if index == 0 { "{\"UsageRecord\":" } else { ",{\"UsageRecord\":" });
            match record.is_compact {
                true => out.push_str(record.text),
                false => plain::print(&mut out, record.text),
            }
            out.push_str(",\"MeteringRecordId\":\"");
            // An id is of ASCII characters.
            out.push_str(std::str::from_utf8(&id.text()).unwrap_or_default());
            out.push_str("\",\"Status\":\"Success\"}");
        }
        out.push_str("],\"UnprocessedRecords\":[]}");
        out
    }
}

impl NamedRows for PlainBatch<'_> {
    fn scope(&self) -> (&[u8], &[u8]) {
        (self.product_code.as_bytes(), self.region.as_bytes())
    }

    fn count(&self) -> usize {
        self.records.len()
    }

    fn lend(&self, mut take: impl FnMut(NamedRow<'_>) -> bool) -> bool {
        let mut names = Vec::with_capacity(64);
        self.records.iter().all(|record| {
            let Record { timestamp, quantity, .. } = *record;
            write_texts(record.tag, record.customer, record.dimension, &mut names);
            take(NamedRow { names: &names, timestamp, quantity })
        })
    }
}

fn read_records<'b>(reader: &mut Plain<'b>, clock: &ClientClock) -> Option<Vec<Record<'b>>> {
    let mut records = Vec::with_capacity(RECORDS_MAX);
    reader.take(b'[')?;
    loop {
        if records.len() == RECORDS_MAX {
            return None;
        }
        records.push(read_record(reader, clock)?);
        if reader.ends_with(b']')? {
            return Some(records);
        }
    }
}

fn read_record<'b>(reader: &mut Plain<'b>, clock: &ClientClock) -> Option<Record<'b>> {
    let (mut timestamp, mut customer, mut dimension, mut quantity) = (None, None, None, None);
    reader.peek()?;
    let from = reader.clone();
    reader.take(b'{')?;
    loop {
        match reader.name()? {
            "Timestamp" => {
                let stamped = Timestamp::from_micros(reader.number()?.seconds_to_micros()?)?;
                once(&mut timestamp, clock.to_sandbox(stamped))?;
            }
            "CustomerAWSAccountId" => {
                let text = reader.string().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
                once(&mut customer, (tag::ACCOUNT, text))?;
            }
            "CustomerIdentifier" => once(&mut customer, (tag::IDENTIFIER, reader.string()?))?,
            "Dimension" => once(&mut dimension, reader.string()?)?,
            "Quantity" => once(&mut quantity, whole(reader.number()?.as_str())?)?,
            "QuantityAsDecimal" => {
                let text = reader.string().filter(|text| text.len() <= DECIMAL_MAX)?;
                once(&mut quantity, Quantity::parse(text).ok()?)?;
            }
            _ => return None,
        }
        if reader.ends_with(b'}')? {
            break;
        }
    }
    let (tag, customer) = customer.filter(|(_, text)| is_text(text))?;
    Some(Record {
        text: reader.since(&from)?,
        is_compact: reader.spaces() == from.spaces(),
        tag,
        customer,
        dimension: dimension.filter(|text| is_text(text))?,
        timestamp: timestamp?,
        quantity: quantity.unwrap_or(Quantity::ZERO),
    })
}

/// A quantity that is written as a whole number.
fn whole(text: &str) -> Option<Quantity> {
    let units: i64 = text.parse().ok().filter(|units| (0..=fields::INTEGER_MAX).contains(units))?;
    Quantity::whole(u64::try_from(units).ok()?).ok()
}

fn is_text(text: &str) -> bool {
    (1..=TEXT_MAX).contains(&text.len())
}

/// Sets what may be set once: of a member that stands twice, the long way knows which counts.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

#[cfg(test)]
#[path = "plain_batch_tests.rs"]
mod tests;
