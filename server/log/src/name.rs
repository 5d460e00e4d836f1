//! The name of a log, safe as a file name and as a subject of a message broker alike.

use std::fmt;

use thiserror::Error;

/// The longest name of a log.
pub const LOG_NAME_BYTES_MAX: usize = 64;

/// The name of a log within its store, such as `control` or `partition-0`: lower-case letters, digits
/// and hyphens, a letter first, at most [`LOG_NAME_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName(String);

/// A name that no log can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{name:?} cannot name a log; use lower-case letters, digits and hyphens, a letter first, at most {LOG_NAME_BYTES_MAX} bytes"
)]
pub struct InvalidLogName {
    /// What was given.
    pub name: String,
}

impl LogName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`InvalidLogName`] if it is none.
    pub fn new(name: impl Into<String>) -> Result<LogName, InvalidLogName> {
        let name = name.into();
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if starts_well && name.chars().all(known) && name.len() <= LOG_NAME_BYTES_MAX {
            Ok(LogName(name))
        } else {
            Err(InvalidLogName { name })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_as_a_file_name() {
        let longest = "a".repeat(LOG_NAME_BYTES_MAX);
        for good in ["control", "partition-0", "a", longest.as_str()] {
            assert_eq!(LogName::new(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(LOG_NAME_BYTES_MAX + 1);
        for bad in ["", "-a", "0", "A", "a.b", "a/b", "..", "a b", "é", too_long.as_str()] {
            assert_eq!(LogName::new(bad), Err(InvalidLogName { name: bad.to_owned() }));
        }
    }
}
