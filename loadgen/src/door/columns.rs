//! Messages of a stream of columns.
//!
//! ```text
//! StreamColumnsRequest.columns = { lane, handles [4 bytes a row], hour or hours [4], quantities [4] or millionths [8] }
//! ```
//!
//! Handles are those of the stream that is open: a stream that was opened again has others.

use prost::Message;
use souk_client::proto::metering::v1::stream_columns_request::Message as Asked;
use souk_client::proto::metering::v1::stream_columns_response::Answer as Said;
use souk_client::proto::metering::v1::{
    ColumnsAcknowledged, ColumnsRefusal, OpenColumns, OpenSeries, SeriesName, StreamColumnsRequest,
    StreamColumnsResponse, series_name::Customer,
};

use super::answer::{Answer, Status};
use super::protobuf::{Unreadable, put_length, put_number, put_varint, varint_len};
use crate::plan::{Chunk, Extra, Feed, Plan, ProbeKind, Purpose, Sending, market};

/// Series of one message that opens them.
pub const OPEN_SERIES_MAX: usize = 5_000;

/// Fields of StreamColumnsRequest and UsageColumns.
const COLUMNS: u32 = 3;
const LANE: u32 = 1;
const HANDLES: u32 = 2;
const HOUR: u32 = 3;
const HOURS: u32 = 4;
const QUANTITIES: u32 = 5;
const MILLIONTHS: u32 = 6;

/// What came back for one message of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Returned {
    /// The number of the message.
    pub index: u64,
    /// How many messages more may be sent.
    pub credits: u32,
    /// The answer.
    pub said: Said,
}

/// The message that opens a stream.
#[must_use]
pub fn open_stream(plan: &Plan) -> Vec<u8> {
    let open = OpenColumns { sandbox: plan.sandbox.clone() };
    StreamColumnsRequest { message: Some(Asked::Open(open)) }.encode_to_vec()
}

/// The messages that open series.
pub fn open_series<'a>(plan: &'a Plan, series: &'a [u32]) -> impl Iterator<Item = Vec<u8>> + 'a {
    series.chunks(OPEN_SERIES_MAX).map(|series| {
        let series = series.iter().map(|series| SeriesName {
            product_code: plan.market.product_of(*series).code.clone(),
            customer: Some(Customer::CustomerAwsAccountId(plan.market.buyer_of(*series).account.to_string())),
            dimension: plan.market.dimension(*series).key.clone(),
            region: String::new(),
        });
        let open = OpenSeries { series: series.collect() };
        StreamColumnsRequest { message: Some(Asked::OpenSeries(open)) }.encode_to_vec()
    })
}

/// The message that opens a series of a buyer that nobody knows.
#[must_use]
pub fn open_stranger(plan: &Plan) -> Vec<u8> {
    let product = plan.market.products.first();
    let dimension = product.and_then(|product| product.dimensions.first());
    let name = SeriesName {
        product_code: product.map(|product| product.code.clone()).unwrap_or_default(),
        customer: Some(Customer::CustomerAwsAccountId(market::stranger().to_string())),
        dimension: dimension.map(|dimension| dimension.key.clone()).unwrap_or_default(),
        region: String::new(),
    };
    StreamColumnsRequest { message: Some(Asked::OpenSeries(OpenSeries { series: vec![name] })) }
        .encode_to_vec()
}

/// The columns of a message as they are built.
#[derive(Debug, Default)]
struct Columns {
    lane: u32,
    handles: Vec<u8>,
    hour: Option<i32>,
    hours: Vec<u8>,
    quantities: Vec<u8>,
    decimals: bool,
}

