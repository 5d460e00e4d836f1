//! What is published: accounts, products, offers and their price changes.

use souk_core::catalog::{
    AccessKey, Account, Address, BilledBy, Change, Dimension, DimensionType, EntitlementValueKind, Offer,
    PriceChange, Product, ProductType, RenewalKind, Targeting, TaxLiability, TaxRate, UsageCategory,
};
use souk_core::ids::{AccountId, DimensionKey, OfferId, ProductCode, ProductId};
use souk_core::money::Rate;
use souk_core::terms::{RateCard, UpfrontRateCard};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::change::Change as Stored;

use super::CodecError;
use super::fault::{
    from_journal_fault_rule, from_journal_public_key, to_journal_fault_rule, to_journal_public_key,
};
use super::resale::{
    from_journal_authorization, from_journal_optional_resale, from_journal_restricted,
    to_journal_authorization, to_journal_resale, to_journal_restricted,
};
use super::rules::{from_journal_clock, to_journal_clock};
use super::value::{
    Stored as _, account, by_key, date, from_journal_duration, from_journal_rate_card, id, list, message,
    optional_time, required, required_time, to_journal_duration, to_journal_rate_card, unique,
};
use crate::grpc::convert::terms::{from_proto_terms, to_proto_terms};

pub(super) fn to_journal_change(change: &Change) -> journal::Change {
    let stored = match change {
        Change::AccountPut(account) => Stored::AccountPut(to_journal_account(account)),
        Change::ProductCreated(product) => Stored::ProductCreated(to_journal_product(product)),
        Change::DimensionsAdded { product, dimensions, prices } => {
            Stored::DimensionsAdded(journal::DimensionsAdded {
                product_id: product.to_string(),
                dimensions: dimensions.iter().map(to_journal_dimension).collect(),
                prices: prices.iter().map(to_journal_offer_prices).collect(),
            })
        }
        Change::OfferCreated(offer) => Stored::OfferCreated(to_journal_offer(offer)),
        Change::ResaleAuthorized(authorization) => {
            Stored::ResaleAuthorized(to_journal_authorization(authorization))
        }
        Change::ResaleRestricted { authorization, at } => {
            Stored::ResaleRestricted(to_journal_restricted(authorization, *at))
        }
        Change::PricesChanged { offer, change } => Stored::PricesChanged(journal::PricesChanged {
            offer_id: offer.to_string(),
            change: Some(to_journal_price_change(change)),
        }),
        Change::ClockSet(clock) => Stored::ClockSet(to_journal_clock(*clock)),
        Change::FaultsSet(rules) => {
            Stored::FaultsSet(journal::FaultsSet { rules: rules.iter().map(to_journal_fault_rule).collect() })
        }
        Change::PublicKeysSet(versions) => Stored::PublicKeysSet(journal::PublicKeysSet {
            versions: versions.iter().map(to_journal_public_key).collect(),
        }),
    };
    journal::Change { change: Some(stored) }
}

pub(super) fn from_journal_change(change: journal::Change) -> Result<Change, CodecError> {
    let (name, change) = match required(change.change, "change")? {
        Stored::AccountPut(account) => ("account_put", from_journal_account(account).map(Change::AccountPut)),
        Stored::ProductCreated(product) => {
            ("product_created", from_journal_product(product).map(Change::ProductCreated))
        }
        Stored::DimensionsAdded(added) => ("dimensions_added", from_journal_dimensions_added(added)),
        Stored::OfferCreated(offer) => ("offer_created", from_journal_offer(offer).map(Change::OfferCreated)),
        Stored::ResaleAuthorized(authorization) => {
            ("resale_authorized", from_journal_authorization(authorization).map(Change::ResaleAuthorized))
        }
        Stored::ResaleRestricted(restricted) => ("resale_restricted", from_journal_restricted(&restricted)),
        Stored::PricesChanged(changed) => ("prices_changed", from_journal_prices_changed(changed)),
        Stored::ClockSet(clock) => ("clock_set", from_journal_clock(clock).map(Change::ClockSet)),
        Stored::FaultsSet(set) => (
            "faults_set",
            list(set.rules, "rules", from_journal_fault_rule).map(|rules| Change::FaultsSet(rules.into())),
        ),
        Stored::PublicKeysSet(set) => (
            "public_keys_set",
            list(set.versions, "versions", from_journal_public_key)
                .map(|versions| Change::PublicKeysSet(versions.into())),
        ),
    };
    change.map_err(|e| e.within(name))
}

