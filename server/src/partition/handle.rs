//! The way into a partition: a bounded queue.

use std::sync::Arc;

use souk_core::ids::SandboxName;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::job::{FnJob, Job};
use super::worker::Addressed;
use super::{Directory, Turn};
use crate::error::AppError;

/// Messages that wait for a worker at most.
pub const QUEUE: usize = 1_024;
/// Rows of usage that wait for a worker, or for their flush, at most.
pub const ROWS: usize = 4 * 1_024 * 1_024;

/// What a writer is sent.
pub enum Message {
    /// Something to do.
    Job(Box<dyn Job>),
    /// Follow the control feed to its end, and do what is due then. Answers what was done in this sandbox.
    Follow(SandboxName, oneshot::Sender<Result<WorkDone, AppError>>),
    /// Do what is due in sandboxes whose clock follows the machine's.
    Tick,
}

/// What a turned clock set off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkDone {
    /// Invoices issued.
    pub invoices: u32,
    /// Agreements that ended.
    pub agreements_ended: u32,
    /// Months closed, counted per payer.
    pub months_closed: u32,
}

/// A partition as others see it.
#[derive(Clone)]
pub struct PartitionHandle {
    sender: mpsc::Sender<Addressed>,
    /// The position of its writer in the worker.
    writer: usize,
    /// Room for rows of usage.
    room: Arc<Semaphore>,
    directory: Arc<Directory>,
}

/// An answer on its way.
pub struct Pending<T>(oneshot::Receiver<Result<T, AppError>>);

impl<T> Pending<T> {
    /// The answer, once it is durable.
    pub async fn answer(self) -> Result<T, AppError> {
        self.0.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl PartitionHandle {
    /// A handle on a writer, which is at a position in its worker.
    pub fn new(
        sender: mpsc::Sender<Addressed>,
        writer: usize,
        room: Arc<Semaphore>,
        directory: Arc<Directory>,
    ) -> PartitionHandle {
        PartitionHandle { sender, writer, room, directory }
    }

    /// What the partition has published.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Puts a job into the queue, or says that the queue is full.
    pub fn submit<T, F>(&self, work: F) -> Result<Pending<T>, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
        T: Send + 'static,
    {
        self.submit_rows(0, work)
    }

    /// The same for a job that holds so many rows of usage: refuses also when too many rows wait already.
    pub fn submit_rows<T, F>(&self, rows: usize, work: F) -> Result<Pending<T>, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
        T: Send + 'static,
    {
        let room = self.room.clone().try_acquire_many_owned(permits(rows));
        let room = room.map_err(|_| AppError::Busy("rows of usage"))?;
        let (job, receiver) = FnJob::queued(work, room);
        match self.sender.try_send((self.writer, Message::Job(job))) {
            Ok(()) => Ok(Pending(receiver)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(AppError::Busy("jobs")),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped()),
        }
    }

    /// Puts a job into the queue, waiting for a place.
    pub async fn enqueue<T, F>(&self, work: F) -> Result<Pending<T>, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
        T: Send + 'static,
    {
        self.enqueue_rows(0, work).await
    }

    /// The same for a job that holds so many rows of usage: waits also while too many rows wait already.
    pub async fn enqueue_rows<T, F>(&self, rows: usize, work: F) -> Result<Pending<T>, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
        T: Send + 'static,
    {
        let room = self.room.clone().acquire_many_owned(permits(rows)).await.map_err(|_| stopped())?;
        let (job, receiver) = FnJob::queued(work, room);
        self.sender.send((self.writer, Message::Job(job))).await.map_err(|_| stopped())?;
        Ok(Pending(receiver))
    }

    /// Runs a job and waits for its answer; refuses when the queue is full.
    pub async fn run<T, F>(&self, work: F) -> Result<T, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(work)?.answer().await
    }

    /// Follows the control feed to its end; answers what that set off in a sandbox.
    pub async fn follow(&self, name: &SandboxName) -> Result<Pending<WorkDone>, AppError> {
        let (reply, receiver) = oneshot::channel();
        self.sender.send((self.writer, Message::Follow(name.clone(), reply))).await.map_err(|_| stopped())?;
        Ok(Pending(receiver))
    }

    /// Does what is due by the machine's clock, unless the partition is busy anyway.
    pub fn tick(&self) {
        let _ = self.sender.try_send((self.writer, Message::Tick));
    }
}

/// More than there is room for waits until everything else is gone.
fn permits(rows: usize) -> u32 {
    rows.min(ROWS) as u32
}

fn stopped() -> AppError {
    AppError::Unavailable("the partition has stopped: see the server's log".to_owned())
}
