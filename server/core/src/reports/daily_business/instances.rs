//! Section 4: instances that were new on the day before.

use std::collections::BTreeMap;

use super::super::cells::sorted_by_account;
use super::super::period::Day;
use super::super::{Asks, Report, ReportInput, Row};
use super::Parties;
use crate::agreement::Family;
use crate::catalog::{CountedIn, Side};
use crate::ids::{AccountId, DimensionKey, ProductId};
use crate::machine::Sandbox;
use crate::metering::series::{Series, SeriesHandle};
use crate::quantity::{MILLIONTHS, QuantitySum};
use crate::rating::agreements::Agreements;
use crate::rejection::Broken;
use crate::time::{BillingMonth, HourRange, UsageHour};

/// Section 4.
pub const NEW_INSTANCES: Report = Report {
    name: "daily_business_new_instances",
    title: "Daily business, section 4: New instances",
    columns: &[
        "Customer Reference ID",
        "User’s State",
        "User’s Country",
        "Product Title",
        "Product Code",
        "Type",
        "Count",
        "Customer AWS Account Number",
        "Customer Country",
        "Customer State",
        "Customer City",
        "Customer Zip Code",
        "Customer Email Domain",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::InstancesOfDay,
    rows,
};

/// New instances of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstances {
    /// Who runs them; a reseller, where it hides that (J1).
    pub buyer: AccountId,
    /// Whose bill carries them; a reseller, where it hides that.
    pub payer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The type.
    pub dimension: DimensionKey,
    /// How many.
    pub count: QuantitySum,
    /// The side of the seller that is told.
    pub side: Side,
}

/// What of a type ran: in the hour before, and in each hour of the day, by the seller's side of its agreement.
struct Running {
    before: u128,
    each: Vec<BTreeMap<Side, u128>>,
}

/// The new instances of a family: as many as the most that ran for the seller in an hour of the day are above those that
/// ran in the last hour before it, whoever sold them.
pub fn of_family(
    sandbox: &Sandbox,
    family: &Family,
    seller: AccountId,
    day: Day,
) -> Result<Vec<NewInstances>, Broken> {
    let market = sandbox.market();
    let first = UsageHour::containing(day.start);
    let hours = HourRange { start: first, end: UsageHour::containing(day.end) };
    let before = UsageHour::from_index(first.index() - 1);
    let agreements = Agreements::of_family(market, family)?;
    let mut running: BTreeMap<_, Running> = BTreeMap::new();
    for &handle in &family.series {
        let Some(series) = sandbox.tally().series(handle) else { continue };
        let dimension = market.known_product(&series.product)?.dimension(&series.key.dimension);
        let Some(dimension) = dimension.filter(|dimension| dimension.is_hourly()) else { continue };
        let instances = |hour| instances(metered(sandbox, handle, hour), dimension.counted_in());
        let key = (series.buyer, &series.product, &series.key.dimension);
        let none = || Running { before: 0, each: vec![BTreeMap::new(); hours.len()] };
        let type_of_buyer = running.entry(key).or_insert_with(none);
        type_of_buyer.before += before.map_or(0, instances);
        for (sums, hour) in type_of_buyer.each.iter_mut().zip(hours.hours()) {
            let count = instances(hour);
            if count > 0
                && let Some(side) = side_of(&agreements, series, hour, seller)?
            {
                *sums.entry(side).or_default() += count;
            }
        }
    }
    let mut new: BTreeMap<_, u128> = BTreeMap::new();
    for ((buyer, product, dimension), Running { before, each }) in running {
        let mut most: BTreeMap<Side, u128> = BTreeMap::new();
        for (side, count) in each.into_iter().flatten() {
            let so_far = most.entry(side).or_default();
            *so_far = count.max(*so_far);
        }
        for (side, most) in most.into_iter().filter(|(_, most)| before < *most) {
            *new.entry((side.parties(buyer, family.payer), product, dimension, side)).or_default() +=
                most - before;
        }
    }
    let told = new.into_iter().map(|(((buyer, payer), product, dimension, side), count)| NewInstances {
        buyer,
        payer,
        product: product.clone(),
        dimension: dimension.clone(),
        count: QuantitySum(count.cast_signed()),
        side,
    });
    Ok(told.collect())
}

/// How many instances a series is in an hour: what is told by the second is one, however long it ran.
fn instances(metered: u128, counted_in: CountedIn) -> u128 {
    match counted_in {
        CountedIn::Units => metered,
        CountedIn::Seconds => {
            if metered > 0 {
                u128::from(MILLIONTHS)
            } else {
                0
            }
        }
    }
}

/// The seller's side of the agreement that prices an hour of a series.
fn side_of<'a>(
    agreements: &Agreements<'a>,
    series: &'a Series,
    hour: UsageHour,
    seller: AccountId,
) -> Result<Option<Side>, Broken> {
    let agreement = agreements.at_hour(series.buyer, &series.product, series.licence(), hour, true);
    let agreement = agreement.ok_or_else(|| {
        Broken(format!("usage of {} by {} at {hour} has no agreement", series.product, series.buyer))
    })?;
    Side::of(agreements.market(), agreements.offer(agreement)?, seller)
}

fn metered(sandbox: &Sandbox, handle: SeriesHandle, hour: UsageHour) -> u128 {
    let tiles = sandbox.tally().tiles(BillingMonth::containing(hour.start()));
    let cell = tiles.and_then(|tiles| tiles.column(handle.0).get(tiles.offset(hour.index())?));
    cell.map_or(0, u128::from)
}

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for new in &input.daily.instances {
        let parties = Parties::of(input, new.buyer, new.payer, &new.product, new.side)?;
        let cells = [
            parties.user_and_product(input.seller),
            vec![new.dimension.to_string(), new.count.to_string()],
            parties.customer(),
            parties.trailer(),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 7))
}
