//! Usage: batches, streams, and reported instance-hours; and what was received.

use souk_proto::metering::v1::metering_service_client::MeteringServiceClient;
use souk_proto::metering::v1::{
    BatchMeterUsageRequest, ListMeteredRecordsRequest, ListRefusedRecordsRequest, MeterInferencesRequest,
    MeterRunsRequest, MeteredRecord, RefusedRecord, ReportInstanceHoursRequest, StreamUsageRequest,
    UsageRecordResult,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::{
    Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, UsageStream, paging, resend,
    usage_stream,
};

/// Records of one BatchMeterUsage.
pub const BATCH_RECORDS_MAX: usize = 25;
/// Records of one message of a stream.
pub const STREAM_RECORDS_MAX: usize = 5_000;
/// Reports of one ReportInstanceHours.
pub const REPORTS_MAX: usize = 5_000;
/// Runs of one MeterRuns.
pub const RUNS_MAX: usize = 5_000;
/// Calls of one MeterInferences.
pub const INFERENCES_MAX: usize = 5_000;

/// Which records to list; empty fields take all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only of the product with this code.
    pub product_code: String,
    /// Only of this buyer.
    pub buyer_account_id: String,
    /// Only of this dimension.
    pub dimension: String,
    /// Only of this month: YYYY-MM.
    pub month: String,
}

