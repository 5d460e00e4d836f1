//! A family's agreements as rating looks them up: by buyer, each with its offer.

use crate::agreement::timeline;
use crate::agreement::{Agreement, Cover, Family};
use crate::catalog::{CountedIn, Marketplace, Offer};
use crate::ids::{AccountId, DimensionKey, LicenseArn, ProductId};
use crate::rejection::Broken;
use crate::time::UsageHour;

/// A family's agreements, sorted by buyer, and of one buyer in the order of their acceptance.
#[derive(Debug)]
pub struct Agreements<'a> {
    market: &'a Marketplace,
    sorted: Vec<&'a Agreement>,
    /// By product and type.
    covers: Vec<Cover<'a>>,
    /// Some of them may take all use for themselves, whatever is covered.
    any_free: bool,
}

impl<'a> Agreements<'a> {
    /// Those of a family.
    pub fn of_family(market: &'a Marketplace, family: &'a Family) -> Result<Agreements<'a>, Broken> {
        let mut sorted: Vec<_> = family.agreements().collect();
        sorted.sort_by_key(|agreement| agreement.buyer);
        let covers = Cover::of_family(market, family)?;
        let mut any_free = false;
        // Nobody asks where nothing is covered.
        for agreement in sorted.iter().filter(|_| !covers.is_empty()) {
            let offer = market.known_offer(&agreement.offer)?;
            any_free |= offer.is_free() || offer.terms.free_trial.is_some();
        }
        Ok(Agreements { market, sorted, covers, any_free })
    }

    /// Whether some of its use may be free, wholly, where the family has cover.
    pub fn any_free(&self) -> bool {
        self.any_free
    }

    /// What usage of a product's dimension is counted in.
    pub fn counted_in(&self, product: &ProductId, dimension: &DimensionKey) -> Result<CountedIn, Broken> {
        Ok(self.market.known_product(product)?.counted_in(dimension))
    }

    /// Whether the family has bought any annual subscription.
    pub fn has_cover(&self) -> bool {
        !self.covers.is_empty()
    }

    /// Every annual subscription of the family on one type.
    pub fn covers(&self, product: &ProductId, dimension: &DimensionKey) -> &[Cover<'a>] {
        let first = self.covers.partition_point(|cover| cover.place() < (product, dimension));
        let behind = self.covers.get(first..).unwrap_or(&[]);
        let count = behind.iter().take_while(|cover| cover.place() == (product, dimension)).count();
        behind.get(..count).unwrap_or(&[])
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

    /// What prices an hour of a buyer on a product, or of its licence. `metered`: something was metered in it, so that an
    /// agreement which ended just before it counts, too.
    pub fn at_hour(
        &self,
        buyer: AccountId,
        product: &'a ProductId,
        licence: Option<&'a LicenseArn>,
        hour: UsageHour,
        metered: bool,
    ) -> Option<&'a Agreement> {
        let mine = || self.of(buyer, product, licence);
        let skew = self.market.rules.future_skew_micros;
        let just_ended = || timeline::ended_just_before(mine(), hour, skew).filter(|_| metered);
        timeline::agreement_at(mine(), hour).or_else(just_ended)
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
