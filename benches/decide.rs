//! Batches of 25 and of 1,000 new records decided, applied and made into events: with names, as a checked request, and
//! as rows whose series are known. The baseline applies the same rows and decides nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{saas_market, usage_message};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::acceptance::accept;
use souk_core::metering::request::check_request;
use souk_core::metering::rows::accept_rows;
use souk_core::metering::{CheckedRequest, Moments, UsageColumns};
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_core::time::Timestamp;
use souk_server::grpc::convert::usage::from_proto_usage_request;

const BUYERS: u32 = 100;
/// A hundred hours of 400 series.
const RECORDS: u32 = 40_000;

/// The same batch in both forms.
struct Batch {
    request: CheckedRequest,
    rows: UsageColumns,
}

fn decide(criterion: &mut Criterion) {
    for size in [25, 1_000] {
        let (before, batches, now) = batches(size);
        let mut group = criterion.benchmark_group(format!("decide {size}"));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function("a request with names", |bencher| {
            measure(bencher, &before, &batches, |sandbox, Batch { request, .. }| {
                let request = request.clone();
                let began = Instant::now();
                black_box(accept(sandbox, &request, now));
                began.elapsed()
            });
        });
        group.bench_function("rows", |bencher| {
            measure(bencher, &before, &batches, |sandbox, Batch { rows, .. }| {
                let rows = rows.clone();
                let began = Instant::now();
                black_box(accept_rows(sandbox, rows, Moments::Hours, now));
                began.elapsed()
            });
        });
        group.bench_function("rows, applied alone", |bencher| {
            measure(bencher, &before, &batches, |sandbox, Batch { rows, .. }| {
                let rows = rows.clone();
                let began = Instant::now();
                black_box(sandbox.accept_usage(&rows));
                began.elapsed()
            });
        });
        group.finish();
    }
}

/// Runs one batch after the other, in a new copy of the sandbox when all are through; answers what one took.
fn measure(
    bencher: &mut Bencher<'_>,
    before: &Sandbox,
    batches: &[Batch],
    run: impl Fn(&mut Sandbox, &Batch) -> Duration,
) {
    bencher.iter_custom(|count| {
        let mut took = Duration::ZERO;
        let mut left = count as usize;
        while 0 < left {
            let mut sandbox = before.clone();
            let some = left.min(batches.len());
            took += batches[..some].iter().map(|batch| run(&mut sandbox, batch)).sum::<Duration>();
            left -= some;
        }
        took
    });
}

/// A sandbox whose series are open, and batches of so many records each.
fn batches(size: usize) -> (Sandbox, Vec<Batch>, Timestamp) {
    let mut before = saas_market(BUYERS);
    let now = before.market().clock.now(Timestamp::MIN);
    let message = usage_message(BUYERS, RECORDS);
    let requests = message.usage_records.chunks(size).map(|records| {
        let request = from_proto_usage_request(&message.product_code, "", records, MAX_STREAM_RECORDS);
        check_request(before.market(), |_| None, request.expect("a request"), now).expect("to be metered")
    });
    let requests: Vec<_> = requests.collect();
    let mut tried = before.clone();
    for request in &requests {
        let (_, events) = accept(&mut tried, request, now);
        let opened = events.iter().filter(|event| matches!(event, Event::SeriesOpened(_)));
        opened.for_each(|event| before.apply(event));
    }
    let batches = requests.into_iter().map(|request| {
        let mut rows = UsageColumns::with_capacity(size);
        for record in &request.records {
            let handle = before.tally().handle(&request.series_key(record)).expect("an open series");
            rows.push(handle, record.hour(), record.quantity.millionths());
        }
        Batch { request, rows }
    });
    let batches = batches.collect();
    (before, batches, now)
}

criterion_group!(benches, decide);
criterion_main!(benches);
