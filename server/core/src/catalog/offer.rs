//! Offers: the public one of a product, and private ones for chosen buyers.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{DimensionType, Marketplace, OfferVisibility, PriceChange, Product, ProductType};
use crate::ids::{AccountId, OfferId, ProductId};
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;
use crate::terms::{ConfigurableUpfront, Terms, UpfrontKind};
use crate::time::Timestamp;

/// Whom an offer targets. Nobody in particular: it is public.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targeting {
    /// Chosen buyers; a payer stands for its linked accounts, too (B4).
    pub buyer_accounts: BTreeSet<AccountId>,
    /// An AWS program.
    pub program: Option<String>,
    /// Chosen countries.
    pub country_codes: BTreeSet<String>,
}

/// A released offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The product it sells.
    pub product: ProductId,
    /// A name.
    pub name: String,
    /// Whom it targets.
    pub targeting: Targeting,
    /// The last day on which it can be accepted; none for the public offer.
    pub accept_by: Option<NaiveDate>,
    /// What it says.
    pub terms: Terms,
    /// When it was released.
    pub released_at: Timestamp,
    /// Its price changes, oldest first.
    pub price_changes: Vec<PriceChange>,
}

/// An offer to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOffer {
    /// Its id; derived when absent.
    pub id: Option<OfferId>,
    /// The product it sells.
    pub product: ProductId,
    /// A name.
    pub name: String,
    /// The buyers of a private offer.
    pub buyer_accounts: Vec<AccountId>,
    /// The last day on which it can be accepted.
    pub accept_by: Option<NaiveDate>,
    /// What it says.
    pub terms: Terms,
}

impl Offer {
    /// Whether it is for chosen buyers.
    pub fn is_private(&self) -> bool {
        self.visibility() == OfferVisibility::Private
    }

    /// Who may see it, in the reports' words.
    pub fn visibility(&self) -> OfferVisibility {
        OfferVisibility::of(&self.targeting, false)
    }

    /// Whether a buyer of this payer may see it: it targets the buyer, or the payer of the buyer (B4).
    pub fn is_visible_to(&self, buyer: AccountId, payer: AccountId) -> bool {
        let targeted = &self.targeting.buyer_accounts;
        targeted.is_empty() || targeted.contains(&buyer) || targeted.contains(&payer)
    }

    /// From when on it can no longer be accepted: the end of its last day, in UTC (C-11).
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.accept_by.and_then(Timestamp::from_date).map(Timestamp::next_midnight)
    }

    /// What its upfront term sells on the product, if it has one.
    pub fn upfront_kind(&self, product: &Product) -> Option<UpfrontKind> {
        self.terms.configurable_upfront.as_ref().map(|_| ConfigurableUpfront::kind(product))
    }

    /// Usage under it falls back to the public offer at its end: it sells usage, not a contract.
    pub fn falls_back(&self, product: &Product) -> bool {
        self.terms.usage_based.is_some() && self.upfront_kind(product) != Some(UpfrontKind::Contract)
    }
}

impl NewOffer {
    /// The offer, if it may be released.
    pub fn release(
        self,
        product: &Product,
        market: &Marketplace,
        now: Timestamp,
    ) -> Result<Offer, Rejection> {
        let id = self.id.unwrap_or_else(|| {
            OfferId::derive(
                &product.id,
                market.offers().values().filter(|o| o.product == product.id).count() + 1,
            )
        });
        super::product::check_form(id.as_str(), "offerId", 64, |b| b.is_ascii_alphanumeric() || b == b'-')?;
        if market.offers().contains_key(&id) {
            return Err(Rejection::new(
                Code::OfferExists,
                "offerId",
                format!("{id} exists: choose another id"),
            ));
        }
        super::product::check_words(&self.name, "name", 150)?;
        check_buyers(&self.buyer_accounts, &market.rules)?;
        let private = !self.buyer_accounts.is_empty();
        if !private && market.public_offer(&product.id).is_some() {
            let message =
                format!("product {} has its public offer: change its prices, or name buyers", product.id);
            return Err(Rejection::new(Code::PublicOfferExists, "productId", message));
        }
        let offer = Offer {
            id,
            product: self.product,
            name: self.name,
            targeting: Targeting {
                buyer_accounts: self.buyer_accounts.into_iter().collect(),
                ..Targeting::default()
            },
            accept_by: self.accept_by,
            terms: self.terms,
            released_at: now,
            price_changes: Vec::new(),
        };
        offer.check_terms(product)?;
        offer.check_dates(now)?;
        Ok(offer)
    }
}

