//! The store's folder: its lock, and errors that name its files.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// The right to look at a store's files, held while any of its logs is open.
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of the store in `dir`, which is there. `log` is whose opening asks for it.
    pub(super) fn take(dir: &Path, log: &str) -> Result<Lock, OpenError> {
        let path = dir.join("journal.lock");
        let file = File::options().create(true).append(true).open(&path).map_err(|error| io(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { log: log.to_owned() }),
            Err(TryLockError::Error(error)) => Err(io(&path, error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do: a child process which is just being started has the file open as well.
        // The file stays; if it were removed, two writers could hold locks on two files of its name.
        let _ = self.0.unlock();
    }
}

/// Removes a file unless it is gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The name under which a file is made, until it is complete.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

pub(super) fn io(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io { log: path.display().to_string(), source: error.into() }
}

pub(super) fn corrupt(path: &Path, what: impl Into<String>) -> OpenError {
    OpenError::Corrupt { log: path.display().to_string(), what: what.into() }
}

pub(super) fn foreign(path: &Path, what: &str) -> OpenError {
    OpenError::Foreign { log: path.display().to_string(), what: what.to_owned() }
}
