//! The contract of [`PartitionLog`] as checks, one suite for all implementations.
//!
//! An implementation's tests give a [`Harness`], which knows how to crash it, and write
//! `souk_log::conformance_suite!(ItsHarness);`: each check becomes a test. A check names the rule it
//! holds the implementation to; it panics when the rule is broken.

mod submitted;

use std::ops::ControlFlow;

pub use submitted::*;

use crate::{AppendError, BATCH_BYTES_MAX, LogName, LogStore, OpenError, PartitionLog, ReadError, Seq};

/// The size of a batch for which a log of [`Harness::open_failing`] has no room.
pub const FAILING_BATCH_BYTES: usize = 1024 * 1024;

/// What the suite needs to know about an implementation: where its logs are, and how it dies.
pub trait Harness {
    /// A store without logs.
    fn new() -> Self
    where
        Self: Sized;

    /// The store, as often as it is asked for: also after a crash.
    fn store(&self) -> &dyn LogStore;

    /// Ends a writer as a loss of power does: what it had not made durable is gone.
    fn crash(&self, name: &LogName, log: Box<dyn PartitionLog>);

    /// Crashes while `batch` is being appended, so that it was never acknowledged and is lost.
    fn crash_in_append(&self, name: &LogName, log: Box<dyn PartitionLog>, batch: &[u8]);

    /// Opens a log whose next append fails if it has [`FAILING_BATCH_BYTES`] or more. Whether the batch
    /// reaches the storage all the same is left open, as by LOG-4.
    fn open_failing(&self, name: &LogName) -> Box<dyn PartitionLog>;

    /// Opens a log although it has a writer; none where the storage rules a second writer out.
    fn take_over(&self, name: &LogName) -> Option<Box<dyn PartitionLog>>;

    /// Says whether the store keeps several logs in one file, so that they fail together (LOG-8).
    fn fails_together(&self) -> bool {
        false
    }
}

/// Makes a test of each check for a [`Harness`].
#[macro_export]
macro_rules! conformance_suite {
    ($harness:ty) => {
        $crate::conformance_suite!(@ $harness:
            a_log_starts_empty_and_counts_from_one
            what_is_acknowledged_survives_a_crash
            what_is_acknowledged_survives_closing
            a_batch_lost_in_a_crash_is_cut_and_its_number_is_given_again
            numbers_have_no_gap_across_writers
            a_read_starts_and_stops_anywhere
            a_read_from_behind_the_end_is_refused
            batches_up_to_the_limit_come_back_unchanged
            batches_beyond_the_limits_are_refused_without_harm
            a_failed_append_poisons_until_the_log_is_opened_again
            a_second_writer_is_refused_or_fences_the_first
            the_logs_of_a_store_are_independent
            housekeeping_changes_nothing
            a_log_exists_once_it_was_opened
            submitted_batches_are_answered_once_and_in_order
            submitted_batches_are_answered_also_when_the_log_is_dropped
            what_is_acknowledged_of_the_submitted_survives_a_crash
            a_failed_batch_poisons_what_is_submitted_behind_it
            submitted_batches_beyond_the_limits_are_refused_without_harm
            a_barrier_is_answered_after_what_was_submitted_before_it
            a_barrier_is_answered_when_nothing_waits
            more_than_the_queue_holds_can_be_submitted
        );
    };
    (@ $harness:ty: $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                let harness: $harness = $crate::conformance::Harness::new();
                $crate::conformance::$check(&harness);
            }
        )*
    };
}

/// LOG-2.
pub fn a_log_starts_empty_and_counts_from_one(harness: &dyn Harness) {
    let mut log = open(harness, "control");
    assert_eq!(log.next(), Seq::FIRST);
    assert_batches::<&[u8]>(log.as_mut(), &[]);
    assert_eq!(append(log.as_mut(), b"first"), Seq::FIRST);
    assert_eq!(log.next(), Seq::FIRST.next());
    assert_batches(log.as_mut(), &[b"first"]);
}

/// LOG-1, LOG-3.
pub fn what_is_acknowledged_survives_a_crash(harness: &dyn Harness) {
    let mut expected: Vec<Vec<u8>> = Vec::new();
    for round in 0..3_u8 {
        let mut log = open(harness, "partition-0");
        assert_batches(log.as_mut(), &expected);
        for each in 0..3_u8 {
            let batch = vec![round * 3 + each; 10 + usize::from(each) * 5_000];
            append(log.as_mut(), &batch);
            expected.push(batch);
        }
        harness.crash(&name("partition-0"), log);
    }
    assert_batches(open(harness, "partition-0").as_mut(), &expected);
}

/// LOG-1, LOG-3.
pub fn what_is_acknowledged_survives_closing(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    append(log.as_mut(), b"one");
    append(log.as_mut(), b"two");
    drop(log);
    assert_batches(open(harness, "partition-0").as_mut(), &[b"one", b"two"]);
}

