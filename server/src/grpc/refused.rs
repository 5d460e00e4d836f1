//! Notes what the metering service refused: a request as a whole, or single records of it.

use souk_core::ids::SandboxName;
use souk_core::metering::{RecordStatus, UsageOutcome};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::app::Souk;
use crate::app::refusals::{NamedRecord, Reason};

/// The operations whose records accumulate.
pub const METER_RUNS: &str = "MeteringService/MeterRuns";
/// That of inferences.
pub const METER_INFERENCES: &str = "MeteringService/MeterInferences";

/// Whose records: an operation of a sandbox, and how many it was given.
pub struct Asked<'a> {
    /// The sandbox.
    pub sandbox: &'a str,
    /// The operation.
    pub operation: &'static str,
    /// How many records it was given.
    pub count: usize,
}

/// Notes what was refused of an answer, if anything was. `named` says what the record at a position says.
pub fn note(
    souk: &Souk,
    asked: &Asked<'_>,
    answer: Result<&[UsageOutcome], &Status>,
    named: impl Fn(usize) -> Option<NamedRecord>,
) {
    let &Asked { sandbox, operation, count } = asked;
    let named = |index| named(index).unwrap_or_default();
    match answer {
        Ok(outcomes) => {
            let reason = |o: &UsageOutcome| Some((o.index, reason(o.status, operation)?));
            let mut refused = outcomes.iter().filter_map(reason).peekable();
            if refused.peek().is_some() {
                let refused = refused.map(|(index, reason)| (reason, named(index as usize)));
                souk.note_refused(&SandboxName::new(sandbox), operation, refused);
            }
        }
        Err(status) => {
            let reason = reason_of_all(status);
            // What held no record at all was refused, too.
            let refused = (0..count.max(1)).map(|index| (reason.clone(), named(index)));
            souk.note_refused(&SandboxName::new(sandbox), operation, refused);
        }
    }
}

/// Why a record alone was refused; none when it was not.
fn reason(status: RecordStatus, operation: &str) -> Option<Reason> {
    match status {
        RecordStatus::Success(_) => None,
        RecordStatus::DuplicateRecord(id) if operation == METER_RUNS || operation == METER_INFERENCES => {
            Some(Reason::told_otherwise("DUPLICATE_RECORD", &id.to_string()))
        }
        RecordStatus::DuplicateRecord(id) => Some(Reason::duplicate("DUPLICATE_RECORD", &id.to_string())),
        RecordStatus::CustomerNotSubscribed => Some(Reason::not_subscribed("CUSTOMER_NOT_SUBSCRIBED")),
        RecordStatus::Unprocessed => Some(Reason::unprocessed("UNPROCESSED")),
    }
}

fn reason_of_all(status: &Status) -> Reason {
    let code = match status.get_details_error_info() {
        Some(info) => info.reason,
        None => match status.code() {
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED".to_owned(),
            Code::Unavailable => "UNAVAILABLE".to_owned(),
            _ => "INTERNAL".to_owned(),
        },
    };
    Reason::new(&code, status.message())
}
