//! StreamUsage without a marketplace: messages are read where they lie, as the server reads records whose names it
//! knows, and every record is a success.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use bytes::Bytes;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::metering_service_server::SERVICE_NAME;
use souk_server::app::known_usage::NamedRows;
use souk_server::grpc::codec::StreamCodec;
use souk_server::grpc::convert::wire::UsageView;
use souk_server::grpc::server::MESSAGE_BYTES_MAX;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

type Answers = ReceiverStream<Result<proto::StreamUsageResponse, Status>>;

/// Its one call is StreamUsage, whatever the path says.
#[derive(Debug, Clone, Copy)]
pub struct Strings;

impl NamedService for Strings {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for Strings {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async {
            let limit = Some(MESSAGE_BYTES_MAX);
            let mut grpc = Grpc::new(StreamCodec::default()).apply_max_message_size_config(limit, None);
            Ok(grpc.streaming(Strings, request).await)
        })
    }
}

impl StreamingService<Bytes> for Strings {
    type Response = proto::StreamUsageResponse;
    type ResponseStream = Answers;
    type Future = Ready<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let mut messages = request.into_inner();
        let (answers, stream) = mpsc::channel(16);
        tokio::spawn(async move {
            let mut message_index = 0;
            while let Ok(Some(message)) = messages.message().await {
                let answer = count(&message).map(|success_count| proto::StreamUsageResponse {
                    message_index,
                    success_count,
                    exceptions: Vec::new(),
                    refusal: None,
                });
                let answer = answer.ok_or_else(|| Status::invalid_argument("the message is not plain"));
                if answers.send(answer).await.is_err() {
                    return;
                }
                message_index += 1;
            }
        });
        ready(Ok(Response::new(ReceiverStream::new(stream))))
    }
}

/// The records of a message, each of which is read.
fn count(message: &[u8]) -> Option<u32> {
    let mut count = 0;
    let whole = UsageView::read(message)?.lend(|row| {
        black_box(row);
        count += 1;
        true
    });
    whole.then_some(count)
}
