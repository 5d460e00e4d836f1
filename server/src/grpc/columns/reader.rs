//! Reads a stream of columns: each message is checked as a whole and put into the queue of its lane, or refused.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use souk_core::catalog::Marketplace;
use souk_core::ids::SandboxName;
use souk_core::metering::{Door, UsageColumns, window};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::UsageHour;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::stream_columns_request::Message;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::CREDITS;
use super::handles::{STREAMS_MAX, StreamSeries, Tags, UnknownHandle};
use super::refusal::refuse_noted;
use crate::app::Souk;
use crate::app::columns::{ColumnsTaken, SeriesPlace};
use crate::error::AppError;
use crate::grpc::convert::columns::{Columns, ROWS_MAX, from_proto_columns, from_proto_series};
use crate::grpc::convert::required;
use crate::grpc::convert::sandbox::from_proto_sandbox_name;
use crate::partition::handle::Pending;

/// Messages that hold a credit and are not answered yet.
pub type UnderWay = Arc<AtomicU32>;

/// A message whose answer is due next.
pub struct InFlight {
    /// What is to be answered.
    pub waiting: Waiting,
    /// Whether its answer gives back a credit.
    pub holds_credit: bool,
}

/// What is to be answered.
pub enum Waiting {
    /// The stream is open.
    Opened {
        /// How many lanes there are.
        lanes: u32,
    },
    /// Series are open, or their buyers have no agreements.
    Series(Vec<Option<OpenedSeries>>),
    /// Columns are on their way.
    Columns(PendingColumns),
    /// It is refused as a whole, or ends the stream.
    Refused(Result<proto::ColumnsRefusal, Status>),
}

/// A series as the stream calls it.
pub struct OpenedSeries {
    /// What rows call it.
    pub handle: u32,
    /// Its lane.
    pub lane: u32,
}

/// Columns on their way.
pub struct PendingColumns {
    /// Whose they are.
    pub sandbox: SandboxName,
    /// The series of the stream.
    pub series: Arc<RwLock<StreamSeries>>,
    /// The message, for what is refused of it.
    pub message: proto::UsageColumns,
    /// What becomes of it.
    pub taken: Pending<ColumnsTaken>,
}

/// The reader of one stream.
pub struct Reader {
    souk: Souk,
    tags: Tags,
    opened: Option<Opened>,
    under_way: UnderWay,
}

/// A stream that is open.
#[derive(Clone)]
struct Opened {
    sandbox: SandboxName,
    series: Arc<RwLock<StreamSeries>>,
}

impl Reader {
    /// A reader of a new stream, and the count of its messages under way.
    pub fn new(souk: Souk, tags: Tags) -> (Reader, UnderWay) {
        let under_way = UnderWay::default();
        (Reader { souk, tags, opened: None, under_way: under_way.clone() }, under_way)
    }

