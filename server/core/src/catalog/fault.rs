//! Faults that the AWS port makes on purpose. They are kept here because they belong to a sandbox; the port alone
//! makes them, and nothing of the core looks at them.

use crate::rejection::{Code, Rejection};

/// Rules of a sandbox at most.
const RULES_MAX: usize = 100;
/// How late a call may be made: ten minutes.
const LATENCY_MICROS_MAX: i64 = 600 * 1_000_000;
const MILLION: u32 = 1_000_000;

/// The operations that faults can strike.
pub const OPERATIONS: [&str; 5] =
    ["BatchMeterUsage", "MeterUsage", "RegisterUsage", "ResolveCustomer", "GetEntitlements"];

/// Which calls a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCalls {
    /// Every one.
    All,
    /// The one with this number, counted from 1.
    Nth(u32),
    /// So many of a million, drawn.
    PerMillion(u32),
}

/// What a fault does to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// ThrottlingException.
    Throttle,
    /// InternalServiceErrorException.
    InternalError,
    /// So many records of a batch come back unprocessed; all of them when it does not say.
    UnprocessedRecords(Option<u32>),
    /// The call is carried out so many microseconds late.
    Latency(i64),
    /// The connection is cut before anything is done.
    CutBeforeCommit,
    /// The call is carried out, and the connection cut instead of an answer.
    CutAfterCommit,
    /// ExpiredTokenException.
    ExpiredToken,
}

/// A fault, and the calls that it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// The operation; none: every one.
    pub operation: Option<String>,
    /// Which of its calls.
    pub calls: FaultCalls,
    /// What the draws of a probability begin with.
    pub seed: u64,
    /// What it does.
    pub fault: Fault,
}

impl FaultRule {
    /// What can be wrong with the rules of a sandbox.
    pub fn check_all(rules: &[FaultRule]) -> Result<(), Rejection> {
        if rules.len() > RULES_MAX {
            let message = format!("{} rules: at most {RULES_MAX}", rules.len());
            return Err(Rejection::new(Code::FieldInvalid, "faults", message));
        }
        for (index, rule) in rules.iter().enumerate() {
            rule.check().map_err(|r| r.within(&format!("faults[{index}]")))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Rejection> {
        let refuse = |field: &str, why: String| Err(Rejection::new(Code::FieldInvalid, field, why));
        let operation = self.operation.as_deref();
        if let Some(other) = operation.filter(|name| !OPERATIONS.contains(name)) {
            return refuse("operation", format!("\"{other}\" is none of {}", OPERATIONS.join(", ")));
        }
        match self.calls {
            FaultCalls::Nth(0) => return refuse("nthCall", "calls are counted from 1".to_owned()),
            FaultCalls::PerMillion(parts) if parts > MILLION => {
                return refuse("probability", "a probability is 0 to 1".to_owned());
            }
            FaultCalls::All | FaultCalls::Nth(_) | FaultCalls::PerMillion(_) => (),
        }
        match self.fault {
            Fault::Latency(micros) if !(0..=LATENCY_MICROS_MAX).contains(&micros) => {
                refuse("latency", "a latency is 0s to 600s".to_owned())
            }
            Fault::UnprocessedRecords(_) if operation.is_some_and(|name| name != "BatchMeterUsage") => {
                refuse(
                    "kind",
                    "only BatchMeterUsage answers UnprocessedRecords: name it as the operation".to_owned(),
                )
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_cannot_strike_are_refused() {
        let rule = |operation: &str, calls, fault| FaultRule {
            operation: (!operation.is_empty()).then(|| operation.to_owned()),
            calls,
            seed: 0,
            fault,
        };
        let all = FaultCalls::All;
        for (rule, field) in [
            (rule("", all, Fault::Throttle), None),
            (rule("BatchMeterUsage", FaultCalls::Nth(1), Fault::UnprocessedRecords(Some(1))), None),
            (rule("", all, Fault::UnprocessedRecords(None)), None),
            (rule("", FaultCalls::PerMillion(MILLION), Fault::Latency(LATENCY_MICROS_MAX)), None),
            (rule("Meter", all, Fault::Throttle), Some("faults[0].operation")),
            (rule("", FaultCalls::Nth(0), Fault::Throttle), Some("faults[0].nthCall")),
            (rule("", FaultCalls::PerMillion(MILLION + 1), Fault::Throttle), Some("faults[0].probability")),
            (rule("", all, Fault::Latency(LATENCY_MICROS_MAX + 1)), Some("faults[0].latency")),
            (rule("", all, Fault::Latency(-1)), Some("faults[0].latency")),
            (rule("MeterUsage", all, Fault::UnprocessedRecords(None)), Some("faults[0].kind")),
        ] {
            let refused = FaultRule::check_all(std::slice::from_ref(&rule)).err().map(|r| r.field);
            assert_eq!(refused.as_deref(), field, "{rule:?}");
        }
        let many = vec![rule("", all, Fault::Throttle); RULES_MAX + 1];
        assert_eq!(FaultRule::check_all(&many).map_err(|r| r.field), Err("faults".to_owned()));
    }
}
