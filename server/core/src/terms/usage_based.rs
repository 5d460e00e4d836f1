//! UsageBasedPricingTerm: a price per unit, billed in arrears for what was metered.

use super::{OfferContext, RateCard};
use crate::catalog::Product;
use crate::money::Currency;
use crate::rejection::{Code, Rejection};

/// Prices per unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageBased {
    /// The currency of the prices.
    pub currency: Currency,
    /// Every metered dimension of the product, with its price.
    pub rate_card: RateCard,
}

impl UsageBased {
    /// The rules of its prices.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        if self.currency != Currency::Usd {
            let message = format!(
                "usage is priced in USD (A24), not in {}: of a private offer, what is sold upfront may \
                                   be in another currency",
                self.currency
            );
            return Err(Rejection::new(
                Code::CurrencyNotSupported,
                "usageBasedPricing.currencyCode",
                message,
            ));
        }
        self.check_rates(offer.product)
    }

    /// Every metered dimension must be priced, and nothing else.
    pub fn check_rates(&self, product: &Product) -> Result<(), Rejection> {
        for key in self.rate_card.keys() {
            let field = format!("usageBasedPricing.rateCard[{key}]");
            let Some(dimension) = product.dimension(key) else {
                let message =
                    format!("product {} has no dimension \"{key}\": {}", product.id, product.keys());
                return Err(Rejection::new(Code::DimensionUnknown, field, message));
            };
            if !dimension.is_metered() {
                let message =
                    format!("\"{key}\" is sold upfront only and takes no usage price: leave it out");
                return Err(Rejection::new(Code::TermNotAllowed, field, message));
            }
        }
        let missing =
            product.dimensions.iter().find(|d| d.is_metered() && !self.rate_card.contains_key(&d.key));
        match missing {
            None => Ok(()),
            Some(dimension) => {
                let message = format!("the metered dimension \"{}\" has no price: price it", dimension.key);
                Err(Rejection::new(Code::RateCardIncomplete, "usageBasedPricing.rateCard", message))
            }
        }
    }
}