fn service(channel: Channel) -> MeteringServiceClient<Channel> {
    MeteringServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Meters up to 25 records of one product. Repeated by itself, and records that the server could not
    /// process are sent again. The results are in the order of the request.
    ///
    /// # Errors
    /// When the server refuses the request as a whole or cannot be reached. What became of a single record is
    /// no error but its status.
    pub async fn batch_meter_usage(
        &self,
        request: BatchMeterUsageRequest,
    ) -> Result<Vec<UsageRecordResult>, ClientError> {
        let call = Call::BatchMeterUsage;
        let BatchMeterUsageRequest { sandbox, product_code, region, usage_records } = request;
        let send_records = |usage_records| {
            let question = BatchMeterUsageRequest {
                sandbox: sandbox.clone(),
                product_code: product_code.clone(),
                region: region.clone(),
                usage_records,
            };
            async {
                let send =
                    |channel, request| async move { service(channel).batch_meter_usage(request).await };
                Ok(self.unary(call, question, send).await?.results)
            }
        };
        resend::until_processed(self.settings(), call, usage_records, send_records).await
    }

    /// Reports up to 5,000 instance-hours. Repeated by itself like [`SoukClient::batch_meter_usage`].
    ///
    /// # Errors
    /// When the server refuses the request as a whole or cannot be reached.
    pub async fn report_instance_hours(
        &self,
        request: ReportInstanceHoursRequest,
    ) -> Result<Vec<UsageRecordResult>, ClientError> {
        let call = Call::ReportInstanceHours;
        let ReportInstanceHoursRequest { sandbox, region, reports } = request;
        let send_reports = |reports| {
            let question =
                ReportInstanceHoursRequest { sandbox: sandbox.clone(), region: region.clone(), reports };
            async {
                let send =
                    |channel, request| async move { service(channel).report_instance_hours(request).await };
                Ok(self.unary(call, question, send).await?.results)
            }
        };
        resend::until_processed(self.settings(), call, reports, send_reports).await
    }

    /// Meters up to 5,000 runs of one product. Repeated by itself like [`SoukClient::batch_meter_usage`].
    ///
    /// # Errors
    /// When the server refuses the request as a whole or cannot be reached.
    pub async fn meter_runs(&self, request: MeterRunsRequest) -> Result<Vec<UsageRecordResult>, ClientError> {
        let call = Call::MeterRuns;
        let MeterRunsRequest { sandbox, product_code, region, runs } = request;
        let send_runs = |runs| {
            let question = MeterRunsRequest {
                sandbox: sandbox.clone(),
                product_code: product_code.clone(),
                region: region.clone(),
                runs,
            };
            async {
                let send = |channel, request| async move { service(channel).meter_runs(request).await };
                Ok(self.unary(call, question, send).await?.results)
            }
        };
        resend::until_processed(self.settings(), call, runs, send_runs).await
    }

    /// Meters up to 5,000 calls of a buyer. Repeated by itself like [`SoukClient::batch_meter_usage`].
    ///
    /// # Errors
    /// When the server refuses the request as a whole or cannot be reached.
    pub async fn meter_inferences(
        &self,
        request: MeterInferencesRequest,
    ) -> Result<Vec<UsageRecordResult>, ClientError> {
        let call = Call::MeterInferences;
        let MeterInferencesRequest { inferences, .. } = request.clone();
        let send_calls = |inferences| {
            let question = MeterInferencesRequest { inferences, ..request.clone() };
            async {
                let send = |channel, request| async move { service(channel).meter_inferences(request).await };
                Ok(self.unary(call, question, send).await?.results)
            }
        };
        resend::until_processed(self.settings(), call, inferences, send_calls).await
    }

    /// Opens a stream of usage with at most so many messages (at least one) without an answer. Nothing is
    /// repeated by itself: after an error go on from the first message that was not answered.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn stream_usage(&self, in_flight_max: usize) -> Result<UsageStream, ClientError> {
        let in_flight_max = in_flight_max.max(1);
        let (messages, outgoing) = tokio::sync::mpsc::channel::<StreamUsageRequest>(in_flight_max);
        let opening = async {
            let answers = service(self.channel()).stream_usage(ReceiverStream::new(outgoing)).await;
            answers.map_err(|status| self.failure(Call::StreamUsage, status))
        };
        let deadline = self.settings().deadline;
        let Ok(opened) = tokio::time::timeout(deadline, opening).await else {
            return Err(ClientError::TimedOut { call: Call::StreamUsage, deadline });
        };
        Ok(usage_stream::new(self.clone(), messages, opened?.into_inner(), in_flight_max))
    }

    /// Lists a page of the records that stand, by hour and id.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_metered_records(
        &self,
        sandbox: &str,
        filter: &RecordFilter,
        page: PageRequest,
    ) -> Result<Page<MeteredRecord>, ClientError> {
        let question = ListMeteredRecordsRequest {
            sandbox: sandbox.to_owned(),
            product_code: filter.product_code.clone(),
            buyer_account_id: filter.buyer_account_id.clone(),
            dimension: filter.dimension.clone(),
            month: filter.month.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_metered_records(request).await };
        let answer = self.unary(Call::ListMeteredRecords, question, send).await?;
        Ok(Page { entries: answer.metered_records, next_page_token: answer.next_page_token })
    }

    /// Lists all records that stand and that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_metered_records(
        &self,
        sandbox: &str,
        filter: &RecordFilter,
    ) -> Result<Vec<MeteredRecord>, ClientError> {
        paging::all(Call::ListMeteredRecords, |page| self.list_metered_records(sandbox, filter, page)).await
    }

    /// Lists a page of the records that were refused lately, newest first.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_refused_records(
        &self,
        sandbox: &str,
        filter: &RecordFilter,
        page: PageRequest,
    ) -> Result<Page<RefusedRecord>, ClientError> {
        let question = ListRefusedRecordsRequest {
            sandbox: sandbox.to_owned(),
            product_code: filter.product_code.clone(),
            buyer_account_id: filter.buyer_account_id.clone(),
            dimension: filter.dimension.clone(),
            month: filter.month.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_refused_records(request).await };
        let answer = self.unary(Call::ListRefusedRecords, question, send).await?;
        Ok(Page { entries: answer.refused_records, next_page_token: answer.next_page_token })
    }

    /// Lists all records that were refused lately and that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_refused_records(
        &self,
        sandbox: &str,
        filter: &RecordFilter,
    ) -> Result<Vec<RefusedRecord>, ClientError> {
        paging::all(Call::ListRefusedRecords, |page| self.list_refused_records(sandbox, filter, page)).await
    }
}
