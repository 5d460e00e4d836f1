//! The disbursement report, sections 4 and 6: how long what is invoiced and not collected at the end of the month has been
//! pending, in the classes of F-20: one row for each currency.

use std::collections::BTreeMap;

use super::{Asks, Report, ReportInput, Row};
use crate::invoicing::Invoice;
use crate::invoicing::payment::Age;
use crate::money::{Currency, Money};
use crate::rejection::Broken;
use crate::time::Timestamp;

/// Section 4.
pub const UNCOLLECTED: Report = Report {
    name: "disbursed_amount_by_age_of_uncollected_funds",
    title: "Disbursement, section 4: Age of uncollected funds",
    columns: &[
        "Uncollected (< 31 days pending)",
        "Uncollected (31–60 days pending)",
        "Uncollected (61–90 days pending)",
        "Uncollected (91–120 days pending)",
        "Uncollected (> 120 days pending)",
        "Uncollected (overall)",
    ],
    asks: Asks::InvoicesIssuedBy,
    rows: uncollected,
};

/// Section 6.
pub const PAST_DUE: Report = Report {
    name: "disbursed_amount_by_age_of_past_due_funds",
    title: "Disbursement, section 6: Age of past due funds",
    columns: &[
        "Past Due (< 31 days)",
        "Past Due (31–60 days)",
        "Past Due (61–90 days)",
        "Past Due (91–120 days)",
        "Past Due (> 120 days)",
        "Past Due (overall)",
    ],
    asks: Asks::InvoicesIssuedBy,
    rows: past_due,
};

/// Pending since the invoice date.
fn uncollected(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    Ok(ages(input, |invoice| Some(invoice.issued_at)))
}

/// Pending since the due date.
fn past_due(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    Ok(ages(input, |invoice| invoice.due_at))
}

/// What a seller is to get of invoices that are not collected, by how long it is since `began`.
fn ages(input: &ReportInput<'_>, began: fn(&Invoice) -> Option<Timestamp>) -> Vec<Row> {
    let end = input.month.end();
    let mut sums: BTreeMap<Currency, BTreeMap<Age, Money>> = BTreeMap::new();
    for standing in input.invoices.iter().filter(|standing| standing.is_uncollected_at(end)) {
        let Some(began) = began(&standing.invoice).filter(|began| *began < end) else { continue };
        let currency = standing.invoice.currency;
        for revenue in standing.invoice.revenue.iter().filter(|revenue| revenue.seller == input.seller) {
            let of_currency = sums.entry(currency).or_default();
            let sum = of_currency.entry(Age::between(began, end)).or_insert(Money::zero(currency));
            *sum = sum.plus(revenue.net());
        }
    }
    let row = |(currency, sums): (Currency, BTreeMap<Age, Money>)| {
        let zero = Money::zero(currency);
        let classes = Age::ALL.map(|age| sums.get(&age).copied().unwrap_or(zero));
        let overall = classes.into_iter().fold(zero, Money::plus);
        classes.into_iter().chain([overall]).map(|sum| sum.to_string()).collect()
    };
    sums.into_iter().map(row).collect()
}
