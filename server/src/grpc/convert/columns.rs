//! Columns of usage: their form, checked column by column in passes that a processor does many rows of at a time;
//! series by name; and what became of rows.

use std::ops::RangeInclusive;

use souk_core::ids::{DimensionKey, ProductCode};
use souk_core::metering::series::Series;
use souk_core::metering::{HourColumn, Identity, NamedSeries, QuantityColumn, RowOutcomes, RowStatus};
use souk_core::quantity::{Quantity, QuantitySum};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::UsageHour;
use souk_proto::metering::v1 as proto;

use super::usage::{
    from_proto_customer, from_proto_dimension_key, from_proto_product_code, from_proto_region,
};
use crate::app::refusals::NamedRecord;

/// Rows of one message at most.
pub const ROWS_MAX: usize = 65_536;
/// Series that one message opens at most.
pub const SERIES_MAX: usize = 5_000;

/// The columns of a message, lent from it and all of one length.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// The handles, as the stream calls them.
    pub handles: &'a [[u8; 4]],
    hours: Hours<'a>,
    quantities: Quantities<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Hours<'a> {
    One(i32),
    Each(&'a [[u8; 4]]),
}

#[derive(Debug, Clone, Copy)]
enum Quantities<'a> {
    Units(&'a [[u8; 4]]),
    Millionths(&'a [[u8; 8]]),
}

/// Reads the columns of a message, whose values are still to be checked: 1 to 65,536 rows.
///
/// # Errors
/// `COLUMNS_INVALID`, `FIELD_MISSING` and `TOO_MANY_RECORDS`.
pub fn from_proto_columns(message: &proto::UsageColumns) -> Result<Columns<'_>, Rejection> {
    let handles = column(&message.handles, "handles")?;
    match handles.len() {
        0 => return Err(Rejection::new(Code::FieldMissing, "handles", format!("give 1 to {ROWS_MAX} rows"))),
        rows if rows <= ROWS_MAX => (),
        rows => {
            let message = format!("{rows} rows; at most {ROWS_MAX} go into one message: send more messages");
            return Err(Rejection::new(Code::TooManyRecords, "handles", message));
        }
    }
    let rows = handles.len();
    let hours = match (message.hour, message.hours.as_ref()) {
        (Some(hour), []) => Hours::One(hour),
        (None, [_, ..]) => Hours::Each(of_length(column(&message.hours, "hours")?, rows, "hours")?),
        (given, _) => return Err(exactly_one(given.is_some(), "hours", "hour")),
    };
    let quantities = match (message.quantities.as_ref(), message.quantities_millionths.as_ref()) {
        ([_, ..], []) => {
            Quantities::Units(of_length(column(&message.quantities, "quantities")?, rows, "quantities")?)
        }
        ([], [_, ..]) => {
            let millionths = column(&message.quantities_millionths, "quantitiesMillionths")?;
            Quantities::Millionths(of_length(millionths, rows, "quantitiesMillionths")?)
        }
        (units, _) => return Err(exactly_one(!units.is_empty(), "quantities", "quantitiesMillionths")),
    };
    Ok(Columns { handles, hours, quantities })
}

/// The rows of a column of numbers of `N` bytes.
fn column<'a, const N: usize>(bytes: &'a [u8], field: &str) -> Result<&'a [[u8; N]], Rejection> {
    match bytes.as_chunks() {
        (rows, []) => Ok(rows),
        _ => {
            let message = format!("{} bytes are no whole rows: give {N} bytes a row", bytes.len());
            Err(Rejection::new(Code::ColumnsInvalid, field, message))
        }
    }
}

fn of_length<'a, T>(column: &'a [T], rows: usize, field: &str) -> Result<&'a [T], Rejection> {
    match column.len() == rows {
        true => Ok(column),
        false => {
            let message = format!("it has {} rows and handles has {rows}: give as many", column.len());
            Err(Rejection::new(Code::ColumnsInvalid, field, message))
        }
    }
}

/// Of two fields exactly one is given; both are, or neither is.
fn exactly_one(both: bool, one: &str, other: &str) -> Rejection {
    match both {
        true => {
            let message = format!("it stands beside {other}: give one of both");
            Rejection::new(Code::ColumnsInvalid, one, message)
        }
        false => Rejection::new(Code::FieldMissing, one, format!("it is required, or {other} is")),
    }
}