fn to_journal_account(account: &Account) -> journal::Account {
    let Account {
        id,
        company_name,
        payer,
        invoicing_entity,
        address,
        email_domain,
        invoice_terms,
        private_marketplace_admin,
        net_days,
        tax,
        access_keys,
    } = account;
    let Address { country, state, city, postal_code } = address;
    let key = |AccessKey { id, secret }: &AccessKey| journal::AccessKey {
        access_key_id: Some(id.clone()),
        secret_access_key: Some(secret.clone()),
    };
    journal::Account {
        account: Some(id.number()),
        company_name: Some(company_name.clone()),
        payer: Some(payer.number()),
        invoicing_entity: invoicing_entity.clone(),
        address: Some(journal::Address {
            country: Some(country.clone()),
            state: Some(state.clone()),
            city: Some(city.clone()),
            postal_code: Some(postal_code.clone()),
        }),
        email_domain: Some(email_domain.clone()),
        access_keys: access_keys.iter().map(key).collect(),
        invoice_terms: invoice_terms.then_some(true),
        private_marketplace_admin: private_marketplace_admin.map(AccountId::number),
        net_days: *net_days,
        tax: tax.map(|TaxRate { percent, liable }| journal::TaxRate {
            hundredths_of_percent: Some(percent.hundredths_of_percent()),
            seller_is_liable: Some(liable.is_seller()),
        }),
    }
}

fn from_journal_account(stored: journal::Account) -> Result<Account, CodecError> {
    Ok(Account {
        id: account(stored.account, "account")?,
        company_name: required(stored.company_name, "company_name")?,
        payer: account(stored.payer, "payer")?,
        invoicing_entity: stored.invoicing_entity,
        address: message(stored.address, "address", from_journal_address)?,
        email_domain: required(stored.email_domain, "email_domain")?,
        invoice_terms: stored.invoice_terms.unwrap_or(false),
        private_marketplace_admin: stored
            .private_marketplace_admin
            .map(|number| account(Some(number), "private_marketplace_admin"))
            .transpose()?,
        net_days: stored.net_days,
        tax: stored.tax.map(|tax| from_journal_tax_rate(&tax)).transpose()?,
        access_keys: list(stored.access_keys, "access_keys", from_journal_access_key)?,
    })
}

fn from_journal_tax_rate(tax: &journal::TaxRate) -> Result<TaxRate, CodecError> {
    Ok(TaxRate {
        percent: Rate::from_hundredths_of_percent(required(
            tax.hundredths_of_percent,
            "hundredths_of_percent",
        )?),
        liable: tax_liability(tax.seller_is_liable)?,
    })
}

/// Who pays a tax on.
pub(super) fn tax_liability(seller_is_liable: Option<bool>) -> Result<TaxLiability, CodecError> {
    Ok(match required(seller_is_liable, "seller_is_liable")? {
        true => TaxLiability::Seller,
        false => TaxLiability::Aws,
    })
}

fn from_journal_address(address: journal::Address) -> Result<Address, CodecError> {
    Ok(Address {
        country: required(address.country, "country")?,
        state: required(address.state, "state")?,
        city: required(address.city, "city")?,
        postal_code: required(address.postal_code, "postal_code")?,
    })
}

fn from_journal_access_key(key: journal::AccessKey) -> Result<AccessKey, CodecError> {
    Ok(AccessKey {
        id: required(key.access_key_id, "access_key_id")?,
        secret: required(key.secret_access_key, "secret_access_key")?,
    })
}

