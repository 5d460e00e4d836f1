//! What sellers and operators publish: decided here, written to the control log, followed by every partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Days;

use super::price_change::{existing_from, types_frozen_until};
use super::{
    Account, Clock, Dimension, FaultRule, Marketplace, NewOffer, NewProduct, NewResaleAuthorization, Offer,
    PriceChange, Product, PublicKeyVersion, ResaleAuthorization,
};
use crate::ids::{OfferId, ProductId, ResaleAuthorizationId};
use crate::rejection::{Code, Rejection};
use crate::rules::NOTICE_DAYS;
use crate::terms::{ConfigurableUpfront, RateCard, UpfrontKind, UpfrontRateCard, UsageBased};
use crate::time::Timestamp;

/// A change of what is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An account was added or changed.
    AccountPut(Account),
    /// A product was published.
    ProductCreated(Product),
    /// A product got dimensions, and its offers their prices.
    DimensionsAdded {
        /// The product.
        product: ProductId,
        /// The new dimensions.
        dimensions: Vec<Dimension>,
        /// Their prices by offer.
        prices: BTreeMap<OfferId, RateCard>,
    },
    /// An offer was released.
    OfferCreated(Offer),
    /// A reseller was authorized to sell a product.
    ResaleAuthorized(ResaleAuthorization),
    /// No offer is released with an authorization any more.
    ResaleRestricted {
        /// The authorization.
        authorization: ResaleAuthorizationId,
        /// When.
        at: Timestamp,
    },
    /// A public offer changed prices.
    PricesChanged {
        /// The offer.
        offer: OfferId,
        /// The change.
        change: PriceChange,
    },
    /// The clock was turned, stopped or let go.
    ClockSet(Clock),
    /// Other faults were asked for.
    FaultsSet(Arc<[FaultRule]>),
    /// The versions of the key that signs what RegisterUsage answers were set, in order.
    PublicKeysSet(Arc<[PublicKeyVersion]>),
}

/// The decisions, by what they change. Each refuses or answers the change; none changes anything.
pub mod decide {
    use super::*;

    /// Adds an account or changes one; its payer never changes.
    pub fn put_account(market: &Marketplace, account: Account) -> Result<Change, Rejection> {
        account.check()?;
        if let Some(existing) = market.accounts().get(&account.id)
            && existing.payer != account.payer
        {
            let message = format!(
                "account {} belongs to payer {} for the sandbox's life and cannot move to {}: make another account",
                account.id, existing.payer, account.payer
            );
            return Err(Rejection::new(Code::PayerFixed, "payerAccountId", message));
        }
        let sells = || market.products().values().any(|product| product.seller == account.id);
        let resells = || market.resale_authorizations().values().any(|a| a.reseller == account.id);
        if account.invoicing_entity.is_none() && (sells() || resells()) {
            let message = format!("account {} sells products: keep its seller profile", account.id);
            return Err(Rejection::new(Code::SellerHasProducts, "seller", message));
        }
        if account.payer != account.id {
            let payer = market.account(account.payer, "payerAccountId")?;
            if payer.payer != payer.id {
                let message = format!("{} is a linked account of {}: name that payer", payer.id, payer.payer);
                return Err(Rejection::new(Code::PayerIsLinked, "payerAccountId", message));
            }
            if market.pays_for_others(account.id) {
                let message =
                    format!("{} is the payer of other accounts and cannot be linked itself", account.id);
                return Err(Rejection::new(Code::PayerIsLinked, "payerAccountId", message));
            }
        }
        for (index, key) in account.access_keys.iter().enumerate() {
            if let Some(owner) = market.access_key_owner(&key.id).filter(|owner| owner.id != account.id) {
                let message =
                    format!("{} belongs to account {}: give every account its own keys", key.id, owner.id);
                return Err(Rejection::new(
                    Code::AccessKeyTaken,
                    format!("accessKeys[{index}].accessKeyId"),
                    message,
                ));
            }
        }
        Ok(Change::AccountPut(account))
    }

    /// Sets the faults of a sandbox in the place of those before.
    pub fn set_faults(rules: Vec<FaultRule>) -> Result<Change, Rejection> {
        FaultRule::check_all(&rules)?;
        Ok(Change::FaultsSet(rules.into()))
    }

    /// Sets the versions of the key that signs what RegisterUsage answers.
    pub fn set_public_keys(versions: Vec<PublicKeyVersion>) -> Result<Change, Rejection> {
        Ok(Change::PublicKeysSet(PublicKeyVersion::in_order(versions)?.into()))
    }

    /// Publishes a product.
    pub fn create_product(market: &Marketplace, product: NewProduct) -> Result<Change, Rejection> {
        let seller = market.account(product.seller, "sellerAccountId")?;
        if seller.invoicing_entity.is_none() {
            let message = format!("account {} has no seller profile: give it one", seller.id);
            return Err(Rejection::new(Code::NotASeller, "sellerAccountId", message));
        }
        let product = product.publish(&market.rules)?;
        if market.products().contains_key(&product.id) {
            let message = format!("{} exists: choose another id or title", product.id);
            return Err(Rejection::new(Code::ProductExists, "productId", message));
        }
        if let Some(other) = market.product_by_code(&product.code) {
            let message = format!("{} is the code of {}: choose another", product.code, other.id);
            return Err(Rejection::new(Code::ProductExists, "productCode", message));
        }
        Ok(Change::ProductCreated(product))
    }

