//! The disbursement report, section 3: the instance hours that were paid out in the month, one row for each product, type
//! and price of an hour.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asks, Report, ReportInput, Row};
use crate::catalog::DimensionType;
use crate::ids::AccountId;
use crate::invoicing::{ChargeType, InvoiceKind};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;

/// Section 3.
pub const BY_INSTANCE_HOURS: Report = Report {
    name: "disbursed_amount_by_instance_hours",
    title: "Disbursement, section 3: Disbursed amount by instance hours",
    columns: &[
        "Product",
        "Product Code",
        "Usage Type Description",
        "Rate",
        "User Count",
        "Instance Hours",
        "Solution Title",
        "Solution ID",
    ],
    asks: Asks::InvoicesDisbursedIn,
    rows,
};

/// The type describes the usage. What was given back takes no hours away.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut sums: BTreeMap<_, (BTreeSet<AccountId>, i128)> = BTreeMap::new();
    for standing in input.invoices.iter().filter(|s| s.invoice.kind != InvoiceKind::CreditMemo) {
        for line in &standing.invoice.lines {
            let Some(key) = &line.dimension else { continue };
            if line.seller != input.seller || line.charge_type != ChargeType::Usage {
                continue;
            }
            let product = input.market.known_product(&line.product)?;
            let is_type =
                |dimension: &crate::catalog::Dimension| dimension.types.contains(&DimensionType::Metered);
            if product.dimension(key).is_some_and(is_type) {
                let (users, hours) = sums.entry((&product.id, key, line.unit_price)).or_default();
                users.insert(line.buyer);
                *hours += line.quantity.0;
            }
        }
    }
    let mut rows = Vec::new();
    for ((product, key, rate), (users, hours)) in sums {
        let product = input.market.known_product(product)?;
        let mut row =
            vec![product.title.clone(), product.code.to_string(), key.to_string(), rate.to_string()];
        row.extend([users.len().to_string(), QuantitySum(hours).to_string(), String::new(), String::new()]);
        rows.push(row);
    }
    Ok(rows)
}
