//! The log in SQLite: the contract, and what is its own.

use std::fs;
use std::ops::ControlFlow;

use rusqlite::Connection;
use souk_log::conformance::{Harness, assert_batches};
use souk_log::{LogName, LogStore, OpenError, ReadError, Seq, SqliteStore};
use tempfile::TempDir;

use crate::harness::{SqliteHarness, wal_of};

souk_log::conformance_suite!(SqliteHarness);

fn name() -> LogName {
    LogName::new("partition-0").unwrap()
}

#[test]
fn a_log_closed_in_order_is_one_file_beside_its_lock() {
    let dir = TempDir::new().unwrap();
    let mut log = SqliteStore::new(dir.path().join("new/folder")).open(&name()).unwrap();
    log.append(b"batch").unwrap();
    drop(log);
    let mut files: Vec<_> = fs::read_dir(dir.path().join("new/folder"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["partition-0.lock", "partition-0.sqlite"]);
}

#[test]
fn a_remainder_of_a_creation_cut_short_is_replaced() {
    let harness = SqliteHarness::new();
    let draft = harness.path(&name()).with_extension("sqlite.new");
    fs::write(&draft, b"SQLite form").unwrap();
    fs::write(draft.with_extension("new-journal"), b"half").unwrap();
    let mut log = harness.store().open(&name()).unwrap();
    log.append(b"batch").unwrap();
    assert_batches(log.as_mut(), &[b"batch"]);
    assert!(!draft.exists());
}

#[test]
fn other_programs_are_kept_out_of_an_open_log() {
    let harness = SqliteHarness::new();
    let mut log = harness.store().open(&name()).unwrap();
    log.append(b"batch").unwrap();
    let other = Connection::open(harness.path(&name())).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    let read = other.query_row("SELECT count(*) FROM batch", (), |row| row.get::<_, i64>(0));
    assert_eq!(read.unwrap_err().sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
}

#[test]
fn a_log_which_another_program_has_open_is_locked() {
    let harness = SqliteHarness::new();
    drop(harness.store().open(&name()).unwrap());
    let other = Connection::open(harness.path(&name())).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM batch;").unwrap();
    let refused = harness.store().open(&name()).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
    drop(other);
    assert_eq!(harness.store().open(&name()).unwrap().next(), Seq::FIRST);
}

#[test]
fn a_changed_batch_is_reported_and_those_before_it_are_read() {
    for sql in [
        "UPDATE batch SET bytes = x'00' WHERE seq = 3",
        "UPDATE batch SET crc = crc + 1 WHERE seq = 3",
        "UPDATE batch SET crc = -1 WHERE seq = 3",
        // Two good rows in each other's places.
        "UPDATE batch SET seq = 9 WHERE seq = 3; UPDATE batch SET seq = 3 WHERE seq = 4; \
         UPDATE batch SET seq = 4 WHERE seq = 9",
    ] {
        let harness = SqliteHarness::new();
        let mut log = harness.store().open(&name()).unwrap();
        for each in 1..=5_u8 {
            log.append(&[each; 100]).unwrap();
        }
        drop(log);
        let other = Connection::open(harness.path(&name())).unwrap();
        other.execute_batch(sql).unwrap();
        other.close().unwrap();

        let mut log = harness.store().open(&name()).unwrap();
        let mut visited = Vec::new();
        let result = log.read(Seq::FIRST, &mut |seq, _| {
            visited.push(seq.get());
            ControlFlow::Continue(())
        });
        match result {
            Err(ReadError::Corrupt { seq, .. }) => assert_eq!(seq.get(), 3),
            other => panic!("{sql}: {other:?}"),
        }
        assert_eq!(visited, [1, 2]);
    }
}

#[test]
fn the_write_ahead_log_is_bounded_also_without_housekeeping() {
    let harness = SqliteHarness::new();
    let mut log = harness.store().open(&name()).unwrap();
    let batch = vec![1; 8 * 1024 * 1024];
    for _ in 0..20 {
        log.append(&batch).unwrap();
    }
    let wal_bytes = fs::metadata(wal_of(&harness.path(&name()))).unwrap().len();
    assert!(wal_bytes < 33 * 1024 * 1024, "{wal_bytes} bytes");
}
