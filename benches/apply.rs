//! The tally's one pass: a fleet's records, hour by hour, into cells that are empty and into cells that hold
//! the same. The baseline is a bare loop over one dense array, hour after hour, with a bitmap.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{fleet_hour, hours, tally};
use souk_core::metering::{HourColumn, QuantityColumn, UsageColumns};

const SERIES: u32 = 20_000;
const HOURS: u32 = 48;

/// What the tally keeps, at its barest.
#[derive(Clone)]
struct Dense {
    first_hour: i32,
    cells: Vec<u32>,
    metered: Vec<u64>,
}

impl Dense {
    fn new() -> Dense {
        let cells = SERIES as usize * (HOURS as usize + 1);
        let first_hour = hours().start.index();
        Dense { first_hour, cells: vec![0; cells], metered: vec![0; cells.div_ceil(64)] }
    }

    /// Answers how many rows met a cell that was empty, and how many one that holds the same.
    fn accept(&mut self, columns: &UsageColumns) -> (u32, u32) {
        let (mut new, mut same) = (0, 0);
        let (HourColumn::One(hour), QuantityColumn::Units(units)) = (&columns.hours, &columns.quantities)
        else {
            return (0, 0);
        };
        let row = (hour - self.first_hour) as usize * SERIES as usize;
        for (&handle, &units) in columns.handles.iter().zip(units) {
            let index = row + handle as usize;
            if self.metered[index / 64] >> (index % 64) & 1 == 1 {
                same += u32::from(self.cells[index] == units);
            } else {
                self.cells[index] = units;
                self.metered[index / 64] |= 1 << (index % 64);
                new += 1;
            }
        }
        (new, same)
    }
}

fn apply(criterion: &mut Criterion) {
    // The months of all series are there already: their first hour was metered.
    let mut before = tally(SERIES);
    before.accept(&fleet_hour(SERIES, 0));
    let mut bare_before = Dense::new();
    bare_before.accept(&fleet_hour(SERIES, 0));
    let fleet: Vec<_> = (1..=HOURS).map(|hour| fleet_hour(SERIES, hour)).collect();

    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(u64::from(SERIES) * u64::from(HOURS)));
    group.sample_size(20);
    measure(&mut group, "new cells", &before, |tally| {
        for hour in &fleet {
            black_box(tally.accept(hour));
        }
    });
    measure(&mut group, "new cells, bare", &bare_before, |dense| {
        for hour in &fleet {
            black_box(dense.accept(hour));
        }
    });
    for hour in &fleet {
        before.accept(hour);
        bare_before.accept(hour);
    }
    group.bench_function("duplicates", |bencher| {
        bencher.iter(|| fleet.iter().for_each(|hour| drop(black_box(before.accept(hour)))));
    });
    group.bench_function("duplicates, bare", |bencher| {
        bencher.iter(|| {
            for hour in &fleet {
                black_box(bare_before.accept(hour));
            }
        });
    });
    group.finish();
}

/// Measures a change on a copy of the same state each time; copying is not measured.
fn measure<T: Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    before: &T,
    change: impl Fn(&mut T),
) {
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(|| before.clone(), &change, BatchSize::PerIteration);
    });
}

criterion_group!(benches, apply);
criterion_main!(benches);
