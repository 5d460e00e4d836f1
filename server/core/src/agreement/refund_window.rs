//! Refund windows: what was bought upfront on a public offer comes back whole within 48 hours, when its buyer asks (I3);
//! of an annual subscription its seller may give back the days that are left within 14 days, and take fewer units
//! within 30 (I4). Of private offers their sellers decide alone.

use super::acceptance::{self, Refusal, check_active};
use super::{Agreement, Family, Origin, UpfrontPurchase};
use crate::catalog::{Marketplace, Offer};
use crate::ids::InvoiceId;
use crate::invoicing::adjustment::{Adjustment, adjust, most};
use crate::invoicing::{AdjustmentReason, Invoice, InvoiceKind};
use crate::machine::Event;
use crate::money::{Amount, Money};
use crate::rejection::{Code, Rejection};
use crate::terms::UpfrontKind;
use crate::time::{Timestamp, days_until};

const HOURS_48: i64 = 48 * 3_600 * 1_000_000;
/// What one credit memo gives back at most, in whole units of its currency: a line's price is below 1,000,000,000.
const LARGEST: i128 = 999_999_999;
const PRO_RATA_DAYS: u32 = 14;
const DOWNGRADE_DAYS: u32 = 30;
/// After a renewal that nobody asked for, everything comes back for longer.
const RENEWED_DAYS: u32 = 14;

/// Until when money of a purchase comes back; each moment is the last one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundWindows {
    /// All of it, when the buyer asks.
    pub full: Timestamp,
    /// Of an annual subscription: the days that are left, if the seller agrees.
    pub pro_rata: Option<Timestamp>,
    /// Of an annual subscription: units that are given up, if the seller agrees.
    pub downgrade: Option<Timestamp>,
}

impl RefundWindows {
    /// The windows of a purchase under an agreement; none where its seller decides alone, or nothing was paid.
    pub fn of(agreement: &Agreement, purchase: &UpfrontPurchase, offer: &Offer) -> Option<RefundWindows> {
        let sold = purchase.kind != UpfrontKind::Monthly && !purchase.is_trial(offer);
        if offer.is_private() || !sold {
            return None;
        }
        // An amendment opens no window: that of what was first bought counts.
        let first = agreement.first_of(purchase);
        let bought = agreement.bought_at(first);
        let full = match is_renewed(agreement, first) {
            true => bought.plus_days(RENEWED_DAYS),
            false => bought.plus_micros(HOURS_48),
        };
        let annual = |days| (purchase.kind == UpfrontKind::Annual).then(|| bought.plus_days(days));
        Some(RefundWindows { full, pro_rata: annual(PRO_RATA_DAYS), downgrade: annual(DOWNGRADE_DAYS) })
    }
}

/// Whether a purchase came by renewing itself: a contract's agreement says so; an annual subscription begins where the
/// same one ended.
fn is_renewed(agreement: &Agreement, purchase: &UpfrontPurchase) -> bool {
    if purchase.kind == UpfrontKind::Contract {
        return agreement.origin == Origin::Renewed;
    }
    agreement.purchases.iter().any(|old| {
        old.kind == purchase.kind
            && old.number < purchase.number
            && old.until() == purchase.start
            && old.ended_early_at.is_none()
            && old.quantities == purchase.quantities
    })
}

/// The buyer gives a purchase back: all that was charged of it comes back, and it ends now; with a contract, its
/// agreement does.
pub fn refund_purchase(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    number: Option<u32>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    check_active(agreement)?;
    let purchase = agreement.live_purchase(number, now)?;
    let offer = market.known_offer(&agreement.offer)?;
    let refuse = |message: String| Rejection::new(Code::RefundNotAllowed, "agreementId", message);
    let Some(windows) = RefundWindows::of(agreement, purchase, offer) else {
        return Err(refuse(match offer.is_private() {
            true => format!(
                "{} was bought on the private offer {}: what comes back of it its seller decides (I3), by an adjustment \
                 of the invoice",
                purchase_name(agreement, purchase),
                offer.id
            ),
            false => format!("{} is a trial: nothing was paid", purchase_name(agreement, purchase)),
        })
        .into());
    };
    if windows.full < now {
        return Err(refuse(too_late(agreement, purchase, windows, now)).into());
    }
    let mut events = Vec::new();
    // Each credit memo is numbered after the one before.
    let mut family = family.clone();
    for invoice in invoices_of(&family, agreement, purchase) {
        let Some(invoice) = family.invoice(&invoice) else { continue };
        let invoice = invoice.clone();
        // Its seller may have given back a part before. More than one credit memo can say comes back in several.
        for number in 1.. {
            let left = most(&family, &invoice, &agreement.id);
            let part = left.min(Money::from_minor(LARGEST * smallest_units(left), left.currency()));
            if part.minor() <= 0 {
                break;
            }
            let asked = adjustment(&invoice, agreement, purchase, part, number);
            let memo = adjust(&family, &asked, now)?.event;
            if let Some(Event::InvoiceIssued(memo)) = &memo {
                family.add_invoice(memo.clone());
            }
            events.extend(memo);
        }
    }
    match purchase.kind {
        UpfrontKind::Contract => events.extend(acceptance::cancel(&family, agreement, now)?),
        UpfrontKind::Annual | UpfrontKind::Monthly => events.push(Event::UpfrontRefunded {
            payer: agreement.payer,
            agreement: agreement.id.clone(),
            number: purchase.number,
            at: now,
        }),
    }
    Ok(events)
}

