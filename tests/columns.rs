//! Short words for streams of columns: the contract itself, message by message.

use std::collections::VecDeque;

use souk_core::time::UsageHour;
use souk_proto::metering::v1::series_name::Customer;
use souk_proto::metering::v1::stream_columns_request::Message;
use souk_proto::metering::v1::stream_columns_response::Answer;
use souk_proto::metering::v1::usage_columns_service_client::UsageColumnsServiceClient;
use souk_proto::metering::v1::{
    ColumnsAcknowledged, OpenColumns, OpenSeries, OpenedSeries, SeriesName, StreamColumnsRequest,
    StreamColumnsResponse, UsageColumns,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::words::moment;

/// The hour that contains a moment, in hours since 1970.
pub fn hour(text: &str) -> i32 {
    UsageHour::containing(moment(text)).index()
}

/// A column of numbers of 4 bytes.
pub fn packed(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Columns of one hour and of whole quantities: handles with their quantities.
pub fn columns(lane: u32, hour: i32, rows: &[(u32, u32)]) -> UsageColumns {
    let (handles, quantities): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
    UsageColumns {
        lane,
        handles: packed(&handles).into(),
        hour: Some(hour),
        quantities: packed(&quantities).into(),
        ..UsageColumns::default()
    }
}

/// A series by its product and the buyer's account.
pub fn series(product_code: &str, buyer: &str, dimension: &str) -> SeriesName {
    SeriesName {
        product_code: product_code.to_owned(),
        customer: Some(Customer::CustomerAwsAccountId(buyer.to_owned())),
        dimension: dimension.to_owned(),
        region: String::new(),
    }
}

/// A stream without a library around it.
pub struct RawStream {
    requests: mpsc::Sender<StreamColumnsRequest>,
    answers: Streaming<StreamColumnsResponse>,
    /// Credits as they were given, answer by answer.
    pub credits: VecDeque<u32>,
    next: u64,
}

impl RawStream {
    /// A stream on which nothing was sent.
    pub async fn start(endpoint: &str) -> RawStream {
        let (requests, outgoing) = mpsc::channel(100);
        let mut client =
            UsageColumnsServiceClient::connect(endpoint.to_owned()).await.expect("a server that listens");
        let answers = client.stream_columns(ReceiverStream::new(outgoing)).await.expect("a stream");
        RawStream { requests, answers: answers.into_inner(), credits: VecDeque::new(), next: 0 }
    }

    /// A stream of a sandbox.
    pub async fn open(endpoint: &str, sandbox: &str) -> RawStream {
        let mut stream = RawStream::start(endpoint).await;
        let open = Message::Open(OpenColumns { sandbox: sandbox.to_owned() });
        match stream.ask(open).await {
            Answer::Opened(_) => stream,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a message.
    pub async fn send(&self, message: Option<Message>) {
        self.requests.send(StreamColumnsRequest { message }).await.expect("a stream that goes on");
    }

    /// The next answer, or what ended the stream.
    pub async fn try_next(&mut self) -> Result<Answer, Status> {
        let response = self.answers.message().await?.expect("an answer");
        assert_eq!(response.message_index, self.next);
        self.next += 1;
        self.credits.push_back(response.credits);
        Ok(response.answer.expect("an answer"))
    }

    /// The next answer.
    pub async fn next(&mut self) -> Answer {
        self.try_next().await.expect("a stream that goes on")
    }

    /// Sends a message, and reads its answer.
    pub async fn ask(&mut self, message: Message) -> Answer {
        self.send(Some(message)).await;
        self.next().await
    }

    /// Opens series.
    pub async fn series(&mut self, series: Vec<SeriesName>) -> Vec<OpenedSeries> {
        match self.ask(Message::OpenSeries(OpenSeries { series })).await {
            Answer::SeriesOpened(opened) => opened.series,
            other => panic!("{other:?}"),
        }
    }

    /// Meters columns, which must not be refused.
    pub async fn meter(&mut self, columns: UsageColumns) -> ColumnsAcknowledged {
        match self.ask(Message::Columns(columns)).await {
            Answer::Acknowledged(acknowledged) => acknowledged,
            other => panic!("{other:?}"),
        }
    }

    /// Asks what must be refused; answers the code and the field.
    pub async fn refused(&mut self, message: Message) -> String {
        self.send(Some(message)).await;
        self.next_refused().await
    }

    /// The next answer, which must be a refusal: its code and field.
    pub async fn next_refused(&mut self) -> String {
        match self.next().await {
            Answer::Refused(refusal) => {
                assert!(!refusal.message.is_empty());
                let again = refusal.retry_after_ms.map_or("", |_| " again");
                format!("{} {}{again}", refusal.code, refusal.field).trim_end().to_owned()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What became of rows: metered, repeated, and the exceptions with their positions.
pub fn text(acknowledged: &ColumnsAcknowledged) -> String {
    let mut text = format!("{} {}", acknowledged.metered_count, acknowledged.repeated_count);
    for exception in &acknowledged.exceptions {
        let status = exception.status().as_str_name().trim_start_matches("USAGE_RECORD_STATUS_");
        text.push_str(&format!(" {}:{status}", exception.row));
    }
    text
}
