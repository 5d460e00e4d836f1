//! What belongs to the AWS port of a sandbox: its faults, and the versions of its key.

use souk_core::catalog::{Fault, FaultCalls, FaultRule, PublicKeyVersion};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::fault_rule::Calls;

use super::CodecError;
use super::value::{required, time};

pub(super) fn to_journal_fault_rule(rule: &FaultRule) -> journal::FaultRule {
    use journal::FaultKind as Kind;
    let FaultRule { operation, calls, seed, fault } = rule;
    let (kind, latency_micros, records) = match fault {
        Fault::Throttle => (Kind::Throttle, None, None),
        Fault::InternalError => (Kind::InternalError, None, None),
        Fault::UnprocessedRecords(records) => (Kind::UnprocessedRecords, None, *records),
        Fault::Latency(micros) => (Kind::Latency, Some(*micros), None),
        Fault::CutBeforeCommit => (Kind::CutBeforeCommit, None, None),
        Fault::CutAfterCommit => (Kind::CutAfterCommit, None, None),
        Fault::ExpiredToken => (Kind::ExpiredToken, None, None),
    };
    journal::FaultRule {
        operation: operation.clone(),
        calls: match calls {
            FaultCalls::All => None,
            FaultCalls::Nth(number) => Some(Calls::NthCall(*number)),
            FaultCalls::PerMillion(parts) => Some(Calls::PerMillion(*parts)),
        },
        seed: Some(*seed),
        kind: kind.into(),
        latency_micros,
        records,
    }
}

pub(super) fn from_journal_fault_rule(rule: journal::FaultRule) -> Result<FaultRule, CodecError> {
    use journal::FaultKind as Kind;
    Ok(FaultRule {
        operation: rule.operation,
        calls: match rule.calls {
            None => FaultCalls::All,
            Some(Calls::NthCall(number)) => FaultCalls::Nth(number),
            Some(Calls::PerMillion(parts)) => FaultCalls::PerMillion(parts),
        },
        seed: required(rule.seed, "seed")?,
        fault: match Kind::try_from(rule.kind) {
            Ok(Kind::Throttle) => Fault::Throttle,
            Ok(Kind::InternalError) => Fault::InternalError,
            Ok(Kind::UnprocessedRecords) => Fault::UnprocessedRecords(rule.records),
            Ok(Kind::Latency) => Fault::Latency(required(rule.latency_micros, "latency_micros")?),
            Ok(Kind::CutBeforeCommit) => Fault::CutBeforeCommit,
            Ok(Kind::CutAfterCommit) => Fault::CutAfterCommit,
            Ok(Kind::ExpiredToken) => Fault::ExpiredToken,
            Ok(Kind::Unspecified) | Err(_) => return Err(CodecError::absent("kind")),
        },
    })
}

pub(super) fn to_journal_public_key(key: &PublicKeyVersion) -> journal::PublicKeyVersion {
    let PublicKeyVersion { version, rotated_at, private_key } = key;
    journal::PublicKeyVersion {
        version: Some(*version),
        rotation_micros: rotated_at.map(|at| at.micros()),
        private_key: private_key.clone(),
    }
}

pub(super) fn from_journal_public_key(
    key: journal::PublicKeyVersion,
) -> Result<PublicKeyVersion, CodecError> {
    Ok(PublicKeyVersion {
        version: required(key.version, "version")?,
        rotated_at: key.rotation_micros.map(|micros| time(micros, "rotation_micros")).transpose()?,
        private_key: key.private_key,
    })
}
