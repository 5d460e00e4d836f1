//! FixedUpfrontPricingTerm: one price for everything a private offer grants, for its whole duration.

use std::collections::BTreeMap;

use super::configurable_upfront::{MAX_UNITS, check_private_duration};
use super::{ConfigurableUpfront, OfferContext, Terms, UpfrontKind};
use crate::catalog::{DimensionType, Product, ProductType};
use crate::ids::DimensionKey;
use crate::money::{Currency, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::time::TermDuration;

/// One price for a whole contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedUpfront {
    /// The currency of the price.
    pub currency: Currency,
    /// For everything together.
    pub price: UnitPrice,
    /// For how long; none when the offer names the dates of its agreement (E3).
    pub duration: Option<TermDuration>,
    /// How many units of what it grants: entitlements of a contract, or instances that it covers (B13). Nothing where it
    /// pays for whatever is used (B21).
    pub grants: BTreeMap<DimensionKey, u64>,
}

impl FixedUpfront {
    /// For how long, among the terms of its offer: its duration, or the days of the dates that the offer names.
    pub fn lasts(&self, terms: &Terms) -> TermDuration {
        let days = || {
            let dates = terms.validity.and_then(|validity| validity.dates());
            let days = dates.map_or(0, |dates| (dates.last_day - dates.first_day).num_days() + 1);
            TermDuration::Days(u32::try_from(days).unwrap_or(u32::MAX))
        };
        self.duration.unwrap_or_else(days)
    }

    /// Private offers alone have it, and nothing else that is sold upfront; it grants what the product has.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let refuse = |code, field: &str, message: String| {
            Err(Rejection::new(code, format!("fixedUpfrontPricing{field}"), message))
        };
        if !offer.private {
            let message = "a fixed upfront price is for private offers (A23): public ones price every dimension \
                           (configurableUpfrontPricing)";
            return refuse(Code::TermNotAllowed, "", message.to_owned());
        }
        if offer.terms.configurable_upfront.is_some() {
            let message =
                "the offer has configurableUpfrontPricing, too: one of the two says what is sold upfront";
            return refuse(Code::TermNotAllowed, "", message.to_owned());
        }
        let dated = offer.terms.validity.is_some_and(|validity| validity.dates().is_some());
        match (self.duration, dated) {
            (None, true) => {}
            (Some(duration), false) => {
                check_private_duration(duration, self.kind(offer), offer.rules).map_err(|why| {
                    Rejection::new(Code::DurationNotAllowed, "fixedUpfrontPricing.duration", why)
                })?;
            }
            (None, false) => {
                let message = "say how long it lasts (duration), or give the offer the dates of its agreement (validity)";
                return refuse(Code::FieldMissing, ".duration", message.to_owned());
            }
            (Some(duration), true) => {
                let message = format!("{duration} beside the dates of the agreement: leave one of them out");
                return refuse(Code::DurationNotAllowed, ".duration", message);
            }
        }
        if !self.price.is_payable(self.currency) {
            let message = format!(
                "{} {} cannot be paid: one price has at most {} decimals",
                self.price,
                self.currency,
                self.currency.minor_digits()
            );
            return refuse(Code::PriceInvalid, ".price", message);
        }
        if self.prepays_use(offer.product) {
            return match self.grants.is_empty() {
                true => Ok(()),
                false => refuse(
                    Code::TermNotAllowed,
                    ".grants",
                    "a contract on a machine learning product takes any number of instances and inferences (B21): \
                     leave the grants out"
                        .to_owned(),
                ),
            };
        }
        if self.grants.is_empty() {
            return refuse(
                Code::FieldMissing,
                ".grants",
                "say how many units of which dimension it grants".into(),
            );
        }
        let product = offer.product;
        for (key, &units) in &self.grants {
            let field = format!(".grants[{key}]");
            let Some(dimension) = product.dimension(key) else {
                let message =
                    format!("product {} has no dimension \"{key}\": {}", product.id, product.keys());
                return refuse(Code::DimensionUnknown, &field, message);
            };
            let wanted = match self.kind(offer) {
                UpfrontKind::Contract => DimensionType::Entitled,
                UpfrontKind::Annual | UpfrontKind::Monthly => DimensionType::Metered,
            };
            if !dimension.types.contains(&wanted) {
                let message =
                    format!("\"{key}\" is metered by its seller and cannot be granted upfront: leave it out");
                return refuse(Code::DimensionTypesInvalid, &field, message);
            }
            if !(1..=MAX_UNITS).contains(&units) {
                return refuse(
                    Code::FieldInvalid,
                    &field,
                    format!("{units} units; it must be 1 to {MAX_UNITS}"),
                );
            }
        }
        Ok(())
    }

    /// On a machine learning product that AWS Marketplace meters, it pays all use of its duration (B21).
    pub fn prepays_use(&self, product: &Product) -> bool {
        product.product_type == ProductType::MachineLearning && product.has_type(DimensionType::Metered)
    }

    /// Entitlements where the product has dimensions for that, else instances that it covers.
    pub fn kind(&self, offer: &OfferContext<'_>) -> UpfrontKind {
        match offer.product.product_type == ProductType::Saas {
            true => UpfrontKind::Contract,
            false => ConfigurableUpfront::kind(offer.product),
        }
    }
}
