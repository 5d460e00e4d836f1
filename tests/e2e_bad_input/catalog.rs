//! Accounts, products and dimensions that are refused.

use souk_proto::account::v1::{AccessKey, Account, Address};
use souk_proto::catalog::v1::{
    Dimension, DimensionType, Offer, OfferRates, Product, ProductType, UsageCategory,
};

use super::offers::{private, upfront};
use super::{BUYER, NOBODY, OTHER, PAYER, SANDBOX, everything, is, start, unchanged};
use crate::words::SELLER;

fn account(id: &str, payer: &str) -> Account {
    Account { account_id: id.to_owned(), payer_account_id: payer.to_owned(), ..Account::default() }
}

#[tokio::test]
async fn accounts_keep_their_payers_and_payers_pay_for_themselves() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let new = "000000000301";
    let key = |id: &str, secret: &str| Account {
        access_keys: vec![AccessKey { access_key_id: id.to_owned(), secret_access_key: secret.to_owned() }],
        ..account(new, "")
    };
    let in_country = Account {
        address: Some(Address { country: "Germany".to_owned(), ..Address::default() }),
        ..account(new, "")
    };
    for (account, expected) in [
        (account("", ""), "InvalidArgument FIELD_MISSING account.accountId"),
        (account("301", ""), "InvalidArgument FIELD_INVALID account.accountId"),
        (account(new, "100"), "InvalidArgument FIELD_INVALID account.payerAccountId"),
        (account(new, NOBODY), "NotFound ACCOUNT_UNKNOWN account.payerAccountId"),
        // A linked account pays for nobody, and who pays for others is not linked.
        (account(new, BUYER), "InvalidArgument PAYER_IS_LINKED account.payerAccountId"),
        (account(BUYER, OTHER), "FailedPrecondition PAYER_FIXED account.payerAccountId"),
        (account(BUYER, ""), "FailedPrecondition PAYER_FIXED account.payerAccountId"),
        (account(PAYER, OTHER), "FailedPrecondition PAYER_FIXED account.payerAccountId"),
        (in_country, "InvalidArgument FIELD_INVALID account.address.country"),
        (key("AKIA", "s"), "InvalidArgument FIELD_INVALID account.accessKeys[0].accessKeyId"),
        (
            key("AKIA0000000000000002", ""),
            "InvalidArgument FIELD_MISSING account.accessKeys[0].secretAccessKey",
        ),
        (
            key("AKIA0000000000000001", "s"),
            "AlreadyExists ACCESS_KEY_TAKEN account.accessKeys[0].accessKeyId",
        ),
    ] {
        is(client.put_account(SANDBOX, account).await, expected);
    }
    is(client.put_account("nowhere", account(new, "")).await, "NotFound SANDBOX_UNKNOWN sandbox");
    unchanged(served, &before).await;
}

fn dimension(key: &str, types: &[DimensionType]) -> Dimension {
    Dimension {
        key: key.to_owned(),
        unit: "Units".to_owned(),
        types: types.iter().map(|&dimension_type| dimension_type.into()).collect(),
        ..Dimension::default()
    }
}

fn metered(count: usize) -> Vec<Dimension> {
    (0..count).map(|n| dimension(&format!("d{n}"), &[DimensionType::ExternallyMetered])).collect()
}

fn product() -> Product {
    Product {
        product_id: "prod-new".to_owned(),
        title: "New".to_owned(),
        seller_account_id: SELLER.to_owned(),
        product_type: ProductType::Saas.into(),
        usage_category: UsageCategory::Units.into(),
        dimensions: metered(1),
        ..Product::default()
    }
}

