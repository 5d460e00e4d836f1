//! What the benchmarks work on: marketplaces made from documents, and usage that is the same in every run.

use std::fmt::Write;

use souk_core::ids::{AccountId, DimensionKey, ProductCode, ProductId, Region, SandboxName};
use souk_core::machine::follow::{Sandboxes, follow};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::series::Series;
use souk_core::metering::{HourColumn, Identity, QuantityColumn, SeriesKey, Tally, UsageColumns};
use souk_core::time::{BillingMonth, HourRange, Timestamp};
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{StreamUsageRequest, UsageRecord};
use souk_server::document;
use souk_server::grpc::convert::sandbox::from_proto_document;

/// A whole unit in millionths.
pub const ONE: u64 = 1_000_000;
/// The payer of every family.
pub const PAYER: u64 = 100_000_000_000;
/// Instance types of the image that a family runs.
pub const TYPES: u32 = 10;
/// What usage records of [`saas_market`] name.
pub const SAAS_CODE: &str = "saasproductcode0000000000";

const IMAGE: &str = "prod-image";
const IMAGE_CODE: &str = "imageproductcode000000000";
const SELLER: u64 = 900_000_000_000;

/// The month of all usage.
pub fn month() -> BillingMonth {
    BillingMonth::parse("2025-01").expect("a month")
}

/// What a series uses in an hour, in whole units.
pub fn units(series: u32, hour: u32) -> u32 {
    (series * 31 + hour * 7) % 97
}

/// An account of the family: its payer for 0, a linked account for any other number.
pub fn account(number: u32) -> AccountId {
    AccountId::from_number(PAYER + u64::from(number)).expect("twelve digits")
}

/// A tally with so many open series and nothing metered.
pub fn tally(series: u32) -> Tally {
    let mut tally = Tally::default();
    for number in 0..series {
        tally.open(image_series(number / TYPES, number % TYPES));
    }
    tally
}

/// One record of every series in one hour of the month, in the order in which the series were opened.
pub fn fleet_hour(series: u32, hour: u32) -> UsageColumns {
    UsageColumns {
        handles: (0..series).collect(),
        hours: HourColumn::One(month().hours().start.index() + hour.cast_signed()),
        quantities: QuantityColumn::Units((0..series).map(|number| units(number, hour)).collect()),
    }
}

/// A family of a payer and so many linked accounts, all of which ran every type of an image in every hour of
/// the month. With `cover` some of the accounts have bought annual subscriptions, so that every hour of every
/// type is covered in part.
pub fn family(linked: u32, cover: bool) -> Sandbox {
    let mut sandbox = sandbox(&image_document(linked, cover));
    for number in 0..=linked {
        for kind in 0..TYPES {
            sandbox.apply(&Event::SeriesOpened(image_series(number, kind)));
        }
    }
    for hour in 0..hours().len() as u32 {
        sandbox.accept_usage(&fleet_hour((linked + 1) * TYPES, hour));
    }
    sandbox
}

/// A marketplace of one SaaS product with four dimensions, to which so many accounts have subscribed.
pub fn saas_market(buyers: u32) -> Sandbox {
    let mut text = head(buyers - 1);
    writeln!(
        text,
        "products:
  - {{productId: prod-saas, productCode: {SAAS_CODE}, title: Saas, sellerAccountId: {SELLER}, productType: SAAS, usageCategory: UNITS, dimensions: [
    {{key: dimension-0, types: [EXTERNALLY_METERED]}}, {{key: dimension-1, types: [EXTERNALLY_METERED]}},
    {{key: dimension-2, types: [EXTERNALLY_METERED]}}, {{key: dimension-3, types: [EXTERNALLY_METERED]}}]}}
offers:
  - {{offerId: offer-saas, productId: prod-saas, terms: [{{usageBasedPricing: {{rateCard: {{dimension-0: 0.1, dimension-1: 0.2, dimension-2: 0.3, dimension-3: 0.4}}}}}}]}}
agreements:"
    )
    .expect("a String takes all");
    for number in 0..buyers {
        writeln!(
            text,
            "  - {{offerId: offer-saas, buyerAccountId: {}, acceptanceTime: 2025-01-01T00:00:00Z}}",
            account(number)
        )
        .expect("a String takes all");
    }
    sandbox(&text)
}

