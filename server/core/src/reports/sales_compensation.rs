//! The sales compensation report: what was billed in the month of the invoice date, one row for each invoice,
//! subscriber, product and offer.

use super::cells::{payer_of, place, sorted_by_account, trailer};
use super::transactions::transactions;
use super::{Asks, Report, ReportInput, Row};
use crate::invoicing::payment::Standing;
use crate::rejection::Broken;

/// Its only section.
pub const BILLED_REVENUE: Report = Report {
    name: "sales_compensation_billed_revenue",
    title: "Sales compensation: Billed revenue",
    columns: &[
        "Customer AWS Account Number",
        "Country",
        "State",
        "City",
        "Zip Code",
        "Email Domain",
        "Product Code",
        "Product Title",
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
    ],
    asks: Asks::InvoicesIssuedIn,
    rows,
};

/// Rows with nothing left are dropped.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for Standing { invoice, .. } in input.invoices {
        for transaction in transactions(invoice, input.seller) {
            if transaction.net().minor() == 0 {
                continue;
            }
            let payer = payer_of(input.market, invoice, transaction.revenue)?;
            let customer = input.market.known_account(transaction.revenue.customer())?;
            let product = input.market.known_product(&transaction.revenue.product)?;
            let mut row = vec![customer.id.to_string()];
            row.extend(place(customer));
            row.extend([customer.email_domain.clone(), product.code.to_string(), product.title.clone()]);
            row.extend(transaction.money(invoice));
            row.extend(trailer(payer, transaction.revenue));
            rows.push(row);
        }
    }
    Ok(sorted_by_account(rows, 0))
}
