//! A buyer accepts an offer, or buys annual cover on top: what is refused, and what comes of it.

use std::sync::Arc;

use super::{
    Agreement, AgreementStatus, Family, Instalment, InstalmentState, Origin, UpfrontPurchase, purchase,
};
use crate::catalog::{Account, Marketplace, Offer, Product, ProductType};
use crate::ids::{AccountId, AgreementId, LicenseArn, OfferId};
use crate::invoicing::{instalment, monthly, upfront};
use crate::machine::Event;
use crate::rejection::{Broken, Code, Rejection};
use crate::terms::configurable_upfront::UpfrontConfiguration;
use crate::terms::{ScheduledPayment, UpfrontKind};
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
    check_offer(offer, account, market.known_account(account.payer)?, now)?;
    let period = agreed_dates(offer, now);
    let replaced = replaced_agreement(family, offer, product, buyer, period, now)?;
    let purchase = purchase::of_configuration(offer, product, configuration, now, 1)?;
    let is_trial = purchase.as_ref().is_some_and(|purchase| purchase.is_trial(offer));
    if is_trial {
        check_first(family, product, buyer)?;
    }

    let month_number = 1 + u32::from(purchase.is_some());
    let month = monthly::first_month(offer, product, month_number, now);

    let number = family.map_or(1, Family::next_agreement_number);
    let id = AgreementId::derive(account.payer, number);
    let (initial_id, licence) = match replaced {
        Some(old) => (old.initial_id.clone(), old.licence.clone()),
        None => (id.clone(), LicenseArn::derive(&id)),
    };
    // A contract, and what one price buys, last as long as the purchase; usage as long as the offer says.
    let whole = |p: &&UpfrontPurchase| p.kind == UpfrontKind::Contract || p.fixed_price.is_some();
    let upfront_end = purchase.as_ref().filter(whole).map(|p| p.end);
    // What pays for all use ends, and usage goes on by the hour (B21).
    let purchase_end = upfront_end.filter(|_| !purchase.as_ref().is_some_and(UpfrontPurchase::prepays_use));
    let validity_end = offer.terms.validity.map(|validity| validity.end(now));
    let planned_end = purchase_end.or(validity_end);
    if period.is_none() && !product.concurrent_agreements {
        let renews = purchase.as_ref().is_some_and(|p| p.auto_renew);
        let held = family.into_iter().flat_map(|f| f.agreements_of(buyer, &product.id));
        check_scheduled(held, offer, planned_end.filter(|_| !renews), now)?;
    }
    let instalments = instalments(market, offer, account, now, planned_end.or(upfront_end))?;
    let agreement = Agreement {
        id,
        number,
        initial_id,
        licence,
        buyer,
        payer: account.payer,
        seller: offer.seller(product),
        product: product.id.clone(),
        offer: offer.id.clone(),
        origin: Origin::Accepted,
        accepted_at: now,
        start: period.map_or(now, |(start, _)| start),
        planned_end,
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: purchase.into_iter().chain(month).collect(),
        instalments,
    };
    let mut events = Vec::new();
    let mut invoice_number = family.map_or(1, Family::next_invoice_number);
    if let (Some(old), Some(family)) = (replaced, family) {
        if let Some(refund) = monthly::refund(family, old, now)? {
            events.push(refund);
            invoice_number += 1;
        }
        events.push(Event::ended(old, AgreementStatus::Replaced, now));
        // E1 and E2: what is due of the old schedule is cancelled on a SaaS product, and goes on on others.
        if product.product_type == ProductType::Saas {
            events.extend(instalment::cancelled(old));
        }
    }
    // A trial charges nothing, and is not invoiced.
    let charged = if is_trial { &[] } else { agreement.purchases.as_slice() };
    let mut invoices = upfront::invoices(market, &agreement, charged, invoice_number, now)?;
    let mut due_now = Vec::new();
    for (number, _) in agreement.pending_instalments().filter(|(_, instalment)| instalment.due <= now) {
        let invoice_number = invoice_number + invoices.len() as u32;
        invoices.push(instalment::invoice(market, &agreement, number, invoice_number, now)?);
        due_now.push(instalment::settled(&agreement, number, InstalmentState::Invoiced));
    }
    events.push(Event::AgreementAccepted(agreement));
    events.extend(due_now);
    events.extend(invoices.into_iter().map(|invoice| Event::InvoiceIssued(Arc::new(invoice))));
    Ok(events)
}

