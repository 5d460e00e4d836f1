//! A tile: the hours of a day for a block of series that stand beside each other, hour after hour.
//!
//! ```text
//!            series of the block, 0 .. width
//! 00:00      bitmap of what was metered │ quantities
//! 01:00      bitmap                     │ quantities
//!   …
//! 23:00      bitmap                     │ quantities
//! ```
//!
//! Usage comes by the hour, so that rows of a tile are written from left to right; a close reads them the same way.
//! Quantities are stored narrow (whole units in 32 bits) until one does not fit. A tile is as wide as its block has
//! series, in powers of two, so that small sandboxes stay small.

use super::columns::whole_units;
use crate::quantity::MILLIONTHS;

/// Series of a block.
pub const BLOCK: usize = 1_024;
/// Hours of a tile.
pub const TILE_HOURS: usize = 24;
/// Series of a word of the bitmap.
const WORD: usize = 64;
/// Series that a tile has room for at least.
const WIDTH_MIN: usize = 8;

/// What a cell answers to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was empty and holds the record now.
    New,
    /// It holds the same quantity.
    Same,
    /// It holds another quantity, which stands.
    Different,
}

/// Quantities, hour after hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cells {
    /// Whole units.
    Units(Vec<u32>),
    /// Millionths.
    Millionths(Vec<u64>),
}

/// A day of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    width: usize,
    metered: Vec<u64>,
    cells: Cells,
}

/// Quantities of a run of records.
#[derive(Debug, Clone, Copy)]
pub enum Quantities<'a> {
    /// Whole units.
    Units(&'a [u32]),
    /// Millionths.
    Millionths(&'a [u64]),
}

/// Records of one hour and one block, and where their outcomes go.
#[derive(Debug)]
pub struct Run<'a> {
    /// The series.
    pub handles: &'a [u32],
    /// How much.
    pub quantities: Quantities<'a>,
    /// The position of the first.
    pub first: u32,
    /// Who is not new.
    pub exceptions: &'a mut Vec<(u32, Outcome)>,
}

impl Tile {
    /// An empty day of a block of so many series.
    pub fn new(series: usize) -> Tile {
        let width = width_for(series);
        Tile {
            width,
            metered: vec![0; words(width) * TILE_HOURS],
            cells: Cells::Units(vec![0; width * TILE_HOURS]),
        }
    }

    /// A tile of its parts, if they fit each other.
    pub fn from_parts(width: usize, metered: Vec<u64>, cells: Cells) -> Option<Tile> {
        let count = match &cells {
            Cells::Units(cells) => cells.len(),
            Cells::Millionths(cells) => cells.len(),
        };
        let fits = width == width_for(width)
            && metered.len() == words(width) * TILE_HOURS
            && count == width * TILE_HOURS;
        fits.then_some(Tile { width, metered, cells })
    }

    /// Its parts: the bitmap of what was metered and the quantities, both hour after hour.
    pub fn parts(&self) -> (&[u64], &Cells) {
        (&self.metered, &self.cells)
    }

    /// Makes room for so many series.
    pub fn widen(&mut self, series: usize) {
        if series <= self.width {
            return;
        }
        let width = width_for(series);
        self.metered = spread(&self.metered, words(self.width), words(width));
        self.cells = match &self.cells {
            Cells::Units(cells) => Cells::Units(spread(cells, self.width, width)),
            Cells::Millionths(cells) => Cells::Millionths(spread(cells, self.width, width)),
        };
        self.width = width;
    }

    /// How many records it holds.
    pub fn metered(&self) -> u64 {
        self.metered.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        let cells = match &self.cells {
            Cells::Units(cells) => cells.len() * 4,
            Cells::Millionths(cells) => cells.len() * 8,
        };
        size_of::<Tile>() + self.metered.len() * 8 + cells
    }

    /// For how many series there is room.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What was metered of a series in an hour of the day, in millionths; none when nothing was.
    pub fn get(&self, hour: usize, index: usize) -> Option<u64> {
        self.is_metered(hour, index).then(|| self.value(hour, index))
    }

