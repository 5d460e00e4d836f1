//! Invoices: listed, read, explained and previewed.

use axum::response::Response;
use souk_proto::billing::v1 as proto;
use souk_proto::billing::v1::billing_service_server::BillingService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::grpc::billing::BillingApi;

/// The parameters of a list.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "payer", field: "payerAccountId" },
    Parameter { name: "month", field: "billingPeriod" },
    Parameter { name: "pageSize", field: "pageSize" },
    Parameter { name: "pageToken", field: "pageToken" },
];

/// The parameters of an explanation.
pub const EXPLANATION_PARAMETERS: &[Parameter] =
    &[Parameter { name: "pageSize", field: "pageSize" }, Parameter { name: "pageToken", field: "pageToken" }];
/// The parameters of a preview.
pub const PREVIEW_PARAMETERS: &[Parameter] = &[
    Parameter { name: "payer", field: "payerAccountId" },
    Parameter { name: "month", field: "billingPeriod" },
];

/// Lists them, without their lines.
pub async fn list(souk: &Souk, name: &str, mut fields: Fields) -> Result<Response, Refused> {
    fields.insert("sandbox".to_owned(), name.into());
    let request: Result<proto::ListInvoicesRequest, _> =
        request::message("souk.billing.v1.ListInvoicesRequest", fields);
    let words = |refused: Refused| refused.in_words_of("", PARAMETERS);
    let api = BillingApi(souk.clone());
    let answer = api.list_invoices(Request::new(request.map_err(words)?)).await;
    let answer = answer.map_err(|status| words(status.into()))?;
    super::message("souk.billing.v1.ListInvoicesResponse", answer.into_inner()).await
}

/// Reads one, with its lines.
pub async fn get(souk: &Souk, name: &str, id: &str) -> Result<Response, Refused> {
    let request = proto::GetInvoiceRequest { sandbox: name.to_owned(), invoice_id: id.to_owned() };
    let answer = BillingApi(souk.clone()).get_invoice(Request::new(request)).await?;
    super::message("souk.billing.v1.GetInvoiceResponse", answer.into_inner()).await
}

/// Explains a line by a page of its hours.
pub async fn explain(
    souk: &Souk,
    name: &str,
    id: &str,
    line: &str,
    mut fields: Fields,
) -> Result<Response, Refused> {
    fields.insert("sandbox".to_owned(), name.into());
    fields.insert("invoiceId".to_owned(), id.into());
    fields.insert("lineNumber".to_owned(), line.into());
    let request: proto::ExplainInvoiceLineRequest =
        request::message("souk.billing.v1.ExplainInvoiceLineRequest", fields)?;
    let answer = BillingApi(souk.clone()).explain_invoice_line(Request::new(request)).await?;
    super::message("souk.billing.v1.ExplainInvoiceLineResponse", answer.into_inner()).await
}

/// The usage invoices that a payer would get if an open month closed now.
pub async fn preview(souk: &Souk, name: &str, mut fields: Fields) -> Result<Response, Refused> {
    fields.insert("sandbox".to_owned(), name.into());
    let request: Result<proto::PreviewInvoicesRequest, _> =
        request::message("souk.billing.v1.PreviewInvoicesRequest", fields);
    let words = |refused: Refused| refused.in_words_of("", PREVIEW_PARAMETERS);
    let api = BillingApi(souk.clone());
    let answer = api.preview_invoices(Request::new(request.map_err(words)?)).await;
    let answer = answer.map_err(|status| words(status.into()))?;
    super::message("souk.billing.v1.PreviewInvoicesResponse", answer.into_inner()).await
}
