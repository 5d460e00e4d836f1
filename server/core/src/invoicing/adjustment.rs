//! Billing adjustments: a seller gives back what was charged, as a credit memo (I2). What AWS took of it comes back in
//! the same share (I1, section 0 row 14).

use std::sync::Arc;

use super::{
    AdjustmentReason, Correction, Explanation, Invoice, InvoiceKind, InvoiceLine, ResaleRow, Revenue, Tax,
};
use crate::agreement::Family;
use crate::agreement::acceptance::Refusal;
use crate::ids::{AgreementId, InvoiceId};
use crate::machine::Event;
use crate::money::{Amount, Currency, Money, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::{Broken, Code, Rejection};
use crate::time::{BillingMonth, Timestamp};

/// Invoices that one request may adjust.
pub const MAX_ADJUSTMENTS: usize = 5;

/// What a seller asks to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// Of which agreement's charges on it.
    pub agreement: AgreementId,
    /// How much, before taxes: rounded half up to the currency's smallest unit.
    pub amount: Amount,
    /// Why.
    pub reason: AdjustmentReason,
    /// Longer words.
    pub description: String,
    /// What this adjustment is called: said again, it is made once.
    pub client_token: String,
}

/// An adjustment that was made, now or when its client token was first used.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// The credit memo.
    pub credit_memo: InvoiceId,
    /// What happened; nothing if it was made before.
    pub event: Option<Event>,
}

/// Gives something back of an invoice of a family.
pub fn adjust(family: &Family, adjustment: &Adjustment, now: Timestamp) -> Result<Adjusted, Refusal> {
    let refuse = |code, field: &str, message| Err(Rejection::new(code, field, message).into());
    let Some(invoice) = family.invoice(&adjustment.invoice) else {
        let message = format!("there is no invoice {}: list the payer's invoices", adjustment.invoice);
        return refuse(Code::InvoiceUnknown, "originalInvoiceId", message);
    };
    if let Some(made) = repeated(family, adjustment)? {
        return Ok(Adjusted { credit_memo: made, event: None });
    }
    if invoice.kind == InvoiceKind::CreditMemo {
        let message =
            format!("{} is a credit memo itself (I2): adjust the invoice that it corrects", invoice.id);
        return refuse(Code::AdjustmentNotAllowed, "originalInvoiceId", message);
    }
    if adjustment.amount.currency() != invoice.currency {
        let message = format!("{} is in {} (I2): give its amount in that", invoice.id, invoice.currency);
        return refuse(Code::AdjustmentAmountInvalid, "currencyCode", message);
    }
    let amount = adjustment.amount.round();
    if amount.minor() <= 0 {
        let message = format!("{} gives nothing back (I2): give an amount above 0", adjustment.amount);
        return refuse(Code::AdjustmentAmountInvalid, "adjustmentAmount", message);
    }
    let rows = rows(family, invoice, &adjustment.agreement);
    if rows.is_empty() {
        let message = format!("{} charges nothing of agreement {}", invoice.id, adjustment.agreement);
        return refuse(Code::AgreementUnknown, "agreementId", message);
    }
    let most = most(family, invoice, &adjustment.agreement);
    if amount > most {
        let message = format!(
            "{amount} {} is more than the {most} that are left of what {} charged of agreement {} (I2)",
            invoice.currency, invoice.id, adjustment.agreement
        );
        return refuse(Code::AdjustmentTooHigh, "adjustmentAmount", message);
    }
    let memo = credit_memo(family, invoice, &rows, adjustment, amount, now)?;
    Ok(Adjusted { credit_memo: memo.id.clone(), event: Some(Event::InvoiceIssued(Arc::new(memo))) })
}

/// The most that can still be given back of what an invoice charges of an agreement.
pub fn most(family: &Family, invoice: &Invoice, agreement: &AgreementId) -> Money {
    let zero = Money::zero(invoice.currency);
    if invoice.kind == InvoiceKind::CreditMemo {
        return zero;
    }
    let charged = invoice.lines.iter().filter(|line| line.agreement == *agreement).map(|line| line.amount);
    let memos = corrections(family, invoice, agreement);
    let left = charged.chain(memos.map(Invoice::total)).fold(zero, Money::plus);
    let rows = rows(family, invoice, agreement).iter().map(|row| row.left).fold(zero, Money::plus);
    left.min(rows).max(zero)
}

/// The credit memo that this client token made.
fn repeated(family: &Family, adjustment: &Adjustment) -> Result<Option<InvoiceId>, Rejection> {
    // Each seller has its own tokens.
    let seller = |id: &AgreementId| family.agreement(id).map(|agreement| agreement.seller);
    let is_token = |c: &Correction| {
        c.client_token == adjustment.client_token && seller(&c.agreement) == seller(&adjustment.agreement)
    };
    let of_token = family.invoices().iter().find(|memo| memo.correction.as_ref().is_some_and(is_token));
    let Some((memo, correction)) = of_token.and_then(|memo| Some((memo, memo.correction.as_ref()?))) else {
        return Ok(None);
    };
    let same = correction.invoice == adjustment.invoice
        && correction.agreement == adjustment.agreement
        && correction.reason == adjustment.reason
        && memo.total().negated() == adjustment.amount.round();
    match same {
        true => Ok(Some(memo.id.clone())),
        false => {
            let message = format!(
                "\"{}\" named the adjustment {} with other parameters (I2): take another token",
                adjustment.client_token, memo.id
            );
            Err(Rejection::new(Code::IdempotencyConflict, "clientToken", message))
        }
    }
}

