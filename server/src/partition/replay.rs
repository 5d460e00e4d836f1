//! Rebuilds a partition's state from its log: control entries where the log marks that they were followed,
//! and the partition's own events.

use std::ops::ControlFlow;

use souk_core::ids::SandboxName;
use souk_core::machine::Event;
use souk_core::machine::follow::{self, Sandboxes};
use souk_log::{PartitionLog, ReadError, Seq};

use super::ControlFeed;
use crate::codec::{CodecError, PartitionBatch};

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A batch cannot be decoded.
    #[error("batch {seq}: {source}")]
    Decode {
        /// Which.
        seq: Seq,
        /// Why.
        source: CodecError,
    },
    /// The partition is ahead of the control log: one of them was restored from an older copy.
    #[error(
        "batch {seq} follows control entry {followed}, and the control log ends before it: restore all files of \
         the data folder from the same copy"
    )]
    ControlBehind {
        /// Which.
        seq: Seq,
        /// The control entry.
        followed: u64,
    },
    /// Usage that was accepted once and is not now: the log is not the one that was written.
    #[error(
        "batch {seq} holds usage of sandbox \"{sandbox}\" that does not fit what stands before it: restore the log from a backup"
    )]
    NotTaken {
        /// Which.
        seq: Seq,
        /// The sandbox.
        sandbox: String,
    },
    /// An event of a sandbox that does not exist.
    #[error("batch {seq} holds an event of sandbox \"{sandbox}\", which does not exist there")]
    NoSandbox {
        /// Which.
        seq: Seq,
        /// The sandbox.
        sandbox: String,
    },
}

/// A partition's state as of its log's end.
#[derive(Default)]
pub struct Replayed {
    /// The sandboxes.
    pub sandboxes: Sandboxes,
    /// The control batch followed last.
    pub followed: u64,
}

/// Replays a log from a batch on, upon the state as it was there.
pub fn replay(
    log: &mut dyn PartitionLog,
    feed: &ControlFeed,
    mut state: Replayed,
    from: Seq,
) -> Result<Replayed, ReplayError> {
    let mut failed = None;
    log.read(from, &mut |seq, bytes| match apply(&mut state, feed, seq, bytes) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(state), Err)
}

fn apply(state: &mut Replayed, feed: &ControlFeed, seq: Seq, bytes: &[u8]) -> Result<(), ReplayError> {
    let batch = PartitionBatch::decode(bytes).map_err(|source| ReplayError::Decode { seq, source })?;
    if let Some(followed) = batch.followed {
        while state.followed < followed {
            let entries = feed.after(state.followed).ok_or(ReplayError::ControlBehind { seq, followed })?;
            for entry in entries.iter() {
                follow::apply(&mut state.sandboxes, entry);
            }
            state.followed += 1;
        }
    }
    apply_events(state, seq, &batch.events)
}

/// Applies events that were accepted once.
pub fn apply_events(
    state: &mut Replayed,
    seq: Seq,
    events: &[(SandboxName, Event)],
) -> Result<(), ReplayError> {
    for (name, event) in events {
        let sandbox = state.sandboxes.get_mut(name);
        let sandbox = sandbox.ok_or_else(|| ReplayError::NoSandbox { seq, sandbox: name.to_string() })?;
        let taken = match event {
            Event::UsageAccepted(columns) => sandbox.accept_usage(columns).are_all_new(),
            Event::UsageAdded(columns) => sandbox.add_usage(columns),
            Event::SeriesOpened(series) => {
                sandbox.apply(event);
                sandbox.family(series.payer).is_some()
            }
            other => {
                sandbox.apply(other);
                true
            }
        };
        if !taken {
            return Err(ReplayError::NotTaken { seq, sandbox: name.to_string() });
        }
    }
    Ok(())
}

/// Stands in for a log while it is closed to be opened again: everything fails.
pub struct NoLog;

impl PartitionLog for NoLog {
    fn append(&mut self, _batch: &[u8]) -> Result<Seq, souk_log::AppendError> {
        Err(souk_log::AppendError::Poisoned { log: super::writer::log_name(0).to_string() })
    }

    fn next(&self) -> Seq {
        Seq::FIRST
    }

    fn read(
        &mut self,
        from: Seq,
        _visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError> {
        Ok(from)
    }

    fn maintain(&mut self) -> Result<(), souk_log::AppendError> {
        Ok(())
    }
}
