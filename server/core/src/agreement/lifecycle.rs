//! What becomes of agreements and annual subscriptions when their end comes: they renew, fall back to the
//! public offer, or expire.

use super::acceptance::{Refusal, purchased};
use super::{Agreement, AgreementStatus, Family, Origin, UpfrontPurchase};
use crate::catalog::{Marketplace, Offer};
use crate::ids::AgreementId;
use crate::invoicing::{monthly, upfront};
use crate::machine::Event;
use crate::money::UnitPrice;
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::terms::renewal::renewal_takes;
use crate::time::Timestamp;

/// When an agreement's end comes, if it is live and has one.
pub fn end_due(agreement: &Agreement) -> Option<Timestamp> {
    agreement.planned_end.filter(|_| agreement.is_active())
}

/// What renews itself under a live agreement, with the ends: annual subscriptions, and months of a fee.
pub fn renewals_due(agreement: &Agreement) -> impl Iterator<Item = (Timestamp, u32)> {
    let annual = agreement
        .purchases
        .iter()
        .filter(|p| p.auto_renew && p.kind != UpfrontKind::Contract && p.ended_early_at.is_none());
    annual.filter(|_| agreement.is_active()).map(|p| (p.end, p.number))
}

/// An agreement reaches its end.
pub fn end(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let offer = market.known_offer(&agreement.offer)?;
    let product = market.known_product(&agreement.product)?;
    if let Some(main) = agreement.main_purchase().filter(|main| main.auto_renew) {
        return renew(market, family, agreement, offer, main, at);
    }
    let public = market.public_offer(&product.id).filter(|public| public.terms.usage_based.is_some());
    match public.filter(|_| offer.falls_back(product)) {
        None => Ok(vec![Event::ended(agreement, AgreementStatus::Expired, at)]),
        Some(public) => {
            // D-01, section 0 rows 16 and 22: a new agreement of the same chain, new at this moment.
            let mut next = successor(family, agreement, public, Origin::FellBack, at);
            // A reseller's offer ends, and the seller of the product sells again (J1).
            next.seller = product.seller;
            next.purchases = monthly::first_month(public, product, 1, at).into_iter().collect();
            let number = family.next_invoice_number();
            let invoices = upfront::invoices(market, &next, &next.purchases, number, at)?;
            let ended = Event::ended(agreement, AgreementStatus::Replaced, at);
            let issued = invoices.into_iter().map(|invoice| Event::InvoiceIssued(invoice.into()));
            Ok([ended, Event::AgreementAccepted(next)].into_iter().chain(issued).collect())
        }
    }
}

/// A contract, or what one price buys, renews itself into a new agreement for the same duration and quantities.
fn renew(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    offer: &Offer,
    main: &UpfrontPurchase,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let mut next = successor(family, agreement, offer, Origin::Renewed, at);
    let purchase = renewed_purchase(offer, main, agreement.term_start(main), 1, at)?;
    next.planned_end = Some(purchase.end);
    next.purchases = vec![purchase];
    let invoices = upfront::invoices(market, &next, &next.purchases, family.next_invoice_number(), at)?;
    let mut events =
        vec![Event::ended(agreement, AgreementStatus::Renewed, at), Event::AgreementAccepted(next)];
    events.extend(invoices.into_iter().map(|invoice| Event::InvoiceIssued(invoice.into())));
    Ok(events)
}

/// An annual subscription renews itself under its agreement.
pub fn renew_annual(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    number: u32,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let offer = market.known_offer(&agreement.offer)?;
    let old = agreement.purchases.iter().find(|p| p.number == number);
    let old = old.ok_or_else(|| Broken(format!("{} has no purchase {number} to renew", agreement.id)))?;
    let next =
        renewed_purchase(offer, old, agreement.term_start(old), agreement.purchases.len() as u32 + 1, at)?;
    purchased(market, family, agreement, Some(next), Some(number), at)
}

/// The same purchase again, at the prices that a renewal takes: of a public offer those of A10, of a private one its
/// own, raised by its uplift (E4).
fn renewed_purchase(
    offer: &Offer,
    old: &UpfrontPurchase,
    term_start: Timestamp,
    number: u32,
    at: Timestamp,
) -> Result<UpfrontPurchase, Broken> {
    let renewed = UpfrontPurchase {
        number,
        start: at,
        end: old.duration.after(at),
        amends: None,
        added_value: None,
        wholesale: None,
        ..old.clone()
    };
    if old.kind == UpfrontKind::Monthly {
        return Ok(renewed);
    }
    if offer.is_private() {
        let uplift = offer.terms.renewal.and_then(|renewal| renewal.uplift);
        let raised = |price: UnitPrice| uplift.map_or(price, |uplift| uplift.raised(price));
        return Ok(UpfrontPurchase {
            unit_prices: old.unit_prices.iter().map(|(key, &price)| (key.clone(), raised(price))).collect(),
            fixed_price: old.fixed_price.map(raised),
            ..renewed
        });
    }
    let prices =
        offer.upfront_prices(old.duration, |notice| notice <= term_start || renewal_takes(notice, at));
    let prices =
        prices.ok_or_else(|| Broken(format!("offer {} no longer sells {}", offer.id, old.duration)))?;
    let unit_prices = prices.into_iter().filter(|(key, _)| old.quantities.contains_key(key)).collect();
    Ok(UpfrontPurchase { unit_prices, ..renewed })
}

/// The next agreement of a chain: same buyer, product and licence, without end and purchases.
fn successor(family: &Family, old: &Agreement, offer: &Offer, origin: Origin, at: Timestamp) -> Agreement {
    let number = family.next_agreement_number();
    Agreement {
        id: AgreementId::derive(old.payer, number),
        number,
        offer: offer.id.clone(),
        origin,
        accepted_at: at,
        start: at,
        planned_end: None,
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: Vec::new(),
        instalments: Vec::new(),
        ..old.clone()
    }
}
