//! Cover: the X of the (Y-X) rule. Annual subscriptions cover a family's instances; where the rules subtract
//! entitlements, a contract with consumption covers what its own buyer uses.

use super::{Agreement, AgreementStatus, Family, Origin};
use crate::catalog::Marketplace;
use crate::ids::{AccountId, DimensionKey, ProductId};
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::time::{Timestamp, UsageHour};

/// Whose use a cover takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// That of the whole family, its buyer's first: annual cover (Q11).
    Family,
    /// What the agreement of this number prices, and nothing else: an entitlement (P8).
    Agreement(u32),
}

/// Units of one dimension that an upfront purchase of an account covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover<'a> {
    /// The product.
    pub product: &'a ProductId,
    /// The type.
    pub dimension: &'a DimensionKey,
    /// The account whose agreement bought it.
    pub owner: AccountId,
    /// How many instances, or units.
    pub units: u64,
    /// What they are in each hour, in what usage is counted in: of what is billed by the second, 3,600 each.
    pub amount: u64,
    /// Whose use it takes.
    pub share: Share,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end; not part of it.
    pub end: Timestamp,
}

impl<'a> Cover<'a> {
    /// Whether it covers an hour: it is read at the hour's start (Q1).
    pub fn covers(&self, hour: UsageHour) -> bool {
        self.is_live(hour.start())
    }

    /// Whether it is live at a moment.
    pub fn is_live(&self, at: Timestamp) -> bool {
        (self.start..self.end).contains(&at)
    }

    /// Every annual subscription of a family, by product and type. It lasts its twelve months whatever becomes of the
    /// agreement it was bought under, as when that is replaced by a private one (section 0 row 23); only units
    /// bought on a private offer are deactivated when another private offer takes its place (E2).
    pub fn of_family(market: &Marketplace, family: &'a Family) -> Result<Vec<Cover<'a>>, Broken> {
        let mut covers = Vec::new();
        for agreement in family.agreements() {
            if market.rules.subtracts_entitlements {
                covers.extend(entitlements(agreement));
            }
            let mut annual = agreement.purchases.iter().filter(|p| p.kind == UpfrontKind::Annual).peekable();
            if annual.peek().is_none() {
                continue;
            }
            let deactivated = deactivated(market, family, agreement)?;
            let product = market.known_product(&agreement.product)?;
            for p in annual {
                // What is paid in instalments covers until these are cancelled.
                let unpaid = p.in_instalments && agreement.status == AgreementStatus::Cancelled;
                let ended = deactivated.or_else(|| agreement.ended_at.filter(|_| unpaid));
                let until = p.until();
                let end = ended.map_or(until, |at| at.min(until));
                covers.extend(p.quantities.iter().map(|(dimension, &units)| Cover {
                    product: &agreement.product,
                    dimension,
                    owner: agreement.buyer,
                    units,
                    amount: units.saturating_mul(product.counted_in(dimension).per_unit().into()),
                    share: Share::Family,
                    start: p.start,
                    end,
                }));
            }
        }
        covers.sort_by(|one, other| one.place().cmp(&other.place()));
        Ok(covers)
    }

    /// What it is sorted by.
    pub fn place(&self) -> (&'a ProductId, &'a DimensionKey) {
        (self.product, self.dimension)
    }
}

/// What an agreement's contracts entitle to, as long as it lasts.
fn entitlements(agreement: &Agreement) -> impl Iterator<Item = Cover<'_>> {
    let contracts = agreement.purchases.iter().filter(|p| p.kind == UpfrontKind::Contract);
    contracts.flat_map(move |contract| {
        let until = contract.until();
        contract.quantities.iter().map(move |(dimension, &units)| Cover {
            product: &agreement.product,
            dimension,
            owner: agreement.buyer,
            units,
            // Contracts with consumption are of SaaS products, which nobody bills by the second.
            amount: units,
            share: Share::Agreement(agreement.number),
            start: contract.start,
            end: agreement.end().map_or(until, |end| end.min(until)),
        })
    })
}

/// When a private agreement's units are deactivated: when the buyer accepts the private offer that replaces it.
fn deactivated(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
) -> Result<Option<Timestamp>, Broken> {
    let replaced = agreement.status == AgreementStatus::Replaced;
    if !replaced || !market.known_offer(&agreement.offer)?.is_private() {
        return Ok(None);
    }
    let mut later = family.agreements_of_licence(&agreement.licence).filter(|a| a.number > agreement.number);
    Ok(later.next().filter(|next| next.origin == Origin::Accepted).map(|next| next.start))
}
