//! Walks a group's hours where sums do not do: cover is shared out hour by hour, and a segment may be any part of the
//! month. A row is read once for all series of a group, and a day is walked by all groups of a family before the next
//! one is, so that what lies beside each other is read while it is near.

use std::ops::Range;

use super::overflow::{Count, SharedCover};
use super::trial::FreeHours;
use crate::metering::month_tiles::MonthTiles;
use crate::metering::series::SeriesHandle;
use crate::metering::tile::{BLOCK, Quantities, TILE_HOURS, Tile};

/// What a meter did in some hours, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MeterSums {
    /// Y, summed over the hours.
    pub metered: u128,
    /// What of Y cover took, summed over the hours.
    pub covered: u128,
    /// What of Y a free trial took before that.
    pub free: u128,
    /// In how many of them something was metered.
    pub hours: u32,
}

/// What one meter did in one hour in which something was metered.
#[derive(Debug, Clone, Copy)]
pub struct HourFacts {
    /// Which meter of its group.
    pub meter: usize,
    /// The position of the hour in the month.
    pub offset: usize,
    /// Y, in millionths.
    pub metered: u128,
    /// What of it was covered.
    pub covered: u128,
    /// What of it was free before that.
    pub free: u128,
}

/// Where the cells of a group are: in which block at which place, and of which meter.
#[derive(Debug, Default)]
pub struct Places {
    blocks: Vec<(usize, Vec<Place>)>,
    meters: usize,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    index: u32,
    meter: u32,
}

impl Places {
    /// Of the series of each meter.
    pub fn of<S: Iterator<Item = SeriesHandle>>(meters: impl Iterator<Item = S>) -> Places {
        let mut all = Vec::new();
        let mut count = 0;
        for (meter, series) in meters.enumerate() {
            all.extend(series.map(|handle| (handle.0, meter as u32)));
            count = meter + 1;
        }
        all.sort_unstable();
        let block = |handle: u32| handle as usize / BLOCK;
        let place = |&(handle, meter): &(u32, u32)| Place { index: handle % BLOCK as u32, meter };
        let blocks = all.chunk_by(|(one, _), (other, _)| block(*one) == block(*other));
        let blocks = blocks.filter_map(|all| {
            let (first, _) = all.first()?;
            Some((block(*first), all.iter().map(place).collect()))
        });
        Places { blocks: blocks.collect(), meters: count }
    }
}

/// A stretch of hours with one cover, by positions in the month, and what it sums up to by meter.
#[derive(Debug)]
pub struct Stretch {
    /// The hours.
    pub hours: Range<usize>,
    /// Their cover.
    pub cover: SharedCover,
    /// What each meter did in them.
    pub sums: Vec<MeterSums>,
    /// What was metered, and in how many hours, is summed: only what is covered must be walked.
    pub is_metered: bool,
}

impl Stretch {
    /// Walks those of its hours that are in a day; shows every hour with usage to `visit`, if these are not summed.
    pub fn walk_day(
        &mut self,
        tiles: &MonthTiles,
        places: &Places,
        free: &FreeHours,
        day: usize,
        visit: &mut impl FnMut(HourFacts),
    ) {
        let first = day * TILE_HOURS;
        let from = self.hours.start.max(first) - first;
        let to = self.hours.end.min(first + TILE_HOURS).saturating_sub(first);
        let blocks = places.blocks.iter();
        let blocks = blocks.filter_map(|(block, places)| Some((tiles.tile(day, *block)?, places.as_slice())));
        let day = Day { first, hours: from..to, blocks: blocks.collect(), meters: places.meters, free };
        if day.hours.is_empty() || day.blocks.is_empty() {
            return;
        }
        match day.blocks.iter().all(|(tile, _)| matches!(tile.quantities(0), Quantities::Units(_))) {
            true => self.walk_in::<u64>(&day, visit, |row, places, runs| {
                if let Quantities::Units(row) = row {
                    add(row, places, runs, u64::from);
                }
            }),
            false => self.walk_in::<u128>(&day, visit, |row, places, runs| match row {
                Quantities::Units(row) => add(row, places, runs, |units| u128::units(units.into())),
                Quantities::Millionths(row) => add(row, places, runs, u128::from),
            }),
        }
    }

