//! The control log's writer: a thread of its own, one command at a time.

use std::ops::ControlFlow;
use std::sync::Arc;

use souk_core::catalog::{Change, Marketplace};
use souk_core::ids::SandboxName;
use souk_core::machine::ControlEntry;
use souk_core::rejection::Rejection;
use souk_core::time::Timestamp;
use souk_log::{LogName, LogStore, PartitionLog, Seq};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::PublishedSandboxes;
use crate::clock::MachineClock;
use crate::codec::{CodecError, ControlBatch};
use crate::error::AppError;
use crate::partition::ControlFeed;

/// Commands that wait at most.
const QUEUE: usize = 256;

/// A decision on what is published: sees it, and the machine's time.
type Decision = Box<dyn FnOnce(&PublishedSandboxes, Timestamp) -> Result<ControlEntry, AppError> + Send>;

struct Command {
    decide: Decision,
    reply: oneshot::Sender<Result<ControlEntry, AppError>>,
}

/// Why the control log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] souk_log::OpenError),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] souk_log::ReadError),
    /// An entry cannot be decoded.
    #[error("control entry {seq}: {source}")]
    Decode {
        /// Which.
        seq: Seq,
        /// Why.
        source: CodecError,
    },
}

/// The owner of the control log.
pub struct ControlWriter {
    store: Arc<dyn LogStore>,
    log: Option<Box<dyn PartitionLog>>,
    feed: Arc<ControlFeed>,
    published: Arc<PublishedSandboxes>,
    clock: Arc<dyn MachineClock>,
}

impl ControlWriter {
    /// Opens and reads the control log, and publishes what it says.
    pub fn start(
        store: Arc<dyn LogStore>,
        feed: Arc<ControlFeed>,
        published: Arc<PublishedSandboxes>,
        clock: Arc<dyn MachineClock>,
    ) -> Result<ControlWriter, ControlError> {
        let mut writer = ControlWriter { store, log: None, feed, published, clock };
        writer.reopen()?;
        Ok(writer)
    }

    /// Opens the log, and feeds and publishes the entries that are not known yet.
    fn reopen(&mut self) -> Result<(), ControlError> {
        self.log = None;
        let mut log = self.store.open(&log_name())?;
        let mut failed = None;
        let from = Seq::new(self.feed.last() + 1).unwrap_or(Seq::FIRST);
        log.read(from, &mut |seq, bytes| match ControlBatch::decode(bytes) {
            Ok(batch) => {
                self.publish(batch);
                ControlFlow::Continue(())
            }
            Err(source) => {
                failed = Some(ControlError::Decode { seq, source });
                ControlFlow::Break(())
            }
        })?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        self.log = Some(log);
        Ok(())
    }

    fn publish(&self, batch: ControlBatch) {
        for entry in &batch.entries {
            self.published.apply(entry, batch.time);
        }
        self.feed.push(batch.entries);
    }

    /// Starts the writer on a thread of its own; it stops when nobody can send it commands any more, and says so
    /// when its log is closed.
    pub fn spawn(mut self) -> std::io::Result<(ControlHandle, oneshot::Receiver<()>)> {
        let (sender, mut queue) = mpsc::channel::<Command>(QUEUE);
        let (stopped, receiver) = oneshot::channel();
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            while let Some(command) = queue.blocking_recv() {
                let result = self.take(command.decide);
                let _ = command.reply.send(result);
                if let Some(Err(failed)) = self.log.as_mut().map(|log| log.maintain()) {
                    error!(%failed, "the control log must be opened again");
                    self.log = None;
                }
            }
            drop(self);
            let _ = stopped.send(());
        })?;
        Ok((ControlHandle { sender }, receiver))
    }

    /// Decides, appends, publishes. After a failed append the log is opened again: the entry may be in it, and
    /// is published then.
    fn take(&mut self, decide: Decision) -> Result<ControlEntry, AppError> {
        if self.log.is_none() {
            self.reopen().map_err(|e| AppError::Unavailable(e.to_string()))?;
        }
        let entry = decide(&self.published, self.clock.now())?;
        let batch = ControlBatch { time: self.clock.now(), entries: vec![entry.clone()] };
        let log =
            self.log.as_mut().ok_or_else(|| AppError::Unavailable("the control log is closed".to_owned()))?;
        if let Err(failed) = log.append(&batch.encode()) {
            error!(%failed, "a control entry could not be appended");
            if let Err(still) = self.reopen() {
                error!(%still, "the control log cannot be opened; the next command tries again");
            }
            return Err(AppError::Unavailable(failed.to_string()));
        }
        self.publish(batch);
        Ok(entry)
    }
}

/// The name of the control log.
pub fn log_name() -> LogName {
    LogName::new("control").unwrap_or_else(|_| unreachable!("letters"))
}

/// The way to the control log's writer.
#[derive(Clone)]
pub struct ControlHandle {
    sender: mpsc::Sender<Command>,
}

impl ControlHandle {
    /// Makes a decision durable; answers the entry that it became.
    pub async fn decide(
        &self,
        decide: impl FnOnce(&PublishedSandboxes, Timestamp) -> Result<ControlEntry, AppError> + Send + 'static,
    ) -> Result<ControlEntry, AppError> {
        let (reply, receiver) = oneshot::channel();
        self.sender.try_send(Command { decide: Box::new(decide), reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppError::Busy("control commands"),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        receiver.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Makes a change in a sandbox durable; answers the change.
    pub async fn change(
        &self,
        name: &SandboxName,
        decide: impl FnOnce(&Marketplace, Timestamp, Timestamp) -> Result<Change, Rejection> + Send + 'static,
    ) -> Result<Change, AppError> {
        let name = name.clone();
        let entry = self
            .decide(move |published, machine| {
                let market = published.get(&name)?;
                let change = decide(&market, market.clock.now(machine), machine)?;
                Ok(ControlEntry::Changed { name, change })
            })
            .await?;
        match entry {
            ControlEntry::Changed { change, .. } => Ok(change),
            _ => Err(AppError::Unavailable("the control log answered another entry".to_owned())),
        }
    }
}

fn stopped() -> AppError {
    AppError::Unavailable("the control log's writer has stopped: see the server's log".to_owned())
}
