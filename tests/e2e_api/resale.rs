//! Resale authorizations: who sees what, in pages, and after a restart.

use souk_client::{EventFilter, OfferFilter, SoukClient};
use souk_log::MemoryStore;
use souk_proto::catalog::v1::ResaleAuthorizationStatus;
use souk_proto::reporting::v1::{ReportPeriod, ReportSelection};
use souk_proto::sandbox::v1::sandbox_event::Event;

use super::lists::read;
use crate::served::Served;
use crate::words::{batch, code_of, hourly, meter, put, turn};

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

/// What is known of the buyer: its account, its name, and where it is.
const BUYERS_OWN: [&str; 5] = [BUYER, "Secret", "secret.example", "Seattle", "98101"];

/// Everything that the reports of a seller tell: of each day of March, and of March and April.
async fn every_report(client: &SoukClient, seller: &str) -> String {
    let mut told = String::new();
    for report in client.list_reports().await.expect("a list") {
        let kind = report.kind();
        let selection = ReportSelection {
            sandbox: "s".to_owned(),
            seller_account_id: seller.to_owned(),
            kind: report.kind,
            ..ReportSelection::default()
        };
        let of_day = |day: u32| ReportSelection { date: format!("2025-03-{day:02}"), ..selection.clone() };
        let of_month = |month: &str| ReportSelection { month: month.to_owned(), ..selection.clone() };
        let asked = match report.period() {
            ReportPeriod::Day => (2..32).map(of_day).collect(),
            _ => vec![of_month("2025-03"), of_month("2025-04")],
        };
        for selection in asked {
            let report = client.read_report(selection).await.expect("a report");
            told.push_str(&format!("{kind:?} {:?}\n", report.rows));
        }
    }
    told
}

#[tokio::test]
async fn j1_no_report_of_the_manufacturer_names_the_buyer_of_a_recurring_authorization() {
    for (single_use, is_named) in [(false, false), (true, true)] {
        let served = Served::on(&MemoryStore::new(), 2).await;
        let client = &served.client;
        let named = "{accountId: 000000000201, companyName: Secret, emailDomain: secret.example, address: \
                     {country: US, state: WA, city: Seattle, postalCode: \"98101\"}}";
        let document = DOCUMENT
            .replace("{accountId: 000000000201}", named)
            .replace("discountPercentage: 20", &format!("discountPercentage: 20, singleUse: {single_use}"))
            .replace("P30D", "P365D")
            + "rules: {privateOfferPropagation: PT0S}\n\
               agreements: [{offerId: offer-p, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T12:00:00Z}]\n";
        put(client, "s", &document).await;
        let code = code_of(client, "s", "prod-a").await;
        turn(client, "s", "2025-03-03T12:00:00Z").await;
        meter(client, batch("s", &code, hourly(BUYER, "2025-03-03T08:00:00Z", 3, "units", "100"))).await;
        turn(client, "s", "2025-05-02T00:00:00Z").await;

        let reseller = every_report(client, RESELLER).await;
        for own in BUYERS_OWN {
            assert!(reseller.contains(own), "the reseller knows {own}");
        }
        let manufacturer = every_report(client, MANUFACTURER).await;
        // 300 at 80 % of 0.50.
        assert!(manufacturer.contains("120.00") && !manufacturer.contains("135.00"), "{manufacturer}");
        for own in BUYERS_OWN {
            assert_eq!(manufacturer.contains(own), is_named, "{own}: {manufacturer}");
        }
        served.stop().await;
    }
}
