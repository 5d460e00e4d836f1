//! Annual subscriptions of an AMI: the hours of a whole family are covered first, and max(0, Y - X) is billed by
//! the hour (A7, A-09, A-11).

use souk_proto::metering::v1::{InstanceHours, ReportInstanceHoursRequest};
use souk_proto::reporting::v1::{ReportKind, ReportProfile};

use crate::served::Served;
use crate::words::{
    code_of, configuration, csv, hour_text, ids_of, invoices, invoices_text, preview, put, rows, running,
    same_text, turn, without_ids,
};

const DOCUMENT: &str = "
clock: {at: 2025-01-01T00:00:00Z}
rules: {meteringWindow: OPEN_MONTH}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {invoicingEntity: AWS EMEA SARL}}
  - accountId: 000000000100
    companyName: Acme Holding
    address: {country: US, state: WA, city: Seattle, postalCode: 98101}
  - {accountId: 000000000101, companyName: Acme Airlines, payerAccountId: 000000000100}
  - {accountId: 000000000102, companyName: Acme Cargo, payerAccountId: 000000000100, emailDomain: cargo.example}
products:
  - productId: prod-radar
    title: Radar image
    sellerAccountId: 111122223333
    productType: AMI
    dimensions:
      - {key: m5.large, unit: Hrs, types: [METERED]}
      - {key: m5.xlarge, unit: Hrs, types: [METERED]}
offers:
  - offerId: offer-radar
    productId: prod-radar
    terms:
      - usageBasedPricing:
          rateCard: {m5.large: 0.25, m5.xlarge: 0.50}
      - configurableUpfrontPricing:
          rateCards:
            - duration: P12M
              prices: {m5.large: 1500.00, m5.xlarge: 3000.00}
agreements:
  - offerId: offer-radar
    buyerAccountId: 000000000101
    acceptanceTime: 2024-08-01T00:00:00Z
    configuration: {duration: P12M, quantities: {m5.large: 3}}
";
const PAYER: &str = "000000000100";
const AIRLINES: &str = "000000000101";
const CARGO: &str = "000000000102";

async fn report(served: &Served, reports: Vec<InstanceHours>) -> Vec<String> {
    let request = ReportInstanceHoursRequest { sandbox: "annual".to_owned(), region: String::new(), reports };
    ids_of(served.client.report_instance_hours(request).await.expect("instance-hours"))
}

