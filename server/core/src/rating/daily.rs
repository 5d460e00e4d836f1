//! A day's usage, priced as the month's will be: what daily reports estimate. It walks the same hours that are rated at
//! the close, with the same cover and trials, but for one day.

use std::collections::BTreeMap;

use super::agreements::Agreements;
use super::group::{Group, Parts};
use super::meter::{self, Meter};
use super::segments::{self, Pricing};
use super::trial::TrialHours;
use crate::agreement::Family;
use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId, Region};
use crate::machine::Sandbox;
use crate::metering::month_tiles::MonthTiles;
use crate::metering::tile::{BLOCK, TILE_HOURS};
use crate::money::{Amount, Currency, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::{BillingMonth, Timestamp, UsageHour};

/// Why usage costs what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageKind {
    /// It is billed.
    Billed,
    /// Annual subscriptions cover it.
    Annual,
    /// What a contract entitles to covers it.
    Entitled,
    /// A free trial takes it.
    Trial,
    /// AWS's own people show the product.
    Demonstration,
    /// Under a licence that the buyer brings.
    Byol,
}

/// What a buyer used on a day of a dimension in a region under an agreement, of one kind and at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUsage {
    /// The first moment of the day.
    pub day: Timestamp,
    /// Who used it.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The dimension.
    pub dimension: DimensionKey,
    /// Which region metered it.
    pub region: Region,
    /// The agreement that prices it.
    pub agreement: AgreementId,
    /// Its offer.
    pub offer: OfferId,
    /// Why it costs what it does.
    pub kind: UsageKind,
    /// The price of a unit: 0 where nothing is billed.
    pub unit_price: UnitPrice,
    /// Its currency.
    pub currency: Currency,
    /// How much.
    pub quantity: QuantitySum,
}

impl DailyUsage {
    /// What it is expected to cost, exact.
    pub fn revenue(&self) -> Amount {
        self.unit_price.times(self.quantity, self.currency)
    }
}

/// What one day's usage is summed by.
type Key<'a> = (AccountId, &'a ProductId, &'a DimensionKey, &'a Region, u32, UsageKind, UnitPrice);

/// A family's usage of a seller's products on a day, in the order of buyer, product, dimension, region, agreement, kind
/// and price.
pub fn usage_of_day(
    sandbox: &Sandbox,
    family: &Family,
    seller: AccountId,
    day: Timestamp,
) -> Result<Vec<DailyUsage>, Broken> {
    let month = BillingMonth::containing(day);
    let Some(tiles) = sandbox.tally().tiles(month) else { return Ok(Vec::new()) };
    let first = UsageHour::containing(day).index() - month.hours().start.index();
    let index = usize::try_from(first).unwrap_or(0) / TILE_HOURS;
    let sells =
        |id: &ProductId| sandbox.market().products().get(id).is_some_and(|product| product.seller == seller);
    let series = meter::sorted(sandbox, family, |handle, series| {
        let tile = tiles.tile(index, handle.0 as usize / BLOCK);
        let is_metered = |tile: &crate::metering::tile::Tile| {
            (0..TILE_HOURS).any(|hour| tile.is_metered(hour, handle.0 as usize % BLOCK))
        };
        tile.is_some_and(is_metered) && sells(&series.product)
    });
    let agreements = Agreements::of_family(sandbox.market(), family)?;
    let meters = meter::meters(&series);
    let mut day_sums = DaySums { sandbox, day, tiles, sums: BTreeMap::new() };
    let mut trials = None;
    for meters_of_group in meter::groups(&meters) {
        let parts = Parts::of(&agreements, meters_of_group, month.hours())?;
        if parts.has_trial() && trials.is_none() {
            trials = Some(TrialHours::of(&agreements, &meters, tiles, month.hours())?);
        }
        let mut group = Group::new(meters_of_group, &parts, trials.as_ref())?;
        let mut pricing = Vec::with_capacity(group.segments.len());
        for segment in &group.segments {
            let price = |meter| segments::pricing(&agreements, meter, segment.range.start, true);
            pricing.push(meters_of_group.iter().map(price).collect::<Result<Vec<_>, _>>()?);
        }
        let entitled: Vec<Vec<bool>> = group
            .segments
            .iter()
            .map(|segment| (0..meters_of_group.len()).map(|meter| segment.entitled(meter) > 0).collect())
            .collect();
        let mut hours = Vec::new();
        group.visit_day(tiles, index, &mut |segment, facts| hours.push((segment, facts)));
        for (segment, facts) in hours {
            let Some(meter) = meters_of_group.get(facts.meter) else { continue };
            let pricing = pricing.get(segment).and_then(|all| all.get(facts.meter)).copied().flatten();
            let pricing = pricing.ok_or_else(|| {
                Broken(format!("usage of {} by {} on {day} has no agreement", meter.product(), meter.buyer()))
            })?;
            let entitled = entitled.get(segment).and_then(|all| all.get(facts.meter)).copied();
            let covered = if entitled.unwrap_or(false) { UsageKind::Entitled } else { UsageKind::Annual };
            let facts = pricing.less_free_of_hour(facts);
            let free = free_kind(&agreements, pricing)?;
            let parts = [(free, facts.free), (covered, facts.covered), (UsageKind::Billed, u128::MAX)];
            day_sums.add(meter, pricing, facts.offset, parts);
        }
    }
    Ok(day_sums.into_usage(family))
}

