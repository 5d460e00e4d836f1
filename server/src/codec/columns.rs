//! Usage in columns. Of few rows, every number is stored in as few bytes as its size needs:
//!
//! ```text
//! rows      handle      7       8       9        7      hour 480012, 480012, 480012, 480013
//! stored    deltas     +7      +1      +1       -2      base 480012, offsets 0, 0, 0, 1
//! rows      quantity    2       1       0.5      3
//! stored    units       2       1       0        3      millionths 0, 0, 500000, 0
//! ```
//!
//! Of many rows, a column is stored as it lies in memory, as narrow as its largest number. Of a fleet's hour, reported
//! in the order in which its series were opened, a row takes one or two bytes either way.

use souk_core::metering::{HourColumn, QuantityColumn, UsageColumns};
use souk_core::quantity::MILLIONTHS;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::journal_event::Event as Stored;

use super::CodecError;
use super::value::required;

/// Rows from which columns are stored as they lie in memory.
const MANY: usize = 64;

/// The columns have one length.
pub(super) fn to_journal_usage(columns: &UsageColumns) -> Stored {
    match columns.len() < MANY {
        true => Stored::UsageAccepted(to_journal_few(columns)),
        false => Stored::UsageColumnsAccepted(to_journal_many(columns)),
    }
}

fn to_journal_few(columns: &UsageColumns) -> journal::UsageAccepted {
    let mut previous = 0_u32;
    let delta = |&handle: &u32| handle.wrapping_sub(std::mem::replace(&mut previous, handle)).cast_signed();
    let (base_hour, hour_offsets) = match &columns.hours {
        HourColumn::One(hour) => (*hour, Vec::new()),
        HourColumn::Each(hours) => {
            let base = hours.iter().copied().min().unwrap_or(0);
            let offsets = hours.iter().map(|hour| hour.wrapping_sub(base).cast_unsigned());
            (base, if hours.iter().all(|hour| *hour == base) { Vec::new() } else { offsets.collect() })
        }
    };
    let (quantity_units, quantity_millionths) = match &columns.quantities {
        QuantityColumn::Units(units) => (units.iter().map(|&units| units.into()).collect(), Vec::new()),
        QuantityColumn::Millionths(all) => {
            let whole = all.iter().all(|quantity| quantity.is_multiple_of(MILLIONTHS));
            let rest = all.iter().map(|quantity| (quantity % MILLIONTHS) as u32);
            let units = all.iter().map(|quantity| quantity / MILLIONTHS).collect();
            (units, if whole { Vec::new() } else { rest.collect() })
        }
    };
    journal::UsageAccepted {
        handle_deltas: columns.handles.iter().map(delta).collect(),
        base_hour: Some(base_hour),
        hour_offsets,
        quantity_units,
        quantity_millionths,
    }
}

fn to_journal_many(columns: &UsageColumns) -> journal::UsageColumnsAccepted {
    let handles = &columns.handles;
    let first = handles.first().copied().unwrap_or(0);
    let follow_each_other = handles.windows(2).all(|pair| pair[0].wrapping_add(1) == pair[1]);
    let (hour, hours) = match &columns.hours {
        HourColumn::One(hour) => (Some(*hour), Vec::new()),
        HourColumn::Each(hours) => match hours.split_first() {
            Some((first, rest)) if rest.iter().all(|hour| hour == first) => (Some(*first), Vec::new()),
            _ => (None, packed(hours, |hour| hour.to_le_bytes())),
        },
    };
    let (units, millionths) = match &columns.quantities {
        QuantityColumn::Units(units) => (packed_units(units), Vec::new()),
        QuantityColumn::Millionths(all) => (Vec::new(), packed(all, |quantity| quantity.to_le_bytes())),
    };
    journal::UsageColumnsAccepted {
        rows: Some(handles.len() as u32),
        first_handle: follow_each_other.then_some(first),
        handles: match follow_each_other {
            true => Vec::new(),
            false => packed(handles, |handle| handle.to_le_bytes()),
        },
        hour,
        hours,
        units,
        millionths,
    }
}

pub(super) fn packed_units(units: &[u32]) -> Vec<u8> {
    let all = units.iter().fold(0, |all, units| all | units);
    match all {
        0..=0xFF => packed(units, |units| [units as u8]),
        0x100..=0xFFFF => packed(units, |units| (units as u16).to_le_bytes()),
        _ => packed(units, |units| units.to_le_bytes()),
    }
}

/// A column as bytes, so many a row.
pub(super) fn packed<T: Copy, const WIDTH: usize>(column: &[T], bytes: impl Fn(T) -> [u8; WIDTH]) -> Vec<u8> {
    let mut packed = vec![0; column.len() * WIDTH];
    for (slot, &value) in packed.as_chunks_mut().0.iter_mut().zip(column) {
        *slot = bytes(value);
    }
    packed
}

