//! How each implementation is crashed and made to fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use souk_log::conformance::Harness;
use souk_log::{Fault, Landed, LogName, LogStore, MemoryStore, PartitionLog, SqliteStore};
use tempfile::TempDir;

/// Logs in memory, which fail by plan.
pub struct MemoryHarness(MemoryStore);

impl Harness for MemoryHarness {
    fn new() -> Self {
        MemoryHarness(MemoryStore::new())
    }

    fn store(&self) -> &dyn LogStore {
        &self.0
    }

    fn crash(&self, _name: &LogName, _log: Box<dyn PartitionLog>) {
        self.0.crash();
    }

    fn crash_in_append(&self, name: &LogName, mut log: Box<dyn PartitionLog>, batch: &[u8]) {
        self.0.faults().next(name, Fault::FailedCommit(Landed::Unsynced));
        log.append(batch).expect_err("the plan says so");
        self.0.crash();
    }

    fn open_failing(&self, name: &LogName) -> Box<dyn PartitionLog> {
        let log = self.0.open(name).expect("a healthy log can be opened");
        // All places where the batch may land have their turn.
        let landed = match log.next().get() % 3 {
            0 => Landed::Nowhere,
            1 => Landed::Unsynced,
            _ => Landed::Durable,
        };
        self.0.faults().next(name, Fault::FailedCommit(landed));
        log
    }

    fn take_over(&self, name: &LogName) -> Option<Box<dyn PartitionLog>> {
        Some(self.0.take_over(name))
    }
}

/// Logs in SQLite files, which crash by being copied while they are open.
pub struct SqliteHarness {
    dir: TempDir,
    store: SqliteStore,
}

impl SqliteHarness {
    /// Where a log has its file.
    pub fn path(&self, name: &LogName) -> PathBuf {
        self.dir.path().join(format!("{name}.sqlite"))
    }
}

impl Harness for SqliteHarness {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder for tests");
        let store = SqliteStore::new(dir.path());
        SqliteHarness { dir, store }
    }

    fn store(&self) -> &dyn LogStore {
        &self.store
    }

    fn crash(&self, name: &LogName, log: Box<dyn PartitionLog>) {
        let found = Files::read(&self.path(name));
        drop(log);
        found.write(&self.path(name));
    }

    fn crash_in_append(&self, name: &LogName, mut log: Box<dyn PartitionLog>, batch: &[u8]) {
        let before = Files::read(&self.path(name));
        log.append(batch).expect("the disk tears the batch only afterwards");
        let mut found = Files::read(&self.path(name));
        drop(log);
        found.tear_last_write(&before);
        found.write(&self.path(name));
    }

    fn open_failing(&self, name: &LogName) -> Box<dyn PartitionLog> {
        let bytes = fs::metadata(self.path(name)).map_or(0, |metadata| metadata.len());
        let store = self.store.clone().with_log_bytes_max(bytes + 64 * 1024);
        store.open(name).expect("a healthy log can be opened")
    }

    fn take_over(&self, _name: &LogName) -> Option<Box<dyn PartitionLog>> {
        None
    }
}

/// A log's files as they are at one moment: what a process leaves that dies there.
pub struct Files {
    log: Option<Vec<u8>>,
    wal: Option<Vec<u8>>,
}

impl Files {
    /// Reads the files of the log at `path`.
    pub fn read(path: &Path) -> Files {
        Files { log: read_if_there(path), wal: read_if_there(&wal_of(path)) }
    }

    /// Puts the files in place of those at `path`.
    pub fn write(&self, path: &Path) {
        write_or_remove(path, self.log.as_deref());
        write_or_remove(&wal_of(path), self.wal.as_deref());
    }

    /// Spoils the last byte of the write-ahead log that was written since `before`, as a power cut does
    /// which comes before the last block reaches the disk.
    fn tear_last_write(&mut self, before: &Files) {
        let before = before.wal.as_deref().unwrap_or_default();
        let wal = self.wal.as_mut().expect("a log which was appended to has a write-ahead log");
        let last = (0..wal.len()).rev().find(|&at| before.get(at) != wal.get(at));
        wal[last.expect("an append writes")] ^= 1;
    }
}

/// The write-ahead log of the log at `path`.
pub fn wal_of(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

fn read_if_there(path: &Path) -> Option<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn write_or_remove(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => fs::write(path, bytes).expect("a file for tests can be written"),
        None if path.exists() => fs::remove_file(path).expect("a file for tests can be removed"),
        None => {}
    }
}
