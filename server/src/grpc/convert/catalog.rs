//! Products, offers and price changes.

use std::collections::{BTreeMap, BTreeSet};

use souk_core::catalog::{
    BilledBy, Dimension, DimensionType, EntitlementValueKind, NewOffer, NewProduct, Offer, PriceChange,
    Product, ProductType, RenewalKind, UsageCategory,
};
use souk_core::ids::{AccountId, DimensionKey, OfferId, ProductCode, ProductId, ResaleAuthorizationId};
use souk_core::money::PriceDecimals;
use souk_core::rejection::{Code, Rejection};
use souk_core::terms::RateCard;
use souk_proto::catalog::v1 as proto;

use super::terms::{
    from_proto_rate_card, from_proto_terms, to_proto_rate_card, to_proto_terms, to_proto_upfront_cards,
};
use super::time::{from_proto_optional_date, to_proto_date, to_proto_time};
use super::{from_proto_enum, required_text};

/// Reads a product to be published.
///
/// # Errors
/// A seller that is no account id, and types that are absent or unknown.
pub fn from_proto_product(product: proto::Product) -> Result<NewProduct, Rejection> {
    Ok(NewProduct {
        id: given(&product.product_id).map(ProductId::new),
        code: given(&product.product_code).map(ProductCode::new),
        title: product.title,
        seller: AccountId::from_field(&product.seller_account_id, "sellerAccountId")?,
        product_type: from_proto_product_type(product.product_type)?,
        usage_category: from_proto_usage_category(product.usage_category)?,
        dimensions: from_proto_dimensions(product.dimensions)?,
        concurrent_agreements: product.concurrent_agreements,
    })
}

/// A product with its ids.
pub fn to_proto_product(product: &Product) -> proto::Product {
    proto::Product {
        product_id: product.id.to_string(),
        product_code: product.code.to_string(),
        title: product.title.clone(),
        seller_account_id: product.seller.to_string(),
        product_type: to_proto_product_type(product.product_type).into(),
        usage_category: to_proto_usage_category(product.usage_category).into(),
        dimensions: product.dimensions.iter().map(to_proto_dimension).collect(),
        concurrent_agreements: product.concurrent_agreements,
    }
}

/// Reads dimensions; fields begin with `dimensions`.
///
/// # Errors
/// As [`from_proto_dimension`].
pub fn from_proto_dimensions(dimensions: Vec<proto::Dimension>) -> Result<Vec<Dimension>, Rejection> {
    let read = |(index, dimension)| {
        from_proto_dimension(dimension).map_err(|r: Rejection| r.within(&format!("dimensions[{index}]")))
    };
    dimensions.into_iter().enumerate().map(read).collect()
}

/// Reads a dimension; its name is its key when absent.
///
/// # Errors
/// A type that is not said or unknown.
pub fn from_proto_dimension(dimension: proto::Dimension) -> Result<Dimension, Rejection> {
    let proto::Dimension { key, name, description, unit, types, entitlement_value_kind, billed_by } =
        dimension;
    let types = types.into_iter().enumerate().map(from_proto_dimension_type).collect::<Result<_, _>>()?;
    let name = if name.is_empty() { key.clone() } else { name };
    let value_kind = from_proto_value_kind(entitlement_value_kind)?;
    let billed_by = from_proto_billed_by(billed_by)?;
    Ok(Dimension { key: DimensionKey::new(&key), name, description, unit, types, value_kind, billed_by })
}

/// A dimension.
pub fn to_proto_dimension(dimension: &Dimension) -> proto::Dimension {
    let Dimension { key, name, description, unit, types, value_kind, billed_by } = dimension;
    proto::Dimension {
        key: key.to_string(),
        name: name.clone(),
        description: description.clone(),
        unit: unit.clone(),
        types: to_proto_dimension_types(types),
        entitlement_value_kind: to_proto_value_kind(*value_kind).into(),
        billed_by: to_proto_billed_by(*billed_by).into(),
    }
}

