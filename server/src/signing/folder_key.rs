//! The data folder's own key pair: made when it is first asked for, and kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;
use tracing::info;

use super::PrivateKey;
use crate::error::AppError;
use crate::folder::write_secret;

/// The file of a data folder's key.
pub const FILE: &str = "register-usage-key.pem";

/// The key of a data folder, or of a marketplace in memory.
#[derive(Clone)]
pub struct FolderKey {
    /// Where it is kept; nowhere in memory.
    file: Option<PathBuf>,
    key: Arc<Mutex<Option<Arc<PrivateKey>>>>,
}

impl FolderKey {
    /// A key that is gone with the marketplace.
    pub fn in_memory() -> FolderKey {
        FolderKey { file: None, key: Arc::default() }
    }

    /// The key of a data folder.
    pub fn in_folder(folder: &Path) -> FolderKey {
        FolderKey { file: Some(folder.join(FILE)), key: Arc::default() }
    }

    /// The key. The first call makes it on a thread for slow work, and whoever asks meanwhile waits for it.
    pub async fn get(&self) -> Result<Arc<PrivateKey>, AppError> {
        let mut held = self.key.clone().lock_owned().await;
        if let Some(key) = &*held {
            return Ok(key.clone());
        }
        let file = self.file.clone();
        // The lock goes with the work: it is carried out once even when whoever asked first goes away.
        let work = tokio::task::spawn_blocking(move || {
            let key = Arc::new(read_or_make(file.as_deref()).map_err(AppError::Unavailable)?);
            *held = Some(key.clone());
            Ok(key)
        });
        work.await.unwrap_or_else(|failed| Err(AppError::Unavailable(failed.to_string())))
    }
}

fn read_or_make(file: Option<&Path>) -> Result<PrivateKey, String> {
    let Some(file) = file else { return PrivateKey::generate().map_err(|failed| failed.to_string()) };
    let name = file.display();
    match std::fs::read_to_string(file) {
        Ok(text) => PrivateKey::from_pem(&text).map_err(|refused| {
            format!("the key in {name} cannot be used ({refused}): restore it, or move it away for a new one")
        }),
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            let key = PrivateKey::generate().map_err(|failed| failed.to_string())?;
            let text = key.to_pem().map_err(|failed| failed.to_string())?;
            write_secret(file, &text).map_err(|e| format!("the key cannot be written to {name}: {e}"))?;
            info!(file = %name, "made the key that signs what RegisterUsage answers");
            Ok(key)
        }
        Err(error) => Err(format!("the key in {name} cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(key: &PrivateKey) -> String {
        key.public_pem().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_folder_has_one_key_for_all_who_ask_and_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let key = FolderKey::in_folder(folder.path());
        // Whoever asks first may go away: the work goes on, and the others get what it made.
        let first = tokio::spawn({
            let key = key.clone();
            async move { key.get().await.map(|key| public(&key)) }
        });
        tokio::task::yield_now().await;
        first.abort();
        let asked: Vec<_> = (0..4)
            .map(|_| {
                let key = key.clone();
                tokio::spawn(async move { public(&key.get().await.unwrap()) })
            })
            .collect();
        let found = public(&key.get().await.unwrap());
        for other in asked {
            assert_eq!(other.await.unwrap(), found);
        }
        let restarted = FolderKey::in_folder(folder.path());
        assert_eq!(public(&restarted.get().await.unwrap()), found);
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE]);
        assert_ne!(public(&FolderKey::in_memory().get().await.unwrap()), found);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_its_owner_s_alone_even_where_a_cut_off_one_was_left() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let remainder = folder.path().join(format!("{FILE}.new"));
        std::fs::write(&remainder, "cut off").unwrap();
        FolderKey::in_folder(folder.path()).get().await.unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!remainder.exists());
    }

    #[tokio::test]
    async fn a_damaged_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "nothing").unwrap();
        let refused = FolderKey::in_folder(folder.path()).get().await.err().unwrap().to_string();
        assert!(refused.contains(FILE) && refused.contains("restore it"), "{refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "nothing");
    }
}
