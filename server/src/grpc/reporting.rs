//! ReportingService.

use souk_core::ids::{AccountId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::reports::{self, Report, Row};
use souk_core::rules::OfferIdColumn;
use souk_proto::reporting::v1 as proto;
use souk_proto::reporting::v1::reporting_service_server::ReportingService;
use tokio_stream::Iter;
use tonic::{Request, Response, Status};

use super::answer::refuse;
use super::convert::required;
use super::convert::sandbox::from_proto_sandbox_name;
use super::convert::time::{from_proto_optional_date, from_proto_optional_month};
use crate::app::Souk;
use crate::app::reporting::Asked;
use crate::error::AppError;
use crate::export;

/// Rows of one message of a stream.
const ROWS_PER_MESSAGE: usize = 500;
/// Bytes of one message of an export.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reports over gRPC.
pub struct ReportingApi(pub Souk);

/// The kinds of the contract, by the names of AWS's data sets.
const KINDS: [proto::ReportKind; 31] = [
    proto::ReportKind::MonthlyRevenueBillingAndRevenueData,
    proto::ReportKind::MonthlyRevenueAnnualSubscriptions,
    proto::ReportKind::MonthlyRevenueFlexiblePaymentSchedule,
    proto::ReportKind::SalesCompensationBilledRevenue,
    proto::ReportKind::DisbursedAmountByAgeOfUncollectedFunds,
    proto::ReportKind::DisbursedAmountByAgeOfPastDueFunds,
    proto::ReportKind::DisbursedAmountByUncollectedFundsBreakdown,
    proto::ReportKind::DisbursedAmountByProduct,
    proto::ReportKind::DisbursedAmountByAgeOfDisbursedFunds,
    proto::ReportKind::BillingeventfeedV1,
    proto::ReportKind::MonthlyRevenueFieldDemonstrationUsage,
    proto::ReportKind::DailyBusinessUsageByInstanceType,
    proto::ReportKind::DailyBusinessFees,
    proto::ReportKind::DailyBusinessFreeTrialConversions,
    proto::ReportKind::DailyBusinessNewInstances,
    proto::ReportKind::DailyBusinessNewProductSubscribers,
    proto::ReportKind::DailyBusinessCanceledProductSubscribers,
    proto::ReportKind::DailyUsageV1,
    proto::ReportKind::BilledRevenueDashboard,
    proto::ReportKind::ProductfeedV1,
    proto::ReportKind::OfferfeedV1,
    proto::ReportKind::OfferproductfeedV1,
    proto::ReportKind::OffertargetfeedV1,
    proto::ReportKind::AccountfeedV1,
    proto::ReportKind::AgreementfeedV1,
    proto::ReportKind::AgreementchargefeedV1,
    proto::ReportKind::DisbursedAmountByCustomerGeo,
    proto::ReportKind::DisbursedAmountByInstanceHours,
    proto::ReportKind::CustomerSubscriberHourlyMonthlySubscriptions,
    proto::ReportKind::CustomerSubscriberAnnualSubscriptions,
    proto::ReportKind::AgreementDetails,
];

fn report_of(kind: proto::ReportKind) -> Option<&'static Report> {
    let name = kind.as_str_name().strip_prefix("REPORT_KIND_")?.to_ascii_lowercase();
    reports::by_name(&name)
}

/// A selection in the core's words.
struct Selected {
    sandbox: SandboxName,
    report: &'static Report,
    seller: AccountId,
    asked: Asked,
}

fn select(selection: Option<proto::ReportSelection>) -> Result<Selected, Rejection> {
    let selection = required(selection, "report")?;
    let within = |r: Rejection| r.within("report");
    let report = proto::ReportKind::try_from(selection.kind).ok().and_then(report_of).ok_or_else(|| {
        Rejection::new(Code::FieldInvalid, "report.kind", "it is no report: list the reports that exist")
    })?;
    let column = match proto::ReportProfile::try_from(selection.profile) {
        Ok(proto::ReportProfile::Unspecified) => None,
        Ok(proto::ReportProfile::Legacy) => Some(OfferIdColumn::Legacy),
        Ok(proto::ReportProfile::Dashboard) => Some(OfferIdColumn::Dashboard),
        Err(_) => {
            let message = format!("{} is no profile: take LEGACY or DASHBOARD", selection.profile);
            return Err(Rejection::new(Code::FieldInvalid, "report.profile", message));
        }
    };
    report.check_current(selection.current).map_err(within)?;
    let month = from_proto_optional_month(&selection.month, "month").map_err(within)?;
    let date = from_proto_optional_date(&selection.date, "date").map_err(within)?;
    Ok(Selected {
        sandbox: from_proto_sandbox_name(&selection.sandbox, "sandbox").map_err(within)?,
        report,
        seller: AccountId::from_field(&selection.seller_account_id, "sellerAccountId").map_err(within)?,
        asked: Asked {
            period: report.period(month, date).map_err(within)?,
            column,
            current: selection.current,
        },
    })
}

