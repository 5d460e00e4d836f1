//! The tally: what was metered, by series and hour, in dense columns. Deciding and applying are one pass, and
//! replay runs the same one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::allocation::Allocation;
use super::column::MonthColumn;
pub use super::column::Outcome;
use super::series::{Series, SeriesHandle, SeriesKey};
use crate::time::{BillingMonth, UsageHour};

/// Usage in columns: one row a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageColumns {
    /// Which series.
    pub handles: Vec<u32>,
    /// Which hour, counted from 1970.
    pub hours: Vec<i32>,
    /// How much, in millionths.
    pub quantities: Vec<u64>,
}

impl UsageColumns {
    /// Room for so many rows.
    pub fn with_capacity(rows: usize) -> UsageColumns {
        UsageColumns {
            handles: Vec::with_capacity(rows),
            hours: Vec::with_capacity(rows),
            quantities: Vec::with_capacity(rows),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, handle: SeriesHandle, hour: UsageHour, millionths: u64) {
        self.handles.push(handle.0);
        self.hours.push(hour.index());
        self.quantities.push(millionths);
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// No rows at all.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Adds the rows of another.
    pub fn append(&mut self, mut other: UsageColumns) {
        self.handles.append(&mut other.handles);
        self.hours.append(&mut other.hours);
        self.quantities.append(&mut other.quantities);
    }

    fn rows(&self) -> impl Iterator<Item = (u32, i32, u64)> {
        let pairs = self.handles.iter().zip(&self.hours).zip(&self.quantities);
        pairs.map(|((&handle, &hour), &quantity)| (handle, hour, quantity))
    }
}

/// The series of a sandbox in one partition, and their hours.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    handles: HashMap<SeriesKey, SeriesHandle>,
    series: Vec<Series>,
    months: Vec<BTreeMap<BillingMonth, MonthColumn>>,
    /// Of the few hours that have any.
    allocations: BTreeMap<(SeriesHandle, UsageHour), Arc<[Allocation]>>,
    /// The month of the last row: rows come by the hour, and calendars are slow.
    last_month: Option<(std::ops::Range<i32>, BillingMonth)>,
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
    pub fn open(&mut self, series: Series) -> SeriesHandle {
        let handle = self.next_handle();
        self.handles.insert(series.key.clone(), handle);
        self.series.push(series);
        self.months.push(BTreeMap::new());
        handle
    }

    /// An open series.
    pub fn series(&self, handle: SeriesHandle) -> Option<&Series> {
        self.series.get(handle.0 as usize)
    }

    /// A series' hours of a month, if something was metered in it.
    pub fn month(&self, handle: SeriesHandle, month: BillingMonth) -> Option<&MonthColumn> {
        self.months.get(handle.0 as usize)?.get(&month)
    }

    /// A series' months from `first` to `last` in which something was metered.
    pub fn months(
        &self,
        handle: SeriesHandle,
        first: BillingMonth,
        last: BillingMonth,
    ) -> impl Iterator<Item = (BillingMonth, &MonthColumn)> {
        let months = self.months.get(handle.0 as usize).into_iter();
        months.flat_map(move |months| months.range(first..=last)).map(|(month, column)| (*month, column))
    }

    /// How an hour's quantity divides over tags; empty when its record did not say.
    pub fn allocations(&self, handle: SeriesHandle, hour: UsageHour) -> Arc<[Allocation]> {
        self.allocations.get(&(handle, hour)).cloned().unwrap_or_default()
    }

    /// Keeps the allocations of an hour; the first ones stand.
    pub fn allocate(&mut self, handle: SeriesHandle, hour: UsageHour, allocations: Arc<[Allocation]>) {
        self.allocations.entry((handle, hour)).or_insert(allocations);
    }

    /// Takes rows, and says what became of each: the first record of an hour stands. Every row's series is
    /// open and every hour within the calendar; of a row of which that is not true, nothing is taken and
    /// `Different` is answered.
    pub fn accept(&mut self, columns: &UsageColumns) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(columns.len());
        for (handle, hour, quantity) in columns.rows() {
            let month = self.month_of(hour);
            let outcome = match (month, self.months.get_mut(handle as usize)) {
                (Some((first, month)), Some(months)) => {
                    let column = months.entry(month).or_insert_with(|| MonthColumn::new(month.hours().len()));
                    column.accept((hour - first) as usize, quantity)
                }
                _ => Outcome::Different,
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    fn month_of(&mut self, hour: i32) -> Option<(i32, BillingMonth)> {
        if let Some((range, month)) = &self.last_month
            && range.contains(&hour)
        {
            return Some((range.start, *month));
        }
        let month = BillingMonth::containing(UsageHour::from_index(hour)?.start());
        let hours = month.hours();
        self.last_month = Some((hours.start.index()..hours.end.index(), month));
        Some((hours.start.index(), month))
    }
}