    /// Adds dimensions, and their prices to every offer that prices usage: no dimension is ever unpriced.
    pub fn add_dimensions(
        market: &Marketplace,
        product: &ProductId,
        dimensions: Vec<Dimension>,
        prices: BTreeMap<OfferId, RateCard>,
        now: Timestamp,
    ) -> Result<Change, Rejection> {
        let mut grown = market.product(product, "productId")?.clone();
        if dimensions.is_empty() {
            return Err(Rejection::new(
                Code::DimensionsMissing,
                "dimensions",
                "name at least one new dimension",
            ));
        }
        check_frozen(market, &grown, now)?;
        let known = grown.dimensions.len();
        grown.dimensions.extend(dimensions.iter().cloned());
        grown.check_from(known, &market.rules)?;
        for offer in prices.keys() {
            let field = format!("prices[{offer}]");
            if market.offer(offer, &field)?.product != *product {
                let message = format!("{offer} is an offer of another product: leave it out");
                return Err(Rejection::new(Code::OfferUnknown, field, message));
            }
        }
        for offer in market.offers().values().filter(|o| o.product == *product) {
            check_grown_offer(market, offer, &grown, prices.get(&offer.id))?;
        }
        Ok(Change::DimensionsAdded { product: product.clone(), dimensions, prices })
    }

    /// While existing subscribers have notice of another annual price, the instance types stay as they are (A11).
    fn check_frozen(market: &Marketplace, product: &Product, now: Timestamp) -> Result<(), Rejection> {
        let is_annual = ConfigurableUpfront::kind(product) == UpfrontKind::Annual;
        let offers = market.offers().values().filter(|offer| offer.product == product.id && is_annual);
        match offers.filter_map(|offer| types_frozen_until(&offer.price_changes)).max() {
            Some(free) if now.date() < free => {
                let message = format!(
                    "an annual price of product {} changes: its instance types stay as they are for the {NOTICE_DAYS} \
                     days of notice, until {free} (A11)",
                    product.id
                );
                Err(Rejection::new(Code::TypesFrozen, "dimensions", message))
            }
            _ => Ok(()),
        }
    }

    fn check_grown_offer(
        market: &Marketplace,
        offer: &Offer,
        grown: &Product,
        added: Option<&RateCard>,
    ) -> Result<(), Rejection> {
        let path = format!("prices[{}]", offer.id);
        let usage = offer.terms.usage_based.as_ref().map(|usage| {
            let mut usage = UsageBased { currency: usage.currency, rate_card: usage.rate_card.clone() };
            usage.rate_card.extend(added.into_iter().flatten().map(|(key, price)| (key.clone(), *price)));
            usage
        });
        if let Some(upfront) = &offer.terms.configurable_upfront {
            upfront.check_prices(grown, usage.as_ref(), offer.is_private(), &market.rules).map_err(|_| {
                let message = format!(
                    "{} sells product {} upfront and prices every dimension of it: publish a product of its own \
                     for more",
                    offer.id, grown.id
                );
                Rejection::new(Code::RateCardIncomplete, "dimensions", message)
            })?;
        }
        if let Some(key) = added.into_iter().flat_map(BTreeMap::keys).find(|key| is_priced(offer, key)) {
            let message = format!("\"{key}\" has its price already: change it with a price change");
            return Err(Rejection::new(Code::DimensionExists, path, message));
        }
        if offer.resale.is_some() && usage.is_some() {
            let message = format!(
                "a reseller sells product {} by {}, at wholesale prices of the dimensions that it has (J1): publish a \
                 product of its own for more",
                grown.id, offer.id
            );
            return Err(Rejection::new(Code::WholesalePriceMissing, "dimensions", message));
        }
        match usage {
            Some(usage) => usage.check_rates(grown).map_err(|r| r.within(&path)),
            None if offer.terms.byol.is_some() => Ok(()),
            None if grown.dimensions.iter().any(Dimension::is_metered) => {
                let message = format!(
                    "{} sells no usage and cannot price a metered dimension: publish a product of its own for it",
                    offer.id
                );
                Err(Rejection::new(Code::TermMissing, path, message))
            }
            None => Ok(()),
        }
    }

    /// Releases an offer. A private one comes to its buyers after so many microseconds.
    pub fn create_offer(
        market: &Marketplace,
        offer: NewOffer,
        now: Timestamp,
        propagation_micros: i64,
    ) -> Result<Change, Rejection> {
        let product = market.product(&offer.product, "productId")?;
        for (index, buyer) in offer.buyer_accounts.iter().enumerate() {
            market.account(*buyer, &format!("buyerAccountIds[{index}]"))?;
        }
        Ok(Change::OfferCreated(offer.release(product, market, now, propagation_micros)?))
    }

