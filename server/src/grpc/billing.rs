//! BillingService.

use souk_core::ids::{AccountId, InvoiceId};
use souk_core::invoicing::payment::Standing;
use souk_core::rejection::Rejection;
use souk_proto::billing::v1 as proto;
use souk_proto::billing::v1::billing_service_server::BillingService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse};
use super::convert::adjustment::from_proto_adjustments;
use super::convert::billing::{
    to_proto_explained_hour, to_proto_invoice, to_proto_invoice_head, to_proto_invoice_line, to_proto_preview,
};
use super::convert::page::page;
use super::convert::required_text;
use super::convert::time::from_proto_optional_month;
use crate::app::Souk;

/// Billing over gRPC.
pub struct BillingApi(pub Souk);

fn invoice_id(text: &str) -> Result<InvoiceId, Status> {
    required_text(text, "invoiceId").map(InvoiceId::new).map_err(refuse)
}

fn optional_payer(text: &str) -> Result<Option<AccountId>, Rejection> {
    (!text.is_empty()).then(|| AccountId::from_field(text, "payerAccountId")).transpose()
}

#[tonic::async_trait]
impl BillingService for BillingApi {
    async fn list_invoices(
        &self,
        request: Request<proto::ListInvoicesRequest>,
    ) -> Result<Response<proto::ListInvoicesResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let payer = optional_payer(&request.payer_account_id).map_err(refuse)?;
        let month = from_proto_optional_month(&request.billing_period, "billingPeriod").map_err(refuse)?;
        let invoices = self.0.invoices(&name, payer, month).await.map_err(refuse)?;
        let list = format!("invoices of {name} {} {}", request.payer_account_id, request.billing_period);
        // Invoices come by payer and issue: their position in that order is numbered by the payer's counter.
        let key = |standing: &Standing| {
            format!("{} {:0>10}", standing.invoice.payer, counter(&standing.invoice.id))
        };
        let (invoices, next_page_token) =
            page(&list, invoices, key, request.page_size, &request.page_token).map_err(refuse)?;
        let invoices = invoices.iter().map(to_proto_invoice_head).collect();
        Ok(Response::new(proto::ListInvoicesResponse { invoices, next_page_token }))
    }

    async fn get_invoice(
        &self,
        request: Request<proto::GetInvoiceRequest>,
    ) -> Result<Response<proto::GetInvoiceResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let invoice = self.0.invoice(&name, invoice_id(&request.invoice_id)?).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        Ok(Response::new(proto::GetInvoiceResponse { invoice: Some(to_proto_invoice(&invoice, &market)) }))
    }

    async fn explain_invoice_line(
        &self,
        request: Request<proto::ExplainInvoiceLineRequest>,
    ) -> Result<Response<proto::ExplainInvoiceLineResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let (id, number) = (invoice_id(&request.invoice_id)?, request.line_number);
        let (line, hours) = self.0.explain(&name, id, number).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let list = format!("hours of {name} {} {number}", request.invoice_id);
        let key = |hour: &souk_core::rating::ExplainedHour| format!("{:010}", hour.hour.index());
        let (hours, next_page_token) =
            page(&list, hours, key, request.page_size, &request.page_token).map_err(refuse)?;
        Ok(Response::new(proto::ExplainInvoiceLineResponse {
            line: Some(to_proto_invoice_line(&line, number, &market)),
            hours: hours.iter().map(to_proto_explained_hour).collect(),
            next_page_token,
        }))
    }

    async fn adjust_invoices(
        &self,
        request: Request<proto::AdjustInvoicesRequest>,
    ) -> Result<Response<proto::AdjustInvoicesResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let adjustments = from_proto_adjustments(request.adjustments).map_err(refuse)?;
        let memos = self.0.adjust(&name, adjustments).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let credit_memos = memos.iter().map(|memo| to_proto_invoice(memo, &market)).collect();
        Ok(Response::new(proto::AdjustInvoicesResponse { credit_memos }))
    }

    async fn pay_invoice(
        &self,
        request: Request<proto::PayInvoiceRequest>,
    ) -> Result<Response<proto::PayInvoiceResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let paid = self.0.pay(&name, invoice_id(&request.invoice_id)?).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        Ok(Response::new(proto::PayInvoiceResponse { invoice: Some(to_proto_invoice(&paid, &market)) }))
    }

    async fn preview_invoices(
        &self,
        request: Request<proto::PreviewInvoicesRequest>,
    ) -> Result<Response<proto::PreviewInvoicesResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let payer = AccountId::from_field(&request.payer_account_id, "payerAccountId").map_err(refuse)?;
        let month = from_proto_optional_month(&request.billing_period, "billingPeriod").map_err(refuse)?;
        let invoices = self.0.preview(&name, payer, month).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let invoices = invoices.into_iter().map(|invoice| to_proto_preview(invoice, &market)).collect();
        Ok(Response::new(proto::PreviewInvoicesResponse { invoices }))
    }
}

/// The payer's number of an invoice: what its id ends with.
fn counter(id: &InvoiceId) -> &str {
    id.as_str().rsplit('-').next().unwrap_or_default()
}
