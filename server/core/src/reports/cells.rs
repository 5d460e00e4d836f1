//! Cells that several reports print.

use super::{ReportInput, Row};
use crate::catalog::{Account, BilledBy, CountedIn, DimensionType, Marketplace, Product, Side};
use crate::ids::{AccountId, DimensionKey, OfferId, opaque};
use crate::invoicing::{Invoice, Revenue};
use crate::ledger::{Share, shares};
use crate::money::Money;
use crate::money::rounding::div_half_up;
use crate::quantity::{QUANTITY_DECIMALS, QuantitySum};
use crate::rejection::Broken;

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

/// The number of a row's invoice, which names the payer; in its place, where a reseller hides that (J1), what stands for it
/// in all of the manufacturer's reports.
pub(super) fn invoice_number(invoice: &Invoice, revenue: &Revenue) -> String {
    match revenue.customer() == revenue.buyer {
        true => invoice.id.to_string(),
        false => opaque("invoice", &[invoice.id.as_str()]),
    }
}

/// The tax that the seller is liable for: charged, and given back.
pub(super) fn sellers_tax(revenue: &Revenue) -> [Money; 2] {
    let zero = Money::zero(revenue.billed.currency());
    let mut taxes = [zero; 2];
    for (share, amount) in shares(revenue) {
        match share {
            Share::SellerTax => taxes[0] = amount,
            Share::SellerTaxRefund => taxes[1] = amount,
            _ => {}
        }
    }
    taxes
}

/// The unit of a product's dimension: what AWS Marketplace meters is metered by the hour, or as the dimension says.
pub(super) fn usage_unit(product: &Product, key: &DimensionKey) -> Result<String, Broken> {
    let dimension = product.dimension(key);
    let dimension = dimension.ok_or_else(|| Broken(format!("{} has no dimension \"{key}\"", product.id)))?;
    Ok(match (dimension.billed_by, dimension.types.contains(&DimensionType::Metered)) {
        (Some(BilledBy::Second | BilledBy::Minute), _) => "seconds".to_owned(),
        (Some(BilledBy::Inference), _) => "inferences".to_owned(),
        (None, true) => "hours".to_owned(),
        (None, false) => dimension.unit.to_lowercase(),
    })
}

/// A quantity in what its price is of, with so many decimals, rounded half up: of seconds, hours.
pub(super) fn in_priced_units(quantity: QuantitySum, counted_in: CountedIn, places: u32) -> i128 {
    let cut = 10_i128.pow(QUANTITY_DECIMALS.saturating_sub(places));
    div_half_up(quantity.0, i128::from(counted_in.per_unit()) * cut)
}

/// How reports name a payer without its number.
pub(super) fn payer_reference(payer: AccountId) -> String {
    opaque("payer", &[&payer.to_string()])
}

/// Who pays the seller of a row: the payer, or of a manufacturer's row that hides the buyer the reseller.
pub(super) fn payer_of<'a>(
    market: &'a Marketplace,
    invoice: &Invoice,
    revenue: &Revenue,
) -> Result<&'a Account, Broken> {
    match revenue.customer() == revenue.buyer {
        true => market.known_account(invoice.payer),
        false => market.known_account(revenue.customer()),
    }
}

/// Opportunity and solution are blank: nothing is linked to them. Then the payer.
pub(super) fn trailer(payer: &Account, revenue: &Revenue) -> Row {
    let mut cells = vec![String::new(); 4];
    cells.extend([payer_reference(payer.id), billing_address(payer, revenue)]);
    cells
}

/// How reports name a payer's address; manufacturers never see it (J1).
pub(super) fn billing_address(payer: &Account, revenue: &Revenue) -> String {
    match revenue.is_manufacturers() {
        true => String::new(),
        false => opaque_address(payer),
    }
}

/// The seller's side of what its report tells of.
pub(super) fn side(input: &ReportInput<'_>, offer: &OfferId) -> Result<Side, Broken> {
    let side = Side::of(input.market, input.market.known_offer(offer)?, input.seller)?;
    side.ok_or_else(|| Broken(format!("seller {} has nothing to do with {offer}", input.seller)))
}

/// Name and number of who resells under an offer; blank where nobody does.
pub(super) fn reseller(input: &ReportInput<'_>, offer: &OfferId) -> Result<[String; 2], Broken> {
    match &input.market.known_offer(offer)?.resale {
        None => Ok(Default::default()),
        Some(resale) => {
            let reseller = input.market.known_account(resale.reseller)?;
            Ok([reseller.company_name.clone(), reseller.id.to_string()])
        }
    }
}

/// The same for what is no row of revenue.
pub(super) fn address_on(side: Side, payer: &Account) -> String {
    match side.is_manufacturers() {
        true => String::new(),
        false => opaque_address(payer),
    }
}

/// How reports name an address.
pub(super) fn opaque_address(payer: &Account) -> String {
    let [country, state, city, postal_code] = place(payer);
    opaque("payer address", &[&payer.id.to_string(), &country, &state, &city, &postal_code])
}

/// Rows come payer by payer, and payers from several partitions: the account's number makes the order stable.
pub(super) fn sorted_by_account(mut rows: Vec<Row>, account_column: usize) -> Vec<Row> {
    rows.sort_by(|a, b| a.get(account_column).cmp(&b.get(account_column)).then_with(|| a.cmp(b)));
    rows
}
