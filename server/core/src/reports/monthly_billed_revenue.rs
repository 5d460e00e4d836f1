//! The monthly billed revenue report: section 1 (billing and revenue data) and section 2 (variable length
//! subscriptions), one row for each invoice, subscriber, product and offer, and in section 2 dimension.

use super::cells::{
    customer_reference, payer_of, place, sellers_tax, sorted_by_account, trailer, transaction,
};
use super::{Asks, Report, ReportInput, Row};
use crate::catalog::{Account, Offer, Product};
use crate::invoicing::payment::Standing;
use crate::invoicing::{ChargeType, Invoice, InvoiceLine, Revenue};
use crate::money::Money;
use crate::rejection::Broken;
use crate::rules::OfferIdColumn;
use crate::time::timestamp::report_date;

/// Section 1.
pub const BILLING_AND_REVENUE_DATA: Report = Report {
    name: "monthly_revenue_billing_and_revenue_data",
    title: "Monthly billed revenue, section 1: Billing and revenue data",
    columns: &[
        "Customer Reference ID",
        "Country",
        "State",
        "City",
        "Zip Code",
        "Product Title",
        "Product Code",
        "Customer Billed Amount",
        "AWS Listing Fee",
        "Refunds Amount",
        "AWS Fee Refund",
        "Cost",
        "Partner Revenue Amount",
        "Currency",
        "Transaction Reference ID",
        "U.S. Sales Tax Customer Billed Amount",
        "U.S. Sales Tax Refunds Amount",
        "Offer ID",
        "Offer Visibility",
        "Customer AWS Account Number",
        "Customer Email Domain",
        "Opportunity Name",
        "Opportunity Description",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::InvoicesOf,
    rows: section_1,
};

/// Section 2.
pub const VARIABLE_LENGTH_SUBSCRIPTIONS: Report = Report {
    name: "monthly_revenue_annual_subscriptions",
    title: "Monthly billed revenue, section 2: Variable length subscriptions",
    columns: &[
        "Customer Reference ID",
        "Country",
        "State",
        "City",
        "Zip Code",
        "Product Title",
        "Product Code",
        "Subscription Quantity",
        "Subscription Start Date",
        "Subscription End Date",
        "Subscription Instance Type",
        "Customer Billed Amount",
        "AWS Listing Fee",
        "Refunds Amount",
        "AWS Fee Refund",
        "Cost",
        "Partner Revenue Amount",
        "Currency",
        "Transaction Reference ID",
        "U.S. Sales Tax Customer Billed Amount",
        "U.S. Sales Tax Refunds Amount",
        "Customer AWS Account Number",
        "Customer Email Domain",
        "Offer ID",
        "Offer Visibility",
        "Contract Start Date",
        "Contract End Date",
        "Opportunity Name",
        "Opportunity Description",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::InvoicesOf,
    rows: section_2,
};

fn section_1(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for (invoice, revenue) in revenue_of(input, |charge| charge == ChargeType::Usage) {
        let context = Context::of(input, invoice, revenue)?;
        let cells = [
            context.customer(),
            context.money(),
            context.offer_columns(input.offer_id_column).to_vec(),
            context.account_columns().to_vec(),
            trailer(context.payer, revenue),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 19))
}

fn section_2(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for (invoice, revenue) in revenue_of(input, |charge| charge != ChargeType::Usage) {
        let context = Context::of(input, invoice, revenue)?;
        let line = context.line(invoice)?;
        let (start, end) = (report_date(line.start), report_date(line.end));
        let dimension = line.dimension.as_ref().map_or_else(String::new, ToString::to_string);
        // Blank for annual purchases (section 0 row 24).
        let contract = match line.charge_type {
            ChargeType::Contract => vec![start.clone(), end.clone()],
            ChargeType::Annual | ChargeType::Usage | ChargeType::Monthly => vec![String::new(); 2],
        };
        let cells = [
            context.customer(),
            vec![line.quantity.to_string(), start, end, dimension],
            context.money(),
            context.account_columns().to_vec(),
            context.offer_columns(input.offer_id_column).to_vec(),
            contract,
            trailer(context.payer, revenue),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 21))
}

fn revenue_of<'a>(
    input: &'a ReportInput<'_>,
    wanted: fn(ChargeType) -> bool,
) -> impl Iterator<Item = (&'a Invoice, &'a Revenue)> {
    let all = input
        .invoices
        .iter()
        .flat_map(|Standing { invoice, .. }| invoice.revenue.iter().map(move |r| (invoice.as_ref(), r)));
    all.filter(move |(_, revenue)| revenue.seller == input.seller && wanted(revenue.charge_type))
}

/// What the columns of one row are filled from.
struct Context<'a> {
    revenue: &'a Revenue,
    product: &'a Product,
    offer: &'a Offer,
    customer: &'a Account,
    payer: &'a Account,
    transaction: String,
}

impl<'a> Context<'a> {
    fn of(input: &ReportInput<'a>, invoice: &Invoice, revenue: &'a Revenue) -> Result<Context<'a>, Broken> {
        let market = input.market;
        Ok(Context {
            revenue,
            product: market.known_product(&revenue.product)?,
            offer: market.known_offer(&revenue.offer)?,
            customer: market.known_account(revenue.customer())?,
            payer: payer_of(market, invoice, revenue)?,
            transaction: transaction(invoice, revenue),
        })
    }

    fn customer(&self) -> Row {
        let reference = customer_reference(self.revenue.seller, self.customer.id);
        let product = [&self.product.title, self.product.code.as_str()].map(str::to_owned);
        std::iter::once(reference).chain(place(self.customer)).chain(product).collect()
    }

    /// Billed amount to sales tax: what is earned is the sum of the rounded parts (Q3).
    fn money(&self) -> Row {
        let Revenue { billed, fee, refunded, fee_refund, .. } = self.revenue;
        // What a reseller owes the manufacturer, and what of it came back.
        let cost = self.revenue.costs().into_iter().fold(Money::zero(billed.currency()), Money::plus);
        let [charged, returned] = sellers_tax(self.revenue);
        vec![
            billed.to_string(),
            fee.to_string(),
            refunded.to_string(),
            fee_refund.to_string(),
            cost.to_string(),
            self.revenue.net().to_string(),
            billed.currency().to_string(),
            self.transaction.clone(),
            charged.to_string(),
            returned.to_string(),
        ]
    }

    /// Offer ID and Offer Visibility (Q10).
    fn offer_columns(&self, column: OfferIdColumn) -> [String; 2] {
        let id = match column {
            OfferIdColumn::Legacy if !self.offer.is_private() => String::new(),
            OfferIdColumn::Legacy | OfferIdColumn::Dashboard => self.offer.id.to_string(),
        };
        [id, self.offer.visibility().to_string()]
    }

    fn account_columns(&self) -> [String; 2] {
        [self.customer.id.to_string(), self.customer.email_domain.clone()]
    }

    /// The line of an upfront row: there is one for each dimension, or one for all.
    fn line<'b>(&self, invoice: &'b Invoice) -> Result<&'b InvoiceLine, Broken> {
        let mut lines = invoice.lines.iter();
        let line = lines.find(|line| line.dimension == self.revenue.dimension);
        line.ok_or_else(|| Broken(format!("invoice {} has no line for its revenue", invoice.id)))
    }
}
