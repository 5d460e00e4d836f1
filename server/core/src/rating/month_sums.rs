//! Sums over a month by series, computed from the raw hours block by block when one of a block is asked for: once
//! for all families that close at the same moment, or for a family's own series alone. They are derived, and thrown
//! away with the first change of the month.

use super::block_sums::{BlockSums, SeriesSums, WORD};
use crate::metering::UsageColumns;
use crate::metering::columns::HourColumn;
use crate::metering::month_tiles::MonthTiles;
use crate::metering::series::SeriesHandle;
use crate::metering::tile::BLOCK;
use crate::time::{BillingMonth, HourRange};

/// Words of a block's bitmap.
const WORDS: usize = BLOCK / WORD;

/// The sums of a month that were computed, and the cover that they are computed with.
#[derive(Debug, Clone)]
pub struct MonthSums {
    month: BillingMonth,
    hours: HourRange,
    /// Which words of a block are summed when one of its series is asked for; all of them without a block here.
    scope: Option<Vec<u16>>,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, Default)]
struct Block {
    /// X of its series, in units, for the whole month; empty while none has any.
    cover: Vec<u64>,
    /// By runs of words.
    sums: Option<Vec<BlockSums>>,
}

impl MonthSums {
    /// Of whatever series are asked for, and of those that stand beside them: as when many families close.
    pub fn of_all(month: BillingMonth) -> MonthSums {
        MonthSums { month, hours: month.hours(), scope: None, blocks: Vec::new() }
    }

    /// Of these series alone.
    pub fn of_series(month: BillingMonth, series: impl IntoIterator<Item = SeriesHandle>) -> MonthSums {
        let mut scope = Vec::new();
        for handle in series {
            let (block, index) = place(handle);
            if scope.len() <= block {
                scope.resize(block + 1, 0);
            }
            if let Some(words) = scope.get_mut(block) {
                *words |= 1 << (index / WORD);
            }
        }
        MonthSums { month, hours: month.hours(), scope: Some(scope), blocks: Vec::new() }
    }

    /// Which month.
    pub fn month(&self) -> BillingMonth {
        self.month
    }

    /// Its hours.
    pub fn hours(&self) -> HourRange {
        self.hours
    }

    /// Whether usage changes what is summed.
    pub fn are_changed_by(&self, usage: &UsageColumns) -> bool {
        let hours = self.hours.start.index()..self.hours.end.index();
        match &usage.hours {
            HourColumn::One(hour) => hours.contains(hour),
            HourColumn::Each(each) => each.iter().any(|hour| hours.contains(hour)),
        }
    }

    /// Says that one series alone has all of a cover of so many units, the same in every hour. It counts for blocks
    /// that are not summed yet.
    pub fn expect_cover(&mut self, handle: SeriesHandle, units: u64) {
        let (block, index) = place(handle);
        let block = self.block(block);
        if block.cover.is_empty() {
            block.cover.resize(BLOCK, 0);
        }
        if let Some(cover) = block.cover.get_mut(index).filter(|_| block.sums.is_none()) {
            *cover = units;
        }
    }

    /// The cover with which the overflow of a series is computed, in units.
    pub fn cover(&self, handle: SeriesHandle) -> u64 {
        let (block, index) = place(handle);
        self.blocks.get(block).and_then(|block| block.cover.get(index)).copied().unwrap_or(0)
    }

    /// What a series did in the month.
    pub fn get(&mut self, tiles: &MonthTiles, handle: SeriesHandle) -> SeriesSums {
        let (number, index) = place(handle);
        let words = match &self.scope {
            Some(scope) => scope.get(number).copied().unwrap_or(0),
            None => u16::MAX,
        };
        let block = self.block(number);
        let sums = block.sums.get_or_insert_with(|| {
            let sum = |words: std::ops::Range<usize>| {
                let cover = block.cover.get(words.start * WORD..words.end * WORD).unwrap_or(&[]);
                BlockSums::of(tiles, number, words, 0..tiles.hours(), cover)
            };
            runs(words).map(sum).collect()
        });
        sums.iter().find_map(|sums| sums.get(index)).unwrap_or_default()
    }

    fn block(&mut self, number: usize) -> &mut Block {
        if self.blocks.len() <= number {
            self.blocks.resize_with(number + 1, Block::default);
        }
        &mut self.blocks[number]
    }
}

fn place(handle: SeriesHandle) -> (usize, usize) {
    (handle.0 as usize / BLOCK, handle.0 as usize % BLOCK)
}

/// The runs of words whose bits are set.
fn runs(words: u16) -> impl Iterator<Item = std::ops::Range<usize>> {
    let is_set = move |word: &usize| words >> word & 1 == 1;
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = (next..WORDS).find(is_set)?;
        next = (start..WORDS).find(|word| !is_set(word)).unwrap_or(WORDS);
        Some(start..next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_into_runs() {
        for (words, expected) in [
            (0, &[][..]),
            (0b1, &[(0, 1)]),
            (0b1011_0110, &[(1, 3), (4, 6), (7, 8)]),
            (u16::MAX, &[(0, 16)]),
            (1 << 15, &[(15, 16)]),
        ] {
            let found: Vec<_> = runs(words).map(|run| (run.start, run.end)).collect();
            assert_eq!(found, expected, "{words:b}");
        }
    }
}
