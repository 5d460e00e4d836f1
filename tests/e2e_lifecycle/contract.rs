//! A SaaS contract paid upfront (C-01), with consumption metered by licence on top, that renews itself at the
//! prices which were published 90 days before (A10, E-05).

use std::collections::BTreeMap;

use souk_client::{AgreementFilter, EntitlementFilter, SoukClient};
use souk_proto::agreement::v1::UpfrontConfiguration;
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{Tag, UsageAllocation, UsageRecord};
use souk_proto::reporting::v1::{ReportKind, ReportProfile};
use souk_proto::terms::v1::UpfrontRateCard;

use crate::served::Served;
use crate::words::{
    batch, configuration, csv, hours_after, invoices, invoices_text, meter, preview, put, record, rows,
    same_text, time_text, turn, without_ids,
};

const DOCUMENT: &str = "
clock: {at: 2025-05-20T14:00:00Z}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000101, companyName: Acme Airlines}
products:
  - productId: prod-store
    title: Store
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: DATA
    dimensions:
      - {key: unencrypted_gb, unit: GB, types: [ENTITLED]}
      - {key: encrypted_gb, unit: GB, types: [ENTITLED]}
      - {key: extra_gb, unit: GB, types: [EXTERNALLY_METERED]}
offers:
  - offerId: offer-store
    productId: prod-store
    terms:
      - usageBasedPricing: {rateCard: {extra_gb: 0.02}}
      - configurableUpfrontPricing:
          rateCards:
            - duration: P12M
              prices: {unencrypted_gb: 16.00, encrypted_gb: 16.60}
      - renewal: {}
";
const BUYER: &str = "000000000101";

