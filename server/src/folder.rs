//! The data folder: what it says of itself, which logs it has, and how its small files are written.
//!
//! ```text
//!   souk.json                     its format, partitions, and the log of usage
//!   control.sqlite                what is published
//!   usage/                        the log of all partitions, in segments
//!   partition-N.sqlite            or each partition's log, in folders whose usage is in SQLite
//!   archive-N.sqlite              each partition's closed months; follows from its log
//!   partition-N.snapshot          each partition's snapshot; follows from its log
//! ```

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use souk_log::{LogName, LogStore, OpenError, PartitionLog, SegmentedStore, SqliteStore};

use crate::partition::writer;
use crate::{control, signing};

/// Partitions of a new data folder.
pub const DEFAULT_PARTITIONS: usize = 4;
const PARTITIONS_MAX: usize = 256;
const FORMAT: u32 = 2;
/// The folder of the segments.
const SEGMENTS: &str = "usage";

/// Where partitions log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum UsageLog {
    /// In segments that all partitions share: one flush makes the usage of all of them durable.
    #[default]
    Segments,
    /// In an SQLite file each: one flush a partition, and every tool opens it.
    Sqlite,
}

/// What a data folder says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Description {
    /// The version of its layout.
    format: u32,
    /// Into how many partitions payers are spread; it never changes.
    partitions: usize,
    /// Where partitions log; folders of format 1 have SQLite.
    #[serde(default)]
    usage_log: Option<UsageLog>,
}

/// An open data folder.
pub struct Folder {
    /// Its logs.
    pub store: Arc<dyn LogStore>,
    /// Its partitions.
    pub partitions: usize,
}

/// Opens a data folder, and makes it when it does not exist. Nothing is ever overwritten to make it start.
pub fn open(folder: &Path, usage_log: UsageLog) -> Result<Folder, String> {
    // It holds the keys of documents: for its owner alone.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| format!("it cannot be made: {e}"))?;
    let description = folder.join("souk.json");
    let text = match std::fs::read_to_string(&description) {
        Ok(text) => text,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            refuse_foreign(folder)?;
            let usage_log = begun_with(folder).unwrap_or(usage_log);
            let store = Logs::new(folder, usage_log);
            // The logs first: a folder that says it is one has all of them, whenever it is cut off.
            for name in log_names(DEFAULT_PARTITIONS) {
                store.open(&name).map_err(|e| e.to_string())?;
            }
            let says =
                Description { format: FORMAT, partitions: DEFAULT_PARTITIONS, usage_log: Some(usage_log) };
            let text = serde_json::to_string(&says).map_err(|e| e.to_string())?;
            write_whole(&description, &format!("{text}\n"))
                .map_err(|e| format!("souk.json cannot be written: {e}"))?;
            return Ok(Folder { store: Arc::new(store), partitions: DEFAULT_PARTITIONS });
        }
        Err(error) => return Err(format!("souk.json cannot be read: {error}")),
    };
    let found: Description = serde_json::from_str(&text).map_err(|e| {
        format!("souk.json is not of a Souk data folder ({e}): restore it, or choose another folder")
    })?;
    if found.format > FORMAT {
        return Err(format!("its format {} is newer than {FORMAT}: use a newer soukd", found.format));
    }
    if !(1..=PARTITIONS_MAX).contains(&found.partitions) {
        return Err(format!("souk.json says {} partitions: restore it", found.partitions));
    }
    let store = Logs::new(folder, found.usage_log.unwrap_or(UsageLog::Sqlite));
    // A log that the folder should have and has not would come back empty.
    for name in log_names(found.partitions) {
        if !store.exists(&name).map_err(|e| e.to_string())? {
            return Err(format!("its log {name} is missing: restore it from a backup, with all other files"));
        }
    }
    Ok(Folder { store: Arc::new(store), partitions: found.partitions })
}

/// What a folder was being made with when it was cut off; none when nothing says so.
fn begun_with(folder: &Path) -> Option<UsageLog> {
    let first = format!("{}.sqlite", writer::log_name(0));
    match (folder.join(first).exists(), folder.join(SEGMENTS).exists()) {
        (true, _) => Some(UsageLog::Sqlite),
        (false, true) => Some(UsageLog::Segments),
        (false, false) => None,
    }
}

fn log_names(partitions: usize) -> impl Iterator<Item = LogName> {
    (0..partitions).map(writer::log_name).chain([control::writer::log_name()])
}

/// A folder that holds something else is not turned into a data folder.
fn refuse_foreign(folder: &Path) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("it cannot be read: {e}"))?;
    let ours = |name: &str| {
        ["partition-", "control.", SEGMENTS, "souk.json", signing::FILE]
            .iter()
            .any(|ours| name.starts_with(ours))
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !ours(&name) {
            return Err(format!(
                "it holds \"{name}\" and no souk.json: choose an empty folder, or one that Souk made"
            ));
        }
    }
    Ok(())
}

/// The logs of a folder, each where it belongs.
struct Logs {
    sqlite: SqliteStore,
    /// Where partitions log, if not in SQLite.
    segments: Option<SegmentedStore>,
}

impl Logs {
    fn new(folder: &Path, usage_log: UsageLog) -> Logs {
        let segments = match usage_log {
            UsageLog::Segments => Some(SegmentedStore::new(folder.join(SEGMENTS))),
            UsageLog::Sqlite => None,
        };
        Logs { sqlite: SqliteStore::new(folder), segments }
    }

    fn of(&self, name: &LogName) -> &dyn LogStore {
        match &self.segments {
            Some(segments) if name.as_str().starts_with("partition-") => segments,
            _ => &self.sqlite,
        }
    }
}

impl LogStore for Logs {
    fn open(&self, name: &LogName) -> Result<Box<dyn PartitionLog>, OpenError> {
        self.of(name).open(name)
    }

    fn exists(&self, name: &LogName) -> Result<bool, OpenError> {
        self.of(name).exists(name)
    }
}

/// Writes a small file whole or not at all.
pub fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    write_as(path, text, OpenOptions::new().write(true).create(true).truncate(true))
}

/// The same for a file that its owner alone may read.
pub fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    // A remainder may have been made for everybody to read.
    match std::fs::remove_file(temporary(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_as(path, text, options.write(true).create_new(true))
}

fn write_as(path: &Path, text: &str, options: &OpenOptions) -> std::io::Result<()> {
    let temporary = temporary(path);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

fn temporary(path: &Path) -> PathBuf {
    // The whole name goes before: a remainder of souk.json must be known as Souk's own by the next start.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    PathBuf::from(temporary)
}
