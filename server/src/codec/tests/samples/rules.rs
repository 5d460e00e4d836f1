//! A sandbox whose rules are all said.

use souk_core::rules::ClientTime;

use super::*;

/// Every rule has another value than in its profile.
pub fn sandbox() -> ControlEntry {
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
