//! As much of protobuf's wire format as the generator needs.
//!
//! ```text
//! field    tag = number << 3 | type     varint = 7 bits a byte, the highest says that more follow
//! types    0 varint    2 length and bytes
//! ```

/// The wire type of numbers.
const VARINT: u32 = 0;
/// The wire type of texts, bytes and messages.
const BYTES: u32 = 2;

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes a varint takes.
#[must_use]
pub fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends a number's field.
pub fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field << 3 | VARINT));
    put_varint(out, value);
}

/// Appends the field of texts, bytes and messages; the empty one is left out.
pub fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_length(out, field, bytes.len());
        out.extend_from_slice(bytes);
    }
}

/// Appends tag and length of such a field, whose bytes follow.
pub fn put_length(out: &mut Vec<u8>, field: u32, length: usize) {
    put_varint(out, u64::from(field << 3 | BYTES));
    put_varint(out, length as u64);
}

/// A field as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// A number.
    Number(u32, u64),
    /// Text, bytes or a message.
    Bytes(u32, &'a [u8]),
}

/// Reads the fields of a message one after another.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Of these bytes.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Fields<'a> {
        Fields { rest: message }
    }

    /// The next field; `None` when there is none, an error when it cannot be read.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot fail")]
    pub fn next(&mut self) -> Result<Option<Field<'a>>, Unreadable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Unreadable)?;
        match tag as u32 & 7 {
            VARINT => Ok(Some(Field::Number(number, self.varint()?))),
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Unreadable)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Unreadable)?;
                self.rest = rest;
                Ok(Some(Field::Bytes(number, bytes)))
            }
            _ => Err(Unreadable),
        }
    }

    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0;
        for (position, byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7F) << (7 * position);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[position + 1..];
                return Ok(value);
            }
        }
        Err(Unreadable)
    }
}

/// Bytes that are no message of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer is no message of the contract")
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_is_not() {
        let mut bytes = Vec::new();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        for (number, field) in numbers.into_iter().zip(1..) {
            let before = bytes.len();
            put_varint(&mut bytes, number);
            assert_eq!(bytes.len() - before, varint_len(number));
            bytes.truncate(before);
            put_number(&mut bytes, field, number);
        }
        put_bytes(&mut bytes, 100, b"text");
        let mut fields = Fields::of(&bytes);
        for (number, field) in numbers.into_iter().zip(1..) {
            assert_eq!(fields.next(), Ok(Some(Field::Number(field, number))));
        }
        assert_eq!(fields.next(), Ok(Some(Field::Bytes(100, b"text"))));
        assert_eq!(fields.next(), Ok(None));
        let mut cut = Fields::of(&bytes[bytes.len() - 6..bytes.len() - 1]);
        assert!(cut.next().is_err());
    }
}
