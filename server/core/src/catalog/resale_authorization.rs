//! Resale authorizations: the seller of a product, its manufacturer, lets another seller, the reseller, sell it by
//! private offers at prices of the reseller's own, for a wholesale price (J1).

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::product::{check_form, check_words};
use super::{Dimension, DimensionType, Marketplace, NewOffer, Offer, Product};
use crate::ids::{AccountId, DimensionKey, ProductId, ResaleAuthorizationId};
use crate::money::{Currency, PriceDecimals, Rate, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::terms::{ConfigurableUpfront, RateCard, Terms, UpfrontRateCard, UsageBased};
use crate::time::{TermDuration, Timestamp};

/// What a reseller pays for what it sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WholesalePricing {
    /// So much less than the prices of the public offer when the reseller's offer is released.
    Discount(Rate),
    /// Prices of their own: usage and configurable upfront terms, and no others.
    Terms(Box<Terms>),
}

/// Leave to sell a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResaleAuthorization {
    /// Its id.
    pub id: ResaleAuthorizationId,
    /// The product.
    pub product: ProductId,
    /// Who may sell it.
    pub reseller: AccountId,
    /// A name.
    pub name: String,
    /// Longer words.
    pub description: String,
    /// For one offer only.
    pub single_use: bool,
    /// The last day on which offers can be released; none: any.
    pub until: Option<NaiveDate>,
    /// The wholesale prices.
    pub pricing: WholesalePricing,
    /// The buyers that offers may name; none: any.
    pub buyer_accounts: BTreeSet<AccountId>,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it was restricted: no offer is released with it any more, and those that were stay.
    pub restricted_at: Option<Timestamp>,
}

/// An authorization to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResaleAuthorization {
    /// Its id; derived when absent.
    pub id: Option<ResaleAuthorizationId>,
    /// The product.
    pub product: ProductId,
    /// Who may sell it.
    pub reseller: AccountId,
    /// A name.
    pub name: String,
    /// Longer words.
    pub description: String,
    /// For one offer only.
    pub single_use: bool,
    /// The last day on which offers can be released.
    pub until: Option<NaiveDate>,
    /// The wholesale prices.
    pub pricing: WholesalePricing,
    /// The buyers that offers may name.
    pub buyer_accounts: Vec<AccountId>,
}

/// That a reseller sells an offer, and what it pays for that: fixed when the offer is released, as its prices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resale {
    /// What it was authorized by.
    pub authorization: ResaleAuthorizationId,
    /// The seller of record.
    pub reseller: AccountId,
    /// Whether the manufacturer's reports show the buyer, as they do for an authorization of a single use.
    pub shows_buyer: bool,
    /// Wholesale prices of everything that the offer sells: usage and configurable upfront terms.
    pub wholesale: Terms,
}

impl Resale {
    /// The wholesale price of a unit of usage.
    pub fn usage_price(&self, key: &DimensionKey) -> Option<UnitPrice> {
        self.wholesale.usage_based.as_ref()?.rate_card.get(key).copied()
    }

    /// The wholesale price of a unit for a whole duration.
    pub fn upfront_price(&self, duration: TermDuration, key: &DimensionKey) -> Option<UnitPrice> {
        self.wholesale.configurable_upfront.as_ref()?.card(duration)?.prices.get(key).copied()
    }
}

