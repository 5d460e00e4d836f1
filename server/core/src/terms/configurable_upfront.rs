//! ConfigurableUpfrontPricingTerm: a price per unit for a whole duration, paid at acceptance. On instance
//! types it sells annual subscriptions, on entitled dimensions contracts.

use std::collections::BTreeMap;

use super::{OfferContext, RateCard, UsageBased};
use crate::catalog::{DimensionType, Product, ProductType};
use crate::ids::DimensionKey;
use crate::money::{Currency, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;
use crate::time::TermDuration;

/// The durations that contracts are sold for (A18).
pub const CONTRACT_MONTHS: [u32; 4] = [1, 12, 24, 36];
/// The duration of an annual subscription (A1).
pub const ANNUAL: TermDuration = TermDuration::Months(12);
/// Units of one dimension in one purchase.
pub const MAX_UNITS: u64 = 2_147_483_647;

/// What an upfront purchase buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpfrontKind {
    /// Twelve months of instances: cover for the (Y-X) rule.
    Annual,
    /// Entitlements for the duration.
    Contract,
    /// A month of a container's fee, which renews itself.
    Monthly,
}

/// The prices of one duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpfrontRateCard {
    /// For how long.
    pub duration: TermDuration,
    /// The price of one unit for the whole duration.
    pub prices: RateCard,
}

/// Prices per unit for whole durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurableUpfront {
    /// The currency of the prices.
    pub currency: Currency,
    /// One card for each duration on sale.
    pub rate_cards: Vec<UpfrontRateCard>,
}

impl ConfigurableUpfront {
    /// What it sells on this product: contracts of entitlements, and of machine learning products (B21); else cover.
    pub fn kind(product: &Product) -> UpfrontKind {
        let is_model = product.product_type == ProductType::MachineLearning;
        match is_model || product.has_type(DimensionType::Entitled) {
            true => UpfrontKind::Contract,
            false => UpfrontKind::Annual,
        }
    }

    /// The card of a duration.
    pub fn card(&self, duration: TermDuration) -> Option<&UpfrontRateCard> {
        self.rate_cards.iter().find(|card| card.duration == duration)
    }

    /// The rules of its prices and durations.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        if self.currency != Currency::Usd && !offer.private {
            let message = format!("public offers are in USD (A24), not in {}", self.currency);
            return Err(refuse(Code::CurrencyNotSupported, "currencyCode", &message));
        }
        self.check_prices(offer.product, offer.terms.usage_based.as_ref(), offer.private, offer.rules)
    }

    /// The publishing rules A3 to A5, A17 and A18; private contracts have longer and other durations (B10).
    pub fn check_prices(
        &self,
        product: &Product,
        usage: Option<&UsageBased>,
        private: bool,
        rules: &Rules,
    ) -> Result<(), Rejection> {
        let kind = ConfigurableUpfront::kind(product);
        if product.product_type == ProductType::MachineLearning && !product.has_type(DimensionType::Entitled)
        {
            let message = "of a machine learning product that AWS Marketplace meters, what is paid upfront is a contract \
                           with one price (B21): use fixedUpfrontPricing in a private offer";
            return Err(refuse(Code::MeteringExcludesAnnual, "rateCards", message));
        }
        if self.rate_cards.is_empty() {
            return Err(refuse(
                Code::TermMissing,
                "rateCards",
                "it needs the prices of at least one duration",
            ));
        }
        if kind == UpfrontKind::Annual {
            check_annual_product(product)?;
        }
        for (index, card) in self.rate_cards.iter().enumerate() {
            check_duration(kind, card.duration, private, rules).map_err(|why| {
                refuse(Code::DurationNotAllowed, &format!("rateCards[{index}].duration"), &why)
            })?;
            if self.rate_cards[..index].iter().any(|other| other.duration == card.duration) {
                let message = format!("{} stands twice: one card for each duration", card.duration);
                return Err(refuse(
                    Code::DurationNotAllowed,
                    &format!("rateCards[{index}].duration"),
                    &message,
                ));
            }
            if card.prices.is_empty() {
                let message = format!("{} has no price: price what it sells", card.duration);
                return Err(refuse(
                    Code::RateCardIncomplete,
                    &format!("rateCards[{index}].prices"),
                    &message,
                ));
            }
            let none = RateCard::new();
            match kind {
                UpfrontKind::Annual | UpfrontKind::Monthly => {
                    check_pairs(&card.prices, usage.map_or(&none, |u| &u.rate_card), product)?
                }
                UpfrontKind::Contract => check_contract_card(card, product, index)?,
            }
        }
        Ok(())
    }
}

