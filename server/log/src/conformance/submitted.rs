//! The checks of submitted batches and of barriers, LOG-10 to LOG-13.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::{FAILING_BATCH_BYTES, Harness, append, assert_batches, name, open, patterned, seq};
use crate::{AppendError, BATCH_BYTES_MAX, PartitionLog, Seq};

/// What a log called, in the order in which it did.
#[derive(Debug)]
enum Called {
    /// The completion of the batch with this place among those submitted.
    Batch(usize, Result<Seq, AppendError>),
    Barrier(Result<(), AppendError>),
}

/// A log's calls: each has a sender, so that the receiver ends when all were made or were dropped.
struct Calls {
    sender: Sender<Called>,
    receiver: Receiver<Called>,
    submitted: usize,
}

impl Calls {
    fn new() -> Calls {
        let (sender, receiver) = channel();
        Calls { sender, receiver, submitted: 0 }
    }

    fn submit(&mut self, log: &mut dyn PartitionLog, batch: &[u8]) {
        let (sender, place) = (self.sender.clone(), self.submitted);
        self.submitted += 1;
        let done = move |result| sender.send(Called::Batch(place, result)).expect("the check listens");
        log.submit(batch.to_vec(), Box::new(done));
    }

    fn barrier(&self, log: &mut dyn PartitionLog) {
        let sender = self.sender.clone();
        let done = move |result| sender.send(Called::Barrier(result)).expect("the check listens");
        log.after_submitted(Box::new(done));
    }

    /// Waits for the next call.
    fn next(&self) -> Called {
        self.receiver.recv().expect("a sender is kept")
    }

    /// All calls that are left: waits until no completion is alive.
    fn rest(self) -> Vec<Called> {
        drop(self.sender);
        self.receiver.iter().collect()
    }
}

fn batches(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|each| vec![each; 1 + usize::from(each) * 700]).collect()
}

#[track_caller]
fn assert_acknowledged(called: &Called, place: usize, number: u64) {
    match called {
        Called::Batch(found, Ok(found_seq)) => assert_eq!((*found, *found_seq), (place, seq(number))),
        other => panic!("batch {place} is not acknowledged: {other:?}"),
    }
}

#[track_caller]
fn assert_poisoned(called: &Called, place: usize) {
    match called {
        Called::Batch(found, Err(AppendError::Poisoned { .. })) => assert_eq!(*found, place),
        other => panic!("batch {place} is not refused as poisoned: {other:?}"),
    }
}

/// LOG-10: also with appends between them, which wait for what was submitted before.
pub fn submitted_batches_are_answered_once_and_in_order(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut calls = Calls::new();
    let mut expected = batches(40);
    for (place, batch) in expected.iter().enumerate() {
        assert_eq!(log.next(), Seq::after(place as u64));
        calls.submit(log.as_mut(), batch);
    }
    assert_eq!(append(log.as_mut(), b"appended behind them"), seq(41));
    expected.push(b"appended behind them".to_vec());
    let called = calls.rest();
    assert_eq!(called.len(), 40);
    for (place, called) in called.iter().enumerate() {
        assert_acknowledged(called, place, place as u64 + 1);
    }
    assert_batches(log.as_mut(), &expected);
}

/// LOG-10.
pub fn submitted_batches_are_answered_also_when_the_log_is_dropped(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut calls = Calls::new();
    let expected = batches(40);
    for batch in &expected {
        calls.submit(log.as_mut(), batch);
    }
    calls.barrier(log.as_mut());
    drop(log);
    // Nothing is called after the log is gone, so nothing has to be waited for.
    let called: Vec<Called> = calls.receiver.try_iter().collect();
    assert_eq!(called.len(), 41);
    for (place, called) in called.iter().take(40).enumerate() {
        assert_acknowledged(called, place, place as u64 + 1);
    }
    assert!(matches!(called.last(), Some(Called::Barrier(Ok(())))), "{called:?}");
    assert_batches(open(harness, "partition-0").as_mut(), &expected);
}

/// LOG-1, LOG-10.
pub fn what_is_acknowledged_of_the_submitted_survives_a_crash(harness: &dyn Harness) {
    let mut expected: Vec<Vec<u8>> = Vec::new();
    for round in 0..3_u8 {
        let mut log = open(harness, "partition-0");
        assert_batches(log.as_mut(), &expected);
        let mut calls = Calls::new();
        for batch in batches(5 + round) {
            calls.submit(log.as_mut(), &batch);
            expected.push(batch);
        }
        for place in 0..5 + usize::from(round) {
            assert!(matches!(calls.next(), Called::Batch(found, Ok(_)) if found == place));
        }
        harness.crash(&name("partition-0"), log);
    }
    assert_batches(open(harness, "partition-0").as_mut(), &expected);
}

