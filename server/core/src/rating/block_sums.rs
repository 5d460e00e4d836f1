//! Sums over a range of hours for series that stand beside each other in a block: how much was metered, what of it
//! is above a constant cover, and in how many hours something was metered.
//!
//! Rows of tiles are added up as they lie in memory, from left to right, so that a month is read once and at the
//! memory's speed. Whole units are added in 32 bits for some rows, where they fit, and then in 64. Hours are counted by
//! the bit: planes of the counters of 64 series each.

use std::ops::Range;

use crate::metering::month_tiles::MonthTiles;
use crate::metering::tile::{Quantities, TILE_HOURS, Tile};
use crate::quantity::MILLIONTHS;

/// Series of a word of a bitmap.
pub const WORD: usize = 64;
/// Rows that are added in 32 bits.
const ROWS: usize = 8;
/// So many of the quantities below it fit into 32 bits.
const SMALL: u32 = 1 << 29;
/// Bits of a counter of hours: a month has 744 at most.
const PLANES: usize = 10;

/// What one series did in the hours, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesSums {
    /// Y, summed over the hours.
    pub metered: u128,
    /// Of that, what is above its cover, hour by hour; all of it without one.
    pub overflow: u128,
    /// In how many hours something was metered.
    pub hours: u32,
}

/// What each series of a run of words did in the hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSums {
    first: usize,
    metered: Vec<u128>,
    /// Empty when no series has cover.
    overflow: Vec<u128>,
    hours: Vec<u16>,
}

impl BlockSums {
    /// Sums the hours of a month from one position to another, for the series of some words of a block. `cover`:
    /// X of each of these series, in units, for all of the hours; empty when none has any.
    pub fn of(
        tiles: &MonthTiles,
        block: usize,
        words: Range<usize>,
        hours: Range<usize>,
        cover: &[u64],
    ) -> BlockSums {
        let lanes = words.start * WORD..words.end * WORD;
        let mut sums = Accumulators::new(lanes.len(), cover);
        let mut counters = Counters::new(words.len());
        for day in hours.start / TILE_HOURS..hours.end.div_ceil(TILE_HOURS) {
            let Some(tile) = tiles.tile(day, block) else { continue };
            let first = day * TILE_HOURS;
            let from = hours.start.saturating_sub(first);
            let to = (hours.end - first).min(TILE_HOURS);
            for from in (from..to).step_by(ROWS) {
                sums.add(tile, from..to.min(from + ROWS), lanes.start);
            }
            for hour in from..to {
                counters.add(tile.bitmap(hour).get(words.start..).unwrap_or(&[]));
            }
        }
        BlockSums {
            first: lanes.start,
            metered: sums.metered.in_millionths(),
            overflow: if cover.is_empty() { Vec::new() } else { sums.overflow.in_millionths() },
            hours: counters.into_counts(),
        }
    }

    /// What a series did, by its place in the block.
    pub fn get(&self, index: usize) -> Option<SeriesSums> {
        let lane = index.checked_sub(self.first)?;
        let metered = *self.metered.get(lane)?;
        Some(SeriesSums {
            metered,
            overflow: self.overflow.get(lane).copied().unwrap_or(metered),
            hours: (*self.hours.get(lane)?).into(),
        })
    }
}

/// Sums of every lane.
struct Sums {
    /// Of some rows.
    part: Vec<u32>,
    units: Vec<u64>,
    millionths: Vec<u128>,
}

impl Sums {
    fn new(lanes: usize) -> Sums {
        Sums { part: vec![0; lanes], units: vec![0; lanes], millionths: Vec::new() }
    }

    /// Takes the sums of some rows over. 744 quantities of 32 bits never wrap in 64.
    fn add_part(&mut self) {
        for (units, part) in self.units.iter_mut().zip(&mut self.part) {
            *units = units.wrapping_add(u64::from(*part));
            *part = 0;
        }
    }

    fn add_millionths(&mut self, row: impl Iterator<Item = u64>) {
        self.millionths.resize(self.units.len(), 0);
        for (sum, millionths) in self.millionths.iter_mut().zip(row) {
            *sum += u128::from(millionths);
        }
    }

    fn in_millionths(mut self) -> Vec<u128> {
        self.millionths.resize(self.units.len(), 0);
        for (millionths, units) in self.millionths.iter_mut().zip(self.units) {
            *millionths += u128::from(units) * u128::from(MILLIONTHS);
        }
        self.millionths
    }
}

