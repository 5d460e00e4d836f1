//! A seller with a product and many customers, and the batches it sends: hour by hour, 25 customers a request,
//! no record twice.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::Request;
use souk_benches::SAAS_CODE;
use souk_core::catalog::account::customer_identifier;
use souk_core::ids::AccountId;
use souk_core::time::BillingMonth;

/// Records of a request.
pub const RECORDS: usize = 25;

const SELLER: u64 = 900_000_000_000;
const KEY: &str = "AKIABENCHSELLER00001";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// Customers; each pays its own bills, so that they spread over the partitions.
const BUYERS: usize = 2_000;
const DIMENSIONS: usize = 4;

/// The month of all usage.
pub fn month() -> BillingMonth {
    souk_benches::month()
}

/// The marketplace, with its clock at the end of the month.
pub fn document() -> String {
    let mut text = format!(
        "clock: {{at: 2025-02-01T00:00:00Z}}
rules: {{meteringWindow: METERING_WINDOW_OPEN_MONTH}}
products:
  - {{productId: prod-saas, productCode: {SAAS_CODE}, title: Saas, sellerAccountId: {SELLER}, productType: SAAS, usageCategory: UNITS, dimensions: [
    {{key: dimension-0, types: [EXTERNALLY_METERED]}}, {{key: dimension-1, types: [EXTERNALLY_METERED]}},
    {{key: dimension-2, types: [EXTERNALLY_METERED]}}, {{key: dimension-3, types: [EXTERNALLY_METERED]}}]}}
offers:
  - {{offerId: offer-saas, productId: prod-saas, terms: [{{usageBasedPricing: {{rateCard: {{dimension-0: 0.1, dimension-1: 0.2, dimension-2: 0.3, dimension-3: 0.4}}}}}}]}}
accounts:
  - {{accountId: {SELLER}, companyName: Seller, seller: {{}}, accessKeys: [{{accessKeyId: {KEY}, secretAccessKey: {SECRET}}}]}}
"
    );
    let mut agreements = String::from("agreements:\n");
    for number in 0..BUYERS {
        let buyer = buyer(number);
        _ = writeln!(text, "  - {{accountId: {buyer}, companyName: Buyer}}");
        _ = writeln!(
            agreements,
            "  - {{offerId: offer-saas, buyerAccountId: {buyer}, acceptanceTime: 2025-01-01T00:00:00Z}}"
        );
    }
    text + &agreements
}

/// How records name their customer.
#[derive(Debug, Clone, Copy)]
pub enum Naming {
    /// By account.
    Account,
    /// By the legacy identifier, the only way that moto knows.
    Identifier,
}

/// The batches made so far: the next ones go on behind them.
#[derive(Debug, Default)]
pub struct BatchesMade(usize);

impl BatchesMade {
    /// So many further batches, as the bytes of signed HTTP requests.
    pub fn make(&mut self, count: usize, naming: Naming) -> Vec<Vec<u8>> {
        let first = self.0;
        self.0 += count;
        (first..self.0).map(|batch| signed(&body(batch, naming))).collect()
    }

    /// How many were made.
    pub fn count(&self) -> usize {
        self.0
    }

    /// The units that they hold, by buyer.
    pub fn units_by_buyer(&self) -> BTreeMap<AccountId, u64> {
        let mut units = BTreeMap::new();
        for number in 0..self.0 * RECORDS {
            *units.entry(buyer(number % BUYERS)).or_default() += quantity(number);
        }
        units
    }
}

fn buyer(number: usize) -> AccountId {
    AccountId::from_number(souk_benches::PAYER + number as u64).expect("twelve digits")
}

fn quantity(record: usize) -> u64 {
    record as u64 * 31 % 97 + 1
}

/// Records are counted through: customers first, then dimensions, then hours.
fn body(batch: usize, naming: Naming) -> String {
    let hours = month().hours();
    let first = month().start().micros() / 1_000_000;
    let records = (batch * RECORDS..(batch + 1) * RECORDS).map(|number| {
        let hour = number / BUYERS / DIMENSIONS;
        assert!(hour < hours.len(), "the month has no further hour");
        let seconds = first + hour as i64 * 3_600;
        let buyer = buyer(number % BUYERS);
        let (name, customer) = match naming {
            Naming::Account => ("CustomerAWSAccountId", buyer.to_string()),
            Naming::Identifier => ("CustomerIdentifier", customer_identifier(seller(), buyer)),
        };
        format!(
            r#"{{"Timestamp":{seconds},"{name}":"{customer}","Dimension":"dimension-{}","Quantity":{}}}"#,
            number / BUYERS % DIMENSIONS,
            quantity(number)
        )
    });
    let records: Vec<_> = records.collect();
    format!(r#"{{"UsageRecords":[{}],"ProductCode":"{SAAS_CODE}"}}"#, records.join(","))
}

fn seller() -> AccountId {
    AccountId::from_number(SELLER).expect("twelve digits")
}

/// A request as SDKs send it: signed now, by AWS's own signer for Rust.
fn signed(body: &str) -> Vec<u8> {
    let mut request = Request::post("/")
        .header("host", "metering.marketplace.us-east-1.amazonaws.com")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSMPMeteringService.BatchMeterUsage")
        .header("content-length", body.len())
        .body(())
        .expect("a request");
    let identity = Credentials::new(KEY, SECRET, None, None, "bench").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("aws-marketplace")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("everything is there");
    let headers =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")));
    let signable = SignableRequest::new("POST", "/", headers, SignableBody::Bytes(body.as_bytes()));
    let signing = sign(signable.expect("a request"), &params.into()).expect("a signature");
    signing.into_parts().0.apply_to_request_http1x(&mut request);
    let mut text = String::from("POST / HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        _ = write!(text, "{name}: {}\r\n", value.to_str().expect("ASCII"));
    }
    // What SDKs send besides and do not sign.
    text += "user-agent: aws-sdk-rust/1.3.9 os/linux lang/rust/1.95.0\r\n";
    text += "amz-sdk-invocation-id: 6f4d5a9e-3f0e-4c2b-9d0a-5b7d1f0a2c3e\r\n";
    text += "amz-sdk-request: attempt=1; max=3\r\naccept: */*\r\n\r\n";
    (text + body).into_bytes()
}
