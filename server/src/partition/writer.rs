//! The writer: it owns a partition's state and log.
//!
//! A turn takes the jobs that wait, up to a limit; it decides and applies them one after the other, and submits their
//! events as one batch. The log publishes what others may know and answers, once the batch is durable.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use souk_core::ids::SandboxName;
use souk_core::machine::follow::{Sandboxes, SeedRefused};
use souk_core::machine::{ControlEntry, Event, Sandbox, follow};
use souk_core::rejection::Broken;
use souk_core::time::Timestamp;
use souk_log::{AppendError, LogName, LogStore, PartitionLog, Seq};
use tracing::{error, info, warn};

use super::archive::{Archive, Index};
use super::directory::News;
use super::handle::{Message, WorkDone};
use super::job::Job;
use super::restore::restore;
use super::snapshot::{Archived, Limits, Snapshot, Taker};
use super::turn::Around;
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
    /// Where its snapshots are; none: there are none.
    pub folder: Option<PathBuf>,
    /// When they are taken.
    pub limits: Limits,
}

/// A partition's state, log and queue.
pub struct Writer {
    setup: Setup,
    log: Box<dyn PartitionLog>,
    sandboxes: Sandboxes,
    followed: u64,
    archive: Arc<Archive>,
    /// What of the closed months is in the archive.
    archived: Index,
    taker: Taker,
    /// What following set off in each sandbox, until whoever published it asks.
    unreported: BTreeMap<SandboxName, WorkDone>,
    /// Why a submitted batch failed: said by the log, and seen before the next turn.
    failure: Arc<Mutex<Option<String>>>,
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
        let log = open(&setup)?;
        let archive = Arc::new(Archive::new(setup.store.clone(), partition));
        let taker = Taker::new(setup.folder.clone(), archive.clone(), setup.limits);
        let (log, restored) =
            restore(&setup, log, &archive).map_err(|source| StartError::Replay { partition, source })?;
        let replayed = restored.state;
        info!(partition, sandboxes = replayed.sandboxes.len(), "replayed");
        let mut writer = Writer {
            setup,
            log,
            sandboxes: replayed.sandboxes,
            followed: replayed.followed,
            archive,
            archived: restored.archived,
            taker,
            unreported: BTreeMap::new(),
            failure: Arc::default(),
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

    /// Does what waits.
    pub fn work(&mut self, inbox: &mut VecDeque<Message>) {
        while let Some(message) = inbox.pop_front() {
            match message {
                Message::Job(job) => self.turn(job, inbox),
                Message::Follow(name, reply) => {
                    let result = self.catch_up();
                    let done = result.map(|()| self.unreported.remove(&name).unwrap_or_default());
                    let _ = reply.send(done);
                }
                Message::Tick => {
                    if self.catch_up().is_ok() {
                        let result = self.run_due_everywhere();
                        self.recover_from(result.as_ref().err());
                    }
                }
            }
            if let Err(failed) = self.log.maintain() {
                self.rebuild(&failed.to_string());
            }
            self.keep_snapshots();
        }
    }

    /// Ends: waits for what is under way, and saves the next start a replay.
    pub fn stop(mut self) {
        let ended = self.taker.wait();
        self.forget_archived(ended);
        if self.taker.is_worth_it() && self.usable().is_ok() {
            self.begin_snapshot();
            self.taker.wait();
        }
    }

    /// Takes a snapshot when it is time, and lets go of what another one has archived.
    fn keep_snapshots(&mut self) {
        let ended = self.taker.ended();
        self.forget_archived(ended);
        if self.failed.is_none() && self.taker.is_due(self.sandboxes.values()) {
            self.begin_snapshot();
        }
    }

    fn forget_archived(&mut self, archived: Vec<Archived>) {
        for Archived { sandbox: name, generation, month, blocks } in archived {
            if self.setup.directory.generation(&name) == generation
                && let Some(sandbox) = self.sandboxes.get_mut(&name)
            {
                sandbox.tally_mut().take_month(month);
                self.archived.add(name, month, blocks);
            }
        }
    }

    /// Holds copies still, at the cost of some pointers, and lets another thread write them down.
    fn begin_snapshot(&mut self) {
        let (sender, durable) = std::sync::mpsc::channel();
        let next = self.log.next().get();
        self.log.after_submitted(Box::new(move |result| {
            let _ = sender.send(result.is_ok());
        }));
        let copy = |(name, sandbox): (&SandboxName, &Sandbox)| (name.clone(), sandbox.reading_copy());
        let snapshot = Snapshot {
            partition: self.setup.index,
            time: self.setup.clock.now(),
            followed: self.followed,
            next,
            sandboxes: self.sandboxes.iter().map(copy).collect(),
            archived: self.archived.clone(),
        };
        let generations = self.sandboxes.keys().map(|name| self.setup.directory.generation(name)).collect();
        self.taker.begin(snapshot, generations, durable);
    }

    /// One turn: the first job and those behind it. They are answered by the log, when it holds their batch and
    /// everything that they saw.
    fn turn(&mut self, first: Box<dyn Job>, inbox: &mut VecDeque<Message>) {
        if let Err(failed) = self.catch_up() {
            first.answer(Err(failed.to_string()));
            return;
        }
        let mut events = Vec::new();
        let mut jobs = Vec::new();
        let mut next = Some(first);
        let now = self.setup.clock.now();
        let (archive, archived) = (&self.archive, &self.archived);
        let around = Around { directory: &self.setup.directory, archive, archived };
        let mut turn = Turn::new(&mut self.sandboxes, &mut events, now, around);
        while let Some(mut job) = next.take() {
            job.run(&mut turn);
            jobs.push(job);
            if turn.broken().is_some() || jobs.len() == JOBS_PER_TURN || turn.weight() > WEIGHT_PER_BATCH {
                break;
            }
            next = match inbox.pop_front() {
                Some(Message::Job(job)) => Some(job),
                Some(other) => {
                    inbox.push_front(other);
                    None
                }
                None => None,
            };
        }
        if let Some(broken) = turn.broken().cloned() {
            for job in jobs {
                job.answer(Err(broken.to_string()));
            }
            self.rebuild(&broken.to_string());
            return;
        }
        self.submit(now, &events, jobs);
    }

    /// Hands a turn's batch to the log, which publishes and answers once it is durable.
    fn submit(&mut self, now: Timestamp, events: &[(SandboxName, Event)], jobs: Vec<Box<dyn Job>>) {
        let failure = self.failure.clone();
        let answer = move |result: Result<(), AppendError>| {
            let durable = result.map_err(|error| error.to_string());
            if let Err(why) = &durable {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.clone());
            }
            for job in jobs {
                job.answer(durable.clone());
            }
        };
        if events.is_empty() {
            return self.log.after_submitted(Box::new(answer));
        }
        self.count(events);
        let news: Vec<_> = events.iter().filter_map(|(name, event)| self.news(name, event)).collect();
        let directory = self.setup.directory.clone();
        let batch = encode_partition_batch(now, None, events);
        let done = move |result: Result<Seq, AppendError>| {
            if result.is_ok() {
                news.into_iter().for_each(|news| directory.publish(news));
            }
            answer(result.map(|_| ()));
        };
        self.log.submit(batch, Box::new(done));
    }