/// The credit memos of what an invoice charges of an agreement.
fn corrections<'a>(
    family: &'a Family,
    invoice: &'a Invoice,
    agreement: &'a AgreementId,
) -> impl Iterator<Item = &'a Invoice> {
    let of_invoice = |memo: &&Invoice| {
        memo.correction.as_ref().is_some_and(|c| c.invoice == invoice.id && c.agreement == *agreement)
    };
    family.invoices().iter().map(Arc::as_ref).filter(of_invoice)
}

/// A row of an invoice's revenue of which something is left to give back.
struct Row<'a> {
    revenue: &'a Revenue,
    /// The first of its lines, for the period and the dimension.
    line: &'a InvoiceLine,
    /// Given back before.
    before: Money,
    /// Of the fee, come back before.
    fee_before: Money,
    /// Of the tax, given back before: negative.
    tax_before: Money,
    /// Left to give back.
    left: Money,
    /// Of what a reseller sold, what came back of the wholesale before.
    cost_before: Money,
    /// And the manufacturer's row, with what came back of its fee before.
    behind: Option<(&'a Revenue, Money)>,
}

/// The rows in which an agreement's charges are counted. A row may count those of other agreements, too: what came back
/// of it before is what came back to any of them.
fn rows<'a>(family: &'a Family, invoice: &'a Invoice, agreement: &'a AgreementId) -> Vec<Row<'a>> {
    let zero = Money::zero(invoice.currency);
    let mut rows = Vec::new();
    for (position, revenue) in invoice.revenue.iter().enumerate() {
        if revenue.billed == zero || revenue.is_manufacturers() || !revenue.counts(agreement) {
            continue;
        }
        let mine = |line: &&InvoiceLine| line.agreement == *agreement && is_of(line, revenue);
        let Some(line) = invoice.lines.iter().find(mine) else { continue };
        let all = family.invoices().iter().map(Arc::as_ref);
        let memos = all.filter(|memo| memo.correction.as_ref().is_some_and(|c| c.invoice == invoice.id));
        let memos = memos.flat_map(|memo| &memo.revenue);
        let mine: Vec<_> = memos.clone().filter(|row| same_row(row, revenue)).collect();
        let before = mine.iter().map(|row| row.refunded.negated()).fold(zero, Money::plus);
        let fee_before = mine.iter().map(|row| row.fee_refund).fold(zero, Money::plus);
        let taxes = mine.iter().filter_map(|row| row.tax);
        let tax_before = taxes.map(|tax| tax.amount).fold(zero, Money::plus);
        let left = revenue.billed.plus(before.negated());
        let cost_before = mine.iter().map(|row| row.costs()[1]).fold(zero, Money::plus);
        let behind = invoice.revenue.get(position + 1).filter(|row| row.is_manufacturers());
        let behind = behind.map(|behind| {
            let mine = memos.filter(|row| same_row(row, behind));
            (behind, mine.map(|row| row.fee_refund).fold(zero, Money::plus))
        });
        rows.push(Row { revenue, line, before, fee_before, tax_before, left, cost_before, behind });
    }
    rows
}

/// The row of the report that a line is counted in.
fn is_of(line: &InvoiceLine, revenue: &Revenue) -> bool {
    line.charge_type.of_row() == revenue.charge_type
        && line.buyer == revenue.buyer
        && line.product == revenue.product
        && line.offer == revenue.offer
        && revenue.dimension.as_ref().is_none_or(|dimension| line.dimension.as_ref() == Some(dimension))
}

fn same_row(one: &Revenue, other: &Revenue) -> bool {
    let wholesale_fee_rate = |row: &Revenue| match row.resale {
        Some(ResaleRow::Reseller { wholesale_fee_rate, .. }) => Some(wholesale_fee_rate),
        Some(ResaleRow::Manufacturer { .. }) | None => None,
    };
    one.charge_type == other.charge_type
        && one.seller == other.seller
        && one.is_manufacturers() == other.is_manufacturers()
        && wholesale_fee_rate(one) == wholesale_fee_rate(other)
        && one.buyer == other.buyer
        && one.product == other.product
        && one.offer == other.offer
        && one.dimension == other.dimension
        && one.fee_rate == other.fee_rate
}