impl Columns<'_> {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.handles.len()
    }

    /// Reads the hours. What may be metered is a span of hours without gaps, so that the first and the last of
    /// them are asked about.
    ///
    /// # Errors
    /// What `check` says of the first row that it refuses.
    pub fn read_hours(&self, check: impl Fn(i32) -> Result<(), Rejection>) -> Result<HourColumn, Rejection> {
        match self.hours {
            Hours::One(hour) => {
                check(hour).map_err(|r| r.within("hour"))?;
                Ok(HourColumn::One(hour))
            }
            Hours::Each(column) => {
                let hours: Vec<i32> = column.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
                let span = span(&hours);
                if check(*span.start()).is_err() || check(*span.end()).is_err() {
                    for (row, &hour) in hours.iter().enumerate() {
                        check(hour).map_err(|r| r.within(&format!("hours[{row}]")))?;
                    }
                }
                Ok(HourColumn::Each(hours))
            }
        }
    }

    /// Reads the quantities.
    ///
    /// # Errors
    /// `QUANTITY_INVALID` for the first row that is above the limit.
    pub fn read_quantities(&self) -> Result<QuantityColumn, Rejection> {
        const WHOLE_MAX: u32 = Quantity::MAX_WHOLE as u32;
        match self.quantities {
            Quantities::Units(column) => {
                let units: Vec<u32> = column.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
                match units.iter().fold(0, |all, &units| all.max(units)) <= WHOLE_MAX {
                    true => Ok(QuantityColumn::Units(units)),
                    false => Err(too_large("quantities", &units, WHOLE_MAX)),
                }
            }
            Quantities::Millionths(column) => {
                let limit = Quantity::MAX.millionths();
                let millionths: Vec<u64> = column.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
                match millionths.iter().fold(0, |all, &millionths| all.max(millionths)) <= limit {
                    true => Ok(QuantityColumn::Millionths(millionths)),
                    false => Err(too_large("quantitiesMillionths", &millionths, limit)),
                }
            }
        }
    }

    /// What a row says, of which series it is.
    pub fn named(&self, row: usize, series: &Series) -> NamedRecord {
        let hour = self.hour(row);
        let millionths = match self.quantities {
            Quantities::Units(column) => {
                column.get(row).map(|units| i128::from(u32::from_le_bytes(*units)) * 1_000_000)
            }
            Quantities::Millionths(column) => {
                column.get(row).map(|millionths| i128::from(u64::from_le_bytes(*millionths)))
            }
        };
        let (product_code, account, licence) = match &series.key.identity {
            Identity::Product(code, buyer) => (code.to_string(), buyer.to_string(), String::new()),
            Identity::Licence(licence) => (String::new(), String::new(), licence.to_string()),
        };
        NamedRecord {
            product_code,
            account,
            identifier: String::new(),
            licence,
            dimension: series.key.dimension.to_string(),
            timestamp: hour.map(UsageHour::start),
            quantity: millionths.map(|sum| QuantitySum(sum).to_string()).unwrap_or_default(),
        }
    }

    /// The hour of a row.
    pub fn hour(&self, row: usize) -> Option<UsageHour> {
        let hour = match self.hours {
            Hours::One(hour) => Some(hour),
            Hours::Each(column) => column.get(row).map(|bytes| i32::from_le_bytes(*bytes)),
        };
        hour.and_then(UsageHour::from_index)
    }
}

/// The first and the last of some hours.
fn span(hours: &[i32]) -> RangeInclusive<i32> {
    let first = hours.iter().fold(i32::MAX, |first, &hour| first.min(hour));
    let last = hours.iter().fold(i32::MIN, |last, &hour| last.max(hour));
    first..=last
}

fn too_large<T: PartialOrd + std::fmt::Display>(field: &str, column: &[T], limit: T) -> Rejection {
    let first = column.iter().enumerate().find(|(_, value)| **value > limit);
    let (field, value) = match first {
        Some((row, value)) => (format!("{field}[{row}]"), value.to_string()),
        None => (field.to_owned(), String::new()),
    };
    Rejection::new(Code::QuantityInvalid, field, format!("{value} is too large: the largest is {limit}"))
}

/// Reads the names of series: 1 to 5,000.
///
/// # Errors
/// The first field that does not have its form.
pub fn from_proto_series(message: &proto::OpenSeries) -> Result<Vec<NamedSeries>, Rejection> {
    match message.series.len() {
        0 => {
            Err(Rejection::new(Code::FieldMissing, "series", format!("it is empty: give 1 to {SERIES_MAX}")))
        }
        count if count <= SERIES_MAX => {
            let named = message.series.iter().enumerate();
            named
                .map(|(index, name)| {
                    from_proto_series_name(name).map_err(|r| r.within(&format!("series[{index}]")))
                })
                .collect()
        }
        count => {
            let message = format!("{count} of them; at most {SERIES_MAX} go into one message: send more");
            Err(Rejection::new(Code::TooManyRecords, "series", message))
        }
    }
}

fn from_proto_series_name(name: &proto::SeriesName) -> Result<NamedSeries, Rejection> {
    use proto::series_name::Customer as Named;
    use proto::usage_record::Customer;
    let product_code: Option<ProductCode> = from_proto_product_code(&name.product_code, "productCode")?;
    // A record names its customer in the same words.
    let customer = name.customer.as_ref().map(|customer| match customer {
        Named::CustomerAwsAccountId(id) => Customer::CustomerAwsAccountId(id.clone()),
        Named::CustomerIdentifier(identifier) => Customer::CustomerIdentifier(identifier.clone()),
        Named::LicenseArn(arn) => Customer::LicenseArn(arn.clone()),
    });
    let customer = from_proto_customer(customer.as_ref())?;
    let dimension: DimensionKey = from_proto_dimension_key(&name.dimension, "dimension")?;
    let region = from_proto_region(&name.region, "region")?;
    Ok(NamedSeries { product_code, region, customer, dimension })
}

/// What became of the rows of a message.
pub fn to_proto_acknowledgement(outcomes: &RowOutcomes) -> proto::ColumnsAcknowledged {
    let exception = |&(row, status): &(u32, RowStatus)| proto::RowException {
        row,
        status: to_proto_row_status(status).into(),
    };
    proto::ColumnsAcknowledged {
        metered_count: outcomes.metered,
        repeated_count: outcomes.repeated,
        exceptions: outcomes.exceptions.iter().map(exception).collect(),
    }
}

fn to_proto_row_status(status: RowStatus) -> proto::UsageRecordStatus {
    match status {
        RowStatus::Duplicate => proto::UsageRecordStatus::DuplicateRecord,
        RowStatus::NotSubscribed => proto::UsageRecordStatus::CustomerNotSubscribed,
        RowStatus::Unprocessed => proto::UsageRecordStatus::Unprocessed,
    }
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
