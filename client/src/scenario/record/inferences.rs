//! Inferences as steps: what stands of an hour is told as calls that succeeded, with as many units. Runs cannot be told
//! from their hours.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use souk_proto::catalog::v1::BilledBy;
use souk_proto::metering::v1::MeteredRecord;

use super::usage::millionths;
use super::words::{flow, flow_text};
use super::{Past, Rank, Step};

const HOUR_SECONDS: i64 = 3_600;
/// Units of one call at most.
const UNITS_MAX: u128 = 2_147_483_647;

/// By what the dimension of a record is billed.
pub fn billed_by(past: &Past, record: &MeteredRecord) -> BilledBy {
    let product = past.products.iter().find(|product| product.product_code == record.product_code);
    let dimension = product.and_then(|product| product.dimensions.iter().find(|d| d.key == record.dimension));
    dimension.map_or(BilledBy::Unspecified, |dimension| dimension.billed_by())
}

/// A step for each record: the calls of its hour.
pub fn steps(past: &Past, records: &[MeteredRecord]) -> Vec<Step> {
    let told = records.iter().filter(|record| billed_by(past, record) == BilledBy::Inference);
    // A call is told once by its name, whatever stood in another region.
    let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
    told.map(|record| step(past, record, &mut numbers)).collect()
}

fn step(past: &Past, record: &MeteredRecord, numbers: &mut BTreeMap<i64, usize>) -> Step {
    let hour = record.hour.unwrap_or_default().seconds;
    let time = Timestamp { seconds: begun_within(past, record, hour), nanos: 0 };
    let number = numbers.entry(hour).or_default();
    let calls: Vec<String> = parts(millionths(&record.quantity) / 1_000_000)
        .into_iter()
        .map(|units| {
            *number += 1;
            let id = flow_text(&format!("recorded-{}-{number}", hour / HOUR_SECONDS));
            let (status, units) = ("200".to_owned(), units.to_string());
            flow(&[("id", id), ("status", status), ("units", units), ("time", time.to_string())])
        })
        .collect();
    let mut keys = vec![
        ("product", flow_text(past.names.product(&record.product_code))),
        ("buyer", flow_text(past.names.account(&record.buyer_account_id))),
        ("dimension", flow_text(&record.dimension)),
    ];
    if record.region != "us-east-1" {
        keys.push(("region", flow_text(&record.region)));
    }
    keys.push(("calls", format!("[{}]", calls.join(", "))));
    let text = format!("meterInferences: {}\n", flow(&keys));
    let end = hour + HOUR_SECONDS;
    let (seconds, nanos, rank) = match end <= past.now.seconds {
        true => (end, 0, Rank::Past),
        false => (past.now.seconds, past.now.nanos, Rank::Present),
    };
    Step { seconds, nanos, rank, deeds: vec![text] }
}

/// When in the hour: at its beginning, or when the buyer subscribed within it.
fn begun_within(past: &Past, record: &MeteredRecord, hour: i64) -> i64 {
    let begins = past.agreements.iter().filter(|a| a.buyer_account_id == record.buyer_account_id);
    let times = begins.filter_map(|agreement| agreement.acceptance_time).map(|time| time.seconds);
    let within = times.filter(|time| (hour..hour + HOUR_SECONDS).contains(time));
    within.max().map_or(hour, |time| (time + 1).min(hour + HOUR_SECONDS - 1))
}

/// Units of calls that make up so many.
fn parts(units: u128) -> Vec<u128> {
    let mut left = units;
    let mut parts = Vec::new();
    while left > UNITS_MAX {
        parts.push(UNITS_MAX);
        left -= UNITS_MAX;
    }
    parts.push(left);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_in_calls_that_can_be() {
        assert_eq!(parts(0), [0]);
        assert_eq!(parts(6), [6]);
        assert_eq!(parts(UNITS_MAX), [UNITS_MAX]);
        assert_eq!(parts(UNITS_MAX * 2 + 5), [UNITS_MAX, UNITS_MAX, 5]);
    }
}
