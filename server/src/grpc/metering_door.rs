//! The metering service as it is reached over the wire: usage is read where it lies, by a [codec](super::codec) of
//! its own, and everything else goes to the generated service.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use souk_core::metering::UsageOutcome;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::metering_service_server::{MeteringServiceServer, SERVICE_NAME};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};

use super::codec::{BatchCodec, StreamCodec};
use super::metering::MeteringApi;
use super::usage_stream;
use crate::app::Souk;

const BATCH_METER_USAGE: &str = "/souk.metering.v1.MeteringService/BatchMeterUsage";
const STREAM_USAGE: &str = "/souk.metering.v1.MeteringService/StreamUsage";

/// The metering service, for a server to add.
#[derive(Clone)]
pub struct MeteringDoor {
    souk: Souk,
    message_bytes_max: usize,
    generated: MeteringServiceServer<MeteringApi>,
}

impl MeteringDoor {
    /// The service of a marketplace, which takes messages of so many bytes.
    pub fn new(souk: Souk, message_bytes_max: usize) -> MeteringDoor {
        let generated = MeteringServiceServer::new(MeteringApi(souk.clone()))
            .max_decoding_message_size(message_bytes_max)
            .max_encoding_message_size(usize::MAX);
        MeteringDoor { souk, message_bytes_max, generated }
    }
}

impl NamedService for MeteringDoor {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for MeteringDoor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (souk, limit) = (self.souk.clone(), Some(self.message_bytes_max));
        match request.uri().path() {
            BATCH_METER_USAGE => Box::pin(async move {
                let mut grpc = Grpc::new(BatchCodec::default()).apply_max_message_size_config(limit, None);
                Ok(grpc.unary(BatchMeterUsage(souk), request).await)
            }),
            STREAM_USAGE => Box::pin(async move {
                let mut grpc = Grpc::new(StreamCodec::default()).apply_max_message_size_config(limit, None);
                Ok(grpc.streaming(StreamUsage(souk), request).await)
            }),
            _ => Service::call(&mut self.generated, request),
        }
    }
}

struct BatchMeterUsage(Souk);

impl UnaryService<Bytes> for BatchMeterUsage {
    type Response = Vec<UsageOutcome>;
    type Future = BoxFuture<Response<Vec<UsageOutcome>>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let api = MeteringApi(self.0.clone());
        Box::pin(async move { api.batch(&request.into_inner()).await.map(Response::new) })
    }
}

struct StreamUsage(Souk);

impl StreamingService<Bytes> for StreamUsage {
    type Response = proto::StreamUsageResponse;
    type ResponseStream = ReceiverStream<Result<proto::StreamUsageResponse, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let answers = usage_stream::open(self.0.clone(), request.into_inner());
        Box::pin(std::future::ready(Ok(Response::new(answers))))
    }
}
