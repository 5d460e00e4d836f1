//! What was received and what happened: the same lists on any number of partitions, before and after a restart; what
//! was refused is forgotten by one.

use souk_client::proto::metering::v1::{MeteredRecord, RefusedRecord, ReportInstanceHoursRequest};
use souk_client::proto::sandbox::v1::SandboxEvent;
use souk_client::proto::sandbox::v1::sandbox_event::Event;
use souk_client::{EventFilter, PageRequest, RecordFilter, SoukClient};
use souk_log::MemoryStore;

use super::lists::read;
use crate::served::Served;
use crate::words::{at, batch, configuration, hourly, message, meter, put, running, time_text, turn};

const DOCUMENT: &str = "
clock: {at: 2025-03-01T00:00:00Z}
rules: {meteringWindow: OPEN_MONTH}
accounts:
  - {accountId: 000000000201}
  - {accountId: 000000000204, payerAccountId: 000000000201}
  - {accountId: 000000000202}
  - {accountId: 000000000203}
  - {accountId: 111122223333, seller: {}}
products:
  - productId: prod-a
    productCode: codea
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, types: [EXTERNALLY_METERED]}, {key: hosts, types: [EXTERNALLY_METERED]}]
  - productId: prod-b
    productCode: codeb
    title: B
    sellerAccountId: 111122223333
    productType: AMI
    dimensions: [{key: m5.large, types: [METERED]}]
