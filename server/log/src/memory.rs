//! A log in memory, for tests: it keeps its data when it is opened again, can lose power, and fails by
//! the plan in [`Faults`].
//!
//! ```text
//!   batches:   1   2   3   4   5
//!              ───────────┬──────
//!              durable    │ unsynced: gone after crash(), kept (and made durable) by open()
//! ```
//!
//! A writer holds the log by its *epoch*. Taking the log over and a crash begin a new epoch, so a handle
//! from before answers [`AppendError::Fenced`], as a writer does whose machine has been replaced.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    AppendError, Barrier, Fault, Faults, Landed, LogName, LogStore, OpenError, PartitionLog, ReadError, Seq,
    check_batch,
};

/// Logs in memory. Clones share the logs and the plan of faults.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    logs: Arc<Mutex<BTreeMap<LogName, SharedLog>>>,
    faults: Faults,
}

type SharedLog = Arc<Mutex<Stored>>;

#[derive(Debug, Default)]
struct Stored {
    batches: Vec<Arc<[u8]>>,
    /// How many of the batches survive a crash.
    durable: usize,
    epoch: u64,
    has_writer: bool,
}

impl MemoryStore {
    /// An empty store without faults.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// The plan of faults of this store's logs.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Cuts the power: what was not flushed is lost, and every open handle is fenced off.
    pub fn crash(&self) {
        for log in locked(&self.logs).values() {
            let mut stored = locked(log);
            let durable = stored.durable;
            stored.batches.truncate(durable);
            stored.begin_epoch();
        }
    }

    /// Opens a log although it may have a writer, which is fenced off (LOG-6), as a second machine does
    /// with a log which is kept elsewhere.
    pub fn take_over(&self, name: &LogName) -> Box<dyn PartitionLog> {
        let shared = self.shared(name);
        locked(&shared).begin_epoch();
        Box::new(self.open_as_writer(name, shared))
    }

    fn shared(&self, name: &LogName) -> SharedLog {
        locked(&self.logs).entry(name.clone()).or_default().clone()
    }

    fn open_as_writer(&self, name: &LogName, shared: SharedLog) -> MemoryLog {
        let (epoch, next) = {
            let mut stored = locked(&shared);
            stored.has_writer = true;
            // What an open log shows is durable (LOG-4).
            stored.flush();
            (stored.epoch, Seq::after(stored.batches.len() as u64))
        };
        MemoryLog { name: name.clone(), stored: shared, faults: self.faults(), epoch, next, poisoned: false }
    }
}

impl LogStore for MemoryStore {
    fn open(&self, name: &LogName) -> Result<Box<dyn PartitionLog>, OpenError> {
        let shared = self.shared(name);
        if locked(&shared).has_writer {
            return Err(OpenError::Locked { log: location(name) });
        }
        Ok(Box::new(self.open_as_writer(name, shared)))
    }

    fn exists(&self, name: &LogName) -> Result<bool, OpenError> {
        Ok(locked(&self.logs).contains_key(name))
    }
}

impl Stored {
    fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.has_writer = false;
    }

    fn flush(&mut self) {
        self.durable = self.batches.len();
    }
}

struct MemoryLog {
    name: LogName,
    stored: SharedLog,
    faults: Faults,
    epoch: u64,
    next: Seq,
    poisoned: bool,
}

impl MemoryLog {
    fn refuse_poisoned(&self) -> Result<(), AppendError> {
        if self.poisoned { Err(AppendError::Poisoned { log: location(&self.name) }) } else { Ok(()) }
    }

    /// Does what the fault makes of an append.
    fn try_append(&self, batch: &[u8], fault: Option<Fault>) -> Result<(), AppendError> {
        let log = location(&self.name);
        let mut stored = locked(&self.stored);
        if stored.epoch != self.epoch {
            return Err(AppendError::Fenced { log });
        }
        match fault {
            None | Some(Fault::Slow) => {
                stored.batches.push(batch.into());
                stored.flush();
                Ok(())
            }
            Some(Fault::LostTail) => {
                stored.batches.push(batch.into());
                Ok(())
            }
            Some(Fault::FailedCommit(landed)) => {
                match landed {
                    Landed::Nowhere => {}
                    Landed::Unsynced => stored.batches.push(batch.into()),
                    Landed::Durable => {
                        stored.batches.push(batch.into());
                        stored.flush();
                    }
                }
                Err(AppendError::Unavailable { log, source: "the plan of faults says so".into() })
            }
            Some(Fault::Full) => Err(AppendError::Full { log, source: None }),
            Some(Fault::Fenced) => {
                stored.begin_epoch();
                Err(AppendError::Fenced { log })
            }
        }
    }
}

impl PartitionLog for MemoryLog {
    fn append(&mut self, batch: &[u8]) -> Result<Seq, AppendError> {
        self.refuse_poisoned()?;
        check_batch(&location(&self.name), batch)?;
        let fault = self.faults.befall(&self.name);
        if let Err(error) = self.try_append(batch, fault) {
            self.poisoned = true;
            return Err(error);
        }
        let seq = self.next;
        self.next = seq.next();
        Ok(seq)
    }

    fn after_submitted(&mut self, done: Barrier) {
        done(self.refuse_poisoned());
    }

    fn next(&self) -> Seq {
        self.next
    }

    fn read(
        &mut self,
        from: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError> {
        if self.next < from {
            return Err(ReadError::Ahead { log: location(&self.name), from, next: self.next });
        }
        let mut seq = from;
        while seq < self.next {
            // The batch is taken out from under the lock, so that the visitor may use the store.
            let batch = locked(&self.stored).batches.get(index_of(seq)).cloned();
            let Some(batch) = batch else {
                let what = "it was lost in a crash after it was acknowledged".to_owned();
                return Err(ReadError::Corrupt { log: location(&self.name), seq, what });
            };
            let flow = visit(seq, &batch);
            seq = seq.next();
            if flow.is_break() {
                break;
            }
        }
        Ok(seq)
    }

    fn maintain(&mut self) -> Result<(), AppendError> {
        self.refuse_poisoned()
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        let mut stored = locked(&self.stored);
        if stored.epoch == self.epoch {
            stored.has_writer = false;
        }
    }
}

fn location(name: &LogName) -> String {
    format!("the log {name} in memory")
}

/// The place of a batch in a vector.
fn index_of(seq: Seq) -> usize {
    usize::try_from(seq.get() - 1).unwrap_or(usize::MAX)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No critical section can panic half-way through a change, so a poisoned mutex holds whole data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
