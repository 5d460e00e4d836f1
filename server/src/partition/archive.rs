//! The archive: the tiles of closed months, off memory and as narrow as their largest number. An explanation or a list
//! of records brings back the blocks that it needs.
//!
//! It is a log of its own beside the partition's, one batch a block and month. What it holds follows from the
//! partition's log: an archive that is lost costs a replay, never an amount.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use souk_core::ids::SandboxName;
use souk_core::metering::month_tiles::MonthTiles;
use souk_core::time::BillingMonth;
use souk_log::{LogName, LogStore, PartitionLog, Seq};
use souk_proto::journal::v1 as journal;

use crate::codec::CodecError;
use crate::codec::tile::{from_journal_tile, to_journal_tile};

const FORMAT: u32 = 1;

/// The batches of a month by block.
pub type Blocks = BTreeMap<usize, Seq>;

/// Where the tiles of closed months are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    months: BTreeMap<SandboxName, BTreeMap<BillingMonth, Blocks>>,
}

impl Index {
    /// The batches of a month; none when it is not in the archive.
    pub fn blocks(&self, sandbox: &SandboxName, month: BillingMonth) -> Option<&Blocks> {
        self.months.get(sandbox)?.get(&month)
    }

    /// The months of a sandbox that are in the archive, in order.
    pub fn months(&self, sandbox: &SandboxName) -> impl Iterator<Item = BillingMonth> {
        self.months.get(sandbox).into_iter().flat_map(|months| months.keys().copied())
    }

    /// Whether nothing is in the archive.
    pub fn is_empty(&self) -> bool {
        self.months.values().all(BTreeMap::is_empty)
    }

    /// A month is in the archive.
    pub fn add(&mut self, sandbox: SandboxName, month: BillingMonth, blocks: Blocks) {
        self.months.entry(sandbox).or_default().insert(month, blocks);
    }

    /// A sandbox is gone, or another one has its name.
    pub fn forget(&mut self, sandbox: &SandboxName) {
        self.months.remove(sandbox);
    }

    /// As a snapshot stores it, of the sandboxes that have a position.
    pub fn to_journal(&self, positions: &BTreeMap<&SandboxName, u32>) -> Vec<journal::ArchivedMonth> {
        let month = |position: u32, month: &BillingMonth, blocks: &Blocks| journal::ArchivedMonth {
            sandbox: Some(position),
            month: Some(month.index()),
            blocks: blocks
                .iter()
                .map(|(block, seq)| journal::ArchivedBlock {
                    block: Some(*block as u32),
                    batch: Some(seq.get()),
                })
                .collect(),
        };
        let placed = self.months.iter().filter_map(|(name, months)| Some((*positions.get(name)?, months)));
        placed.flat_map(|(at, months)| months.iter().map(move |(m, blocks)| month(at, m, blocks))).collect()
    }

    /// Reads what a snapshot stores.
    pub fn from_journal(
        months: &[journal::ArchivedMonth],
        sandboxes: &[String],
    ) -> Result<Index, CodecError> {
        let absent = |field: &'static str| move || CodecError::absent(field);
        let mut index = Index::default();
        for stored in months {
            let name = stored.sandbox.and_then(|position| sandboxes.get(position as usize));
            let name = name.ok_or_else(absent("archived_months.sandbox"))?;
            let month = stored.month.and_then(BillingMonth::from_index);
            let month = month.ok_or_else(absent("archived_months.month"))?;
            let block = |stored: &journal::ArchivedBlock| {
                let block = stored.block.ok_or_else(absent("archived_months.blocks.block"))?;
                let seq = stored.batch.and_then(Seq::new);
                Ok((block as usize, seq.ok_or_else(absent("archived_months.blocks.batch"))?))
            };
            let blocks = stored.blocks.iter().map(block).collect::<Result<_, CodecError>>()?;
            index.add(SandboxName::new(name), month, blocks);
        }
        Ok(index)
    }
}

