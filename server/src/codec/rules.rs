//! A sandbox's rules and its clock.

use souk_core::catalog::Clock;
use souk_core::rules::{ClientTime, IdenticalRetry, MeteringWindow, OfferIdColumn, Profile, Rules};
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::value::{Stored, required, time};

pub(super) fn to_journal_rules(rules: &Rules) -> journal::Rules {
    use journal::rules::MeteringWindow as Window;
    let Rules {
        profile,
        max_dimensions,
        max_private_offer_buyers,
        max_private_contract_months,
        max_private_usage_days,
        max_instalments,
        instalments_need_invoice_terms,
        private_auto_renewal,
        private_offer_propagation_micros,
        subtracts_entitlements,
        metering_window,
        decreases_immediate,
        offer_id_column,
        identical_retry,
        client_time,
        aws_quotas,
        future_skew_micros,
        grace_extends_window,
        registration_token_micros,
        unknown_identifier_refused,
        product_code_with_license,
        tags_capped_per_record,
        retry_compares_allocations,
        dry_run_refused,
    } = rules;
    let window = match metering_window {
        MeteringWindow::Hours(hours) => Window::Hours(*hours),
        MeteringWindow::OpenMonth => Window::OpenMonth(journal::OpenMonth {}),
    };
    journal::Rules {
        profile: profile.to_journal(),
        max_dimensions: Some(*max_dimensions),
        max_private_offer_buyers: Some(*max_private_offer_buyers),
        metering_window: Some(window),
        decreases_immediate: Some(*decreases_immediate),
        offer_id_column: offer_id_column.to_journal(),
        identical_retry: identical_retry.to_journal(),
        client_time: client_time.to_journal(),
        aws_quotas: Some(*aws_quotas),
        future_skew_micros: Some(*future_skew_micros),
        grace_extends_window: Some(*grace_extends_window),
        registration_token_micros: Some(*registration_token_micros),
        unknown_identifier_refused: Some(*unknown_identifier_refused),
        product_code_with_license: Some(*product_code_with_license),
        tags_capped_per_record: Some(*tags_capped_per_record),
        retry_compares_allocations: Some(*retry_compares_allocations),
        dry_run_refused: Some(*dry_run_refused),
        max_private_contract_months: Some(*max_private_contract_months),
        max_private_usage_days: Some(*max_private_usage_days),
        max_instalments: Some(*max_instalments),
        instalments_need_invoice_terms: Some(*instalments_need_invoice_terms),
        private_auto_renewal: Some(*private_auto_renewal),
        private_offer_propagation_micros: Some(*private_offer_propagation_micros),
        subtracts_entitlements: Some(*subtracts_entitlements),
    }
}

/// What is absent was written before there was a choice: the source profile's value was the only one.
pub(super) fn from_journal_rules(rules: journal::Rules) -> Result<Rules, CodecError> {
    use journal::rules::MeteringWindow as Window;
    let before = Rules::of(Profile::Source);
    Ok(Rules {
        profile: Profile::from_journal(rules.profile, "profile")?,
        max_dimensions: required(rules.max_dimensions, "max_dimensions")?,
        max_private_offer_buyers: required(rules.max_private_offer_buyers, "max_private_offer_buyers")?,
        max_private_contract_months: rules
            .max_private_contract_months
            .unwrap_or(before.max_private_contract_months),
        max_private_usage_days: rules.max_private_usage_days.unwrap_or(before.max_private_usage_days),
        max_instalments: rules.max_instalments.unwrap_or(before.max_instalments),
        instalments_need_invoice_terms: rules
            .instalments_need_invoice_terms
            .unwrap_or(before.instalments_need_invoice_terms),
        private_auto_renewal: rules.private_auto_renewal.unwrap_or(before.private_auto_renewal),
        private_offer_propagation_micros: rules
            .private_offer_propagation_micros
            .unwrap_or(before.private_offer_propagation_micros),
        subtracts_entitlements: rules.subtracts_entitlements.unwrap_or(before.subtracts_entitlements),
        metering_window: match required(rules.metering_window, "metering_window")? {
            Window::Hours(hours) => MeteringWindow::Hours(hours),
            Window::OpenMonth(journal::OpenMonth {}) => MeteringWindow::OpenMonth,
        },
        decreases_immediate: required(rules.decreases_immediate, "decreases_immediate")?,
        offer_id_column: OfferIdColumn::from_journal(rules.offer_id_column, "offer_id_column")?,
        identical_retry: IdenticalRetry::from_journal(rules.identical_retry, "identical_retry")?,
        client_time: match rules.client_time {
            0 => before.client_time,
            number => ClientTime::from_journal(number, "client_time")?,
        },
        aws_quotas: rules.aws_quotas.unwrap_or(before.aws_quotas),
        future_skew_micros: rules.future_skew_micros.unwrap_or(before.future_skew_micros),
        grace_extends_window: rules.grace_extends_window.unwrap_or(before.grace_extends_window),
        registration_token_micros: rules
            .registration_token_micros
            .unwrap_or(before.registration_token_micros),
        unknown_identifier_refused: rules
            .unknown_identifier_refused
            .unwrap_or(before.unknown_identifier_refused),
        product_code_with_license: rules
            .product_code_with_license
            .unwrap_or(before.product_code_with_license),
        tags_capped_per_record: rules.tags_capped_per_record.unwrap_or(before.tags_capped_per_record),
        retry_compares_allocations: rules
            .retry_compares_allocations
            .unwrap_or(before.retry_compares_allocations),
        dry_run_refused: rules.dry_run_refused.unwrap_or(before.dry_run_refused),
    })
}

pub(super) fn to_journal_clock(clock: Clock) -> journal::Clock {
    use journal::clock::Running;
    let running = match clock {
        Clock::Stopped(at) => Running::StoppedMicros(at.micros()),
        Clock::Following(not_before) => Running::FollowingMicros(not_before.micros()),
    };
    journal::Clock { running: Some(running) }
}

pub(super) fn from_journal_clock(clock: journal::Clock) -> Result<Clock, CodecError> {
    use journal::clock::Running;
    match required(clock.running, "running")? {
        Running::StoppedMicros(at) => time(at, "stopped_micros").map(Clock::Stopped),
        Running::FollowingMicros(at) => time(at, "following_micros").map(Clock::Following),
    }
}
