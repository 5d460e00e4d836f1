//! The log's writer: batches of 96 KiB, as a busy partition makes them, against a bare loop that writes the same bytes
//! into a file that was written before, and flushes after each batch.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use souk_log::{AppendError, LogName, LogStore, PartitionLog, SegmentedStore, Seq, SqliteStore};
use tempfile::TempDir;

use super::{About, ROUNDS, Row};

const BATCH_BYTES: usize = 96 * 1024;
/// The size of a segment in use, and of the baseline's file, which is written from its start again.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Batches of a log that are under way.
const IN_FLIGHT: usize = 4;
/// Batches of one measurement.
const TIMES: u64 = 1_200;

/// A way to make so many batches durable, and how long it took.
type Way = fn(&[u8]) -> anyhow::Result<Duration>;

const WAYS: [(About, Way); 3] = [
    (about("log writer, 1 log, 96 KiB batches", Some(0.8)), |batch| submit(batch, 1)),
    (about("log writer, 4 logs, 96 KiB batches", Some(0.8)), |batch| submit(batch, 4)),
    (about("log writer, SQLite one by one", None), sqlite),
];

const fn about(name: &'static str, at_least: Option<f64>) -> About {
    About {
        name,
        unit: "MB/s",
        baseline_is: "the same bytes into a file written before, fdatasync each",
        at_least,
    }
}

/// A row for each way; baseline and ways in turn, since the disk of a shared machine is never the same for long.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let batch: Vec<u8> = (0..BATCH_BYTES).map(|number| (number * 31 % 251) as u8).collect();
    let mut rounds = WAYS.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        let baseline = rate(overwrite(&batch)?);
        for ((_, way), rounds) in WAYS.iter().zip(&mut rounds) {
            let pair = (rate(way(&batch)?), baseline);
            if 0 < round {
                rounds.push(pair);
            }
        }
    }
    Ok(WAYS.iter().zip(rounds).map(|((about, _), rounds)| Row::measured(*about, rounds)).collect())
}

/// Megabytes a second.
fn rate(took: Duration) -> f64 {
    TIMES as f64 * BATCH_BYTES as f64 / 1e6 / took.as_secs_f64()
}

/// Each log on a thread of its own, as partitions are, with its share of the batches.
fn submit(batch: &[u8], count: u64) -> anyhow::Result<Duration> {
    let folder = folder()?;
    let store = SegmentedStore::new(folder.path()).with_segment_bytes(SEGMENT_BYTES, SEGMENT_BYTES);
    let logs: Result<Vec<_>, _> = (0..count).map(|log| store.open(&name(log))).collect();
    let logs = logs.context("failed to open a log")?;
    let began = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> =
            logs.into_iter().map(|log| scope.spawn(|| fill(log, batch, TIMES / count))).collect();
        let filled: anyhow::Result<Vec<()>> = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?)
            .collect();
        filled.map(|_| began.elapsed())
    })
}

fn fill(mut log: Box<dyn PartitionLog>, batch: &[u8], times: u64) -> anyhow::Result<()> {
    let (answered, answers) = sync_channel::<Result<Seq, AppendError>>(IN_FLIGHT);
    for submitted in 0..times {
        if IN_FLIGHT as u64 <= submitted {
            answers.recv()?.context("a batch was not appended")?;
        }
        let answered = answered.clone();
        // Whoever waits for answers waits for all of them.
        log.submit(batch.to_vec(), Box::new(move |result| _ = answered.send(result)));
    }
    drop(answered);
    for answer in answers {
        answer.context("a batch was not appended")?;
    }
    Ok(())
}

fn sqlite(batch: &[u8]) -> anyhow::Result<Duration> {
    let folder = folder()?;
    let mut log = SqliteStore::new(folder.path()).open(&name(0)).context("failed to open a log")?;
    let began = Instant::now();
    for _ in 0..TIMES {
        log.append(batch)?;
        log.maintain()?;
    }
    Ok(began.elapsed())
}

fn overwrite(batch: &[u8]) -> anyhow::Result<Duration> {
    let folder = folder()?;
    let file = File::create_new(folder.path().join("file"))?;
    let zeros = vec![0; 1024 * 1024];
    for offset in (0..SEGMENT_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    let batches = SEGMENT_BYTES / batch.len() as u64;
    let began = Instant::now();
    for number in 0..TIMES {
        file.write_all_at(batch, number % batches * batch.len() as u64)?;
        file.sync_data()?;
    }
    Ok(began.elapsed())
}

fn name(log: u64) -> LogName {
    LogName::new(format!("partition-{log}")).unwrap_or_else(|_| unreachable!("it is a name"))
}

/// Beside this program, which is on the disk that the sources are on.
fn folder() -> anyhow::Result<TempDir> {
    let program = std::env::current_exe().context("failed to find this program")?;
    let folder = program.parent().context("this program is in no folder")?;
    tempfile::tempdir_in(folder).context("failed to make a folder")
}
