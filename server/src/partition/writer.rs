//! The writer: one thread that owns a partition's state and log.
//!
//! A turn takes the jobs that wait, up to a limit; it decides and applies them one after the other, appends
//! their events as one batch, publishes what others may know, and only then answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use souk_core::ids::SandboxName;
use souk_core::machine::follow::{Sandboxes, SeedRefused};
use souk_core::machine::{ControlEntry, Event, follow};
use souk_core::rejection::Broken;
use souk_log::{LogName, LogStore, PartitionLog};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::handle::{Message, WorkDone};
use super::job::Job;
use super::replay::replay;
use super::{ControlFeed, Directory, Turn, partition_of};
use crate::clock::MachineClock;
use crate::codec::encode_partition_batch;
use crate::error::AppError;

/// Jobs of one turn at most.
const JOBS_PER_TURN: usize = 256;
/// Events, rows and invoice lines after which a turn takes no further job, and due work is appended.
const WEIGHT_PER_BATCH: usize = 50_000;

/// What a writer is made of.
pub struct Setup {
    /// Which partition.
    pub index: usize,
    /// Of how many.
    pub partitions: usize,
    /// Where its log is.
    pub store: Arc<dyn LogStore>,
    /// What it follows.
    pub feed: Arc<ControlFeed>,
    /// What it publishes to.
    pub directory: Arc<Directory>,
    /// The machine's clock.
    pub clock: Arc<dyn MachineClock>,
}

/// A partition's state, log and queue.
pub struct Writer {
    setup: Setup,
    log: Box<dyn PartitionLog>,
    sandboxes: Sandboxes,
    followed: u64,
    /// What following set off in each sandbox, until whoever published it asks.
    unreported: BTreeMap<SandboxName, WorkDone>,
    /// Why the state could not be rebuilt; nothing is answered until it can.
    failed: Option<String>,
}

/// Why a writer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its log cannot be opened.
    #[error(transparent)]
    Open(#[from] souk_log::OpenError),
    /// Its log cannot be replayed.
    #[error("partition {partition}: {source}")]
    Replay {
        /// Which partition.
        partition: usize,
        /// Why.
        source: super::replay::ReplayError,
    },
    /// What was due could not be done.
    #[error("partition {partition}: {why}")]
    Due {
        /// Which partition.
        partition: usize,
        /// Why.
        why: String,
    },
}

impl Writer {
    /// Opens and replays a partition's log, and catches up with the control feed and with what is due.
    pub fn start(setup: Setup) -> Result<Writer, StartError> {
        let partition = setup.index;
        let mut log = open(&setup)?;
        let replayed =
            replay(log.as_mut(), &setup.feed).map_err(|source| StartError::Replay { partition, source })?;
        info!(partition, sandboxes = replayed.sandboxes.len(), "replayed");
        let mut writer = Writer {
            setup,
            log,
            sandboxes: replayed.sandboxes,
            followed: replayed.followed,
            unreported: BTreeMap::new(),
            failed: None,
        };
        for (name, sandbox) in &writer.sandboxes {
            writer.setup.directory.publish_all(name, sandbox);
        }
        let caught_up = writer.follow_all().and_then(|()| writer.run_due_everywhere());
        caught_up.map_err(|why| StartError::Due { partition, why: why.to_string() })?;
        writer.unreported.clear();
        Ok(writer)
    }

