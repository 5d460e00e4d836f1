//! What private contracts refuse: each with the rule that its message names.

use souk_client::ClientError;
use souk_proto::catalog::v1::Offer;
use souk_proto::document;

use super::{BUYER, OTHER, SANDBOX, everything, unchanged};
use crate::served::Served;
use crate::words::{configuration, put, refused};

/// A SaaS contract, annual subscriptions of an AMI, advice, and private offers in instalments and with dates. The buyer
/// holds the contract and the subscriptions; it pays by card, the other one by invoice.
const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000100, companyName: Acme Holding}
  - {accountId: 000000000101, companyName: Acme Airlines, payerAccountId: 000000000100}
  - {accountId: 000000000202, companyName: Borealis, invoiceTerms: true}
products:
  - productId: prod-desk
    title: Desk
    sellerAccountId: 111122223333
    productType: SAAS
    dimensions: [{key: users, types: [ENTITLED]}]
  - productId: prod-suite
    title: Suite
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: DATA
    dimensions: [{key: seats, types: [ENTITLED]}, {key: gb, types: [EXTERNALLY_METERED]}]
  - productId: prod-fleet
    title: Fleet
    sellerAccountId: 111122223333
    productType: AMI
    dimensions: [{key: m5.large, types: [METERED]}, {key: c5.large, types: [METERED]}]
  - productId: prod-advice
    title: Advice
    sellerAccountId: 111122223333
    productType: PROFESSIONAL_SERVICES
    dimensions: [{key: days, types: [ENTITLED]}]
offers:
  - offerId: offer-desk
    productId: prod-desk
    terms:
      - configurableUpfrontPricing:
          rateCards: [{duration: P1M, prices: {users: 2.00}}, {duration: P12M, prices: {users: 16.00}}]
      - renewal: {}
  - offerId: offer-fleet
    productId: prod-fleet
    terms:
      - usageBasedPricing: {rateCard: {m5.large: 0.60, c5.large: 0.45}}
      - configurableUpfrontPricing: {rateCards: [{duration: P12M, prices: {m5.large: 4000.00, c5.large: 3000.00}}]}
  - offerId: offer-schedule
    productId: prod-desk
    buyerAccountIds: [000000000101, 000000000202]
    availabilityEndDate: 2025-03-31
    terms:
      - fixedUpfrontPricing: {price: 300.00, duration: P12M, grants: {users: 10}}
      - paymentSchedule:
          schedule: [{chargeDate: 2025-03-01, chargeAmount: 100.00}, {chargeDate: 2025-06-01, chargeAmount: 200.00}]
  - offerId: offer-month
    productId: prod-desk
    buyerAccountIds: [000000000202]
    availabilityEndDate: 2025-03-31
    terms:
      - fixedUpfrontPricing: {price: 300.00, duration: P1M, grants: {users: 10}}
      - paymentSchedule:
          schedule: [{chargeDate: 2025-03-01, chargeAmount: 100.00}, {chargeDate: 2025-04-15, chargeAmount: 200.00}]
  - offerId: offer-dated
    productId: prod-desk
    buyerAccountIds: [000000000101, 000000000202]
    availabilityEndDate: 2025-12-31
    terms:
      - fixedUpfrontPricing: {price: 100.00, grants: {users: 10}}
      - validity: {agreementStartDate: 2026-01-14, agreementEndDate: 2026-12-31}
agreements:
  - offerId: offer-desk
    buyerAccountId: 000000000101
    acceptanceTime: 2025-01-15T00:00:00Z
    configuration: {duration: P12M, quantities: {users: 10}}
  - offerId: offer-fleet
    buyerAccountId: 000000000101
    acceptanceTime: 2025-01-15T00:00:00Z
    configuration: {duration: P12M, quantities: {m5.large: 2}}
  - {offerId: offer-schedule, buyerAccountId: 000000000202, acceptanceTime: 2025-03-05T00:00:00Z}
";

/// A server with that sandbox.
pub(super) async fn start() -> Served {
    let served = Served::start().await;
    put(&served.client, SANDBOX, DOCUMENT).await;
    served
}

/// Checks what a call answers, and that its message names a rule.
#[track_caller]
pub(super) fn is<T: std::fmt::Debug>(answer: Result<T, ClientError>, expected: &str, rule: &str) {
    let message = match &answer {
        Err(ClientError::Refused(refusal)) => refusal.message.clone(),
        _ => String::new(),
    };
    assert_eq!(refused(answer), expected, "{message}");
    assert!(message.contains(rule), "{rule} is not in: {message}");
}

/// An offer as documents write it.
fn offer(yaml: &str) -> Offer {
    let descriptor =
        document::pool().get_message_by_name("souk.catalog.v1.Offer").expect("it is in the contract");
    let offer =
        document::parse_message(yaml, &descriptor).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
    offer.transcode_to().expect("it has the form of its descriptor")
}

