//! Usage in columns beside the other doors: the same cells, the same prices, and streams that know nothing of each
//! other.

use std::collections::BTreeSet;

use souk_client::{AgreementFilter, RecordFilter};
use souk_core::ids::{AccountId, SandboxName};
use souk_proto::metering::v1::series_name::Customer;
use souk_proto::metering::v1::stream_columns_request::Message;
use souk_proto::metering::v1::stream_columns_response::Answer;
use souk_proto::metering::v1::{OpenedSeries, ReportInstanceHoursRequest, SeriesName, UsageColumns};
use souk_server::partition::handle::QUEUE;
use souk_server::partition::{Turn, partition_of};

use super::lists::read;
use crate::columns::{RawStream, columns, hour, packed, series, text};
use crate::served::Served;
use crate::words::{batch, hourly, invoices, invoices_text, meter, put, running, turn};

const BEGAN: &str = "2025-03-01T00:00:00Z";
const BUYERS: [&str; 3] = ["000000000201", "000000000202", "000000000203"];

fn document() -> String {
    let accounts: String = BUYERS.iter().map(|id| format!("  - {{accountId: {id}}}\n")).collect();
    let agreements: String = BUYERS
        .iter()
        .flat_map(|id| ["a", "b"].map(|product| (id, product)))
        .map(|(id, product)| {
            format!("  - {{offerId: offer-{product}, buyerAccountId: {id}, acceptanceTime: {BEGAN}}}\n")
        })
        .collect();
    format!(
        "
clock: {{at: {BEGAN}}}
rules: {{meteringWindow: OPEN_MONTH}}
accounts:
  - {{accountId: 111122223333, seller: {{}}}}
{accounts}products:
  - productId: prod-a
    productCode: codea
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{{key: units, types: [EXTERNALLY_METERED]}}]
  - productId: prod-b
    productCode: codeb
    title: B
    sellerAccountId: 111122223333
    productType: AMI
    dimensions: [{{key: m5.large, types: [METERED]}}]
offers:
  - {{offerId: offer-a, productId: prod-a, terms: [{{usageBasedPricing: {{rateCard: {{units: 0.0123}}}}}}]}}
  - {{offerId: offer-b, productId: prod-b, terms: [{{usageBasedPricing: {{rateCard: {{m5.large: 0.25}}}}}}]}}
agreements:
{agreements}"
    )
}

async fn start() -> Served {
    let served = Served::start().await;
    put(&served.client, "s", &document()).await;
    turn(&served.client, "s", "2025-03-20T00:00:00Z").await;
    served
}

/// Columns of whole quantities, one hour after the other.
fn hours(series: OpenedSeries, first: &str, quantities: &[u32]) -> UsageColumns {
    let rows: Vec<_> = quantities.iter().map(|_| series.handle).collect();
    let each: Vec<_> = (0..).zip(quantities).flat_map(|(n, _)| (hour(first) + n).to_le_bytes()).collect();
    UsageColumns {
        lane: series.lane,
        handles: packed(&rows).into(),
        hours: each.into(),
        quantities: packed(quantities).into(),
        ..UsageColumns::default()
    }
}

