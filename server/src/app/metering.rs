//! Usage comes in: checked as a whole over published state, then split by partition; each decides its own
//! records. Requests whose records all name what is known take a [short way](super::known_usage) instead.

use souk_core::ids::SandboxName;
use souk_core::metering::request::{CheckedRequest, check_request};
use souk_core::metering::{ClientToken, RecordStatus, UsageOutcome, UsageRequest, acceptance, client_token};
use souk_core::rejection::{Code, Rejection};

use super::Souk;
use super::known_usage::NamedRows;
use super::lessons::{Learned, Lessons, ReadRequest, find_series};
use crate::error::AppError;
use crate::partition::handle::Pending;
use crate::partition::{PartitionHandle, Turn};

/// What a partition answers: what became of its records, and which series they went to if that is asked.
type Decided = (Vec<UsageOutcome>, Option<Learned>);

/// A part of a request in its partition's queue, or why it is not.
struct Submitted {
    partition: u32,
    indexes: Vec<u32>,
    pending: Result<Pending<Decided>, AppError>,
}

/// What of a request one partition decides.
struct Part<'a> {
    index: u32,
    partition: &'a PartitionHandle,
    request: CheckedRequest,
}

/// A request as it is split: what became of records of unknown buyers, the parts, and what can be learned from it.
struct Split<'a> {
    unknown: Vec<UsageOutcome>,
    parts: Vec<Part<'a>>,
    lessons: Option<Lessons>,
}

/// A request on its way through its partitions.
pub struct PendingUsage {
    outcomes: Vec<UsageOutcome>,
    parts: Vec<Submitted>,
    lessons: Option<Lessons>,
}

impl PendingUsage {
    /// What became of each record, in the order of the request, once it is durable. A partition that failed
    /// turns its records into unprocessed ones.
    pub async fn outcomes(mut self) -> Vec<UsageOutcome> {
        let mut outcomes = self.outcomes;
        outcomes.reserve(self.parts.iter().map(|part| part.indexes.len()).sum());
        for Submitted { partition, indexes, pending } in self.parts {
            let answer = match pending {
                Ok(pending) => pending.answer().await,
                Err(failed) => Err(failed),
            };
            match answer {
                Ok((part, learned)) => {
                    outcomes.extend(part);
                    if let (Some(lessons), Some(learned)) = (&mut self.lessons, learned) {
                        lessons.learn(partition, &learned);
                    }
                }
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

impl Part<'_> {
    fn indexes(&self) -> Vec<u32> {
        self.request.records.iter().map(|record| record.index).collect()
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
        match self.meter_known(name, &ReadRequest(&request), request.records.len()).await? {
            Some(outcomes) => Ok(outcomes),
            None => self.meter_unknown(name, request).await,
        }
    }

    /// Meters a request of at most `limit` records the short way; none when it takes the long one.
    pub async fn meter_known(
        &self,
        name: &SandboxName,
        request: &impl NamedRows,
        limit: usize,
    ) -> Result<Option<Vec<UsageOutcome>>, AppError> {
        let Some(usage) = self.resolve_known(name, request, limit) else { return Ok(None) };
        let answer = self.submit_known(name, usage)?.answer().await;
        Ok(answer.map(|answer| answer.outcomes()))
    }

    /// Meters a request the long way.
    pub async fn meter_unknown(
        &self,
        name: &SandboxName,
        request: UsageRequest,
    ) -> Result<Vec<UsageOutcome>, AppError> {
        let Split { unknown, parts, lessons } = self.split(name, request)?;
        let mut submitted = Vec::with_capacity(parts.len());
        for part in parts {
            let indexes = part.indexes();
            let rows = part.request.records.len();
            let pending = part.partition.submit_rows(rows, job(name, part.request, lessons.is_some()));
            submitted.push(Submitted { partition: part.index, indexes, pending });
        }
        let all_busy = submitted.iter().all(|part| matches!(part.pending, Err(AppError::Busy(_))));
        if all_busy && !submitted.is_empty() {
            return Err(AppError::Busy("usage requests"));
        }
        Ok(PendingUsage { outcomes: unknown, parts: submitted, lessons }.outcomes().await)
    }

    /// Puts a request into the queues of its partitions the long way, waiting for places: for streams, whose
    /// messages keep their order.
    pub async fn enqueue_unknown(
        &self,
        name: &SandboxName,
        request: UsageRequest,
    ) -> Result<PendingUsage, AppError> {
        let Split { unknown, parts, lessons } = self.split(name, request)?;
        let mut submitted = Vec::with_capacity(parts.len());
        for part in parts {
            let indexes = part.indexes();
            let rows = part.request.records.len();
            let work = job(name, part.request, lessons.is_some());
            let pending = part.partition.enqueue_rows(rows, work).await;
            submitted.push(Submitted { partition: part.index, indexes, pending });
        }
        Ok(PendingUsage { outcomes: unknown, parts: submitted, lessons })
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
        let Split { unknown, parts, .. } = self.split(name, request)?;
        let outcomes = match parts.into_iter().next() {
            None => unknown,
            Some(part) => part.partition.run(job_once(name, part.request, token)).await?,
        };
        Ok(outcomes.first().map_or(RecordStatus::Unprocessed, |outcome| outcome.status))
    }

    /// Checks a request as a whole, and meters nothing.
    pub fn check_usage(&self, name: &SandboxName, request: UsageRequest) -> Result<(), AppError> {
        self.split(name, request).map(|_| ())
    }

    /// Whether a request would be metered as far as agreements go; meters nothing.
    pub async fn try_usage(&self, name: &SandboxName, request: UsageRequest) -> Result<bool, AppError> {
        let Split { unknown, parts, .. } = self.split(name, request)?;
        let mut subscribed = unknown.is_empty();
        for Part { partition, request, .. } in parts {
            let name = name.clone();
            let job = move |turn: &mut Turn<'_>| {
                let (sandbox, now) = turn.at_its_time(&name)?;
                Ok(acceptance::are_subscribed(sandbox, &request, now))
            };
            subscribed &= partition.run(job).await?;
        }
        Ok(subscribed)
    }

    /// Checks a request as a whole, and splits it by partition.
    fn split(&self, name: &SandboxName, request: UsageRequest) -> Result<Split<'_>, AppError> {
        let (market, series) = self.published.get_with_series(name)?;
        let lessons = Lessons::of(&request, series);
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
        let parts = self.partitions.iter().zip(parts).zip(0..);
        let parts = parts
            .filter_map(|((partition, request), index)| Some(Part { index, partition, request: request? }));
        Ok(Split { unknown, parts: parts.collect(), lessons })
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
    teaches: bool,
) -> impl FnOnce(&mut Turn<'_>) -> Result<Decided, AppError> + Send + 'static {
    let name = name.clone();
    move |turn| {
        let generation = turn.generation(&name);
        let (sandbox, now) = turn.at_its_time(&name)?;
        let (outcomes, events) = acceptance::accept(sandbox, &request, now);
        let learned = teaches.then(|| find_series(sandbox, &request, &outcomes, generation));
        turn.record(&name, events);
        Ok((outcomes, learned))
    }
}
