//! Logs in SQLite, the embedded default: one file a log, one row a batch.
//!
//! ```text
//!   data folder
//!   ├── control.sqlite          the log; application_id and user_version in its header
//!   ├── control.sqlite-wal      what was appended last, while the log is open or after a crash
//!   ├── control.lock            held while the log is open; always empty
//!   ├── partition-0.sqlite …
//! ```
//!
//! How the contract is kept:
//! - LOG-1: write-ahead log with `synchronous = FULL`, so each commit flushes before it returns.
//! - LOG-2: the row's key is the batch's number; opening counts, reading compares.
//! - LOG-3: a row's CRC-32 covers its number and its bytes, so a row in the wrong place is found too.
//! - LOG-4: opening folds the write-ahead log into the file before anything is shown. Without that, a
//!   batch whose flush failed could be shown from the page cache and be lost with the next power cut.
//! - LOG-5: a failure of folding poisons as well. A flush which failed once may succeed when it is
//!   repeated although its data is gone; so the fold is done anew from the start, by the next open.
//! - LOG-6: a lock file first, then SQLite's own exclusive lock, which also keeps other programs out.
//!   The lock file is needed: to look at a log's first bytes before SQLite sees them, the log is opened
//!   and closed, and closing a file drops all POSIX locks which the process holds on it.
//!
//! The write-ahead log is folded by [`PartitionLog::maintain`], off the way of an append; SQLite's own
//! automatic checkpoint is off, since it ignores failures.

mod file;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use crate::{AppendError, Barrier, LogName, LogStore, OpenError, PartitionLog, ReadError, Seq, check_batch};

/// How much is appended before [`PartitionLog::maintain`] folds it into the log's file.
const FOLD_WHEN_IDLE_BYTES: u64 = 4 * 1024 * 1024;

/// How much is appended before an append itself folds, for a writer which never calls for housekeeping.
/// Small enough that the pause stays short.
const FOLD_AT_LATEST_BYTES: u64 = 16 * 1024 * 1024;

/// What a batch takes beside its bytes, about: a page which it does not fill, and its parent.
const BATCH_OVERHEAD_BYTES: u64 = 2 * PAGE_BYTES;

const PAGE_BYTES: u64 = 4096;

/// Logs in SQLite files in one folder.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    dir: PathBuf,
    log_bytes_max: Option<u64>,
}

impl SqliteStore {
    /// Logs in `dir`, which is made with the first log if it is not there.
    pub fn new(dir: impl Into<PathBuf>) -> SqliteStore {
        SqliteStore { dir: dir.into(), log_bytes_max: None }
    }

    /// Limits each log to about this size: an append beyond it answers [`AppendError::Full`]. The disk
    /// needs 32 MiB more for each log, for what is not folded yet.
    pub fn with_log_bytes_max(self, log_bytes_max: u64) -> SqliteStore {
        SqliteStore { log_bytes_max: Some(log_bytes_max), ..self }
    }

    fn path(&self, name: &LogName) -> PathBuf {
        self.dir.join(format!("{name}.sqlite"))
    }
}

impl LogStore for SqliteStore {
    fn open(&self, name: &LogName) -> Result<Box<dyn PartitionLog>, OpenError> {
        let path = self.path(name);
        let lock = file::Lock::take(&path)?;
        match file::recognise(&path)? {
            file::Found::Nothing => file::create(&path)?,
            file::Found::Log => {}
        }
        Ok(Box::new(SqliteLog::open(path, lock, self.log_bytes_max)?))
    }

    fn exists(&self, name: &LogName) -> Result<bool, OpenError> {
        let path = self.path(name);
        path.try_exists().map_err(|error| file::io(&path, error))
    }
}

struct SqliteLog {
    // Fields are dropped in this order: the connection is closed before the lock is given back.
    connection: Connection,
    path: PathBuf,
    next: Seq,
    unfolded_bytes: u64,
    poisoned: bool,
    _lock: file::Lock,
}