impl NewResaleAuthorization {
    /// The authorization, if it may be granted.
    pub fn grant(self, market: &Marketplace, now: Timestamp) -> Result<ResaleAuthorization, Rejection> {
        let refuse = |code, field: &str, message: String| Err(Rejection::new(code, field, message));
        let product = market.product(&self.product, "productId")?;
        let authorizations = market.resale_authorizations();
        let id = self.id.unwrap_or_else(|| {
            let number = authorizations.values().filter(|other| other.product == product.id).count() + 1;
            ResaleAuthorizationId::derive(&product.id, number)
        });
        let field = "resaleAuthorizationId";
        check_form(id.as_str(), field, 64, |b| b.is_ascii_alphanumeric() || b == b'-')?;
        if authorizations.contains_key(&id) {
            return refuse(
                Code::ResaleAuthorizationExists,
                field,
                format!("{id} exists (J1): choose another id"),
            );
        }
        check_words(&self.name, "name", 150)?;
        check_words(&self.description, "description", 1_000)?;
        let reseller = market.account(self.reseller, "resellerAccountId")?;
        if reseller.id == product.seller {
            let message = format!(
                "account {} is the seller of product {} and needs no authorization (J1): name another seller",
                reseller.id, product.id
            );
            return refuse(Code::FieldInvalid, "resellerAccountId", message);
        }
        if reseller.invoicing_entity.is_none() {
            let message = format!("account {} has no seller profile (J1): give it one", reseller.id);
            return refuse(Code::NotASeller, "resellerAccountId", message);
        }
        if let Some(day) = self.until.filter(|day| *day < now.date()) {
            let message =
                format!("{day} is over: it is {now} in the sandbox (J1): name a day to come, or none");
            return refuse(Code::FieldInvalid, "availabilityEndDate", message);
        }
        for (index, buyer) in self.buyer_accounts.iter().enumerate() {
            market.account(*buyer, &format!("buyerAccountIds[{index}]"))?;
        }
        self.pricing.check(product)?;
        Ok(ResaleAuthorization {
            id,
            product: self.product,
            reseller: self.reseller,
            name: self.name,
            description: self.description,
            single_use: self.single_use,
            until: self.until,
            pricing: self.pricing,
            buyer_accounts: self.buyer_accounts.into_iter().collect(),
            granted_at: now,
            restricted_at: None,
        })
    }
}

/// 100 %.
const WHOLE: Rate = Rate::from_hundredths_of_percent(10_000);

impl WholesalePricing {
    fn check(&self, product: &Product) -> Result<(), Rejection> {
        match self {
            WholesalePricing::Discount(discount) if *discount > WHOLE => {
                let message = format!("{discount} is more than the price (J1): a discount is 0 to 100 %");
                Err(Rejection::new(Code::FieldInvalid, "discountPercentage", message))
            }
            WholesalePricing::Discount(_) => Ok(()),
            WholesalePricing::Terms(terms) => check_terms(terms, product).map_err(|r| r.within("terms")),
        }
    }
}

/// Wholesale prices are of dimensions that the product has, each of a kind that can be sold so.
fn check_terms(terms: &Terms, product: &Product) -> Result<(), Rejection> {
    let priced = Terms {
        usage_based: terms.usage_based.clone(),
        configurable_upfront: terms.configurable_upfront.clone(),
        ..Terms::default()
    };
    if *terms != priced {
        let message = "wholesale prices are usageBasedPricing and configurableUpfrontPricing (J1): leave the other terms \
                       to the reseller's offer";
        return Err(Rejection::new(Code::TermNotAllowed, "", message));
    }
    if *terms == Terms::default() {
        let message = "say what the reseller pays (J1): discountPercentage, usageBasedPricing or \
                       configurableUpfrontPricing";
        return Err(Rejection::new(Code::FieldMissing, "", message));
    }
    let known = |keys: &RateCard, field: &str, sold: fn(&Dimension) -> bool, wanted: &str| match keys
        .keys()
        .find(|key| !product.dimension(key).is_some_and(sold))
    {
        None => Ok(()),
        Some(key) => {
            let message = format!(
                "product {} has no {wanted} dimension \"{key}\" (J1): {}",
                product.id,
                product.keys()
            );
            Err(Rejection::new(Code::DimensionUnknown, format!("{field}[{key}]"), message))
        }
    };
    if let Some(UsageBased { currency, rate_card }) = &terms.usage_based {
        if *currency != Currency::Usd {
            let message = format!("usage is priced in USD (A24), at wholesale, too (J1), not in {currency}");
            return Err(Rejection::new(
                Code::CurrencyNotSupported,
                "usageBasedPricing.currencyCode",
                message,
            ));
        }
        known(rate_card, "usageBasedPricing.rateCard", Dimension::is_metered, "metered")?;
    }
    let cards = terms.configurable_upfront.iter().flat_map(|upfront| &upfront.rate_cards);
    for (index, card) in cards.clone().enumerate() {
        let field = format!("configurableUpfrontPricing.rateCards[{index}]");
        if cards.clone().take(index).any(|other| other.duration == card.duration) {
            let message = format!("{} stands twice (J1): one card for each duration", card.duration);
            return Err(Rejection::new(Code::DurationNotAllowed, format!("{field}.duration"), message));
        }
        let sold = |dimension: &Dimension| {
            let types = &dimension.types;
            types.contains(&DimensionType::Entitled) || types.contains(&DimensionType::Metered)
        };
        known(&card.prices, &format!("{field}.prices"), sold, "entitled or instance")?;
    }
    Ok(())
}

