//! The tally: what was metered, by series and hour, in dense tiles. Deciding and applying are one pass, and
//! replay runs the same one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::allocation::Allocation;
use super::columns::{Span, UsageColumns};
use super::month_tiles::{MonthColumn, MonthTiles};
use super::names::Names;
use super::series::{Series, SeriesHandle, SeriesKey};
use super::series_list::SeriesList;
pub use super::tile::Outcome;
use super::tile::Run;
use super::told::Told;
use crate::cow_map::CowMap;
use crate::time::{BillingMonth, UsageHour};

/// The series of a sandbox in one partition, and their hours.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    handles: HashMap<SeriesKey, SeriesHandle>,
    names: Names,
    series: SeriesList,
    months: BTreeMap<BillingMonth, MonthTiles>,
    /// Of the few hours that have any.
    allocations: CowMap<(SeriesHandle, UsageHour), Arc<[Allocation]>>,
    told: Told,
}

/// What became of the rows of columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// How many rows there were.
    pub rows: usize,
    /// The rows that are not new, in order.
    pub exceptions: Vec<(u32, Outcome)>,
}

impl Outcomes {
    /// Whether every row is new.
    pub fn are_all_new(&self) -> bool {
        self.exceptions.is_empty()
    }

    /// What became of each row.
    pub fn of_each(&self) -> impl Iterator<Item = Outcome> {
        let mut exceptions = self.exceptions.iter().peekable();
        (0..self.rows as u32).map(move |row| {
            exceptions
                .next_if(|(exception, _)| *exception == row)
                .map_or(Outcome::New, |(_, outcome)| *outcome)
        })
    }
}

impl Tally {
    /// The handle of a series that is open.
    pub fn handle(&self, key: &SeriesKey) -> Option<SeriesHandle> {
        self.handles.get(key).copied()
    }

    /// The handle that the next new series gets.
    pub fn next_handle(&self) -> SeriesHandle {
        SeriesHandle(self.series.len() as u32)
    }

    /// Opens a series under the next handle.
    pub fn open(&mut self, mut series: Series) -> SeriesHandle {
        self.names.share(&mut series);
        let key = series.key.clone();
        let handle = self.series.push(series);
        self.handles.insert(key, handle);
        handle
    }

    /// The texts that its series have in common.
    pub fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// An open series.
    pub fn series(&self, handle: SeriesHandle) -> Option<&Series> {
        self.series.get(handle)
    }

    /// All open series, by their handles.
    pub fn all_series(&self) -> &SeriesList {
        &self.series
    }