fn to_journal_product(product: &Product) -> journal::Product {
    let Product { id, code, title, seller, product_type, usage_category, dimensions, concurrent_agreements } =
        product;
    journal::Product {
        product_id: id.to_string(),
        product_code: code.to_string(),
        title: Some(title.clone()),
        seller: Some(seller.number()),
        product_type: product_type.to_journal(),
        usage_category: usage_category.map(UsageCategory::to_journal),
        dimensions: dimensions.iter().map(to_journal_dimension).collect(),
        concurrent_agreements: Some(*concurrent_agreements),
    }
}

fn from_journal_product(product: journal::Product) -> Result<Product, CodecError> {
    let category = product.usage_category.map(|number| UsageCategory::from_journal(number, "usage_category"));
    Ok(Product {
        id: id(&product.product_id, ProductId::new, "product_id")?,
        code: id(&product.product_code, ProductCode::new, "product_code")?,
        title: required(product.title, "title")?,
        seller: account(product.seller, "seller")?,
        product_type: ProductType::from_journal(product.product_type, "product_type")?,
        usage_category: category.transpose()?,
        dimensions: list(product.dimensions, "dimensions", from_journal_dimension)?,
        concurrent_agreements: required(product.concurrent_agreements, "concurrent_agreements")?,
    })
}

fn to_journal_dimension(dimension: &Dimension) -> journal::Dimension {
    let Dimension { key, name, description, unit, types, value_kind, billed_by } = dimension;
    journal::Dimension {
        key: key.to_string(),
        name: Some(name.clone()),
        description: Some(description.clone()),
        unit: Some(unit.clone()),
        types: types.iter().map(|kind| kind.to_journal()).collect(),
        entitlement_value_kind: value_kind.to_journal(),
        billed_by: billed_by.map(BilledBy::to_journal),
    }
}

fn from_journal_dimension(dimension: journal::Dimension) -> Result<Dimension, CodecError> {
    let types = dimension.types.into_iter().map(|number| DimensionType::from_journal(number, "types"));
    Ok(Dimension {
        key: id(&dimension.key, DimensionKey::new, "key")?,
        name: required(dimension.name, "name")?,
        description: required(dimension.description, "description")?,
        unit: required(dimension.unit, "unit")?,
        types: unique(types.collect::<Result<_, _>>()?, "types")?,
        value_kind: match dimension.entitlement_value_kind {
            // Written before there were others.
            0 => EntitlementValueKind::Integer,
            number => EntitlementValueKind::from_journal(number, "entitlement_value_kind")?,
        },
        billed_by: dimension
            .billed_by
            .map(|number| BilledBy::from_journal(number, "billed_by"))
            .transpose()?,
    })
}

fn from_journal_dimensions_added(added: journal::DimensionsAdded) -> Result<Change, CodecError> {
    Ok(Change::DimensionsAdded {
        product: id(&added.product_id, ProductId::new, "product_id")?,
        dimensions: list(added.dimensions, "dimensions", from_journal_dimension)?,
        prices: by_key(list(added.prices, "prices", from_journal_offer_prices)?, "prices")?,
    })
}

fn to_journal_offer_prices((offer, prices): (&OfferId, &RateCard)) -> journal::OfferPrices {
    journal::OfferPrices { offer_id: offer.to_string(), prices: to_journal_rate_card(prices) }
}

fn from_journal_offer_prices(prices: journal::OfferPrices) -> Result<(OfferId, RateCard), CodecError> {
    let offer = id(&prices.offer_id, OfferId::new, "offer_id")?;
    Ok((offer, from_journal_rate_card(prices.prices, "prices")?))
}

