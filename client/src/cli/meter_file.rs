//! Meters a file of records over a stream, with a bounded number of messages in flight.
//!
//! A file may be metered again from its beginning after an error: the first record of an hour stands, and the
//! same record again is a success.

use std::collections::VecDeque;

use souk_client::{SoukClient, UsageStream};
use souk_proto::metering::v1::StreamUsageResponse;

use super::batches::{Batch, Batcher};
use super::error::CliError;
use super::outcomes::Outcomes;
use super::records::Rows;
use super::session::Progress;

/// How a file is sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Records in a message.
    pub batch_size: usize,
    /// Messages without an answer.
    pub in_flight_max: usize,
}

/// Sends all rows and counts what became of them.
pub async fn send(
    client: &SoukClient,
    sandbox: &str,
    rows: Rows,
    sending: Sending,
) -> Result<Outcomes, CliError> {
    let mut run = Run {
        stream: client.stream_usage(sending.in_flight_max).await?,
        sandbox,
        waiting: VecDeque::new(),
        outcomes: Outcomes::default(),
        progress: Progress::new(),
    };
    let mut batcher = Batcher::new(sending.batch_size);
    // At a wrong row the rest stays unsent: the file is corrected and metered again as a whole.
    run.send_all(&mut batcher, rows).await?;
    for batch in batcher.finish() {
        run.send(batch).await?;
    }
    run.finish().await
}

struct Run<'a> {
    stream: UsageStream,
    sandbox: &'a str,
    /// The lines of the messages in flight, oldest first.
    waiting: VecDeque<Vec<u64>>,
    outcomes: Outcomes,
    progress: Progress,
}

impl Run<'_> {
    async fn send_all(&mut self, batcher: &mut Batcher, rows: Rows) -> Result<(), CliError> {
        for row in rows {
            for batch in batcher.push(row?) {
                self.send(batch).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, batch: Batch) -> Result<(), CliError> {
        let (message, lines) = batch.into_message(self.sandbox);
        self.waiting.push_back(lines);
        if let Some(answer) = self.stream.send(message).await? {
            self.count(&answer);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Outcomes, CliError> {
        while let Some(answer) = self.stream.next_answer().await? {
            self.count(&answer);
        }
        Ok(self.outcomes)
    }

    /// Answers come in the order of the messages.
    fn count(&mut self, answer: &StreamUsageResponse) {
        let lines = self.waiting.pop_front().unwrap_or_default();
        count_answer(&mut self.outcomes, &lines, answer);
        let (records, sent) = (self.outcomes.records(), self.stream.sent());
        self.progress.update(&format!("{records} records answered, {sent} messages sent"));
    }
}

fn count_answer(outcomes: &mut Outcomes, lines: &[u64], answer: &StreamUsageResponse) {
    outcomes.add_message(u64::from(answer.success_count));
    for result in &answer.exceptions {
        let line = usize::try_from(result.record_index).ok().and_then(|index| lines.get(index));
        outcomes.add_result(|| line.map(u64::to_string).unwrap_or_default(), result);
    }
    if let Some(refusal) = &answer.refusal {
        outcomes.add_refusal(lines, refusal);
    }
}

#[cfg(test)]
mod tests {
    use souk_proto::metering::v1::{MessageRefusal, UsageRecordResult, UsageRecordStatus};

    use super::*;

    #[test]
    fn exceptions_are_named_by_their_lines_in_the_file() {
        let mut outcomes = Outcomes::default();
        let unsubscribed = UsageRecordResult {
            record_index: 1,
            status: UsageRecordStatus::CustomerNotSubscribed.into(),
            metering_record_id: String::new(),
        };
        let partly =
            StreamUsageResponse { success_count: 1, exceptions: vec![unsubscribed], ..Default::default() };
        count_answer(&mut outcomes, &[2, 5], &partly);
        let refusal = MessageRefusal { code: "INVALID_DIMENSION".to_owned(), ..Default::default() };
        let refused = StreamUsageResponse { refusal: Some(refusal), ..Default::default() };
        count_answer(&mut outcomes, &[3, 4], &refused);

        let view = outcomes.view("line");
        let shown: Vec<_> =
            view.sheets[0].rows.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
        assert_eq!(
            shown,
            [["5", "customer_not_subscribed"], ["3", "invalid_dimension"], ["4", "invalid_dimension"]]
        );
        assert_eq!(outcomes.records(), 4);
    }
}