offers:
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {units: 0.01, hosts: 0.02}}}]}
  - offerId: offer-b
    productId: prod-b
    terms:
      - usageBasedPricing: {rateCard: {m5.large: 0.25}}
      - configurableUpfrontPricing: {rateCards: [{duration: P12M, prices: {m5.large: 1500.00}}]}
  - offerId: offer-p
    productId: prod-a
    buyerAccountIds: [000000000202]
    availabilityEndDate: 2025-03-31
    terms: [{usageBasedPricing: {rateCard: {units: 0.005, hosts: 0.01}}}, {validity: {agreementDuration: P10D}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000204, acceptanceTime: 2025-03-01T00:00:00Z}
  - {offerId: offer-a, buyerAccountId: 000000000202, acceptanceTime: 2025-03-01T00:00:00Z}
  - {offerId: offer-b, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
";
const BEGAN: &str = "2025-03-01T00:00:00Z";

/// Metered records in the order of their hours, over two months, through every operation.
async fn use_it(client: &SoukClient) {
    turn(client, "s", "2025-03-20T00:00:00Z").await;
    for (buyer, hours) in [("000000000204", 5), ("000000000202", 3)] {
        meter(client, batch("s", "codea", hourly(buyer, BEGAN, hours, "units", "100"))).await;
        meter(client, batch("s", "codea", hourly(buyer, BEGAN, 1, "hosts", "0.5"))).await;
    }
    let reports = running("codeb", "000000000201", BEGAN, 2, "m5.large", 4);
    let request = ReportInstanceHoursRequest { sandbox: "s".to_owned(), region: String::new(), reports };
    client.report_instance_hours(request).await.expect("reports that can be metered");
    turn(client, "s", "2025-04-03T00:00:00Z").await;
    meter(client, batch("s", "codea", hourly("000000000204", "2025-04-01T00:00:00Z", 2, "units", "7"))).await;
}

async fn metered(client: &SoukClient, filter: &RecordFilter) -> Vec<MeteredRecord> {
    read(|page| client.list_metered_records("s", filter, page)).await
}

async fn refused(client: &SoukClient, filter: &RecordFilter) -> Vec<RefusedRecord> {
    read(|page| client.list_refused_records("s", filter, page)).await
}

async fn events(client: &SoukClient, filter: &EventFilter) -> Vec<SandboxEvent> {
    read(|page| client.list_events("s", filter, page)).await
}

fn filter(product_code: &str, buyer: &str, dimension: &str, month: &str) -> RecordFilter {
    let [product_code, buyer_account_id, dimension, month] =
        [product_code, buyer, dimension, month].map(str::to_owned);
    RecordFilter { product_code, buyer_account_id, dimension, month }
}

#[tokio::test]
async fn records_that_stand_are_the_same_list_on_any_partitions_and_after_a_restart() {
    let all = RecordFilter::default();
    let mut lists = Vec::new();
    for partitions in [1, 4] {
        let store = MemoryStore::new();
        let served = Served::on(&store, partitions).await;
        put(&served.client, "s", DOCUMENT).await;
        use_it(&served.client).await;
        let records = metered(&served.client, &all).await;
        for (product_code, buyer, dimension, month, count) in [
            ("codea", "", "", "", 12),
            ("codeb", "", "", "", 2),
            ("", "000000000204", "", "", 8),
            ("", "000000000203", "", "", 0),
            ("codea", "000000000202", "units", "", 3),
            ("", "", "hosts", "2025-03", 2),
            ("", "", "", "2025-04", 2),
            ("", "", "none", "", 0),
        ] {
            let filter = filter(product_code, buyer, dimension, month);
            assert_eq!(metered(&served.client, &filter).await.len(), count, "{filter:?}");
        }
        served.stop().await;
        let again = Served::on(&store, partitions).await;
        assert_eq!(metered(&again.client, &all).await, records, "after a restart");
        again.stop().await;
        lists.push(records);
    }
    assert_eq!(lists[0], lists[1]);
    let keys: Vec<_> = lists[0].iter().map(|r| (r.hour.map(|h| h.seconds), &*r.metering_record_id)).collect();
    // Within an hour the ids end alike, so that their texts are in the order of their numbers.
    assert!(keys.is_sorted() && keys.len() == 14);
}

#[tokio::test]
async fn refused_records_come_from_every_operation_and_a_restart_forgets_them() {
    let store = MemoryStore::new();
    let served = Served::on(&store, 4).await;
    let client = &served.client;
    put(client, "s", DOCUMENT).await;
    turn(client, "s", "2025-03-20T00:00:00Z").await;
    let one = |buyer: &str, quantity: &str| hourly(buyer, BEGAN, 1, "units", quantity);
    meter(client, batch("s", "codea", one("000000000204", "5"))).await;
    // The same again is no refusal; another quantity is, and so is a buyer without an agreement.
    meter(client, batch("s", "codea", one("000000000204", "5"))).await;
    let records = [one("000000000204", "6"), one("000000000203", "1"), one("999999999999", "1")].concat();
    client.batch_meter_usage(batch("s", "codea", records)).await.expect("an answer record by record");
    client.batch_meter_usage(batch("s", "none", one("000000000204", "1"))).await.expect_err("no product");

    let mut stream = client.stream_usage(1).await.expect("a stream");
    for (code, records) in [
        ("codea", hourly("000000000204", "2024-01-01T00:00:00Z", 2, "units", "1")),
        ("codea", one("000000000204", "7")),
        ("codea", one("000000000204", "5")),
    ] {
        stream.send(message("s", code, records)).await.expect("a message");
    }
    stream.finish().await.expect("all answers");
    let mut reports = running("codeb", "000000000201", BEGAN, 1, "m5.large", 4);
    reports.extend(running("codeb", "000000000203", BEGAN, 1, "m5.large", 4));
    let request = ReportInstanceHoursRequest { sandbox: "s".to_owned(), region: String::new(), reports };
    client.report_instance_hours(request).await.expect("an answer report by report");

    let all = RecordFilter::default();
    let told: Vec<_> = refused(client, &all)
        .await
        .into_iter()
        .map(|r| {
            let operation = r.operation.trim_start_matches("MeteringService/").to_owned();
            format!("{operation} {} {} {} {}", r.code, r.product_code, r.customer_aws_account_id, r.quantity)
        })
        .collect();
    assert_eq!(
        told,
        [
            "ReportInstanceHours CUSTOMER_NOT_SUBSCRIBED codeb 000000000203 4",
            "StreamUsage DUPLICATE_RECORD codea 000000000204 7",
            "StreamUsage TIMESTAMP_OUT_OF_BOUNDS codea 000000000204 1",
            "StreamUsage TIMESTAMP_OUT_OF_BOUNDS codea 000000000204 1",
            "BatchMeterUsage PRODUCT_UNKNOWN none 000000000204 1",
            "BatchMeterUsage CUSTOMER_NOT_SUBSCRIBED codea 999999999999 1",
            "BatchMeterUsage CUSTOMER_NOT_SUBSCRIBED codea 000000000203 1",
            "BatchMeterUsage DUPLICATE_RECORD codea 000000000204 6",
        ]
    );
    for (product_code, buyer, dimension, month, count) in [
        ("none", "", "", "", 1),
        ("", "999999999999", "", "", 1),
        ("", "", "m5.large", "", 1),
        ("", "", "", "2024-01", 2),
        ("codea", "000000000204", "units", "2025-03", 2),
    ] {
        let filter = filter(product_code, buyer, dimension, month);
        assert_eq!(refused(client, &filter).await.len(), count, "{filter:?}");
    }
    served.stop().await;
    let again = Served::on(&store, 4).await;
    assert_eq!(refused(&again.client, &all).await, [], "a restart forgets them");
    assert_eq!(metered(&again.client, &all).await.len(), 2);
    again.client.delete_sandbox("s").await.expect("a sandbox");
    let gone = again.client.list_refused_records("s", &all, PageRequest::default()).await;
    assert!(gone.is_err(), "{gone:?}");
    again.stop().await;
}

/// What happened, in a line.
fn line(event: &SandboxEvent) -> String {
    let what = match event.event.as_ref().expect("an event") {
        Event::ResaleAuthorized(e) => format!("{} granted", e.resale_authorization_id),
        Event::ResaleRestricted(e) => format!("{} restricted", e.resale_authorization_id),
        Event::OfferReleased(e) => format!("{} released", e.offer_id),
        Event::PricesChanged(e) => {
            let from = e.change.as_ref().and_then(|change| change.existing_subscribers_from);
            format!("{} changed, for subscribers from {}", e.offer_id, time_text(from))
        }
        Event::AgreementEnded(e) => {
            format!("{} of {} {}", e.offer_id, e.buyer_account_id, e.status().as_str_name())
        }
        Event::AgreementAccepted(e) => {
            format!("{} of {} {}", e.offer_id, e.buyer_account_id, e.origin().as_str_name())
        }
        Event::UpfrontAmended(e) => format!("{} amended to {:?}", e.buyer_account_id, e.quantities),
        Event::UpfrontRefunded(e) => format!("{} gave back purchase {}", e.buyer_account_id, e.number),
        Event::UpfrontPurchased(e) => format!("{} bought {:?}", e.buyer_account_id, e.quantities),
        Event::InvoiceIssued(e) => format!("{} {} {}", e.invoice_id, e.billing_period, e.total),
        Event::InvoicePaid(e) => format!("{} paid {}", e.invoice_id, e.amount),
        Event::MonthClosed(e) => format!("{} closed {}", e.payer_account_id, e.billing_period),
    };
    format!("{} {what}", time_text(event.time))
}

#[tokio::test]
async fn what_happened_is_the_same_list_on_any_partitions_and_after_a_restart() {
    let all = EventFilter::default();
    let mut lists = Vec::new();
    for partitions in [1, 4] {
        let store = MemoryStore::new();
        let served = Served::on(&store, partitions).await;
        let client = &served.client;
        put(client, "s", DOCUMENT).await;
        client.accept_offer("s", "offer-p", "000000000202", None).await.expect("an offer for it");
        turn(client, "s", "2025-03-05T00:00:00Z").await;
        let prices = [("m5.large".to_owned(), "0.30".to_owned())].into();
        client.change_prices("s", "offer-b", prices, Vec::new()).await.expect("a price change");
        let agreements = client.all_agreements("s", &Default::default()).await.expect("agreements");
        let ami = agreements.iter().find(|a| a.offer_id == "offer-b").expect("an hourly agreement");
        let bought = configuration("P12M", &[("m5.large", 2)]);
        client.add_annual_subscription("s", &ami.agreement_id, bought).await.expect("annual cover");
        use_it(client).await;
        client.cancel_agreement("s", &ami.agreement_id).await.expect("a live agreement");
        let told = events(client, &all).await;
        for (buyer, payer, since, count) in [
            ("000000000202", "", None, 5),
            ("", "000000000202", None, 7),
            ("", "000000000201", Some("2025-03-02T00:00:00Z"), 5),
            ("", "", Some("2025-04-03T00:00:00Z"), 1),
        ] {
            let [buyer_account_id, payer_account_id] = [buyer, payer].map(str::to_owned);
            let filter = EventFilter { buyer_account_id, payer_account_id, since: since.map(at) };
            assert_eq!(events(client, &filter).await.len(), count, "{filter:?}");
        }
        served.stop().await;
        let again = Served::on(&store, partitions).await;
        assert_eq!(events(&again.client, &all).await, told, "after a restart");
        again.stop().await;
        lists.push(told);
    }
    assert_eq!(lists[0], lists[1]);
    let told: Vec<_> = lists[0].iter().map(line).collect();
    assert_eq!(
        told,
        [
            "2025-03-01T00:00:00Z offer-a released",
            "2025-03-01T00:00:00Z offer-b released",
            "2025-03-01T00:00:00Z offer-p released",
            "2025-03-01T00:00:00Z offer-a of 000000000204 AGREEMENT_ORIGIN_ACCEPTED",
            "2025-03-01T00:00:00Z offer-b of 000000000201 AGREEMENT_ORIGIN_ACCEPTED",
            "2025-03-01T00:00:00Z offer-a of 000000000202 AGREEMENT_ORIGIN_ACCEPTED",
            "2025-03-01T00:00:00Z offer-a of 000000000202 AGREEMENT_STATUS_REPLACED",
            "2025-03-01T00:00:00Z offer-p of 000000000202 AGREEMENT_ORIGIN_ACCEPTED",
            "2025-03-05T00:00:00Z offer-b changed, for subscribers from 2025-07-01T00:00:00Z",
            "2025-03-05T00:00:00Z 000000000201 bought {\"m5.large\": 2}",
            "2025-03-05T00:00:00Z MPIN25-000000000201-1 2025-03 3000.00",
            "2025-03-11T00:00:00Z offer-p of 000000000202 AGREEMENT_STATUS_REPLACED",
            "2025-03-11T00:00:00Z offer-a of 000000000202 AGREEMENT_ORIGIN_FELL_BACK",
            "2025-04-02T00:00:00Z MPIN25-000000000201-2 2025-03 7.01",
            "2025-04-02T00:00:00Z MPIN25-000000000202-1 2025-03 1.51",
            "2025-04-02T00:00:00Z 000000000201 closed 2025-03",
            "2025-04-02T00:00:00Z 000000000202 closed 2025-03",
            "2025-04-03T00:00:00Z offer-b of 000000000201 AGREEMENT_STATUS_CANCELLED",
        ]
    );
}
