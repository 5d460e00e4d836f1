//! A day's usage, priced as the month's will be: what daily reports estimate. It walks the same hours that are rated at
//! the close, with the same cover and trials, but for one day.

use std::collections::{BTreeMap, BTreeSet};

use super::agreements::Agreements;
use super::group::{Group, Parts};
use super::meter::{self, Meter};
use super::segments::{self, Pricing};
use super::trial::TrialHours;
use super::walk::HourFacts;
use crate::agreement::Family;
use crate::catalog::{CountedIn, Side};
use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId, Region};
use crate::machine::Sandbox;
use crate::metering::month_tiles::MonthTiles;
use crate::metering::tile::{BLOCK, TILE_HOURS};
use crate::money::{Amount, Currency, Money, UnitPrice};
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
    /// Who used it; a reseller, where it hides that (J1).
    pub buyer: AccountId,
    /// Whose bill carries it; a reseller, where it hides that.
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
    /// The price of a unit: 0 where nothing is billed, the wholesale price for the manufacturer of what is resold.
    pub unit_price: UnitPrice,
    /// Its currency.
    pub currency: Currency,
    /// How much.
    pub quantity: QuantitySum,
    /// What that is counted in: of seconds, an hour has the price (P2).
    pub counted_in: CountedIn,
    /// The side of the seller that is told.
    pub side: Side,
}

impl DailyUsage {
    /// Quantity times price, exact: of seconds, 3,600 times what it costs.
    pub fn exact(&self) -> Amount {
        self.unit_price.times(self.quantity, self.currency)
    }

    /// What it is expected to cost, rounded once.
    pub fn revenue(&self) -> Money {
        self.exact().part(1, self.counted_in.per_unit())
    }
}

/// What prices a meter in a segment, and what that is to the seller.
#[derive(Debug, Clone, Copy)]
struct Told<'a> {
    pricing: Pricing<'a>,
    /// None: it is of another seller.
    side: Option<Side>,
    /// The price of a unit of what is billed.
    price: UnitPrice,
    free: UsageKind,
    covered: UsageKind,
}

impl<'a> Told<'a> {
    fn of(
        agreements: &Agreements<'a>,
        meter: &Meter<'a>,
        seller: AccountId,
        hour: UsageHour,
        entitled: u64,
    ) -> Result<Option<Told<'a>>, Broken> {
        let Some(pricing) = segments::pricing(agreements, meter, hour, true)? else { return Ok(None) };
        let offer = agreements.offer(pricing.agreement)?;
        let side = Side::of(agreements.market(), offer, seller)?;
        let price = side.map(|side| side.usage_price(offer, meter.dimension(), pricing.unit_price));
        let price = price.transpose()?.unwrap_or(UnitPrice::ZERO);
        let free = match offer.is_demonstration() {
            true => UsageKind::Demonstration,
            false if offer.terms.byol.is_some() => UsageKind::Byol,
            false => UsageKind::Trial,
        };
        let is_contract = entitled > 0 || pricing.prepaid;
        let covered = if is_contract { UsageKind::Entitled } else { UsageKind::Annual };
        Ok(Some(Told { pricing, side, price, free, covered }))
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
    let sold: BTreeSet<_> = family.agreements().filter(|a| a.seller == seller).map(|a| &a.product).collect();
    let made = |id: &ProductId| sandbox.market().products().get(id).is_some_and(|p| p.seller == seller);
    let sells = |id: &ProductId| sold.contains(id) || made(id);
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
        let mut told = Vec::with_capacity(group.segments.len());
        for segment in &group.segments {
            let tell = |(number, meter)| {
                Told::of(&agreements, meter, seller, segment.range.start, segment.entitled(number))
            };
            told.push(meters_of_group.iter().enumerate().map(tell).collect::<Result<Vec<_>, _>>()?);
        }
        let mut hours = Vec::new();
        group.visit_day(tiles, index, &mut |segment, facts| hours.push((segment, facts)));
        for (segment, facts) in hours {
            let Some(meter) = meters_of_group.get(facts.meter) else { continue };
            let told = told.get(segment).and_then(|all| all.get(facts.meter)).copied().flatten();
            let told = told.ok_or_else(|| {
                Broken(format!("usage of {} by {} on {day} has no agreement", meter.product(), meter.buyer()))
            })?;
            day_sums.add(meter, told, told.pricing.less_free_of_hour(facts));
        }
    }
    day_sums.into_usage(family, &agreements)
}

/// The sums of a family's day.
struct DaySums<'a> {
    sandbox: &'a Sandbox,
    day: Timestamp,
    tiles: &'a MonthTiles,
    sums: BTreeMap<Key<'a>, (Told<'a>, Side, u128)>,
}

impl<'a> DaySums<'a> {
    /// Divides what a meter did in an hour over its series in their order: first what is free, then what is covered;
    /// the rest is billed.
    fn add(&mut self, meter: &Meter<'a>, told: Told<'a>, facts: HourFacts) {
        let Some(side) = told.side else { return };
        let mut parts =
            [(told.free, facts.free), (told.covered, facts.covered), (UsageKind::Billed, u128::MAX)];
        for handle in meter.series() {
            let Some(series) = self.sandbox.tally().series(handle) else { continue };
            let mut left = self.tiles.column(handle.0).get(facts.offset).map_or(0, u128::from);
            for (kind, most) in &mut parts {
                let taken = left.min(*most);
                if taken == 0 {
                    continue;
                }
                left -= taken;
                *most -= taken;
                let price = if *kind == UsageKind::Billed { told.price } else { UnitPrice::ZERO };
                let number = told.pricing.agreement.number;
                let region = &series.key.region;
                let key = (meter.buyer(), meter.product(), meter.dimension(), region, number, *kind, price);
                self.sums.entry(key).or_insert((told, side, 0)).2 += taken;
            }
        }
    }

    fn into_usage(self, family: &Family, agreements: &Agreements<'_>) -> Result<Vec<DailyUsage>, Broken> {
        let mut all = Vec::with_capacity(self.sums.len());
        for (key, (Told { pricing, .. }, side, millionths)) in self.sums {
            let (buyer, product, dimension, region, _, kind, unit_price) = key;
            let (buyer, payer) = side.parties(buyer, family.payer);
            all.push(DailyUsage {
                day: self.day,
                buyer,
                payer,
                product: product.clone(),
                dimension: dimension.clone(),
                region: region.clone(),
                agreement: pricing.agreement.id.clone(),
                offer: pricing.agreement.offer.clone(),
                kind,
                unit_price,
                currency: pricing.currency,
                quantity: QuantitySum(millionths.cast_signed()),
                counted_in: agreements.counted_in(product, dimension)?,
                side,
            });
        }
        Ok(all)
    }
}
