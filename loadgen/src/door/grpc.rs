//! gRPC with messages as bytes: what is sent was written before, and what comes back is read where it lies.

use std::time::Duration;

use anyhow::Context;
use prost::bytes::{Buf, BufMut, Bytes};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;

use super::answer::{self, Answer};

/// HTTP/2's default of 64 KiB halves the speed of a stream.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// Answers are small, whatever was sent.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What the codec makes room for at a time.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long a refusal without a delay of its own waits.
const BUSY: Duration = Duration::from_millis(5);

/// Why a message has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The connection broke: nobody knows what became of the message.
    Lost(String),
    /// The answer contradicts the contract.
    Wrong(String),
}

/// Connects.
///
/// # Errors
/// When the endpoint is not an address, or nobody answers there.
pub async fn connect(endpoint: &str) -> anyhow::Result<Channel> {
    let address = parse(endpoint)?;
    address.connect().await.with_context(|| format!("nobody answers at {endpoint}"))
}

/// Connects with the first call, which then says whether anybody is there.
///
/// # Errors
/// When the endpoint is not an address.
pub fn connect_lazily(endpoint: &str) -> anyhow::Result<Channel> {
    Ok(parse(endpoint)?.connect_lazy())
}

fn parse(endpoint: &str) -> anyhow::Result<Endpoint> {
    let address = Endpoint::from_shared(endpoint.to_owned())
        .with_context(|| format!("{endpoint:?} is not an address such as http://127.0.0.1:7625"))?;
    Ok(address
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES))
}

/// Asks one message and reads its results.
///
/// # Errors
/// When the connection broke or the answer cannot be read. A refusal is an answer.
pub async fn ask(channel: &Channel, path: &'static str, message: Vec<u8>) -> Result<Answer, Failure> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
    grpc.ready().await.map_err(|error| Failure::Lost(error.to_string()))?;
    match grpc.unary(Request::new(message), PathAndQuery::from_static(path), RawCodec).await {
        Ok(response) => answer::of_results(response.get_ref())
            .map_err(|unreadable| Failure::Wrong(unreadable.to_string())),
        Err(status) => refused(&status),
    }
}

/// Opens a stream: messages that are put into the channel are sent, and answers come in their order.
///
/// # Errors
/// When the connection broke, or the server does not know the call.
pub async fn open(
    channel: &Channel,
    path: &'static str,
    room: usize,
) -> Result<(mpsc::Sender<Vec<u8>>, Streaming<Bytes>), Status> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let (sender, outgoing) = mpsc::channel(room);
    let request = Request::new(ReceiverStream::new(outgoing));
    let response = grpc.streaming(request, PathAndQuery::from_static(path), RawCodec).await?;
    Ok((sender, response.into_inner()))
}

/// Reads a status: a refusal with its stable reason, or a broken connection.
fn refused(status: &Status) -> Result<Answer, Failure> {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    match (reason, status.code()) {
        (_, Code::ResourceExhausted) => Ok(Answer::Refused {
            code: "RESOURCE_EXHAUSTED".to_owned(),
            words: status.message().to_owned(),
            retry_after: Some(delay.unwrap_or(BUSY)),
        }),
        (Some(code), _) => {
            Ok(Answer::Refused { code, words: status.message().to_owned(), retry_after: delay })
        }
        (None, Code::Unimplemented) => Err(Failure::Wrong(status.to_string())),
        (None, _) => Err(Failure::Lost(status.to_string())),
    }
}

/// Passes bytes through.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawCodec;

impl Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = RawCodec;
    type Decoder = RawCodec;

    fn encoder(&mut self) -> RawCodec {
        RawCodec
    }

    fn decoder(&mut self) -> RawCodec {
        RawCodec
    }
}

impl Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, BUFFER_BYTES)
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, input: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(input.copy_to_bytes(input.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn refusals_are_told_from_broken_connections() {
        let mut details = ErrorDetails::new();
        details.set_error_info("PRODUCT_UNKNOWN", "souk", std::collections::HashMap::new());
        let status = Status::with_error_details(Code::NotFound, "no such product", details);
        let Ok(Answer::Refused { code, retry_after, .. }) = refused(&status) else { panic!("{status}") };
        assert_eq!((code.as_str(), retry_after), ("PRODUCT_UNKNOWN", None));

        let mut details = ErrorDetails::new();
        details.set_retry_info(Some(Duration::from_millis(70)));
        let status = Status::with_error_details(Code::ResourceExhausted, "full", details);
        let Ok(Answer::Refused { retry_after, .. }) = refused(&status) else { panic!("{status}") };
        assert_eq!(retry_after, Some(Duration::from_millis(70)));

        assert!(matches!(refused(&Status::unavailable("gone")), Err(Failure::Lost(_))));
        assert!(matches!(refused(&Status::unimplemented("no")), Err(Failure::Wrong(_))));
    }

    #[tokio::test]
    async fn nobody_answers_where_nobody_is() {
        let error = connect("http://127.0.0.1:1").await.unwrap_err();
        assert_eq!(error.to_string(), "nobody answers at http://127.0.0.1:1");
        assert!(connect("not an address").await.unwrap_err().to_string().contains("such as http://"));
    }
}
