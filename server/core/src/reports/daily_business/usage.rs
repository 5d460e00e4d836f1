//! Section 1: what each user used of each type on the day before, and what it is expected to cost.

use std::collections::BTreeMap;

use super::super::cells::{sorted_by_account, usage_unit};
use super::super::{Asks, Report, ReportInput, Row};
use super::{Parties, offer_columns};
use crate::catalog::Product;
use crate::ids::DimensionKey;
use crate::money::Amount;
use crate::quantity::QuantitySum;
use crate::rating::UsageKind;
use crate::rejection::Broken;

/// Section 1.
pub const USAGE_BY_INSTANCE_TYPE: Report = Report {
    name: "daily_business_usage_by_instance_type",
    title: "Daily business, section 1: Usage by instance type",
    columns: &[
        "Customer Reference ID",
        "User’s State",
        "User’s Country",
        "Product Title",
        "Product Code",
        "Instance Type",
        "Usage Units",
        "Usage Unit Type",
        "Offering Description",
        "Estimated Revenue",
        "Currency",
        "Offer ID",
        "Offer Visibility",
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
    asks: Asks::UsageOfDay,
    rows,
};

/// One row for each user, type, offer and kind of usage; its revenue is rounded once.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut sums: BTreeMap<_, (i128, i128)> = BTreeMap::new();
    for usage in &input.daily.usage {
        let key = (
            (usage.buyer, usage.payer, &usage.product, &usage.dimension),
            (&usage.offer, usage.kind, usage.currency, usage.counted_in, usage.side),
        );
        let (quantity, revenue) = sums.entry(key).or_default();
        *quantity += usage.quantity.0;
        *revenue += usage.exact().scaled();
    }
    let mut rows = Vec::new();
    for ((who, how), (quantity, revenue)) in sums {
        let (buyer, payer, product, dimension) = who;
        let (offer, kind, currency, counted_in, side) = how;
        let parties = Parties::of(input, buyer, payer, product, side)?;
        let usage = vec![
            dimension.to_string(),
            QuantitySum(quantity).to_string(),
            usage_unit(parties.product, dimension)?,
            offering(parties.product, dimension, kind).to_owned(),
            Amount::new(revenue, currency).part(1, counted_in.per_unit()).to_string(),
            currency.to_string(),
        ];
        let cells = [
            parties.user_and_product(input.seller),
            usage,
            offer_columns(input, offer)?.to_vec(),
            parties.customer(),
            parties.trailer(),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 13))
}

/// How the usage was offered.
pub(in super::super) fn offering(
    product: &Product,
    dimension: &DimensionKey,
    kind: UsageKind,
) -> &'static str {
    match kind {
        UsageKind::Billed if product.is_hourly(dimension) => "Hourly usage",
        UsageKind::Billed => "Metered usage",
        UsageKind::Annual => "Annual usage",
        UsageKind::Entitled => "Contract usage",
        UsageKind::Trial => "Free trial usage",
        UsageKind::Demonstration => "Field demonstration usage",
        UsageKind::Byol => "BYOL usage",
    }
}
