//! Section 2: what was charged three days before that is no usage, and what was given back.

use super::super::cells::sorted_by_account;
use super::super::{Asks, Report, ReportInput, Row};
use super::Parties;
use crate::catalog::Side;
use crate::invoicing::payment::Standing;
use crate::invoicing::{ChargeType, InvoiceKind, InvoiceLine};
use crate::rejection::Broken;
use crate::time::timestamp::report_date;

/// Section 2.
pub const FEES: Report = Report {
    name: "daily_business_fees",
    title: "Daily business, section 2: Fees",
    columns: &[
        "Customer Reference ID",
        "User’s State",
        "User’s Country",
        "Product Title",
        "Product Code",
        "Amount",
        "Currency",
        "Fee Description",
        "Customer AWS Account Number",
        "Customer Country",
        "Customer State",
        "Customer City",
        "Customer Zip Code",
        "Customer Email Domain",
        "Start Date",
        "End Date",
        "Quantity",
        "Dimension",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::FeesOfDay,
    rows,
};

/// One row for each line: of a contract, for each dimension.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for Standing { invoice, .. } in input.invoices {
        for line in &invoice.lines {
            let Some(description) = description(invoice.kind, line.charge_type) else { continue };
            let offer = input.market.known_offer(&line.offer)?;
            let Some(side) = Side::of(input.market, offer, input.seller)? else { continue };
            let (user, customer) = side.parties(line.buyer, invoice.payer);
            let parties = Parties::of(input, user, customer, &line.product, side)?;
            let owed = || Broken(format!("a line of {} has no wholesale", invoice.id));
            let amount = match side {
                Side::Seller => line.amount,
                Side::Manufacturer { .. } => line.wholesale.ok_or_else(owed)?,
            };
            let amount = [amount.to_string(), invoice.currency.to_string(), description.to_owned()];
            let cells = [
                parties.user_and_product(input.seller),
                amount.to_vec(),
                parties.customer(),
                contract(line).to_vec(),
                parties.trailer(),
            ];
            rows.push(cells.concat());
        }
    }
    Ok(sorted_by_account(rows, 8))
}

/// The reason for a fee; none of what is no fee.
fn description(kind: InvoiceKind, charge: ChargeType) -> Option<&'static str> {
    match (kind, charge) {
        (InvoiceKind::CreditMemo, _) => Some("Refund"),
        (_, ChargeType::Usage) => None,
        (_, ChargeType::Annual) => Some("Annual fee"),
        (_, ChargeType::Contract) => Some("Contract fee"),
        (_, ChargeType::Monthly) => Some("Monthly fee"),
    }
}

/// Start Date to Dimension: blank but for contracts.
fn contract(line: &InvoiceLine) -> [String; 4] {
    let dimension = line.dimension.as_ref().map_or_else(String::new, ToString::to_string);
    match line.charge_type {
        ChargeType::Contract => {
            [report_date(line.start), report_date(line.end), line.quantity.to_string(), dimension]
        }
        ChargeType::Usage | ChargeType::Annual | ChargeType::Monthly => Default::default(),
    }
}
