//! Cells that several reports print.

use super::Row;
use crate::catalog::Account;
use crate::ids::{AccountId, opaque};
use crate::invoicing::{Invoice, Revenue};

/// How a seller's reports name a customer without its number.
pub(super) fn customer_reference(seller: AccountId, customer: AccountId) -> String {
    opaque("customer", &[&seller.to_string(), &customer.to_string()])
}

/// Country, state, city and postal code.
pub(super) fn place(account: &Account) -> [String; 4] {
    let address = &account.address;
    [&address.country, &address.state, &address.city, &address.postal_code].map(Clone::clone)
}

/// What joins the rows of one invoice, subscriber, product and offer across reports.
pub(super) fn transaction(invoice: &Invoice, revenue: &Revenue) -> String {
    let buyer = revenue.buyer.to_string();
    let parts = [invoice.id.as_str(), &buyer, revenue.product.as_str(), revenue.offer.as_str()];
    opaque("transaction", &parts)
}

/// How reports name a payer without its number.
pub(super) fn payer_reference(payer: AccountId) -> String {
    opaque("payer", &[&payer.to_string()])
}

/// Opportunity and solution are blank: nothing is linked to them. Then the payer.
pub(super) fn trailer(payer: &Account) -> Row {
    let [country, state, city, postal_code] = place(payer);
    let address = opaque("payer address", &[&payer.id.to_string(), &country, &state, &city, &postal_code]);
    let mut cells = vec![String::new(); 4];
    cells.extend([payer_reference(payer.id), address]);
    cells
}

/// Rows come payer by payer, and payers from several partitions: the account's number makes the order stable.
pub(super) fn sorted_by_account(mut rows: Vec<Row>, account_column: usize) -> Vec<Row> {
    rows.sort_by(|a, b| a.get(account_column).cmp(&b.get(account_column)).then_with(|| a.cmp(b)));
    rows
}
