//! ResolveCustomer, as AWS documents it (aws-api A.5).

use super::market::{CIRRUS, LABS, Market, PIPELINE, SANDBOX, STRATUS, keys_of, refused};
use crate::words::turn;

#[tokio::test]
async fn a_token_says_who_bought_what() {
    let market = Market::start().await;
    let token = market.token("offer-pipeline", LABS).await;
    let client = market.metering(keys_of(CIRRUS));
    let answer = client.resolve_customer().registration_token(token).send().await.expect("a good token");
    let (agreement, licence) = market.agreement("offer-pipeline", LABS);
    assert_eq!(answer.customer_identifier(), Some(market.identifier(CIRRUS, LABS)));
    assert_eq!((answer.product_code(), answer.customer_aws_account_id()), (Some(PIPELINE), Some(LABS)));
    assert_eq!(answer.license_arn(), Some(licence));
    assert_eq!(answer.metadata().and_then(|metadata| metadata.agreement_id()), Some(agreement));
    market.stop().await;
}

#[tokio::test]
async fn a_token_ends_after_four_hours_and_is_its_seller_s_alone() {
    let market = Market::start().await;
    let token = market.token("offer-pipeline", LABS).await;
    let resolve = |seller: &str, token: &str| {
        market.metering(keys_of(seller)).resolve_customer().registration_token(token).send()
    };
    for (seller, token) in [(STRATUS, token.as_str()), (CIRRUS, "made-up")] {
        let (_, error) = refused(resolve(seller, token).await);
        assert!(error.is_invalid_token_exception(), "{error:?}");
    }
    turn(&market.client, SANDBOX, "2026-01-15T16:30:00Z").await;
    let (status, error) = refused(resolve(CIRRUS, &token).await);
    assert!(error.is_expired_token_exception(), "{error:?}");
    assert_eq!(status, 400);
    market.stop().await;
}
