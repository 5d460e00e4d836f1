//! How long a writer stops for a snapshot of a million series: it makes a copy for reading at one moment, and copies
//! each tile that it writes to while the copy is read.

use std::hint::black_box;
use std::time::Instant;

use souk_benches::{fleet_hour, hours, image_series};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::{HourColumn, QuantityColumn, UsageColumns};

use super::{ROUNDS, Row, median};

const SERIES: u32 = 1_000_000;
/// Hours that were metered before: of two weeks, one a day.
const DAYS: u32 = 14;
const MESSAGE: usize = 4_096;
const BOUND_MILLIS: f64 = 5.0;

/// The rows.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let mut sandbox = souk_benches::family(0, false);
    (1..SERIES / 10).for_each(|number| {
        (0..10).for_each(|kind| sandbox.apply(&Event::SeriesOpened(image_series(number, kind))));
    });
    let count = sandbox.tally().all_series().len() as u32;
    for day in 0..DAYS {
        sandbox.accept_usage(&fleet_hour(count, day * 24));
    }
    let mut hour = DAYS * 24;
    sandbox.accept_usage(&fleet_hour(count, hour));
    let (mut copies, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        hour += 1;
        alone.push(longest(&mut sandbox, count, hour));
        let began = Instant::now();
        let copy = sandbox.reading_copy();
        copies.push(began.elapsed().as_secs_f64() * 1e3);
        hour += 1;
        beside.push(longest(&mut sandbox, count, hour));
        black_box(&copy);
    }
    let worst = copies.iter().copied().fold(0.0, f64::max);
    let (copy, alone, beside) = (median(copies), median(alone), median(beside));
    Ok(vec![Row {
        name: "the writer's stop when a snapshot of 1 M series begins",
        value: copy,
        unit: "ms",
        baseline: alone,
        baseline_is: "the longest of its messages of 4,096 rows without one",
        ratio: copy / alone,
        target: format!("<= {BOUND_MILLIS} ms"),
        met: Some(worst <= BOUND_MILLIS),
        note: format!("at most {worst:.2} ms; the longest message while the copy is read: {beside:.2} ms"),
    }])
}

/// Milliseconds of the longest message of an hour.
fn longest(sandbox: &mut Sandbox, count: u32, hour: u32) -> f64 {
    let UsageColumns { handles, hours: _, quantities: QuantityColumn::Units(units) } =
        fleet_hour(count, hour)
    else {
        return 0.0;
    };
    let messages = handles.chunks(MESSAGE).zip(units.chunks(MESSAGE)).map(|(handles, units)| {
        let columns = UsageColumns {
            handles: handles.to_vec(),
            hours: HourColumn::One(hours().start.index() + hour.cast_signed()),
            quantities: QuantityColumn::Units(units.to_vec()),
        };
        let began = Instant::now();
        black_box(sandbox.accept_usage(&columns));
        began.elapsed().as_secs_f64() * 1e3
    });
    messages.fold(0.0, f64::max)
}
