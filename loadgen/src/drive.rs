//! Drives a plan through a server: makes its sandbox, sends its usage, closes its months, reads its invoices.
//!
//! ```text
//! arrivals ──► senders (streams or callers) ──► server        a moment for each message, in an open loop
//!                 │ take        │ answers
//!              queues         ledger, recorder
//!                 ▲ a month at a time
//!              conductor: opens a month, waits until it is answered, turns the clock, opens the next
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`run`] | a run from its document to its audit |
//! | [`queue`] | what is to be sent next, and what is under way |
//! | [`calls`], [`streams`] | who sends |
//! | [`conduct`] | months, trials, the course over time, and the killing of the server |
//! | [`line`] | where the server listens now |
//! | [`market`] | everything but metering |

pub mod calls;
pub mod columns_stream;
pub mod conduct;
pub mod line;
pub mod market;
pub mod queue;
pub mod run;
pub mod streams;

pub use run::run;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::audit::{Ledger, Verdict};
use crate::door::aws::Requests;
use crate::door::records::Records;
use crate::door::{Answer, Door};
use crate::measure::Recorder;
use crate::pace::Arrivals;
use crate::plan::{Feed, Plan, Sending, Shape};
use crate::schedule::Schedule;
use crate::search::Target;
use crate::server::Program;

/// Everything that a run is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is sent.
    pub shape: Shape,
    /// Through what.
    pub door: Door,
    /// Rows of a message.
    pub batch: usize,
    /// Messages under way at the same time: of each stream, or in all where they are calls.
    pub in_flight: usize,
    /// Streams at the same time.
    pub streams: u32,
    /// Connections that calls over gRPC share.
    pub connections: u32,
    /// When it is sent.
    pub load: Load,
    /// How long a moment may wait for somebody who is free to send.
    pub patience: Duration,
    /// How long it takes until something is measured.
    pub warm_up: Duration,
    /// How long something is sent; none: until the plan is at its end.
    pub duration: Option<Duration>,
    /// To whom.
    pub server: ServerChoice,
    /// The server is killed and started again whenever so much time has passed.
    pub kill_every: Option<Duration>,
    /// The sandbox stays.
    pub keep: bool,
    /// The month that is open in the end is neither closed nor checked: for looking at it.
    pub leave_open: bool,
    /// How long an interval of the course is.
    pub interval: Duration,
}

/// When messages are sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// The next one as soon as one is answered.
    Closed,
    /// Records a second on a schedule.
    Open(Schedule),
    /// Records a second as many as a latency target allows.
    FindMax {
        /// The target.
        target: Target,
        /// The rate at which the search begins.
        begin: f64,
        /// How long a trial lasts.
        trial: Duration,
    },
}

/// To whom usage is sent.
#[derive(Debug, Clone)]
pub enum ServerChoice {
    /// To a server that runs.
    Running {
        /// Where it listens for gRPC, as a URL.
        grpc: String,
        /// Where it listens for AWS SDKs, as host and port.
        http: Option<String>,
        /// Its data folder, where it is known.
        data: Option<PathBuf>,
    },
    /// To a `soukd` that is started for the run, on a data folder that is removed.
    Start(PathBuf),
    /// To a server that answers everybody and keeps nothing: for comparison. There is no sandbox and no bill.
    Bare(Program),
}

/// A run on its way: what all senders share.
pub struct Run {
    /// What is sent.
    pub plan: Plan,
    /// Through what.
    pub door: Door,
    /// Rows of a message.
    pub batch: usize,
    /// Messages under way, of a stream.
    pub in_flight: usize,
    /// Prepared records.
    pub records: Records,
    /// Prepared requests of AWS; of no use elsewhere.
    pub requests: Requests,
    /// When to send.
    pub arrivals: Arc<Arrivals>,
    /// What is measured.
    pub recorder: Arc<Recorder>,
    /// Who waits for whom.
    pub signals: queue::Signals,
    /// Where the server is.
    pub lines: line::Lines,
    ledger: Mutex<Ledger>,
    is_finished: AtomicBool,
    answered: AtomicU64,
}

impl Run {
    /// Whether nothing new will be sent.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire) || self.arrivals.is_over()
    }

    /// Nothing new will be sent.
    pub fn finish(&self) {
        self.is_finished.store(true, Ordering::Release);
        self.signals.wake();
    }

    /// Records that were answered so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Notes the answer to what was sent.
    pub fn note(&self, feed: &Feed, sending: Sending, answer: &Answer) -> Verdict {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).note(&self.plan, feed, sending, answer)
    }

    /// Notes messages whose answer was lost.
    pub fn note_resent(&self, count: u64) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).acknowledged.resent += count;
    }

    /// Notes whether a stranger's series was refused.
    pub fn note_stranger(&self, is_refused: bool, said: impl FnOnce() -> String) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        match is_refused {
            true => ledger.acknowledged.strangers += 1,
            false => {
                ledger
                    .differences
                    .add(|| format!("the series of a stranger must be refused: it was answered {}", said()));
            }
        }
    }

    /// Notes the times of a message that is done with. Of a wrong one no record counts.
    pub fn measure(&self, sending: Sending, rows: u64, due: Instant, sent: Instant, answered: Instant) {
        let records = if matches!(sending, Sending::Usage(_)) { rows } else { 0 };
        self.answered.fetch_add(records, Ordering::Relaxed);
        self.recorder.note(records, due, sent, answered);
    }

    /// The ledger, when nobody sends any more.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
