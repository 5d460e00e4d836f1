//! Resale authorizations, and what resellers owe.

use souk_core::catalog::{Marketplace, NewResaleAuthorization, ResaleAuthorization, WholesalePricing};
use souk_core::ids::{AccountId, ProductId, ResaleAuthorizationId};
use souk_core::invoicing::InvoiceLine;
use souk_core::money::Rate;
use souk_core::rejection::{Code, Rejection};
use souk_core::terms::Terms;
use souk_proto::billing::v1 as billing;
use souk_proto::catalog::v1 as proto;

use super::required_text;
use super::terms::{from_proto_terms, to_proto_terms};
use super::time::{from_proto_optional_date, to_proto_date, to_proto_time};

/// Reads an authorization to be granted.
///
/// # Errors
/// No product, a reseller or buyer that is no account id, a wrong date, a text that is no percentage, what is wrong with
/// its terms, and two ways to say the wholesale prices, or none.
pub fn from_proto_authorization(
    authorization: proto::ResaleAuthorization,
) -> Result<NewResaleAuthorization, Rejection> {
    let id = &authorization.resale_authorization_id;
    let buyer =
        |(index, id): (usize, &String)| AccountId::from_field(id, &format!("buyerAccountIds[{index}]"));
    let buyers = authorization.buyer_account_ids.iter().enumerate().map(buyer);
    Ok(NewResaleAuthorization {
        id: (!id.is_empty()).then(|| ResaleAuthorizationId::new(id)),
        product: ProductId::new(required_text(&authorization.product_id, "productId")?),
        reseller: AccountId::from_field(&authorization.reseller_account_id, "resellerAccountId")?,
        name: authorization.name,
        description: authorization.description,
        single_use: authorization.single_use,
        until: from_proto_optional_date(&authorization.availability_end_date, "availabilityEndDate")?,
        buyer_accounts: buyers.collect::<Result<_, _>>()?,
        pricing: from_proto_pricing(
            &authorization.discount_percentage,
            from_proto_terms(authorization.terms)?,
        )?,
    })
}

fn from_proto_pricing(discount: &str, terms: Terms) -> Result<WholesalePricing, Rejection> {
    let field = "discountPercentage";
    match (discount.is_empty(), terms == Terms::default()) {
        (true, false) => Ok(WholesalePricing::Terms(Box::new(terms))),
        (false, true) => {
            let message =
                format!("\"{discount}\" is no percentage (J1): write 0 to 100 with at most two decimals");
            Rate::parse(discount)
                .map(WholesalePricing::Discount)
                .ok_or_else(|| Rejection::new(Code::FieldInvalid, field, message))
        }
        (true, true) => {
            let message = "say what the reseller pays (J1): a discount of the public prices in percent, or terms with \
                           prices";
            Err(Rejection::new(Code::FieldMissing, field, message))
        }
        (false, false) => {
            let message = "a discount beside prices (J1): leave one of them out";
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// An authorization as it stands.
pub fn to_proto_authorization(authorization: &ResaleAuthorization) -> proto::ResaleAuthorization {
    let (discount_percentage, terms) = match &authorization.pricing {
        WholesalePricing::Discount(discount) => (discount.number(), Vec::new()),
        WholesalePricing::Terms(terms) => (String::new(), to_proto_terms(terms)),
    };
    proto::ResaleAuthorization {
        resale_authorization_id: authorization.id.to_string(),
        product_id: authorization.product.to_string(),
        reseller_account_id: authorization.reseller.to_string(),
        name: authorization.name.clone(),
        description: authorization.description.clone(),
        single_use: authorization.single_use,
        availability_end_date: authorization.until.map(to_proto_date).unwrap_or_default(),
        discount_percentage,
        terms,
        buyer_account_ids: authorization.buyer_accounts.iter().map(AccountId::to_string).collect(),
        status: match authorization.restricted_at {
            None => proto::ResaleAuthorizationStatus::Active,
            Some(_) => proto::ResaleAuthorizationStatus::Restricted,
        }
        .into(),
        grant_time: Some(to_proto_time(authorization.granted_at)),
        restriction_time: authorization.restricted_at.map(to_proto_time),
    }
}

/// How a line's amount is shared with the manufacturer, of what a reseller sells. Offers and products are never
/// deleted, so every such line has both.
pub fn to_proto_resale(line: &InvoiceLine, market: &Marketplace) -> Option<billing::Resale> {
    let wholesale = line.wholesale?;
    let resale = market.offers().get(&line.offer)?.resale.as_ref()?;
    Some(billing::Resale {
        resale_authorization_id: resale.authorization.to_string(),
        manufacturer_account_id: market.products().get(&line.product)?.seller.to_string(),
        wholesale_amount: wholesale.to_string(),
        markup: line.amount.plus(wholesale.negated()).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use souk_core::rejection::Code::{FieldInvalid, FieldMissing};
    use souk_proto::terms::v1 as terms;

    use super::super::refusal;
    use super::*;

    fn authorization() -> proto::ResaleAuthorization {
        let rate_card = BTreeMap::from([("users".to_owned(), "0.20".to_owned())]);
        let usage = terms::UsageBasedPricingTerm { currency_code: "USD".to_owned(), rate_card };
        proto::ResaleAuthorization {
            product_id: "prod-1".to_owned(),
            reseller_account_id: "000000000003".to_owned(),
            availability_end_date: "2025-06-30".to_owned(),
            terms: vec![terms::Term { term: Some(terms::term::Term::UsageBasedPricing(usage)) }],
            buyer_account_ids: vec!["000000000002".to_owned()],
            ..Default::default()
        }
    }

    #[test]
    fn a_wrong_authorization_is_named_by_its_field() {
        type Spoil = fn(&mut proto::ResaleAuthorization);
        let spoils: [(Spoil, Code, &str); 8] = [
            (|a| a.product_id.clear(), FieldMissing, "productId"),
            (|a| a.reseller_account_id.clear(), FieldMissing, "resellerAccountId"),
            (|a| a.reseller_account_id.push('1'), FieldInvalid, "resellerAccountId"),
            (|a| a.buyer_account_ids.push("x".to_owned()), FieldInvalid, "buyerAccountIds[1]"),
            (|a| a.availability_end_date.push('T'), FieldInvalid, "availabilityEndDate"),
            (|a| a.terms.clear(), FieldMissing, "discountPercentage"),
            (|a| a.discount_percentage = "20".to_owned(), FieldInvalid, "discountPercentage"),
            (
                |a| {
                    a.terms.clear();
                    a.discount_percentage = "20 %".to_owned();
                },
                FieldInvalid,
                "discountPercentage",
            ),
        ];
        for (spoil, code, field) in spoils {
            let mut wrong = authorization();
            spoil(&mut wrong);
            assert_eq!(refusal(from_proto_authorization(wrong)), Some((code, field.to_owned())));
        }
    }

    #[test]
    fn a_discount_is_said_in_percent() {
        let said = proto::ResaleAuthorization {
            terms: Vec::new(),
            discount_percentage: "12.5".to_owned(),
            ..authorization()
        };
        let read = from_proto_authorization(said).unwrap();
        assert_eq!(read.pricing, WholesalePricing::Discount(Rate::from_hundredths_of_percent(1_250)));
        assert_eq!(read.buyer_accounts, [AccountId::from_number(2).unwrap()]);
    }
}
