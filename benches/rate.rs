//! A family's month, from raw hours to lines and to invoices: without cover, where hours are summed, and with
//! it (Y-X), where they are walked. The baseline sums the same cells of one array.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{TYPES, account, family, hours, month, units};
use souk_core::invoicing::close_month::usage_invoices;
use souk_core::rating::rate_month;

const LINKED: u32 = 99;

fn rate(criterion: &mut Criterion) {
    let series = (LINKED + 1) * TYPES;
    let hours = hours().len() as u32;
    let mut group = criterion.benchmark_group("rate");
    group.throughput(Throughput::Elements(u64::from(series) * u64::from(hours)));
    for (name, cover) in [("without cover", false), ("with cover", true)] {
        let sandbox = family(LINKED, cover);
        let family = sandbox.family(account(0)).expect("the family");
        group.bench_function(format!("lines {name}"), |bencher| {
            bencher.iter(|| black_box(rate_month(&sandbox, family, month())));
        });
        group.bench_function(format!("invoices {name}"), |bencher| {
            bencher.iter(|| black_box(usage_invoices(&sandbox, family, month())));
        });
    }
    let cells: Vec<_> =
        (0..series).flat_map(|series| (0..hours).map(move |hour| units(series, hour))).collect();
    group.bench_function("sums, bare", |bencher| {
        let sum = |month: &[u32]| month.iter().map(|&units| u64::from(units)).sum::<u64>();
        bencher.iter(|| black_box(&cells).chunks(hours as usize).map(sum).collect::<Vec<_>>());
    });
    group.finish();
}

criterion_group!(benches, rate);
criterion_main!(benches);
