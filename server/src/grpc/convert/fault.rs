//! The faults of the AWS port.

use souk_core::catalog::{Fault, FaultCalls, FaultRule};
use souk_core::rejection::{Code, Rejection};
use souk_proto::fault::v1 as proto;
use souk_proto::fault::v1::fault_rule::Calls;

use super::from_proto_enum;
use super::time::{from_proto_span_micros, to_proto_span};
use crate::faults::FaultCount;

const MILLION: f64 = 1_000_000.0;

/// Reads a rule.
///
/// # Errors
/// A kind that is not said, and members that do not go with it.
pub fn from_proto_fault_rule(rule: proto::FaultRule) -> Result<FaultRule, Rejection> {
    let proto::FaultRule { operation, calls, seed, kind, latency, records } = rule;
    let kind = from_proto_enum(kind, "kind")?;
    let refuse = |code, field: &str, message: &str| Err(Rejection::new(code, field, message));
    if latency.is_some() && kind != proto::FaultKind::Latency {
        return refuse(Code::FieldInvalid, "latency", "only a fault of the kind LATENCY has one");
    }
    if records.is_some() && kind != proto::FaultKind::UnprocessedRecords {
        return refuse(
            Code::FieldInvalid,
            "records",
            "only a fault of the kind UNPROCESSED_RECORDS has them",
        );
    }
    let fault = match kind {
        proto::FaultKind::Unspecified => {
            return refuse(Code::FieldMissing, "kind", "say what the fault does, such as THROTTLE");
        }
        proto::FaultKind::Throttle => Fault::Throttle,
        proto::FaultKind::InternalError => Fault::InternalError,
        proto::FaultKind::UnprocessedRecords => Fault::UnprocessedRecords(records),
        proto::FaultKind::Latency => Fault::Latency(from_proto_span_micros(latency, "latency")?),
        proto::FaultKind::CutBeforeCommit => Fault::CutBeforeCommit,
        proto::FaultKind::CutAfterCommit => Fault::CutAfterCommit,
        proto::FaultKind::ExpiredToken => Fault::ExpiredToken,
    };
    let calls = match calls {
        None => FaultCalls::All,
        Some(Calls::NthCall(number)) => FaultCalls::Nth(number),
        Some(Calls::Probability(probability)) => FaultCalls::PerMillion(per_million(probability)?),
    };
    Ok(FaultRule { operation: (!operation.is_empty()).then_some(operation), calls, seed, fault })
}

fn per_million(probability: f64) -> Result<u32, Rejection> {
    let parts = probability * MILLION;
    let refuse = |what: &str| {
        let message = format!("{probability} {what}: give 0 to 1, with at most six decimals");
        Err(Rejection::new(Code::FieldInvalid, "probability", message))
    };
    match (0.0..=1.0).contains(&probability) {
        false => refuse("is no probability"),
        // What is left over of six decimals in binary is far smaller.
        true if (parts - parts.round()).abs() > 0.001 => refuse("has more than six decimals"),
        // At most a million.
        true => Ok(parts.round() as u32),
    }
}

/// A rule.
pub fn to_proto_fault_rule(rule: &FaultRule) -> proto::FaultRule {
    use proto::FaultKind as Kind;
    let FaultRule { operation, calls, seed, fault } = rule;
    let (kind, latency, records) = match fault {
        Fault::Throttle => (Kind::Throttle, None, None),
        Fault::InternalError => (Kind::InternalError, None, None),
        Fault::UnprocessedRecords(records) => (Kind::UnprocessedRecords, None, *records),
        Fault::Latency(micros) => (Kind::Latency, Some(to_proto_span(*micros)), None),
        Fault::CutBeforeCommit => (Kind::CutBeforeCommit, None, None),
        Fault::CutAfterCommit => (Kind::CutAfterCommit, None, None),
        Fault::ExpiredToken => (Kind::ExpiredToken, None, None),
    };
    proto::FaultRule {
        operation: operation.clone().unwrap_or_default(),
        calls: match calls {
            FaultCalls::All => None,
            FaultCalls::Nth(number) => Some(Calls::NthCall(*number)),
            FaultCalls::PerMillion(parts) => Some(Calls::Probability(f64::from(*parts) / MILLION)),
        },
        seed: *seed,
        kind: kind.into(),
        latency,
        records,
    }
}

/// A rule, and what it has done.
pub fn to_proto_fault_count(count: &FaultCount) -> proto::FaultCount {
    let FaultCount { rule, calls, struck } = count;
    proto::FaultCount { rule: Some(to_proto_fault_rule(rule)), calls: *calls, struck: *struck }
}

#[cfg(test)]
mod tests {
    use super::super::refusal;
    use super::*;

    #[test]
    fn rules_come_back_as_they_were_said() {
        let span = Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 });
        let rule = |calls, kind: proto::FaultKind| proto::FaultRule {
            operation: "BatchMeterUsage".to_owned(),
            calls,
            seed: 7,
            kind: kind.into(),
            latency: None,
            records: None,
        };
        for rule in [
            rule(None, proto::FaultKind::Throttle),
            rule(Some(Calls::NthCall(3)), proto::FaultKind::InternalError),
            rule(Some(Calls::Probability(0.05)), proto::FaultKind::CutBeforeCommit),
            rule(Some(Calls::Probability(0.000_001)), proto::FaultKind::CutAfterCommit),
            rule(None, proto::FaultKind::ExpiredToken),
            proto::FaultRule { records: Some(2), ..rule(None, proto::FaultKind::UnprocessedRecords) },
            proto::FaultRule {
                operation: String::new(),
                latency: span,
                ..rule(None, proto::FaultKind::Latency)
            },
        ] {
            assert_eq!(to_proto_fault_rule(&from_proto_fault_rule(rule.clone()).unwrap()), rule);
        }
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let rule = |kind: proto::FaultKind| proto::FaultRule { kind: kind.into(), ..Default::default() };
        let span = Some(prost_types::Duration { seconds: 1, nanos: 0 });
        let throttle = proto::FaultKind::Throttle;
        for (rule, code, field) in [
            (rule(proto::FaultKind::Unspecified), Code::FieldMissing, "kind"),
            (rule(proto::FaultKind::Latency), Code::FieldMissing, "latency"),
            (proto::FaultRule { latency: span, ..rule(throttle) }, Code::FieldInvalid, "latency"),
            (proto::FaultRule { records: Some(1), ..rule(throttle) }, Code::FieldInvalid, "records"),
            (proto::FaultRule { kind: 99, ..Default::default() }, Code::FieldInvalid, "kind"),
        ] {
            assert_eq!(refusal(from_proto_fault_rule(rule)), Some((code, field.to_owned())));
        }
        for probability in [-0.1, 1.1, 0.000_000_4, 0.999_999_9, f64::NAN, f64::INFINITY] {
            let calls = Some(Calls::Probability(probability));
            let refused = refusal(from_proto_fault_rule(proto::FaultRule { calls, ..rule(throttle) }));
            assert_eq!(refused, Some((Code::FieldInvalid, "probability".to_owned())), "{probability}");
        }
    }
}
