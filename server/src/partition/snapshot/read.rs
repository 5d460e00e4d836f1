//! Reads a snapshot: what was published up to it, its events, its tiles.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;

use prost::Message;
use souk_core::ids::SandboxName;
use souk_core::machine::follow;
use souk_core::metering::month_tiles::MonthTiles;
use souk_log::Seq;
use souk_proto::journal::v1 as journal;

use super::frame::{self, Kind};
use super::{FORMAT, Index};
use crate::codec::tile::{PlacedTile, from_journal_tile};
use crate::codec::{CodecError, PartitionBatch};
use crate::partition::ControlFeed;
use crate::partition::replay::{Replayed, apply_events};

const BUFFER_BYTES: usize = 1024 * 1024;

/// What a snapshot restored.
pub struct Restored {
    /// The state.
    pub state: Replayed,
    /// The first batch of the log that is not in it.
    pub next: Seq,
    /// Where the tiles of closed months are.
    pub archived: Index,
}

/// Why a snapshot is not used; the log is replayed from its start.
#[derive(Debug, thiserror::Error)]
pub enum Ignored {
    /// It cannot be read, or is damaged.
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    /// A frame cannot be decoded.
    #[error("frame {number}: {source}")]
    Decode {
        /// Which.
        number: u64,
        /// Why.
        source: CodecError,
    },
    /// It is not what a snapshot is.
    #[error("{0}")]
    Other(String),
}

/// Reads a partition's snapshot; none when there is none.
pub fn read(path: &Path, partition: usize, feed: &ControlFeed) -> Result<Option<Restored>, Ignored> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut bytes = Vec::new();
    if frame::read(&mut file, &mut bytes)? != Kind::Head {
        return Err(Ignored::Other("it does not begin with a head".to_owned()));
    }
    let decode = |number, source: prost::DecodeError| Ignored::Decode {
        number,
        source: CodecError::Unreadable(source),
    };
    let head = journal::SnapshotHead::decode(bytes.as_slice()).map_err(|error| decode(0, error))?;
    let mut restored = begin(&head, partition, feed)?;
    let names: Vec<_> = head.sandboxes.iter().map(|name| SandboxName::new(name)).collect();
    let mut frames = 1_u64;
    loop {
        let kind = frame::read(&mut file, &mut bytes)?;
        let failed = |source| Ignored::Decode { number: frames, source };
        match kind {
            Kind::Head => return Err(Ignored::Other("it has two heads".to_owned())),
            Kind::Batch => {
                let batch = PartitionBatch::decode(&bytes).map_err(failed)?;
                apply_events(&mut restored.state, restored.next, &batch.events)
                    .map_err(|error| Ignored::Other(error.to_string()))?;
            }
            Kind::Tile => {
                let tile = journal::Tile::decode(bytes.as_slice()).map_err(|error| decode(frames, error))?;
                put_tile(&mut restored.state, &names, from_journal_tile(&tile).map_err(failed)?)?;
            }
            Kind::End if bytes == frames.to_le_bytes() => return Ok(Some(restored)),
            Kind::End => {
                return Err(Ignored::Other(format!("it has lost some of its frames: {frames} are left")));
            }
        }
        frames += 1;
    }
}

fn begin(head: &journal::SnapshotHead, partition: usize, feed: &ControlFeed) -> Result<Restored, Ignored> {
    let other = |why: String| Err(Ignored::Other(why));
    if head.format_version != FORMAT {
        return other(format!("it has format {}, and this server reads {FORMAT}", head.format_version));
    }
    if head.partition != Some(partition as u32) {
        return other(format!("it is of partition {:?}", head.partition));
    }
    let Some(next) = head.next_batch.and_then(Seq::new) else {
        return other("it does not say where it ends in the log".to_owned());
    };
    let followed = head.followed_control_seq.unwrap_or(0);
    let mut state = Replayed::default();
    while state.followed < followed {
        let Some(entries) = feed.after(state.followed) else {
            return other(format!("it follows control entry {followed}, and the control log ends before it"));
        };
        for entry in entries.iter() {
            follow::apply(&mut state.sandboxes, entry);
        }
        state.followed += 1;
    }
    let archived = Index::from_journal(&head.archived_months, &head.sandboxes);
    let archived = archived.map_err(|source| Ignored::Decode { number: 0, source })?;
    Ok(Restored { state, next, archived })
}

fn put_tile(state: &mut Replayed, names: &[SandboxName], placed: PlacedTile) -> Result<(), Ignored> {
    let name = names.get(placed.sandbox as usize);
    let sandbox = name.and_then(|name| state.sandboxes.get_mut(name));
    let sandbox = sandbox.ok_or_else(|| Ignored::Other("a tile is of no sandbox".to_owned()))?;
    let tally = sandbox.tally_mut();
    let blocks = tally.all_series().len().div_ceil(souk_core::metering::tile::BLOCK);
    if placed.block >= blocks {
        return Err(Ignored::Other(format!("a tile is of block {}, of {blocks}", placed.block)));
    }
    let month = tally.month_mut(placed.month, || MonthTiles::new(placed.month));
    month.put(placed.day, placed.block, placed.tile);
    Ok(())
}
