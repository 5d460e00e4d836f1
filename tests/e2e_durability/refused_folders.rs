//! Folders that no server starts on: damaged, foreign, incomplete, mixed, or in use. Each refusal says what to do,
//! and every file stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use souk_server::compose;
use tempfile::TempDir;

use crate::served::{MACHINE_TIME, Served, SetClock};
use crate::soukd::{self, Soukd};
use crate::words::{put, turn};

const DOCUMENT: &str = "
description: the marketplace of Contrail Software
clock: {at: 2025-01-01T00:00:00Z}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000101, companyName: Acme Airlines}
products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{usageBasedPricing: {rateCard: {units: 0.80}}}]
";

/// A data folder with a sandbox and its usage in SQLite, whose server was stopped in order.
async fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::in_sqlite(folder.path()).await;
    fill(served).await;
    folder
}

/// The same with its usage in segments.
async fn folder_of_segments() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fill(Served::in_folder(folder.path()).await).await;
    folder
}

async fn fill(served: Served) {
    put(&served.client, "default", DOCUMENT).await;
    served.client.accept_offer("default", "offer-a", "000000000101", None).await.expect("an open offer");
    served.stop().await;
}

/// Every file but the lock files, which a start may make.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let files = entries.filter(|entry| !name(entry).ends_with(".lock"));
    files.map(|entry| (name(&entry), fs::read(entry.path()).expect("a file"))).collect()
}

/// Why a start on the folder is refused; nothing in it changes.
#[track_caller]
fn refusal(folder: &Path) -> String {
    let before = contents(folder);
    let started = compose::start_in(folder, Arc::new(SetClock::at(MACHINE_TIME)));
    let refusal = started.err().expect("a folder to be refused").to_string();
    assert!(contents(folder) == before, "the refused folder has changed: {refusal}");
    refusal.replace(&folder.display().to_string(), "FOLDER")
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

#[tokio::test]
async fn a_damaged_or_foreign_log_is_refused_and_left_as_it_is() {
    type Harm = fn(&Path);
    let rows: [(&str, Harm, &str); 6] = [
        (
            "partition-1.sqlite",
            |file| fs::write(file, "not a database").expect("a file"),
            "is not a log of this server (not an SQLite database); move it away or choose another data folder",
        ),
        (
            "partition-2.sqlite",
            |file| fs::write(file, "").expect("a file"),
            "is damaged (it is empty, which no log ever is); restore it from a backup or move it away",
        ),
        (
            "control.sqlite",
            |file| {
                fs::remove_file(file).expect("a file");
                let other = rusqlite::Connection::open(file).expect("a database");
                other.execute_batch("CREATE TABLE songs (title TEXT);").expect("a table");
            },
            "is not a log of this server (an SQLite database of another application); move it away or choose \
             another data folder",
        ),
        (
            "partition-0.sqlite",
            |file| change(file, |bytes| bytes.truncate(bytes.len() / 2)),
            "is damaged (database disk image is malformed); restore it from a backup or move it away",
        ),
        (
            "partition-3.sqlite",
            |file| change(file, |bytes| bytes[60..64].copy_from_slice(&[0, 0, 0, 9])),
            "has format 9, and this server knows formats up to 1; start a newer server",
        ),
        (
            "control.sqlite",
            |file| {
                change(file, |bytes| {
                    let text = b"Acme Airlines";
                    let place = bytes.windows(text.len()).position(|part| part == text);
                    bytes[place.expect("the company of the document")] = b'B';
                });
            },
            "is damaged at batch 1 (its checksum is wrong); restore it from a backup",
        ),
    ];
    for (file, harm, expected) in rows {
        let folder = folder().await;
        harm(&folder.path().join(file));
        assert_eq!(refusal(folder.path()), format!("FOLDER/{file} {expected}"));
    }
}

#[tokio::test]
async fn a_missing_log_is_not_made_anew() {
    for name in ["control", "partition-0", "partition-3"] {
        let folder = folder().await;
        fs::remove_file(folder.path().join(format!("{name}.sqlite"))).expect("a log");
        assert_eq!(
            refusal(folder.path()),
            format!(
                "data folder FOLDER: its log {name} is missing: restore it from a backup, with all other files"
            )
        );
    }
}

#[tokio::test]
async fn missing_segments_are_not_made_anew() {
    let folder = folder_of_segments().await;
    fs::remove_dir_all(folder.path().join("usage")).expect("the segments");
    assert_eq!(
        refusal(folder.path()),
        "data folder FOLDER: its log partition-0 is missing: restore it from a backup, with all other files"
    );
}

#[tokio::test]
async fn a_folder_of_an_earlier_server_goes_on_in_sqlite() {
    let folder = folder().await;
    fs::write(folder.path().join("souk.json"), "{\"format\":1,\"partitions\":4}").expect("a file");
    let served = Served::in_folder(folder.path()).await;
    let agreements = served.client.all_agreements("default", &Default::default()).await.expect("a list");
    assert_eq!(agreements.len(), 1);
    served.stop().await;
    assert!(!folder.path().join("usage").exists());
}

#[tokio::test]
async fn a_folder_that_says_something_else_of_itself_is_refused() {
    let rows = [
        ("{\"format\":3,\"partitions\":4}", "its format 3 is newer than 2: use a newer soukd"),
        ("{\"format\":1,\"partitions\":0}", "souk.json says 0 partitions: restore it"),
        ("{\"format\":1,\"partitions\":257}", "souk.json says 257 partitions: restore it"),
        (
            "{\"format\":1,\"partitions\":5}",
            "its log partition-4 is missing: restore it from a backup, with all other files",
        ),
        (
            "{}",
            "souk.json is not of a Souk data folder (missing field `format` at line 1 column 2): restore it, or \
             choose another folder",
        ),
        (
            "songs",
            "souk.json is not of a Souk data folder (expected value at line 1 column 1): restore it, or choose \
             another folder",
        ),
    ];
    let folder = folder().await;
    for (text, expected) in rows {
        fs::write(folder.path().join("souk.json"), text).expect("a file");
        assert_eq!(refusal(folder.path()), format!("data folder FOLDER: {expected}"));
    }
}

#[test]
fn a_folder_that_holds_something_else_is_not_taken_over() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("songs.txt"), "la la").expect("a file");
    let expected = "data folder FOLDER: it holds \"songs.txt\" and no souk.json: choose an empty folder, or one \
                    that Souk made";
    assert_eq!(refusal(folder.path()), expected);
}

