//! Puts a running marketplace together: logs, partitions, control. The one place that knows all parts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use souk_log::LogStore;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::app::Souk;
use crate::clock::MachineClock;
use crate::control::{ControlWriter, PublishedSandboxes};
use crate::folder::{self, UsageLog};
use crate::partition::handle::{QUEUE, ROWS};
use crate::partition::snapshot::Limits;
use crate::partition::writer::{self, Setup, Writer};
use crate::partition::{ControlFeed, Directory, PartitionHandle, worker};
use crate::signing::FolderKey;

/// Why a marketplace cannot start. Nothing is ever overwritten to make it start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("data folder {folder}: {why}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The control log cannot be used.
    #[error(transparent)]
    Control(#[from] crate::control::writer::ControlError),
    /// A partition cannot be used.
    #[error(transparent)]
    Partition(#[from] writer::StartError),
    /// A thread cannot be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// A running marketplace, and the means to wait until it has stopped.
pub struct Running {
    /// The marketplace.
    pub souk: Souk,
    stopped: Vec<oneshot::Receiver<()>>,
}

impl Running {
    /// Stops: waits until every writer has answered what is queued and closed its log. Every other clone of
    /// [`Souk`] must be gone, or this waits for it.
    pub async fn stop(self) {
        drop(self.souk);
        for stopped in self.stopped {
            let _ = stopped.await;
        }
    }
}

/// What a marketplace is put together from besides its logs.
#[derive(Clone)]
pub struct Options {
    /// Where snapshots and keys are kept; none: in memory alone, gone with it.
    pub folder: Option<PathBuf>,
    /// When snapshots are taken and closed months archived.
    pub limits: Limits,
}

/// Starts on a data folder, which is made when it does not exist.
pub fn start_in(folder: &Path, clock: Arc<dyn MachineClock>) -> Result<Running, StartError> {
    start_with_limits(folder, UsageLog::default(), Limits::default(), clock)
}

/// The same with a choice of the log of a new folder, and of when snapshots are taken.
pub fn start_with_limits(
    folder: &Path,
    usage_log: UsageLog,
    limits: Limits,
    clock: Arc<dyn MachineClock>,
) -> Result<Running, StartError> {
    let opened = folder::open(folder, usage_log)
        .map_err(|why| StartError::Folder { folder: folder.to_owned(), why })?;
    let options = Options { folder: Some(folder.to_owned()), limits };
    start_with(opened.store, opened.partitions, clock, &options)
}

/// Starts on any store of logs: in a folder, or in memory. Its key is gone with it.
pub fn start(
    store: Arc<dyn LogStore>,
    partitions: usize,
    clock: Arc<dyn MachineClock>,
) -> Result<Running, StartError> {
    start_with(store, partitions, clock, &Options { folder: None, limits: Limits::default() })
}

#[expect(clippy::needless_pass_by_value, reason = "a marketplace owns its store from here on")]
fn start_with(
    store: Arc<dyn LogStore>,
    partitions: usize,
    clock: Arc<dyn MachineClock>,
    options: &Options,
) -> Result<Running, StartError> {
    let folder_key = options.folder.as_deref().map_or_else(FolderKey::in_memory, FolderKey::in_folder);
    let feed = Arc::new(ControlFeed::default());
    let published = Arc::new(PublishedSandboxes::default());
    let control = ControlWriter::start(store.clone(), feed.clone(), published.clone(), clock.clone())?;
    // Partitions replay side by side: it is the slow part of a start.
    let writers = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..partitions)
            .map(|index| {
                let directory = Arc::new(Directory::default());
                let setup = Setup {
                    index,
                    partitions,
                    store: store.clone(),
                    feed: feed.clone(),
                    directory: directory.clone(),
                    clock: clock.clone(),
                    folder: options.folder.clone(),
                    limits: options.limits,
                };
                scope.spawn(move || Writer::start(setup).map(|writer| (writer, directory)))
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| match thread.join() {
            Ok(started) => started,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        starting.into_iter().map(join).collect::<Result<Vec<_>, writer::StartError>>()
    })?;
    let (handles, mut stopped) = spawn_workers(writers).map_err(StartError::Thread)?;
    let (control, control_stopped) = control.spawn().map_err(StartError::Thread)?;
    stopped.push(control_stopped);
    let souk = Souk {
        published,
        control,
        partitions: handles.into(),
        clock,
        folder_key,
        lab: Arc::default(),
        quotas: Arc::default(),
        refusals: Arc::default(),
    };
    Ok(Running { souk, stopped })
}

/// Puts the writers on as many threads as there are cores, in turn.
fn spawn_workers(
    writers: Vec<(Writer, Arc<Directory>)>,
) -> std::io::Result<(Vec<PartitionHandle>, Vec<oneshot::Receiver<()>>)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(writers.len()).max(1);
    let mut handles = Vec::with_capacity(writers.len());
    let mut crews: Vec<Vec<Writer>> = (0..workers).map(|_| Vec::new()).collect();
    let queues: Vec<_> = (0..workers).map(|_| mpsc::channel(QUEUE)).collect();
    let rooms: Vec<_> = (0..workers).map(|_| Arc::new(Semaphore::new(ROWS))).collect();
    for (index, (writer, directory)) in writers.into_iter().enumerate() {
        let worker = index % workers;
        let (crew, (sender, _)) = (&mut crews[worker], &queues[worker]);
        handles.push(PartitionHandle::new(sender.clone(), crew.len(), rooms[worker].clone(), directory));
        crew.push(writer);
    }
    let spawned = crews.into_iter().zip(queues).enumerate();
    let stopped = spawned.map(|(number, (crew, (_, queue)))| worker::spawn(number, crew, queue));
    Ok((handles, stopped.collect::<std::io::Result<_>>()?))
}
