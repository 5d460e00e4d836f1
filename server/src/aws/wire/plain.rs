//! Reads JSON where it lies, without making values of it: for bodies in the plain form that nearly all clients write.
//!
//! Whatever is read here, [`super::json`] reads the same; whatever is not (escapes, malformed bodies), it reads alone,
//! and says what is wrong with it.

use super::json::plain;
use super::number::{self, Number};

/// A place in a text.
#[derive(Debug, Clone)]
pub struct Plain<'a> {
    text: &'a str,
    at: usize,
    spaces: usize,
}

impl<'a> Plain<'a> {
    /// The beginning of a body; none when it is not UTF-8.
    pub fn read(body: &'a [u8]) -> Option<Plain<'a>> {
        Some(Plain { text: std::str::from_utf8(body).ok()?, at: 0, spaces: 0 })
    }

    /// The next byte that is not white space.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => {
                    self.at += 1;
                    self.spaces += 1;
                }
                &other => return Some(other),
            }
        }
    }

    /// Steps over this byte.
    pub fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// Steps over a comma, or over the closing bracket and says so.
    pub fn ends_with(&mut self, close: u8) -> Option<bool> {
        let next = self.peek().filter(|&next| next == close || next == b',')?;
        self.at += 1;
        Some(next == close)
    }

    /// A string without escapes.
    pub fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let end = start + plain(self.text.as_bytes().get(start..)?);
        self.at = end;
        self.take_here(b'"')?;
        self.text.get(start..end)
    }

    /// The name of a member, and the colon behind it.
    pub fn name(&mut self) -> Option<&'a str> {
        let name = self.string()?;
        self.take(b':')?;
        Some(name)
    }

    /// A number.
    pub fn number(&mut self) -> Option<Number<'a>> {
        self.peek()?;
        let rest = self.text.get(self.at..)?;
        let length = number::scan(rest.as_bytes())?;
        self.at += length;
        rest.get(..length).map(Number::scanned)
    }

    /// How many bytes of white space lie behind.
    pub fn spaces(&self) -> usize {
        self.spaces
    }

    /// The text from a place, which the next byte of `from` begins, to here.
    pub fn since(&self, from: &Plain<'a>) -> Option<&'a str> {
        self.text.get(from.at..self.at)
    }

    fn take_here(&mut self, byte: u8) -> Option<()> {
        let found = *self.text.as_bytes().get(self.at)? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }
}

/// Prints a text that was read here as [`super::json`] prints its value: without white space around what it is of.
pub fn print(out: &mut String, text: &str) {
    let mut in_string = false;
    for part in text.split_inclusive('"') {
        if in_string {
            out.push_str(part);
        } else {
            out.extend(part.split([' ', '\t', '\n', '\r']));
        }
        in_string = !in_string;
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn tokens_are_lent_and_white_space_is_counted() {
        let mut reader = Plain::read(b" {\"a\" : -1.50e3,\n\"b\":\"x y\"} ").unwrap();
        reader.take(b'{').unwrap();
        assert_eq!((reader.spaces(), reader.take(b'}')), (1, None));
        let from = reader.clone();
        assert_eq!(reader.name(), Some("a"));
        assert_eq!(reader.number().unwrap().as_str(), "-1.50e3");
        assert_eq!(reader.since(&from), Some("\"a\" : -1.50e3"));
        assert_eq!(reader.ends_with(b'}'), Some(false));
        assert_eq!((reader.name(), reader.string()), (Some("b"), Some("x y")));
        assert_eq!((reader.ends_with(b'}'), reader.peek(), reader.spaces()), (Some(true), None, 5));
    }

    #[test]
    fn what_is_not_plain_is_not_read() {
        assert!(Plain::read(b"\"\xff\"").is_none());
        for text in ["\"a\\n\"", "\"a", "\"a\nb\"", "a", "7", ""] {
            assert_eq!(Plain::read(text.as_bytes()).unwrap().string(), None, "{text}");
        }
        for text in ["-", "+1", "\"1\"", ""] {
            assert_eq!(Plain::read(text.as_bytes()).unwrap().number(), None, "{text}");
        }
    }

    #[test]
    fn a_text_is_printed_as_its_value_is() {
        for text in [
            r#"{"a":1,"b":"x y"}"#,
            "{ \"a\" : 1.50 ,\t\"b c\" :\r\n \" x  y \", \"d\": \"\" }",
            r#"{"ä ö": "ü  {"}"#,
        ] {
            let mut printed = String::new();
            print(&mut printed, text);
            assert_eq!(printed, json::print(&json::parse(text.as_bytes()).unwrap()));
        }
    }
}
