//! What all logs of one folder share within the process: the lock, the manifest and the journal that runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use super::files::{self, Lock};
use super::index::Index;
use super::journal::{LogState, Running, locked};
use super::manifest::{self, Manifest};
use super::recovery::{Recovered, recover};
use super::segment;
use super::spare::SegmentSizes;
use crate::{LogName, OpenError};

/// The folders of which logs are open, or were a moment ago.
static FOLDERS: Mutex<BTreeMap<PathBuf, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// One folder of the process.
pub(super) struct Shared {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The logs that are open; the names are kept once each, and there are few.
    open: Vec<LogName>,
    run: Option<Run>,
    lock: Option<Lock>,
}

/// The journal that runs, or that failed last.
struct Run {
    running: Arc<Running>,
    manifest: Manifest,
    /// Of each log of the manifest, what it has.
    indexes: Vec<Arc<Mutex<Index>>>,
}

/// A log that was opened: its part in a run of the journal.
pub(super) struct Opened {
    pub(super) running: Arc<Running>,
    pub(super) log: Arc<LogState>,
    /// The store's own number, which its frames are bound to.
    pub(super) store: u64,
}

impl Shared {
    /// The folder `dir`, which is there.
    pub(super) fn of(dir: &Path) -> Result<Arc<Shared>, OpenError> {
        let dir = dir.canonicalize().map_err(|error| files::io(dir, error))?;
        let mut folders = locked(&FOLDERS);
        if let Some(shared) = folders.get(&dir).and_then(Weak::upgrade) {
            return Ok(shared);
        }
        folders.retain(|_, shared| 0 < shared.strong_count());
        let shared = Arc::new(Shared { dir: dir.clone(), state: Mutex::default() });
        folders.insert(dir, Arc::downgrade(&shared));
        Ok(shared)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens a log, and the journal if none runs or if the one that runs has failed.
    pub(super) fn open(&self, name: &LogName, sizes: SegmentSizes) -> Result<Opened, OpenError> {
        let location = location(&self.dir, name);
        let mut state = locked(&self.state);
        if state.open.contains(name) {
            return Err(OpenError::Locked { log: location });
        }
        if state.lock.is_none() {
            state.lock = Some(Lock::take(&self.dir, &location)?);
        }
        let opened = self.open_locked(&mut state, name, location, sizes);
        match &opened {
            Ok(_) => state.open.push(name.clone()),
            Err(_) => state.close_unless_open(),
        }
        opened
    }

    fn open_locked(
        &self,
        state: &mut State,
        name: &LogName,
        location: String,
        sizes: SegmentSizes,
    ) -> Result<Opened, OpenError> {
        if state.run.as_ref().is_none_or(|run| run.running.journal.is_failed()) {
            // The logs of the failed run which are still open keep it alive, poisoned, for their reads.
            state.run = None;
            state.run = Some(self.start(sizes)?);
        }
        let Some(run) = &mut state.run else { return Err(OpenError::Locked { log: location }) };
        let number = match run.manifest.number(name) {
            Some(number) => number,
            None => self.register(run, name)?,
        };
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        match place.and_then(|place| run.indexes.get(place)) {
            Some(index) => {
                let log = Arc::new(LogState::new(number, location, index.clone()));
                Ok(Opened { running: run.running.clone(), log, store: run.manifest.store })
            }
            None => Err(files::corrupt(&manifest::path(&self.dir), "it numbers its logs wrongly")),
        }
    }

    fn start(&self, sizes: SegmentSizes) -> Result<Run, OpenError> {
        let manifest = match Manifest::read(&self.dir)? {
            Some(manifest) => manifest,
            None => self.create()?,
        };
        let Recovered { writer, indexes } = recover(&self.dir, &manifest, sizes)?;
        let running = Running::start(writer).map_err(|error| files::io(&self.dir, error))?;
        let indexes = indexes.into_iter().map(|index| Arc::new(Mutex::new(index))).collect();
        Ok(Run { running: Arc::new(running), manifest, indexes })
    }

    /// Makes a store where there is none. The manifest comes first: without logs it needs no segments, but
    /// segments without a manifest are those of a store which lost it.
    fn create(&self) -> Result<Manifest, OpenError> {
        let numbers = segment::numbers(&self.dir).map_err(|error| files::io(&self.dir, error))?;
        if let Some(number) = numbers.first() {
            let segment = segment::path(&self.dir, *number);
            let what = format!("it is missing, but {} is there", segment.display());
            return Err(files::corrupt(&manifest::path(&self.dir), what));
        }
        let manifest = Manifest::new();
        self.write(&manifest)?;
        Ok(manifest)
    }

    /// Adds a log to the manifest and returns its number.
    fn register(&self, run: &mut Run, name: &LogName) -> Result<u32, OpenError> {
        let mut manifest = run.manifest.clone();
        manifest.logs.push(name.clone());
        self.write(&manifest)?;
        run.manifest = manifest;
        run.indexes.push(Arc::new(Mutex::new(Index::new())));
        let number = run.manifest.number(name);
        number.ok_or_else(|| files::corrupt(&manifest::path(&self.dir), "it has too many logs"))
    }

    fn write(&self, manifest: &Manifest) -> Result<(), OpenError> {
        manifest.write(&self.dir).map_err(|error| files::io(&manifest::path(&self.dir), error))
    }

    /// Closes a log, and with the last one the journal and the store. Under the lock of the state, so that
    /// who opens a log meanwhile waits instead of finding the store locked.
    pub(super) fn close(&self, name: &LogName, running: Arc<Running>) {
        let mut state = locked(&self.state);
        drop(running);
        state.open.retain(|open| open != name);
        state.close_unless_open();
    }
}

impl State {
    fn close_unless_open(&mut self) {
        if self.open.is_empty() {
            // In this order: the journal's thread ends before another process may write.
            self.run = None;
            self.lock = None;
        }
    }
}

/// A log's name in errors.
fn location(dir: &Path, name: &LogName) -> String {
    format!("the log {name} in {}", dir.display())
}