fn adjustment(
    invoice: &Invoice,
    agreement: &Agreement,
    purchase: &UpfrontPurchase,
    amount: Money,
    number: u32,
) -> Adjustment {
    Adjustment {
        invoice: invoice.id.clone(),
        agreement: agreement.id.clone(),
        amount: Amount::of_money(amount),
        reason: AdjustmentReason::Other,
        description: format!("given back by the buyer: {}", purchase_name(agreement, purchase)),
        // Longer than any token that a seller may choose.
        client_token: format!(
            "everything that was charged came back within the refund window: {}, purchase {}, {}, part {number}",
            agreement.id, purchase.number, invoice.id
        ),
    }
}

/// The smallest units that one unit of a currency has.
fn smallest_units(money: Money) -> i128 {
    10_i128.pow(money.currency().minor_digits())
}

fn purchase_name(agreement: &Agreement, purchase: &UpfrontPurchase) -> String {
    format!("purchase {} of {}", purchase.number, agreement.id)
}

fn too_late(
    agreement: &Agreement,
    purchase: &UpfrontPurchase,
    windows: RefundWindows,
    now: Timestamp,
) -> String {
    let mut message = format!(
        "{} came back whole until {} (I3); it is {now}",
        purchase_name(agreement, purchase),
        windows.full
    );
    let start = agreement.term_start(purchase);
    let (days, of_days) = (days_until(now, purchase.end), days_until(start, purchase.end));
    // The price of everything that it holds now, for the whole term.
    let whole = UpfrontPurchase { added_value: None, ..purchase.clone() };
    if let (Some(until), Ok(paid)) = (windows.pro_rata.filter(|until| now <= *until), whole.value()) {
        let left: Money = paid.part(i128::from(days), i128::from(of_days.max(1)));
        message += &format!(
            "; until {until} its seller may give back the {days} days of {of_days} that are left, {left} {} (I4), by an \
             adjustment of the invoice",
            paid.currency()
        );
    } else if let Some(until) = windows.downgrade.filter(|until| now <= *until) {
        message += &format!("; until {until} its seller may give back units (I4), by an adjustment");
    } else {
        message += "; after that its seller decides, by an adjustment of the invoice";
    }
    message
}

/// The invoices of a purchase and of those that it amends. Each upfront purchase has its own (F4).
fn invoices_of(family: &Family, agreement: &Agreement, purchase: &UpfrontPurchase) -> Vec<InvoiceId> {
    let mut numbers = vec![purchase.number];
    let mut amends = purchase.amends;
    while let Some(number) = amends {
        numbers.push(number);
        amends = agreement.purchases.iter().find(|old| old.number == number).and_then(|old| old.amends);
    }
    // Purchases and their invoices come in the same order.
    let upfront = family.invoices().iter().filter(|invoice| {
        invoice.kind == InvoiceKind::Upfront
            && invoice.lines.first().is_some_and(|line| line.agreement == agreement.id)
    });
    let invoiced = agreement.purchases.iter().filter(|bought| !bought.in_instalments);
    let of_purchase = invoiced.zip(upfront).filter(|(bought, _)| numbers.contains(&bought.number));
    of_purchase.map(|(_, invoice)| invoice.id.clone()).collect()
}

impl Family {
    /// Ends a purchase that was given back.
    pub fn refund_purchase(&mut self, id: &crate::ids::AgreementId, number: u32, at: Timestamp) {
        if let Some(agreement) = self.agreement_mut(id) {
            for purchase in agreement.purchases.iter_mut().filter(|purchase| purchase.number == number) {
                purchase.ended_early_at = Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests;
