//! What is set of the AWS port: faults, and the key that signs.

use std::sync::Arc;

use souk_core::catalog::{Clock, Fault, FaultCalls, FaultRule, PublicKeyVersion};
use souk_core::ids::SandboxName;
use souk_core::machine::ControlEntry;
use souk_core::rules::{ClientTime, Profile, Rules};

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

/// A sandbox whose rules are all others than the profile's.
pub fn sandbox_with_every_rule() -> ControlEntry {
    let rules = Rules {
        client_time: ClientTime::Machine,
        aws_quotas: true,
        future_skew_micros: 0,
        grace_extends_window: true,
        registration_token_micros: 1,
        unknown_identifier_refused: false,
        product_code_with_license: true,
        tags_capped_per_record: true,
        retry_compares_allocations: true,
        dry_run_refused: true,
        max_private_contract_months: 61,
        max_private_usage_days: 1_096,
        max_instalments: 61,
        instalments_need_invoice_terms: false,
        private_auto_renewal: true,
        private_offer_propagation_micros: 0,
        subtracts_entitlements: true,
        ..Rules::of(Profile::Source)
    };
    let began = time("2025-03-10T12:00:00Z");
    ControlEntry::SandboxPut {
        name: SandboxName::new("blue"),
        description: String::new(),
        rules,
        began,
        changes: Vec::new(),
        seeds: Vec::new(),
        clock: Clock::Stopped(began),
    }
}