#[tokio::test]
async fn columns_meet_records_of_the_other_doors_in_the_same_cells() {
    let served = start().await;
    let client = &served.client;
    meter(client, batch("s", "codea", hourly(BUYERS[0], BEGAN, 3, "units", "5"))).await;
    let reports = running("codeb", BUYERS[0], BEGAN, 2, "m5.large", 4);
    let request = ReportInstanceHoursRequest { sandbox: "s".to_owned(), region: String::new(), reports };
    client.report_instance_hours(request).await.expect("reports that can be metered");

    let mut stream = RawStream::open(&served.endpoint, "s").await;
    let names = vec![series("codea", BUYERS[0], "units"), series("codeb", BUYERS[0], "m5.large")];
    let opened = stream.series(names.clone()).await;
    assert_eq!(stream.series(names).await, opened, "opened twice");
    let [units, instances] = opened[..] else { panic!("{opened:?}") };
    assert_eq!(text(&stream.meter(hours(units, BEGAN, &[5, 6, 5, 7])).await), "1 2 1:DUPLICATE_RECORD");
    assert_eq!(text(&stream.meter(hours(instances, BEGAN, &[4, 4, 4])).await), "1 2");
    // And the other way round: what columns metered is what a batch repeats.
    let fourth = hourly(BUYERS[0], "2025-03-01T03:00:00Z", 1, "units", "7");
    meter(client, batch("s", "codea", fourth)).await;
    let other = hourly(BUYERS[0], "2025-03-01T03:00:00Z", 1, "units", "7.5");
    let refused = client.batch_meter_usage(batch("s", "codea", other)).await.expect("an answer");
    assert_eq!(refused[0].status().as_str_name(), "USAGE_RECORD_STATUS_DUPLICATE_RECORD");

    // Other regions and licences are series of their own.
    let agreements = client.all_agreements("s", &AgreementFilter::default()).await.expect("a list");
    let mine = agreements.iter().find(|a| a.buyer_account_id == BUYERS[0] && a.product_id == "prod-a");
    let licence = SeriesName {
        product_code: String::new(),
        customer: Some(Customer::LicenseArn(mine.expect("an agreement").license_arn.clone())),
        ..series("", BUYERS[0], "units")
    };
    let region = SeriesName { region: "eu-west-1".to_owned(), ..series("codea", BUYERS[0], "units") };
    for opened in stream.series(vec![licence, region]).await {
        assert_eq!(text(&stream.meter(hours(opened, BEGAN, &[1])).await), "1 0");
    }
    let all = RecordFilter::default();
    let metered = read(|page| client.list_metered_records("s", &all, page)).await;
    assert_eq!(metered.len(), 4 + 3 + 2);
    // What was refused is listed with the names of its series.
    let refused = read(|page| client.list_refused_records("s", &all, page)).await;
    let listed: Vec<_> = refused
        .iter()
        .map(|r| {
            format!("{} {} {} {} {}", r.operation, r.code, r.customer_aws_account_id, r.dimension, r.quantity)
        })
        .collect();
    assert_eq!(
        listed,
        [
            "MeteringService/BatchMeterUsage DUPLICATE_RECORD 000000000201 units 7.5",
            "UsageColumnsService/StreamColumns DUPLICATE_RECORD 000000000201 units 6",
        ]
    );
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn what_columns_meter_costs_what_records_cost() {
    let mut bills = Vec::new();
    for by_columns in [false, true] {
        let served = start().await;
        let client = &served.client;
        if by_columns {
            let mut stream = RawStream::open(&served.endpoint, "s").await;
            let names: Vec<_> = BUYERS.iter().map(|buyer| series("codea", buyer, "units")).collect();
            let opened = stream.series(names).await;
            assert_eq!(opened.iter().map(|series| series.handle).collect::<BTreeSet<_>>().len(), 3);
            for series in opened {
                assert_eq!(text(&stream.meter(hours(series, BEGAN, &[31; 200])).await), "200 0");
                let handles = packed(&[series.handle]).into();
                let tail = UsageColumns {
                    lane: series.lane,
                    handles,
                    hour: Some(hour("2025-03-19T00:00:00Z")),
                    quantities_millionths: 1_500_001_u64.to_le_bytes().to_vec().into(),
                    ..UsageColumns::default()
                };
                assert_eq!(text(&stream.meter(tail).await), "1 0");
            }
        } else {
            for buyer in BUYERS {
                let records = hourly(buyer, BEGAN, 200, "units", "31");
                crate::words::stream(client, "s", "codea", records).await;
                let tail = hourly(buyer, "2025-03-19T00:00:00Z", 1, "units", "1.500001");
                meter(client, batch("s", "codea", tail)).await;
            }
        }
        turn(client, "s", "2025-04-02T00:00:00Z").await;
        bills.push(invoices_text(&invoices(client, "s", "", "2025-03").await));
        served.stop().await;
    }
    assert!(bills[0].contains("6201.500001") && bills[0] == bills[1], "{bills:#?}");
}

#[tokio::test]
async fn hours_are_taken_as_long_as_an_agreement_prices_them() {
    let served = start().await;
    let client = &served.client;
    let mut stream = RawStream::open(&served.endpoint, "s").await;
    let opened = stream.series(vec![series("codea", BUYERS[1], "units")]).await[0];
    let agreements = client.all_agreements("s", &AgreementFilter::default()).await.expect("a list");
    let mine = agreements.iter().find(|a| a.buyer_account_id == BUYERS[1] && a.product_id == "prod-a");
    client.cancel_agreement("s", &mine.expect("an agreement").agreement_id).await.expect("a live agreement");
    turn(client, "s", "2025-03-20T05:00:00Z").await;
    // It ended as the hour began.
    let rows = hours(opened, "2025-03-19T22:00:00Z", &[1, 1, 1, 1]);
    let expected = "2 0 2:CUSTOMER_NOT_SUBSCRIBED 3:CUSTOMER_NOT_SUBSCRIBED";
    assert_eq!(text(&stream.meter(rows).await), expected);
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn a_message_without_credit_is_refused_and_answers_give_credit_back() {
    let served = start().await;
    let mut stream = RawStream::open(&served.endpoint, "s").await;
    let names: Vec<_> = BUYERS.iter().map(|buyer| series("codea", buyer, "units")).collect();
    let opened = stream.series(names).await[0];
    let row = |n: i32| Message::Columns(columns(opened.lane, hour(BEGAN) + n, &[(opened.handle, 1)]));
    let release = block(&served, BUYERS[0]);
    for n in 0..17 {
        stream.send(Some(row(n))).await;
    }
    // While nothing of the lane is answered, sixteen wait for it, and the next one is refused where it is read.
    let all = RecordFilter::default();
    while read(|page| served.client.list_refused_records("s", &all, page)).await.is_empty() {}
    release.send(()).expect("a partition that waits");
    for _ in 0..16 {
        assert!(matches!(stream.next().await, Answer::Acknowledged(_)));
    }
    assert_eq!(stream.next_refused().await, "RESOURCE_EXHAUSTED  again");
    assert!(matches!(stream.ask(row(16)).await, Answer::Acknowledged(_)));
    let mut expected = vec![16, 1];
    expected.extend([1; 16]);
    expected.extend([0, 1]);
    assert_eq!(stream.credits, expected);
    drop(stream);
    served.stop().await;
}

/// Keeps a payer's partition busy until it is told.
fn block(served: &Served, payer: &str) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel();
    let (busy, is_busy) = std::sync::mpsc::channel();
    let payer = AccountId::parse(payer).expect("an account");
    let partition = &served.souk().partitions[partition_of(&SandboxName::new("s"), payer, 4)];
    let wait = move |_: &mut Turn<'_>| {
        busy.send(()).expect("a test that waits");
        // Whoever is gone needs nothing any more.
        let _ = released.recv();
        Ok(())
    };
    drop(partition.submit(wait).expect("a place"));
    is_busy.recv().expect("a partition that works");
    release
}

