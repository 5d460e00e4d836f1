//! Segments and manifests which are none, or are damaged, are refused and left as they were.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use souk_log::conformance::patterned;
use souk_log::{LogName, LogStore, OpenError, ReadError, SegmentedStore, Seq};
use tempfile::TempDir;

use crate::folder::Folder;

const MANIFEST: &str = "journal.manifest";

/// How many batches [`put`] appends to each of its two logs, and how large they are.
const BATCHES: usize = 40;
const BATCH_BYTES: usize = 10_000;
const SPAN_BYTES: usize = (48 + BATCH_BYTES).next_multiple_of(16);

/// Where the first batch is in the first segment: behind the mark of the opening.
const FIRST_AT: usize = 4_096 + 48;

fn name(log: usize) -> LogName {
    LogName::new(format!("partition-{log}")).unwrap()
}

fn store(dir: &Path) -> SegmentedStore {
    SegmentedStore::new(dir).with_segment_bytes(128 * 1024, 256 * 1024)
}

/// Makes a store of two logs in several segments, closed in order, and returns its files.
fn put(dir: &Path) -> Folder {
    let store = store(dir);
    let mut logs = [0, 1].map(|log| store.open(&name(log)).unwrap());
    for _ in 0..BATCHES {
        for log in &mut logs {
            log.append(&patterned(BATCH_BYTES)).unwrap();
        }
    }
    drop(logs);
    Folder::read(dir)
}

/// Lets `change` spoil a store and returns how opening it is refused, twice alike, by each of its logs.
fn refusal(change: impl FnOnce(&mut Folder)) -> OpenError {
    let dir = TempDir::new().unwrap();
    let mut files = put(dir.path());
    change(&mut files);
    files.write(dir.path());
    refused(dir.path(), &files)
}

fn refused(dir: &Path, before: &Folder) -> OpenError {
    let open = |log| store(dir).open(&name(log)).map(|log| log.next()).expect_err("it is spoiled");
    let first = open(0);
    for log in [0, 1, 2] {
        assert_eq!(open(log).to_string(), first.to_string());
        assert!(Folder::read(dir) == *before, "what was there is changed by: {first}");
    }
    assert!(first.to_string().contains(dir.to_str().unwrap()), "the file is not named: {first}");
    first
}

#[track_caller]
fn assert_corrupt(error: &OpenError, named: &str) {
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains(named), "{named} is not named: {error}");
}

fn change_manifest(files: &mut Folder, change: impl FnOnce(&mut Vec<u8>)) {
    change(files.0.get_mut(MANIFEST).unwrap());
}

#[test]
fn what_is_no_manifest_is_foreign() {
    for bytes in [&b"a letter to a friend"[..], &[0; 5_000], b"souk"] {
        let error = refusal(|files| change_manifest(files, |manifest| *manifest = bytes.to_vec()));
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    }
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join(MANIFEST)).unwrap();
    drop(store(dir.path()).open(&name(0)).map(|log| log.next()));
    let error = refused(dir.path(), &Folder::read(dir.path()));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[test]
fn an_empty_or_changed_or_missing_manifest_is_damage_and_no_new_store() {
    assert_corrupt(&refusal(|files| change_manifest(files, Vec::clear)), MANIFEST);
    assert_corrupt(&refusal(|files| change_manifest(files, |manifest| _ = manifest.pop())), MANIFEST);
    assert_corrupt(&refusal(|files| change_manifest(files, |manifest| manifest[20] ^= 1)), MANIFEST);
    assert_corrupt(&refusal(|files| _ = files.0.remove(MANIFEST)), MANIFEST);
}

#[test]
fn a_manifest_of_another_store_does_not_fit_the_segments() {
    let dir = TempDir::new().unwrap();
    let other = put(dir.path());
    let error = refusal(|files| change_manifest(files, |manifest| *manifest = other.0[MANIFEST].clone()));
    assert_corrupt(&error, "00000001.segment");
}

#[test]
fn a_newer_format_is_refused() {
    let manifest =
        refusal(|files| change_manifest(files, |manifest| *manifest = b"souk-journal 2\n".to_vec()));
    assert!(matches!(manifest, OpenError::NewerFormat { found: 2, known: 1, .. }), "{manifest:?}");
    let segment = refusal(|files| files.segment(1)[8] = 2);
    assert!(matches!(segment, OpenError::NewerFormat { found: 2, known: 1, .. }), "{segment:?}");
}

