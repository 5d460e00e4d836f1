//! A server that answers what a test tells it, on a port that the system chooses.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use souk_proto::account::v1::account_service_server::{AccountService, AccountServiceServer};
use souk_proto::account::v1::{
    Account, GetAccountRequest, GetAccountResponse, ListAccountsRequest, ListAccountsResponse,
    PutAccountRequest, PutAccountResponse,
};
use souk_proto::metering::v1::metering_service_server::{MeteringService, MeteringServiceServer};
use souk_proto::metering::v1::{
    BatchMeterUsageRequest, BatchMeterUsageResponse, ListMeteredRecordsRequest, ListMeteredRecordsResponse,
    ListRefusedRecordsRequest, ListRefusedRecordsResponse, MessageRefusal, MeterInferencesRequest,
    MeterInferencesResponse, MeterRunsRequest, MeterRunsResponse, ReportInstanceHoursRequest,
    ReportInstanceHoursResponse, StreamUsageRequest, StreamUsageResponse, UsageRecordResult,
    UsageRecordStatus,
};
use souk_proto::reporting::v1::reporting_service_server::{ReportingService, ReportingServiceServer};
use souk_proto::reporting::v1::{
    ExportReportRequest, ExportReportResponse, ListReportsRequest, ListReportsResponse, ReportRow,
    StreamReportRequest, StreamReportResponse,
};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// What the server does next and what it has seen.
#[derive(Default)]
pub struct Script {
    /// Refuses the next calls with these.
    pub refusals: VecDeque<Status>,
    /// The statuses of the next answers about records; success when there is none left.
    pub statuses: VecDeque<UsageRecordStatus>,
    /// Ends a stream with this status instead of answering the message of this number.
    pub break_at: Option<(u64, Status)>,
    /// What was called, with the grpc-timeout header where it is of interest.
    pub seen: Vec<String>,
    /// The grpc-timeout of the last call.
    pub timeout: Option<String>,
}

/// The server; it ends with the test's runtime.
#[derive(Clone, Default)]
pub struct Fake {
    script: Arc<Mutex<Script>>,
}

impl Fake {
    /// Starts it; answers its address.
    pub async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(AccountServiceServer::new(self.clone()))
            .add_service(MeteringServiceServer::new(self.clone()))
            .add_service(ReportingServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        endpoint
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Writes a call down, and refuses it when the script says so.
    fn called<T>(&self, what: String, request: &Request<T>) -> Result<(), Status> {
        let mut script = self.script();
        script.seen.push(what);
        script.timeout =
            request.metadata().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
        script.refusals.pop_front().map_or(Ok(()), Err)
    }

    fn results(&self, count: usize) -> Vec<UsageRecordResult> {
        let mut script = self.script();
        (0..count)
            .map(|index| UsageRecordResult {
                record_index: index as u32,
                status: script.statuses.pop_front().unwrap_or(UsageRecordStatus::Success).into(),
                metering_record_id: format!("id-{index}"),
            })
            .collect()
    }

    fn answer(
        &self,
        message_index: u64,
        message: &StreamUsageRequest,
    ) -> Result<StreamUsageResponse, Status> {
        let mut script = self.script();
        script.seen.push(format!("message {} of {}", message_index, message.usage_records.len()));
        match &script.break_at {
            Some((at, status)) if *at == message_index => return Err(status.clone()),
            Some(_) | None => {}
        }
        drop(script);
        if message.product_code == "refused" {
            let refusal = MessageRefusal {
                code: "INVALID_PRODUCT_CODE".to_owned(),
                field: "product_code".to_owned(),
                message: "no such product".to_owned(),
            };
            return Ok(StreamUsageResponse { message_index, refusal: Some(refusal), ..Default::default() });
        }
        let (success, exceptions): (Vec<_>, Vec<_>) = self
            .results(message.usage_records.len())
            .into_iter()
            .partition(|result| result.status() == UsageRecordStatus::Success);
        Ok(StreamUsageResponse {
            message_index,
            success_count: success.len() as u32,
            exceptions,
            refusal: None,
        })
    }
}

#[tonic::async_trait]
impl AccountService for Fake {
    async fn put_account(
        &self,
        request: Request<PutAccountRequest>,
    ) -> Result<Response<PutAccountResponse>, Status> {
        self.called("PutAccount".to_owned(), &request)?;
        Ok(Response::new(PutAccountResponse { account: request.into_inner().account }))
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        self.called("GetAccount".to_owned(), &request)?;
        let account = Account { account_id: request.into_inner().account_id, ..Account::default() };
        Ok(Response::new(GetAccountResponse { account: Some(account) }))
    }

