//! What sellers published and buyers accepted, as steps. What happened by itself (renewals, fall-backs, ends) happens
//! by itself again.

use prost_reflect::prost::Message;
use prost_types::Timestamp;
use souk_proto::agreement::v1::{Agreement, AgreementStatus, UpfrontPurchase};
use souk_proto::billing::v1::{ChargeType, InvoiceKind};
use souk_proto::document;
use souk_proto::sandbox::v1::sandbox_event::Event;
use souk_proto::sandbox::v1::{
    AgreementAcceptedEvent, AgreementOrigin, PricesChangedEvent, SandboxEvent, UpfrontAmendedEvent,
    UpfrontPurchasedEvent, UpfrontRefundedEvent,
};

use super::words::{flow, flow_numbers, flow_text, indented};
use super::{Past, Rank, Step, as_granted};
use crate::cli::output::word;
use crate::scenario::shape::descriptor;

/// The steps, in the order in which they happened.
pub fn steps(past: &Past) -> Vec<Step> {
    let deeds = past.events.iter().filter_map(|event| {
        let text = match event.event.as_ref()? {
            Event::OfferReleased(released) if past.is_released_later(&released.offer_id) => {
                let offer = past.offers.iter().find(|offer| offer.offer_id == released.offer_id)?;
                publish("createOffer", "souk.catalog.v1.Offer", offer)
            }
            Event::ResaleAuthorized(granted) if event.time != Some(past.began) => {
                let id = &granted.resale_authorization_id;
                let found = past.authorizations.iter().find(|a| a.resale_authorization_id == *id)?;
                publish("authorizeResale", "souk.catalog.v1.ResaleAuthorization", &as_granted(found))
            }
            Event::ResaleRestricted(restricted) => {
                let keys = [("authorization", flow_text(&restricted.resale_authorization_id))];
                format!("restrictResale: {}\n", flow(&keys))
            }
            Event::PricesChanged(changed) => change_prices(changed),
            Event::AgreementAccepted(accepted) => accept(past, accepted)?,
            Event::UpfrontPurchased(purchased) => buy(past, purchased)?,
            Event::UpfrontAmended(amended) => amend(past, amended)?,
            Event::UpfrontRefunded(refunded) => refund_purchase(past, refunded),
            Event::AgreementEnded(ended) if ended.status() == AgreementStatus::Cancelled => {
                format!(
                    "cancel: {}\n",
                    flow(&[("agreement", flow_text(past.names.agreement(&ended.agreement_id)))])
                )
            }
            Event::InvoiceIssued(issued) if issued.kind() == InvoiceKind::CreditMemo => {
                refund(past, &issued.invoice_id, event.time)?
            }
            Event::InvoicePaid(paid) => {
                let keys = [("invoice", flow_text(&paid.invoice_id))];
                format!("pay: {}\n", flow(&keys))
            }
            Event::OfferReleased(_)
            | Event::ResaleAuthorized(_)
            | Event::AgreementEnded(_)
            | Event::InvoiceIssued(_)
            | Event::MonthClosed(_) => {
                return None;
            }
        };
        let time = event.time?;
        Some((time, text))
    });
    // Steps of one moment keep the order of the history.
    let mut steps: Vec<Step> = Vec::new();
    for (time, text) in deeds {
        match steps.last_mut() {
            Some(last) if (last.seconds, last.nanos) == (time.seconds, time.nanos) => {
                last.deeds.push(text);
            }
            _ => steps.push(Step {
                seconds: time.seconds,
                nanos: time.nanos,
                rank: Rank::Deed,
                deeds: vec![text],
            }),
        }
    }
    steps
}

/// The step that publishes a message of this name.
fn publish(key: &str, name: &str, published: &impl Message) -> String {
    let bytes = published.encode_to_vec();
    let message = prost_reflect::DynamicMessage::decode(descriptor(name), bytes.as_slice());
    let yaml = message.map(|message| document::message_to_yaml(&message)).unwrap_or_default();
    format!("{key}:\n{}", indented(2, &yaml))
}

fn change_prices(changed: &PricesChangedEvent) -> String {
    let change = changed.change.clone().unwrap_or_default();
    let card = |card: &souk_proto::terms::v1::UpfrontRateCard| {
        flow(&[("duration", card.duration.clone()), ("prices", flow_numbers(card.prices.clone()))])
    };
    let cards: Vec<String> = change.upfront_rate_cards.iter().map(card).collect();
    let cards = if cards.is_empty() { String::new() } else { format!("[{}]", cards.join(", ")) };
    let keys = [
        ("offer", flow_text(&changed.offer_id)),
        ("rateCard", flow_numbers(change.rate_card)),
        ("rateCards", cards),
    ];
    format!("changePrices: {}\n", flow(&keys))
}

