//! The manifest: which logs the store has, so that a lost log is never taken for a new one.
//!
//! ```text
//!   souk-journal 1
//!   store 0f1e2d3c4b5a6978
//!   log partition-0
//!   log partition-1
//!   crc 1a2b3c4d
//! ```
//!
//! A log's number in the frames is its place in the list, from 1. The file is replaced as a whole: written
//! under another name, flushed and renamed. A log is in it before its first frame is written.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::folder::sync_dir;
use crate::{LogName, OpenError};

/// The newest format of the manifest and of the segments.
pub(super) const FORMAT: u32 = 1;

const MAGIC: &str = "souk-journal ";

/// What the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Tells this store's frames from any other's. Drawn when the store is made.
    pub(super) store: u64,
    /// The logs in the order in which they were made.
    pub(super) logs: Vec<LogName>,
}

/// Where a store has its manifest.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("journal.manifest")
}

impl Manifest {
    /// The manifest of a new store, which has no logs.
    pub(super) fn new() -> Manifest {
        // The standard library's only source of random numbers. It has to differ between two stores whose
        // files might be mixed up, not to be secret.
        Manifest { store: RandomState::new().build_hasher().finish(), logs: Vec::new() }
    }

    /// A log's number in the frames.
    pub(super) fn number(&self, name: &LogName) -> Option<u32> {
        let place = self.logs.iter().position(|log| log == name)?;
        u32::try_from(place + 1).ok()
    }

    /// Reads the manifest of the store in `dir`, or finds that there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Manifest>, OpenError> {
        let path = path(dir);
        match fs::metadata(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(files::io(&path, error)),
            Ok(metadata) if !metadata.is_file() => return Err(files::foreign(&path, "not a file")),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|error| files::io(&path, error))?;
        Manifest::parse(&path, &bytes).map(Some)
    }

    /// Puts the manifest in the place of the one before it.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let path = path(dir);
        let draft = files::draft_of(&path);
        let mut file = File::create(&draft)?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        sync_dir(dir)
    }

    fn to_text(&self) -> String {
        let mut text = format!("{MAGIC}{FORMAT}\nstore {:016x}\n", self.store);
        for log in &self.logs {
            text.push_str(&format!("log {log}\n"));
        }
        let crc = crc32fast::hash(text.as_bytes());
        text.push_str(&format!("crc {crc:08x}\n"));
        text
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Manifest, OpenError> {
        if bytes.is_empty() {
            return Err(files::corrupt(path, "it is empty, which no manifest ever is"));
        }
        if !bytes.starts_with(MAGIC.as_bytes()) {
            return Err(files::foreign(path, "not a manifest of a journal"));
        }
        let damaged = || files::corrupt(path, "it is not as it was written");
        let text = str::from_utf8(bytes).map_err(|_| damaged())?;
        let format = text.lines().next().and_then(|line| line.strip_prefix(MAGIC)?.parse().ok());
        match format {
            Some(found) if FORMAT < found => {
                let log = path.display().to_string();
                return Err(OpenError::NewerFormat { log, found, known: FORMAT });
            }
            Some(_) => {}
            None => return Err(damaged()),
        }
        let manifest = Manifest::parse_lines(text).ok_or_else(damaged)?;
        // Whatever the lines were taken for, they are good only if they are what would be written.
        if manifest.to_text() == text { Ok(manifest) } else { Err(damaged()) }
    }

    fn parse_lines(text: &str) -> Option<Manifest> {
        let mut lines = text.lines().skip(1);
        let store = u64::from_str_radix(lines.next()?.strip_prefix("store ")?, 16).ok()?;
        let logs = lines.map_while(|line| line.strip_prefix("log "));
        let logs = logs.map(|name| LogName::new(name).ok()).collect::<Option<Vec<_>>>()?;
        Some(Manifest { store, logs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let logs = ["control", "partition-0"].map(|name| LogName::new(name).expect("a good name"));
        Manifest { store: 0xAB, logs: logs.to_vec() }
    }

    fn parse(text: &str) -> Result<Manifest, OpenError> {
        Manifest::parse(Path::new("journal.manifest"), text.as_bytes())
    }

    #[test]
    fn a_manifest_comes_back_and_each_change_of_it_is_noticed() {
        let text = manifest().to_text();
        assert_eq!(parse(&text).expect("as it was written"), manifest());
        for at in 0..text.len() {
            assert!(parse(&text[..at]).is_err(), "cut off at {at}");
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(Manifest::parse(Path::new("journal.manifest"), &bytes).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let newer = parse("souk-journal 2\nsomething else\n");
        assert!(matches!(newer, Err(OpenError::NewerFormat { found: 2, known: 1, .. })), "{newer:?}");
        let foreign = parse("a letter to a friend");
        assert!(matches!(foreign, Err(OpenError::Foreign { .. })), "{foreign:?}");
        let empty = parse("");
        assert!(matches!(empty, Err(OpenError::Corrupt { .. })), "{empty:?}");
    }

    #[test]
    fn logs_are_numbered_from_one() {
        assert_eq!(manifest().number(&LogName::new("partition-0").expect("a good name")), Some(2));
        assert_eq!(manifest().number(&LogName::new("partition-1").expect("a good name")), None);
    }
}
