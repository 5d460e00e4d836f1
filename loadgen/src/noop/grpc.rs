//! The gRPC doors without a marketplace.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use souk_client::proto::metering::v1 as proto;
use souk_client::proto::metering::v1::metering_service_server::{MeteringService, MeteringServiceServer};
use souk_client::proto::metering::v1::stream_columns_request::Message as Asked;
use souk_client::proto::metering::v1::stream_columns_response::Answer as Said;
use souk_client::proto::metering::v1::usage_columns_service_server::{
    UsageColumnsService, UsageColumnsServiceServer,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

/// The call that takes rows as packed fixed32.
pub const PACKED: &str = "/souk.load.Packed/Stream";

/// As soukd's.
const MESSAGE_BYTES_MAX: usize = 9 * 1024 * 1024;
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_REQUESTS: u32 = 512;
/// Messages of a stream of columns under way, and rows of one.
const CREDITS: u32 = 64;
const ROWS_MAX: u32 = 65_536;
/// What every record is answered with.
const RECORD_ID: &str = "19cec776-1c1c-8c6f-909d-b8d10005d16f";

type Answers<T> = ReceiverStream<Result<T, Status>>;

/// Rows as packed fixed32.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PackedRows {
    /// The handle of each row.
    #[prost(fixed32, repeated, tag = "1")]
    pub handles: Vec<u32>,
    /// The hour of each row.
    #[prost(fixed32, repeated, tag = "2")]
    pub hours: Vec<u32>,
    /// The quantity of each row.
    #[prost(fixed32, repeated, tag = "3")]
    pub quantities: Vec<u32>,
}

/// How many rows came.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct PackedCount {
    /// The number of the message.
    #[prost(uint64, tag = "1")]
    pub message_index: u64,
    /// Rows.
    #[prost(uint32, tag = "2")]
    pub rows: u32,
}

/// Serves until the process is killed.
///
/// # Errors
/// When the transport fails.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .concurrency_limit_per_connection(CONNECTION_REQUESTS as usize)
        .max_concurrent_streams(CONNECTION_REQUESTS)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .add_service(MeteringServiceServer::new(Metering).max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(UsageColumnsServiceServer::new(Columns).max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(Packed)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// Answers each message of a stream with what a function says.
fn answered<Q: Send + 'static, A: Send + 'static>(
    mut messages: Streaming<Q>,
    mut answer: impl FnMut(u64, Q) -> A + Send + 'static,
) -> Answers<A> {
    let (answers, stream) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut index = 0;
        while let Ok(Some(message)) = messages.message().await {
            if answers.send(Ok(answer(index, message))).await.is_err() {
                return;
            }
            index += 1;
        }
    });
    ReceiverStream::new(stream)
}

fn success(record_index: u32) -> proto::UsageRecordResult {
    let status = proto::UsageRecordStatus::Success.into();
    proto::UsageRecordResult { record_index, status, metering_record_id: RECORD_ID.to_owned() }
}

struct Metering;

#[tonic::async_trait]
impl MeteringService for Metering {
    type StreamUsageStream = Answers<proto::StreamUsageResponse>;

    async fn batch_meter_usage(
        &self,
        request: Request<proto::BatchMeterUsageRequest>,
    ) -> Result<Response<proto::BatchMeterUsageResponse>, Status> {
        let records = request.get_ref().usage_records.len() as u32;
        Ok(Response::new(proto::BatchMeterUsageResponse { results: (0..records).map(success).collect() }))
    }

    async fn stream_usage(
        &self,
        request: Request<Streaming<proto::StreamUsageRequest>>,
    ) -> Result<Response<Self::StreamUsageStream>, Status> {
        Ok(Response::new(answered(request.into_inner(), |message_index, message| {
            proto::StreamUsageResponse {
                message_index,
                success_count: message.usage_records.len() as u32,
                exceptions: Vec::new(),
                refusal: None,
            }
        })))
    }

