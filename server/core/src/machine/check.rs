//! Checks the invariants INV-1 to INV-5, INV-7 and INV-8 of the crate's documentation on a whole state.

use super::Sandbox;
use crate::agreement::{Agreement, Family};
use crate::invoicing::payment::Standing;
use crate::invoicing::{Invoice, InvoiceKind, Revenue};
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

/// INV-3, INV-4 and INV-8.
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
        .filter(|r| !r.is_manufacturers())
        .map(|r| r.billed.plus(r.refunded))
        .fold(Money::zero(invoice.currency), Money::plus);
    let owed = |pair: &[Revenue]| match pair {
        [reseller, behind] => {
            !behind.is_manufacturers()
                || reseller.costs().map(Money::negated) == [behind.billed, behind.refunded]
        }
        _ => true,
    };
    let zero = Money::zero(invoice.currency);
    let behind = invoice.revenue.iter().filter(|r| r.is_manufacturers());
    let behind = behind.map(|r| r.billed.plus(r.refunded)).fold(zero, Money::plus);
    let wholesale = invoice.lines.iter().filter_map(|line| line.wholesale).fold(zero, Money::plus);
    if behind != wholesale || !invoice.revenue.windows(2).all(owed) {
        return Err(Broken(format!("INV-8: the wholesale of {} is not what is owed of it", invoice.id)));
    }
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
