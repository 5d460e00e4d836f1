//! Sandboxes and their clocks.

use std::sync::Arc;

use souk_core::agreement::Agreement;
use souk_core::catalog::{Change, Clock, Marketplace};
use souk_core::ids::SandboxName;
use souk_core::machine::ControlEntry;
use souk_core::rejection::{Code, Rejection};
use souk_core::time::Timestamp;

use super::Souk;
use crate::control::DocumentPlan;
use crate::control::document::ClockPlan;
use crate::error::AppError;
use crate::partition::handle::WorkDone;

/// A sandbox as it stands.
pub struct Description {
    /// What is published.
    pub market: Arc<Marketplace>,
    /// Its time.
    pub now: Timestamp,
    /// Its agreements, by payer and acceptance.
    pub agreements: Vec<Agreement>,
    /// How many invoices it has.
    pub invoices: usize,
}

/// A clock as it stands, and what turning it set off.
pub struct Turned {
    /// How it runs.
    pub clock: Clock,
    /// Its time.
    pub now: Timestamp,
    /// What was done on the way.
    pub done: WorkDone,
}

/// How far to turn a clock.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// To a time.
    To(Timestamp),
    /// By so many microseconds.
    By(i64),
}

impl Souk {
    /// Makes a sandbox from a document, or replaces the one of that name.
    pub async fn put_sandbox(&self, name: &SandboxName, plan: DocumentPlan) -> Result<Description, AppError> {
        let target = name.clone();
        self.control.decide(move |_, machine| plan.entry(&target, machine)).await?;
        self.refusals.forget(name);
        self.quotas.forget(name);
        self.follow(name).await?;
        self.describe_sandbox(name).await
    }

    /// Deletes a sandbox.
    pub async fn delete_sandbox(&self, name: &SandboxName) -> Result<(), AppError> {
        let target = name.clone();
        self.control
            .decide(move |published, _| {
                published.get(&target)?;
                Ok(ControlEntry::SandboxDeleted { name: target })
            })
            .await?;
        self.lab.forget(name);
        self.refusals.forget(name);
        self.quotas.forget(name);
        self.follow(name).await?;
        Ok(())
    }

    /// Describes a sandbox.
    pub async fn describe_sandbox(&self, name: &SandboxName) -> Result<Description, AppError> {
        let market = self.market(name)?;
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, _) = turn.at_its_time(&target)?;
                let families = sandbox.families().values();
                let agreements: Vec<_> = families.clone().flat_map(|f| f.agreements().cloned()).collect();
                Ok((agreements, families.map(|f| f.invoices().len()).sum::<usize>()))
            })
            .await?;
        let invoices = parts.iter().map(|(_, invoices)| invoices).sum();
        let mut agreements: Vec<_> = parts.into_iter().flat_map(|(agreements, _)| agreements).collect();
        agreements.sort_by_key(|agreement| (agreement.payer, agreement.number));
        let now = self.now(&market);
        Ok(Description { market, now, agreements, invoices })
    }

    /// Lets a clock follow the machine's, or stops it.
    pub async fn set_clock(&self, name: &SandboxName, plan: ClockPlan) -> Result<Turned, AppError> {
        self.turn_clock(name, move |clock, machine| match plan {
            ClockPlan::At(at) => clock.stop_at(at, machine),
            ClockPlan::Follow => clock.follow(machine),
        })
        .await
    }

    /// Turns a stopped clock forward.
    pub async fn advance_clock(&self, name: &SandboxName, target: Target) -> Result<Turned, AppError> {
        self.turn_clock(name, move |clock, machine| match target {
            Target::To(to) => clock.advance_to(to, machine),
            Target::By(micros) if micros < 0 => {
                let message = "a clock only turns forward: give a duration of 0 or more";
                Err(Rejection::new(Code::ClockBackwards, "by", message))
            }
            Target::By(micros) => clock.advance_to(clock.now(machine).plus_micros(micros), machine),
        })
        .await
    }

    async fn turn_clock(
        &self,
        name: &SandboxName,
        turn: impl FnOnce(Clock, Timestamp) -> Result<Clock, Rejection> + Send + 'static,
    ) -> Result<Turned, AppError> {
        let (change, done) = self
            .change(name, move |market, _, machine| turn(market.clock, machine).map(Change::ClockSet))
            .await?;
        let market = self.market(name)?;
        let clock = match change {
            Change::ClockSet(clock) => clock,
            _ => market.clock,
        };
        Ok(Turned { clock, now: clock.now(self.clock.now()), done })
    }
}
