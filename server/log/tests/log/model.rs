//! A property: whatever is appended, closed and crashed in whatever order, a log equals a vector.

use proptest::prelude::*;
use souk_log::LogName;
use souk_log::conformance::{FAILING_BATCH_BYTES, Harness, assert_batches, patterned};

use crate::folder::SegmentedHarness;
use crate::harness::{MemoryHarness, SqliteHarness};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<u8>),
    AppendEmpty,
    Maintain,
    Close,
    Crash,
    CrashInAppend(Vec<u8>),
    FailAppend,
}

fn batch() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 1..200),
        1 => (1_usize..300_000).prop_map(patterned),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => batch().prop_map(Step::Append),
        1 => Just(Step::AppendEmpty),
        1 => Just(Step::Maintain),
        1 => Just(Step::Close),
        2 => Just(Step::Crash),
        1 => batch().prop_map(Step::CrashInAppend),
        1 => Just(Step::FailAppend),
    ];
    prop::collection::vec(step, 1..40)
}

/// Walks the steps with the log and the vector side by side and compares them whenever the log is opened.
fn assert_log_equals_vector<H: Harness>(steps: Vec<Step>) {
    let harness = H::new();
    let name = LogName::new("partition-0").unwrap();
    let open = || harness.store().open(&name).unwrap();
    let mut model: Vec<Vec<u8>> = Vec::new();
    let mut log = open();
    for step in steps {
        log = match step {
            Step::Append(batch) => {
                log.append(&batch).unwrap();
                model.push(batch);
                log
            }
            Step::AppendEmpty => {
                log.append(b"").unwrap_err();
                log
            }
            Step::Maintain => {
                log.maintain().unwrap();
                log
            }
            Step::Close => {
                drop(log);
                open()
            }
            Step::Crash => {
                harness.crash(&name, log);
                open()
            }
            Step::CrashInAppend(batch) => {
                harness.crash_in_append(&name, log, &batch);
                open()
            }
            Step::FailAppend => {
                drop(log);
                let failing = patterned(FAILING_BATCH_BYTES);
                harness.open_failing(&name).append(&failing).unwrap_err();
                let log = open();
                if model.len() as u64 + 1 < log.next().get() {
                    model.push(failing);
                }
                log
            }
        };
        assert_eq!(log.next().get(), model.len() as u64 + 1);
    }
    assert_batches(log.as_mut(), &model);
    harness.crash(&name, log);
    assert_batches(open().as_mut(), &model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_in_memory_equals_a_vector(steps in steps()) {
        assert_log_equals_vector::<MemoryHarness>(steps);
    }
}

proptest! {
    // Fewer cases: each append waits for the disk.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_in_sqlite_equals_a_vector(steps in steps()) {
        assert_log_equals_vector::<SqliteHarness>(steps);
    }

    #[test]
    fn a_log_in_segments_equals_a_vector(steps in steps()) {
        assert_log_equals_vector::<SegmentedHarness>(steps);
    }
}
