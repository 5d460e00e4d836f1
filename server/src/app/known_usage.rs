//! The short way of usage records: a request whose records all name series that are known goes to its partitions
//! as columns, without a text. Whatever could refuse the request as a whole, or needs more than names, a time and a
//! quantity, makes it take the long way, which alone says what is wrong.

use std::sync::Arc;

use souk_core::catalog::{DimensionType, Marketplace};
use souk_core::ids::{MeteringRecordId, SandboxName};
use souk_core::metering::rows::{Moments, RowOutcomes, RowStatus, accept_rows};
use souk_core::metering::{
    Door, HourColumn, QuantityColumn, RecordStatus, UsageColumns, UsageOutcome, window,
};
use souk_core::quantity::{MILLIONTHS, Quantity};
use souk_core::rules::Rules;
use souk_core::time::{Timestamp, UsageHour};

use super::Souk;
use super::known_series::KnownSeries;
use crate::error::AppError;
use crate::partition::Turn;
use crate::partition::handle::Pending;

/// What a record says, as far as it is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedRow<'a> {
    /// Whom and what it names; see [`write_names`](super::known_series::write_names).
    pub names: &'a [u8],
    /// When.
    pub timestamp: Timestamp,
    /// How much.
    pub quantity: Quantity,
}

/// A request whose records are lent one by one.
pub trait NamedRows {
    /// The product code that the records are of, and the region that meters.
    fn scope(&self) -> (&[u8], &[u8]);

    /// How many records there are, where that is known before they are lent.
    fn count(&self) -> usize {
        0
    }

    /// Lends the records in order for as long as they are taken. Answers whether all of them were of a form that
    /// can be lent, and were taken.
    fn lend(&self, take: impl FnMut(NamedRow<'_>) -> bool) -> bool;
}

/// The rows of one partition, by column.
#[derive(Default)]
struct Part {
    handles: Vec<u32>,
    hours: Vec<i32>,
    millionths: Vec<u64>,
    timestamps: Vec<Timestamp>,
    positions: Vec<u32>,
    ids: Vec<MeteringRecordId>,
    generation: u64,
}

/// A request whose series are known, split by partition.
pub struct KnownUsage {
    series: Arc<KnownSeries>,
    count: u32,
    parts: Vec<(u32, Part)>,
}

/// Rows of a request in a partition's queue, or why they are not.
struct Submitted {
    partition: u32,
    generation: u64,
    positions: Vec<u32>,
    ids: Vec<MeteringRecordId>,
    pending: Result<Pending<Taken>, AppError>,
}

/// What a partition made of its rows.
enum Taken {
    /// It took them; what became of them.
    Rows(RowOutcomes),
    /// Their handles are of another generation: nothing was taken.
    Stale,
}

/// A request on its short way.
pub struct PendingKnown {
    series: Arc<KnownSeries>,
    count: u32,
    parts: Vec<Submitted>,
}

/// What became of a request whose series were known.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownAnswer {
    /// How many records it had.
    pub count: u32,
    /// Those that were not metered, in the order of the request.
    pub exceptions: Vec<UsageOutcome>,
    /// The ids of all records, in the order of the request.
    pub ids: Vec<MeteringRecordId>,
}

impl KnownAnswer {
    /// What became of each record, in the order of the request.
    pub fn outcomes(&self) -> Vec<UsageOutcome> {
        let metered = self
            .ids
            .iter()
            .zip(0..)
            .map(|(&id, index)| UsageOutcome { index, status: RecordStatus::Success(id) });
        let mut outcomes: Vec<_> = metered.collect();
        for exception in &self.exceptions {
            if let Some(outcome) = outcomes.get_mut(exception.index as usize) {
                *outcome = *exception;
            }
        }
        outcomes
    }
}

impl Souk {
    /// Resolves a request of at most `limit` records whose series are all known, and that nothing can refuse. None:
    /// it takes the long way.
    pub fn resolve_known(
        &self,
        name: &SandboxName,
        request: &impl NamedRows,
        limit: usize,
    ) -> Option<KnownUsage> {
        let (market, series) = self.published.get_with_series(name).ok()?;
        let (count, parts) = self.split_known(&market, &series, request, limit)?;
        Some(KnownUsage { series, count, parts })
    }

