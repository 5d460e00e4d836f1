//! Resale authorizations: who sees what, in pages, and after a restart.

use souk_client::{EventFilter, OfferFilter};
use souk_log::MemoryStore;
use souk_proto::catalog::v1::ResaleAuthorizationStatus;
use souk_proto::sandbox::v1::sandbox_event::Event;

use super::lists::read;
use crate::served::Served;
use crate::words::{put, turn};

const MANUFACTURER: &str = "111122223333";
const RESELLER: &str = "444455556666";
const BUYER: &str = "000000000201";

const DOCUMENT: &str = "
clock: {at: 2025-03-01T12:00:00Z}
accounts:
  - {accountId: 000000000201}
  - {accountId: 111122223333, seller: {}}
  - {accountId: 444455556666, seller: {}}
products:
  - {productId: prod-a, title: A, sellerAccountId: 111122223333, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, types: [EXTERNALLY_METERED]}]}
  - {productId: prod-b, title: B, sellerAccountId: 444455556666, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, types: [EXTERNALLY_METERED]}]}
resaleAuthorizations:
  - {resaleAuthorizationId: resaleauthz-z, productId: prod-a, resellerAccountId: 444455556666, discountPercentage: 20}
  - {resaleAuthorizationId: resaleauthz-y, productId: prod-a, resellerAccountId: 444455556666, terms: [{usageBasedPricing: {rateCard: {units: 0.20}}}]}
  - {resaleAuthorizationId: resaleauthz-x, productId: prod-b, resellerAccountId: 111122223333, discountPercentage: 10}
offers:
  - offerId: offer-p
    productId: prod-a
    resaleAuthorizationId: resaleauthz-z
    buyerAccountIds: [000000000201]
    availabilityEndDate: 2025-03-31
    terms: [{usageBasedPricing: {rateCard: {units: 0.45}}}, {validity: {agreementDuration: P30D}}]
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {units: 0.50}}}]}
";

/// The ids of the authorizations that an account sees of a product.
async fn seen(served: &Served, account: &str, product: &str) -> Vec<String> {
    let filter = OfferFilter { account_id: account.to_owned(), product_id: product.to_owned() };
    let filter = &filter;
    let list = |page| async move { served.client.list_resale_authorizations("s", filter, page).await };
    read(list).await.into_iter().map(|authorization| authorization.resale_authorization_id).collect()
}

#[tokio::test]
async fn both_sides_see_an_authorization_and_the_seller_of_record_its_offers() {
    let store = MemoryStore::new();
    let served = Served::on(&store, 2).await;
    put(&served.client, "s", DOCUMENT).await;
    assert_eq!(seen(&served, "", "").await, ["resaleauthz-x", "resaleauthz-y", "resaleauthz-z"]);
    assert_eq!(seen(&served, "", "prod-b").await, ["resaleauthz-x"]);
    assert_eq!(seen(&served, MANUFACTURER, "prod-a").await, ["resaleauthz-y", "resaleauthz-z"]);
    assert_eq!(seen(&served, RESELLER, "prod-a").await, ["resaleauthz-y", "resaleauthz-z"]);
    assert_eq!(seen(&served, BUYER, "").await, [""; 0]);

    let client = &served.client;
    for (viewer, prices) in [(None, 1), (Some(RESELLER), 1), (Some(BUYER), 0)] {
        let offer = client.get_offer("s", "offer-p", viewer).await.expect("an offer");
        assert_eq!((offer.seller_account_id.as_str(), offer.wholesale_terms.len()), (RESELLER, prices));
    }
    let hidden = client.get_offer("s", "offer-p", Some(MANUFACTURER)).await;
    assert!(hidden.is_err(), "the reseller's price is its own: {hidden:?}");
    let offers = |account: &str| OfferFilter { account_id: account.to_owned(), ..OfferFilter::default() };
    for (account, expected) in [
        (MANUFACTURER, vec!["offer-a"]),
        (RESELLER, vec!["offer-a", "offer-p"]),
        (BUYER, vec!["offer-a", "offer-p"]),
    ] {
        let found = client.all_offers("s", &offers(account)).await.expect("a list");
        let found: Vec<_> = found.iter().map(|offer| offer.offer_id.as_str()).collect();
        assert_eq!(found, expected, "{account}");
    }

    turn(client, "s", "2025-03-01T13:00:00Z").await;
    let restricted = client.restrict_resale_authorization("s", "resaleauthz-z").await.expect("it is there");
    assert_eq!(restricted.status(), ResaleAuthorizationStatus::Restricted);
    let everything = || OfferFilter::default();
    let before = client.all_resale_authorizations("s", &everything()).await.expect("a list");
    let events = client.all_events("s", &EventFilter::default()).await.expect("a list");
    let told: Vec<_> = events.iter().filter_map(|event| event.event.as_ref()).collect();
    assert!(
        matches!(told.first(), Some(Event::ResaleAuthorized(e)) if e.resale_authorization_id == "resaleauthz-x")
    );
    assert!(matches!(told.last(), Some(Event::ResaleRestricted(e)) if e.reseller_account_id == RESELLER));
    served.stop().await;

    let again = Served::on(&store, 2).await;
    assert_eq!(again.client.all_resale_authorizations("s", &everything()).await.expect("a list"), before);
    assert_eq!(again.client.all_events("s", &EventFilter::default()).await.expect("a list"), events);
    again.stop().await;
}
