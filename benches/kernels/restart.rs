//! A restart: replaying records from the log of a partition, against a loop that reads, checks and applies the same
//! bytes with nothing of a marketplace around them.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use souk_benches::{fleet_hour, hours, tally};
use souk_core::ids::SandboxName;
use souk_core::machine::Event;
use souk_core::time::Timestamp;
use souk_log::{LogName, LogStore, PartitionLog, SegmentedStore, Seq};
use souk_server::codec::{PartitionBatch, encode_partition_batch};
use tempfile::TempDir;

use super::apply::{Dense, SERIES};
use super::{About, Row};

const ROUNDS: usize = 3;
const REPLAY: About = About {
    name: "replay of logged records",
    unit: "M records/s",
    baseline_is: "a loop that reads, checks and applies the same columns to one dense array",
    at_least: Some(0.6),
};

/// The rows.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let folder = TempDir::new()?;
    let store = SegmentedStore::new(folder.path());
    let mut log = store.open(&LogName::new("partition-0")?)?;
    let (name, count) = (SandboxName::new("replayed"), hours().len() as u32);
    for hour in 0..count {
        let events = [(name.clone(), Event::UsageAccepted(fleet_hour(SERIES, hour)))];
        log.append(&encode_partition_batch(Timestamp::MIN, None, &events))?;
    }
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let pair = (replay(log.as_mut(), count)?, read(log.as_mut(), count)?);
        if 0 < round {
            rounds.push(pair);
        }
    }
    Ok(vec![Row::measured(REPLAY, rounds)])
}

/// As a partition replays its log.
fn replay(log: &mut dyn PartitionLog, hours: u32) -> anyhow::Result<f64> {
    let mut tally = tally(SERIES);
    let began = Instant::now();
    let mut failed = None;
    log.read(Seq::FIRST, &mut |_, bytes| {
        match PartitionBatch::decode(bytes) {
            Ok(batch) => {
                for (_, event) in &batch.events {
                    if let Event::UsageAccepted(columns) = event {
                        black_box(tally.accept(columns));
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or(Ok(()), Err)?;
    Ok(rate(began, hours))
}

/// The same bytes: every one is checked and read, and every record has a cell.
fn read(log: &mut dyn PartitionLog, hours: u32) -> anyhow::Result<f64> {
    let mut dense = Dense::new(SERIES, hours);
    let began = Instant::now();
    let mut hour = 0;
    log.read(Seq::FIRST, &mut |_, bytes| {
        // The quantities are a byte each, at the end of their batch.
        let units = &bytes[bytes.len() - SERIES as usize..];
        dense.accept_rows(hour, (0..).zip(units.iter().map(|units| u32::from(*units))));
        hour += 1;
        ControlFlow::Continue(())
    })?;
    black_box(&dense);
    Ok(rate(began, hours))
}

/// Millions of records a second.
fn rate(began: Instant, hours: u32) -> f64 {
    f64::from(SERIES) * f64::from(hours) / began.elapsed().as_secs_f64() / 1e6
}
