//! Puts a running marketplace together: logs, partitions, control. The one place that knows all parts.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use souk_log::{LogStore, SqliteStore};
use tokio::sync::{mpsc, oneshot};

use crate::app::Souk;
use crate::clock::MachineClock;
use crate::control::{ControlWriter, PublishedSandboxes};
use crate::partition::handle::QUEUE;
use crate::partition::writer::{self, Setup, Writer};
use crate::partition::{ControlFeed, Directory, PartitionHandle};
use crate::signing::{self, FolderKey};

/// Partitions of a new data folder.
pub const DEFAULT_PARTITIONS: usize = 4;
const PARTITIONS_MAX: usize = 256;
const FORMAT: u32 = 1;

/// What a data folder says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    /// The version of its layout.
    format: u32,
    /// Into how many partitions payers are spread; it never changes.
    partitions: usize,
}

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

/// Starts on a data folder, which is made when it does not exist.
pub fn start_in(folder: &Path, clock: Arc<dyn MachineClock>) -> Result<Running, StartError> {
    let refuse = |why: String| StartError::Folder { folder: folder.to_owned(), why };
    // It holds the keys of documents: for its owner alone.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| refuse(format!("it cannot be made: {e}")))?;
    let store = SqliteStore::new(folder);
    let description = folder.join("souk.json");
    let partitions = match std::fs::read_to_string(&description) {
        Ok(text) => {
            let found: Folder = serde_json::from_str(&text).map_err(|e| {
                refuse(format!(
                    "souk.json is not of a Souk data folder ({e}): restore it, or choose another folder"
                ))
            })?;
            if found.format > FORMAT {
                return Err(refuse(format!(
                    "its format {} is newer than {FORMAT}: use a newer soukd",
                    found.format
                )));
            }
            if !(1..=PARTITIONS_MAX).contains(&found.partitions) {
                return Err(refuse(format!("souk.json says {} partitions: restore it", found.partitions)));
            }
            check_complete(&store, found.partitions).map_err(refuse)?;
            found.partitions
        }
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            refuse_foreign(folder).map_err(refuse)?;
            // The logs first: a folder that says it is one has all of them, whenever it is cut off.
            make_logs(&store, DEFAULT_PARTITIONS).map_err(refuse)?;
            write_folder(&description, DEFAULT_PARTITIONS)
                .map_err(|e| refuse(format!("souk.json cannot be written: {e}")))?;
            DEFAULT_PARTITIONS
        }
        Err(error) => return Err(refuse(format!("souk.json cannot be read: {error}"))),
    };
    start_with(Arc::new(store), partitions, clock, FolderKey::in_folder(folder))
}

/// A log that the folder should have and has not would come back empty.
fn check_complete(store: &SqliteStore, partitions: usize) -> Result<(), String> {
    let names = (0..partitions).map(writer::log_name).chain([crate::control::writer::log_name()]);
    for name in names {
        if !store.exists(&name).map_err(|e| e.to_string())? {
            return Err(format!("its log {name} is missing: restore it from a backup, with all other files"));
        }
    }
    Ok(())
}

/// A folder that holds something else is not turned into a data folder.
fn refuse_foreign(folder: &Path) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("it cannot be read: {e}"))?;
    let ours = |name: &str| {
        ["partition-", "control.", "souk.json", signing::FILE].iter().any(|ours| name.starts_with(ours))
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !ours(&name) {
            return Err(format!(
                "it holds \"{name}\" and no souk.json: choose an empty folder, or one that Souk made"
            ));
        }
    }
    Ok(())
}

fn make_logs(store: &SqliteStore, partitions: usize) -> Result<(), String> {
    let names = (0..partitions).map(writer::log_name).chain([crate::control::writer::log_name()]);
    for name in names {
        store.open(&name).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn write_folder(description: &Path, partitions: usize) -> std::io::Result<()> {
    let text = serde_json::to_string(&Folder { format: FORMAT, partitions })?;
    write_whole(description, &format!("{text}\n"))
}

/// Writes a small file whole or not at all.
pub fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    write_as(path, text, OpenOptions::new().write(true).create(true).truncate(true))
}

/// The same for a file that its owner alone may read.
pub fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    // A remainder may have been made for everybody to read.
    match std::fs::remove_file(temporary(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_as(path, text, options.write(true).create_new(true))
}

fn write_as(path: &Path, text: &str, options: &OpenOptions) -> std::io::Result<()> {
    let temporary = temporary(path);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

fn temporary(path: &Path) -> PathBuf {
    // The whole name goes before: a remainder of souk.json must be known as Souk's own by the next start.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    PathBuf::from(temporary)
}

/// Starts on any store of logs: in a folder, or in memory. Its key is gone with it.
pub fn start(
    store: Arc<dyn LogStore>,
    partitions: usize,
    clock: Arc<dyn MachineClock>,
) -> Result<Running, StartError> {
    start_with(store, partitions, clock, FolderKey::in_memory())
}

#[expect(clippy::needless_pass_by_value, reason = "a marketplace owns its store from here on")]
fn start_with(
    store: Arc<dyn LogStore>,
    partitions: usize,
    clock: Arc<dyn MachineClock>,
    folder_key: FolderKey,
) -> Result<Running, StartError> {
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
    let mut handles = Vec::with_capacity(partitions);
    let mut stopped = Vec::with_capacity(partitions);
    for (writer, directory) in writers {
        let (sender, queue) = mpsc::channel(QUEUE);
        stopped.push(writer::spawn(writer, queue).map_err(StartError::Thread)?);
        handles.push(PartitionHandle::new(sender, directory));
    }
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
