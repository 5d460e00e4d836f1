//! Rates a family's month: one line for each buyer, product, dimension, agreement and unit price (Q2), with
//! the segments that explain it.

use std::collections::BTreeMap;

use super::overflow::cover_hour;
use super::segments::{self, Pricing};
use super::{Meter, meter};
use crate::agreement::{Cover, Family};
use crate::catalog::PriceSource;
use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId};
use crate::machine::Sandbox;
use crate::metering::month_tiles::MonthColumn;
use crate::money::{Currency, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::{BillingMonth, HourRange, UsageHour};

const ONE: u128 = 1_000_000;

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

/// What one meter did in one hour.
#[derive(Debug, Clone, Copy)]
pub struct HourFacts {
    /// Which meter of its group.
    pub meter: usize,
    /// The hour.
    pub hour: UsageHour,
    /// Y, in millionths.
    pub metered: u128,
    /// What of it was covered.
    pub covered: u128,
    /// X, in units.
    pub subscriptions: u64,
}

/// All usage lines of a family's month, in the order of buyer, product, dimension, agreement and price. A
/// line whose quantity is 0 is none (B-08, A-02).
pub fn rate_month(sandbox: &Sandbox, family: &Family, month: BillingMonth) -> Result<Vec<RatedLine>, Broken> {
    let mut lines = Lines::new();
    for ((product, dimension), meters) in meter::of_family(sandbox, family, month) {
        let group = Group::new(sandbox, family, &product, &dimension, &meters, month)?;
        for range in &group.segments {
            group.rate_segment(*range, &mut lines)?;
        }
    }
    Ok(lines.into_values().filter(|line| !line.quantity().is_zero()).collect())
}

type Lines = BTreeMap<(AccountId, ProductId, DimensionKey, u32, UnitPrice), RatedLine>;

/// A product's dimension in a family's month: what is priced together, because its cover is shared.
pub struct Group<'a> {
    sandbox: &'a Sandbox,
    family: &'a Family,
    product: &'a ProductId,
    dimension: &'a DimensionKey,
    meters: &'a [Meter],
    columns: Vec<Vec<MonthColumn<'a>>>,
    covers: Vec<Cover>,
    first_hour: UsageHour,
    /// The month, cut wherever something but the usage changes.
    pub segments: Vec<HourRange>,
}

