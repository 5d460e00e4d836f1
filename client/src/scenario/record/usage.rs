//! The usage records that stand, as steps: hours with the same quantity as one range, told before whatever happened
//! next, or when their month is over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike};
use prost_types::Timestamp;
use souk_proto::catalog::v1::DimensionType;
use souk_proto::metering::v1::MeteredRecord;

use super::words::{flow, flow_text, indented};
use super::{Past, Rank, Step};

const HOUR_SECONDS: i64 = 3_600;

/// What is metered together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Door {
    /// AWS Marketplace meters it itself.
    instances: bool,
    product: String,
    region: String,
    /// Records name licences, and no product.
    by_licence: bool,
}

/// Whose hours of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    customer: String,
    dimension: String,
    buyer_account_id: String,
    product_code: String,
}

/// Hours one after the other, from the first to the end.
#[derive(Debug)]
struct Stretch {
    from: i64,
    until: i64,
    /// One quantity for all of them, or one for each; none where nothing was metered.
    millionths: Vec<Option<u128>>,
    /// When in the hour, where its beginning would be before the agreement.
    time: Option<Timestamp>,
}

/// The steps of the records.
pub fn steps(past: &Past, records: &[MeteredRecord]) -> Vec<Step> {
    let mut hours: BTreeMap<(Door, Series), BTreeMap<i64, u128>> = BTreeMap::new();
    for record in records {
        let hour = record.hour.unwrap_or_default().seconds.div_euclid(HOUR_SECONDS);
        // Records of one hour on several resources are billed together.
        *hours.entry(key(past, record)).or_default().entry(hour).or_default() += millionths(&record.quantity);
    }
    let cuts = cuts(past, records);
    // By the cut before which they are told.
    let mut told: BTreeMap<(i64, Door), Vec<(Series, Stretch)>> = BTreeMap::new();
    for ((door, series), hours) in &hours {
        for stretch in stretches(hours, &cuts, &begun_within(past, series)) {
            let next = cuts.range(stretch.until..).next().copied().unwrap_or(i64::MAX);
            told.entry((next, door.clone())).or_default().push((series.clone(), stretch));
        }
    }
    told.iter().flat_map(|((_, door), stretches)| steps_of(past, door, stretches)).collect()
}

fn key(past: &Past, record: &MeteredRecord) -> (Door, Series) {
    let product = past.products.iter().find(|product| product.product_code == record.product_code);
    let dimension = product.and_then(|product| product.dimensions.iter().find(|d| d.key == record.dimension));
    let instances =
        dimension.is_some_and(|dimension| dimension.types.contains(&(DimensionType::Metered as i32)));
    let by_licence = !record.license_arn.is_empty() && !instances;
    let customer = match by_licence {
        true => past.names.licence(&record.license_arn),
        false => past.names.account(&record.buyer_account_id),
    };
    let product =
        if by_licence { String::new() } else { past.names.product(&record.product_code).to_owned() };
    let door = Door { instances, product, region: record.region.clone(), by_licence };
    let series = Series {
        customer: customer.to_owned(),
        dimension: record.dimension.clone(),
        buyer_account_id: record.buyer_account_id.clone(),
        product_code: record.product_code.clone(),
    };
    (door, series)
}

/// Hours at which usage is told: those in which something else happened, and the beginnings of months.
fn cuts(past: &Past, records: &[MeteredRecord]) -> BTreeSet<i64> {
    let hour = |time: &Timestamp| time.seconds.div_euclid(HOUR_SECONDS);
    let mut cuts: BTreeSet<i64> =
        past.events.iter().filter_map(|event| event.time.as_ref()).map(hour).collect();
    cuts.extend(records.iter().filter_map(|record| record.hour.as_ref()).filter_map(next_month));
    cuts
}

