//! The sales compensation report: what was billed in the month of the invoice date, one row for each invoice,
//! subscriber, product and offer.

use std::collections::BTreeMap;

use super::cells::{place, sorted_by_account, trailer, transaction};
use super::{Asks, Report, ReportInput, Row};
use crate::invoicing::Revenue;
use crate::money::Money;
use crate::rejection::Broken;
use crate::time::BillingMonth;

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

/// Revenue, AWS's share of it, refunds, AWS's share of them.
type Sums = [Money; 4];

/// Rows with nothing left are dropped.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for invoice in input.invoices {
        let mut sums: BTreeMap<_, (&Revenue, Sums)> = BTreeMap::new();
        for revenue in invoice.revenue.iter().filter(|revenue| revenue.seller == input.seller) {
            let key = (revenue.buyer, &revenue.product, &revenue.offer);
            let (_, sum) = sums.entry(key).or_insert((revenue, [Money::zero(invoice.currency); 4]));
            let parts = [revenue.billed, revenue.fee, revenue.refunded, revenue.fee_refund];
            *sum = std::array::from_fn(|index| sum[index].plus(parts[index]));
        }
        let payer = input.market.known_account(invoice.payer)?;
        for (revenue, sums) in sums.into_values() {
            let net = sums.into_iter().fold(Money::zero(invoice.currency), Money::plus);
            if net.minor() == 0 {
                continue;
            }
            let customer = input.market.known_account(revenue.buyer)?;
            let product = input.market.known_product(&revenue.product)?;
            let mut row = vec![customer.id.to_string()];
            row.extend(place(customer));
            row.extend([customer.email_domain.clone(), product.code.to_string(), product.title.clone()]);
            row.extend(sums.map(|sum| sum.to_string()));
            row.extend([
                net.to_string(),
                invoice.currency.to_string(),
                BillingMonth::containing(invoice.issued_at).to_string(),
                transaction(invoice, revenue),
            ]);
            row.extend(trailer(payer));
            rows.push(row);
        }
    }
    Ok(sorted_by_account(rows, 0))
}
