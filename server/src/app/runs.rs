//! Runs and inferences come in: checked as a whole over published state, then decided by the partitions of their
//! payers.

use souk_core::ids::SandboxName;
use souk_core::metering::inferences::{accept_inferences, check_inferences};
use souk_core::metering::run_acceptance::accept_runs;
use souk_core::metering::run_request::check_runs;
use souk_core::metering::{CheckedRuns, InferencesRequest, RecordStatus, RunsRequest, UsageOutcome};

use super::Souk;
use crate::error::AppError;
use crate::partition::Turn;

impl Souk {
    /// Meters runs. When every queue that they need is full, they are refused as a whole and nothing is metered; a
    /// partition that failed leaves its runs unprocessed.
    pub async fn meter_runs(
        &self,
        name: &SandboxName,
        request: RunsRequest,
    ) -> Result<Vec<UsageOutcome>, AppError> {
        let market = self.market(name)?;
        let checked = check_runs(&market, request, self.now(&market))?;
        let unknown = checked.unknown_buyers.iter();
        let status = RecordStatus::CustomerNotSubscribed;
        let mut outcomes: Vec<_> = unknown.map(|&index| UsageOutcome { index, status }).collect();
        let mut submitted = Vec::new();
        for (partition, part) in self.partitions.iter().zip(self.split_runs(name, checked)) {
            if part.runs.is_empty() {
                continue;
            }
            let indexes: Vec<u32> = part.runs.iter().map(|run| run.index).collect();
            let (rows, name) = (part.hours(), name.clone());
            let job = move |turn: &mut Turn<'_>| {
                let (sandbox, now) = turn.at_its_time(&name)?;
                let (outcomes, events) = accept_runs(sandbox, &part, now);
                turn.record(&name, events);
                Ok(outcomes)
            };
            submitted.push((indexes, partition.submit_rows(rows, job)));
        }
        let all_busy = submitted.iter().all(|(_, pending)| matches!(pending, Err(AppError::Busy(_))));
        if all_busy && !submitted.is_empty() {
            return Err(AppError::Busy("runs"));
        }
        for (indexes, pending) in submitted {
            let answer = match pending {
                Ok(pending) => pending.answer().await,
                Err(failed) => Err(failed),
            };
            match answer {
                Ok(part) => outcomes.extend(part),
                Err(_) => {
                    let status = RecordStatus::Unprocessed;
                    outcomes.extend(indexes.into_iter().map(|index| UsageOutcome { index, status }));
                }
            }
        }
        outcomes.sort_by_key(|outcome| outcome.index);
        Ok(outcomes)
    }

    /// The runs of each partition.
    fn split_runs(&self, name: &SandboxName, checked: CheckedRuns) -> Vec<CheckedRuns> {
        let none = CheckedRuns { runs: Vec::new(), unknown_buyers: Vec::new(), ..checked.clone() };
        let mut parts = vec![none; self.partitions.len()];
        for run in checked.runs {
            if let Some(part) = parts.get_mut(self.partition_index(name, run.payer)) {
                part.runs.push(run);
            }
        }
        parts
    }

    /// Meters the calls of a buyer.
    pub async fn meter_inferences(
        &self,
        name: &SandboxName,
        request: InferencesRequest,
    ) -> Result<Vec<UsageOutcome>, AppError> {
        let market = self.market(name)?;
        let count = request.calls.len() as u32;
        let Some(checked) = check_inferences(&market, request, self.now(&market))? else {
            let status = RecordStatus::CustomerNotSubscribed;
            return Ok((0..count).map(|index| UsageOutcome { index, status }).collect());
        };
        let (partition, target) = (self.partition(name, checked.payer)?, name.clone());
        let job = move |turn: &mut Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            let (outcomes, events) = accept_inferences(sandbox, &checked, now)?;
            turn.record(&target, events);
            Ok(outcomes)
        };
        partition.submit_rows(count as usize, job)?.answer().await
    }
}
