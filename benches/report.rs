//! The monthly billed revenue report of a seller with 1,000 subscribers, from invoices to a file. The baselines write
//! the same cells: through the CSV writer, and joined with commas.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use souk_benches::{account, family, month};
use souk_core::catalog::CatalogHistory;
use souk_core::invoicing::close_month::usage_invoices;
use souk_core::invoicing::payment::Standing;
use souk_core::reports::monthly_billed_revenue::BILLING_AND_REVENUE_DATA as REPORT;
use souk_core::reports::{DailyFacts, Period, ReportInput};
use souk_core::rules::OfferIdColumn;
use souk_server::export::csv;

const LINKED: u32 = 999;

fn report(criterion: &mut Criterion) {
    let sandbox = family(LINKED, false);
    let family = sandbox.family(account(0)).expect("the family");
    let invoices = usage_invoices(&sandbox, family, month()).expect("a sound family");
    let invoices: Vec<_> =
        invoices.iter().map(|invoice| Standing::of(family, &Arc::new(invoice.clone()))).collect();
    let seller = invoices[0].invoice.lines[0].seller;
    let input = ReportInput {
        market: sandbox.market(),
        seller,
        offer_id_column: OfferIdColumn::Dashboard,
        month: month(),
        day: Period::Month(month()).day(),
        history: &CatalogHistory::default(),
        current: false,
        now: month().invoiced_at(),
        invoices: &invoices,
        agreements: &[],
        demonstrations: &[],
        daily: &DailyFacts::default(),
    };
    let render = || (REPORT.rows)(&input).expect("rows");
    let write = |rows: &[Vec<String>]| csv(REPORT.columns, rows).expect("a file");
    let rows = render();
    assert_eq!(rows.len() as u32, LINKED + 1);

    let mut group = criterion.benchmark_group("report");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("rows", |bencher| bencher.iter(render));
    group.bench_function("rows to CSV", |bencher| bencher.iter(|| write(&render())));
    group.bench_function("CSV of ready rows", |bencher| bencher.iter(|| write(black_box(&rows))));
    group.bench_function("ready rows, joined", |bencher| {
        bencher.iter(|| black_box(&rows).iter().map(|row| row.join(",")).collect::<Vec<_>>().join("\n"));
    });
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
