//! Snapshots: a partition's state in a file, so that a start replays only what came after. Reading one is replay of
//! the shortest events that rebuild the state, and of its tiles.
//!
//! ```text
//!   data folder
//!   ├── partition-0.snapshot       frames: head, batches of events, tiles; length and CRC-32 before each
//!   ├── partition-0.snapshot.new   one that is being written
//! ```
//!
//! A snapshot is never needed: one that is missing, damaged, of another format or ahead of its log is ignored, and the
//! log is replayed from its start. The log is not cut.

mod frame;
mod read;
mod taker;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use souk_core::machine::follow::Sandboxes;
use souk_core::time::Timestamp;

pub use read::{Ignored, Restored, read};
pub use taker::{Archived, Limits, Taker};
pub use write::write;

use super::archive::Index;

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;

/// A state to be written down.
pub struct Snapshot {
    /// The partition.
    pub partition: usize,
    /// When it was taken.
    pub time: Timestamp,
    /// The control batch that was followed last.
    pub followed: u64,
    /// The number of the first batch of the log that is not in it.
    pub next: u64,
    /// Copies that stand still.
    pub sandboxes: Sandboxes,
    /// Where the tiles of closed months are.
    pub archived: Index,
}

/// Where a partition's snapshot is.
pub fn path(folder: &Path, partition: usize) -> PathBuf {
    folder.join(format!("partition-{partition}.snapshot"))
}
