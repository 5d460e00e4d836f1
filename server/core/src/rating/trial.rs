//! Free trials: what of an hour's use is free before anything covers the rest.
//!
//! A trial of a SaaS or machine learning product takes all use. One of a machine image takes one instance an hour, of
//! the most expensive type that the buyer runs (B-13), which is found here across the types; one of a container takes
//! what it grants.

use std::collections::BTreeMap;

use super::Meter;
use super::agreements::Agreements;
use super::segments;
use crate::agreement::Agreement;
use crate::catalog::Offer;
use crate::ids::{AccountId, DimensionKey, LicenseArn, ProductId};
use crate::metering::month_tiles::MonthTiles;
use crate::money::UnitPrice;
use crate::quantity::MILLIONTHS;
use crate::rejection::Broken;
use crate::terms::free_trial::TrialShare;
use crate::time::{HourRange, Timestamp, UsageHour};

/// What is free of some meters, in millionths, by the position of the hour in the month and the place of the meter.
pub type FreeHours = BTreeMap<usize, Vec<(usize, u64)>>;

type MeterKey<'a> = (&'a ProductId, &'a DimensionKey, AccountId, Option<&'a LicenseArn>);

/// What trials take hour by hour of a family's month.
#[derive(Debug, Default)]
pub struct TrialHours<'a> {
    /// In millionths, by position of the hour.
    free: BTreeMap<MeterKey<'a>, BTreeMap<usize, u64>>,
}

/// The end of an agreement's trial, not part of it, if its offer has one. The days count from the buyer's first
/// agreement on the product, of a private offer from the first on that offer; a contract is a trial only if it was accepted as one.
pub fn end<'a>(agreements: &Agreements<'a>, agreement: &'a Agreement, offer: &Offer) -> Option<Timestamp> {
    let trial = offer.terms.free_trial.as_ref()?;
    if let Some(contract) = agreement.contract() {
        return contract.is_trial(offer).then_some(contract.end);
    }
    // A private one was granted to this buyer, whatever that held before, and once (B21).
    let is_private = offer.is_private();
    let counts = |other: &&Agreement| !is_private || other.offer == agreement.offer;
    let of_buyer = agreements.of(agreement.buyer, &agreement.product, None).filter(counts);
    let first = of_buyer.map(|agreement| agreement.start).min()?;
    Some(trial.duration.after(first))
}

impl<'a> TrialHours<'a> {
    /// Of meters in their order: all of a product's dimensions.
    pub fn of(
        agreements: &Agreements<'a>,
        meters: &[Meter<'a>],
        tiles: &MonthTiles,
        month: HourRange,
    ) -> Result<TrialHours<'a>, Broken> {
        let mut trials = TrialHours::default();
        for meters in meters.chunk_by(|one, other| one.product() == other.product()) {
            trials.add_product(agreements, meters, tiles, month)?;
        }
        Ok(trials)
    }

    fn add_product(
        &mut self,
        agreements: &Agreements<'a>,
        meters: &[Meter<'a>],
        tiles: &MonthTiles,
        month: HourRange,
    ) -> Result<(), Broken> {
        // By buyer and hour: the price of the most expensive type that runs, and which meter runs it.
        let mut dearest: BTreeMap<(AccountId, usize), (UnitPrice, usize)> = BTreeMap::new();
        for (number, meter) in meters.iter().enumerate() {
            let cuts = segments::cuts(agreements, std::slice::from_ref(meter), &[], month)?;
            for range in segments::ranges(month, &cuts.hours) {
                let Some(pricing) = segments::pricing(agreements, meter, range.start, true)? else {
                    continue;
                };
                let hours = offset(month, range.start)..offset(month, range.end);
                let running = hours.filter(|hour| metered(tiles, meter, *hour) > 0);
                match pricing.trial {
                    None | Some(TrialShare::Everything) => {}
                    Some(TrialShare::Units(grants)) => {
                        let units = grants.get(meter.dimension()).copied().unwrap_or(0);
                        let counted_in = agreements.counted_in(meter.product(), meter.dimension())?;
                        let amount = units.saturating_mul(counted_in.per_unit().into());
                        running.for_each(|hour| self.take(tiles, meters, number, hour, amount));
                    }
                    Some(TrialShare::OneInstance) => {
                        for hour in running {
                            let best =
                                dearest.entry((meter.buyer(), hour)).or_insert((pricing.unit_price, number));
                            if best.0 < pricing.unit_price {
                                *best = (pricing.unit_price, number);
                            }
                        }
                    }
                }
            }
        }
        for ((_, hour), (_, number)) in dearest {
            self.take(tiles, meters, number, hour, 1);
        }
        Ok(())
    }

    /// Takes up to so many units of what a meter did in an hour: what another meter of the buyer's dimension has
    /// taken is gone.
    fn take(&mut self, tiles: &MonthTiles, meters: &[Meter<'a>], number: usize, hour: usize, units: u64) {
        let Some(meter) = meters.get(number) else { return };
        let (product, dimension, buyer, _) = key(meter);
        let same = self.free.iter().filter(|((p, d, b, _), _)| (*p, *d, *b) == (product, dimension, buyer));
        let taken: u64 = same.filter_map(|(_, hours)| hours.get(&hour)).sum();
        let left = units.saturating_mul(MILLIONTHS).saturating_sub(taken);
        let free = metered(tiles, meter, hour).min(u128::from(left)) as u64;
        if free > 0 {
            self.free.entry(key(meter)).or_default().insert(hour, free);
        }
    }

    /// What is free of the meters of a group.
    pub fn of_group(&self, meters: &[Meter<'_>]) -> FreeHours {
        let mut group = FreeHours::new();
        for (place, meter) in meters.iter().enumerate() {
            for (&hour, &millionths) in self.free.get(&key(meter)).into_iter().flatten() {
                group.entry(hour).or_default().push((place, millionths));
            }
        }
        group
    }
}

fn key<'m>(meter: &Meter<'m>) -> MeterKey<'m> {
    (meter.product(), meter.dimension(), meter.buyer(), meter.licence())
}

fn offset(month: HourRange, hour: UsageHour) -> usize {
    usize::try_from(hour.index() - month.start.index()).unwrap_or(0)
}

/// Y of a meter in an hour, in millionths.
fn metered(tiles: &MonthTiles, meter: &Meter<'_>, hour: usize) -> u128 {
    meter.series().filter_map(|handle| tiles.column(handle.0).get(hour)).map(u128::from).sum()
}
