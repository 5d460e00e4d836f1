//! MeteringService.

use std::sync::Arc;

use prost::Message;
use souk_core::ids::{AccountId, DimensionKey, ProductCode, SandboxName};
use souk_core::metering::{RecordStatus, UsageOutcome};
use souk_core::rejection::Rejection;
use souk_core::rules::MAX_BATCH_RECORDS;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::metering_service_server::MeteringService;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::answer::{name_of, refuse};
use super::convert::page::{first_page, from_proto_page_size, from_proto_page_token, page};
use super::convert::records::{
    from_proto_named_inference, from_proto_named_record, from_proto_named_report, from_proto_named_run,
    from_proto_record_key, to_proto_metered_record, to_proto_record_key, to_proto_refused_record,
};
use super::convert::time::from_proto_optional_month;
use super::convert::usage::{
    from_proto_inferences, from_proto_instance_hours, from_proto_runs, from_proto_usage_request,
    to_proto_results, to_report_rejection,
};
use super::convert::wire::UsageView;
use super::refused::{Asked, METER_INFERENCES, METER_RUNS, note};
use super::usage_stream;
use crate::app::Souk;
use crate::app::records::WantedRecords;
use crate::app::refusals::{RefusedFilter, RefusedRecord};
use crate::error::AppError;

/// Metering over gRPC.
pub struct MeteringApi(pub Souk);

impl MeteringApi {
    /// Meters a `BatchMeterUsageRequest` as it came: the short way if it can, and else the long one.
    pub async fn batch(&self, message: &[u8]) -> Result<Vec<UsageOutcome>, Status> {
        if let Some(view) = UsageView::read(message) {
            let name = SandboxName::new(view.sandbox);
            if let Some(answer) = self.0.meter_known(&name, &view, MAX_BATCH_RECORDS).await.transpose() {
                let answer = answer.map_err(refuse);
                let is_metered = |o: &UsageOutcome| matches!(o.status, RecordStatus::Success(_));
                if !answer.as_ref().is_ok_and(|outcomes| outcomes.iter().all(is_metered)) {
                    noted(&self.0, &decode(message)?, answer.as_deref());
                }
                return answer;
            }
        }
        self.batch_decoded(&decode(message)?).await
    }

    async fn batch_decoded(
        &self,
        request: &proto::BatchMeterUsageRequest,
    ) -> Result<Vec<UsageOutcome>, Status> {
        let name = name_of(&request.sandbox)?;
        let answer = self.meter(&name, request).await;
        noted(&self.0, request, answer.as_deref());
        answer
    }

    async fn meter(
        &self,
        name: &SandboxName,
        request: &proto::BatchMeterUsageRequest,
    ) -> Result<Vec<UsageOutcome>, Status> {
        let proto::BatchMeterUsageRequest { product_code, region, usage_records, .. } = request;
        let usage = from_proto_usage_request(product_code, region, usage_records, MAX_BATCH_RECORDS);
        self.0.meter_unknown(name, usage.map_err(refuse)?).await.map_err(refuse)
    }

    async fn report(
        &self,
        name: &SandboxName,
        request: &proto::ReportInstanceHoursRequest,
    ) -> Result<Vec<UsageOutcome>, Status> {
        let parts = from_proto_instance_hours(&request.region, &request.reports).map_err(refuse)?;
        // Every product is checked before anything of one is metered.
        for (usage, positions) in &parts {
            self.0.check_usage(name, usage.clone()).map_err(|error| at_positions(error, positions))?;
        }
        let mut outcomes = Vec::new();
        for (usage, positions) in parts {
            let part = self.0.meter(name, usage).await.map_err(|error| at_positions(error, &positions))?;
            outcomes.extend(part.into_iter().filter_map(|mut outcome| {
                outcome.index = *positions.get(outcome.index as usize)?;
                Some(outcome)
            }));
        }
        outcomes.sort_by_key(|outcome| outcome.index);
        Ok(outcomes)
    }
}

#[tonic::async_trait]
impl MeteringService for MeteringApi {
    async fn batch_meter_usage(
        &self,
        request: Request<proto::BatchMeterUsageRequest>,
    ) -> Result<Response<proto::BatchMeterUsageResponse>, Status> {
        let outcomes = self.batch_decoded(request.get_ref()).await?;
        Ok(Response::new(proto::BatchMeterUsageResponse { results: to_proto_results(outcomes) }))
    }

    type StreamUsageStream = ReceiverStream<Result<proto::StreamUsageResponse, Status>>;

    async fn stream_usage(
        &self,
        request: Request<Streaming<proto::StreamUsageRequest>>,
    ) -> Result<Response<Self::StreamUsageStream>, Status> {
        let messages = request.into_inner().map(|message| Ok(message?.encode_to_vec().into()));
        Ok(Response::new(usage_stream::open(self.0.clone(), messages)))
    }