#[test]
fn a_missing_segment_is_damage_wherever_it_was() {
    for number in [1, 2, 3] {
        let error = refusal(|files| _ = files.0.remove(&format!("{number:08}.segment")));
        assert_corrupt(&error, &format!("{number:08}.segment"));
    }
    let all = refusal(|files| files.0.retain(|name, _| !name.ends_with(".segment")));
    assert_corrupt(&all, "00000001.segment");
    let last = refusal(|files| {
        let last = files.0.keys().rfind(|name| name.ends_with(".segment")).unwrap().clone();
        // The last one that has frames; the one behind it is prepared and may be missing.
        let unused = files.0[&last][4_096..].iter().all(|&byte| byte == 0);
        files.0.remove(&last);
        if unused {
            let last = files.0.keys().rfind(|name| name.ends_with(".segment")).unwrap().clone();
            files.0.remove(&last);
        }
    });
    assert_corrupt(&last, ".segment");
}

#[test]
fn a_segment_that_is_cut_or_is_none_is_damage() {
    for bytes_kept in [0, 20, 4_096, 60_000, 128 * 1024 - 1] {
        assert_corrupt(&refusal(|files| files.segment(1).truncate(bytes_kept)), "00000001.segment");
    }
    for at in [0, 12, 17, 25, 33] {
        assert_corrupt(&refusal(|files| files.segment(2)[at] ^= 1), "00000002.segment");
    }
    let swapped = refusal(|files| {
        let first = files.segment(1).clone();
        *files.segment(2) = first;
    });
    assert_corrupt(&swapped, "00000002.segment");
}

#[test]
fn a_damaged_header_before_the_end_is_found_at_opening() {
    for batch in [0, 1, 5] {
        for byte in [0, 5, 9, 13, 17, 21, 25, 33, 41, 47] {
            let at = FIRST_AT + batch * SPAN_BYTES + byte;
            assert_corrupt(&refusal(|files| files.segment(1)[at] ^= 1), "00000001.segment");
        }
    }
    // A block of zeros, or a whole frame of another place.
    let zeros = refusal(|files| files.segment(1)[FIRST_AT..FIRST_AT + 4_096].fill(0));
    assert_corrupt(&zeros, "00000001.segment");
    let moved = refusal(|files| {
        let segment = files.segment(1);
        segment.copy_within(FIRST_AT..FIRST_AT + SPAN_BYTES, FIRST_AT + SPAN_BYTES);
    });
    assert_corrupt(&moved, "00000001.segment");
}

#[test]
fn a_damaged_seal_is_found_at_opening() {
    let error = refusal(|files| {
        let segment = files.segment(1);
        let end = (0..segment.len()).rev().find(|&at| segment[at] != 0).unwrap();
        segment[end] ^= 1;
    });
    assert_corrupt(&error, "00000001.segment");
}

#[test]
fn damage_of_the_last_batch_is_found_when_the_store_was_closed_in_order() {
    let spoil = |files: &mut Folder, byte: usize| {
        let (name, end) = last_frame_end(files);
        // Behind the last batch is the mark of the closing.
        let start = end - 48 - SPAN_BYTES;
        files.0.get_mut(&name).unwrap()[start + byte] ^= 1;
    };
    for byte in [0, 20, 47] {
        assert_corrupt(&refusal(|files| spoil(files, byte)), ".segment");
    }
    for byte in [48, 5_000, 48 + BATCH_BYTES - 1] {
        let dir = TempDir::new().unwrap();
        let mut files = put(dir.path());
        spoil(&mut files, byte);
        files.write(dir.path());
        let mut log = store(dir.path()).open(&name(1)).unwrap();
        match log.read(Seq::FIRST, &mut |_, _| ControlFlow::Continue(())) {
            Err(ReadError::Corrupt { seq, .. }) => assert_eq!(seq.get(), BATCHES as u64),
            other => panic!("{other:?}"),
        }
    }
}

/// The last segment with frames, and where they end: 16 is the alignment.
fn last_frame_end(files: &Folder) -> (String, usize) {
    let segments = files.0.iter().rev().filter(|(name, _)| name.ends_with(".segment"));
    for (name, bytes) in segments {
        if let Some(last) = (4_096..bytes.len()).rev().find(|&at| bytes[at] != 0) {
            return (name.clone(), (last + 1).next_multiple_of(16));
        }
    }
    panic!("no frames");
}

#[test]
fn a_changed_payload_is_reported_and_those_before_it_are_read() {
    let dir = TempDir::new().unwrap();
    let mut files = put(dir.path());
    // Batches of the two logs by turns: this is the third one of the first.
    files.segment(1)[FIRST_AT + 4 * SPAN_BYTES + 48 + 77] ^= 1;
    files.write(dir.path());
    let mut log = store(dir.path()).open(&name(0)).unwrap();
    let mut visited = Vec::new();
    let result = log.read(Seq::FIRST, &mut |seq, _| {
        visited.push(seq.get());
        ControlFlow::Continue(())
    });
    match result {
        Err(ReadError::Corrupt { seq, .. }) => assert_eq!(seq.get(), 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(visited, [1, 2]);
    let mut other = store(dir.path()).open(&name(1)).unwrap();
    let read = other.read(Seq::FIRST, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(read.unwrap().get(), BATCHES as u64 + 1, "the other log has no part in it");
}
