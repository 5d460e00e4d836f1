//! A partition's state at its start: from the last snapshot and what the log holds behind it, or from the log alone.

use std::ops::Range;

use souk_core::machine::ControlEntry;
use souk_log::{PartitionLog, Seq};
use tracing::warn;

use super::ControlFeed;
use super::archive::{Archive, Index};
use super::replay::{ReplayError, Replayed, replay};
use super::snapshot::{self, Restored};
use super::writer::Setup;

/// Rebuilds the state from the last snapshot and what the log holds behind it; from the log alone, if the snapshot
/// is none that can be used.
pub fn restore(
    setup: &Setup,
    mut log: Box<dyn PartitionLog>,
    archive: &Archive,
) -> Result<(Box<dyn PartitionLog>, Restored), ReplayError> {
    let partition = setup.index;
    let snapshot = setup.folder.as_deref().map_or(Ok(None), |folder| {
        snapshot::read(&snapshot::path(folder, partition), partition, &setup.feed)
    });
    let restored = match snapshot {
        Ok(Some(restored)) if log.next() < restored.next => {
            warn!(partition, "the snapshot is ahead of the log and is ignored");
            None
        }
        Ok(Some(restored)) if !archive.holds(&restored.archived) => {
            warn!(partition, "the snapshot needs an archive that is missing, and is ignored");
            None
        }
        Ok(restored) => restored,
        Err(ignored) => {
            let why = std::error::Error::source(&ignored).map(ToString::to_string).unwrap_or_default();
            warn!(partition, %ignored, why, "the snapshot is ignored");
            None
        }
    };
    if let Some(Restored { state, next, mut archived }) = restored {
        let since = state.followed;
        match replay(log.as_mut(), &setup.feed, state, next) {
            Ok(state) => {
                forget_replaced(&mut archived, &setup.feed, since..state.followed);
                return Ok((log, Restored { state, next, archived }));
            }
            Err(error) => {
                warn!(partition, %error, "the log does not go on from the snapshot, which is ignored")
            }
        }
    }
    let state = replay(log.as_mut(), &setup.feed, Replayed::default(), Seq::FIRST)?;
    let next = log.next();
    Ok((log, Restored { state, next, archived: Index::default() }))
}

/// A sandbox that was replaced or deleted behind the snapshot has nothing of its former months.
fn forget_replaced(archived: &mut Index, feed: &ControlFeed, followed: Range<u64>) {
    for entry in followed.filter_map(|before| feed.after(before)).flat_map(|entries| entries.to_vec()) {
        match &entry {
            ControlEntry::SandboxPut { name, .. } | ControlEntry::SandboxDeleted { name } => {
                archived.forget(name);
            }
            ControlEntry::Changed { .. } => (),
        }
    }
}
