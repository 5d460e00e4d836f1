//! Ordered, durable batches of bytes.
//!
//! A *log* is a sequence of batches, numbered from 1 without a gap. The server keeps one log for what
//! is shared and one for each partition; each is written by one thread, the partition's writer, and
//! replayed from the start (or from a snapshot) when that writer is built again. What the bytes mean
//! is not known here: no event, no money, no clock.
//!
//! In reading order:
//! - this file: [`PartitionLog`] and [`LogStore`], the contract as the rules LOG-1 to LOG-13;
//! - [`completion`]: how a submitted batch is answered;
//! - [`error`]: what can go wrong, in variants by what the caller can do;
//! - [`sqlite`]: the embedded default, one SQLite file a log;
//! - [`segmented`]: for usage, at the disk's speed: segments which all logs of a store share;
//! - [`memory`] and [`faults`]: a log for tests which fails by plan;
//! - [`conformance`]: the contract as one suite of checks which each implementation runs.
//!
//! Absent on purpose: async (a writer thread which has something else to do while the disk works submits its
//! batches and is called back), transactions over several logs, deletion of a prefix, and more than one writer for a log.

pub mod completion;
pub mod conformance;
pub mod error;
pub mod faults;
mod folder;
pub mod memory;
mod name;
pub mod segmented;
mod seq;
pub mod sqlite;

use std::ops::ControlFlow;

pub use completion::{Barrier, Completion};
pub use error::{AppendError, OpenError, ReadError};
pub use faults::{Fault, Faults, Landed};
pub use memory::MemoryStore;
pub use name::{InvalidLogName, LOG_NAME_BYTES_MAX, LogName};
pub use segmented::SegmentedStore;
pub use seq::Seq;
pub use sqlite::SqliteStore;

/// The largest batch that a log takes. A batch of usage has about 100 KB; the limit leaves room for a
/// large catalogue document and stays below what a message broker can be set up to carry.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One log, opened for writing by its only writer.
///
/// ```text
///     acknowledged: durable, never changes         not acknowledged: there or gone after
///                                                  a crash or a failed append
///   ┌─────┬─────┬─────┬── ── ── ──┬─────┬─────┐  ┌ ─ ─ ┐
///   │  1  │  2  │  3  │           │ n-2 │ n-1 │     n
///   └─────┴─────┴─────┴── ── ── ──┴─────┴─────┘  └ ─ ─ ┘
///      ▲           ▲                               ▲
///      │           └ read(3, visit) visits 3, 4 … n-1 and returns n
///      └ Seq::FIRST                                └ next(): the number the next append gets
/// ```
///
/// # Contract
///
/// - **LOG-1, durable before acknowledged.** When [`append`](Self::append) returns `Ok`, the batch
///   survives the death of the process and the loss of power. There is no state in between.
/// - **LOG-2, no gaps.** The first batch has [`Seq::FIRST`], each later one the number after the one
///   before it. A number is given once: what was acknowledged under it never changes.
/// - **LOG-3, whole batches.** A batch is there completely or not at all, and reads back as the same
///   bytes. Damaged bytes are reported by a read, never returned.
/// - **LOG-4, a cut tail.** A batch which was not acknowledged may be gone or be there after the log is
///   opened again. With appends there is at most one such batch, at the end. Of submitted batches there may
///   be several; those which are there are the first ones, in order and without a gap. The number of one
///   that is gone is given to the next batch. What an open log shows is durable, so it may be acted upon.
/// - **LOG-5, failure poisons.** After an append (or [`maintain`](Self::maintain)) has failed, each
///   further one answers [`AppendError::Poisoned`], since the writer's memory may be ahead of the
///   log. Open the log again and rebuild from it. Reads still show what was acknowledged.
///   [`AppendError::Empty`] and [`AppendError::TooLarge`] are no such failures: nothing was tried.
/// - **LOG-6, one writer.** While a log is open, opening it again is refused with
///   [`OpenError::Locked`], or, where no lock reaches the other machine, the new writer fences the old
///   one off: its next append answers [`AppendError::Fenced`] and writes nothing.
/// - **LOG-7, reads from anywhere.** [`read`](Self::read) visits every batch from a number on, in
///   order, and holds one batch in memory at a time.
/// - **LOG-8, independent logs.** The logs of one store share no number and are opened and closed each by
///   itself. Where each has a file of its own they share no failure either. A store which keeps several logs
///   in one file says so: there a failed append poisons all of its logs that are open. Each is opened again
///   by itself, in any order, while others may still be open and poisoned.
/// - **LOG-9, limits.** An empty batch is refused, since it says nothing and a row of no bytes looks like
///   damage; a batch of more than [`BATCH_BYTES_MAX`] bytes is refused.
/// - **LOG-10, submitted batches.** [`submit`](Self::submit) queues a batch. The batches of a log become
///   durable in the order in which they were submitted and appended, and are answered in that order: each
///   exactly once, also if the log is dropped meanwhile, which waits for the answers.
/// - **LOG-11, failure in a queue.** The batch which failed is answered with the cause, each one behind it
///   with [`AppendError::Poisoned`], whether it was in the queue or came later (LOG-5). Where batches of
///   several logs are flushed together and fail together, the first of each log is answered with the cause.
/// - **LOG-12, a bounded queue.** `submit` blocks while more than a named number of bytes or of batches
///   wait. So a writer is never further ahead of its disk than that.
/// - **LOG-13, barriers.** [`after_submitted`](Self::after_submitted) answers when everything that was
///   submitted before it is answered: `Ok` if all of it is durable, `Poisoned` if the log is. For a read,
///   which is answered only after what it saw is durable.
pub trait PartitionLog: Send {
    /// Appends one batch and returns its number once it is durable (LOG-1).
    ///
    /// # Errors
    /// See [`AppendError`]. Except for `Empty` and `TooLarge` the log is poisoned afterwards (LOG-5),
    /// and whether the batch is in it is known only when it is opened again (LOG-4).
    fn append(&mut self, batch: &[u8]) -> Result<Seq, AppendError>;

