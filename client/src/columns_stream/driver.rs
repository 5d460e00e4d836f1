//! The task behind a stream of columns: it owns the connection, and everything that is not answered yet.

use std::collections::VecDeque;

use souk_proto::metering::v1::stream_columns_request::Message;
use souk_proto::metering::v1::stream_columns_response::Answer;
use souk_proto::metering::v1::usage_columns_service_client::UsageColumnsServiceClient;
use souk_proto::metering::v1::{
    ColumnsOpened, ColumnsRefusal, OpenColumns, OpenSeries, OpenedSeries, SeriesName, StreamColumnsRequest,
    StreamColumnsResponse, UsageColumns,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::series::SeriesBook;
use super::{ColumnsAnswer, ColumnsOutcome, READY_MAX};
use crate::client::required;
use crate::retry::random;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, SoukClient};

const CALL: Call = Call::StreamColumns;
/// Series that one message opens at most.
const SERIES_MAX: usize = 5_000;
/// Messages between the driver and the connection.
const OUTGOING: usize = 16;

/// Who waits for series.
pub type SeriesReply = oneshot::Sender<Result<Vec<OpenedSeries>, ClientError>>;

/// What the caller asks.
#[derive(Debug)]
pub enum Command {
    /// Series.
    OpenSeries(Vec<SeriesName>, SeriesReply),
    /// A message, and its number.
    Send(u64, UsageColumns),
}

/// What was asked, until it is answered.
struct Kept {
    command: Command,
    /// When the caller asked.
    since: Instant,
    /// How often it was refused for now.
    refused: u32,
    /// When it may be sent.
    due: Instant,
}

/// A stream of one connection.
struct Connection {
    outgoing: mpsc::Sender<StreamColumnsRequest>,
    incoming: Streaming<StreamColumnsResponse>,
    credits: u32,
    /// The number of the answer that comes next.
    next_answer: u64,
}

/// The task.
pub struct Driver {
    client: SoukClient,
    sandbox: String,
    commands: mpsc::Receiver<Command>,
    answers: mpsc::Sender<Result<ColumnsAnswer, ClientError>>,
    connection: Connection,
    opened: ColumnsOpened,
    series: SeriesBook,
    /// What is still to be sent.
    waiting: VecDeque<Kept>,
    /// What was sent and is not answered, in order.
    in_flight: VecDeque<Kept>,
    /// Answers for the caller.
    ready: VecDeque<ColumnsAnswer>,
    /// Nobody asks any more.
    ending: bool,
}

/// What the driver does next.
enum Step {
    Answered(Result<Option<StreamColumnsResponse>, ClientError>),
    Asked(Option<Command>),
    Told,
    Due,
    Late,
}

impl Driver {
    /// Opens the first connection.
    pub async fn connect(
        client: SoukClient,
        sandbox: String,
        commands: mpsc::Receiver<Command>,
        answers: mpsc::Sender<Result<ColumnsAnswer, ClientError>>,
    ) -> Result<Driver, ClientError> {
        let (connection, opened) = Connection::open(&client, &sandbox).await?;
        Ok(Driver {
            client,
            sandbox,
            commands,
            answers,
            connection,
            opened,
            series: SeriesBook::default(),
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            ready: VecDeque::new(),
            ending: false,
        })
    }

    /// Rows of one message at most.
    pub fn rows_max(&self) -> usize {
        self.opened.rows_max as usize
    }

    /// Works until nobody asks any more and everything is answered, or until it cannot go on.
    pub async fn run(mut self) {
        if let Err(error) = self.work().await {
            // First what is answered, then why there is no more.
            for answer in std::mem::take(&mut self.ready) {
                let _ = self.answers.send(Ok(answer)).await;
            }
            let _ = self.answers.send(Err(error)).await;
        }
    }