    /// Lets a reseller sell a product (J1).
    pub fn create_resale_authorization(
        market: &Marketplace,
        authorization: NewResaleAuthorization,
        now: Timestamp,
    ) -> Result<Change, Rejection> {
        Ok(Change::ResaleAuthorized(authorization.grant(market, now)?))
    }

    /// Ends the release of offers with an authorization; those that were released stay (J1).
    pub fn restrict_resale_authorization(
        market: &Marketplace,
        authorization: &ResaleAuthorizationId,
        now: Timestamp,
    ) -> Result<Change, Rejection> {
        market.resale_authorization(authorization, "resaleAuthorizationId")?.check_restrict()?;
        Ok(Change::ResaleRestricted { authorization: authorization.clone(), at: now })
    }

    /// Changes prices of a public offer (A8, A9, A20).
    pub fn change_prices(
        market: &Marketplace,
        offer: &OfferId,
        usage: RateCard,
        upfront: Vec<UpfrontRateCard>,
        now: Timestamp,
    ) -> Result<Change, Rejection> {
        let current = market.offer(offer, "offerId")?;
        if current.is_private() {
            let message = format!("{offer} is private and keeps its prices: make another private offer");
            return Err(Rejection::new(Code::PricesFixed, "offerId", message));
        }
        if usage.is_empty() && upfront.is_empty() {
            return Err(Rejection::new(
                Code::FieldMissing,
                "rateCard",
                "name at least one price that changes",
            ));
        }
        if let Some(key) = usage.keys().find(|key| !is_priced(current, key)) {
            let message = format!("{offer} has no usage price for \"{key}\": change prices that it has");
            return Err(Rejection::new(Code::DimensionUnknown, format!("rateCard[{key}]"), message));
        }
        let product = market.product(&current.product, "offerId")?;
        check_upfront(current, ConfigurableUpfront::kind(product), &upfront, now)?;
        let change = PriceChange { notice: now, existing_from: existing_from(now), usage, upfront };
        check_changed_terms(market, current, product, &change)?;
        Ok(Change::PricesChanged { offer: offer.clone(), change })
    }

    fn is_priced(offer: &Offer, key: &crate::ids::DimensionKey) -> bool {
        offer.terms.usage_based.as_ref().is_some_and(|usage| usage.rate_card.contains_key(key))
    }

    /// The prices that new subscribers will see must be publishable as a whole (A3 to A5).
    fn check_changed_terms(
        market: &Marketplace,
        offer: &Offer,
        product: &Product,
        change: &PriceChange,
    ) -> Result<(), Rejection> {
        let mut terms = offer.terms.clone();
        for change in offer.price_changes.iter().chain([change]) {
            if let Some(usage) = &mut terms.usage_based {
                usage.rate_card.extend(change.usage.clone());
            }
            let cards = terms.configurable_upfront.iter_mut().flat_map(|u| &mut u.rate_cards);
            for card in cards {
                let changed = change.upfront.iter().filter(|c| c.duration == card.duration);
                card.prices.extend(changed.flat_map(|c| c.prices.clone()));
            }
        }
        match &terms.configurable_upfront {
            Some(upfront) => upfront.check_prices(product, terms.usage_based.as_ref(), false, &market.rules),
            None => Ok(()),
        }
    }

    /// An annual price changes at most every 90 days (A8, E-04).
    fn check_upfront(
        offer: &Offer,
        kind: UpfrontKind,
        upfront: &[UpfrontRateCard],
        now: Timestamp,
    ) -> Result<(), Rejection> {
        for (index, card) in upfront.iter().enumerate() {
            let field = format!("upfrontRateCards[{index}]");
            let sold = offer.terms.configurable_upfront.as_ref().and_then(|u| u.card(card.duration));
            let Some(sold) = sold else {
                let message = format!("{} sells nothing for {}", offer.id, card.duration);
                return Err(Rejection::new(Code::DurationNotAllowed, format!("{field}.duration"), message));
            };
            for key in card.prices.keys() {
                if !sold.prices.contains_key(key) {
                    let message = format!("{} has no price of \"{key}\" for {}", offer.id, card.duration);
                    return Err(Rejection::new(
                        Code::DimensionUnknown,
                        format!("{field}.prices[{key}]"),
                        message,
                    ));
                }
                let changed = |c: &&PriceChange| {
                    c.upfront.iter().any(|u| u.duration == card.duration && u.prices.contains_key(key))
                };
                let annual = kind == UpfrontKind::Annual;
                if let Some(last) = offer.price_changes.iter().rev().find(changed).filter(|_| annual) {
                    let free = last.notice.date().checked_add_days(Days::new(NOTICE_DAYS));
                    if free.is_some_and(|day| now.date() < day) {
                        let message = format!(
                            "the upfront price of \"{key}\" changed at {}: it may change every {NOTICE_DAYS} days",
                            last.notice
                        );
                        return Err(Rejection::new(Code::PriceChangeTooSoon, field, message));
                    }
                }
            }
        }
        Ok(())
    }
}
