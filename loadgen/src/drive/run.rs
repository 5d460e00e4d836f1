//! A run from its document to its audit.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::calls::Caller;
use super::conduct::{self, Sampler};
use super::line::{Line, Lines};
use super::queue::{Queue, Signals};
use super::streams::Stream;
use super::{Load, Options, Run, ServerChoice, market};
use crate::audit::{Bills, Differences, Ledger, compare, expected};
use crate::door::aws::Requests;
use crate::door::records::Records;
use crate::door::{Door, grpc, reports_usual};
use crate::measure::{Recorder, Watched};
use crate::pace::Arrivals;
use crate::plan::document::invoiced;
use crate::plan::feed::{BACK_MAX, part};
use crate::plan::{self, Feed, FeedKind, Plan, ProductKind};
use crate::report::{Report, Stages, Storage};
use crate::schedule::Schedule;
use crate::server::{Addresses, Started, bytes_of};

/// Callers of ReportInstanceHours beside those of records.
const REPORTERS: usize = 2;
/// Hours whose messages are counted to learn how many records they have.
const HOURS_LOOKED_AT: u32 = 5;
/// The smallest that an interval can be.
const INTERVAL_MIN: Duration = Duration::from_millis(20);

/// A queue, and through what its messages go.
type KindOfQueue = (FeedKind, Arc<Queue>);

/// The server of a run.
struct Server {
    started: Option<Started>,
    addresses: Addresses,
    data: Option<std::path::PathBuf>,
}

/// Runs a plan. A wrong answer or bill is no error: it is in the report.
///
/// # Errors
/// When the server refuses what it must take, or cannot be reached. What was started is stopped, and what was made
/// is removed, also then.
pub async fn run(options: &Options, progress: &ProgressBar) -> anyhow::Result<Report> {
    let plan = Plan::new(options.shape.clone());
    ensure!(!plan.market.series.is_empty(), "the plan has no series: give it buyers, sellers and dimensions");
    let server = start(&options.server).await?;
    let (line, _) = watch::channel(Line::to(server.addresses.clone(), 0)?);
    let is_bare = matches!(options.server, ServerChoice::Bare(_));
    let outcome = run_on(options, plan, server, &line, progress).await;
    progress.finish_and_clear();
    let (report, started) = outcome?;
    match started {
        Some(started) => started.remove().await?,
        None if options.keep || is_bare => {}
        None => {
            let client = line.borrow().client.clone();
            client.delete_sandbox(&report.sandbox).await.context("failed to remove the sandbox")?;
        }
    }
    Ok(report)
}

async fn start(choice: &ServerChoice) -> anyhow::Result<Server> {
    let started = match choice {
        ServerChoice::Running { grpc, http, data } => {
            let addresses = Addresses { grpc: grpc.clone(), http: http.clone() };
            return Ok(Server { started: None, addresses, data: data.clone() });
        }
        ServerChoice::Start(path) => Started::soukd(path).await?,
        ServerChoice::Bare(program) => Started::program(program.clone()).await?,
    };
    let (addresses, data) = (started.addresses.clone(), started.data().map(ToOwned::to_owned));
    Ok(Server { started: Some(started), addresses, data })
}

async fn run_on(
    options: &Options,
    plan: Plan,
    server: Server,
    line: &watch::Sender<Line>,
    progress: &ProgressBar,
) -> anyhow::Result<(Report, Option<Started>)> {
    let is_bare = matches!(options.server, ServerChoice::Bare(_));
    let has_http = server.addresses.http.is_some();
    ensure!(
        has_http || options.door != Door::Aws,
        "the door aws needs the address of the HTTP port: give --http-endpoint"
    );
    ensure!(
        options.kill_every.is_none() || (server.started.is_some() && !is_bare),
        "only a server that was started here can be killed: leave --endpoint out, or --kill-server-every"
    );
    let began = Instant::now();
    if !is_bare {
        progress.set_message("making the sandbox");
        let client = line.borrow().client.clone();
        market::make(&client, &plan).await?;
    }
    let put = began.elapsed();
    let stored_before = server.data.as_deref().map(bytes_of).transpose()?;
    let (parts, mut queues) = queues(options, &plan);
    let lines = Lines::new(line.subscribe(), options.kill_every.is_some());
    let run = Arc::new(Run {
        door: options.door,
        batch: options.batch,
        in_flight: options.in_flight,
        records: Records::new(&plan),
        requests: Requests::new(&plan),
        arrivals: Arc::new(if options.load == Load::Closed { Arrivals::closed() } else { Arrivals::open() }),
        recorder: Arc::new(Recorder::new()?),
        signals: Signals::default(),
        lines,
        ledger: Mutex::new(Ledger::new(options.door)),
        is_finished: AtomicBool::new(false),
        answered: AtomicU64::new(0),
        plan,
    });
    let sending = Sending { options, run: &run, line, progress };
    let began = Instant::now();
    let sent = sending.send(&mut queues, parts, server.started).await?;
    let streamed = began.elapsed();
    let ledger = run.ledger();
    let stored = server.data.as_deref().map(bytes_of).transpose()?;
    let storage = stored.zip(stored_before).map(|(after, before)| Storage::new(after, before, &ledger));
    let server_memory = sent.pid.and_then(|pid| Watched::of(pid).memory().ok());
    let began = Instant::now();
    let last =
        run.plan.calendar.months.get(sent.months.saturating_sub(1)).context("the plan has no month")?;
    let is_checked = !is_bare && !options.leave_open;
    if is_checked {
        progress.set_message("closing the last month");
        market::turn_surely(&run.lines, &run.plan, invoiced(last.month)).await?;
    }
    let close = sent.closing + began.elapsed();
    let began = Instant::now();
    let mut differences = ledger.differences.clone();
    let (bills, metered) = match is_checked {
        false => (Bills::default(), 0),
        true => {
            progress.set_message("reading and checking the invoices");
            check(&run, &queues, &ledger, sent.months, &mut differences).await?
        }
    };
    let stages = Stages::new(put, streamed, close, began.elapsed());
    let report = Report::new(
        &run,
        options,
        crate::report::Found {
            acknowledged: ledger.acknowledged,
            trials: sent.trials,
            restarts: sent.restarts,
            months: sent.months,
            stages,
            storage,
            server_memory,
            bills,
            metered,
            differences,
            is_checked,
        },
    );
    Ok((report, sent.started))
}

