//! The rules of a sandbox.

use std::ops::RangeInclusive;

use souk_core::rejection::{Code, Rejection};
use souk_core::rules::{
    ClientTime, FUTURE_SKEW_MICROS_MAX, IdenticalRetry, MeteringWindow, OfferIdColumn,
    PROPAGATION_MICROS_MAX, Profile, REGISTRATION_TOKEN_MICROS_MAX, Rules,
};
use souk_proto::sandbox::v1 as proto;

use super::from_proto_enum;
use super::time::{from_proto_span_micros, to_proto_span};

/// Reads rules: those of the profile, changed by every field that is said.
///
/// # Errors
/// A value that the contract does not have.
pub fn from_proto_rules(rules: proto::Rules) -> Result<Rules, Rejection> {
    let of_profile = Rules::of(from_proto_profile(rules.profile)?);
    Ok(Rules {
        profile: of_profile.profile,
        max_dimensions: rules.max_dimensions.unwrap_or(of_profile.max_dimensions),
        max_private_offer_buyers: rules
            .max_private_offer_buyers
            .unwrap_or(of_profile.max_private_offer_buyers),
        max_private_contract_months: rules
            .max_private_contract_months
            .unwrap_or(of_profile.max_private_contract_months),
        max_private_usage_days: rules.max_private_usage_days.unwrap_or(of_profile.max_private_usage_days),
        max_instalments: rules.max_instalments.unwrap_or(of_profile.max_instalments),
        instalments_need_invoice_terms: rules
            .instalments_need_invoice_terms
            .unwrap_or(of_profile.instalments_need_invoice_terms),
        private_auto_renewal: rules.private_auto_renewal.unwrap_or(of_profile.private_auto_renewal),
        subtracts_entitlements: rules.subtracts_entitlements.unwrap_or(of_profile.subtracts_entitlements),
        private_offer_propagation_micros: span(
            rules.private_offer_propagation,
            of_profile.private_offer_propagation_micros,
            0..=PROPAGATION_MICROS_MAX,
            "privateOfferPropagation",
        )?,
        metering_window: from_proto_metering_window(rules.metering_window)?
            .unwrap_or(of_profile.metering_window),
        decreases_immediate: rules.decreases_immediate.unwrap_or(of_profile.decreases_immediate),
        offer_id_column: from_proto_offer_id_column(rules.offer_id_column)?
            .unwrap_or(of_profile.offer_id_column),
        identical_retry: from_proto_identical_retry(rules.identical_retry)?
            .unwrap_or(of_profile.identical_retry),
        client_time: from_proto_client_time(rules.client_time)?.unwrap_or(of_profile.client_time),
        aws_quotas: rules.aws_quotas.unwrap_or(of_profile.aws_quotas),
        future_skew_micros: span(
            rules.future_skew,
            of_profile.future_skew_micros,
            0..=FUTURE_SKEW_MICROS_MAX,
            "futureSkew",
        )?,
        grace_extends_window: rules.grace_extends_window.unwrap_or(of_profile.grace_extends_window),
        registration_token_micros: span(
            rules.registration_token_lifetime,
            of_profile.registration_token_micros,
            1..=REGISTRATION_TOKEN_MICROS_MAX,
            "registrationTokenLifetime",
        )?,
        unknown_identifier_refused: rules
            .unknown_identifier_refused
            .unwrap_or(of_profile.unknown_identifier_refused),
        product_code_with_license: rules
            .product_code_with_license
            .unwrap_or(of_profile.product_code_with_license),
        tags_capped_per_record: rules.tags_capped_per_record.unwrap_or(of_profile.tags_capped_per_record),
        retry_compares_allocations: rules
            .retry_compares_allocations
            .unwrap_or(of_profile.retry_compares_allocations),
        dry_run_refused: rules.dry_run_refused.unwrap_or(of_profile.dry_run_refused),
    })
}

