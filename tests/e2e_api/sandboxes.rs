//! Sandboxes side by side: the same ids, and nothing else in common.

use souk_client::{AgreementFilter, PageRequest, SoukClient};
use souk_proto::metering::v1::UsageRecord;
use souk_proto::metering::v1::usage_record::Customer;

use crate::served::Served;
use crate::words::{
    at, batch, code_of, invoices, meter, preview, put, record, refused, time_text, turn, turn_by,
};

const DOCUMENT: &str = "
description: first
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - {accountId: 111122223333, seller: {}}
  - {accountId: 000000000201}
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
    terms: [{usageBasedPricing: {rateCard: {units: 0.05}}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
";
const BUYER: &str = "000000000201";

async fn use_some(client: &SoukClient, sandbox: &str, quantity: u32) -> String {
    let code = code_of(client, sandbox, "prod-a").await;
    let usage = record(BUYER, at("2025-03-10T11:00:00Z"), "units", quantity);
    meter(client, batch(sandbox, &code, vec![usage])).await.remove(0)
}

async fn total(client: &SoukClient, sandbox: &str) -> Option<String> {
    let invoices = preview(client, sandbox, BUYER, "2025-03").await;
    invoices.first().map(|invoice| invoice.total.clone())
}

#[tokio::test]
async fn two_sandboxes_of_one_document_have_the_same_ids_and_nothing_in_common() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "left", DOCUMENT).await;
    put(client, "right", DOCUMENT).await;
    let all = AgreementFilter::default();
    let left = client.all_agreements("left", &all).await.expect("a list");
    assert_eq!(left, client.all_agreements("right", &all).await.expect("a list"));

    // The same record, with another quantity: the same id, and no duplicate.
    let id = use_some(client, "left", 100).await;
    assert_eq!(total(client, "right").await, None);
    assert_eq!(use_some(client, "right", 200).await, id);
    assert_eq!(total(client, "left").await.as_deref(), Some("5.00"));
    assert_eq!(total(client, "right").await.as_deref(), Some("10.00"));

    turn(client, "left", "2025-04-02T00:00:00Z").await;
    assert_eq!(time_text(client.get_clock("right").await.expect("a clock").now), "2025-03-10T12:00:00Z");
    assert!(invoices(client, "right", "", "").await.is_empty());
    let invoice = invoices(client, "left", "", "").await.remove(0);
    client.cancel_agreement("right", &left[0].agreement_id).await.expect("a live agreement");
    assert_eq!(client.get_agreement("left", &left[0].agreement_id).await.expect("an agreement"), left[0]);
    turn(client, "right", "2025-04-02T00:00:00Z").await;
    let other = invoices(client, "right", "", "").await.remove(0);
    assert_eq!((invoice.invoice_id, invoice.total.as_str()), (other.invoice_id, "5.00"));
    assert_eq!(other.total, "10.00");
    served.stop().await;
}

