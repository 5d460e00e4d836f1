//! A private offer takes the public one's place and falls back to it at its end (D-01, section 0 rows 2 and 16).

use souk_client::AgreementFilter;
use souk_proto::agreement::v1::Agreement;
use souk_proto::reporting::v1::{ReportKind, ReportProfile};

use crate::served::Served;
use crate::words::{
    code_of, csv, hourly, invoices, invoices_text, preview, put, refused, rows, same_text, stream, time_text,
    turn, without_ids,
};

const DOCUMENT: &str = "
clock: {at: 2025-05-01T00:00:00Z}
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
offers:
  - offerId: offer-public
    productId: prod-flight
    terms: [{usageBasedPricing: {rateCard: {units: 0.80}}}]
  - offerId: offer-priv
    productId: prod-flight
    buyerAccountIds: [000000000101]
    availabilityEndDate: 2025-05-31
    terms:
      - usageBasedPricing: {rateCard: {units: 0.60}}
      - validity: {agreementDuration: P30D}
agreements:
  - {offerId: offer-public, buyerAccountId: 000000000101}
";
const BUYER: &str = "000000000101";

fn agreement_text(agreement: &Agreement) -> String {
    let status = agreement.status().as_str_name().trim_start_matches("AGREEMENT_STATUS_");
    let (start, end) = (time_text(agreement.start_time), time_text(agreement.end_time));
    format!("{} {status} {start} to {end}", agreement.offer_id)
}

