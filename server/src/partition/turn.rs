//! One turn of a writer: the state, and the events that the turn's batch will hold.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use souk_core::ids::{AccountId, SandboxName};
use souk_core::machine::follow::{Sandboxes, run_due};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::tile::BLOCK;
use souk_core::rejection::{Broken, Code, Rejection};
use souk_core::time::{BillingMonth, Timestamp};

use super::Directory;
use super::archive::{Archive, Blocks, Index};
use crate::error::AppError;

/// Events and invoice lines of due work that one job may wait for.
const DUE_WEIGHT: usize = 50_000;

/// A sandbox's state in a partition, held still.
pub struct Reading {
    /// The state, without the months that are in the archive.
    pub sandbox: Sandbox,
    /// Those months.
    pub closed: Vec<(BillingMonth, Blocks)>,
    /// The archive.
    pub archive: Arc<Archive>,
}

/// What a job sees.
pub struct Turn<'a> {
    sandboxes: &'a mut Sandboxes,
    events: &'a mut Vec<(SandboxName, Event)>,
    weight: usize,
    broken: Option<Broken>,
    machine: Timestamp,
    around: Around<'a>,
}

/// What a turn finds around the state.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// What the partition has published.
    pub directory: &'a Directory,
    /// Where closed months are.
    pub archive: &'a Arc<Archive>,
    /// Which of them.
    pub archived: &'a Index,
}

impl<'a> Turn<'a> {
    /// A turn at the machine's time.
    pub fn new(
        sandboxes: &'a mut Sandboxes,
        events: &'a mut Vec<(SandboxName, Event)>,
        machine: Timestamp,
        around: Around<'a>,
    ) -> Turn<'a> {
        Turn { sandboxes, events, weight: 0, broken: None, machine, around }
    }

    /// Which incarnation a sandbox is in: handles hold within one.
    pub fn generation(&self, name: &SandboxName) -> u64 {
        self.around.directory.generation(name)
    }

    /// The sandboxes of the partition.
    pub fn sandboxes(&self) -> &Sandboxes {
        self.sandboxes
    }

    /// A sandbox as it is; what is due at its time may not be done yet.
    pub fn sandbox(&mut self, name: &SandboxName) -> Result<&mut Sandbox, AppError> {
        Ok(self.sandboxes.get_mut(name).ok_or_else(|| unknown(name))?)
    }

    /// A sandbox with what a family metered in a month, wherever that is.
    pub fn with_month(
        &self,
        name: &SandboxName,
        month: BillingMonth,
        payer: AccountId,
    ) -> Result<Cow<'_, Sandbox>, AppError> {
        let sandbox = self.sandboxes.get(name).ok_or_else(|| unknown(name))?;
        let Some(blocks) = self.around.archived.blocks(name, month) else {
            return Ok(Cow::Borrowed(sandbox));
        };
        let series = sandbox.family(payer).map(|family| family.series.as_slice()).unwrap_or_default();
        let wanted: BTreeSet<usize> = series.iter().map(|handle| handle.0 as usize / BLOCK).collect();
        let wanted = blocks.iter().filter(|(block, _)| wanted.contains(block));
        let tiles = self.around.archive.load(name, month, wanted.map(|(block, seq)| (*block, *seq)));
        let mut copy = sandbox.reading_copy();
        copy.tally_mut().put_month(month, tiles.map_err(|error| AppError::Unavailable(error.to_string()))?);
        Ok(Cow::Owned(copy))
    }

    /// A sandbox with all that was metered in some months, wherever that is.
    pub fn with_months(
        &self,
        name: &SandboxName,
        months: &[BillingMonth],
    ) -> Result<Cow<'_, Sandbox>, AppError> {
        let sandbox = self.sandboxes.get(name).ok_or_else(|| unknown(name))?;
        let mut copy = None;
        for &month in months {
            let Some(blocks) = self.around.archived.blocks(name, month) else { continue };
            let blocks = blocks.iter().map(|(block, seq)| (*block, *seq));
            let tiles = self.around.archive.load(name, month, blocks);
            let tiles = tiles.map_err(|error| AppError::Unavailable(error.to_string()))?;
            copy.get_or_insert_with(|| sandbox.reading_copy()).tally_mut().put_month(month, tiles);
        }
        Ok(copy.map_or(Cow::Borrowed(sandbox), Cow::Owned))
    }

    /// A copy of a sandbox at its time, for a long read that others need not wait for, and where its closed months
    /// are.
    pub fn for_reading(&mut self, name: &SandboxName) -> Result<Reading, AppError> {
        let sandbox = self.at_its_time(name)?.0.reading_copy();
        let Around { archive, archived, .. } = self.around;
        let months = archived.months(name);
        let closed =
            months.filter_map(|month| Some((month, archived.blocks(name, month)?.clone()))).collect();
        Ok(Reading { sandbox, closed, archive: archive.clone() })
    }

    /// A sandbox at its time, with everything done that is due then.
    pub fn at_its_time(&mut self, name: &SandboxName) -> Result<(&mut Sandbox, Timestamp), AppError> {
        let sandbox = self.sandboxes.get_mut(name).ok_or_else(|| unknown(name))?;
        let now = sandbox.market().clock.now(self.machine);
        let mut due = Vec::new();
        // After a long sleep a whole machine's work may be due: no more of it than a batch holds.
        let finished = run_due(sandbox, now, DUE_WEIGHT, &mut due)?;
        self.record(name, due);
        if !finished {
            return Err(AppError::Busy("what became due"));
        }
        let sandbox = self.sandboxes.get_mut(name).ok_or_else(|| unknown(name))?;
        Ok((sandbox, now))
    }

    /// Does a part of what is due in a sandbox; answers whether nothing is left.
    pub fn run_due(
        &mut self,
        name: &SandboxName,
        limit: usize,
        done: &mut Vec<Event>,
    ) -> Result<bool, AppError> {
        let Some(sandbox) = self.sandboxes.get_mut(name) else { return Ok(true) };
        let now = sandbox.market().clock.now(self.machine);
        let first = done.len();
        let finished = run_due(sandbox, now, limit, done)?;
        self.record(name, done.get(first..).unwrap_or(&[]).to_vec());
        Ok(finished)
    }

    /// Applies and records events that were decided.
    pub fn apply(&mut self, name: &SandboxName, events: Vec<Event>) -> Result<(), AppError> {
        let sandbox = self.sandboxes.get_mut(name).ok_or_else(|| unknown(name))?;
        for event in &events {
            sandbox.apply(event);
        }
        self.record(name, events);
        Ok(())
    }

    /// Records events that are applied already. Usage that follows usage of the same sandbox joins it: one
    /// batch, one event.
    pub fn record(&mut self, name: &SandboxName, events: Vec<Event>) {
        for event in events {
            self.weight += event.weight();
            let last = self.events.last_mut().filter(|(last, _)| last == name);
            let event = match (last, event) {
                (Some((_, Event::UsageAccepted(rows))), Event::UsageAccepted(more)) => {
                    match rows.join(more) {
                        Ok(()) => continue,
                        Err(more) => Event::UsageAccepted(more),
                    }
                }
                (_, event) => event,
            };
            self.events.push((name.clone(), event));
        }
    }

    /// Events, rows and invoice lines recorded so far.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The state is broken: the partition must be rebuilt.
    pub fn fail(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }

    /// Why the state is broken, if it is.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }
}

/// No sandbox of that name.
pub fn unknown(name: &SandboxName) -> Rejection {
    let message = format!("there is no sandbox \"{name}\": make it from a document");
    Rejection::new(Code::SandboxUnknown, "sandbox", message)
}
