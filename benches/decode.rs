//! A message of 1,000 records in strings on its way to the partitions, step by step: decoded, read into the
//! core's request, and checked as a whole. The first step alone is the baseline of the others. Names that are known are
//! lent from the message instead, which is decoded by nobody.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use souk_benches::{saas_market, usage_message};
use souk_core::metering::UsageRequest;
use souk_core::metering::request::{CheckedRequest, check_request};
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_core::time::Timestamp;
use souk_proto::metering::v1::StreamUsageRequest;
use souk_server::app::known_usage::NamedRows;
use souk_server::grpc::convert::usage::from_proto_usage_request;
use souk_server::grpc::convert::wire::UsageView;

const RECORDS: u32 = 1_000;
const BUYERS: u32 = 100;

fn decode(criterion: &mut Criterion) {
    let sandbox = saas_market(BUYERS);
    let market = sandbox.market();
    let now = market.clock.now(Timestamp::MIN);
    let bytes = usage_message(BUYERS, RECORDS).encode_to_vec();
    let check = |request| check_request(market, |_| None, request, now).expect("a request to be metered");
    let checked: CheckedRequest = check(to_core(decoded(&bytes)));
    assert_eq!((checked.records.len() as u32, checked.unknown_buyers.len()), (RECORDS, 0));

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(RECORDS.into()));
    group.bench_function("prost", |bencher| bencher.iter(|| decoded(black_box(&bytes))));
    group.bench_function("prost, conversion", |bencher| bencher.iter(|| to_core(decoded(black_box(&bytes)))));
    group.bench_function("prost, conversion, check_request", |bencher| {
        bencher.iter(|| check(to_core(decoded(black_box(&bytes)))));
    });
    assert_eq!(lent(&bytes), RECORDS);
    group.bench_function("lent", |bencher| bencher.iter(|| lent(black_box(&bytes))));
    group.finish();
}

/// Reads every record where it lies; answers how many.
fn lent(bytes: &[u8]) -> u32 {
    let view = UsageView::read(bytes).expect("the plain form");
    let mut count = 0;
    let all = view.lend(|row| {
        black_box(row);
        count += 1;
        true
    });
    assert!(all, "every record is in the plain form");
    count
}

fn decoded(bytes: &[u8]) -> StreamUsageRequest {
    StreamUsageRequest::decode(bytes).expect("a message")
}

fn to_core(message: StreamUsageRequest) -> UsageRequest {
    let StreamUsageRequest { product_code, region, usage_records, .. } = message;
    from_proto_usage_request(&product_code, &region, &usage_records, MAX_STREAM_RECORDS).expect("a request")
}

criterion_group!(benches, decode);
criterion_main!(benches);