    fn split_known(
        &self,
        market: &Marketplace,
        series: &KnownSeries,
        request: &impl NamedRows,
        limit: usize,
    ) -> Option<(u32, Vec<(u32, Part)>)> {
        let (product_code, region) = request.scope();
        let reading = series.read(product_code, region);
        let mut names = reading.names()?;
        let mut window = WindowMemo::new(self.now(market), &market.rules);
        let mut parts: Vec<Part> = Vec::new();
        parts.resize_with(self.partitions.len(), Part::default);
        let mut count = 0;
        // Half as much again as an even share.
        let room = request.count() * 3 / (2 * self.partitions.len().max(1));
        let all_taken = request.lend(|row| {
            let Some(place) = names.get(row.names) else { return false };
            let Some(part) = parts.get_mut(place.partition as usize) else { return false };
            if count as usize == limit || !window.takes(row.timestamp) {
                return false;
            }
            let hour = UsageHour::containing(row.timestamp).index();
            if part.handles.is_empty() {
                part.reserve(room);
            }
            part.handles.push(place.handle);
            part.hours.push(hour);
            part.millionths.push(row.quantity.millionths());
            part.timestamps.push(row.timestamp);
            part.positions.push(count);
            part.ids.push(MeteringRecordId::new(place.hash, hour));
            count += 1;
            true
        });
        if !all_taken || count == 0 {
            return None;
        }
        let mut numbered = Vec::new();
        for (mut part, partition) in parts.into_iter().zip(0..) {
            if !part.handles.is_empty() {
                part.generation = reading.generation(partition)?;
                numbered.push((partition, part));
            }
        }
        Some((count, numbered))
    }

    /// Puts resolved usage into the queues of its partitions. When every queue that it needs is full, it is refused
    /// as a whole and nothing is metered.
    pub fn submit_known(&self, name: &SandboxName, usage: KnownUsage) -> Result<PendingKnown, AppError> {
        let KnownUsage { series, count, parts } = usage;
        let mut submitted = Vec::with_capacity(parts.len());
        for (index, part) in parts {
            let partition = self.partition_at(index as usize)?;
            submitted.push(part.submitted(index, name, |rows, work| partition.submit_rows(rows, work)));
        }
        if submitted.iter().all(|part| matches!(part.pending, Err(AppError::Busy(_)))) {
            return Err(AppError::Busy("usage requests"));
        }
        Ok(PendingKnown { series, count, parts: submitted })
    }