pub(super) fn from_journal_usage(usage: journal::UsageAccepted) -> Result<UsageColumns, CodecError> {
    let rows = usage.handle_deltas.len();
    let base_hour = required(usage.base_hour, "base_hour")?;
    check_rows(usage.quantity_units.len(), rows, "quantity_units")?;
    let mut handle = 0_u32;
    let next_handle = |delta: i32| {
        handle = handle.wrapping_add(delta.cast_unsigned());
        handle
    };
    Ok(UsageColumns {
        handles: usage.handle_deltas.into_iter().map(next_handle).collect(),
        hours: from_journal_hours(base_hour, &usage.hour_offsets, rows)?,
        quantities: from_journal_quantities(usage.quantity_units, &usage.quantity_millionths)?,
    })
}

fn from_journal_hours(base: i32, offsets: &[u32], rows: usize) -> Result<HourColumn, CodecError> {
    if offsets.is_empty() {
        return Ok(HourColumn::One(base));
    }
    check_rows(offsets.len(), rows, "hour_offsets")?;
    let hour = |&offset| {
        base.checked_add_unsigned(offset).ok_or_else(|| CodecError::invalid("hour_offsets", &offset))
    };
    Ok(HourColumn::Each(offsets.iter().map(hour).collect::<Result<_, _>>()?))
}

fn from_journal_quantities(units: Vec<u64>, millionths: &[u32]) -> Result<QuantityColumn, CodecError> {
    if millionths.is_empty()
        && let Ok(narrow) = units.iter().map(|&units| u32::try_from(units)).collect()
    {
        return Ok(QuantityColumn::Units(narrow));
    }
    let mut quantities = units;
    for quantity in &mut quantities {
        *quantity = quantity
            .checked_mul(MILLIONTHS)
            .ok_or_else(|| CodecError::invalid("quantity_units", &*quantity))?;
    }
    if millionths.is_empty() {
        return Ok(QuantityColumn::Millionths(quantities));
    }
    check_rows(millionths.len(), quantities.len(), "quantity_millionths")?;
    for (quantity, &rest) in quantities.iter_mut().zip(millionths) {
        let rest = u64::from(rest);
        let sum = quantity.checked_add(rest).filter(|_| rest < MILLIONTHS);
        *quantity = sum.ok_or_else(|| CodecError::invalid("quantity_millionths", &rest))?;
    }
    Ok(QuantityColumn::Millionths(quantities))
}

pub(super) fn from_journal_columns(
    columns: &journal::UsageColumnsAccepted,
) -> Result<UsageColumns, CodecError> {
    let rows = required(columns.rows, "rows")?;
    // First what fills its rows: a wrong count must not ask for memory.
    let quantities = match columns.millionths.is_empty() {
        true => QuantityColumn::Units(unpacked_units(&columns.units, rows as usize)?),
        false if !columns.units.is_empty() => return Err(both("units", "millionths")),
        false => QuantityColumn::Millionths(unpacked(&columns.millionths, "millionths", u64::from_le_bytes)?),
    };
    check_rows(quantities.len(), rows as usize, "quantities")?;
    let handles = match columns.first_handle {
        Some(_) if !columns.handles.is_empty() => return Err(both("first_handle", "handles")),
        Some(first) => (0..rows).map(|row| first.wrapping_add(row)).collect(),
        None => unpacked(&columns.handles, "handles", u32::from_le_bytes)?,
    };
    check_rows(handles.len(), rows as usize, "handles")?;
    let hours = match columns.hour {
        Some(_) if !columns.hours.is_empty() => return Err(both("hour", "hours")),
        Some(hour) => HourColumn::One(hour),
        None => HourColumn::Each(unpacked(&columns.hours, "hours", i32::from_le_bytes)?),
    };
    if let HourColumn::Each(hours) = &hours {
        check_rows(hours.len(), rows as usize, "hours")?;
    }
    Ok(UsageColumns { handles, hours, quantities })
}

pub(super) fn unpacked_units(bytes: &[u8], rows: usize) -> Result<Vec<u32>, CodecError> {
    match bytes.len().checked_div(rows) {
        Some(1) => unpacked(bytes, "units", |[byte]: [u8; 1]| byte.into()),
        Some(2) => unpacked(bytes, "units", |bytes| u16::from_le_bytes(bytes).into()),
        _ => unpacked(bytes, "units", u32::from_le_bytes),
    }
}

pub(super) fn unpacked<T, const WIDTH: usize>(
    bytes: &[u8],
    field: &str,
    value: impl Fn([u8; WIDTH]) -> T,
) -> Result<Vec<T>, CodecError> {
    let (rows, rest) = bytes.as_chunks();
    match rest.is_empty() {
        true => Ok(rows.iter().map(|row| value(*row)).collect()),
        false => Err(CodecError::invalid(field, &format!("a column of {} bytes", bytes.len()))),
    }
}

fn both(one: &str, other: &str) -> CodecError {
    CodecError::invalid(other, &format!("a column beside {one}"))
}

/// Whether a column has as many rows as the others.
pub(super) fn check_rows(found: usize, rows: usize, field: &str) -> Result<(), CodecError> {
    match found == rows {
        true => Ok(()),
        false => Err(CodecError::invalid(field, &format!("a column of {found} rows beside {rows}"))),
    }
}
