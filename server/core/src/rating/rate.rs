//! Rates a family's month: one line for each buyer, product, dimension, agreement and unit price (Q2), with
//! the segments that explain it.

use super::agreements::Agreements;
use super::group::{self, Group, Segment};
use super::meter::{self, Meter};
use super::month_sums::MonthSums;
use super::segments::Pricing;
use super::walk::MeterSums;
use crate::agreement::{Agreement, Family};
use crate::catalog::PriceSource;
use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId};
use crate::machine::Sandbox;
use crate::money::{Currency, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::time::{BillingMonth, UsageHour};

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
    /// What of Y they covered, summed over the hours.
    pub covered: QuantitySum,
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
    }

    /// What is billed of it: metered minus covered.
    pub fn billed(&self) -> QuantitySum {
        QuantitySum(self.metered.0 - self.covered.0)
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
    let has_cover = |a: &Agreement| a.purchases.iter().any(|p| p.kind == UpfrontKind::Annual);
    if !family.agreements().any(has_cover) {
        return Ok(());
    }
    let agreements = Agreements::of_family(sandbox.market(), family);
    let series = meter::sorted(sandbox, family, |_, _| true);
    group::expect_cover(&agreements, family, &series, sums)
}

/// The same lines, with sums of the month that may serve other families, too.
pub fn rate_with(sandbox: &Sandbox, family: &Family, sums: &mut MonthSums) -> Result<Vec<RatedLine>, Broken> {
    let Some(tiles) = sandbox.tally().tiles(sums.month()) else { return Ok(Vec::new()) };
    let agreements = Agreements::of_family(sandbox.market(), family);
    let series = meter::sorted(sandbox, family, |handle, _| sums.get(tiles, handle).hours > 0);
    let mut groups = Vec::with_capacity(series.len());
    for series in &series {
        let mut group = Group::new(family, &agreements, meter::meters(series), sums.hours())?;
        group.take_sums(tiles, sums);
        groups.push(group);
    }
    let mut walked: Vec<_> = groups.iter_mut().filter_map(|g| g.prepare_walk().then_some(g)).collect();
    if !walked.is_empty() {
        for day in 0..tiles.days() {
            walked.iter_mut().for_each(|group| group.walk_day(tiles, day));
        }
    }
    let mut lines = Vec::with_capacity(series.iter().map(Vec::len).sum());
    for group in &groups {
        add_lines(group, &mut lines)?;
    }
    lines.retain(|line| !line.quantity().is_zero());
    lines.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(lines)
}

fn order(line: &RatedLine) -> (AccountId, &ProductId, &DimensionKey, u32, UnitPrice) {
    (line.buyer, &line.product, &line.dimension, line.agreement_number, line.unit_price)
}

/// Prices the segments of a group whose hours are summed, buyer by buyer.
fn add_lines(group: &Group<'_>, lines: &mut Vec<RatedLine>) -> Result<(), Broken> {
    let mut first = 0;
    for meters in group.meters.chunk_by(|one, other| one.buyer() == other.buyer()) {
        // The lines of one buyer are few, and the last ones.
        let begin = lines.len();
        for segment in &group.segments {
            let sums = segment.sums().get(first..).unwrap_or(&[]);
            for (meter, sums) in meters.iter().zip(sums) {
                match group.pricing(meter, segment.range, sums.hours > 0)? {
                    Some(pricing) => {
                        add_segment(lines, begin, meter, pricing, rated(segment, *sums, pricing))
                    }
                    None if sums.hours == 0 => (),
                    None => return Err(unpriced(meter, segment)),
                }
            }
        }
        first += meters.len();
    }
    Ok(())
}

fn rated(segment: &Segment, sums: MeterSums, pricing: Pricing<'_>) -> RatedSegment {
    RatedSegment {
        start: segment.range.start,
        end: segment.range.end,
        metered_hours: sums.hours,
        metered: QuantitySum(sums.metered.cast_signed()),
        subscriptions: segment.subscriptions,
        covered: QuantitySum(sums.covered.cast_signed()),
        source: pricing.source,
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
        last.end == segment.start
            && last.subscriptions == segment.subscriptions
            && last.source == segment.source
    };
    match line.segments.last_mut().filter(goes_on) {
        Some(last) => last.extend(&segment),
        None => line.segments.push(segment),
    }
}

fn unpriced(meter: &Meter<'_>, segment: &Segment) -> Broken {
    let (product, dimension) = (meter.product(), meter.dimension());
    Broken(format!(
        "usage of {product} \"{dimension}\" by {} from {} has no agreement",
        meter.buyer(),
        segment.range.start
    ))
}
