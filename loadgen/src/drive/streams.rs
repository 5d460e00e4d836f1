//! Messages that go over a stream, in order: StreamUsage and StreamColumns.
//!
//! ```text
//! sender     take ─► wait for room, then for the moment ─► in flight ─┬─► server
//!                                                                     │ oldest first
//! receiver   ledger, histograms ◄───────── answer ◄───────────────────┴── server
//! ```
//!
//! A stream that broke is opened again, and what was not answered is sent again, in order, before anything else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use prost::bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tonic::{Code, Status, Streaming};

use super::Run;
use super::columns_stream::Opening;
use super::line::Line;
use super::queue::{Queue, Taken};
use crate::audit::Verdict;
use crate::door::{self, Answer, answer, columns, grpc};
use crate::plan::{Extra, Feed, FeedKind, Sending};

/// One stream.
pub struct Stream {
    run: Arc<Run>,
    queue: Arc<Queue>,
    kind: FeedKind,
    number: u32,
    line: Line,
    /// Series of a stream of columns, before their lanes are known.
    series: Vec<u32>,
    /// By position in the feed; of columns alone.
    handles: Vec<u32>,
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    sending: Sending,
    due: Instant,
    sent: Instant,
}

/// What sender and receiver of an open stream share.
struct Shared {
    state: Mutex<State>,
    /// Messages that may be in flight by our own limit.
    room: Semaphore,
    /// Messages that the server lets us send; of columns alone.
    credits: Option<Semaphore>,
}

#[derive(Default)]
struct State {
    in_flight: VecDeque<InFlight>,
    /// What another stream left unanswered: it goes first.
    unanswered: VecDeque<InFlight>,
    /// What was taken and is not in flight yet.
    held: Option<Taken>,
}

/// How a stream ended.
enum End {
    /// Everything was answered.
    Over,
    /// It broke, with these messages unanswered.
    Broken(Vec<InFlight>, Status),
}

impl Stream {
    /// A stream of the feed of this kind and number. The series are those of columns.
    #[must_use]
    pub fn new(
        run: &Arc<Run>,
        queue: &Arc<Queue>,
        (kind, number): (FeedKind, u32),
        line: Line,
        series: Vec<u32>,
    ) -> Stream {
        let (run, queue) = (Arc::clone(run), Arc::clone(queue));
        Stream { run, queue, kind, number, line, series, handles: Vec::new() }
    }

    /// Sends until everything was answered, or nothing more shall be sent.
    ///
    /// # Errors
    /// When the stream breaks and the server is not started again, or an answer contradicts the contract.
    pub async fn send_all(mut self) -> anyhow::Result<()> {
        let mut unanswered = Vec::new();
        loop {
            let broken = match self.open().await? {
                Ok(opened) => match self.talk(opened, std::mem::take(&mut unanswered)).await? {
                    End::Over => return Ok(()),
                    End::Broken(left, status) => {
                        unanswered = left;
                        status
                    }
                },
                Err(status) => status,
            };
            if broken.code() == Code::Unimplemented {
                bail!("the server has no such door: {}", broken.message());
            }
            self.line = self.run.lines.after(self.line.generation, &broken.to_string()).await?;
            self.run.note_resent(unanswered.len() as u64);
        }
    }

    /// Opens the stream, and on it the series of columns.
    async fn open(&mut self) -> anyhow::Result<Result<Opening, Status>> {
        let channel = grpc::connect_lazily(&self.line.addresses.grpc)?;
        let path = door::path(self.kind, self.run.door);
        let opened = grpc::open(&channel, path, self.run.in_flight).await;
        let (messages, answers) = match opened {
            Ok(opened) => opened,
            Err(status) => return Ok(Err(status)),
        };
        let mut opening = Opening { messages, answers, credits: None, answered: 0 };
        if self.kind == FeedKind::Columns {
            let known = self.queue.feed().cloned();
            match opening
                .open_series(&self.run, self.number, &self.series, self.queue.as_ref(), known.as_ref())
                .await?
            {
                Ok(handles) => self.handles = handles,
                Err(status) => return Ok(Err(status)),
            }
        }
        Ok(Ok(opening))
    }