fn span(
    given: Option<prost_types::Duration>,
    of_profile: i64,
    allowed: RangeInclusive<i64>,
    field: &str,
) -> Result<i64, Rejection> {
    let Some(given) = given else { return Ok(of_profile) };
    let micros = from_proto_span_micros(Some(given), field)?;
    match allowed.contains(&micros) {
        true => Ok(micros),
        false => {
            let (least, most) = (*allowed.start(), allowed.end() / 1_000_000);
            let least = if least > 0 { "more than 0s" } else { "0s" };
            let message =
                format!("{} s is out of range: give {least} and at most {most}s", micros / 1_000_000);
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// Rules with every field filled.
pub fn to_proto_rules(rules: &Rules) -> proto::Rules {
    proto::Rules {
        profile: to_proto_profile(rules.profile).into(),
        max_dimensions: Some(rules.max_dimensions),
        max_private_offer_buyers: Some(rules.max_private_offer_buyers),
        metering_window: to_proto_metering_window(rules.metering_window).into(),
        decreases_immediate: Some(rules.decreases_immediate),
        offer_id_column: to_proto_offer_id_column(rules.offer_id_column).into(),
        identical_retry: to_proto_identical_retry(rules.identical_retry).into(),
        client_time: to_proto_client_time(rules.client_time).into(),
        aws_quotas: Some(rules.aws_quotas),
        future_skew: Some(to_proto_span(rules.future_skew_micros)),
        grace_extends_window: Some(rules.grace_extends_window),
        registration_token_lifetime: Some(to_proto_span(rules.registration_token_micros)),
        unknown_identifier_refused: Some(rules.unknown_identifier_refused),
        product_code_with_license: Some(rules.product_code_with_license),
        tags_capped_per_record: Some(rules.tags_capped_per_record),
        retry_compares_allocations: Some(rules.retry_compares_allocations),
        dry_run_refused: Some(rules.dry_run_refused),
        max_private_contract_months: Some(rules.max_private_contract_months),
        max_private_usage_days: Some(rules.max_private_usage_days),
        max_instalments: Some(rules.max_instalments),
        instalments_need_invoice_terms: Some(rules.instalments_need_invoice_terms),
        private_auto_renewal: Some(rules.private_auto_renewal),
        subtracts_entitlements: Some(rules.subtracts_entitlements),
        private_offer_propagation: Some(to_proto_span(rules.private_offer_propagation_micros)),
    }
}

fn from_proto_profile(number: i32) -> Result<Profile, Rejection> {
    match from_proto_enum(number, "profile")? {
        proto::RulesProfile::Unspecified | proto::RulesProfile::Source => Ok(Profile::Source),
        proto::RulesProfile::RulesProfile2026 => Ok(Profile::Y2026),
    }
}

fn to_proto_profile(profile: Profile) -> proto::RulesProfile {
    match profile {
        Profile::Source => proto::RulesProfile::Source,
        Profile::Y2026 => proto::RulesProfile::RulesProfile2026,
    }
}

fn from_proto_metering_window(number: i32) -> Result<Option<MeteringWindow>, Rejection> {
    let window = match from_proto_enum(number, "meteringWindow")? {
        proto::MeteringWindow::Unspecified => return Ok(None),
        proto::MeteringWindow::MeteringWindow24Hours => MeteringWindow::Hours(24),
        proto::MeteringWindow::MeteringWindow6Hours => MeteringWindow::Hours(6),
        proto::MeteringWindow::MeteringWindow1Hour => MeteringWindow::Hours(1),
        proto::MeteringWindow::OpenMonth => MeteringWindow::OpenMonth,
    };
    Ok(Some(window))
}

fn to_proto_metering_window(window: MeteringWindow) -> proto::MeteringWindow {
    match window {
        MeteringWindow::Hours(24) => proto::MeteringWindow::MeteringWindow24Hours,
        MeteringWindow::Hours(6) => proto::MeteringWindow::MeteringWindow6Hours,
        MeteringWindow::Hours(1) => proto::MeteringWindow::MeteringWindow1Hour,
        // No document can say other hours; if the contract learns some, this says that it cannot say them.
        MeteringWindow::Hours(_) => proto::MeteringWindow::Unspecified,
        MeteringWindow::OpenMonth => proto::MeteringWindow::OpenMonth,
    }
}

fn from_proto_offer_id_column(number: i32) -> Result<Option<OfferIdColumn>, Rejection> {
    Ok(match from_proto_enum(number, "offerIdColumn")? {
        proto::OfferIdColumn::Unspecified => None,
        proto::OfferIdColumn::Legacy => Some(OfferIdColumn::Legacy),
        proto::OfferIdColumn::Dashboard => Some(OfferIdColumn::Dashboard),
    })
}

fn to_proto_offer_id_column(column: OfferIdColumn) -> proto::OfferIdColumn {
    match column {
        OfferIdColumn::Legacy => proto::OfferIdColumn::Legacy,
        OfferIdColumn::Dashboard => proto::OfferIdColumn::Dashboard,
    }
}

fn from_proto_identical_retry(number: i32) -> Result<Option<IdenticalRetry>, Rejection> {
    Ok(match from_proto_enum(number, "identicalRetry")? {
        proto::IdenticalRetry::Unspecified => None,
        proto::IdenticalRetry::Success => Some(IdenticalRetry::Success),
        proto::IdenticalRetry::DuplicateRecord => Some(IdenticalRetry::DuplicateRecord),
    })
}

fn to_proto_identical_retry(retry: IdenticalRetry) -> proto::IdenticalRetry {
    match retry {
        IdenticalRetry::Success => proto::IdenticalRetry::Success,
        IdenticalRetry::DuplicateRecord => proto::IdenticalRetry::DuplicateRecord,
    }
}

fn from_proto_client_time(number: i32) -> Result<Option<ClientTime>, Rejection> {
    Ok(match from_proto_enum(number, "clientTime")? {
        proto::ClientTime::Unspecified => None,
        proto::ClientTime::Sandbox => Some(ClientTime::Sandbox),
        proto::ClientTime::Machine => Some(ClientTime::Machine),
    })
}

fn to_proto_client_time(time: ClientTime) -> proto::ClientTime {
    match time {
        ClientTime::Sandbox => proto::ClientTime::Sandbox,
        ClientTime::Machine => proto::ClientTime::Machine,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::refusal;
    use super::*;

    #[test]
    fn what_rules_leave_out_is_the_profiles() {
        let of_2026 = proto::RulesProfile::RulesProfile2026.into();
        assert_eq!(from_proto_rules(proto::Rules::default()), Ok(Rules::of(Profile::Source)));
        let rules = proto::Rules { profile: of_2026, ..Default::default() };
        assert_eq!(from_proto_rules(rules), Ok(Rules::of(Profile::Y2026)));
        let rules = proto::Rules {
            profile: of_2026,
            max_dimensions: Some(0),
            decreases_immediate: Some(false),
            metering_window: proto::MeteringWindow::OpenMonth.into(),
            ..Default::default()
        };
        let expected = Rules {
            max_dimensions: 0,
            decreases_immediate: false,
            metering_window: MeteringWindow::OpenMonth,
            ..Rules::of(Profile::Y2026)
        };
        assert_eq!(from_proto_rules(rules), Ok(expected));
    }

    #[test]
    fn spans_have_their_limits() {
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let skew = |span| from_proto_rules(proto::Rules { future_skew: span, ..Default::default() });
        let token =
            |span| from_proto_rules(proto::Rules { registration_token_lifetime: span, ..Default::default() });
        assert_eq!(skew(seconds(0)).unwrap().future_skew_micros, 0);
        assert_eq!(skew(seconds(3_600)).unwrap().future_skew_micros, FUTURE_SKEW_MICROS_MAX);
        assert_eq!(token(seconds(1)).unwrap().registration_token_micros, 1_000_000);
        let refused = |field: &str| Some((Code::FieldInvalid, field.to_owned()));
        for span in [-1, 3_601] {
            assert_eq!(refusal(skew(seconds(span))), refused("futureSkew"), "{span}");
        }
        for span in [-1, 0, 604_801] {
            assert_eq!(refusal(token(seconds(span))), refused("registrationTokenLifetime"), "{span}");
        }
    }

    prop_compose! {
        fn rules()(
            profile in prop_oneof![Just(Profile::Source), Just(Profile::Y2026)],
            max_dimensions in any::<u32>(),
            max_private_offer_buyers in any::<u32>(),
            metering_window in prop_oneof![
                prop::sample::select(vec![1, 6, 24]).prop_map(MeteringWindow::Hours),
                Just(MeteringWindow::OpenMonth),
            ],
            decreases_immediate in any::<bool>(),
            offer_id_column in prop_oneof![Just(OfferIdColumn::Legacy), Just(OfferIdColumn::Dashboard)],
            identical_retry in prop_oneof![
                Just(IdenticalRetry::Success),
                Just(IdenticalRetry::DuplicateRecord),
            ],
            client_time in prop_oneof![Just(ClientTime::Sandbox), Just(ClientTime::Machine)],
            future_skew_micros in 0..=FUTURE_SKEW_MICROS_MAX,
            registration_token_micros in 1..=REGISTRATION_TOKEN_MICROS_MAX,
            flags in any::<[bool; 10]>(),
            [max_private_contract_months, max_private_usage_days, max_instalments] in any::<[u32; 3]>(),
            propagation_seconds in 0..=PROPAGATION_MICROS_MAX / 1_000_000,
        ) -> Rules {
            let [
                aws_quotas,
                grace_extends_window,
                unknown_identifier_refused,
                product_code_with_license,
                tags_capped_per_record,
                retry_compares_allocations,
                dry_run_refused,
                instalments_need_invoice_terms,
                private_auto_renewal,
                subtracts_entitlements,
            ] = flags;
            Rules {
                max_private_contract_months,
                max_private_usage_days,
                max_instalments,
                instalments_need_invoice_terms,
                private_auto_renewal,
                private_offer_propagation_micros: propagation_seconds * 1_000_000,
                subtracts_entitlements,
                profile,
                max_dimensions,
                max_private_offer_buyers,
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
            }
        }
    }

    proptest! {
        #[test]
        fn rules_come_back_as_they_went_out(rules in rules()) {
            prop_assert_eq!(from_proto_rules(to_proto_rules(&rules)), Ok(rules));
        }
    }
}
