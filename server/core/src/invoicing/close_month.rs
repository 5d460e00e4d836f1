//! Closes a family's month: its usage is rated, rounded once per line, and invoiced per invoicing entity and
//! currency (section 0 row 19). A preview is the same computation, not issued.

use std::collections::BTreeMap;

use super::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, listing_fee};
use crate::agreement::Family;
use crate::catalog::Marketplace;
use crate::ids::InvoiceId;
use crate::machine::Sandbox;
use crate::money::Currency;
use crate::rating::{RatedLine, rate_month};
use crate::rejection::Broken;
use crate::time::BillingMonth;

/// The usage invoices of a family's month, as they are or would be issued.
pub fn usage_invoices(
    sandbox: &Sandbox,
    family: &Family,
    month: BillingMonth,
) -> Result<Vec<Invoice>, Broken> {
    let market = sandbox.market();
    let mut groups: BTreeMap<(String, Currency), Vec<InvoiceLine>> = BTreeMap::new();
    for rated in rate_month(sandbox, family, month)? {
        let (entity, line) = invoice_line(market, rated)?;
        groups.entry((entity, line.amount.currency())).or_default().push(line);
    }
    let mut invoices = Vec::with_capacity(groups.len());
    for (number, ((entity, currency), lines)) in (family.next_invoice_number()..).zip(groups) {
        let revenue = listing_fee::revenue(market, listing_fee::in_family(family), &lines)?;
        invoices.push(Invoice {
            id: InvoiceId::derive(family.payer, month.year(), number),
            payer: family.payer,
            entity,
            currency,
            kind: InvoiceKind::Usage,
            month,
            issued_at: month.invoiced_at(),
            lines,
            revenue,
        });
    }
    Ok(invoices)
}

/// Rounds a rated line, once.
fn invoice_line(market: &Marketplace, rated: RatedLine) -> Result<(String, InvoiceLine), Broken> {
    let product = market.known_product(&rated.product)?;
    let seller = market.known_account(product.seller)?;
    let entity = seller.invoicing_entity.clone();
    let entity =
        entity.ok_or_else(|| Broken(format!("account {} sells without a seller profile", seller.id)))?;
    let quantity = rated.quantity();
    let exact = rated.unit_price.times(quantity, rated.currency);
    let period = rated.segments.first().zip(rated.segments.last());
    let (first, last) =
        period.ok_or_else(|| Broken(format!("a line of {} has no segment", rated.agreement)))?;
    let line = InvoiceLine {
        charge_type: ChargeType::Usage,
        seller: product.seller,
        buyer: rated.buyer,
        product: rated.product,
        offer: rated.offer,
        agreement: rated.agreement,
        dimension: rated.dimension,
        quantity,
        unit_price: rated.unit_price,
        amount: exact.round(),
        start: first.start.start(),
        end: last.end.start(),
        explanation: Explanation { exact, segments: rated.segments },
    };
    Ok((entity, line))
}