fn accept(past: &Past, accepted: &AgreementAcceptedEvent) -> Option<String> {
    if accepted.origin() != AgreementOrigin::Accepted {
        return None;
    }
    let agreement = find(past, &accepted.agreement_id)?;
    let bought = agreement.upfront_purchases.iter().find(|purchase| is_of_acceptance(agreement, purchase));
    let mut keys = vec![
        ("offer", flow_text(&accepted.offer_id)),
        ("buyer", flow_text(past.names.account(&accepted.buyer_account_id))),
    ];
    if let Some(purchase) = bought {
        // One price buys everything that the offer grants: there is nothing to choose.
        if purchase.fixed_price.is_empty() {
            keys.push(("duration", purchase.duration.clone()));
            keys.push(("quantities", flow_numbers(purchase.quantities.clone())));
        }
        keys.push(("autoRenew", if purchase.auto_renew { "true".to_owned() } else { String::new() }));
    }
    keys.push(("as", flow_text(past.names.agreement(&accepted.agreement_id))));
    Some(format!("accept: {}\n", flow(&keys)))
}

fn buy(past: &Past, purchased: &UpfrontPurchasedEvent) -> Option<String> {
    let agreement = find(past, &purchased.agreement_id)?;
    let purchase = agreement.upfront_purchases.iter().find(|purchase| purchase.number == purchased.number)?;
    let renewed = agreement.upfront_purchases.iter().any(|other| {
        other.auto_renew && other.end_time == purchase.start_time && other.number != purchase.number
    });
    if renewed || is_of_acceptance(agreement, purchase) || !is_accepted(past, &agreement.agreement_id) {
        return None;
    }
    let keys = [
        ("agreement", flow_text(past.names.agreement(&purchased.agreement_id))),
        ("quantities", flow_numbers(purchase.quantities.clone())),
        ("autoRenew", if purchase.auto_renew { "true".to_owned() } else { String::new() }),
    ];
    Some(format!("buyAnnual: {}\n", flow(&keys)))
}

fn amend(past: &Past, amended: &UpfrontAmendedEvent) -> Option<String> {
    let agreement = find(past, &amended.agreement_id)?;
    let quantities =
        |number| agreement.upfront_purchases.iter().find(|p| p.number == number).map(|p| &p.quantities);
    let (old, new) = (quantities(amended.amended_number)?, quantities(amended.number)?);
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), 0));
    let changed = new.iter().filter(|(key, units)| old.get(*key) != Some(*units));
    let changed = changed.map(|(key, &units)| (key.clone(), units)).chain(gone);
    let keys = [
        ("agreement", flow_text(past.names.agreement(&amended.agreement_id))),
        ("purchase", amended.amended_number.to_string()),
        ("quantities", flow_numbers(changed)),
    ];
    Some(format!("amend: {}\n", flow(&keys)))
}

fn refund_purchase(past: &Past, refunded: &UpfrontRefundedEvent) -> String {
    let keys = [
        ("agreement", flow_text(past.names.agreement(&refunded.agreement_id))),
        ("purchase", refunded.number.to_string()),
    ];
    format!("refundPurchase: {}\n", flow(&keys))
}

/// What the credit memo of a purchase that its buyer gave back, and of the rest of a month's fee, say.
const BY_ITSELF: [&str; 2] = ["given back by the buyer: ", "the unused part of the last month"];

/// None of a credit memo that came by itself with what the same agreement's buyer did at its moment.
fn refund(past: &Past, memo_id: &str, at: Option<Timestamp>) -> Option<String> {
    let memo = past.credit_memos.iter().find(|memo| memo.invoice_id == memo_id)?;
    let line = memo.lines.first()?;
    let came_with = |event: &SandboxEvent| {
        let agreement = match &event.event {
            Some(Event::UpfrontRefunded(refunded)) => &refunded.agreement_id,
            Some(Event::AgreementEnded(ended)) => &ended.agreement_id,
            _ => return false,
        };
        event.time == at && *agreement == line.agreement_id
    };
    // Of a contract that came back whole, the refunds are told: its agreement is told as cancelled.
    let is_contract = memo.lines.iter().any(|line| line.charge_type() == ChargeType::Contract);
    let by_itself = BY_ITSELF.iter().any(|words| memo.adjustment_description.starts_with(words));
    if by_itself && !is_contract && past.events.iter().any(came_with) {
        return None;
    }
    let keys = [
        ("invoice", flow_text(&memo.corrected_invoice_id)),
        ("agreement", flow_text(past.names.agreement(&line.agreement_id))),
        ("amount", memo.total.trim_start_matches('-').to_owned()),
        ("reason", word(memo.adjustment_reason().as_str_name(), "ADJUSTMENT_REASON_").to_uppercase()),
        ("description", flow_text(&memo.adjustment_description)),
    ];
    Some(format!("refund: {}\n", flow(&keys)))
}

/// Whether something was bought with the acceptance itself.
fn is_of_acceptance(agreement: &Agreement, purchase: &UpfrontPurchase) -> bool {
    purchase.number == 1 && purchase.purchase_time == agreement.acceptance_time
}

fn is_accepted(past: &Past, agreement_id: &str) -> bool {
    past.events.iter().any(|event| match &event.event {
        Some(Event::AgreementAccepted(accepted)) => {
            accepted.agreement_id == agreement_id && accepted.origin() != AgreementOrigin::Renewed
        }
        _ => false,
    })
}

fn find<'p>(past: &'p Past, agreement_id: &str) -> Option<&'p Agreement> {
    past.agreements.iter().find(|agreement| agreement.agreement_id == agreement_id)
}
