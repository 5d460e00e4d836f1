//! A property: whatever a crash leaves of the last group of frames, nothing acknowledged is lost, and what is
//! there of the rest is its beginning, without a gap and without foreign bytes.
//!
//! A round submits batches to several logs while the journal is held by a completion, so that all of them are
//! one group; crashes; and spoils the group on the disk sector by sector: each has its new bytes, its old ones
//! or others. Rounds follow each other in one store, so that each finds what the ones before it left behind.

use std::sync::mpsc::{channel, sync_channel};

use proptest::prelude::*;
use souk_log::conformance::{Harness, assert_batches};
use souk_log::{LogName, LogStore, PartitionLog};

use crate::folder::{Folder, SegmentedHarness};

const LOGS: usize = 3;
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone)]
struct Round {
    /// Appended and acknowledged before.
    acknowledged: Vec<Batch>,
    /// Submitted as one group.
    submitted: Vec<Batch>,
    /// What becomes of the group's sectors, over and over.
    sectors: Vec<Sector>,
    /// Whether the store is closed in order after it was opened again.
    closes: bool,
}

#[derive(Debug, Clone)]
struct Batch {
    log: usize,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Sector {
    Written,
    NotWritten,
    Garbled,
}

fn batch() -> impl Strategy<Value = Batch> {
    // Few sizes, so that frames of one round often end where those of an earlier one did.
    let bytes = prop_oneof![
        3 => prop::sample::select(vec![1_usize, 100, 464, 976, 2_000]),
        1 => 1..6_000_usize,
        1 => Just(40_000_usize),
    ];
    (0..LOGS, bytes).prop_map(|(log, bytes)| Batch { log, bytes })
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let sector = prop_oneof![
        6 => Just(Sector::Written),
        2 => Just(Sector::NotWritten),
        1 => Just(Sector::Garbled),
    ];
    let round = (
        prop::collection::vec(batch(), 0..4),
        prop::collection::vec(batch(), 1..8),
        prop::collection::vec(sector, 1..12),
        any::<bool>(),
    );
    let round = round.prop_map(|(acknowledged, submitted, sectors, closes)| Round {
        acknowledged,
        submitted,
        sectors,
        closes,
    });
    prop::collection::vec(round, 1..8)
}

fn name(log: usize) -> LogName {
    LogName::new(format!("partition-{log}")).unwrap()
}

fn open(store: &dyn LogStore) -> Vec<Box<dyn PartitionLog>> {
    (0..LOGS).map(|log| store.open(&name(log)).unwrap()).collect()
}

/// Bytes that no other batch has.
fn bytes_of(batch: &Batch, number: &mut u64) -> Vec<u8> {
    *number += 1;
    let stamp = number.to_le_bytes();
    stamp.iter().copied().cycle().take(batch.bytes).collect()
}

/// The folder before the group was written, and after.
fn crash_in_group(
    harness: &SegmentedHarness,
    mut logs: Vec<Box<dyn PartitionLog>>,
    first: Vec<u8>,
    group: &[(usize, Vec<u8>)],
) -> (Folder, Folder) {
    let (held, is_held) = channel();
    let (release, released) = sync_channel::<()>(0);
    let hold = move |result: Result<_, _>| {
        result.unwrap();
        held.send(()).unwrap();
        released.recv().unwrap();
    };
    logs[0].submit(first, Box::new(hold));
    is_held.recv().unwrap();
    let before = Folder::read(harness.dir());
    let (answered, answers) = channel();
    for (log, bytes) in group {
        let answered = answered.clone();
        let done = move |result: Result<_, _>| answered.send(result.is_ok()).unwrap();
        logs[*log].submit(bytes.clone(), Box::new(done));
    }
    drop(answered);
    release.send(()).unwrap();
    assert_eq!(answers.iter().filter(|durable| *durable).count(), group.len());
    (before, Folder::read(harness.dir()))
}

/// Where the last group begins, of the frames from `first` to `end`. They are one group, unless a segment was
/// too small for it.
fn last_group(segment: &[u8], first: usize, end: usize) -> usize {
    let mut at = first;
    let mut group = first;
    while at < end {
        let payload_bytes = u32::from_le_bytes(segment[at + 16..at + 20].try_into().unwrap());
        group = u64::from_le_bytes(segment[at + 32..at + 40].try_into().unwrap()) as usize;
        at += (48 + payload_bytes as usize).next_multiple_of(16);
    }
    group
}

/// Spoils the group that was written last.
fn spoil(before: &Folder, after: &mut Folder, sectors: &[Sector]) {
    let (name, first, end) = after.last_change(before);
    let first = last_group(&after.0[&name], first, end);
    let mut old = before.0.get(&name).cloned().unwrap_or_default();
    let new = after.0.get_mut(&name).unwrap();
    old.resize(new.len(), 0);
    let begin = first / SECTOR_BYTES * SECTOR_BYTES;
    for (place, start) in (begin..end).step_by(SECTOR_BYTES).enumerate() {
        // What an earlier group has of the first sector stays as it is.
        let changed = start.max(first)..(start + SECTOR_BYTES).min(new.len());
        match sectors[place % sectors.len()] {
            Sector::Written => {}
            Sector::NotWritten => new[changed.clone()].copy_from_slice(&old[changed]),
            Sector::Garbled => new[changed].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(31) ^ 0x5A),
        }
    }
}

