//! What becomes of each record: subscribed or not, new, the same again, or different.

use super::allocation::Allocation;
use super::columns::UsageColumns;
use super::request::{CheckedRecord, CheckedRequest, Door};
use super::series::{Identity, Series};
use super::tally::Outcome;
use crate::agreement::{Family, timeline};
use crate::catalog::DimensionType;
use crate::ids::{MeteringRecordId, ProductId};
use crate::machine::{Event, Sandbox};
use crate::rules::IdenticalRetry;
use crate::time::{BillingMonth, Timestamp, UsageHour};

/// What AWS reports of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// Metered; or the same as what was metered before.
    Success(MeteringRecordId),
    /// The hour was metered with another quantity, which stands.
    DuplicateRecord(MeteringRecordId),
    /// No agreement covers it.
    CustomerNotSubscribed,
    /// Not processed this time: its month closed on the way, or its partition failed. Send it again.
    Unprocessed,
}

/// What became of a record of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageOutcome {
    /// Its position in the request.
    pub index: u32,
    /// What became of it.
    pub status: RecordStatus,
}

/// Takes the records of one request into the tally: decides and applies in one pass. Answers what became of
/// each, in order, and the events that replay the same.
pub fn accept(
    sandbox: &mut Sandbox,
    request: &CheckedRequest,
    now: Timestamp,
) -> (Vec<UsageOutcome>, Vec<Event>) {
    let mut events = Vec::new();
    let mut outcomes = Vec::with_capacity(request.records.len());
    let mut columns = UsageColumns::with_capacity(request.records.len());
    let mut rows = Vec::with_capacity(request.records.len());
    for record in &request.records {
        let refused = refusal(sandbox, request, record, now);
        let status = refused.unwrap_or(RecordStatus::Unprocessed);
        outcomes.push(UsageOutcome { index: record.index, status });
        if refused.is_some() {
            continue;
        }
        let key = request.series_key(record);
        let handle = sandbox.tally().handle(&key).unwrap_or_else(|| {
            let hash = key.hash();
            let (buyer, payer) = (record.buyer, record.payer);
            let series = Series { key, product: request.product.clone(), buyer, payer, hash };
            let handle = sandbox.tally().next_handle();
            let opened = Event::SeriesOpened(series);
            sandbox.apply(&opened);
            events.push(opened);
            handle
        });
        rows.push((outcomes.len() - 1, handle, record.hour()));
        columns.push(handle, record.hour(), record.quantity.millionths());
    }
    // How a retry is told and answered is open for batches alone: MeterUsage gives the first id, as documented.
    let is_batch = request.door == Door::Batch;
    let rules = &sandbox.market().rules;
    let compares_allocations = is_batch && rules.retry_compares_allocations;
    let identical_retry = if is_batch { rules.identical_retry } else { IdenticalRetry::Success };
    let accepted = sandbox.accept_usage(&columns).of_each().collect::<Vec<_>>();
    let mut new = UsageColumns::with_capacity(columns.len());
    let mut allocated = Vec::new();
    for (outcome, (position, handle, hour)) in accepted.into_iter().zip(rows) {
        let Some(id) = sandbox.tally().series(handle).map(|series| series.record_id(hour)) else { continue };
        let record = request.records.get(position);
        let outcome = match (outcome, record) {
            (Outcome::Same, Some(record))
                if compares_allocations
                    && !are_same(&sandbox.tally().allocations(handle, hour), &record.allocations) =>
            {
                Outcome::Different
            }
            (outcome, _) => outcome,
        };
        let status = match (outcome, identical_retry) {
            (Outcome::New, _) | (Outcome::Same, IdenticalRetry::Success) => RecordStatus::Success(id),
            (Outcome::Same, IdenticalRetry::DuplicateRecord) | (Outcome::Different, _) => {
                RecordStatus::DuplicateRecord(id)
            }
        };
        if outcome == Outcome::New
            && let Some(record) = record
        {
            new.push(handle, hour, record.quantity.millionths());
            if !record.allocations.is_empty() {
                let allocations = record.allocations.as_slice().into();
                let event = Event::UsageAllocated { handle, hour, allocations };
                sandbox.apply(&event);
                allocated.push(event);
            }
        }
        if let Some(slot) = outcomes.get_mut(position) {
            slot.status = status;
        }
    }
    if !new.is_empty() {
        events.push(Event::UsageAccepted(new));
    }
    events.extend(allocated);
    (outcomes, events)
}

/// Whether allocations are the same, in whatever order.
fn are_same(one: &[Allocation], other: &[Allocation]) -> bool {
    let sorted = |list: &[Allocation]| {
        let mut sorted = list.to_vec();
        sorted.sort();
        sorted
    };
    one.len() == other.len() && sorted(one) == sorted(other)
}

/// Whether agreements cover every record of a request.
pub fn are_subscribed(sandbox: &Sandbox, request: &CheckedRequest, now: Timestamp) -> bool {
    request.records.iter().all(|record| {
        sandbox
            .family(record.payer)
            .is_some_and(|family| is_subscribed(sandbox, family, request, record, now))
    })
}

/// Why a record is not metered, if it is not.
fn refusal(
    sandbox: &Sandbox,
    request: &CheckedRequest,
    record: &CheckedRecord,
    now: Timestamp,
) -> Option<RecordStatus> {
    let Some(family) = sandbox.family(record.payer) else { return Some(RecordStatus::CustomerNotSubscribed) };
    if !is_subscribed(sandbox, family, request, record, now) {
        return Some(RecordStatus::CustomerNotSubscribed);
    }
    let closed = BillingMonth::containing(record.timestamp) < family.open_month;
    closed.then_some(RecordStatus::Unprocessed)
}

fn is_subscribed(
    sandbox: &Sandbox,
    family: &Family,
    request: &CheckedRequest,
    record: &CheckedRecord,
    now: Timestamp,
) -> bool {
    let moment = (record.timestamp, request.metered_as);
    is_subscribed_by(sandbox, family, &record.identity, &request.product, moment, now)
}

/// Whether agreements take a record of a moment. Usage records are taken at their moment, instances by their hour.
pub fn is_subscribed_by(
    sandbox: &Sandbox,
    family: &Family,
    identity: &Identity,
    product: &ProductId,
    (moment, metered_as): (Timestamp, DimensionType),
    now: Timestamp,
) -> bool {
    let window = sandbox.market().rules.metering_window;
    match metered_as {
        DimensionType::Metered => {
            takes_hour(sandbox, family, identity, product, UsageHour::containing(moment), now)
        }
        DimensionType::ExternallyMetered | DimensionType::Entitled => match identity {
            Identity::Product(_, buyer) => {
                timeline::takes_record(&family.agreements_of(*buyer, product), moment, now, window)
            }
            Identity::Licence(licence) => {
                timeline::takes_record(&family.agreements_of_licence(licence), moment, now, window)
            }
        },
    }
}

/// Whether agreements take what counts for an hour.
pub fn takes_hour(
    sandbox: &Sandbox,
    family: &Family,
    identity: &Identity,
    product: &ProductId,
    hour: UsageHour,
    now: Timestamp,
) -> bool {
    let window = sandbox.market().rules.metering_window;
    match identity {
        Identity::Product(_, buyer) => {
            timeline::takes_hour(&family.agreements_of(*buyer, product), hour, now, window)
        }
        Identity::Licence(licence) => {
            timeline::takes_hour(&family.agreements_of_licence(licence), hour, now, window)
        }
    }
}
