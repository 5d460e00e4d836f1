//! A partition's batch and its events. The names of the sandboxes stand in the batch once.

use std::collections::HashMap;
use std::sync::Arc;

use souk_core::agreement::{AgreementStatus, InstalmentState};
use souk_core::ids::{AgreementId, DimensionKey, MeteringResource, ProductId, SandboxName};
use souk_core::machine::Event;
use souk_core::metering::Program;
use souk_core::rating::Demonstration;
use souk_core::time::Timestamp;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::journal_event::Event as Stored;

use super::agreement::{
    from_journal_agreement, from_journal_purchase, to_journal_agreement, to_journal_purchase,
};
use super::columns::{from_journal_columns, from_journal_usage, to_journal_usage};
use super::invoice::{from_journal_invoice, from_journal_paid, to_journal_invoice, to_journal_paid};
use super::told::{
    from_journal_added, from_journal_inferences, from_journal_runs, to_journal_added, to_journal_inferences,
    to_journal_runs,
};
use super::usage::{from_journal_allocated, from_journal_series, to_journal_allocated, to_journal_series};
use super::value::{
    Stored as _, account, hash, id, list, message, month, quantity_sum, required, required_time,
};
use super::{CodecError, FORMAT_VERSION, PartitionBatch};

pub(super) fn to_journal_partition_batch(
    time: Timestamp,
    followed: Option<u64>,
    events: &[(SandboxName, Event)],
) -> journal::PartitionBatch {
    let mut sandboxes = Vec::new();
    let mut positions: HashMap<&SandboxName, u32> = HashMap::new();
    let mut stored = Vec::with_capacity(events.len());
    for (sandbox, event) in events {
        let position = *positions.entry(sandbox).or_insert_with(|| {
            sandboxes.push(sandbox.to_string());
            sandboxes.len() as u32 - 1
        });
        stored.push(journal::JournalEvent { sandbox: position, event: Some(to_journal_event(event)) });
    }
    journal::PartitionBatch {
        format_version: FORMAT_VERSION,
        time_micros: Some(time.micros()),
        followed_control_seq: followed,
        sandboxes,
        events: stored,
    }
}

pub(super) fn from_journal_partition_batch(
    batch: journal::PartitionBatch,
) -> Result<PartitionBatch, CodecError> {
    let sandboxes = list(batch.sandboxes, "sandboxes", |name| id(&name, SandboxName::new, "name"))?;
    let event = |event: journal::JournalEvent| {
        let sandbox = sandboxes.get(event.sandbox as usize).cloned();
        let sandbox = sandbox.ok_or_else(|| CodecError::invalid("sandbox", &event.sandbox))?;
        Ok((sandbox, from_journal_event(required(event.event, "event")?)?))
    };
    Ok(PartitionBatch {
        time: required_time(batch.time_micros, "time_micros")?,
        followed: batch.followed_control_seq,
        events: list(batch.events, "events", event)?,
    })
}

