//! The disbursement report, section 7: what is invoiced and not collected at the end of the month, by transaction.

use super::cells::{payer_of, sorted_by_account, trailer};
use super::transactions::transactions;
use super::{Asks, Report, ReportInput, Row};
use crate::rejection::Broken;
use crate::time::timestamp::report_date;

/// Section 7.
pub const BREAKDOWN: Report = Report {
    name: "disbursed_amount_by_uncollected_funds_breakdown",
    title: "Disbursement, section 7: Uncollected funds breakdown",
    columns: &[
        "Payer AWS Account Number",
        "Product Code",
        "Gross Revenue",
        "AWS Revenue Share",
        "Gross Refunds",
        "AWS Refunds Share",
        "Net Revenue",
        "Currency",
        "AR Period",
        "Transaction Reference ID",
        "Opportunity Name",
        "Opportunity Description",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
        "Payment Due date",
    ],
    asks: Asks::InvoicesIssuedBy,
    rows,
};

/// A credit memo has a row of its own, without a due date.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for standing in input.invoices.iter().filter(|standing| standing.is_uncollected_at(input.month.end())) {
        let invoice = &standing.invoice;
        for transaction in transactions(invoice, input.seller) {
            let payer = payer_of(input.market, invoice, transaction.revenue)?;
            let product = input.market.known_product(&transaction.revenue.product)?;
            let mut row = vec![payer.id.to_string(), product.code.to_string()];
            row.extend(transaction.money(invoice));
            row.extend(trailer(payer, transaction.revenue));
            row.push(invoice.due_at.map_or_else(String::new, report_date));
            rows.push(row);
        }
    }
    Ok(sorted_by_account(rows, 0))
}
