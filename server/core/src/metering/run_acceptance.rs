//! What becomes of each run: subscribed or not, new, the same again, or at odds with another one.

use super::acceptance::{RecordStatus, UsageOutcome};
use super::columns::UsageColumns;
use super::run_request::{CheckedRun, CheckedRuns};
use super::series::{Series, SeriesHandle, SeriesKey};
use super::told::Before;
use crate::agreement::timeline;
use crate::ids::{AccountId, ProductId};
use crate::machine::{Event, Sandbox};
use crate::quantity::MILLIONTHS;
use crate::time::{BillingMonth, Timestamp};

/// Takes the runs of one request into the tally: decides and applies in one pass. A run is taken whole or not at all.
/// Answers what became of each, in order, and the events that replay the same.
pub fn accept_runs(
    sandbox: &mut Sandbox,
    request: &CheckedRuns,
    now: Timestamp,
) -> (Vec<UsageOutcome>, Vec<Event>) {
    let mut events = Vec::new();
    let mut outcomes = Vec::with_capacity(request.runs.len());
    let mut columns = UsageColumns::default();
    let mut told = Vec::new();
    for checked in &request.runs {
        let CheckedRun { index, buyer, payer, run, billed_by, .. } = *checked;
        let key = request.series_key(checked);
        let refused = refusal(sandbox, request, checked, now);
        let status = refused.unwrap_or_else(|| {
            let id = key.record_id(run.hours().start);
            let handle = open(sandbox, &key, &request.product, (buyer, payer), &mut events);
            match sandbox.tally().told().before(handle, run) {
                Before::Same => RecordStatus::Success(id),
                Before::Other => RecordStatus::DuplicateRecord(id),
                Before::Nothing => {
                    sandbox.told_mut().remember(handle, run);
                    told.push((handle, run));
                    for (hour, seconds) in run.billed(billed_by) {
                        columns.push(handle, hour, seconds * MILLIONTHS);
                    }
                    RecordStatus::Success(id)
                }
            }
        });
        outcomes.push(UsageOutcome { index, status });
    }
    if !told.is_empty() {
        sandbox.add_usage(&columns);
        events.extend([Event::RunsTold(told), Event::UsageAdded(columns)]);
    }
    (outcomes, events)
}

/// The handle of a series, which is opened if it is not.
pub(super) fn open(
    sandbox: &mut Sandbox,
    key: &SeriesKey,
    product: &ProductId,
    (buyer, payer): (AccountId, AccountId),
    events: &mut Vec<Event>,
) -> SeriesHandle {
    sandbox.tally().handle(key).unwrap_or_else(|| {
        let handle = sandbox.tally().next_handle();
        let (key, hash, product) = (key.clone(), key.hash(), product.clone());
        let opened = Event::SeriesOpened(Series { key, product, buyer, payer, hash });
        sandbox.apply(&opened);
        events.push(opened);
        handle
    })
}

/// Why a run is not metered, if it is not: an hour of it has no agreement, or lies in a closed month.
fn refusal(
    sandbox: &Sandbox,
    request: &CheckedRuns,
    checked: &CheckedRun,
    now: Timestamp,
) -> Option<RecordStatus> {
    let Some(family) = sandbox.family(checked.payer) else {
        return Some(RecordStatus::CustomerNotSubscribed);
    };
    let (hours, window) = (checked.run.hours(), sandbox.market().rules.metering_window);
    // Few of a large family's, asked for each of many hours.
    let mine: Vec<_> = family.agreements_of(checked.buyer, &request.product).collect();
    if !hours.hours().all(|hour| timeline::takes_hour(&mine.iter().copied(), hour, now, window)) {
        return Some(RecordStatus::CustomerNotSubscribed);
    }
    let closed = BillingMonth::containing(hours.start.start()) < family.open_month;
    closed.then_some(RecordStatus::Unprocessed)
}
