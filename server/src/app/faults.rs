//! Faults that the AWS port makes on purpose, and AWS's quotas.

use std::sync::Arc;

use souk_core::catalog::{FaultRule, decide};
use souk_core::ids::SandboxName;

use super::Souk;
use crate::error::AppError;
use crate::faults::{FaultCount, Spender, Struck};

impl Souk {
    /// Replaces the rules of a sandbox; all of them begin anew.
    pub async fn set_faults(
        &self,
        name: &SandboxName,
        rules: Vec<FaultRule>,
    ) -> Result<Vec<FaultCount>, AppError> {
        self.change(name, |_, _, _| decide::set_faults(rules)).await?;
        self.faults(name)
    }

    /// The rules of a sandbox, and what each has done.
    pub fn faults(&self, name: &SandboxName) -> Result<Vec<FaultCount>, AppError> {
        self.market(name)?;
        Ok(self.lab.counts(name, || self.fault_rules(name)))
    }

    /// Counts a call of the AWS port, and says which faults strike it.
    pub fn strike(&self, name: &SandboxName, operation: &str) -> Struck {
        match self.fault_rules(name) {
            Some(rules) if !rules.is_empty() => self.lab.strike(name, operation, || self.fault_rules(name)),
            _ => Struck::default(),
        }
    }

    /// Whether a call of the AWS port is within AWS's quota; if so it is counted.
    pub fn is_within_quota(&self, spender: Spender) -> bool {
        self.quotas.admit(spender, self.clock.now())
    }

    fn fault_rules(&self, name: &SandboxName) -> Option<Arc<[FaultRule]>> {
        self.market(name).ok().map(|market| market.faults.clone())
    }
}
