//! The customer subscriber report: who is subscribed at the end of the day before. One file has what is paid by the hour
//! or month, the other what was bought for a time.

use std::collections::BTreeMap;

use super::cells::{payer_reference, reseller, side, sorted_by_account};
use super::daily_business::offer_columns;
use super::{Asks, Report, ReportInput, Row};
use crate::agreement::{Agreement, Origin, UpfrontPurchase};
use crate::catalog::{Product, Side};
use crate::ids::{LicenseArn, OfferId, opaque};
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::time::timestamp::report_date;

/// By the hour or month.
pub const HOURLY_MONTHLY: Report = Report {
    name: "customer_subscriber_hourly_monthly_subscriptions",
    title: "Customer subscriber, section 1: Hourly and monthly subscriptions",
    columns: &[
        "Customer AWS Account Number",
        "Product Title",
        "Product Id",
        "Product Code",
        "Subscription Start Date",
        "Offer ID",
        "Offer Visibility",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Reseller account ID",
        "Reseller account name",
    ],
    asks: Asks::AgreementsByDay,
    rows: hourly_monthly,
};

/// For a time.
pub const VARIABLE_LENGTH: Report = Report {
    name: "customer_subscriber_annual_subscriptions",
    title: "Customer subscriber, section 2: Variable length subscriptions",
    columns: &[
        "Customer AWS Account Number",
        "Product Title",
        "Product Id",
        "Product Code",
        "Subscription Id",
        "Subscription Quantity",
        "Subscription Type",
        "Subscription Intent",
        "Offer ID",
        "Subscription Start Date",
        "Previous Offer ID",
        "Offer Visibility",
        "Solution Title",
        "Solution ID",
        "Payer Reference ID",
        "Reseller account ID",
        "Reseller account name",
    ],
    asks: Asks::AgreementsByDay,
    rows: variable_length,
};

fn hourly_monthly(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for agreement in input.agreements {
        let terms = &input.market.known_offer(&agreement.offer)?.terms;
        let is_such =
            terms.usage_based.is_some() || terms.recurring_payment.is_some() || terms.byol.is_some();
        if !is_such || !is_live(input, agreement) {
            continue;
        }
        let side = side(input, &agreement.offer)?;
        let mut row = subscriber(agreement, input.market.known_product(&agreement.product)?, side);
        row.push(report_date(agreement.start));
        row.extend(offer_columns(input, &agreement.offer)?);
        row.extend(trailer(input, agreement, side)?);
        rows.push(row);
    }
    Ok(sorted_by_account(rows, 0))
}

/// One row for each dimension of what is in force.
fn variable_length(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut chains: BTreeMap<&LicenseArn, BTreeMap<u32, &OfferId>> = BTreeMap::new();
    for agreement in input.agreements {
        chains.entry(&agreement.licence).or_default().insert(agreement.number, &agreement.offer);
    }
    let end = input.day.usage().end;
    let mut rows = Vec::new();
    for agreement in input.agreements.iter().filter(|agreement| is_live(input, agreement)) {
        let product = input.market.known_product(&agreement.product)?;
        let side = side(input, &agreement.offer)?;
        let before =
            chains.get(&agreement.licence).and_then(|chain| chain.range(..agreement.number).next_back());
        let before = before.map(|(_, offer)| *offer);
        let in_force =
            |p: &&UpfrontPurchase| p.kind != UpfrontKind::Monthly && p.start < end && end <= p.until();
        for purchase in agreement.purchases.iter().filter(in_force) {
            for (key, units) in &purchase.quantities {
                let number = purchase.number.to_string();
                let id = opaque("subscription", &[agreement.id.as_str(), &number, key.as_str()]);
                let mut row = subscriber(agreement, product, side);
                let [offer, visibility] = offer_columns(input, &agreement.offer)?;
                let intent = intent(agreement, purchase, before.is_some());
                row.extend([id, units.to_string(), kind(purchase.kind).to_owned(), intent.to_owned(), offer]);
                row.push(report_date(purchase.start));
                row.extend([before.map_or_else(String::new, ToString::to_string), visibility]);
                row.extend(trailer(input, agreement, side)?);
                rows.push(row);
            }
        }
    }
    Ok(sorted_by_account(rows, 0))
}

/// Whether an agreement lasts to the end of the day before.
fn is_live(input: &ReportInput<'_>, agreement: &Agreement) -> bool {
    let end = input.day.usage().end;
    agreement.start < end && agreement.end().is_none_or(|ended| end <= ended)
}

fn subscriber(agreement: &Agreement, product: &Product, side: Side) -> Row {
    let (customer, _) = side.parties(agreement.buyer, agreement.payer);
    vec![customer.to_string(), product.title.clone(), product.id.to_string(), product.code.to_string()]
}

/// Solution, payer, reseller.
fn trailer(input: &ReportInput<'_>, agreement: &Agreement, side: Side) -> Result<[String; 5], Broken> {
    let (_, payer) = side.parties(agreement.buyer, agreement.payer);
    let [name, id] = reseller(input, &agreement.offer)?;
    Ok([String::new(), String::new(), payer_reference(payer), id, name])
}

fn kind(kind: UpfrontKind) -> &'static str {
    match kind {
        UpfrontKind::Annual => "Annual",
        UpfrontKind::Contract => "Contract",
        UpfrontKind::Monthly => "Monthly",
    }
}

/// How a purchase came about: what renews itself, what takes the place of something else, or something new.
fn intent(agreement: &Agreement, purchase: &UpfrontPurchase, has_predecessor: bool) -> &'static str {
    let renews = |old: &UpfrontPurchase| {
        old.number < purchase.number && old.kind == purchase.kind && old.end == purchase.start
    };
    let is_first = purchase.start == agreement.start;
    match agreement.origin {
        _ if purchase.amends.is_some() => "Upgrade",
        Origin::Renewed if is_first => "Auto-renew",
        _ if agreement.purchases.iter().any(renews) => "Auto-renew",
        _ if is_first && has_predecessor => "Upgrade",
        _ => "New",
    }
}
