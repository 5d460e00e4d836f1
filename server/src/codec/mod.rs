//! Between the core and what is stored: the only place that knows both vocabularies.
//!
//! A batch of a log is one message of `souk.journal.v1`: facts, never commands. Writing cannot fail. Reading
//! guesses nothing: what is absent, of an unknown kind or in an unknown field was written by a newer version,
//! and the error says so and where; bytes that no version writes are an error, too. What was read back is
//! equal to what was written. Whether all bytes are there is for the log to know: a batch that lost its last
//! events is still a batch.
//!
//! The one exception to "facts as they were": the terms of an offer are `souk.terms.v1.Term`, the message of
//! the API, whose prices are decimal texts.

mod agreement;
mod catalog;
mod columns;
mod control;
mod error;
mod event;
mod fault;
mod invoice;
mod resale;
mod rules;
pub mod tile;
mod told;
mod usage;
mod value;

#[cfg(test)]
mod tests;

use prost::Message;
use souk_core::ids::SandboxName;
use souk_core::machine::{ControlEntry, Event};
use souk_core::time::Timestamp;
use souk_proto::journal::v1 as journal;

pub use error::CodecError;

/// The format that is written, and the only one that is read. It grows when an older version must not read
/// what is written; whatever it was in the past must stay readable.
pub const FORMAT_VERSION: u32 = 1;

/// What a partition's log holds in one record: what happened in one turn of its writer.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionBatch {
    /// When it was written.
    pub time: Timestamp,
    /// The entry of the control log that the events follow, if they follow one.
    pub followed: Option<u64>,
    /// What happened, each in its sandbox, in order.
    pub events: Vec<(SandboxName, Event)>,
}

impl PartitionBatch {
    /// The bytes to be stored.
    pub fn encode(&self) -> Vec<u8> {
        encode_partition_batch(self.time, self.followed, &self.events)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// Bytes that [`encode`](Self::encode) does not write, or that only a newer version's does.
    pub fn decode(bytes: &[u8]) -> Result<PartitionBatch, CodecError> {
        let batch = read::<journal::PartitionBatch>(bytes)?;
        check_version(batch.format_version)?;
        event::from_journal_partition_batch(batch)
    }
}

/// The bytes of a [`PartitionBatch`] of these parts, for a writer that keeps its events.
pub fn encode_partition_batch(
    time: Timestamp,
    followed: Option<u64>,
    events: &[(SandboxName, Event)],
) -> Vec<u8> {
    event::to_journal_partition_batch(time, followed, events).encode_to_vec()
}

/// What the control log holds in one record.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlBatch {
    /// When it was written.
    pub time: Timestamp,
    /// What was published, in order.
    pub entries: Vec<ControlEntry>,
}

impl ControlBatch {
    /// The bytes to be stored.
    pub fn encode(&self) -> Vec<u8> {
        control::to_journal_control_batch(self).encode_to_vec()
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// Bytes that [`encode`](Self::encode) does not write, or that only a newer version's does.
    pub fn decode(bytes: &[u8]) -> Result<ControlBatch, CodecError> {
        let batch = read::<journal::ControlBatch>(bytes)?;
        check_version(batch.format_version)?;
        control::from_journal_control_batch(batch)
    }
}

/// Reads a message. Fields that this version does not know are dropped by the decoder: they show in the
/// length, because every version writes a message in the one shortest way.
pub fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, CodecError> {
    let message = M::decode(bytes).map_err(CodecError::Unreadable)?;
    match message.encoded_len() == bytes.len() {
        true => Ok(message),
        false => Err(CodecError::UnknownFields),
    }
}

fn check_version(found: u32) -> Result<(), CodecError> {
    match found {
        FORMAT_VERSION => Ok(()),
        0 => Err(CodecError::absent("format_version")),
        _ => Err(CodecError::Version { found }),
    }
}
