//! Usage requests as they stand on the wire, read in place: for the short way of records whose names are known.
//!
//! Only the plain form is read that clients write: every field of a record at most once, nothing unknown, no
//! allocations. Whatever is read here, the generated decoder reads the same; whatever is not, it reads alone, and
//! says what is wrong with it. Names are lent as bytes: they are only compared with names that came as texts.

use souk_core::ids::DEFAULT_REGION;
use souk_core::quantity::Quantity;
use souk_core::time::Timestamp;

use crate::app::known_series::tag;
use crate::app::known_usage::{NamedRow, NamedRows};

const SECOND_MICROS: i64 = 1_000_000;
const SECOND_NANOS: u64 = 1_000_000_000;

/// Tags of `BatchMeterUsageRequest` and of `StreamUsageRequest`, which have the same.
mod request {
    pub const SANDBOX: u8 = 1 << 3 | 2;
    pub const PRODUCT_CODE: u8 = 2 << 3 | 2;
    pub const REGION: u8 = 3 << 3 | 2;
    pub const USAGE_RECORDS: u8 = 4 << 3 | 2;
}

/// Tags of `UsageRecord` beside those of its names.
mod record {
    pub const TIMESTAMP: u8 = 1 << 3 | 2;
    pub const QUANTITY: u8 = 6 << 3;
    pub const QUANTITY_AS_DECIMAL: u8 = 7 << 3 | 2;
}

/// Tags of `google.protobuf.Timestamp`.
mod timestamp {
    pub const SECONDS: u8 = 1 << 3;
    pub const NANOS: u8 = 2 << 3;
}

/// A usage request of one product, lent from its message.
#[derive(Debug, Clone, Copy)]
pub struct UsageView<'a> {
    /// The sandbox.
    pub sandbox: &'a str,
    product_code: &'a [u8],
    region: &'a [u8],
    records: &'a [u8],
}

impl<'a> UsageView<'a> {
    /// Reads what stands before the records; none when it is not in the plain form.
    pub fn read(message: &'a [u8]) -> Option<UsageView<'a>> {
        let mut rest = message;
        let (mut sandbox, mut product_code, mut region) = (None, None, None);
        loop {
            let records = rest;
            let slot = match byte(&mut rest)? {
                request::SANDBOX => &mut sandbox,
                request::PRODUCT_CODE => &mut product_code,
                request::REGION => &mut region,
                request::USAGE_RECORDS => {
                    let region = region.filter(|region: &&[u8]| !region.is_empty());
                    return Some(UsageView {
                        sandbox: std::str::from_utf8(sandbox?).ok()?,
                        product_code: product_code?,
                        region: region.unwrap_or(DEFAULT_REGION.as_bytes()),
                        records,
                    });
                }
                _ => return None,
            };
            once(slot, bytes(&mut rest)?)?;
        }
    }
}

impl NamedRows for UsageView<'_> {
    fn scope(&self) -> (&[u8], &[u8]) {
        (self.product_code, self.region)
    }

    fn lend(&self, mut take: impl FnMut(NamedRow<'_>) -> bool) -> bool {
        let mut rest = self.records;
        let mut scratch = Vec::new();
        let mut one = || {
            let tag = byte(&mut rest)?;
            let record = bytes(&mut rest).filter(|_| tag == request::USAGE_RECORDS)?;
            let row = read_record(record, &mut scratch)?;
            take(row).then_some(rest.is_empty())
        };
        loop {
            match one() {
                Some(true) => return true,
                Some(false) => (),
                None => return false,
            }
        }
    }
}

/// Reads one record. Its names are lent from it where customer and dimension stand side by side, as most clients
/// write them, and else put together.
fn read_record<'a>(record: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<NamedRow<'a>> {
    let (mut timestamp, mut customer, mut dimension) = (None, None, None);
    let (mut whole, mut decimal) = (None, None);
    let mut rest = record;
    while !rest.is_empty() {
        let from = record.len() - rest.len();
        match byte(&mut rest)? {
            record::TIMESTAMP => once(&mut timestamp, read_timestamp(bytes(&mut rest)?)?)?,
            tag::ACCOUNT | tag::IDENTIFIER => {
                bytes(&mut rest)?;
                once(&mut customer, from..record.len() - rest.len())?;
            }
            tag::DIMENSION => {
                bytes(&mut rest)?;
                once(&mut dimension, from..record.len() - rest.len())?;
            }
            record::QUANTITY => once(&mut whole, number(&mut rest)?)?,
            record::QUANTITY_AS_DECIMAL => once(&mut decimal, bytes(&mut rest)?)?,
            _ => return None,
        }
    }
    let (customer, dimension) = (customer?, dimension?);
    let names = match customer.end == dimension.start {
        true => record.get(customer.start..dimension.end)?,
        false => {
            scratch.clear();
            scratch.extend_from_slice(record.get(customer)?);
            scratch.extend_from_slice(record.get(dimension)?);
            scratch
        }
    };
    Some(NamedRow { names, timestamp: timestamp?, quantity: read_quantity(whole, decimal)? })
}

fn read_timestamp(message: &[u8]) -> Option<Timestamp> {
    let (mut seconds, mut nanos) = (None, None);
    let mut rest = message;
    while !rest.is_empty() {
        match byte(&mut rest)? {
            timestamp::SECONDS => once(&mut seconds, number(&mut rest)?)?,
            timestamp::NANOS => once(&mut nanos, number(&mut rest)?)?,
            _ => return None,
        }
    }
    let (seconds, nanos) = (seconds.unwrap_or(0), nanos.unwrap_or(0));
    // No negative number is as short as those that are read here, and the core knows the last moment.
    let seconds = i64::try_from(seconds).ok()?;
    let micros = i64::try_from(nanos / 1_000).ok().filter(|_| nanos < SECOND_NANOS)?;
    Timestamp::from_micros(seconds.checked_mul(SECOND_MICROS)?.checked_add(micros)?)
}

fn read_quantity(whole: Option<u64>, decimal: Option<&[u8]>) -> Option<Quantity> {
    match (whole, decimal.unwrap_or_default()) {
        (None, []) => Some(Quantity::ZERO),
        (Some(units), []) => Quantity::whole(units).ok(),
        (None, decimal) => Quantity::parse(std::str::from_utf8(decimal).ok()?).ok(),
        (Some(_), _) => None,
    }
}

/// Sets what may be set once: of a field that stands twice, the generated decoder takes the last, or merges them.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&first, tail) = rest.split_first()?;
    *rest = tail;
    Some(first)
}

/// A number of at most 35 bits, which all times and quantities here have.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..5 {
        let next = byte(rest)?;
        number |= u64::from(next & 0x7F) << (7 * place);
        if next < 0x80 {
            return Some(number);
        }
    }
    None
}

/// A text or a message with its length before it.
fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (bytes, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(bytes)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
