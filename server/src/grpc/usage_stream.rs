//! Streams of usage: messages are read, put into the queues of their partitions, and answered in order.

use bytes::Bytes;
use prost::Message;
use souk_core::ids::SandboxName;
use souk_core::metering::{RecordStatus, UsageOutcome};
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_proto::metering::v1 as proto;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::answer::refuse;
use super::convert::records::from_proto_named_record;
use super::convert::sandbox::from_proto_sandbox_name;
use super::convert::usage::{from_proto_usage_request, to_proto_stream_answer, to_proto_stream_refusal};
use super::convert::wire::UsageView;
use super::refused::{Asked, note};
use crate::app::Souk;
use crate::app::known_usage::PendingKnown;
use crate::app::metering::PendingUsage;
use crate::error::AppError;

/// Messages of a stream that may wait for their answers.
const IN_FLIGHT: usize = 16;

/// Answers a stream of messages, which are `StreamUsageRequest`s as they came.
pub fn open(
    souk: Souk,
    messages: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin + 'static,
) -> ReceiverStream<Result<proto::StreamUsageResponse, Status>> {
    let (pending, waiting) = mpsc::channel(IN_FLIGHT);
    let (answers, stream) = mpsc::channel(1);
    tokio::spawn(read(souk.clone(), messages, pending));
    tokio::spawn(answer(souk, waiting, answers));
    ReceiverStream::new(stream)
}

/// A message on its way: its records, or why it was refused as a whole. The message itself is kept for what is
/// refused of it.
struct InFlight {
    message: Bytes,
    usage: Result<Usage, AppError>,
}

/// Records on their way.
enum Usage {
    /// The short one.
    Known(PendingKnown),
    /// The long one, and how many records there are.
    Unknown(PendingUsage, u32),
}

/// What became of a message.
struct Answered {
    count: u32,
    exceptions: Vec<UsageOutcome>,
}

/// Puts a stream's messages into the queues of their partitions, in order. It stops when the client ends the
/// stream, or goes away.
async fn read(
    souk: Souk,
    mut messages: impl Stream<Item = Result<Bytes, Status>> + Unpin,
    pending: mpsc::Sender<Result<InFlight, Status>>,
) {
    while let Some(message) = messages.next().await {
        let in_flight = match message {
            Ok(message) => enqueue(&souk, message).await,
            Err(status) => Err(status),
        };
        let last = in_flight.is_err();
        if pending.send(in_flight).await.is_err() || last {
            return;
        }
    }
}

/// Puts a message into the queues of its partitions; what cannot be decoded ends the stream.
async fn enqueue(souk: &Souk, message: Bytes) -> Result<InFlight, Status> {
    if let Some(view) = UsageView::read(&message) {
        let name = SandboxName::new(view.sandbox);
        if let Some(usage) = souk.resolve_known(&name, &view, MAX_STREAM_RECORDS) {
            let usage = souk.enqueue_known(&name, usage).await.map(Usage::Known);
            return Ok(InFlight { message, usage });
        }
    }
    let decoded = decode(&message)?;
    let usage = enqueue_decoded(souk, &decoded).await;
    let count = decoded.usage_records.len() as u32;
    Ok(InFlight { message, usage: usage.map(|usage| Usage::Unknown(usage, count)) })
}

fn decode(message: &Bytes) -> Result<proto::StreamUsageRequest, Status> {
    // As the generated decoder says it.
    proto::StreamUsageRequest::decode(message.clone()).map_err(|error| Status::internal(error.to_string()))
}

async fn enqueue_decoded(souk: &Souk, message: &proto::StreamUsageRequest) -> Result<PendingUsage, AppError> {
    let name = from_proto_sandbox_name(&message.sandbox, "sandbox")?;
    let proto::StreamUsageRequest { product_code, region, usage_records, .. } = message;
    let usage = from_proto_usage_request(product_code, region, usage_records, MAX_STREAM_RECORDS)?;
    souk.enqueue_unknown(&name, usage).await
}

/// Answers in the order of the messages. What is wrong with one message is said in its answer; what is wrong
/// with the server ends the stream.
async fn answer(
    souk: Souk,
    mut waiting: mpsc::Receiver<Result<InFlight, Status>>,
    answers: mpsc::Sender<Result<proto::StreamUsageResponse, Status>>,
) {
    let mut index = 0;
    while let Some(message) = waiting.recv().await {
        let answer = match message {
            Ok(in_flight) => answer_one(&souk, index, in_flight).await,
            Err(status) => Err(status),
        };
        let last = answer.is_err();
        if answers.send(answer).await.is_err() || last {
            return;
        }
        index += 1;
    }
}

async fn answer_one(
    souk: &Souk,
    index: u64,
    InFlight { message, usage }: InFlight,
) -> Result<proto::StreamUsageResponse, Status> {
    let answered = match usage {
        Ok(usage) => answered(souk, &message, usage).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(Answered { count, exceptions }) => {
            if !exceptions.is_empty() {
                noted(souk, &message, Ok(&exceptions))?;
            }
            Ok(to_proto_stream_answer(index, count, &exceptions))
        }
        Err(AppError::Rejected(rejection)) => {
            noted(souk, &message, Err(&refuse(rejection.clone())))?;
            Ok(to_proto_stream_refusal(index, rejection))
        }
        Err(error) => {
            let status = refuse(error);
            noted(souk, &message, Err(&status))?;
            Err(status)
        }
    }
}

async fn answered(souk: &Souk, message: &Bytes, usage: Usage) -> Result<Answered, AppError> {
    let (pending, count) = match usage {
        Usage::Unknown(pending, count) => (pending, count),
        Usage::Known(pending) => match pending.answer().await {
            Some(answer) => return Ok(Answered { count: answer.count, exceptions: answer.exceptions }),
            // The handles were stale, and nothing was taken.
            None => {
                let decoded = decode(message).map_err(|status| AppError::Unavailable(status.to_string()))?;
                (enqueue_decoded(souk, &decoded).await?, decoded.usage_records.len() as u32)
            }
        },
    };
    let mut exceptions = pending.outcomes().await;
    exceptions.retain(|outcome| !matches!(outcome.status, RecordStatus::Success(_)));
    Ok(Answered { count, exceptions })
}

/// Notes what was refused of a message, which is decoded for it.
fn noted(souk: &Souk, message: &Bytes, answer: Result<&[UsageOutcome], &Status>) -> Result<(), Status> {
    let message = decode(message)?;
    let (records, sandbox) = (&message.usage_records, &message.sandbox);
    let asked = Asked { sandbox, operation: "MeteringService/StreamUsage", count: records.len() };
    note(souk, &asked, answer, |index| {
        Some(from_proto_named_record(&message.product_code, records.get(index)?))
    });
    Ok(())
}
