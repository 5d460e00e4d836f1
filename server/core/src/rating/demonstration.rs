//! Field demonstrations: usage of AWS's own people, which is free and stands in a report of its own (D9).

use super::rate::rate_all;
use super::{MonthSums, RatedLine};
use crate::agreement::Family;
use crate::ids::{AccountId, DimensionKey, OfferId, ProductId};
use crate::machine::Sandbox;
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::BillingMonth;

/// What an account demonstrated in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demonstration {
    /// The month.
    pub month: BillingMonth,
    /// Who.
    pub buyer: AccountId,
    /// Which product.
    pub product: ProductId,
    /// Of what.
    pub dimension: DimensionKey,
    /// How much.
    pub quantity: QuantitySum,
}

/// What a family demonstrated in a month, in the order of its lines.
pub fn demonstrations(
    sandbox: &Sandbox,
    family: &Family,
    sums: &mut MonthSums,
) -> Result<Vec<Demonstration>, Broken> {
    let (month, market) = (sums.month(), sandbox.market());
    let demonstrates = |offer: &OfferId| Ok(market.known_offer(offer)?.is_demonstration());
    let mut found = Vec::new();
    let agreements = family.agreements().map(|agreement| demonstrates(&agreement.offer));
    if !agreements.collect::<Result<Vec<bool>, Broken>>()?.contains(&true) {
        return Ok(found);
    }
    for line in rate_all(sandbox, family, sums)? {
        if demonstrates(&line.offer)? {
            found.extend(of_line(line, month));
        }
    }
    Ok(found)
}

fn of_line(line: RatedLine, month: BillingMonth) -> Option<Demonstration> {
    let quantity = QuantitySum(line.segments.iter().map(|segment| segment.trial.0).sum());
    let RatedLine { buyer, product, dimension, .. } = line;
    (!quantity.is_zero()).then_some(Demonstration { month, buyer, product, dimension, quantity })
}