#[tokio::test]
async fn a_folder_that_was_cut_off_before_it_was_complete_is_finished() {
    let folder = folder().await;
    let description = folder.path().join("souk.json");
    fs::rename(&description, folder.path().join("souk.json.new")).expect("a file");
    let served = Served::in_folder(folder.path()).await;
    assert!(description.exists());
    let sandbox = served.client.get_sandbox("default").await.expect("what was there before");
    assert_eq!(sandbox.agreements.len(), 1);
    served.stop().await;
}

#[tokio::test]
async fn logs_of_two_copies_are_not_mixed() {
    let folder = folder().await;
    let control = folder.path().join("control.sqlite");
    let older = fs::read(&control).expect("a log");
    let served = Served::in_folder(folder.path()).await;
    turn(&served.client, "default", "2025-01-02T00:00:00Z").await;
    served.stop().await;
    fs::write(&control, older).expect("a file");
    assert_eq!(
        refusal(folder.path()),
        "partition 0: batch 2 follows control entry 2, and the control log ends before it: restore all files of \
         the data folder from the same copy"
    );
}

#[tokio::test]
async fn the_process_says_why_it_does_not_start_and_leaves_the_folder_as_it_is() {
    let folder = folder().await;
    let log = folder.path().join("partition-2.sqlite");
    change(&log, |bytes| bytes.truncate(bytes.len() / 2));
    let before = contents(folder.path());
    assert_eq!(
        soukd::refusal(folder.path()),
        format!(
            "soukd: {} is damaged (database disk image is malformed); restore it from a backup or move it away\n",
            log.display()
        )
    );
    assert!(contents(folder.path()) == before);
}

#[tokio::test]
async fn a_folder_has_one_server_at_a_time() {
    let folder = folder().await;
    let first = Soukd::start(folder.path()).await;
    let log = folder.path().join("control.sqlite");
    let expected = format!("{} is in use by another writer; stop that one first", log.display());
    assert_eq!(soukd::refusal(folder.path()), format!("soukd: {expected}\n"));
    let second = compose::start_in(folder.path(), Arc::new(SetClock::at(MACHINE_TIME)));
    assert_eq!(second.err().map(|error| error.to_string()), Some(expected));
    turn(&first.client, "default", "2025-01-02T00:00:00Z").await;
    first.kill().await;
    // A server that was killed holds nothing.
    let third = Soukd::start(folder.path()).await;
    turn(&third.client, "default", "2025-01-03T00:00:00Z").await;
    third.kill().await;
}