#[tokio::test]
async fn a_sandbox_that_is_put_again_begins_anew() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "again", DOCUMENT).await;
    put(client, "beside", DOCUMENT).await;
    let old = client.all_agreements("again", &AgreementFilter::default()).await.expect("a list").remove(0);
    use_some(client, "again", 100).await;
    use_some(client, "beside", 100).await;
    turn(client, "again", "2025-04-02T00:00:00Z").await;

    // Without its agreement, and earlier than it was.
    let without = DOCUMENT.replace("description: first", "description: second");
    let without = without.split_once("agreements:").expect("agreements").0;
    let sandbox = put(client, "again", without).await;
    assert_eq!(
        (sandbox.description.as_str(), sandbox.agreement_count, sandbox.invoice_count),
        ("second", 0, 0)
    );
    assert_eq!(time_text(sandbox.clock.and_then(|clock| clock.now)), "2025-03-10T12:00:00Z");
    assert!(invoices(client, "again", "", "").await.is_empty());
    let gone = client.get_agreement("again", &old.agreement_id).await;
    assert_eq!(refused(gone), "NotFound AGREEMENT_UNKNOWN agreementId");
    let by_licence = UsageRecord {
        customer: Some(Customer::LicenseArn(old.license_arn.clone())),
        ..record(BUYER, at("2025-03-10T11:00:00Z"), "units", 1)
    };
    let refusal = client.batch_meter_usage(batch("again", "", vec![by_licence])).await;
    assert_eq!(refused(refusal), "InvalidArgument LICENSE_INVALID usageRecords[0].licenseArn");

    // The first agreement of the payer has the same id again, and nothing of the old one's usage.
    let accepted = client.accept_offer("again", "offer-a", BUYER, None).await.expect("an open offer");
    assert_eq!(accepted.agreement.agreement_id, old.agreement_id);
    assert_eq!(total(client, "again").await, None);
    assert_eq!(total(client, "beside").await.as_deref(), Some("5.00"));
    served.stop().await;
}

#[tokio::test]
async fn a_deleted_sandbox_is_gone_and_its_name_free() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "gone", DOCUMENT).await;
    put(client, "stays", DOCUMENT).await;
    let id = use_some(client, "gone", 100).await;
    let agreement =
        client.all_agreements("gone", &AgreementFilter::default()).await.expect("a list").remove(0);
    client.delete_sandbox("gone").await.expect("a sandbox");
    for refusal in [
        refused(client.get_sandbox("gone").await),
        refused(client.all_accounts("gone").await),
        refused(client.get_agreement("gone", &agreement.agreement_id).await),
        refused(client.accept_offer("gone", "offer-a", BUYER, None).await),
        refused(client.delete_sandbox("gone").await),
    ] {
        assert_eq!(refusal, "NotFound SANDBOX_UNKNOWN sandbox");
    }
    let names = client.all_sandboxes().await.expect("a list");
    assert_eq!(names.iter().map(|sandbox| &*sandbox.name).collect::<Vec<_>>(), ["stays"]);
    put(client, "gone", DOCUMENT).await;
    assert_eq!(total(client, "gone").await, None, "nothing of the old one is left");
    assert_eq!(use_some(client, "gone", 7).await, id);
    served.stop().await;
}

#[tokio::test]
async fn many_sandboxes_are_made_at_once_and_each_clock_turns_for_itself() {
    const COUNT: usize = 120;
    let served = Served::start().await;
    let name = |number: usize| format!("sandbox-{number:03}");
    let mut making = tokio::task::JoinSet::new();
    for number in 0..COUNT {
        let client = served.client.clone();
        making.spawn(async move {
            let name = name(number);
            put(&client, &name, DOCUMENT).await;
            use_some(&client, &name, 1 + number as u32).await;
            // Each month closes with an invoice, whatever the others do meanwhile.
            let turned = turn_by(&client, &name, 24 * 23).await;
            (turned.work_done.invoices_issued, turned.work_done.payer_months_closed)
        });
    }
    for (issued, closed) in making.join_all().await {
        assert_eq!((issued, closed), (1, 1), "what was done in this sandbox, and not in another one");
    }
    let client = &served.client;
    let page = PageRequest { size: 100, token: String::new() };
    assert_eq!(client.list_sandboxes(page).await.expect("a page").entries.len(), 100);
    let all = client.all_sandboxes().await.expect("a list");
    assert_eq!(
        all.iter().map(|sandbox| sandbox.name.clone()).collect::<Vec<_>>(),
        (0..COUNT).map(name).collect::<Vec<_>>()
    );
    for number in 0..COUNT {
        let issued = invoices(client, &name(number), BUYER, "2025-03").await;
        let cents = (1 + number) * 5;
        assert_eq!(issued[0].total, format!("{}.{:02}", cents / 100, cents % 100));
    }
    served.stop().await;
}
