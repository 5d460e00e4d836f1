//! A control log that fails: what was not answered may have been published or not, and whatever it is, everybody
//! sees the same, and nothing is published twice.

use souk_log::{Fault, Landed, MemoryStore};
use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::put_sandbox_request::Source;
use souk_server::control::writer;

use crate::served::Served;
use crate::words::{at, invoices, put, refused, time_text, turn};

const DOCUMENT: &str = "
clock: {at: 2025-01-15T00:00:00Z}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
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
    terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]
";
const SANDBOX: &str = "control";
/// The faults of an append, and whether its entry is there when the log is opened again.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::FailedCommit(Landed::Nowhere), false),
    (Fault::FailedCommit(Landed::Unsynced), true),
    (Fault::FailedCommit(Landed::Durable), true),
    (Fault::Full, false),
    (Fault::Fenced, false),
];

/// The next append to the control log fails.
fn fail_next(store: &MemoryStore, fault: Fault) {
    store.faults().next(&writer::log_name(), fault);
}

#[tokio::test]
async fn a_change_that_failed_is_published_once_or_not_at_all() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (fault, landed) in FAULTS {
        put(client, SANDBOX, DOCUMENT).await;
        let card = || [("units".to_owned(), "0.02".to_owned())].into();
        fail_next(&store, fault);
        let failed = client.change_prices(SANDBOX, "offer-a", card(), Vec::new()).await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let changes = client.get_offer(SANDBOX, "offer-a", None).await.expect("an offer").price_changes;
        assert_eq!(changes.len(), usize::from(landed), "{fault:?}");

        let product = client.get_product(SANDBOX, "prod-a").await.expect("a product");
        let copy = souk_proto::catalog::v1::Product {
            product_id: "prod-b".to_owned(),
            product_code: String::new(),
            ..product
        };
        fail_next(&store, fault);
        let failed = client.create_product(SANDBOX, copy.clone()).await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let again = client.create_product(SANDBOX, copy).await;
        match landed {
            true => assert_eq!(refused(again), "AlreadyExists PRODUCT_EXISTS product.productId", "{fault:?}"),
            false => assert!(again.is_ok(), "{again:?}"),
        }
        assert_eq!(client.all_products(SANDBOX).await.expect("a list").len(), 2, "{fault:?}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_sandbox_whose_entry_failed_is_there_for_everybody_or_for_nobody() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (number, (fault, landed)) in FAULTS.into_iter().enumerate() {
        let name = format!("sandbox-{number}");
        fail_next(&store, fault);
        let failed = client.put_sandbox(&name, Source::Text(DOCUMENT.to_owned())).await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let listed = client.all_sandboxes().await.expect("a list").iter().any(|sandbox| sandbox.name == name);
        assert_eq!(listed, landed, "{fault:?}");
        let accepted = client.accept_offer(&name, "offer-a", "000000000201", None).await;
        match landed {
            true => assert!(accepted.is_ok(), "{fault:?}: {accepted:?}"),
            false => assert_eq!(refused(accepted), "NotFound SANDBOX_UNKNOWN sandbox", "{fault:?}"),
        }
        assert_eq!(client.get_sandbox(&name).await.is_ok(), landed, "{fault:?}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_clock_whose_turn_failed_turns_once() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    let client = &served.client;
    for (fault, landed) in FAULTS {
        put(client, SANDBOX, DOCUMENT).await;
        client.accept_offer(SANDBOX, "offer-a", "000000000201", None).await.expect("an open offer");
        fail_next(&store, fault);
        let failed = client.advance_clock(SANDBOX, Target::To(at("2025-02-02T00:00:00Z"))).await;
        assert_eq!(refused(failed), "Unavailable -", "{fault:?}");
        let now = time_text(client.get_clock(SANDBOX).await.expect("a clock").now);
        let expected = if landed { "2025-02-02T00:00:00Z" } else { "2025-01-15T00:00:00Z" };
        assert_eq!(now, expected, "{fault:?}");
        let turned = turn(client, SANDBOX, "2025-02-02T00:00:00Z").await;
        assert_eq!(turned.work_done.payer_months_closed, 1, "{fault:?}");
        assert!(invoices(client, SANDBOX, "", "").await.is_empty(), "nothing was metered");
    }
    served.stop().await;
}