/// The first moment and the end of an agreement whose offer names its dates, if they begin later than now.
fn agreed_dates(offer: &Offer, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let dates = offer.terms.validity.and_then(|validity| validity.dates());
    dates.map(|dates| dates.period()).filter(|(start, _)| *start > now)
}

/// What the offer's payment schedule makes due, if the buyer may pay in instalments.
fn instalments(
    market: &Marketplace,
    offer: &Offer,
    buyer: &Account,
    now: Timestamp,
    end: Option<Timestamp>,
) -> Result<Vec<Instalment>, Refusal> {
    let Some(schedule) = &offer.terms.payment_schedule else { return Ok(Vec::new()) };
    let payer = market.known_account(buyer.payer)?;
    if market.rules.instalments_need_invoice_terms && !payer.invoice_terms {
        let message = format!(
            "{} is paid in instalments, which are for payers on invoice terms (B6): set invoiceTerms of account {}",
            offer.id, payer.id
        );
        return Err(Rejection::new(Code::InvoiceTermsNeeded, "buyerAccountId", message).into());
    }
    if let Some(end) = end {
        schedule.check_accepted(now, end)?;
    }
    let pending = |payment: &ScheduledPayment| Instalment {
        due: payment.due(now),
        amount: payment.amount,
        state: InstalmentState::Pending,
    };
    Ok(schedule.payments.iter().map(pending).collect())
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
    let sells = offer.terms.configurable_upfront.is_some();
    if !sells || offer.upfront_kind(product) != Some(UpfrontKind::Annual) {
        let message = format!("offer {} sells no annual subscriptions", offer.id);
        return Err(Rejection::new(Code::ConfigurationInvalid, "configuration", message).into());
    }
    let number = agreement.purchases.len() as u32 + 1;
    let purchase = purchase::of_configuration(offer, product, Some(configuration), now, number)?;
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

/// The buyer ends an agreement now. What of it is due in instalments is invoiced no more, and what is left of a month
/// that was paid is given back. Of one that was replaced on an image the schedule that goes on is ended (E2).
pub fn cancel(family: &Family, agreement: &Agreement, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if agreement.status == AgreementStatus::Replaced && agreement.pending_instalments().next().is_some() {
        return Ok(instalment::cancelled(agreement).collect());
    }
    check_active(agreement)?;
    let ended = Event::ended(agreement, AgreementStatus::Cancelled, now);
    let refund = monthly::refund(family, agreement, now)?;
    Ok([ended].into_iter().chain(instalment::cancelled(agreement)).chain(refund).collect())
}

pub(super) fn check_active(agreement: &Agreement) -> Result<(), Rejection> {
    match agreement.is_active() {
        true => Ok(()),
        false => {
            let end = agreement.end().map_or_else(String::new, |end| format!(" at {end}"));
            let message = format!("{} ended{end}: only a live agreement can be changed", agreement.id);
            Err(Rejection::new(Code::AgreementNotActive, "agreementId", message))
        }
    }
}

fn check_offer(offer: &Offer, account: &Account, payer: &Account, now: Timestamp) -> Result<(), Rejection> {
    if let Some(admin) = offer.left_out_admin(payer) {
        let message = format!(
            "{} does not name account {admin}, which administers the private marketplace of payer {}: a private offer \
             must name it, too (B4)",
            offer.id, payer.id
        );
        return Err(Rejection::new(Code::OfferNotForBuyer, "offerId", message));
    }
    if !offer.is_for_country(&account.address.country) {
        let countries: Vec<_> = offer.targeting.country_codes.iter().map(String::as_str).collect();
        let message = format!(
            "{} is for buyers in {}; the address of account {} says \"{}\": accept another offer, or mend the address",
            offer.id,
            countries.join(", "),
            account.id,
            account.address.country
        );
        return Err(Rejection::new(Code::OfferNotForBuyer, "offerId", message));
    }
    if !offer.is_for(account) {
        let message = format!("{} is a private offer for other accounts than {}", offer.id, account.id);
        return Err(Rejection::new(Code::OfferNotForBuyer, "offerId", message));
    }
    if now < offer.visible_from {
        let message = format!(
            "{} was released at {} and comes to its buyers at {} (B16, rule privateOfferPropagation): it is {now}",
            offer.id, offer.released_at, offer.visible_from
        );
        return Err(Rejection::new(Code::OfferNotPropagated, "offerId", message));
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

/// A contract is tried once by an account, before it ever held the product.
fn check_first(family: Option<&Family>, product: &Product, buyer: AccountId) -> Result<(), Rejection> {
    match family.and_then(|family| family.agreements_of(buyer, &product.id).next()) {
        None => Ok(()),
        Some(first) => {
            let message = format!(
                "account {buyer} held {} on product {}, which is tried once by an account (C): say for how long and \
                 how much of what to buy",
                first.id, product.id
            );
            Err(Rejection::new(Code::ConfigurationInvalid, "configuration", message))
        }
    }
}

/// The live agreement that this acceptance replaces: one at a time, unless the product allows several. A
/// private offer takes the place of what the buyer holds; the public one never does. A future-dated agreement
/// replaces nothing: it begins a day or more after the end of what the buyer holds (E3).
fn replaced_agreement<'a>(
    family: Option<&'a Family>,
    offer: &Offer,
    product: &Product,
    buyer: AccountId,
    period: Option<(Timestamp, Timestamp)>,
    now: Timestamp,
) -> Result<Option<&'a Agreement>, Rejection> {
    if product.concurrent_agreements {
        return Ok(None);
    }
    let mut live =
        family.into_iter().flat_map(|f| f.agreements_of(buyer, &product.id)).filter(|a| a.is_active());
    if let Some((start, end)) = period {
        let apart = |old: &Agreement| {
            let before =
                old.planned_end.is_some_and(|old_end| old_end.plus_days(1) <= start.plus_micros(1_000));
            let renews = old.purchases.iter().any(|purchase| purchase.auto_renew);
            (before && !renews) || end <= old.start
        };
        return match live.find(|old| !apart(old)) {
            None => Ok(None),
            Some(old) => {
                let message = format!(
                    "{} begins at {start}, a day after the end of {} at the earliest, which must not renew itself (E3): \
                     cancel that, or wait for its end",
                    offer.id, old.id
                );
                Err(Rejection::new(Code::AgreementsOverlap, "offerId", message))
            }
        };
    }
    let mut begun = live.filter(|agreement| agreement.start <= now);
    match begun.next() {
        Some(old) if old.offer == offer.id || !offer.is_private() => {
            let message = format!(
                "account {buyer} holds the live agreement {} on product {}: cancel it first, or accept a private offer (B17)",
                old.id, product.id
            );
            Err(Rejection::new(Code::AlreadySubscribed, "buyerAccountId", message))
        }
        // E2: units of a contract on a machine or container image, or of services, are not carried over.
        Some(old)
            if old.contract().is_some_and(|contract| now < contract.until())
                && product.product_type != ProductType::Saas =>
        {
            let message = format!(
                "account {buyer} holds the contract {} on product {}, which is no SaaS product: cancel it first (E2)",
                old.id, product.id
            );
            Err(Rejection::new(Code::AlreadySubscribed, "buyerAccountId", message))
        }
        // E1: the contract becomes another one, of the same seller of record.
        Some(old) if old.contract().is_some() && old.seller != offer.seller(product) => {
            let message = format!(
                "account {buyer} holds the contract {} of seller {}, which an offer of another seller cannot replace \
                 (E1, J1): cancel it first",
                old.id, old.seller
            );
            Err(Rejection::new(Code::AlreadySubscribed, "buyerAccountId", message))
        }
        begun => Ok(begun),
    }
}

/// What is accepted now ends a day before the future-dated agreement that the buyer holds begins (E3).
fn check_scheduled<'a>(
    mut held: impl Iterator<Item = &'a Agreement>,
    offer: &Offer,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let apart = |later: &Agreement| end.is_some_and(|end| end.plus_days(1) <= later.start.plus_micros(1_000));
    match held.find(|a| a.is_active() && now < a.start && !apart(a)) {
        None => Ok(()),
        Some(later) => {
            let message = format!(
                "the buyer holds {}, which begins at {}: what {} sells must end a day before that and not renew \
                 itself (E3); cancel the later agreement, or accept it then",
                later.id, later.start, offer.id
            );
            Err(Rejection::new(Code::AgreementsOverlap, "offerId", message))
        }
    }
}
