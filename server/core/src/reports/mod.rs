//! Seller reports: tables with AWS's columns, rendered from invoices and agreements. A report is added by its file
//! and one line of [`ALL`].

pub mod billing_events;
mod cells;
pub mod disbursed_by_product;
pub mod field_demonstration;
pub mod flexible_payment_schedule;
pub mod fund_ages;
pub mod monthly_billed_revenue;
pub mod sales_compensation;
mod transactions;
pub mod uncollected_funds;

use crate::agreement::{Agreement, Family};
use crate::catalog::Marketplace;
use crate::ids::AccountId;
use crate::invoicing::Invoice;
use crate::invoicing::payment::Standing;
use crate::ledger::disbursement;
use crate::rating::Demonstration;
use crate::rejection::Broken;
use crate::rules::OfferIdColumn;
use crate::time::BillingMonth;

/// What a report is rendered from, and for whom.
pub struct ReportInput<'a> {
    /// The sandbox's published state.
    pub market: &'a Marketplace,
    /// The seller who reads it.
    pub seller: AccountId,
    /// How rows of public offers show the offer.
    pub offer_id_column: OfferIdColumn,
    /// The month.
    pub month: BillingMonth,
    /// The invoices that the report asks for, of every payer, in the order of payer and issue.
    pub invoices: &'a [Standing],
    /// The agreements that it asks for.
    pub agreements: &'a [Agreement],
    /// What was demonstrated, of every payer, in the order of the payers.
    pub demonstrations: &'a [Demonstration],
}

/// What a report asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The invoices whose charges belong to the month (section 0 row 20).
    InvoicesOf,
    /// The invoices issued in the month.
    InvoicesIssuedIn,
    /// The invoices issued by the end of the month.
    InvoicesIssuedBy,
    /// The invoices paid out in the month.
    InvoicesDisbursedIn,
    /// The invoices issued or paid out in the month.
    InvoicesOfFeed,
    /// The agreements accepted in the month that are paid in instalments.
    SchedulesAcceptedIn,
    /// What was demonstrated in the month.
    DemonstrationsOf,
}

/// What a report asks for, of a family or of all.
#[derive(Debug, Default)]
pub struct Facts {
    /// Invoices.
    pub invoices: Vec<Standing>,
    /// Agreements.
    pub agreements: Vec<Agreement>,
    /// What was demonstrated.
    pub demonstrations: Vec<Demonstration>,
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
    /// What it is rendered from.
    pub asks: Asks,
    /// Renders its rows.
    pub rows: fn(&ReportInput<'_>) -> Result<Vec<Row>, Broken>,
}

impl Report {
    /// What it asks for of a family, as far as it is the seller's.
    pub fn gather(&self, family: &Family, seller: AccountId, month: BillingMonth) -> Facts {
        let of_month = |moment| BillingMonth::containing(moment) == month;
        let issued_in = |standing: &Standing| of_month(standing.invoice.issued_at);
        let disbursed_in = |standing: &Standing| {
            standing.collected_at.is_some_and(|collected| of_month(disbursement::disbursed_at(collected)))
        };
        let invoices = |asked: &dyn Fn(&Standing) -> bool| {
            let sells = |invoice: &Invoice| invoice.revenue.iter().any(|revenue| revenue.seller == seller);
            let mine = family.invoices().iter().filter(|invoice| sells(invoice));
            let standings = mine.map(|invoice| Standing::of(family, invoice));
            Facts { invoices: standings.filter(|standing| asked(standing)).collect(), ..Facts::default() }
        };
        match self.asks {
            Asks::InvoicesOf => invoices(&|standing| standing.invoice.month == month),
            Asks::InvoicesIssuedIn => invoices(&issued_in),
            Asks::InvoicesIssuedBy => invoices(&|standing| standing.invoice.issued_at < month.end()),
            Asks::InvoicesDisbursedIn => invoices(&disbursed_in),
            Asks::InvoicesOfFeed => invoices(&|standing| issued_in(standing) || disbursed_in(standing)),
            Asks::SchedulesAcceptedIn => {
                let asked = |agreement: &&Agreement| {
                    agreement.seller == seller
                        && !agreement.instalments.is_empty()
                        && BillingMonth::containing(agreement.accepted_at) == month
                };
                Facts { agreements: family.agreements().filter(asked).cloned().collect(), ..Facts::default() }
            }
            Asks::DemonstrationsOf => {
                let asked = family.demonstrations.iter().filter(|shown| shown.month == month);
                Facts { demonstrations: asked.cloned().collect(), ..Facts::default() }
            }
        }
    }
}

/// Every report.
pub const ALL: &[Report] = &[
    monthly_billed_revenue::BILLING_AND_REVENUE_DATA,
    monthly_billed_revenue::VARIABLE_LENGTH_SUBSCRIPTIONS,
    flexible_payment_schedule::FLEXIBLE_PAYMENT_SCHEDULE,
    sales_compensation::BILLED_REVENUE,
    fund_ages::UNCOLLECTED,
    fund_ages::PAST_DUE,
    uncollected_funds::BREAKDOWN,
    disbursed_by_product::BY_PRODUCT,
    fund_ages::DISBURSED,
    billing_events::BILLING_EVENTS,
    field_demonstration::FIELD_DEMONSTRATION_USAGE,
];

/// The report of a name.
pub fn by_name(name: &str) -> Option<&'static Report> {
    ALL.iter().find(|report| report.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_have_the_columns_that_aws_lists() {
        let counts: Vec<_> = ALL.iter().map(|report| (report.name, report.columns.len())).collect();
        let expected = [
            ("monthly_revenue_billing_and_revenue_data", 27),
            ("monthly_revenue_annual_subscriptions", 33),
            ("monthly_revenue_flexible_payment_schedule", 19),
            ("sales_compensation_billed_revenue", 22),
            ("disbursed_amount_by_age_of_uncollected_funds", 6),
            ("disbursed_amount_by_age_of_past_due_funds", 6),
            ("disbursed_amount_by_uncollected_funds_breakdown", 17),
            ("disbursed_amount_by_product", 22),
            ("disbursed_amount_by_age_of_disbursed_funds", 6),
            ("billingeventfeed_v1", 32),
            ("monthly_revenue_field_demonstration_usage", 5),
        ];
        assert_eq!(counts, expected);
    }
}
