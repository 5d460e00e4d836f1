//! Seller reports: tables with AWS's columns, rendered from invoices. A report is added by its file and one
//! line of [`ALL`].

pub mod field_demonstration;
pub mod monthly_billed_revenue;

use crate::catalog::Marketplace;
use crate::ids::AccountId;
use crate::invoicing::Invoice;
use crate::rating::Demonstration;
use crate::rejection::Broken;
use crate::rules::OfferIdColumn;

/// What a report is rendered from, and for whom.
pub struct ReportInput<'a> {
    /// The sandbox's published state.
    pub market: &'a Marketplace,
    /// The seller who reads it.
    pub seller: AccountId,
    /// How rows of public offers show the offer.
    pub offer_id_column: OfferIdColumn,
    /// The invoices of the month, of every payer, in the order of payer and issue.
    pub invoices: &'a [std::sync::Arc<Invoice>],
    /// What was demonstrated in the month, of every payer, in the order of the payers.
    pub demonstrations: &'a [Demonstration],
}

/// One row, its cells in the order of the columns.
pub type Row = Vec<String>;

/// A report.
pub struct Report {
    /// Its AWS data set name.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its columns, in order.
    pub columns: &'static [&'static str],
    /// Renders its rows.
    pub rows: fn(&ReportInput<'_>) -> Result<Vec<Row>, Broken>,
}

/// Every report.
pub const ALL: &[Report] = &[
    monthly_billed_revenue::BILLING_AND_REVENUE_DATA,
    monthly_billed_revenue::VARIABLE_LENGTH_SUBSCRIPTIONS,
    field_demonstration::FIELD_DEMONSTRATION_USAGE,
];

/// The report of a name.
pub fn by_name(name: &str) -> Option<&'static Report> {
    ALL.iter().find(|report| report.name == name)
}
