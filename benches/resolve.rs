//! From the names of a record to the place of its hours, among 100,000 series: as a door finds names that it learned,
//! and as the tally finds the key of a series. The baseline is a plain map of the same bytes.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{SAAS_CODE, tally};
use souk_core::ids::{ProductCode, Region};
use souk_core::metering::{Customer, SeriesHandle, SeriesKey};
use souk_server::app::known_series::{KnownSeries, Place, write_names};

const SERIES: u32 = 100_000;
/// No two that follow each other lie near each other.
const STRIDE: usize = 61_803;
const REGION: &str = "us-east-1";

fn resolve(criterion: &mut Criterion) {
    let tally = tally(SERIES);
    let in_order: Vec<_> = (0..SERIES).map(SeriesHandle).collect();
    let scattered: Vec<_> =
        (0..SERIES as usize).map(|number| in_order[number * STRIDE % in_order.len()]).collect();

    let names_of = |handle: SeriesHandle| -> Box<[u8]> {
        let series = tally.series(handle).expect("an open series");
        let mut names = Vec::new();
        write_names(&Customer::Account(series.buyer.to_string()), &series.key.dimension, &mut names);
        names.into()
    };
    let place = |handle: SeriesHandle| Place { hash: 0, handle: handle.0, partition: 0 };
    let known = KnownSeries::default();
    let learned = in_order.iter().map(|handle| (names_of(*handle), place(*handle)));
    known.learn(&ProductCode::new(SAAS_CODE), &Region::new(REGION), (0, 1), learned);
    let map: HashMap<_, _> = in_order.iter().map(|handle| (names_of(*handle), handle.0)).collect();

    let mut group = criterion.benchmark_group("resolve");
    group.throughput(Throughput::Elements(SERIES.into()));
    for (order, handles) in [("in order", &in_order), ("scattered", &scattered)] {
        let names: Vec<_> = handles.iter().map(|handle| names_of(*handle)).collect();
        group.bench_function(format!("known names, {order}"), |bencher| {
            bencher.iter(|| {
                let reading = known.read(SAAS_CODE.as_bytes(), REGION.as_bytes());
                let mut known = reading.names().expect("names that were learned");
                names.iter().filter_map(|names| known.get(black_box(names))).map(sum).sum::<u64>()
            });
        });
        let keys: Vec<SeriesKey> =
            handles.iter().filter_map(|handle| tally.series(*handle)).map(|s| s.key.clone()).collect();
        group.bench_function(format!("a series' key, {order}"), |bencher| {
            let handle = |key| tally.handle(black_box(key)).map(|handle| u64::from(handle.0));
            bencher.iter(|| keys.iter().filter_map(handle).sum::<u64>());
        });
        group.bench_function(format!("bare map, {order}"), |bencher| {
            let handle = |names| map.get(black_box(names)).map(|handle| u64::from(*handle));
            bencher.iter(|| names.iter().filter_map(handle).sum::<u64>());
        });
    }
    group.finish();
}

fn sum(place: Place) -> u64 {
    place.handle.into()
}

criterion_group!(benches, resolve);
criterion_main!(benches);