    /// Three pages of one account.
    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        self.called("ListAccounts".to_owned(), &request)?;
        let page = request.get_ref().page_token.len();
        let account = Account {
            account_id: format!("{}", 111_111_111_111_u64 * (page as u64 + 1)),
            company_name: "A, B and sons".to_owned(),
            ..Account::default()
        };
        let next_page_token = if page < 2 { "x".repeat(page + 1) } else { String::new() };
        Ok(Response::new(ListAccountsResponse { accounts: vec![account], next_page_token }))
    }
}

type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl MeteringService for Fake {
    async fn batch_meter_usage(
        &self,
        request: Request<BatchMeterUsageRequest>,
    ) -> Result<Response<BatchMeterUsageResponse>, Status> {
        let count = request.get_ref().usage_records.len();
        self.called(format!("BatchMeterUsage of {count}"), &request)?;
        Ok(Response::new(BatchMeterUsageResponse { results: self.results(count) }))
    }

    type StreamUsageStream = Outgoing<StreamUsageResponse>;

    async fn stream_usage(
        &self,
        request: Request<Streaming<StreamUsageRequest>>,
    ) -> Result<Response<Self::StreamUsageStream>, Status> {
        self.called("StreamUsage".to_owned(), &request)?;
        let (fake, mut index) = (self.clone(), 0);
        let answers = request.into_inner().map(move |message| {
            let answer = fake.answer(index, &message?);
            index += 1;
            answer
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn report_instance_hours(
        &self,
        request: Request<ReportInstanceHoursRequest>,
    ) -> Result<Response<ReportInstanceHoursResponse>, Status> {
        let count = request.get_ref().reports.len();
        self.called(format!("ReportInstanceHours of {count}"), &request)?;
        Ok(Response::new(ReportInstanceHoursResponse { results: self.results(count) }))
    }

    async fn meter_runs(
        &self,
        request: Request<MeterRunsRequest>,
    ) -> Result<Response<MeterRunsResponse>, Status> {
        let count = request.get_ref().runs.len();
        self.called(format!("MeterRuns of {count}"), &request)?;
        Ok(Response::new(MeterRunsResponse { results: self.results(count) }))
    }

    async fn meter_inferences(
        &self,
        request: Request<MeterInferencesRequest>,
    ) -> Result<Response<MeterInferencesResponse>, Status> {
        let count = request.get_ref().inferences.len();
        self.called(format!("MeterInferences of {count}"), &request)?;
        Ok(Response::new(MeterInferencesResponse { results: self.results(count) }))
    }

    async fn list_metered_records(
        &self,
        request: Request<ListMeteredRecordsRequest>,
    ) -> Result<Response<ListMeteredRecordsResponse>, Status> {
        self.called("ListMeteredRecords".to_owned(), &request)?;
        Ok(Response::new(ListMeteredRecordsResponse::default()))
    }

    async fn list_refused_records(
        &self,
        request: Request<ListRefusedRecordsRequest>,
    ) -> Result<Response<ListRefusedRecordsResponse>, Status> {
        self.called("ListRefusedRecords".to_owned(), &request)?;
        Ok(Response::new(ListRefusedRecordsResponse::default()))
    }
}

#[tonic::async_trait]
impl ReportingService for Fake {
    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        self.called("ListReports".to_owned(), &request)?;
        Ok(Response::new(ListReportsResponse::default()))
    }

    type StreamReportStream = Outgoing<StreamReportResponse>;

    async fn stream_report(
        &self,
        request: Request<StreamReportRequest>,
    ) -> Result<Response<Self::StreamReportStream>, Status> {
        self.called("StreamReport".to_owned(), &request)?;
        let row = |cell: &str| ReportRow { cells: vec![cell.to_owned(), "1.50".to_owned()] };
        let columns = ["Product", "Amount"].map(str::to_owned).into();
        let messages = [
            StreamReportResponse { columns, rows: vec![row("a")] },
            StreamReportResponse { columns: Vec::new(), rows: vec![row("b"), row("c")] },
        ];
        Ok(Response::new(Box::pin(tokio_stream::iter(messages.map(Ok)))))
    }

    type ExportReportStream = Outgoing<ExportReportResponse>;

    async fn export_report(
        &self,
        request: Request<ExportReportRequest>,
    ) -> Result<Response<Self::ExportReportStream>, Status> {
        self.called("ExportReport".to_owned(), &request)?;
        let chunks = ["Product,Amount\n", "a,1.50\n"];
        let messages = chunks.map(|chunk| Ok(ExportReportResponse { chunk: chunk.into() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }
}
