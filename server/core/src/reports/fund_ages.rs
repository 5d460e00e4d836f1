//! The disbursement report, sections 4 to 6: how long funds were pending, in the classes of F-20: one row for each currency.

use std::collections::BTreeMap;

use super::{Asks, Report, ReportInput, Row};
use crate::invoicing::payment::{Age, Standing};
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

/// Section 5.
pub const DISBURSED: Report = Report {
    name: "disbursed_amount_by_age_of_disbursed_funds",
    title: "Disbursement, section 5: Age of disbursed funds",
    columns: &[
        "Collected (< 31 days pending)",
        "Collected (31–60 days pending)",
        "Collected (61–90 days pending)",
        "Collected (91–120 days pending)",
        "Collected (> 120 days pending)",
        "Collected (overall)",
    ],
    asks: Asks::InvoicesDisbursedIn,
    rows: disbursed,
};

/// Pending since the invoice date; what was given back of an invoice lowers its funds.
fn uncollected(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    Ok(rows(input, |standing, end| {
        standing.is_uncollected_at(end).then(|| (standing.charged().issued_at, end))
    }))
}

/// Pending since the due date.
fn past_due(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    Ok(rows(input, |standing, end| {
        let due = standing.charged().due_at.filter(|due| *due < end);
        due.filter(|_| standing.is_uncollected_at(end)).map(|due| (due, end))
    }))
}

/// From the invoice date to the collection, of what was paid out in the month.
fn disbursed(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    Ok(rows(input, |standing, _| Some((standing.invoice.issued_at, standing.collected_at?))))
}

/// Since when, and until when, funds were pending at the end of the month; none of what does not count.
type Pending = fn(&Standing, Timestamp) -> Option<(Timestamp, Timestamp)>;

/// What a seller is to get, or got, of invoices, by how long it was pending.
fn rows(input: &ReportInput<'_>, pending: Pending) -> Vec<Row> {
    let mut sums: BTreeMap<Currency, BTreeMap<Age, Money>> = BTreeMap::new();
    for standing in input.invoices {
        let Some((began, ended)) = pending(standing, input.month.end()) else { continue };
        let currency = standing.invoice.currency;
        for revenue in standing.invoice.revenue.iter().filter(|revenue| revenue.seller == input.seller) {
            let of_currency = sums.entry(currency).or_default();
            let sum = of_currency.entry(Age::between(began, ended)).or_insert_with(|| Money::zero(currency));
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
