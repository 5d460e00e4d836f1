//! StreamColumns without a marketplace: every message is decoded with the generated code, appended to a log in the same
//! segments as the server's, as it came, and answered once that is durable. Nothing is checked, kept or billed.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use prost::Message;
use souk_log::{LogName, LogStore, PartitionLog, SegmentedStore};
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::stream_columns_request::Message as Asked;
use souk_proto::metering::v1::stream_columns_response::Answer as Said;
use souk_proto::metering::v1::usage_columns_service_server::{
    UsageColumnsService, UsageColumnsServiceServer,
};
use souk_server::folder::DEFAULT_PARTITIONS;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::MESSAGE_BYTES_MAX;

/// As the server's.
const CREDITS: u32 = 16;
const ROWS_MAX: u32 = 65_536;

type Log = Arc<Mutex<Box<dyn PartitionLog>>>;
type Answer = Result<proto::StreamColumnsResponse, Status>;

/// As many logs as a server has; a stream has one of them to itself, as long as there are no more streams.
pub struct Columns {
    logs: Vec<Log>,
    streams: AtomicUsize,
    /// Kept as long as its logs.
    _store: SegmentedStore,
}

/// The service, whose log is in a folder.
pub fn service(folder: &Path) -> anyhow::Result<UsageColumnsServiceServer<Columns>> {
    let store = SegmentedStore::new(folder);
    let open = |number| {
        let name = LogName::new(format!("partition-{number}")).context("a log's name")?;
        let log = store.open(&name).context("failed to open a log")?;
        Ok(Arc::new(Mutex::new(log)))
    };
    let logs: anyhow::Result<Vec<Log>> = (0..DEFAULT_PARTITIONS).map(open).collect();
    let columns = Columns { logs: logs?, streams: AtomicUsize::new(0), _store: store };
    Ok(UsageColumnsServiceServer::new(columns).max_decoding_message_size(MESSAGE_BYTES_MAX))
}

#[tonic::async_trait]
impl UsageColumnsService for Columns {
    type StreamColumnsStream = UnboundedReceiverStream<Answer>;

    async fn stream_columns(
        &self,
        request: Request<Streaming<proto::StreamColumnsRequest>>,
    ) -> Result<Response<Self::StreamColumnsStream>, Status> {
        let number = self.streams.fetch_add(1, Ordering::Relaxed) % self.logs.len();
        let log = self.logs.get(number).cloned().ok_or_else(|| Status::internal("there is no log"))?;
        let (answers, stream) = unbounded_channel();
        tokio::spawn(answer(request.into_inner(), log, answers));
        Ok(Response::new(UnboundedReceiverStream::new(stream)))
    }
}

/// Answers in order: a log answers in the order in which its batches were submitted.
async fn answer(
    mut messages: Streaming<proto::StreamColumnsRequest>,
    log: Log,
    answers: UnboundedSender<Answer>,
) {
    let mut handles = 0..;
    let mut message_index = 0;
    while let Ok(Some(message)) = messages.message().await {
        let credits = if message_index == 0 { CREDITS } else { 1 };
        let say = |answer| proto::StreamColumnsResponse { message_index, credits, answer: Some(answer) };
        match message.message {
            Some(Asked::Open(_)) | None => {
                let opened = Said::Opened(proto::ColumnsOpened { lanes: 1, rows_max: ROWS_MAX });
                _ = answers.send(Ok(say(opened)));
            }
            Some(Asked::OpenSeries(open)) => {
                let status = proto::UsageRecordStatus::Success.into();
                let opened = open.series.iter().zip(handles.by_ref());
                let opened = opened.map(|(_, handle)| proto::OpenedSeries { handle, lane: 0, status });
                let opened = Said::SeriesOpened(proto::SeriesOpened { series: opened.collect() });
                _ = answers.send(Ok(say(opened)));
            }
            Some(Asked::Columns(columns)) => {
                let answer = say(Said::Acknowledged(proto::ColumnsAcknowledged {
                    metered_count: (columns.handles.len() / 4) as u32,
                    repeated_count: 0,
                    exceptions: Vec::new(),
                }));
                let answers = answers.clone();
                let done = move |durable: Result<_, souk_log::AppendError>| {
                    let answer = durable.map(|_| answer);
                    _ = answers.send(answer.map_err(|failed| Status::unavailable(failed.to_string())));
                };
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.submit(columns.encode_to_vec(), Box::new(done));
                // What fails here is said by the next batch.
                _ = log.maintain();
            }
        }
        message_index += 1;
    }
}