    /// Whether something was metered of a series in an hour of the day.
    pub fn is_metered(&self, hour: usize, index: usize) -> bool {
        self.bitmap(hour).get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Which series were metered in an hour of the day: one bit each.
    pub fn bitmap(&self, hour: usize) -> &[u64] {
        row(&self.metered, hour, words(self.width))
    }

    /// The quantities of an hour of the day; 0 where nothing was metered.
    pub fn quantities(&self, hour: usize) -> Quantities<'_> {
        match &self.cells {
            Cells::Units(cells) => Quantities::Units(row(cells, hour, self.width)),
            Cells::Millionths(cells) => Quantities::Millionths(row(cells, hour, self.width)),
        }
    }

    fn value(&self, hour: usize, index: usize) -> u64 {
        match self.quantities(hour) {
            Quantities::Units(cells) => cells.get(index).map_or(0, |&units| u64::from(units) * MILLIONTHS),
            Quantities::Millionths(cells) => cells.get(index).copied().unwrap_or(0),
        }
    }

    #[cold]
    fn hold_millionths(&mut self) {
        if let Cells::Units(cells) = &self.cells {
            let wide = cells.iter().map(|&units| u64::from(units) * MILLIONTHS).collect();
            self.cells = Cells::Millionths(wide);
        }
    }

    /// Adds to what was metered of a series in an hour of the day: of a cell that accumulates. The series has room, and
    /// who adds keeps the sum within what a quantity can say.
    pub fn add(&mut self, hour: usize, index: usize, millionths: u64) {
        let sum = self.value(hour, index).saturating_add(millionths);
        let units = whole_units(sum);
        if units.is_none() {
            self.hold_millionths();
        }
        let cell = hour * self.width + index;
        match (&mut self.cells, units) {
            (Cells::Units(cells), Some(units)) => {
                if let Some(cell) = cells.get_mut(cell) {
                    *cell = units;
                }
            }
            (Cells::Millionths(cells), _) => {
                if let Some(cell) = cells.get_mut(cell) {
                    *cell = sum;
                }
            }
            (Cells::Units(_), None) => {}
        }
        if let Some(word) = self.metered.get_mut(hour * words(self.width) + index / WORD) {
            *word |= 1 << (index % WORD);
        }
    }

    /// Takes records of one hour of the day: the first record of a cell stands. Their series have room.
    pub fn accept(&mut self, hour: usize, run: Run<'_>) {
        let Run { handles, quantities, first, exceptions } = run;
        let narrow = match quantities {
            Quantities::Units(_) => true,
            Quantities::Millionths(all) => all.iter().all(|&millionths| whole_units(millionths).is_some()),
        };
        if !narrow {
            self.hold_millionths();
        }
        let words = words(self.width);
        let Some(bitmap) = self.metered.get_mut(hour * words..(hour + 1) * words) else { return };
        let range = hour * self.width..(hour + 1) * self.width;
        match (&mut self.cells, quantities) {
            (Cells::Units(cells), Quantities::Units(units)) => {
                let Some(cells) = cells.get_mut(range) else { return };
                take(bitmap, cells, (handles, units), |units| units, first, exceptions);
            }
            (Cells::Units(cells), Quantities::Millionths(millionths)) => {
                let Some(cells) = cells.get_mut(range) else { return };
                // All of them are whole: the cells would be wide otherwise.
                let units = |millionths: u64| (millionths / MILLIONTHS) as u32;
                take(bitmap, cells, (handles, millionths), units, first, exceptions);
            }
            (Cells::Millionths(cells), Quantities::Units(units)) => {
                let Some(cells) = cells.get_mut(range) else { return };
                let millionths = |units: u32| u64::from(units) * MILLIONTHS;
                take(bitmap, cells, (handles, units), millionths, first, exceptions);
            }
            (Cells::Millionths(cells), Quantities::Millionths(millionths)) => {
                let Some(cells) = cells.get_mut(range) else { return };
                take(bitmap, cells, (handles, millionths), |millionths| millionths, first, exceptions);
            }
        }
    }
}

