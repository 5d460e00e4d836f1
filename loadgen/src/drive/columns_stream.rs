//! Opens a stream of columns, and its series on it.

use anyhow::{Context, bail, ensure};
use prost::bytes::Bytes;
use souk_client::proto::metering::v1::stream_columns_response::Answer as Said;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::Run;
use super::queue::Queue;
use crate::door::Status as RecordStatus;
use crate::door::columns::{self, Returned};
use crate::plan::Feed;

/// An open stream.
pub struct Opening {
    /// Takes messages.
    pub messages: mpsc::Sender<Vec<u8>>,
    /// Gives answers.
    pub answers: Streaming<Bytes>,
    /// How many messages may be sent; none: as many as one likes.
    pub credits: Option<u32>,
    /// How many messages were answered while it was opened.
    pub answered: u64,
}

impl Opening {
    /// Opens the stream and its series; answers their handles in the order of the feed. What is known of the
    /// feed must hold again; otherwise it is made now. A status says that the stream broke on the way.
    pub async fn open_series(
        &mut self,
        run: &Run,
        number: u32,
        series: &[u32],
        queue: &Queue,
        known: Option<&Feed>,
    ) -> anyhow::Result<Result<Vec<u32>, Status>> {
        let first = match self.ask(columns::open_stream(&run.plan)).await? {
            Ok(first) => first,
            Err(status) => return Ok(Err(status)),
        };
        let Said::Opened(opened) = first else {
            bail!("a stream of columns was not opened: {}", refusal(first))
        };
        ensure!(
            run.batch <= opened.rows_max as usize,
            "the server takes {} rows a message at most: choose a smaller --batch than {}",
            opened.rows_max,
            run.batch
        );
        let (mut handles, mut lanes) = (Vec::with_capacity(series.len()), Vec::with_capacity(series.len()));
        for message in columns::open_series(&run.plan, series) {
            let said = match self.ask(message).await? {
                Ok(said) => said,
                Err(status) => return Ok(Err(status)),
            };
            let Said::SeriesOpened(opened) = said else { bail!("series were not opened: {}", refusal(said)) };
            for one in opened.series {
                let status = RecordStatus::of_number(u64::from(one.status.cast_unsigned()));
                ensure!(
                    status == RecordStatus::Success,
                    "a series was answered {} when it was opened",
                    status.name()
                );
                handles.push(one.handle);
                lanes.push(one.lane);
            }
        }
        ensure!(handles.len() == series.len(), "{} of {} series were opened", handles.len(), series.len());
        if known.is_none() {
            if !run.plan.shape.invalid.is_none() {
                match self.open_stranger(run).await? {
                    Ok(()) => {}
                    Err(status) => return Ok(Err(status)),
                }
            }
            queue.set_feed(Feed::of_columns(&run.plan, number, series, &lanes, run.batch));
            run.signals.progress.notify_one();
        }
        let feed = queue.feed().context("the feed is not known")?;
        in_order(feed, series, &handles, &lanes).map(Ok)
    }

    /// A stranger has no agreement, and so no handle.
    async fn open_stranger(&mut self, run: &Run) -> anyhow::Result<Result<(), Status>> {
        let said = match self.ask(columns::open_stranger(&run.plan)).await? {
            Ok(said) => said,
            Err(status) => return Ok(Err(status)),
        };
        let statuses: Vec<_> = match &said {
            Said::SeriesOpened(opened) => opened
                .series
                .iter()
                .map(|one| RecordStatus::of_number(u64::from(one.status.cast_unsigned())))
                .collect(),
            _ => Vec::new(),
        };
        run.note_stranger(statuses == [RecordStatus::NotSubscribed], || format!("{said:?}"));
        Ok(Ok(()))
    }

    /// Sends a message and reads its answer: one after the other, while a stream is opened.
    async fn ask(&mut self, message: Vec<u8>) -> anyhow::Result<Result<Said, Status>> {
        if let Some(credits) = &mut self.credits {
            // The next answer gives some back, but here every answer is awaited.
            ensure!(0 < *credits, "the server gives no credit to open series with");
            *credits -= 1;
        }
        if self.messages.send(message).await.is_err() {
            let broken = self.answers.message().await.err();
            return Ok(Err(broken.unwrap_or_else(|| Status::unavailable("the server ended the stream"))));
        }
        let bytes = match self.answers.message().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(Status::unavailable("the server ended the stream"))),
            Err(status) => return Ok(Err(status)),
        };
        let Returned { index, credits, said } = columns::read(&bytes)?;
        ensure!(index == self.answered, "answer {index} came where answer {} must come", self.answered);
        self.answered += 1;
        self.credits = Some(self.credits.unwrap_or(0) + credits);
        Ok(Ok(said))
    }
}

/// The handles in the order of the feed, whose lanes must be those that were answered now.
fn in_order(feed: &Feed, series: &[u32], handles: &[u32], lanes: &[u32]) -> anyhow::Result<Vec<u32>> {
    let mut by_series: Vec<_> = series.iter().zip(handles.iter().zip(lanes)).collect();
    by_series.sort_unstable();
    let mut ordered = Vec::with_capacity(feed.series.len());
    for chunk in &feed.chunks {
        for one in feed.series_of(*chunk) {
            let at = by_series.binary_search_by_key(&one, |(series, _)| *series);
            let (_, (handle, lane)) = by_series[at.ok().context("a series of the feed was not opened")?];
            ensure!(*lane == chunk.lane, "series {one} was in lane {} and is in lane {lane} now", chunk.lane);
            ordered.push(*handle);
        }
    }
    Ok(ordered)
}

fn refusal(said: Said) -> String {
    match said {
        Said::Refused(refused) => format!("{}, {}: {}", refused.code, refused.field, refused.message),
        other => format!("{other:?}"),
    }
}
