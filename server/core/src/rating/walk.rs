//! Walks a group's hours where sums do not do: cover is shared out hour by hour, and a segment may be any part of the
//! month. A day's rows are read once for all series of the group, and the days of all groups of a family in turn, so
//! that what lies beside each other is read while it is near.

use std::ops::Range;

use super::overflow::{Count, SharedCover};
use crate::metering::month_tiles::MonthTiles;
use crate::metering::series::SeriesHandle;
use crate::metering::tile::{BLOCK, Quantities, TILE_HOURS, Tile};
use crate::quantity::MILLIONTHS;

/// What a meter did in some hours, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MeterSums {
    /// Y, summed over the hours.
    pub metered: u128,
    /// What of Y cover took, summed over the hours.
    pub covered: u128,
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
}

/// Where an hour is put together.
#[derive(Debug)]
struct Scratch<C> {
    runs: Vec<C>,
    covered: Vec<C>,
    metered: Vec<bool>,
    sums: Vec<(C, C, u32)>,
}

impl Stretch {
    /// Walks those of its hours that are in a day, and shows every hour with usage to `visit`.
    pub fn walk_day(
        &mut self,
        tiles: &MonthTiles,
        places: &Places,
        day: usize,
        visit: &mut impl FnMut(HourFacts),
    ) {
        let tile = |&(block, _): &(usize, _)| tiles.tile(day, block);
        let is_narrow = |tile: &Tile| matches!(tile.quantities(0), Quantities::Units(_));
        match places.blocks.iter().filter_map(tile).all(is_narrow) {
            // A day's sums of 32 bits never wrap in 64.
            true => self.walk_day_in::<u64>(tiles, places, day, 1, visit, |row, run| {
                if let Quantities::Units(row) = row {
                    run.add(row, u64::from);
                }
            }),
            false => self.walk_day_in::<u128>(tiles, places, day, MILLIONTHS, visit, |row, run| match row {
                Quantities::Units(row) => run.add(row, |units| u128::from(units) * u128::from(MILLIONTHS)),
                Quantities::Millionths(row) => run.add(row, u128::from),
            }),
        }
    }

    /// The same with hours counted in `unit` to the unit.
    fn walk_day_in<C: Count>(
        &mut self,
        tiles: &MonthTiles,
        places: &Places,
        day: usize,
        unit: u64,
        visit: &mut impl FnMut(HourFacts),
        read: impl Fn(Quantities<'_>, &mut Cells<'_, C>),
    ) {
        let first = day * TILE_HOURS;
        let from = self.hours.start.max(first) - first;
        let to = self.hours.end.min(first + TILE_HOURS).saturating_sub(first);
        let mut scratch = Scratch::<C>::new(places.meters);
        let day: Vec<_> = places
            .blocks
            .iter()
            .filter_map(|(block, places)| Some((tiles.tile(day, *block)?, places.as_slice())))
            .collect();
        if day.is_empty() {
            return;
        }
        let scale = u128::from(MILLIONTHS / unit);
        for hour in from..to {
            scratch.runs.fill(C::default());
            scratch.metered.fill(false);
            for &(tile, places) in &day {
                let Scratch { runs, metered, .. } = &mut scratch;
                let mut cells = Cells { bitmap: tile.bitmap(hour), places, runs, metered };
                read(tile.quantities(hour), &mut cells);
            }
            self.cover.cover_hour(&scratch.runs, C::from(unit), &mut scratch.covered);
            let Scratch { runs, covered, metered, sums } = &mut scratch;
            let facts = runs.iter().zip(covered.iter()).zip(metered.iter()).zip(sums).enumerate();
            for (meter, (((&run, &covered), &any), sums)) in facts {
                *sums = (sums.0 + run, sums.1 + covered, sums.2 + u32::from(any));
                if any {
                    let (metered, covered) = (run.into() * scale, covered.into() * scale);
                    visit(HourFacts { meter, offset: first + hour, metered, covered });
                }
            }
        }
        for (sums, (metered, covered, hours)) in self.sums.iter_mut().zip(scratch.sums) {
            sums.metered += metered.into() * scale;
            sums.covered += covered.into() * scale;
            sums.hours += hours;
        }
    }
}

impl<C: Count> Scratch<C> {
    fn new(meters: usize) -> Scratch<C> {
        let zero = C::default();
        Scratch {
            runs: vec![zero; meters],
            covered: vec![zero; meters],
            metered: vec![false; meters],
            sums: vec![(zero, zero, 0); meters],
        }
    }
}

/// Cells of one hour and block, and what they add up to by meter.
struct Cells<'a, C> {
    bitmap: &'a [u64],
    places: &'a [Place],
    runs: &'a mut [C],
    metered: &'a mut [bool],
}

impl<C: Count> Cells<'_, C> {
    fn add<Q: Copy>(&mut self, row: &[Q], convert: impl Fn(Q) -> C) {
        for place in self.places {
            let (index, meter) = (place.index as usize, place.meter as usize);
            let is_metered = self.bitmap.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1);
            let (Some(&cell), true) = (row.get(index), is_metered) else { continue };
            if let (Some(run), Some(metered)) = (self.runs.get_mut(meter), self.metered.get_mut(meter)) {
                *run = *run + convert(cell);
                *metered = true;
            }
        }
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
