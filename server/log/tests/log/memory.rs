//! The log in memory: the contract, and the faults it makes.

use std::sync::{Arc, Mutex};

use souk_log::conformance::assert_batches;
use souk_log::{AppendError, Fault, Landed, LogName, LogStore, MemoryStore, OpenError, PartitionLog};

use crate::harness::MemoryHarness;

souk_log::conformance_suite!(MemoryHarness);

fn name() -> LogName {
    LogName::new("partition-0").unwrap()
}

fn open(store: &MemoryStore) -> Box<dyn PartitionLog> {
    store.open(&name()).unwrap()
}

/// A store whose log has acknowledged `kept` and failed to commit `failed`, which landed as said.
fn store_with_failed_commit(landed: Landed) -> MemoryStore {
    let store = MemoryStore::new();
    store.faults().at(&name(), 2, Fault::FailedCommit(landed));
    let mut log = open(&store);
    log.append(b"kept").unwrap();
    let failed = log.append(b"failed");
    assert!(matches!(failed, Err(AppendError::Unavailable { .. })), "{failed:?}");
    assert_batches(log.as_mut(), &[b"kept"]);
    store
}

#[test]
fn a_failed_batch_is_found_again_where_it_landed() {
    let without: &[&[u8]] = &[b"kept"];
    let with: &[&[u8]] = &[b"kept", b"failed"];
    let rows = [
        (Landed::Nowhere, without, without),
        (Landed::Unsynced, with, without),
        (Landed::Durable, with, with),
    ];
    for (landed, opened_again, crashed) in rows {
        let store = store_with_failed_commit(landed);
        assert_batches(open(&store).as_mut(), opened_again);
        let store = store_with_failed_commit(landed);
        store.crash();
        assert_batches(open(&store).as_mut(), crashed);
    }
}

#[test]
fn what_an_open_log_shows_survives_the_next_crash() {
    let store = store_with_failed_commit(Landed::Unsynced);
    drop(open(&store));
    store.crash();
    assert_batches(open(&store).as_mut(), &[&b"kept"[..], b"failed"]);
}

#[test]
fn a_lost_tail_is_gone_after_a_crash_unless_a_later_append_flushed_it() {
    let store = MemoryStore::new();
    store.faults().at(&name(), 1, Fault::LostTail);
    store.faults().at(&name(), 3, Fault::LostTail);
    let mut log = open(&store);
    for batch in [b"one", b"two", b"six"] {
        log.append(batch).unwrap();
    }
    store.crash();
    assert_batches(open(&store).as_mut(), &[b"one", b"two"]);
}

#[test]
fn a_full_log_takes_batches_again_once_it_is_opened() {
    let store = MemoryStore::new();
    store.faults().next(&name(), Fault::Full);
    let mut log = open(&store);
    let full = log.append(b"batch");
    assert!(matches!(full, Err(AppendError::Full { .. })), "{full:?}");
    drop(log);
    open(&store).append(b"batch").unwrap();
}

#[test]
fn a_planned_fence_lets_another_writer_in_at_once() {
    let store = MemoryStore::new();
    store.faults().next(&name(), Fault::Fenced);
    let mut first = open(&store);
    let fenced = first.append(b"batch");
    assert!(matches!(fenced, Err(AppendError::Fenced { .. })), "{fenced:?}");
    let second = open(&store);
    drop(first);
    let third = store.open(&name()).map(|log| log.next());
    assert!(matches!(third, Err(OpenError::Locked { .. })), "{third:?}");
    drop(second);
}

#[test]
fn a_writer_from_before_a_crash_is_fenced_off() {
    let store = MemoryStore::new();
    let mut log = open(&store);
    store.crash();
    let fenced = log.append(b"batch");
    assert!(matches!(fenced, Err(AppendError::Fenced { .. })), "{fenced:?}");
}

#[test]
fn a_slow_append_calls_the_hook_and_succeeds() {
    let store = MemoryStore::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    store.faults().on_slow(move |log, attempt| seen.lock().unwrap().push((log.clone(), attempt)));
    store.faults().at(&name(), 2, Fault::Slow);
    let mut log = open(&store);
    for batch in [b"one", b"two", b"six"] {
        log.append(batch).unwrap();
    }
    assert_eq!(*calls.lock().unwrap(), [(name(), 2)]);
    assert_batches(log.as_mut(), &[b"one", b"two", b"six"]);
}
