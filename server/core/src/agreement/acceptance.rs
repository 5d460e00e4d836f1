//! A buyer accepts an offer, or buys annual cover on top: what is refused, and what comes of it.

use std::sync::Arc;

use super::{Agreement, AgreementStatus, Family, Origin, UpfrontPurchase};
use crate::catalog::{Account, Marketplace, Offer, Product};
use crate::ids::{AccountId, AgreementId, LicenseArn, OfferId};
use crate::invoicing::upfront;
use crate::machine::Event;
use crate::rejection::{Broken, Code, Rejection};
use crate::terms::configurable_upfront::{MAX_UNITS, UpfrontConfiguration};
use crate::terms::{RateCard, UpfrontKind};
use crate::time::Timestamp;

/// Why nothing came of a decision: the request is refused, or the state is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The state is broken.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A buyer accepts an offer.
pub fn accept_offer(
    market: &Marketplace,
    family: Option<&Family>,
    offer: &OfferId,
    buyer: AccountId,
    configuration: Option<&UpfrontConfiguration>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let offer = market.offer(offer, "offerId")?;
    let account = market.account(buyer, "buyerAccountId")?;
    let product = market.known_product(&offer.product)?;
    check_offer(offer, account, now)?;
    let replaced = replaced_agreement(family, offer, product, buyer)?;
    let purchase = purchase(offer, product, configuration, now, 1)?;

    let number = family.map_or(1, Family::next_agreement_number);
    let id = AgreementId::derive(account.payer, number);
    let (initial_id, licence) = match replaced {
        Some(old) => (old.initial_id.clone(), old.licence.clone()),
        None => (id.clone(), LicenseArn::derive(&id)),
    };
    let contract_end = purchase.as_ref().filter(|p| p.kind == UpfrontKind::Contract).map(|p| p.end);
    let validity_end = offer.terms.validity.map(|v| v.duration.after(now));
    let agreement = Agreement {
        id,
        number,
        initial_id,
        licence,
        buyer,
        payer: account.payer,
        seller: product.seller,
        product: product.id.clone(),
        offer: offer.id.clone(),
        origin: Origin::Accepted,
        accepted_at: now,
        start: now,
        planned_end: contract_end.or(validity_end),
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: purchase.into_iter().collect(),
    };
    let mut events = Vec::new();
    if let Some(old) = replaced {
        events.push(Event::ended(old, AgreementStatus::Replaced, now));
    }
    let invoice_number = family.map_or(1, Family::next_invoice_number);
    let invoices = upfront::invoices(market, &agreement, &agreement.purchases, invoice_number, now)?;
    events.push(Event::AgreementAccepted(agreement));
    events.extend(invoices.into_iter().map(|invoice| Event::InvoiceIssued(Arc::new(invoice))));
    Ok(events)
}

/// A buyer buys annual cover on top of a live agreement.
pub fn add_annual_subscription(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    configuration: &UpfrontConfiguration,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    check_active(agreement)?;
    let offer = market.known_offer(&agreement.offer)?;
    let product = market.known_product(&agreement.product)?;
    if offer.upfront_kind(product) != Some(UpfrontKind::Annual) {
        let message = format!("offer {} sells no annual subscriptions", offer.id);
        return Err(Rejection::new(Code::ConfigurationInvalid, "configuration", message).into());
    }
    let number = agreement.purchases.len() as u32 + 1;
    let purchase = purchase(offer, product, Some(configuration), now, number)?;
    purchased(market, family, agreement, purchase, None, now)
}

/// The events of a further purchase under an agreement.
pub(super) fn purchased(
    market: &Marketplace,
    family: &Family,
    agreement: &Agreement,
    purchase: Option<UpfrontPurchase>,
    renews: Option<u32>,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let purchases: Vec<_> = purchase.into_iter().collect();
    // What is bought counts towards the class of its own listing fee (Q9).
    let mut grown = agreement.clone();
    grown.purchases.extend(purchases.iter().cloned());
    let invoices = upfront::invoices(market, &grown, &purchases, family.next_invoice_number(), at)?;
    let bought = purchases.into_iter().map(|purchase| Event::UpfrontPurchased {
        payer: agreement.payer,
        agreement: agreement.id.clone(),
        purchase,
        renews,
    });
    Ok(bought.chain(invoices.into_iter().map(|invoice| Event::InvoiceIssued(Arc::new(invoice)))).collect())
}

/// The buyer ends an agreement now.
pub fn cancel(agreement: &Agreement, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    check_active(agreement)?;
    Ok(vec![Event::ended(agreement, AgreementStatus::Cancelled, now)])
}

