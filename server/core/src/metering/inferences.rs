//! Inferences of machine learning products: billed are the units of those that succeeded (P5).

use super::acceptance::{RecordStatus, UsageOutcome, takes_hour};
use super::columns::UsageColumns;
use super::request::find_market_product;
use super::series::{Identity, SeriesKey};
use super::window;
use crate::catalog::{BilledBy, Marketplace};
use crate::ids::{AccountId, DimensionKey, ProductCode, ProductId, Region, content_hash};
use crate::machine::{Event, Sandbox};
use crate::metering::request::Door;
use crate::quantity::{MILLIONTHS, Quantity};
use crate::rejection::{Code, Rejection};
use crate::time::{BillingMonth, Timestamp, UsageHour};

/// Characters of the name of a call at most.
const NAME_LENGTH_MAX: usize = 64;

/// A call of a model, as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference {
    /// When.
    pub at: Timestamp,
    /// Its HTTP status.
    pub status: u16,
    /// Its ConsumedUnits header; one unit without.
    pub units: u64,
}

impl Inference {
    /// The units that are billed: those of what succeeded.
    pub fn billed(self) -> u64 {
        if (200..300).contains(&self.status) { self.units } else { 0 }
    }
}

/// A call as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedInference {
    /// What it is called: no other call of the dimension is.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Its HTTP status.
    pub status: u32,
    /// Its ConsumedUnits header.
    pub consumed_units: Option<u64>,
}

/// The calls of one buyer on one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferencesRequest {
    /// The product.
    pub product_code: ProductCode,
    /// Where the endpoint is.
    pub region: Region,
    /// Who called.
    pub buyer: AccountId,
    /// Which dimension.
    pub dimension: DimensionKey,
    /// The calls.
    pub calls: Vec<NamedInference>,
}

/// Calls that nothing refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedInferences {
    /// What they are counted under.
    pub key: SeriesKey,
    /// The product.
    pub product: ProductId,
    /// Who called.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// The calls, with the hashes of their names.
    pub calls: Vec<(u128, Inference)>,
}

/// Checks calls as a whole: product, dimension, then each call. None: the sandbox has no such account, so nobody
/// subscribed.
///
/// # Errors
/// What is wrong with them, with its field.
pub fn check_inferences(
    market: &Marketplace,
    request: InferencesRequest,
    now: Timestamp,
) -> Result<Option<CheckedInferences>, Rejection> {
    let product = find_market_product(market, &request.product_code)?;
    let refuse = |why: String| Err(Rejection::new(Code::DimensionUnknown, "dimension", why));
    match product.dimension(&request.dimension) {
        Some(dimension) if dimension.billed_by == Some(BilledBy::Inference) => {}
        Some(_) => {
            return refuse(format!(
                "\"{}\" is not billed by inferences (billedBy INFERENCE, P5): tell its runs, or report it",
                request.dimension
            ));
        }
        None => {
            return refuse(format!(
                "product {} has no dimension \"{}\": {}",
                product.id,
                request.dimension,
                product.keys()
            ));
        }
    }
    let mut calls = Vec::with_capacity(request.calls.len());
    for (index, call) in request.calls.iter().enumerate() {
        let checked = check_call(call, market, now);
        calls.push(checked.map_err(|r| r.within(&format!("inferences[{index}]")))?);
    }
    let Some(account) = market.accounts().get(&request.buyer) else { return Ok(None) };
    Ok(Some(CheckedInferences {
        key: SeriesKey {
            identity: Identity::Product(product.code.clone(), account.id),
            region: request.region,
            resource: None,
            dimension: request.dimension,
        },
        product: product.id.clone(),
        buyer: account.id,
        payer: account.payer,
        calls,
    }))
}

fn check_call(
    call: &NamedInference,
    market: &Marketplace,
    now: Timestamp,
) -> Result<(u128, Inference), Rejection> {
    let refuse = |field: &str, why: String| Err(Rejection::new(Code::FieldInvalid, field, why));
    let length = call.name.chars().count();
    if !(1..=NAME_LENGTH_MAX).contains(&length) {
        return refuse("inferenceId", format!("{length} characters: give 1 to {NAME_LENGTH_MAX}"));
    }
    let status = u16::try_from(call.status).ok().filter(|status| (100..600).contains(status));
    let Some(status) = status else {
        return refuse("statusCode", format!("{} is no HTTP status: give 100 to 599", call.status));
    };
    let units = call.consumed_units.unwrap_or(1);
    if let Err(why) = Quantity::whole(units) {
        let message = format!("{units} cannot be consumed at once: {why}");
        return Err(Rejection::new(Code::QuantityInvalid, "consumedUnits", message));
    }
    window::check(call.at, now, &market.rules, Door::Batch, "callTime")?;
    Ok((content_hash("inference", &[&call.name]), Inference { at: call.at, status, units }))
}

