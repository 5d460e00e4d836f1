//! Usage in columns: one row a record, every column as narrow as what it holds.

use std::fmt;
use std::ops::Range;

use super::series::SeriesHandle;
use super::tile::{BLOCK, Quantities};
use crate::quantity::MILLIONTHS;
use crate::time::UsageHour;

/// Rows up to which columns of one shape are widened to join those of another.
const FEW: usize = 1_024;

/// Usage in columns: one row a record, and all columns as long as the handles.
///
/// Columns are equal when their rows are, however wide they are stored.
#[derive(Clone, Default)]
pub struct UsageColumns {
    /// Which series.
    pub handles: Vec<u32>,
    /// Which hour, counted from 1970.
    pub hours: HourColumn,
    /// How much.
    pub quantities: QuantityColumn,
}

/// The hours of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HourColumn {
    /// All rows are of one hour.
    One(i32),
    /// Each has its own.
    Each(Vec<i32>),
}

/// The quantities of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantityColumn {
    /// Whole units.
    Units(Vec<u32>),
    /// Millionths of a unit.
    Millionths(Vec<u64>),
}

/// Rows beside each other that are of one hour and one block of series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Which rows.
    pub rows: Range<usize>,
    /// Which block.
    pub block: usize,
    /// Which hour.
    pub hour: i32,
    /// Whether their series are open.
    pub open: bool,
}

impl PartialEq for UsageColumns {
    fn eq(&self, other: &UsageColumns) -> bool {
        self.len() == other.len() && self.rows().eq(other.rows())
    }
}

impl Eq for UsageColumns {}

impl fmt::Debug for UsageColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = f.debug_list();
        for (handle, hour, millionths) in self.rows() {
            rows.entry(&format_args!("series {handle}, hour {hour}: {millionths}"));
        }
        rows.finish()
    }
}

impl Default for HourColumn {
    fn default() -> HourColumn {
        HourColumn::Each(Vec::new())
    }
}

impl Default for QuantityColumn {
    fn default() -> QuantityColumn {
        QuantityColumn::Units(Vec::new())
    }
}

