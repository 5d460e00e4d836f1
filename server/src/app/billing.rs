//! Invoices and their reasons.

use std::sync::Arc;

use souk_core::agreement::Family;
use souk_core::agreement::acceptance::Refusal;
use souk_core::ids::{AccountId, InvoiceId, SandboxName};
use souk_core::invoicing::adjustment::{Adjustment, adjust};
use souk_core::invoicing::close_month::usage_invoices;
use souk_core::invoicing::{ChargeType, Invoice, InvoiceLine};
use souk_core::machine::Event;
use souk_core::rating::{Demonstration, ExplainedHour, explain_line};
use souk_core::rejection::{Broken, Code, Rejection};
use souk_core::time::BillingMonth;

use super::Souk;
use crate::error::AppError;

impl Souk {
    /// Invoices by payer and issue, of one payer or all, of one month or all.
    pub async fn invoices(
        &self,
        name: &SandboxName,
        payer: Option<AccountId>,
        month: Option<BillingMonth>,
    ) -> Result<Vec<Arc<Invoice>>, AppError> {
        let market = self.market(name)?;
        if let Some(payer) = payer {
            market.account(payer, "payerAccountId")?;
        }
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, _) = turn.at_its_time(&target)?;
                let families = sandbox.families().values();
                let of_payer = families.filter(|family| payer.is_none_or(|payer| family.payer == payer));
                let all = of_payer.flat_map(|family| family.invoices());
                Ok(all.filter(|i| month.is_none_or(|month| i.month == month)).cloned().collect::<Vec<_>>())
            })
            .await?;
        let mut invoices: Vec<_> = parts.into_iter().flatten().collect();
        // Stable: a payer's invoices keep the order of their issue.
        invoices.sort_by_key(|invoice| invoice.payer);
        Ok(invoices)
    }

    /// What was demonstrated in a closed month, in the order of the payers.
    pub async fn demonstrations(
        &self,
        name: &SandboxName,
        month: BillingMonth,
    ) -> Result<Vec<Demonstration>, AppError> {
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, _) = turn.at_its_time(&target)?;
                let all = sandbox.families().values();
                let shown =
                    all.flat_map(|family| family.demonstrations.iter().map(|shown| (family.payer, shown)));
                let of_month = shown.filter(|(_, shown)| shown.month == month);
                Ok(of_month.map(|(payer, shown)| (payer, shown.clone())).collect::<Vec<_>>())
            })
            .await?;
        let mut shown: Vec<_> = parts.into_iter().flatten().collect();
        shown.sort_by_key(|(payer, _)| *payer);
        Ok(shown.into_iter().map(|(_, shown)| shown).collect())
    }

    /// One invoice.
    pub async fn invoice(&self, name: &SandboxName, id: InvoiceId) -> Result<Arc<Invoice>, AppError> {
        self.market(name)?;
        let payer = id.payer().ok_or_else(|| unknown(name, &id))?;
        let target = name.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let (sandbox, _) = turn.at_its_time(&target)?;
            let found = sandbox.family(payer).and_then(|family| family.invoice(&id)).cloned();
            Ok(found.ok_or_else(|| unknown(&target, &id))?)
        };
        self.partition(name, payer)?.run(job).await
    }

    /// A seller gives back what invoices of one payer charged: every adjustment is made, or none. Answers the credit
    /// memos.
    pub async fn adjust(
        &self,
        name: &SandboxName,
        adjustments: Vec<Adjustment>,
    ) -> Result<Vec<Arc<Invoice>>, AppError> {
        self.market(name)?;
        let payer_of = |adjustment: &Adjustment| {
            adjustment.invoice.payer().ok_or_else(|| unknown(name, &adjustment.invoice))
        };
        let within = |index: usize| move |r: Rejection| r.within(&format!("adjustments[{index}]"));
        let mut payer = None;
        for (index, adjustment) in adjustments.iter().enumerate() {
            let of = payer_of(adjustment).map_err(within(index))?;
            if payer.is_some_and(|payer| payer != of) {
                let message = format!("{} is of another payer: send it by itself", adjustment.invoice);
                let refused = Rejection::new(Code::FieldInvalid, "originalInvoiceId", message);
                return Err(within(index)(refused).into());
            }
            payer = Some(of);
        }
        let Some(payer) = payer else { return Ok(Vec::new()) };
        let target = name.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            // Each sees the credit memos of those before it; a payer without agreements has no invoices.
            let nobody = || Family::new(payer, BillingMonth::containing(now));
            let mut family = sandbox.family(payer).cloned().unwrap_or_else(nobody);
            let (mut events, mut memos) = (Vec::new(), Vec::new());
            for (index, adjustment) in adjustments.iter().enumerate() {
                let adjusted = adjust(&family, adjustment, now).map_err(|refusal| match refusal {
                    Refusal::Rejected(rejection) => Refusal::Rejected(within(index)(rejection)),
                    broken @ Refusal::Broken(_) => broken,
                })?;
                if let Some(Event::InvoiceIssued(memo)) = &adjusted.event {
                    family.add_invoice(memo.clone());
                }
                let memo = family.invoice(&adjusted.credit_memo).cloned();
                memos.push(memo.ok_or_else(|| Broken("a credit memo is gone".to_owned()))?);
                events.extend(adjusted.event);
            }
            turn.apply(&target, events)?;
            Ok(memos)
        };
        self.partition(name, payer)?.run(job).await
    }

    /// A line of an invoice, and the hours it is made of.
    pub async fn explain(
        &self,
        name: &SandboxName,
        id: InvoiceId,
        line_number: u32,
    ) -> Result<(InvoiceLine, Vec<ExplainedHour>), AppError> {
        let invoice = self.invoice(name, id).await?;
        let line = line_number.checked_sub(1).and_then(|index| invoice.lines.get(index as usize)).cloned();
        let line = line.ok_or_else(|| {
            let message = format!("invoice {} has lines 1 to {}", invoice.id, invoice.lines.len());
            Rejection::new(Code::LineUnknown, "lineNumber", message)
        })?;
        if line.charge_type != ChargeType::Usage {
            return Ok((line, Vec::new()));
        }
        let (target, payer, month) = (name.clone(), invoice.payer, invoice.month);
        let wanted = line.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let sandbox = turn.with_month(&target, month, payer)?;
            let Some(family) = sandbox.family(payer) else { return Ok(Vec::new()) };
            Ok(explain_line(&sandbox, family, month, &wanted)?)
        };
        let hours = self.partition(name, payer)?.run(job).await?;
        Ok((line, hours))
    }

    /// The invoices that a payer would get if an open month closed with no further usage.
    pub async fn preview(
        &self,
        name: &SandboxName,
        payer: AccountId,
        month: Option<BillingMonth>,
    ) -> Result<Vec<Invoice>, AppError> {
        let account = self.market(name)?.account(payer, "payerAccountId")?.clone();
        if account.payer != account.id {
            let message =
                format!("{payer} is a linked account: its charges are on the bill of {}", account.payer);
            return Err(Rejection::new(Code::FieldInvalid, "payerAccountId", message).into());
        }
        let target = name.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            let month = month.unwrap_or_else(|| BillingMonth::containing(now));
            let Some(family) = sandbox.family(payer) else { return Ok(Vec::new()) };
            if month < family.open_month {
                let message = format!("{month} is closed: read its invoices");
                return Err(Rejection::new(Code::MonthClosed, "billingPeriod", message).into());
            }
            Ok(usage_invoices(sandbox, family, month)?)
        };
        self.partition(name, payer)?.run(job).await
    }
}

fn unknown(name: &SandboxName, id: &InvoiceId) -> Rejection {
    let message = format!("sandbox \"{name}\" has no invoice \"{id}\": list its invoices");
    Rejection::new(Code::InvoiceUnknown, "invoiceId", message)
}