    async fn talk(&self, opened: Opening, unanswered: Vec<InFlight>) -> anyhow::Result<End> {
        let feed = self.queue.feed().context("the feed is not known")?;
        let Opening { messages, mut answers, credits, answered } = opened;
        let shared = Shared {
            state: Mutex::default(),
            room: Semaphore::new(self.run.in_flight),
            credits: credits.map(|credits| Semaphore::new(credits as usize)),
        };
        shared.lock().unanswered = unanswered.into();
        let sending = self.send(feed, &shared, messages);
        let receiving = self.receive(feed, &shared, &mut answers, answered);
        tokio::pin!(sending, receiving);
        let received = tokio::select! {
            received = &mut receiving => received,
            sent = &mut sending => {
                sent?;
                receiving.await
            }
        };
        let status = match received? {
            None => {
                let is_over = {
                    let state = shared.lock();
                    state.in_flight.is_empty() && state.unanswered.is_empty() && state.held.is_none()
                };
                if is_over {
                    return Ok(End::Over);
                }
                Status::unavailable("the server ended the stream before every message was answered")
            }
            Some(status) => status,
        };
        let mut state = shared.lock();
        match state.held.take() {
            Some(Taken::New(sending)) => self.queue.put_back(sending),
            Some(Taken::Again(sending, due)) => self.queue.again(sending, due, &self.run.signals),
            None => {}
        }
        let State { in_flight, unanswered, .. } = std::mem::take(&mut *state);
        drop(state);
        Ok(End::Broken(in_flight.into_iter().chain(unanswered).collect(), status))
    }

    /// Sends what was not answered, then what is next. It returns when nothing more is to be sent, or the stream
    /// takes nothing any more.
    async fn send(
        &self,
        feed: &Feed,
        shared: &Shared,
        messages: mpsc::Sender<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let run = &self.run;
        let mut extras = Vec::new();
        while let Some(first) = shared.first_unanswered() {
            shared.make_room().await?;
            shared.fly_again();
            if messages.send(self.encode(feed, first.sending, &mut extras)).await.is_err() {
                return Ok(());
            }
        }
        let mut work = run.signals.work.subscribe();
        loop {
            work.borrow_and_update();
            let Some(taken) = self.queue.take(&run.plan) else {
                if run.is_finished() {
                    return Ok(());
                }
                work.changed().await.context("the conductor is gone")?;
                continue;
            };
            shared.lock().held = Some(taken);
            let (sending, due) = match taken {
                Taken::Again(sending, due) => (sending, Some(due)),
                Taken::New(sending) => (sending, None),
            };
            let message = self.encode(feed, sending, &mut extras);
            shared.make_room().await?;
            let due = match due {
                Some(due) => Some(due),
                None => run.arrivals.next().await,
            };
            shared.lock().held = None;
            let Some(due) = due else {
                self.queue.put_back(sending);
                return Ok(());
            };
            shared.lock().in_flight.push_back(InFlight { sending, due, sent: Instant::now() });
            if messages.send(message).await.is_err() {
                return Ok(());
            }
        }
    }

    fn encode(&self, feed: &Feed, sending: Sending, extras: &mut Vec<Extra>) -> Vec<u8> {
        match self.kind {
            FeedKind::Columns => columns::message(&self.run.plan, feed, &self.handles, sending, extras),
            FeedKind::Records | FeedKind::Reports => {
                self.run.records.message(&self.run.plan, feed, sending, extras)
            }
        }
    }

    /// Reads answers to the end of the stream, or until it breaks: then says how.
    async fn receive(
        &self,
        feed: &Feed,
        shared: &Shared,
        answers: &mut Streaming<Bytes>,
        mut expected: u64,
    ) -> anyhow::Result<Option<Status>> {
        let run = &self.run;
        let mut extras = Vec::new();
        loop {
            let bytes = match answers.message().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(None),
                Err(status) => return Ok(Some(status)),
            };
            let answered = Instant::now();
            let (index, answer) = self.read(&bytes, shared)?;
            ensure!(index == expected, "answer {index} came where answer {expected} must come");
            expected += 1;
            shared.room.add_permits(1);
            let oldest = shared.lock().in_flight.pop_front();
            let InFlight { sending, due, sent } = oldest.context("an answer came without a message")?;
            let rows = feed.rows_of(&run.plan, sending, &mut extras);
            match run.note(feed, sending, &answer) {
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
        }
    }

    fn read(&self, bytes: &[u8], shared: &Shared) -> anyhow::Result<(u64, Answer)> {
        match self.kind {
            FeedKind::Columns => {
                let returned = columns::read(bytes)?;
                if let Some(credits) = &shared.credits {
                    credits.add_permits(returned.credits as usize);
                }
                Ok((returned.index, columns::answer(returned.said)))
            }
            FeedKind::Records | FeedKind::Reports => Ok(answer::of_stream(bytes)?),
        }
    }
}

impl Shared {
    /// Waits until one more message may be in flight.
    async fn make_room(&self) -> anyhow::Result<()> {
        self.room.acquire().await.context("the stream is closed")?.forget();
        if let Some(credits) = &self.credits {
            credits.acquire().await.context("the stream is closed")?.forget();
        }
        Ok(())
    }

    fn first_unanswered(&self) -> Option<InFlight> {
        self.lock().unanswered.front().copied()
    }

    /// The first unanswered message is in flight again.
    fn fly_again(&self) {
        let mut state = self.lock();
        if let Some(first) = state.unanswered.pop_front() {
            state.in_flight.push_back(InFlight { sent: Instant::now(), ..first });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
