//! Segments: the stretches of a month in which nothing but the usage changes: the same agreement, the same
//! price, the same cover. All of these are read at the start of an hour (Q1).

use super::Meter;
use super::agreements::Agreements;
use super::trial;
use super::walk::{HourFacts, MeterSums};
use crate::agreement::{Agreement, Cover, timeline};
use crate::catalog::{Offer, PriceSource};
use crate::money::{Currency, UnitPrice};
use crate::rejection::Broken;
use crate::terms::free_trial::TrialShare;
use crate::time::{HourRange, Timestamp, UsageHour};

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
    /// The moment at which all of this is read.
    pub at: Timestamp,
    /// What of an hour is free.
    pub trial: Option<TrialShare<'a>>,
    /// All of it was paid for upfront (B21).
    pub prepaid: bool,
}

impl Pricing<'_> {
    /// Whether all use is free, so that nothing needs to cover it.
    pub fn takes_everything(&self) -> bool {
        self.trial == Some(TrialShare::Everything)
    }

    /// The same sums, where a trial takes everything or everything was paid for.
    pub fn less_free(&self, sums: MeterSums) -> MeterSums {
        match self.trial {
            _ if self.prepaid => MeterSums { covered: sums.metered, free: 0, ..sums },
            Some(TrialShare::Everything) => MeterSums { covered: 0, free: sums.metered, ..sums },
            Some(TrialShare::OneInstance | TrialShare::Units(_)) | None => sums,
        }
    }

    /// The same for one hour.
    pub fn less_free_of_hour(&self, facts: HourFacts) -> HourFacts {
        match self.trial {
            _ if self.prepaid => HourFacts { covered: facts.metered, free: 0, ..facts },
            Some(TrialShare::Everything) => HourFacts { covered: 0, free: facts.metered, ..facts },
            Some(TrialShare::OneInstance | TrialShare::Units(_)) | None => facts,
        }
    }
}

/// Where the hours of a month are cut.
#[derive(Debug, Default)]
pub struct Cuts {
    /// The hours at which something may change, in order.
    pub hours: Vec<UsageHour>,
    /// A trial may take a part of single hours.
    pub has_trial: bool,
}

/// Where an agreement, a price or a cover may change within the hours of a month.
pub fn cuts(
    agreements: &Agreements<'_>,
    meters: &[Meter<'_>],
    covers: &[Cover<'_>],
    hours: HourRange,
) -> Result<Cuts, Broken> {
    let inside = |hour: &UsageHour| hours.start < *hour && *hour < hours.end;
    // Most months have none, and this takes no memory then.
    let mut cuts = Vec::new();
    let mut has_trial = false;
    for meter in meters {
        for agreement in agreements.of(meter.buyer(), meter.product(), meter.licence()) {
            cuts.extend(timeline::boundaries(agreement).filter(inside));
            let offer = agreements.offer(agreement)?;
            cuts.extend(offer.price_boundaries().map(UsageHour::at_or_after).filter(inside));
            if let Some(end) = trial::end(agreements, agreement, offer) {
                let end = UsageHour::at_or_after(end);
                cuts.extend(Some(end).filter(inside));
                has_trial |= hours.start < end && !takes_everything(agreements, agreement, offer)?;
            }
        }
    }
    let ends = covers.iter().flat_map(|cover| [cover.start, cover.end]);
    cuts.extend(ends.map(UsageHour::at_or_after).filter(inside));
    cuts.sort_unstable();
    cuts.dedup();
    Ok(Cuts { hours: cuts, has_trial })
}

fn takes_everything(
    agreements: &Agreements<'_>,
    agreement: &Agreement,
    offer: &Offer,
) -> Result<bool, Broken> {
    Ok(trial_share(agreements, agreement, offer)? == Some(TrialShare::Everything))
}

/// What the trial of an offer takes of an hour.
fn trial_share<'a>(
    agreements: &Agreements<'_>,
    agreement: &Agreement,
    offer: &'a Offer,
) -> Result<Option<TrialShare<'a>>, Broken> {
    let Some(trial) = &offer.terms.free_trial else { return Ok(None) };
    Ok(Some(trial.share(agreements.market().known_product(&agreement.product)?.product_type)))
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
    let agreement = agreements.at_hour(meter.buyer(), meter.product(), meter.licence(), hour, metered);
    let Some(agreement) = agreement else { return Ok(None) };
    let offer = agreements.offer(agreement)?;
    // In the hour in which it begins, an agreement is priced as of its beginning (section 0 row 21).
    let at = hour.start().max(agreement.start);
    let dimension = meter.dimension();
    let decreases_immediate = agreements.market().rules.decreases_immediate;
    let price = offer.usage_price(dimension, agreement.start, at, decreases_immediate);
    let price = price.or_else(|| offer.terms.byol.map(|_| (UnitPrice::ZERO, PriceSource::Offer)));
    let (unit_price, source) = price
        .ok_or_else(|| Broken(format!("offer {} has no price for metered \"{dimension}\"", offer.id)))?;
    let usage = offer.terms.usage_based.as_ref();
    let currency = usage.map(|usage| usage.currency).or_else(|| offer.terms.byol.map(|_| Currency::Usd));
    let currency =
        currency.ok_or_else(|| Broken(format!("offer {} has a price and no currency", offer.id)))?;
    if offer.is_free() {
        let trial = Some(TrialShare::Everything);
        return Ok(Some(Pricing { agreement, unit_price, source, currency, at, trial, prepaid: false }));
    }
    let trial = match trial::end(agreements, agreement, offer).is_some_and(|end| at < end) {
        true => trial_share(agreements, agreement, offer)?,
        false => None,
    };
    let prepaid = agreement.is_prepaid(at);
    Ok(Some(Pricing { agreement, unit_price, source, currency, at, trial, prepaid }))
}