fn assert_nothing_acknowledged_is_lost(rounds: &[Round]) -> SegmentedHarness {
    let harness = SegmentedHarness::new();
    let mut expected: Vec<Vec<Vec<u8>>> = vec![Vec::new(); LOGS];
    let mut number = 0;
    for round in rounds {
        let mut logs = open(harness.store());
        for batch in &round.acknowledged {
            let bytes = bytes_of(batch, &mut number);
            logs[batch.log].append(&bytes).unwrap();
            expected[batch.log].push(bytes);
        }
        let first = bytes_of(&Batch { log: 0, bytes: 30 }, &mut number);
        expected[0].push(first.clone());
        let group: Vec<(usize, Vec<u8>)> =
            round.submitted.iter().map(|batch| (batch.log, bytes_of(batch, &mut number))).collect();
        let (before, mut after) = crash_in_group(&harness, logs, first, &group);
        spoil(&before, &mut after, &round.sectors);
        after.write(harness.dir());

        let mut logs = open(harness.store());
        let count = |log: usize| logs[log].next().get() as usize - 1;
        let there: usize = (0..LOGS).map(|log| count(log) - expected[log].len()).sum();
        for (log, bytes) in group.into_iter().take(there) {
            expected[log].push(bytes);
        }
        for (log, expected) in logs.iter_mut().zip(&expected) {
            assert_batches(log.as_mut(), expected);
        }
        if round.closes {
            drop(logs);
        } else {
            let crashed = Folder::read(harness.dir());
            drop(logs);
            crashed.write(harness.dir());
        }
    }
    for (log, expected) in open(harness.store()).iter_mut().zip(&expected) {
        assert_batches(log.as_mut(), expected);
    }
    harness
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_whatever_a_crash_leaves_of_the_last_group(rounds in rounds()) {
        assert_nothing_acknowledged_is_lost(&rounds);
    }
}

/// A batch that was cut must not come back when others were written before it which end where it begins.
///
/// ```text
///   4096   4144    4224          4736       5248          5760          6272
///   ┌──────┬───────┬─────────────┬──────────┬─────────────┬─────────────┐
///   │ mark │ first │ batch 1 ✗   │ ✗ 2      │ batch 3     │ batch 4     │     cut at 4224
///   └──────┴───────┼───────┬─────┴─┬────────┼─────────────┴─────────────┘
///                  │ marks │ first │ 1 │ 2  │ the old batch 3 has the number that is next
///                  └───────┴───────┴───┴────┘ 5248
/// ```
#[test]
fn what_a_crash_left_behind_the_cut_is_never_read() {
    let round = |bytes: &[usize], sectors: Vec<Sector>| Round {
        acknowledged: Vec::new(),
        submitted: bytes.iter().map(|&bytes| Batch { log: 1, bytes }).collect(),
        sectors,
        closes: false,
    };
    // The sector at 4608 has the end of batch 1 and the header of batch 2.
    let torn = vec![Sector::Written, Sector::Garbled, Sector::Written, Sector::Written, Sector::Written];
    let rounds = [round(&[464; 4], torn), round(&[384, 368], vec![Sector::Written])];
    let harness = assert_nothing_acknowledged_is_lost(&rounds);
    let stale = Folder::read(harness.dir()).segment(1)[5_760..5_764].to_vec();
    assert_eq!(stale, b"fram", "the old batch 4 is still there");
}
