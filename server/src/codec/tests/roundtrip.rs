//! What was written is read back, whatever it was; and whatever the bytes are, reading answers.

use proptest::collection::vec;
use proptest::prelude::*;
use souk_core::machine::Event;
use souk_core::metering::{SeriesHandle, UsageColumns};
use souk_core::time::{Timestamp, UsageHour};

use super::arbitrary::Tape;
use crate::codec::{ControlBatch, PartitionBatch};

fn tape() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..3_000)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_are_read_back_as_they_were(tape in tape()) {
        let batch = Tape(tape.iter()).partition_batch();
        prop_assert_eq!(PartitionBatch::decode(&batch.encode()), Ok(batch));
    }

    #[test]
    fn control_entries_are_read_back_as_they_were(tape in tape()) {
        let batch = Tape(tape.iter()).control_batch();
        prop_assert_eq!(ControlBatch::decode(&batch.encode()), Ok(batch));
    }

    #[test]
    fn usage_is_read_back_to_the_millionth(tape in vec(any::<u8>(), 0..300)) {
        let batch = usage_batch(Tape(tape.iter()).usage());
        prop_assert_eq!(PartitionBatch::decode(&batch.encode()), Ok(batch));
    }

    #[test]
    fn random_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        check_partition(&bytes);
        check_control(&bytes);
    }

    #[test]
    fn damaged_events_are_answered(tape in tape(), cut in any::<u16>(), changes in changes()) {
        check_partition(&damage(Tape(tape.iter()).partition_batch().encode(), cut, &changes));
    }

    #[test]
    fn damaged_control_entries_are_answered(tape in tape(), cut in any::<u16>(), changes in changes()) {
        check_control(&damage(Tape(tape.iter()).control_batch().encode(), cut, &changes));
    }
}

#[test]
fn usage_takes_few_bytes_a_record() {
    // The hour of a fleet in the order in which its series were opened, then the same in any order.
    for (rows, step, most) in [(25_u32, 1_u32, 4), (5_000, 1, 2), (5_000, 3_001, 6)] {
        let mut columns = UsageColumns::default();
        let hour = UsageHour::from_index(482_000).unwrap();
        for row in 0..rows {
            let handle = SeriesHandle(100_000 + row * step % rows);
            columns.push(handle, hour, u64::from(row % 90 + 1) * 1_000_000);
        }
        let length = usage_batch(columns).encode().len();
        assert!(length <= rows as usize * most, "{rows} rows take {length} bytes");
    }
}

fn usage_batch(columns: UsageColumns) -> PartitionBatch {
    let event = (souk_core::ids::SandboxName::new("load"), Event::UsageAccepted(columns));
    PartitionBatch {
        time: Timestamp::parse("2025-03-10T12:00:00.123456Z").unwrap(),
        followed: None,
        events: vec![event],
    }
}

fn changes() -> impl Strategy<Value = Vec<(u16, u8)>> {
    vec((any::<u16>(), any::<u8>()), 0..4)
}

/// Cuts one of two batches and overwrites some bytes.
fn damage(mut bytes: Vec<u8>, cut: u16, changes: &[(u16, u8)]) -> Vec<u8> {
    if cut % 2 == 1 {
        bytes.truncate(usize::from(cut) % bytes.len());
    }
    for &(at, value) in changes {
        let at = usize::from(at) % bytes.len().max(1);
        bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
    }
    bytes
}

/// What can be read at all is read back once it was written again.
fn check_partition(bytes: &[u8]) {
    if let Ok(batch) = PartitionBatch::decode(bytes) {
        assert_eq!(PartitionBatch::decode(&batch.encode()), Ok(batch));
    }
}

fn check_control(bytes: &[u8]) {
    if let Ok(batch) = ControlBatch::decode(bytes) {
        assert_eq!(ControlBatch::decode(&batch.encode()), Ok(batch));
    }
}
