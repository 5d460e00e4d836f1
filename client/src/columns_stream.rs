//! A stream of usage in columns that outlives its connections.
//!
//! ```text
//!  user                      driver                         server
//!  open_series, send  ──▶  waits for credit, keeps  ──▶  lanes
//!  next_answer        ◀──  what is not answered     ◀──  one answer a message, when it is durable
//! ```
//!
//! When the connection breaks, the driver opens another stream, opens the series again and sends what was not
//! answered, with the handles of the new stream. The caller goes on with the handles that it has. Every message is
//! answered exactly once; rows that were metered before the break are answered as repeated, and are billed once.
//!
//! What the server refuses for now (`RESOURCE_EXHAUSTED`, `UNAVAILABLE`) is sent again after the delay that it asks
//! for. How often, and how long a message may take in all, say the client's [`Settings`](crate::Settings):
//! with [`RetryPolicy::NEVER`](crate::RetryPolicy::NEVER) nothing is repeated, and a break is an error.
//!
//! ```no_run
//! # async fn example() -> Result<(), souk_client::ClientError> {
//! use souk_client::proto::metering::v1::{SeriesName, series_name::Customer};
//! use souk_client::{ColumnRow, Columns};
//!
//! let client = souk_client::SoukClient::connect("http://127.0.0.1:7625").await?;
//! let mut stream = client.stream_columns("default").await?;
//! let name = SeriesName {
//!     product_code: "43arrzd2dsdbc7yrfqm8eqr6n".to_owned(),
//!     customer: Some(Customer::CustomerAwsAccountId("000000000101".to_owned())),
//!     dimension: "users".to_owned(),
//!     region: String::new(),
//! };
//! let series = stream.open_series(vec![name]).await?;
//! let mut columns = Columns::new(stream.rows_max());
//! for hour in 480_000..480_024 {
//!     if let Some(full) = columns.push(&series[0], ColumnRow::whole(hour, 5)) {
//!         stream.send(full).await?;
//!     }
//! }
//! for message in columns.take() {
//!     stream.send(message).await?;
//! }
//! for answer in stream.finish().await? {
//!     println!("{answer:?}");
//! }
//! # Ok(())
//! # }
//! ```

mod driver;
mod series;

use std::collections::VecDeque;

use souk_proto::metering::v1::{ColumnsAcknowledged, ColumnsRefusal, OpenedSeries, SeriesName, UsageColumns};
use tokio::sync::{mpsc, oneshot};

use crate::usage_stream::StreamEnded;
use crate::{Call, ClientError, SoukClient};
use driver::{Command, Driver};

/// Answers that wait for the caller before the driver takes no more messages.
const READY_MAX: usize = 64;

/// Both ends of a stream.
#[derive(Debug)]
pub struct ColumnsStream {
    sender: ColumnsSender,
    answers: ColumnsAnswers,
    /// Answers that came while messages were sent.
    taken: VecDeque<ColumnsAnswer>,
}

/// The end that opens series and sends.
#[derive(Debug)]
pub struct ColumnsSender {
    commands: mpsc::Sender<Command>,
    rows_max: usize,
    sent: u64,
}

/// The end that reads.
#[derive(Debug)]
pub struct ColumnsAnswers {
    answers: mpsc::Receiver<Result<ColumnsAnswer, ClientError>>,
    answered: u64,
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnsAnswer {
    /// Which message: the number that sending it gave.
    pub message: u64,
    /// What became of it.
    pub outcome: ColumnsOutcome,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnsOutcome {
    /// Its rows are metered and durable, but for the exceptions that it names.
    Acknowledged(ColumnsAcknowledged),
    /// It was refused as a whole, for good.
    Refused(ColumnsRefusal),
}

impl SoukClient {
    /// Opens a stream of usage in columns.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn stream_columns(&self, sandbox: &str) -> Result<ColumnsStream, ClientError> {
        let (commands, to_do) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(READY_MAX);
        let driver = Driver::connect(self.clone(), sandbox.to_owned(), to_do, answered).await?;
        let rows_max = driver.rows_max();
        tokio::spawn(driver.run());
        Ok(ColumnsStream {
            sender: ColumnsSender { commands, rows_max, sent: 0 },
            answers: ColumnsAnswers { answers, answered: 0 },
            taken: VecDeque::new(),
        })
    }
}

const UNANSWERED: ClientError =
    ClientError::Incomplete { call: Call::StreamColumns, missing: "an answer to every message" };

impl ColumnsStream {
    /// Opens series, new ones and known ones alike; see [`ColumnsSender::open_series`].
    ///
    /// # Errors
    /// When the server refuses the names as a whole, or the stream is over.
    pub async fn open_series(&mut self, series: Vec<SeriesName>) -> Result<Vec<OpenedSeries>, ClientError> {
        let opening = self.sender.open_series(series);
        tokio::pin!(opening);
        loop {
            tokio::select! {
                opened = &mut opening => return opened,
                answer = self.answers.next() => match answer? {
                    Some(answer) => self.taken.push_back(answer),
                    None => return Err(UNANSWERED),
                },
            }
        }
    }

