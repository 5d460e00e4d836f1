//! Takes snapshots beside a writer that goes on: it holds copies still, and another thread archives the months that
//! are closed and writes the rest down.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::JoinHandle;

use souk_core::ids::SandboxName;
use souk_core::machine::Sandbox;
use souk_core::time::BillingMonth;
use tracing::{info, warn};

use super::{Snapshot, path, write};
use crate::partition::archive::{Archive, Blocks};

/// When snapshots are taken and months archived.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows of usage after which a snapshot is taken, at least; it is taken later when more rows than these are in
    /// memory, so that what is written down stays a part of what comes in.
    pub snapshot_rows: u64,
    /// Bytes of a closed month from which it goes into the archive.
    pub archive_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { snapshot_rows: 4_000_000, archive_bytes: 256 * 1024 }
    }
}

/// A month that was archived: of which sandbox and of which of its incarnations.
pub struct Archived {
    /// The sandbox.
    pub sandbox: SandboxName,
    /// Its incarnation.
    pub generation: u64,
    /// The month.
    pub month: BillingMonth,
    /// Where its tiles are.
    pub blocks: Blocks,
}

/// A partition's snapshots.
pub struct Taker {
    folder: Option<PathBuf>,
    archive: Arc<Archive>,
    limits: Limits,
    /// Rows since the last snapshot, and in memory at that time.
    rows: u64,
    held: u64,
    /// A month may have closed for all.
    month_closed: bool,
    running: Option<(JoinHandle<()>, Receiver<Done>)>,
}

/// What a thread has done.
struct Done {
    archived: Vec<Archived>,
    /// Rows that the snapshot holds, if it was written.
    held: Option<u64>,
}

impl Taker {
    /// Snapshots in a folder; none are taken without one.
    pub fn new(folder: Option<PathBuf>, archive: Arc<Archive>, limits: Limits) -> Taker {
        Taker { folder, archive, limits, rows: 0, held: 0, month_closed: true, running: None }
    }

    /// So many rows came in.
    pub fn count(&mut self, rows: usize) {
        self.rows += rows as u64;
    }

    /// A month closed.
    pub fn note_close(&mut self) {
        self.month_closed = true;
    }

    /// Whether a snapshot should be taken now: enough has come in, or closed months can leave memory.
    pub fn is_due<'a>(&mut self, sandboxes: impl Iterator<Item = &'a Sandbox>) -> bool {
        if self.folder.is_none() || self.running.is_some() {
            return false;
        }
        if self.rows >= self.limits.snapshot_rows.max(self.held) {
            return true;
        }
        let looks = std::mem::take(&mut self.month_closed);
        looks && sandboxes.flat_map(closed_months).any(|(_, bytes)| bytes >= self.limits.archive_bytes)
    }

    /// Whether enough came in since the last snapshot that a stop should write one.
    pub fn is_worth_it(&self) -> bool {
        self.folder.is_some() && self.rows >= self.limits.snapshot_rows.min(self.held.max(1_000))
    }

    /// Begins a snapshot. `generations` are those of its sandboxes, and `durable` says once that all of it is in the
    /// log.
    pub fn begin(&mut self, snapshot: Snapshot, generations: Vec<u64>, durable: Receiver<bool>) {
        let Some(folder) = self.folder.clone() else { return };
        self.rows = 0;
        let (archive, archive_bytes) = (self.archive.clone(), self.limits.archive_bytes);
        let (sender, done) = channel();
        let name = format!("snapshot-{}", snapshot.partition);
        let work = move || {
            let partition = snapshot.partition;
            let (archived, snapshot) = archive_closed(&archive, snapshot, &generations, archive_bytes);
            let held = held(&snapshot);
            let may_be_seen = || durable.recv().unwrap_or(false);
            let written = match write(&path(&folder, partition), &snapshot, may_be_seen) {
                Ok(Some(bytes)) => {
                    info!(partition, bytes, rows = held, "snapshot written");
                    true
                }
                Ok(None) => false,
                Err(error) => {
                    warn!(partition, %error, "a snapshot could not be written; the log has everything");
                    false
                }
            };
            // Nobody waits for it any more when the partition stops.
            let _ = sender.send(Done { archived, held: written.then_some(held) });
        };
        match std::thread::Builder::new().name(name).spawn(work) {
            Ok(thread) => self.running = Some((thread, done)),
            Err(error) => warn!(%error, "a thread for a snapshot could not be started"),
        }
    }

    /// What was archived, when a snapshot has ended.
    pub fn ended(&mut self) -> Vec<Archived> {
        let Some((_, done)) = &self.running else { return Vec::new() };
        let done = match done.try_recv() {
            Err(TryRecvError::Empty) => return Vec::new(),
            Err(TryRecvError::Disconnected) => None,
            Ok(done) => Some(done),
        };
        self.finish(done)
    }

    /// The same, waiting for it.
    pub fn wait(&mut self) -> Vec<Archived> {
        let Some((_, done)) = &self.running else { return Vec::new() };
        let done = done.recv().ok();
        self.finish(done)
    }

    fn finish(&mut self, done: Option<Done>) -> Vec<Archived> {
        if let Some((thread, _)) = self.running.take()
            && thread.join().is_err()
        {
            warn!("the thread of a snapshot failed; the log has everything");
        }
        let Some(done) = done else { return Vec::new() };
        if let Some(held) = done.held {
            self.held = held;
        }
        done.archived
    }
}

/// The months of a sandbox that no family has open, and how many bytes their tiles have.
fn closed_months(sandbox: &Sandbox) -> impl Iterator<Item = (BillingMonth, usize)> {
    let open = sandbox.families().values().map(|family| family.open_month).min();
    let months = sandbox.tally().all_months();
    let closed = months.take_while(move |(month, _)| open.is_some_and(|open| *month < open));
    closed.map(|(month, tiles)| (month, tiles.all_tiles().map(|(_, _, tile)| tile.bytes()).sum()))
}

/// Moves closed months from a snapshot into the archive. What cannot be archived stays in the snapshot.
fn archive_closed(
    archive: &Archive,
    mut snapshot: Snapshot,
    generations: &[u64],
    archive_bytes: usize,
) -> (Vec<Archived>, Snapshot) {
    let mut archived = Vec::new();
    for ((name, sandbox), generation) in snapshot.sandboxes.iter_mut().zip(generations) {
        let closed: Vec<_> = closed_months(sandbox).filter(|(_, bytes)| *bytes >= archive_bytes).collect();
        for (month, bytes) in closed {
            let Some(tiles) = sandbox.tally().tiles(month) else { continue };
            match archive.append(name, month, tiles) {
                Ok(blocks) => {
                    info!(sandbox = %name, %month, bytes, "closed month archived");
                    sandbox.tally_mut().take_month(month);
                    snapshot.archived.add(name.clone(), month, blocks.clone());
                    archived.push(Archived { sandbox: name.clone(), generation: *generation, month, blocks });
                }
                Err(error) => warn!(sandbox = %name, %month, %error, "a closed month stays in memory"),
            }
        }
    }
    (archived, snapshot)
}

fn held(snapshot: &Snapshot) -> u64 {
    let months = snapshot.sandboxes.values().flat_map(|sandbox| sandbox.tally().all_months());
    let tiles = months.flat_map(|(_, tiles)| tiles.all_tiles());
    tiles.map(|(_, _, tile)| tile.metered()).sum()
}
