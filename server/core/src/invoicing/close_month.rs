//! Closes a family's month: its usage is rated, rounded once per line, and invoiced per invoicing entity and
//! currency (section 0 row 19). A preview is the same computation, not issued.

use std::collections::BTreeMap;

use super::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, listing_fee, monthly, wholesale};
use crate::agreement::Family;
use crate::catalog::{Marketplace, Offer};
use crate::ids::{AccountId, InvoiceId, OfferId};
use crate::machine::Sandbox;
use crate::money::Currency;
use crate::rating::{MonthSums, RatedLine, rate_month, rate_with};
use crate::rejection::Broken;
use crate::time::BillingMonth;

/// The usage invoices of a family's month, as they are or would be issued.
pub fn usage_invoices(
    sandbox: &Sandbox,
    family: &Family,
    month: BillingMonth,
) -> Result<Vec<Invoice>, Broken> {
    invoices(sandbox.market(), family, month, rate_month(sandbox, family, month)?)
}

/// The same, with sums of the month that may serve other families, too: as they close.
pub fn usage_invoices_with(
    sandbox: &Sandbox,
    family: &Family,
    sums: &mut MonthSums,
) -> Result<Vec<Invoice>, Broken> {
    let lines = rate_with(sandbox, family, sums)?;
    invoices(sandbox.market(), family, sums.month(), lines)
}

fn invoices(
    market: &Marketplace,
    family: &Family,
    month: BillingMonth,
    rated: Vec<RatedLine>,
) -> Result<Vec<Invoice>, Broken> {
    let mut groups: BTreeMap<(&str, Currency), Vec<InvoiceLine>> = BTreeMap::new();
    let mut seller: Option<Seller<'_>> = None;
    let count = rated.len();
    for rated in rated {
        let known = seller.filter(|seller| seller.offer.id == rated.offer);
        let of = known.map_or_else(|| Seller::of(market, &rated.offer), Ok)?;
        seller = Some(of);
        let key = (of.entity, rated.currency);
        // Most often, all lines are of one invoice.
        let lines = groups.entry(key).or_insert_with(|| Vec::with_capacity(count));
        lines.push(invoice_line(of, rated)?);
    }
    for line in monthly::lines(market, family, month)? {
        let of = Seller::of(market, &line.offer)?;
        groups.entry((of.entity, line.amount.currency())).or_default().push(line);
    }
    let issued_at = month.invoiced_at();
    let due_at = market.known_account(family.payer)?.due(issued_at);
    let mut invoices = Vec::with_capacity(groups.len());
    for (number, ((entity, currency), lines)) in (family.next_invoice_number()..).zip(groups) {
        let revenue = listing_fee::revenue(market, listing_fee::in_family(family), &lines, issued_at)?;
        invoices.push(Invoice {
            id: InvoiceId::derive(family.payer, month.year(), number),
            payer: family.payer,
            entity: entity.to_owned(),
            currency,
            kind: InvoiceKind::Usage,
            month,
            issued_at,
            due_at,
            lines,
            revenue,
            correction: None,
        });
    }
    Ok(invoices)
}

/// An offer, its seller of record, and who invoices for that.
#[derive(Clone, Copy)]
struct Seller<'a> {
    offer: &'a Offer,
    account: AccountId,
    entity: &'a str,
}

impl<'a> Seller<'a> {
    fn of(market: &'a Marketplace, offer: &OfferId) -> Result<Seller<'a>, Broken> {
        let offer = market.known_offer(offer)?;
        let seller = market.known_account(offer.seller(market.known_product(&offer.product)?))?;
        let entity = seller.invoicing_entity.as_deref();
        let entity =
            entity.ok_or_else(|| Broken(format!("account {} sells without a seller profile", seller.id)))?;
        Ok(Seller { offer, account: seller.id, entity })
    }
}

/// Rounds a rated line, once.
fn invoice_line(of: Seller<'_>, rated: RatedLine) -> Result<InvoiceLine, Broken> {
    let quantity = rated.quantity();
    let exact = rated.unit_price.times(quantity, rated.currency);
    let period = rated.segments.first().zip(rated.segments.last());
    let (first, last) =
        period.ok_or_else(|| Broken(format!("a line of {} has no segment", rated.agreement)))?;
    let counted_in = rated.counted_in();
    let wholesale = wholesale::of_usage(of.offer, &rated.dimension, quantity, counted_in, rated.currency)?;
    let (start, end) = (first.start.start(), last.end.start());
    let explanation = Explanation { exact, segments: rated.segments, proration: None };
    Ok(InvoiceLine {
        charge_type: ChargeType::Usage,
        seller: of.account,
        buyer: rated.buyer,
        product: rated.product,
        offer: rated.offer,
        agreement: rated.agreement,
        dimension: Some(rated.dimension),
        quantity,
        unit_price: rated.unit_price,
        amount: explanation.amount(),
        start,
        end,
        wholesale,
        explanation,
    })
}
