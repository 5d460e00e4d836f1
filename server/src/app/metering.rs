//! Usage comes in: checked as a whole over published state, then split by partition; each decides its own
//! records.

use souk_core::ids::SandboxName;
use souk_core::metering::request::{CheckedRequest, check_request};
use souk_core::metering::{ClientToken, RecordStatus, UsageOutcome, UsageRequest, acceptance, client_token};
use souk_core::rejection::{Code, Rejection};

use super::Souk;
use crate::error::AppError;
use crate::partition::handle::Pending;
use crate::partition::{PartitionHandle, Turn};

/// A part of a request in its partition's queue, or why it is not.
type Submitted = Result<Pending<Vec<UsageOutcome>>, AppError>;

/// A partition, and what of a request it decides.
type Part<'a> = (&'a PartitionHandle, CheckedRequest);

/// A request on its way through its partitions.
pub struct PendingUsage {
    outcomes: Vec<UsageOutcome>,
    parts: Vec<(Vec<u32>, Submitted)>,
}

impl PendingUsage {
    /// What became of each record, in the order of the request, once it is durable. A partition that failed
    /// turns its records into unprocessed ones.
    pub async fn outcomes(self) -> Vec<UsageOutcome> {
        let mut outcomes = self.outcomes;
        outcomes.reserve(self.parts.iter().map(|(indexes, _)| indexes.len()).sum());
        for (indexes, pending) in self.parts {
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
        outcomes
    }
}

impl Souk {
    /// Meters a request. When every queue that it needs is full, it is refused as a whole and nothing is
    /// metered.
    pub async fn meter(
        &self,
        name: &SandboxName,
        request: UsageRequest,
    ) -> Result<Vec<UsageOutcome>, AppError> {
        let (outcomes, parts) = self.split(name, request)?;
        let mut submitted = Vec::with_capacity(parts.len());
        for (partition, part) in parts {
            let indexes = part.records.iter().map(|record| record.index).collect();
            submitted.push((indexes, partition.submit(job(name, part))));
        }
        let all_busy = submitted.iter().all(|(_, part)| matches!(part, Err(AppError::Busy(_))));
        if all_busy && !submitted.is_empty() {
            return Err(AppError::Busy("usage requests"));
        }
        Ok(PendingUsage { outcomes, parts: submitted }.outcomes().await)
    }

    /// Puts a request into the queues of its partitions, waiting for places: for streams, whose messages keep
    /// their order.
    pub async fn enqueue_usage(
        &self,
        name: &SandboxName,
        request: UsageRequest,
    ) -> Result<PendingUsage, AppError> {
        let (outcomes, parts) = self.split(name, request)?;
        let mut submitted = Vec::with_capacity(parts.len());
        for (partition, part) in parts {
            let indexes = part.records.iter().map(|record| record.index).collect();
            submitted.push((indexes, partition.enqueue(job(name, part)).await));
        }
        Ok(PendingUsage { outcomes, parts: submitted })
    }

    /// Meters the one record of a MeterUsage call. What its partition refuses or cannot do now is an error.
    /// With a token, the same call again gets the same answer, and another call under it is refused.
    pub async fn meter_once(
        &self,
        name: &SandboxName,
        request: UsageRequest,
        client_token: Option<String>,
    ) -> Result<RecordStatus, AppError> {
        if request.records.len() != 1 {
            let message = format!("{} records: a call of MeterUsage has one", request.records.len());
            return Err(Rejection::new(Code::TooManyRecords, "usageRecords", message).into());
        }
        let token = client_token.map(|text| ClientToken::from_field(&text, "clientToken")).transpose()?;
        let (unknown, parts) = self.split(name, request)?;
        let outcomes = match parts.into_iter().next() {
            None => unknown,
            Some((partition, part)) => partition.run(job_once(name, part, token)).await?,
        };
        Ok(outcomes.first().map_or(RecordStatus::Unprocessed, |outcome| outcome.status))
    }

    /// Checks a request as a whole, and meters nothing.
    pub fn check_usage(&self, name: &SandboxName, request: UsageRequest) -> Result<(), AppError> {
        self.split(name, request).map(|_| ())
    }

    /// Whether a request would be metered as far as agreements go; meters nothing.
    pub async fn try_usage(&self, name: &SandboxName, request: UsageRequest) -> Result<bool, AppError> {
        let (unknown, parts) = self.split(name, request)?;
        let mut subscribed = unknown.is_empty();
        for (partition, part) in parts {
            let name = name.clone();
            let job = move |turn: &mut Turn<'_>| {
                let (sandbox, now) = turn.at_its_time(&name)?;
                Ok(acceptance::are_subscribed(sandbox, &part, now))
            };
            subscribed &= partition.run(job).await?;
        }
        Ok(subscribed)
    }

    /// Checks a request as a whole, and splits it by partition.
    fn split(
        &self,
        name: &SandboxName,
        request: UsageRequest,
    ) -> Result<(Vec<UsageOutcome>, Vec<Part<'_>>), AppError> {
        let market = self.market(name)?;
        let now = self.now(&market);
        let checked = check_request(&market, |licence| self.licence(name, licence), request, now)?;
        let status = RecordStatus::CustomerNotSubscribed;
        let unknown = checked.unknown_buyers.iter().map(|&index| UsageOutcome { index, status }).collect();
        let share = checked.records.len().div_ceil(self.partitions.len());
        let mut parts: Vec<Option<CheckedRequest>> = Vec::new();
        parts.resize_with(self.partitions.len(), || None);
        for record in checked.records {
            let index = self.partition_index(name, record.payer);
            let Some(slot) = parts.get_mut(index) else { continue };
            let part = slot.get_or_insert_with(|| CheckedRequest {
                product: checked.product.clone(),
                region: checked.region.clone(),
                resource: checked.resource.clone(),
                metered_as: checked.metered_as,
                door: checked.door,
                records: Vec::with_capacity(share),
                unknown_buyers: Vec::new(),
            });
            part.records.push(record);
        }
        let parts =
            self.partitions.iter().zip(parts).filter_map(|(partition, part)| Some((partition, part?)));
        Ok((unknown, parts.collect()))
    }
}

fn job_once(
    name: &SandboxName,
    request: CheckedRequest,
    token: Option<ClientToken>,
) -> impl FnOnce(&mut Turn<'_>) -> Result<Vec<UsageOutcome>, AppError> + Send + 'static {
    let name = name.clone();
    move |turn| {
        let (sandbox, now) = turn.at_its_time(&name)?;
        let (outcomes, events) = match &token {
            Some(token) => client_token::accept_once(sandbox, &request, token, now)?,
            None => acceptance::accept(sandbox, &request, now),
        };
        turn.record(&name, events);
        Ok(outcomes)
    }
}

fn job(
    name: &SandboxName,
    request: CheckedRequest,
) -> impl FnOnce(&mut Turn<'_>) -> Result<Vec<UsageOutcome>, AppError> + Send + 'static {
    let name = name.clone();
    move |turn| {
        let (sandbox, now) = turn.at_its_time(&name)?;
        let (outcomes, events) = acceptance::accept(sandbox, &request, now);
        turn.record(&name, events);
        Ok(outcomes)
    }
}