impl UsageColumns {
    /// Room for so many rows.
    pub fn with_capacity(rows: usize) -> UsageColumns {
        UsageColumns {
            handles: Vec::with_capacity(rows),
            hours: HourColumn::Each(Vec::with_capacity(rows)),
            quantities: QuantityColumn::Units(Vec::with_capacity(rows)),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, handle: SeriesHandle, hour: UsageHour, millionths: u64) {
        if let HourColumn::One(_) = self.hours {
            self.hours.widen(self.handles.len());
        }
        if let HourColumn::Each(hours) = &mut self.hours {
            hours.push(hour.index());
        }
        match whole_units(millionths) {
            Some(units) if matches!(self.quantities, QuantityColumn::Units(_)) => {
                if let QuantityColumn::Units(column) = &mut self.quantities {
                    column.push(units);
                }
            }
            _ => self.quantities.widen().push(millionths),
        }
        self.handles.push(handle.0);
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// No rows at all.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Whether every column has as many rows as the handles.
    pub fn is_even(&self) -> bool {
        let hours = match &self.hours {
            HourColumn::One(_) => self.len(),
            HourColumn::Each(hours) => hours.len(),
        };
        hours == self.len() && self.quantities.len() == self.len()
    }

    /// The hour of a row.
    pub fn hour(&self, row: usize) -> Option<i32> {
        match &self.hours {
            HourColumn::One(hour) => (row < self.len()).then_some(*hour),
            HourColumn::Each(hours) => hours.get(row).copied(),
        }
    }

    /// The rows: handle, hour and millionths.
    pub fn rows(&self) -> impl Iterator<Item = (u32, i32, u64)> {
        self.handles
            .iter()
            .enumerate()
            .filter_map(|(row, &handle)| Some((handle, self.hour(row)?, self.quantities.millionths(row)?)))
    }

    /// The rows cut wherever the hour or the block changes, when so many series are open.
    pub fn spans(&self, open_series: usize) -> impl Iterator<Item = Span> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let (&handle, hour) = (self.handles.get(start)?, self.hour(start)?);
            let block = handle as usize / BLOCK;
            let open = (handle as usize) < open_series;
            let handles = self.handles.get(start..)?;
            // The series of the block that are open, or those that are not.
            let (first, end) = ((block * BLOCK) as u32, (block * BLOCK).saturating_add(BLOCK) as u32);
            let (first, end) = match open {
                true => (first, end.min(open_series as u32)),
                false => (first.max(open_series as u32), end),
            };
            let length = leading(handles, |handle| first <= handle && handle < end);
            let length = match &self.hours {
                HourColumn::One(_) => length,
                HourColumn::Each(hours) => leading(hours.get(start..start + length)?, |other| other == hour),
            };
            let rows = start..start + length;
            start = rows.end;
            Some(Span { rows, block, hour, open })
        })
    }

    /// Takes over the rows of another, if their columns are of one shape or either has few rows; or else gives
    /// them back.
    pub fn join(&mut self, mut other: UsageColumns) -> Result<(), UsageColumns> {
        if self.is_empty() {
            *self = other;
            return Ok(());
        }
        let same_hours = match (&self.hours, &other.hours) {
            (HourColumn::One(one), HourColumn::One(other)) => one == other,
            (HourColumn::Each(_), HourColumn::Each(_)) => true,
            _ => false,
        };
        let same_quantities =
            std::mem::discriminant(&self.quantities) == std::mem::discriminant(&other.quantities);
        if !(same_hours && same_quantities) && self.len().max(other.len()) > FEW {
            return Err(other);
        }
        if !same_hours {
            self.hours.widen(self.handles.len());
            other.hours.widen(other.handles.len());
        }
        if let (HourColumn::Each(hours), HourColumn::Each(more)) = (&mut self.hours, &mut other.hours) {
            hours.append(more);
        }
        match (&mut self.quantities, &mut other.quantities) {
            (QuantityColumn::Units(units), QuantityColumn::Units(more)) => units.append(more),
            (quantities, more) => quantities.widen().append(more.widen()),
        }
        self.handles.append(&mut other.handles);
        Ok(())
    }

    /// Some rows, in the order of their positions.
    pub fn picked(&self, rows: &[usize]) -> UsageColumns {
        UsageColumns {
            handles: picked(&self.handles, rows),
            hours: match &self.hours {
                HourColumn::One(hour) => HourColumn::One(*hour),
                HourColumn::Each(hours) => HourColumn::Each(picked(hours, rows)),
            },
            quantities: match &self.quantities {
                QuantityColumn::Units(units) => QuantityColumn::Units(picked(units, rows)),
                QuantityColumn::Millionths(millionths) => {
                    QuantityColumn::Millionths(picked(millionths, rows))
                }
            },
        }
    }
}

/// How many values there are at the beginning of which this is true; looked at many at a time.
fn leading<T: Copy>(values: &[T], is_true: impl Fn(T) -> bool) -> usize {
    const MANY: usize = 64;
    const FEW_TOGETHER: usize = 4;
    // Of scattered rows, one or two go together.
    if let Some(few) = values.iter().take(FEW_TOGETHER).position(|value| !is_true(*value)) {
        return few;
    }
    let (chunks, _) = values.as_chunks::<MANY>();
    let all = |chunk: &&[T; MANY]| chunk.iter().fold(true, |all, value| all & is_true(*value));
    let whole = chunks.iter().take_while(all).count() * MANY;
    let rest = values.get(whole..).unwrap_or(&[]);
    whole + rest.iter().take_while(|value| is_true(**value)).count()
}

fn picked<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|&row| column.get(row).copied()).collect()
}