/// Writes what is sent. `handles` are those of the feed's series, `extras` is room to work in.
#[must_use]
pub fn message(
    plan: &Plan,
    feed: &Feed,
    handles: &[u32],
    sending: Sending,
    extras: &mut Vec<Extra>,
) -> Vec<u8> {
    let (hour, chunk) = feed.place(sending.message());
    let mut columns = Columns { lane: chunk.lane, decimals: chunk.decimals, ..Columns::default() };
    match sending {
        Sending::Usage(message) => {
            feed.extras(plan, message, extras);
            columns.put_chunk(plan, feed, handles, chunk, hour);
            columns.put_extras(plan, feed, handles, chunk, hour, extras);
        }
        Sending::Probe(message, probe) => {
            let rows = chunk.start..chunk.start + probe.good + probe.bad;
            let wrong_hour = feed.wrong_hour(plan, message, probe.kind);
            for position in rows {
                let is_bad = chunk.start + probe.good <= position;
                let series = feed.series[position as usize];
                let handle = match is_bad && probe.kind == ProbeKind::Handle {
                    true => u32::MAX - position,
                    false => handles[position as usize],
                };
                let hour_index = if is_bad { wrong_hour } else { plan.calendar.index(hour) };
                columns.put(handle, hour_index, plan.contradiction(series, hour));
            }
            if probe.kind == ProbeKind::Lengths {
                let width = if chunk.decimals { 8 } else { 4 };
                columns.quantities.truncate(columns.quantities.len() - width);
            }
        }
    }
    columns.encode()
}

impl Columns {
    /// The rows that meter their cells: all of one hour.
    fn put_chunk(&mut self, plan: &Plan, feed: &Feed, handles: &[u32], chunk: Chunk, hour: u32) {
        let (start, end) = (chunk.start as usize, chunk.end as usize);
        let series = &feed.series[start..end];
        self.hour = Some(plan.calendar.index(hour));
        self.handles.resize(4 * series.len(), 0);
        for (bytes, handle) in self.handles.chunks_exact_mut(4).zip(&handles[start..end]) {
            bytes.copy_from_slice(&handle.to_le_bytes());
        }
        if self.decimals {
            self.quantities.resize(8 * series.len(), 0);
            for (bytes, series) in self.quantities.chunks_exact_mut(8).zip(series) {
                bytes.copy_from_slice(&plan.millionths(*series, hour).to_le_bytes());
            }
        } else {
            self.quantities.resize(4 * series.len(), 0);
            for (bytes, series) in self.quantities.chunks_exact_mut(4).zip(series) {
                bytes.copy_from_slice(&plan.usage.units(*series, hour).to_le_bytes());
            }
        }
    }

    fn put_extras(
        &mut self,
        plan: &Plan,
        feed: &Feed,
        handles: &[u32],
        chunk: Chunk,
        hour: u32,
        extras: &[Extra],
    ) {
        if extras.iter().any(|extra| 0 < extra.back)
            && let Some(index) = self.hour.take()
        {
            self.hours = index.to_le_bytes().repeat((chunk.end - chunk.start) as usize);
        }
        for extra in extras {
            let position = (chunk.start + extra.row) as usize;
            let (series, hour) = (feed.series[position], hour - extra.back);
            let millionths = match extra.purpose {
                Purpose::Repeat | Purpose::Stranger => plan.millionths(series, hour),
                Purpose::Change => plan.contradiction(series, hour),
            };
            self.put(handles[position], plan.calendar.index(hour), millionths);
        }
    }

