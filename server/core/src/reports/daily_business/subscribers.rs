//! Sections 5 and 6: who subscribed on the day before, and who cancelled.

use super::super::cells::sorted_by_account;
use super::super::period::Day;
use super::super::{Asks, Report, ReportInput, Row};
use super::{Parties, offer_columns};
use crate::agreement::{Agreement, AgreementStatus, Family};
use crate::catalog::{Marketplace, Side};
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
    /// The side of the seller that is told.
    pub side: Side,
}

/// Who subscribed on a day: what replaces, renews or follows another agreement is no new subscription, unless the product
/// came from another seller before, and is not of this one.
pub fn new(
    market: &Marketplace,
    family: &Family,
    seller: AccountId,
    day: Day,
) -> Result<Vec<Subscriber>, Broken> {
    let mut new = Vec::new();
    for agreement in family.agreements().filter(|agreement| day.contains(agreement.accepted_at)) {
        let Some(side) = Side::of(market, market.known_offer(&agreement.offer)?, seller)? else { continue };
        let makes = market.known_product(&agreement.product)?.seller == seller;
        let before = family.agreements().filter(|a| {
            a.licence == agreement.licence && a.number < agreement.number && (makes || a.seller == seller)
        });
        if before.count() == 0 {
            new.push(Subscriber { since: agreement.start, agreement: agreement.clone(), side });
        }
    }
    Ok(new)
}

/// Who cancelled on a day.
pub fn cancelled(
    market: &Marketplace,
    family: &Family,
    seller: AccountId,
    day: Day,
) -> Result<Vec<Subscriber>, Broken> {
    let mut cancelled = Vec::new();
    let is_cancelled = |agreement: &&Agreement| {
        agreement.status == AgreementStatus::Cancelled
            && agreement.ended_at.is_some_and(|ended| day.contains(ended))
    };
    for agreement in family.agreements().filter(is_cancelled) {
        let Some(side) = Side::of(market, market.known_offer(&agreement.offer)?, seller)? else { continue };
        let first = family.agreement(&agreement.initial_id).unwrap_or(agreement);
        cancelled.push(Subscriber { since: first.start, agreement: agreement.clone(), side });
    }
    Ok(cancelled)
}

fn parties<'a>(input: &ReportInput<'a>, agreement: &Agreement, side: Side) -> Result<Parties<'a>, Broken> {
    let (user, customer) = side.parties(agreement.buyer, agreement.payer);
    Parties::of(input, user, customer, &agreement.product, side)
}

fn section_5(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for Subscriber { agreement, side, .. } in &input.daily.subscribers {
        let parties = parties(input, agreement, *side)?;
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
    for Subscriber { agreement, since, side } in &input.daily.subscribers {
        let parties = parties(input, agreement, *side)?;
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
