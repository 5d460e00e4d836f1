//! The ledger: who owes whom. Each invoice, payment and disbursement is an entry whose postings sum to zero. It follows
//! from the invoices and payments, and is not stored beside them.

pub mod disbursement;
pub mod posting;

pub use posting::{Action, Entry, Holder, Posting, Share};

use crate::invoicing::payment::Standing;
use crate::invoicing::{Invoice, Revenue};
use crate::money::Money;

/// The entries of an invoice: that it was issued, collected and disbursed, as far as that has happened or will happen
/// by itself. A credit memo turns the signs around.
pub fn entries(standing: &Standing) -> Vec<Entry> {
    let invoice = &standing.invoice;
    let mut entries =
        vec![Entry { action: Action::Invoiced, at: invoice.issued_at, postings: invoiced(invoice) }];
    if let Some(at) = standing.collected_at {
        let paid = invoice.total_with_tax();
        let postings = vec![
            Posting { holder: Holder::Payer(invoice.payer), share: None, revenue: None, amount: paid },
            Posting { holder: Holder::Bank, share: None, revenue: None, amount: paid.negated() },
        ];
        entries.push(Entry { action: Action::Collected, at, postings });
        let at = disbursement::disbursed_at(at);
        entries.push(Entry { action: Action::Disbursed, at, postings: disbursed(invoice) });
    }
    entries
}

/// The payer owes the seller and AWS, and the seller owes AWS its share. What a reseller owes the manufacturer (J1) stands
/// in two rows: what it is to give in its own, what the manufacturer is to get in the one behind it.
fn invoiced(invoice: &Invoice) -> Vec<Posting> {
    let mut postings = Vec::new();
    for (row, revenue) in invoice.revenue.iter().enumerate() {
        for (share, amount) in shares(revenue) {
            let mut post = |holder, amount| {
                postings.push(Posting { holder, share: Some(share), revenue: Some(row), amount });
            };
            match share {
                Share::SellerRevenue
                | Share::SellerRevenueRefund
                | Share::SellerTax
                | Share::SellerTaxRefund => {
                    post(Holder::Seller(revenue.seller), amount);
                    if !revenue.is_manufacturers() {
                        post(Holder::Payer(invoice.payer), amount.negated());
                    }
                }
                Share::Wholesale | Share::WholesaleRefund => post(Holder::Seller(revenue.seller), amount),
                Share::AwsRevenue | Share::AwsRevenueRefund => {
                    post(Holder::Seller(revenue.seller), amount);
                    post(Holder::Aws, amount.negated());
                }
                Share::AwsTax | Share::AwsTaxRefund => {
                    post(Holder::Aws, amount);
                    post(Holder::Payer(invoice.payer), amount.negated());
                }
            }
        }
    }
    postings
}

/// What the sellers got by it is paid out.
fn disbursed(invoice: &Invoice) -> Vec<Posting> {
    let mut postings = Vec::new();
    for (row, revenue) in invoice.revenue.iter().enumerate() {
        for (share, amount) in shares(revenue).filter(|(share, _)| share.is_sellers()) {
            let seller = Holder::Seller(revenue.seller);
            let (share, revenue) = (Some(share), Some(row));
            postings.push(Posting { holder: seller, share, revenue, amount: amount.negated() });
            postings.push(Posting { holder: Holder::Bank, share, revenue, amount });
        }
    }
    postings
}

/// What a row of revenue is made of, without what is nothing. AWS's share is negative: the seller pays it.
pub fn shares(revenue: &Revenue) -> impl Iterator<Item = (Share, Money)> {
    let zero = Money::zero(revenue.billed.currency());
    let (aws_tax, seller_tax) = match revenue.tax {
        None => (zero, zero),
        Some(tax) if tax.liable.is_seller() => (zero, tax.amount),
        Some(tax) => (tax.amount, zero),
    };
    // With what is given back its tax comes back; a charge that is negative, as an amendment may have, gives nothing back.
    let refund =
        |tax: Money, charged, refunded| (if revenue.refunded == zero { charged } else { refunded }, tax);
    let [cost, cost_refund] = revenue.costs();
    let all = [
        (Share::SellerRevenue, revenue.billed),
        (Share::Wholesale, cost),
        (Share::AwsRevenue, revenue.fee),
        (Share::SellerRevenueRefund, revenue.refunded),
        (Share::WholesaleRefund, cost_refund),
        (Share::AwsRevenueRefund, revenue.fee_refund),
        refund(seller_tax, Share::SellerTax, Share::SellerTaxRefund),
        refund(aws_tax, Share::AwsTax, Share::AwsTaxRefund),
    ];
    all.into_iter().filter(move |(_, amount)| *amount != zero)
}

#[cfg(test)]
mod tests;
