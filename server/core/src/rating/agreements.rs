//! A family's agreements as rating looks them up: by buyer, each with its offer.

use crate::agreement::{Agreement, Family};
use crate::catalog::{Marketplace, Offer};
use crate::ids::{AccountId, LicenseArn, ProductId};
use crate::rejection::Broken;

/// A family's agreements, sorted by buyer, and of one buyer in the order of their acceptance.
#[derive(Debug)]
pub struct Agreements<'a> {
    market: &'a Marketplace,
    sorted: Vec<&'a Agreement>,
}

impl<'a> Agreements<'a> {
    /// Those of a family.
    pub fn of_family(market: &'a Marketplace, family: &'a Family) -> Agreements<'a> {
        let mut sorted: Vec<_> = family.agreements().collect();
        sorted.sort_by_key(|agreement| agreement.buyer);
        Agreements { market, sorted }
    }

    /// Those of a buyer on a product, or of its licence alone.
    pub fn of(
        &self,
        buyer: AccountId,
        product: &'a ProductId,
        licence: Option<&'a LicenseArn>,
    ) -> impl Iterator<Item = &'a Agreement> + Clone {
        let first = self.sorted.partition_point(|agreement| agreement.buyer < buyer);
        let behind = self.sorted.get(first..).unwrap_or(&[]).iter().copied();
        behind
            .take_while(move |agreement| agreement.buyer == buyer)
            .filter(move |a| a.product == *product && licence.is_none_or(|licence| a.licence == *licence))
    }

    /// The offer of an agreement.
    pub fn offer(&self, agreement: &Agreement) -> Result<&'a Offer, Broken> {
        self.market.known_offer(&agreement.offer)
    }

    /// What is published.
    pub fn market(&self) -> &'a Marketplace {
        self.market
    }
}
