//! How a store of segments is crashed: its folder is copied while it is open, and spoiled as a disk may.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;

use souk_log::conformance::Harness;
use souk_log::{LogName, LogStore, PartitionLog, SegmentedStore, Seq};
use tempfile::TempDir;

/// The files of a folder as they are at one moment: what a process leaves that dies there.
#[derive(Clone, PartialEq, Eq)]
pub struct Folder(pub BTreeMap<String, Vec<u8>>);

impl Folder {
    /// Reads the files in `dir`.
    pub fn read(dir: &Path) -> Folder {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            match fs::read(entry.path()) {
                Ok(bytes) => _ = files.insert(entry.file_name().into_string().unwrap(), bytes),
                // A segment that is prepared just now gets its name meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => panic!("{}: {error}", entry.path().display()),
            }
        }
        Folder(files)
    }

    /// Puts the files in place of those in `dir`.
    pub fn write(&self, dir: &Path) {
        for name in Folder::read(dir).0.keys().filter(|name| !self.0.contains_key(*name)) {
            fs::remove_file(dir.join(name)).unwrap();
        }
        for (name, bytes) in &self.0 {
            fs::write(dir.join(name), bytes).unwrap();
        }
    }

    /// The segment with this number.
    pub fn segment(&mut self, number: u64) -> &mut Vec<u8> {
        self.0.get_mut(&format!("{number:08}.segment")).expect("a segment")
    }

    /// The last segment that was written to since `before`, and where the changes begin and end.
    pub fn last_change(&self, before: &Folder) -> (String, usize, usize) {
        let changed = self.0.iter().rev().filter(|(name, _)| name.ends_with(".segment"));
        for (name, bytes) in changed {
            // What was prepared since, or made larger, is zeros behind its header.
            let mut before = before.0.get(name).cloned().unwrap_or_default();
            before.resize(bytes.len(), 0);
            if before[4_096..] == bytes[4_096..] {
                continue;
            }
            let differs = |at: &usize| before[*at] != bytes[*at];
            let first = (4_096..bytes.len()).find(differs);
            if let Some(first) = first {
                let last = (first..bytes.len()).rev().find(differs).unwrap_or(first);
                return (name.clone(), first, last + 1);
            }
        }
        panic!("nothing was written");
    }
}

/// Logs in segments of one folder.
pub struct SegmentedHarness {
    dir: TempDir,
    store: SegmentedStore,
    tears: Cell<usize>,
}

impl SegmentedHarness {
    /// Where the store has its files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Harness for SegmentedHarness {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder for tests");
        // Small, so that segments are changed all the time.
        let store = SegmentedStore::new(dir.path()).with_segment_bytes(64 * 1024, 1024 * 1024);
        SegmentedHarness { dir, store, tears: Cell::new(0) }
    }

    fn store(&self) -> &dyn LogStore {
        &self.store
    }

    fn crash(&self, _name: &LogName, log: Box<dyn PartitionLog>) {
        let found = Folder::read(self.dir());
        drop(log);
        found.write(self.dir());
    }

    fn crash_in_append(&self, _name: &LogName, mut log: Box<dyn PartitionLog>, batch: &[u8]) {
        let before = Folder::read(self.dir());
        log.append(batch).expect("the disk tears the batch only afterwards");
        let mut found = Folder::read(self.dir());
        drop(log);
        let (name, first, end) = found.last_change(&before);
        let segment = found.0.get_mut(&name).expect("it was found");
        let (first_written, whole) = (segment[first], segment[first..end].to_vec());
        let old = before.0.get(&name).and_then(|old| old.get(first..end));
        let fresh = old.is_none_or(|old| old.iter().all(|byte| *byte == 0));
        let tears = self.tears.replace(self.tears.get() + 1);
        match tears % 5 {
            // A block in the payload did not reach the disk.
            0 => segment[end - 1] ^= 1,
            // Nor did the one with the header.
            1 => segment[(first + 9).min(end - 1)] ^= 1,
            // Only the header did.
            2 => segment[(first + 48).min(end - 1)..end].fill(0),
            // Nothing did.
            3 => segment[first..end].fill(0),
            // There is something else.
            _ => segment[first..end].fill(0xEE),
        }
        // Over what an earlier tear had left, the bytes that change are not those of the batch alone: some lie behind it,
        // and some of it may have stood there before. The first of them is always its own.
        if segment[first..end] == whole || (!fresh && segment[first] == first_written) {
            segment[first] ^= 1;
        }
        found.write(self.dir());
    }

    fn open_failing(&self, name: &LogName) -> Box<dyn PartitionLog> {
        let mut log = self.store.open(name).expect("a healthy log can be opened");
        let mut bytes = 0;
        let read = log.read(Seq::FIRST, &mut |_, batch| {
            bytes += batch.len() as u64 + 64;
            ControlFlow::Continue(())
        });
        read.expect("a healthy log can be read");
        drop(log);
        let store = self.store.clone().with_bytes_max(bytes + 128 * 1024);
        store.open(name).expect("a healthy log can be opened")
    }

    fn take_over(&self, _name: &LogName) -> Option<Box<dyn PartitionLog>> {
        None
    }

    fn fails_together(&self) -> bool {
        true
    }
}