/// Why the archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Its log cannot be opened.
    #[error(transparent)]
    Open(#[from] souk_log::OpenError),
    /// Its log takes no batch.
    #[error(transparent)]
    Append(#[from] souk_log::AppendError),
    /// Its log cannot be read.
    #[error(transparent)]
    Read(#[from] souk_log::ReadError),
    /// What it holds is not what was put there.
    #[error(
        "batch {seq} of the archive is not block {block} of {month}: remove the snapshots and start again"
    )]
    Wrong {
        /// The batch.
        seq: Seq,
        /// The block.
        block: usize,
        /// The month.
        month: BillingMonth,
    },
}

/// A partition's archive. Its log is opened when it is first needed.
pub struct Archive {
    store: Arc<dyn LogStore>,
    name: LogName,
    log: Mutex<Option<Box<dyn PartitionLog>>>,
}

impl Archive {
    /// The archive of a partition.
    pub fn new(store: Arc<dyn LogStore>, partition: usize) -> Archive {
        Archive { store, name: log_name(partition), log: Mutex::new(None) }
    }

    /// Puts a month into the archive; answers where its blocks are, durably.
    pub fn append(
        &self,
        sandbox: &SandboxName,
        month: BillingMonth,
        tiles: &MonthTiles,
    ) -> Result<Blocks, ArchiveError> {
        let mut blocks = Blocks::new();
        for block in 0..tiles.blocks() {
            let days = (0..tiles.days()).filter_map(|day| Some((day, tiles.tile(day, block)?)));
            let stored: Vec<_> =
                days.map(|(day, tile)| to_journal_tile(0, month, day, block, tile)).collect();
            if stored.is_empty() {
                continue;
            }
            let batch =
                journal::ArchiveBatch { format_version: FORMAT, sandbox: sandbox.to_string(), tiles: stored };
            let seq = self.with_log(|log| Ok(log.append(&batch.encode_to_vec())?))?;
            blocks.insert(block, seq);
        }
        Ok(blocks)
    }

    /// Brings blocks of a month back.
    pub fn load(
        &self,
        sandbox: &SandboxName,
        month: BillingMonth,
        blocks: impl IntoIterator<Item = (usize, Seq)>,
    ) -> Result<MonthTiles, ArchiveError> {
        let mut tiles = MonthTiles::new(month);
        for (block, seq) in blocks {
            let bytes = self.with_log(|log| {
                let mut found = None;
                log.read(seq, &mut |_, bytes| {
                    found = Some(bytes.to_vec());
                    ControlFlow::Break(())
                })?;
                Ok(found)
            })?;
            let wrong = || ArchiveError::Wrong { seq, block, month };
            let batch = journal::ArchiveBatch::decode(bytes.ok_or_else(wrong)?.as_slice());
            let batch = batch.map_err(|_| wrong())?;
            if batch.format_version != FORMAT || batch.sandbox != sandbox.as_str() {
                return Err(wrong());
            }
            for tile in &batch.tiles {
                let placed = from_journal_tile(tile).map_err(|_| wrong())?;
                if (placed.month, placed.block) != (month, block) {
                    return Err(wrong());
                }
                tiles.put(placed.day, block, placed.tile);
            }
        }
        Ok(tiles)
    }

    /// Whether its log is there and holds everything that an index says.
    pub fn holds(&self, index: &Index) -> bool {
        if index.is_empty() {
            return true;
        }
        let last = index.months.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).max();
        matches!(self.store.exists(&self.name), Ok(true))
            && self.with_log(|log| Ok(last.is_none_or(|last| *last < log.next()))).unwrap_or(false)
    }

    fn with_log<T>(
        &self,
        work: impl FnOnce(&mut dyn PartitionLog) -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match log.take() {
            Some(open) => open,
            None => self.store.open(&self.name)?,
        };
        let open = log.insert(open);
        let result = work(open.as_mut());
        if result.is_err() {
            // It may be poisoned: the next one opens it again.
            *log = None;
        }
        result
    }
}

/// The name of a partition's archive.
pub fn log_name(partition: usize) -> LogName {
    LogName::new(format!("archive-{partition}"))
        .unwrap_or_else(|_| unreachable!("a letter, a hyphen and a number"))
}