/// The hours within which the buyer subscribed to the product, and when.
fn begun_within(past: &Past, series: &Series) -> BTreeMap<i64, Timestamp> {
    let product = past.products.iter().find(|product| product.product_code == series.product_code);
    let of_series = past.agreements.iter().filter(|agreement| {
        agreement.buyer_account_id == series.buyer_account_id
            && product.is_some_and(|product| product.product_id == agreement.product_id)
    });
    let times = of_series.filter_map(|agreement| agreement.acceptance_time);
    let within = times.filter(|time| time.seconds.rem_euclid(HOUR_SECONDS) > 0 || time.nanos > 0);
    within.map(|time| (time.seconds.div_euclid(HOUR_SECONDS), time)).collect()
}

fn next_month(time: &Timestamp) -> Option<i64> {
    let date = DateTime::from_timestamp(time.seconds, 0)?.date_naive();
    let (year, month) =
        if date.month() == 12 { (date.year() + 1, 1) } else { (date.year(), date.month() + 1) };
    let first = chrono::NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)?;
    Some(first.and_utc().timestamp().div_euclid(HOUR_SECONDS))
}

/// Shorter stretches of one quantity are told hour by hour with their neighbours, with up to as many empty hours.
const SHORT_HOURS: i64 = 12;

fn stretches(
    hours: &BTreeMap<i64, u128>,
    cuts: &BTreeSet<i64>,
    begun: &BTreeMap<i64, Timestamp>,
) -> Vec<Stretch> {
    let mut even: Vec<Stretch> = Vec::new();
    for (&hour, &millionths) in hours {
        let time = begun.get(&hour).copied();
        match even.last_mut() {
            Some(last)
                if last.until == hour
                    && last.millionths == [Some(millionths)]
                    && last.time.is_none()
                    && time.is_none()
                    && !cuts.contains(&hour) =>
            {
                last.until += 1;
            }
            _ => even.push(Stretch { from: hour, until: hour + 1, millionths: vec![Some(millionths)], time }),
        }
    }
    let mut stretches: Vec<Stretch> = Vec::new();
    for stretch in even {
        match stretches.last_mut() {
            Some(last)
                if last.is_short()
                    && stretch.is_short()
                    && stretch.from - last.until <= SHORT_HOURS
                    && cuts.range(last.until..=stretch.from).next().is_none() =>
            {
                last.spread();
                let empty = (last.until..stretch.from).map(|_| None);
                last.millionths.extend(empty);
                let each = (stretch.from..stretch.until).flat_map(|_| stretch.millionths.clone());
                last.millionths.extend(each);
                last.until = stretch.until;
            }
            _ => stretches.push(stretch),
        }
    }
    stretches
}

impl Stretch {
    /// Whether it may be told hour by hour: it is short, or is told so already.
    fn is_short(&self) -> bool {
        let one_for_all = self.millionths.len() == 1;
        self.time.is_none() && (!one_for_all || self.until - self.from < SHORT_HOURS)
    }

    /// Has a quantity for each hour from here on.
    fn spread(&mut self) {
        if let &[one] = self.millionths.as_slice() {
            self.millionths = (self.from..self.until).map(|_| one).collect();
        }
    }
}

fn steps_of(past: &Past, door: &Door, stretches: &[(Series, Stretch)]) -> Vec<Step> {
    let step = |until: i64, text: String| {
        let end = until.saturating_mul(HOUR_SECONDS);
        // The hour that the clock stands in is not over.
        let (seconds, nanos, rank) = match end <= past.now.seconds {
            true => (end, 0, Rank::Past),
            false => (past.now.seconds, past.now.nanos, Rank::Present),
        };
        Step { seconds, nanos, rank, deeds: vec![text] }
    };
    if door.instances {
        let run = |(series, stretch): &(Series, Stretch)| {
            let mut keys = vec![
                ("product", flow_text(&door.product)),
                ("buyer", flow_text(&series.customer)),
                ("type", flow_text(&series.dimension)),
            ];
            keys.extend(hour_keys(stretch, "count"));
            keys.push(("region", region(door)));
            step(stretch.until, format!("run: {}\n", flow(&keys)))
        };
        return stretches.iter().map(run).collect();
    }
    let mut text = String::from("meter:\n");
    for (key, value) in [("product", flow_text(&door.product)), ("region", region(door))] {
        if !value.is_empty() && value != "\"\"" {
            text.push_str(&format!("  {key}: {value}\n"));
        }
    }
    text.push_str("  records:\n");
    for (series, stretch) in stretches {
        let customer = if door.by_licence { "agreement" } else { "buyer" };
        let mut keys =
            vec![(customer, flow_text(&series.customer)), ("dimension", flow_text(&series.dimension))];
        keys.extend(hour_keys(stretch, "quantity"));
        text.push_str(&indented(4, &format!("- {}", flow(&keys))));
    }
    let until = stretches.iter().map(|(_, stretch)| stretch.until).max().unwrap_or_default();
    vec![step(until, text)]
}

