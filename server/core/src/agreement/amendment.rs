//! An amendment changes what was bought upfront while it lasts: its end stays, and the days that are left are charged
//! and given back (Q8). Contracts only grow before their renewal (P9, B19); annual subscriptions may be swapped, as
//! long as what is charged is not less than what is given back (A12).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::acceptance::{Refusal, check_active};
use super::{Agreement, Family, UpfrontPurchase};
use crate::catalog::{Marketplace, Offer};
use crate::ids::DimensionKey;
use crate::invoicing::{Proration, upfront};
use crate::machine::Event;
use crate::money::{Money, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::terms::UpfrontKind;
use crate::terms::configurable_upfront::MAX_UNITS;
use crate::time::{Timestamp, days_until};

/// A dimension whose quantity changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The dimension.
    pub dimension: DimensionKey,
    /// Units more; fewer when negative.
    pub units: i64,
    /// The price of a unit for the whole term.
    pub unit_price: UnitPrice,
}

/// Changes the quantities of a purchase: what is not named stays as it is, 0 takes a dimension out.
pub fn amend(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    purchase: Option<u32>,
    quantities: &BTreeMap<DimensionKey, u64>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    check_active(agreement)?;
    let old = amended(agreement, purchase, now)?;
    let offer = market.known_offer(&agreement.offer)?;
    let mut next = old.clone();
    let mut deltas = Vec::new();
    for (key, &units) in quantities {
        let field = format!("quantities[{key}]");
        if units > MAX_UNITS {
            let message = format!("{units} units; it must be 0 to {MAX_UNITS}");
            return Err(Rejection::new(Code::ConfigurationInvalid, field, message).into());
        }
        let held = old.quantities.get(key).copied().unwrap_or(0);
        if units < held && old.kind == UpfrontKind::Contract {
            let message = format!(
                "{held} units are bought until {}, {units} are fewer: a contract grows until then and shrinks at its \
                 renewal at the earliest (B19)",
                old.end
            );
            return Err(Rejection::new(Code::AmendmentDecreases, field, message).into());
        }
        let unit_price = price(offer, old, key, now).ok_or_else(|| {
            Rejection::new(Code::ConfigurationInvalid, field, format!("{} sells no \"{key}\"", offer.id))
        })?;
        if units != held {
            // Both are at most MAX_UNITS.
            deltas.push(Delta { dimension: key.clone(), units: units as i64 - held as i64, unit_price });
        }
        match units {
            0 => next.quantities.remove(key),
            _ => next.quantities.insert(key.clone(), units),
        };
        next.unit_prices.insert(key.clone(), unit_price);
    }
    next.unit_prices.retain(|key, _| next.quantities.contains_key(key));
    if next.quantities.is_empty() {
        let message = "nothing would be left of the purchase: keep a unit, or let it end";
        return Err(Rejection::new(Code::ConfigurationInvalid, "quantities", message).into());
    }
    if deltas.is_empty() {
        let message = "nothing changes: name a dimension with another quantity";
        return Err(Rejection::new(Code::ConfigurationInvalid, "quantities", message).into());
    }
    let proration = Proration {
        // The day of the change counts, and so does the last one of a term that ends in the middle of it.
        days: days_until(now, old.end).max(1),
        of_days: days_until(agreement.term_start(old), old.end).max(1),
    };
    let lines = upfront::amendment_lines(offer, agreement, old, &deltas, proration, now)?;
    let net = lines.iter().map(|line| line.amount).fold(Money::zero(old.currency), Money::plus);
    if net.minor() < 0 {
        let message = format!(
            "{} would be given back for the {} days that are left, more than is charged: an amendment costs 0 or more (A12)",
            net.negated(),
            proration.days
        );
        return Err(Rejection::new(Code::AmendmentNetNegative, "quantities", message).into());
    }
    let next = UpfrontPurchase {
        number: agreement.purchases.len() as u32 + 1,
        start: now,
        amends: Some(old.number),
        added_value: Some(net),
        wholesale: lines.iter().filter_map(|line| line.wholesale).reduce(Money::plus),
        ..next
    };
    // What is added counts towards the class of its own listing fee (Q9).
    let mut grown = agreement.clone();
    grown.purchases.push(next.clone());
    let number = family.next_invoice_number();
    let invoice = upfront::amendment_invoice(market, &grown, lines, number, now)?;
    let amended = Event::UpfrontAmended {
        payer: agreement.payer,
        agreement: agreement.id.clone(),
        amended: old.number,
        purchase: next,
    };
    Ok(vec![amended, Event::InvoiceIssued(Arc::new(invoice))])
}

/// The purchase that is amended.
fn amended(
    agreement: &Agreement,
    number: Option<u32>,
    now: Timestamp,
) -> Result<&UpfrontPurchase, Rejection> {
    let purchase = agreement.live_purchase(number, now)?;
    if purchase.in_instalments || purchase.fixed_price.is_some() {
        let message = "what is paid in instalments or has one price for everything is not amended (P9): accept another \
                       private offer in its place";
        return Err(Rejection::new(Code::AmendmentNotAllowed, PURCHASE_NUMBER, message));
    }
    Ok(purchase)
}

const PURCHASE_NUMBER: &str = "purchaseNumber";

impl Agreement {
    /// The upfront purchase of this number, or the only one, that lasts now.
    pub fn live_purchase(&self, number: Option<u32>, now: Timestamp) -> Result<&UpfrontPurchase, Rejection> {
        let live = |p: &&UpfrontPurchase| p.kind != UpfrontKind::Monthly && p.start <= now && now < p.until();
        let mut candidates =
            self.purchases.iter().filter(live).filter(|p| number.is_none_or(|n| n == p.number));
        let refuse = |message| Err(Rejection::new(Code::ConfigurationInvalid, PURCHASE_NUMBER, message));
        let Some(purchase) = candidates.next() else {
            return refuse(match number {
                Some(number) => format!("{} has no purchase {number} that lasts now", self.id),
                None => format!("{} has no upfront purchase that lasts now", self.id),
            });
        };
        match candidates.next() {
            None => Ok(purchase),
            Some(_) => {
                refuse(format!("{} has several upfront purchases: say which one by its number", self.id))
            }
        }
    }
}

/// A dimension that is held keeps its price; another one has that of the offer, for the same duration.
fn price(offer: &Offer, old: &UpfrontPurchase, key: &DimensionKey, now: Timestamp) -> Option<UnitPrice> {
    let held = old.unit_prices.get(key).copied();
    held.or_else(|| offer.upfront_prices(old.duration, |notice| notice <= now)?.get(key).copied())
}

impl Family {
    /// Puts a purchase in the place of another one of its agreement.
    pub fn amend_purchase(&mut self, id: &crate::ids::AgreementId, amended: u32, purchase: UpfrontPurchase) {
        if let Some(agreement) = self.agreement_mut(id) {
            for old in agreement.purchases.iter_mut().filter(|old| old.number == amended) {
                old.ended_early_at = Some(purchase.start);
            }
            agreement.purchases.push(purchase);
        }
    }
}