/// LOG-4, LOG-5, LOG-11.
pub fn a_failed_batch_poisons_what_is_submitted_behind_it(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    append(log.as_mut(), b"kept");
    drop(log);

    let mut log = harness.open_failing(&name("partition-0"));
    let mut calls = Calls::new();
    let failing = patterned(FAILING_BATCH_BYTES);
    let submitted = [&failing[..], b"behind", b"", b"further behind"];
    for batch in submitted {
        calls.submit(log.as_mut(), batch);
    }
    calls.barrier(log.as_mut());
    let failed = calls.next();
    let cause =
        matches!(failed, Called::Batch(0, Err(AppendError::Full { .. } | AppendError::Unavailable { .. })));
    assert!(cause, "{failed:?}");
    for place in 1..submitted.len() {
        assert_poisoned(&calls.next(), place);
    }
    let barrier = calls.next();
    assert!(matches!(barrier, Called::Barrier(Err(AppendError::Poisoned { .. }))), "{barrier:?}");
    // What comes later is refused alike, and what was acknowledged is still shown.
    calls.submit(log.as_mut(), b"later");
    assert_poisoned(&calls.next(), submitted.len());
    let refused = log.append(b"later");
    assert!(matches!(refused, Err(AppendError::Poisoned { .. })), "{refused:?}");
    assert_batches(log.as_mut(), &[b"kept"]);
    drop(log);
    assert_eq!(calls.rest().len(), 0, "something was answered twice");

    let mut log = open(harness, "partition-0");
    let mut expected = vec![&b"kept"[..]];
    let there = log.next().get() as usize - 2;
    expected.extend(submitted.iter().filter(|batch| !batch.is_empty()).take(there));
    assert_batches(log.as_mut(), &expected);
    append(log.as_mut(), b"after");
    expected.push(b"after");
    assert_batches(log.as_mut(), &expected);
}

/// LOG-9, LOG-10.
pub fn submitted_batches_beyond_the_limits_are_refused_without_harm(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut calls = Calls::new();
    for batch in [&b"one"[..], b"", &vec![7; BATCH_BYTES_MAX + 1], b"two"] {
        calls.submit(log.as_mut(), batch);
    }
    calls.barrier(log.as_mut());
    assert_acknowledged(&calls.next(), 0, 1);
    assert!(matches!(calls.next(), Called::Batch(1, Err(AppendError::Empty { .. }))));
    assert!(matches!(calls.next(), Called::Batch(2, Err(AppendError::TooLarge { .. }))));
    assert_acknowledged(&calls.next(), 3, 2);
    assert!(matches!(calls.next(), Called::Barrier(Ok(()))));
    assert_batches(log.as_mut(), &[b"one", b"two"]);
}

/// LOG-13.
pub fn a_barrier_is_answered_after_what_was_submitted_before_it(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut calls = Calls::new();
    for round in 0..20 {
        calls.submit(log.as_mut(), &patterned(1 + 9_000 * round));
        calls.submit(log.as_mut(), b"second");
        calls.barrier(log.as_mut());
    }
    for round in 0..20 {
        assert_acknowledged(&calls.next(), 2 * round, 2 * round as u64 + 1);
        assert_acknowledged(&calls.next(), 2 * round + 1, 2 * round as u64 + 2);
        let barrier = calls.next();
        assert!(matches!(barrier, Called::Barrier(Ok(()))), "{barrier:?}");
    }
}

/// LOG-13.
pub fn a_barrier_is_answered_when_nothing_waits(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let calls = Calls::new();
    calls.barrier(log.as_mut());
    assert!(matches!(calls.next(), Called::Barrier(Ok(()))));
    append(log.as_mut(), b"batch");
    calls.barrier(log.as_mut());
    assert!(matches!(calls.next(), Called::Barrier(Ok(()))));
    drop(log);
    assert_eq!(calls.rest().len(), 0, "something was answered twice");
}

/// LOG-12: more bytes than any implementation lets wait, and more batches than fit in one write.
pub fn more_than_the_queue_holds_can_be_submitted(harness: &dyn Harness) {
    let mut log = open(harness, "partition-0");
    let mut calls = Calls::new();
    let mut expected = vec![patterned(BATCH_BYTES_MAX); 6];
    expected.extend(batches(3));
    for batch in &expected {
        calls.submit(log.as_mut(), batch);
    }
    for place in 0..expected.len() {
        assert_acknowledged(&calls.next(), place, place as u64 + 1);
    }
    assert_batches(log.as_mut(), &expected);
}
