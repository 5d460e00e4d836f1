//! What is set of the AWS port: faults, and the key that signs.

use std::sync::Arc;

use souk_core::catalog::{Fault, FaultCalls, FaultRule, PublicKeyVersion};

use super::time;

/// Every fault.
pub fn faults() -> Arc<[FaultRule]> {
    let rule = |operation: Option<&str>, calls, seed, fault| FaultRule {
        operation: operation.map(str::to_owned),
        calls,
        seed,
        fault,
    };
    let batch = Some("BatchMeterUsage");
    Arc::new([
        rule(None, FaultCalls::All, 0, Fault::Latency(250_000)),
        rule(batch, FaultCalls::Nth(3), 0, Fault::Throttle),
        rule(batch, FaultCalls::PerMillion(50_000), 7, Fault::UnprocessedRecords(Some(2))),
        rule(batch, FaultCalls::All, 0, Fault::UnprocessedRecords(None)),
        rule(Some("MeterUsage"), FaultCalls::All, 0, Fault::InternalError),
        rule(Some("MeterUsage"), FaultCalls::All, 0, Fault::CutBeforeCommit),
        rule(Some("MeterUsage"), FaultCalls::All, 0, Fault::CutAfterCommit),
        rule(Some("ResolveCustomer"), FaultCalls::All, 0, Fault::ExpiredToken),
    ])
}

/// A key that was replaced, and the one that replaced it.
pub fn public_keys() -> Arc<[PublicKeyVersion]> {
    let rotated_at = Some(time("2025-06-01T00:00:00Z"));
    let private_key = Some("-----BEGIN PRIVATE KEY-----".to_owned());
    Arc::new([
        PublicKeyVersion { version: 1, rotated_at, private_key },
        PublicKeyVersion { version: 2, rotated_at: None, private_key: None },
    ])
}