impl<'a> Group<'a> {
    /// Gathers what prices the meters of a product's dimension.
    pub fn new(
        sandbox: &'a Sandbox,
        family: &'a Family,
        product: &'a ProductId,
        dimension: &'a DimensionKey,
        meters: &'a [Meter],
        month: BillingMonth,
    ) -> Result<Group<'a>, Broken> {
        let covers = Cover::of_family(sandbox.market(), family, product, dimension)?;
        let segments = segments::cut(sandbox, family, product, meters, &covers, month)?;
        let columns = meters.iter().map(|meter| meter.columns(sandbox, month)).collect();
        let first_hour = month.hours().start;
        Ok(Group { sandbox, family, product, dimension, meters, columns, covers, first_hour, segments })
    }

    /// What prices a meter in a segment.
    pub fn pricing(
        &self,
        meter: &'a Meter,
        range: HourRange,
        metered: bool,
    ) -> Result<Option<Pricing<'a>>, Broken> {
        segments::pricing(
            self.sandbox,
            self.family,
            self.product,
            self.dimension,
            meter,
            range.start,
            metered,
        )
    }

    /// Rates one segment into `lines`. Hours are walked only where cover must be shared out.
    fn rate_segment(&self, range: HourRange, lines: &mut Lines) -> Result<(), Broken> {
        let subscriptions = self.subscriptions(range);
        let sums = match subscriptions {
            0 => self.sum_segment(range),
            _ => self.walk_segment(range, &mut |_| ()),
        };
        for (meter, (metered, covered, metered_hours)) in self.meters.iter().zip(sums) {
            let Some(pricing) = self.pricing(meter, range, metered_hours > 0)? else {
                match metered_hours {
                    0 => continue,
                    _ => return Err(self.unpriced(meter, range)),
                }
            };
            let segment = RatedSegment {
                start: range.start,
                end: range.end,
                metered_hours,
                metered: QuantitySum(metered.cast_signed()),
                subscriptions,
                covered: QuantitySum(covered.cast_signed()),
                source: pricing.source,
            };
            self.add(lines, meter, pricing, segment);
        }
        Ok(())
    }

    fn add(&self, lines: &mut Lines, meter: &Meter, pricing: Pricing<'_>, segment: RatedSegment) {
        let agreement = pricing.agreement;
        let key =
            (meter.buyer, self.product.clone(), self.dimension.clone(), agreement.number, pricing.unit_price);
        let line = lines.entry(key).or_insert_with(|| RatedLine {
            buyer: meter.buyer,
            product: self.product.clone(),
            dimension: self.dimension.clone(),
            agreement: agreement.id.clone(),
            agreement_number: agreement.number,
            offer: agreement.offer.clone(),
            unit_price: pricing.unit_price,
            currency: pricing.currency,
            segments: Vec::new(),
        });
        // The cut was another meter's: for this one nothing has changed.
        let goes_on = |last: &RatedSegment| {
            last.end == segment.start
                && last.subscriptions == segment.subscriptions
                && last.source == segment.source
        };
        match line.segments.last_mut().filter(|last| goes_on(last)) {
            Some(last) => last.extend(&segment),
            None => line.segments.push(segment),
        }
    }

    fn unpriced(&self, meter: &Meter, range: HourRange) -> Broken {
        let (product, dimension) = (self.product, self.dimension);
        Broken(format!(
            "usage of {product} \"{dimension}\" by {} from {} has no agreement",
            meter.buyer, range.start
        ))
    }

    /// X of a segment: the family's annual subscriptions that are live in it.
    fn subscriptions(&self, range: HourRange) -> u64 {
        self.covers.iter().filter(|c| c.covers(range.start)).map(|c| c.units).sum()
    }

    /// Without cover, an hour is as good as another: sums, at memory speed.
    fn sum_segment(&self, range: HourRange) -> Vec<(u128, u128, u32)> {
        let (from, to) = (self.offset(range.start), self.offset(range.end));
        let sum = |columns: &Vec<MonthColumn<'_>>| {
            let quantity = columns.iter().map(|column| column.sum(from, to).0).sum();
            let metered = |hour: &usize| columns.iter().any(|column| column.get(*hour).is_some());
            let hours = match columns.as_slice() {
                [column] => column.sum(from, to).1,
                _ => (from..to).filter(metered).count() as u32,
            };
            (quantity, 0, hours)
        };
        self.columns.iter().map(sum).collect()
    }

    /// Walks a segment hour by hour, covering what is run, and shows every hour with usage to `visit`. Answers
    /// metered, covered and metered hours by meter.
    pub fn walk_segment(&self, range: HourRange, visit: &mut dyn FnMut(HourFacts)) -> Vec<(u128, u128, u32)> {
        let live = self.covers.iter().filter(|c| c.covers(range.start));
        let owned: Vec<_> = live.map(|c| (c.owner, u128::from(c.units) * ONE)).collect();
        let subscriptions = self.subscriptions(range);
        let mut sums = vec![(0, 0, 0); self.meters.len()];
        let mut runs: Vec<_> = self.meters.iter().map(|meter| (meter.buyer, 0)).collect();
        let mut metered = vec![false; self.meters.len()];
        let mut covered = Vec::new();
        for hour in range.hours() {
            let offset = self.offset(hour);
            for ((run, any), columns) in runs.iter_mut().zip(&mut metered).zip(&self.columns) {
                let cells = columns.iter().filter_map(|column| column.get(offset));
                let (count, sum) =
                    cells.fold((0, 0), |(count, sum), cell| (count + 1, sum + u128::from(cell)));
                (*any, run.1) = (count > 0, sum);
            }
            cover_hour(&runs, &owned, &mut covered);
            for (index, (sum, (run, cover))) in sums.iter_mut().zip(runs.iter().zip(&covered)).enumerate() {
                if metered.get(index) != Some(&true) {
                    continue;
                }
                *sum = (sum.0 + run.1, sum.1 + *cover, sum.2 + 1);
                visit(HourFacts { meter: index, hour, metered: run.1, covered: *cover, subscriptions });
            }
        }
        sums
    }

    fn offset(&self, hour: UsageHour) -> usize {
        usize::try_from(hour.index() - self.first_hour.index()).unwrap_or(0)
    }
}
