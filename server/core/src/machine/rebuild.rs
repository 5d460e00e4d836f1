//! The shortest stream of events that rebuilds a sandbox's state in a partition, beside its tiles: what a snapshot
//! holds. Applying them to what is published gives the same state as all the events that ever happened.

use super::{Event, Sandbox};
use crate::agreement::Family;
use crate::metering::{Program, SeriesHandle};
use crate::time::{BillingMonth, Timestamp};

/// Runs or inferences of one event at most.
const TOLD: usize = 1_000;

/// The events in their order: families with what they agreed to and were billed, then their series.
pub fn events(sandbox: &Sandbox) -> impl Iterator<Item = Event> {
    let families = sandbox.families().values().flat_map(|family| family_events(family));
    let series = sandbox.tally().all_series().iter().cloned().map(Event::SeriesOpened);
    let allocated = sandbox.tally().all_allocations().iter().map(|((handle, hour), allocations)| {
        Event::UsageAllocated { handle: *handle, hour: *hour, allocations: allocations.clone() }
    });
    families.chain(series).chain(allocated).chain(told(sandbox))
}

/// What was told of open months; what it added stands in the tiles.
fn told(sandbox: &Sandbox) -> Vec<Event> {
    let told = sandbox.tally().told();
    let (runs, calls): (Vec<_>, Vec<_>) = (told.runs().collect(), told.inferences().collect());
    let runs = runs.chunks(TOLD).map(|some| Event::RunsTold(some.to_vec()));
    runs.chain(calls.chunks(TOLD).map(|some| Event::InferencesTold(some.to_vec()))).collect()
}

fn family_events(family: &Family) -> impl Iterator<Item = Event> {
    let payer = family.payer;
    // Each as it stands: with what was bought under it since, and its end.
    let agreements = family.agreements().cloned().map(Event::AgreementAccepted);
    let first = family.agreements().next().map(|first| BillingMonth::containing(first.accepted_at));
    let closed = BillingMonth::from_index(family.open_month.index() - 1)
        .filter(|_| first != Some(family.open_month))
        .map(|month| Event::MonthClosed { payer, month });
    let invoices = family.invoices().iter().cloned().map(Event::InvoiceIssued);
    let payments = family.payments().map(move |(invoice, payment)| Event::InvoicePaid {
        payer,
        invoice: invoice.clone(),
        amount: payment.amount,
        at: payment.at,
    });
    let tokens = family.client_tokens.calls().map(move |(token, parameters, at)| Event::ClientTokenUsed {
        payer,
        token,
        parameters,
        at,
    });
    let programs = family.registrations.programs().map(move |(buyer, product, resource)| {
        let (product, resource) = (product.clone(), resource.clone());
        // When it was is not remembered, and nothing depends on it.
        Event::UsageRegistered { program: Program { payer, buyer, product, resource }, at: Timestamp::MIN }
    });
    let shown = family.demonstrations.iter().cloned();
    let shown = shown.map(move |demonstration| Event::Demonstrated { payer, demonstration });
    agreements.chain(closed).chain(invoices).chain(payments).chain(shown).chain(tokens).chain(programs)
}

/// The first difference between two states, if there is one; what is only remembered to be fast does not count.
pub fn difference(one: &Sandbox, other: &Sandbox) -> Option<String> {
    let families = one.families().values().zip(other.families().values());
    let family = families.map(|(a, b)| (format!("{a:?}"), format!("{b:?}"))).find(|(a, b)| a != b);
    if let Some((a, b)) = family {
        return Some(format!("a family is {a} and {b}"));
    }
    let series = |sandbox: &Sandbox| sandbox.tally().all_series().len();
    if one.families().len() != other.families().len() || series(one) != series(other) {
        return Some(format!(
            "{} families with {} series and {} with {}",
            one.families().len(),
            series(one),
            other.families().len(),
            series(other)
        ));
    }
    let handles = (0..series(one) as u32).map(SeriesHandle);
    let differs = |handle: &SeriesHandle| one.tally().series(*handle) != other.tally().series(*handle);
    if let Some(handle) = handles.clone().find(differs) {
        return Some(format!("series {} differs", handle.0));
    }
    let keyed = |handle: &SeriesHandle| {
        one.tally().series(*handle).is_some_and(|series| other.tally().handle(&series.key) != Some(*handle))
    };
    if let Some(handle) = handles.clone().find(keyed) {
        return Some(format!("series {} is not found by its key", handle.0));
    }
    let months = one.tally().all_months().chain(other.tally().all_months()).map(|(month, _)| month);
    let hours = |sandbox: &Sandbox, handle, month| {
        let column = sandbox.tally().month(handle, month);
        column.map(|column| column.metered_from(0).collect::<Vec<_>>()).unwrap_or_default()
    };
    for month in months {
        let differs = |handle: &SeriesHandle| hours(one, *handle, month) != hours(other, *handle, month);
        if let Some(handle) = handles.clone().find(differs) {
            return Some(format!("series {} has other hours in {month}", handle.0));
        }
    }
    let (told, others) = (one.tally().told(), other.tally().told());
    if !told.runs().eq(others.runs()) || !told.inferences().eq(others.inferences()) {
        return Some("what was told differs".to_owned());
    }
    let allocations = one.tally().all_allocations().iter().eq(other.tally().all_allocations().iter());
    (!allocations).then(|| "allocations differ".to_owned())
}
