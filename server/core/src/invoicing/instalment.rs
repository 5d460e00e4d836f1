//! Instalments of a payment schedule: each is invoiced at its date, one invoice each (B6, F3, F4).

use std::sync::Arc;

use super::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, upfront, wholesale};
use crate::agreement::{Agreement, InstalmentState};
use crate::catalog::Marketplace;
use crate::machine::Event;
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::Timestamp;

/// The instalment of this number comes due: its invoice, and that it was invoiced.
pub fn invoiced(
    market: &Marketplace,
    agreement: &Agreement,
    number: u32,
    invoice_number: u32,
    at: Timestamp,
) -> Result<Vec<Event>, Broken> {
    let invoice = invoice(market, agreement, number, invoice_number, at)?;
    let settled = settled(agreement, number, InstalmentState::Invoiced);
    Ok(vec![settled, Event::InvoiceIssued(Arc::new(invoice))])
}

/// What is still due of an agreement's schedule is never invoiced.
pub fn cancelled(agreement: &Agreement) -> impl Iterator<Item = Event> {
    let pending = agreement.pending_instalments();
    pending.map(|(number, _)| settled(agreement, number, InstalmentState::Cancelled))
}

/// What became of the instalment of this number.
pub fn settled(agreement: &Agreement, number: u32, state: InstalmentState) -> Event {
    Event::InstalmentSettled { payer: agreement.payer, agreement: agreement.id.clone(), number, state }
}

/// The invoice of an instalment: a part of the price of everything that was bought.
pub fn invoice(
    market: &Marketplace,
    agreement: &Agreement,
    number: u32,
    invoice_number: u32,
    issued_at: Timestamp,
) -> Result<Invoice, Broken> {
    let instalment = (number as usize).checked_sub(1).and_then(|index| agreement.instalments.get(index));
    let instalment =
        instalment.ok_or_else(|| Broken(format!("{} has no instalment {number}", agreement.id)))?;
    let purchase = agreement.purchases.iter().find(|purchase| purchase.in_instalments);
    let purchase =
        purchase.ok_or_else(|| Broken(format!("{} has instalments of no purchase", agreement.id)))?;
    let quantity = QuantitySum::whole(1);
    let exact = instalment.amount.times(quantity, purchase.currency);
    let line = InvoiceLine {
        charge_type: ChargeType::of_upfront(purchase.kind),
        seller: agreement.seller,
        buyer: agreement.buyer,
        product: agreement.product.clone(),
        offer: agreement.offer.clone(),
        agreement: agreement.id.clone(),
        dimension: upfront::only_dimension(purchase),
        quantity,
        unit_price: instalment.amount,
        amount: exact.round(),
        start: purchase.start,
        end: purchase.end,
        wholesale: wholesale::of_instalment(agreement, purchase, number),
        explanation: Explanation { exact, segments: Vec::new(), proration: None },
    };
    upfront::invoice_of(market, agreement, InvoiceKind::Instalment, vec![line], invoice_number, issued_at)
}