    fn count(&mut self, events: &[(SandboxName, Event)]) {
        for (_, event) in events {
            match event {
                Event::UsageAccepted(columns) | Event::UsageAdded(columns) => self.taker.count(columns.len()),
                Event::MonthClosed { .. } => self.taker.note_close(),
                _ => (),
            }
        }
    }

    fn news(&self, name: &SandboxName, event: &Event) -> Option<News> {
        Directory::news(name, self.sandboxes.get(name)?, event)
    }

    /// Appends a batch and waits for it, and publishes it once it is durable.
    fn commit(&mut self, followed: Option<u64>, events: &[(SandboxName, Event)]) -> Result<(), String> {
        if followed.is_none() && events.is_empty() {
            return Ok(());
        }
        let batch = encode_partition_batch(self.setup.clock.now(), followed, events);
        self.log.append(&batch).map_err(|failed| failed.to_string())?;
        self.count(events);
        for (name, event) in events {
            if let Some(news) = self.news(name, event) {
                self.setup.directory.publish(news);
            }
        }
        Ok(())
    }

    /// Waits until everything that was submitted is answered.
    fn drain(&mut self) -> Result<(), AppError> {
        let (sender, answered) = std::sync::mpsc::channel();
        self.log.after_submitted(Box::new(move |result| {
            let _ = sender.send(result);
        }));
        let drained = answered.recv().map_err(|_| "the log answered nothing".to_owned());
        drained.and_then(|result| result.map_err(|e| e.to_string())).map_err(AppError::Unavailable)
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
            // What an earlier batch publishes must not come behind what is published here.
            self.drain()?;
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
                        self.archived.forget(name);
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
            let (archive, archived) = (&self.archive, &self.archived);
            let around = Around { directory: &self.setup.directory, archive, archived };
            let mut turn = Turn::new(&mut self.sandboxes, &mut events, now, around);
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
        let submitted = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(why) = submitted {
            self.rebuild(&why);
        }
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
        // It has answered everything by now, and this rebuild is for all of it.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let rebuilt = open(&self.setup)
            .map_err(|e| e.to_string())
            .and_then(|log| restore(&self.setup, log, &self.archive).map_err(|e| e.to_string()));
        match rebuilt {
            Ok((log, restored)) => {
                self.log = log;
                self.failed = None;
                self.archived = restored.archived;
                (self.sandboxes, self.followed) = (restored.state.sandboxes, restored.state.followed);
                for name in self.sandboxes.keys().cloned().collect::<Vec<_>>() {
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