fn refuse(code: Code, field: &str, message: &str) -> Rejection {
    Rejection::new(code, format!("configurableUpfrontPricing.{field}"), message)
}

/// A17: what its seller meters cannot be sold annually; what no one runs cannot either.
fn check_annual_product(product: &Product) -> Result<(), Rejection> {
    if product.product_type == ProductType::Saas || !product.has_type(DimensionType::Metered) {
        let message = "annual subscriptions are sold on instance types (dimension type METERED) of AMI and \
                       container products, contracts on ENTITLED dimensions; this product has neither";
        return Err(refuse(Code::MeteringExcludesAnnual, "rateCards", message));
    }
    Ok(())
}

fn check_duration(
    kind: UpfrontKind,
    duration: TermDuration,
    private: bool,
    rules: &Rules,
) -> Result<(), String> {
    let (ok, allowed) = match (kind, duration) {
        _ if private => return check_private_duration(duration, kind, rules),
        (UpfrontKind::Annual | UpfrontKind::Monthly, _) => (duration == ANNUAL, "P12M"),
        (UpfrontKind::Contract, TermDuration::Months(m)) => {
            (CONTRACT_MONTHS.contains(&m), "P1M, P12M, P24M or P36M")
        }
        (UpfrontKind::Contract, TermDuration::Days(_)) => (false, "P1M, P12M, P24M or P36M"),
    };
    match ok {
        true => Ok(()),
        false => Err(format!("{duration} is not a duration on sale: take {allowed}")),
    }
}

/// A private offer sells what is bought upfront for any number of months or days up to a limit: contracts (B10),
/// and long-term cover of instances (B11).
pub(super) fn check_private_duration(
    duration: TermDuration,
    kind: UpfrontKind,
    rules: &Rules,
) -> Result<(), String> {
    let (days, months) = (rules.max_private_usage_days, rules.max_private_contract_months);
    let ok = match (kind, duration) {
        (_, TermDuration::Days(n)) => n <= days,
        (UpfrontKind::Contract, TermDuration::Months(n)) => n <= months,
        // As many months as surely fit into the days.
        (UpfrontKind::Annual | UpfrontKind::Monthly, TermDuration::Months(n)) => {
            n * 31 <= days || n * 365 <= days * 12
        }
    };
    match (ok, kind) {
        (true, _) => Ok(()),
        (false, UpfrontKind::Contract) => Err(format!(
            "{duration} is too long: a private contract lasts at most P{months}M or P{days}D (B10)"
        )),
        (false, UpfrontKind::Annual | UpfrontKind::Monthly) => {
            Err(format!("{duration} is too long: a private offer lasts at most P{days}D (B11)"))
        }
    }
}

/// A18: every duration prices the same dimensions, all that are entitled.
fn check_contract_card(card: &UpfrontRateCard, product: &Product, index: usize) -> Result<(), Rejection> {
    let field = format!("rateCards[{index}].prices");
    for key in card.prices.keys() {
        let entitled = product.dimension(key).is_some_and(|d| d.types.contains(&DimensionType::Entitled));
        if !entitled {
            let message = format!("\"{key}\" is no ENTITLED dimension of product {}", product.id);
            return Err(refuse(Code::DimensionUnknown, &format!("{field}[{key}]"), &message));
        }
    }
    let entitled = product.dimensions.iter().filter(|d| d.types.contains(&DimensionType::Entitled));
    match entitled.into_iter().find(|d| !card.prices.contains_key(&d.key)) {
        None => Ok(()),
        Some(d) => {
            let message = format!(
                "{} has no price for \"{}\": every duration prices the same dimensions",
                card.duration, d.key
            );
            Err(refuse(Code::RateCardIncomplete, &field, &message))
        }
    }
}

