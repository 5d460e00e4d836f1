//! Streams of usage: messages are read, put into the queues of their partitions, and answered in order.

use souk_core::metering::UsageOutcome;
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_proto::metering::v1 as proto;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::answer::refuse;
use super::convert::records::from_proto_named_record;
use super::convert::sandbox::from_proto_sandbox_name;
use super::convert::usage::{from_proto_usage_request, to_proto_stream_answer, to_proto_stream_refusal};
use super::refused::{Asked, note};
use crate::app::Souk;
use crate::app::metering::PendingUsage;
use crate::error::AppError;

/// Messages of a stream that may wait for their answers.
const IN_FLIGHT: usize = 16;

/// Answers a stream of messages.
pub fn open(
    souk: Souk,
    messages: Streaming<proto::StreamUsageRequest>,
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
    message: proto::StreamUsageRequest,
    usage: Result<PendingUsage, AppError>,
}

/// Puts a stream's messages into the queues of their partitions, in order. It stops when the client ends the
/// stream, or goes away.
async fn read(
    souk: Souk,
    mut messages: Streaming<proto::StreamUsageRequest>,
    pending: mpsc::Sender<Result<InFlight, Status>>,
) {
    loop {
        let message = match messages.message().await {
            Ok(Some(message)) => {
                let usage = enqueue(&souk, &message).await;
                Ok(InFlight { message, usage })
            }
            Ok(None) => return,
            Err(status) => Err(status),
        };
        let last = message.is_err();
        if pending.send(message).await.is_err() || last {
            return;
        }
    }
}

async fn enqueue(souk: &Souk, message: &proto::StreamUsageRequest) -> Result<PendingUsage, AppError> {
    let name = from_proto_sandbox_name(&message.sandbox, "sandbox")?;
    let proto::StreamUsageRequest { product_code, region, usage_records, .. } = message;
    let usage = from_proto_usage_request(product_code, region, usage_records, MAX_STREAM_RECORDS)?;
    souk.enqueue_usage(&name, usage).await
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
    let noted = |answer: Result<&[UsageOutcome], &Status>| {
        let records = &message.usage_records;
        let sandbox = &message.sandbox;
        let asked = Asked { sandbox, operation: "MeteringService/StreamUsage", count: records.len() };
        note(souk, &asked, answer, |index| {
            Some(from_proto_named_record(&message.product_code, records.get(index)?))
        });
    };
    match usage {
        Ok(pending) => {
            let outcomes = pending.outcomes().await;
            noted(Ok(&outcomes));
            Ok(to_proto_stream_answer(index, outcomes))
        }
        Err(AppError::Rejected(rejection)) => {
            noted(Err(&refuse(rejection.clone())));
            Ok(to_proto_stream_refusal(index, rejection))
        }
        Err(error) => {
            let status = refuse(error);
            noted(Err(&status));
            Err(status)
        }
    }
}
