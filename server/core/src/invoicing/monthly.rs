//! Monthly fees (P4): of machine images with the month's usage, of containers when a month begins.

use std::collections::BTreeMap;

use super::adjustment::{Adjustment, adjust};
use super::{AdjustmentReason, ChargeType, Explanation, Invoice, InvoiceLine, Proration};
use crate::agreement::acceptance::Refusal;
use crate::agreement::{Agreement, Family, UpfrontPurchase};
use crate::catalog::{Marketplace, Offer, Product, ProductType};
use crate::ids::{AccountId, ProductId};
use crate::machine::Event;
use crate::money::Amount;
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::terms::recurring_payment::{DAYS_OF_A_MONTH, RecurringPayment, days_charged, days_used};
use crate::terms::{RateCard, UpfrontKind};
use crate::time::{BillingMonth, TermDuration, Timestamp};

/// Of a buyer's fees on a product, what a month holds already.
#[derive(Clone, Copy)]
struct Charged {
    /// Up to the end of which day.
    until: Timestamp,
    /// How many days.
    days: u32,
}

/// The fees of a family's month on machine images, in the order of the agreements. Who leaves a product and comes back
/// pays a day once, and a month at most; agreements that last beside each other each have their fee.
pub fn lines(market: &Marketplace, family: &Family, month: BillingMonth) -> Result<Vec<InvoiceLine>, Broken> {
    let mut lines = Vec::new();
    let mut charged: BTreeMap<(AccountId, &ProductId), Charged> = BTreeMap::new();
    for agreement in family.agreements() {
        let begins_later = agreement.start >= month.end();
        if begins_later || agreement.end().is_some_and(|end| end <= month.start().max(agreement.start)) {
            continue;
        }
        let Some(fee) = &market.known_offer(&agreement.offer)?.terms.recurring_payment else { continue };
        let product = market.known_product(&agreement.product)?;
        if product.product_type != ProductType::Ami {
            continue;
        }
        let key = (agreement.buyer, &agreement.product);
        let before = charged.get(&key).filter(|_| !product.concurrent_agreements).copied();
        let end = agreement.end().unwrap_or(Timestamp::MAX).min(month.end());
        let Some(days) = days(agreement.start, end, month, before) else { continue };
        let so_far = before.map_or(0, |before| before.days) + days.unwrap_or(DAYS_OF_A_MONTH);
        charged.insert(key, Charged { until: end.plus_micros(-1).next_midnight(), days: so_far });
        lines.push(line(agreement, fee, month, days));
    }
    Ok(lines)
}

/// The days that a month's fee is charged for, beside those that are charged already; none of them when it is charged
/// whole. Nothing when all are charged already.
fn days(
    start: Timestamp,
    end: Timestamp,
    month: BillingMonth,
    before: Option<Charged>,
) -> Option<Option<u32>> {
    let Some(before) = before else { return Some(days_charged(start, end, month)) };
    let start = start.max(before.until);
    if end <= start {
        return None;
    }
    let days = days_charged(start, end, month).unwrap_or(DAYS_OF_A_MONTH);
    let left = days.min(DAYS_OF_A_MONTH.saturating_sub(before.days));
    (left > 0).then_some(Some(left))
}

fn line(
    agreement: &Agreement,
    fee: &RecurringPayment,
    month: BillingMonth,
    days: Option<u32>,
) -> InvoiceLine {
    let end = agreement.end().unwrap_or(Timestamp::MAX).min(month.end());
    let quantity = QuantitySum::whole(1);
    let explanation = Explanation {
        exact: fee.price.times(quantity, fee.currency),
        segments: Vec::new(),
        proration: days.map(|days| Proration { days, of_days: DAYS_OF_A_MONTH }),
    };
    InvoiceLine {
        charge_type: ChargeType::Monthly,
        seller: agreement.seller,
        buyer: agreement.buyer,
        product: agreement.product.clone(),
        offer: agreement.offer.clone(),
        agreement: agreement.id.clone(),
        dimension: None,
        quantity,
        unit_price: fee.price,
        amount: explanation.amount(),
        start: agreement.start.max(month.start()),
        end,
        wholesale: None,
        explanation,
    }
}

/// The first month of a container's fee: it renews itself.
pub fn first_month(offer: &Offer, product: &Product, number: u32, now: Timestamp) -> Option<UpfrontPurchase> {
    let fee = offer.terms.recurring_payment.as_ref()?;
    let duration = TermDuration::Months(1);
    (product.product_type == ProductType::Container).then(|| UpfrontPurchase {
        number,
        kind: UpfrontKind::Monthly,
        duration,
        quantities: [].into(),
        unit_prices: RateCard::new(),
        fixed_price: Some(fee.price),
        in_instalments: false,
        currency: fee.currency,
        start: now,
        end: duration.after(now),
        auto_renew: true,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    })
}

/// An agreement ends early: what is left of the month that was paid is given back, as a credit memo.
pub fn refund(family: &Family, agreement: &Agreement, now: Timestamp) -> Result<Option<Event>, Refusal> {
    let months = agreement.purchases.iter().rev();
    let Some(month) = months.into_iter().find(|p| p.kind == UpfrontKind::Monthly && now < p.end) else {
        return Ok(None);
    };
    let charges = |invoice: &&std::sync::Arc<Invoice>| {
        let is_charge = |line: &InvoiceLine| {
            line.charge_type == ChargeType::Monthly
                && line.agreement == agreement.id
                && line.start == month.start
        };
        invoice.correction.is_none() && invoice.lines.iter().any(is_charge)
    };
    let Some(invoice) = family.invoices().iter().rev().find(charges) else { return Ok(None) };
    let exact = month.fixed_price.map(|price| price.times(QuantitySum::whole(1), month.currency));
    let Some(exact) = exact else { return Ok(None) };
    let used = exact.part(days_used(month.start, now), DAYS_OF_A_MONTH);
    let unused = exact.round().plus(used.negated());
    // A seller may have given it back before.
    let unused = unused.min(super::adjustment::most(family, invoice, &agreement.id));
    if unused.minor() <= 0 {
        return Ok(None);
    }
    let adjustment = Adjustment {
        invoice: invoice.id.clone(),
        agreement: agreement.id.clone(),
        amount: Amount::of_money(unused),
        reason: AdjustmentReason::Other,
        description: "the unused part of the last month".to_owned(),
        // Longer than any token that a seller may choose.
        client_token: format!(
            "the unused part of the month that was paid last: {}, purchase {}",
            agreement.id, month.number
        ),
    };
    Ok(adjust(family, &adjustment, now)?.event)
}