#[tokio::test]
async fn a_product_has_dimensions_that_go_together_and_a_seller() {
    use DimensionType::{Entitled, ExternallyMetered, Metered, Unspecified};
    type Change = fn(&mut Product);
    let rows: [(Change, &str); 24] = [
        (|p| p.title.clear(), "InvalidArgument FIELD_MISSING product.title"),
        (|p| p.product_id = "prod new".to_owned(), "InvalidArgument FIELD_INVALID product.productId"),
        (|p| p.product_code = "a code".to_owned(), "InvalidArgument FIELD_INVALID product.productCode"),
        (|p| p.product_id = "prod-saas".to_owned(), "AlreadyExists PRODUCT_EXISTS product.productId"),
        (|p| p.product_code = "saascode".to_owned(), "AlreadyExists PRODUCT_EXISTS product.productCode"),
        (|p| p.seller_account_id.clear(), "InvalidArgument FIELD_MISSING product.sellerAccountId"),
        (|p| p.seller_account_id = NOBODY.to_owned(), "NotFound ACCOUNT_UNKNOWN product.sellerAccountId"),
        (
            |p| p.seller_account_id = BUYER.to_owned(),
            "FailedPrecondition NOT_A_SELLER product.sellerAccountId",
        ),
        (|p| p.product_type = 0, "InvalidArgument FIELD_MISSING product.productType"),
        (|p| p.product_type = 9, "InvalidArgument FIELD_INVALID product.productType"),
        (|p| p.usage_category = 0, "InvalidArgument USAGE_CATEGORY_MISSING product.usageCategory"),
        (|p| p.usage_category = 9, "InvalidArgument FIELD_INVALID product.usageCategory"),
        (|p| p.dimensions.clear(), "InvalidArgument DIMENSIONS_MISSING product.dimensions"),
        (|p| p.dimensions = metered(25), "InvalidArgument TOO_MANY_DIMENSIONS product.dimensions"),
        (
            |p| p.dimensions.push(p.dimensions[0].clone()),
            "AlreadyExists DIMENSION_EXISTS product.dimensions[1].key",
        ),
        (|p| p.dimensions[0].key.clear(), "InvalidArgument FIELD_MISSING product.dimensions[0].key"),
        (
            |p| p.dimensions[0].key = "a b".to_owned(),
            "InvalidArgument FIELD_INVALID product.dimensions[0].key",
        ),
        (
            |p| p.dimensions[0].types.clear(),
            "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions[0].types",
        ),
        (
            |p| p.dimensions = vec![dimension("d", &[Unspecified])],
            "InvalidArgument FIELD_MISSING product.dimensions[0].types[0]",
        ),
        (|p| p.dimensions[0].types = vec![9], "InvalidArgument FIELD_INVALID product.dimensions[0].types[0]"),
        (
            |p| p.dimensions = vec![dimension("d", &[Metered])],
            "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions[0].types",
        ),
        (
            |p| p.dimensions = vec![dimension("d", &[Metered, Entitled])],
            "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions[0].types",
        ),
        (
            |p| {
                p.product_type = ProductType::Ami.into();
                p.dimensions = vec![dimension("a", &[Metered]), dimension("b", &[ExternallyMetered])];
            },
            "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions",
        ),
        (
            |p| {
                p.product_type = ProductType::Container.into();
                p.dimensions = vec![dimension("a", &[Entitled]), dimension("b", &[ExternallyMetered])];
            },
            "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions",
        ),
    ];
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    for (change, expected) in rows {
        let mut wrong = product();
        change(&mut wrong);
        is(client.create_product(SANDBOX, wrong).await, expected);
    }
    is(client.create_product("nowhere", product()).await, "NotFound SANDBOX_UNKNOWN sandbox");
    unchanged(served, &before).await;
}

