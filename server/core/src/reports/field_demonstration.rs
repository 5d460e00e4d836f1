//! The monthly billed revenue report, section 3: AWS field demonstration usage, which is free (D9, B-17).

use std::collections::BTreeMap;

use super::cells::usage_unit;
use super::{Asks, Report, ReportInput, Row};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;

/// Section 3.
pub const FIELD_DEMONSTRATION_USAGE: Report = Report {
    name: "monthly_revenue_field_demonstration_usage",
    title: "Monthly billed revenue, section 3: AWS field demonstration usage",
    columns: &["Product Title", "Product Code", "Instance Type", "Usage Units", "Usage Unit Types"],
    asks: Asks::DemonstrationsOf,
    rows: section_3,
};

/// One row for each product and type, whoever demonstrated it.
fn section_3(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut sums: BTreeMap<_, i128> = BTreeMap::new();
    for demonstration in input.demonstrations {
        *sums.entry((&demonstration.product, &demonstration.dimension)).or_default() +=
            demonstration.quantity.0;
    }
    let mut rows = Vec::new();
    for ((product, key), quantity) in sums {
        let product = input.market.known_product(product)?;
        if product.seller != input.seller {
            continue;
        }
        rows.push(vec![
            product.title.clone(),
            product.code.to_string(),
            key.to_string(),
            QuantitySum(quantity).to_string(),
            usage_unit(product, key)?,
        ]);
    }
    Ok(rows)
}
