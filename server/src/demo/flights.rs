//! The flights of 2013, and what they make the airlines use.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, Timelike, Utc};
use flate2::read::GzDecoder;
use serde::Deserialize;

static FLIGHTS: &[u8] = include_bytes!("../../data/nycflights13-hourly.csv.gz");

/// The carriers and their accounts in the demo's marketplace.
pub const CARRIERS: [(&str, &str); 16] = [
    ("AA", "201300000001"),
    ("MQ", "201300000002"),
    ("DL", "201300000003"),
    ("9E", "201300000004"),
    ("UA", "201300000005"),
    ("EV", "201300000006"),
    ("OO", "201300000007"),
    ("US", "201300000008"),
    ("YV", "201300000009"),
    ("WN", "201300000010"),
    ("FL", "201300000011"),
    ("B6", "201300000012"),
    ("VX", "201300000013"),
    ("AS", "201300000014"),
    ("F9", "201300000015"),
    ("HA", "201300000016"),
];

/// One row: what a carrier flew in an hour.
#[derive(Debug, Clone, Deserialize)]
pub struct Flights {
    /// The scheduled hour.
    pub hour: DateTime<Utc>,
    /// The carrier's code.
    pub carrier: String,
    departures_ewr: u64,
    departures_jfk: u64,
    departures_lga: u64,
    miles: u64,
    air_minutes: u64,
    delayed_departures: u64,
}

impl Flights {
    /// The carrier's account.
    pub fn account(&self) -> anyhow::Result<&'static str> {
        let found = CARRIERS.iter().find(|(carrier, _)| *carrier == self.carrier);
        found.map(|(_, account)| *account).with_context(|| format!("carrier {} has no account", self.carrier))
    }

    /// What Contrail analysed in the hour: dimension and quantity, as decimals.
    pub fn analysed(&self) -> [(&'static str, String); 4] {
        let departures = self.departures_ewr + self.departures_jfk + self.departures_lga;
        [
            ("departures", departures.to_string()),
            ("air_minutes", self.air_minutes.to_string()),
            ("kilomiles", format!("{}.{:03}", self.miles / 1_000, self.miles % 1_000)),
            ("delay_alerts", self.delayed_departures.to_string()),
        ]
    }

    /// The instances that ran the carrier's gates in the hour: an m5.large for every two departures from
    /// Newark and Kennedy, a c5.xlarge for every three from La Guardia.
    pub fn instances(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let m5 = (self.departures_ewr + self.departures_jfk).div_ceil(2);
        let c5 = self.departures_lga.div_ceil(3);
        [("m5.large", m5), ("c5.xlarge", c5)].into_iter().filter(|(_, count)| *count > 0)
    }
}

/// The year's flights by day.
pub fn by_day() -> anyhow::Result<BTreeMap<NaiveDate, Vec<Flights>>> {
    let mut text = String::new();
    GzDecoder::new(FLIGHTS).read_to_string(&mut text).context("the bundled flights cannot be unpacked")?;
    let mut days: BTreeMap<_, Vec<Flights>> = BTreeMap::new();
    for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let flights: Flights = row.context("the bundled flights cannot be read")?;
        ensure!(flights.hour.minute() == 0, "{} is not an hour", flights.hour);
        days.entry(flights.hour.date_naive()).or_default().push(flights);
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_year_is_whole() {
        let days = by_day().unwrap();
        assert_eq!(days.len(), 365);
        assert_eq!(days.values().map(Vec::len).sum::<usize>(), 60_142);
        assert!(days.values().flatten().all(|flights| flights.account().is_ok()));
    }
}
