//! Everything that is refused, with the exact code, reason and field; and that a refusal changes nothing.

mod agreements;
mod amendments;
mod catalog;
mod clocks;
mod columns;
mod contracts;
mod documents;
mod metering;
mod offers;
mod partners;
mod reads;
mod resale;
mod runs;

use souk_client::{AgreementFilter, ClientError, OfferFilter, SoukClient};

use crate::served::Served;
use crate::words::{invoices, preview, put, refused};

const SANDBOX: &str = "bad-input";
/// A payer with two linked accounts, and two accounts that pay for themselves.
const PAYER: &str = "000000000100";
const BUYER: &str = "000000000101";
const SIBLING: &str = "000000000102";
const OTHER: &str = "000000000202";
const NOBODY: &str = "999999999999";

/// A SaaS product, an AMI that is sold annually, and a contract. The buyer has subscribed to all of them.
const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - accountId: 111122223333
    companyName: Contrail Software
    seller: {}
    accessKeys: [{accessKeyId: AKIA0000000000000001, secretAccessKey: secret}]
  - {accountId: 000000000100, companyName: Acme Holding}
  - {accountId: 000000000101, companyName: Acme Airlines, payerAccountId: 000000000100}
  - {accountId: 000000000102, companyName: Acme Cargo, payerAccountId: 000000000100}
  - {accountId: 000000000202, companyName: Borealis}
products:
  - productId: prod-saas
    productCode: saascode
    title: Flight analytics
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions:
      - {key: users, unit: Users, types: [EXTERNALLY_METERED]}
      - {key: data, unit: GB, types: [EXTERNALLY_METERED]}
  - productId: prod-ami
    productCode: amicode
    title: Radar image
    sellerAccountId: 111122223333
    productType: AMI
    dimensions:
      - {key: m5.large, unit: Hrs, types: [METERED]}
      - {key: m5.xlarge, unit: Hrs, types: [METERED]}
  - productId: prod-contract
    productCode: contractcode
    title: Store
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: DATA
    dimensions:
      - {key: seats, unit: Users, types: [ENTITLED]}
      - {key: extra, unit: GB, types: [EXTERNALLY_METERED]}
offers:
  - offerId: offer-saas
    productId: prod-saas
    terms: [{usageBasedPricing: {rateCard: {users: 0.90, data: 0.015}}}]
  - offerId: offer-ami
    productId: prod-ami
    terms:
      - usageBasedPricing: {rateCard: {m5.large: 0.25, m5.xlarge: 0.50}}
      - configurableUpfrontPricing:
          rateCards: [{duration: P12M, prices: {m5.large: 1500.00, m5.xlarge: 3000.00}}]
  - offerId: offer-contract
    productId: prod-contract
    terms:
      - usageBasedPricing: {rateCard: {extra: 0.02}}
      - configurableUpfrontPricing:
          rateCards: [{duration: P12M, prices: {seats: 16.00}}]
  - offerId: offer-expired
    productId: prod-saas
    buyerAccountIds: [000000000101, 000000000202]
    availabilityEndDate: 2025-03-09
    terms:
      - usageBasedPricing: {rateCard: {users: 0.60, data: 0.01}}
      - validity: {agreementDuration: P30D}
  - offerId: offer-private
    productId: prod-ami
    buyerAccountIds: [000000000101]
    availabilityEndDate: 2025-03-31
    terms:
      - usageBasedPricing: {rateCard: {m5.large: 0.20, m5.xlarge: 0.40}}
      - validity: {agreementDuration: P12M}
agreements:
  - {offerId: offer-saas, buyerAccountId: 000000000101, acceptanceTime: 2025-01-15T00:00:00Z}
  - {offerId: offer-ami, buyerAccountId: 000000000101, acceptanceTime: 2025-01-15T00:00:00Z}
";

/// A server with the sandbox.
async fn start() -> Served {
    let served = Served::start().await;
    put(&served.client, SANDBOX, DOCUMENT).await;
    served
}

/// Checks what a call answers: a status, a reason and a field.
#[track_caller]
fn is<T: std::fmt::Debug>(answer: Result<T, ClientError>, expected: &str) {
    assert_eq!(refused(answer), expected);
}

/// Everything that a sandbox holds, as text.
async fn everything(client: &SoukClient) -> String {
    let described = client.get_sandbox(SANDBOX).await.expect("a sandbox");
    let accounts = client.all_accounts(SANDBOX).await.expect("a list");
    let mut text = format!("{described:#?}{accounts:#?}");
    for offer in client.all_offers(SANDBOX, &OfferFilter::default()).await.expect("a list") {
        text.push_str(&format!("{:#?}", client.get_offer(SANDBOX, &offer.offer_id, None).await));
    }
    let authorizations = client.all_resale_authorizations(SANDBOX, &OfferFilter::default()).await;
    text.push_str(&format!("{authorizations:#?}"));
    let agreements = client.all_agreements(SANDBOX, &AgreementFilter::default()).await.expect("a list");
    text.push_str(&format!("{agreements:#?}{:#?}", invoices(client, SANDBOX, "", "").await));
    for payer in [PAYER, OTHER] {
        text.push_str(&format!("{:#?}", preview(client, SANDBOX, payer, "2025-03").await));
    }
    text
}

/// Checks that nothing has changed since, and stops the server.
async fn unchanged(served: Served, before: &str) {
    assert!(everything(&served.client).await == before, "a refused call changed something");
    served.stop().await;
}
