//! An invoice as several reports count it: by subscriber, product and offer.

use std::collections::BTreeMap;

use super::Row;
use super::cells::transaction;
use crate::ids::AccountId;
use crate::invoicing::{Invoice, Revenue};
use crate::money::Money;
use crate::time::BillingMonth;

/// What one invoice, subscriber, product and offer bring a seller.
pub(super) struct Transaction<'a> {
    /// The first of its revenue.
    pub revenue: &'a Revenue,
    /// Revenue, AWS's share of it, refunds, AWS's share of them. The wholesale that a reseller owes lowers its revenue.
    sums: [Money; 4],
}

impl Transaction<'_> {
    /// The sum of the rounded parts.
    pub fn net(&self) -> Money {
        self.sums.into_iter().fold(Money::zero(self.revenue.billed.currency()), Money::plus)
    }

    /// Gross Revenue to Transaction Reference ID. AR Period is the month of the invoice date.
    pub fn money(&self, invoice: &Invoice) -> Row {
        let mut cells = self.sums.map(|sum| sum.to_string()).to_vec();
        cells.extend([
            self.net().to_string(),
            invoice.currency.to_string(),
            BillingMonth::containing(invoice.issued_at).to_string(),
            transaction(invoice, self.revenue),
        ]);
        cells
    }
}

/// A seller's part of an invoice, by subscriber, product and offer.
pub(super) fn transactions(invoice: &Invoice, seller: AccountId) -> Vec<Transaction<'_>> {
    let mut all: BTreeMap<_, Transaction<'_>> = BTreeMap::new();
    for revenue in invoice.revenue.iter().filter(|revenue| revenue.seller == seller) {
        let key = (revenue.buyer, &revenue.product, &revenue.offer);
        let empty = || Transaction { revenue, sums: [Money::zero(invoice.currency); 4] };
        let transaction = all.entry(key).or_insert_with(empty);
        let [cost, cost_refund] = revenue.costs();
        let (billed, refunded) = (revenue.billed.plus(cost), revenue.refunded.plus(cost_refund));
        let parts = [billed, revenue.fee, refunded, revenue.fee_refund];
        for (sum, part) in transaction.sums.iter_mut().zip(parts) {
            *sum = sum.plus(part);
        }
    }
    all.into_values().collect()
}