/// The feeds of a door: the series of its streams, and the queues.
fn queues(options: &Options, plan: &Plan) -> (Vec<Vec<u32>>, Vec<KindOfQueue>) {
    let records = |kind, number, series, batch, back| {
        let feed = Feed::of_records(plan, kind, number, series, batch, back);
        (kind, Arc::new(Queue::new(Some(feed))))
    };
    if options.door == Door::Columns {
        let parts = part(plan, options.streams, |_| true);
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let queues = parts.iter().map(|_| (FeedKind::Columns, Arc::new(Queue::new(None)))).collect();
        return (parts, queues);
    }
    let streams = if options.door.is_stream() { options.streams } else { 1 };
    let back = if options.door.is_stream() { BACK_MAX } else { 0 };
    let saas =
        part(plan, streams, |kind| kind == ProductKind::Saas).into_iter().filter(|part| !part.is_empty());
    let mut queues: Vec<_> = saas
        .zip(0..)
        .map(|(series, number)| records(FeedKind::Records, number, series, options.batch, back))
        .collect();
    let instances = part(plan, 1, |kind| kind == ProductKind::Instances).remove(0);
    if !instances.is_empty() {
        let batch = reports_usual(options.door, options.batch);
        queues.push(records(FeedKind::Reports, queues.len() as u32, instances, batch, 0));
    }
    (Vec::new(), queues)
}

/// Everything that is needed to send.
struct Sending<'a> {
    options: &'a Options,
    run: &'a Arc<Run>,
    line: &'a watch::Sender<Line>,
    progress: &'a ProgressBar,
}

/// What came of it.
struct Sent {
    months: usize,
    closing: Duration,
    trials: conduct::Trials,
    started: Option<Started>,
    restarts: u64,
    pid: Option<u32>,
}