fn to_journal_offer(offer: &Offer) -> journal::Offer {
    let Offer {
        id,
        product,
        name,
        targeting,
        accept_by,
        renewal_kind,
        terms,
        released_at,
        visible_from,
        price_changes,
        resale,
    } = offer;
    let Targeting { buyer_accounts, program, country_codes } = targeting;
    journal::Offer {
        offer_id: id.to_string(),
        product_id: product.to_string(),
        name: Some(name.clone()),
        buyers: buyer_accounts.iter().map(|buyer| buyer.number()).collect(),
        program: program.clone(),
        country_codes: country_codes.iter().cloned().collect(),
        accept_by_day: accept_by.map(|day| day.to_epoch_days()),
        terms: to_proto_terms(terms),
        release_micros: Some(released_at.micros()),
        price_changes: price_changes.iter().map(to_journal_price_change).collect(),
        renewal_kind: renewal_kind.map_or(0, RenewalKind::to_journal),
        visible_from_micros: (visible_from != released_at).then(|| visible_from.micros()),
        resale: resale.as_deref().map(to_journal_resale),
    }
}

fn from_journal_offer(offer: journal::Offer) -> Result<Offer, CodecError> {
    let buyers = offer.buyers.into_iter().map(|number| account(Some(number), "buyers"));
    let terms = from_proto_terms(offer.terms);
    let released_at = required_time(offer.release_micros, "release_micros")?;
    let renewal_kind = match offer.renewal_kind {
        0 => None,
        number => Some(RenewalKind::from_journal(number, "renewal_kind")?),
    };
    Ok(Offer {
        renewal_kind,
        visible_from: optional_time(offer.visible_from_micros, "visible_from_micros")?.unwrap_or(released_at),
        id: id(&offer.offer_id, OfferId::new, "offer_id")?,
        product: id(&offer.product_id, ProductId::new, "product_id")?,
        name: required(offer.name, "name")?,
        targeting: Targeting {
            buyer_accounts: unique::<AccountId>(buyers.collect::<Result<_, _>>()?, "buyers")?,
            program: offer.program,
            country_codes: unique(offer.country_codes, "country_codes")?,
        },
        accept_by: offer.accept_by_day.map(|day| date(day, "accept_by_day")).transpose()?,
        terms: terms.map_err(|rejection| CodecError::invalid("terms", &rejection))?,
        released_at,
        price_changes: list(offer.price_changes, "price_changes", from_journal_price_change)?,
        resale: from_journal_optional_resale(offer.resale)?,
    })
}

fn to_journal_price_change(change: &PriceChange) -> journal::PriceChange {
    let PriceChange { notice, existing_from, usage, upfront } = change;
    let card = |UpfrontRateCard { duration, prices }: &UpfrontRateCard| journal::UpfrontPrices {
        duration: Some(to_journal_duration(*duration)),
        prices: to_journal_rate_card(prices),
    };
    journal::PriceChange {
        notice_micros: Some(notice.micros()),
        existing_from_micros: Some(existing_from.micros()),
        usage: to_journal_rate_card(usage),
        upfront: upfront.iter().map(card).collect(),
    }
}

fn from_journal_price_change(change: journal::PriceChange) -> Result<PriceChange, CodecError> {
    Ok(PriceChange {
        notice: required_time(change.notice_micros, "notice_micros")?,
        existing_from: required_time(change.existing_from_micros, "existing_from_micros")?,
        usage: from_journal_rate_card(change.usage, "usage")?,
        upfront: list(change.upfront, "upfront", from_journal_upfront_prices)?,
    })
}

fn from_journal_upfront_prices(card: journal::UpfrontPrices) -> Result<UpfrontRateCard, CodecError> {
    Ok(UpfrontRateCard {
        duration: message(card.duration, "duration", from_journal_duration)?,
        prices: from_journal_rate_card(card.prices, "prices")?,
    })
}

fn from_journal_prices_changed(changed: journal::PricesChanged) -> Result<Change, CodecError> {
    Ok(Change::PricesChanged {
        offer: id(&changed.offer_id, OfferId::new, "offer_id")?,
        change: message(changed.change, "change", from_journal_price_change)?,
    })
}
