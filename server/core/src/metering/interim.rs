//! Columns of usage through doors that name series by handle.
#![allow(missing_docs, clippy::indexing_slicing)]

use super::Door;
use super::acceptance::{self};
use super::series::{Identity, SeriesHandle};
use super::tally::{self, Outcome};
use super::window;
use crate::agreement::timeline;
use crate::machine::{Event, Sandbox};
use crate::rules::IdenticalRetry;
use crate::time::{BillingMonth, Timestamp, UsageHour};

pub enum HourColumn {
    One(i32),
    Each(Vec<i32>),
}
pub enum QuantityColumn {
    Units(Vec<u32>),
    Millionths(Vec<u64>),
}
pub struct UsageColumns {
    pub handles: Vec<u32>,
    pub hours: HourColumn,
    pub quantities: QuantityColumn,
}
#[derive(Debug, Default)]
pub struct RowOutcomes {
    pub metered: u32,
    pub repeated: u32,
    pub exceptions: Vec<(u32, RowStatus)>,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStatus {
    Duplicate,
    NotSubscribed,
    Unprocessed,
}

pub fn accept_columns(
    sandbox: &mut Sandbox,
    columns: UsageColumns,
    now: Timestamp,
) -> (RowOutcomes, Vec<Event>) {
    accept(sandbox, columns, None, now)
}
pub fn accept_rows(
    sandbox: &mut Sandbox,
    columns: UsageColumns,
    timestamps: &[Timestamp],
    now: Timestamp,
) -> (RowOutcomes, Vec<Event>) {
    accept(sandbox, columns, Some(timestamps), now)
}

fn accept(
    sandbox: &mut Sandbox,
    columns: UsageColumns,
    timestamps: Option<&[Timestamp]>,
    now: Timestamp,
) -> (RowOutcomes, Vec<Event>) {
    let _ = acceptance::are_subscribed;
    let mut out = RowOutcomes::default();
    let mut new = tally::UsageColumns::default();
    for (row, &handle) in columns.handles.iter().enumerate() {
        let hour = match &columns.hours {
            HourColumn::One(hour) => *hour,
            HourColumn::Each(hours) => hours[row],
        };
        let quantity = match &columns.quantities {
            QuantityColumn::Units(units) => u64::from(units[row]) * 1_000_000,
            QuantityColumn::Millionths(q) => q[row],
        };
        let status = (|| {
            let handle = SeriesHandle(handle);
            let series = sandbox.tally().series(handle).cloned().ok_or(RowStatus::Unprocessed)?;
            let hour = UsageHour::from_index(hour).ok_or(RowStatus::Unprocessed)?;
            let family = sandbox.family(series.payer).ok_or(RowStatus::NotSubscribed)?;
            let agreements: Vec<_> = match &series.key.identity {
                Identity::Product(_, buyer) => family.agreements_of(*buyer, &series.product).collect(),
                Identity::Licence(licence) => family.agreements_of_licence(licence).collect(),
            };
            let rules = &sandbox.market().rules;
            let agreements = agreements.into_iter();
            let taken = match timestamps {
                Some(t) => timeline::takes_record(&agreements, t[row], now, rules.metering_window),
                None => timeline::takes_hour(&agreements, hour, now, rules.metering_window),
            };
            if !taken {
                return Err(RowStatus::NotSubscribed);
            }
            if timestamps.is_none() && window::check(hour.start(), now, rules, Door::Batch, "").is_err() {
                return Err(RowStatus::Unprocessed);
            }
            if BillingMonth::containing(hour.start()) < family.open_month {
                return Err(RowStatus::Unprocessed);
            }
            let retry = rules.identical_retry;
            let mut one = tally::UsageColumns::default();
            one.push(handle, hour, quantity);
            match sandbox.accept_usage(&one).first() {
                Some(Outcome::New) => new.append(one),
                Some(Outcome::Same) if timestamps.is_none() || retry == IdenticalRetry::Success => {
                    out.repeated += 1;
                    return Ok(());
                }
                _ => return Err(RowStatus::Duplicate),
            }
            out.metered += 1;
            Ok(())
        })();
        if let Err(status) = status {
            out.exceptions.push((row as u32, status));
        }
    }
    let events = if new.is_empty() { Vec::new() } else { vec![Event::UsageAccepted(new)] };
    (out, events)
}