fn free_kind(agreements: &Agreements<'_>, pricing: Pricing<'_>) -> Result<UsageKind, Broken> {
    let offer = agreements.offer(pricing.agreement)?;
    Ok(match offer.is_demonstration() {
        true => UsageKind::Demonstration,
        false if offer.terms.byol.is_some() => UsageKind::Byol,
        false => UsageKind::Trial,
    })
}

/// The sums of a family's day.
struct DaySums<'a> {
    sandbox: &'a Sandbox,
    day: Timestamp,
    tiles: &'a MonthTiles,
    sums: BTreeMap<Key<'a>, (Pricing<'a>, u128)>,
}

impl<'a> DaySums<'a> {
    /// Divides what a meter did in an hour over its series in their order: first what is free, then what is covered;
    /// the rest is billed.
    fn add(
        &mut self,
        meter: &Meter<'a>,
        pricing: Pricing<'a>,
        offset: usize,
        mut parts: [(UsageKind, u128); 3],
    ) {
        for handle in meter.series() {
            let Some(series) = self.sandbox.tally().series(handle) else { continue };
            let mut left = self.tiles.column(handle.0).get(offset).map_or(0, u128::from);
            for (kind, most) in &mut parts {
                let taken = left.min(*most);
                if taken == 0 {
                    continue;
                }
                left -= taken;
                *most -= taken;
                let price = if *kind == UsageKind::Billed { pricing.unit_price } else { UnitPrice::ZERO };
                let number = pricing.agreement.number;
                let region = &series.key.region;
                let key = (meter.buyer(), meter.product(), meter.dimension(), region, number, *kind, price);
                self.sums.entry(key).or_insert((pricing, 0)).1 += taken;
            }
        }
    }

    fn into_usage(self, family: &Family) -> Vec<DailyUsage> {
        let day = self.day;
        let usage = |(key, (pricing, millionths)): (Key<'a>, (Pricing<'a>, u128))| {
            let (buyer, product, dimension, region, _, kind, unit_price) = key;
            DailyUsage {
                day,
                buyer,
                payer: family.payer,
                product: product.clone(),
                dimension: dimension.clone(),
                region: region.clone(),
                agreement: pricing.agreement.id.clone(),
                offer: pricing.agreement.offer.clone(),
                kind,
                unit_price,
                currency: pricing.currency,
                quantity: QuantitySum(millionths.cast_signed()),
            }
        };
        self.sums.into_iter().map(usage).collect()
    }
}
