//! Usage in columns: series are opened by name once and metered by handle. A lane is a partition: rows of one
//! message go to one.

use souk_core::ids::SandboxName;
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::opening::check_series;
use souk_core::metering::rows::{Moments, RowOutcomes, RowStatus, accept_rows};
use souk_core::metering::series::Series;
use souk_core::metering::{CheckedSeries, Door, HourColumn, NamedSeries, SeriesHandle, UsageColumns, window};
use souk_core::rules::Rules;
use souk_core::time::{Timestamp, UsageHour};

use super::Souk;
use crate::error::AppError;
use crate::partition::Turn;
use crate::partition::handle::Pending;

/// Where the rows of an open series go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPlace {
    /// The lane.
    pub lane: u32,
    /// Of which incarnation of the sandbox the handle is.
    pub generation: u64,
    /// The handle in the lane.
    pub handle: u32,
}

/// What became of the columns of one message.
#[derive(Debug)]
pub enum ColumnsTaken {
    /// They were taken, row by row.
    Rows(RowOutcomes),
    /// The handles are of an earlier incarnation of the sandbox: nothing was taken.
    Stale,
}

/// The handles of a lane, in the order of the series; none where its buyer has no agreement.
type OpenedInLane = (u64, Vec<Option<u32>>);

impl Souk {
    /// How many lanes there are.
    pub fn lanes(&self) -> u32 {
        // A data folder has 256 partitions at most.
        self.partitions.len() as u32
    }

    /// Opens series, durably; those that are open keep their handles. None: its buyer has no agreement at all.
    pub async fn open_series(
        &self,
        name: &SandboxName,
        series: Vec<NamedSeries>,
    ) -> Result<Vec<Option<SeriesPlace>>, AppError> {
        let market = self.market(name)?;
        let mut places = vec![None; series.len()];
        let mut parts: Vec<(Vec<usize>, Vec<CheckedSeries>)> = Vec::new();
        parts.resize_with(self.partitions.len(), Default::default);
        for (position, named) in series.into_iter().enumerate() {
            let checked = check_series(&market, |licence| self.licence(name, licence), named);
            let Some(checked) = checked.map_err(|r| r.within(&format!("series[{position}]")))? else {
                continue;
            };
            if let Some((positions, part)) = parts.get_mut(self.partition_index(name, checked.payer)) {
                positions.push(position);
                part.push(checked);
            }
        }
        let mut pending = Vec::new();
        for ((positions, part), lane) in parts.into_iter().zip(0..) {
            if !part.is_empty() {
                pending.push((lane, positions, self.submit_opening(name, lane, part)?));
            }
        }
        for (lane, positions, opened) in pending {
            let (generation, handles) = opened.answer().await?;
            for (position, handle) in positions.into_iter().zip(handles) {
                if let Some(place) = places.get_mut(position) {
                    *place = handle.map(|handle| SeriesPlace { lane, generation, handle });
                }
            }
        }
        Ok(places)
    }

    fn submit_opening(
        &self,
        name: &SandboxName,
        lane: u32,
        series: Vec<CheckedSeries>,
    ) -> Result<Pending<OpenedInLane>, AppError> {
        let target = name.clone();
        self.partition_at(lane as usize)?.submit(move |turn: &mut Turn<'_>| {
            let generation = turn.generation(&target);
            let (sandbox, _) = turn.at_its_time(&target)?;
            let mut events = Vec::new();
            let handles = series.into_iter().map(|series| open(sandbox, series, &mut events)).collect();
            turn.record(&target, events);
            Ok((generation, handles))
        })
    }

    /// Puts columns whose handles are of a generation into the queue of their lane, or says that it is full.
    pub fn submit_columns(
        &self,
        name: &SandboxName,
        lane: u32,
        generation: u64,
        columns: UsageColumns,
    ) -> Result<Pending<ColumnsTaken>, AppError> {
        let target = name.clone();
        self.partition_at(lane as usize)?.submit_rows(columns.len(), move |turn: &mut Turn<'_>| {
            if turn.generation(&target) != generation {
                return Ok(ColumnsTaken::Stale);
            }
            let (sandbox, now) = turn.at_its_time(&target)?;
            let (columns, late) = in_window(columns, now, &sandbox.market().rules);
            let (mut outcomes, events) = accept_rows(sandbox, columns, Moments::Hours, now);
            if let Some(late) = late {
                late.restore(&mut outcomes);
            }
            turn.record(&target, events);
            Ok(ColumnsTaken::Rows(outcomes))
        })
    }

    /// Series by their handles in a lane; none where the handles are of an earlier generation.
    pub async fn series_of(
        &self,
        name: &SandboxName,
        lane: u32,
        generation: u64,
        handles: Vec<u32>,
    ) -> Result<Vec<Option<Series>>, AppError> {
        let target = name.clone();
        let job = move |turn: &mut Turn<'_>| {
            if turn.generation(&target) != generation {
                return Ok(vec![None; handles.len()]);
            }
            let tally = turn.sandbox(&target)?.tally();
            Ok(handles.into_iter().map(|handle| tally.series(SeriesHandle(handle)).cloned()).collect())
        };
        self.partition_at(lane as usize)?.run(job).await
    }
}

