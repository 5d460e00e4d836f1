//! A log's file before SQLite sees it: its lock, what it is, and how it is made.
//!
//! Looking comes first because SQLite writes: opening another application's database recovers its
//! write-ahead log, and setting it up for appends would change its header. So the first bytes are read
//! as bytes, and whatever is not a log of a known format is left as it was.
//!
//! A log is made under another name and renamed when it is complete and flushed. So a crash while it is
//! made leaves a remainder which the next try replaces, never a half-made log; and an empty file in a
//! log's place is damage, not a new log: to take it for one would start the history anew at batch 1.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{PAGE_BYTES, location, open_error};
use crate::OpenError;
use crate::folder::{folder_of, make_folder, sync_dir};

/// "Souk" in ASCII: marks an SQLite file as a log.
const APPLICATION_ID: i32 = 0x536F_756B;

/// The format of the table, in `user_version`.
const FORMAT: u32 = 1;

/// SQLite's file header: its size, its first bytes and where it has the two numbers that matter here.
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;

/// What has a log's place.
pub(super) enum Found {
    Nothing,
    Log,
}

/// The right to look at a log's file, held while the log is open.
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of the log at `path`, in its folder, which is made if it is not there.
    pub(super) fn take(path: &Path) -> Result<Lock, OpenError> {
        make_folder(&folder_of(path)).map_err(|error| io(path, error))?;
        let lock = path.with_extension("lock");
        let file = File::options().create(true).append(true).open(lock).map_err(|error| io(path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { log: location(path) }),
            Err(TryLockError::Error(error)) => Err(io(path, error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do: a child process which is just being started has the file open as well.
        // The file stays; if it were removed, two writers could hold locks on two files of its name.
        let _ = self.0.unlock();
    }
}

/// Says what is at `path` without changing it. The caller holds the lock.
pub(super) fn recognise(path: &Path) -> Result<Found, OpenError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return nothing_or_orphan(path),
        Err(error) => return Err(io(path, error)),
    };
    if !metadata.is_file() {
        return Err(foreign(path, "not a file"));
    }
    if metadata.len() == 0 {
        return Err(corrupt(path, "it is empty, which no log ever is"));
    }
    let header = read_header(path).map_err(|error| io(path, error))?;
    if !header.starts_with(MAGIC) {
        return Err(foreign(path, "not an SQLite database"));
    }
    match (number_at(&header, APPLICATION_ID_AT), number_at(&header, USER_VERSION_AT)) {
        (Some(application_id), Some(format)) => check_identity(path, application_id, format)?,
        _ => return Err(corrupt(path, "its header is cut off")),
    }
    Ok(Found::Log)
}

/// Checks that an SQLite file is a log, and of a format known here.
pub(super) fn check_identity(path: &Path, application_id: i32, format: i32) -> Result<(), OpenError> {
    if application_id != APPLICATION_ID {
        return Err(foreign(path, "an SQLite database of another application"));
    }
    match u32::try_from(format) {
        Ok(FORMAT) => Ok(()),
        Ok(found) if FORMAT < found => {
            Err(OpenError::NewerFormat { log: location(path), found, known: FORMAT })
        }
        _ => Err(corrupt(path, format!("it has format {format}, which never was"))),
    }
}

/// Makes an empty log at `path`, where there is nothing. The caller holds the lock.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let draft = beside(path, ".new");
    for remainder in [draft.clone(), beside(&draft, "-journal"), beside(&draft, "-wal")] {
        match fs::remove_file(&remainder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(path, error)),
            _ => {}
        }
    }
    write_empty_log(&draft).map_err(|error| open_error(path, error))?;
    let publish = || {
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, path)?;
        sync_dir(&folder_of(path))
    };
    publish().map_err(|error| io(path, error))
}

fn write_empty_log(draft: &Path) -> rusqlite::Result<()> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(draft, flags)?;
    connection.pragma_update(None, "page_size", i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX))?;
    connection.execute_batch(&format!(
        "BEGIN;
         CREATE TABLE batch (
             seq   INTEGER PRIMARY KEY,  -- 1, 2, 3 ... without a gap
             crc   INTEGER NOT NULL,     -- CRC-32 of seq (8 bytes, little-endian) and bytes
             bytes BLOB    NOT NULL
         ) STRICT;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT};
         COMMIT;"
    ))?;
    super::set(&connection, "journal_mode", "wal")?;
    // Closing folds the write-ahead log, so that the file alone is the log.
    connection.close().map_err(|(_connection, error)| error)
}

/// The path of a file which belongs to another and is named after it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Tidies up after a refused open: SQLite makes an empty write-ahead log when it looks at a log.
pub(super) fn remove_if_empty_and_new(wal: &Path, had_wal: bool) {
    let is_empty = fs::metadata(wal).is_ok_and(|metadata| metadata.len() == 0);
    if is_empty && !had_wal {
        // An empty file more does no harm; the refusal is what the caller needs to hear of.
        let _ = fs::remove_file(wal);
    }
}

/// A missing log is new, unless its write-ahead log is there: then it was lost.
fn nothing_or_orphan(path: &Path) -> Result<Found, OpenError> {
    let wal = beside(path, "-wal");
    if wal.try_exists().map_err(|error| io(path, error))? {
        let what = format!("it is missing, but {} is there", wal.display());
        return Err(corrupt(path, what));
    }
    Ok(Found::Nothing)
}

fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    File::open(path)?.take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    Ok(header)
}

/// A number in SQLite's header, or none if the header ends before it.
fn number_at(header: &[u8], at: usize) -> Option<i32> {
    let bytes = header.get(at..at + size_of::<i32>())?;
    Some(i32::from_be_bytes(bytes.try_into().ok()?))
}

pub(super) fn io(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io { log: location(path), source: error.into() }
}

pub(super) fn corrupt(path: &Path, what: impl Into<String>) -> OpenError {
    OpenError::Corrupt { log: location(path), what: what.into() }
}

fn foreign(path: &Path, what: &str) -> OpenError {
    OpenError::Foreign { log: location(path), what: what.to_owned() }
}
