//! Offers and price changes that are refused.

use souk_proto::catalog::v1::Offer;
use souk_proto::terms::v1::term::Term as Kind;
use souk_proto::terms::v1::{
    ConfigurableUpfrontPricingTerm, RenewalTerm, Term, UpfrontRateCard, UsageBasedPricingTerm, ValidityTerm,
};

use super::{NOBODY, OTHER, SANDBOX, everything, is, start, unchanged};
use crate::words::turn;

fn usage(prices: &[(&str, &str)]) -> Term {
    let rate_card = prices.iter().map(|(key, price)| ((*key).to_owned(), (*price).to_owned())).collect();
    let term = UsageBasedPricingTerm { currency_code: String::new(), rate_card };
    Term { term: Some(Kind::UsageBasedPricing(term)) }
}

fn card(duration: &str, prices: &[(&str, &str)]) -> UpfrontRateCard {
    let prices = prices.iter().map(|(key, price)| ((*key).to_owned(), (*price).to_owned())).collect();
    UpfrontRateCard { duration: duration.to_owned(), prices }
}

/// A term that sells upfront.
pub(super) fn upfront(duration: &str, prices: &[(&str, &str)]) -> Term {
    let rate_cards = vec![card(duration, prices)];
    let term = ConfigurableUpfrontPricingTerm { currency_code: String::new(), rate_cards };
    Term { term: Some(Kind::ConfigurableUpfrontPricing(term)) }
}

fn validity(duration: &str) -> Term {
    Term {
        term: Some(Kind::Validity(ValidityTerm {
            agreement_duration: duration.to_owned(),
            ..Default::default()
        })),
    }
}

/// A private offer.
pub(super) fn private(product: &str, terms: Vec<Term>) -> Offer {
    Offer {
        offer_id: "offer-new".to_owned(),
        product_id: product.to_owned(),
        buyer_account_ids: vec![OTHER.to_owned()],
        availability_end_date: "2025-03-31".to_owned(),
        terms,
        ..Offer::default()
    }
}

