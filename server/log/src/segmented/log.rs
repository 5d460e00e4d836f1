//! One log of a store, in the hands of its writer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::frame::payload_crc;
use super::journal::{LogState, Running};
use super::queue::{Ask, Batch, Entry};
use super::read::read;
use super::shared::{Opened, Shared};
use super::window::Window;
use super::writer::Outgoing;
use crate::{AppendError, Barrier, Completion, LogName, PartitionLog, ReadError, Seq, check_batch};

pub(super) struct SegmentedLog {
    shared: Arc<Shared>,
    name: LogName,
    /// None only while the log is dropped.
    running: Option<Arc<Running>>,
    log: Arc<LogState>,
    /// The number of the next batch that is submitted, if none fails.
    next: Seq,
    /// How many entries were queued.
    queued: u64,
    bytes_max: Option<u64>,
    window: Window,
    store: u64,
}

impl SegmentedLog {
    pub(super) fn new(shared: Arc<Shared>, name: LogName, opened: Opened, bytes_max: Option<u64>) -> Self {
        let Opened { running, log, store } = opened;
        let next = log.index().next();
        let window = Window::new(shared.dir());
        let running = Some(running);
        SegmentedLog { shared, name, running, log, next, queued: 0, bytes_max, window, store }
    }

    fn is_failed(&self) -> bool {
        self.running.as_ref().is_none_or(|running| running.journal.is_failed())
    }

    fn refuse_poisoned(&self) -> Result<(), AppendError> {
        if self.is_failed() { Err(self.log.poisoned()) } else { Ok(()) }
    }

    fn push(&mut self, ask: Ask) {
        if let Some(running) = &self.running {
            self.queued += 1;
            running.journal.push(Entry { log: self.log.clone(), ask });
        }
    }

    /// Waits until everything that was submitted is answered.
    fn settle(&mut self) {
        let (settled, wait) = sync_channel(1);
        self.after_submitted(Box::new(move |_| {
            // Nobody listens only if the waiting thread is gone.
            let _ = settled.send(());
        }));
        // The sender is dropped only after it was called.
        let _ = wait.recv();
    }

    /// Appends by the journal's thread: something is in its queue already.
    fn append_queued(&mut self, batch: &[u8]) -> Result<Seq, AppendError> {
        let (answered, answer) = sync_channel(1);
        let done = move |result| {
            // Nobody listens only if the waiting thread is gone.
            let _ = answered.send(result);
        };
        self.submit(batch.to_vec(), Box::new(done));
        answer.recv().unwrap_or_else(|_| Err(self.log.poisoned()))
    }
}

impl PartitionLog for SegmentedLog {
    fn append(&mut self, batch: &[u8]) -> Result<Seq, AppendError> {
        let refused = self.refuse_poisoned().and_then(|()| check_batch(&self.log.location, batch));
        if refused.is_err() {
            // What was submitted is answered first, whatever becomes of it.
            self.settle();
            return refused.map(|()| self.next);
        }
        let seq = self.next;
        let outgoing = Outgoing {
            log: self.log.number,
            seq: seq.get(),
            payload_crc: payload_crc(self.log.number, seq.get(), batch),
            payload: batch,
            bytes_max: self.bytes_max,
        };
        let running = self.running.as_ref();
        match running.and_then(|running| running.journal.append_now(&self.log, outgoing)) {
            Some(result) => {
                result?;
                self.next = seq.next();
                Ok(seq)
            }
            None => self.append_queued(batch),
        }
    }

    fn submit(&mut self, batch: Vec<u8>, done: Completion) {
        if let Err(error) = check_batch(&self.log.location, &batch) {
            return self.push(Ask::Refuse(error, done));
        }
        let seq = self.next;
        let payload_crc = payload_crc(self.log.number, seq.get(), &batch);
        let batch = Batch { seq, payload: batch, payload_crc, bytes_max: self.bytes_max };
        self.next = seq.next();
        self.push(Ask::Append(batch, done));
    }

    fn after_submitted(&mut self, done: Barrier) {
        if self.log.answered() == self.queued {
            done(self.refuse_poisoned());
        } else {
            self.push(Ask::Barrier(done));
        }
    }

    fn next(&self) -> Seq {
        if self.is_failed() { self.log.index().next() } else { self.next }
    }

    fn read(
        &mut self,
        from: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError> {
        self.settle();
        read(&self.log, self.store, &mut self.window, from, visit)
    }

    fn maintain(&mut self) -> Result<(), AppendError> {
        // Segments are prepared by a thread of their own.
        self.refuse_poisoned()
    }
}

impl Drop for SegmentedLog {
    fn drop(&mut self) {
        self.settle();
        if let Some(running) = self.running.take() {
            self.shared.close(&self.name, running);
        }
    }
}