/// A3 to A5: which annual and hourly prices go together.
fn check_pairs(annual: &RateCard, hourly: &RateCard, product: &Product) -> Result<(), Rejection> {
    for key in annual.keys() {
        if product.dimension(key).is_none() {
            let message = format!("product {} has no dimension \"{key}\": {}", product.id, product.keys());
            return Err(refuse(Code::DimensionUnknown, &format!("rateCards[0].prices[{key}]"), &message));
        }
    }
    for dimension in &product.dimensions {
        let key = &dimension.key;
        let other_nonzero = annual.iter().any(|(other, price)| other != key && !price.is_zero());
        let pair = check_pair(annual.get(key).copied(), hourly.get(key).copied(), other_nonzero);
        if let Err(code) = pair {
            let message = match code {
                Code::AnnualNeedsHourly => {
                    format!("\"{key}\" has an annual price and no hourly one: add it to the rate card")
                }
                Code::HourlyWithoutAnnual => format!(
                    "\"{key}\" has an hourly price and no annual one, while other types are sold annually: add it"
                ),
                Code::ZeroAnnualNeedsZeroHourly => {
                    format!("\"{key}\" costs 0 annually but not hourly: make both 0 or neither")
                }
                _ => format!("\"{key}\" costs 0 annually and no other type has an annual price above 0"),
            };
            return Err(refuse(code, &format!("rateCards[0].prices[{key}]"), &message));
        }
    }
    Ok(())
}

/// One type's annual and hourly price. `other_nonzero`: another type has an annual price above 0.
fn check_pair(annual: Option<UnitPrice>, hourly: Option<UnitPrice>, other_nonzero: bool) -> Result<(), Code> {
    match (annual, hourly) {
        (Some(_), None) => Err(Code::AnnualNeedsHourly),
        (None, Some(_)) if other_nonzero => Err(Code::HourlyWithoutAnnual),
        (Some(annual), Some(hourly)) if annual.is_zero() => match (hourly.is_zero(), other_nonzero) {
            (false, _) => Err(Code::ZeroAnnualNeedsZeroHourly),
            (true, false) => Err(Code::NoNonzeroAnnualType),
            (true, true) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// What a buyer chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpfrontConfiguration {
    /// For how long; none where the offer says it.
    pub duration: Option<TermDuration>,
    /// How many of what; nothing where the offer says it.
    pub quantities: BTreeMap<DimensionKey, u64>,
    /// Renews itself at its end.
    pub auto_renew: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::PriceDecimals;
    use crate::rules::Profile;

    fn months(rules: &Rules, private: bool, of: &[u32]) -> Vec<bool> {
        let ok =
            |&n: &u32| check_duration(UpfrontKind::Contract, TermDuration::Months(n), private, rules).is_ok();
        of.iter().map(ok).collect()
    }

    #[test]
    fn c_07_public_contracts_have_four_durations() {
        let rules = Rules::of(Profile::Source);
        let expected = [true, false, true, true, true, false, false];
        assert_eq!(months(&rules, false, &[1, 6, 12, 24, 36, 48, 60]), expected);
    }

    /// C-08, with the limits of both profiles. No duration of 0 can be said.
    #[test]
    fn c_08_private_contracts_have_any_duration_up_to_a_limit() {
        let all = [1, 7, 60, 61, 144, 145];
        let source = Rules::of(Profile::Source);
        assert_eq!(months(&source, true, &all), [true, true, true, false, false, false]);
        assert_eq!(months(&Rules::of(Profile::Y2026), true, &all), [true, true, true, true, true, false]);
        for (days, ok) in [(1, true), (365, true), (1_095, true), (1_096, false)] {
            let duration = TermDuration::Days(days);
            assert_eq!(check_duration(UpfrontKind::Contract, duration, true, &source).is_ok(), ok, "{days}");
        }
    }

    fn price(text: Option<&str>) -> Option<UnitPrice> {
        text.map(|t| UnitPrice::parse(t, PriceDecimals::Upfront).unwrap())
    }

    #[test]
    fn a_14_pairs_of_prices_that_may_be_published() {
        for (annual, hourly, other_nonzero, expected) in [
            (Some("0.00"), Some("0.00"), true, Ok(())),
            (Some("0.00"), Some("0.00"), false, Err(Code::NoNonzeroAnnualType)),
            (Some("0.00"), Some("0.10"), true, Err(Code::ZeroAnnualNeedsZeroHourly)),
            (Some("500.00"), Some("0.00"), true, Ok(())),
            (Some("500.00"), None, true, Err(Code::AnnualNeedsHourly)),
            (None, Some("0.10"), true, Err(Code::HourlyWithoutAnnual)),
            (None, Some("0.10"), false, Ok(())),
        ] {
            let result = check_pair(price(annual), price(hourly), other_nonzero);
            assert_eq!(result, expected, "{annual:?} {hourly:?} {other_nonzero}");
        }
    }
}
