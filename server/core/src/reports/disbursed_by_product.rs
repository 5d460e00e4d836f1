//! The disbursement report, section 1: what was paid out in the month, one row for each invoice, subscriber, product and
//! offer.

use std::collections::BTreeMap;

use super::cells::{payer_of, place, sorted_by_account, trailer, transaction};
use super::{Asks, Report, ReportInput, Row};
use crate::invoicing::{Invoice, Revenue};
use crate::ledger::{Action, Holder, Share, entries};
use crate::money::Money;
use crate::rejection::Broken;

/// Section 1.
pub const BY_PRODUCT: Report = Report {
    name: "disbursed_amount_by_product",
    title: "Disbursement, section 1: Disbursed amount by product",
    columns: &[
        "Product",
        "Product Code",
        "SellerRev",
        "AWSRefFee",
        "SellerRevRefund",
        "AWSRefFeeRefund",
        "SellerRevCredit",
        "AWSRefFeeCredit",
        "Net Amount",
        "Transaction Reference ID",
        "SellerUSSalesTax",
        "SellerUSSalesTaxRefund",
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
    asks: Asks::InvoicesDisbursedIn,
    rows,
};

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for standing in input.invoices {
        let invoice = &standing.invoice;
        let mut paid_out: BTreeMap<_, (&Revenue, BTreeMap<Share, Money>)> = BTreeMap::new();
        let disbursed = entries(standing).into_iter().filter(|entry| entry.action == Action::Disbursed);
        for posting in disbursed.flat_map(|entry| entry.postings) {
            let revenue = posting.revenue.and_then(|row| invoice.revenue.get(row));
            let (Some(revenue), Some(share)) = (revenue, posting.share) else { continue };
            if posting.holder != Holder::Seller(input.seller) {
                continue;
            }
            let key = (revenue.buyer, &revenue.product, &revenue.offer);
            let (_, sums) = paid_out.entry(key).or_insert((revenue, BTreeMap::new()));
            let sum = sums.entry(share).or_insert_with(|| Money::zero(invoice.currency));
            *sum = sum.plus(posting.amount.negated());
        }
        for (revenue, sums) in paid_out.into_values() {
            rows.push(row(input, invoice, revenue, &sums)?);
        }
    }
    Ok(sorted_by_account(rows, 12))
}

/// Nothing is given as a credit: what comes back is a refund. The wholesale that a reseller owes lowers its revenue.
fn row(
    input: &ReportInput<'_>,
    invoice: &Invoice,
    revenue: &Revenue,
    sums: &BTreeMap<Share, Money>,
) -> Result<Row, Broken> {
    let zero = Money::zero(invoice.currency);
    let sum = |share| sums.get(&share).copied().unwrap_or(zero);
    let parts = [
        sum(Share::SellerRevenue).plus(sum(Share::Wholesale)),
        sum(Share::AwsRevenue),
        sum(Share::SellerRevenueRefund).plus(sum(Share::WholesaleRefund)),
        sum(Share::AwsRevenueRefund),
        zero,
        zero,
    ];
    let net = parts.into_iter().fold(zero, Money::plus);
    let product = input.market.known_product(&revenue.product)?;
    let customer = input.market.known_account(revenue.customer())?;
    let mut row = vec![product.title.clone(), product.code.to_string()];
    row.extend(parts.map(|part| part.to_string()));
    row.extend([
        net.to_string(),
        transaction(invoice, revenue),
        sum(Share::SellerTax).to_string(),
        sum(Share::SellerTaxRefund).to_string(),
        customer.id.to_string(),
    ]);
    row.extend(place(customer));
    row.push(customer.email_domain.clone());
    // Solution, then the payer: without the opportunity.
    let payer = payer_of(input.market, invoice, revenue)?;
    row.extend(trailer(payer, revenue).into_iter().skip(2));
    Ok(row)
}
