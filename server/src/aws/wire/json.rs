//! AWS JSON 1.0 and 1.1: the same text; the difference is in the headers.
//!
//! The reader is written out, because numbers have to stay as written: a JSON library's switch for that
//! would turn it on for everybody who shares the library, and a binary double is no quantity.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::{self, Number};
use super::value::Value;
use super::{BODY_BYTES_MAX, DEPTH_MAX, Malformed};

/// What an answer has room for before it grows: most of one to a batch.
const PRINTED_BYTES: usize = 4_096;

/// Reads a body.
pub fn parse(body: &[u8]) -> Result<Value<'_>, Malformed> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Malformed::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|error| Malformed::Unexpected {
        what: "bytes that are not UTF-8",
        at: error.valid_up_to(),
    })?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected("something after its value")),
    }
}

/// Prints a value without spaces.
pub fn print(value: &Value<'_>) -> String {
    let mut out = String::with_capacity(PRINTED_BYTES);
    print_value(&mut out, value);
    out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        rest.get(space).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        match self.peek().ok_or(Malformed::Unfinished)? {
            b'{' => self.map(depth + 1),
            b'[' => self.list(depth + 1),
            b'"' => Ok(Value::Text(self.string()?)),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => Err(self.unexpected("something that starts no value")),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.enter(depth)?;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            match self.peek().ok_or(Malformed::Unfinished)? {
                b'"' => {}
                _ => return Err(self.unexpected("something else than a member's name")),
            }
            let name = self.string()?;
            match self.peek().ok_or(Malformed::Unfinished)? {
                b':' => self.at += 1,
                _ => return Err(self.unexpected("something else than a colon")),
            }
            let value = self.value(depth)?;
            members.push((name, value));
            if self.ends_with(b'}')? {
                return Ok(Value::Map(members));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.ends_with(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    /// Steps over the opening bracket.
    fn enter(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a comma, or over the closing bracket and says so.
    fn ends_with(&mut self, close: u8) -> Result<bool, Malformed> {
        let next = self.peek().ok_or(Malformed::Unfinished)?;
        if next != close && next != b',' {
            return Err(self.unexpected("something else than a comma or a closing bracket"));
        }
        self.at += 1;
        Ok(next == close)
    }

    fn number(&mut self) -> Result<Value<'a>, Malformed> {
        let rest = &self.text[self.at..];
        let length = number::scan(rest.as_bytes()).ok_or_else(|| self.unexpected("a malformed number"))?;
        self.at += length;
        Ok(Value::Number(Number::scanned(&rest[..length])))
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("an unknown word"));
        }
        self.at += word.len();
        Ok(value)
    }

    /// A string, from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            // Plain characters up to a quote, an escape or a control character; all of them are ASCII,
            // so that the text can be cut there.
            let start = self.at;
            self.at += plain(&self.text.as_bytes()[start..]);
            let run = &self.text[start..self.at];
            match self.text.as_bytes().get(self.at) {
                None => return Err(Malformed::Unfinished),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(run),
                        Some(text) => Cow::Owned(text + run),
                    });
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(run);
                    let character = self.escape()?;
                    text.push(character);
                }
                Some(_) => return Err(self.unexpected("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let letter = *self.text.as_bytes().get(self.at + 1).ok_or(Malformed::Unfinished)?;
        let character = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.unexpected("an unknown escape")),
        };
        self.at += 2;
        Ok(character)
    }

    /// `\uXXXX`, or the two of them that UTF-16 needs for a character beyond 65,535.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.code_unit()?;
        let units =
            if (0xd800..0xdc00).contains(&first) { vec![first, self.code_unit()?] } else { vec![first] };
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            Some(Err(_)) | None => Err(self.unexpected("half of a character behind an escape")),
        }
    }

    fn code_unit(&mut self) -> Result<u16, Malformed> {
        let escape = self.text.as_bytes().get(self.at..self.at + 6).ok_or(Malformed::Unfinished)?;
        let digits = escape.strip_prefix(b"\\u").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.unexpected("a malformed escape"))?;
        self.at += 6;
        Ok(unit)
    }

    fn unexpected(&self, what: &'static str) -> Malformed {
        Malformed::Unexpected { what, at: self.at }
    }
}

fn print_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.as_str()),
        Value::Text(text) => print_string(out, text),
        Value::Bytes(bytes) => {
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::Timestamp(micros) => print_seconds(out, *micros),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                print_value(out, item);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                print_string(out, name);
                out.push(':');
                print_value(out, value);
            }
            out.push('}');
        }
    }
}

fn print_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let at = plain(rest.as_bytes());
        out.push_str(&rest[..at]);
        match rest.as_bytes().get(at) {
            None => break,
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            // Writing to a string cannot fail.
            Some(control) => _ = write!(out, "\\u{control:04x}"),
        }
        rest = &rest[at + 1..];
    }
    out.push('"');
}

/// How many bytes come before the first quote, escape or control character; eight at a time, since most of a
/// body is text.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte below `limit`; above the first such byte it may be set by a borrow.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, escape) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        let found = below(word, 0x20) | below(quote, 1) | below(escape, 1);
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
    bytes.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

/// Seconds with as many decimals as are needed.
fn print_seconds(out: &mut String, micros: i64) {
    let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    // Writing to a string cannot fail.
    _ = write!(out, "{sign}{}", size / 1_000_000);
    if size % 1_000_000 != 0 {
        let decimals = format!("{:06}", size % 1_000_000);
        _ = write!(out, ".{}", decimals.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests;