    /// The same, in counts that hold every cell of the day.
    fn walk_in<C: Count>(
        &mut self,
        day: &Day<'_>,
        visit: &mut impl FnMut(HourFacts),
        read: impl Fn(Quantities<'_>, &[Place], &mut [C]),
    ) {
        let none = || vec![C::default(); day.meters];
        let (mut runs, mut covered) = (none(), none());
        let (mut all_runs, mut all_covered) = (none(), none());
        let (mut free, mut all_free) = (none(), none());
        let mut is_metered = vec![false; day.meters];
        for hour in day.hours.clone() {
            runs.fill(C::default());
            for (tile, places) in &day.blocks {
                read(tile.quantities(hour), places, &mut runs);
            }
            if !self.is_metered {
                add_all(&mut all_runs, &runs);
            }
            if !day.free.is_empty() {
                take_free(day.free, day.first + hour, &mut runs, &mut free);
                add_all(&mut all_free, &free);
            }
            self.cover.cover_hour(&runs, &mut covered);
            add_all(&mut all_covered, &covered);
            if self.is_metered {
                continue;
            }
            is_metered.fill(false);
            for (tile, places) in &day.blocks {
                mark(tile.bitmap(hour), places, &mut is_metered);
            }
            let parts = runs.iter().zip(&covered).zip(&free);
            let facts = is_metered.iter().zip(&mut self.sums).zip(parts).enumerate();
            for (meter, ((&is_metered, sums), ((run, covered), free))) in facts {
                if is_metered {
                    sums.hours += 1;
                    let (covered, free) = (covered.millionths(), free.millionths());
                    let metered = run.millionths() + free;
                    visit(HourFacts { meter, offset: day.first + hour, metered, covered, free });
                }
            }
        }
        let parts = all_runs.iter().zip(&all_covered).zip(&all_free);
        for (sums, ((runs, covered), free)) in self.sums.iter_mut().zip(parts) {
            sums.metered += runs.millionths();
            sums.covered += covered.millionths();
            sums.free += free.millionths();
        }
    }
}

/// Hours of a day, and the tiles that hold cells of a group.
struct Day<'a> {
    first: usize,
    hours: Range<usize>,
    blocks: Vec<(&'a Tile, &'a [Place])>,
    meters: usize,
    free: &'a FreeHours,
}

/// Adds the cells of a row to their meters. One that was not metered holds 0.
fn add<Q: Copy, C: Count>(row: &[Q], places: &[Place], runs: &mut [C], convert: impl Fn(Q) -> C) {
    for place in places {
        if let (Some(&cell), Some(run)) = (row.get(place.index as usize), runs.get_mut(place.meter as usize))
        {
            *run = run.plus(convert(cell));
        }
    }
}

/// Takes what is free in an hour from what was run.
fn take_free<C: Count>(hours: &FreeHours, offset: usize, runs: &mut [C], free: &mut [C]) {
    free.fill(C::default());
    for &(meter, millionths) in hours.get(&offset).into_iter().flatten() {
        if let (Some(run), Some(slot)) = (runs.get_mut(meter), free.get_mut(meter)) {
            *slot = C::of_millionths(millionths).min(*run);
            *run = run.minus(*slot);
        }
    }
}

/// Marks the meters of which something was metered.
fn mark(bitmap: &[u64], places: &[Place], is_metered: &mut [bool]) {
    for place in places {
        let word = bitmap.get(place.index as usize / 64).copied().unwrap_or(0);
        if let Some(is_metered) = is_metered.get_mut(place.meter as usize) {
            *is_metered |= word >> (place.index % 64) & 1 == 1;
        }
    }
}

fn add_all<C: Count>(sums: &mut [C], more: &[C]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.plus(*more);
    }
}

/// In how many hours something was metered in any of some series.
pub fn metered_hours(
    tiles: &MonthTiles,
    hours: Range<usize>,
    series: &(impl Iterator<Item = SeriesHandle> + Clone),
) -> u32 {
    let is_metered = |offset: &usize| {
        let (day, hour) = (offset / TILE_HOURS, offset % TILE_HOURS);
        series.clone().any(|handle| {
            let tile = tiles.tile(day, handle.0 as usize / BLOCK);
            tile.is_some_and(|tile| tile.is_metered(hour, handle.0 as usize % BLOCK))
        })
    };
    hours.filter(is_metered).count() as u32
}
