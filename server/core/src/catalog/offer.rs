//! Offers: the public one of a product, and private ones for chosen buyers.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    Account, DimensionType, Marketplace, OfferVisibility, PriceChange, Product, ProductType, Resale,
};
use crate::ids::{AccountId, DimensionKey, OfferId, ProductId, ResaleAuthorizationId};
use crate::money::UnitPrice;
use crate::rejection::{Broken, Code, Rejection};
use crate::rules::Rules;
use crate::terms::{OfferContext, Terms, UpfrontKind};
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

/// For whom a private offer renews what was bought before (B22): both count as renewals, with their listing fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalKind {
    /// A customer of the seller on AWS Marketplace.
    ExistingOnMarketplace,
    /// A customer of the seller who moves to AWS Marketplace.
    MovingToMarketplace,
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
    /// A private offer that renews what was bought before.
    pub renewal_kind: Option<RenewalKind>,
    /// What it says.
    pub terms: Terms,
    /// When it was released.
    pub released_at: Timestamp,
    /// From when on its buyers see it (B16).
    pub visible_from: Timestamp,
    /// Its price changes, oldest first.
    pub price_changes: Vec<PriceChange>,
    /// That a reseller sells it, not the seller of the product (J1).
    pub resale: Option<Box<Resale>>,
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
    /// The AWS program whose participants it is for.
    pub program: Option<String>,
    /// The countries whose buyers it is for.
    pub country_codes: Vec<String>,
    /// The last day on which it can be accepted.
    pub accept_by: Option<NaiveDate>,
    /// It renews what was bought before.
    pub renewal_kind: Option<RenewalKind>,
    /// What it says.
    pub terms: Terms,
    /// By what a reseller may sell it; none: the seller of the product sells it.
    pub resale_authorization: Option<ResaleAuthorizationId>,
}

/// The AWS programs that offers may target (D-05).
pub const PROGRAMS: [&str; 2] = ["EnterpriseContract", FIELD_DEMONSTRATION];
/// AWS's own people show the product: their use is free (D9).
pub const FIELD_DEMONSTRATION: &str = "FieldDemonstration";

impl Offer {
    /// The seller of record: a reseller, or the seller of its product.
    pub fn seller(&self, product: &Product) -> AccountId {
        self.resale.as_ref().map_or(product.seller, |resale| resale.reseller)
    }

    /// What a reseller owes for a unit of usage; an offer is released with that of everything that it sells.
    pub fn wholesale_usage_price(&self, key: &DimensionKey) -> Result<UnitPrice, Broken> {
        let price = self.resale.as_ref().and_then(|resale| resale.usage_price(key));
        price.ok_or_else(|| Broken(format!("offer {} sells \"{key}\" without a wholesale price", self.id)))
    }

    /// Whether its usage is a field demonstration.
    pub fn is_demonstration(&self) -> bool {
        self.targeting.program.as_deref() == Some(FIELD_DEMONSTRATION)
    }

    /// Whether its usage costs nothing, whatever it prices: a demonstration, or under a licence that the buyer brings.
    pub fn is_free(&self) -> bool {
        self.terms.byol.is_some() || self.is_demonstration()
    }

    /// Whether it is for chosen buyers.
    pub fn is_private(&self) -> bool {
        self.visibility() == OfferVisibility::Private
    }

    /// Who may see it, in the reports' words.
    pub fn visibility(&self) -> OfferVisibility {
        OfferVisibility::of(&self.targeting, false)
    }

    /// Whether a buyer of this payer sees it at a time: it targets the buyer, or the payer of the buyer (B4), and it has
    /// come to them (C-10).
    pub fn is_visible_to(&self, buyer: &Account, payer: &Account, at: Timestamp) -> bool {
        self.is_for(buyer) && self.left_out_admin(payer).is_none() && self.visible_from <= at
    }

    /// Whether it is public, or names a buyer or its payer; of a buyer's country, if it names countries.
    pub fn is_for(&self, buyer: &Account) -> bool {
        let targeted = &self.targeting.buyer_accounts;
        let named = targeted.is_empty() || targeted.contains(&buyer.id) || targeted.contains(&buyer.payer);
        named && self.is_for_country(&buyer.address.country)
    }

    /// Whether it names a country, or none.
    pub fn is_for_country(&self, country: &str) -> bool {
        self.targeting.country_codes.is_empty() || self.targeting.country_codes.contains(country)
    }

    /// The administrator of the payer's private marketplace, if a private offer does not name it, as it must (B4).
    pub fn left_out_admin(&self, payer: &Account) -> Option<AccountId> {
        let targeted = &self.targeting.buyer_accounts;
        payer.private_marketplace_admin.filter(|admin| !targeted.is_empty() && !targeted.contains(admin))
    }

