//! Partitions: one writer each, on the thread of a worker, which decides and applies; nobody else touches its state.
//! While its log writes and flushes a batch, it goes on with the next.
//!
//! ```text
//! worker   jobs --bounded queue--> decide + apply in memory --> submit one batch ─┐   next jobs …
//! log                                                       write + flush ◄───────┘
//!                                                           publish --> answer
//! ```
//!
//! A failed batch leaves memory ahead of the log: the partition is then rebuilt from the log before it takes
//! another job. Nothing is ever undone.

pub mod archive;
pub mod directory;
pub mod feed;
pub mod handle;
pub mod job;
pub mod replay;
pub mod restore;
pub mod snapshot;
pub mod turn;
pub mod worker;
pub mod writer;

pub use directory::Directory;
pub use feed::ControlFeed;
pub use handle::PartitionHandle;
pub use turn::Turn;

use souk_core::ids::{AccountId, SandboxName, content_hash};

/// The partition of a payer's family.
pub fn partition_of(sandbox: &SandboxName, payer: AccountId, partitions: usize) -> usize {
    let hash = content_hash("partition", &[sandbox.as_str(), &payer.to_string()]);
    (hash % partitions as u128) as usize
}
