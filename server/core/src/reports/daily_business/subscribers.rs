//! Sections 5 and 6: who subscribed on the day before, and who cancelled.

use super::super::cells::sorted_by_account;
use super::super::period::Day;
use super::super::{Asks, Report, ReportInput, Row};
use super::{Parties, offer_columns};
use crate::agreement::{Agreement, AgreementStatus, Family};
use crate::ids::AccountId;
use crate::rejection::Broken;
use crate::time::Timestamp;
use crate::time::timestamp::report_date;

/// Section 5.
pub const NEW_PRODUCT_SUBSCRIBERS: Report = Report {
    name: "daily_business_new_product_subscribers",
    title: "Daily business, section 5: New product subscribers",
    columns: &[
        "Customer Reference ID",
        "User’s State",
        "User’s Country",
        "Product Title",
        "Product Code",
        "Offer ID",
        "Offer Visibility",
        "Customer Country",
        "Customer State",
        "Customer City",
        "Customer Zip Code",
        "Customer Email Domain",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::NewSubscribersOfDay,
    rows: section_5,
};

/// Section 6.
pub const CANCELED_PRODUCT_SUBSCRIBERS: Report = Report {
    name: "daily_business_canceled_product_subscribers",
    title: "Daily business, section 6: Canceled product subscribers",
    columns: &[
        "Customer Reference ID",
        "User’s State",
        "User’s Country",
        "Product Title",
        "Product Code",
        "Subscribed Date",
        "Offer ID",
        "Offer Visibility",
        "Customer AWS Account Number",
        "Customer Country",
        "Customer State",
        "Customer City",
        "Customer Zip Code",
        "Customer Email Domain",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Payer Address ID",
    ],
    asks: Asks::CancelledSubscribersOfDay,
    rows: section_6,
};

/// An agreement of somebody who came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The agreement.
    pub agreement: Agreement,
    /// When its chain began.
    pub since: Timestamp,
}

/// Who subscribed on a day: what replaces, renews or follows another agreement is no new subscription.
pub fn new(family: &Family, seller: AccountId, day: Day) -> Vec<Subscriber> {
    let is_new = |agreement: &&Agreement| {
        agreement.seller == seller
            && agreement.initial_id == agreement.id
            && day.contains(agreement.accepted_at)
    };
    let new = family.agreements().filter(is_new).cloned();
    new.map(|agreement| Subscriber { since: agreement.start, agreement }).collect()
}

/// Who cancelled on a day.
pub fn cancelled(family: &Family, seller: AccountId, day: Day) -> Vec<Subscriber> {
    let is_cancelled = |agreement: &&Agreement| {
        agreement.seller == seller
            && agreement.status == AgreementStatus::Cancelled
            && agreement.ended_at.is_some_and(|ended| day.contains(ended))
    };
    let subscriber = |agreement: &Agreement| {
        let first = family.agreement(&agreement.initial_id).unwrap_or(agreement);
        Subscriber { since: first.start, agreement: agreement.clone() }
    };
    family.agreements().filter(is_cancelled).map(subscriber).collect()
}

fn section_5(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for Subscriber { agreement, .. } in &input.daily.subscribers {
        let parties = Parties::of(input, agreement.buyer, agreement.payer, &agreement.product)?;
        let cells = [
            parties.user_and_product(input.seller),
            offer_columns(input, &agreement.offer)?.to_vec(),
            parties.customer_place(),
            parties.trailer(),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 0))
}

fn section_6(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for Subscriber { agreement, since } in &input.daily.subscribers {
        let parties = Parties::of(input, agreement.buyer, agreement.payer, &agreement.product)?;
        let cells = [
            parties.user_and_product(input.seller),
            vec![report_date(*since)],
            offer_columns(input, &agreement.offer)?.to_vec(),
            parties.customer(),
            parties.trailer(),
        ];
        rows.push(cells.concat());
    }
    Ok(sorted_by_account(rows, 8))
}