impl Sending<'_> {
    async fn send(
        &self,
        queues: &mut [KindOfQueue],
        parts: Vec<Vec<u32>>,
        started: Option<Started>,
    ) -> anyhow::Result<Sent> {
        let (options, run) = (self.options, self.run);
        let (process, watched) = watch::channel(started.as_ref().and_then(Started::pid));
        let (over, is_over) = watch::channel(false);
        let rate_now = Arc::new(Mutex::new(Schedule::Constant { rate: 0.0 }));
        let sampler = Sampler {
            run: Arc::clone(run),
            rate_now: Arc::clone(&rate_now),
            server: watched,
            interval: options.interval.max(INTERVAL_MIN),
            progress: self.progress.clone(),
        };
        let sampling = tokio::spawn(sampler.sample(is_over.clone()));
        // A search measures trial by trial, and ends by itself.
        let is_search = matches!(options.load, Load::FindMax { .. });
        let all: Vec<_> = queues.iter().map(|(_, queue)| Arc::clone(queue)).collect();
        let timing = time(Arc::clone(run), all.clone(), options.warm_up, options.duration);
        let timing = (!is_search).then(|| tokio::spawn(timing));
        self.progress.set_message("sending usage");
        let mut senders = self.senders(queues, parts)?;
        let is_bare = matches!(options.server, ServerChoice::Bare(_));
        let sending = async {
            let (months, closing) = tokio::select! {
                conducted = conduct::months(run, &all, !is_bare) => conducted?,
                failed = first_failure(&mut senders) => return Err(failed),
            };
            while let Some(sender) = senders.join_next().await {
                sender.context("a sender failed")??;
            }
            run.arrivals.end();
            anyhow::Ok((months, closing))
        };
        let pacing = async {
            let rows = rows_of_a_message(run, &all).await;
            conduct::pace(run, &options.load, rows, options.patience, &rate_now).await
        };
        let killing = async {
            match (started, options.kill_every) {
                (Some(started), Some(every)) => {
                    let (started, restarts) =
                        conduct::kill(started, every, self.line, &process, is_over).await?;
                    anyhow::Ok((Some(started), restarts))
                }
                (started, _) => Ok((started, 0)),
            }
        };
        let sending = async {
            let outcome = sending.await;
            // Whatever came of it, nobody goes on.
            run.arrivals.end();
            over.send_replace(true);
            outcome
        };
        let (sent, trials, server) = tokio::join!(sending, pacing, killing);
        sampling.await.context("the course was not noted")?;
        if let Some(timing) = timing {
            timing.abort();
        }
        let ((months, closing), trials, (started, restarts)) = (sent?, trials?, server?);
        let pid = started.as_ref().and_then(Started::pid);
        Ok(Sent { months, closing, trials, started, restarts, pid })
    }

    /// Starts who sends.
    fn senders(
        &self,
        queues: &[KindOfQueue],
        mut parts: Vec<Vec<u32>>,
    ) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
        let (options, run) = (self.options, self.run);
        let line = self.line.borrow().clone();
        let mut channels = Vec::new();
        for _ in 0..options.connections.max(1) {
            channels.push(grpc::connect_lazily(&line.addresses.grpc)?);
        }
        let mut channels = channels.iter().cycle().cloned();
        let mut senders = JoinSet::new();
        let records = queues.iter().filter(|(kind, _)| *kind == FeedKind::Records);
        let records: Vec<_> = records.map(|(_, queue)| Arc::clone(queue)).collect();
        for ((kind, queue), number) in queues.iter().zip(0_u32..) {
            if options.door.is_stream() && *kind != FeedKind::Reports {
                let series = parts.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
                let stream = Stream::new(run, queue, (*kind, number), line.clone(), series);
                senders.spawn(stream.send_all());
                continue;
            }
            let leaders: Vec<_> = match kind {
                FeedKind::Reports => records.clone(),
                FeedKind::Records | FeedKind::Columns => Vec::new(),
            };
            let callers = if leaders.is_empty() { options.in_flight } else { REPORTERS };
            for _ in 0..callers {
                let channel = channels.next().context("there is no connection")?;
                senders
                    .spawn(Caller::new(run, queue, *kind, leaders.clone(), line.clone(), channel).call_all());
            }
        }
        Ok(senders)
    }
}

/// The first sender that fails. Those that end in order are no failure.
async fn first_failure(senders: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Error {
    while let Some(sender) = senders.join_next().await {
        match sender {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return anyhow::Error::from(error).context("a sender failed"),
        }
    }
    std::future::pending().await
}

/// Records by each message that has a moment, on average, once the feeds are known: those of instances follow the
/// others without a moment of their own, and a wrong message has one.
async fn rows_of_a_message(run: &Run, queues: &[Arc<Queue>]) -> f64 {
    known(run, queues).await;
    let hours = u64::from(run.plan.calendar.hours().min(HOURS_LOOKED_AT));
    let feeds: Vec<_> = queues.iter().filter_map(|queue| queue.feed()).collect();
    let has_leaders = feeds.iter().any(|feed| feed.kind != FeedKind::Reports);
    let (mut rows, mut moments) = (0, 0);
    let (mut extras, mut probes) = (Vec::new(), Vec::new());
    for feed in feeds {
        for message in 0..hours * feed.chunks.len() as u64 {
            rows += feed.rows_of(&run.plan, plan::Sending::Usage(message), &mut extras);
            feed.probes(&run.plan, message, &mut probes);
            let follows = feed.kind == FeedKind::Reports && has_leaders;
            moments += if follows { 0 } else { 1 + probes.len() as u64 };
        }
    }
    rows as f64 / moments.max(1) as f64
}

/// Waits until all feeds are known: until then the series of columns are opened.
async fn known(run: &Run, queues: &[Arc<Queue>]) {
    while !run.is_finished() && queues.iter().any(|queue| queue.feed().is_none()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Ends the warm-up, and the sending when it is time.
async fn time(run: Arc<Run>, queues: Vec<Arc<Queue>>, warm_up: Duration, duration: Option<Duration>) {
    known(&run, &queues).await;
    tokio::time::sleep(warm_up).await;
    run.recorder.begin();
    if let Some(duration) = duration {
        tokio::time::sleep(duration).await;
        run.arrivals.end();
        run.finish();
        run.signals.progress.notify_one();
    }
}

/// Reads all invoices and compares them. Answers what was billed, and how many records must be.
async fn check(
    run: &Run,
    queues: &[KindOfQueue],
    ledger: &Ledger,
    months: usize,
    differences: &mut Differences,
) -> anyhow::Result<(Bills, u64)> {
    let client = run.lines.now().client;
    let invoices = market::invoices(&client, &run.plan).await?;
    let feeds: Vec<Feed> = queues.iter().filter_map(|(_, queue)| queue.feed().cloned()).collect();
    let expected = expected(&run.plan, &feeds, ledger, months);
    Ok((compare(&expected, &invoices, differences), expected.metered))
}
