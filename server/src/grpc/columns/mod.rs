//! UsageColumnsService: streams of columns. A stream is read by one task and answered by another, in order.

mod answers;
mod handles;
mod reader;
mod refusal;

use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::usage_columns_service_server::UsageColumnsService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use self::handles::Tags;
use crate::app::Souk;

/// Messages of a stream that may be under way: the credit that a client has.
const CREDITS: u32 = 16;
/// Messages that wait for their answers at most: those with credit, and some to say that they had none. Beyond that
/// the stream is not read.
const WAITING_MAX: usize = CREDITS as usize + 4;

/// Columns over gRPC.
pub struct UsageColumnsApi {
    souk: Souk,
    tags: Tags,
}

impl UsageColumnsApi {
    /// The service of a marketplace.
    pub fn new(souk: Souk) -> UsageColumnsApi {
        UsageColumnsApi { souk, tags: Tags::default() }
    }
}

#[tonic::async_trait]
impl UsageColumnsService for UsageColumnsApi {
    type StreamColumnsStream = ReceiverStream<Result<proto::StreamColumnsResponse, Status>>;

    async fn stream_columns(
        &self,
        request: Request<Streaming<proto::StreamColumnsRequest>>,
    ) -> Result<Response<Self::StreamColumnsStream>, Status> {
        let (pending, waiting) = mpsc::channel(WAITING_MAX);
        let (answers, stream) = mpsc::channel(1);
        let (reader, credits) = reader::Reader::new(self.souk.clone(), self.tags.clone());
        tokio::spawn(reader.read(request.into_inner(), pending));
        tokio::spawn(answers::answer(self.souk.clone(), credits, waiting, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