/// A message of usage in strings, as [`saas_market`] takes it: half whole quantities, half decimals.
pub fn usage_message(buyers: u32, records: u32) -> StreamUsageRequest {
    let record = |number: u32| {
        let seconds = month().start().micros() / 1_000_000 + i64::from(number / buyers / 4) * 3_600;
        let quantity = units(number, number);
        let is_whole = number.is_multiple_of(2);
        UsageRecord {
            timestamp: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            customer: Some(Customer::CustomerAwsAccountId(account(number / 4 % buyers).to_string())),
            dimension: format!("dimension-{}", number % 4),
            quantity: is_whole.then_some(quantity.into()),
            quantity_as_decimal: if is_whole { String::new() } else { format!("{quantity}.25") },
            ..UsageRecord::default()
        }
    };
    StreamUsageRequest {
        sandbox: "bench".to_owned(),
        product_code: SAAS_CODE.to_owned(),
        region: String::new(),
        usage_records: (0..records).map(record).collect(),
    }
}

/// The hours of the month.
pub fn hours() -> HourRange {
    month().hours()
}

/// A series that is not open yet: what an account of the family runs of one type.
pub fn image_series(buyer: u32, kind: u32) -> Series {
    let buyer = account(buyer);
    let key = SeriesKey {
        identity: Identity::Product(ProductCode::new(IMAGE_CODE), buyer),
        region: Region::new("us-east-1"),
        resource: None,
        dimension: DimensionKey::new(&format!("type{kind}.large")),
    };
    let hash = key.hash();
    Series { key, product: ProductId::new(IMAGE), buyer, payer: account(0), hash }
}

fn image_document(linked: u32, cover: bool) -> String {
    let types = |value: fn(u32) -> String| (0..TYPES).map(value).collect::<Vec<_>>().join(", ");
    let dimensions = types(|kind| format!("{{key: type{kind}.large, types: [METERED]}}"));
    let hourly = types(|kind| format!("type{kind}.large: 0.{}", kind + 10));
    let annual = types(|kind| format!("type{kind}.large: {}.5", kind + 100));
    let bought = types(|kind| format!("type{kind}.large: {}", kind + 1));
    let mut text = head(linked);
    writeln!(
        text,
        "products:
  - {{productId: {IMAGE}, productCode: {IMAGE_CODE}, title: Image, sellerAccountId: {SELLER}, productType: AMI, dimensions: [{dimensions}]}}
offers:
  - {{offerId: offer-image, productId: {IMAGE}, terms: [{{usageBasedPricing: {{rateCard: {{{hourly}}}}}}}, {{configurableUpfrontPricing: {{rateCards: [{{duration: P12M, prices: {{{annual}}}}}]}}}}]}}
agreements:"
    )
    .expect("a String takes all");
    for number in 0..=linked {
        let covered = cover && number.is_multiple_of(10);
        let configuration = if covered {
            format!(", configuration: {{duration: P12M, quantities: {{{bought}}}}}")
        } else {
            String::new()
        };
        writeln!(
            text,
            "  - {{offerId: offer-image, buyerAccountId: {}, acceptanceTime: 2025-01-01T00:00:00Z{configuration}}}",
            account(number)
        )
        .expect("a String takes all");
    }
    text
}

/// The clock at the end of the month, a seller, and a payer with so many linked accounts.
fn head(linked: u32) -> String {
    let mut text = format!(
        "clock: {{at: 2025-02-01T00:00:00Z}}
rules: {{meteringWindow: METERING_WINDOW_OPEN_MONTH}}
accounts:
  - {{accountId: {SELLER}, companyName: Seller, seller: {{}}}}
  - {{accountId: {}, companyName: Payer}}
",
        account(0)
    );
    for number in 1..=linked {
        writeln!(
            text,
            "  - {{accountId: {}, companyName: Linked, payerAccountId: {}}}",
            account(number),
            account(0)
        )
        .expect("a String takes all");
    }
    text
}

/// The sandbox of a document, as a server with one partition holds it.
fn sandbox(text: &str) -> Sandbox {
    let name = SandboxName::new("bench");
    let document = document::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = from_proto_document(document).unwrap_or_else(|rejection| panic!("{rejection}"));
    let entry = plan.entry(&name, Timestamp::MIN).unwrap_or_else(|error| panic!("{error}"));
    let mut sandboxes = Sandboxes::new();
    follow(&mut sandboxes, &entry, |_| true).unwrap_or_else(|refused| panic!("{refused}"));
    sandboxes.remove(&name).expect("the sandbox of the document")
}

#[cfg(test)]
mod tests {
    use souk_core::invoicing::close_month::usage_invoices;

    use super::*;

    #[test]
    fn a_family_with_cover_pays_less_of_the_same_usage() {
        let [without, with] = [false, true].map(|cover| {
            let sandbox = family(12, cover);
            let family = sandbox.family(account(0)).unwrap();
            let invoices = usage_invoices(&sandbox, family, month()).unwrap();
            let lines = invoices.iter().flat_map(|invoice| invoice.lines.clone());
            lines.map(|line| line.amount.minor()).sum::<i128>()
        });
        assert!(0 < with && with < without, "{with} {without}");
    }
}
