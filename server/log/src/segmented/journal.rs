//! One run of the journal: from the opening of the first log until the last is closed, or until a failure.
//!
//! ```text
//!   partition 0 ─submit─┐                      ┌ write ┐ ┌ flush ┐ ┌ index, completions ┐
//!   partition 1 ─submit─┼─ queue ─ all of it ─ └───────┘ └───────┘ └────────────────────┘
//!   partition 2 ─submit─┘          is a group          meanwhile the next group gathers
//! ```
//!
//! Whoever holds the writer's lock commits: the journal's thread, which takes what is queued, or an append
//! that found nothing queued and so need not wake another thread. What was queued is answered under that
//! lock, so that answers come in order. After a failure nothing is written any more, and everything that is
//! queued or comes later is answered as poisoned, until the last log of this run is dropped.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::index::Index;
use super::queue::{Ask, Entry, Queue};
use super::writer::{Failure, Landing, Outgoing, Writer};
use crate::AppendError;

/// What the journal and the handle of an open log both know.
#[derive(Debug)]
pub(super) struct LogState {
    /// The log's number in the frames.
    pub(super) number: u32,
    /// The log's name in errors.
    pub(super) location: String,
    index: Arc<Mutex<Index>>,
    /// How many of the handle's entries in the queue were answered.
    answered: AtomicU64,
}

impl LogState {
    pub(super) fn new(number: u32, location: String, index: Arc<Mutex<Index>>) -> LogState {
        LogState { number, location, index, answered: AtomicU64::new(0) }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        locked(&self.index)
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Acquire)
    }

    pub(super) fn poisoned(&self) -> AppendError {
        AppendError::Poisoned { log: self.location.clone() }
    }

    fn failed(&self, failure: &Failure) -> AppendError {
        let log = self.location.clone();
        match failure {
            Failure::Full(source) => {
                AppendError::Full { log, source: source.clone().map(|source| source.into()) }
            }
            Failure::Disk(source) => AppendError::Unavailable { log, source: source.clone().into() },
        }
    }
}

/// Why a group is not acknowledged.
enum Refusal {
    /// This group failed.
    Failed(Failure),
    /// An earlier one did.
    Poisoned,
}

/// The queue and the writer of one run.
pub(super) struct Journal {
    queue: Queue,
    writer: Mutex<Writer>,
    failed: AtomicBool,
}

impl Journal {
    pub(super) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Queues an entry; blocks while the queue is full.
    pub(super) fn push(&self, entry: Entry) {
        self.queue.push(entry);
    }

    /// Appends a batch on the calling thread, or does nothing if another thread writes or something waits.
    pub(super) fn append_now(
        &self,
        log: &LogState,
        outgoing: Outgoing<'_>,
    ) -> Option<Result<(), AppendError>> {
        let mut writer = self.writer.try_lock().ok()?;
        if !self.queue.is_empty() {
            return None;
        }
        Some(match self.write(&mut writer, &[outgoing], &[log]) {
            Ok(()) => Ok(()),
            Err(Refusal::Failed(failure)) => Err(log.failed(&failure)),
            Err(Refusal::Poisoned) => Err(log.poisoned()),
        })
    }

    /// Commits what is queued until nobody can queue any more.
    fn run(&self) {
        let mut group = Vec::new();
        while self.queue.wait() {
            let mut writer = locked(&self.writer);
            self.queue.take(writer.room(), &mut group);
            let result = self.commit(&mut writer, &group);
            answer(group.drain(..), result.as_ref().err());
        }
    }

    fn commit(&self, writer: &mut Writer, group: &[Entry]) -> Result<(), Refusal> {
        let mut batches = Vec::with_capacity(group.len());
        let mut logs = Vec::with_capacity(group.len());
        for entry in group {
            if let Ask::Append(batch, _) = &entry.ask {
                batches.push(Outgoing {
                    log: entry.log.number,
                    seq: batch.seq.get(),
                    payload_crc: batch.payload_crc,
                    payload: &batch.payload,
                    bytes_max: batch.bytes_max,
                });
                logs.push(&*entry.log);
            }
        }
        self.write(writer, &batches, &logs)
    }

    /// Writes batches, each of the log in the same place, and shows them once they are durable.
    fn write(
        &self,
        writer: &mut Writer,
        batches: &[Outgoing<'_>],
        logs: &[&LogState],
    ) -> Result<(), Refusal> {
        if self.is_failed() {
            return Err(Refusal::Poisoned);
        }
        if batches.is_empty() {
            return Ok(());
        }
        match writer.write(batches) {
            Ok(Landing { segment, mut offset }) => {
                for (batch, log) in batches.iter().zip(logs) {
                    log.index().push(segment, offset, batch.span());
                    offset += batch.span();
                }
                Ok(())
            }
            Err(failure) => {
                // Before anybody hears of it, and so before the next run can begin.
                writer.stop();
                self.failed.store(true, Ordering::Release);
                Err(Refusal::Failed(failure))
            }
        }
    }
}

/// Answers the entries of a group in order.
fn answer(group: impl Iterator<Item = Entry>, refusal: Option<&Refusal>) {
    // The logs which have heard of the cause.
    let mut told: Vec<u32> = Vec::new();
    for Entry { log, ask } in group {
        let poisoned = match refusal {
            None => false,
            Some(Refusal::Failed(_)) => told.contains(&log.number),
            Some(Refusal::Poisoned) => true,
        };
        match (ask, refusal) {
            (Ask::Append(batch, done), None) => call(move || done(Ok(batch.seq))),
            (Ask::Append(_, done), Some(Refusal::Failed(failure))) if !poisoned => {
                told.push(log.number);
                let error = log.failed(failure);
                call(move || done(Err(error)));
            }
            (Ask::Refuse(error, done), _) if !poisoned => call(move || done(Err(error))),
            (Ask::Append(_, done) | Ask::Refuse(_, done), _) => {
                let error = log.poisoned();
                call(move || done(Err(error)));
            }
            (Ask::Barrier(done), None) => call(move || done(Ok(()))),
            (Ask::Barrier(done), Some(_)) => {
                let error = log.poisoned();
                call(move || done(Err(error)));
            }
        }
        log.answered.fetch_add(1, Ordering::Release);
    }
}

/// Calls what was handed in from outside. If it panics, its message was printed, and the others are answered
/// all the same.
fn call(done: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(done));
}

/// A journal with its thread, which ends when this is dropped.
pub(super) struct Running {
    pub(super) journal: Arc<Journal>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(writer: Writer) -> io::Result<Running> {
        let journal =
            Journal { queue: Queue::default(), writer: Mutex::new(writer), failed: AtomicBool::new(false) };
        let journal = Arc::new(journal);
        let run = journal.clone();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || run.run())?;
        Ok(Running { journal, thread: Some(thread) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.journal.queue.close();
        if let Some(thread) = self.thread.take() {
            // It calls nothing that panics, except what was handed in, which it contains.
            let _ = thread.join();
        }
        if !self.journal.is_failed() {
            let mut writer = locked(&self.journal.writer);
            let epoch = writer.epoch();
            // The mark proves later that all before it was flushed. Without it damage in the last group
            // cannot be told from a torn write, but nothing else depends on it.
            let _ = writer.mark(epoch);
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No critical section can panic half-way through a change, so a poisoned mutex holds whole data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
