//! Resale authorizations that are refused, and what they forbid.

use souk_client::{OfferFilter, PageRequest};
use souk_proto::account::v1::{Account, SellerProfile};
use souk_proto::catalog::v1::{Dimension, DimensionType, Offer, OfferRates, ResaleAuthorization};

use super::offers::{private, upfront};
use super::{NOBODY, OTHER, SANDBOX, everything, is, start, unchanged};

const RESELLER: &str = "000000000303";

fn authorization() -> ResaleAuthorization {
    ResaleAuthorization {
        resale_authorization_id: "resaleauthz-1".to_owned(),
        product_id: "prod-saas".to_owned(),
        reseller_account_id: RESELLER.to_owned(),
        discount_percentage: "20".to_owned(),
        ..ResaleAuthorization::default()
    }
}

#[tokio::test]
async fn an_authorization_names_a_product_a_reseller_and_wholesale_prices() {
    let served = start().await;
    let client = &served.client;
    let seller = Some(SellerProfile::default());
    let reseller = Account { account_id: RESELLER.to_owned(), seller, ..Account::default() };
    client.put_account(SANDBOX, reseller).await.expect("an account");
    let before = everything(client).await;
    let with = |change: fn(&mut ResaleAuthorization)| {
        let mut authorization = authorization();
        change(&mut authorization);
        authorization
    };
    for (authorization, expected) in [
        (with(|a| a.product_id.clear()), "InvalidArgument FIELD_MISSING resaleAuthorization.productId"),
        (
            with(|a| a.product_id = "prod-none".to_owned()),
            "NotFound PRODUCT_UNKNOWN resaleAuthorization.productId",
        ),
        (
            with(|a| a.resale_authorization_id = "north !".to_owned()),
            "InvalidArgument FIELD_INVALID resaleAuthorization.resaleAuthorizationId",
        ),
        (
            with(|a| a.reseller_account_id.clear()),
            "InvalidArgument FIELD_MISSING resaleAuthorization.resellerAccountId",
        ),
        (
            with(|a| a.reseller_account_id = NOBODY.to_owned()),
            "NotFound ACCOUNT_UNKNOWN resaleAuthorization.resellerAccountId",
        ),
        (
            with(|a| a.reseller_account_id = OTHER.to_owned()),
            "FailedPrecondition NOT_A_SELLER resaleAuthorization.resellerAccountId",
        ),
        (
            with(|a| a.buyer_account_ids = vec![OTHER.to_owned(), NOBODY.to_owned()]),
            "NotFound ACCOUNT_UNKNOWN resaleAuthorization.buyerAccountIds[1]",
        ),
        (with(|a| a.name = "x".repeat(151)), "InvalidArgument FIELD_INVALID resaleAuthorization.name"),
        (
            with(|a| a.description = "x".repeat(1_001)),
            "InvalidArgument FIELD_INVALID resaleAuthorization.description",
        ),
        (
            with(|a| a.discount_percentage = "20.001".to_owned()),
            "InvalidArgument FIELD_INVALID resaleAuthorization.discountPercentage",
        ),
        (
            with(|a| a.availability_end_date = "2025-03-09".to_owned()),
            "InvalidArgument FIELD_INVALID resaleAuthorization.availabilityEndDate",
        ),
        (
            with(|a| a.terms = vec![upfront("P12M", &[("users", "1")])]),
            "InvalidArgument FIELD_INVALID resaleAuthorization.discountPercentage",
        ),
    ] {
        is(client.create_resale_authorization(SANDBOX, authorization).await, expected);
    }
    // What its seller meters is sold by usage only.
    let annual = ResaleAuthorization {
        discount_percentage: String::new(),
        terms: vec![upfront("P12M", &[("users", "1")])],
        ..authorization()
    };
    is(
        client.create_resale_authorization(SANDBOX, annual).await,
        "InvalidArgument DIMENSION_UNKNOWN \
         resaleAuthorization.terms.configurableUpfrontPricing.rateCards[0].prices[users]",
    );
    is(
        client.create_resale_authorization("nowhere", authorization()).await,
        "NotFound SANDBOX_UNKNOWN sandbox",
    );
    is(
        client.restrict_resale_authorization(SANDBOX, "").await,
        "InvalidArgument FIELD_MISSING resaleAuthorizationId",
    );
    is(
        client.restrict_resale_authorization(SANDBOX, "resaleauthz-1").await,
        "NotFound RESALE_AUTHORIZATION_UNKNOWN resaleAuthorizationId",
    );
    let of_nobody = OfferFilter { account_id: NOBODY.to_owned(), ..OfferFilter::default() };
    is(
        client.list_resale_authorizations(SANDBOX, &of_nobody, PageRequest::default()).await,
        "NotFound ACCOUNT_UNKNOWN accountId",
    );
    unchanged(served, &before).await;
}

/// A dimension that a reseller's offer would meter has no wholesale price.
#[tokio::test]
async fn a_product_that_a_reseller_meters_gets_no_dimensions() {
    let served = start().await;
    let client = &served.client;
    let seller = Some(SellerProfile::default());
    let reseller = Account { account_id: RESELLER.to_owned(), seller, ..Account::default() };
    client.put_account(SANDBOX, reseller).await.expect("an account");
    client.create_resale_authorization(SANDBOX, authorization()).await.expect("an authorization");
    let terms = "[{usageBasedPricing: {rateCard: {users: 0.80, data: 0.013}}}, {validity: {agreementDuration: P30D}}]";
    let offer = souk_proto::document::parse(&format!("offers: [{{terms: {terms}}}]")).expect("an offer");
    let terms = offer.offers.into_iter().next().expect("an offer").terms;
    let resale_authorization_id = "resaleauthz-1".to_owned();
    let offer = Offer { resale_authorization_id, ..private("prod-saas", terms) };
    client.create_offer(SANDBOX, offer).await.expect("an offer");
    let before = everything(client).await;
    let dimension = Dimension {
        key: "flights".to_owned(),
        types: vec![DimensionType::ExternallyMetered.into()],
        ..Dimension::default()
    };
    let rates = |offer: &str| OfferRates {
        offer_id: offer.to_owned(),
        rate_card: [("flights".to_owned(), "1".to_owned())].into(),
    };
    let prices = ["offer-saas", "offer-expired", "offer-new"].map(rates).into();
    is(
        client.add_dimensions(SANDBOX, "prod-saas", vec![dimension], prices).await,
        "InvalidArgument WHOLESALE_PRICE_MISSING dimensions",
    );
    unchanged(served, &before).await;
}