    async fn work(&mut self) -> Result<(), ClientError> {
        loop {
            self.send_due().await;
            let nothing_left = self.waiting.is_empty() && self.in_flight.is_empty() && self.ready.is_empty();
            if self.ending && nothing_left {
                return Ok(());
            }
            match self.next_step().await {
                Step::Answered(Ok(Some(answer))) => self.take(answer)?,
                Step::Answered(Ok(None)) => self.reconnect(ended()).await?,
                Step::Answered(Err(error)) => self.reconnect(error).await?,
                Step::Asked(Some(command)) => {
                    let now = Instant::now();
                    self.waiting.push_back(Kept { command, since: now, refused: 0, due: now });
                }
                Step::Asked(None) => self.ending = true,
                Step::Told | Step::Due => (),
                Step::Late => {
                    let deadline = self.client.settings().deadline;
                    return Err(ClientError::TimedOut { call: CALL, deadline });
                }
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        let has_credit = self.connection.credits > 0;
        let asks = !self.ending && has_credit && self.waiting.is_empty() && self.ready.len() < READY_MAX;
        let due = self.waiting.front().filter(|_| has_credit).map(|kept| kept.due);
        let patience = self.client.settings().deadline;
        let late = self.in_flight.front().map(|kept| kept.since.max(kept.due) + patience);
        let Driver { commands, answers, connection, ready, .. } = self;
        tokio::select! {
            answer = connection.incoming.message() => {
                let failure = |status| self.client.failure(CALL, status);
                Step::Answered(answer.map_err(failure))
            }
            place = answers.reserve(), if !ready.is_empty() => {
                // Nobody may be listening any more; what is asked is done all the same.
                if let (Ok(place), Some(answer)) = (place, ready.pop_front()) {
                    place.send(Ok(answer));
                }
                Step::Told
            }
            command = commands.recv(), if asks => Step::Asked(command),
            () = until(due) => Step::Due,
            () = until(late) => Step::Late,
        }
    }

    /// Sends what is due, as far as there is credit.
    async fn send_due(&mut self) {
        while self.connection.credits > 0 {
            let now = Instant::now();
            let Some(kept) = self.waiting.pop_front_if(|kept| kept.due <= now) else { return };
            let message = match &kept.command {
                Command::OpenSeries(names, _) => Message::OpenSeries(OpenSeries { series: names.clone() }),
                Command::Send(_, columns) => Message::Columns(self.series.translated(columns)),
            };
            self.in_flight.push_back(kept);
            self.connection.credits -= 1;
            // A connection that takes nothing any more says why when it is read.
            let _ = self.connection.outgoing.send(StreamColumnsRequest { message: Some(message) }).await;
        }
    }

    fn take(&mut self, response: StreamColumnsResponse) -> Result<(), ClientError> {
        let answer = self.connection.take(response)?;
        let kept = required(CALL, self.in_flight.pop_front(), "a message that it answers")?;
        match (kept.command, answer) {
            (Command::OpenSeries(names, reply), Answer::SeriesOpened(opened)) => {
                if opened.series.len() != names.len() {
                    return Err(ClientError::Incomplete { call: CALL, missing: "one series for each name" });
                }
                let _ = reply.send(Ok(self.series.add(names, opened.series)));
            }
            (Command::Send(message, _), Answer::Acknowledged(acknowledged)) => {
                let outcome = ColumnsOutcome::Acknowledged(acknowledged);
                self.ready.push_back(ColumnsAnswer { message, outcome });
            }
            (command, Answer::Refused(refusal)) => self.refused(Kept { command, ..kept }, refusal),
            _ => return Err(ClientError::Incomplete { call: CALL, missing: "what was asked for" }),
        }
        Ok(())
    }

    /// What was refused for now is sent again after a while, and what was refused for good is told.
    fn refused(&mut self, kept: Kept, refusal: ColumnsRefusal) {
        let error = ClientError::from_columns_refusal(CALL, refusal.clone());
        let settings = self.client.settings();
        // Being slowed down is no failure: only the deadline ends it.
        let pause = settings.retry.pause(CALL, 1, &error, random());
        let due = pause.map(|pause| Instant::now() + pause);
        match (due.filter(|due| *due < kept.since + settings.deadline), kept.command) {
            (Some(due), command) => {
                let again = Kept { command, refused: kept.refused + 1, due, ..kept };
                let behind = self.waiting.iter().position(|other| other.due > due);
                self.waiting.insert(behind.unwrap_or(self.waiting.len()), again);
            }
            (None, Command::OpenSeries(_, reply)) => {
                let _ = reply.send(Err(error));
            }
            (None, Command::Send(message, _)) => {
                let outcome = ColumnsOutcome::Refused(refusal);
                self.ready.push_back(ColumnsAnswer { message, outcome });
            }
        }
    }

    /// Opens another connection and everything on it that was open; what is not answered will be sent again.
    async fn reconnect(&mut self, mut error: ClientError) -> Result<(), ClientError> {
        if self.ending && self.waiting.is_empty() && self.in_flight.is_empty() {
            return Ok(());
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            let policy = self.client.settings().retry;
            let Some(pause) = policy.pause(CALL, attempts, &error, random()) else { return Err(error) };
            sleep(pause).await;
            match self.connect_again().await {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
        let now = Instant::now();
        for mut kept in std::mem::take(&mut self.in_flight).into_iter().rev() {
            kept.due = now;
            self.waiting.push_front(kept);
        }
        Ok(())
    }

    async fn connect_again(&mut self) -> Result<(), ClientError> {
        let (mut connection, opened) = Connection::open(&self.client, &self.sandbox).await?;
        let mut series = Vec::new();
        for names in self.series.names().chunks(SERIES_MAX) {
            series.extend(connection.open_series(&self.client, names.to_vec()).await?);
        }
        self.series.renew(&series);
        (self.connection, self.opened) = (connection, opened);
        Ok(())
    }
}

impl Connection {
    /// Opens a stream of a sandbox.
    async fn open(client: &SoukClient, sandbox: &str) -> Result<(Connection, ColumnsOpened), ClientError> {
        let (outgoing, requests) = mpsc::channel(OUTGOING);
        let open = Message::Open(OpenColumns { sandbox: sandbox.to_owned() });
        // There is room for it, and somebody listens.
        let _ = outgoing.send(StreamColumnsRequest { message: Some(open) }).await;
        let mut service =
            UsageColumnsServiceClient::new(client.channel()).max_decoding_message_size(MESSAGE_SIZE_MAX);
        let deadline = client.settings().deadline;
        let Ok(answered) = timeout(deadline, service.stream_columns(ReceiverStream::new(requests))).await
        else {
            return Err(ClientError::TimedOut { call: CALL, deadline });
        };
        let incoming = answered.map_err(|status| client.failure(CALL, status))?.into_inner();
        let mut connection = Connection { outgoing, incoming, credits: 0, next_answer: 0 };
        match connection.next(client).await? {
            Answer::Opened(opened) => Ok((connection, opened)),
            Answer::Refused(refusal) => Err(ClientError::from_columns_refusal(CALL, refusal)),
            _ => Err(ClientError::Incomplete { call: CALL, missing: "the opened stream" }),
        }
    }

    /// Opens series and waits for them: on a connection on which nothing else is under way. What is refused for now
    /// is tried again with the connection.
    async fn open_series(
        &mut self,
        client: &SoukClient,
        series: Vec<SeriesName>,
    ) -> Result<Vec<OpenedSeries>, ClientError> {
        let message = Message::OpenSeries(OpenSeries { series });
        self.credits = self.credits.saturating_sub(1);
        let _ = self.outgoing.send(StreamColumnsRequest { message: Some(message) }).await;
        match self.next(client).await? {
            Answer::SeriesOpened(opened) => Ok(opened.series),
            Answer::Refused(refusal) => Err(ClientError::from_columns_refusal(CALL, refusal)),
            _ => Err(ClientError::Incomplete { call: CALL, missing: "the series" }),
        }
    }

    async fn next(&mut self, client: &SoukClient) -> Result<Answer, ClientError> {
        let response = client.next_message(CALL, &mut self.incoming).await?;
        self.take(response.ok_or_else(ended)?)
    }

    fn take(&mut self, response: StreamColumnsResponse) -> Result<Answer, ClientError> {
        if response.message_index != self.next_answer {
            return Err(ClientError::Incomplete { call: CALL, missing: "its place in the order" });
        }
        self.next_answer += 1;
        self.credits += response.credits;
        required(CALL, response.answer, "an answer")
    }
}

/// The server ended the stream before everything was answered, as it does when it stops.
fn ended() -> ClientError {
    ClientError::unreachable("the server", std::io::Error::other("it ended the stream of columns"))
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
