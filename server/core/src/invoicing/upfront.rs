//! Upfront charges: invoiced when they are bought, one invoice each (F2, F4).

use super::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, Proration, listing_fee, wholesale};
use crate::agreement::amendment::Delta;
use crate::agreement::{Agreement, UpfrontPurchase};
use crate::catalog::{Marketplace, Offer};
use crate::ids::{DimensionKey, InvoiceId};
use crate::money::{Currency, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::{BillingMonth, Timestamp};

/// The invoices of purchases under an agreement, numbered from `number`. A charge of 0.00 is invoiced, too
/// (section 0 row 24); what is paid in instalments is invoiced with these.
pub fn invoices(
    market: &Marketplace,
    agreement: &Agreement,
    purchases: &[UpfrontPurchase],
    number: u32,
    issued_at: Timestamp,
) -> Result<Vec<Invoice>, Broken> {
    let at_once = purchases.iter().filter(|purchase| !purchase.in_instalments);
    let offer = market.known_offer(&agreement.offer)?;
    let mut invoices = Vec::with_capacity(purchases.len());
    for (number, purchase) in (number..).zip(at_once) {
        let lines = lines(offer, agreement, purchase)?;
        invoices.push(invoice_of(market, agreement, InvoiceKind::Upfront, lines, number, issued_at)?);
    }
    Ok(invoices)
}

/// An invoice of charges of one agreement.
pub(super) fn invoice_of(
    market: &Marketplace,
    agreement: &Agreement,
    kind: InvoiceKind,
    lines: Vec<InvoiceLine>,
    number: u32,
    issued_at: Timestamp,
) -> Result<Invoice, Broken> {
    let seller = market.known_account(agreement.seller)?;
    let entity = seller.invoicing_entity.clone();
    let entity =
        entity.ok_or_else(|| Broken(format!("account {} sells without a seller profile", seller.id)))?;
    let month = BillingMonth::containing(issued_at);
    let revenue = listing_fee::revenue(market, |_| Some(agreement), &lines, issued_at)?;
    Ok(Invoice {
        id: InvoiceId::derive(agreement.payer, month.year(), number),
        payer: agreement.payer,
        entity,
        currency: lines.first().map_or(Currency::Usd, |line| line.amount.currency()),
        kind,
        month,
        issued_at,
        due_at: market.known_account(agreement.payer)?.due(issued_at),
        lines,
        revenue,
        correction: None,
    })
}

/// What an amendment charges and gives back, each dimension rounded once.
pub fn amendment_lines(
    offer: &Offer,
    agreement: &Agreement,
    old: &UpfrontPurchase,
    deltas: &[Delta],
    proration: Proration,
    now: Timestamp,
) -> Result<Vec<InvoiceLine>, Broken> {
    let line = |delta: &Delta| {
        let quantity = QuantitySum::signed(delta.units);
        let exact = delta.unit_price.times(quantity, old.currency);
        let explanation = Explanation { exact, segments: Vec::new(), proration: Some(proration) };
        let wholesale = wholesale::of_units(offer, old, &delta.dimension, quantity, Some(proration))?;
        Ok(InvoiceLine {
            charge_type: ChargeType::of_upfront(old.kind),
            seller: agreement.seller,
            buyer: agreement.buyer,
            product: agreement.product.clone(),
            offer: agreement.offer.clone(),
            agreement: agreement.id.clone(),
            dimension: Some(delta.dimension.clone()),
            quantity,
            unit_price: delta.unit_price,
            amount: explanation.amount(),
            start: now,
            end: old.end,
            wholesale,
            explanation,
        })
    };
    deltas.iter().map(line).collect()
}

/// The invoice of an amendment.
pub fn amendment_invoice(
    market: &Marketplace,
    agreement: &Agreement,
    lines: Vec<InvoiceLine>,
    number: u32,
    now: Timestamp,
) -> Result<Invoice, Broken> {
    invoice_of(market, agreement, InvoiceKind::Upfront, lines, number, now)
}

/// The dimension that everything of a purchase is of, if there is only one.
pub(super) fn only_dimension(purchase: &UpfrontPurchase) -> Option<DimensionKey> {
    let mut keys = purchase.quantities.keys();
    keys.next().filter(|_| keys.next().is_none()).cloned()
}

fn lines(
    offer: &Offer,
    agreement: &Agreement,
    purchase: &UpfrontPurchase,
) -> Result<Vec<InvoiceLine>, Broken> {
    let line = |dimension, units, unit_price: UnitPrice, wholesale| {
        let quantity = QuantitySum::whole(units);
        let exact = unit_price.times(quantity, purchase.currency);
        InvoiceLine {
            charge_type: ChargeType::of_upfront(purchase.kind),
            seller: agreement.seller,
            buyer: agreement.buyer,
            product: agreement.product.clone(),
            offer: agreement.offer.clone(),
            agreement: agreement.id.clone(),
            dimension,
            quantity,
            unit_price,
            amount: exact.round(),
            start: purchase.start,
            end: purchase.end,
            wholesale,
            explanation: Explanation { exact, segments: Vec::new(), proration: None },
        }
    };
    if let Some(price) = purchase.fixed_price {
        return Ok(vec![line(only_dimension(purchase), 1, price, purchase.wholesale)]);
    }
    let priced = |(key, &units): (&DimensionKey, &u64)| {
        let price = purchase.unit_prices.get(key).copied();
        let price =
            price.ok_or_else(|| Broken(format!("{} bought \"{key}\" without price", agreement.id)))?;
        let wholesale = wholesale::of_units(offer, purchase, key, QuantitySum::whole(units), None)?;
        Ok(line(Some(key.clone()), units, price, wholesale))
    };
    purchase.quantities.iter().map(priced).collect()
}
