//! Rates a family's month: one line for each buyer, product, dimension, agreement and unit price (Q2), with
//! the segments that explain it.

use super::agreements::Agreements;
use super::group::{self, Group, Parts};
use super::meter::{self, Meter};
use super::month_sums::MonthSums;
use super::segments::{self, Pricing};
use super::trial::TrialHours;
use super::walk::MeterSums;
use crate::agreement::Family;
use crate::catalog::{CountedIn, PriceSource};
use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId};
use crate::machine::Sandbox;
use crate::metering::month_tiles::MonthTiles;
use crate::money::{Currency, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::{BillingMonth, HourRange, UsageHour};

/// A stretch of hours with one price and one cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatedSegment {
    /// The first hour.
    pub start: UsageHour,
    /// The hour after the last.
    pub end: UsageHour,
    /// Hours in which something was metered.
    pub metered_hours: u32,
    /// Y, summed over the hours.
    pub metered: QuantitySum,
    /// X: the family's annual subscriptions in the segment, in units.
    pub subscriptions: u64,
    /// X of a contract with consumption: what it entitles to in each hour, in units, where the rules subtract that.
    pub entitled: u64,
    /// What of Y was covered, summed over the hours.
    pub covered: QuantitySum,
    /// What of Y was free by a trial before that, summed over the hours.
    pub trial: QuantitySum,
    /// What these quantities are counted in; X counts units, of each of which an hour has 3,600 seconds.
    pub counted_in: CountedIn,
    /// Why this price.
    pub source: PriceSource,
}

impl RatedSegment {
    /// Takes over the segment that follows it.
    fn extend(&mut self, next: &RatedSegment) {
        self.end = next.end;
        self.metered_hours += next.metered_hours;
        self.metered += next.metered.0;
        self.covered += next.covered.0;
        self.trial += next.trial.0;
    }

    /// What is billed of it: metered minus what was covered or free.
    pub fn billed(&self) -> QuantitySum {
        QuantitySum(self.metered.0 - self.covered.0 - self.trial.0)
    }
}

/// A line of usage, exact and not rounded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatedLine {
    /// Whose usage.
    pub buyer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The dimension.
    pub dimension: DimensionKey,
    /// The agreement that prices it.
    pub agreement: AgreementId,
    /// Its number in the family.
    pub agreement_number: u32,
    /// Its offer.
    pub offer: OfferId,
    /// The price of a unit.
    pub unit_price: UnitPrice,
    /// Its currency.
    pub currency: Currency,
    /// How the quantity came about.
    pub segments: Vec<RatedSegment>,
}

impl RatedLine {
    /// What is billed.
    pub fn quantity(&self) -> QuantitySum {
        QuantitySum(self.segments.iter().map(|s| s.billed().0).sum())
    }

    /// What the quantity is counted in.
    pub fn counted_in(&self) -> CountedIn {
        self.segments.first().map_or(CountedIn::Units, |segment| segment.counted_in)
    }
}

/// All usage lines of a family's month, in the order of buyer, product, dimension, agreement and price. A
/// line whose quantity is 0 is none (B-08, A-02).
pub fn rate_month(sandbox: &Sandbox, family: &Family, month: BillingMonth) -> Result<Vec<RatedLine>, Broken> {
    let mut sums = MonthSums::of_series(month, family.series.iter().copied());
    expect_cover(sandbox, family, &mut sums)?;
    rate_with(sandbox, family, &mut sums)
}

/// Tells sums of a month what a family's cover is; see [`group::expect_cover`].
pub fn expect_cover(sandbox: &Sandbox, family: &Family, sums: &mut MonthSums) -> Result<(), Broken> {
    let agreements = Agreements::of_family(sandbox.market(), family)?;
    if agreements.has_cover() {
        let series = meter::sorted(sandbox, family, |_, _| true);
        group::expect_cover(&agreements, &series, sums);
    }
    Ok(())
}