    async fn report_instance_hours(
        &self,
        request: Request<proto::ReportInstanceHoursRequest>,
    ) -> Result<Response<proto::ReportInstanceHoursResponse>, Status> {
        let reports = request.get_ref().reports.len() as u32;
        Ok(Response::new(proto::ReportInstanceHoursResponse { results: (0..reports).map(success).collect() }))
    }

    async fn meter_runs(
        &self,
        request: Request<proto::MeterRunsRequest>,
    ) -> Result<Response<proto::MeterRunsResponse>, Status> {
        let runs = request.get_ref().runs.len() as u32;
        Ok(Response::new(proto::MeterRunsResponse { results: (0..runs).map(success).collect() }))
    }

    async fn meter_inferences(
        &self,
        request: Request<proto::MeterInferencesRequest>,
    ) -> Result<Response<proto::MeterInferencesResponse>, Status> {
        let calls = request.get_ref().inferences.len() as u32;
        Ok(Response::new(proto::MeterInferencesResponse { results: (0..calls).map(success).collect() }))
    }

    async fn list_metered_records(
        &self,
        _: Request<proto::ListMeteredRecordsRequest>,
    ) -> Result<Response<proto::ListMeteredRecordsResponse>, Status> {
        Err(Status::unimplemented("this server keeps nothing"))
    }

    async fn list_refused_records(
        &self,
        _: Request<proto::ListRefusedRecordsRequest>,
    ) -> Result<Response<proto::ListRefusedRecordsResponse>, Status> {
        Err(Status::unimplemented("this server keeps nothing"))
    }
}

struct Columns;

#[tonic::async_trait]
impl UsageColumnsService for Columns {
    type StreamColumnsStream = Answers<proto::StreamColumnsResponse>;

    async fn stream_columns(
        &self,
        request: Request<Streaming<proto::StreamColumnsRequest>>,
    ) -> Result<Response<Self::StreamColumnsStream>, Status> {
        let mut handles = 0..;
        Ok(Response::new(answered(request.into_inner(), move |message_index, message| {
            let answer = match message.message {
                Some(Asked::Open(_)) | None => {
                    Said::Opened(proto::ColumnsOpened { lanes: 1, rows_max: ROWS_MAX })
                }
                Some(Asked::OpenSeries(open)) => {
                    let series =
                        open.series.iter().zip(handles.by_ref()).map(|(_, handle)| proto::OpenedSeries {
                            handle,
                            lane: 0,
                            status: proto::UsageRecordStatus::Success.into(),
                        });
                    Said::SeriesOpened(proto::SeriesOpened { series: series.collect() })
                }
                Some(Asked::Columns(columns)) => Said::Acknowledged(proto::ColumnsAcknowledged {
                    metered_count: (columns.handles.len() / 4) as u32,
                    repeated_count: 0,
                    exceptions: Vec::new(),
                }),
            };
            let credits = if message_index == 0 { CREDITS } else { 1 };
            proto::StreamColumnsResponse { message_index, credits, answer: Some(answer) }
        })))
    }
}

/// A service without a contract: its one call takes packed rows.
#[derive(Debug, Clone, Copy)]
struct Packed;

impl NamedService for Packed {
    const NAME: &'static str = "souk.load.Packed";
}

impl StreamingService<PackedRows> for Packed {
    type Response = PackedCount;
    type ResponseStream = Answers<PackedCount>;
    type Future = Ready<Result<Response<Answers<PackedCount>>, Status>>;

    fn call(&mut self, request: Request<Streaming<PackedRows>>) -> Self::Future {
        let count =
            |message_index, rows: PackedRows| PackedCount { message_index, rows: rows.handles.len() as u32 };
        ready(Ok(Response::new(answered(request.into_inner(), count))))
    }
}

impl tonic::codegen::Service<HttpRequest<Body>> for Packed {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(async {
            let codec = ProstCodec::<PackedCount, PackedRows>::default();
            let mut grpc = Grpc::new(codec).max_decoding_message_size(MESSAGE_BYTES_MAX);
            Ok(grpc.streaming(Packed, request).await)
        })
    }
}