/// The handle of a series, which is opened if it is not; none when its buyer has no agreement.
fn open(sandbox: &mut Sandbox, series: CheckedSeries, events: &mut Vec<Event>) -> Option<u32> {
    let family = sandbox.family(series.payer)?;
    if !series.has_agreement(family) {
        return None;
    }
    if let Some(handle) = sandbox.tally().handle(&series.key) {
        return Some(handle.0);
    }
    let CheckedSeries { key, product, buyer, payer } = series;
    let hash = key.hash();
    let handle = sandbox.tally().next_handle();
    let opened = Event::SeriesOpened(Series { key, product, buyer, payer, hash });
    sandbox.apply(&opened);
    events.push(opened);
    Some(handle.0)
}

/// Rows that left the window while they waited, and where the others stood.
struct Late {
    rows: Vec<u32>,
    others: Vec<u32>,
}

/// The rows that are still in the window, which was checked when they came in: the clock may have turned since.
fn in_window(columns: UsageColumns, now: Timestamp, rules: &Rules) -> (UsageColumns, Option<Late>) {
    let is_in = |hour: i32| {
        let hour = UsageHour::from_index(hour);
        hour.is_some_and(|hour| window::check(hour.start(), now, rules, Door::Batch, "").is_ok())
    };
    // The window is a span without gaps.
    let all_in = match &columns.hours {
        HourColumn::One(hour) => is_in(*hour),
        HourColumn::Each(hours) => {
            let first = hours.iter().fold(i32::MAX, |first, &hour| first.min(hour));
            let last = hours.iter().fold(i32::MIN, |last, &hour| last.max(hour));
            is_in(first) && is_in(last)
        }
    };
    if all_in {
        return (columns, None);
    }
    let mut left = UsageColumns::default();
    let mut late = Late { rows: Vec::new(), others: Vec::new() };
    for ((handle, hour, millionths), row) in columns.rows().zip(0..) {
        match UsageHour::from_index(hour).filter(|_| is_in(hour)) {
            Some(hour) => {
                left.push(SeriesHandle(handle), hour, millionths);
                late.others.push(row);
            }
            None => late.rows.push(row),
        }
    }
    (left, Some(late))
}

impl Late {
    /// Back to the positions of all rows.
    fn restore(self, outcomes: &mut RowOutcomes) {
        for (row, _) in &mut outcomes.exceptions {
            *row = self.others.get(*row as usize).copied().unwrap_or(*row);
        }
        outcomes.exceptions.extend(self.rows.into_iter().map(|row| (row, RowStatus::Unprocessed)));
        outcomes.exceptions.sort_unstable_by_key(|(row, _)| *row);
    }
}

#[cfg(test)]
mod tests {
    use souk_core::rules::Profile;

    use super::*;

    #[test]
    fn rows_that_left_the_window_are_not_processed() {
        let rules = Rules::of(Profile::Source);
        let now_index = 480_000;
        let now = UsageHour::from_index(now_index).unwrap().start();
        let columns = || {
            let mut columns = UsageColumns::default();
            for (handle, ago) in (0..).zip([1, 24, 23, 25]) {
                columns.push(SeriesHandle(handle), UsageHour::from_index(now_index - ago).unwrap(), 7);
            }
            columns
        };
        let (left, late) = in_window(columns(), now, &rules);
        assert_eq!(left.handles, [0, 2]);
        let exceptions = vec![(1, RowStatus::Duplicate)];
        let mut outcomes = RowOutcomes { metered: 1, repeated: 0, exceptions };
        late.unwrap().restore(&mut outcomes);
        let unprocessed = |row| (row, RowStatus::Unprocessed);
        assert_eq!(outcomes.exceptions, [unprocessed(1), (2, RowStatus::Duplicate), unprocessed(3)]);

        let (left, late) = in_window(columns(), now.plus_micros(-7_200_000_000), &rules);
        assert!(late.is_some() && left.handles == [1, 2, 3], "an hour of the future");
        let open = Rules { metering_window: souk_core::rules::MeteringWindow::OpenMonth, ..rules };
        assert!(in_window(columns(), now, &open).1.is_none());
    }
}