impl ResaleAuthorization {
    /// The restriction of it, if it is not restricted yet.
    pub fn check_restrict(&self) -> Result<(), Rejection> {
        match self.restricted_at {
            None => Ok(()),
            Some(at) => {
                let message = format!("{} was restricted at {at} (J1): it stays so", self.id);
                Err(Rejection::new(Code::ResaleNotAuthorized, "resaleAuthorizationId", message))
            }
        }
    }

    /// Why no offer can be released with it now, if none can.
    fn check_open(&self, market: &Marketplace, now: Timestamp) -> Result<(), Rejection> {
        let id = &self.id;
        let is_of = |offer: &&Offer| offer.resale.as_ref().is_some_and(|resale| resale.authorization == *id);
        let message = match (self.restricted_at, self.until) {
            (Some(at), _) => format!("{id} was restricted at {at} (J1): ask for another authorization"),
            (None, Some(day)) if day < now.date() => {
                format!("{id} was good until the end of {day} (UTC), it is {now} (J1): ask for another one")
            }
            _ => match market.offers().values().find(is_of).filter(|_| self.single_use) {
                None => return Ok(()),
                Some(offer) => {
                    format!(
                        "{id} is for one offer, which is {} (J1): ask for another authorization",
                        offer.id
                    )
                }
            },
        };
        Err(Rejection::new(Code::ResaleNotAuthorized, "resaleAuthorizationId", message))
    }

    /// What it makes of an offer of its reseller's, if it lets the offer be released.
    pub fn resale(
        &self,
        offer: &NewOffer,
        product: &Product,
        market: &Marketplace,
        now: Timestamp,
    ) -> Result<Resale, Rejection> {
        if self.product != product.id {
            let message = format!(
                "{} is for product {}, not for {} (J1): name an authorization of the product",
                self.id, self.product, product.id
            );
            return Err(Rejection::new(Code::ResaleNotAuthorized, "resaleAuthorizationId", message));
        }
        self.check_open(market, now)?;
        if offer.buyer_accounts.is_empty() {
            let message =
                "a reseller sells by private offers (J1): name buyers, or leave resaleAuthorizationId out";
            return Err(Rejection::new(Code::PrivateOffersOnly, "buyerAccountIds", message));
        }
        let open = self.buyer_accounts.is_empty();
        let other = |(_, buyer): &(usize, &AccountId)| !open && !self.buyer_accounts.contains(buyer);
        if let Some((index, buyer)) = offer.buyer_accounts.iter().enumerate().find(other) {
            let message = format!("{} is not for buyer {buyer} (J1): leave the account out", self.id);
            let field = format!("buyerAccountIds[{index}]");
            return Err(Rejection::new(Code::ResaleNotAuthorized, field, message));
        }
        if offer.terms.renewal.is_some() {
            let message = "what a reseller sells does not renew itself (J1): leave the renewal term out, and release \
                           another offer then";
            return Err(Rejection::new(Code::TermNotAllowed, "terms.renewal", message));
        }
        Ok(Resale {
            authorization: self.id.clone(),
            reseller: self.reseller,
            shows_buyer: self.single_use,
            wholesale: self.wholesale(&offer.terms, market, now).map_err(|r| r.within("terms"))?,
        })
    }

