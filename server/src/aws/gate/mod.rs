//! What every operation passes between its fields and its rules: AWS's quotas, and the faults of the sandbox.
//!
//! The order is the documented one: signature, target and JSON, field constraints, throttle, then all else. A call
//! that is refused before is not counted by any fault; neither is one that the quota refuses, so that a client that
//! is throttled and tries again has the same calls struck as one that is not.
//!
//! Whoever asked may hang up while a call is late: it is carried out all the same, as on AWS.

mod line;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use axum::extract::ConnectInfo;
use http::request::Parts;

use super::error::AwsError;
use super::ops::Call;
use crate::faults::{End, Spender, Struck};

pub use line::{Line, LineListener};

const RESOLVE_CUSTOMER: &str = "ResolveCustomer";

/// The gate of one call.
#[derive(Debug)]
pub struct Gate {
    operation: &'static str,
    line: Line,
    passed: OnceLock<()>,
    struck: OnceLock<Struck>,
}

impl Gate {
    /// The gate of a call of this operation.
    pub fn new(parts: &Parts, operation: &'static str) -> Gate {
        // Without a connection, as in tests of routes, there is nothing to cut.
        let line = parts.extensions.get::<ConnectInfo<Line>>().map(|info| info.0.clone());
        Gate { operation, line: line.unwrap_or_default(), passed: OnceLock::new(), struck: OnceLock::new() }
    }

    /// What strikes the call, once it has passed.
    fn struck(&self) -> Struck {
        self.struck.get().copied().unwrap_or_default()
    }

    /// Behind the call, whose outcome is durable: instead of the answer the connection may be cut.
    pub fn close(&self) {
        if self.struck().end == Some(End::CutAfter) {
            self.line.cut();
        }
    }
}

impl Call<'_> {
    /// Lets the call pass, late or at once, or says why it ends here. What has passed does not pass again.
    pub async fn pass_gate(&self) -> Result<(), AwsError> {
        if self.gate.passed.set(()).is_err() {
            return Ok(());
        }
        let operation = self.gate.operation;
        if self.market.rules.aws_quotas {
            let (sandbox, region) = (self.sandbox.clone(), self.region.clone());
            let spender = Spender { sandbox, account: self.caller, region, operation };
            if !self.souk.is_within_quota(spender) {
                return Err(AwsError::throttling("Rate exceeded"));
            }
        }
        if self.market.faults.is_empty() {
            return Ok(());
        }
        let struck = self.souk.strike(&self.sandbox, operation);
        let struck = *self.gate.struck.get_or_init(|| struck);
        if !struck.late.is_zero() {
            tokio::time::sleep(struck.late).await;
        }
        match struck.end {
            None | Some(End::CutAfter) => Ok(()),
            Some(End::Throttled) => Err(AwsError::throttling("Rate exceeded")),
            Some(End::Failed) => {
                Err(AwsError::internal("An internal error has occurred. Retry your request."))
            }
            Some(End::Expired) if operation == RESOLVE_CUSTOMER => {
                Err(AwsError::new("ExpiredTokenException", 400, "The registration token expired."))
            }
            Some(End::Expired) => {
                Err(AwsError::expired_credentials("The security token included in the request is expired"))
            }
            Some(End::CutBefore) => {
                self.gate.line.cut();
                Err(AwsError::internal("A fault cut the connection."))
            }
        }
    }

    /// How many of so many records, from the first one, a fault leaves unprocessed.
    pub fn unprocessed(&self, records: usize) -> usize {
        self.gate.struck().unprocessed.min(records)
    }
}