/// Takes calls into the tally: decides and applies in one pass. Answers what became of each, in order, and the events
/// that replay the same.
///
/// # Errors
/// An hour holds more than a quantity can say: nothing is metered then.
pub fn accept_inferences(
    sandbox: &mut Sandbox,
    request: &CheckedInferences,
    now: Timestamp,
) -> Result<(Vec<UsageOutcome>, Vec<Event>), Rejection> {
    let statuses: Vec<_> =
        request.calls.iter().map(|(_, call)| refusal(sandbox, request, *call, now)).collect();
    check_sums(sandbox, request, &statuses)?;
    let mut events = Vec::new();
    let mut outcomes = Vec::with_capacity(statuses.len());
    let mut columns = UsageColumns::with_capacity(statuses.len());
    let mut told = Vec::new();
    for (index, (&(name, call), refused)) in (0..).zip(request.calls.iter().zip(statuses)) {
        let status = match refused {
            Some(refused) => refused,
            None => {
                let (product, owner) = (&request.product, (request.buyer, request.payer));
                let handle = super::run_acceptance::open(sandbox, &request.key, product, owner, &mut events);
                let hour = UsageHour::containing(call.at);
                let id = request.key.record_id(hour);
                match sandbox.tally().told().inference(handle, name) {
                    Some(before) if before == call => RecordStatus::Success(id),
                    Some(_) => RecordStatus::DuplicateRecord(id),
                    None => {
                        sandbox.told_mut().remember_inference(handle, name, call);
                        told.push((handle, name, call));
                        columns.push(handle, hour, call.billed() * MILLIONTHS);
                        RecordStatus::Success(id)
                    }
                }
            }
        };
        outcomes.push(UsageOutcome { index, status });
    }
    if !told.is_empty() {
        sandbox.add_usage(&columns);
        events.extend([Event::InferencesTold(told), Event::UsageAdded(columns)]);
    }
    Ok((outcomes, events))
}

/// Refuses what would make an hour hold more than a quantity can say.
fn check_sums(
    sandbox: &Sandbox,
    request: &CheckedInferences,
    statuses: &[Option<RecordStatus>],
) -> Result<(), Rejection> {
    let mut sums = std::collections::BTreeMap::new();
    let handle = sandbox.tally().handle(&request.key);
    for (index, ((_, call), refused)) in request.calls.iter().zip(statuses).enumerate() {
        if refused.is_some() {
            continue;
        }
        let hour = UsageHour::containing(call.at);
        let metered = || handle.map_or(0, |handle| sandbox.tally().metered(handle, hour).unwrap_or(0));
        let sum = sums.entry(hour).or_insert_with(|| u128::from(metered()));
        *sum += u128::from(call.billed()) * u128::from(MILLIONTHS);
        if *sum > u128::from(Quantity::MAX.millionths()) {
            let message = format!(
                "the hour {hour} would hold more than {} units: check what the calls consumed",
                Quantity::MAX
            );
            let field = format!("inferences[{index}].consumedUnits");
            return Err(Rejection::new(Code::QuantityInvalid, field, message));
        }
    }
    Ok(())
}

/// Why a call is not metered, if it is not.
fn refusal(
    sandbox: &Sandbox,
    request: &CheckedInferences,
    call: Inference,
    now: Timestamp,
) -> Option<RecordStatus> {
    let Some(family) = sandbox.family(request.payer) else {
        return Some(RecordStatus::CustomerNotSubscribed);
    };
    let hour = UsageHour::containing(call.at);
    if !takes_hour(sandbox, family, &request.key.identity, &request.product, hour, now) {
        return Some(RecordStatus::CustomerNotSubscribed);
    }
    let closed = BillingMonth::containing(call.at) < family.open_month;
    closed.then_some(RecordStatus::Unprocessed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_16_only_what_succeeded_is_billed() {
        for (status, units, billed) in
            [(200, 3, 3), (299, 2, 2), (400, 2, 0), (503, 1, 0), (199, 1, 0), (300, 1, 0)]
        {
            assert_eq!(Inference { at: Timestamp::MIN, status, units }.billed(), billed, "{status}");
        }
    }
}