type Messages<T> = Iter<std::vec::IntoIter<Result<T, Status>>>;

#[tonic::async_trait]
impl ReportingService for ReportingApi {
    async fn list_reports(
        &self,
        _request: Request<proto::ListReportsRequest>,
    ) -> Result<Response<proto::ListReportsResponse>, Status> {
        let describe = |kind: proto::ReportKind| {
            let report = report_of(kind)?;
            let columns = report.columns.iter().map(|&column| column.to_owned()).collect();
            let period = match report.asks.is_daily() {
                true => proto::ReportPeriod::Day,
                false => proto::ReportPeriod::Month,
            };
            let title = report.title.to_owned();
            let has_history = report.asks.has_history();
            let (kind, period) = (kind.into(), period.into());
            Some(proto::ReportDescription { kind, title, columns, period, has_history })
        };
        let reports = KINDS.into_iter().filter_map(describe).collect();
        Ok(Response::new(proto::ListReportsResponse { reports }))
    }

    type StreamReportStream = Messages<proto::StreamReportResponse>;

    async fn stream_report(
        &self,
        request: Request<proto::StreamReportRequest>,
    ) -> Result<Response<Self::StreamReportStream>, Status> {
        let selected = select(request.into_inner().report).map_err(refuse)?;
        let rows = self.rows(&selected).await?;
        let columns = selected.report.columns.iter().map(|&column| column.to_owned()).collect();
        let mut messages = vec![Ok(proto::StreamReportResponse { columns, rows: Vec::new() })];
        for part in rows.chunks(ROWS_PER_MESSAGE) {
            let rows = part.iter().map(|cells| proto::ReportRow { cells: cells.clone() }).collect();
            messages.push(Ok(proto::StreamReportResponse { columns: Vec::new(), rows }));
        }
        Ok(Response::new(tokio_stream::iter(messages)))
    }

    type ExportReportStream = Messages<proto::ExportReportResponse>;

    async fn export_report(
        &self,
        request: Request<proto::ExportReportRequest>,
    ) -> Result<Response<Self::ExportReportStream>, Status> {
        let request = request.into_inner();
        if proto::ExportFormat::try_from(request.format).is_err() {
            let message = format!("{} is no format: take CSV", request.format);
            return Err(refuse(Rejection::new(Code::FieldInvalid, "format", message)));
        }
        let selected = select(request.report).map_err(refuse)?;
        let rows = self.rows(&selected).await?;
        let file = export::csv(selected.report.columns, &rows).map_err(|_| super::status::internal())?;
        let chunk = |bytes: &[u8]| Ok(proto::ExportReportResponse { chunk: bytes.to_vec() });
        let messages: Vec<_> = file.chunks(CHUNK_BYTES).map(chunk).collect();
        Ok(Response::new(tokio_stream::iter(messages)))
    }
}

impl ReportingApi {
    async fn rows(&self, selected: &Selected) -> Result<Vec<Row>, Status> {
        let Selected { sandbox, report, seller, asked } = selected;
        let rows = self.0.report(sandbox, report, *seller, *asked).await;
        rows.map_err(|error| match error {
            AppError::Rejected(rejection) => refuse(rejection.within("report")),
            other => refuse(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_has_a_kind_and_every_kind_a_report() {
        let named: Vec<_> = KINDS.into_iter().filter_map(report_of).map(|report| report.name).collect();
        let all: Vec<_> = reports::ALL.iter().map(|report| report.name).collect();
        assert_eq!(named, all);
    }
}
