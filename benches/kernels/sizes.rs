//! What a record costs in process by the number of series, from a thousand to a million.
//!
//! Records come in messages, as a door reads them: what applies them finds them in the cache. Whatever the number of
//! series, as many records go into memory that is touched for the first time: four bytes each.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Serialize;
use souk_benches::{hours, tally, units};
use souk_core::metering::{HourColumn, QuantityColumn, UsageColumns};

use super::apply::Dense;
use super::{About, ROUNDS, Row};

/// Rows of a message.
const MESSAGE: u32 = 4_096;
/// Records of a measurement: whole days of the most series.
const RECORDS: u32 = 24_000_000;
const SIZES: [u32; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];

const SIZE: About = About {
    name: "records a second of 1 M series, in process",
    unit: "M records/s",
    baseline_is: "the same of 1 k series",
    at_least: Some(0.5),
};

/// What a record costs among so many series.
#[derive(Debug, Serialize)]
struct Size {
    series: u32,
    /// Nanoseconds of a record in the tally.
    tally: f64,
    /// The same in one dense array with a bitmap.
    bare: f64,
}

/// The row of the suite.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let [few, many] = [SIZES[0], SIZES[SIZES.len() - 1]].map(|series| 1e3 / in_tally(series));
        if 0 < round {
            rounds.push((many, few));
        }
    }
    Ok(vec![Row::measured(SIZE, rounds)])
}

/// Every size, for the plot: prints one JSON object.
pub fn print_all() {
    let mut rounds: Vec<[Vec<f64>; 2]> = SIZES.map(|_| [Vec::new(), Vec::new()]).into();
    for _ in 0..ROUNDS {
        for (series, [tally, bare]) in SIZES.into_iter().zip(&mut rounds) {
            tally.push(in_tally(series));
            bare.push(in_dense(series));
        }
    }
    let sizes = SIZES.into_iter().zip(rounds);
    let sizes: Vec<_> = sizes
        .map(|(series, [tally, bare])| Size { series, tally: least(tally), bare: least(bare) })
        .collect();
    println!("{}", serde_json::json!({ "sizes": sizes }));
}

/// What neighbours on the machine disturbed least.
fn least(nanos: Vec<f64>) -> f64 {
    nanos.into_iter().fold(f64::INFINITY, f64::min)
}

fn in_tally(series: u32) -> f64 {
    let empty = tally(series);
    nanos(series, |_| empty.clone(), |tally, columns| drop(black_box(tally.accept(columns))))
}

fn in_dense(series: u32) -> f64 {
    nanos(series, |hours| Dense::new(series, hours), Dense::accept)
}

/// Nanoseconds a record, in as many new states as the records need; none is given back before the end.
fn nanos<T>(series: u32, new: impl Fn(u32) -> T, accept: impl Fn(&mut T, &UsageColumns)) -> f64 {
    let count = (RECORDS / series).min(hours().len() as u32);
    let mut states = Vec::new();
    let (mut took, mut records) = (Duration::ZERO, 0);
    while records < RECORDS / 2 {
        let mut state = new(count);
        for hour in 0..count {
            for first in (0..series).step_by(MESSAGE as usize) {
                let columns = message(first..series.min(first + MESSAGE), hour);
                let began = Instant::now();
                accept(&mut state, &columns);
                took += began.elapsed();
            }
        }
        records += count * series;
        states.push(state);
    }
    black_box(&states);
    took.as_secs_f64() * 1e9 / f64::from(records)
}

fn message(series: std::ops::Range<u32>, hour: u32) -> UsageColumns {
    UsageColumns {
        handles: series.clone().collect(),
        hours: HourColumn::One(hours().start.index() + hour.cast_signed()),
        quantities: QuantityColumn::Units(series.map(|number| units(number, hour)).collect()),
    }
}
