//! Writes a snapshot beside the old one, and puts it in its place when it is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use prost::Message;
use souk_core::ids::SandboxName;
use souk_core::machine::{Event, rebuild};
use souk_proto::journal::v1 as journal;

use super::frame::{self, Kind};
use super::{FORMAT, Snapshot};
use crate::codec::encode_partition_batch;
use crate::codec::tile::to_journal_tile;

const BUFFER_BYTES: usize = 1024 * 1024;
/// Events and invoice lines after which a batch is full.
const BATCH_WEIGHT: usize = 10_000;

/// Writes a snapshot; answers how many bytes it has. Nobody sees it before it is flushed and whole, and
/// `may_be_seen` has answered yes: that all of it is durable in the log.
pub fn write(
    path: &Path,
    snapshot: &Snapshot,
    may_be_seen: impl FnOnce() -> bool,
) -> io::Result<Option<u64>> {
    let draft = path.with_extension("snapshot.new");
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, File::create(&draft)?);
    let mut frames = 0_u64;
    let mut put = |kind, bytes: &[u8]| {
        frames += 1;
        frame::write(&mut out, kind, bytes)
    };
    put(Kind::Head, &head(snapshot).encode_to_vec())?;
    for (name, sandbox) in &snapshot.sandboxes {
        let mut events: Vec<(SandboxName, Event)> = Vec::new();
        let mut weight = 0;
        for event in rebuild::events(sandbox) {
            weight += event.weight();
            events.push((name.clone(), event));
            if weight >= BATCH_WEIGHT {
                put(Kind::Batch, &encode_partition_batch(snapshot.time, None, &events))?;
                events.clear();
                weight = 0;
            }
        }
        if !events.is_empty() {
            put(Kind::Batch, &encode_partition_batch(snapshot.time, None, &events))?;
        }
    }
    for (position, sandbox) in (0..).zip(snapshot.sandboxes.values()) {
        for (month, tiles) in sandbox.tally().all_months() {
            for (day, block, tile) in tiles.all_tiles() {
                put(Kind::Tile, &to_journal_tile(position, month, day, block, tile).encode_to_vec())?;
            }
        }
    }
    frame::write(&mut out, Kind::End, &frames.to_le_bytes())?;
    out.flush()?;
    let file = out.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    drop(file);
    if !may_be_seen() {
        fs::remove_file(&draft)?;
        return Ok(None);
    }
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(Some(bytes))
}

fn head(snapshot: &Snapshot) -> journal::SnapshotHead {
    let positions: BTreeMap<&SandboxName, u32> = snapshot.sandboxes.keys().zip(0..).collect();
    journal::SnapshotHead {
        format_version: FORMAT,
        time_micros: Some(snapshot.time.micros()),
        partition: Some(snapshot.partition as u32),
        followed_control_seq: Some(snapshot.followed),
        next_batch: Some(snapshot.next),
        sandboxes: snapshot.sandboxes.keys().map(ToString::to_string).collect(),
        archived_months: snapshot.archived.to_journal(&positions),
    }
}