    fn put(&mut self, handle: u32, hour: i32, millionths: u64) {
        self.handles.extend_from_slice(&handle.to_le_bytes());
        if self.hour.is_none() {
            self.hours.extend_from_slice(&hour.to_le_bytes());
        }
        match self.decimals {
            true => self.quantities.extend_from_slice(&millionths.to_le_bytes()),
            false => {
                let units = u32::try_from(millionths / 1_000_000).unwrap_or(u32::MAX);
                self.quantities.extend_from_slice(&units.to_le_bytes());
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let quantities = if self.decimals { MILLIONTHS } else { QUANTITIES };
        let columns = [(HANDLES, &self.handles), (HOURS, &self.hours), (quantities, &self.quantities)];
        let mut length = if self.lane == 0 { 0 } else { 1 + varint_len(u64::from(self.lane)) };
        if let Some(hour) = self.hour {
            length += 1 + varint_len(i64::from(hour).cast_unsigned());
        }
        for (_, column) in columns.iter().filter(|(_, column)| !column.is_empty()) {
            length += 1 + varint_len(column.len() as u64) + column.len();
        }
        let mut out = Vec::with_capacity(length + 16);
        put_length(&mut out, COLUMNS, length);
        if self.lane != 0 {
            put_number(&mut out, LANE, u64::from(self.lane));
        }
        let mut put = |field: u32| {
            for (_, column) in
                columns.iter().filter(|(number, column)| *number == field && !column.is_empty())
            {
                put_varint(&mut out, u64::from(field << 3 | 2));
                put_varint(&mut out, column.len() as u64);
                out.extend_from_slice(column);
            }
        };
        put(HANDLES);
        if let Some(hour) = self.hour {
            put_number(&mut out, HOUR, i64::from(hour).cast_unsigned());
        }
        let mut put = |field: u32| {
            for (_, column) in
                columns.iter().filter(|(number, column)| *number == field && !column.is_empty())
            {
                put_length(&mut out, field, column.len());
                out.extend_from_slice(column);
            }
        };
        put(HOURS);
        put(quantities);
        out
    }
}

/// Reads an answer of the stream.
///
/// # Errors
/// When the bytes are none.
pub fn read(bytes: &[u8]) -> Result<Returned, Unreadable> {
    let response = StreamColumnsResponse::decode(bytes).map_err(|_| Unreadable)?;
    let StreamColumnsResponse { message_index, credits, answer } = response;
    Ok(Returned { index: message_index, credits, said: answer.ok_or(Unreadable)? })
}

/// What was said about a message of columns.
#[must_use]
pub fn answer(said: Said) -> Answer {
    match said {
        Said::Acknowledged(ColumnsAcknowledged { metered_count, repeated_count, exceptions }) => {
            Answer::Rows {
                count: u64::from(metered_count) + u64::from(repeated_count) + exceptions.len() as u64,
                exceptions: exceptions
                    .iter()
                    .map(|row| (row.row, Status::of_number(u64::from(row.status.cast_unsigned()))))
                    .collect(),
            }
        }
        Said::Refused(ColumnsRefusal { code, field, message, retry_after_ms }) => Answer::Refused {
            code,
            words: format!("{field}: {message}"),
            retry_after: retry_after_ms.map(|ms| std::time::Duration::from_millis(ms.into())),
        },
        Said::Opened(_) | Said::SeriesOpened(_) => Answer::Refused {
            code: String::new(),
            words: "a message of columns was answered as if it opened something".to_owned(),
            retry_after: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use souk_client::proto::metering::v1::{RowException, UsageColumns};

    use super::*;
    use crate::plan::{Shape, Share, odd_shape};

    fn decoded(bytes: &[u8]) -> UsageColumns {
        let read = StreamColumnsRequest::decode(bytes).unwrap();
        assert_eq!(read.encode_to_vec(), bytes);
        let Some(Asked::Columns(columns)) = read.message else { panic!("no columns") };
        columns
    }

    fn words(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
    }

    fn feed(plan: &Plan) -> (Feed, Vec<u32>) {
        let series: Vec<u32> = (0..plan.market.series.len() as u32).collect();
        let lanes: Vec<u32> = series.iter().map(|series| series % 2).collect();
        let feed = Feed::of_columns(plan, 0, &series, &lanes, 40);
        let handles = feed.series.iter().map(|series| 1_000 + series).collect();
        (feed, handles)
    }

    #[test]
    fn columns_hold_a_row_for_each_series_and_the_odd_ones() {
        let plan = Plan::new(odd_shape());
        let (feed, handles) = feed(&plan);
        let (mut extras, mut scalar, mut columnar) = (Vec::new(), 0, 0);
        for message in 0..feed.end_of_month(&plan, 1) {
            let bytes = super::message(&plan, &feed, &handles, Sending::Usage(message), &mut extras);
            let columns = decoded(&bytes);
            let (hour, chunk) = feed.place(message);
            let series = feed.series_of(chunk);
            let rows = series.len() + extras.len();
            let read = words(&columns.handles);
            assert_eq!((read.len(), columns.lane), (rows, chunk.lane));
            assert!(series.iter().zip(&read).all(|(series, handle)| series + 1_000 == *handle));
            match columns.hour {
                Some(index) => {
                    assert_eq!((index, columns.hours.len()), (plan.calendar.index(hour), 0));
                    scalar += 1;
                }
                None => {
                    let hours = words(&columns.hours);
                    assert_eq!(hours.len(), rows);
                    assert_eq!(hours[0].cast_signed(), plan.calendar.index(hour));
                    columnar += 1;
                }
            }
            let first = plan.millionths(series[0], hour);
            match chunk.decimals {
                true => {
                    assert_eq!(columns.quantities_millionths.len(), 8 * rows);
                    assert_eq!(columns.quantities_millionths[..8], first.to_le_bytes());
                }
                false => assert_eq!(u64::from(words(&columns.quantities)[0]) * 1_000_000, first),
            }
        }
        assert!(0 < scalar && 0 < columnar);
    }

    #[test]
    fn probes_are_wrong_in_one_way() {
        let plan = Plan::new(Shape { late: Share::of_percent(10.0).unwrap(), ..odd_shape() });
        let (feed, handles) = feed(&plan);
        let (mut probes, mut extras) = (Vec::new(), Vec::new());
        let mut kinds = std::collections::BTreeSet::new();
        for message in 0..feed.end_of_month(&plan, 1) {
            feed.probes(&plan, message, &mut probes);
            for &probe in &probes {
                kinds.insert(probe.kind as u8);
                let sending = Sending::Probe(message, probe);
                let columns = decoded(&super::message(&plan, &feed, &handles, sending, &mut extras));
                let rows = (probe.good + probe.bad) as usize;
                let (_, chunk) = feed.place(message);
                let quantities = match chunk.decimals {
                    true => columns.quantities_millionths.len() / 8,
                    false => columns.quantities.len() / 4,
                };
                assert_eq!(quantities, rows - usize::from(probe.kind == ProbeKind::Lengths));
                assert_eq!((columns.handles.len(), columns.hours.len()), (4 * rows, 4 * rows));
                let unknown = words(&columns.handles).iter().filter(|handle| 1 << 31 < **handle).count();
                assert_eq!(unknown, if probe.kind == ProbeKind::Handle { probe.bad as usize } else { 0 });
            }
        }
        assert_eq!(kinds.len(), 4);
    }

    #[test]
    fn series_are_opened_by_name_and_answers_are_read() {
        let plan = Plan::new(odd_shape());
        let opened: Vec<_> = open_series(&plan, &[0, 1]).collect();
        let Some(Asked::OpenSeries(open)) = StreamColumnsRequest::decode(&*opened[0]).unwrap().message else {
            panic!("it opens nothing");
        };
        assert_eq!(
            (open.series.len(), open.series[1].dimension.as_str()),
            (2, plan.market.dimension(1).key.as_str())
        );

        let exceptions = vec![RowException { row: 5, status: 3 }];
        let acknowledged = ColumnsAcknowledged { metered_count: 7, repeated_count: 2, exceptions };
        let said = Said::Acknowledged(acknowledged);
        let response = StreamColumnsResponse { message_index: 4, credits: 1, answer: Some(said.clone()) };
        assert_eq!(
            read(&response.encode_to_vec()),
            Ok(Returned { index: 4, credits: 1, said: said.clone() })
        );
        let exceptions = vec![(5, Status::Duplicate)];
        assert_eq!(answer(said), Answer::Rows { count: 10, exceptions });
    }
}
