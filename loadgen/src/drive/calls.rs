//! Messages that are calls of their own: BatchMeterUsage over gRPC and of AWS, and ReportInstanceHours. Each
//! caller has one call under way, and takes the next message as soon as it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tonic::transport::Channel;

use super::Run;
use super::line::Line;
use super::queue::{Queue, Taken};
use crate::audit::Verdict;
use crate::door::aws::http::Connection;
use crate::door::grpc::Failure;
use crate::door::{self, Answer, Door, aws, grpc};
use crate::plan::{Extra, FeedKind, Sending};

/// How often a caller looks whether those that it follows are further.
const FOLLOWS: Duration = Duration::from_millis(1);

/// One caller.
pub struct Caller {
    run: Arc<Run>,
    queue: Arc<Queue>,
    kind: FeedKind,
    /// Feeds that this one follows hour by hour; none: it has moments of its own.
    leaders: Vec<Arc<Queue>>,
    line: Line,
    wire: Wire,
    extras: Vec<Extra>,
}

/// How it calls.
enum Wire {
    Grpc(Channel),
    Aws(Connection),
}

impl Caller {
    /// A caller of a feed, which follows others hour by hour or has moments of its own. Several share a gRPC
    /// connection.
    #[must_use]
    pub fn new(
        run: &Arc<Run>,
        queue: &Arc<Queue>,
        kind: FeedKind,
        leaders: Vec<Arc<Queue>>,
        line: Line,
        channel: Channel,
    ) -> Caller {
        let wire = match (run.door, kind) {
            (Door::Aws, FeedKind::Records) => {
                Wire::Aws(Connection::to(line.addresses.http.as_deref().unwrap_or_default()))
            }
            _ => Wire::Grpc(channel),
        };
        Caller {
            run: Arc::clone(run),
            queue: Arc::clone(queue),
            kind,
            leaders,
            line,
            wire,
            extras: Vec::new(),
        }
    }

    /// Calls until everything was sent, or nothing more shall be.
    ///
    /// # Errors
    /// When the connection breaks and the server is not started again.
    pub async fn call_all(mut self) -> anyhow::Result<()> {
        let run = Arc::clone(&self.run);
        let mut work = run.signals.work.subscribe();
        loop {
            work.borrow_and_update();
            let (sending, due) = match self.queue.take(&run.plan) {
                Some(Taken::Again(sending, due)) => (sending, due),
                Some(Taken::New(sending)) => match self.moment(sending).await {
                    Some(due) => (sending, due),
                    None => {
                        self.queue.put_back(sending);
                        return Ok(());
                    }
                },
                None if run.is_finished() => return Ok(()),
                None => {
                    work.changed().await.context("the conductor is gone")?;
                    continue;
                }
            };
            self.call(sending, due).await?;
        }
    }

    /// When a message is due: what follows others is due when they have passed its hour, so that the kinds of
    /// records keep their proportion all the time.
    async fn moment(&self, sending: Sending) -> Option<Instant> {
        if self.leaders.is_empty() {
            return self.run.arrivals.next().await;
        }
        let (hour, _) = self.queue.feed()?.place(sending.message());
        while !self.run.arrivals.is_over() {
            if self.leaders.iter().all(|leader| leader.has_passed(hour)) {
                return Some(Instant::now());
            }
            tokio::time::sleep(FOLLOWS).await;
        }
        None
    }

    async fn call(&mut self, sending: Sending, due: Instant) -> anyhow::Result<()> {
        let run = Arc::clone(&self.run);
        let queue = Arc::clone(&self.queue);
        let feed = queue.feed().context("the feed is not known")?;
        let message = match &self.wire {
            Wire::Grpc(_) => run.records.message(&run.plan, feed, sending, &mut self.extras),
            Wire::Aws(_) => run.requests.request(&run.plan, feed, sending, &mut self.extras),
        };
        let rows = feed.rows_of(&run.plan, sending, &mut self.extras);
        let sent = Instant::now();
        match self.ask(message, rows).await {
            Ok(answer) => {
                let answered = Instant::now();
                let verdict = run.note(feed, sending, &answer);
                match verdict {
                    Verdict::Done => {
                        run.measure(sending, rows, due, sent, answered);
                        self.queue.done(&run.signals);
                    }
                    Verdict::Again => self.queue.again(sending, due, &run.signals),
                    Verdict::Later(delay) => {
                        tokio::time::sleep(delay).await;
                        self.queue.again(sending, due, &run.signals);
                    }
                }
                Ok(())
            }
            Err(Failure::Wrong(why)) => bail!("{why}"),
            Err(Failure::Lost(why)) => {
                let lost = self.reconnect(&why).await;
                run.note_resent(1);
                self.queue.again(sending, due, &run.signals);
                lost
            }
        }
    }

    async fn ask(&mut self, message: Vec<u8>, rows: u64) -> Result<Answer, Failure> {
        match &mut self.wire {
            Wire::Grpc(channel) => grpc::ask(channel, door::path(self.kind, self.run.door), message).await,
            Wire::Aws(connection) => {
                let asked = connection.ask(&message).await;
                let (status, body) = asked.map_err(|error| Failure::Lost(format!("{error:#}")))?;
                Ok(aws::answer(status, body, rows))
            }
        }
    }

    async fn reconnect(&mut self, why: &str) -> anyhow::Result<()> {
        self.line = self.run.lines.after(self.line.generation, why).await?;
        match &mut self.wire {
            Wire::Grpc(channel) => {
                // The new server may be killed at once: then the next call fails, and waits for the one after.
                *channel = grpc::connect_lazily(&self.line.addresses.grpc)?;
            }
            Wire::Aws(connection) => {
                *connection = Connection::to(self.line.addresses.http.as_deref().unwrap_or_default());
            }
        }
        Ok(())
    }
}