    async fn report_instance_hours(
        &self,
        request: Request<proto::ReportInstanceHoursRequest>,
    ) -> Result<Response<proto::ReportInstanceHoursResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let answer = self.report(&name, &request).await;
        let reports = &request.reports;
        let asked = Asked {
            sandbox: &request.sandbox,
            operation: "MeteringService/ReportInstanceHours",
            count: reports.len(),
        };
        note(&self.0, &asked, answer.as_deref(), |index| reports.get(index).map(from_proto_named_report));
        Ok(Response::new(proto::ReportInstanceHoursResponse { results: to_proto_results(answer?) }))
    }

    async fn meter_runs(
        &self,
        request: Request<proto::MeterRunsRequest>,
    ) -> Result<Response<proto::MeterRunsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let answer = match from_proto_runs(&request) {
            Ok(runs) => self.0.meter_runs(&name, runs).await.map_err(refuse),
            Err(rejection) => Err(refuse(rejection)),
        };
        let asked = Asked { sandbox: &request.sandbox, operation: METER_RUNS, count: request.runs.len() };
        note(&self.0, &asked, answer.as_deref(), |index| {
            Some(from_proto_named_run(&request.product_code, request.runs.get(index)?))
        });
        Ok(Response::new(proto::MeterRunsResponse { results: to_proto_results(answer?) }))
    }

    async fn meter_inferences(
        &self,
        request: Request<proto::MeterInferencesRequest>,
    ) -> Result<Response<proto::MeterInferencesResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let answer = match from_proto_inferences(&request) {
            Ok(calls) => self.0.meter_inferences(&name, calls).await.map_err(refuse),
            Err(rejection) => Err(refuse(rejection)),
        };
        let asked =
            Asked { sandbox: &request.sandbox, operation: METER_INFERENCES, count: request.inferences.len() };
        note(&self.0, &asked, answer.as_deref(), |index| from_proto_named_inference(&request, index));
        Ok(Response::new(proto::MeterInferencesResponse { results: to_proto_results(answer?) }))
    }

    async fn list_metered_records(
        &self,
        request: Request<proto::ListMeteredRecordsRequest>,
    ) -> Result<Response<proto::ListMeteredRecordsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let (buyer, month) = (&request.buyer_account_id, &request.month);
        let wanted = WantedRecords {
            product_code: given(&request.product_code).map(ProductCode::new),
            buyer: optional_buyer(buyer).map_err(refuse)?,
            dimension: given(&request.dimension).map(DimensionKey::new),
            month: from_proto_optional_month(month, "month").map_err(refuse)?,
        };
        let list =
            format!("metered {name} {buyer} {month} {:?} {:?}", request.product_code, request.dimension);
        let size = from_proto_page_size(request.page_size).map_err(refuse)?;
        let after = from_proto_page_token(&list, &request.page_token).map_err(refuse)?;
        let after = after.as_deref().and_then(from_proto_record_key);
        let records = self.0.metered_records(&name, wanted, after, size + 1).await.map_err(refuse)?;
        let (records, next_page_token) = first_page(&list, records, to_proto_record_key, size);
        let market = self.0.market(&name).map_err(refuse)?;
        let metered_records = records.iter().map(|record| to_proto_metered_record(record, &market)).collect();
        Ok(Response::new(proto::ListMeteredRecordsResponse { metered_records, next_page_token }))
    }

    async fn list_refused_records(
        &self,
        request: Request<proto::ListRefusedRecordsRequest>,
    ) -> Result<Response<proto::ListRefusedRecordsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let (buyer, month) = (&request.buyer_account_id, &request.month);
        let filter = RefusedFilter {
            product_code: given(&request.product_code).map(str::to_owned),
            buyer: optional_buyer(buyer).map_err(refuse)?,
            dimension: given(&request.dimension).map(str::to_owned),
            month: from_proto_optional_month(month, "month").map_err(refuse)?,
        };
        let list =
            format!("refused {name} {buyer} {month} {:?} {:?}", request.product_code, request.dimension);
        let refused = self.0.refused_records(&name, &filter).map_err(refuse)?;
        // The newest first.
        let key = |refused: &Arc<RefusedRecord>| format!("{:020}", u64::MAX - refused.number);
        let (refused, next_page_token) =
            page(&list, refused, key, request.page_size, &request.page_token).map_err(refuse)?;
        let refused_records = refused.iter().map(|refused| to_proto_refused_record(refused)).collect();
        Ok(Response::new(proto::ListRefusedRecordsResponse { refused_records, next_page_token }))
    }
}

/// Decodes a batch; what is wrong with it is said as the generated codec says it.
fn decode(message: &[u8]) -> Result<proto::BatchMeterUsageRequest, Status> {
    proto::BatchMeterUsageRequest::decode(message).map_err(|error| Status::internal(error.to_string()))
}

/// Notes what was refused of a batch.
fn noted(souk: &Souk, request: &proto::BatchMeterUsageRequest, answer: Result<&[UsageOutcome], &Status>) {
    let records = &request.usage_records;
    let asked = Asked {
        sandbox: &request.sandbox,
        operation: "MeteringService/BatchMeterUsage",
        count: records.len(),
    };
    note(souk, &asked, answer, |index| {
        Some(from_proto_named_record(&request.product_code, records.get(index)?))
    });
}

/// A text of a filter; empty, it takes all.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn optional_buyer(text: &str) -> Result<Option<AccountId>, Rejection> {
    given(text).map(|text| AccountId::from_field(text, "buyerAccountId")).transpose()
}

fn at_positions(error: AppError, positions: &[u32]) -> Status {
    match error {
        AppError::Rejected(rejection) => refuse(to_report_rejection(rejection, positions)),
        other => refuse(other),
    }
}
