//! A SaaS product sold by usage on its public offer, metered by an hourly reporter inside AWS's window.

use souk_proto::reporting::v1::{ReportKind, ReportProfile};

use crate::served::Served;
use crate::words::{
    batch, code_of, csv, hour_text, hours_after, invoices, invoices_text, meter, preview, put, record,
    same_text, stream, turn, turn_by, without_ids,
};

const DOCUMENT: &str = "
clock: {at: 2025-03-01T00:00:00Z}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - accountId: 000000000101
    companyName: Acme Airlines
    address: {country: US, state: WA, city: Seattle, postalCode: 98101}
    emailDomain: acme.example
  - {accountId: 000000000202, companyName: Borealis}
products:
  - productId: prod-flight
    title: Flight analytics
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions:
      - {key: users, unit: Users, types: [EXTERNALLY_METERED]}
      - {key: hosts, unit: Hosts, types: [EXTERNALLY_METERED]}
      - {key: data, unit: GB, types: [EXTERNALLY_METERED]}
offers:
  - offerId: offer-flight
    productId: prod-flight
    terms:
      - usageBasedPricing:
          rateCard: {users: 0.90, hosts: 0.25, data: 0.015}
";
const ACME: &str = "000000000101";
const BOREALIS: &str = "000000000202";

#[tokio::test]
async fn hourly_usage_of_a_public_offer_becomes_an_invoice_and_a_report_row_a_buyer() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "usage", DOCUMENT).await;
    for buyer in [ACME, BOREALIS] {
        client.accept_offer("usage", "offer-flight", buyer, None).await.expect("an open offer");
    }
    let code = code_of(client, "usage", "prod-flight").await;

    // An hourly reporter, for two days: each hour is metered when it is over. Acme's records by batch, and
    // Borealis's by stream, twelve hours at a time.
    let mut ids = Vec::new();
    for hour in 0..48 {
        turn_by(client, "usage", 1).await;
        let time = hours_after("2025-03-01T00:30:00Z", hour);
        let mut records = vec![record(ACME, time, "users", 1 + hour % 3)];
        if hour < 3 {
            records.push(record(ACME, time, "data", ["10.1", "20.2", "3.4"][hour as usize]));
        }
        ids.extend(meter(client, batch("usage", &code, records)).await.into_iter().take(1));
        if hour % 12 == 11 {
            let hosts = (hour - 11..=hour)
                .map(|hour| record(BOREALIS, hours_after("2025-03-01T00:00:00Z", hour), "hosts", "0.5"));
            stream(client, "usage", &code, hosts.collect()).await;
        }
    }

    // What the month would cost, and what it costs when it closes on the 2nd.
    let previewed = preview(client, "usage", ACME, "2025-03").await;
    turn(client, "usage", "2025-04-01T23:59:59Z").await;
    assert_eq!(invoices(client, "usage", "", "").await, [], "nothing is invoiced before the 2nd");
    let turned = turn(client, "usage", "2025-04-02T00:00:00Z").await;
    assert_eq!((turned.work_done.invoices_issued, turned.work_done.payer_months_closed), (2, 2));
    let issued = invoices(client, "usage", "", "2025-03").await;
    same_text(&invoices_text(&issued), "
MPIN25-000000000101-1 USAGE 2025-03 000000000101 by AWS Inc. on 2025-04-02T00:00:00Z: 86.91 USD
  1. USAGE 000000000101 Flight analytics offer-flight data: 33.7 x 0.015 = 0.5055 = 0.51 (2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z)
     2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z: Y 33.7 in 3 h, X 0, covered 0, billed 33.7: the offer as released
  2. USAGE 000000000101 Flight analytics offer-flight users: 96 x 0.90 = 86.40 = 86.40 (2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z)
     2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z: Y 96 in 48 h, X 0, covered 0, billed 96: the offer as released
MPIN25-000000000202-1 USAGE 2025-03 000000000202 by AWS Inc. on 2025-04-02T00:00:00Z: 6.00 USD
  1. USAGE 000000000202 Flight analytics offer-flight hosts: 24 x 0.25 = 6.00 = 6.00 (2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z)
     2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z: Y 24 in 48 h, X 0, covered 0, billed 24: the offer as released
");
    assert_eq!(without_ids(&issued[..1]), previewed);

    // Every hour of a line names its record.
    let users = issued[0].lines.iter().find(|line| line.dimension == "users").expect("a line of users");
    let explained = client.explain_whole_line("usage", &issued[0].invoice_id, users.line_number).await;
    let explained = explained.expect("an explanation");
    assert_eq!(&explained.line, users);
    let named: Vec<_> = explained.hours.iter().flat_map(|hour| &hour.records).collect();
    assert_eq!(named.iter().map(|record| record.metering_record_id.clone()).collect::<Vec<_>>(), ids);
    same_text(
        &hour_text(&explained.hours[1]),
        "
2025-03-01T01:00:00Z: Y 2, X 0, covered 0, billed 2 from 7f70a6cb-b67b-8e8c-9602-1938000760e1 us-east-1 2
",
    );

    let section_1 = ReportKind::MonthlyRevenueBillingAndRevenueData;
    let report = csv(client, "usage", section_1, "2025-03", ReportProfile::Unspecified).await;
    same_text(&report, "
Customer Reference ID,Country,State,City,Zip Code,Product Title,Product Code,Customer Billed Amount,AWS Listing Fee,Refunds Amount,AWS Fee Refund,Cost,Partner Revenue Amount,Currency,Transaction Reference ID,U.S. Sales Tax Customer Billed Amount,U.S. Sales Tax Refunds Amount,Offer ID,Offer Visibility,Customer AWS Account Number,Customer Email Domain,Opportunity Name,Opportunity Description,Solution Title,Solution ID,Payer Reference ID,Payer Address ID
vz7bmefxeajr3t6fej86io,US,WA,Seattle,98101,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,86.91,-2.61,0.00,0.00,0.00,84.30,USD,j8pji37kao2cchr48e7bog,0.00,0.00,,Public,000000000101,acme.example,,,,,oxjz5m4ciaqn4i4s592ta3,y4rbdc2gt7qdhbwabfn0ld
oq2tsjwk8kj1w30llsxt28,,,,,Flight analytics,f4u7cxtkzlt0sqtuyyjep0m9r,6.00,-0.18,0.00,0.00,0.00,5.82,USD,80874c84jfv9gpnpngkpxf,0.00,0.00,,Public,000000000202,,,,,,or3rldwx3v36eykh9gdr4a,ym4r7c2lawhhfpxx9k6uv6
");
    let section_2 = ReportKind::MonthlyRevenueAnnualSubscriptions;
    let empty = csv(client, "usage", section_2, "2025-03", ReportProfile::Unspecified).await;
    assert_eq!(empty.lines().count(), 1, "nothing was bought upfront, and the columns stand all the same");
    served.stop().await;
}