    /// Reads until the client ends the stream, or goes away.
    pub async fn read(
        mut self,
        mut messages: Streaming<proto::StreamColumnsRequest>,
        pending: mpsc::Sender<Result<InFlight, Status>>,
    ) {
        loop {
            let in_flight = match messages.message().await {
                Ok(Some(message)) => Ok(self.take(message).await),
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let last = in_flight.is_err();
            if pending.send(in_flight).await.is_err() || last {
                return;
            }
        }
    }

    async fn take(&mut self, request: proto::StreamColumnsRequest) -> InFlight {
        // The message that opens a stream needs no credit: there is none before its answer.
        let holds_credit = self.opened.is_some();
        if holds_credit && self.under_way.load(Ordering::Acquire) >= CREDITS {
            return InFlight { waiting: self.refused(AppError::Busy(WITHOUT_CREDIT)), holds_credit: false };
        }
        if holds_credit {
            self.under_way.fetch_add(1, Ordering::AcqRel);
        }
        let waiting = self.handle(request).await.unwrap_or_else(|error| self.refused(error));
        InFlight { waiting, holds_credit }
    }

    fn refused(&self, error: AppError) -> Waiting {
        let sandbox = self.opened.as_ref().map(|opened| &opened.sandbox);
        Waiting::Refused(refuse_noted(&self.souk, sandbox, error))
    }

    async fn handle(&mut self, request: proto::StreamColumnsRequest) -> Result<Waiting, AppError> {
        let message = required(request.message, "message")?;
        match (message, self.opened.clone()) {
            (Message::Open(message), None) => self.open(&message),
            (Message::Open(_), Some(opened)) => {
                let why = format!("the stream is open for sandbox \"{}\": open another", opened.sandbox);
                Err(Rejection::new(Code::StreamNotOpen, "open", why).into())
            }
            (Message::OpenSeries(message), Some(opened)) => self.open_series(&opened, &message).await,
            (Message::Columns(message), Some(opened)) => self.columns(opened, message),
            (Message::OpenSeries(_) | Message::Columns(_), None) => {
                let why = "the stream is not open: its first message names the sandbox";
                Err(Rejection::new(Code::StreamNotOpen, "open", why).into())
            }
        }
    }

    fn open(&mut self, message: &proto::OpenColumns) -> Result<Waiting, AppError> {
        let sandbox = from_proto_sandbox_name(&message.sandbox, "sandbox").map_err(|r| r.within("open"))?;
        match self.souk.market(&sandbox) {
            Ok(_) => (),
            Err(AppError::Rejected(rejection)) => return Err(rejection.within("open").into()),
            Err(other) => return Err(other),
        }
        let tag = self.tags.take().ok_or(AppError::Busy(TOO_MANY_STREAMS))?;
        let lanes = self.souk.lanes();
        let series = Arc::new(RwLock::new(StreamSeries::new(tag, lanes)));
        self.opened = Some(Opened { sandbox, series });
        Ok(Waiting::Opened { lanes })
    }

    /// Opens series durably before it reads on: the messages behind may use their handles.
    async fn open_series(&self, opened: &Opened, message: &proto::OpenSeries) -> Result<Waiting, AppError> {
        let within = |error| match error {
            AppError::Rejected(rejection) if rejection.code != Code::SandboxUnknown => {
                AppError::Rejected(rejection.within("openSeries"))
            }
            other => other,
        };
        let named = from_proto_series(message).map_err(|rejection| within(rejection.into()))?;
        let places = self.souk.open_series(&opened.sandbox, named).await.map_err(within)?;
        let mut series = opened.series.write().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::with_capacity(places.len());
        for (position, place) in places.into_iter().enumerate() {
            let Some(SeriesPlace { lane, generation, handle }) = place else {
                answers.push(None);
                continue;
            };
            let Some(handle) = series.open(lane, generation, handle) else {
                let why = format!(
                    "a stream has handles for {} series of a lane: open another stream for more",
                    series.lane_max()
                );
                let field = format!("openSeries.series[{position}]");
                return Err(Rejection::new(Code::TooManySeries, field, why).into());
            };
            answers.push(Some(OpenedSeries { handle, lane }));
        }
        Ok(Waiting::Series(answers))
    }

    /// Checks columns as a whole, and puts them into the queue of their lane.
    fn columns(&self, opened: Opened, message: proto::UsageColumns) -> Result<Waiting, AppError> {
        let Opened { sandbox, series } = opened;
        let market = self.souk.market(&sandbox)?;
        let within = |rejection: Rejection| rejection.within("columns");
        if message.lane >= self.souk.lanes() {
            let why = format!("{} is no lane: there are 0 to {}", message.lane, self.souk.lanes() - 1);
            return Err(within(Rejection::new(Code::FieldInvalid, "lane", why)).into());
        }
        let columns = from_proto_columns(&message).map_err(within)?;
        let (generation, handles) = {
            let series = series.read().unwrap_or_else(PoisonError::into_inner);
            series
                .of_lane(message.lane, columns.handles)
                .map_err(|unknown| within(unknown_handle(&unknown)))?
        };
        let usage = self.read_values(&market, &columns, handles).map_err(within)?;
        let taken = self.souk.submit_columns(&sandbox, message.lane, generation, usage)?;
        Ok(Waiting::Columns(PendingColumns { sandbox, series, message, taken }))
    }

    fn read_values(
        &self,
        market: &Marketplace,
        columns: &Columns<'_>,
        handles: Vec<u32>,
    ) -> Result<UsageColumns, Rejection> {
        let now = self.souk.now(market);
        let in_window = |index: i32| match UsageHour::from_index(index) {
            Some(hour) => window::check(hour.start(), now, &market.rules, Door::Batch, ""),
            None => {
                let why = format!("{index} is no hour since 1970 and before the year 10000");
                Err(Rejection::new(Code::TimestampOutOfBounds, "", why))
            }
        };
        let quantities = columns.read_quantities()?;
        Ok(UsageColumns { handles, hours: columns.read_hours(in_window)?, quantities })
    }
}

fn unknown_handle(unknown: &UnknownHandle) -> Rejection {
    let UnknownHandle { row, handle } = unknown;
    let why = format!("{handle} is no series of this stream and lane: open the series on this stream");
    Rejection::new(Code::SeriesHandleUnknown, format!("handles[{row}]"), why)
}

const WITHOUT_CREDIT: &str =
    "messages under way: this one was sent without credit, of which every answer gives some";
const TOO_MANY_STREAMS: &str = "streams of columns";
const _: () = assert!(STREAMS_MAX >= 1_000 && ROWS_MAX <= u32::MAX as usize);
