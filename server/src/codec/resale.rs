//! Resale authorizations, and what resellers owe.

use souk_core::catalog::{Change, Resale, ResaleAuthorization, WholesalePricing};
use souk_core::ids::{AccountId, ProductId, ResaleAuthorizationId};
use souk_core::invoicing::ResaleRow;
use souk_core::money::{Currency, Money, Rate};
use souk_core::terms::Terms;
use souk_core::time::Timestamp;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::resale_authorization::Pricing;
use souk_proto::journal::v1::revenue::Resale as StoredRow;
use souk_proto::terms::v1::Term;

use super::CodecError;
use super::value::{account, date, id, message, money, optional_time, required, required_time, unique};
use crate::grpc::convert::terms::{from_proto_terms, to_proto_terms};

pub(super) fn to_journal_authorization(authorization: &ResaleAuthorization) -> journal::ResaleAuthorization {
    let ResaleAuthorization {
        id,
        product,
        reseller,
        name,
        description,
        single_use,
        until,
        pricing,
        buyer_accounts,
        granted_at,
        restricted_at,
    } = authorization;
    journal::ResaleAuthorization {
        resale_authorization_id: id.to_string(),
        product_id: product.to_string(),
        reseller: Some(reseller.number()),
        name: Some(name.clone()),
        description: Some(description.clone()),
        single_use: Some(*single_use),
        until_day: until.map(|day| day.to_epoch_days()),
        pricing: Some(match pricing {
            WholesalePricing::Discount(discount) => {
                Pricing::DiscountHundredthsOfPercent(discount.hundredths_of_percent())
            }
            WholesalePricing::Terms(terms) => {
                Pricing::Prices(journal::WholesalePrices { terms: to_proto_terms(terms) })
            }
        }),
        buyers: buyer_accounts.iter().map(|buyer| buyer.number()).collect(),
        grant_micros: Some(granted_at.micros()),
        restriction_micros: restricted_at.map(Timestamp::micros),
    }
}

pub(super) fn from_journal_authorization(
    stored: journal::ResaleAuthorization,
) -> Result<ResaleAuthorization, CodecError> {
    let buyers = stored.buyers.into_iter().map(|number| account(Some(number), "buyers"));
    Ok(ResaleAuthorization {
        id: id(&stored.resale_authorization_id, ResaleAuthorizationId::new, "resale_authorization_id")?,
        product: id(&stored.product_id, ProductId::new, "product_id")?,
        reseller: account(stored.reseller, "reseller")?,
        name: required(stored.name, "name")?,
        description: required(stored.description, "description")?,
        single_use: required(stored.single_use, "single_use")?,
        until: stored.until_day.map(|day| date(day, "until_day")).transpose()?,
        pricing: match required(stored.pricing, "pricing")? {
            Pricing::DiscountHundredthsOfPercent(hundredths) => {
                WholesalePricing::Discount(Rate::from_hundredths_of_percent(hundredths))
            }
            Pricing::Prices(prices) => WholesalePricing::Terms(Box::new(from_terms(prices.terms, "prices")?)),
        },
        buyer_accounts: unique::<AccountId>(buyers.collect::<Result<_, _>>()?, "buyers")?,
        granted_at: required_time(stored.grant_micros, "grant_micros")?,
        restricted_at: optional_time(stored.restriction_micros, "restriction_micros")?,
    })
}

pub(super) fn to_journal_restricted(
    authorization: &ResaleAuthorizationId,
    at: Timestamp,
) -> journal::ResaleRestricted {
    journal::ResaleRestricted {
        resale_authorization_id: authorization.to_string(),
        restriction_micros: Some(at.micros()),
    }
}

pub(super) fn from_journal_restricted(stored: &journal::ResaleRestricted) -> Result<Change, CodecError> {
    Ok(Change::ResaleRestricted {
        authorization: id(
            &stored.resale_authorization_id,
            ResaleAuthorizationId::new,
            "resale_authorization_id",
        )?,
        at: required_time(stored.restriction_micros, "restriction_micros")?,
    })
}

pub(super) fn to_journal_resale(resale: &Resale) -> journal::Resale {
    let Resale { authorization, reseller, shows_buyer, wholesale } = resale;
    journal::Resale {
        resale_authorization_id: authorization.to_string(),
        reseller: Some(reseller.number()),
        shows_buyer: Some(*shows_buyer),
        wholesale: to_proto_terms(wholesale),
    }
}

pub(super) fn from_journal_resale(stored: journal::Resale) -> Result<Resale, CodecError> {
    Ok(Resale {
        authorization: id(
            &stored.resale_authorization_id,
            ResaleAuthorizationId::new,
            "resale_authorization_id",
        )?,
        reseller: account(stored.reseller, "reseller")?,
        shows_buyer: required(stored.shows_buyer, "shows_buyer")?,
        wholesale: from_terms(stored.wholesale, "wholesale")?,
    })
}

fn from_terms(terms: Vec<Term>, field: &str) -> Result<Terms, CodecError> {
    from_proto_terms(terms).map_err(|rejection| CodecError::invalid(field, &rejection))
}

pub(super) fn to_journal_row(row: &ResaleRow) -> StoredRow {
    match row {
        ResaleRow::Reseller { manufacturer, wholesale_fee_rate, cost, cost_refund } => {
            StoredRow::ResellerRow(journal::ResellerRow {
                manufacturer: Some(manufacturer.number()),
                wholesale_fee_rate_hundredths_of_percent: Some(wholesale_fee_rate.hundredths_of_percent()),
                cost_minor: cost.minor().to_string(),
                cost_refund_minor: (cost_refund.minor() != 0).then(|| cost_refund.minor().to_string()),
            })
        }
        ResaleRow::Manufacturer { reseller, shows_buyer } => {
            StoredRow::ManufacturerRow(journal::ManufacturerRow {
                reseller: Some(reseller.number()),
                shows_buyer: Some(*shows_buyer),
            })
        }
    }
}

pub(super) fn from_journal_row(row: &StoredRow, currency: Currency) -> Result<ResaleRow, CodecError> {
    Ok(match row {
        StoredRow::ResellerRow(row) => ResaleRow::Reseller {
            manufacturer: account(row.manufacturer, "manufacturer")?,
            wholesale_fee_rate: Rate::from_hundredths_of_percent(required(
                row.wholesale_fee_rate_hundredths_of_percent,
                "wholesale_fee_rate_hundredths_of_percent",
            )?),
            cost: money(&row.cost_minor, currency, "cost_minor")?,
            cost_refund: match &row.cost_refund_minor {
                None => Money::zero(currency),
                Some(digits) => money(digits, currency, "cost_refund_minor")?,
            },
        },
        StoredRow::ManufacturerRow(row) => ResaleRow::Manufacturer {
            reseller: account(row.reseller, "reseller")?,
            shows_buyer: required(row.shows_buyer, "shows_buyer")?,
        },
    })
}

/// Money that is stored only where a reseller sells.
pub(super) fn from_journal_wholesale(
    digits: Option<&String>,
    currency: Currency,
) -> Result<Option<Money>, CodecError> {
    digits.map(|digits| money(digits, currency, "wholesale_minor")).transpose()
}

pub(super) fn from_journal_optional_resale(
    stored: Option<journal::Resale>,
) -> Result<Option<Box<Resale>>, CodecError> {
    stored.map(|resale| message(Some(resale), "resale", from_journal_resale).map(Box::new)).transpose()
}
