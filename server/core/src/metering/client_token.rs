//! Client tokens: a family's memory of the MeterUsage calls that were named with one (aws-api A.3).
//!
//! The same token with the same parameters gets the same answer; with others it is refused. SDKs send a fresh
//! token with every call: whether an hour was metered before is for the tally to say, never for a token.

use std::collections::{BTreeMap, BTreeSet};

use super::acceptance::{RecordStatus, UsageOutcome, accept};
use super::request::{CheckedRecord, CheckedRequest};
use crate::ids::{AccountId, Region, content_hash};
use crate::machine::{Event, Sandbox};
use crate::rejection::{Code, Rejection};
use crate::rules::CLIENT_TOKEN_MICROS;
use crate::time::Timestamp;

/// Characters of a token at most.
pub const TOKEN_LENGTH_MAX: usize = 64;

/// A token that names a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken(String);

impl ClientToken {
    /// Reads 1 to 64 characters.
    pub fn from_field(text: &str, field: &str) -> Result<ClientToken, Rejection> {
        match text.chars().count() {
            1..=TOKEN_LENGTH_MAX => Ok(ClientToken(text.to_owned())),
            length => {
                let message = format!("a token of {length} characters: give 1 to {TOKEN_LENGTH_MAX}");
                Err(Rejection::new(Code::FieldInvalid, field, message))
            }
        }
    }

    /// What it is remembered by: it names a call of one account in one region, and no other's.
    fn hash(&self, buyer: AccountId, region: &Region) -> u128 {
        content_hash("client token", &[&self.0, &buyer.to_string(), region.as_str()])
    }
}

/// The calls of the last 24 hours that were named with a token, by the hash of the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTokens {
    /// The hash of the parameters, and when.
    calls: BTreeMap<u128, (u128, Timestamp)>,
    /// The same by time: the oldest are forgotten first.
    ages: BTreeSet<(Timestamp, u128)>,
}

impl ClientTokens {
    /// The parameters of the call that a token named, if that was within the last 24 hours.
    pub fn parameters(&self, token: u128, now: Timestamp) -> Option<u128> {
        self.calls.get(&token).filter(|(_, at)| !is_forgotten(*at, now)).map(|(parameters, _)| *parameters)
    }

    /// The calls, the oldest first: the token's hash, that of the parameters, and when.
    pub fn calls(&self) -> impl Iterator<Item = (u128, u128, Timestamp)> {
        self.ages.iter().filter_map(|(at, token)| Some((*token, self.calls.get(token)?.0, *at)))
    }

    /// Remembers a call, and forgets those that are older than 24 hours by then.
    pub fn remember(&mut self, token: u128, parameters: u128, at: Timestamp) {
        if let Some((_, before)) = self.calls.insert(token, (parameters, at)) {
            self.ages.remove(&(before, token));
        }
        self.ages.insert((at, token));
        while let Some(&(oldest, token)) = self.ages.first().filter(|(oldest, _)| is_forgotten(*oldest, at)) {
            self.ages.remove(&(oldest, token));
            self.calls.remove(&token);
        }
    }
}

fn is_forgotten(at: Timestamp, now: Timestamp) -> bool {
    at.plus_micros(CLIENT_TOKEN_MICROS) < now
}

/// Takes the record of a call that a token names; see [`accept`]. A call that metered nothing is not
/// remembered: it may be made again with the same token.
pub fn accept_once(
    sandbox: &mut Sandbox,
    request: &CheckedRequest,
    token: &ClientToken,
    now: Timestamp,
) -> Result<(Vec<UsageOutcome>, Vec<Event>), Rejection> {
    let Some(record) = request.records.first() else { return Ok(accept(sandbox, request, now)) };
    let (payer, token) = (record.payer, token.hash(record.buyer, &request.region));
    let parameters = parameters(request);
    let before = sandbox.family(payer).and_then(|family| family.client_tokens.parameters(token, now));
    match before {
        Some(before) if before == parameters => return Ok((same_again(request), Vec::new())),
        Some(_) => {
            let message = "the token names a call with other parameters: give every call a token of its own";
            return Err(Rejection::new(Code::IdempotencyConflict, "clientToken", message));
        }
        None => (),
    }
    let (outcomes, mut events) = accept(sandbox, request, now);
    if outcomes.iter().all(|outcome| matches!(outcome.status, RecordStatus::Success(_))) {
        let used = Event::ClientTokenUsed { payer, token, parameters, at: now };
        sandbox.apply(&used);
        events.push(used);
    }
    Ok((outcomes, events))
}

/// The answer that the first call got: ids come from content.
fn same_again(request: &CheckedRequest) -> Vec<UsageOutcome> {
    let outcome = |record: &CheckedRecord| UsageOutcome {
        index: record.index,
        status: RecordStatus::Success(request.series_key(record).record_id(record.hour())),
    };
    request.records.iter().map(outcome).collect()
}

/// The hash of a call's parameters. AWS compares them after the timestamp is rounded down to its hour; the
/// order of the allocations says nothing.
fn parameters(request: &CheckedRequest) -> u128 {
    let mut parts = vec![request.product.to_string()];
    for record in &request.records {
        let (hour, quantity) = (record.hour().index(), record.quantity.millionths());
        let mut allocations: Vec<_> = record.allocations.iter().collect();
        allocations.sort();
        let count = allocations.len();
        parts.push(format!("{:x} {hour} {quantity} {count}", request.series_key(record).hash()));
        for allocation in allocations {
            parts.push(format!("{} {}", allocation.quantity.millionths(), allocation.tags.len()));
            parts.extend(allocation.tags.iter().flat_map(|(key, value)| [key.clone(), value.clone()]));
        }
    }
    content_hash("parameters", &parts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}Z")).unwrap()
    }

    #[test]
    fn a_token_has_1_to_64_characters() {
        for (length, taken) in [(0, false), (1, true), (64, true), (65, false)] {
            let read = ClientToken::from_field(&"ü".repeat(length), "clientToken");
            assert_eq!(read.is_ok(), taken, "{length}");
        }
    }

    #[test]
    fn a_call_is_remembered_for_24_hours() {
        let mut tokens = ClientTokens::default();
        tokens.remember(1, 7, at("2025-03-10T12:00:00"));
        for (now, expected) in [
            ("2025-03-10T12:00:00", Some(7)),
            ("2025-03-11T12:00:00", Some(7)),
            ("2025-03-11T12:00:00.000001", None),
        ] {
            assert_eq!(tokens.parameters(1, at(now)), expected, "{now}");
        }
        assert_eq!(tokens.parameters(2, at("2025-03-10T12:00:00")), None);
    }

    #[test]
    fn remembering_a_call_forgets_those_of_the_day_before() {
        let mut tokens = ClientTokens::default();
        for (token, moment) in
            [(1, "2025-03-10T12:00:00"), (2, "2025-03-10T13:00:00"), (3, "2025-03-11T12:30:00")]
        {
            tokens.remember(token, 7, at(moment));
        }
        assert_eq!((tokens.calls.len(), tokens.ages.len()), (2, 2));
        // A token that is forgotten may name another call.
        tokens.remember(2, 8, at("2025-03-11T13:00:01"));
        assert_eq!(tokens.parameters(2, at("2025-03-11T13:00:01")), Some(8));
        assert_eq!((tokens.calls.len(), tokens.ages.len()), (2, 2));
    }
}