fn from_proto_billed_by(number: i32) -> Result<Option<BilledBy>, Rejection> {
    Ok(match from_proto_enum(number, "billedBy")? {
        proto::BilledBy::Unspecified => None,
        proto::BilledBy::Second => Some(BilledBy::Second),
        proto::BilledBy::Minute => Some(BilledBy::Minute),
        proto::BilledBy::Inference => Some(BilledBy::Inference),
    })
}

fn to_proto_billed_by(billed_by: Option<BilledBy>) -> proto::BilledBy {
    match billed_by {
        None => proto::BilledBy::Unspecified,
        Some(BilledBy::Second) => proto::BilledBy::Second,
        Some(BilledBy::Minute) => proto::BilledBy::Minute,
        Some(BilledBy::Inference) => proto::BilledBy::Inference,
    }
}

fn from_proto_value_kind(number: i32) -> Result<EntitlementValueKind, Rejection> {
    use proto::EntitlementValueKind as Kind;
    Ok(match from_proto_enum(number, "entitlementValueKind")? {
        Kind::Unspecified | Kind::Integer => EntitlementValueKind::Integer,
        Kind::Double => EntitlementValueKind::Double,
        Kind::Boolean => EntitlementValueKind::Boolean,
        Kind::String => EntitlementValueKind::String,
    })
}

fn to_proto_value_kind(kind: EntitlementValueKind) -> proto::EntitlementValueKind {
    use proto::EntitlementValueKind as Kind;
    match kind {
        EntitlementValueKind::Integer => Kind::Integer,
        EntitlementValueKind::Double => Kind::Double,
        EntitlementValueKind::Boolean => Kind::Boolean,
        EntitlementValueKind::String => Kind::String,
    }
}

/// Reads an offer to be released.
///
/// # Errors
/// No product, a buyer that is no account id, a wrong date, and what is wrong with its terms.
pub fn from_proto_offer(offer: proto::Offer) -> Result<NewOffer, Rejection> {
    let product = ProductId::new(required_text(&offer.product_id, "productId")?);
    let buyer =
        |(index, id): (usize, &String)| AccountId::from_field(id, &format!("buyerAccountIds[{index}]"));
    Ok(NewOffer {
        id: given(&offer.offer_id).map(OfferId::new),
        product,
        name: offer.name,
        buyer_accounts: offer.buyer_account_ids.iter().enumerate().map(buyer).collect::<Result<_, _>>()?,
        program: given(&offer.program).map(str::to_owned),
        country_codes: offer.country_codes,
        accept_by: from_proto_optional_date(&offer.availability_end_date, "availabilityEndDate")?,
        renewal_kind: match from_proto_enum(offer.renewal_kind, "renewalKind")? {
            proto::RenewalKind::Unspecified => None,
            proto::RenewalKind::ExistingOnMarketplace => Some(RenewalKind::ExistingOnMarketplace),
            proto::RenewalKind::MovingToMarketplace => Some(RenewalKind::MovingToMarketplace),
        },
        terms: from_proto_terms(offer.terms)?,
        resale_authorization: given(&offer.resale_authorization_id).map(ResaleAuthorizationId::new),
    })
}

/// An offer as it was released; its price changes are not part of it.
pub fn to_proto_offer(offer: &Offer) -> proto::Offer {
    proto::Offer {
        offer_id: offer.id.to_string(),
        product_id: offer.product.to_string(),
        name: offer.name.clone(),
        buyer_account_ids: offer.targeting.buyer_accounts.iter().map(AccountId::to_string).collect(),
        availability_end_date: offer.accept_by.map(to_proto_date).unwrap_or_default(),
        terms: to_proto_terms(&offer.terms),
        program: offer.targeting.program.clone().unwrap_or_default(),
        country_codes: offer.targeting.country_codes.iter().cloned().collect(),
        resale_authorization_id: offer
            .resale
            .as_ref()
            .map(|resale| resale.authorization.to_string())
            .unwrap_or_default(),
        renewal_kind: match offer.renewal_kind {
            None => proto::RenewalKind::Unspecified,
            Some(RenewalKind::ExistingOnMarketplace) => proto::RenewalKind::ExistingOnMarketplace,
            Some(RenewalKind::MovingToMarketplace) => proto::RenewalKind::MovingToMarketplace,
        }
        .into(),
    }
}

