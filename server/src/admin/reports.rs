//! Seller reports: as a file, or as the rows of the contract in one message.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use souk_proto::reporting::v1 as proto;
use souk_proto::reporting::v1::reporting_service_server::ReportingService;
use tokio_stream::StreamExt;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::grpc::reporting::ReportingApi;

const FORMAT: &str = "format";
const CURRENT: &str = "current";
/// The parameters of a report.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "month", field: "month" },
    Parameter { name: "date", field: "date" },
    Parameter { name: "seller", field: "sellerAccountId" },
    Parameter { name: "profile", field: "profile" },
    Parameter { name: CURRENT, field: CURRENT },
    Parameter { name: FORMAT, field: FORMAT },
];

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv,
    Json,
}

/// Lists the reports that exist.
pub async fn list(souk: &Souk) -> Result<Response, Refused> {
    let answer = ReportingApi(souk.clone()).list_reports(Request::new(proto::ListReportsRequest {})).await?;
    super::message("souk.reporting.v1.ListReportsResponse", answer.into_inner()).await
}

/// Renders a report: CSV, as in the contract, when no format is given.
pub async fn render(souk: &Souk, name: &str, kind: &str, mut fields: Fields) -> Result<Response, Refused> {
    let format = match fields.remove(FORMAT).as_ref().and_then(|format| format.as_str()) {
        None | Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        Some(other) => {
            return Err(Refused::field(FORMAT, format!("\"{other}\" is no format: take csv or json")));
        }
    };
    match fields.remove(CURRENT).as_ref().and_then(|current| current.as_str()) {
        None | Some("false") => {}
        Some("true") => {
            fields.insert(CURRENT.to_owned(), true.into());
        }
        Some(other) => {
            return Err(Refused::field(
                CURRENT,
                format!("\"{other}\" is no truth value: take true or false"),
            ));
        }
    }
    fields.insert("sandbox".to_owned(), name.into());
    fields.insert("kind".to_owned(), kind.into());
    let rendered = async {
        let report = Some(request::message("souk.reporting.v1.ReportSelection", fields)?);
        match format {
            Format::Csv => csv(souk, report).await,
            Format::Json => rows(souk, report).await,
        }
    };
    rendered.await.map_err(|refused: Refused| refused.in_words_of("report.", PARAMETERS))
}

async fn csv(souk: &Souk, report: Option<proto::ReportSelection>) -> Result<Response, Refused> {
    let request = proto::ExportReportRequest { report, format: proto::ExportFormat::Csv.into() };
    let answer = ReportingApi(souk.clone()).export_report(Request::new(request)).await?;
    let mut parts = answer.into_inner();
    let mut file = Vec::new();
    while let Some(part) = parts.next().await {
        file.extend(part?.chunk);
    }
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], file).into_response())
}

async fn rows(souk: &Souk, report: Option<proto::ReportSelection>) -> Result<Response, Refused> {
    let request = proto::StreamReportRequest { report };
    let answer = ReportingApi(souk.clone()).stream_report(Request::new(request)).await?;
    let mut parts = answer.into_inner();
    let mut whole = proto::StreamReportResponse::default();
    while let Some(part) = parts.next().await {
        let part = part?;
        whole.columns.extend(part.columns);
        whole.rows.extend(part.rows);
    }
    super::message("souk.reporting.v1.StreamReportResponse", whole).await
}
