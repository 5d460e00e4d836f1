//! Segments: the stretches of a month in which nothing but the usage changes: the same agreement, the same
//! price, the same cover. All of these are read at the start of an hour (Q1).

use super::Meter;
use super::agreements::Agreements;
use crate::agreement::{Agreement, Cover, timeline};
use crate::catalog::PriceSource;
use crate::money::{Currency, UnitPrice};
use crate::rejection::Broken;
use crate::time::{HourRange, UsageHour};

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

/// Where an agreement, a price or a cover may change within the hours of a month, in order.
pub fn cuts(
    agreements: &Agreements<'_>,
    meters: &[Meter<'_>],
    covers: &[Cover<'_>],
    hours: HourRange,
) -> Result<Vec<UsageHour>, Broken> {
    let inside = |hour: &UsageHour| hours.start < *hour && *hour < hours.end;
    // Most months have none, and this takes no memory then.
    let mut cuts = Vec::new();
    for meter in meters {
        for agreement in agreements.of(meter.buyer(), meter.product(), meter.licence()) {
            cuts.extend(timeline::boundaries(agreement).filter(inside));
            let offer = agreements.offer(agreement)?;
            cuts.extend(offer.price_boundaries().map(UsageHour::at_or_after).filter(inside));
        }
    }
    let ends = covers.iter().flat_map(|cover| [cover.start, cover.end]);
    cuts.extend(ends.map(UsageHour::at_or_after).filter(inside));
    cuts.sort_unstable();
    cuts.dedup();
    Ok(cuts)
}

/// The ranges into which hours are cut.
pub fn ranges(hours: HourRange, cuts: &[UsageHour]) -> impl Iterator<Item = HourRange> {
    let starts = std::iter::once(hours.start).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([hours.end]);
    starts.zip(ends).map(|(start, end)| HourRange { start, end })
}

/// What prices a meter at an hour; none when no agreement does. `metered`: something was metered in it, so that
/// an agreement which ended just before it counts, too.
pub fn pricing<'a>(
    agreements: &Agreements<'a>,
    meter: &Meter<'a>,
    hour: UsageHour,
    metered: bool,
) -> Result<Option<Pricing<'a>>, Broken> {
    let rules = &agreements.market().rules;
    let mine = || agreements.of(meter.buyer(), meter.product(), meter.licence());
    let just_ended = || timeline::ended_just_before(mine(), hour, rules.future_skew_micros);
    let agreement = match metered {
        true => timeline::agreement_at(mine(), hour).or_else(just_ended),
        false => timeline::agreement_at(mine(), hour),
    };
    let Some(agreement) = agreement else { return Ok(None) };
    let offer = agreements.offer(agreement)?;
    // In the hour in which it begins, an agreement is priced as of its beginning (section 0 row 21).
    let at = hour.start().max(agreement.start);
    let dimension = meter.dimension();
    let price = offer.usage_price(dimension, agreement.start, at, rules.decreases_immediate);
    let (unit_price, source) = price
        .ok_or_else(|| Broken(format!("offer {} has no price for metered \"{dimension}\"", offer.id)))?;
    let usage = offer.terms.usage_based.as_ref();
    let currency = usage.map(|usage| usage.currency);
    let currency =
        currency.ok_or_else(|| Broken(format!("offer {} has a price and no currency", offer.id)))?;
    Ok(Some(Pricing { agreement, unit_price, source, currency }))
}
