//! A stream of usage with a bounded number of messages in flight.
//!
//! ```text
//!  sent        0  1  2  3  4  5
//!  answered    0  1  2            at most `in_flight_max` between the two
//! ```
//!
//! The server answers every message once, in order, when its records are durable. [`UsageStream`] serves one
//! task: `send` takes an answer first when the limit is reached. [`UsageStream::split`] serves two, one that
//! sends and one that reads.

use std::sync::Arc;

use souk_proto::metering::v1::{StreamUsageRequest, StreamUsageResponse};
use tokio::sync::{Semaphore, mpsc};
use tonic::Streaming;

use crate::{Call, ClientError, SoukClient};

/// Both ends of a stream.
#[derive(Debug)]
pub struct UsageStream {
    sender: UsageSender,
    answers: UsageAnswers,
}

/// The end that sends.
#[derive(Debug)]
pub struct UsageSender {
    messages: mpsc::Sender<StreamUsageRequest>,
    room: Arc<Semaphore>,
    sent: u64,
}

/// The end that reads.
#[derive(Debug)]
pub struct UsageAnswers {
    client: SoukClient,
    incoming: Streaming<StreamUsageResponse>,
    room: Arc<Semaphore>,
    answered: u64,
}

pub(crate) fn new(
    client: SoukClient,
    messages: mpsc::Sender<StreamUsageRequest>,
    incoming: Streaming<StreamUsageResponse>,
    in_flight_max: usize,
) -> UsageStream {
    let room = Arc::new(Semaphore::new(in_flight_max));
    UsageStream {
        sender: UsageSender { messages, room: Arc::clone(&room), sent: 0 },
        answers: UsageAnswers { client, incoming, room, answered: 0 },
    }
}

impl UsageStream {
    /// Sends a message. When as many are in flight as may be, waits for the oldest one's answer and returns
    /// it.
    ///
    /// # Errors
    /// When the stream broke or the server ended it.
    pub async fn send(
        &mut self,
        message: StreamUsageRequest,
    ) -> Result<Option<StreamUsageResponse>, ClientError> {
        let answer = if self.sender.room.available_permits() == 0 { self.next_answer().await? } else { None };
        match self.sender.send(message).await {
            Ok(()) => Ok(answer),
            Err(StreamEnded) => Err(self.reason_of_end().await),
        }
    }

    /// The answer to the oldest message in flight; none when no message is.
    ///
    /// # Errors
    /// When the stream broke, the server ended it, or the answer does not come within the deadline.
    pub async fn next_answer(&mut self) -> Result<Option<StreamUsageResponse>, ClientError> {
        if self.answers.answered == self.sender.sent {
            return Ok(None);
        }
        let answer = self.answers.next().await?;
        answer.map(Some).ok_or(UNANSWERED)
    }

    /// Ends the stream and returns the answers that were still missing.
    ///
    /// # Errors
    /// When the stream broke or the server ended it before it answered everything.
    pub async fn finish(mut self) -> Result<Vec<StreamUsageResponse>, ClientError> {
        let mut answers = Vec::new();
        while let Some(answer) = self.next_answer().await? {
            answers.push(answer);
        }
        Ok(answers)
    }

    /// How many messages were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sender.sent
    }

    /// How many were answered; after an error, go on from the message with this number.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answers.answered
    }

    /// Parts the two ends, for two tasks. Dropping the sender ends the stream.
    #[must_use]
    pub fn split(self) -> (UsageSender, UsageAnswers) {
        (self.sender, self.answers)
    }

    /// The server took no more messages; its last words say why.
    async fn reason_of_end(&mut self) -> ClientError {
        loop {
            match self.answers.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return UNANSWERED,
                Err(error) => return error,
            }
        }
    }
}

/// The server ended the stream; [`UsageAnswers::next`] says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server ended the stream")]
pub struct StreamEnded;

const UNANSWERED: ClientError =
    ClientError::Incomplete { call: Call::StreamUsage, missing: "an answer to every message" };

impl UsageSender {
    /// Sends a message as soon as fewer are in flight than may be.
    ///
    /// # Errors
    /// When the server ended the stream.
    pub async fn send(&mut self, message: StreamUsageRequest) -> Result<(), StreamEnded> {
        let room = self.room.acquire().await.map_err(|_| StreamEnded)?;
        self.messages.send(message).await.map_err(|_| StreamEnded)?;
        // The answer gives it back.
        room.forget();
        self.sent += 1;
        Ok(())
    }

    /// How many messages were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

impl UsageAnswers {
    /// The next answer; none when the stream has ended in order.
    ///
    /// # Errors
    /// When the stream broke, the server ended it, or no answer comes within the deadline.
    pub async fn next(&mut self) -> Result<Option<StreamUsageResponse>, ClientError> {
        let outcome = self.client.next_message(Call::StreamUsage, &mut self.incoming).await;
        let Ok(Some(answer)) = outcome else {
            // Nobody will make room any more: let the sender know.
            self.room.close();
            return outcome;
        };
        if answer.message_index != self.answered {
            self.room.close();
            return Err(ClientError::Incomplete {
                call: Call::StreamUsage,
                missing: "its place in the order",
            });
        }
        self.answered += 1;
        self.room.add_permits(1);
        Ok(Some(answer))
    }

    /// How many messages were answered; after an error, go on from the message with this number.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered
    }
}