    /// Takes messages until nobody can send any more.
    pub fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        while let Some(first) = queue.blocking_recv() {
            let mut next = Some(first);
            while let Some(message) = next.take() {
                next = match message {
                    Message::Job(job) => self.turn(job, &mut queue),
                    Message::Follow(name, reply) => {
                        let result = self.catch_up();
                        let done = result.map(|()| self.unreported.remove(&name).unwrap_or_default());
                        let _ = reply.send(done);
                        None
                    }
                    Message::Tick => {
                        if self.catch_up().is_ok() {
                            let result = self.run_due_everywhere();
                            self.recover_from(result.as_ref().err());
                        }
                        None
                    }
                };
            }
            if let Err(failed) = self.log.maintain() {
                self.rebuild(&failed.to_string());
            }
        }
        info!(partition = self.setup.index, "partition stopped");
    }

    /// One turn; answers a message that is not a job and ended it.
    fn turn(&mut self, first: Box<dyn Job>, queue: &mut mpsc::Receiver<Message>) -> Option<Message> {
        if let Err(failed) = self.catch_up() {
            first.answer(Err(failed.to_string()));
            return None;
        }
        let mut events = Vec::new();
        let mut jobs = Vec::new();
        let mut next = Some(first);
        let mut left_over = None;
        let now = self.setup.clock.now();
        let mut turn = Turn::new(&mut self.sandboxes, &mut events, now, &self.setup.directory);
        while let Some(mut job) = next.take() {
            job.run(&mut turn);
            jobs.push(job);
            if turn.broken().is_some() || jobs.len() == JOBS_PER_TURN || turn.weight() > WEIGHT_PER_BATCH {
                break;
            }
            match queue.try_recv() {
                Ok(Message::Job(job)) => next = Some(job),
                Ok(other) => left_over = Some(other),
                Err(_) => (),
            }
        }
        let broken = turn.broken().cloned();
        let durable = match broken {
            Some(broken) => Err(broken.to_string()),
            None => self.commit(None, &events),
        };
        for job in jobs {
            job.answer(durable.clone());
        }
        if let Err(why) = durable {
            self.rebuild(&why);
        }
        left_over
    }

    /// Appends a batch, and publishes it once it is durable.
    fn commit(&mut self, followed: Option<u64>, events: &[(SandboxName, Event)]) -> Result<(), String> {
        if followed.is_none() && events.is_empty() {
            return Ok(());
        }
        let batch = encode_partition_batch(self.setup.clock.now(), followed, events);
        self.log.append(&batch).map_err(|failed| failed.to_string())?;
        for (name, event) in events {
            if let Some(sandbox) = self.sandboxes.get(name) {
                self.setup.directory.publish(name, sandbox, event);
            }
        }
        Ok(())
    }

    /// Makes the partition fit to answer: rebuilt if it failed, and level with the control feed. What is
    /// published may be ahead of it: its message to follow still waits, or it failed to follow.
    fn catch_up(&mut self) -> Result<(), AppError> {
        let result = self.follow_all();
        self.recover_from(result.as_ref().err());
        result
    }

    /// Follows the control feed to its end, and does what is due in the sandboxes concerned.
    fn follow_all(&mut self) -> Result<(), AppError> {
        self.usable().map_err(AppError::Unavailable)?;
        while let Some(entries) = self.setup.feed.after(self.followed) {
            let mut events = Vec::new();
            for entry in entries.iter() {
                let name = entry.sandbox();
                let (index, partitions) = (self.setup.index, self.setup.partitions);
                let mine = |payer| partition_of(name, payer, partitions) == index;
                let seeded =
                    follow(&mut self.sandboxes, entry, mine).map_err(|refused| seed_refused(&refused))?;
                match entry {
                    ControlEntry::SandboxPut { .. } | ControlEntry::SandboxDeleted { .. } => {
                        self.setup.directory.renew(name);
                    }
                    ControlEntry::Changed { .. } => (),
                }
                self.publish_whole(name);
                self.unreported.entry(name.clone()).or_default().count(&seeded);
                events.extend(seeded.into_iter().map(|event| (name.clone(), event)));
            }
            self.commit(Some(self.followed + 1), &events).map_err(AppError::Unavailable)?;
            self.followed += 1;
            for entry in entries.iter() {
                let done = self.run_due(entry.sandbox())?;
                self.unreported.entry(entry.sandbox().clone()).or_default().add(done);
            }
        }
        Ok(())
    }

    fn publish_whole(&self, name: &SandboxName) {
        match self.sandboxes.get(name) {
            Some(sandbox) => self.setup.directory.publish_all(name, sandbox),
            None => self.setup.directory.forget(name),
        }
    }

    /// Does what is due in a sandbox, in batches of a bounded size. A crash in between loses nothing: what is
    /// left is due again after the restart.
    fn run_due(&mut self, name: &SandboxName) -> Result<WorkDone, AppError> {
        let mut done = WorkDone::default();
        loop {
            let mut events = Vec::new();
            let mut part = Vec::new();
            let now = self.setup.clock.now();
            let mut turn = Turn::new(&mut self.sandboxes, &mut events, now, &self.setup.directory);
            let finished = turn.run_due(name, WEIGHT_PER_BATCH, &mut part)?;
            self.commit(None, &events).map_err(AppError::Unavailable)?;
            done.count(&part);
            if finished {
                return Ok(done);
            }
        }
    }

    fn run_due_everywhere(&mut self) -> Result<(), AppError> {
        self.usable().map_err(AppError::Unavailable)?;
        let now = self.setup.clock.now();
        let due = self.sandboxes.iter().filter(|(_, s)| s.first_due(s.market().clock.now(now)).is_some());
        let names: Vec<_> = due.map(|(name, _)| name.clone()).collect();
        for name in names {
            info!(partition = self.setup.index, sandbox = %name, "doing what became due");
            self.run_due(&name)?;
        }
        Ok(())
    }

    /// A partition that could not be rebuilt tries again before it answers anything.
    fn usable(&mut self) -> Result<(), String> {
        if let Some(why) = self.failed.clone() {
            self.rebuild(&why);
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn recover_from(&mut self, failed: Option<&AppError>) {
        if let Some(failed) = failed {
            self.rebuild(&failed.to_string());
        }
    }

    /// Memory may be ahead of the log: reads everything anew. Fails for good only when the log cannot be read,
    /// as then nothing true can be answered.
    fn rebuild(&mut self, why: &str) {
        let partition = self.setup.index;
        warn!(partition, why, "partition is rebuilt from its log");
        // The old log must be closed before the same file is opened again.
        self.log = Box::new(super::replay::NoLog);
        let rebuilt = open(&self.setup).map_err(|e| e.to_string()).and_then(|mut log| {
            let state = replay(log.as_mut(), &self.setup.feed).map_err(|e| e.to_string())?;
            Ok((log, state))
        });
        match rebuilt {
            Ok((log, state)) => {
                self.log = log;
                self.failed = None;
                (self.sandboxes, self.followed) = (state.sandboxes, state.followed);
                for name in self.sandboxes.keys().cloned().collect::<Vec<_>>() {
                    self.setup.directory.renew(&name);
                    self.publish_whole(&name);
                }
            }
            Err(why) => {
                error!(partition, why, "partition cannot be rebuilt; it answers nothing until it can");
                self.failed = Some(why);
            }
        }
    }
}

impl WorkDone {
    /// Counts what events say was done.
    fn count(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::InvoiceIssued(_) => self.invoices += 1,
                Event::AgreementEnded { .. } => self.agreements_ended += 1,
                Event::MonthClosed { .. } => self.months_closed += 1,
                _ => (),
            }
        }
    }

    /// The sum over partitions.
    pub fn add(&mut self, other: WorkDone) {
        self.invoices += other.invoices;
        self.agreements_ended += other.agreements_ended;
        self.months_closed += other.months_closed;
    }
}

fn open(setup: &Setup) -> Result<Box<dyn PartitionLog>, souk_log::OpenError> {
    setup.store.open(&log_name(setup.index))
}

/// The name of a partition's log.
pub fn log_name(index: usize) -> LogName {
    LogName::new(format!("partition-{index}"))
        .unwrap_or_else(|_| unreachable!("a letter, a hyphen and a number"))
}

/// A document was tried on before it was written: a seed that is refused now is a defect.
fn seed_refused(refused: &SeedRefused) -> AppError {
    AppError::Broken(Broken(refused.to_string()))
}

/// Starts a writer on a thread of its own.
pub fn spawn(writer: Writer, queue: mpsc::Receiver<Message>) -> std::io::Result<oneshot::Receiver<()>> {
    let (stopped, receiver) = oneshot::channel();
    let name = format!("partition-{}", writer.setup.index);
    std::thread::Builder::new().name(name).spawn(move || {
        writer.run(queue);
        let _ = stopped.send(());
    })?;
    Ok(receiver)
}