    /// Queues one batch and calls `done` once it is durable or has failed (LOG-10 to LOG-12). A log that
    /// does not queue appends the batch and calls `done` before it returns.
    fn submit(&mut self, batch: Vec<u8>, done: Completion) {
        done(self.append(&batch));
    }

    /// Calls `done` once everything that was submitted before is answered (LOG-13); at once if nothing
    /// waits.
    fn after_submitted(&mut self, done: Barrier) {
        // Nothing waits in a log that does not queue, and housekeeping answers whether it is poisoned.
        done(self.maintain());
    }

    /// The number which the next batch gets, behind those that were submitted; [`Seq::FIRST`] while the log
    /// is empty. Of a poisoned log it is the number after the last acknowledged batch.
    fn next(&self) -> Seq;

    /// Visits the batches from `from` on, in order, until the last acknowledged one or until `visit`
    /// breaks; waits first for what was submitted. Returns the number after the last one visited: where to
    /// go on reading.
    ///
    /// # Errors
    /// [`ReadError::Ahead`] if `from` is greater than [`next`](Self::next); the batches before a damaged
    /// one are visited before [`ReadError::Corrupt`] is returned.
    fn read(
        &mut self,
        from: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError>;

    /// Does housekeeping that would otherwise delay a later append. A writer calls it when it has
    /// answered its callers; it does nothing most of the time, and correctness never needs it.
    ///
    /// # Errors
    /// A failure poisons the log as a failed append does; acknowledged batches stay safe.
    fn maintain(&mut self) -> Result<(), AppendError>;
}

/// Where logs are kept: opens them by name, so that one line of configuration decides for all of them.
pub trait LogStore: Send + Sync {
    /// Opens a log and takes it for its only writer until it is dropped (LOG-6); makes it if there is
    /// none. A server which knows that the log was made before asks [`exists`](Self::exists) first: a lost
    /// log must not come back as an empty one.
    ///
    /// # Errors
    /// See [`OpenError`]. Whatever was found in the log's place is left as it was.
    fn open(&self, name: &LogName) -> Result<Box<dyn PartitionLog>, OpenError>;

    /// Says whether the log was made before; it says nothing about its health.
    ///
    /// # Errors
    /// [`OpenError::Io`] if the store cannot be asked.
    fn exists(&self, name: &LogName) -> Result<bool, OpenError>;
}

/// Refuses a batch that no log takes (LOG-9), before anything is tried.
fn check_batch(log: &str, batch: &[u8]) -> Result<(), AppendError> {
    if batch.is_empty() {
        return Err(AppendError::Empty { log: log.to_owned() });
    }
    if BATCH_BYTES_MAX < batch.len() {
        return Err(AppendError::TooLarge {
            log: log.to_owned(),
            bytes: batch.len(),
            bytes_max: BATCH_BYTES_MAX,
        });
    }
    Ok(())
}
