//! The log in segments: the contract, and what is its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::channel;
use std::thread;

use souk_log::conformance::{Harness, assert_batches, patterned};
use souk_log::{
    AppendError, BATCH_BYTES_MAX, LogName, LogStore, OpenError, PartitionLog, SegmentedStore, Seq,
};
use tempfile::TempDir;

use crate::folder::{Folder, SegmentedHarness};

souk_log::conformance_suite!(SegmentedHarness);

fn name(log: usize) -> LogName {
    LogName::new(format!("partition-{log}")).unwrap()
}

fn open(store: &dyn LogStore, log: usize) -> Box<dyn PartitionLog> {
    store.open(&name(log)).unwrap()
}

#[test]
fn a_store_that_is_hardly_used_stays_small() {
    let dir = TempDir::new().unwrap();
    let store = SegmentedStore::new(dir.path().join("new/folder"));
    for log in 0..4 {
        open(&store, log).append(b"batch").unwrap();
    }
    let files = Folder::read(&dir.path().join("new/folder")).0;
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["00000001.segment", "journal.lock", "journal.manifest"]);
    assert_eq!(files["00000001.segment"].len(), 1024 * 1024);
}

#[test]
fn a_segment_that_was_prepared_and_not_used_is_used_after_a_restart() {
    let harness = SegmentedHarness::new();
    let spare = harness.dir().join("00000002.segment");
    let mut log = open(harness.store(), 0);
    // Enough to prepare the next segment of 128 KiB, not enough to need it.
    log.append(&patterned(30_000)).unwrap();
    let mut batches = vec![patterned(30_000)];
    // Housekeeping of the file system's own: the segment gets its name when it is complete.
    while !spare.exists() {
        thread::yield_now();
    }
    let inode = fs::metadata(&spare).unwrap().ino();
    drop(log);
    let mut log = open(harness.store(), 0);
    for _ in 0..2 {
        log.append(&patterned(30_000)).unwrap();
        batches.push(patterned(30_000));
    }
    assert_eq!(fs::metadata(&spare).unwrap().ino(), inode);
    assert_ne!(fs::read(&spare).unwrap()[4_096..8_192], [0; 4_096]);
    assert_batches(log.as_mut(), &batches);
    drop(log);
    assert_batches(open(harness.store(), 0).as_mut(), &batches);
}

#[test]
fn a_prepared_segment_which_is_too_small_for_a_batch_is_replaced() {
    let harness = SegmentedHarness::new();
    let mut log = open(harness.store(), 0);
    let batches =
        [patterned(30_000), patterned(BATCH_BYTES_MAX), patterned(30_000), patterned(BATCH_BYTES_MAX)];
    for batch in &batches {
        log.append(batch).unwrap();
    }
    assert_batches(log.as_mut(), &batches);
    drop(log);
    assert_batches(open(harness.store(), 0).as_mut(), &batches);
}

#[test]
fn the_logs_of_a_folder_share_a_journal_through_whatever_stores_they_are_opened() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("below")).unwrap();
    let first = SegmentedStore::new(dir.path());
    let second = SegmentedStore::new(dir.path().join("below/.."));
    let mut one = open(&first, 0);
    let mut two = open(&second, 1);
    let refused = second.open(&name(0)).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
    one.append(b"one").unwrap();
    two.append(b"two").unwrap();
    drop((first, one));
    two.append(b"still two").unwrap();
    assert_batches(two.as_mut(), &[&b"two"[..], b"still two"]);
    assert_batches(open(&second, 0).as_mut(), &[b"one"]);
}

#[test]
fn many_logs_are_appended_to_at_once_and_opened_again_one_by_one() {
    let harness = SegmentedHarness::new();
    let batch = |log: usize, each: usize| {
        let bytes = patterned(1 + (each * 977 + log * 3_331) % 40_000);
        [&[log as u8, each as u8][..], &bytes].concat()
    };
    let all = |log: usize, count: usize| (0..count).map(|each| batch(log, each)).collect::<Vec<_>>();
    thread::scope(|scope| {
        for log in 0..6 {
            let store = harness.store();
            scope.spawn(move || {
                for run in 1..=3 {
                    let mut opened = open(store, log);
                    assert_batches(opened.as_mut(), &all(log, (run - 1) * 20));
                    let (sender, receiver) = channel();
                    for each in (run - 1) * 20..run * 20 {
                        if each % 5 == 0 {
                            opened.append(&batch(log, each)).unwrap();
                            continue;
                        }
                        let sender = sender.clone();
                        let done = move |result: Result<Seq, _>| sender.send(result.unwrap()).unwrap();
                        opened.submit(batch(log, each), Box::new(done));
                    }
                    drop((opened, sender));
                    assert_eq!(receiver.iter().count(), 16);
                }
            });
        }
    });
    for log in 0..6 {
        let mut opened = open(harness.store(), log);
        assert_batches(opened.as_mut(), &all(log, 60));
        // Each number is found by itself, small and large batches of other logs before it or not.
        for from in 1..=60 {
            let mut first = None;
            let read = opened.read(Seq::new(from).unwrap(), &mut |seq, bytes| {
                first = Some((seq.get(), bytes.to_vec()));
                std::ops::ControlFlow::Break(())
            });
            assert_eq!(read.unwrap().get(), from + 1);
            assert!(first == Some((from, batch(log, from as usize - 1))), "log {log}, from {from}");
        }
    }
}

