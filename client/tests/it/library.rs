//! The library over a real connection. Pauses between attempts are a millisecond; how long they are and when
//! they are made is tested beside the policy, on a paused clock.

use std::time::Duration;

use souk_client::{ClientError, PageRequest, RetryPolicy, Settings, SoukClient, UsageStream};
use souk_proto::account::v1::Account;
use souk_proto::metering::v1::{
    BatchMeterUsageRequest, Inference, InstanceHours, MeterInferencesRequest, MeterRunsRequest,
    ReportInstanceHoursRequest, Run, StreamUsageRequest, UsageRecord, UsageRecordStatus,
};
use souk_proto::reporting::v1::{ExportFormat, ReportSelection};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::fake::Fake;

const SETTINGS: Settings = Settings {
    retry: RetryPolicy {
        attempts_max: 3,
        delay_initial: Duration::from_millis(1),
        delay_max: Duration::from_millis(1),
    },
    ..Settings::STANDARD
};

async fn start() -> (Fake, SoukClient) {
    let fake = Fake::default();
    let client = SoukClient::connect_with(&fake.start().await, SETTINGS).await.unwrap();
    (fake, client)
}

#[tokio::test]
async fn a_read_is_repeated_until_the_server_is_there() {
    let (fake, client) = start().await;
    fake.script().refusals.extend([Status::unavailable("rebuilding"), Status::unavailable("rebuilding")]);
    let account = client.get_account("box", "111111111111").await.unwrap();
    assert_eq!(account.account_id, "111111111111");
    assert_eq!(fake.script().seen, ["GetAccount"; 3]);
}

#[tokio::test]
async fn what_the_server_refuses_is_told_at_once_with_its_reason() {
    let (fake, client) = start().await;
    let mut details = ErrorDetails::new();
    details
        .set_error_info("PAYER_IS_FIXED", "souk", [])
        .add_bad_request_violation("account.payer_account_id", "cannot change");
    let status = Status::with_error_details(Code::FailedPrecondition, "the payer is fixed", details);
    fake.script().refusals.push_back(status);

    let error = client.put_account("box", Account::default()).await.unwrap_err();
    assert_eq!(error.reason(), Some("PAYER_IS_FIXED"));
    assert_eq!(
        error.to_string(),
        "the payer is fixed (PAYER_IS_FIXED); account.payer_account_id: cannot change"
    );
    assert_eq!(fake.script().seen, ["PutAccount"]);
}

#[tokio::test]
async fn the_server_is_told_the_deadline() {
    let (fake, client) = start().await;
    client.clone().with_deadline(Duration::from_secs(7)).get_account("box", "1").await.unwrap();
    // tonic writes the largest unit that fits into eight digits; a little of the seven seconds is gone.
    let timeout = fake.script().timeout.clone().unwrap();
    let micros: u64 = timeout.strip_suffix('u').unwrap().parse().unwrap();
    assert!(6_000_000 < micros && micros <= 7_000_000, "{timeout}");
}

