//! Sending again what the server could not process this time.
//!
//! A record that was answered UNPROCESSED was not metered and may be sent again. Only those records are, with
//! the pauses of the retry policy; the results keep the order of the request. What stays UNPROCESSED after
//! the last attempt is answered so: it is data, not an error.

use std::future::Future;

use souk_proto::metering::v1::{UsageRecordResult, UsageRecordStatus};
use tokio::time::{Instant, sleep};

use crate::retry::random;
use crate::{Call, ClientError, Settings};

/// Sends records until all are processed or the policy gives up.
pub(crate) async fn until_processed<R, F, Answer>(
    settings: &Settings,
    call: Call,
    records: Vec<R>,
    mut send: F,
) -> Result<Vec<UsageRecordResult>, ClientError>
where
    R: Clone,
    F: FnMut(Vec<R>) -> Answer,
    Answer: Future<Output = Result<Vec<UsageRecordResult>, ClientError>>,
{
    let end = Instant::now() + settings.deadline;
    let mut results = complete(call, records.len(), send(records.clone()).await?)?;
    for attempts in 1..settings.retry.attempts_max {
        let open = unprocessed(&results);
        let pause = settings.retry.backoff(attempts, random());
        if open.is_empty() || Instant::now() + pause >= end {
            break;
        }
        sleep(pause).await;
        let again = open.iter().filter_map(|&position| records.get(position).cloned()).collect();
        // What is metered is metered: an error now must not hide the results that there are. The records that
        // it concerns are still marked UNPROCESSED.
        let Ok(answers) = send(again).await.and_then(|answers| complete(call, open.len(), answers)) else {
            break;
        };
        for (position, answer) in open.into_iter().zip(answers) {
            if let Some(result) = results.get_mut(position) {
                *result = UsageRecordResult { record_index: result.record_index, ..answer };
            }
        }
    }
    Ok(results)
}

/// The positions of the records that may be sent again.
fn unprocessed(results: &[UsageRecordResult]) -> Vec<usize> {
    let is_open = |result: &UsageRecordResult| result.status() == UsageRecordStatus::Unprocessed;
    results.iter().enumerate().filter(|(_, result)| is_open(result)).map(|(position, _)| position).collect()
}

/// There must be one result for each record.
fn complete(
    call: Call,
    expected: usize,
    results: Vec<UsageRecordResult>,
) -> Result<Vec<UsageRecordResult>, ClientError> {
    if results.len() == expected {
        Ok(results)
    } else {
        Err(ClientError::Incomplete { call, missing: "one result for each record" })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::RetryPolicy;

    use UsageRecordStatus::{CustomerNotSubscribed, DuplicateRecord, Success, Unprocessed};

    /// Sends the records 'a', 'b', ... against a script of answers; writes down what was sent.
    async fn drive(
        records: &str,
        answers: &[Option<&[UsageRecordStatus]>],
    ) -> (Result<Vec<UsageRecordResult>, ClientError>, Vec<String>) {
        let mut script: VecDeque<_> = answers.iter().copied().collect();
        let mut sent = Vec::new();
        let settings = Settings {
            retry: RetryPolicy { attempts_max: 3, ..RetryPolicy::STANDARD },
            ..Settings::STANDARD
        };
        let outcome = until_processed(
            &settings,
            Call::BatchMeterUsage,
            records.chars().collect(),
            |batch: Vec<char>| {
                sent.push(batch.iter().collect::<String>());
                let answer = script.pop_front().unwrap();
                async move {
                    let statuses = answer
                        .ok_or(ClientError::Incomplete { call: Call::BatchMeterUsage, missing: "sense" })?;
                    let result =
                        |(index, (status, record)): (usize, (&UsageRecordStatus, &char))| UsageRecordResult {
                            record_index: index as u32,
                            status: *status as i32,
                            metering_record_id: format!("id-{record}"),
                        };
                    Ok(statuses.iter().zip(&batch).enumerate().map(result).collect())
                }
            },
        )
        .await;
        (outcome, sent)
    }

    #[tokio::test(start_paused = true)]
    async fn only_unprocessed_records_are_sent_again_and_keep_their_places() {
        let answers: [Option<&[_]>; 3] = [
            Some(&[Success, Unprocessed, DuplicateRecord, Unprocessed]),
            Some(&[Unprocessed, CustomerNotSubscribed]),
            Some(&[Success]),
        ];
        let (outcome, sent) = drive("abcd", &answers).await;
        assert_eq!(sent, ["abcd", "bd", "b"]);
        let results: Vec<_> = outcome
            .unwrap()
            .iter()
            .map(|result| (result.record_index, result.status(), result.metering_record_id.clone()))
            .collect();
        let expected = [
            (0, Success, "id-a".to_owned()),
            (1, Success, "id-b".to_owned()),
            (2, DuplicateRecord, "id-c".to_owned()),
            (3, CustomerNotSubscribed, "id-d".to_owned()),
        ];
        assert_eq!(results, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_unprocessed_is_answered_so() {
        let answers: [Option<&[_]>; 3] = [Some(&[Unprocessed]), Some(&[Unprocessed]), Some(&[Unprocessed])];
        let (outcome, sent) = drive("a", &answers).await;
        assert_eq!(sent.len(), 3);
        assert_eq!(outcome.unwrap()[0].status(), Unprocessed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_resend_does_not_hide_what_was_metered() {
        let (outcome, _) = drive("ab", &[Some(&[Success, Unprocessed]), None]).await;
        let statuses: Vec<_> = outcome.unwrap().iter().map(UsageRecordResult::status).collect();
        assert_eq!(statuses, [Success, Unprocessed]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_with_too_few_results_is_an_error() {
        let (outcome, _) = drive("ab", &[Some(&[Success])]).await;
        let error = outcome.unwrap_err().to_string();
        assert_eq!(error, "the answer to BatchMeterUsage lacks one result for each record");
    }
}
