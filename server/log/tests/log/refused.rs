//! What has a log's place and is none, or is a damaged one, is refused and left as it was.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use souk_log::{LogName, LogStore, OpenError, SqliteStore};
use tempfile::TempDir;

use crate::harness::{Files, wal_of};

fn name() -> LogName {
    LogName::new("control").unwrap()
}

/// The names and bytes of all files in a folder, except the lock, which stays for the next open.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_dir = entry.file_type().unwrap().is_dir();
        let bytes = if is_dir { Vec::new() } else { fs::read(entry.path()).unwrap() };
        contents.insert(name, bytes);
    }
    assert_eq!(contents.remove("control.lock").unwrap_or_default(), b"");
    contents
}

/// Lets `put` write something in a log's place and returns how opening it is refused, twice alike.
fn refusal(put: impl FnOnce(&Path)) -> OpenError {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("control.sqlite");
    put(&path);
    let before = contents(dir.path());
    let store = SqliteStore::new(dir.path());
    let refused = || store.open(&name()).map(|log| log.next()).expect_err("this is no log");
    let first = refused();
    assert!(contents(dir.path()) == before, "what was there is changed by: {first}");
    assert_eq!(refused().to_string(), first.to_string());
    assert!(contents(dir.path()) == before, "what was there is changed by the second: {first}");
    assert!(first.to_string().contains("control.sqlite"), "the file is not named: {first}");
    first
}

#[track_caller]
fn assert_foreign(error: &OpenError) {
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[track_caller]
fn assert_corrupt(error: &OpenError) {
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
}

/// Makes a log of forty batches, closed in order.
fn put_log(path: &Path) {
    let mut log = SqliteStore::new(path.parent().unwrap()).open(&name()).unwrap();
    for each in 1..=40_u8 {
        log.append(&[each; 3_000]).unwrap();
    }
}

fn change_sql(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

fn change_bytes(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_is_not_sqlite_is_foreign() {
    for bytes in [&b"hello"[..], &[0; 8_192], "a letter to a friend\n".repeat(300).as_bytes()] {
        assert_foreign(&refusal(|path| fs::write(path, bytes).unwrap()));
    }
}

#[test]
fn a_folder_is_foreign() {
    assert_foreign(&refusal(|path| fs::create_dir(path).unwrap()));
}

#[test]
fn a_database_of_another_application_is_foreign() {
    let table = "CREATE TABLE batch (seq INTEGER PRIMARY KEY, crc INTEGER, bytes BLOB);";
    for id in ["", "PRAGMA application_id = 7; PRAGMA user_version = 1;"] {
        for mode in ["", "PRAGMA journal_mode = wal;"] {
            let sql = format!("{mode} {table} {id}");
            assert_foreign(&refusal(|path| change_sql(path, &sql)));
        }
    }
}

#[test]
fn the_write_ahead_log_of_another_application_is_left_alone() {
    let error = refusal(|path| {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE theirs (a);").unwrap();
        let crashed = Files::read(path);
        connection.close().unwrap();
        crashed.write(path);
        assert!(0 < fs::metadata(wal_of(path)).unwrap().len());
    });
    assert_foreign(&error);
}

#[test]
fn an_empty_or_cut_off_file_is_damage_and_no_new_log() {
    for bytes_kept in [0, 50, 100, 4_096, 20_000] {
        let error = refusal(|path| {
            put_log(path);
            change_bytes(path, |bytes| bytes.truncate(bytes_kept));
        });
        assert_corrupt(&error);
    }
}

#[test]
fn a_log_which_is_missing_beside_its_write_ahead_log_is_damage() {
    assert_corrupt(&refusal(|path| fs::write(wal_of(path), [1; 4_096]).unwrap()));
}

#[test]
fn a_damaged_page_is_found_at_opening() {
    // Page 1 has the schema behind its header of 100 bytes, page 2 is the root of the table.
    for at in [103, 4_096, 4_096 + 3, 4_096 + 8] {
        let error = refusal(|path| {
            put_log(path);
            change_bytes(path, |bytes| bytes[at..at + 5].fill(0xEE));
        });
        assert_corrupt(&error);
    }
}

#[test]
fn a_batch_cut_off_from_its_pages_is_found_at_opening() {
    let error = refusal(|path| {
        let mut log = SqliteStore::new(path.parent().unwrap()).open(&name()).unwrap();
        log.append(&[1; 20_000]).unwrap();
        drop(log);
        // The first page that the batch flows over to, page 3, names the next one in its first bytes.
        change_bytes(path, |bytes| bytes[2 * 4_096..2 * 4_096 + 4].fill(0));
    });
    assert_corrupt(&error);
}

#[test]
fn a_damaged_page_under_a_write_ahead_log_is_found_and_nothing_is_folded() {
    let error = refusal(|path| {
        put_log(path);
        let mut log = SqliteStore::new(path.parent().unwrap()).open(&name()).unwrap();
        log.append(b"in the write-ahead log").unwrap();
        let crashed = Files::read(path);
        drop(log);
        crashed.write(path);
        assert!(0 < fs::metadata(wal_of(path)).unwrap().len());
        // A leaf far from the one which was appended to.
        change_bytes(path, |bytes| bytes[4 * 4_096..4 * 4_096 + 8].fill(0xEE));
    });
    assert_corrupt(&error);
}

#[test]
fn a_gap_in_the_numbers_is_found_at_opening() {
    for sql in ["DELETE FROM batch WHERE seq = 20", "DELETE FROM batch WHERE seq = 1", "DROP TABLE batch"] {
        let error = refusal(|path| {
            put_log(path);
            change_sql(path, sql);
        });
        assert_corrupt(&error);
    }
}

#[test]
fn a_newer_format_is_refused_also_when_only_the_write_ahead_log_says_so() {
    let closed = refusal(|path| {
        put_log(path);
        change_sql(path, "PRAGMA user_version = 2");
    });
    assert!(matches!(closed, OpenError::NewerFormat { found: 2, known: 1, .. }), "{closed:?}");
    let crashed = refusal(|path| {
        put_log(path);
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA user_version = 2").unwrap();
        let crashed = Files::read(path);
        connection.close().unwrap();
        crashed.write(path);
    });
    assert!(matches!(crashed, OpenError::NewerFormat { found: 2, known: 1, .. }), "{crashed:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_io_error_with_its_cause() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"in the way").unwrap();
    let refused = SqliteStore::new(dir.path().join("file")).open(&name()).map(|log| log.next());
    let error = refused.expect_err("a file is no folder");
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    assert!(error.source().is_some());
}