#[tokio::test]
async fn a_full_lane_refuses_for_now_and_the_stream_goes_on() {
    let served = start().await;
    let mut stream = RawStream::open(&served.endpoint, "s").await;
    let opened = stream.series(vec![series("codea", BUYERS[0], "units")]).await[0];
    let row = || Message::Columns(columns(opened.lane, hour(BEGAN), &[(opened.handle, 1)]));
    let release = block(&served, BUYERS[0]);
    let partition = &served.souk().partitions[opened.lane as usize];
    let waiting: Vec<_> = (0..QUEUE).map(|_| partition.submit(|_| Ok(())).expect("a place")).collect();
    assert_eq!(stream.refused(row()).await, "RESOURCE_EXHAUSTED  again");
    release.send(()).expect("a partition that waits");
    for pending in waiting {
        pending.answer().await.expect("an answer");
    }
    assert!(
        matches!(stream.ask(row()).await, Answer::Acknowledged(acknowledged) if text(&acknowledged) == "1 0")
    );
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn every_lane_has_its_series_and_the_library_packs_them() {
    let served = start().await;
    let mut stream = served.client.stream_columns("s").await.expect("a stream");
    let names: Vec<_> = BUYERS.iter().map(|buyer| series("codea", buyer, "units")).collect();
    let opened = stream.open_series(names).await.expect("series");
    let lanes: BTreeSet<_> = opened.iter().map(|series| series.lane).collect();
    assert!(lanes.len() > 1, "{opened:?}");
    let mut packed = souk_client::Columns::new(50);
    let mut messages = Vec::new();
    for n in 0..100 {
        for series in &opened {
            messages.extend(packed.push(series, souk_client::ColumnRow::whole(hour(BEGAN) + n, 3)));
        }
    }
    messages.extend(packed.take());
    let mut sent = BTreeSet::new();
    for message in messages {
        sent.insert(stream.send(message).await.expect("a stream that goes on"));
    }
    let mut metered = 0;
    for answer in stream.finish().await.expect("all answers") {
        assert!(sent.remove(&answer.message), "{answer:?}");
        match answer.outcome {
            souk_client::ColumnsOutcome::Acknowledged(acknowledged) => metered += acknowledged.metered_count,
            refused => panic!("{refused:?}"),
        }
    }
    assert_eq!((metered, sent.len()), (300, 0));
    served.stop().await;
}
