//! Checks the invariants INV-1 to INV-5 and INV-7 of the crate's documentation on a whole state.

use super::Sandbox;
use crate::agreement::{Agreement, Family};
use crate::invoicing::payment::Standing;
use crate::invoicing::{Invoice, InvoiceKind};
use crate::ledger::{self, Entry};
use crate::money::Money;
use crate::rating::rate_month;
use crate::rejection::Broken;

/// Every invariant, or the first that does not hold.
pub fn check(sandbox: &Sandbox) -> Result<(), Broken> {
    for family in sandbox.families().values() {
        one_live_agreement(sandbox, family)?;
        for invoice in family.invoices() {
            sums(invoice)?;
            if !ledger::entries(&Standing::of(family, invoice)).iter().all(Entry::is_balanced) {
                return Err(Broken(format!("INV-7: an entry of {} does not sum to zero", invoice.id)));
            }
        }
        every_hour_is_priced(sandbox, family)?;
        months_in_order(family)?;
    }
    Ok(())
}

/// INV-1.
fn one_live_agreement(sandbox: &Sandbox, family: &Family) -> Result<(), Broken> {
    let live: Vec<_> = family.agreements().filter(|agreement| agreement.is_active()).collect();
    let beside = |one: &Agreement, other: &Agreement| {
        let starts_within = |one: &Agreement, other: &Agreement| other.covers(one.start);
        starts_within(one, other) || starts_within(other, one)
    };
    for (index, one) in live.iter().enumerate() {
        let mut others = live[..index].iter().filter(|o| (o.buyer, &o.product) == (one.buyer, &one.product));
        // A future-dated agreement begins after the end of the other.
        if others.any(|other| beside(one, other)) {
            let concurrent = sandbox.market().known_product(&one.product)?.concurrent_agreements;
            if !concurrent {
                let message = format!("INV-1: {} holds two live agreements on {}", one.buyer, one.product);
                return Err(Broken(message));
            }
        }
    }
    Ok(())
}

/// INV-3 and INV-4.
fn sums(invoice: &Invoice) -> Result<(), Broken> {
    for line in &invoice.lines {
        let exact = line.unit_price.times(line.quantity, invoice.currency);
        if exact != line.explanation.exact || line.explanation.amount() != line.amount {
            return Err(Broken(format!("INV-3: a line of {} is not quantity times price", invoice.id)));
        }
    }
    let revenue = invoice
        .revenue
        .iter()
        .map(|r| r.billed.plus(r.refunded))
        .fold(Money::zero(invoice.currency), Money::plus);
    match revenue == invoice.total() {
        true => Ok(()),
        false => Err(Broken(format!("INV-4: the revenue of {} is not its total", invoice.id))),
    }
}

/// INV-2: rating the open month finds a price for every metered hour.
fn every_hour_is_priced(sandbox: &Sandbox, family: &Family) -> Result<(), Broken> {
    rate_month(sandbox, family, family.open_month).map(|_| ())
}

/// INV-5: usage is invoiced when its month closes, never before, and months close in order.
fn months_in_order(family: &Family) -> Result<(), Broken> {
    let usage: Vec<_> =
        family.invoices().iter().filter(|i| i.kind == InvoiceKind::Usage).map(|i| i.month).collect();
    match usage.is_sorted() && usage.iter().all(|month| *month < family.open_month) {
        true => Ok(()),
        false => Err(Broken(format!(
            "INV-5: usage of {} was invoiced out of order, or before its close",
            family.payer
        ))),
    }
}
