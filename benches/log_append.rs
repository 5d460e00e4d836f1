//! Durable appends, in two sizes.
//!
//! - Batches of 96 KiB, as a busy partition makes them. `SegmentedStore` has a few of them in flight, by one log
//!   and by four; `SqliteStore` appends one after the other, with the housekeeping that a partition's writer
//!   does. The baseline is a bare loop which writes the same bytes into a file that was written before, and
//!   flushes after each batch; the other one appends to a file that grows.
//! - Batches of 4 KiB, each awaited before the next one, as a lone caller makes them.
//!
//! All write below the target folder, on the disk that the sources are on. Every sample begins a new log, so
//! that no more than a sample's batches are there at a time. All ways are measured in turn, since the disk of a
//! shared machine is never the same for long: read the ratios. `SegmentedStore` begins with a segment of full size,
//! as a store has that is in use; the segments behind it are prepared within the time that is measured.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use souk_log::{LogName, LogStore, PartitionLog, SegmentedStore, Seq, SqliteStore};
use tempfile::TempDir;

const LARGE_BYTES: usize = 96 * 1024;
const SMALL_BYTES: usize = 4 * 1024;

/// How many batches one log has in flight.
const IN_FLIGHT: usize = 4;

/// The size of a segment in use, and of the baseline's file, which is written from its start again.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// How often each way is measured; all of them in turn, so that they meet the same disk.
const ROUNDS: usize = 9;

/// How long one measurement lasts, about.
const ROUND_TIME: Duration = Duration::from_millis(400);

/// A way to append a batch so many times, and how long it took.
type Way = (&'static str, fn(&[u8], u64) -> Duration);

const LARGE: [Way; 6] = [
    ("file written before, fdatasync", overwrite_bare),
    ("SegmentedStore, 1 log, 4 in flight", |batch, times| submit(batch, times, 1)),
    ("SegmentedStore, 4 logs, 4 in flight each", |batch, times| submit(batch, times, 4)),
    ("SegmentedStore, one by one", |batch, times| append(segmented(), batch, times)),
    ("SqliteStore, one by one", |batch, times| append(sqlite(), batch, times)),
    ("file that grows, fdatasync", append_bare),
];

const SMALL: [Way; 5] = [
    ("file written before, fdatasync", overwrite_bare),
    ("SegmentedStore, 1 log, 4 in flight", |batch, times| submit(batch, times, 1)),
    ("SegmentedStore, one by one", |batch, times| append(segmented(), batch, times)),
    ("SqliteStore, one by one", |batch, times| append(sqlite(), batch, times)),
    ("file that grows, fdatasync", append_bare),
];

fn main() {
    compare("batches of 96 KiB", LARGE_BYTES, &LARGE);
    compare("batches of 4 KiB", SMALL_BYTES, &SMALL);
    let mut opened: Vec<Duration> = (0..20).map(|_| open_new()).collect();
    opened.sort_unstable();
    println!("a new SegmentedStore with 4 logs is opened in {:.2?} (median of 20)", opened[10]);
}

/// Measures the ways in turn and prints the median of each, and the median of its ratios to the first way in
/// the same round: more is faster.
fn compare(what: &str, bytes: usize, ways: &[Way]) {
    let batch = batch(bytes);
    let mut rates = vec![Vec::new(); ways.len()];
    let mut ratios = vec![Vec::new(); ways.len()];
    let mut times = vec![20; ways.len()];
    // The first round is for warming up and for finding out how many times fill the others.
    for round in 0..=ROUNDS {
        let mut baseline = 0.0;
        for (place, (_, way)) in ways.iter().enumerate() {
            let took = way(&batch, times[place]).as_secs_f64();
            let rate = times[place] as f64 / took;
            if place == 0 {
                baseline = rate;
            }
            if round == 0 {
                times[place] = (rate * ROUND_TIME.as_secs_f64()).ceil().clamp(20.0, 20_000.0) as u64;
            } else {
                rates[place].push(rate);
                ratios[place].push(rate / baseline);
            }
        }
    }
    println!("{what}, medians of {ROUNDS} rounds");
    for (place, (name, _)) in ways.iter().enumerate() {
        let (rate, ratio) = (spread(&mut rates[place]), spread(&mut ratios[place]));
        let mb = rate[1] * bytes as f64 / 1e6;
        println!(
            "  {name:<42} {:>9.1} us {mb:>8.1} MB/s   ratio {:.2} ({:.2} to {:.2})",
            1e6 / rate[1],
            ratio[1],
            ratio[0],
            ratio[2]
        );
    }
}

/// The least, the median and the greatest.
fn spread(numbers: &mut [f64]) -> [f64; 3] {
    numbers.sort_unstable_by(f64::total_cmp);
    [numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]]
}

