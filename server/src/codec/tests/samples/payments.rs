//! Payers by invoice, and what they pay.

use super::*;

/// A payer by invoice that has 60 days.
pub fn payer() -> Account {
    Account { net_days: Some(60), ..contracts::payer() }
}

/// An invoice that is due.
pub fn invoice() -> Invoice {
    Invoice { due_at: Some(time("2025-03-16T09:30:00Z")), ..upfront_invoice() }
}

/// It is paid.
pub fn paid() -> Event {
    Event::InvoicePaid {
        payer: account(1),
        invoice: invoice().id,
        amount: Money::from_minor(360_150, Currency::Usd),
        at: time("2025-03-10T12:00:00Z"),
    }
}
