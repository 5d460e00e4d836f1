//! Who calls: signatures, keys and sandboxes.

use aws_sdk_marketplacemetering::config::Credentials;
use aws_sdk_marketplacemetering::error::ProvideErrorMetadata;

use super::market::{CIRRUS, Market, keys_of, refused};

/// The status and code of a refusal.
async fn refusal(market: &Market, caller: Credentials) -> (u16, String) {
    let call = market.metering(caller).resolve_customer().registration_token("any").send();
    let (status, error) = refused(call.await);
    (status, error.code().expect("a code").to_owned())
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let market = Market::start().await;
    let wrong = Credentials::new(keys_of(CIRRUS).access_key_id(), "not the secret", None, None, "tests");
    assert_eq!(refusal(&market, wrong).await, (403, "InvalidSignatureException".to_owned()));
    market.stop().await;
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let market = Market::start().await;
    let nobody = Credentials::new("AKIANOBODY0000000001", "a secret", None, None, "tests");
    assert_eq!(refusal(&market, nobody).await, (403, "UnrecognizedClientException".to_owned()));
    market.stop().await;
}

#[tokio::test]
async fn a_sandbox_that_is_not_there_is_refused() {
    let mut market = Market::start().await;
    market.endpoint = market.endpoint.replace("/s/", "/s/not-");
    assert_eq!(refusal(&market, keys_of(CIRRUS)).await, (403, "UnrecognizedClientException".to_owned()));
    market.stop().await;
}