#[tokio::test]
async fn b_01_a_product_grows_to_24_dimensions_each_with_its_price() {
    let served = start().await;
    let client = &served.client;
    let rates = |keys: &[Dimension]| {
        let card = keys.iter().map(|key| (key.key.clone(), "0.01".to_owned())).collect();
        vec![OfferRates { offer_id: "offer-saas".to_owned(), rate_card: card }]
    };
    // The private offer that has expired is priced, too.
    let both = |keys: &[Dimension]| {
        let mut prices = rates(keys);
        prices.push(OfferRates { offer_id: "offer-expired".to_owned(), ..prices[0].clone() });
        prices
    };
    let seats = Product {
        product_id: "prod-seats".to_owned(),
        dimensions: vec![dimension("seats", &[DimensionType::Entitled])],
        ..product()
    };
    client.create_product(SANDBOX, seats).await.expect("a product");
    let contract = Offer {
        offer_id: "offer-seats".to_owned(),
        buyer_account_ids: Vec::new(),
        availability_end_date: String::new(),
        ..private("prod-seats", vec![upfront("P12M", &[("seats", "9")])])
    };
    client.create_offer(SANDBOX, contract).await.expect("an offer");
    let twenty_two = metered(22);
    client
        .add_dimensions(SANDBOX, "prod-saas", twenty_two[..21].to_vec(), both(&twenty_two[..21]))
        .await
        .expect("23 dimensions");
    let before = everything(client).await;
    let one = vec![twenty_two[21].clone()];
    let huge = vec![dimension("m5.huge", &[DimensionType::Metered])];
    let two = [one.clone(), metered(23).split_off(22)].concat();
    let metered_too = vec![dimension("extra", &[DimensionType::ExternallyMetered])];
    for (product, dimensions, prices, expected) in [
        ("prod-none", one.clone(), both(&one), "NotFound PRODUCT_UNKNOWN productId"),
        ("prod-saas", Vec::new(), Vec::new(), "InvalidArgument DIMENSIONS_MISSING dimensions"),
        ("prod-saas", two.clone(), both(&two), "InvalidArgument TOO_MANY_DIMENSIONS dimensions"),
        (
            "prod-saas",
            vec![dimension("users", &[DimensionType::ExternallyMetered])],
            Vec::new(),
            "AlreadyExists DIMENSION_EXISTS dimensions[0].key",
        ),
        (
            "prod-saas",
            one.clone(),
            rates(&one),
            "InvalidArgument RATE_CARD_INCOMPLETE prices[offer-expired].usageBasedPricing.rateCard",
        ),
        (
            "prod-saas",
            one.clone(),
            vec![OfferRates { offer_id: "offer-ami".to_owned(), ..rates(&one)[0].clone() }],
            "NotFound OFFER_UNKNOWN prices[offer-ami]",
        ),
        (
            "prod-ami",
            huge.clone(),
            Vec::new(),
            "InvalidArgument RATE_CARD_INCOMPLETE prices[offer-ami].usageBasedPricing.rateCard",
        ),
        (
            // Instance types are sold annually, each with its annual price.
            "prod-ami",
            huge.clone(),
            ["offer-ami", "offer-private"]
                .map(|offer| OfferRates { offer_id: offer.to_owned(), ..rates(&huge)[0].clone() })
                .to_vec(),
            "InvalidArgument RATE_CARD_INCOMPLETE dimensions",
        ),
        (
            "prod-seats",
            vec![dimension("more", &[DimensionType::Entitled])],
            Vec::new(),
            "InvalidArgument RATE_CARD_INCOMPLETE dimensions",
        ),
        (
            // An offer that sells no usage has no price for it.
            "prod-seats",
            metered_too.clone(),
            vec![OfferRates { offer_id: "offer-seats".to_owned(), ..rates(&metered_too)[0].clone() }],
            "InvalidArgument TERM_MISSING prices[offer-seats]",
        ),
    ] {
        is(client.add_dimensions(SANDBOX, product, dimensions, prices).await, expected);
    }
    assert!(everything(client).await == before, "a refused dimension changed something");
    let grown = client.add_dimensions(SANDBOX, "prod-saas", one.clone(), both(&one)).await.expect("the 24th");
    assert_eq!(grown.dimensions.len(), 24);
    served.stop().await;
}