#[tokio::test]
async fn an_offer_has_the_terms_that_its_product_and_its_buyers_need() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let saas = || usage(&[("users", "0.5"), ("data", "0.01")]);
    let renewal = Term { term: Some(Kind::Renewal(RenewalTerm::default())) };
    let good = || private("prod-saas", vec![saas(), validity("P30D")]);
    let with = |change: fn(&mut Offer)| {
        let mut offer = good();
        change(&mut offer);
        offer
    };
    let terms = |terms: Vec<Term>| private("prod-saas", terms);
    let in_euro = Term {
        term: Some(Kind::UsageBasedPricing(UsageBasedPricingTerm {
            currency_code: "EUR".to_owned(),
            ..UsageBasedPricingTerm::default()
        })),
    };
    for (offer, expected) in [
        (with(|o| o.product_id.clear()), "InvalidArgument FIELD_MISSING offer.productId"),
        (with(|o| o.product_id = "prod-none".to_owned()), "NotFound PRODUCT_UNKNOWN offer.productId"),
        (with(|o| o.offer_id = "offer new".to_owned()), "InvalidArgument FIELD_INVALID offer.offerId"),
        (with(|o| o.offer_id = "offer-ami".to_owned()), "AlreadyExists OFFER_EXISTS offer.offerId"),
        (with(|o| o.buyer_account_ids[0].clear()), "InvalidArgument FIELD_MISSING offer.buyerAccountIds[0]"),
        (
            with(|o| o.buyer_account_ids.push(NOBODY.to_owned())),
            "NotFound ACCOUNT_UNKNOWN offer.buyerAccountIds[1]",
        ),
        (
            with(|o| o.buyer_account_ids = vec![OTHER.to_owned(); 26]),
            "InvalidArgument TOO_MANY_BUYERS offer.buyerAccountIds",
        ),
        (
            with(|o| o.availability_end_date.clear()),
            "InvalidArgument FIELD_MISSING offer.availabilityEndDate",
        ),
        (
            with(|o| o.availability_end_date = "31.3.2025".to_owned()),
            "InvalidArgument FIELD_INVALID offer.availabilityEndDate",
        ),
        (
            with(|o| o.availability_end_date = "2025-03-09".to_owned()),
            "FailedPrecondition OFFER_EXPIRED offer.availabilityEndDate",
        ),
        // Without buyers it is the product's second public offer.
        (with(|o| o.buyer_account_ids.clear()), "AlreadyExists PUBLIC_OFFER_EXISTS offer.productId"),
        (terms(vec![validity("P30D")]), "InvalidArgument TERM_MISSING offer.terms"),
        (terms(vec![saas()]), "InvalidArgument TERM_MISSING offer.terms"),
        (terms(vec![saas(), Term { term: None }]), "InvalidArgument FIELD_MISSING offer.terms[1]"),
        (terms(vec![saas(), saas()]), "InvalidArgument TERM_DUPLICATE offer.terms[1]"),
        (
            terms(vec![saas(), validity("P1096D")]),
            "InvalidArgument DURATION_NOT_ALLOWED offer.terms.validity.agreementDuration",
        ),
        (
            terms(vec![saas(), validity("1 year")]),
            "InvalidArgument FIELD_INVALID offer.terms[1].validity.agreementDuration",
        ),
        (
            terms(vec![saas(), validity("P30D"), renewal]),
            "InvalidArgument TERM_NOT_ALLOWED offer.terms.renewal",
        ),
        (
            terms(vec![in_euro, validity("P30D")]),
            "InvalidArgument CURRENCY_NOT_SUPPORTED offer.terms.usageBasedPricing.currencyCode",
        ),
        (
            terms(vec![usage(&[("users", "0.5")]), validity("P30D")]),
            "InvalidArgument RATE_CARD_INCOMPLETE offer.terms.usageBasedPricing.rateCard",
        ),
        (
            terms(vec![usage(&[("users", "0.5"), ("data", "1"), ("flights", "1")]), validity("P30D")]),
            "InvalidArgument DIMENSION_UNKNOWN offer.terms.usageBasedPricing.rateCard[flights]",
        ),
        (
            terms(vec![saas(), upfront("P12M", &[("users", "5")]), validity("P30D")]),
            "InvalidArgument METERING_EXCLUDES_ANNUAL offer.terms.configurableUpfrontPricing.rateCards",
        ),
    ] {
        is(client.create_offer(SANDBOX, offer).await, expected);
    }
    for price in ["0.123456789", "-1", "1000000", "1e3", "", "free", "1,5", ".5", "1."] {
        let offer = terms(vec![usage(&[("users", "0.5"), ("data", price)]), validity("P30D")]);
        is(
            client.create_offer(SANDBOX, offer).await,
            "InvalidArgument PRICE_INVALID offer.terms[0].usageBasedPricing.rateCard[data]",
        );
    }
    is(client.create_offer("nowhere", good()).await, "NotFound SANDBOX_UNKNOWN sandbox");
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_14_annual_and_hourly_prices_come_in_pairs() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let hourly = |large, xlarge| usage(&[("m5.large", large), ("m5.xlarge", xlarge)]);
    let annual = |large, xlarge| upfront("P12M", &[("m5.large", large), ("m5.xlarge", xlarge)]);
    let field = |key: &str| format!("offer.terms.configurableUpfrontPricing.rateCards[0].prices[{key}]");
    for (terms, expected) in [
        (
            vec![usage(&[("m5.large", "0.25")]), annual("500", "900")],
            format!("ANNUAL_NEEDS_HOURLY {}", field("m5.xlarge")),
        ),
        (vec![annual("500", "900")], format!("ANNUAL_NEEDS_HOURLY {}", field("m5.large"))),
        (
            vec![hourly("0.25", "0.50"), upfront("P12M", &[("m5.large", "500")])],
            format!("HOURLY_WITHOUT_ANNUAL_ON_ANNUAL_PRODUCT {}", field("m5.xlarge")),
        ),
        (
            vec![hourly("0.25", "0.50"), annual("0", "900")],
            format!("ZERO_ANNUAL_NEEDS_ZERO_HOURLY {}", field("m5.large")),
        ),
        (vec![hourly("0", "0"), annual("0", "0")], format!("NO_NONZERO_ANNUAL_TYPE {}", field("m5.large"))),
        (
            vec![hourly("0.25", "0.50"), upfront("P12M", &[("m5.huge", "500")])],
            format!("DIMENSION_UNKNOWN {}", field("m5.huge")),
        ),
        (
            vec![hourly("0.25", "0.50"), upfront("P37M", &[("m5.large", "500"), ("m5.xlarge", "900")])],
            "DURATION_NOT_ALLOWED offer.terms.configurableUpfrontPricing.rateCards[0].duration".to_owned(),
        ),
        (
            vec![hourly("0.25", "0.50"), annual("500.1234", "900")],
            "PRICE_INVALID offer.terms[1].configurableUpfrontPricing.rateCards[0].prices[m5.large]"
                .to_owned(),
        ),
    ] {
        let terms = [terms, vec![validity("P12M")]].concat();
        is(
            client.create_offer(SANDBOX, private("prod-ami", terms)).await,
            &format!("InvalidArgument {expected}"),
        );
    }
    let lacking = usage(&[("m5.large", "0.25")]);
    is(
        client.create_offer(SANDBOX, private("prod-ami", vec![lacking, validity("P12M")])).await,
        "InvalidArgument RATE_CARD_INCOMPLETE offer.terms.usageBasedPricing.rateCard",
    );
    // C-07: contracts are sold for one, twelve, 24 or 36 months, and last as long.
    let contract = |duration| vec![usage(&[("extra", "0.02")]), upfront(duration, &[("seats", "9")])];
    for (terms, expected) in [
        (
            contract("P61M"),
            "DURATION_NOT_ALLOWED offer.terms.configurableUpfrontPricing.rateCards[0].duration",
        ),
        (
            contract("P1096D"),
            "DURATION_NOT_ALLOWED offer.terms.configurableUpfrontPricing.rateCards[0].duration",
        ),
        ([contract("P12M"), vec![validity("P30D")]].concat(), "TERM_NOT_ALLOWED offer.terms.validity"),
        (vec![usage(&[("extra", "0.02")]), validity("P30D")], "TERM_MISSING offer.terms"),
        (
            vec![usage(&[("extra", "0.02"), ("seats", "1")]), upfront("P12M", &[("seats", "9")])],
            "TERM_NOT_ALLOWED offer.terms.usageBasedPricing.rateCard[seats]",
        ),
    ] {
        let offer = private("prod-contract", terms);
        is(client.create_offer(SANDBOX, offer).await, &format!("InvalidArgument {expected}"));
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn prices_that_do_not_exist_or_are_promised_do_not_change() {
    let served = start().await;
    let client = &served.client;
    let large = |price: &str| vec![card("P12M", &[("m5.large", price)])];
    client.change_prices(SANDBOX, "offer-ami", [].into(), large("1600")).await.expect("a first change");
    let before = everything(client).await;
    let usage = |key: &str, price: &str| [(key.to_owned(), price.to_owned())].into();
    for (offer, rate_card, cards, expected) in [
        ("", usage("users", "1"), Vec::new(), "InvalidArgument FIELD_MISSING offerId"),
        ("offer-none", usage("users", "1"), Vec::new(), "NotFound OFFER_UNKNOWN offerId"),
        ("offer-private", usage("m5.large", "1"), Vec::new(), "FailedPrecondition PRICES_FIXED offerId"),
        ("offer-saas", [].into(), Vec::new(), "InvalidArgument FIELD_MISSING rateCard"),
        (
            "offer-saas",
            usage("flights", "1"),
            Vec::new(),
            "InvalidArgument DIMENSION_UNKNOWN rateCard[flights]",
        ),
        (
            "offer-saas",
            usage("users", "0.123456789"),
            Vec::new(),
            "InvalidArgument PRICE_INVALID rateCard[users]",
        ),
        (
            "offer-saas",
            [].into(),
            vec![card("P12M", &[("users", "1")])],
            "InvalidArgument DURATION_NOT_ALLOWED upfrontRateCards[0].duration",
        ),
        (
            "offer-ami",
            [].into(),
            vec![card("P12M", &[("m5.huge", "1")])],
            "InvalidArgument DIMENSION_UNKNOWN upfrontRateCards[0].prices[m5.huge]",
        ),
        (
            "offer-ami",
            [].into(),
            vec![card("P12M", &[("m5.large", "1.2345")])],
            "InvalidArgument PRICE_INVALID upfrontRateCards[0].prices[m5.large]",
        ),
        (
            "offer-ami",
            [].into(),
            large("1700"),
            "FailedPrecondition PRICE_CHANGE_TOO_SOON upfrontRateCards[0]",
        ),
        (
            "offer-ami",
            [].into(),
            vec![card("P12M", &[("m5.xlarge", "0")])],
            "InvalidArgument ZERO_ANNUAL_NEEDS_ZERO_HOURLY configurableUpfrontPricing.rateCards[0].prices[m5.xlarge]",
        ),
    ] {
        is(client.change_prices(SANDBOX, offer, rate_card, cards).await, expected);
    }
    assert!(everything(client).await == before, "a refused change changed something");
    // E-04: an annual price may change every 90 days.
    turn(client, SANDBOX, "2025-06-07T23:59:59Z").await;
    let soon = client.change_prices(SANDBOX, "offer-ami", [].into(), large("1700")).await;
    is(soon, "FailedPrecondition PRICE_CHANGE_TOO_SOON upfrontRateCards[0]");
    turn(client, SANDBOX, "2025-06-08T00:00:00Z").await;
    let changed = client.change_prices(SANDBOX, "offer-ami", [].into(), large("1700")).await;
    assert!(changed.is_ok(), "{changed:?}");
    served.stop().await;
}