    /// Sends a message as soon as there is credit for it. Answers its number.
    ///
    /// # Errors
    /// When the stream broke and could not be opened again.
    pub async fn send(&mut self, message: UsageColumns) -> Result<u64, ClientError> {
        let sending = self.sender.send(message);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => match sent {
                    Ok(number) => return Ok(number),
                    Err(StreamEnded) => break,
                },
                answer = self.answers.next() => match answer? {
                    Some(answer) => self.taken.push_back(answer),
                    None => break,
                },
            }
        }
        // The driver has stopped; its last words say why.
        while let Some(answer) = self.answers.next().await? {
            self.taken.push_back(answer);
        }
        Err(UNANSWERED)
    }

    /// The next answer; none when every message has been answered. Answers come in the order of the messages,
    /// unless one had to be sent again.
    ///
    /// # Errors
    /// When the stream broke and could not be opened again, or an answer does not come within the deadline.
    pub async fn next_answer(&mut self) -> Result<Option<ColumnsAnswer>, ClientError> {
        if let Some(answer) = self.taken.pop_front() {
            return Ok(Some(answer));
        }
        if self.answers.answered == self.sender.sent {
            return Ok(None);
        }
        self.answers.next().await?.map(Some).ok_or(UNANSWERED)
    }

    /// Ends the stream and returns the answers that were not read.
    ///
    /// # Errors
    /// When the stream broke before everything was answered, and could not be opened again.
    pub async fn finish(mut self) -> Result<Vec<ColumnsAnswer>, ClientError> {
        let mut answers = Vec::new();
        while let Some(answer) = self.next_answer().await? {
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Rows of one message at most.
    #[must_use]
    pub fn rows_max(&self) -> usize {
        self.sender.rows_max
    }

    /// Parts the two ends, for two tasks. Dropping the sender ends the stream once everything is answered. Answers
    /// that came already are left behind: part them before anything is sent.
    #[must_use]
    pub fn split(self) -> (ColumnsSender, ColumnsAnswers) {
        (self.sender, self.answers)
    }
}

impl ColumnsSender {
    /// Opens series, new ones and known ones alike. The answers are in the order of the names; a series whose buyer
    /// has no agreement has no handle. The handles hold until the sender is dropped, whatever becomes of connections.
    ///
    /// # Errors
    /// When the server refuses the names as a whole, or the stream is over.
    pub async fn open_series(&mut self, series: Vec<SeriesName>) -> Result<Vec<OpenedSeries>, ClientError> {
        let (reply, opened) = oneshot::channel();
        let command = Command::OpenSeries(series, reply);
        self.commands.send(command).await.map_err(|_| UNANSWERED)?;
        opened.await.unwrap_or(Err(UNANSWERED))
    }

    /// Sends a message as soon as there is credit for it. Answers its number.
    ///
    /// # Errors
    /// When the stream is over; [`ColumnsAnswers::next`] says why.
    pub async fn send(&mut self, message: UsageColumns) -> Result<u64, StreamEnded> {
        let number = self.sent;
        self.commands.send(Command::Send(number, message)).await.map_err(|_| StreamEnded)?;
        self.sent += 1;
        Ok(number)
    }

    /// Rows of one message at most.
    #[must_use]
    pub fn rows_max(&self) -> usize {
        self.rows_max
    }
}

impl ColumnsAnswers {
    /// The next answer; none when the sender is gone and everything was answered.
    ///
    /// # Errors
    /// When the stream broke and could not be opened again, or an answer does not come within the deadline.
    pub async fn next(&mut self) -> Result<Option<ColumnsAnswer>, ClientError> {
        let answer = self.answers.recv().await.transpose()?;
        self.answered += u64::from(answer.is_some());
        Ok(answer)
    }
}