impl SqliteLog {
    fn open(path: PathBuf, lock: file::Lock, log_bytes_max: Option<u64>) -> Result<SqliteLog, OpenError> {
        let wal = file::beside(&path, "-wal");
        let had_wal = wal.exists();
        let opened = connect(&path).and_then(|connection| {
            let next = verify(&connection, &path)?;
            prepare(&connection, log_bytes_max).map_err(|error| open_error(&path, error))?;
            Ok((connection, next))
        });
        match opened {
            Ok((connection, next)) => {
                Ok(SqliteLog { connection, path, next, unfolded_bytes: 0, poisoned: false, _lock: lock })
            }
            Err(error) => {
                file::remove_if_empty_and_new(&wal, had_wal);
                Err(error)
            }
        }
    }

    fn try_append(&mut self, batch: &[u8]) -> Result<(), AppendError> {
        if FOLD_AT_LATEST_BYTES <= self.unfolded_bytes {
            self.fold()?;
        }
        self.insert(batch).map_err(|error| append_error(&self.path, error))?;
        self.unfolded_bytes += batch.len() as u64 + BATCH_OVERHEAD_BYTES;
        Ok(())
    }

    /// One row in a transaction of its own; SQLite returns when the commit is flushed.
    fn insert(&self, batch: &[u8]) -> rusqlite::Result<()> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO batch (seq, crc, bytes) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![to_sql(self.next), crc(self.next, batch), batch])?;
        Ok(())
    }

    fn fold(&mut self) -> Result<(), AppendError> {
        fold(&self.connection).map_err(|error| append_error(&self.path, error))?;
        self.unfolded_bytes = 0;
        Ok(())
    }

    fn refuse_poisoned(&self) -> Result<(), AppendError> {
        if self.poisoned { Err(AppendError::Poisoned { log: location(&self.path) }) } else { Ok(()) }
    }
}

impl PartitionLog for SqliteLog {
    fn append(&mut self, batch: &[u8]) -> Result<Seq, AppendError> {
        self.refuse_poisoned()?;
        check_batch(&location(&self.path), batch)?;
        if let Err(error) = self.try_append(batch) {
            self.poisoned = true;
            return Err(error);
        }
        let seq = self.next;
        self.next = seq.next();
        Ok(seq)
    }

    fn after_submitted(&mut self, done: Barrier) {
        done(self.refuse_poisoned());
    }

    fn next(&self) -> Seq {
        self.next
    }

    fn read(
        &mut self,
        from: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError> {
        if self.next < from {
            return Err(ReadError::Ahead { log: location(&self.path), from, next: self.next });
        }
        let mut seq = from;
        match visit_rows(&self.connection, &mut seq, self.next, visit) {
            Ok(()) => Ok(seq),
            Err(RowError::Damaged(what)) => Err(ReadError::Corrupt { log: location(&self.path), seq, what }),
            Err(RowError::Sqlite(error)) if is_damage(&error) => {
                Err(ReadError::Corrupt { log: location(&self.path), seq, what: error.to_string() })
            }
            Err(RowError::Sqlite(error)) => {
                Err(ReadError::Unavailable { log: location(&self.path), source: error.into() })
            }
        }
    }

    fn maintain(&mut self) -> Result<(), AppendError> {
        self.refuse_poisoned()?;
        if self.unfolded_bytes < FOLD_WHEN_IDLE_BYTES {
            return Ok(());
        }
        self.fold().inspect_err(|_| self.poisoned = true)
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        if !self.poisoned {
            // A log which is closed in order is one file. If this fails, the write-ahead log stays
            // beside it, and the next open folds it.
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
    }
}

/// Opens a file which was recognised as a log, for this process alone, and writes nothing.
fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connect = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::ZERO)?;
        // Closing writes nothing, unless the log is closed in order (see `Drop`).
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        set(&connection, "locking_mode", "exclusive")?;
        Ok(connection)
    };
    connect().map_err(|error| open_error(path, error))
}