/// Sets the cells that are empty and notes the others. Records of neighbours that fill an empty word of the bitmap are
/// copied as they lie.
#[inline]
fn take<V: Copy, C: Copy + PartialEq>(
    bitmap: &mut [u64],
    cells: &mut [C],
    run: (&[u32], &[V]),
    convert: impl Fn(V) -> C + Copy,
    first: u32,
    exceptions: &mut Vec<(u32, Outcome)>,
) {
    let (mut handles, mut values) = run;
    let mut first = first;
    while let Some(&handle) = handles.first() {
        let index = handle as usize % BLOCK;
        let taken = match index % WORD {
            0 if take_word(bitmap, cells, index, (handles, values), convert) => WORD,
            _ => {
                // Up to where a neighbour's word would begin.
                let rows = (WORD - index % WORD).min(handles.len());
                let run = (handles.get(..rows).unwrap_or(&[]), values.get(..rows).unwrap_or(&[]));
                take_each(bitmap, cells, run, convert, first, exceptions);
                rows
            }
        };
        handles = handles.get(taken..).unwrap_or(&[]);
        values = values.get(taken..).unwrap_or(&[]);
        first = first.wrapping_add(taken as u32);
    }
}

/// Takes the records of a whole word of series, if they follow each other and nothing of them was metered.
#[inline]
fn take_word<V: Copy, C: Copy>(
    bitmap: &mut [u64],
    cells: &mut [C],
    index: usize,
    (handles, values): (&[u32], &[V]),
    convert: impl Fn(V) -> C,
) -> bool {
    let (Some(handles), Some(values)) = (handles.get(..WORD), values.get(..WORD)) else { return false };
    let (Some(word), Some(cells)) = (bitmap.get_mut(index / WORD), cells.get_mut(index..index + WORD)) else {
        return false;
    };
    let first = handles.first().copied().unwrap_or(0);
    let expected = first..first.saturating_add(WORD as u32);
    let apart = handles.iter().zip(expected).fold(0, |apart, (handle, next)| apart | (handle ^ next));
    if *word != 0 || apart != 0 {
        return false;
    }
    for (cell, &value) in cells.iter_mut().zip(values) {
        *cell = convert(value);
    }
    *word = u64::MAX;
    true
}

/// Takes records one by one. Neighbours share a word of the bitmap: it is held until another one is needed.
#[inline]
fn take_each<V: Copy, C: Copy + PartialEq>(
    bitmap: &mut [u64],
    cells: &mut [C],
    (handles, values): (&[u32], &[V]),
    convert: impl Fn(V) -> C,
    first: u32,
    exceptions: &mut Vec<(u32, Outcome)>,
) {
    let mut at = usize::MAX;
    let mut word = 0_u64;
    for (position, (&handle, &value)) in (first..).zip(handles.iter().zip(values)) {
        let (index, value) = (handle as usize % BLOCK, convert(value));
        if index / WORD != at {
            if let Some(old) = bitmap.get_mut(at) {
                *old = word;
            }
            at = index / WORD;
            word = bitmap.get(at).copied().unwrap_or(0);
        }
        let bit = 1 << (index % WORD);
        let Some(cell) = cells.get_mut(index) else { continue };
        if word & bit == 0 {
            *cell = value;
            word |= bit;
        } else {
            let outcome = if *cell == value { Outcome::Same } else { Outcome::Different };
            exceptions.push((position, outcome));
        }
    }
    if let Some(old) = bitmap.get_mut(at) {
        *old = word;
    }
}

fn width_for(series: usize) -> usize {
    series.next_power_of_two().clamp(WIDTH_MIN, BLOCK)
}

/// Words of the bitmap of so many series.
fn words(width: usize) -> usize {
    width.div_ceil(64)
}

fn row<T>(table: &[T], number: usize, width: usize) -> &[T] {
    table.get(number * width..(number + 1) * width).unwrap_or(&[])
}

