//! What goes on beside the sending: months are opened and closed, trials are held, the course is noted, and the
//! server is killed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::line::Line;
use super::market::turn_surely;
use super::queue::Queue;
use super::{Load, Run};
use crate::measure::{Course, Watched};
use crate::pace::{self, Pace};
use crate::plan::document::end_of;
use crate::schedule::Schedule;
use crate::search::{Search, Target};
use crate::server::Started;

/// How close the ends of a search's bracket are in the end.
const PRECISION: f64 = 0.04;
/// The part of a trial in which its rate settles.
const SETTLE: f64 = 0.2;
/// The part of the asked rate that must be answered.
const ACHIEVED: f64 = 0.98;

/// A trial of a search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Records a second that were due.
    pub rate: f64,
    /// Records a second that were answered.
    pub achieved: f64,
    /// The latency at the target's percentile, in microseconds.
    pub latency_us: f64,
    /// The target was kept.
    pub kept: bool,
}

/// The trials of a search, and what it found.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    /// In order.
    pub trials: Vec<Trial>,
    /// The highest rate that kept the target, in records a second.
    pub best: Option<f64>,
}

/// Opens month after month; turns the clock when one is answered. Ends when all are, or nothing more shall be
/// sent. Answers how many months were opened, and how long the closing of those in between took.
///
/// # Errors
/// When the clock cannot be turned.
pub async fn months(run: &Run, queues: &[Arc<Queue>], has_clock: bool) -> anyhow::Result<(usize, Duration)> {
    let spans = &run.plan.calendar.months;
    let mut closing = Duration::ZERO;
    wait_until(run, || queues.iter().all(|queue| queue.feed().is_some())).await;
    let mut opened = 0;
    while opened < spans.len() && !run.arrivals.is_over() {
        if 0 < opened && has_clock {
            let began = Instant::now();
            turn_surely(&run.lines, &run.plan, end_of(spans[opened].month)).await?;
            closing += began.elapsed();
        }
        for queue in queues {
            let end = queue.feed().map(|feed| feed.end_of_month(&run.plan, opened));
            queue.open_until(end.unwrap_or_default());
        }
        opened += 1;
        run.signals.wake();
        wait_until(run, || queues.iter().all(|queue| queue.is_idle())).await;
    }
    run.finish();
    Ok((opened, closing))
}

/// Waits until something is so, or nothing more shall be sent.
async fn wait_until(run: &Run, is_so: impl Fn() -> bool) {
    while !is_so() && !run.arrivals.is_over() {
        run.signals.progress.notified().await;
    }
}

/// Makes moments by the load's schedule, or searches the highest rate. `rows` is how many records a message has
/// on average. Ends when nothing more shall be sent.
///
/// # Errors
/// When the thread that makes moments fails.
pub async fn pace(
    run: &Arc<Run>,
    load: &Load,
    rows: f64,
    patience: Duration,
    rate_now: &Arc<Mutex<Schedule>>,
) -> anyhow::Result<Trials> {
    match load {
        Load::Closed => Ok(Trials::default()),
        Load::Open(schedule) => {
            let schedule = schedule.scaled(1.0 / rows);
            set(rate_now, schedule.clone());
            paced(run, Pace { schedule, patience, lasts: None }).await?;
            Ok(Trials::default())
        }
        Load::FindMax { target, begin, trial } => {
            find_max(run, *target, (*begin, *trial), rows, rate_now).await
        }
    }
}

/// Makes moments on a thread of its own.
async fn paced(run: &Arc<Run>, pace: Pace) -> anyhow::Result<()> {
    let recorder = Arc::clone(&run.recorder);
    let thread = pace::spawn(&run.arrivals, pace, move |count, waited| recorder.skip(count, waited));
    let joined = spawn_blocking(move || thread.join()).await.context("the pace cannot be awaited")?;
    joined.map_err(|_| anyhow::anyhow!("the thread that makes moments failed"))
}

async fn find_max(
    run: &Arc<Run>,
    target: Target,
    (begin, trial): (f64, Duration),
    rows: f64,
    rate_now: &Arc<Mutex<Schedule>>,
) -> anyhow::Result<Trials> {
    let mut search = Search::new(begin, PRECISION);
    let mut trials = Vec::new();
    while let Some(rate) = search.next().filter(|_| !run.is_finished()) {
        let held = hold(run, target, rate, trial, rows, rate_now).await?;
        search.note(held.kept);
        trials.push(held);
    }
    // Once more, longer: what the report shows.
    if let Some(rate) = search.best().filter(|_| !run.is_finished()) {
        let held = hold(run, target, rate, trial * 2, rows, rate_now).await?;
        trials.push(held);
    }
    run.arrivals.end();
    run.signals.wake();
    run.signals.progress.notify_one();
    Ok(Trials { trials, best: search.best() })
}