#[test]
fn small_batches_between_those_of_other_logs_are_found() {
    let harness = SegmentedHarness::new();
    let mut logs: Vec<_> = (0..3).map(|log| open(harness.store(), log)).collect();
    let batch = |log: usize, each: usize| format!("{each} of {log}").into_bytes();
    for each in 0..500 {
        for (log, opened) in logs.iter_mut().enumerate() {
            if each % (log + 1) == 0 {
                opened.append(&batch(log, each)).unwrap();
            }
        }
    }
    drop(logs);
    for log in 0..3 {
        let expected: Vec<_> = (0..500).step_by(log + 1).map(|each| batch(log, each)).collect();
        assert_batches(open(harness.store(), log).as_mut(), &expected);
    }
}

/// The disk has no place for the next segment: the store fails as a whole and is opened again.
#[test]
fn a_segment_that_cannot_be_prepared_fails_the_append_and_nothing_is_lost() {
    let harness = SegmentedHarness::new();
    let mut one = open(harness.store(), 0);
    let mut two = open(harness.store(), 1);
    two.append(b"two").unwrap();
    let in_the_way = harness.dir().join("00000002.segment.new");
    fs::create_dir(&in_the_way).unwrap();
    one.append(&patterned(20_000)).unwrap();
    let failed = one.append(&patterned(50_000));
    assert!(matches!(failed, Err(AppendError::Unavailable { .. })), "{failed:?}");
    let poisoned = two.append(b"two");
    assert!(matches!(poisoned, Err(AppendError::Poisoned { .. })), "{poisoned:?}");
    assert_batches(two.as_mut(), &[b"two"]);
    drop((one, two));

    // What needs no new segment goes on.
    let mut one = open(harness.store(), 0);
    one.append(b"small").unwrap();
    fs::remove_dir(&in_the_way).unwrap();
    one.append(&patterned(50_000)).unwrap();
    assert_batches(one.as_mut(), &[&patterned(20_000)[..], b"small", &patterned(50_000)]);
    assert_batches(open(harness.store(), 1).as_mut(), &[b"two"]);
}

#[test]
fn poisoned_logs_are_opened_again_one_by_one_while_the_others_wait() {
    let harness = SegmentedHarness::new();
    let mut logs: Vec<_> = (0..4).map(|log| Some(open(harness.store(), log))).collect();
    for log in logs.iter_mut().flatten() {
        log.append(b"kept").unwrap();
    }
    drop(logs[2].take());
    let mut failing = harness.open_failing(&name(2));
    failing.append(&patterned(1024 * 1024)).unwrap_err();
    drop(failing);
    for opened in [1, 3, 0, 2] {
        for log in logs.iter_mut().flatten() {
            // Those which were opened again before work, the others are poisoned and can be read.
            let kept = log.next() == Seq::FIRST.next();
            assert_eq!(log.append(b"again").is_err(), kept);
            if kept {
                assert_batches(log.as_mut(), &[b"kept"]);
            }
        }
        drop(logs[opened].take());
        let mut log = open(harness.store(), opened);
        log.append(b"after").unwrap();
        logs[opened] = Some(log);
    }
    for (log, again) in [(1, 3), (3, 2), (0, 1), (2, 0)] {
        let mut expected = vec![&b"kept"[..], b"after"];
        expected.extend(std::iter::repeat_n(&b"again"[..], again));
        assert_batches(logs[log].as_deref_mut().unwrap(), &expected);
    }
}

#[test]
fn a_completion_that_panics_harms_nobody_else() {
    let harness = SegmentedHarness::new();
    let mut log = open(harness.store(), 0);
    log.submit(b"one".to_vec(), Box::new(|_| panic!("the message of a test, which is expected")));
    assert_eq!(log.append(b"two").unwrap().get(), 2);
    assert_batches(log.as_mut(), &[b"one", b"two"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_io_error() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"in the way").unwrap();
    let store = SegmentedStore::new(dir.path().join("file"));
    let refused = store.open(&name(0)).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Io { .. })), "{refused:?}");
    assert!(!store.exists(&name(0)).unwrap());
}
