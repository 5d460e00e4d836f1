//! Annual cover: the X of the (Y-X) rule.

use crate::ids::{AccountId, DimensionKey, ProductId};
use crate::terms::UpfrontKind;
use crate::time::{Timestamp, UsageHour};

use super::Family;

/// Instances of one type that an account's annual subscription covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// The account whose agreement bought it.
    pub owner: AccountId,
    /// How many instances.
    pub units: u64,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end; not part of it.
    pub end: Timestamp,
}

impl Cover {
    /// Whether it covers an hour: it is read at the hour's start (Q1).
    pub fn covers(&self, hour: UsageHour) -> bool {
        (self.start..self.end).contains(&hour.start())
    }

    /// Every annual subscription of a family on one type. It lasts its twelve months whatever becomes of the
    /// agreement it was bought under, as when that is replaced by a private one.
    pub fn of_family(family: &Family, product: &ProductId, dimension: &DimensionKey) -> Vec<Cover> {
        let purchases = family.agreements().filter(|a| a.product == *product).flat_map(|agreement| {
            let annual = agreement.purchases.iter().filter(|p| p.kind == UpfrontKind::Annual);
            annual.filter_map(|p| {
                let units = p.quantities.get(dimension).copied()?;
                Some(Cover { owner: agreement.buyer, units, start: p.start, end: p.end })
            })
        });
        purchases.collect()
    }
}