/// LOG-4.
pub fn a_batch_lost_in_a_crash_is_cut_and_its_number_is_given_again(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    append(log.as_mut(), b"kept");
    harness.crash_in_append(&name("partition-0"), log, b"lost");

    let mut log = open(harness, "partition-0");
    assert_batches(log.as_mut(), &[b"kept"]);
    assert_eq!(append(log.as_mut(), b"another"), seq(2));
    harness.crash(&name("partition-0"), log);
    assert_batches(open(harness, "partition-0").as_mut(), &[&b"kept"[..], b"another"]);
}

/// LOG-2.
pub fn numbers_have_no_gap_across_writers(harness: &dyn Harness) {
    let mut expected = Seq::FIRST;
    for round in 0..4 {
        let mut log = open(harness, "partition-0");
        for _ in 0..round {
            assert_eq!(log.next(), expected);
            assert_eq!(append(log.as_mut(), b"batch"), expected);
            expected = expected.next();
        }
    }
    assert_eq!(open(harness, "partition-0").next(), expected);
}

/// LOG-7.
pub fn a_read_starts_and_stops_anywhere(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let batches: Vec<[u8; 1]> = (1..=5).map(|each| [each]).collect();
    for batch in &batches {
        append(log.as_mut(), batch);
    }
    for from in 1..=6 {
        for count_max in 1..=6 {
            let mut visited = Vec::new();
            let end = log.read(seq(from), &mut |seq, batch| {
                visited.push((seq.get(), batch.to_vec()));
                if visited.len() < count_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let expected: Vec<(u64, Vec<u8>)> =
                (from..=5).take(count_max).map(|each| (each, vec![each as u8])).collect();
            assert_eq!(visited, expected, "from {from}, at most {count_max}");
            let end = end.expect("a healthy log can be read");
            assert_eq!(end.get(), from + expected.len() as u64, "from {from}, at most {count_max}");
        }
    }
}

/// LOG-7.
pub fn a_read_from_behind_the_end_is_refused(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    append(log.as_mut(), b"only");
    let result = log.read(seq(3), &mut |_, _| panic!("there is nothing to visit"));
    match result {
        Err(ReadError::Ahead { from, next, .. }) => assert_eq!((from, next), (seq(3), seq(2))),
        other => panic!("not refused: {other:?}"),
    }
}

/// LOG-3, LOG-9.
pub fn batches_up_to_the_limit_come_back_unchanged(harness: &dyn Harness) {
    let sizes = [1, 4_095, 4_096, 4_097, 100_000, 5_000_000, BATCH_BYTES_MAX];
    let batches: Vec<Vec<u8>> = sizes.iter().map(|&bytes| patterned(bytes)).collect();
    let mut log = open(harness, "partition-0");
    for batch in &batches {
        append(log.as_mut(), batch);
    }
    assert_batches(log.as_mut(), &batches);
    harness.crash(&name("partition-0"), log);
    assert_batches(open(harness, "partition-0").as_mut(), &batches);
}

/// LOG-5, LOG-9.
pub fn batches_beyond_the_limits_are_refused_without_harm(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let empty = log.append(b"");
    assert!(matches!(empty, Err(AppendError::Empty { .. })), "{empty:?}");
    let large = log.append(&vec![7; BATCH_BYTES_MAX + 1]);
    assert!(matches!(large, Err(AppendError::TooLarge { .. })), "{large:?}");
    assert_eq!(append(log.as_mut(), b"good"), Seq::FIRST);
    assert_batches(log.as_mut(), &[b"good"]);
}

/// LOG-4, LOG-5.
pub fn a_failed_append_poisons_until_the_log_is_opened_again(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    append(log.as_mut(), b"kept");
    drop(log);

    let mut log = harness.open_failing(&name("partition-0"));
    let failing = patterned(FAILING_BATCH_BYTES);
    let failed = log.append(&failing);
    assert!(matches!(failed, Err(AppendError::Full { .. } | AppendError::Unavailable { .. })), "{failed:?}");
    for batch in [&b"small"[..], &failing, b""] {
        let refused = log.append(batch);
        assert!(matches!(refused, Err(AppendError::Poisoned { .. })), "{refused:?}");
    }
    let refused = log.maintain();
    assert!(matches!(refused, Err(AppendError::Poisoned { .. })), "{refused:?}");
    assert_batches(log.as_mut(), &[b"kept"]);
    drop(log);

    let mut log = open(harness, "partition-0");
    let mut expected = vec![b"kept".to_vec()];
    if log.next() == seq(3) {
        expected.push(failing);
    }
    assert_batches(log.as_mut(), &expected);
    append(log.as_mut(), b"after");
    expected.push(b"after".to_vec());
    assert_batches(log.as_mut(), &expected);
}

/// LOG-6.
pub fn a_second_writer_is_refused_or_fences_the_first(harness: &dyn Harness) {
    let mut first = open(harness, "partition-0");
    append(first.as_mut(), b"first");
    let refused = harness.store().open(&name("partition-0")).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
    append(first.as_mut(), b"the refusal did no harm");

    let Some(mut second) = harness.take_over(&name("partition-0")) else {
        drop(first);
        assert_eq!(open(harness, "partition-0").next(), seq(3));
        return;
    };
    let fenced = first.append(b"too late");
    assert!(matches!(fenced, Err(AppendError::Fenced { .. })), "{fenced:?}");
    let poisoned = first.append(b"too late");
    assert!(matches!(poisoned, Err(AppendError::Poisoned { .. })), "{poisoned:?}");
    append(second.as_mut(), b"second");
    let expected = [&b"first"[..], b"the refusal did no harm", b"second"];
    assert_batches(second.as_mut(), &expected);
    // The end of the first writer does not end the second one's right.
    drop(first);
    let refused = harness.store().open(&name("partition-0")).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
    append(second.as_mut(), b"still there");
}

/// LOG-8.
pub fn the_logs_of_a_store_are_independent(harness: &dyn Harness) {
    let mut control = open(harness, "control");
    append(control.as_mut(), b"control 1");
    append(control.as_mut(), b"control 2");
    let mut partition = harness.open_failing(&name("partition-0"));
    assert_eq!(partition.next(), Seq::FIRST);
    partition.append(&patterned(FAILING_BATCH_BYTES)).expect_err("the harness makes it fail");
    if harness.fails_together() {
        assert_poisoned_but_readable(control.as_mut());
        // The log that failed is opened again first, and works while the other one is still poisoned.
        drop(partition);
        let mut partition = open(harness, "partition-0");
        let seq = partition.next();
        assert_eq!(append(partition.as_mut(), b"partition"), seq);
        assert_poisoned_but_readable(control.as_mut());
        drop(control);
        control = open(harness, "control");
        assert_eq!(append(partition.as_mut(), b"partition"), seq.next());
    }
    assert_eq!(append(control.as_mut(), b"control 3"), seq(3));
    assert_batches(control.as_mut(), &[b"control 1", b"control 2", b"control 3"]);
}

fn assert_poisoned_but_readable(control: &mut dyn PartitionLog) {
    let refused = control.append(b"control 3");
    assert!(matches!(refused, Err(AppendError::Poisoned { .. })), "{refused:?}");
    assert_batches(control, &[b"control 1", b"control 2"]);
}

/// LOG-1, LOG-3: housekeeping after each of many appends, over its limits.
pub fn housekeeping_changes_nothing(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut batches = Vec::new();
    for each in 0..12 {
        let batch = patterned(1_000_000 + each);
        append(log.as_mut(), &batch);
        batches.push(batch);
        log.maintain().expect("a healthy log can be maintained");
        assert_eq!(log.next(), Seq::after(batches.len() as u64));
    }
    assert_batches(log.as_mut(), &batches);
    harness.crash(&name("partition-0"), log);
    assert_batches(open(harness, "partition-0").as_mut(), &batches);
}

/// The contract of [`LogStore::exists`].
pub fn a_log_exists_once_it_was_opened(harness: &dyn Harness) {
    let exists = |log| harness.store().exists(&name(log)).expect("the store can be asked");
    assert!(!exists("partition-0"));
    let log = open(harness, "partition-0");
    assert!(exists("partition-0"));
    drop(log);
    assert!(exists("partition-0"));
    assert!(!exists("partition-1"));
}

/// Asserts that a log holds these batches and nothing else.
pub fn assert_batches<B: AsRef<[u8]>>(log: &mut dyn PartitionLog, expected: &[B]) {
    let mut place = 0;
    let end = log.read(Seq::FIRST, &mut |seq, batch| {
        assert_eq!(seq, Seq::after(place as u64), "numbers follow each other");
        let expected = expected.get(place).unwrap_or_else(|| panic!("batch {seq} is one too many"));
        // Not `assert_eq!`, which would print megabytes.
        assert!(batch == expected.as_ref(), "batch {seq} differs from what was appended");
        place += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(end.expect("a healthy log can be read"), Seq::after(expected.len() as u64));
    assert_eq!(log.next(), Seq::after(expected.len() as u64));
}

/// Bytes that differ from one place to the next, so that a shifted or repeated part is noticed.
pub fn patterned(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

fn open(harness: &dyn Harness, log: &str) -> Box<dyn PartitionLog> {
    harness.store().open(&name(log)).expect("a healthy log can be opened")
}

fn append(log: &mut dyn PartitionLog, batch: &[u8]) -> Seq {
    log.append(batch).expect("a healthy log takes a batch")
}

fn name(log: &str) -> LogName {
    LogName::new(log).expect("a good name")
}

fn seq(seq: u64) -> Seq {
    Seq::new(seq).expect("not 0")
}