/// A private offer with these terms, which can be accepted until the end of March.
fn private(product: &str, terms: &str) -> Offer {
    let head = "offerId: offer-new\nbuyerAccountIds: [000000000202]\navailabilityEndDate: 2025-03-31";
    offer(&format!("{head}\nproductId: {product}\nterms: [{terms}]\n"))
}

/// A fixed price of 100.00 for a year, beside other terms.
fn fixed(terms: &str) -> Offer {
    private(
        "prod-desk",
        &format!("{{fixedUpfrontPricing: {{price: 100.00, duration: P12M, grants: {{users: 1}}}}}}, {terms}"),
    )
}

fn schedule(payments: &[(&str, &str)]) -> Offer {
    let payments =
        payments.iter().map(|(date, amount)| format!("{{chargeDate: {date}, chargeAmount: {amount}}}"));
    fixed(&format!("{{paymentSchedule: {{schedule: [{}]}}}}", payments.collect::<Vec<_>>().join(", ")))
}

fn documents(count: usize) -> Offer {
    let documents: Vec<_> =
        (0..count).map(|n| format!("{{type: CUSTOM_EULA, url: \"https://example.com/{n}\"}}")).collect();
    fixed(&format!("{{legal: {{documents: [{}]}}}}", documents.join(", ")))
}

fn dated(first: &str, last: &str) -> Offer {
    let validity = format!("{{validity: {{agreementStartDate: {first}, agreementEndDate: {last}}}}}");
    private(
        "prod-desk",
        &format!("{{fixedUpfrontPricing: {{price: 1.00, grants: {{users: 1}}}}}}, {validity}"),
    )
}

fn everybodys(product: &str, terms: &str) -> Offer {
    let offer = private(product, terms);
    Offer { buyer_account_ids: Vec::new(), availability_end_date: String::new(), ..offer }
}

