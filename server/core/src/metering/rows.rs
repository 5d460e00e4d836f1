//! What becomes of rows of columns: the way of a record once its series is open. What a series' agreements take is
//! remembered by the hour ([`TakenHours`](super::taken_hours::TakenHours)), so that the rows of a block cost one
//! comparison; what is not remembered is looked up.

use super::acceptance::{is_subscribed_by, takes_hour};
use super::columns::UsageColumns;
use super::series::{Identity, Series, SeriesHandle};
use super::taken_hours::Hours;
use super::tally::Outcome;
use crate::agreement::{Agreement, Family};
use crate::catalog::DimensionType;
use crate::machine::{Event, Sandbox};
use crate::rules::{IdenticalRetry, LAST_RECORDS_MICROS, MeteringWindow};
use crate::time::{BillingMonth, Timestamp, UsageHour};

/// What is known of the moments of rows besides their hours.
#[derive(Debug, Clone, Copy)]
pub enum Moments<'a> {
    /// Nothing: rows count by the hour, as instances do, and a repeated row is no error.
    Hours,
    /// The timestamps of usage records that came in a batch, one a row, and who metered them.
    Records(&'a [Timestamp], DimensionType),
}

/// Why a row was not metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStatus {
    /// The hour was metered with another quantity, which stands.
    Duplicate,
    /// No agreement covers it.
    NotSubscribed,
    /// Not this time: its month closed on the way, or its series is not open any more.
    Unprocessed,
}

/// What became of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowOutcomes {
    /// How many are metered with these columns.
    pub metered: u32,
    /// How many repeat what was metered.
    pub repeated: u32,
    /// The others, in order.
    pub exceptions: Vec<(u32, RowStatus)>,
}

/// Takes rows into the tally: decides and applies in one pass. Their window was checked when they came in. Answers
/// what became of them, and the events that replay the same.
pub fn accept_rows(
    sandbox: &mut Sandbox,
    columns: UsageColumns,
    moments: Moments<'_>,
    now: Timestamp,
) -> (RowOutcomes, Vec<Event>) {
    sandbox.taken_hours().expire(now);
    let refused = refused_rows(sandbox, &columns, moments, now);
    match refused.is_empty() {
        true => take(sandbox, columns, moments),
        false => {
            let mut next = refused.iter().peekable();
            let is_taken = |row: &usize| next.next_if(|(refused, _)| *refused as usize == *row).is_none();
            let rows: Vec<usize> = (0..columns.len()).filter(is_taken).collect();
            let (mut outcomes, events) = take(sandbox, columns.picked(&rows), moments);
            // Back to the positions of all rows.
            for (position, _) in &mut outcomes.exceptions {
                *position = rows.get(*position as usize).map_or(*position, |row| *row as u32);
            }
            outcomes.exceptions.extend(refused);
            outcomes.exceptions.sort_unstable_by_key(|(row, _)| *row);
            (outcomes, events)
        }
    }
}

fn take(sandbox: &mut Sandbox, columns: UsageColumns, moments: Moments<'_>) -> (RowOutcomes, Vec<Event>) {
    let accepted = sandbox.accept_usage(&columns);
    let new = columns.len() - accepted.exceptions.len();
    let mut outcomes = RowOutcomes { metered: new as u32, repeated: 0, exceptions: Vec::new() };
    let (repeats_succeed, compares_allocations) = match moments {
        Moments::Hours => (true, false),
        Moments::Records(..) => {
            let rules = &sandbox.market().rules;
            (rules.identical_retry == IdenticalRetry::Success, rules.retry_compares_allocations)
        }
    };
    for &(row, outcome) in &accepted.exceptions {
        // These rows say nothing of allocations: the same record said nothing either.
        let same = outcome == Outcome::Same
            && repeats_succeed
            && !(compares_allocations && has_allocations(sandbox, &columns, row));
        match same {
            true => outcomes.repeated += 1,
            false => outcomes.exceptions.push((row, RowStatus::Duplicate)),
        }
    }
    let events = match (new, accepted.are_all_new()) {
        (0, _) => Vec::new(),
        (_, true) => vec![Event::UsageAccepted(columns)],
        (_, false) => {
            let mut old = accepted.exceptions.iter().peekable();
            let is_new = |row: &usize| old.next_if(|(known, _)| *known as usize == *row).is_none();
            let rows: Vec<usize> = (0..columns.len()).filter(is_new).collect();
            vec![Event::UsageAccepted(columns.picked(&rows))]
        }
    };
    (outcomes, events)
}

fn has_allocations(sandbox: &Sandbox, columns: &UsageColumns, row: u32) -> bool {
    let handle = columns.handles.get(row as usize);
    let hour = columns.hour(row as usize).and_then(UsageHour::from_index);
    let Some((&handle, hour)) = handle.zip(hour) else { return false };
    !sandbox.tally().allocations(SeriesHandle(handle), hour).is_empty()
}