fn credit_memo(
    family: &Family,
    invoice: &Invoice,
    rows: &[Row<'_>],
    adjustment: &Adjustment,
    amount: Money,
    now: Timestamp,
) -> Result<Invoice, Refusal> {
    let month = BillingMonth::containing(now);
    let (mut lines, mut revenue) = (Vec::new(), Vec::new());
    for (row, part) in rows.iter().zip(shares(rows, amount)) {
        if part.minor() == 0 {
            continue;
        }
        let refunded = row.before.plus(part);
        // Of the wholesale, too, as much comes back as of the charge.
        let returned_cost = row.returned_cost(refunded);
        lines.push(InvoiceLine {
            wholesale: row.behind.map(|_| returned_cost.negated()),
            ..memo_line(row, part, adjustment)?
        });
        // Of the fee, as much comes back as of the charge, over all refunds together (section 0 row 14).
        let returned = row.revenue.fee.negated().part(refunded.minor(), row.revenue.billed.minor());
        revenue.push(Revenue {
            billed: Money::zero(invoice.currency),
            fee: Money::zero(invoice.currency),
            refunded: part.negated(),
            fee_refund: returned.plus(row.fee_before.negated()),
            tax: row.revenue.tax.map(|tax| Tax {
                amount: tax
                    .amount
                    .part(refunded.minor(), row.revenue.billed.minor())
                    .plus(row.tax_before)
                    .negated(),
                ..tax
            }),
            resale: row.revenue.resale.map(|resale| returning(resale, returned_cost)),
            ..row.revenue.clone()
        });
        revenue.extend(row.behind_returning(returned_cost));
    }
    Ok(Invoice {
        id: InvoiceId::derive(family.payer, month.year(), family.next_invoice_number()),
        payer: family.payer,
        entity: invoice.entity.clone(),
        currency: invoice.currency,
        kind: InvoiceKind::CreditMemo,
        month,
        issued_at: now,
        due_at: None,
        lines,
        revenue,
        correction: Some(Correction {
            invoice: invoice.id.clone(),
            agreement: adjustment.agreement.clone(),
            reason: adjustment.reason,
            description: adjustment.description.clone(),
            client_token: adjustment.client_token.clone(),
        }),
    })
}

impl Row<'_> {
    /// What comes back of the wholesale when so much of the charge has been given back, now and before.
    fn returned_cost(&self, refunded: Money) -> Money {
        let [cost, _] = self.revenue.costs();
        cost.negated().part(refunded.minor(), self.revenue.billed.minor()).plus(self.cost_before.negated())
    }

    /// The manufacturer's row, when so much of the wholesale comes back now.
    fn behind_returning(&self, returned: Money) -> Option<Revenue> {
        let (behind, fee_before) = self.behind?;
        let zero = Money::zero(returned.currency());
        let all = self.cost_before.plus(returned);
        let fee = match behind.billed.minor() {
            0 => zero,
            billed => behind.fee.negated().part(all.minor(), billed),
        };
        Some(Revenue {
            billed: zero,
            fee: zero,
            refunded: returned.negated(),
            fee_refund: fee.plus(fee_before.negated()),
            ..behind.clone()
        })
    }
}

/// The reseller's side of a credit memo: it owes so much less.
fn returning(resale: ResaleRow, returned: Money) -> ResaleRow {
    match resale {
        ResaleRow::Reseller { manufacturer, wholesale_fee_rate, .. } => {
            let cost = Money::zero(returned.currency());
            ResaleRow::Reseller { manufacturer, wholesale_fee_rate, cost, cost_refund: returned }
        }
        ResaleRow::Manufacturer { .. } => resale,
    }
}

/// Divides an amount over rows by what is left of each, negative rows of an amendment, too: together the rows up to each
/// have their part of it, rounded, so that all of it is divided and a row that comes back whole comes back to the cent.
fn shares(rows: &[Row<'_>], amount: Money) -> Vec<Money> {
    let zero = Money::zero(amount.currency());
    let total = rows.iter().map(|row| row.left).fold(zero, Money::plus);
    let (mut until, mut divided) = (zero, zero);
    let share = |row: &Row<'_>| {
        until = until.plus(row.left);
        let part = until.part(amount.minor(), total.minor()).plus(divided.negated());
        divided = divided.plus(part);
        part
    };
    rows.iter().map(share).collect()
}

fn memo_line(row: &Row<'_>, part: Money, adjustment: &Adjustment) -> Result<InvoiceLine, Refusal> {
    let currency: Currency = part.currency();
    // Of a negative row, something is charged again.
    let scaled = part.minor().abs() * 10_i128.pow(8 - currency.minor_digits());
    let unit_price = i64::try_from(scaled).ok().and_then(UnitPrice::from_scaled).ok_or_else(|| {
        let message = format!("{part} is more than one adjustment can give back: make several");
        Rejection::new(Code::AdjustmentAmountInvalid, "adjustmentAmount", message)
    })?;
    let quantity = QuantitySum::signed(if part.minor() < 0 { 1 } else { -1 });
    let exact = unit_price.times(quantity, currency);
    let explanation = Explanation { exact, segments: Vec::new(), proration: None };
    if explanation.amount() != part.negated() {
        return Err(Broken(format!("a credit of {part} is not its own amount")).into());
    }
    Ok(InvoiceLine {
        agreement: adjustment.agreement.clone(),
        dimension: row.revenue.dimension.clone(),
        quantity,
        unit_price,
        amount: part.negated(),
        explanation,
        ..row.line.clone()
    })
}

#[cfg(test)]
mod tests;
