//! Seller reports: tables with AWS's columns, rendered from invoices and agreements. A report is added by its file
//! and one line of [`ALL`].

pub mod agreement_details;
pub mod billed_revenue;
pub mod billing_events;
mod cells;
pub mod customer_subscribers;
pub mod daily_business;
pub mod daily_usage;
pub mod disbursed_by_geography;
pub mod disbursed_by_instance_hours;
pub mod disbursed_by_product;
pub mod feeds;
pub mod field_demonstration;
pub mod flexible_payment_schedule;
pub mod fund_ages;
pub mod gather;
#[cfg(test)]
mod headers;
pub mod monthly_billed_revenue;
pub mod period;
pub mod sales_compensation;
mod transactions;
pub mod uncollected_funds;

pub use gather::{Asks, DailyFacts, Facts};
pub use period::{Period, ReportDay};

use crate::agreement::Agreement;
use crate::catalog::{CatalogHistory, Marketplace};
use crate::ids::AccountId;
use crate::invoicing::payment::Standing;
use crate::rating::Demonstration;
use crate::rejection::Broken;
use crate::rules::OfferIdColumn;
use crate::time::{BillingMonth, Timestamp};

/// What a report is rendered from, and for whom.
pub struct ReportInput<'a> {
    /// The sandbox's published state.
    pub market: &'a Marketplace,
    /// The seller who reads it.
    pub seller: AccountId,
    /// How rows of public offers show the offer.
    pub offer_id_column: OfferIdColumn,
    /// The month; of a daily report, that of the day whose usage it tells.
    pub month: BillingMonth,
    /// The day on which it is made; of a month's report, the one on which the month closes.
    pub day: ReportDay,
    /// When it was published what is.
    pub history: &'a CatalogHistory,
    /// Of feeds with a history, only the records that stand at the end of the month.
    pub current: bool,
    /// The sandbox's time.
    pub now: Timestamp,
    /// The invoices that the report asks for, of every payer, in the order of payer and issue.
    pub invoices: &'a [Standing],
    /// The agreements that it asks for.
    pub agreements: &'a [Agreement],
    /// What was demonstrated, of every payer, in the order of the payers.
    pub demonstrations: &'a [Demonstration],
    /// What daily reports ask for.
    pub daily: &'a DailyFacts,
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
    daily_business::usage::USAGE_BY_INSTANCE_TYPE,
    daily_business::fees::FEES,
    daily_business::trials::FREE_TRIAL_CONVERSIONS,
    daily_business::instances::NEW_INSTANCES,
    daily_business::subscribers::NEW_PRODUCT_SUBSCRIBERS,
    daily_business::subscribers::CANCELED_PRODUCT_SUBSCRIBERS,
    daily_usage::DAILY_USAGE,
    billed_revenue::DASHBOARD,
    feeds::products::PRODUCTS,
    feeds::offers::OFFERS,
    feeds::offers::OFFER_PRODUCTS,
    feeds::offers::OFFER_TARGETS,
    feeds::accounts::ACCOUNTS,
    feeds::agreements::AGREEMENTS,
    feeds::charges::CHARGES,
    disbursed_by_geography::BY_GEOGRAPHY,
    disbursed_by_instance_hours::BY_INSTANCE_HOURS,
    customer_subscribers::HOURLY_MONTHLY,
    customer_subscribers::VARIABLE_LENGTH,
    agreement_details::AGREEMENT_DETAILS,
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
            ("daily_business_usage_by_instance_type", 23),
            ("daily_business_fees", 22),
            ("daily_business_free_trial_conversions", 8),
            ("daily_business_new_instances", 17),
            ("daily_business_new_product_subscribers", 16),
            ("daily_business_canceled_product_subscribers", 18),
            ("daily_usage_v1", 20),
            ("billed_revenue_dashboard", 80),
            ("productfeed_v1", 8),
            ("offerfeed_v1", 12),
            ("offerproductfeed_v1", 7),
            ("offertargetfeed_v1", 10),
            ("accountfeed_v1", 11),
            ("agreementfeed_v1", 20),
            ("agreementchargefeed_v1", 9),
            ("disbursed_amount_by_customer_geo", 13),
            ("disbursed_amount_by_instance_hours", 8),
            ("customer_subscriber_hourly_monthly_subscriptions", 12),
            ("customer_subscriber_annual_subscriptions", 17),
            ("agreement_details", 15),
        ];
        assert_eq!(counts, expected);
    }
}
