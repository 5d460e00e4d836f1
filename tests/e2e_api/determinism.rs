//! The same document and the same calls give the same ids, invoices and reports, to the byte, on any number of
//! partitions, in a sandbox of any name, beside others that are busy, and after a restart.

use souk_client::{AgreementFilter, SoukClient};
use souk_log::MemoryStore;
use souk_proto::metering::v1::ReportInstanceHoursRequest;
use souk_proto::reporting::v1::{ReportKind, ReportProfile};
use souk_server::document::EXAMPLE;

use crate::served::Served;
use crate::words::{
    batch, code_of, configuration, csv, hourly, invoices, invoices_text, message, preview, put, running, turn,
};

const AIRLINES: &str = "000000000101";
const CARGO: &str = "000000000102";

/// Lives three months in the sandbox of the example document, and tells everything that became of it.
async fn story(client: &SoukClient, sandbox: &str) -> String {
    put(client, sandbox, &EXAMPLE.replace("clock:\n", "rules: {meteringWindow: OPEN_MONTH}\nclock:\n")).await;
    let flight = code_of(client, sandbox, "prod-flightanalytics").await;
    let radar = code_of(client, sandbox, "prod-radarimage").await;
    let mut text = String::new();
    for (offer, buyer) in
        [("offer-flightpublic", AIRLINES), ("offer-radarpublic", CARGO), ("offer-flightpublic", CARGO)]
    {
        let accepted = client.accept_offer(sandbox, offer, buyer, None).await.expect("an open offer");
        text.push_str(&format!("{accepted:?}\n"));
    }
    for (month, begin, end, close) in [
        ("2013-01", "2013-01-10T00:00:00Z", "2013-01-20T00:00:00Z", "2013-02-02T00:00:00Z"),
        ("2013-02", "2013-02-10T00:00:00Z", "2013-02-20T00:00:00Z", "2013-03-02T00:00:00Z"),
        ("2013-03", "2013-03-10T00:00:00Z", "2013-03-20T00:00:00Z", "2013-04-02T00:00:00Z"),
    ] {
        turn(client, sandbox, end).await;
        match month {
            "2013-01" => {
                let private = client.accept_offer(sandbox, "offer-flightacme", CARGO, None).await;
                text.push_str(&format!("{:?}\n", private.expect("an offer for it")));
            }
            "2013-02" => {
                let agreements =
                    client.all_agreements(sandbox, &AgreementFilter::default()).await.expect("a list");
                let hourly = agreements
                    .iter()
                    .find(|a| a.buyer_account_id == CARGO && a.product_id == "prod-radarimage");
                let cover = configuration("P12M", &[("m5.xlarge", 1)]);
                let bought = client
                    .add_annual_subscription(sandbox, &hourly.expect("an agreement").agreement_id, cover)
                    .await;
                text.push_str(&format!("{:?}\n", bought.expect("annual cover")));
            }
            _ => (),
        }
        for (buyer, quantity) in [(AIRLINES, "1.5"), (CARGO, "2")] {
            let usage = hourly(buyer, begin, 25, "users", quantity);
            let results = client.batch_meter_usage(batch(sandbox, &flight, usage)).await.expect("outcomes");
            text.push_str(&format!("{results:?}\n"));
            let mut stream = client.stream_usage(2).await.expect("a stream");
            for dimension in ["hosts", "data"] {
                let usage = hourly(buyer, begin, 100, dimension, quantity);
                stream.send(message(sandbox, &flight, usage)).await.expect("a stream that goes on");
            }
            for answer in stream.finish().await.expect("all answers") {
                text.push_str(&format!("{answer:?}\n"));
            }
            let reports = [
                running(&radar, buyer, begin, 50, "m5.large", 3),
                running(&radar, buyer, begin, 50, "m5.xlarge", 2),
            ];
            let request = ReportInstanceHoursRequest {
                sandbox: sandbox.to_owned(),
                region: String::new(),
                reports: reports.concat(),
            };
            let results = client.report_instance_hours(request).await.expect("outcomes");
            text.push_str(&format!("{results:?}\n"));
        }
        text.push_str(&invoices_text(&preview(client, sandbox, "000000000100", month).await));
        text.push_str(&format!("{:?}\n", turn(client, sandbox, close).await));
    }
    text.push_str(&told(client, sandbox).await);
    text
}

/// Everything that can be read of a sandbox.
async fn told(client: &SoukClient, sandbox: &str) -> String {
    let mut described = client.get_sandbox(sandbox).await.expect("a sandbox");
    described.sandbox.as_mut().expect("the sandbox").name.clear();
    // They hold the name of the sandbox, too.
    described.registration_tokens.clear();
    let mut text = format!("{described:?}\n");
    let issued = invoices(client, sandbox, "", "").await;
    text.push_str(&invoices_text(&issued));
    for invoice in issued {
        for line in &invoice.lines {
            let explained = client.explain_whole_line(sandbox, &invoice.invoice_id, line.line_number).await;
            text.push_str(&format!("{:?}\n", explained.expect("an explanation")));
        }
    }
    for month in ["2013-01", "2013-02", "2013-03"] {
        for kind in
            [ReportKind::MonthlyRevenueBillingAndRevenueData, ReportKind::MonthlyRevenueAnnualSubscriptions]
        {
            text.push_str(&csv(client, sandbox, kind, month, ReportProfile::Dashboard).await);
        }
    }
    text
}

#[track_caller]
fn same(found: &str, expected: &str, what: &str) {
    let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "{what}: {different:#?}");
}

#[tokio::test]
async fn the_same_calls_give_the_same_bytes_on_any_number_of_partitions() {
    let mut first: Option<String> = None;
    for partitions in [1, 4, 7] {
        let store = MemoryStore::new();
        let served = Served::on(&store, partitions).await;
        let told_now = story(&served.client, "story").await;
        let before = told(&served.client, "story").await;
        served.stop().await;
        let served = Served::on(&store, partitions).await;
        same(&told(&served.client, "story").await, &before, "after a restart");
        served.stop().await;
        same(&told_now, first.get_or_insert_with(|| told_now.clone()), &format!("{partitions} partitions"));
    }
    assert!(first.expect("a story").contains("\nMPIN13-000000000100-5 "), "the story has five invoices");
}

#[tokio::test]
async fn the_same_calls_give_the_same_bytes_beside_busy_sandboxes() {
    let alone = Served::start().await;
    let expected = story(&alone.client, "story").await;
    alone.stop().await;

    let served = Served::start().await;
    let mut stories = tokio::task::JoinSet::new();
    for name in ["story", "another", "third", "fourth"] {
        let client = served.client.clone();
        stories.spawn(async move { story(&client, name).await });
    }
    for told in stories.join_all().await {
        same(&told, &expected, "beside others");
    }
    served.stop().await;
}