impl HourColumn {
    /// Gives each of so many rows an hour of its own.
    fn widen(&mut self, rows: usize) {
        if let HourColumn::One(hour) = self {
            *self = HourColumn::Each(vec![*hour; rows]);
        }
    }
}

impl QuantityColumn {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            QuantityColumn::Units(units) => units.len(),
            QuantityColumn::Millionths(millionths) => millionths.len(),
        }
    }

    /// No rows at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some rows.
    pub fn slice(&self, rows: Range<usize>) -> Quantities<'_> {
        match self {
            QuantityColumn::Units(units) => Quantities::Units(units.get(rows).unwrap_or(&[])),
            QuantityColumn::Millionths(millionths) => {
                Quantities::Millionths(millionths.get(rows).unwrap_or(&[]))
            }
        }
    }

    /// The quantity of a row.
    pub fn millionths(&self, row: usize) -> Option<u64> {
        match self {
            QuantityColumn::Units(units) => units.get(row).map(|&units| u64::from(units) * MILLIONTHS),
            QuantityColumn::Millionths(millionths) => millionths.get(row).copied(),
        }
    }

    /// The same in millionths.
    fn widen(&mut self) -> &mut Vec<u64> {
        if let QuantityColumn::Units(units) = self {
            let wide = units.iter().map(|&units| u64::from(units) * MILLIONTHS).collect();
            *self = QuantityColumn::Millionths(wide);
        }
        match self {
            QuantityColumn::Millionths(millionths) => millionths,
            QuantityColumn::Units(_) => unreachable!("it was widened"),
        }
    }
}

/// A quantity in whole units, if it is one of 32 bits.
pub fn whole_units(millionths: u64) -> Option<u32> {
    millionths.is_multiple_of(MILLIONTHS).then(|| u32::try_from(millionths / MILLIONTHS).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(index: i32) -> UsageHour {
        UsageHour::from_index(index).unwrap()
    }

    fn columns(rows: &[(u32, i32, u64)]) -> UsageColumns {
        let mut columns = UsageColumns::default();
        for &(handle, index, millionths) in rows {
            columns.push(SeriesHandle(handle), hour(index), millionths);
        }
        columns
    }

    #[test]
    fn rows_come_back_whatever_widths_they_need() {
        let rows =
            [(3, 480_000, 5 * MILLIONTHS), (1, 480_001, 1), (2, 480_000, (1 << 33) * MILLIONTHS), (9, 7, 0)];
        let columns = columns(&rows);
        assert!(columns.is_even());
        assert_eq!(columns.rows().collect::<Vec<_>>(), rows);
        assert_eq!(columns.picked(&[0, 2, 3]).rows().count(), 3);
    }

    #[test]
    fn columns_of_any_shapes_join_when_they_are_few() {
        let one_hour = UsageColumns {
            handles: vec![1, 2],
            hours: HourColumn::One(9),
            quantities: QuantityColumn::Units(vec![4, 5]),
        };
        let decimals = columns(&[(7, 8, 3)]);
        for (first, second) in [(&one_hour, &decimals), (&decimals, &one_hour), (&one_hour, &one_hour)] {
            let mut joined = first.clone();
            joined.join(second.clone()).unwrap();
            assert!(joined.is_even());
            let expected: Vec<_> = first.rows().chain(second.rows()).collect();
            assert_eq!(joined.rows().collect::<Vec<_>>(), expected);
        }
        let mut joined = one_hour.clone();
        joined.join(one_hour).unwrap();
        assert_eq!(joined.hours, HourColumn::One(9));
    }

    #[test]
    fn large_columns_of_different_shapes_stay_apart() {
        let hour = |hour| UsageColumns {
            handles: (0..2_000).collect(),
            hours: HourColumn::One(hour),
            quantities: QuantityColumn::Units(vec![1; 2_000]),
        };
        let mut one = hour(1);
        assert_eq!(one.join(hour(2)), Err(hour(2)));
        assert_eq!(one.join(hour(1)), Ok(()));
        assert_eq!(one.len(), 4_000);
    }
}