    /// The same, waiting for places: for streams, whose messages keep their order.
    pub async fn enqueue_known(
        &self,
        name: &SandboxName,
        usage: KnownUsage,
    ) -> Result<PendingKnown, AppError> {
        let KnownUsage { series, count, parts } = usage;
        let mut submitted = Vec::with_capacity(parts.len());
        for (index, part) in parts {
            let partition = self.partition_at(index as usize)?;
            let rows = part.handles.len();
            let (mut queued, work) = part.into_job(index, name);
            queued.pending = partition.enqueue_rows(rows, work).await;
            submitted.push(queued);
        }
        Ok(PendingKnown { series, count, parts: submitted })
    }
}

/// Rows that a partition takes, unless their handles are stale.
type Work = Box<dyn FnOnce(&mut Turn<'_>) -> Result<Taken, AppError> + Send>;

impl Part {
    fn reserve(&mut self, rows: usize) {
        self.handles.reserve(rows);
        self.hours.reserve(rows);
        self.millionths.reserve(rows);
        self.timestamps.reserve(rows);
        self.positions.reserve(rows);
        self.ids.reserve(rows);
    }

    fn submitted(
        self,
        partition: u32,
        name: &SandboxName,
        submit: impl FnOnce(usize, Work) -> Result<Pending<Taken>, AppError>,
    ) -> Submitted {
        let rows = self.handles.len();
        let (mut submitted, work) = self.into_job(partition, name);
        submitted.pending = submit(rows, work);
        submitted
    }

    fn into_job(self, partition: u32, name: &SandboxName) -> (Submitted, Work) {
        let Part { handles, hours, millionths, timestamps, positions, ids, generation } = self;
        let columns = UsageColumns { handles, hours: hour_column(hours), quantities: quantities(millionths) };
        let name = name.clone();
        let work: Work = Box::new(move |turn| {
            if turn.generation(&name) != generation {
                return Ok(Taken::Stale);
            }
            let (sandbox, now) = turn.at_its_time(&name)?;
            let moments = Moments::Records(&timestamps, DimensionType::ExternallyMetered);
            let (outcomes, events) = accept_rows(sandbox, columns, moments, now);
            turn.record(&name, events);
            Ok(Taken::Rows(outcomes))
        });
        let pending = Err(AppError::Busy("usage requests"));
        (Submitted { partition, generation, positions, ids, pending }, work)
    }
}

/// Hours are mostly the same.
fn hour_column(hours: Vec<i32>) -> HourColumn {
    match hours.split_first() {
        Some((&first, rest)) if rest.iter().all(|&hour| hour == first) => HourColumn::One(first),
        _ => HourColumn::Each(hours),
    }
}

/// Quantities are mostly whole, and are stored narrow then.
fn quantities(millionths: Vec<u64>) -> QuantityColumn {
    let whole = |&millionths: &u64| {
        let units = u32::try_from(millionths / MILLIONTHS).ok()?;
        (u64::from(units) * MILLIONTHS == millionths).then_some(units)
    };
    match millionths.iter().map(whole).collect() {
        Some(units) => QuantityColumn::Units(units),
        None => QuantityColumn::Millionths(millionths),
    }
}

impl PendingKnown {
    /// What became of the records, once it is durable. A partition that failed turns its records into unprocessed
    /// ones. None when no partition took any: the handles are stale, and the request takes the long way.
    pub async fn answer(self) -> Option<KnownAnswer> {
        let PendingKnown { series, count, parts } = self;
        let mut ids = vec![MeteringRecordId::from_number(0); count as usize];
        let mut exceptions = Vec::new();
        let mut stale = 0;
        let partitions = parts.len();
        for Submitted { partition, generation, positions, ids: part_ids, pending } in parts {
            let taken = match pending {
                Ok(pending) => pending.answer().await,
                Err(failed) => Err(failed),
            };
            let unprocessed = |&index: &u32| UsageOutcome { index, status: RecordStatus::Unprocessed };
            match taken {
                Ok(Taken::Rows(outcomes)) => {
                    let refused = outcomes.exceptions.iter().filter_map(|&(row, status)| {
                        let row = row as usize;
                        let status = status_of(status, *part_ids.get(row)?);
                        Some(UsageOutcome { index: *positions.get(row)?, status })
                    });
                    exceptions.extend(refused);
                }
                Ok(Taken::Stale) => {
                    series.forget(partition, generation);
                    stale += 1;
                    exceptions.extend(positions.iter().map(unprocessed));
                }
                Err(_) => exceptions.extend(positions.iter().map(unprocessed)),
            }
            for (position, id) in positions.into_iter().zip(part_ids) {
                if let Some(slot) = ids.get_mut(position as usize) {
                    *slot = id;
                }
            }
        }
        exceptions.sort_by_key(|outcome| outcome.index);
        // Where one partition took its rows, the others' were not processed this time.
        (stale < partitions).then_some(KnownAnswer { count, exceptions, ids })
    }
}

fn status_of(status: RowStatus, id: MeteringRecordId) -> RecordStatus {
    match status {
        RowStatus::Duplicate => RecordStatus::DuplicateRecord(id),
        RowStatus::NotSubscribed => RecordStatus::CustomerNotSubscribed,
        RowStatus::Unprocessed => RecordStatus::Unprocessed,
    }
}

/// The window of one moment: what is accepted is a span without gaps, so that a time between two accepted ones is
/// accepted.
struct WindowMemo<'a> {
    now: Timestamp,
    rules: &'a Rules,
    accepted: Option<(Timestamp, Timestamp)>,
}

impl<'a> WindowMemo<'a> {
    fn new(now: Timestamp, rules: &'a Rules) -> WindowMemo<'a> {
        WindowMemo { now, rules, accepted: None }
    }

    fn takes(&mut self, moment: Timestamp) -> bool {
        if self.accepted.is_some_and(|(first, last)| first <= moment && moment <= last) {
            return true;
        }
        let taken = window::check(moment, self.now, self.rules, Door::Batch, "").is_ok();
        if taken {
            let (first, last) = self.accepted.unwrap_or((moment, moment));
            self.accepted = Some((first.min(moment), last.max(moment)));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use souk_core::rules::{MeteringWindow, Profile};

    use super::*;

    const ONE: u64 = MILLIONTHS;

    #[test]
    fn columns_are_as_narrow_as_what_is_in_them() {
        assert!(matches!(hour_column(vec![7, 7]), HourColumn::One(7)));
        assert!(matches!(hour_column(vec![7, 8]), HourColumn::Each(hours) if hours == [7, 8]));
        let units = quantities(vec![0, 3 * ONE]);
        assert!(matches!(units, QuantityColumn::Units(units) if units == [0, 3]));
        for wide in [vec![1], vec![ONE, (1 << 32) * ONE]] {
            assert!(matches!(quantities(wide), QuantityColumn::Millionths(_)));
        }
    }

    #[test]
    fn exceptions_stand_at_their_places_among_all_outcomes() {
        let id = |number| MeteringRecordId::new(number, 1);
        let status = RecordStatus::CustomerNotSubscribed;
        let exceptions = vec![UsageOutcome { index: 1, status }];
        let answer = KnownAnswer { count: 3, exceptions, ids: [0, 1, 2].map(id).to_vec() };
        let statuses: Vec<_> = answer.outcomes().into_iter().map(|o| (o.index, o.status)).collect();
        let success = |number| RecordStatus::Success(id(number));
        assert_eq!(statuses, [(0, success(0)), (1, status), (2, success(2))]);
    }

    proptest! {
        /// The memo says what the rule says, whatever it was asked before.
        #[test]
        fn the_memo_of_the_window_is_the_window(
            now_hours in 480_000_i64..480_100,
            hours_ago in prop::collection::vec(-3_i64..80, 1..20),
            minutes in prop::collection::vec(0_i64..60, 20),
            window in prop::sample::select(vec![
                MeteringWindow::Hours(6), MeteringWindow::Hours(24), MeteringWindow::OpenMonth,
            ]),
            month_turns in any::<bool>(),
            grace_extends_window in any::<bool>(),
        ) {
            let rules = Rules { metering_window: window, grace_extends_window, ..Rules::of(Profile::Source) };
            // 2024-11-01T03:00 is in the grace of October.
            let now_hours = if month_turns { 480_675 } else { now_hours };
            let at = |minutes: i64| Timestamp::from_micros(minutes * 60_000_000).unwrap();
            let now = at(now_hours * 60);
            let mut memo = WindowMemo::new(now, &rules);
            for (hours, minute) in hours_ago.iter().zip(minutes) {
                let moment = at((now_hours - hours) * 60 + minute);
                let expected = window::check(moment, now, &rules, Door::Batch, "").is_ok();
                prop_assert_eq!(memo.takes(moment), expected, "{} at {}", moment, now);
            }
        }
    }
}
