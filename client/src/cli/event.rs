//! `souk event`: what happened in a sandbox, in its own time.

use clap::Subcommand;
use prost_types::Timestamp;
use souk_client::EventFilter;
use souk_proto::sandbox::v1::SandboxEvent;
use souk_proto::sandbox::v1::sandbox_event::Event;

use super::error::CliError;
use super::output::{View, text, word};
use super::session::Session;
use super::{json, time};

#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// Lists what happened, oldest first: agreements, purchases, prices, invoices, and months closed.
    #[command(after_help = "Examples:
  souk event list
  souk event list --payer 333333333333 --since 2026-03-01")]
    List {
        /// Only agreements and purchases of this buyer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        buyer: String,
        /// Only agreements, purchases, invoices and months of this payer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        payer: String,
        /// Only what happened at this time or later.
        #[arg(long, value_name = "TIME", value_parser = time::parse)]
        since: Option<Timestamp>,
    },
}

impl EventCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let EventCommand::List { buyer, payer, since } = self;
        let filter = EventFilter { buyer_account_id: buyer, payer_account_id: payer, since };
        let events = session.connect().await?.all_events(&session.sandbox, &filter).await?;
        session.show(&list(&events)?)
    }
}

fn list(events: &[SandboxEvent]) -> Result<View, CliError> {
    let columns = ["time", "event", "payer_account_id", "buyer_account_id", "id", "details"].map(text).into();
    let rows = events.iter().map(|event| {
        let [what, payer, buyer, id, details] = cells(event);
        vec![time::show(event.time.as_ref()), what, payer, buyer, id, details]
    });
    Ok(View::of_list(columns, rows.collect(), json::of_all(events)?))
}

