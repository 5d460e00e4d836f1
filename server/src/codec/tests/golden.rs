//! The batches of the past: what any version stored is still read, and still means the same.
//!
//! For each there are two files in `server/tests/golden`: the bytes (`.hex`) and what they mean (`.txt`).
//! Files of bytes are only ever added: they are what lies on somebody's disk. When a sample is written in
//! other bytes than its file holds, the format changed: give the sample another name, so that the old file
//! stays.
//! When the core's types change their shape, take the text away, renew it and review it.
//! `SOUK_RENEW=1 cargo test -p souk-server codec` writes the files that are missing, and no other.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::{env, fs};

use souk_core::catalog::Change;
use souk_core::machine::{ControlEntry, Event};

use super::samples;
use crate::codec::{CodecError, ControlBatch, PartitionBatch};

const RENEW: &str = "SOUK_RENEW";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

#[test]
fn partition_batches_of_the_past_mean_what_they_meant() {
    let samples = samples::partition().into_iter().map(|(name, batch)| (name, batch.encode()));
    let batches = check_folder("partition", samples, PartitionBatch::decode);
    let found: BTreeSet<_> =
        batches.iter().flat_map(|batch| &batch.events).map(|(_, event)| name(event)).collect();
    let expected = [
        "agreement accepted",
        "agreement ended",
        "client token used",
        "demonstrated",
        "inferences told",
        "instalment settled",
        "invoice issued",
        "invoice paid",
        "month closed",
        "runs told",
        "series opened",
        "upfront amended",
        "upfront purchased",
        "upfront refunded",
        "usage accepted",
        "usage added",
        "usage allocated",
        "usage registered",
    ];
    assert_eq!(found, expected.into(), "every kind of event has a stored batch");
}

#[test]
fn control_batches_of_the_past_mean_what_they_meant() {
    let samples = samples::control().into_iter().map(|(name, batch)| (name, batch.encode()));
    let batches = check_folder("control", samples, ControlBatch::decode);
    let found: BTreeSet<_> = batches.iter().flat_map(|batch| &batch.entries).map(entry_name).collect();
    let expected = [
        "account put",
        "clock set",
        "dimensions added",
        "faults set",
        "offer created",
        "prices changed",
        "product created",
        "public keys set",
        "resale authorized",
        "resale restricted",
        "sandbox deleted",
        "sandbox put",
    ];
    assert_eq!(found, expected.into(), "every kind of control entry has a stored batch");
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::AgreementAccepted(_) => "agreement accepted",
        Event::UpfrontPurchased { .. } => "upfront purchased",
        Event::UpfrontAmended { .. } => "upfront amended",
        Event::UpfrontRefunded { .. } => "upfront refunded",
        Event::InstalmentSettled { .. } => "instalment settled",
        Event::AgreementEnded { .. } => "agreement ended",
        Event::InvoiceIssued(_) => "invoice issued",
        Event::InvoicePaid { .. } => "invoice paid",
        Event::MonthClosed { .. } => "month closed",
        Event::Demonstrated { .. } => "demonstrated",
        Event::SeriesOpened(_) => "series opened",
        Event::UsageAccepted(_) => "usage accepted",
        Event::UsageAllocated { .. } => "usage allocated",
        Event::UsageAdded(_) => "usage added",
        Event::RunsTold(_) => "runs told",
        Event::InferencesTold(_) => "inferences told",
        Event::ClientTokenUsed { .. } => "client token used",
        Event::UsageRegistered { .. } => "usage registered",
    }
}

fn entry_name(entry: &ControlEntry) -> &'static str {
    match entry {
        ControlEntry::SandboxPut { .. } => "sandbox put",
        ControlEntry::SandboxDeleted { .. } => "sandbox deleted",
        ControlEntry::Changed { change, .. } => match change {
            Change::AccountPut(_) => "account put",
            Change::ProductCreated(_) => "product created",
            Change::DimensionsAdded { .. } => "dimensions added",
            Change::OfferCreated(_) => "offer created",
            Change::PricesChanged { .. } => "prices changed",
            Change::ClockSet(_) => "clock set",
            Change::FaultsSet(_) => "faults set",
            Change::PublicKeysSet(_) => "public keys set",
            Change::ResaleAuthorized(_) => "resale authorized",
            Change::ResaleRestricted { .. } => "resale restricted",
        },
    }
}

/// Checks the samples against their files, and every file against its text; answers what the files hold.
fn check_folder<B: Debug>(
    folder: &str,
    samples: impl Iterator<Item = (&'static str, Vec<u8>)>,
    decode: fn(&[u8]) -> Result<B, CodecError>,
) -> Vec<B> {
    let folder = Path::new(FOLDER).join(folder);
    for (name, bytes) in samples {
        let path = folder.join(name).with_extension("hex");
        let stored = read_or_write(&path, &to_hex(&bytes));
        assert!(
            from_hex(&stored) == bytes,
            "{name} is written in other bytes now: give the sample another name"
        );
    }
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "hex")).collect();
    files.sort();
    let check = |path: PathBuf| {
        let batch = decode(&from_hex(&fs::read_to_string(&path).unwrap())).unwrap();
        let text = format!("{batch:#?}\n");
        assert_eq!(text, read_or_write(&path.with_extension("txt"), &text), "{}", path.display());
        batch
    };
    files.into_iter().map(check).collect()
}

fn read_or_write(path: &Path, text: &str) -> String {
    if !path.exists() && env::var_os(RENEW).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::read_to_string(path)
        .unwrap_or_else(|_| panic!("{} is missing: write it by {RENEW}=1", path.display()))
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    bytes.chunks(40).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
