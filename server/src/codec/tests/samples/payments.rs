//! Payers by invoice, and what they pay.

use souk_core::catalog::{TaxLiability, TaxRate};
use souk_core::invoicing::Tax;

use super::*;

/// A payer by invoice that has 60 days.
pub fn payer() -> Account {
    Account { net_days: Some(60), ..contracts::payer() }
}

/// An invoice that is due.
pub fn invoice() -> Invoice {
    Invoice { due_at: Some(time("2025-03-16T09:30:00Z")), ..upfront_invoice() }
}

/// A buyer that pays a tax.
pub fn taxed() -> Account {
    let percent = Rate::from_hundredths_of_percent(2_060);
    Account { tax: Some(TaxRate { percent, liable: TaxLiability::Seller }), ..seller() }
}

/// An invoice with a tax that AWS is liable for.
pub fn taxed_invoice() -> Invoice {
    let tax = Tax { liable: TaxLiability::Aws, amount: Money::from_minor(74_191, Currency::Usd) };
    Invoice { revenue: vec![Revenue { tax: Some(tax), ..upfront_revenue() }], ..upfront_invoice() }
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