/// The same rows with more room in each.
fn spread<T: Copy + Default>(table: &[T], from: usize, to: usize) -> Vec<T> {
    let mut wider = vec![T::default(); to * TILE_HOURS];
    for (new, old) in wider.chunks_exact_mut(to).zip(table.chunks_exact(from)) {
        if let Some(new) = new.get_mut(..from) {
            new.copy_from_slice(old);
        }
    }
    wider
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u64 = MILLIONTHS;

    #[test]
    fn cells_that_accumulate_hold_their_sum_however_large() {
        let mut tile = Tile::new(70);
        for (hour, index, more, expected) in [
            (3, 65, 60 * ONE, 60 * ONE),
            (3, 65, 5 * ONE, 65 * ONE),
            (3, 64, 0, 0),
            (4, 65, u64::from(u32::MAX) * ONE, u64::from(u32::MAX) * ONE),
            (4, 65, ONE, (u64::from(u32::MAX) + 1) * ONE),
            (3, 65, ONE / 2, 65 * ONE + ONE / 2),
        ] {
            tile.add(hour, index, more);
            assert_eq!(tile.get(hour, index), Some(expected), "{hour} {index}");
        }
        assert_eq!((tile.metered(), tile.get(3, 66), tile.get(3, 64)), (3, None, Some(0)));
    }

    fn accept(tile: &mut Tile, hour: usize, handle: u32, millionths: u64) -> Outcome {
        let mut exceptions = Vec::new();
        let quantities = Quantities::Millionths(&[millionths]);
        tile.accept(hour, Run { handles: &[handle], quantities, first: 7, exceptions: &mut exceptions });
        match exceptions.as_slice() {
            [] => Outcome::New,
            [(7, outcome)] => *outcome,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_record_of_an_hour_stands() {
        let mut tile = Tile::new(2);
        assert_eq!(accept(&mut tile, 23, 1, 5 * ONE), Outcome::New);
        assert_eq!(accept(&mut tile, 23, 1, 5 * ONE), Outcome::Same);
        assert_eq!(accept(&mut tile, 23, 1, 6 * ONE), Outcome::Different);
        assert_eq!(tile.get(23, 1), Some(5 * ONE));
        assert_eq!((tile.get(22, 1), tile.get(23, 0), tile.get(24, 1)), (None, None, None));
    }

    #[test]
    fn zero_is_a_record_that_locks_its_hour() {
        let mut tile = Tile::new(1);
        assert_eq!(accept(&mut tile, 0, 0, 0), Outcome::New);
        assert_eq!(accept(&mut tile, 0, 0, ONE), Outcome::Different);
        assert_eq!(tile.get(0, 0), Some(0));
    }

    #[test]
    fn a_tile_widens_in_both_ways_without_losing_anything() {
        let mut tile = Tile::new(3);
        accept(&mut tile, 1, 2, u64::from(u32::MAX) * ONE);
        tile.widen(70);
        assert_eq!(tile.width(), 128);
        accept(&mut tile, 1, 69, 1);
        accept(&mut tile, 2, 0, (u64::from(u32::MAX) + 1) * ONE);
        tile.widen(1_024);
        assert_eq!(tile.get(1, 2), Some(u64::from(u32::MAX) * ONE));
        assert_eq!(tile.get(1, 69), Some(1));
        assert_eq!(tile.get(2, 0), Some((u64::from(u32::MAX) + 1) * ONE));
        assert_eq!(accept(&mut tile, 1, 2, u64::from(u32::MAX) * ONE), Outcome::Same);
        let set: u32 = (0..24).flat_map(|hour| tile.bitmap(hour)).map(|word| word.count_ones()).sum();
        assert_eq!(set, 3);
    }

    #[test]
    fn runs_meet_themselves() {
        let mut tile = Tile::new(200);
        let mut exceptions = Vec::new();
        let handles = [1_024 + 3, 1_024 + 199, 1_024 + 3, 1_024 + 199];
        let quantities = Quantities::Units(&[4, 5, 4, 6]);
        tile.accept(5, Run { handles: &handles, quantities, first: 10, exceptions: &mut exceptions });
        assert_eq!(exceptions, [(12, Outcome::Same), (13, Outcome::Different)]);
        assert_eq!((tile.get(5, 3), tile.get(5, 199)), (Some(4 * ONE), Some(5 * ONE)));
    }
}