fn hour_keys(stretch: &Stretch, amount: &'static str) -> Vec<(&'static str, String)> {
    let time = |hour: i64| Timestamp { seconds: hour * HOUR_SECONDS, nanos: 0 }.to_string();
    let written = |one: &Option<u128>| one.map_or_else(|| "~".to_owned(), number);
    let amounts: Vec<String> = stretch.millionths.iter().map(written).collect();
    if amounts.len() > 1 {
        return vec![("from", time(stretch.from)), ("hourly", format!("[{}]", amounts.join(", ")))];
    }
    let mut keys = vec![(amount, amounts.concat())];
    match stretch.time {
        Some(within) => keys.push(("time", within.to_string())),
        None if stretch.until == stretch.from + 1 => keys.push(("time", time(stretch.from))),
        None => keys.extend([("from", time(stretch.from)), ("until", time(stretch.until))]),
    }
    keys
}

/// The region, where it is not the one that is meant when none is said.
fn region(door: &Door) -> String {
    if door.region == "us-east-1" { String::new() } else { flow_text(&door.region) }
}

/// A quantity of up to six decimals in millionths.
pub fn millionths(text: &str) -> u128 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{decimals:0<6}").parse().unwrap_or_default()
}

fn number(millionths: u128) -> String {
    let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:06}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretches of hours, as they are written.
    fn told(hours: &[(i64, u128)], cuts: &[i64], begun: &[(i64, Timestamp)]) -> Vec<String> {
        let (hours, cuts) = (hours.iter().copied().collect(), cuts.iter().copied().collect());
        let found = stretches(&hours, &cuts, &begun.iter().copied().collect());
        found.iter().map(|stretch| flow(&hour_keys(stretch, "count"))).collect()
    }

    #[test]
    fn hours_are_told_together_up_to_a_cut() {
        let one = 1_000_000;
        let day: Vec<_> = (0..24).map(|hour| (hour, 5 * one)).collect();
        assert_eq!(
            told(&day, &[12], &[]),
            [
                "{count: 5, from: 1970-01-01T00:00:00Z, until: 1970-01-01T12:00:00Z}",
                "{count: 5, from: 1970-01-01T12:00:00Z, until: 1970-01-02T00:00:00Z}",
            ]
        );
        assert_eq!(
            told(&[(1, 5 * one), (2, 5 * one), (3, 7 * one), (5, one / 2)], &[], &[]),
            ["{from: 1970-01-01T01:00:00Z, hourly: [5, 5, 7, ~, 0.5]}"]
        );
        let within = Timestamp { seconds: 2 * HOUR_SECONDS + 60, nanos: 0 };
        assert_eq!(
            told(&[(1, one), (2, one), (3, one)], &[2], &[(2, within)]),
            [
                "{count: 1, time: 1970-01-01T01:00:00Z}",
                "{count: 1, time: 1970-01-01T02:01:00Z}",
                "{count: 1, time: 1970-01-01T03:00:00Z}",
            ]
        );
        assert_eq!(told(&[(1, one), (40, one)], &[], &[]).len(), 2, "a long pause is not spelled out");
    }

    #[test]
    fn quantities_keep_their_decimals() {
        for (text, written) in
            [("17", "17"), ("0.5", "0.5"), ("9999999999.999999", "9999999999.999999"), ("3.10", "3.1")]
        {
            assert_eq!(number(millionths(text)), written, "{text}");
        }
    }
}
