//! Durable appends of 96 KiB, with the housekeeping that a partition's writer does between them. The baseline
//! appends the same bytes to a file and flushes it.
//!
//! Both write below the target folder, on the disk that the sources are on. Every sample begins a new log, so
//! that no more than a sample's batches are there at a time.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use souk_log::{LogName, LogStore, SqliteStore};
use tempfile::TempDir;

const BATCH_BYTES: u64 = 96 * 1024;

fn log_append(criterion: &mut Criterion) {
    let batch: Vec<u8> = (0..BATCH_BYTES).map(|number| (number * 31 % 251) as u8).collect();
    let mut group = criterion.benchmark_group("log_append");
    group.throughput(Throughput::Bytes(BATCH_BYTES));
    group.sample_size(20);
    group.bench_function("SqliteStore", |bencher| bencher.iter_custom(|times| append(&batch, times)));
    group
        .bench_function("file, fdatasync", |bencher| bencher.iter_custom(|times| append_bare(&batch, times)));
    group.finish();
}

fn append(batch: &[u8], times: u64) -> Duration {
    let folder = folder();
    let name = LogName::new("partition-0").expect("a name");
    let mut log = SqliteStore::new(folder.path()).open(&name).expect("a new log");
    let began = Instant::now();
    for _ in 0..times {
        log.append(batch).expect("an append");
        log.maintain().expect("housekeeping");
    }
    began.elapsed()
}

fn append_bare(batch: &[u8], times: u64) -> Duration {
    let folder = folder();
    let path = folder.path().join("log");
    let mut file = OpenOptions::new().create_new(true).append(true).open(path).expect("a new file");
    let began = Instant::now();
    for _ in 0..times {
        file.write_all(batch).expect("an append");
        file.sync_data().expect("a flush");
    }
    began.elapsed()
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

criterion_group!(benches, log_append);
criterion_main!(benches);