#[tokio::test]
async fn c_01_a_contract_is_invoiced_when_bought_and_renews_at_the_price_of_90_days_before() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "contract", DOCUMENT).await;
    let chosen = configuration("P12M", &[("unencrypted_gb", 10), ("encrypted_gb", 5)]);
    let chosen = UpfrontConfiguration { auto_renew: true, ..chosen };
    let bought = client.accept_offer("contract", "offer-store", BUYER, Some(chosen)).await;
    let bought = bought.expect("a contract on sale");
    assert_eq!(bought.invoice_ids, ["MPIN25-000000000101-1"]);
    assert_eq!(time_text(bought.agreement.end_time), "2026-05-20T14:00:00Z");

    let until_renewal =
        ["encrypted_gb 5 until 2026-05-20T14:00:00Z", "unencrypted_gb 10 until 2026-05-20T14:00:00Z"];
    assert_eq!(entitled(client, BUYER).await, until_renewal);
    assert!(entitled(client, "111122223333").await.is_empty());

    // What goes beyond the contract is metered by the licence, which also says the product.
    turn(client, "contract", "2025-05-21T00:00:00Z").await;
    let extra = UsageRecord {
        customer: Some(Customer::LicenseArn(bought.agreement.license_arn.clone())),
        ..record(BUYER, hours_after("2025-05-20T20:00:00Z", 0), "extra_gb", "30.6")
    };
    let divided = UsageRecord { usage_allocations: by_team(&["20.5", "10.1"]), ..extra.clone() };
    meter(client, batch("contract", "", vec![divided])).await;
    // A retry is compared by its quantity alone.
    for allocations in [by_team(&["30.6"]), Vec::new()] {
        let retry = UsageRecord { usage_allocations: allocations, ..extra.clone() };
        meter(client, batch("contract", "", vec![retry])).await;
    }
    let previewed = preview(client, "contract", BUYER, "2025-05").await;

    // A change 90 days before the renewal counts, a later one does not.
    for (day, price) in [("2025-12-01T00:00:00Z", "18.00"), ("2026-03-15T00:00:00Z", "20.00")] {
        turn(client, "contract", day).await;
        let card = UpfrontRateCard {
            duration: "P12M".to_owned(),
            prices: [("unencrypted_gb".to_owned(), price.to_owned())].into(),
        };
        client.change_prices("contract", "offer-store", BTreeMap::new(), vec![card]).await.expect("a change");
    }
    turn(client, "contract", "2026-05-20T13:59:59Z").await;
    let turned = turn(client, "contract", "2026-05-20T14:00:00Z").await;
    assert_eq!((turned.work_done.agreements_ended, turned.work_done.invoices_issued), (1, 1));
    let until_next = until_renewal.map(|text| text.replace("2026", "2027"));
    assert_eq!(entitled(client, "").await, until_next);
    let issued = invoices(client, "contract", BUYER, "").await;
    same_text(&invoices_text(&issued), "
MPIN25-000000000101-1 UPFRONT 2025-05 000000000101 by AWS Inc. on 2025-05-20T14:00:00Z: 243.00 USD
  1. CONTRACT 000000000101 Store offer-store encrypted_gb: 5 x 16.60 = 83.00 = 83.00 (2025-05-20T14:00:00Z to 2026-05-20T14:00:00Z)
  2. CONTRACT 000000000101 Store offer-store unencrypted_gb: 10 x 16.00 = 160.00 = 160.00 (2025-05-20T14:00:00Z to 2026-05-20T14:00:00Z)
MPIN25-000000000101-2 USAGE 2025-05 000000000101 by AWS Inc. on 2025-06-02T00:00:00Z: 0.61 USD
  1. USAGE 000000000101 Store offer-store extra_gb: 30.6 x 0.02 = 0.612 = 0.61 (2025-05-20T14:00:00Z to 2025-06-01T00:00:00Z)
     2025-05-20T14:00:00Z to 2025-06-01T00:00:00Z: Y 30.6 in 1 h, X 0, covered 0, billed 30.6: the offer as released
MPIN26-000000000101-3 UPFRONT 2026-05 000000000101 by AWS Inc. on 2026-05-20T14:00:00Z: 263.00 USD
  1. CONTRACT 000000000101 Store offer-store encrypted_gb: 5 x 16.60 = 83.00 = 83.00 (2026-05-20T14:00:00Z to 2027-05-20T14:00:00Z)
  2. CONTRACT 000000000101 Store offer-store unencrypted_gb: 10 x 18.00 = 180.00 = 180.00 (2026-05-20T14:00:00Z to 2027-05-20T14:00:00Z)
");
    assert_eq!(without_ids(&issued[1..2]), previewed);
    let explained = client.explain_whole_line("contract", &issued[1].invoice_id, 1).await;
    let records = explained.expect("an explanation").hours.remove(0).records;
    let parts: Vec<_> = records[0]
        .allocations
        .iter()
        .map(|part| (part.quantity.as_str(), part.tags["team"].as_str()))
        .collect();
    assert_eq!((parts, records[0].resource.as_str()), (vec![("20.5", "team-0"), ("10.1", "team-1")], ""));

    let chain = client.all_agreements("contract", &AgreementFilter::default()).await.expect("a list");
    let statuses: Vec<_> = chain.iter().map(|a| (a.status().as_str_name(), time_text(a.end_time))).collect();
    assert_eq!(
        statuses,
        [
            ("AGREEMENT_STATUS_RENEWED", "2026-05-20T14:00:00Z".to_owned()),
            ("AGREEMENT_STATUS_ACTIVE", "2027-05-20T14:00:00Z".to_owned()),
        ]
    );
    assert_eq!(chain[1].license_arn, chain[0].license_arn);
    assert_eq!(chain[1].initial_agreement_id, chain[0].agreement_id);

    turn(client, "contract", "2026-06-02T00:00:00Z").await;
    let section_2 = ReportKind::MonthlyRevenueAnnualSubscriptions;
    let bought = csv(client, "contract", section_2, "2025-05", ReportProfile::Legacy).await;
    same_text(&bought, "
Customer Reference ID,Country,State,City,Zip Code,Product Title,Product Code,Subscription Quantity,Subscription Start Date,Subscription End Date,Subscription Instance Type,Customer Billed Amount,AWS Listing Fee,Refunds Amount,AWS Fee Refund,Cost,Partner Revenue Amount,Currency,Transaction Reference ID,U.S. Sales Tax Customer Billed Amount,U.S. Sales Tax Refunds Amount,Customer AWS Account Number,Customer Email Domain,Offer ID,Offer Visibility,Contract Start Date,Contract End Date,Opportunity Name,Opportunity Description,Solution Title,Solution ID,Payer Reference ID,Payer Address ID
vz7bmefxeajr3t6fej86io,,,,,Store,m774tyxyk9c66qy1pviif0cu8,10,2025-05-20,2026-05-20,unencrypted_gb,160.00,-4.80,0.00,0.00,0.00,155.20,USD,4y9zfbck0c73zgjd0geclr,0.00,0.00,000000000101,,,Public,2025-05-20,2026-05-20,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Store,m774tyxyk9c66qy1pviif0cu8,5,2025-05-20,2026-05-20,encrypted_gb,83.00,-2.49,0.00,0.00,0.00,80.51,USD,4y9zfbck0c73zgjd0geclr,0.00,0.00,000000000101,,,Public,2025-05-20,2026-05-20,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    let renewed = csv(client, "contract", section_2, "2026-05", ReportProfile::Dashboard).await;
    same_text(&rows(&renewed).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Store,m774tyxyk9c66qy1pviif0cu8,10,2026-05-20,2027-05-20,unencrypted_gb,180.00,-5.40,0.00,0.00,0.00,174.60,USD,4v0yxrj6xi9kxw103c1te1,0.00,0.00,000000000101,,offer-store,Public,2026-05-20,2027-05-20,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Store,m774tyxyk9c66qy1pviif0cu8,5,2026-05-20,2027-05-20,encrypted_gb,83.00,-2.49,0.00,0.00,0.00,80.51,USD,4v0yxrj6xi9kxw103c1te1,0.00,0.00,000000000101,,offer-store,Public,2026-05-20,2027-05-20,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    let section_1 = ReportKind::MonthlyRevenueBillingAndRevenueData;
    let metered = csv(client, "contract", section_1, "2025-05", ReportProfile::Legacy).await;
    same_text(&rows(&metered).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Store,m774tyxyk9c66qy1pviif0cu8,0.61,-0.02,0.00,0.00,0.00,0.59,USD,w7boakq0ejyfs0pfxulh3d,0.00,0.00,,Public,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    served.stop().await;
}

/// A quantity divided over teams.
fn by_team(quantities: &[&str]) -> Vec<UsageAllocation> {
    let part = |(number, quantity): (usize, &&str)| UsageAllocation {
        quantity: None,
        quantity_as_decimal: (*quantity).to_owned(),
        tags: vec![Tag { key: "team".to_owned(), value: format!("team-{number}") }],
    };
    quantities.iter().enumerate().map(part).collect()
}

/// What the contracts of a buyer on the store, or of all, entitle to.
async fn entitled(client: &SoukClient, buyer: &str) -> Vec<String> {
    let filter = EntitlementFilter {
        product_id: "prod-store".to_owned(),
        buyer_account_id: buyer.to_owned(),
        include_scheduled: false,
    };
    let found = client.all_entitlements("contract", &filter).await.expect("a list");
    let show = |e: souk_proto::agreement::v1::Entitlement| {
        format!("{} {} until {}", e.dimension, e.quantity, time_text(e.expiration_time))
    };
    found.into_iter().map(show).collect()
}
