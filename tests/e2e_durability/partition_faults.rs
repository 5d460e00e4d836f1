//! A partition whose log fails answers so, is rebuilt from the log before it takes another job, and neither loses
//! nor doubles anything, wherever the failed batch ended up.

use souk_client::AgreementFilter;
use souk_core::ids::{AccountId, SandboxName};
use souk_log::{Fault, Landed, LogName, MemoryStore};
use souk_proto::metering::v1::{UsageRecordResult, UsageRecordStatus};
use souk_server::partition::{partition_of, writer};

use crate::served::Served;
use crate::words::{
    at, batch, code_of, hours_after, invoices, invoices_text, message, preview, put, record, refused, turn,
};

const DOCUMENT: &str = "
clock: {at: 2025-01-15T00:00:00Z}
rules: {meteringWindow: OPEN_MONTH}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000201}
  - {accountId: 000000000202}
  - {accountId: 000000000203}
  - {accountId: 000000000204}
  - {accountId: 000000000205}
products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2025-01-01T00:00:00Z}
  - {offerId: offer-a, buyerAccountId: 000000000202, acceptanceTime: 2025-01-01T00:00:00Z}
  - {offerId: offer-a, buyerAccountId: 000000000203, acceptanceTime: 2025-01-01T00:00:00Z}
";
const SANDBOX: &str = "faults";
/// As many as a server without ticks has.
const PARTITIONS: usize = 4;
const FIRST: &str = "000000000201";
/// The faults of an append, and whether its batch is there when the log is opened again.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::FailedCommit(Landed::Nowhere), false),
    (Fault::FailedCommit(Landed::Unsynced), true),
    (Fault::FailedCommit(Landed::Durable), true),
    (Fault::Full, false),
    (Fault::Fenced, false),
];

fn log_of(payer: &str) -> LogName {
    let payer = AccountId::parse(payer).expect("an account");
    writer::log_name(partition_of(&SandboxName::new(SANDBOX), payer, PARTITIONS))
}

/// A subscriber whose partition is another than the first one's.
fn second() -> &'static str {
    let others = ["000000000202", "000000000203"];
    others.into_iter().find(|other| log_of(other) != log_of(FIRST)).expect("two partitions")
}

/// Statuses as text, in the order of the records.
fn statuses(results: &[UsageRecordResult]) -> Vec<&'static str> {
    let word = |result: &UsageRecordResult| match result.status() {
        UsageRecordStatus::Success => "success",
        UsageRecordStatus::DuplicateRecord => "duplicate",
        UsageRecordStatus::Unprocessed => "unprocessed",
        other => other.as_str_name(),
    };
    results.iter().map(word).collect()
}

async fn quantity(served: &Served, payer: &str) -> String {
    let invoices = preview(&served.client, SANDBOX, payer, "2025-01").await;
    let lines: Vec<_> =
        invoices.iter().flat_map(|invoice| &invoice.lines).map(|line| &*line.quantity).collect();
    lines.join(" ")
}

#[tokio::test]
async fn records_of_a_failed_append_are_unprocessed_and_those_of_other_partitions_metered() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (fault, landed) in FAULTS {
        put(client, SANDBOX, DOCUMENT).await;
        let code = code_of(client, SANDBOX, "prod-a").await;
        let meter = |quantity: &'static str| {
            let records = [FIRST, second(), FIRST].into_iter().zip(0..);
            let records = records.map(|(buyer, hour)| {
                record(buyer, hours_after("2025-01-10T00:00:00Z", hour), "units", quantity)
            });
            client.batch_meter_usage(batch(SANDBOX, &code, records.collect()))
        };
        store.faults().next(&log_of(FIRST), fault);
        let failed = meter("5").await.expect("an answer for every record");
        assert_eq!(statuses(&failed), ["unprocessed", "success", "unprocessed"], "{fault:?}");
        assert!(failed[0].metering_record_id.is_empty());

        // Nothing is known of them until they are sent again: another quantity tells.
        let again = meter("6").await.expect("an answer for every record");
        let first = if landed { "duplicate" } else { "success" };
        assert_eq!(statuses(&again), [first, "duplicate", first], "{fault:?}");
        assert_eq!(quantity(&served, FIRST).await, if landed { "10" } else { "12" }, "{fault:?}");
        assert_eq!(quantity(&served, second()).await, "5");
        let same = meter(if landed { "5" } else { "6" }).await.expect("an answer for every record");
        assert_eq!(same[0].metering_record_id, again[0].metering_record_id);
        assert_eq!(statuses(&same)[0], "success");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_stream_goes_on_over_a_failed_append() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    put(client, SANDBOX, DOCUMENT).await;
    let code = code_of(client, SANDBOX, "prod-a").await;
    let mut stream = client.stream_usage(1).await.expect("a stream");
    let mut answers = Vec::new();
    for hour in 0..6 {
        if hour == 2 {
            store.faults().next(&log_of(FIRST), Fault::FailedCommit(Landed::Nowhere));
        }
        let time = hours_after("2025-01-10T00:00:00Z", hour);
        let records = [FIRST, second()].map(|buyer| record(buyer, time, "units", 1));
        let sent =
            stream.send(message(SANDBOX, &code, records.to_vec())).await.expect("a stream that goes on");
        answers.extend(sent);
        // One at a time, so that the fault meets the third message.
        answers.extend(stream.next_answer().await.expect("a stream that goes on"));
    }
    stream.finish().await.expect("an orderly end");
    let successes: Vec<_> = answers.iter().map(|answer| answer.success_count).collect();
    assert_eq!(successes, [2, 2, 1, 2, 2, 2]);
    assert_eq!(statuses(&answers[2].exceptions), ["unprocessed"]);
    assert_eq!((quantity(&served, FIRST).await, quantity(&served, second()).await), ("5".into(), "6".into()));
    served.stop().await;
}