impl Offer {
    fn check_terms(&self, product: &Product) -> Result<(), Rejection> {
        let terms = &self.terms;
        let kind = self.upfront_kind(product);
        // A3 before the completeness of the rate card: a price without its pair has the more telling reason.
        if let Some(upfront) = &terms.configurable_upfront {
            upfront.check(product, terms.usage_based.as_ref()).map_err(|r| r.within("terms"))?;
        }
        if let Some(usage) = &terms.usage_based {
            usage.check(product).map_err(|r| r.within("terms"))?;
        }
        let metered = product.dimensions.iter().any(super::Dimension::is_metered);
        let missing =
            match (metered, terms.usage_based.is_some(), product.has_type(DimensionType::Entitled), kind) {
                (true, false, _, _) => {
                    Some("usageBasedPricing: the product's metered dimensions need prices")
                }
                (_, _, true, None) => {
                    Some("configurableUpfrontPricing: the product's entitled dimensions need prices")
                }
                _ => None,
            };
        if let Some(term) = missing {
            return Err(Rejection::new(Code::TermMissing, "terms", format!("the offer needs {term}")));
        }
        self.check_validity(kind, product)?;
        if terms.renewal.is_some() && (kind.is_none() || self.is_private()) {
            let message =
                "auto-renewal is for upfront purchases on public offers: leave the renewal term out";
            return Err(Rejection::new(Code::TermNotAllowed, "terms.renewal", message));
        }
        Ok(())
    }

    /// A private usage offer has a validity; a contract lasts as long as the duration that was chosen, and a
    /// public offer has no end.
    fn check_validity(&self, kind: Option<UpfrontKind>, product: &Product) -> Result<(), Rejection> {
        let wanted = self.is_private() && kind != Some(UpfrontKind::Contract);
        match (wanted, self.terms.validity) {
            (true, Some(validity)) => {
                validity.check(product.product_type, self.released_at).map_err(|r| r.within("terms"))
            }
            (false, None) => Ok(()),
            (true, None) => {
                let message =
                    "a private offer needs validity: how long it lasts from its acceptance, such as P30D";
                Err(Rejection::new(Code::TermMissing, "terms", message))
            }
            (false, Some(_)) => {
                let message = "only private usage offers have a validity: contracts last as long as the duration \
                               bought, public offers have no end";
                Err(Rejection::new(Code::TermNotAllowed, "terms.validity", message))
            }
        }
    }

    fn check_dates(&self, now: Timestamp) -> Result<(), Rejection> {
        let field = "availabilityEndDate";
        match (self.is_private(), self.expires_at()) {
            (true, Some(end)) if end <= now => {
                let message = format!("the last day to accept lies in the past: it is {now} in the sandbox");
                Err(Rejection::new(Code::OfferExpired, field, message))
            }
            (true, Some(_)) | (false, None) => Ok(()),
            (true, None) => {
                let message = "a private offer needs the last day on which it can be accepted, as YYYY-MM-DD";
                Err(Rejection::new(Code::FieldMissing, field, message))
            }
            (false, Some(_)) => {
                let message = "a public offer can always be accepted: leave the date out, or name buyers";
                Err(Rejection::new(Code::FieldInvalid, field, message))
            }
        }
    }
}

fn check_buyers(buyers: &[AccountId], rules: &Rules) -> Result<(), Rejection> {
    let limit = rules.max_private_offer_buyers as usize;
    if buyers.len() > limit {
        let message =
            format!("{} buyers; a private offer is for at most {limit}: leave some out", buyers.len());
        return Err(Rejection::new(Code::TooManyBuyers, "buyerAccountIds", message));
    }
    Ok(())
}

/// Products whose public offers are server products, with the higher listing fee.
pub fn is_server_product(product_type: ProductType) -> bool {
    match product_type {
        ProductType::Ami | ProductType::Container => true,
        ProductType::Saas => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Profile;

    #[test]
    fn a_private_offer_is_for_at_most_twenty_five_buyers() {
        let rules = Rules::of(Profile::Source);
        let buyers: Vec<_> = (1..=26).filter_map(AccountId::from_number).collect();
        assert!(check_buyers(&buyers[..25], &rules).is_ok());
        assert_eq!(check_buyers(&buyers, &rules).map_err(|r| r.code), Err(Code::TooManyBuyers));
    }
}
