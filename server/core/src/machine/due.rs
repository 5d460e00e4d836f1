//! What becomes due when a clock turns: ends of agreements, renewals, and the close of months, in the order
//! of time, kind and key.

use std::sync::Arc;

use super::{Event, Sandbox};
use crate::agreement::acceptance::Refusal;
use crate::agreement::{Family, lifecycle};
use crate::ids::AccountId;
use crate::invoicing::close_month::usage_invoices_with;
use crate::invoicing::instalment;
use crate::rating::demonstration::demonstrations;
use crate::rating::{MonthSums, expect_cover};
use crate::rejection::Broken;
use crate::time::{BillingMonth, Timestamp};

/// What is due. At the same moment, ends come before renewals, renewals before instalments, and these before the
/// close of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// The agreement of this number reaches its end.
    AgreementEnd(u32),
    /// The purchase of this number renews itself under the agreement of that number.
    AnnualRenewal(u32, u32),
    /// The instalment of this number is invoiced under the agreement of that number.
    Instalment(u32, u32),
    /// The open month closes.
    MonthClose,
}

/// A piece of work and its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// When it is due.
    pub at: Timestamp,
    /// What is due.
    pub work: Work,
}

/// What is due next in a family. A family that ever had an agreement closes its months for good: their
/// usage may come late in the month after its agreement ended.
pub fn next(family: &Family) -> Option<Item> {
    let ends = family.agreements().filter_map(|agreement| {
        lifecycle::end_due(agreement).map(|at| Item { at, work: Work::AgreementEnd(agreement.number) })
    });
    let renewals = family.agreements().flat_map(|agreement| {
        let due = lifecycle::renewals_due(agreement);
        due.map(|(at, purchase)| Item { at, work: Work::AnnualRenewal(agreement.number, purchase) })
    });
    let instalments = family.agreements().flat_map(|agreement| {
        let pending = agreement.pending_instalments();
        pending.map(|(number, i)| Item { at: i.due, work: Work::Instalment(agreement.number, number) })
    });
    let close = Item { at: family.open_month.invoiced_at(), work: Work::MonthClose };
    ends.chain(renewals).chain(instalments).chain([close]).min()
}

/// Does the first piece of work that is due in a family at or before `now`; answers its events, which are
/// applied already. No events: nothing is due.
pub fn run_first(sandbox: &mut Sandbox, payer: AccountId, now: Timestamp) -> Result<Vec<Event>, Broken> {
    let Some(family) = sandbox.family(payer) else { return Ok(Vec::new()) };
    let Some(item) = next(family).filter(|item| item.at <= now) else { return Ok(Vec::new()) };
    let mut closing = sandbox.take_closing();
    let decided = match sandbox.family(payer) {
        Some(family) => decide(sandbox, family, item, now, &mut closing),
        None => Ok(Vec::new()),
    };
    sandbox.keep_closing(closing);
    let events = decided.map_err(|refusal| match refusal {
        Refusal::Broken(broken) => broken,
        Refusal::Rejected(rejection) => Broken(format!("{item:?} of {payer} was refused: {rejection}")),
    })?;
    for event in &events {
        sandbox.apply(event);
    }
    Ok(events)
}

fn decide(
    sandbox: &Sandbox,
    family: &Family,
    item: Item,
    now: Timestamp,
    closing: &mut Option<MonthSums>,
) -> Result<Vec<Event>, Refusal> {
    let market = sandbox.market();
    let agreement = |number| {
        let found = family.agreements().find(|a| a.number == number);
        found.ok_or_else(|| Broken(format!("family {} has no agreement number {number}", family.payer)))
    };
    match item.work {
        Work::AgreementEnd(number) => lifecycle::end(market, family, agreement(number)?, item.at),
        Work::AnnualRenewal(number, purchase) => {
            lifecycle::renew_annual(market, family, agreement(number)?, purchase, item.at)
        }
        Work::Instalment(number, instalment) => {
            let invoice_number = family.next_invoice_number();
            Ok(instalment::invoiced(market, agreement(number)?, instalment, invoice_number, item.at)?)
        }
        Work::MonthClose => {
            let month = family.open_month;
            let sums = match closing.take().filter(|sums| sums.month() == month) {
                Some(sums) => sums,
                None => closing_sums(sandbox, month, now)?,
            };
            let sums = closing.insert(sums);
            let invoices = usage_invoices_with(sandbox, family, sums)?;
            let payer = family.payer;
            let shown = demonstrations(sandbox, family, sums)?.into_iter();
            let shown = shown.map(|demonstration| Event::Demonstrated { payer, demonstration });
            let issued = invoices.into_iter().map(|invoice| Event::InvoiceIssued(Arc::new(invoice)));
            let closed = Event::MonthClosed { payer: family.payer, month };
            Ok(issued.chain(shown).chain([closed]).collect())
        }
    }
}

/// Sums of a month that closes, and the covers of the families whose turn it is by `now`.
fn closing_sums(sandbox: &Sandbox, month: BillingMonth, now: Timestamp) -> Result<MonthSums, Broken> {
    let mut sums = MonthSums::of_all(month);
    for family in sandbox.all_due(now).filter(|family| family.open_month == month) {
        expect_cover(sandbox, family, &mut sums)?;
    }
    Ok(sums)
}
