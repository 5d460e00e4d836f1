//! ByolPricingTerm: buyers bring a licence that they bought elsewhere, and AWS Marketplace charges nothing.
//!
//! Within 90 days of the launch, the seller has something to sell for pay, too (A21).

use chrono::{Days, NaiveDate};

use super::{OfferContext, Terms};
use crate::catalog::{Marketplace, Offer, OfferVisibility, ProductType};
use crate::rejection::{Code, Rejection};
use crate::rules::NOTICE_DAYS;

/// Buyers bring their own licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Byol;

impl Byol {
    /// Public offers of machine images and containers have it, beside nothing that is paid.
    pub fn check(self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let refuse = |message: &str| Err(Rejection::new(Code::TermNotAllowed, "byolPricing", message));
        if offer.private {
            return refuse("private offers are not of licences that buyers bring (B7): leave it out");
        }
        if !matches!(offer.product.product_type, ProductType::Ami | ProductType::Container) {
            return refuse("buyers bring licences of AMI and container products only (C)");
        }
        let Terms { usage_based, configurable_upfront, fixed_upfront, .. } = offer.terms;
        let Terms { payment_schedule, free_trial, recurring_payment, .. } = offer.terms;
        let is_paid = usage_based.is_some()
            || configurable_upfront.is_some()
            || fixed_upfront.is_some()
            || payment_schedule.is_some()
            || free_trial.is_some()
            || recurring_payment.is_some();
        match is_paid {
            true => refuse("who brings a licence pays nothing here (A21): leave the prices out"),
            false => Ok(()),
        }
    }
}

/// Until when an offer's seller must sell something for pay, if it does not yet (A21): 90 days after the launch.
pub fn paid_listing_due(market: &Marketplace, offer: &Offer) -> Option<NaiveDate> {
    offer.terms.byol?;
    let seller = market.products().get(&offer.product)?.seller;
    let is_paid = |other: &Offer| {
        let sells = other.visibility() == OfferVisibility::Public && other.terms.charges();
        sells && market.products().get(&other.product).is_some_and(|product| product.seller == seller)
    };
    match market.offers().values().any(is_paid) {
        true => None,
        false => offer.released_at.date().checked_add_days(Days::new(NOTICE_DAYS)),
    }
}

impl Terms {
    /// Whether they charge anything at all: free products have prices of 0 only.
    pub fn charges(&self) -> bool {
        let usage = self.usage_based.iter().flat_map(|usage| usage.rate_card.values());
        let cards = self.configurable_upfront.iter().flat_map(|upfront| &upfront.rate_cards);
        let upfront = cards.flat_map(|card| card.prices.values());
        let fixed = self.fixed_upfront.iter().map(|fixed| &fixed.price);
        let monthly = self.recurring_payment.iter().map(|fee| &fee.price);
        usage.chain(upfront).chain(fixed).chain(monthly).any(|price| price.scaled() > 0)
    }
}
