//! GetEntitlements, as AWS documents it (aws-api B); the SDK speaks CBOR to it.

use aws_sdk_marketplaceentitlement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_marketplaceentitlement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_marketplaceentitlement::operation::RequestId;
use aws_sdk_marketplaceentitlement::operation::get_entitlements::builders::GetEntitlementsFluentBuilder;
use aws_sdk_marketplaceentitlement::primitives::DateTime;
use aws_sdk_marketplaceentitlement::types::{Entitlement, EntitlementValue, GetEntitlementFilterName as By};
use aws_sdk_marketplaceentitlement::{Client, Config};

use super::market::{BEACON, CIRRUS, LABS, Market, PIPELINE, STRATUS, keys_of, plain_http, refused};
use crate::words::at;

const ARCHIVE: &str = "cirrusarchivecontract0001";
const VAULT: &str = "cirrusvaultcontract000001";
const EVERYTHING: [(&str, &str); 3] = [(LABS, "nodes"), (LABS, "seats"), (BEACON, "seats")];

fn client_of(market: &Market, caller: Credentials) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(plain_http())
        .endpoint_url(&market.endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(caller);
    Client::from_conf(config.build())
}

fn of_vault(client: &Client) -> GetEntitlementsFluentBuilder {
    client.get_entitlements().product_code(VAULT)
}

/// Whom entitlements are of, with which dimensions.
fn names(entitlements: &[Entitlement]) -> Vec<(&str, &str)> {
    let name = |one| (Entitlement::customer_aws_account_id(one), Entitlement::dimension(one));
    let mut names: Vec<_> = entitlements
        .iter()
        .map(name)
        .map(|(account, dimension)| (account.expect("an account"), dimension.expect("a dimension")))
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn an_entitlement_says_what_was_bought_until_when() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    let asked = of_vault(&client).filter(By::CustomerAwsAccountId, vec![LABS.to_owned()]);
    let answer = asked.filter(By::Dimension, vec!["seats".to_owned()]).send().await.expect("an answer");
    let expected = Entitlement::builder()
        .product_code(VAULT)
        .dimension("seats")
        .customer_identifier(market.identifier(CIRRUS, LABS))
        .customer_aws_account_id(LABS)
        .value(EntitlementValue::builder().integer_value(50).build())
        .expiration_date(DateTime::from_secs(at("2027-01-02T00:00:00Z").seconds))
        .license_arn(market.agreement("offer-vault", LABS).1);
    assert_eq!(answer.entitlements(), [expected.build()]);
    assert_eq!(answer.next_token(), None);
    market.stop().await;
}

#[tokio::test]
async fn a_value_is_of_the_kind_of_its_dimension() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    let answer = client.get_entitlements().product_code(ARCHIVE).send().await.expect("an answer");
    let values =
        answer.entitlements().iter().map(|e| (e.dimension().expect("a dimension"), e.value().cloned()));
    let value = EntitlementValue::builder;
    let expected = [
        ("seats", value().integer_value(4)),
        ("support", value().boolean_value(true)),
        ("terabytes", value().double_value(12.0)),
        ("tier", value().string_value("3")),
    ];
    assert_eq!(
        values.collect::<Vec<_>>(),
        expected.map(|(dimension, value)| (dimension, Some(value.build())))
    );
    market.stop().await;
}

#[tokio::test]
async fn filters_leave_what_all_of_them_name() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    let identifier = market.identifier(CIRRUS, BEACON);
    let (_, licence) = market.agreement("offer-vault", LABS);
    let (nodes, seats) = (EVERYTHING[0], EVERYTHING[2]);
    type Filters<'a> = &'a [(By, &'a [&'a str])];
    let cases: [(Filters, &[(&str, &str)]); 5] = [
        (&[], &EVERYTHING),
        (&[(By::Dimension, &["seats", "nodes"])], &EVERYTHING),
        (&[(By::CustomerIdentifier, &[identifier])], &[seats]),
        (&[(By::LicenseArn, &[licence]), (By::Dimension, &["nodes"])], &[nodes]),
        (&[(By::LicenseArn, &[licence]), (By::CustomerIdentifier, &[identifier])], &[]),
    ];
    for (filters, left) in cases {
        let mut asked = of_vault(&client);
        for (by, values) in filters {
            asked = asked.filter(by.clone(), values.iter().map(|value| (*value).to_owned()).collect());
        }
        let answer = asked.send().await.expect("an answer");
        assert_eq!(names(answer.entitlements()), left, "{filters:?}");
    }
    market.stop().await;
}

#[tokio::test]
async fn pages_of_any_size_hold_everything_once() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    for size in [1, 2, 3, 25] {
        let mut pages = of_vault(&client).into_paginator().page_size(size).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.expect("a page").entitlements.expect("a list");
            assert!(page.len() <= size as usize);
            found.extend(page);
        }
        assert_eq!(names(&found), EVERYTHING);
    }
    market.stop().await;
}

#[tokio::test]
async fn no_entitlements_are_an_empty_list() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    let answer = client.get_entitlements().product_code(PIPELINE).send().await.expect("an answer");
    assert_eq!((answer.entitlements, answer.next_token), (Some(Vec::new()), None));
    market.stop().await;
}

#[tokio::test]
async fn wrong_parameters_are_a_typed_error_in_cbor() {
    let market = Market::start().await;
    let client = client_of(&market, keys_of(CIRRUS));
    let customer = |asked: GetEntitlementsFluentBuilder, by| asked.filter(by, vec![LABS.to_owned()]);
    for wrong in [
        client.get_entitlements().product_code("nosuchproductcode00000001"),
        of_vault(&client).max_results(26),
        of_vault(&client).next_token("made-up"),
        customer(of_vault(&client), By::from("COLOUR")),
        customer(customer(of_vault(&client), By::CustomerIdentifier), By::CustomerAwsAccountId),
        of_vault(&client_of(&market, keys_of(STRATUS))),
    ] {
        let SdkError::ServiceError(refusal) = wrong.send().await.expect_err("a refusal") else {
            panic!("the answer could not be read");
        };
        assert_eq!(refusal.raw().status().as_u16(), 400);
        assert_eq!(refusal.raw().headers().get("smithy-protocol"), Some("rpc-v2-cbor"));
        let error = refusal.into_err();
        assert!(error.is_invalid_parameter_exception(), "{error:?}");
        assert!(error.message().is_some() && error.meta().request_id().is_some(), "{error:?}");
    }
    market.stop().await;
}

#[tokio::test]
async fn refused_callers_are_told_in_cbor() {
    let mut market = Market::start().await;
    let keys = keys_of(CIRRUS);
    let wrong = Credentials::new(keys.access_key_id(), "not the secret", None, None, "tests");
    let (status, error) = refused(of_vault(&client_of(&market, wrong)).send().await);
    assert_eq!((status, error.code()), (403, Some("InvalidSignatureException")));
    market.endpoint = market.endpoint.replace("/s/", "/s/not-");
    let (status, error) = refused(of_vault(&client_of(&market, keys)).send().await);
    assert_eq!((status, error.code()), (403, Some("UnrecognizedClientException")));
    market.stop().await;
}