    /// Wholesale prices of everything that terms sell.
    fn wholesale(&self, terms: &Terms, market: &Marketplace, now: Timestamp) -> Result<Terms, Rejection> {
        let prices = Prices { authorization: self, public: market.public_offer(&self.product), now };
        let mut wholesale = Terms::default();
        if let Some(usage) = &terms.usage_based {
            let price = |key: &DimensionKey| Ok((key.clone(), prices.usage(key)?));
            let rate_card = usage.rate_card.keys().map(price).collect::<Result<_, Rejection>>()?;
            wholesale.usage_based = Some(UsageBased { currency: usage.currency, rate_card });
        }
        if let Some(upfront) = &terms.configurable_upfront {
            let card =
                |card: &UpfrontRateCard| prices.upfront(card.duration, upfront.currency, card.prices.keys());
            let rate_cards = upfront.rate_cards.iter().map(card).collect::<Result<_, _>>()?;
            wholesale.configurable_upfront =
                Some(ConfigurableUpfront { currency: upfront.currency, rate_cards });
        }
        if let Some(fixed) = &terms.fixed_upfront {
            if fixed.grants.is_empty() {
                let message = "what pays for all use of its days has no wholesale price (J1): grant units that the \
                               authorization prices";
                return Err(Rejection::new(Code::TermNotAllowed, "fixedUpfrontPricing.grants", message));
            }
            let duration = fixed.lasts(terms);
            let card = prices.upfront(duration, fixed.currency, fixed.grants.keys())?;
            wholesale.configurable_upfront =
                Some(ConfigurableUpfront { currency: fixed.currency, rate_cards: vec![card] });
        }
        Ok(wholesale)
    }
}

/// Where the wholesale prices of an offer come from.
struct Prices<'a> {
    authorization: &'a ResaleAuthorization,
    public: Option<&'a Offer>,
    now: Timestamp,
}

impl Prices<'_> {
    fn usage(&self, key: &DimensionKey) -> Result<UnitPrice, Rejection> {
        let now = self.now;
        let price = match &self.authorization.pricing {
            WholesalePricing::Discount(discount) => self
                .public
                .and_then(|public| public.usage_price(key, now, now, false))
                .map(|(price, _)| price.lowered(*discount, PriceDecimals::Metered)),
            WholesalePricing::Terms(terms) => {
                terms.usage_based.as_ref().and_then(|usage| usage.rate_card.get(key).copied())
            }
        };
        price.ok_or_else(|| self.missing("usageBasedPricing", &format!("usage of \"{key}\"")))
    }

    fn upfront<'k>(
        &self,
        duration: TermDuration,
        currency: Currency,
        keys: impl Iterator<Item = &'k DimensionKey>,
    ) -> Result<UpfrontRateCard, Rejection> {
        let now = self.now;
        let (priced_in, card) = match &self.authorization.pricing {
            WholesalePricing::Discount(discount) => {
                let card =
                    self.public.and_then(|public| public.upfront_prices(duration, |notice| notice <= now));
                let lowered = |price: UnitPrice| price.lowered(*discount, PriceDecimals::Upfront);
                let card = card.unwrap_or_default().into_iter().map(|(key, price)| (key, lowered(price)));
                (Currency::Usd, card.collect())
            }
            WholesalePricing::Terms(terms) => match &terms.configurable_upfront {
                None => (currency, RateCard::new()),
                Some(upfront) => {
                    let card = upfront.card(duration).map(|card| card.prices.clone());
                    (upfront.currency, card.unwrap_or_default())
                }
            },
        };
        let mut prices = RateCard::new();
        for key in keys {
            let price = card.get(key).copied();
            let price = price.ok_or_else(|| {
                self.missing("configurableUpfrontPricing", &format!("\"{key}\" for {duration}"))
            })?;
            prices.insert(key.clone(), price);
        }
        if priced_in != currency {
            let message = format!(
                "{} prices in {priced_in}, the offer in {currency} (J1): sell it in {priced_in}",
                self.authorization.id
            );
            return Err(Rejection::new(Code::CurrencyNotSupported, "currencyCode", message));
        }
        Ok(UpfrontRateCard { duration, prices })
    }

    /// Nothing is sold without a wholesale price.
    fn missing(&self, term: &str, what: &str) -> Rejection {
        let id = &self.authorization.id;
        let message = match self.authorization.pricing {
            WholesalePricing::Discount(_) => format!(
                "{id} is a discount of public prices, and no public offer prices {what} (J1): sell what it prices, or \
                 ask for an authorization with prices"
            ),
            WholesalePricing::Terms(_) => format!(
                "{id} has no wholesale price of {what} in its {term} (J1): sell what it prices, or ask for another \
                 authorization"
            ),
        };
        Rejection::new(Code::WholesalePriceMissing, "", message)
    }
}
