//! Partitions: one writer thread each, which decides, appends and answers; nobody else touches its state.
//!
//! ```text
//! jobs --bounded queue--> decide + apply in memory --> append one batch (durable) --> publish --> answer
//! ```
//!
//! A failed append leaves memory ahead of the log: the partition is then rebuilt from the log before it takes
//! another job. Nothing is ever undone.

pub mod directory;
pub mod feed;
pub mod handle;
pub mod job;
pub mod replay;
pub mod turn;
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
