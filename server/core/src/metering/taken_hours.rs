//! Between which hours every record of a series is taken, remembered from the agreements: so that a row of a
//! column costs a comparison, and a block of rows often one for all. What is not remembered is not refused; it is
//! looked up in the agreements, which stay the only truth.

use super::series::SeriesHandle;
use super::tile::BLOCK;
use crate::time::Timestamp;

/// Hours from the first to the one behind the last, counted from 1970.
pub type Hours = std::ops::Range<i32>;

const NONE: Hours = 0..0;

/// What is remembered of every series.
#[derive(Debug, Clone)]
pub struct TakenHours {
    blocks: Vec<Block>,
    /// From here on, what is remembered may not hold.
    expires: Timestamp,
}

#[derive(Debug, Clone)]
struct Block {
    each: Vec<Hours>,
    /// The hours of all of them, when something is remembered of each.
    common: Hours,
    remembered: usize,
}

impl Default for TakenHours {
    fn default() -> TakenHours {
        TakenHours { blocks: Vec::new(), expires: Timestamp::MAX }
    }
}

impl TakenHours {
    /// Forgets what does not hold any more at `now`.
    pub fn expire(&mut self, now: Timestamp) {
        if now >= self.expires {
            *self = TakenHours::default();
        }
    }

    /// Whether every record of an hour is taken, whatever series of a block that has so many it is of.
    pub fn take_all(&self, block: usize, series: usize, hour: i32) -> bool {
        self.blocks.get(block).is_some_and(|b| b.each.len() == series && b.common.contains(&hour))
    }

    /// Whether every record of a series and an hour is taken. No: nothing is remembered.
    pub fn take(&self, handle: u32, hour: i32) -> bool {
        let block = self.blocks.get(handle as usize / BLOCK);
        block.and_then(|b| b.each.get(handle as usize % BLOCK)).is_some_and(|hours| hours.contains(&hour))
    }

    /// Remembers the hours of a series.
    pub fn remember(&mut self, handle: u32, hours: Hours, expires: Timestamp) {
        let (block, index) = (handle as usize / BLOCK, handle as usize % BLOCK);
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, Block { each: Vec::new(), common: NONE, remembered: 0 });
        }
        let Some(block) = self.blocks.get_mut(block) else { return };
        if block.each.len() <= index {
            block.each.resize(index + 1, NONE);
        }
        if let Some(old) = block.each.get_mut(index) {
            block.remembered += usize::from(hours.start < hours.end);
            block.remembered -= usize::from(old.start < old.end);
            *old = hours;
        }
        block.common = match block.remembered == block.each.len() {
            true => {
                let first = block.each.iter().map(|hours| hours.start).max().unwrap_or(0);
                let end = block.each.iter().map(|hours| hours.end).min().unwrap_or(0);
                first..end
            }
            false => NONE,
        };
        self.expires = self.expires.min(expires);
    }

    /// Forgets a series: its agreements changed.
    pub fn forget(&mut self, handle: SeriesHandle) {
        let Some(block) = self.blocks.get_mut(handle.0 as usize / BLOCK) else { return };
        let Some(hours) = block.each.get_mut(handle.0 as usize % BLOCK) else { return };
        if hours.start < hours.end {
            *hours = NONE;
            block.remembered -= 1;
            block.common = NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    #[test]
    fn a_block_is_taken_whole_when_all_of_it_is() {
        let mut taken = TakenHours::default();
        taken.remember(1_024, 10..20, Timestamp::MAX);
        taken.remember(1_026, 5..15, Timestamp::MAX);
        assert!(taken.take(1_024, 19) && !taken.take(1_024, 20) && !taken.take(1_025, 12));
        assert!(!taken.take_all(1, 3, 12));
        taken.remember(1_025, 0..100, Timestamp::MAX);
        assert!(taken.take_all(1, 3, 10) && taken.take_all(1, 3, 14));
        assert!(!taken.take_all(1, 3, 15) && !taken.take_all(1, 3, 9) && !taken.take_all(0, 1, 12));
        // One more was opened.
        assert!(!taken.take_all(1, 4, 12));
        taken.forget(SeriesHandle(1_025));
        assert!(!taken.take_all(1, 3, 12) && !taken.take(1_025, 12) && taken.take(1_024, 12));
    }

    #[test]
    fn all_is_forgotten_when_the_first_of_it_expires() {
        let mut taken = TakenHours::default();
        taken.remember(0, 0..9, at(100));
        taken.remember(1, 0..9, at(50));
        taken.expire(at(49));
        assert!(taken.take(0, 3));
        taken.expire(at(50));
        assert!(!taken.take(0, 3) && !taken.take(1, 3));
    }
}