#[tokio::test]
async fn offers_of_contracts_keep_their_rules() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let invalid = |code: &str, field: &str| format!("InvalidArgument {code} offer.{field}");
    let terms = |code: &str, field: &str| invalid(code, &format!("terms.{field}"));
    let bad_schedule =
        |field: &str| terms("PAYMENT_SCHEDULE_INVALID", &format!("paymentSchedule.schedule{field}"));
    let many: Vec<String> =
        (0..61).map(|n| format!("{}-{:02}-01", 2025 + (n + 5) / 12, (n + 5) % 12 + 1)).collect();
    let many: Vec<_> = many.iter().map(|date| (date.as_str(), "1.00")).collect();
    let upfront = "{configurableUpfrontPricing: {rateCards: [{duration: P12M, prices: {users: 16.00}}]}}";
    for (offer, expected, rule) in [
        (schedule(&[]), bad_schedule(""), "B6"),
        (schedule(&many), bad_schedule(""), "B6"),
        (schedule(&[("2025-05-01", "100.00"), ("2025-06-01", "0")]), bad_schedule("[1].chargeAmount"), "B6"),
        (schedule(&[("2025-05-01", "100.001")]), bad_schedule("[0].chargeAmount"), "B6"),
        (schedule(&[("2025-05-01", "50"), ("2025-05-01", "50")]), bad_schedule("[1].chargeDate"), "B6"),
        (schedule(&[("2025-05-01", "50"), ("2025-04-30", "50")]), bad_schedule("[1].chargeDate"), "B6"),
        (schedule(&[("2025-03-20", "50"), ("2025-03-31", "50")]), bad_schedule("[1].chargeDate"), "B6"),
        (schedule(&[("2025-05-01", "99.99")]), bad_schedule(""), "B6"),
        (
            fixed(
                "{paymentSchedule: {currencyCode: EUR, schedule: [{chargeDate: 2025-05-01, chargeAmount: 100.00}]}}",
            ),
            bad_schedule(""),
            "B6",
        ),
        (
            private(
                "prod-desk",
                &format!(
                    "{upfront}, {{paymentSchedule: {{schedule: [{{chargeDate: 2025-05-01, chargeAmount: 16}}]}}}}"
                ),
            ),
            terms("TERM_MISSING", "paymentSchedule"),
            "B6",
        ),
        (documents(0), terms("FIELD_MISSING", "legal.documents"), "B9"),
        (documents(6), terms("TOO_MANY_DOCUMENTS", "legal.documents"), "B9"),
        (
            everybodys(
                "prod-advice",
                "{configurableUpfrontPricing: {rateCards: [{duration: P12M, prices: {days: 1}}]}}",
            ),
            invalid("PRIVATE_OFFERS_ONLY", "buyerAccountIds"),
            "B20",
        ),
        (
            everybodys(
                "prod-suite",
                "{usageBasedPricing: {rateCard: {gb: 1}}}, {fixedUpfrontPricing: {price: 1, duration: P12M, grants: {seats: 1}}}",
            ),
            terms("TERM_NOT_ALLOWED", "fixedUpfrontPricing"),
            "A23",
        ),
        (
            Offer { renewal_kind: 1, ..everybodys("prod-suite", "{usageBasedPricing: {rateCard: {gb: 1}}}") },
            invalid("FIELD_INVALID", "renewalKind"),
            "B22",
        ),
        (
            everybodys(
                "prod-suite",
                "{usageBasedPricing: {rateCard: {gb: 1}}}, {configurableUpfrontPricing: {currencyCode: EUR, rateCards: [{duration: P12M, prices: {seats: 1}}]}}",
            ),
            terms("CURRENCY_NOT_SUPPORTED", "configurableUpfrontPricing.currencyCode"),
            "A24",
        ),
        (
            private(
                "prod-suite",
                "{usageBasedPricing: {currencyCode: JPY, rateCard: {gb: 1}}}, {fixedUpfrontPricing: {price: 1, duration: P12M, grants: {seats: 1}}}",
            ),
            terms("CURRENCY_NOT_SUPPORTED", "usageBasedPricing.currencyCode"),
            "A24",
        ),
        (
            private(
                "prod-desk",
                "{fixedUpfrontPricing: {currencyCode: CHF, price: 1, duration: P12M, grants: {users: 1}}}",
            ),
            invalid("CURRENCY_NOT_SUPPORTED", "terms[0].fixedUpfrontPricing.currencyCode"),
            "CHF",
        ),
        (
            private("prod-desk", "{fixedUpfrontPricing: {price: 1, duration: P61M, grants: {users: 1}}}"),
            terms("DURATION_NOT_ALLOWED", "fixedUpfrontPricing.duration"),
            "B10",
        ),
        (
            private(
                "prod-fleet",
                "{usageBasedPricing: {rateCard: {m5.large: 1, c5.large: 1}}}, {fixedUpfrontPricing: {price: 1, duration: P1096D, grants: {m5.large: 1}}}",
            ),
            terms("DURATION_NOT_ALLOWED", "fixedUpfrontPricing.duration"),
            "B11",
        ),
        (
            private("prod-desk", "{fixedUpfrontPricing: {price: 1, grants: {users: 1}}}"),
            terms("FIELD_MISSING", "fixedUpfrontPricing.duration"),
            "how long",
        ),
        (
            private("prod-desk", "{fixedUpfrontPricing: {price: 1, duration: P12M}}"),
            terms("FIELD_MISSING", "fixedUpfrontPricing.grants"),
            "how many",
        ),
        (
            private("prod-desk", "{fixedUpfrontPricing: {price: 1, duration: P12M, grants: {users: 0}}}"),
            terms("FIELD_INVALID", "fixedUpfrontPricing.grants[users]"),
            "1 to",
        ),
        (
            private("prod-desk", "{fixedUpfrontPricing: {price: 1, duration: P12M, grants: {desks: 1}}}"),
            terms("DIMENSION_UNKNOWN", "fixedUpfrontPricing.grants[desks]"),
            "prod-desk",
        ),
        (
            private(
                "prod-suite",
                "{usageBasedPricing: {rateCard: {gb: 1}}}, {fixedUpfrontPricing: {price: 1, duration: P12M, grants: {gb: 1}}}",
            ),
            terms("DIMENSION_TYPES_INVALID", "fixedUpfrontPricing.grants[gb]"),
            "metered",
        ),
        (fixed(upfront), terms("TERM_NOT_ALLOWED", "fixedUpfrontPricing"), "configurableUpfrontPricing"),
        (fixed("{validity: {agreementDuration: P12M}}"), terms("TERM_NOT_ALLOWED", "validity"), "dates"),
        (
            fixed("{validity: {agreementStartDate: 2026-01-01, agreementEndDate: 2026-12-31}}"),
            terms("DURATION_NOT_ALLOWED", "fixedUpfrontPricing.duration"),
            "leave one",
        ),
        (dated("2026-12-31", "2026-01-01"), terms("DURATION_NOT_ALLOWED", "validity.agreementEndDate"), "E3"),
        (
            dated("2025-03-10", "2026-01-01"),
            terms("DURATION_NOT_ALLOWED", "validity.agreementStartDate"),
            "E3",
        ),
        (
            dated("2028-03-11", "2028-12-31"),
            terms("DURATION_NOT_ALLOWED", "validity.agreementStartDate"),
            "E3",
        ),
        (
            dated("2025-03-31", "2025-12-31"),
            terms("DURATION_NOT_ALLOWED", "validity.agreementStartDate"),
            "E3",
        ),
        (
            dated("2026-01-01", "2031-01-01"),
            terms("DURATION_NOT_ALLOWED", "validity.agreementEndDate"),
            "B10",
        ),
        (
            private(
                "prod-fleet",
                "{usageBasedPricing: {rateCard: {m5.large: 1, c5.large: 1}}}, {fixedUpfrontPricing: {price: 1, grants: {m5.large: 1}}}, {validity: {agreementStartDate: 2026-01-01, agreementEndDate: 2026-12-31}}",
            ),
            terms("TERM_NOT_ALLOWED", "validity.agreementStartDate"),
            "E3",
        ),
        (fixed("{renewal: {}}"), terms("TERM_NOT_ALLOWED", "renewal"), "E4"),
        (
            private(
                "prod-desk",
                "{fixedUpfrontPricing: {price: 1, duration: P12M, grants: {users: 1}}}, {fixedUpfrontPricing: {price: 2, duration: P12M, grants: {users: 1}}}",
            ),
            invalid("TERM_DUPLICATE", "terms[1]"),
            "B12",
        ),
    ] {
        let shown = format!("{offer:?}");
        println!("{shown}");
        is(client.create_offer(SANDBOX, offer).await, &expected, rule);
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn in_2026_the_increase_of_a_renewal_lies_between_nothing_and_everything() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, SANDBOX, &format!("rules: {{profile: 2026}}{DOCUMENT}")).await;
    let before = everything(client).await;
    for (increase, code, field, rule) in [
        ("{fixedPercentage: 100.01}", "FIELD_INVALID", "renewal.priceIncrease.fixedPercentage", "E4"),
        (
            "{percentageRange: {minimum: 7, maximum: 3, default: 5}}",
            "FIELD_INVALID",
            "renewal.priceIncrease.percentageRange",
            "E4",
        ),
        (
            "{percentageRange: {minimum: 3, maximum: 7, default: 8}}",
            "FIELD_INVALID",
            "renewal.priceIncrease.percentageRange.default",
            "E4",
        ),
    ] {
        let offer = fixed(&format!("{{renewal: {{priceIncrease: {increase}}}}}"));
        is(
            client.create_offer(SANDBOX, offer).await,
            &format!("InvalidArgument {code} offer.terms.{field}"),
            rule,
        );
    }
    let paid_later =
        "{paymentSchedule: {schedule: [{chargeDate: 2025-05-01, chargeAmount: 100.00}]}}, {renewal: {}}";
    is(
        client.create_offer(SANDBOX, fixed(paid_later)).await,
        "InvalidArgument TERM_NOT_ALLOWED offer.terms.renewal",
        "E4",
    );
    let with_dates = "{fixedUpfrontPricing: {price: 1.00, grants: {users: 1}}}, {renewal: {}}, \
                      {validity: {agreementStartDate: 2026-01-01, agreementEndDate: 2026-12-31}}";
    is(
        client.create_offer(SANDBOX, private("prod-desk", with_dates)).await,
        "InvalidArgument TERM_NOT_ALLOWED offer.terms.renewal",
        "E3",
    );
    unchanged(served, &before).await;
}