/// What happened, to which payer and buyer, the id to go on with, and the rest in words.
fn cells(event: &SandboxEvent) -> [String; 5] {
    let cells = |what: &str, payer: &str, buyer: &str, id: &str, details: String| {
        [what.to_owned(), payer.to_owned(), buyer.to_owned(), id.to_owned(), details]
    };
    match &event.event {
        Some(Event::ResaleAuthorized(e)) => {
            let details = format!("of {} by {}", e.product_id, e.reseller_account_id);
            cells("resale_authorized", "", "", &e.resale_authorization_id, details)
        }
        Some(Event::ResaleRestricted(e)) => {
            let details = format!("of {} by {}", e.product_id, e.reseller_account_id);
            cells("resale_restricted", "", "", &e.resale_authorization_id, details)
        }
        Some(Event::OfferReleased(e)) => {
            let kind = if e.private { "private" } else { "public" };
            cells("offer_released", "", "", &e.offer_id, format!("{kind}, of {}", e.product_id))
        }
        Some(Event::PricesChanged(e)) => {
            let from = e.change.as_ref().and_then(|change| change.existing_subscribers_from.as_ref());
            let details = format!("for existing subscribers from {}", time::show(from));
            cells("prices_changed", "", "", &e.offer_id, details)
        }
        Some(Event::AgreementEnded(e)) => {
            let status = word(e.status().as_str_name(), "AGREEMENT_STATUS_");
            let ids = [&e.payer_account_id, &e.buyer_account_id, &e.agreement_id];
            let [payer, buyer, id] = ids.map(String::as_str);
            cells("agreement_ended", payer, buyer, id, format!("{status}, of {}", e.offer_id))
        }
        Some(Event::AgreementAccepted(e)) => {
            let origin = word(e.origin().as_str_name(), "AGREEMENT_ORIGIN_");
            let ids = [&e.payer_account_id, &e.buyer_account_id, &e.agreement_id];
            let [payer, buyer, id] = ids.map(String::as_str);
            cells("agreement_accepted", payer, buyer, id, format!("{origin}, of {}", e.offer_id))
        }
        Some(Event::UpfrontPurchased(e)) => {
            let bought: Vec<_> = e.quantities.iter().map(|(key, units)| format!("{units} {key}")).collect();
            let details = format!("{} until {}", bought.join(", "), time::show(e.end_time.as_ref()));
            cells("upfront_purchased", &e.payer_account_id, &e.buyer_account_id, &e.agreement_id, details)
        }
        Some(Event::UpfrontAmended(e)) => {
            let held: Vec<_> = e.quantities.iter().map(|(key, units)| format!("{units} {key}")).collect();
            let until = time::show(e.end_time.as_ref());
            let details =
                format!("{} in place of purchase {}, until {until}", held.join(", "), e.amended_number);
            cells("upfront_amended", &e.payer_account_id, &e.buyer_account_id, &e.agreement_id, details)
        }
        Some(Event::UpfrontRefunded(e)) => {
            let details = format!("purchase {} given back", e.number);
            cells("upfront_refunded", &e.payer_account_id, &e.buyer_account_id, &e.agreement_id, details)
        }
        Some(Event::InvoiceIssued(e)) => {
            let kind = word(e.kind().as_str_name(), "INVOICE_KIND_");
            let details = format!("{kind} of {}: {} {}", e.billing_period, e.total, e.currency_code);
            cells("invoice_issued", &e.payer_account_id, "", &e.invoice_id, details)
        }
        Some(Event::InvoicePaid(e)) => {
            let details = format!("{} {}", e.amount, e.currency_code);
            cells("invoice_paid", &e.payer_account_id, "", &e.invoice_id, details)
        }
        Some(Event::MonthClosed(e)) => {
            cells("month_closed", &e.payer_account_id, "", "", e.billing_period.clone())
        }
        // A kind that this client does not know.
        None => cells("", "", "", "", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use souk_proto::agreement::v1::AgreementStatus;
    use souk_proto::billing::v1::InvoiceKind;
    use souk_proto::catalog::v1::PriceChange;
    use souk_proto::sandbox::v1::{
        AgreementAcceptedEvent, AgreementEndedEvent, AgreementOrigin, InvoiceIssuedEvent, InvoicePaidEvent,
        MonthClosedEvent, OfferReleasedEvent, PricesChangedEvent, UpfrontAmendedEvent, UpfrontPurchasedEvent,
    };

    use super::*;

    #[test]
    fn every_kind_is_one_line() {
        let own = str::to_owned;
        let (payer_account_id, buyer_account_id) = (own("111111111111"), own("222222222222"));
        let (agreement_id, offer_id) = (own("agmt-1"), own("offer-1"));
        let later = Some(Timestamp { seconds: 86_400, nanos: 0 });
        let change = PriceChange { existing_subscribers_from: later, ..PriceChange::default() };
        let events = [
            Event::OfferReleased(OfferReleasedEvent {
                offer_id: offer_id.clone(),
                product_id: own("prod-1"),
                private: true,
            }),
            Event::PricesChanged(PricesChangedEvent {
                offer_id: offer_id.clone(),
                change: Some(change),
                ..PricesChangedEvent::default()
            }),
            Event::AgreementEnded(AgreementEndedEvent {
                agreement_id: agreement_id.clone(),
                buyer_account_id: buyer_account_id.clone(),
                payer_account_id: payer_account_id.clone(),
                offer_id: offer_id.clone(),
                status: AgreementStatus::Replaced.into(),
                ..AgreementEndedEvent::default()
            }),
            Event::AgreementAccepted(AgreementAcceptedEvent {
                agreement_id: agreement_id.clone(),
                buyer_account_id: buyer_account_id.clone(),
                payer_account_id: payer_account_id.clone(),
                offer_id,
                origin: AgreementOrigin::FellBack.into(),
                ..AgreementAcceptedEvent::default()
            }),
            Event::UpfrontPurchased(UpfrontPurchasedEvent {
                agreement_id: agreement_id.clone(),
                buyer_account_id: buyer_account_id.clone(),
                payer_account_id: payer_account_id.clone(),
                quantities: BTreeMap::from([(own("large"), 2), (own("small"), 1)]),
                end_time: later,
                ..UpfrontPurchasedEvent::default()
            }),
            Event::UpfrontAmended(UpfrontAmendedEvent {
                agreement_id,
                buyer_account_id,
                payer_account_id: payer_account_id.clone(),
                number: 2,
                amended_number: 1,
                quantities: BTreeMap::from([(own("large"), 5)]),
                end_time: later,
                ..UpfrontAmendedEvent::default()
            }),
            Event::InvoiceIssued(InvoiceIssuedEvent {
                invoice_id: own("MPIN-1"),
                payer_account_id: payer_account_id.clone(),
                kind: InvoiceKind::Usage.into(),
                billing_period: own("1970-01"),
                total: own("7.50"),
                currency_code: own("USD"),
            }),
            Event::InvoicePaid(InvoicePaidEvent {
                invoice_id: own("MPIN-1"),
                payer_account_id: payer_account_id.clone(),
                amount: own("7.50"),
                currency_code: own("USD"),
            }),
            Event::MonthClosed(MonthClosedEvent { payer_account_id, billing_period: own("1970-01") }),
        ];
        let time = Some(Timestamp { seconds: 3_600, nanos: 0 });
        let events: Vec<_> =
            events.into_iter().map(|event| SandboxEvent { time, event: Some(event) }).collect();
        insta::assert_snapshot!(list(&events).unwrap().to_table(), @r"
        Time                  Event               Payer account id  Buyer account id  Id       Details
        --------------------- ------------------- ----------------- ----------------- -------- -----------------------------------------------------------
        1970-01-01T01:00:00Z  offer_released                                          offer-1  private, of prod-1
        1970-01-01T01:00:00Z  prices_changed                                          offer-1  for existing subscribers from 1970-01-02T00:00:00Z
        1970-01-01T01:00:00Z  agreement_ended     111111111111      222222222222      agmt-1   replaced, of offer-1
        1970-01-01T01:00:00Z  agreement_accepted  111111111111      222222222222      agmt-1   fell_back, of offer-1
        1970-01-01T01:00:00Z  upfront_purchased   111111111111      222222222222      agmt-1   2 large, 1 small until 1970-01-02T00:00:00Z
        1970-01-01T01:00:00Z  upfront_amended     111111111111      222222222222      agmt-1   5 large in place of purchase 1, until 1970-01-02T00:00:00Z
        1970-01-01T01:00:00Z  invoice_issued      111111111111                        MPIN-1   usage of 1970-01: 7.50 USD
        1970-01-01T01:00:00Z  invoice_paid        111111111111                        MPIN-1   7.50 USD
        1970-01-01T01:00:00Z  month_closed        111111111111                                 1970-01
        ");
    }
}