/// Checks the whole file and returns the number of the next batch. Writes nothing. This reads each page
/// once, which takes about as long as the replay that follows; the batches' own bytes are checked there.
fn verify(connection: &Connection, path: &Path) -> Result<Seq, OpenError> {
    let sql = |error| open_error(path, error);
    // The header's fields again: the recognised bytes may be older than the write-ahead log.
    let application_id = connection.pragma_query_value(None, "application_id", |row| row.get(0));
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    file::check_identity(path, application_id.map_err(sql)?, format.map_err(sql)?)?;
    let checked: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(sql)?;
    if checked != "ok" {
        return Err(file::corrupt(path, checked));
    }
    let range = "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM batch";
    let (count, first, last): (i64, i64, i64) =
        connection.query_row(range, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(sql)?;
    match u64::try_from(count) {
        Ok(batches) if first == 1 && last == count => Ok(Seq::after(batches)),
        _ => Err(file::corrupt(path, format!("it holds {count} batches, numbered {first} to {last}"))),
    }
}

/// Sets a verified log up for appends, and makes durable what it shows (LOG-4).
fn prepare(connection: &Connection, log_bytes_max: Option<u64>) -> rusqlite::Result<()> {
    set(connection, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Where a flush stops at the drive's own cache (macOS), ask for the one that does not.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    if let Some(bytes_max) = log_bytes_max {
        let pages_max = i64::try_from(bytes_max / PAGE_BYTES).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(()))?;
    }
    fold(connection)
}

/// Sets a pragma which answers the value that holds now, and makes sure that it is the asked one.
fn set(connection: &Connection, pragma: &str, value: &str) -> rusqlite::Result<()> {
    let holds: String = connection.pragma_update_and_check(None, pragma, value, |row| row.get(0))?;
    if holds == value {
        Ok(())
    } else {
        Err(rusqlite::Error::InvalidParameterName(format!("{pragma}={holds}")))
    }
}

/// Moves all of the write-ahead log into the log's file and flushes it. The next commit starts the
/// write-ahead log at its beginning again, in blocks which the disk has already given out.
fn fold(connection: &Connection) -> rusqlite::Result<()> {
    let (busy, frames, folded): (i64, i64, i64) =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if busy == 0 && frames == folded {
        Ok(())
    } else {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        let what = format!("{folded} of {frames} frames were folded");
        Err(rusqlite::Error::SqliteFailure(busy, Some(what)))
    }
}

enum RowError {
    Damaged(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> RowError {
        RowError::Sqlite(error)
    }
}

/// Visits the rows from `seq` up to `end` and moves `seq` on behind each. SQLite lends each row's bytes,
/// so one batch is in memory at a time.
fn visit_rows(
    connection: &Connection,
    seq: &mut Seq,
    end: Seq,
    visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
) -> Result<(), RowError> {
    let mut select = connection
        .prepare_cached("SELECT seq, crc, bytes FROM batch WHERE ?1 <= seq AND seq < ?2 ORDER BY seq")?;
    let mut rows = select.query(params![to_sql(*seq), to_sql(end)])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        if number != to_sql(*seq) {
            return Err(RowError::Damaged("it is missing".to_owned()));
        }
        let stored_crc: u32 = row.get(1)?;
        let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if stored_crc != crc(*seq, bytes) {
            return Err(RowError::Damaged("its checksum is wrong".to_owned()));
        }
        let flow = visit(*seq, bytes);
        *seq = seq.next();
        if flow.is_break() {
            return Ok(());
        }
    }
    if *seq == end { Ok(()) } else { Err(RowError::Damaged("it is missing".to_owned())) }
}

/// The checksum of a batch in its place.
fn crc(seq: Seq, batch: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&seq.get().to_le_bytes());
    crc.update(batch);
    crc.finalize()
}

fn to_sql(seq: Seq) -> i64 {
    // A row's key has 63 bits, which no log fills.
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}

fn location(path: &Path) -> String {
    path.display().to_string()
}

fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            // A log without its table answers a plain error.
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || failure.extended_code == rusqlite::ffi::SQLITE_ERROR
        }
        // A column of another type or range than the table's own.
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::FromSqlConversionFailure(..) => true,
        _ => false,
    }
}

fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    if is_damage(&error) {
        return file::corrupt(path, error.to_string());
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::Locked { log: location(path) }
        }
        _ => OpenError::Io { log: location(path), source: error.into() },
    }
}

fn append_error(path: &Path, error: rusqlite::Error) -> AppendError {
    let log = location(path);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => AppendError::Full { log, source: Some(error.into()) },
        _ => AppendError::Unavailable { log, source: error.into() },
    }
}