#[tokio::test]
async fn contracts_are_accepted_by_whom_and_when_their_rules_allow() {
    let served = start().await;
    let client = &served.client;
    client.create_offer(SANDBOX, documents(1)).await.expect("an offer");
    let before = everything(client).await;
    let chosen = Some(configuration("P12M", &[("users", 1)]));
    for (offer, buyer, chosen, expected, rule) in [
        ("offer-schedule", BUYER, None, "FailedPrecondition INVOICE_TERMS_NEEDED buyerAccountId", "B6"),
        ("offer-schedule", OTHER, None, "AlreadyExists ALREADY_SUBSCRIBED buyerAccountId", "B17"),
        ("offer-month", OTHER, None, "InvalidArgument PAYMENT_SCHEDULE_INVALID offerId", "B6"),
        ("offer-new", OTHER, None, "FailedPrecondition OFFER_NOT_PROPAGATED offerId", "B16"),
        // The buyer's year ends on 15 January, the other one's on 5 March.
        ("offer-dated", BUYER, None, "FailedPrecondition AGREEMENTS_OVERLAP offerId", "E3"),
        ("offer-dated", OTHER, None, "FailedPrecondition AGREEMENTS_OVERLAP offerId", "E3"),
        ("offer-schedule", BUYER, chosen, "InvalidArgument CONFIGURATION_INVALID configuration", "one price"),
    ] {
        is(client.accept_offer(SANDBOX, offer, buyer, chosen).await, expected, rule);
    }
    unchanged(served, &before).await;
}