/// What was metered, and what of it is above the cover.
struct Accumulators {
    metered: Sums,
    overflow: Sums,
    /// X in units, as far as it fits; small quantities never pass what does not.
    cover: Vec<i32>,
    cover_units: Vec<u32>,
    cover_millionths: Vec<u64>,
}

impl Accumulators {
    fn new(lanes: usize, cover: &[u64]) -> Accumulators {
        let covered = if cover.is_empty() { 0 } else { lanes };
        Accumulators {
            metered: Sums::new(lanes),
            overflow: Sums::new(covered),
            cover: cover.iter().map(|&x| i32::try_from(x).unwrap_or(i32::MAX)).collect(),
            cover_units: cover.iter().map(|&x| u32::try_from(x).unwrap_or(u32::MAX)).collect(),
            cover_millionths: cover.iter().map(|&x| x.saturating_mul(MILLIONTHS)).collect(),
        }
    }

    /// Adds some rows of a tile, of its lanes from `first` on.
    fn add(&mut self, tile: &Tile, hours: Range<usize>, first: usize) {
        let mut seen = 0;
        for hour in hours.clone() {
            match tile.quantities(hour) {
                Quantities::Units(row) => seen |= self.add_small(row.get(first..).unwrap_or(&[])),
                Quantities::Millionths(row) => self.add_millionths(row.get(first..).unwrap_or(&[])),
            }
        }
        if seen < SMALL {
            self.metered.add_part();
            self.overflow.add_part();
            return;
        }
        // Some do not fit: the same rows again.
        self.metered.part.fill(0);
        self.overflow.part.fill(0);
        for hour in hours {
            if let Quantities::Units(row) = tile.quantities(hour) {
                self.add_units(row.get(first..).unwrap_or(&[]));
            }
        }
    }

    /// Adds a row in 32 bits; answers which bits its quantities have. The sums mean nothing when these are too many.
    fn add_small(&mut self, row: &[u32]) -> u32 {
        let mut seen = 0;
        let metered = self.metered.part.iter_mut().zip(row);
        if self.cover.is_empty() {
            for (sum, &units) in metered {
                seen |= units;
                *sum = sum.wrapping_add(units);
            }
            return seen;
        }
        let covered = self.overflow.part.iter_mut().zip(&self.cover);
        for ((sum, &units), (over, &cover)) in metered.zip(covered) {
            seen |= units;
            *sum = sum.wrapping_add(units);
            let above = units.cast_signed().wrapping_sub(cover).max(0);
            *over = over.wrapping_add(above.cast_unsigned());
        }
        seen
    }

    /// Adds a row in 64 bits.
    fn add_units(&mut self, row: &[u32]) {
        for (sum, &units) in self.metered.units.iter_mut().zip(row) {
            *sum = sum.wrapping_add(u64::from(units));
        }
        for ((over, &cover), &units) in self.overflow.units.iter_mut().zip(&self.cover_units).zip(row) {
            *over = over.wrapping_add(u64::from(units.saturating_sub(cover)));
        }
    }

    fn add_millionths(&mut self, row: &[u64]) {
        self.metered.add_millionths(row.iter().copied());
        if !self.cover.is_empty() {
            let above = row.iter().zip(&self.cover_millionths).map(|(m, x)| m.saturating_sub(*x));
            self.overflow.add_millionths(above);
        }
    }
}

/// Counters of hours, one a series: the first plane holds their lowest bits, the last their highest.
struct Counters {
    planes: [Vec<u64>; PLANES],
    carry: Vec<u64>,
}

impl Counters {
    fn new(words: usize) -> Counters {
        Counters { planes: std::array::from_fn(|_| vec![0; words]), carry: vec![0; words] }
    }

    /// Counts an hour for every series whose bit is set.
    fn add(&mut self, row: &[u64]) {
        let Counters { planes, carry } = self;
        carry.fill(0);
        for (carry, &bits) in carry.iter_mut().zip(row) {
            *carry = bits;
        }
        for plane in planes {
            let mut left = 0;
            for (bits, carry) in plane.iter_mut().zip(carry.iter_mut()) {
                (*bits, *carry) = (*bits ^ *carry, *bits & *carry);
                left |= *carry;
            }
            if left == 0 {
                return;
            }
        }
    }

