//! Answers a stream of columns in order, after durability. What is wrong with one message is said in its answer;
//! what is wrong with the server ends the stream.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use souk_core::metering::series::Series;
use souk_core::metering::{RowOutcomes, RowStatus};
use souk_core::rejection::{Code, Rejection};
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::stream_columns_response::Answer;
use tokio::sync::mpsc;
use tonic::Status;

use super::CREDITS;
use super::reader::{InFlight, OpenedSeries, PendingColumns, UnderWay, Waiting};
use super::refusal::{OPERATION, refuse_noted};
use crate::app::Souk;
use crate::app::columns::ColumnsTaken;
use crate::app::refusals::{KEPT_MAX, NamedRecord, Reason};
use crate::error::AppError;
use crate::grpc::convert::columns::{ROWS_MAX, from_proto_columns, to_proto_acknowledgement};

/// Answers what waits, one message after the other.
pub async fn answer(
    souk: Souk,
    under_way: UnderWay,
    mut waiting: mpsc::Receiver<Result<InFlight, Status>>,
    answers: mpsc::Sender<Result<proto::StreamColumnsResponse, Status>>,
) {
    let mut message_index = 0;
    while let Some(message) = waiting.recv().await {
        let answer = match message {
            Ok(InFlight { waiting, holds_credit }) => {
                let answer = answer_one(&souk, waiting).await;
                let credits = match &answer {
                    Ok(Answer::Opened(_)) => CREDITS,
                    _ => u32::from(holds_credit),
                };
                if holds_credit {
                    // Before the client hears of it, so that it never seems to have sent too early.
                    under_way.fetch_sub(1, Ordering::AcqRel);
                }
                let response =
                    |answer| proto::StreamColumnsResponse { message_index, credits, answer: Some(answer) };
                answer.map(response)
            }
            Err(status) => Err(status),
        };
        let last = answer.is_err();
        if answers.send(answer).await.is_err() || last {
            return;
        }
        message_index += 1;
    }
}

async fn answer_one(souk: &Souk, waiting: Waiting) -> Result<Answer, Status> {
    match waiting {
        // A message holds 65,536 rows.
        Waiting::Opened { lanes } => {
            Ok(Answer::Opened(proto::ColumnsOpened { lanes, rows_max: ROWS_MAX as u32 }))
        }
        Waiting::Series(series) => {
            let series = series.iter().map(|series| to_proto_opened(series.as_ref())).collect();
            Ok(Answer::SeriesOpened(proto::SeriesOpened { series }))
        }
        Waiting::Columns(pending) => answer_columns(souk, pending).await,
        Waiting::Refused(refusal) => refusal.map(Answer::Refused),
    }
}

fn to_proto_opened(series: Option<&OpenedSeries>) -> proto::OpenedSeries {
    use proto::UsageRecordStatus as Status;
    match series {
        Some(&OpenedSeries { handle, lane }) => {
            proto::OpenedSeries { handle, lane, status: Status::Success.into() }
        }
        None => proto::OpenedSeries { handle: 0, lane: 0, status: Status::CustomerNotSubscribed.into() },
    }
}

async fn answer_columns(souk: &Souk, pending: PendingColumns) -> Result<Answer, Status> {
    let PendingColumns { sandbox, series, message, taken } = pending;
    let error = match taken.answer().await {
        Ok(ColumnsTaken::Rows(outcomes)) => {
            if !outcomes.exceptions.is_empty() {
                let columns = from_proto_columns(&message).ok();
                let handles = columns.and_then(|columns| {
                    let series = series.read().unwrap_or_else(PoisonError::into_inner);
                    Some((columns, series.of_lane(message.lane, columns.handles).ok()?))
                });
                if let Some((columns, (generation, handles))) = handles {
                    let rows = outcomes.exceptions.iter().take(KEPT_MAX);
                    let handles = rows.filter_map(|&(row, _)| handles.get(row as usize).copied()).collect();
                    // What is noted may be missing; what was answered stands.
                    if let Ok(names) = souk.series_of(&sandbox, message.lane, generation, handles).await {
                        let refused = noted(&outcomes, &names, |row, series| {
                            (columns.named(row, series), columns.hour(row).map(|hour| series.record_id(hour)))
                        });
                        souk.note_refused(&sandbox, OPERATION, refused);
                    }
                }
            }
            return Ok(Answer::Acknowledged(to_proto_acknowledgement(&outcomes)));
        }
        Ok(ColumnsTaken::Stale) => {
            let why = "the sandbox was replaced or deleted since the series were opened: open them again";
            AppError::from(Rejection::new(Code::SeriesHandleUnknown, "columns.handles", why))
        }
        Err(error) => error,
    };
    refuse_noted(souk, Some(&sandbox), error).map(Answer::Refused)
}

/// The rows that were not metered, and why.
fn noted(
    outcomes: &RowOutcomes,
    series: &[Option<Series>],
    named: impl Fn(usize, &Series) -> (NamedRecord, Option<souk_core::ids::MeteringRecordId>),
) -> Vec<(Reason, NamedRecord)> {
    let rows = outcomes.exceptions.iter().zip(series);
    let noted = rows.map(|(&(row, status), series)| {
        let (record, id) = series.as_ref().map(|series| named(row as usize, series)).unwrap_or_default();
        let reason = match status {
            RowStatus::Duplicate => {
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                Reason::duplicate("DUPLICATE_RECORD", &id)
            }
            RowStatus::NotSubscribed => Reason::not_subscribed("CUSTOMER_NOT_SUBSCRIBED"),
            RowStatus::Unprocessed => Reason::unprocessed("UNPROCESSED"),
        };
        (reason, record)
    });
    noted.collect()
}