fn to_journal_event(event: &Event) -> Stored {
    match event {
        Event::AgreementAccepted(agreement) => Stored::AgreementAccepted(to_journal_agreement(agreement)),
        Event::UpfrontPurchased { payer, agreement, purchase, renews } => {
            Stored::UpfrontPurchased(journal::UpfrontPurchased {
                payer: Some(payer.number()),
                agreement_id: agreement.to_string(),
                purchase: Some(to_journal_purchase(purchase)),
                renews: *renews,
            })
        }
        Event::UpfrontAmended { payer, agreement, amended, purchase } => {
            Stored::UpfrontAmended(journal::UpfrontAmended {
                payer: Some(payer.number()),
                agreement_id: agreement.to_string(),
                amended: Some(*amended),
                purchase: Some(to_journal_purchase(purchase)),
            })
        }
        Event::UpfrontRefunded { payer, agreement, number, at } => {
            Stored::UpfrontRefunded(journal::UpfrontRefunded {
                payer: Some(payer.number()),
                agreement_id: agreement.to_string(),
                number: Some(*number),
                end_micros: Some(at.micros()),
            })
        }
        Event::InstalmentSettled { payer, agreement, number, state } => {
            Stored::InstalmentSettled(journal::InstalmentSettled {
                payer: Some(payer.number()),
                agreement_id: agreement.to_string(),
                number: Some(*number),
                state: state.to_journal(),
            })
        }
        Event::AgreementEnded { payer, agreement, status, at } => {
            Stored::AgreementEnded(journal::AgreementEnded {
                payer: Some(payer.number()),
                agreement_id: agreement.to_string(),
                status: status.to_journal(),
                end_micros: Some(at.micros()),
            })
        }
        Event::InvoiceIssued(invoice) => Stored::InvoiceIssued(to_journal_invoice(invoice)),
        Event::InvoicePaid { payer, invoice, amount, at } => {
            Stored::InvoicePaid(to_journal_paid(*payer, invoice, *amount, *at))
        }
        Event::MonthClosed { payer, month } => Stored::MonthClosed(journal::MonthClosed {
            payer: Some(payer.number()),
            month: Some(month.index()),
        }),
        Event::Demonstrated { payer, demonstration } => {
            let Demonstration { month, buyer, product, dimension, quantity } = demonstration;
            Stored::Demonstrated(journal::Demonstrated {
                payer: Some(payer.number()),
                month: Some(month.index()),
                buyer: Some(buyer.number()),
                product_id: product.to_string(),
                dimension: dimension.to_string(),
                quantity_millionths: quantity.0.to_string(),
            })
        }
        Event::SeriesOpened(series) => Stored::SeriesOpened(to_journal_series(series)),
        Event::UsageAccepted(columns) => to_journal_usage(columns),
        Event::UsageAdded(columns) => Stored::UsageAdded(to_journal_added(columns)),
        Event::RunsTold(runs) => Stored::RunsTold(to_journal_runs(runs)),
        Event::InferencesTold(calls) => Stored::InferencesTold(to_journal_inferences(calls)),
        Event::UsageAllocated { handle, hour, allocations } => {
            Stored::UsageAllocated(to_journal_allocated(*handle, *hour, allocations))
        }
        Event::ClientTokenUsed { payer, token, parameters, at } => {
            Stored::ClientTokenUsed(journal::ClientTokenUsed {
                payer: Some(payer.number()),
                token_hash: token.to_be_bytes().to_vec(),
                parameters_hash: parameters.to_be_bytes().to_vec(),
                call_micros: Some(at.micros()),
            })
        }
        Event::UsageRegistered { program, at } => Stored::UsageRegistered(journal::UsageRegistered {
            payer: Some(program.payer.number()),
            buyer: Some(program.buyer.number()),
            product_id: program.product.to_string(),
            resource: program.resource.to_string(),
            call_micros: Some(at.micros()),
        }),
    }
}

fn from_journal_event(event: Stored) -> Result<Event, CodecError> {
    let (name, event) = match event {
        Stored::AgreementAccepted(agreement) => {
            ("agreement_accepted", from_journal_agreement(agreement).map(Event::AgreementAccepted))
        }
        Stored::UpfrontPurchased(purchased) => {
            ("upfront_purchased", from_journal_upfront_purchased(purchased))
        }
        Stored::UpfrontAmended(amended) => ("upfront_amended", from_journal_upfront_amended(amended)),
        Stored::UpfrontRefunded(refunded) => ("upfront_refunded", from_journal_upfront_refunded(&refunded)),
        Stored::InstalmentSettled(settled) => {
            ("instalment_settled", from_journal_instalment_settled(&settled))
        }
        Stored::AgreementEnded(ended) => ("agreement_ended", from_journal_agreement_ended(&ended)),
        Stored::InvoiceIssued(invoice) => (
            "invoice_issued",
            from_journal_invoice(invoice).map(|invoice| Event::InvoiceIssued(Arc::new(invoice))),
        ),
        Stored::InvoicePaid(paid) => ("invoice_paid", from_journal_paid(&paid)),
        Stored::Demonstrated(shown) => ("demonstrated", from_journal_demonstrated(&shown)),
        Stored::MonthClosed(closed) => ("month_closed", from_journal_month_closed(closed)),
        Stored::SeriesOpened(series) => {
            ("series_opened", from_journal_series(series).map(Event::SeriesOpened))
        }
        Stored::UsageAccepted(usage) => {
            ("usage_accepted", from_journal_usage(usage).map(Event::UsageAccepted))
        }
        Stored::UsageColumnsAccepted(columns) => {
            ("usage_columns_accepted", from_journal_columns(&columns).map(Event::UsageAccepted))
        }
        Stored::UsageAdded(added) => ("usage_added", from_journal_added(added).map(Event::UsageAdded)),
        Stored::RunsTold(told) => ("runs_told", from_journal_runs(&told).map(Event::RunsTold)),
        Stored::InferencesTold(told) => {
            ("inferences_told", from_journal_inferences(told).map(Event::InferencesTold))
        }
        Stored::UsageAllocated(allocated) => ("usage_allocated", from_journal_allocated(allocated)),
        Stored::ClientTokenUsed(used) => ("client_token_used", from_journal_client_token_used(&used)),
        Stored::UsageRegistered(registered) => {
            ("usage_registered", from_journal_usage_registered(&registered))
        }
    };
    event.map_err(|e| e.within(name))
}

