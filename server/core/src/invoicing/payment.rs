//! Payment: what is charged to a card is collected when it is invoiced; what is paid by invoice is due after the payer's
//! days, and is paid whole: its total with taxes, less what was given back of it before.

use std::sync::Arc;

use super::{Invoice, InvoiceKind};
use crate::agreement::Family;
use crate::ids::InvoiceId;
use crate::machine::Event;
use crate::money::Money;
use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;
use crate::time::days::days_until;

/// Days after which payment terms are told without a number.
const LONGEST_NAMED: u32 = 180;

/// What was paid of an invoice, by invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
}

/// An invoice, and whether its payer has paid it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The invoice.
    pub invoice: Arc<Invoice>,
    /// Of a credit memo, the invoice that it corrects: its funds are as old as those.
    pub corrects: Option<Arc<Invoice>>,
    /// When it was collected; none while it is not. A credit memo is with what it corrects, or when it is issued.
    pub collected_at: Option<Timestamp>,
    /// What is left to pay.
    pub uncollected: Money,
}

impl Standing {
    /// How an invoice of a family stands.
    pub fn of(family: &Family, invoice: &Arc<Invoice>) -> Standing {
        let collected_at = collected_at(family, invoice);
        let uncollected = match collected_at {
            None => left(family, invoice),
            Some(_) => Money::zero(invoice.currency),
        };
        let corrects = invoice.correction.as_ref().and_then(|c| family.invoice(&c.invoice)).cloned();
        Standing { invoice: invoice.clone(), corrects, collected_at, uncollected }
    }

    /// How an invoice stands when it is issued.
    pub fn as_issued(invoice: Arc<Invoice>) -> Standing {
        let (collected_at, uncollected) = match invoice.due_at {
            None => (Some(invoice.issued_at), Money::zero(invoice.currency)),
            Some(_) => (None, invoice.total_with_tax()),
        };
        Standing { invoice, corrects: None, collected_at, uncollected }
    }

    /// The invoice that its funds are of: itself, or what it corrects.
    pub fn charged(&self) -> &Invoice {
        self.corrects.as_ref().unwrap_or(&self.invoice)
    }

    /// Whether it was invoiced by a moment, and not collected by then.
    pub fn is_uncollected_at(&self, moment: Timestamp) -> bool {
        self.invoice.issued_at < moment && self.collected_at.is_none_or(|collected| moment <= collected)
    }
}

/// When an invoice was collected, if it was.
pub fn collected_at(family: &Family, invoice: &Invoice) -> Option<Timestamp> {
    let corrected = invoice.correction.as_ref().and_then(|correction| family.invoice(&correction.invoice));
    if let Some(corrected) = corrected {
        return collected_at(family, corrected).map(|collected| collected.max(invoice.issued_at));
    }
    match invoice.due_at {
        None => Some(invoice.issued_at),
        Some(_) => family.payment(&invoice.id).map(|payment| payment.at),
    }
}

/// What an invoice leaves to pay before anything is paid of it.
fn left(family: &Family, invoice: &Invoice) -> Money {
    if invoice.kind == InvoiceKind::CreditMemo {
        return Money::zero(invoice.currency);
    }
    let is_of = |memo: &&Arc<Invoice>| memo.correction.as_ref().is_some_and(|c| c.invoice == invoice.id);
    let memos = family.invoices().iter().filter(is_of).map(|memo| memo.total_with_tax());
    memos.fold(invoice.total_with_tax(), Money::plus)
}

/// Pays an invoice of a family.
pub fn pay(family: &Family, id: &InvoiceId, now: Timestamp) -> Result<Event, Rejection> {
    let refuse = |code, message| Err(Rejection::new(code, "invoiceId", message));
    let Some(invoice) = family.invoice(id) else {
        return refuse(Code::InvoiceUnknown, format!("there is no invoice {id}: list the payer's invoices"));
    };
    if invoice.kind == InvoiceKind::CreditMemo {
        return refuse(Code::InvoiceNotPayable, format!("{id} is a credit memo: nothing is paid of it"));
    }
    if let Some(at) = collected_at(family, invoice) {
        let how = if invoice.due_at.is_none() { "charged to a card" } else { "paid" };
        return refuse(Code::InvoicePaid, format!("{id} was {how} at {at}: it is paid once"));
    }
    Ok(Event::InvoicePaid {
        payer: family.payer,
        invoice: id.clone(),
        amount: left(family, invoice),
        at: now,
    })
}

impl Invoice {
    /// How long its payer has, as AWS's billed revenue report says it (F-17); none of what is charged to a card.
    pub fn payment_terms(&self) -> Option<String> {
        self.due_at.map(|due| match days_until(self.issued_at, due) {
            days if days > LONGEST_NAMED => format!("Net {LONGEST_NAMED}+ days"),
            days => format!("Net {days} days"),
        })
    }
}

/// How long funds have been pending, in the classes of the disbursement report (F-20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// Less than 31 days.
    UpTo30,
    /// 31 to 60 days.
    UpTo60,
    /// 61 to 90 days.
    UpTo90,
    /// 91 to 120 days.
    UpTo120,
    /// More than 120 days.
    Older,
}

impl Age {
    /// Every class, the youngest first.
    pub const ALL: [Age; 5] = [Age::UpTo30, Age::UpTo60, Age::UpTo90, Age::UpTo120, Age::Older];

    /// The class of so many whole days.
    pub fn of_days(days: u32) -> Age {
        match days {
            0..=30 => Age::UpTo30,
            31..=60 => Age::UpTo60,
            61..=90 => Age::UpTo90,
            91..=120 => Age::UpTo120,
            _ => Age::Older,
        }
    }

    /// The class of what lies between two moments, day by day.
    pub fn between(from: Timestamp, until: Timestamp) -> Age {
        Age::of_days(days_until(from, until))
    }
}

#[cfg(test)]
mod tests;
