//! The control log's batch and its entries.

use souk_core::ids::{OfferId, SandboxName};
use souk_core::machine::{ControlEntry, Seed};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::control_entry::Entry;

use super::agreement::{from_journal_configuration, to_journal_configuration};
use super::catalog::{from_journal_change, to_journal_change};
use super::rules::{from_journal_clock, from_journal_rules, to_journal_clock, to_journal_rules};
use super::value::{account, id, list, message, required, required_time};
use super::{CodecError, ControlBatch, FORMAT_VERSION};

pub(super) fn to_journal_control_batch(batch: &ControlBatch) -> journal::ControlBatch {
    let ControlBatch { time, entries } = batch;
    journal::ControlBatch {
        format_version: FORMAT_VERSION,
        time_micros: Some(time.micros()),
        entries: entries.iter().map(to_journal_entry).collect(),
    }
}

pub(super) fn from_journal_control_batch(batch: journal::ControlBatch) -> Result<ControlBatch, CodecError> {
    Ok(ControlBatch {
        time: required_time(batch.time_micros, "time_micros")?,
        entries: list(batch.entries, "entries", from_journal_entry)?,
    })
}

fn to_journal_entry(entry: &ControlEntry) -> journal::ControlEntry {
    let stored = match entry {
        ControlEntry::SandboxPut { name: _, description, rules, began, changes, seeds, clock } => {
            Entry::SandboxPut(journal::SandboxPut {
                description: Some(description.clone()),
                rules: Some(to_journal_rules(rules)),
                began_micros: Some(began.micros()),
                changes: changes.iter().map(to_journal_change).collect(),
                seeds: seeds.iter().map(to_journal_seed).collect(),
                clock: Some(to_journal_clock(*clock)),
            })
        }
        ControlEntry::SandboxDeleted { name: _ } => Entry::SandboxDeleted(journal::SandboxDeleted {}),
        ControlEntry::Changed { name: _, change } => Entry::Changed(to_journal_change(change)),
    };
    journal::ControlEntry { sandbox: entry.sandbox().to_string(), entry: Some(stored) }
}

fn from_journal_entry(entry: journal::ControlEntry) -> Result<ControlEntry, CodecError> {
    let name = id(&entry.sandbox, SandboxName::new, "sandbox")?;
    match required(entry.entry, "entry")? {
        Entry::SandboxPut(put) => from_journal_sandbox_put(put, name).map_err(|e| e.within("sandbox_put")),
        Entry::SandboxDeleted(journal::SandboxDeleted {}) => Ok(ControlEntry::SandboxDeleted { name }),
        Entry::Changed(change) => {
            let change = from_journal_change(change).map_err(|e| e.within("changed"))?;
            Ok(ControlEntry::Changed { name, change })
        }
    }
}

fn from_journal_sandbox_put(put: journal::SandboxPut, name: SandboxName) -> Result<ControlEntry, CodecError> {
    Ok(ControlEntry::SandboxPut {
        name,
        description: required(put.description, "description")?,
        rules: message(put.rules, "rules", from_journal_rules)?,
        began: required_time(put.began_micros, "began_micros")?,
        changes: list(put.changes, "changes", from_journal_change)?,
        seeds: list(put.seeds, "seeds", from_journal_seed)?,
        clock: message(put.clock, "clock", from_journal_clock)?,
    })
}

fn to_journal_seed(seed: &Seed) -> journal::Seed {
    let Seed { offer, buyer, at, configuration, position } = seed;
    journal::Seed {
        offer_id: offer.to_string(),
        buyer: Some(buyer.number()),
        acceptance_micros: Some(at.micros()),
        configuration: configuration.as_ref().map(to_journal_configuration),
        position: Some(*position),
    }
}

fn from_journal_seed(seed: journal::Seed) -> Result<Seed, CodecError> {
    let configuration = seed.configuration.map(from_journal_configuration).transpose();
    Ok(Seed {
        offer: id(&seed.offer_id, OfferId::new, "offer_id")?,
        buyer: account(seed.buyer, "buyer")?,
        at: required_time(seed.acceptance_micros, "acceptance_micros")?,
        configuration: configuration.map_err(|e| e.within("configuration"))?,
        position: required(seed.position, "position")?,
    })
}