fn open_new() -> Duration {
    let folder = folder();
    let store = SegmentedStore::new(folder.path().join("usage"));
    let began = Instant::now();
    let logs: Vec<_> = (0..4).map(|log| store.open(&name(log)).expect("a new log")).collect();
    let took = began.elapsed();
    drop(logs);
    took
}

fn batch(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|number| (number * 31 % 251) as u8).collect()
}

/// A log of its own folder, which goes with it.
type Kept = (Vec<Box<dyn PartitionLog>>, TempDir);

fn sqlite() -> Kept {
    let folder = folder();
    let log = SqliteStore::new(folder.path()).open(&name(0)).expect("a new log");
    (vec![log], folder)
}

fn segmented() -> Kept {
    segmented_logs(1)
}

fn segmented_logs(logs: usize) -> Kept {
    let folder = folder();
    let store = SegmentedStore::new(folder.path()).with_segment_bytes(SEGMENT_BYTES, SEGMENT_BYTES);
    let logs = (0..logs).map(|log| store.open(&name(log)).expect("a new log")).collect();
    (logs, folder)
}

fn append((mut logs, _folder): Kept, batch: &[u8], times: u64) -> Duration {
    let log = logs.first_mut().expect("a log");
    let began = Instant::now();
    for _ in 0..times {
        log.append(batch).expect("an append");
        log.maintain().expect("housekeeping");
    }
    began.elapsed()
}

/// Each log on a thread of its own, as partitions are, with its share of the batches.
fn submit(batch: &[u8], times: u64, count: usize) -> Duration {
    let (logs, _folder) = segmented_logs(count);
    let share = times.div_ceil(count as u64);
    let began = Instant::now();
    thread::scope(|scope| {
        for mut log in logs {
            scope.spawn(move || {
                let (acknowledged, wait) = sync_channel(IN_FLIGHT);
                for submitted in 0..share {
                    if IN_FLIGHT as u64 <= submitted {
                        wait.recv().expect("an answer");
                    }
                    let acknowledged = acknowledged.clone();
                    let done = move |result: Result<Seq, _>| {
                        result.expect("a submitted batch");
                        acknowledged.send(()).expect("the writer waits");
                    };
                    log.submit(batch.to_vec(), Box::new(done));
                }
                drop(acknowledged);
                for () in wait {}
            });
        }
    });
    began.elapsed().mul_f64(times as f64 / (share * count as u64) as f64)
}

fn overwrite_bare(batch: &[u8], times: u64) -> Duration {
    let folder = folder();
    let file = File::options().create_new(true).write(true).open(folder.path().join("log")).expect("a file");
    let zeros = vec![0; 1024 * 1024];
    for offset in (0..SEGMENT_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset).expect("zeros");
    }
    file.sync_all().expect("a flush");
    let batches = SEGMENT_BYTES / batch.len() as u64;
    let began = Instant::now();
    for number in 0..times {
        file.write_all_at(batch, number % batches * batch.len() as u64).expect("an append");
        file.sync_data().expect("a flush");
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

fn name(log: usize) -> LogName {
    LogName::new(format!("partition-{log}")).expect("a name")
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}