    /// From when on it can no longer be accepted: the end of its last day, in UTC (C-11).
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.accept_by.and_then(Timestamp::from_date).map(Timestamp::next_midnight)
    }

    /// What its upfront term sells on the product, if it has one.
    pub fn upfront_kind(&self, product: &Product) -> Option<UpfrontKind> {
        self.terms.upfront_kind(product)
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
        propagation_micros: i64,
    ) -> Result<Offer, Rejection> {
        let id = self.id.clone().unwrap_or_else(|| {
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
        let authorization = self.resale_authorization.as_ref();
        let authorization = authorization.map(|id| market.resale_authorization(id, "resaleAuthorizationId"));
        let authorization = authorization.transpose()?;
        let resale = authorization.map(|authorization| authorization.resale(&self, product, market, now));
        let resale = resale.transpose()?;
        let private = !self.buyer_accounts.is_empty();
        check_program(self.program.as_deref(), private, &self.terms)?;
        check_countries(&self.country_codes, private || self.program.is_some())?;
        let for_everybody = !private && self.program.is_none() && self.country_codes.is_empty();
        if for_everybody && market.public_offer(&product.id).is_some() {
            let message = format!(
                "product {} has its public offer: change its prices, or name buyers; AWS reviews another pricing model for 30 to 90 days (A22)",
                product.id
            );
            return Err(Rejection::new(Code::PublicOfferExists, "productId", message));
        }
        let offer = Offer {
            id,
            product: self.product,
            name: self.name,
            targeting: Targeting {
                buyer_accounts: self.buyer_accounts.into_iter().collect(),
                program: self.program,
                country_codes: self.country_codes.into_iter().collect(),
            },
            accept_by: self.accept_by,
            renewal_kind: self.renewal_kind,
            terms: self.terms,
            released_at: now,
            visible_from: match private {
                true => now.plus_micros(propagation_micros),
                false => now,
            },
            price_changes: Vec::new(),
            resale: resale.map(Box::new),
        };
        offer.check_terms(product, &market.rules)?;
        offer.check_dates(now)?;
        Ok(offer)
    }
}

impl Offer {
    fn check_terms(&self, product: &Product, rules: &Rules) -> Result<(), Rejection> {
        let terms = &self.terms;
        let kind = self.upfront_kind(product);
        if product.product_type == ProductType::ProfessionalServices && !self.is_private() {
            let message = "professional services are sold by private offers only (B20): name buyers";
            return Err(Rejection::new(Code::PrivateOffersOnly, "buyerAccountIds", message));
        }
        let private = self.is_private();
        if self.renewal_kind.is_some() && !private {
            let message = "a public offer is nobody's renewal (B22): leave it out, or name buyers";
            return Err(Rejection::new(Code::FieldInvalid, "renewalKind", message));
        }
        let (released_at, expires_at) = (self.released_at, self.expires_at());
        let context = OfferContext { product, terms, private, released_at, expires_at, rules };
        terms.check(&context).map_err(|r| r.within("terms"))?;
        let metered = product.dimensions.iter().any(super::Dimension::is_metered);
        let missing = match (
            metered && terms.byol.is_none(),
            terms.usage_based.is_some(),
            product.has_type(DimensionType::Entitled),
            kind,
        ) {
            (true, false, _, _) => Some("usageBasedPricing: the product's metered dimensions need prices"),
            (_, _, true, None) => Some(
                "configurableUpfrontPricing or, if private, fixedUpfrontPricing: the product's entitled \
                     dimensions need prices",
            ),
            _ if private && kind != Some(UpfrontKind::Contract) && self.has_no_duration() => {
                Some("validity: how long it lasts from its acceptance, such as P30D")
            }
            _ => None,
        };
        match missing {
            Some(term) => Err(Rejection::new(Code::TermMissing, "terms", format!("the offer needs {term}"))),
            None => Ok(()),
        }
    }

    /// Nothing says how long an agreement on it lasts.
    fn has_no_duration(&self) -> bool {
        self.terms.validity.is_none() && self.terms.fixed_upfront.is_none()
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

fn check_program(program: Option<&str>, private: bool, terms: &Terms) -> Result<(), Rejection> {
    let refuse = |message| Err(Rejection::new(Code::FieldInvalid, "program", message));
    match program {
        None => Ok(()),
        Some(program) if !PROGRAMS.contains(&program) => refuse(format!(
            "\"{program}\" is no program that offers target: take one of {}",
            PROGRAMS.join(", ")
        )),
        Some(_) if private => refuse("an offer targets a program or buyers, not both".to_owned()),
        Some(FIELD_DEMONSTRATION)
            if terms.configurable_upfront.is_some() || terms.recurring_payment.is_some() =>
        {
            refuse(
                "field demonstrations are free (D9): they sell nothing upfront and have no monthly fee"
                    .to_owned(),
            )
        }
        Some(_) => Ok(()),
    }
}

fn check_countries(countries: &[String], targeted_otherwise: bool) -> Result<(), Rejection> {
    let refuse = |index: usize, message| {
        Err(Rejection::new(Code::FieldInvalid, format!("countryCodes[{index}]"), message))
    };
    for (index, country) in countries.iter().enumerate() {
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            let message = format!("\"{country}\" is no country: write ISO 3166-1 alpha-2, such as DE");
            return refuse(index, message);
        }
        if targeted_otherwise {
            let message =
                "an offer targets countries, buyers or a program, one of them: leave the others out";
            return refuse(index, message.to_owned());
        }
    }
    Ok(())
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
        ProductType::Ami | ProductType::Container | ProductType::MachineLearning => true,
        ProductType::Saas | ProductType::ProfessionalServices => false,
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
