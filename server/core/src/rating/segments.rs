//! Segments: the stretches of a month in which nothing but the usage changes: the same agreement, the same
//! price, the same cover. All of these are read at the start of an hour (Q1).

use std::collections::BTreeSet;

use super::Meter;
use crate::agreement::{Agreement, Cover, Family, timeline};
use crate::catalog::PriceSource;
use crate::ids::{DimensionKey, ProductId};
use crate::machine::Sandbox;
use crate::money::{Currency, UnitPrice};
use crate::rejection::Broken;
use crate::time::{BillingMonth, HourRange, UsageHour};

/// What prices a meter in a segment.
#[derive(Debug, Clone, Copy)]
pub struct Pricing<'a> {
    /// The agreement.
    pub agreement: &'a Agreement,
    /// The price of a unit.
    pub unit_price: UnitPrice,
    /// Where it comes from.
    pub source: PriceSource,
    /// Its currency.
    pub currency: Currency,
}

/// The hours of a month, cut wherever an agreement, a price or a cover may change.
pub fn cut(
    sandbox: &Sandbox,
    family: &Family,
    product: &ProductId,
    meters: &[Meter],
    covers: &[Cover],
    month: BillingMonth,
) -> Result<Vec<HourRange>, Broken> {
    let hours = month.hours();
    let mut cuts = BTreeSet::from([hours.start, hours.end]);
    for meter in meters {
        for agreement in meter.agreements(family, product) {
            cuts.extend(timeline::boundaries(agreement));
            let offer = sandbox.market().known_offer(&agreement.offer)?;
            cuts.extend(offer.price_boundaries().map(UsageHour::at_or_after));
        }
    }
    cuts.extend(covers.iter().flat_map(|c| [c.start, c.end]).map(UsageHour::at_or_after));
    let inside: Vec<_> = cuts.range(hours.start..=hours.end).copied().collect();
    Ok(inside
        .windows(2)
        .filter_map(|pair| Some(HourRange { start: *pair.first()?, end: *pair.last()? }))
        .collect())
}

/// What prices a meter at an hour; none when no agreement does. `metered`: something was metered in it, so that
/// an agreement which ended just before it counts, too.
pub fn pricing<'a>(
    sandbox: &'a Sandbox,
    family: &'a Family,
    product: &'a ProductId,
    dimension: &DimensionKey,
    meter: &'a Meter,
    hour: UsageHour,
    metered: bool,
) -> Result<Option<Pricing<'a>>, Broken> {
    let skew = sandbox.market().rules.future_skew_micros;
    let agreement = match metered {
        true => meter
            .agreement_at(family, product, hour)
            .or_else(|| timeline::ended_just_before(meter.agreements(family, product), hour, skew)),
        false => meter.agreement_at(family, product, hour),
    };
    let Some(agreement) = agreement else { return Ok(None) };
    let offer = sandbox.market().known_offer(&agreement.offer)?;
    // In the hour in which it begins, an agreement is priced as of its beginning (section 0 row 21).
    let at = hour.start().max(agreement.start);
    let immediate = sandbox.market().rules.decreases_immediate;
    let price = offer.usage_price(dimension, agreement.start, at, immediate);
    let (unit_price, source) = price
        .ok_or_else(|| Broken(format!("offer {} has no price for metered \"{dimension}\"", offer.id)))?;
    let usage = offer.terms.usage_based.as_ref();
    let currency = usage.map(|usage| usage.currency);
    let currency =
        currency.ok_or_else(|| Broken(format!("offer {} has a price and no currency", offer.id)))?;
    Ok(Some(Pricing { agreement, unit_price, source, currency }))
}
