//! What the logs of a store wait for, in the order in which they asked.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::frame::span;
use super::journal::LogState;
use crate::{AppendError, Barrier, Completion};

/// How many bytes of batches wait at most before `submit` blocks; one batch may go beyond it.
const QUEUE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How many batches and barriers wait at most before `submit` blocks.
const QUEUE_ENTRIES_MAX: usize = 16 * 1024;

/// How many bytes are written at most before they are flushed, so that the first of a large group do not wait
/// long for the last. A larger batch goes alone.
const GROUP_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One question of a log, with the way to answer it.
pub(super) struct Entry {
    pub(super) log: Arc<LogState>,
    pub(super) ask: Ask,
}

/// What a log asks for.
pub(super) enum Ask {
    /// To append a batch.
    Append(Batch, Completion),
    /// Nothing, as the batch is refused; but the refusal is heard of in its turn.
    Refuse(AppendError, Completion),
    /// To be told when its turn comes.
    Barrier(Barrier),
}

/// A batch that waits.
pub(super) struct Batch {
    pub(super) seq: crate::Seq,
    pub(super) payload: Vec<u8>,
    pub(super) payload_crc: u32,
    pub(super) bytes_max: Option<u64>,
}

impl Entry {
    fn span(&self) -> u64 {
        match &self.ask {
            Ask::Append(batch, _) => span(batch.payload.len() as u64),
            Ask::Refuse(..) | Ask::Barrier(_) => 0,
        }
    }
}

/// The queue between the logs of a store and its journal.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    drained: Condvar,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    bytes: u64,
    closed: bool,
    /// Who waits: to wake nobody costs a system call, too.
    journal_waits: bool,
    blocked: usize,
}

impl State {
    fn is_full(&self) -> bool {
        QUEUE_BYTES_MAX <= self.bytes || QUEUE_ENTRIES_MAX <= self.entries.len()
    }
}

impl Queue {
    /// Queues an entry; blocks while the queue is full (LOG-12).
    pub(super) fn push(&self, entry: Entry) {
        let mut state = self.state();
        while state.is_full() {
            state.blocked += 1;
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
        }
        state.bytes += entry.span();
        state.entries.push_back(entry);
        let wakes = std::mem::take(&mut state.journal_waits);
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// Waits for entries; answers `false` when there are none and never will be.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state();
        while state.entries.is_empty() && !state.closed {
            state.journal_waits = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.entries.is_empty()
    }

    /// Takes entries whose frames fit into `room`, and the first one in any case.
    pub(super) fn take(&self, room: u64, group: &mut Vec<Entry>) {
        let room = room.min(GROUP_BYTES_MAX);
        let mut state = self.state();
        let mut bytes = 0;
        while let Some(entry) = state.entries.front() {
            bytes += entry.span();
            if room < bytes && !group.is_empty() {
                break;
            }
            state.bytes -= entry.span();
            group.extend(state.entries.pop_front());
        }
        let wakes = 0 < state.blocked && !state.is_full();
        drop(state);
        if wakes {
            self.drained.notify_all();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().entries.is_empty()
    }

    /// Says that nothing will be queued any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No critical section can panic half-way through a change, so a poisoned mutex holds whole data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
