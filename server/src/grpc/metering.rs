//! MeteringService.

use souk_core::rules::{MAX_BATCH_RECORDS, MAX_STREAM_RECORDS};
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::metering_service_server::MeteringService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::answer::{name_of, refuse};
use super::convert::sandbox::from_proto_sandbox_name;
use super::convert::usage::{
    from_proto_instance_hours, from_proto_usage_request, to_proto_results, to_proto_stream_answer,
    to_proto_stream_refusal, to_report_rejection,
};
use crate::app::Souk;
use crate::app::metering::PendingUsage;
use crate::error::AppError;

/// Messages of a stream that may wait for their answers.
const IN_FLIGHT: usize = 16;

/// Metering over gRPC.
pub struct MeteringApi(pub Souk);

#[tonic::async_trait]
impl MeteringService for MeteringApi {
    async fn batch_meter_usage(
        &self,
        request: Request<proto::BatchMeterUsageRequest>,
    ) -> Result<Response<proto::BatchMeterUsageResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let records = request.usage_records;
        let usage =
            from_proto_usage_request(&request.product_code, &request.region, records, MAX_BATCH_RECORDS);
        let outcomes = self.0.meter(&name, usage.map_err(refuse)?).await.map_err(refuse)?;
        Ok(Response::new(proto::BatchMeterUsageResponse { results: to_proto_results(outcomes) }))
    }

    type StreamUsageStream = ReceiverStream<Result<proto::StreamUsageResponse, Status>>;

    async fn stream_usage(
        &self,
        request: Request<Streaming<proto::StreamUsageRequest>>,
    ) -> Result<Response<Self::StreamUsageStream>, Status> {
        let (pending, waiting) = mpsc::channel(IN_FLIGHT);
        let (answers, stream) = mpsc::channel(1);
        tokio::spawn(read(self.0.clone(), request.into_inner(), pending));
        tokio::spawn(answer(waiting, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn report_instance_hours(
        &self,
        request: Request<proto::ReportInstanceHoursRequest>,
    ) -> Result<Response<proto::ReportInstanceHoursResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let parts = from_proto_instance_hours(&request.region, request.reports).map_err(refuse)?;
        // Every product is checked before anything of one is metered.
        for (usage, positions) in &parts {
            self.0.check_usage(&name, usage.clone()).map_err(|error| at_positions(error, positions))?;
        }
        let mut outcomes = Vec::new();
        for (usage, positions) in parts {
            let part = self.0.meter(&name, usage).await.map_err(|error| at_positions(error, &positions))?;
            outcomes.extend(part.into_iter().filter_map(|mut outcome| {
                outcome.index = *positions.get(outcome.index as usize)?;
                Some(outcome)
            }));
        }
        outcomes.sort_by_key(|outcome| outcome.index);
        Ok(Response::new(proto::ReportInstanceHoursResponse { results: to_proto_results(outcomes) }))
    }
}

fn at_positions(error: AppError, positions: &[u32]) -> Status {
    match error {
        AppError::Rejected(rejection) => refuse(to_report_rejection(rejection, positions)),
        other => refuse(other),
    }
}

/// A message on its way: its records, or why it was refused as a whole.
type InFlight = Result<PendingUsage, AppError>;

/// Puts a stream's messages into the queues of their partitions, in order. It stops when the client ends the
/// stream, or goes away.
async fn read(
    souk: Souk,
    mut messages: Streaming<proto::StreamUsageRequest>,
    pending: mpsc::Sender<Result<InFlight, Status>>,
) {
    loop {
        let message = match messages.message().await {
            Ok(Some(message)) => Ok(enqueue(&souk, message).await),
            Ok(None) => return,
            Err(status) => Err(status),
        };
        let last = message.is_err();
        if pending.send(message).await.is_err() || last {
            return;
        }
    }
}

async fn enqueue(souk: &Souk, message: proto::StreamUsageRequest) -> InFlight {
    let name = from_proto_sandbox_name(&message.sandbox, "sandbox")?;
    let (code, region) = (message.product_code, message.region);
    let usage = from_proto_usage_request(&code, &region, message.usage_records, MAX_STREAM_RECORDS)?;
    souk.enqueue_usage(&name, usage).await
}

/// Answers in the order of the messages. What is wrong with one message is said in its answer; what is wrong
/// with the server ends the stream.
async fn answer(
    mut waiting: mpsc::Receiver<Result<InFlight, Status>>,
    answers: mpsc::Sender<Result<proto::StreamUsageResponse, Status>>,
) {
    let mut index = 0;
    while let Some(message) = waiting.recv().await {
        let answer = match message {
            Ok(Ok(pending)) => Ok(to_proto_stream_answer(index, pending.outcomes().await)),
            Ok(Err(AppError::Rejected(rejection))) => Ok(to_proto_stream_refusal(index, rejection)),
            Ok(Err(error)) => Err(refuse(error)),
            Err(status) => Err(status),
        };
        let last = answer.is_err();
        if answers.send(answer).await.is_err() || last {
            return;
        }
        index += 1;
    }
}
