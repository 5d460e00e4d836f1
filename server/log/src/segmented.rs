//! Logs in segments which all logs of a store share: for usage, at the disk's speed.
//!
//! ```text
//!   data folder
//!   ├── journal.manifest        the names of the logs; what it does not name was never made
//!   ├── journal.lock            held while any of the logs is open; always empty
//!   ├── 00000001.segment        frames of all logs in the order in which they were flushed
//!   ├── 00000002.segment        … twice as large, up to 64 MiB
//!   └── 00000003.segment        prepared and not used yet; used when 2 is full, also after a restart
//! ```
//!
//! The logs of a store share one journal, so that one flush makes the batches of several partitions durable.
//! There are no timers: what is queued is written and flushed, and what comes meanwhile is the next group. So
//! a lone writer waits for one flush, and many share one.
//!
//! How the contract is kept:
//! - LOG-1: a group of frames is written with few system calls into blocks that were written before, then
//!   flushed with `fdatasync`, which has no metadata to write.
//! - LOG-2: a frame has the batch's number, and so has its checksum; opening and reading compare.
//! - LOG-3: a frame's payload has a CRC-32. It is checked when the batch is read.
//! - LOG-4: opening cuts a torn group off and refuses a damaged one; `recovery` says how it tells them apart.
//!   What is left is written once more and flushed before it is shown. A power cut within a sector that is
//!   written a second time, as its first part holds an older frame, is taken to leave that part alone, as
//!   SQLite takes it.
//! - LOG-5, LOG-8: a failure poisons all open logs of the store, as they share the disk's blocks. The log
//!   which is opened again first opens the journal anew; the others stay poisoned until each is opened again.
//! - LOG-6: one lock file for the store. Within a process the folder's logs share one journal, through however
//!   many [`SegmentedStore`]s they are opened.
//! - LOG-12: `queue` has the limits: 64 MiB or 16,384 entries.
//!
//! In reading order: `frame`, `segment`, `manifest` (the formats); `writer`, `spare`, `queue`, `journal`
//! (appending); `recovery` (opening); `index`, `window`, `read` (reading); `shared`, `log` (what a caller
//! holds).
//!
//! The log is never cut, so segments are never emptied and used again. What is recycled is the segment that
//! was prepared and not used. For Unix only, as positioned reads and writes are.

mod files;
mod frame;
mod index;
mod journal;
mod log;
mod manifest;
mod number;
mod queue;
mod read;
mod recovery;
mod segment;
mod shared;
mod spare;
mod window;
mod writer;

use std::path::PathBuf;

use crate::folder::make_folder;
use crate::{LogName, LogStore, OpenError, PartitionLog};
use log::SegmentedLog;
use manifest::Manifest;
use shared::Shared;
use spare::SegmentSizes;

/// The size of the first segment and of the largest, unless asked otherwise.
const FIRST_SEGMENT_BYTES: u64 = 1024 * 1024;
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Logs in segments in one folder. Cheap to clone; all stores of one folder in a process share its journal.
#[derive(Debug, Clone)]
pub struct SegmentedStore {
    dir: PathBuf,
    sizes: SegmentSizes,
    bytes_max: Option<u64>,
}

impl SegmentedStore {
    /// Logs in `dir`, which is made with the first log if it is not there.
    pub fn new(dir: impl Into<PathBuf>) -> SegmentedStore {
        let sizes = SegmentSizes { first_bytes: FIRST_SEGMENT_BYTES, bytes_max: SEGMENT_BYTES_MAX };
        SegmentedStore { dir: dir.into(), sizes, bytes_max: None }
    }

    /// Makes segments of other sizes: the first one, and the largest, up to which each is twice as large as
    /// the one before it. A batch which needs more gets a segment of its own size. Holds for the journal
    /// which the first of the logs to be opened begins.
    pub fn with_segment_bytes(self, first_bytes: u64, bytes_max: u64) -> SegmentedStore {
        SegmentedStore { sizes: SegmentSizes { first_bytes, bytes_max }, ..self }
    }

    /// Limits the store to about this size, not counting what is prepared: a batch beyond it, of a log which
    /// was opened through this value, answers [`AppendError::Full`](crate::AppendError::Full).
    pub fn with_bytes_max(self, bytes_max: u64) -> SegmentedStore {
        SegmentedStore { bytes_max: Some(bytes_max), ..self }
    }
}

impl LogStore for SegmentedStore {
    fn open(&self, name: &LogName) -> Result<Box<dyn PartitionLog>, OpenError> {
        make_folder(&self.dir).map_err(|error| files::io(&self.dir, error))?;
        let shared = Shared::of(&self.dir)?;
        let opened = shared.open(name, self.sizes)?;
        Ok(Box::new(SegmentedLog::new(shared, name.clone(), opened, self.bytes_max)))
    }

    fn exists(&self, name: &LogName) -> Result<bool, OpenError> {
        // The manifest is replaced as a whole, so it can be read while another process has the store open.
        let manifest = Manifest::read(&self.dir)?;
        Ok(manifest.is_some_and(|manifest| manifest.number(name).is_some()))
    }
}
