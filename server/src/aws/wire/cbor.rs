//! CBOR (RFC 8949) as Smithy's RPC v2 protocol uses it.
//!
//! Floats become the shortest decimal that means them: a client that wrote 0.1 meant 0.1. What is no
//! number (NaN, infinities) is refused, and so are the big numbers of tags 2 to 4, which no member of
//! these services has. Unknown tags say nothing here: their content counts.

use std::borrow::Cow;

use super::float;
use super::number::Number;
use super::value::Value;
use super::{BODY_BYTES_MAX, DEPTH_MAX, Malformed};

/// Items for which room is made before they are seen: a length is a claim.
const RESERVED_ITEMS_MAX: usize = 64;
const TAG_EPOCH: u64 = 1;

mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const LIST: u8 = 4;
    pub(super) const MAP: u8 = 5;
    pub(super) const TAG: u8 = 6;
    pub(super) const SIMPLE: u8 = 7;
}

/// Reads a body.
pub fn parse(body: &[u8]) -> Result<Value<'_>, Malformed> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Malformed::TooLarge);
    }
    let mut reader = Reader { bytes: body, at: 0 };
    let value = reader.value(0)?;
    if reader.at < body.len() {
        return Err(reader.unexpected("something after its value"));
    }
    Ok(value)
}

/// Prints a value: definite lengths, the shortest integers, timestamps under tag 1.
pub fn print(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    print_value(&mut out, value);
    out
}

/// The first byte of an item, and its argument.
struct Head {
    major: u8,
    info: u8,
    /// `None` for an indefinite length.
    argument: Option<u64>,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        let head = self.head()?;
        match (head.major, head.argument) {
            (major::UNSIGNED, Some(size)) => Ok(Value::Number(Number::from(i128::from(size)))),
            (major::NEGATIVE, Some(size)) => Ok(Value::Number(Number::from(-1 - i128::from(size)))),
            (major::BYTES, length) => Ok(Value::Bytes(self.string(major::BYTES, length)?)),
            (major::TEXT, length) => Ok(Value::Text(self.text(length)?)),
            (major::LIST, length) => self.list(length, depth + 1),
            (major::MAP, length) => self.map(length, depth + 1),
            (major::TAG, Some(tag)) => self.tagged(tag, depth + 1, start),
            (major::SIMPLE, Some(bits)) => simple(head.info, bits)
                .ok_or(Malformed::Unexpected { what: "a simple value or float that is no value", at: start }),
            (_, _) => Err(Malformed::Unexpected { what: "the end of no open item", at: start }),
        }
    }

    fn head(&mut self) -> Result<Head, Malformed> {
        let start = self.at;
        let [first] = self.array()?;
        let (major, info) = (first >> 5, first & 0x1f);
        let argument = match info {
            0..24 => Some(u64::from(info)),
            24 => Some(u64::from(u8::from_be_bytes(self.array()?))),
            25 => Some(u64::from(u16::from_be_bytes(self.array()?))),
            26 => Some(u64::from(u32::from_be_bytes(self.array()?))),
            27 => Some(u64::from_be_bytes(self.array()?)),
            31 if !matches!(major, major::UNSIGNED | major::NEGATIVE | major::TAG) => None,
            _ => return Err(Malformed::Unexpected { what: "a malformed item", at: start }),
        };
        Ok(Head { major, info, argument })
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Result<Value<'a>, Malformed> {
        let count = self.enter(length, 1, depth)?;
        let mut items = Vec::with_capacity(count.unwrap_or(0).min(RESERVED_ITEMS_MAX));
        while !self.is_finished(count, items.len())? {
            items.push(self.value(depth)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Result<Value<'a>, Malformed> {
        let count = self.enter(length, 2, depth)?;
        let mut members = Vec::with_capacity(count.unwrap_or(0).min(RESERVED_ITEMS_MAX));
        while !self.is_finished(count, members.len())? {
            let start = self.at;
            let head = self.head()?;
            if head.major != major::TEXT {
                return Err(Malformed::Unexpected { what: "something else than a member's name", at: start });
            }
            let name = self.text(head.argument)?;
            members.push((name, self.value(depth)?));
        }
        Ok(Value::Map(members))
    }

    /// Checks the depth, and a length against the bytes that are left for so many items.
    fn enter(
        &self,
        length: Option<u64>,
        bytes_each: usize,
        depth: usize,
    ) -> Result<Option<usize>, Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        let Some(length) = length else { return Ok(None) };
        let room = (self.bytes.len() - self.at) / bytes_each;
        match usize::try_from(length) {
            Ok(count) if count <= room => Ok(Some(count)),
            Ok(_) | Err(_) => Err(Malformed::Unfinished),
        }
    }

    /// Whether a container is complete; steps over the break that ends one of indefinite length.
    fn is_finished(&mut self, count: Option<usize>, seen: usize) -> Result<bool, Malformed> {
        match (count, self.bytes.get(self.at)) {
            (Some(count), _) => Ok(seen == count),
            (None, None) => Err(Malformed::Unfinished),
            (None, Some(0xff)) => {
                self.at += 1;
                Ok(true)
            }
            (None, Some(_)) => Ok(false),
        }
    }

    /// Bytes, or the bytes of a text: in one piece, or in chunks of definite length.
    fn string(&mut self, major: u8, length: Option<u64>) -> Result<Cow<'a, [u8]>, Malformed> {
        if let Some(length) = length {
            return Ok(Cow::Borrowed(self.take(length)?));
        }
        let mut whole = Vec::new();
        while !self.is_finished(None, 0)? {
            let start = self.at;
            let head = self.head()?;
            match head.argument {
                Some(length) if head.major == major => whole.extend_from_slice(self.take(length)?),
                Some(_) | None => {
                    return Err(Malformed::Unexpected { what: "something else than a chunk", at: start });
                }
            }
        }
        Ok(Cow::Owned(whole))
    }

    fn text(&mut self, length: Option<u64>) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        let text = match self.string(major::TEXT, length)? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        text.ok_or(Malformed::Unexpected { what: "text that is not UTF-8", at: start })
    }

    fn tagged(&mut self, tag: u64, depth: usize, start: usize) -> Result<Value<'a>, Malformed> {
        // Tags nest like containers do.
        if depth > DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        let content = self.value(depth)?;
        match tag {
            TAG_EPOCH => match content {
                Value::Number(seconds) => seconds
                    .seconds_to_micros()
                    .map(Value::Timestamp)
                    .ok_or(Malformed::Unexpected { what: "a timestamp out of range", at: start }),
                _ => Err(Malformed::Unexpected { what: "a timestamp that is no number", at: start }),
            },
            2..=4 => Err(Malformed::Unexpected { what: "a number beyond 64 bits", at: start }),
            _ => Ok(content),
        }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let taken = end.and_then(|end| self.bytes.get(self.at..end)).ok_or(Malformed::Unfinished)?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let rest = &self.bytes[self.at..];
        let array = rest.first_chunk().ok_or(Malformed::Unfinished)?;
        self.at += N;
        Ok(*array)
    }

    fn unexpected(&self, what: &'static str) -> Malformed {
        Malformed::Unexpected { what, at: self.at }
    }
}