    /// A series' hours of a month, if something may have been metered in it.
    pub fn month(&self, handle: SeriesHandle, month: BillingMonth) -> Option<MonthColumn<'_>> {
        Some(self.months.get(&month)?.column(handle.0))
    }

    /// The tiles of a month, if something was metered in it.
    pub fn tiles(&self, month: BillingMonth) -> Option<&MonthTiles> {
        self.months.get(&month)
    }

    /// The months in which something was metered, with their tiles.
    pub fn all_months(&self) -> impl Iterator<Item = (BillingMonth, &MonthTiles)> {
        self.months.iter().map(|(month, tiles)| (*month, tiles))
    }

    /// Puts the tiles of a whole month in their place.
    pub fn put_month(&mut self, month: BillingMonth, tiles: MonthTiles) {
        self.months.insert(month, tiles);
    }

    /// The tiles of a month, to put some in their place.
    pub fn month_mut(&mut self, month: BillingMonth, new: impl FnOnce() -> MonthTiles) -> &mut MonthTiles {
        self.months.entry(month).or_insert_with(new)
    }

    /// Takes the tiles of a whole month out.
    pub fn take_month(&mut self, month: BillingMonth) -> Option<MonthTiles> {
        self.months.remove(&month)
    }

    /// A series' months from `first` to `last` in which something may have been metered.
    pub fn months(
        &self,
        handle: SeriesHandle,
        first: BillingMonth,
        last: BillingMonth,
    ) -> impl Iterator<Item = (BillingMonth, MonthColumn<'_>)> {
        self.months.range(first..=last).map(move |(month, tiles)| (*month, tiles.column(handle.0)))
    }

    /// How an hour's quantity divides over tags; empty when its record did not say.
    pub fn allocations(&self, handle: SeriesHandle, hour: UsageHour) -> Arc<[Allocation]> {
        self.allocations.get(&(handle, hour)).cloned().unwrap_or_default()
    }

    /// All hours whose records said how their quantity divides.
    pub fn all_allocations(&self) -> &CowMap<(SeriesHandle, UsageHour), Arc<[Allocation]>> {
        &self.allocations
    }

    /// Keeps the allocations of an hour; the first ones stand.
    pub fn allocate(&mut self, handle: SeriesHandle, hour: UsageHour, allocations: Arc<[Allocation]>) {
        if !self.allocations.contains_key(&(handle, hour)) {
            self.allocations.insert((handle, hour), allocations);
        }
    }

    /// The same for reading, made at the cost of some pointers: it finds no series by its key.
    pub fn reading_copy(&self) -> Tally {
        Tally {
            handles: HashMap::new(),
            names: Names::default(),
            series: self.series.clone(),
            months: self.months.clone(),
            allocations: self.allocations.clone(),
            told: self.told.clone(),
        }
    }

    /// The same for reading with one month alone.
    pub fn reading_copy_of(&self, month: BillingMonth, tiles: MonthTiles) -> Tally {
        Tally {
            handles: HashMap::new(),
            names: Names::default(),
            series: self.series.clone(),
            months: BTreeMap::from([(month, tiles)]),
            allocations: self.allocations.clone(),
            told: self.told.clone(),
        }
    }

    /// What was metered of a series in an hour, in millionths; none when nothing was.
    pub fn metered(&self, handle: SeriesHandle, hour: UsageHour) -> Option<u64> {
        let tiles = self.months.get(&BillingMonth::containing(hour.start()))?;
        tiles.column(handle.0).get(tiles.offset(hour.index())?)
    }

    /// The runs and inferences that were told of open months.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// The same, to remember more of them.
    pub fn told_mut(&mut self) -> &mut Told {
        &mut self.told
    }

    /// Adds rows to what was metered: the cells of runs and inferences accumulate. Every row's series is open and every
    /// hour within the calendar; of a row of which that is not true, nothing is added and false is answered.
    pub fn add(&mut self, columns: &UsageColumns) -> bool {
        let mut all_added = true;
        for (handle, hour, millionths) in columns.rows() {
            let hour = UsageHour::from_index(hour).filter(|_| (handle as usize) < self.series.len());
            let Some(hour) = hour else {
                all_added = false;
                continue;
            };
            let month = BillingMonth::containing(hour.start());
            let tiles = self.months.entry(month).or_insert_with(|| MonthTiles::new(month));
            if let Some(offset) = tiles.offset(hour.index()) {
                let series = self.series.in_block(handle as usize / super::tile::BLOCK);
                tiles.add(offset, handle, series, millionths);
            }
        }
        all_added
    }

    /// Takes rows, and says what became of each: the first record of an hour stands. Every row's series is
    /// open and every hour within the calendar; of a row of which that is not true, nothing is taken and
    /// `Different` is answered.
    pub fn accept(&mut self, columns: &UsageColumns) -> Outcomes {
        let mut exceptions = Vec::new();
        let Tally { series, months, .. } = self;
        // The month of the last span: rows come by the hour, and calendars are slow.
        let mut tiles: Option<&mut MonthTiles> = None;
        for Span { rows, block, hour, open } in columns.spans(series.len()) {
            if tiles.as_ref().is_none_or(|tiles| tiles.offset(hour).is_none()) {
                tiles = UsageHour::from_index(hour).map(|hour| {
                    let month = BillingMonth::containing(hour.start());
                    months.entry(month).or_insert_with(|| MonthTiles::new(month))
                });
            }
            let place = tiles.as_mut().and_then(|tiles| tiles.offset(hour).map(|offset| (offset, tiles)));
            let (Some((offset, tiles)), true) = (place, open) else {
                exceptions.extend(rows.map(|row| (row as u32, Outcome::Different)));
                continue;
            };
            let run = Run {
                handles: columns.handles.get(rows.clone()).unwrap_or(&[]),
                quantities: columns.quantities.slice(rows.clone()),
                first: rows.start as u32,
                exceptions: &mut exceptions,
            };
            tiles.accept(offset, block, series.in_block(block), run);
        }
        Outcomes { rows: columns.len(), exceptions }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::columns::{HourColumn, QuantityColumn};
    use super::super::series::Identity;
    use super::*;
    use crate::ids::{AccountId, DimensionKey, ProductCode, ProductId, Region};

    const SERIES: u32 = 2_100;
    const FIRST_HOUR: i32 = 482_000;

    fn tally() -> Tally {
        let buyer = AccountId::from_number(1).unwrap();
        let mut tally = Tally::default();
        for number in 0..SERIES {
            let key = SeriesKey {
                identity: Identity::Product(ProductCode::new("code"), buyer),
                region: Region::new("us-east-1"),
                resource: None,
                dimension: DimensionKey::new(&number.to_string()),
            };
            let hash = u128::from(number);
            tally.open(Series { key, product: ProductId::new("prod"), buyer, payer: buyer, hash });
        }
        tally
    }

    /// Rows that follow each other from some series on, or lie anywhere; some are of series that are not open.
    fn columns() -> impl Strategy<Value = UsageColumns> {
        let shape = (0..SERIES + 90, 1_usize..300, any::<bool>(), 0..60_i32, any::<bool>(), any::<bool>());
        let shaped =
            move |(first, rows, follow, hour, one_hour, whole): (u32, usize, bool, i32, bool, bool)| {
                let spread = prop::collection::vec((0..SERIES + 90, 0..1_500_i32, 0..4_u32), rows);
                spread.prop_map(move |spread| UsageColumns {
                    handles: (first..)
                        .zip(&spread)
                        .map(|(next, row)| if follow { next } else { row.0 })
                        .collect(),
                    hours: match one_hour {
                        true => HourColumn::One(FIRST_HOUR + hour),
                        false => {
                            HourColumn::Each(spread.iter().map(|row| FIRST_HOUR + row.1 / 300).collect())
                        }
                    },
                    quantities: match whole {
                        true => QuantityColumn::Units(spread.iter().map(|row| row.2).collect()),
                        false => QuantityColumn::Millionths(
                            spread.iter().map(|row| u64::from(row.2) * 500_000).collect(),
                        ),
                    },
                })
            };
        shape.prop_flat_map(shaped)
    }

    proptest! {
        #[test]
        fn rows_in_columns_are_what_they_are_one_by_one(all in prop::collection::vec(columns(), 1..8)) {
            let mut tally = tally();
            let mut cells: BTreeMap<(u32, i32), u64> = BTreeMap::new();
            for columns in &all {
                let outcome = |(handle, hour, millionths)| match cells.get(&(handle, hour)) {
                    _ if handle >= SERIES => Outcome::Different,
                    Some(stands) if *stands == millionths => Outcome::Same,
                    Some(_) => Outcome::Different,
                    None => {
                        cells.insert((handle, hour), millionths);
                        Outcome::New
                    }
                };
                let expected: Vec<_> = columns.rows().map(outcome).collect();
                prop_assert_eq!(tally.accept(columns).of_each().collect::<Vec<_>>(), expected);
            }
            let mut found = BTreeMap::new();
            for handle in 0..SERIES {
                for (month, column) in tally.months(SeriesHandle(handle), BillingMonth::MIN, BillingMonth::MAX) {
                    let first = month.hours().start.index();
                    for (offset, millionths) in column.metered_from(0) {
                        found.insert((handle, first + offset as i32), millionths);
                    }
                }
            }
            prop_assert_eq!(found, cells);
        }
    }
}
