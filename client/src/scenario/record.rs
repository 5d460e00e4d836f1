//! Writes what happened in a sandbox as a scenario, with what came of it as its expectations.
//!
//! What sellers publish and buyers accept is in the sandbox's history; usage is in the records that stand. When those
//! were sent is not kept, so they are told between what happened before and after their hours, and the scenario's
//! rules let usage come in until its month closes.

mod events;
mod inferences;
mod results;
mod usage;
mod words;

use prost_types::Timestamp;
use souk_client::{AgreementFilter, EventFilter, InvoiceFilter, OfferFilter, RecordFilter, SoukClient};
use souk_proto::agreement::v1::Agreement;
use souk_proto::billing::v1::{Invoice, InvoiceKind};
use souk_proto::catalog::v1::{BilledBy, Offer, Product, ResaleAuthorization};
use souk_proto::document;
use souk_proto::metering::v1::MeteredRecord;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_proto::sandbox::v1::sandbox_event::Event;
use souk_proto::sandbox::v1::{ClockSetting, MeteringWindow, SandboxDocument, SandboxEvent};

use self::words::{Names, indented, item};
use crate::cli::error::CliError;

/// A step of the scenario, ready to be written.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    seconds: i64,
    nanos: i32,
    rank: Rank,
    /// The actions, without dash and time.
    deeds: Vec<String>,
}

/// What comes first of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Usage of hours that are over.
    Past,
    /// What sellers and buyers do.
    Deed,
    /// Usage of the hour that the clock stands in.
    Present,
}

/// What a sandbox holds and what happened in it.
struct Past {
    products: Vec<Product>,
    authorizations: Vec<ResaleAuthorization>,
    offers: Vec<Offer>,
    agreements: Vec<Agreement>,
    events: Vec<SandboxEvent>,
    credit_memos: Vec<Invoice>,
    began: Timestamp,
    now: Timestamp,
    names: Names,
}

/// The scenario of a sandbox.
pub async fn record(client: &SoukClient, sandbox: &str) -> Result<String, CliError> {
    let described = client.get_sandbox(sandbox).await?;
    let accounts = client.all_accounts(sandbox).await?;
    let products = client.all_products(sandbox).await?;
    let authorizations = client.all_resale_authorizations(sandbox, &OfferFilter::default()).await?;
    let offers = client.all_offers(sandbox, &OfferFilter::default()).await?;
    let agreements = client.all_agreements(sandbox, &AgreementFilter::default()).await?;
    let events = client.all_events(sandbox, &EventFilter::default()).await?;
    let mut credit_memos = Vec::new();
    for invoice in client.all_invoices(sandbox, &InvoiceFilter::default()).await? {
        if invoice.kind() == InvoiceKind::CreditMemo {
            credit_memos.push(client.get_invoice(sandbox, &invoice.invoice_id).await?);
        }
    }
    let whole = described.sandbox.unwrap_or_default();
    let now = whole.clock.and_then(|clock| clock.now).unwrap_or_default();
    let began = events.first().and_then(|event| event.time).unwrap_or(now);
    let names = Names::new(&accounts, &products, &agreements, &events);
    let past = Past { products, authorizations, offers, agreements, events, credit_memos, began, now, names };

    let mut rules = whole.rules.unwrap_or_default();
    rules.metering_window = MeteringWindow::OpenMonth as i32;
    let mut document = SandboxDocument {
        description: whole.description,
        clock: Some(ClockSetting { setting: Some(Setting::At(began)) }),
        rules: Some(rules),
        accounts,
        products: past.products.clone(),
        resale_authorizations: past
            .authorizations
            .iter()
            .filter(|authorization| authorization.grant_time == Some(began))
            .map(as_granted)
            .collect(),
        offers: past
            .offers
            .iter()
            .filter(|offer| !past.is_released_later(&offer.offer_id))
            .cloned()
            .collect(),
        ..SandboxDocument::default()
    };
    for account in &mut document.accounts {
        // Their secrets are never answered.
        account.access_keys.clear();
    }

    let mut steps = events::steps(&past);
    let mut records = client.all_metered_records(sandbox, &RecordFilter::default()).await?;
    refuse_runs(&past, &records)?;
    steps.extend(inferences::steps(&past, &records));
    records.retain(|record| inferences::billed_by(&past, record) == BilledBy::Unspecified);
    steps.extend(usage::steps(&past, &records));
    steps.sort();

    let mut text = format!("# What happened in the sandbox {sandbox} until {now}, and what came of it.\n");
    text.push_str(&format!("scenario: {}\n", document::yaml_text(&format!("What happened in {sandbox}"))));
    text.push_str(&format!("sandbox:\n{}timeline:\n", indented(2, &document::to_yaml(&document))));
    let mut before = began;
    for step in &steps {
        let at = Timestamp { seconds: step.seconds, nanos: step.nanos };
        for deed in &step.deeds {
            // What happens at the same time needs no time of its own.
            let time = if at == before { String::new() } else { format!("at: {at}\n") };
            text.push_str(&indented(2, &item(&format!("{time}{deed}"))));
            before = at;
        }
    }
    let results = results::expected(client, sandbox, &past).await?;
    text.push_str(&format!("  - at: {now}\n    expect:\n{}", indented(6, &results)));
    Ok(text)
}

/// An authorization as its manufacturer granted it, without what became of it.
fn as_granted(authorization: &ResaleAuthorization) -> ResaleAuthorization {
    ResaleAuthorization { status: 0, grant_time: None, restriction_time: None, ..authorization.clone() }
}

/// What runs add to an hour does not say when they ran.
fn refuse_runs(past: &Past, records: &[MeteredRecord]) -> Result<(), CliError> {
    let ran = |record: &&MeteredRecord| {
        matches!(inferences::billed_by(past, record), BilledBy::Second | BilledBy::Minute)
    };
    match records.iter().find(ran) {
        None => Ok(()),
        Some(record) => Err(CliError::Usage(format!(
            "runs of \"{}\" were metered by the second or minute, and when they ran is not kept: write a scenario with \
             meterRuns instead",
            record.dimension
        ))),
    }
}

impl Past {
    fn is_released_later(&self, offer_id: &str) -> bool {
        let released = self.events.iter().find(|event| match &event.event {
            Some(Event::OfferReleased(released)) => released.offer_id == offer_id,
            _ => false,
        });
        released.is_some_and(|event| event.time != Some(self.began))
    }
}