    fn into_counts(self) -> Vec<u16> {
        let mut counts = vec![0; self.carry.len() * WORD];
        for (bit, plane) in self.planes.iter().enumerate() {
            for (counts, &word) in counts.chunks_exact_mut(WORD).zip(plane) {
                for (lane, count) in counts.iter_mut().enumerate() {
                    *count |= ((word >> lane & 1) as u16) << bit;
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metering::tile::{BLOCK, Run};
    use crate::time::BillingMonth;

    const ONE: u64 = MILLIONTHS;

    /// Quantities of every width: few, so many that 32 bits do not hold some of them, and decimals.
    fn quantity() -> impl Strategy<Value = u64> {
        prop_oneof![
            8 => (0..40_u64).prop_map(|units| units * ONE),
            2 => (u64::from(SMALL) - 2..=u64::from(u32::MAX)).prop_map(|units| units * ONE),
            1 => 0..3 * ONE,
            1 => Just(u64::MAX),
        ]
    }

    /// Records of a series in an hour of a few days, whole quantities alone or all.
    fn records() -> impl Strategy<Value = Vec<(usize, u32, u64)>> {
        let hour = prop_oneof![0..60_usize, 700..744_usize];
        (any::<bool>(), prop::collection::vec((hour, 0..200_u32, quantity()), 0..400)).prop_map(
            |(whole, mut records)| {
                records.retain(|(_, _, millionths)| !whole || millionths.is_multiple_of(ONE));
                records
            },
        )
    }

    fn month(records: &[(usize, u32, u64)], series: usize) -> MonthTiles {
        let mut tiles = MonthTiles::new(BillingMonth::parse("2025-01").unwrap());
        for &(hour, handle, millionths) in records.iter().filter(|(_, handle, _)| (*handle as usize) < series)
        {
            let mut exceptions = Vec::new();
            let quantities = Quantities::Millionths(&[millionths]);
            let handles = &[BLOCK as u32 + handle];
            let run = Run { handles, quantities, first: 0, exceptions: &mut exceptions };
            tiles.accept(hour, 1, series, run);
        }
        tiles
    }

    /// Cell by cell.
    fn expected(tiles: &MonthTiles, index: usize, hours: Range<usize>, cover: u64) -> SeriesSums {
        let cells = hours.filter_map(|hour| tiles.column((BLOCK + index) as u32).get(hour));
        let x = u128::from(cover) * u128::from(ONE);
        cells.fold(SeriesSums::default(), |sums, cell| SeriesSums {
            metered: sums.metered + u128::from(cell),
            overflow: sums.overflow + u128::from(cell).saturating_sub(x),
            hours: sums.hours + 1,
        })
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_cells(
            records in records(),
            series in prop_oneof![1..20_usize, 60..200_usize],
            words in prop_oneof![Just(0..16_usize), Just(1..3_usize), Just(0..1_usize)],
            hours in prop_oneof![Just(0..744_usize), (0..50_usize, 0..50_usize).prop_map(|(a, n)| a..a + n)],
            cover in prop::option::of(prop::collection::vec(
                prop_oneof![Just(0), 0..30_u64, u64::from(SMALL)..u64::from(u32::MAX) + 2, Just(u64::MAX)],
                BLOCK,
            )),
        ) {
            let tiles = month(&records, series);
            let x = cover.as_deref().map_or(&[][..], |cover| &cover[words.start * WORD..words.end * WORD]);
            let sums = BlockSums::of(&tiles, 1, words.clone(), hours.clone(), x);
            for index in 0..BLOCK {
                let cover = cover.as_ref().map_or(0, |cover| cover[index]);
                let expected = words.contains(&(index / WORD))
                    .then(|| expected(&tiles, index, hours.clone(), cover));
                prop_assert_eq!(sums.get(index), expected, "series {}", index);
            }
        }
    }

    /// Every hour of every series, up to the largest whole quantity that a cell holds.
    #[test]
    fn a_full_month_of_the_largest_quantities_is_exact() {
        for units in [1, SMALL - 1, SMALL, u32::MAX] {
            let mut tiles = MonthTiles::new(BillingMonth::parse("2025-01").unwrap());
            let handles: Vec<_> = (0..BLOCK as u32).collect();
            for hour in 0..744 {
                let quantities = Quantities::Units(&[units; BLOCK]);
                tiles.accept(
                    hour,
                    0,
                    BLOCK,
                    Run { handles: &handles, quantities, first: 0, exceptions: &mut vec![] },
                );
            }
            let sums = BlockSums::of(&tiles, 0, 0..16, 0..744, &[1; BLOCK]);
            let month = |units: u32| 744 * u128::from(units) * u128::from(ONE);
            let expected = SeriesSums { metered: month(units), overflow: month(units - 1), hours: 744 };
            assert!((0..BLOCK).all(|index| sums.get(index) == Some(expected)), "{units}");
        }
    }
}