/// The rows that no agreement takes, in order.
fn refused_rows(
    sandbox: &mut Sandbox,
    columns: &UsageColumns,
    moments: Moments<'_>,
    now: Timestamp,
) -> Vec<(u32, RowStatus)> {
    let mut refused = Vec::new();
    let open_hours = open_hours(now);
    let series = sandbox.tally().all_series().len();
    for span in columns.spans(series) {
        let in_block = sandbox.tally().all_series().in_block(span.block);
        let is_open = span.open && open_hours.contains(&span.hour);
        if is_open && sandbox.taken_hours().take_all(span.block, in_block, span.hour) {
            continue;
        }
        for row in span.rows.clone() {
            let Some(&handle) = columns.handles.get(row) else { continue };
            if is_open && sandbox.taken_hours().take(handle, span.hour) {
                continue;
            }
            let moment = match moments {
                Moments::Hours => None,
                Moments::Records(timestamps, kind) => timestamps.get(row).map(|at| (*at, kind)),
            };
            let status = match span.open {
                true => look_up(sandbox, SeriesHandle(handle), span.hour, moment, now),
                false => Some(RowStatus::Unprocessed),
            };
            refused.extend(status.map(|status| (row as u32, status)));
        }
    }
    refused
}

/// The hours of months that are not closed at `now`, when everything was done that is due then.
fn open_hours(now: Timestamp) -> Hours {
    let month = BillingMonth::containing(now);
    let before = BillingMonth::from_index(month.index() - 1).filter(|before| now < before.invoiced_at());
    before.unwrap_or(month).hours().start.index()..i32::MAX
}

/// Asks a series' agreements about an hour or a moment of it; remembers what they say of its neighbours.
fn look_up(
    sandbox: &mut Sandbox,
    handle: SeriesHandle,
    hour: i32,
    moment: Option<(Timestamp, DimensionType)>,
    now: Timestamp,
) -> Option<RowStatus> {
    let Some(hour) = UsageHour::from_index(hour) else { return Some(RowStatus::Unprocessed) };
    let Some(series) = sandbox.tally().series(handle) else { return Some(RowStatus::Unprocessed) };
    let Some(family) = sandbox.family(series.payer) else { return Some(RowStatus::NotSubscribed) };
    let window = sandbox.market().rules.metering_window;
    let remembered = match &series.key.identity {
        Identity::Product(..) => {
            hours_around(&family.agreements_of(series.buyer, &series.product), hour, now, window)
        }
        Identity::Licence(licence) => hours_around(&family.agreements_of_licence(licence), hour, now, window),
    };
    let subscribed = remembered.is_some() || is_taken(sandbox, family, series, hour, moment, now);
    let is_closed = BillingMonth::containing(hour.start()) < family.open_month;
    if let Some((hours, expires)) = remembered {
        sandbox.taken_hours().remember(handle.0, hours, expires);
    }
    match (subscribed, is_closed) {
        (false, _) => Some(RowStatus::NotSubscribed),
        (true, true) => Some(RowStatus::Unprocessed),
        (true, false) => None,
    }
}

fn is_taken(
    sandbox: &Sandbox,
    family: &Family,
    series: &Series,
    hour: UsageHour,
    moment: Option<(Timestamp, DimensionType)>,
    now: Timestamp,
) -> bool {
    match moment {
        None => takes_hour(sandbox, family, &series.key.identity, &series.product, hour, now),
        Some((moment, kind)) => {
            is_subscribed_by(sandbox, family, &series.key.identity, &series.product, (moment, kind), now)
        }
    }
}

/// The hours around one that an agreement covers wholly, so that every record of them is taken whatever its moment,
/// and until when that holds. None when no agreement covers all of the hour.
fn hours_around<'a>(
    agreements: &(impl Iterator<Item = &'a Agreement> + Clone),
    hour: UsageHour,
    now: Timestamp,
    window: MeteringWindow,
) -> Option<(Hours, Timestamp)> {
    let whole = |agreement: &Agreement| {
        let first = UsageHour::at_or_after(agreement.start).index();
        let end = agreement.end().map_or(i32::MAX, |end| UsageHour::containing(end).index());
        first..end
    };
    let agreement = agreements.clone().find(|agreement| whole(agreement).contains(&hour.index()))?;
    let expires = match window {
        MeteringWindow::OpenMonth => Timestamp::MAX,
        // Until its chain has ended more than an hour ago.
        MeteringWindow::Hours(_) => {
            let of_chain = agreements.clone().filter(|other| other.licence == agreement.licence);
            let ends = of_chain
                .map(|other| other.end().map_or(Timestamp::MAX, |end| end.plus_micros(LAST_RECORDS_MICROS)));
            ends.max()?
        }
    };
    (now < expires).then(|| (whole(agreement), expires))
}