/// A value of major type 7; nothing for what has no meaning.
fn simple(info: u8, bits: u64) -> Option<Value<'static>> {
    let float = match info {
        20 => return Some(Value::Bool(false)),
        21 => return Some(Value::Bool(true)),
        // Null, and undefined, which the protocol reads as null.
        22 | 23 => return Some(Value::Null),
        25 => float::from_half(u16::try_from(bits).ok()?),
        26 => f64::from(f32::from_bits(u32::try_from(bits).ok()?)),
        27 => f64::from_bits(bits),
        _ => return None,
    };
    float::to_number(float).map(Value::Number)
}

fn print_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Number(number) => print_number(out, number),
        Value::Text(text) => print_text(out, text),
        Value::Bytes(bytes) => {
            print_head(out, major::BYTES, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Value::Timestamp(micros) => {
            print_head(out, major::TAG, TAG_EPOCH);
            if micros % 1_000_000 == 0 {
                print_integer(out, i128::from(micros / 1_000_000));
            } else {
                print_float(out, *micros as f64 / 1e6);
            }
        }
        Value::List(items) => {
            print_head(out, major::LIST, items.len() as u64);
            for item in items {
                print_value(out, item);
            }
        }
        Value::Map(members) => {
            print_head(out, major::MAP, members.len() as u64);
            for (name, value) in members {
                print_text(out, name);
                print_value(out, value);
            }
        }
    }
}

/// An integer where it is one of at most 64 bits and written without a point, else the nearest double.
fn print_number(out: &mut Vec<u8>, number: &Number<'_>) {
    match number.to_integer().filter(|_| !number.as_str().contains('.')) {
        Some(integer) if (-(1i128 << 64)..1i128 << 64).contains(&integer) => print_integer(out, integer),
        Some(_) | None => print_float(out, float::from_number(number)),
    }
}

fn print_integer(out: &mut Vec<u8>, integer: i128) {
    let (major, size) =
        if integer < 0 { (major::NEGATIVE, -1 - integer) } else { (major::UNSIGNED, integer) };
    match u64::try_from(size) {
        Ok(size) => print_head(out, major, size),
        Err(_) => print_float(out, integer as f64),
    }
}

fn print_float(out: &mut Vec<u8>, float: f64) {
    out.push(0xfb);
    out.extend_from_slice(&float.to_be_bytes());
}

fn print_text(out: &mut Vec<u8>, text: &str) {
    print_head(out, major::TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn print_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let first = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(first | bytes[7]),
        24..0x100 => out.extend_from_slice(&[first | 24, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(first | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(first | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        0x1_0000_0000.. => {
            out.push(first | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests;
