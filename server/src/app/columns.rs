//! Usage in columns: series are opened by name once and metered by handle. A lane is a partition: rows of one
//! message go to one.

use souk_core::ids::SandboxName;
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::interim::{RowOutcomes, UsageColumns, accept_columns};
use souk_core::metering::opening::check_series;
use souk_core::metering::series::Series;
use souk_core::metering::{CheckedSeries, NamedSeries, SeriesHandle};

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
        self.partition_at(lane as usize)?.submit(move |turn: &mut Turn<'_>| {
            if turn.generation(&target) != generation {
                return Ok(ColumnsTaken::Stale);
            }
            let (sandbox, now) = turn.at_its_time(&target)?;
            let (outcomes, events) = accept_columns(sandbox, columns, now);
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
