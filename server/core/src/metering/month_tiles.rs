//! The tiles of a month, by day and block; and one series' hours of it, as rating reads them.

use std::sync::Arc;

use super::tile::{BLOCK, Run, TILE_HOURS, Tile};
use crate::time::BillingMonth;

/// What was metered in a month. A copy shares the tiles; whoever writes to one first copies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthTiles {
    first_hour: i32,
    hours: usize,
    /// By day, and in a day by block.
    days: Vec<Vec<Option<Arc<Tile>>>>,
}

impl MonthTiles {
    /// An empty month.
    pub fn new(month: BillingMonth) -> MonthTiles {
        let hours = month.hours();
        let count = hours.len();
        MonthTiles {
            first_hour: hours.start.index(),
            hours: count,
            days: vec![Vec::new(); count.div_ceil(TILE_HOURS)],
        }
    }

    /// How many hours the month has.
    pub fn hours(&self) -> usize {
        self.hours
    }

    /// The position of an hour in the month.
    pub fn offset(&self, hour: i32) -> Option<usize> {
        usize::try_from(hour - self.first_hour).ok().filter(|offset| *offset < self.hours)
    }

    /// Takes records of one hour of the month and one block, which has so many series.
    pub fn accept(&mut self, offset: usize, block: usize, series: usize, run: Run<'_>) {
        if let Some(tile) = self.tile_with_room(offset, block, series) {
            tile.accept(offset % TILE_HOURS, run);
        }
    }

    /// Adds to what was metered of a series in an hour of the month; its block has so many series.
    pub fn add(&mut self, offset: usize, handle: u32, series: usize, millionths: u64) {
        let (block, index) = (handle as usize / BLOCK, handle as usize % BLOCK);
        if let Some(tile) = self.tile_with_room(offset, block, series) {
            tile.add(offset % TILE_HOURS, index, millionths);
        }
    }

    #[inline]
    fn tile_with_room(&mut self, offset: usize, block: usize, series: usize) -> Option<&mut Tile> {
        let day = self.days.get_mut(offset / TILE_HOURS)?;
        if day.len() <= block {
            day.resize(block + 1, None);
        }
        let slot = day.get_mut(block)?;
        let tile = Arc::make_mut(slot.get_or_insert_with(|| Arc::new(Tile::new(series))));
        if tile.width() < series.min(BLOCK) {
            tile.widen(series.min(BLOCK));
        }
        Some(tile)
    }

    /// The tile of a day and a block; none when nothing was metered in it.
    pub fn tile(&self, day: usize, block: usize) -> Option<&Tile> {
        self.days.get(day)?.get(block)?.as_deref()
    }

    /// The tiles with their days and blocks.
    pub fn all_tiles(&self) -> impl Iterator<Item = (usize, usize, &Arc<Tile>)> {
        self.days.iter().enumerate().flat_map(|(day, blocks)| {
            let tiles = blocks.iter().enumerate();
            tiles.filter_map(move |(block, tile)| Some((day, block, tile.as_ref()?)))
        })
    }

    /// How many blocks have something at most.
    pub fn blocks(&self) -> usize {
        self.days.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// How many days the month has.
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// Puts a whole tile in its place.
    pub fn put(&mut self, day: usize, block: usize, tile: Tile) {
        let Some(day) = self.days.get_mut(day) else { return };
        if day.len() <= block {
            day.resize(block + 1, None);
        }
        if let Some(slot) = day.get_mut(block) {
            *slot = Some(Arc::new(tile));
        }
    }

    /// The hours of one series.
    pub fn column(&self, handle: u32) -> MonthColumn<'_> {
        MonthColumn { month: self, block: handle as usize / BLOCK, index: handle as usize % BLOCK }
    }
}

/// One series' hours of a month.
#[derive(Debug, Clone, Copy)]
pub struct MonthColumn<'a> {
    month: &'a MonthTiles,
    block: usize,
    index: usize,
}

impl<'a> MonthColumn<'a> {
    /// What was metered in an hour of the month, in millionths; none when nothing was.
    pub fn get(&self, offset: usize) -> Option<u64> {
        self.month.tile(offset / TILE_HOURS, self.block)?.get(offset % TILE_HOURS, self.index)
    }

    /// Whether something was metered in it.
    pub fn is_used(&self) -> bool {
        self.metered_from(0).next().is_some()
    }

    /// The hours from `from` on in which something was metered, and how much, in millionths.
    pub fn metered_from(&self, from: usize) -> impl Iterator<Item = (usize, u64)> + 'a {
        let MonthColumn { month, block, index } = *self;
        let days =
            (from / TILE_HOURS..month.days()).filter_map(move |day| Some((day, month.tile(day, block)?)));
        let hours = days.flat_map(|(day, tile)| (0..TILE_HOURS).map(move |hour| (day, tile, hour)));
        let metered = hours
            .filter_map(move |(day, tile, hour)| Some((day * TILE_HOURS + hour, tile.get(hour, index)?)));
        metered.filter(move |(offset, _)| from <= *offset)
    }

    /// The sum of the hours `from..to` in millionths, and in how many of them something was metered.
    pub fn sum(&self, from: usize, to: usize) -> (u128, u32) {
        let metered = self.metered_from(from).take_while(|(offset, _)| *offset < to);
        metered.fold((0, 0), |(sum, hours), (_, millionths)| (sum + u128::from(millionths), hours + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tile::{Outcome, Quantities};
    use super::*;
    use crate::quantity::MILLIONTHS;

    fn month() -> MonthTiles {
        MonthTiles::new(BillingMonth::parse("2025-01").unwrap())
    }

    fn accept(month: &mut MonthTiles, offset: usize, handle: u32, units: u32) -> Outcome {
        let mut exceptions = Vec::new();
        let quantities = Quantities::Units(&[units]);
        let run = Run { handles: &[handle], quantities, first: 0, exceptions: &mut exceptions };
        month.accept(offset, handle as usize / BLOCK, handle as usize % BLOCK + 1, run);
        exceptions.first().map_or(Outcome::New, |(_, outcome)| *outcome)
    }

    #[test]
    fn what_was_metered_comes_from_any_hour_on() {
        let mut month = month();
        let metered = [0, 1, 23, 24, 63, 64, 127, 128, 700, 743];
        for handle in [0, 5, 1_030] {
            for offset in metered {
                assert_eq!(accept(&mut month, offset, handle, offset as u32), Outcome::New);
            }
            for from in 0..800 {
                let found: Vec<_> = month.column(handle).metered_from(from).collect();
                let expected: Vec<_> = metered
                    .iter()
                    .filter(|&&offset| offset >= from)
                    .map(|&offset| (offset, offset as u64 * MILLIONTHS))
                    .collect();
                assert_eq!(found, expected, "from {from}");
            }
        }
        assert!(!month.column(6).is_used());
        let sum: u64 = [23, 24, 63].iter().sum();
        assert_eq!(month.column(5).sum(2, 64), (u128::from(sum * MILLIONTHS), 3));
    }

    #[test]
    fn a_copy_stands_still_while_its_original_is_written() {
        let mut month = month();
        accept(&mut month, 100, 3, 7);
        let copy = month.clone();
        accept(&mut month, 101, 3, 8);
        accept(&mut month, 200, 3, 9);
        assert_eq!(copy.column(3).sum(0, 744), (7 * u128::from(MILLIONTHS), 1));
        assert_eq!(month.column(3).sum(0, 744), (24 * u128::from(MILLIONTHS), 3));
    }
}