/// The same lines, with sums of the month that may serve other families, too.
pub fn rate_with(sandbox: &Sandbox, family: &Family, sums: &mut MonthSums) -> Result<Vec<RatedLine>, Broken> {
    let mut lines = rate_all(sandbox, family, sums)?;
    lines.retain(|line| !line.quantity().is_zero());
    lines.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(lines)
}

/// The lines in the order of the meters, and those of which nothing is billed.
pub(super) fn rate_all(
    sandbox: &Sandbox,
    family: &Family,
    sums: &mut MonthSums,
) -> Result<Vec<RatedLine>, Broken> {
    let Some(tiles) = sandbox.tally().tiles(sums.month()) else { return Ok(Vec::new()) };
    let agreements = Agreements::of_family(sandbox.market(), family)?;
    let series = meter::sorted(sandbox, family, |handle, _| sums.get(tiles, handle).hours > 0);
    let meters = meter::meters(&series);
    let mut lines = Lines { agreements: &agreements, all: Vec::with_capacity(meters.len()) };
    let mut walked = Vec::new();
    let mut trials = None;
    for group in meter::groups(&meters) {
        let parts = Parts::of(&agreements, group, sums.hours())?;
        let counted_in = parts.counted_in(group)?;
        match summed_cover(&parts, group, sums) {
            Some(subscriptions) => lines.add_month(group, subscriptions, counted_in, tiles, sums)?,
            None => {
                if parts.has_trial() && trials.is_none() {
                    trials = Some(TrialHours::of(&agreements, &meters, tiles, sums.hours())?);
                }
                let mut group = Group::new(group, &parts, trials.as_ref())?;
                group.take_sums(tiles, sums);
                walked.push((group, counted_in));
            }
        }
    }
    if !walked.is_empty() {
        for day in 0..tiles.days() {
            walked.iter_mut().for_each(|(group, _)| group.walk_day(tiles, day));
        }
    }
    for (group, counted_in) in &walked {
        lines.add_group(group, *counted_in)?;
    }
    Ok(lines.all)
}

/// X of a month in which nothing changes and whose sums say all: nothing is covered, or one series has all of the
/// cover. Other months must be walked.
fn summed_cover(parts: &Parts<'_>, meters: &[Meter<'_>], sums: &MonthSums) -> Option<u64> {
    let shared = parts.even_cover()?;
    let only = match meters {
        [meter] => meter.only_series(),
        _ => None,
    };
    let is_summed = shared.amount == 0 || only.is_some_and(|series| sums.cover(series) == shared.amount);
    is_summed.then_some(shared.subscriptions)
}

fn order(line: &RatedLine) -> (AccountId, &ProductId, &DimensionKey, u32, UnitPrice) {
    (line.buyer, &line.product, &line.dimension, line.agreement_number, line.unit_price)
}

/// A stretch of hours, and X in them.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    range: HourRange,
    subscriptions: u64,
    entitled: u64,
    counted_in: CountedIn,
}

/// The lines of a family, as they are made.
struct Lines<'a> {
    agreements: &'a Agreements<'a>,
    all: Vec<RatedLine>,
}

