//! The year, day by day: what the sellers and buyers do, the day's usage, and the close of each month.

use anyhow::Context;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use indicatif::{ProgressBar, ProgressStyle};
use souk_proto::metering::v1 as metering;

use super::DOCUMENT;
use super::doors::Doors;
use super::flights::{self, Flights};

const CONTRAIL_CODE: &str = "contrailflightanalytics01";
const GATEHOUSE_CODE: &str = "gatehousecontrolimage0001";

/// What happens besides metering, on the morning of a day.
enum Act {
    /// A seller changes a price of a public offer.
    ChangePrice { offer: &'static str, dimension: &'static str, price: &'static str },
    /// A buyer accepts a private offer.
    Accept { offer: &'static str, buyer: &'static str },
    /// A buyer buys a year of instances on top.
    AddAnnual { buyer: &'static str, dimension: &'static str, units: u64 },
}

/// The year's events, by month and day.
const ACTS: [(u32, u32, Act); 4] = [
    // 90 days' notice: existing subscribers pay it from 1 July.
    (3, 16, Act::ChangePrice { offer: "offer-contrail-public", dimension: "departures", price: "0.13" }),
    // For 120 days; then JetBlue falls back to the public offer, as a new subscriber.
    (5, 10, Act::Accept { offer: "offer-contrail-jetblue", buyer: "201300000012" }),
    (6, 1, Act::AddAnnual { buyer: "201300000001", dimension: "m5.large", units: 2 }),
    (9, 15, Act::AddAnnual { buyer: "201300000012", dimension: "m5.large", units: 4 }),
];

/// Lives the year.
pub async fn live(doors: &mut Doors) -> anyhow::Result<()> {
    let days = flights::by_day()?;
    doors.put_sandbox(DOCUMENT).await?;
    let progress = ProgressBar::new(days.len() as u64);
    let style = ProgressStyle::with_template("{msg} [{bar:40}] day {pos} of {len}, {eta} left")?;
    progress.set_style(style.progress_chars("=> "));
    for (day, flights) in &days {
        progress.set_message(format!("metering {day}"));
        act(doors, *day).await?;
        // The last second of the day: every hour of it is past, and less than 24 hours old.
        doors.advance_to(at(*day, 23, 59, 59)?).await?;
        let usage: Vec<_> = flights.iter().map(usage).collect::<anyhow::Result<Vec<_>>>()?.concat();
        doors.meter(CONTRAIL_CODE, usage).await?;
        let instances: Vec<_> = flights.iter().map(instances).collect::<anyhow::Result<Vec<_>>>()?.concat();
        doors.report(instances).await?;
        progress.inc(1);
    }
    // The year's last month closes on the 2nd of January.
    let new_year = NaiveDate::from_ymd_opt(2014, 1, 2).context("a day")?;
    doors.advance_to(at(new_year, 0, 0, 0)?).await?;
    progress.finish_and_clear();
    Ok(())
}

async fn act(doors: &mut Doors, day: NaiveDate) -> anyhow::Result<()> {
    for (month, of_month, act) in &ACTS {
        if NaiveDate::from_ymd_opt(2013, *month, *of_month) != Some(day) {
            continue;
        }
        doors.advance_to(at(day, 0, 0, 0)?).await?;
        match act {
            Act::ChangePrice { offer, dimension, price } => {
                doors.change_price(offer, dimension, price).await?
            }
            Act::Accept { offer, buyer } => doors.accept(offer, buyer).await?,
            Act::AddAnnual { buyer, dimension, units } => {
                doors.add_annual(buyer, "prod-gatehouse", dimension, *units).await?;
            }
        }
    }
    Ok(())
}

fn usage(flights: &Flights) -> anyhow::Result<Vec<metering::UsageRecord>> {
    let account = flights.account()?;
    let record = |(dimension, quantity): (&str, String)| metering::UsageRecord {
        timestamp: Some(timestamp(flights.hour.naive_utc())),
        customer: Some(metering::usage_record::Customer::CustomerAwsAccountId(account.to_owned())),
        dimension: dimension.to_owned(),
        quantity: None,
        quantity_as_decimal: quantity,
        usage_allocations: Vec::new(),
    };
    Ok(flights.analysed().into_iter().map(record).collect())
}

fn instances(flights: &Flights) -> anyhow::Result<Vec<metering::InstanceHours>> {
    let account = flights.account()?;
    let report = |(instance_type, count): (&str, u64)| metering::InstanceHours {
        product_code: GATEHOUSE_CODE.to_owned(),
        buyer_account_id: account.to_owned(),
        instance_type: instance_type.to_owned(),
        hour: Some(timestamp(flights.hour.naive_utc())),
        count,
    };
    Ok(flights.instances().map(report).collect())
}

fn at(day: NaiveDate, hour: u32, minute: u32, second: u32) -> anyhow::Result<prost_types::Timestamp> {
    let time = NaiveTime::from_hms_opt(hour, minute, second).context("a time of day")?;
    Ok(timestamp(day.and_time(time)))
}

fn timestamp(moment: NaiveDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: moment.and_utc().timestamp(), nanos: 0 }
}