fn check_active(agreement: &Agreement) -> Result<(), Rejection> {
    match agreement.is_active() {
        true => Ok(()),
        false => {
            let end = agreement.end().map_or_else(String::new, |end| format!(" at {end}"));
            let message = format!("{} ended{end}: only a live agreement can be changed", agreement.id);
            Err(Rejection::new(Code::AgreementNotActive, "agreementId", message))
        }
    }
}

fn check_offer(offer: &Offer, account: &Account, now: Timestamp) -> Result<(), Rejection> {
    if !offer.is_visible_to(account.id, account.payer) {
        let message = format!("{} is a private offer for other accounts than {}", offer.id, account.id);
        return Err(Rejection::new(Code::OfferNotForBuyer, "offerId", message));
    }
    match offer.expires_at() {
        Some(end) if end <= now => {
            let last = offer.accept_by.map(|day| day.to_string()).unwrap_or_default();
            let message =
                format!("{} could be accepted until the end of {last} (UTC); it is {now}", offer.id);
            Err(Rejection::new(Code::OfferExpired, "offerId", message))
        }
        _ => Ok(()),
    }
}

/// The live agreement that this acceptance replaces: one at a time, unless the product allows several. A
/// private offer takes the place of what the buyer holds; the public one never does.
fn replaced_agreement<'a>(
    family: Option<&'a Family>,
    offer: &Offer,
    product: &Product,
    buyer: AccountId,
) -> Result<Option<&'a Agreement>, Rejection> {
    if product.concurrent_agreements {
        return Ok(None);
    }
    let live = family.and_then(|f| f.agreements_of(buyer, &product.id).find(|a| a.is_active()));
    match live {
        Some(old) if old.offer == offer.id || !offer.is_private() => {
            let message = format!(
                "account {buyer} holds the live agreement {} on product {}: cancel it first, or accept a private offer",
                old.id, product.id
            );
            Err(Rejection::new(Code::AlreadySubscribed, "buyerAccountId", message))
        }
        live => Ok(live),
    }
}

/// What a configuration buys on an offer at `now`.
fn purchase(
    offer: &Offer,
    product: &Product,
    configuration: Option<&UpfrontConfiguration>,
    now: Timestamp,
    number: u32,
) -> Result<Option<UpfrontPurchase>, Rejection> {
    let refuse = |field: &str, message: String| {
        Err(Rejection::new(Code::ConfigurationInvalid, format!("configuration{field}"), message))
    };
    let (configuration, kind) = match (configuration, offer.upfront_kind(product)) {
        (Some(configuration), Some(kind)) => (configuration, kind),
        (None, None | Some(UpfrontKind::Annual)) => return Ok(None),
        (None, Some(UpfrontKind::Contract)) => {
            return refuse(
                "",
                format!("{} sells a contract: say for how long and how much of what", offer.id),
            );
        }
        (Some(_), None) => return refuse("", format!("{} sells nothing upfront: leave it out", offer.id)),
    };
    let upfront = offer.terms.configurable_upfront.as_ref();
    let prices = offer.upfront_prices(configuration.duration, |notice| notice <= now);
    let Some((upfront, prices)) = upfront.zip(prices) else {
        let message = format!("{} sells nothing for {}", offer.id, configuration.duration);
        return Err(Rejection::new(Code::DurationNotAllowed, "configuration.duration", message));
    };
    if configuration.quantities.is_empty() {
        return refuse(".quantities", "say how much of which dimension".to_owned());
    }
    let mut unit_prices = RateCard::new();
    for (key, &units) in &configuration.quantities {
        let field = format!(".quantities[{key}]");
        let Some(&price) = prices.get(key) else {
            return refuse(&field, format!("{} sells no \"{key}\" for {}", offer.id, configuration.duration));
        };
        if !(1..=MAX_UNITS).contains(&units) {
            return refuse(&field, format!("{units} units; it must be 1 to {MAX_UNITS}"));
        }
        unit_prices.insert(key.clone(), price);
    }
    if configuration.auto_renew && offer.terms.renewal.is_none() {
        let message = format!("{} holds no renewal term: leave autoRenew out", offer.id);
        return Err(Rejection::new(Code::RenewalNotOffered, "configuration.autoRenew", message));
    }
    Ok(Some(UpfrontPurchase {
        number,
        kind,
        duration: configuration.duration,
        quantities: configuration.quantities.clone(),
        unit_prices,
        currency: upfront.currency,
        start: now,
        end: configuration.duration.after(now),
        auto_renew: configuration.auto_renew,
    }))
}