impl<'a> Lines<'a> {
    /// Prices the whole month of a product's dimension, buyer by buyer, by its sums.
    fn add_month(
        &mut self,
        meters: &[Meter<'a>],
        subscriptions: u64,
        counted_in: CountedIn,
        tiles: &MonthTiles,
        month: &mut MonthSums,
    ) -> Result<(), Broken> {
        let stretch = Stretch { range: month.hours(), subscriptions, entitled: 0, counted_in };
        for meters in of_buyers(meters) {
            let begin = self.all.len();
            for meter in meters {
                let sums = group::month_of(meter, tiles, month, subscriptions > 0);
                self.add(begin, meter, stretch, sums)?;
            }
        }
        Ok(())
    }

    /// Prices the segments of a group whose hours were walked, buyer by buyer.
    fn add_group(&mut self, group: &Group<'a>, counted_in: CountedIn) -> Result<(), Broken> {
        let mut first = 0;
        for meters in of_buyers(group.meters) {
            let begin = self.all.len();
            for segment in &group.segments {
                let (range, subscriptions) = (segment.range, segment.subscriptions);
                let sums = segment.sums().get(first..).unwrap_or(&[]);
                for (number, (meter, sums)) in (first..).zip(meters.iter().zip(sums)) {
                    let entitled = segment.entitled(number);
                    let stretch = Stretch { range, subscriptions, entitled, counted_in };
                    self.add(begin, meter, stretch, *sums)?;
                }
            }
            first += meters.len();
        }
        Ok(())
    }

    /// Prices what a meter did. The lines of its buyer are few, and the last ones: those from `begin` on.
    fn add(
        &mut self,
        begin: usize,
        meter: &Meter<'a>,
        stretch: Stretch,
        sums: MeterSums,
    ) -> Result<(), Broken> {
        let is_metered = sums.hours > 0;
        match segments::pricing(self.agreements, meter, stretch.range.start, is_metered)? {
            Some(pricing) => {
                let segment = rated(stretch, pricing.less_free(sums), pricing.source);
                add_segment(&mut self.all, begin, meter, pricing, segment);
                Ok(())
            }
            None if is_metered => Err(unpriced(meter, stretch.range)),
            None => Ok(()),
        }
    }
}

fn of_buyers<'m, 'a>(meters: &'m [Meter<'a>]) -> impl Iterator<Item = &'m [Meter<'a>]> {
    meters.chunk_by(|one, other| one.buyer() == other.buyer())
}

fn rated(stretch: Stretch, sums: MeterSums, source: PriceSource) -> RatedSegment {
    RatedSegment {
        start: stretch.range.start,
        end: stretch.range.end,
        metered_hours: sums.hours,
        metered: QuantitySum(sums.metered.cast_signed()),
        subscriptions: stretch.subscriptions,
        entitled: stretch.entitled,
        covered: QuantitySum(sums.covered.cast_signed()),
        trial: QuantitySum(sums.free.cast_signed()),
        counted_in: stretch.counted_in,
        source,
    }
}

/// Adds a segment to its line, one of those from `begin` on.
fn add_segment(
    lines: &mut Vec<RatedLine>,
    begin: usize,
    meter: &Meter<'_>,
    pricing: Pricing<'_>,
    segment: RatedSegment,
) {
    let agreement = pricing.agreement;
    let is_same = |line: &&mut RatedLine| {
        line.agreement_number == agreement.number && line.unit_price == pricing.unit_price
    };
    let Some(line) = lines.get_mut(begin..).and_then(|lines| lines.iter_mut().find(is_same)) else {
        lines.push(RatedLine {
            buyer: meter.buyer(),
            product: meter.product().clone(),
            dimension: meter.dimension().clone(),
            agreement: agreement.id.clone(),
            agreement_number: agreement.number,
            offer: agreement.offer.clone(),
            unit_price: pricing.unit_price,
            currency: pricing.currency,
            segments: vec![segment],
        });
        return;
    };
    // The cut was another meter's: for this one nothing has changed.
    let goes_on = |last: &&mut RatedSegment| {
        // Without X, what is covered was paid for upfront, until that ended.
        let is_alike = last.subscriptions + last.entitled > 0
            || last.covered.is_zero() == segment.covered.is_zero()
            || last.metered.is_zero()
            || segment.metered.is_zero();
        last.end == segment.start
            && is_alike
            && last.subscriptions == segment.subscriptions
            && last.entitled == segment.entitled
            && last.trial.is_zero() == segment.trial.is_zero()
            && last.source == segment.source
    };
    match line.segments.last_mut().filter(goes_on) {
        Some(last) => last.extend(&segment),
        None => line.segments.push(segment),
    }
}

fn unpriced(meter: &Meter<'_>, range: HourRange) -> Broken {
    let (product, dimension) = (meter.product(), meter.dimension());
    Broken(format!(
        "usage of {product} \"{dimension}\" by {} from {} has no agreement",
        meter.buyer(),
        range.start
    ))
}
