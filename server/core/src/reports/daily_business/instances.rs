//! Section 4: instances that were new on the day before.

use std::collections::BTreeMap;

use super::super::cells::sorted_by_account;
use super::super::period::Day;
use super::super::{Asks, Report, ReportInput, Row};
use super::Parties;
use crate::agreement::Family;
use crate::catalog::DimensionType;
use crate::ids::{AccountId, DimensionKey, ProductId};
use crate::machine::Sandbox;
use crate::metering::series::SeriesHandle;
use crate::quantity::QuantitySum;
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
    /// Who runs them.
    pub buyer: AccountId,
    /// Whose bill carries them.
    pub payer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The type.
    pub dimension: DimensionKey,
    /// How many.
    pub count: QuantitySum,
}

/// The new instances of a family: as many as the most that ran in an hour of the day are above those that ran in the
/// last hour before it.
pub fn of_family(sandbox: &Sandbox, family: &Family, seller: AccountId, day: Day) -> Vec<NewInstances> {
    let first = UsageHour::containing(day.start);
    let hours = HourRange { start: first, end: UsageHour::containing(day.end) };
    let before = UsageHour::from_index(first.index() - 1);
    // By type: what ran in the hour before, and in each hour of the day.
    let mut running: BTreeMap<_, (u128, Vec<u128>)> = BTreeMap::new();
    for &handle in &family.series {
        let Some(series) = sandbox.tally().series(handle) else { continue };
        let product = sandbox.market().products().get(&series.product);
        let Some(product) = product.filter(|product| product.seller == seller) else { continue };
        let is_type = product
            .dimension(&series.key.dimension)
            .is_some_and(|dimension| dimension.types.contains(&DimensionType::Metered));
        if !is_type {
            continue;
        }
        let key = (series.buyer, &series.product, &series.key.dimension);
        let (earlier, each) = running.entry(key).or_insert_with(|| (0, vec![0; hours.len()]));
        *earlier += before.map_or(0, |hour| metered(sandbox, handle, hour));
        for (sum, hour) in each.iter_mut().zip(hours.hours()) {
            *sum += metered(sandbox, handle, hour);
        }
    }
    let new = running.into_iter().filter_map(|((buyer, product, dimension), (earlier, each))| {
        let count = each.into_iter().max().unwrap_or(0).saturating_sub(earlier);
        (count > 0).then(|| NewInstances {
            buyer,
            payer: family.payer,
            product: product.clone(),
            dimension: dimension.clone(),
            count: QuantitySum(count.cast_signed()),
        })
    });
    new.collect()
}

fn metered(sandbox: &Sandbox, handle: SeriesHandle, hour: UsageHour) -> u128 {
    let tiles = sandbox.tally().tiles(BillingMonth::containing(hour.start()));
    let cell = tiles.and_then(|tiles| tiles.column(handle.0).get(tiles.offset(hour.index())?));
    cell.map_or(0, u128::from)
}

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for new in &input.daily.instances {
        let parties = Parties::of(input, new.buyer, new.payer, &new.product)?;
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