#[tokio::test]
async fn a_familys_cover_is_taken_off_its_hours_before_the_rest_is_billed() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "annual", DOCUMENT).await;
    let hourly = client.accept_offer("annual", "offer-radar", CARGO, None).await.expect("an open offer");
    assert!(hourly.invoice_ids.is_empty(), "hourly instances cost nothing upfront");
    let code = code_of(client, "annual", "prod-radar").await;

    // Airlines bought three and runs one; Cargo runs four on the family's other two. Types do not mix.
    turn(client, "annual", "2025-01-15T10:20:00Z").await;
    let first = "2025-01-01T00:00:00Z";
    report(&served, running(&code, AIRLINES, first, 24, "m5.large", 1)).await;
    report(&served, running(&code, AIRLINES, first, 5, "m5.xlarge", 2)).await;
    report(&served, running(&code, CARGO, first, 24, "m5.large", 4)).await;

    // Cargo buys one more in the middle of an hour: it covers from the next hour on.
    let bought = client
        .add_annual_subscription(
            "annual",
            &hourly.agreement.agreement_id,
            configuration("P12M", &[("m5.large", 1)]),
        )
        .await
        .expect("a product that is sold annually");
    assert_eq!(bought.invoice_ids.len(), 1);
    turn(client, "annual", "2025-01-20T00:00:00Z").await;
    let last = report(&served, running(&code, CARGO, "2025-01-15T10:00:00Z", 3, "m5.large", 5)).await;

    let previewed = preview(client, "annual", PAYER, "2025-01").await;
    turn(client, "annual", "2025-02-02T00:00:00Z").await;
    let issued = invoices(client, "annual", PAYER, "").await;
    same_text(&invoices_text(&issued), "
MPIN24-000000000100-1 UPFRONT 2024-08 000000000100 by AWS EMEA SARL on 2024-08-01T00:00:00Z: 4500.00 USD
  1. ANNUAL 000000000101 Radar image offer-radar m5.large: 3 x 1500.00 = 4500.00 = 4500.00 (2024-08-01T00:00:00Z to 2025-08-01T00:00:00Z)
MPIN25-000000000100-2 UPFRONT 2025-01 000000000100 by AWS EMEA SARL on 2025-01-15T10:20:00Z: 1500.00 USD
  1. ANNUAL 000000000102 Radar image offer-radar m5.large: 1 x 1500.00 = 1500.00 = 1500.00 (2025-01-15T10:20:00Z to 2026-01-15T10:20:00Z)
MPIN25-000000000100-3 USAGE 2025-01 000000000100 by AWS EMEA SARL on 2025-02-02T00:00:00Z: 18.00 USD
  1. USAGE 000000000101 Radar image offer-radar m5.xlarge: 10 x 0.50 = 5.00 = 5.00 (2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z)
     2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z: Y 10 in 5 h, X 0, covered 0, billed 10: the offer as released
  2. USAGE 000000000102 Radar image offer-radar m5.large: 52 x 0.25 = 13.00 = 13.00 (2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z)
     2025-01-01T00:00:00Z to 2025-01-15T11:00:00Z: Y 101 in 25 h, X 3, covered 51, billed 50: the offer as released
     2025-01-15T11:00:00Z to 2025-02-01T00:00:00Z: Y 10 in 2 h, X 4, covered 8, billed 2: the offer as released
");
    assert_eq!(without_ids(&issued[2..]), previewed);

    let cargo = issued[2].lines.iter().find(|line| line.buyer_account_id == CARGO).expect("a line");
    let explained = client.explain_whole_line("annual", &issued[2].invoice_id, cargo.line_number).await;
    let hours = explained.expect("an explanation").hours;
    assert_eq!(hours.len(), 27);
    let around: Vec<_> = hours[23..].iter().map(hour_text).collect();
    same_text(
        &around.join("\n"),
        "
2025-01-01T23:00:00Z: Y 4, X 3, covered 2, billed 2 from ddf1ed16-209f-8019-b536-286a00075b6f us-east-1 4
2025-01-15T10:00:00Z: Y 5, X 3, covered 3, billed 2 from ddf1ed16-209f-8019-b536-286a00075cb2 us-east-1 5
2025-01-15T11:00:00Z: Y 5, X 4, covered 4, billed 1 from ddf1ed16-209f-8019-b536-286a00075cb3 us-east-1 5
2025-01-15T12:00:00Z: Y 5, X 4, covered 4, billed 1 from ddf1ed16-209f-8019-b536-286a00075cb4 us-east-1 5
",
    );
    let named: Vec<_> = hours[24..].iter().flat_map(|hour| &hour.records).collect();
    assert_eq!(named.iter().map(|record| record.metering_record_id.clone()).collect::<Vec<_>>(), last);
    let upfront =
        client.explain_whole_line("annual", &issued[0].invoice_id, 1).await.expect("an explanation");
    assert_eq!((upfront.line, upfront.hours.len()), (issued[0].lines[0].clone(), 0));

    let section = |number, month| {
        let kind = match number {
            1 => ReportKind::MonthlyRevenueBillingAndRevenueData,
            _ => ReportKind::MonthlyRevenueAnnualSubscriptions,
        };
        csv(client, "annual", kind, month, ReportProfile::Legacy)
    };
    same_text(&rows(&section(1, "2025-01").await).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Radar image,fo0gy6rh90xza4pzsuz88q06c,5.00,-1.00,0.00,0.00,0.00,4.00,USD,t7osdq9vtg22a8xsy2qmfa,0.00,0.00,,Public,000000000101,,,,,,luu1txfd0xq70oln23ky1q,k2at0cvh98v8rd8yl5zwb9
g8tkqba3xdkga9tk8pz773,,,,,Radar image,fo0gy6rh90xza4pzsuz88q06c,13.00,-2.60,0.00,0.00,0.00,10.40,USD,hs2qcwva38nisr5njmwfhy,0.00,0.00,,Public,000000000102,cargo.example,,,,,luu1txfd0xq70oln23ky1q,k2at0cvh98v8rd8yl5zwb9
");
    same_text(&section(2, "2025-01").await, "
Customer Reference ID,Country,State,City,Zip Code,Product Title,Product Code,Subscription Quantity,Subscription Start Date,Subscription End Date,Subscription Instance Type,Customer Billed Amount,AWS Listing Fee,Refunds Amount,AWS Fee Refund,Cost,Partner Revenue Amount,Currency,Transaction Reference ID,U.S. Sales Tax Customer Billed Amount,U.S. Sales Tax Refunds Amount,Customer AWS Account Number,Customer Email Domain,Offer ID,Offer Visibility,Contract Start Date,Contract End Date,Opportunity Name,Opportunity Description,Solution Title,Solution ID,Payer Reference ID,Payer Address ID
g8tkqba3xdkga9tk8pz773,,,,,Radar image,fo0gy6rh90xza4pzsuz88q06c,1,2025-01-15,2026-01-15,m5.large,1500.00,-300.00,0.00,0.00,0.00,1200.00,USD,ofv8ylvqp1dt0p5jhlhb0h,0.00,0.00,000000000102,cargo.example,,Public,,,,,,,luu1txfd0xq70oln23ky1q,k2at0cvh98v8rd8yl5zwb9
");
    same_text(&rows(&section(2, "2024-08").await).join("\n"), "
vz7bmefxeajr3t6fej86io,,,,,Radar image,fo0gy6rh90xza4pzsuz88q06c,3,2024-08-01,2025-08-01,m5.large,4500.00,-900.00,0.00,0.00,0.00,3600.00,USD,v99k1tggilqdmt2uagayty,0.00,0.00,000000000101,,,Public,,,,,,,luu1txfd0xq70oln23ky1q,k2at0cvh98v8rd8yl5zwb9
");
    served.stop().await;
}

#[tokio::test]
async fn hours_are_billed_in_full_from_the_moment_at_which_cover_ends() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "annual", DOCUMENT).await;
    let code = code_of(client, "annual", "prod-radar").await;
    turn(client, "annual", "2025-08-01T01:00:00Z").await;
    report(&served, running(&code, AIRLINES, "2025-07-31T22:00:00Z", 3, "m5.large", 4)).await;
    turn(client, "annual", "2025-09-02T00:00:00Z").await;
    let july = invoices(client, "annual", PAYER, "2025-07").await;
    let august = invoices(client, "annual", PAYER, "2025-08").await;
    same_text(&invoices_text(&[july, august].concat()), "
MPIN25-000000000100-2 USAGE 2025-07 000000000100 by AWS EMEA SARL on 2025-08-02T00:00:00Z: 0.50 USD
  1. USAGE 000000000101 Radar image offer-radar m5.large: 2 x 0.25 = 0.50 = 0.50 (2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z)
     2025-07-01T00:00:00Z to 2025-08-01T00:00:00Z: Y 8 in 2 h, X 3, covered 6, billed 2: the offer as released
MPIN25-000000000100-3 USAGE 2025-08 000000000100 by AWS EMEA SARL on 2025-09-02T00:00:00Z: 1.00 USD
  1. USAGE 000000000101 Radar image offer-radar m5.large: 4 x 0.25 = 1.00 = 1.00 (2025-08-01T00:00:00Z to 2025-09-01T00:00:00Z)
     2025-08-01T00:00:00Z to 2025-09-01T00:00:00Z: Y 4 in 1 h, X 0, covered 0, billed 4: the offer as released
");
    served.stop().await;
}
