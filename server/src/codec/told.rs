//! Runs and inferences that were told, and what they add to the hours.

use souk_core::metering::{HourColumn, Inference, QuantityColumn, Run, SeriesHandle, UsageColumns};
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::columns::check_rows;
use super::value::{hash, list, required, required_time, time};

pub(super) fn to_journal_added(columns: &UsageColumns) -> journal::UsageAdded {
    let mut added = journal::UsageAdded::default();
    for (handle, hour, millionths) in columns.rows() {
        added.series_handles.push(handle);
        added.hours.push(hour);
        added.quantity_millionths.push(millionths);
    }
    added
}

pub(super) fn from_journal_added(added: journal::UsageAdded) -> Result<UsageColumns, CodecError> {
    let journal::UsageAdded { series_handles, hours, quantity_millionths } = added;
    check_rows(hours.len(), series_handles.len(), "hours")?;
    check_rows(quantity_millionths.len(), series_handles.len(), "quantity_millionths")?;
    Ok(UsageColumns {
        handles: series_handles,
        hours: HourColumn::Each(hours),
        quantities: QuantityColumn::Millionths(quantity_millionths),
    })
}

pub(super) fn to_journal_runs(runs: &[(SeriesHandle, Run)]) -> journal::RunsTold {
    journal::RunsTold {
        series_handles: runs.iter().map(|(handle, _)| handle.0).collect(),
        start_micros: runs.iter().map(|(_, run)| run.from.micros()).collect(),
        end_micros: runs.iter().map(|(_, run)| run.until.micros()).collect(),
    }
}

pub(super) fn from_journal_runs(told: &journal::RunsTold) -> Result<Vec<(SeriesHandle, Run)>, CodecError> {
    let journal::RunsTold { series_handles, start_micros, end_micros } = told;
    check_rows(start_micros.len(), series_handles.len(), "start_micros")?;
    check_rows(end_micros.len(), series_handles.len(), "end_micros")?;
    let run = |((handle, start), end): ((&u32, &i64), &i64)| {
        let run = Run { from: time(*start, "start_micros")?, until: time(*end, "end_micros")? };
        match run.is_sound() {
            true => Ok((SeriesHandle(*handle), run)),
            false => Err(CodecError::invalid("end_micros", end)),
        }
    };
    series_handles.iter().zip(start_micros).zip(end_micros).map(run).collect()
}

pub(super) fn to_journal_inferences(calls: &[(SeriesHandle, u128, Inference)]) -> journal::InferencesTold {
    let stored = |(handle, name, call): &(SeriesHandle, u128, Inference)| journal::Inference {
        series_handle: Some(handle.0),
        name_hash: name.to_be_bytes().to_vec(),
        call_micros: Some(call.at.micros()),
        status: Some(call.status.into()),
        units: Some(call.units),
    };
    journal::InferencesTold { inferences: calls.iter().map(stored).collect() }
}

pub(super) fn from_journal_inferences(
    told: journal::InferencesTold,
) -> Result<Vec<(SeriesHandle, u128, Inference)>, CodecError> {
    list(told.inferences, "inferences", |stored| {
        let status = required(stored.status, "status")?;
        let call = Inference {
            at: required_time(stored.call_micros, "call_micros")?,
            status: u16::try_from(status).map_err(|_| CodecError::invalid("status", &status))?,
            units: required(stored.units, "units")?,
        };
        let handle = SeriesHandle(required(stored.series_handle, "series_handle")?);
        Ok((handle, hash(&stored.name_hash, "name_hash")?, call))
    })
}
