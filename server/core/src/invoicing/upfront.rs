//! Upfront charges: invoiced when they are bought, one invoice each (F2, F4).

use super::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, listing_fee};
use crate::agreement::{Agreement, UpfrontPurchase};
use crate::catalog::Marketplace;
use crate::ids::InvoiceId;
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::time::{BillingMonth, Timestamp};

/// The invoices of purchases under an agreement, numbered from `number`. A charge of 0.00 is invoiced, too
/// (section 0 row 24).
pub fn invoices(
    market: &Marketplace,
    agreement: &Agreement,
    purchases: &[UpfrontPurchase],
    number: u32,
    issued_at: Timestamp,
) -> Result<Vec<Invoice>, Broken> {
    let seller = market.known_account(agreement.seller)?;
    let entity = seller.invoicing_entity.clone();
    let entity =
        entity.ok_or_else(|| Broken(format!("account {} sells without a seller profile", seller.id)))?;
    let mut invoices = Vec::with_capacity(purchases.len());
    for (number, purchase) in (number..).zip(purchases) {
        let lines = lines(agreement, purchase)?;
        let month = BillingMonth::containing(issued_at);
        let revenue = listing_fee::revenue(market, |_| Some(agreement), &lines)?;
        invoices.push(Invoice {
            id: InvoiceId::derive(agreement.payer, month.year(), number),
            payer: agreement.payer,
            entity: entity.clone(),
            currency: purchase.currency,
            kind: InvoiceKind::Upfront,
            month,
            issued_at,
            lines,
            revenue,
        });
    }
    Ok(invoices)
}

fn lines(agreement: &Agreement, purchase: &UpfrontPurchase) -> Result<Vec<InvoiceLine>, Broken> {
    let mut lines = Vec::with_capacity(purchase.quantities.len());
    for (key, &units) in &purchase.quantities {
        let price = purchase.unit_prices.get(key).copied();
        let unit_price =
            price.ok_or_else(|| Broken(format!("{} bought \"{key}\" without price", agreement.id)))?;
        let quantity = QuantitySum::whole(units);
        let exact = unit_price.times(quantity, purchase.currency);
        lines.push(InvoiceLine {
            charge_type: match purchase.kind {
                UpfrontKind::Annual => ChargeType::Annual,
                UpfrontKind::Contract => ChargeType::Contract,
            },
            seller: agreement.seller,
            buyer: agreement.buyer,
            product: agreement.product.clone(),
            offer: agreement.offer.clone(),
            agreement: agreement.id.clone(),
            dimension: key.clone(),
            quantity,
            unit_price,
            amount: exact.round(),
            start: purchase.start,
            end: purchase.end,
            explanation: Explanation { exact, segments: Vec::new() },
        });
    }
    Ok(lines)
}