/// A change of prices.
pub fn to_proto_price_change(change: &PriceChange) -> proto::PriceChange {
    let PriceChange { notice, existing_from, usage, upfront } = change;
    proto::PriceChange {
        notice_time: Some(to_proto_time(*notice)),
        existing_subscribers_from: Some(to_proto_time(*existing_from)),
        rate_card: to_proto_rate_card(usage),
        upfront_rate_cards: to_proto_upfront_cards(upfront),
    }
}

/// Reads the prices of new dimensions by offer; fields begin with `prices`.
///
/// # Errors
/// As [`from_proto_offer_rates`], and an offer that stands twice.
pub fn from_proto_prices(prices: Vec<proto::OfferRates>) -> Result<BTreeMap<OfferId, RateCard>, Rejection> {
    let mut read = BTreeMap::new();
    for (index, rates) in prices.into_iter().enumerate() {
        let path = format!("prices[{index}]");
        let (offer, card) = from_proto_offer_rates(&rates).map_err(|r| r.within(&path))?;
        if read.insert(offer, card).is_some() {
            let message = format!("{} stands twice: give its prices together", rates.offer_id);
            return Err(Rejection::new(Code::FieldInvalid, format!("{path}.offerId"), message));
        }
    }
    Ok(read)
}

/// Reads the prices of new dimensions in one offer.
///
/// # Errors
/// No offer, and a text that is no price.
pub fn from_proto_offer_rates(rates: &proto::OfferRates) -> Result<(OfferId, RateCard), Rejection> {
    let offer = OfferId::new(required_text(&rates.offer_id, "offerId")?);
    Ok((offer, from_proto_rate_card(&rates.rate_card, PriceDecimals::Metered, "rateCard")?))
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn from_proto_product_type(number: i32) -> Result<ProductType, Rejection> {
    match from_proto_enum(number, "productType")? {
        proto::ProductType::Ami => Ok(ProductType::Ami),
        proto::ProductType::Container => Ok(ProductType::Container),
        proto::ProductType::Saas => Ok(ProductType::Saas),
        proto::ProductType::MachineLearning => Ok(ProductType::MachineLearning),
        proto::ProductType::ProfessionalServices => Ok(ProductType::ProfessionalServices),
        proto::ProductType::Unspecified => {
            let message =
                "a product type is required: AMI, CONTAINER, SAAS, MACHINE_LEARNING or PROFESSIONAL_SERVICES";
            Err(Rejection::new(Code::FieldMissing, "productType", message))
        }
    }
}

fn to_proto_product_type(product_type: ProductType) -> proto::ProductType {
    match product_type {
        ProductType::Ami => proto::ProductType::Ami,
        ProductType::Container => proto::ProductType::Container,
        ProductType::Saas => proto::ProductType::Saas,
        ProductType::MachineLearning => proto::ProductType::MachineLearning,
        ProductType::ProfessionalServices => proto::ProductType::ProfessionalServices,
    }
}

fn from_proto_usage_category(number: i32) -> Result<Option<UsageCategory>, Rejection> {
    let category = match from_proto_enum(number, "usageCategory")? {
        proto::UsageCategory::Unspecified => return Ok(None),
        proto::UsageCategory::Users => UsageCategory::Users,
        proto::UsageCategory::Hosts => UsageCategory::Hosts,
        proto::UsageCategory::Bandwidth => UsageCategory::Bandwidth,
        proto::UsageCategory::Data => UsageCategory::Data,
        proto::UsageCategory::Tiers => UsageCategory::Tiers,
        proto::UsageCategory::Units => UsageCategory::Units,
    };
    Ok(Some(category))
}

fn to_proto_usage_category(category: Option<UsageCategory>) -> proto::UsageCategory {
    match category {
        None => proto::UsageCategory::Unspecified,
        Some(UsageCategory::Users) => proto::UsageCategory::Users,
        Some(UsageCategory::Hosts) => proto::UsageCategory::Hosts,
        Some(UsageCategory::Bandwidth) => proto::UsageCategory::Bandwidth,
        Some(UsageCategory::Data) => proto::UsageCategory::Data,
        Some(UsageCategory::Tiers) => proto::UsageCategory::Tiers,
        Some(UsageCategory::Units) => proto::UsageCategory::Units,
    }
}

fn from_proto_dimension_type((index, number): (usize, i32)) -> Result<DimensionType, Rejection> {
    let field = format!("types[{index}]");
    match from_proto_enum(number, &field)? {
        proto::DimensionType::Metered => Ok(DimensionType::Metered),
        proto::DimensionType::ExternallyMetered => Ok(DimensionType::ExternallyMetered),
        proto::DimensionType::Entitled => Ok(DimensionType::Entitled),
        proto::DimensionType::Unspecified => {
            let message = "a dimension type is required: METERED, EXTERNALLY_METERED or ENTITLED";
            Err(Rejection::new(Code::FieldMissing, field, message))
        }
    }
}

fn to_proto_dimension_types(types: &BTreeSet<DimensionType>) -> Vec<i32> {
    let write = |dimension_type: &DimensionType| match dimension_type {
        DimensionType::Metered => proto::DimensionType::Metered.into(),
        DimensionType::ExternallyMetered => proto::DimensionType::ExternallyMetered.into(),
        DimensionType::Entitled => proto::DimensionType::Entitled.into(),
    };
    types.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing, PriceInvalid};
    use souk_core::rules::{Profile, Rules};
    use souk_proto::terms::v1 as terms;

    use super::super::refusal;
    use super::*;

    fn product() -> proto::Product {
        proto::Product {
            title: "Widgets".to_owned(),
            seller_account_id: "000000000001".to_owned(),
            product_type: proto::ProductType::Saas.into(),
            usage_category: proto::UsageCategory::Users.into(),
            dimensions: vec![dimension()],
            ..Default::default()
        }
    }

    fn dimension() -> proto::Dimension {
        let types = [proto::DimensionType::ExternallyMetered, proto::DimensionType::Entitled];
        proto::Dimension {
            key: "users".to_owned(),
            types: types.into_iter().map(i32::from).collect(),
            entitlement_value_kind: proto::EntitlementValueKind::Boolean.into(),
            ..Default::default()
        }
    }

    fn offer() -> proto::Offer {
        let rate_card = BTreeMap::from([("users".to_owned(), "0.25".to_owned())]);
        let usage = terms::UsageBasedPricingTerm { currency_code: "USD".to_owned(), rate_card };
        proto::Offer {
            product_id: "prod-1".to_owned(),
            buyer_account_ids: vec!["000000000002".to_owned()],
            availability_end_date: "2025-06-30".to_owned(),
            terms: vec![terms::Term { term: Some(terms::term::Term::UsageBasedPricing(usage)) }],
            ..Default::default()
        }
    }

    #[test]
    fn a_wrong_product_is_named_by_its_field() {
        type Spoil = fn(&mut proto::Product);
        let spoils: [(Spoil, Code, &str); 9] = [
            (|p| p.seller_account_id.clear(), FieldMissing, "sellerAccountId"),
            (|p| p.seller_account_id = "1".to_owned(), FieldInvalid, "sellerAccountId"),
            (|p| p.product_type = 0, FieldMissing, "productType"),
            (|p| p.product_type = 9, FieldInvalid, "productType"),
            (|p| p.usage_category = 7, FieldInvalid, "usageCategory"),
            (|p| p.dimensions[0].types.push(0), FieldMissing, "dimensions[0].types[2]"),
            (|p| p.dimensions[0].types[0] = 4, FieldInvalid, "dimensions[0].types[0]"),
            (
                |p| p.dimensions[0].entitlement_value_kind = 5,
                FieldInvalid,
                "dimensions[0].entitlementValueKind",
            ),
            (
                |p| p.dimensions.push(proto::Dimension { types: vec![-1], ..dimension() }),
                FieldInvalid,
                "dimensions[1].types[0]",
            ),
        ];
        for (spoil, code, field) in spoils {
            let mut product = product();
            spoil(&mut product);
            assert_eq!(refusal(from_proto_product(product)), Some((code, field.to_owned())));
        }
    }

    #[test]
    fn a_product_goes_out_as_it_came_in_with_ids_and_names() {
        let published = from_proto_product(product()).unwrap().publish(&Rules::of(Profile::Source)).unwrap();
        let mut expected = product();
        expected.product_id = published.id.to_string();
        expected.product_code = published.code.to_string();
        expected.dimensions[0].name = "users".to_owned();
        assert_eq!(to_proto_product(&published), expected);
        let again = from_proto_product(expected.clone()).unwrap().publish(&Rules::of(Profile::Source));
        assert_eq!(again.map(|product| to_proto_product(&product)), Ok(expected));
    }

    #[test]
    fn a_wrong_offer_is_named_by_its_field() {
        type Spoil = fn(&mut proto::Offer);
        let spoils: [(Spoil, Code, &str); 6] = [
            (|o| o.product_id.clear(), FieldMissing, "productId"),
            (|o| o.buyer_account_ids.push(String::new()), FieldMissing, "buyerAccountIds[1]"),
            (|o| o.buyer_account_ids[0].push('0'), FieldInvalid, "buyerAccountIds[0]"),
            (|o| o.availability_end_date.push('T'), FieldInvalid, "availabilityEndDate"),
            (|o| o.availability_end_date = "2025-06-31".to_owned(), FieldInvalid, "availabilityEndDate"),
            (|o| o.terms.push(terms::Term { term: None }), FieldMissing, "terms[1]"),
        ];
        for (spoil, code, field) in spoils {
            let mut offer = offer();
            spoil(&mut offer);
            assert_eq!(refusal(from_proto_offer(offer)), Some((code, field.to_owned())));
        }
    }

    #[test]
    fn an_offer_goes_out_as_it_came_in() {
        let offer =
            || proto::Offer { renewal_kind: proto::RenewalKind::MovingToMarketplace.into(), ..offer() };
        let NewOffer { product, name, buyer_accounts, accept_by, renewal_kind, terms, .. } =
            from_proto_offer(offer()).unwrap();
        let targeting = souk_core::catalog::Targeting {
            buyer_accounts: buyer_accounts.into_iter().collect(),
            ..Default::default()
        };
        let released_at = souk_core::time::Timestamp::MIN;
        let id = OfferId::new("offer-1");
        let released = Offer {
            id,
            product,
            name,
            targeting,
            accept_by,
            renewal_kind,
            terms,
            released_at,
            visible_from: released_at,
            price_changes: Vec::new(),
            resale: None,
        };
        assert_eq!(to_proto_offer(&released), proto::Offer { offer_id: "offer-1".to_owned(), ..offer() });
    }

    #[test]
    fn prices_of_new_dimensions_name_each_offer_once() {
        let rates = |offer: &str, price: &str| proto::OfferRates {
            offer_id: offer.to_owned(),
            rate_card: BTreeMap::from([("hosts".to_owned(), price.to_owned())]),
        };
        let read = from_proto_prices(vec![rates("offer-2", "1"), rates("offer-1", "2.50")]).unwrap();
        let written: Vec<_> = read.iter().map(|(id, card)| (id.as_str(), to_proto_rate_card(card))).collect();
        assert_eq!(
            written,
            [("offer-1", rates("", "2.50").rate_card), ("offer-2", rates("", "1.00").rate_card)]
        );
        for (second, code, field) in [
            (rates("", "1"), FieldMissing, "prices[1].offerId"),
            (rates("offer-1", "1"), FieldInvalid, "prices[1].offerId"),
            (rates("offer-2", "one"), PriceInvalid, "prices[1].rateCard[hosts]"),
        ] {
            let refused = refusal(from_proto_prices(vec![rates("offer-1", "1"), second]));
            assert_eq!(refused, Some((code, field.to_owned())));
        }
    }
}
