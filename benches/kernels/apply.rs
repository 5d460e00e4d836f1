//! Applying and deduplicating new records in process, hour by hour, against a bare loop over one dense array with a
//! bitmap.

use std::hint::black_box;
use std::time::Instant;

use souk_benches::{fleet_hour, hours, tally};
use souk_core::metering::{HourColumn, QuantityColumn, Tally, UsageColumns};

use super::{About, ROUNDS, Row};

/// Series of the dense array.
pub const SERIES: u32 = 50_000;
const HOURS: u32 = 48;

const APPLY: About = About {
    name: "apply and deduplicate in process, by hour",
    unit: "M records/s",
    baseline_is: "a bare loop over one dense array with a bitmap",
    at_least: Some(0.5),
};
/// The rows.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let before = tally(SERIES);
    let fleet: Vec<_> = (0..HOURS).map(|hour| fleet_hour(SERIES, hour)).collect();
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let baseline = rate(&fleet, Dense::new(SERIES, HOURS), Dense::accept);
        let value = rate(&fleet, before.clone(), apply);
        if 0 < round {
            rounds.push((value, baseline));
        }
    }
    Ok(vec![Row::measured(APPLY, rounds)])
}

fn apply(tally: &mut Tally, columns: &UsageColumns) {
    black_box(tally.accept(columns));
}

/// Millions of records a second.
fn rate<T>(fleet: &[UsageColumns], mut state: T, accept: impl Fn(&mut T, &UsageColumns)) -> f64 {
    let began = Instant::now();
    for columns in fleet {
        accept(&mut state, columns);
    }
    let took = began.elapsed().as_secs_f64();
    black_box(&state);
    fleet.iter().map(UsageColumns::len).sum::<usize>() as f64 / took / 1e6
}

/// What the tally keeps, at its barest.
pub struct Dense {
    series: usize,
    first_hour: i32,
    cells: Vec<u32>,
    metered: Vec<u64>,
}

impl Dense {
    /// Room for so many hours of so many series.
    pub fn new(series: u32, hours_max: u32) -> Dense {
        let series = series as usize;
        let cells = series * hours_max as usize;
        let first_hour = hours().start.index();
        Dense { series, first_hour, cells: vec![0; cells], metered: vec![0; cells.div_ceil(64)] }
    }

    /// Takes the records of an hour.
    pub fn accept(&mut self, columns: &UsageColumns) {
        let (HourColumn::One(hour), QuantityColumn::Units(units)) = (&columns.hours, &columns.quantities)
        else {
            return;
        };
        let rows = columns.handles.iter().copied().zip(units.iter().copied());
        self.accept_rows((hour - self.first_hour) as usize, rows);
    }

    /// Takes series and units of an hour from the first.
    pub fn accept_rows(&mut self, hour: usize, rows: impl Iterator<Item = (u32, u32)>) {
        let row = hour * self.series;
        let mut same = 0_u32;
        for (handle, units) in rows {
            let index = row + handle as usize;
            if self.metered[index / 64] >> (index % 64) & 1 == 1 {
                same += u32::from(self.cells[index] == units);
            } else {
                self.cells[index] = units;
                self.metered[index / 64] |= 1 << (index % 64);
            }
        }
        black_box(same);
    }
}
