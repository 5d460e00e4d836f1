//! Acceptances, annual subscriptions and cancellations that are refused.

use souk_client::SoukClient;
use souk_proto::agreement::v1::UpfrontConfiguration;

use super::{BUYER, NOBODY, OTHER, SANDBOX, SIBLING, everything, is, start, unchanged};
use crate::words::{configuration, turn};

fn auto_renewing(chosen: UpfrontConfiguration) -> UpfrontConfiguration {
    UpfrontConfiguration { auto_renew: true, ..chosen }
}

/// The agreement of a buyer on an offer.
async fn agreement_on(client: &SoukClient, offer: &str) -> String {
    let described = client.get_sandbox(SANDBOX).await.expect("a sandbox");
    let agreement = described.agreements.into_iter().find(|agreement| agreement.offer_id == offer);
    agreement.expect("an agreement of the document").agreement_id
}

#[tokio::test]
async fn an_offer_is_accepted_by_whom_it_is_for_while_it_can_be_and_once() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    for (sandbox, offer, buyer, expected) in [
        ("", "offer-saas", OTHER, "InvalidArgument FIELD_MISSING sandbox"),
        ("nowhere", "offer-saas", OTHER, "NotFound SANDBOX_UNKNOWN sandbox"),
        (SANDBOX, "", OTHER, "InvalidArgument FIELD_MISSING offerId"),
        (SANDBOX, "offer-none", OTHER, "NotFound OFFER_UNKNOWN offerId"),
        (SANDBOX, "offer-saas", "", "InvalidArgument FIELD_MISSING buyerAccountId"),
        (SANDBOX, "offer-saas", "202", "InvalidArgument FIELD_INVALID buyerAccountId"),
        (SANDBOX, "offer-saas", NOBODY, "NotFound ACCOUNT_UNKNOWN buyerAccountId"),
        (SANDBOX, "offer-saas", BUYER, "AlreadyExists ALREADY_SUBSCRIBED buyerAccountId"),
        (SANDBOX, "offer-ami", BUYER, "AlreadyExists ALREADY_SUBSCRIBED buyerAccountId"),
        (SANDBOX, "offer-expired", BUYER, "FailedPrecondition OFFER_EXPIRED offerId"),
        (SANDBOX, "offer-private", OTHER, "PermissionDenied OFFER_NOT_FOR_BUYER offerId"),
        (SANDBOX, "offer-private", SIBLING, "PermissionDenied OFFER_NOT_FOR_BUYER offerId"),
        // Who may not see it is not told that it has expired.
        (SANDBOX, "offer-expired", SIBLING, "PermissionDenied OFFER_NOT_FOR_BUYER offerId"),
    ] {
        is(client.accept_offer(sandbox, offer, buyer, None).await, expected);
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn c_11_the_last_day_of_an_offer_ends_with_it() {
    let served = start().await;
    let client = &served.client;
    turn(client, SANDBOX, "2025-03-31T23:59:59Z").await;
    let accepted = client.accept_offer(SANDBOX, "offer-private", BUYER, None).await;
    assert!(accepted.is_ok(), "{accepted:?}");
    is(
        client.accept_offer(SANDBOX, "offer-private", BUYER, None).await,
        "AlreadyExists ALREADY_SUBSCRIBED buyerAccountId",
    );
    turn(client, SANDBOX, "2025-04-01T00:00:00Z").await;
    is(
        client.accept_offer(SANDBOX, "offer-private", BUYER, None).await,
        "FailedPrecondition OFFER_EXPIRED offerId",
    );
    served.stop().await;
}

#[tokio::test]
async fn only_what_is_on_sale_upfront_can_be_bought() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let year = |quantities: &[(&str, u64)]| Some(configuration("P12M", quantities));
    for (offer, chosen, expected) in [
        ("offer-contract", None, "InvalidArgument CONFIGURATION_INVALID configuration"),
        ("offer-saas", year(&[("users", 1)]), "InvalidArgument CONFIGURATION_INVALID configuration"),
        ("offer-contract", year(&[]), "InvalidArgument CONFIGURATION_INVALID configuration.quantities"),
        (
            "offer-contract",
            year(&[("extra", 1)]),
            "InvalidArgument CONFIGURATION_INVALID configuration.quantities[extra]",
        ),
        (
            "offer-contract",
            year(&[("seats", 0)]),
            "InvalidArgument CONFIGURATION_INVALID configuration.quantities[seats]",
        ),
        (
            "offer-contract",
            year(&[("seats", 1 << 31)]),
            "InvalidArgument CONFIGURATION_INVALID configuration.quantities[seats]",
        ),
        (
            "offer-contract",
            Some(configuration("P24M", &[("seats", 1)])),
            "InvalidArgument DURATION_NOT_ALLOWED configuration.duration",
        ),
        (
            "offer-contract",
            Some(configuration("", &[("seats", 1)])),
            "InvalidArgument FIELD_MISSING configuration.duration",
        ),
        (
            "offer-contract",
            Some(configuration("a year", &[("seats", 1)])),
            "InvalidArgument FIELD_INVALID configuration.duration",
        ),
        (
            "offer-contract",
            year(&[("seats", 1)]).map(auto_renewing),
            "InvalidArgument RENEWAL_NOT_OFFERED configuration.autoRenew",
        ),
        (
            "offer-ami",
            year(&[("m5.huge", 1)]),
            "InvalidArgument CONFIGURATION_INVALID configuration.quantities[m5.huge]",
        ),
    ] {
        is(client.accept_offer(SANDBOX, offer, OTHER, chosen).await, expected);
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn annual_cover_is_bought_on_live_agreements_of_products_that_sell_it() {
    let served = start().await;
    let client = &served.client;
    let (saas, ami) = (agreement_on(client, "offer-saas").await, agreement_on(client, "offer-ami").await);
    let before = everything(client).await;
    let large = |units| configuration("P12M", &[("m5.large", units)]);
    for (agreement, chosen, expected) in [
        ("", large(1), "InvalidArgument FIELD_MISSING agreementId"),
        ("agmt-none", large(1), "NotFound AGREEMENT_UNKNOWN agreementId"),
        (&saas, large(1), "InvalidArgument CONFIGURATION_INVALID configuration"),
        (&ami, large(0), "InvalidArgument CONFIGURATION_INVALID configuration.quantities[m5.large]"),
        (
            &ami,
            configuration("P24M", &[("m5.large", 1)]),
            "InvalidArgument DURATION_NOT_ALLOWED configuration.duration",
        ),
        (&ami, auto_renewing(large(1)), "InvalidArgument RENEWAL_NOT_OFFERED configuration.autoRenew"),
    ] {
        is(client.add_annual_subscription(SANDBOX, agreement, chosen).await, expected);
    }
    assert!(everything(client).await == before, "a refused purchase changed something");

    // A private offer that is sold by the hour alone takes the place of the annual one.
    let private = client.accept_offer(SANDBOX, "offer-private", BUYER, None).await.expect("an offer for it");
    let private = private.agreement.agreement_id;
    let before = everything(client).await;
    is(
        client.add_annual_subscription(SANDBOX, &private, large(1)).await,
        "InvalidArgument CONFIGURATION_INVALID configuration",
    );
    is(
        client.add_annual_subscription(SANDBOX, &ami, large(1)).await,
        "FailedPrecondition AGREEMENT_NOT_ACTIVE agreementId",
    );
    unchanged(served, &before).await;
}

#[tokio::test]
async fn an_agreement_is_cancelled_once() {
    let served = start().await;
    let client = &served.client;
    let saas = agreement_on(client, "offer-saas").await;
    client.cancel_agreement(SANDBOX, &saas).await.expect("a live agreement");
    let before = everything(client).await;
    is(client.cancel_agreement(SANDBOX, &saas).await, "FailedPrecondition AGREEMENT_NOT_ACTIVE agreementId");
    is(client.cancel_agreement(SANDBOX, "agmt-none").await, "NotFound AGREEMENT_UNKNOWN agreementId");
    is(client.cancel_agreement(SANDBOX, "").await, "InvalidArgument FIELD_MISSING agreementId");
    is(client.get_agreement(SANDBOX, "agmt-none").await, "NotFound AGREEMENT_UNKNOWN agreementId");
    is(client.get_agreement("nowhere", &saas).await, "NotFound SANDBOX_UNKNOWN sandbox");
    unchanged(served, &before).await;
}
