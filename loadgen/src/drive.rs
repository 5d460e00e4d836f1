//! Drives a plan through a server: makes its sandbox, streams its usage in a closed loop, closes its month and
//! reads its invoices.
//!
//! Each stream has two tasks. One sends: it makes a message when there is room for one in flight. The other
//! reads the answers, which come in the order of the messages, and notes them in a ledger and a meter of the
//! stream's own; both are added up in the end.
//!
//! ```text
//! sender   plan ─► request ─► send (waits for room) ─┬─► server
//!                                message, time sent  │
//! reader   ledger, meter ◄── answer + message ◄──────┴── server
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use souk_client::proto::billing::v1::Invoice;
use souk_client::proto::sandbox::v1::advance_clock_request::Target;
use souk_client::proto::sandbox::v1::put_sandbox_request::Source;
use souk_client::{InvoiceFilter, SoukClient, UsageSender};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::audit::{Ledger, audit};
use crate::measure::{Course, Meter, micros};
use crate::plan::{Message, Plan};
use crate::report::{Report, Stages};

/// For a document, a month's close, and each answer of a stream. Large plans need their time.
const DEADLINE: Duration = Duration::from_secs(600);

/// How a plan is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Records of a message.
    pub batch: usize,
    /// Messages of a stream that wait for their answers at most.
    pub in_flight: usize,
    /// Streams at the same time.
    pub streams: u32,
    /// The sandbox stays.
    pub keep: bool,
}

/// A message that was sent, and when.
type Sent = (Message, Instant);

/// Runs a plan from its document to its audit. The sandbox is removed unless it shall stay, also when
/// something fails on the way.
///
/// # Errors
/// When the server refuses or cannot be reached. A wrong answer or bill is no error: it is in the report.
pub async fn run(
    client: &SoukClient,
    plan: &Arc<Plan>,
    settings: Settings,
    progress: &ProgressBar,
) -> anyhow::Result<Report> {
    let client = client.clone().with_deadline(DEADLINE);
    let outcome = run_month(&client, plan, settings, progress).await;
    progress.finish_and_clear();
    if settings.keep {
        return outcome;
    }
    let deleted = client.delete_sandbox(&plan.sandbox).await;
    let report = outcome?;
    deleted.with_context(|| format!("failed to remove the sandbox {}", plan.sandbox))?;
    Ok(report)
}

async fn run_month(
    client: &SoukClient,
    plan: &Arc<Plan>,
    settings: Settings,
    progress: &ProgressBar,
) -> anyhow::Result<Report> {
    progress.set_message("making the sandbox");
    let began = Instant::now();
    let document = Source::Document(plan.document());
    client.put_sandbox(&plan.sandbox, document).await.context("failed to make the sandbox")?;
    let put_us = micros(began.elapsed());

    progress.set_message("streaming usage");
    let began = Instant::now();
    let course = Arc::new(Course::of(plan.cells()));
    let (mut ledger, meter) = stream_all(client, plan, settings, &course, progress).await?;
    let stream_us = micros(began.elapsed());

    progress.set_message("closing the month");
    let began = Instant::now();
    let target = Target::To(plan.close_time());
    client.advance_clock(&plan.sandbox, target).await.context("failed to turn the clock")?;
    let close_us = micros(began.elapsed());

    progress.set_message("reading the invoices");
    let began = Instant::now();
    let invoices = read_invoices(client, &plan.sandbox).await.context("failed to read the invoices")?;
    let read_us = micros(began.elapsed());

    let mut differences = std::mem::take(&mut ledger.differences);
    let bills = audit(plan, &ledger, &invoices, &mut differences);
    let stages = Stages { put_us, stream_us, close_us, read_us };
    Ok(Report::new(plan, settings, &ledger, meter.measured(&course), stages, bills, differences))
}

/// Sends all usage; answers what was acknowledged and measured.
async fn stream_all(
    client: &SoukClient,
    plan: &Arc<Plan>,
    settings: Settings,
    course: &Arc<Course>,
    progress: &ProgressBar,
) -> anyhow::Result<(Ledger, Meter)> {
    let mut streams = JoinSet::new();
    for number in 0..settings.streams {
        let (client, plan, course) = (client.clone(), Arc::clone(plan), Arc::clone(course));
        streams.spawn(stream(client, plan, settings, number, course, progress.clone()));
    }
    let mut ledger = Ledger::new(plan);
    let mut meter = Meter::new()?;
    while let Some(ended) = streams.join_next().await {
        let (stream_ledger, stream_meter) = ended.context("a stream's task failed")??;
        ledger.append(stream_ledger);
        meter.append(stream_meter)?;
    }
    Ok((ledger, meter))
}

async fn stream(
    client: SoukClient,
    plan: Arc<Plan>,
    settings: Settings,
    number: u32,
    course: Arc<Course>,
    progress: ProgressBar,
) -> anyhow::Result<(Ledger, Meter)> {
    let opened = client.stream_usage(settings.in_flight).await.context("failed to open a stream")?;
    let (sender, mut answers) = opened.split();
    let (sent, mut waiting) = mpsc::channel(settings.in_flight);
    let sending = tokio::spawn(send_all(Arc::clone(&plan), settings, number, sender, sent));
    let mut ledger = Ledger::new(&plan);
    let mut meter = Meter::new()?;
    while let Some(answer) = answers.next().await.context("failed to stream usage")? {
        let answered = Instant::now();
        let (message, sent): Sent = waiting.recv().await.context("an answer came without a message")?;
        let records = message.rows.len() as u64;
        meter.note(&course, records, sent, answered);
        ledger.note(&plan, &message, &answer);
        progress.inc(records);
    }
    sending.await.context("a sender's task failed")?;
    if waiting.recv().await.is_some() {
        bail!("stream {number} ended before every message was answered");
    }
    Ok((ledger, meter))
}

/// Sends the messages of a stream until its end. If the server ends the stream, its last answer says why.
async fn send_all(
    plan: Arc<Plan>,
    settings: Settings,
    number: u32,
    mut sender: UsageSender,
    sent: mpsc::Sender<Sent>,
) {
    for message in plan.messages(number, settings.streams, settings.batch) {
        if sender.send(plan.request(&message)).await.is_err() {
            return;
        }
        // From here on the message is in flight: waiting for room is no latency of the server.
        if sent.send((message, Instant::now())).await.is_err() {
            return;
        }
    }
}

/// All invoices with their lines.
async fn read_invoices(client: &SoukClient, sandbox: &str) -> anyhow::Result<Vec<Invoice>> {
    let listed = client.all_invoices(sandbox, &InvoiceFilter::default()).await?;
    let mut invoices = Vec::with_capacity(listed.len());
    for invoice in listed {
        invoices.push(client.get_invoice(sandbox, &invoice.invoice_id).await?);
    }
    Ok(invoices)
}