#[tokio::test]
async fn an_acceptance_that_failed_is_made_once() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (fault, landed) in FAULTS {
        put(client, SANDBOX, DOCUMENT).await;
        let buyer = "000000000204";
        store.faults().next(&log_of(buyer), fault);
        let failed = client.accept_offer(SANDBOX, "offer-a", buyer, None).await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let again = client.accept_offer(SANDBOX, "offer-a", buyer, None).await;
        match landed {
            true => {
                assert_eq!(refused(again), "AlreadyExists ALREADY_SUBSCRIBED buyerAccountId", "{fault:?}")
            }
            false => assert!(again.is_ok(), "{again:?}"),
        }
        let filter = AgreementFilter { buyer_account_id: buyer.to_owned(), ..AgreementFilter::default() };
        let agreements = client.all_agreements(SANDBOX, &filter).await.expect("a list");
        assert_eq!(agreements.len(), 1, "{fault:?}");
        // Whoever names the agreement finds it, and it can be metered by its licence.
        let id = &agreements[0].agreement_id;
        assert_eq!(client.get_agreement(SANDBOX, id).await.expect("an agreement"), agreements[0]);
        client.cancel_agreement(SANDBOX, id).await.expect("a live agreement");
        assert_eq!(
            refused(client.cancel_agreement(SANDBOX, id).await),
            "FailedPrecondition AGREEMENT_NOT_ACTIVE agreementId"
        );
    }
    served.stop().await;
}

#[tokio::test]
async fn a_month_whose_close_failed_in_one_partition_is_closed_once() {
    for (fault, _) in FAULTS {
        let store = MemoryStore::new();
        let served = Served::without_ticks(&store).await;
        let client = &served.client;
        put(client, SANDBOX, DOCUMENT).await;
        let code = code_of(client, SANDBOX, "prod-a").await;
        let time = at("2025-01-10T00:00:00Z");
        let records = [FIRST, second()].map(|buyer| record(buyer, time, "units", 250));
        crate::words::meter(client, batch(SANDBOX, &code, records.to_vec())).await;
        // The partition's first append notes the clock's turn, the second one closes the month.
        for attempt in [1, 2] {
            let log = log_of(FIRST);
            let next = store.faults().attempts(&log) + attempt;
            store.faults().at(&log, next, fault);
            let target = souk_proto::sandbox::v1::advance_clock_request::Target::To;
            let to = if attempt == 1 { "2025-01-20T00:00:00Z" } else { "2025-02-02T00:00:00Z" };
            let failed = client.advance_clock(SANDBOX, target(at(to))).await;
            assert_eq!(refused(failed), "Unavailable -", "{fault:?}, attempt {attempt}");
            turn(client, SANDBOX, to).await;
        }
        let issued = invoices(client, SANDBOX, "", "").await;
        assert_eq!(issued.len(), 2, "{fault:?}: {}", invoices_text(&issued));
        assert!(issued.iter().all(|invoice| invoice.total == "2.50"), "{}", invoices_text(&issued));
        served.stop().await;
    }
}

#[tokio::test]
async fn a_partition_that_failed_to_follow_catches_up_before_it_answers() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (fault, _) in FAULTS {
        // The sandbox is made in the control log; one partition fails to note it.
        store.faults().next(&log_of(FIRST), fault);
        let failed = client
            .put_sandbox(
                SANDBOX,
                souk_proto::sandbox::v1::put_sandbox_request::Source::Text(DOCUMENT.to_owned()),
            )
            .await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let described = client.get_sandbox(SANDBOX).await.expect("a sandbox that is published");
        assert_eq!(described.agreements.len(), 3, "{fault:?}");

        // The clock is turned there; the partition fails to note it, and must not answer at the old time.
        store.faults().next(&log_of(FIRST), fault);
        let target = souk_proto::sandbox::v1::advance_clock_request::Target::To(at("2025-03-05T00:00:00Z"));
        assert_eq!(refused(client.advance_clock(SANDBOX, target).await), "Unavailable -", "{fault:?}");
        let accepted =
            client.accept_offer(SANDBOX, "offer-a", "000000000204", None).await.expect("an open offer");
        assert_eq!(accepted.agreement.acceptance_time, Some(at("2025-03-05T00:00:00Z")));
        let cancelled = client.get_agreement(SANDBOX, &described.agreements[0].agreement_id).await;
        let cancelled =
            client.cancel_agreement(SANDBOX, &cancelled.expect("an agreement").agreement_id).await;
        assert_eq!(
            cancelled.expect("a live agreement").end_time,
            Some(at("2025-03-05T00:00:00Z")),
            "{fault:?}"
        );
    }
    served.stop().await;
}
