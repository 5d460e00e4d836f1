//! A price change reaches new subscribers at once, and existing ones on the first of the month after 90 days'
//! notice (A20, E-01, E-02).

use crate::served::Served;
use crate::words::{
    code_of, hourly, invoices, invoices_text, preview, put, same_text, stream, time_text, turn, without_ids,
};

const DOCUMENT: &str = "
clock: {at: 2025-01-01T00:00:00Z}
rules: {meteringWindow: OPEN_MONTH}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000101, companyName: Acme Airlines}
  - {accountId: 000000000202, companyName: Borealis}
products:
  - productId: prod-flight
    title: Flight analytics
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions:
      - {key: units, unit: Units, types: [EXTERNALLY_METERED]}
      - {key: flights, unit: Units, types: [EXTERNALLY_METERED]}
offers:
  - offerId: offer-public
    productId: prod-flight
    terms: [{usageBasedPricing: {rateCard: {units: 0.10, flights: 1.00}}}]
agreements:
  - {offerId: offer-public, buyerAccountId: 000000000101}
";
const EXISTING: &str = "000000000101";
const NEW: &str = "000000000202";

#[tokio::test]
async fn e_02_existing_subscribers_pay_a_changed_price_after_notice_and_new_ones_at_once() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "prices", DOCUMENT).await;
    let code = code_of(client, "prices", "prod-flight").await;
    turn(client, "prices", "2025-03-16T09:00:00Z").await;
    let card = [("units".to_owned(), "0.12".to_owned())].into();
    let change = client.change_prices("prices", "offer-public", card, Vec::new()).await.expect("a change");
    assert_eq!(time_text(change.existing_subscribers_from), "2025-07-01T00:00:00Z");
    turn(client, "prices", "2025-03-20T00:00:00Z").await;
    client.accept_offer("prices", "offer-public", NEW, None).await.expect("an open offer");

    let mut previewed = Vec::new();
    for (begin, hours, metered, closed) in [
        ("2025-06-01T00:00:00Z", 720, "2025-07-01T00:00:00Z", "2025-07-02T00:00:00Z"),
        ("2025-07-01T00:00:00Z", 744, "2025-08-01T00:00:00Z", "2025-08-02T00:00:00Z"),
    ] {
        turn(client, "prices", metered).await;
        for buyer in [EXISTING, NEW] {
            stream(client, "prices", &code, hourly(buyer, begin, hours, "units", "1")).await;
            stream(client, "prices", &code, hourly(buyer, begin, 1, "flights", "2.5")).await;
        }
        for buyer in [EXISTING, NEW] {
            previewed.extend(preview(client, "prices", buyer, &begin[..7]).await);
        }
        turn(client, "prices", closed).await;
    }
    let mut issued = invoices(client, "prices", "", "2025-06").await;
    issued.extend(invoices(client, "prices", "", "2025-07").await);
    same_text(&invoices_text(&issued), "
MPIN25-000000000101-1 USAGE 2025-06 000000000101 by AWS Inc. on 2025-07-02T00:00:00Z: 74.50 USD
  1. USAGE 000000000101 Flight analytics offer-public flights: 2.5 x 1.00 = 2.50 = 2.50 (2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z)
     2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z: Y 2.5 in 1 h, X 0, covered 0, billed 2.5: the offer as released
  2. USAGE 000000000101 Flight analytics offer-public units: 720 x 0.10 = 72.00 = 72.00 (2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z)
     2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z: Y 720 in 720 h, X 0, covered 0, billed 720: the offer as released
MPIN25-000000000202-1 USAGE 2025-06 000000000202 by AWS Inc. on 2025-07-02T00:00:00Z: 88.90 USD
  1. USAGE 000000000202 Flight analytics offer-public flights: 2.5 x 1.00 = 2.50 = 2.50 (2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z)
     2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z: Y 2.5 in 1 h, X 0, covered 0, billed 2.5: the offer as released
  2. USAGE 000000000202 Flight analytics offer-public units: 720 x 0.12 = 86.40 = 86.40 (2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z)
     2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z: Y 720 in 720 h, X 0, covered 0, billed 720: the price change of 2025-03-16, made before the agreement began
MPIN25-000000000101-2 USAGE 2025-07 000000000101 by AWS Inc. on 2025-08-02T00:00:00Z: 91.78 USD
  1. USAGE 000000000101 Flight analytics offer-public flights: 2.5 x 1.00 = 2.50 = 2.50 (2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z)
     2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z: Y 2.5 in 1 h, X 0, covered 0, billed 2.5: the offer as released
  2. USAGE 000000000101 Flight analytics offer-public units: 744 x 0.12 = 89.28 = 89.28 (2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z)
     2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z: Y 744 in 744 h, X 0, covered 0, billed 744: the price change of 2025-03-16, after 90 days' notice
MPIN25-000000000202-2 USAGE 2025-07 000000000202 by AWS Inc. on 2025-08-02T00:00:00Z: 91.78 USD
  1. USAGE 000000000202 Flight analytics offer-public flights: 2.5 x 1.00 = 2.50 = 2.50 (2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z)
     2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z: Y 2.5 in 1 h, X 0, covered 0, billed 2.5: the offer as released
  2. USAGE 000000000202 Flight analytics offer-public units: 744 x 0.12 = 89.28 = 89.28 (2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z)
     2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z: Y 744 in 744 h, X 0, covered 0, billed 744: the price change of 2025-03-16, made before the agreement began
");
    assert_eq!(without_ids(&issued), previewed);

    // The offer keeps its released prices and lists the change beside them.
    let offer = client.get_offer("prices", "offer-public", None).await.expect("an offer");
    assert_eq!((offer.offer_visibility.as_str(), offer.price_changes), ("Public", vec![change]));
    served.stop().await;
}