/// Holds a rate for a while, and says whether the target was kept.
async fn hold(
    run: &Arc<Run>,
    target: Target,
    rate: f64,
    lasts: Duration,
    rows: f64,
    rate_now: &Arc<Mutex<Schedule>>,
) -> anyhow::Result<Trial> {
    let schedule = Schedule::Constant { rate: rate / rows };
    set(rate_now, schedule.clone());
    let settling = tokio::spawn({
        let run = Arc::clone(run);
        async move {
            tokio::time::sleep(lasts.mul_f64(SETTLE)).await;
            run.recorder.begin();
        }
    });
    // A trial must not wait for what it cannot keep up with: moments are given up after twice the target.
    let patience = (target.latency * 2).max(Duration::from_millis(50));
    paced(run, Pace { schedule, patience, lasts: Some(lasts) }).await?;
    settling.await.context("a trial failed")?;
    let measured = run.recorder.measured(true);
    let latency = run.recorder.corrected_at(target.quantile);
    run.arrivals.clear(&mut |_, _| ());
    // What is under way is answered before the next trial.
    tokio::time::sleep(patience.min(lasts)).await;
    let due = rate * lasts.as_secs_f64() * (1.0 - SETTLE);
    let achieved = measured.records as f64 / due * rate;
    let kept = latency <= target.latency && measured.skipped == 0 && ACHIEVED * rate <= achieved;
    Ok(Trial { rate, achieved, latency_us: latency.as_secs_f64() * 1e6, kept })
}

fn set(rate_now: &Arc<Mutex<Schedule>>, schedule: Schedule) {
    *rate_now.lock().unwrap_or_else(PoisonError::into_inner) = schedule;
}

/// What the course is noted with.
pub struct Sampler {
    /// The run.
    pub run: Arc<Run>,
    /// What is due now, in messages a second.
    pub rate_now: Arc<Mutex<Schedule>>,
    /// The server's process, where it is known.
    pub server: watch::Receiver<Option<u32>>,
    /// How often.
    pub interval: Duration,
    /// Where it is shown.
    pub progress: ProgressBar,
}

impl Sampler {
    /// Notes the course until everything is over, and then once more: an interval may be shorter in the end.
    pub async fn sample(mut self, mut over: watch::Receiver<bool>) {
        let (began, mut last) = (Instant::now(), Instant::now());
        let (mut client, mut server) = (Watched::this(), Watched::none());
        client.cores();
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.server.mark_changed();
        loop {
            if self.server.has_changed().unwrap_or(false) {
                server = self.server.borrow_and_update().map_or_else(Watched::none, Watched::of);
                server.cores();
            }
            let is_over = tokio::select! {
                _ = over.wait_for(|over| *over) => true,
                _ = ticks.tick() => false,
            };
            if is_over && last.elapsed() < self.interval / 2 && 2 < self.run.recorder.points().len() {
                // So short an interval says more of chance than of the run.
                return;
            }
            last = Instant::now();
            let rate = self
                .rate_now
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .rate(began.elapsed().as_secs_f64());
            self.note(Course {
                due_per_second: if self.run.arrivals.is_open() { rate } else { 0.0 },
                client_cores: client.cores().unwrap_or_default(),
                server_cores: server.cores(),
            });
            if is_over {
                return;
            }
        }
    }

    fn note(&self, course: Course) {
        let point = self.run.recorder.tick(course);
        self.progress.set_position(self.run.answered());
        self.progress.set_message(format!(
            "{:.0} records/s, p50 {:.0} us, p99 {:.0} us, cores {:.2}{}",
            point.records_per_second,
            point.p50_us,
            point.p99_us,
            point.client_cores,
            point.server_cores.map(|cores| format!(" + server {cores:.2}")).unwrap_or_default()
        ));
    }
}

/// Kills the server whenever so much time has passed, and starts it again, until `over` says so. Answers the
/// server, and how often it was started again.
///
/// # Errors
/// When it does not start again.
pub async fn kill(
    mut started: Started,
    every: Duration,
    line: &watch::Sender<Line>,
    process: &watch::Sender<Option<u32>>,
    mut over: watch::Receiver<bool>,
) -> anyhow::Result<(Started, u64)> {
    let mut restarts = 0;
    loop {
        tokio::select! {
            _ = over.wait_for(|over| *over) => return Ok((started, restarts)),
            () = tokio::time::sleep(every) => {}
        }
        started.restart().await?;
        restarts += 1;
        process.send_replace(started.pid());
        line.send_replace(Line::to(started.addresses.clone(), restarts)?);
    }
}