#[tokio::test]
async fn a_server_that_went_away_is_unreachable() {
    let settings = Settings { retry: RetryPolicy::NEVER, ..SETTINGS };
    let client = SoukClient::connect_lazily("http://127.0.0.1:1", settings).unwrap();
    let error = client.get_account("box", "1").await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn lists_are_read_page_by_page_or_whole() {
    let (fake, client) = start().await;
    let page = client.list_accounts("box", PageRequest::default()).await.unwrap();
    assert_eq!((page.entries.len(), page.next_page_token.as_str()), (1, "x"));
    assert_eq!(client.all_accounts("box").await.unwrap().len(), 3);
    assert_eq!(fake.script().seen.len(), 4);
}

#[tokio::test]
async fn unprocessed_usage_is_sent_again() {
    use UsageRecordStatus::{Success, Unprocessed};
    let (fake, client) = start().await;
    fake.script().statuses.extend([Success, Unprocessed, Success]);
    let request =
        BatchMeterUsageRequest { usage_records: vec![UsageRecord::default(); 3], ..Default::default() };
    let results = client.batch_meter_usage(request).await.unwrap();
    let indexes: Vec<_> = results.iter().map(|result| (result.record_index, result.status())).collect();
    assert_eq!(indexes, [(0, Success), (1, Success), (2, Success)]);
    assert_eq!(fake.script().seen, ["BatchMeterUsage of 3", "BatchMeterUsage of 1"]);

    fake.script().statuses.extend([Unprocessed; 9]);
    let reports = vec![InstanceHours::default()];
    let request = ReportInstanceHoursRequest { reports, ..Default::default() };
    let results = client.report_instance_hours(request).await.unwrap();
    assert_eq!(results[0].status(), Unprocessed);

    fake.script().statuses.clear();
    fake.script().statuses.extend([Unprocessed, Success]);
    let request = MeterRunsRequest { runs: vec![Run::default()], ..Default::default() };
    assert_eq!(client.meter_runs(request).await.unwrap()[0].status(), Success);
    fake.script().statuses.extend([Success, Unprocessed]);
    let inferences = vec![Inference::default(); 2];
    let request = MeterInferencesRequest { inferences, ..Default::default() };
    let results = client.meter_inferences(request).await.unwrap();
    assert!(results.iter().all(|result| result.status() == Success));
    let seen = fake.script().seen.clone();
    let last: Vec<_> = seen.iter().rev().take(4).map(String::as_str).collect();
    assert_eq!(last, ["MeterInferences of 1", "MeterInferences of 2", "MeterRuns of 1", "MeterRuns of 1"]);
}

fn message(records: usize) -> StreamUsageRequest {
    StreamUsageRequest { usage_records: vec![UsageRecord::default(); records], ..Default::default() }
}

#[tokio::test]
async fn a_stream_answers_every_message_in_order_with_few_in_flight() {
    let (_fake, client) = start().await;
    let mut stream = client.stream_usage(2).await.unwrap();
    let mut answers = Vec::new();
    for records in 0..10 {
        answers.extend(stream.send(message(records)).await.unwrap());
        assert!(stream.sent() - stream.answered() <= 2);
    }
    assert_eq!(answers.len(), 8);
    answers.extend(stream.finish().await.unwrap());
    let order: Vec<_> = answers.iter().map(|answer| (answer.message_index, answer.success_count)).collect();
    assert_eq!(order, (0..10).map(|index| (index, index as u32)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_may_be_sent_by_one_task_and_read_by_another() {
    let (_fake, client) = start().await;
    let (mut sender, mut answers) = client.stream_usage(4).await.unwrap().split();
    let sending = tokio::spawn(async move {
        for _ in 0..100 {
            sender.send(message(1)).await.unwrap();
        }
    });
    let mut records = 0;
    while let Some(answer) = answers.next().await.unwrap() {
        records += answer.success_count;
    }
    sending.await.unwrap();
    assert_eq!((records, answers.answered()), (100, 100));
}

#[tokio::test]
async fn a_broken_stream_says_why_and_where_to_go_on() {
    let (fake, client) = start().await;
    fake.script().break_at = Some((3, Status::aborted("the partition is poisoned")));
    let mut stream: UsageStream = client.stream_usage(1).await.unwrap();
    let error = loop {
        if let Err(error) = stream.send(message(1)).await {
            break error;
        }
    };
    assert_eq!(error.to_string(), "the partition is poisoned (Aborted)");
    assert_eq!(stream.answered(), 3);
}

#[tokio::test]
async fn a_sender_alone_learns_that_the_stream_ended() {
    let (fake, client) = start().await;
    fake.script().break_at = Some((0, Status::aborted("no")));
    let (mut sender, mut answers) = client.stream_usage(1).await.unwrap().split();
    sender.send(message(1)).await.unwrap();
    let (sent, answer) = tokio::join!(sender.send(message(1)), answers.next());
    assert_eq!(sent.unwrap_err().to_string(), "the server ended the stream");
    assert!(answer.is_err());
}

#[tokio::test]
async fn reports_come_in_parts() {
    let (fake, client) = start().await;
    fake.script().refusals.push_back(Status::unavailable("rebuilding"));
    let report = client.read_report(ReportSelection::default()).await.unwrap();
    assert_eq!(report.columns, ["Product", "Amount"]);
    let first_cells: Vec<_> = report.rows.iter().map(|row| row.cells[0].as_str()).collect();
    assert_eq!(first_cells, ["a", "b", "c"]);

    let mut file = Vec::new();
    let mut chunks = client.export_report(ReportSelection::default(), ExportFormat::Csv).await.unwrap();
    while let Some(chunk) = chunks.next().await.unwrap() {
        file.extend(chunk);
    }
    assert_eq!(file, b"Product,Amount\na,1.50\n");
}

/// Calls may run in tasks of their own.
#[tokio::test]
async fn calls_can_be_spawned() {
    let (_fake, client) = start().await;
    let own = client.clone();
    let listed = tokio::spawn(async move { own.all_accounts("box").await });
    let report = tokio::spawn(async move { client.read_report(ReportSelection::default()).await });
    assert_eq!(listed.await.unwrap().unwrap().len(), 3);
    assert_eq!(report.await.unwrap().unwrap().rows.len(), 3);
}
