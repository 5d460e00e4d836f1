//! A log between processes: a writer which is killed in the middle of its appends has lost nothing it
//! acknowledged, and other programs are kept out of an open log.
//!
//! A test starts its own binary again as the other process, and reads its lines. The writer prints each
//! number after its append has returned. There is no waiting for time: reading the lines is the clock.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use souk_log::conformance::assert_batches;
use souk_log::{LogName, LogStore, OpenError, Seq, SqliteStore};
use tempfile::TempDir;

const DIR_VARIABLE: &str = "SOUK_LOG_TEST_DIR";
const DATABASE_VARIABLE: &str = "SOUK_LOG_TEST_DATABASE";
const KEPT_OUT: &str = "kept out";
const ACKNOWLEDGED: &str = "acknowledged ";

/// The writer gives up after so many appends, should nobody kill it.
const APPENDS_MAX: u64 = 100_000;

fn name() -> LogName {
    LogName::new("partition-0").unwrap()
}

/// Of different sizes, so that the kill meets appends of one page and of many.
fn batch(seq: u64) -> Vec<u8> {
    seq.to_le_bytes().repeat(1 + (seq * 37 % 2_000) as usize)
}

/// Not a test by itself: it is the writer when a test has started it, and does nothing otherwise.
#[test]
fn the_writer_appends_until_it_is_killed() {
    let Some(dir) = env::var_os(DIR_VARIABLE) else { return };
    let mut log = SqliteStore::new(dir).open(&name()).unwrap();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout).unwrap();
    for _ in 0..APPENDS_MAX {
        let seq = log.append(&batch(log.next().get())).unwrap();
        writeln!(stdout, "{ACKNOWLEDGED}{seq}").unwrap();
        stdout.flush().unwrap();
        log.maintain().unwrap();
    }
}

/// Not a test by itself: it is another program which reads a log's file, when a test has started it.
#[test]
fn another_program_looks_into_the_log() {
    let Some(path) = env::var_os(DATABASE_VARIABLE) else { return };
    let other = Connection::open(path).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    let read = other.query_row("SELECT count(*) FROM batch", (), |row| row.get::<_, i64>(0));
    assert_eq!(read.unwrap_err().sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    writeln!(std::io::stdout().lock(), "\n{KEPT_OUT}").unwrap();
}

#[test]
fn a_refused_second_writer_does_not_let_other_programs_in() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::new(dir.path());
    let mut log = store.open(&name()).unwrap();
    log.append(b"batch").unwrap();
    let refused = store.open(&name()).map(|log| log.next());
    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
    let other = again("processes::another_program_looks_into_the_log")
        .env(DATABASE_VARIABLE, dir.path().join("partition-0.sqlite"))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&other.stdout);
    assert!(stdout.lines().any(|line| line == KEPT_OUT), "{stdout}");
    drop(log);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::new(dir.path());
    let mut acknowledged = 0;
    // The last round is long enough for the writer to fold its write-ahead log several times.
    for lines in [1, 2, 17, 100, 1_000] {
        let mut writer = Writer::start(dir.path());
        let mut numbers = writer.numbers();
        for _ in 0..lines {
            acknowledged = numbers.next().expect("the writer goes on until it is killed");
        }
        let refused = store.open(&name()).map(|log| log.next());
        assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
        writer.kill();
        // What was acknowledged before the signal came is in the pipe.
        acknowledged = numbers.last().unwrap_or(acknowledged);

        let mut log = store.open(&name()).unwrap();
        let count = log.next().get() - 1;
        assert!(
            (acknowledged..=acknowledged + 1).contains(&count),
            "{count} batches, of which {acknowledged} are acknowledged"
        );
        let expected: Vec<Vec<u8>> = (1..=count).map(batch).collect();
        assert_batches(log.as_mut(), &expected);
        assert_eq!(log.append(&batch(count + 1)).unwrap(), Seq::new(count + 1).unwrap());
    }
}

/// This binary once more, running one test with its output left alone.
pub fn again(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command
}

/// The writing process, which does not outlive the test.
struct Writer(Child);

impl Writer {
    fn start(dir: &Path) -> Writer {
        let child = again("processes::the_writer_appends_until_it_is_killed")
            .env(DIR_VARIABLE, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Writer(child)
    }

    /// The numbers which it acknowledges, until its end; a line cut off by the kill is none.
    fn numbers(&mut self) -> impl Iterator<Item = u64> + use<> {
        let mut stdout = BufReader::new(self.0.stdout.take().unwrap());
        let lines = std::iter::from_fn(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line.ends_with('\n').then_some(line)
        });
        lines.filter_map(|line| line.strip_prefix(ACKNOWLEDGED)?.trim_end().parse().ok())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Already dead unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
