//! A batch of usage as the log keeps it: 5,000 records of a fleet's hour to bytes, and back. The baseline
//! copies the bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{fleet_hour, month};
use souk_core::ids::SandboxName;
use souk_core::machine::Event;
use souk_server::codec::PartitionBatch;

const ROWS: u32 = 5_000;

fn journal(criterion: &mut Criterion) {
    let batch = PartitionBatch {
        time: month().end(),
        followed: None,
        events: vec![(SandboxName::new("bench"), Event::UsageAccepted(fleet_hour(ROWS, 5)))],
    };
    let bytes = batch.encode();
    assert_eq!(PartitionBatch::decode(&bytes).as_ref(), Ok(&batch));

    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(ROWS.into()));
    group.bench_function("encode", |bencher| bencher.iter(|| black_box(&batch).encode()));
    group.bench_function("decode", |bencher| bencher.iter(|| PartitionBatch::decode(black_box(&bytes))));
    group.bench_function(format!("copy of the {} bytes", bytes.len()), |bencher| {
        bencher.iter(|| black_box(&bytes).clone());
    });
    group.finish();
}

criterion_group!(benches, journal);
criterion_main!(benches);