#[tokio::test]
async fn d_01_a_private_price_replaces_the_public_one_and_expires_back_to_it() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "private", DOCUMENT).await;
    let code = code_of(client, "private", "prod-flight").await;
    let foreign = client.accept_offer("private", "offer-priv", "000000000202", None).await;
    assert_eq!(refused(foreign), "PermissionDenied OFFER_NOT_FOR_BUYER offerId");

    turn(client, "private", "2025-05-10T00:00:00Z").await;
    let accepted = client.accept_offer("private", "offer-priv", BUYER, None).await.expect("an offer for it");
    assert_eq!(time_text(accepted.agreement.end_time), "2025-06-09T00:00:00Z");
    turn(client, "private", "2025-06-01T00:00:00Z").await;
    stream(client, "private", &code, hourly(BUYER, "2025-05-01T00:00:00Z", 31 * 24, "units", "1")).await;
    let may = preview(client, "private", BUYER, "2025-05").await;
    let turned = turn(client, "private", "2025-07-01T00:00:00Z").await;
    assert_eq!((turned.work_done.invoices_issued, turned.work_done.agreements_ended), (1, 1));
    stream(client, "private", &code, hourly(BUYER, "2025-06-01T00:00:00Z", 30 * 24, "units", "1")).await;
    let june = preview(client, "private", BUYER, "2025-06").await;
    turn(client, "private", "2025-07-02T00:00:00Z").await;

    let issued = invoices(client, "private", BUYER, "").await;
    same_text(&invoices_text(&issued), "
MPIN25-000000000101-1 USAGE 2025-05 000000000101 by AWS Inc. on 2025-06-02T00:00:00Z: 489.60 USD
  1. USAGE 000000000101 Flight analytics offer-public units: 216 x 0.80 = 172.80 = 172.80 (2025-05-01T00:00:00Z to 2025-05-10T00:00:00Z)
     2025-05-01T00:00:00Z to 2025-05-10T00:00:00Z: Y 216 in 216 h, X 0, covered 0, billed 216: the offer as released
  2. USAGE 000000000101 Flight analytics offer-priv units: 528 x 0.60 = 316.80 = 316.80 (2025-05-10T00:00:00Z to 2025-06-01T00:00:00Z)
     2025-05-10T00:00:00Z to 2025-06-01T00:00:00Z: Y 528 in 528 h, X 0, covered 0, billed 528: the offer as released
MPIN25-000000000101-2 USAGE 2025-06 000000000101 by AWS Inc. on 2025-07-02T00:00:00Z: 537.60 USD
  1. USAGE 000000000101 Flight analytics offer-priv units: 192 x 0.60 = 115.20 = 115.20 (2025-06-01T00:00:00Z to 2025-06-09T00:00:00Z)
     2025-06-01T00:00:00Z to 2025-06-09T00:00:00Z: Y 192 in 192 h, X 0, covered 0, billed 192: the offer as released
  2. USAGE 000000000101 Flight analytics offer-public units: 528 x 0.80 = 422.40 = 422.40 (2025-06-09T00:00:00Z to 2025-07-01T00:00:00Z)
     2025-06-09T00:00:00Z to 2025-07-01T00:00:00Z: Y 528 in 528 h, X 0, covered 0, billed 528: the offer as released
");
    assert_eq!(without_ids(&issued), [may, june].concat());

    // One chain: the same licence and first agreement throughout.
    let chain = client.all_agreements("private", &AgreementFilter::default()).await.expect("a list");
    let texts: Vec<_> = chain.iter().map(agreement_text).collect();
    same_text(
        &texts.join("\n"),
        "
offer-public REPLACED 2025-05-01T00:00:00Z to 2025-05-10T00:00:00Z
offer-priv REPLACED 2025-05-10T00:00:00Z to 2025-06-09T00:00:00Z
offer-public ACTIVE 2025-06-09T00:00:00Z to -
",
    );
    for agreement in &chain {
        assert_eq!(agreement.initial_agreement_id, chain[0].agreement_id);
        assert_eq!(agreement.license_arn, chain[0].license_arn);
    }

    let section_1 = ReportKind::MonthlyRevenueBillingAndRevenueData;
    let legacy = csv(client, "private", section_1, "2025-05", ReportProfile::Legacy).await;
    same_text(&legacy, "
Customer Reference ID,Country,State,City,Zip Code,Product Title,Product Code,Customer Billed Amount,AWS Listing Fee,Refunds Amount,AWS Fee Refund,Cost,Partner Revenue Amount,Currency,Transaction Reference ID,U.S. Sales Tax Customer Billed Amount,U.S. Sales Tax Refunds Amount,Offer ID,Offer Visibility,Customer AWS Account Number,Customer Email Domain,Opportunity Name,Opportunity Description,Solution Title,Solution ID,Payer Reference ID,Payer Address ID
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,172.80,-5.18,0.00,0.00,0.00,167.62,USD,b7v13f2cunjefllv1tb52e,0.00,0.00,,Public,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,316.80,-9.50,0.00,0.00,0.00,307.30,USD,l4p6119azpxy2fzvk1mrx5,0.00,0.00,offer-priv,Private,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    let legacy = csv(client, "private", section_1, "2025-06", ReportProfile::Legacy).await;
    same_text(&rows(&legacy).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,115.20,-3.46,0.00,0.00,0.00,111.74,USD,g46sybedxmgb1rh1ljsd0e,0.00,0.00,offer-priv,Private,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,422.40,-12.67,0.00,0.00,0.00,409.73,USD,vkacgrf4vjfgx8mory0jw9,0.00,0.00,,Public,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    let dashboard = csv(client, "private", section_1, "2025-05", ReportProfile::Dashboard).await;
    same_text(&rows(&dashboard).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,172.80,-5.18,0.00,0.00,0.00,167.62,USD,b7v13f2cunjefllv1tb52e,0.00,0.00,offer-public,Public,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,316.80,-9.50,0.00,0.00,0.00,307.30,USD,l4p6119azpxy2fzvk1mrx5,0.00,0.00,offer-priv,Private,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    let dashboard = csv(client, "private", section_1, "2025-06", ReportProfile::Dashboard).await;
    same_text(&rows(&dashboard).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,115.20,-3.46,0.00,0.00,0.00,111.74,USD,g46sybedxmgb1rh1ljsd0e,0.00,0.00,offer-priv,Private,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
vz7bmefxeajr3t6fej86io,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,422.40,-12.67,0.00,0.00,0.00,409.73,USD,vkacgrf4vjfgx8mory0jw9,0.00,0.00,offer-public,Public,000000000101,,,,,,oxjz5m4ciaqn4i4s592ta3,sh89u9ws4yarlaiwmgb1t7
");
    served.stop().await;
}
