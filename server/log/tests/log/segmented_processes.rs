//! A store of segments between processes: a process that is killed in the middle of its appends to several logs
//! has lost nothing it acknowledged.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use souk_log::conformance::assert_batches;
use souk_log::{LogName, LogStore, OpenError, SegmentedStore, Seq};
use tempfile::TempDir;

use crate::processes::again;

const DIR_VARIABLE: &str = "SOUK_LOG_TEST_SEGMENTED_DIR";
const ACKNOWLEDGED: &str = "acknowledged ";
const LOGS: usize = 3;

/// The writer gives up after so many appends to each log, should nobody kill it.
const APPENDS_MAX: u64 = 100_000;

fn name(log: usize) -> LogName {
    LogName::new(format!("partition-{log}")).unwrap()
}

/// Of different sizes, and of no two logs alike.
fn batch(log: usize, seq: u64) -> Vec<u8> {
    (seq * LOGS as u64 + log as u64).to_le_bytes().repeat(1 + (seq * 37 % 2_000) as usize)
}

/// Not a test by itself: it is the writer when a test has started it, and does nothing otherwise.
#[test]
fn the_writers_submit_until_they_are_killed() {
    let Some(dir) = env::var_os(DIR_VARIABLE) else { return };
    let store = SegmentedStore::new(dir);
    let logs: Vec<_> = (0..LOGS).map(|log| store.open(&name(log)).unwrap()).collect();
    let lines = Arc::new(Mutex::new(std::io::stdout()));
    writeln!(lines.lock().unwrap()).unwrap();
    thread::scope(|scope| {
        for (log, mut opened) in logs.into_iter().enumerate() {
            let lines = lines.clone();
            scope.spawn(move || {
                for _ in 0..APPENDS_MAX {
                    let lines = lines.clone();
                    let done = move |seq: Result<Seq, _>| {
                        let mut lines = lines.lock().unwrap();
                        writeln!(lines, "{ACKNOWLEDGED}{log} {}", seq.unwrap()).unwrap();
                        lines.flush().unwrap();
                    };
                    let seq = opened.next().get();
                    opened.submit(batch(log, seq), Box::new(done));
                    if seq.is_multiple_of(10) {
                        opened.append(&batch(log, seq + 1)).unwrap();
                    }
                }
            });
        }
    });
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = TempDir::new().unwrap();
    let store = SegmentedStore::new(dir.path());
    let mut acknowledged = [0; LOGS];
    for lines in [1, 3, 50, 300, 2_000] {
        let mut writer = again("segmented_processes::the_writers_submit_until_they_are_killed")
            .env(DIR_VARIABLE, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(writer.stdout.take().unwrap());
        let mut seen = 0;
        let mut line = String::new();
        // Lines are read to the end: what was acknowledged before the signal came is in the pipe.
        while 0 < stdout.read_line(&mut line).unwrap() {
            let numbers = line.strip_suffix('\n').and_then(|line| line.strip_prefix(ACKNOWLEDGED));
            if let Some((log, seq)) = numbers.and_then(|numbers| numbers.split_once(' ')) {
                let acknowledged = &mut acknowledged[log.parse::<usize>().unwrap()];
                *acknowledged = seq.parse::<u64>().unwrap().max(*acknowledged);
                seen += 1;
            }
            if seen == lines {
                for log in 0..LOGS {
                    let refused = store.open(&name(log)).map(|log| log.next());
                    assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");
                }
                writer.kill().unwrap();
            }
            line.clear();
        }
        // Also ends it if it has ended its output by itself.
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert!(lines <= seen, "the writer goes on until it is killed");

        for (log, acknowledged) in acknowledged.iter_mut().enumerate() {
            let mut opened = store.open(&name(log)).unwrap();
            let count = opened.next().get() - 1;
            assert!(*acknowledged <= count, "log {log}: {count} batches, {acknowledged} acknowledged");
            let expected: Vec<Vec<u8>> = (1..=count).map(|seq| batch(log, seq)).collect();
            assert_batches(opened.as_mut(), &expected);
            assert_eq!(opened.append(&batch(log, count + 1)).unwrap().get(), count + 1);
            *acknowledged = count + 1;
        }
    }
}