fn from_journal_upfront_purchased(purchased: journal::UpfrontPurchased) -> Result<Event, CodecError> {
    Ok(Event::UpfrontPurchased {
        payer: account(purchased.payer, "payer")?,
        agreement: id(&purchased.agreement_id, AgreementId::new, "agreement_id")?,
        purchase: message(purchased.purchase, "purchase", from_journal_purchase)?,
        renews: purchased.renews,
    })
}

fn from_journal_upfront_amended(amended: journal::UpfrontAmended) -> Result<Event, CodecError> {
    Ok(Event::UpfrontAmended {
        payer: account(amended.payer, "payer")?,
        agreement: id(&amended.agreement_id, AgreementId::new, "agreement_id")?,
        amended: required(amended.amended, "amended")?,
        purchase: message(amended.purchase, "purchase", from_journal_purchase)?,
    })
}

fn from_journal_upfront_refunded(refunded: &journal::UpfrontRefunded) -> Result<Event, CodecError> {
    Ok(Event::UpfrontRefunded {
        payer: account(refunded.payer, "payer")?,
        agreement: id(&refunded.agreement_id, AgreementId::new, "agreement_id")?,
        number: required(refunded.number, "number")?,
        at: required_time(refunded.end_micros, "end_micros")?,
    })
}

fn from_journal_instalment_settled(settled: &journal::InstalmentSettled) -> Result<Event, CodecError> {
    Ok(Event::InstalmentSettled {
        payer: account(settled.payer, "payer")?,
        agreement: id(&settled.agreement_id, AgreementId::new, "agreement_id")?,
        number: required(settled.number, "number")?,
        state: InstalmentState::from_journal(settled.state, "state")?,
    })
}

fn from_journal_agreement_ended(ended: &journal::AgreementEnded) -> Result<Event, CodecError> {
    Ok(Event::AgreementEnded {
        payer: account(ended.payer, "payer")?,
        agreement: id(&ended.agreement_id, AgreementId::new, "agreement_id")?,
        status: AgreementStatus::from_journal(ended.status, "status")?,
        at: required_time(ended.end_micros, "end_micros")?,
    })
}

fn from_journal_demonstrated(shown: &journal::Demonstrated) -> Result<Event, CodecError> {
    Ok(Event::Demonstrated {
        payer: account(shown.payer, "payer")?,
        demonstration: Demonstration {
            month: month(shown.month, "month")?,
            buyer: account(shown.buyer, "buyer")?,
            product: id(&shown.product_id, ProductId::new, "product_id")?,
            dimension: id(&shown.dimension, DimensionKey::new, "dimension")?,
            quantity: quantity_sum(&shown.quantity_millionths, "quantity_millionths")?,
        },
    })
}

fn from_journal_month_closed(closed: journal::MonthClosed) -> Result<Event, CodecError> {
    Ok(Event::MonthClosed { payer: account(closed.payer, "payer")?, month: month(closed.month, "month")? })
}

fn from_journal_client_token_used(used: &journal::ClientTokenUsed) -> Result<Event, CodecError> {
    Ok(Event::ClientTokenUsed {
        payer: account(used.payer, "payer")?,
        token: hash(&used.token_hash, "token_hash")?,
        parameters: hash(&used.parameters_hash, "parameters_hash")?,
        at: required_time(used.call_micros, "call_micros")?,
    })
}

fn from_journal_usage_registered(registered: &journal::UsageRegistered) -> Result<Event, CodecError> {
    let program = Program {
        payer: account(registered.payer, "payer")?,
        buyer: account(registered.buyer, "buyer")?,
        product: id(&registered.product_id, ProductId::new, "product_id")?,
        resource: id(&registered.resource, MeteringResource::new, "resource")?,
    };
    Ok(Event::UsageRegistered { program, at: required_time(registered.call_micros, "call_micros")? })
}
