//! The disbursement report, section 3: the instance hours that were paid out in the month, one row for each product, type
//! and price of an hour.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::in_priced_units;
use super::{Asks, Report, ReportInput, Row};
use crate::catalog::Side;
use crate::ids::AccountId;
use crate::invoicing::{ChargeType, InvoiceKind};
use crate::quantity::{QUANTITY_DECIMALS, QuantitySum};
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

/// The type describes the usage; its seconds are told in hours. What was given back takes no hours away.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut sums: BTreeMap<_, (BTreeSet<AccountId>, i128)> = BTreeMap::new();
    for standing in input.invoices.iter().filter(|s| s.invoice.kind != InvoiceKind::CreditMemo) {
        for line in &standing.invoice.lines {
            let Some(key) = &line.dimension else { continue };
            let (product, offer) =
                (input.market.known_product(&line.product)?, input.market.known_offer(&line.offer)?);
            let Some(side) = Side::of(input.market, offer, input.seller)? else { continue };
            if line.charge_type != ChargeType::Usage || !product.is_hourly(key) {
                continue;
            }
            let rate = side.usage_price(offer, key, line.unit_price)?;
            let (users, quantity) = sums.entry((&product.id, key, rate)).or_default();
            users.insert(side.parties(line.buyer, standing.invoice.payer).0);
            *quantity += line.quantity.0;
        }
    }
    let mut rows = Vec::new();
    for ((product, key, rate), (users, quantity)) in sums {
        let product = input.market.known_product(product)?;
        let hours = in_priced_units(QuantitySum(quantity), product.counted_in(key), QUANTITY_DECIMALS);
        let mut row =
            vec![product.title.clone(), product.code.to_string(), key.to_string(), rate.to_string()];
        row.extend([users.len().to_string(), QuantitySum(hours).to_string(), String::new(), String::new()]);
        rows.push(row);
    }
    Ok(rows)
}
