//! Explains a line of usage hour by hour, down to the record ids, by walking the same hours that were rated.

use std::sync::Arc;

use super::agreements::Agreements;
use super::group::{Group, Parts};
use super::meter::{self, Meter};
use super::month_sums::MonthSums;
use super::segments;
use super::trial::TrialHours;
use super::walk::HourFacts;
use crate::agreement::Family;
use crate::ids::{MeteringRecordId, MeteringResource, Region};
use crate::invoicing::InvoiceLine;
use crate::machine::Sandbox;
use crate::metering::Allocation;
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::{BillingMonth, UsageHour};

/// One record of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedRecord {
    /// The id that the meterer got.
    pub id: MeteringRecordId,
    /// Which region metered it.
    pub region: Region,
    /// What it was metered on.
    pub resource: Option<MeteringResource>,
    /// How much.
    pub quantity: QuantitySum,
    /// How that divides over tags; empty when the record did not say.
    pub allocations: Arc<[Allocation]>,
}

/// One hour of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedHour {
    /// The hour.
    pub hour: UsageHour,
    /// Y.
    pub metered: QuantitySum,
    /// X: the family's annual subscriptions, in units.
    pub subscriptions: u64,
    /// X of a contract with consumption: what it entitles to, in units.
    pub entitled: u64,
    /// What of Y was covered.
    pub covered: QuantitySum,
    /// What of Y was free by a trial before that.
    pub trial: QuantitySum,
    /// Where Y comes from.
    pub records: Vec<ExplainedRecord>,
}

impl ExplainedHour {
    /// What is billed of it: metered minus what was covered or free.
    pub fn billed(&self) -> QuantitySum {
        QuantitySum(self.metered.0 - self.covered.0 - self.trial.0)
    }
}

/// The hours of an invoice line in which something was metered, in order.
pub fn explain_line(
    sandbox: &Sandbox,
    family: &Family,
    month: BillingMonth,
    line: &InvoiceLine,
) -> Result<Vec<ExplainedHour>, Broken> {
    let unexplained =
        || Broken(format!("the hours of {} {:?} do not add up to its line", line.buyer, line.dimension));
    let tiles = sandbox.tally().tiles(month).ok_or_else(unexplained)?;
    let mut sums = MonthSums::of_series(month, family.series.iter().copied());
    let series = meter::sorted(sandbox, family, |handle, series| {
        series.product == line.product
            && Some(&series.key.dimension) == line.dimension.as_ref()
            && sums.get(tiles, handle).hours > 0
    });
    let agreements = Agreements::of_family(sandbox.market(), family)?;
    let meters = meter::meters(&series);
    if meters.is_empty() {
        return Err(unexplained());
    }
    let parts = Parts::of(&agreements, &meters, month.hours())?;
    // What of an hour a trial takes depends on the product's other dimensions.
    let beside =
        meter::sorted(sandbox, family, |_, series| parts.has_trial() && series.product == line.product);
    let beside = meter::meters(&beside);
    let trials = match parts.has_trial() {
        true => Some(TrialHours::of(&agreements, &beside, tiles, month.hours())?),
        false => None,
    };
    let mut group = Group::new(&meters, &parts, trials.as_ref())?;
    let first = month.hours().start.index();
    let mut hours = Vec::new();
    for number in 0..group.segments.len() {
        let Some(segment) = group.segments.get(number) else { continue };
        let (range, subscriptions) = (segment.range, segment.subscriptions);
        let entitled: Vec<_> = (0..meters.len()).map(|meter| segment.entitled(meter)).collect();
        let mut mine = Vec::with_capacity(group.meters.len());
        for meter in group.meters {
            let pricing = segments::pricing(&agreements, meter, range.start, true)?;
            let is_mine = |p: &segments::Pricing<'_>| {
                meter.buyer() == line.buyer
                    && p.agreement.id == line.agreement
                    && p.unit_price == line.unit_price
            };
            mine.push(pricing.filter(is_mine));
        }
        if mine.iter().all(Option::is_none) {
            continue;
        }
        group.walk_segment(tiles, number, &mut |meters, facts| {
            if let Some(Some(pricing)) = mine.get(facts.meter)
                && let Some(meter) = meters.get(facts.meter)
                && let Some(hour) = UsageHour::from_index(first + facts.offset as i32)
            {
                let entitled = entitled.get(facts.meter).copied().unwrap_or(0);
                let records = records(sandbox, meter, month, hour, facts.offset);
                let facts = pricing.less_free_of_hour(facts);
                add(&mut hours, explained(hour, subscriptions, entitled, facts, records));
            }
        });
    }
    hours.sort_by_key(|hour: &ExplainedHour| hour.hour);
    match hours.iter().map(|hour| hour.billed().0).sum::<i128>() == line.quantity.0 {
        true => Ok(hours),
        false => Err(unexplained()),
    }
}

fn explained(
    hour: UsageHour,
    subscriptions: u64,
    entitled: u64,
    facts: HourFacts,
    records: Vec<ExplainedRecord>,
) -> ExplainedHour {
    ExplainedHour {
        hour,
        metered: QuantitySum(facts.metered.cast_signed()),
        subscriptions,
        entitled,
        covered: QuantitySum(facts.covered.cast_signed()),
        trial: QuantitySum(facts.free.cast_signed()),
        records,
    }
}

/// Adds an hour. Two meters of one buyer (the product and a licence of it) may meet in one line.
fn add(hours: &mut Vec<ExplainedHour>, hour: ExplainedHour) {
    match hours.last_mut().filter(|last| last.hour == hour.hour) {
        Some(last) => {
            last.metered += hour.metered.0;
            last.covered += hour.covered.0;
            last.trial += hour.trial.0;
            last.records.extend(hour.records);
        }
        None => hours.push(hour),
    }
}

fn records(
    sandbox: &Sandbox,
    meter: &Meter<'_>,
    month: BillingMonth,
    hour: UsageHour,
    offset: usize,
) -> Vec<ExplainedRecord> {
    let found = meter.series().filter_map(|handle| {
        let quantity = sandbox.tally().month(handle, month)?.get(offset)?;
        let series = sandbox.tally().series(handle)?;
        Some(ExplainedRecord {
            id: series.record_id(hour),
            region: series.key.region.clone(),
            resource: series.key.resource.clone(),
            quantity: QuantitySum(i128::from(quantity)),
            allocations: sandbox.tally().allocations(handle, hour),
        })
    });
    found.collect()
}
