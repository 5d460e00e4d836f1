//! Invoices, and the reasons for their lines.

use souk_proto::billing::v1::billing_service_client::BillingServiceClient;
use souk_proto::billing::v1::{
    AdjustInvoicesRequest, Adjustment, ExplainInvoiceLineRequest, ExplainInvoiceLineResponse, ExplainedHour,
    GetInvoiceRequest, Invoice, InvoiceLine, ListInvoicesRequest, PayInvoiceRequest, PreviewInvoicesRequest,
};
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, paging};

/// Which invoices to list; empty fields take all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Only of this payer.
    pub payer_account_id: String,
    /// Only of this month: YYYY-MM.
    pub billing_period: String,
}

/// A line with all its hours.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainedLine {
    /// The line.
    pub line: InvoiceLine,
    /// Its hours with usage, oldest first.
    pub hours: Vec<ExplainedHour>,
}

fn service(channel: Channel) -> BillingServiceClient<Channel> {
    BillingServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Lists a page of the invoices, without their lines.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_invoices(
        &self,
        sandbox: &str,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>, ClientError> {
        let question = ListInvoicesRequest {
            sandbox: sandbox.to_owned(),
            payer_account_id: filter.payer_account_id.clone(),
            billing_period: filter.billing_period.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_invoices(request).await };
        let answer = self.unary(Call::ListInvoices, question, send).await?;
        Ok(Page { entries: answer.invoices, next_page_token: answer.next_page_token })
    }

    /// Lists all invoices that the filter takes, without their lines.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_invoices(
        &self,
        sandbox: &str,
        filter: &InvoiceFilter,
    ) -> Result<Vec<Invoice>, ClientError> {
        paging::all(Call::ListInvoices, |page| self.list_invoices(sandbox, filter, page)).await
    }

    /// Reads an invoice with its lines.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_invoice(&self, sandbox: &str, invoice_id: &str) -> Result<Invoice, ClientError> {
        let call = Call::GetInvoice;
        let question = GetInvoiceRequest { sandbox: sandbox.to_owned(), invoice_id: invoice_id.to_owned() };
        let send = |channel, request| async move { service(channel).get_invoice(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.invoice, "the invoice")
    }

    /// Explains a line by a page of its hours.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn explain_invoice_line(
        &self,
        sandbox: &str,
        invoice_id: &str,
        line_number: u32,
        page: PageRequest,
    ) -> Result<ExplainInvoiceLineResponse, ClientError> {
        let question = ExplainInvoiceLineRequest {
            sandbox: sandbox.to_owned(),
            invoice_id: invoice_id.to_owned(),
            line_number,
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).explain_invoice_line(request).await };
        self.unary(Call::ExplainInvoiceLine, question, send).await
    }

    /// Explains a line by all its hours.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn explain_whole_line(
        &self,
        sandbox: &str,
        invoice_id: &str,
        line_number: u32,
    ) -> Result<ExplainedLine, ClientError> {
        let call = Call::ExplainInvoiceLine;
        let pages = paging::all(call, |page| async move {
            let answer = self.explain_invoice_line(sandbox, invoice_id, line_number, page).await?;
            Ok(Page { entries: vec![(answer.line, answer.hours)], next_page_token: answer.next_page_token })
        });
        let mut line = None;
        let mut hours = Vec::new();
        for (same_line, more_hours) in pages.await? {
            line = line.or(same_line);
            hours.extend(more_hours);
        }
        Ok(ExplainedLine { line: required(call, line, "the line")?, hours })
    }

    /// Gives back what invoices charged: one to five adjustments, made in their order, all or none. Answers their credit
    /// memos.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn adjust_invoices(
        &self,
        sandbox: &str,
        adjustments: Vec<Adjustment>,
    ) -> Result<Vec<Invoice>, ClientError> {
        let question = AdjustInvoicesRequest { sandbox: sandbox.to_owned(), adjustments };
        let send = |channel, request| async move { service(channel).adjust_invoices(request).await };
        Ok(self.unary(Call::AdjustInvoices, question, send).await?.credit_memos)
    }

    /// Pays an invoice, whole. Answers it as it stands then.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn pay_invoice(&self, sandbox: &str, invoice_id: &str) -> Result<Invoice, ClientError> {
        let call = Call::PayInvoice;
        let question = PayInvoiceRequest { sandbox: sandbox.to_owned(), invoice_id: invoice_id.to_owned() };
        let send = |channel, request| async move { service(channel).pay_invoice(request).await };
        required(call, self.unary(call, question, send).await?.invoice, "the invoice")
    }

    /// The usage invoices that a payer would get for an open month: the month of the sandbox's clock when
    /// none is named.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn preview_invoices(
        &self,
        sandbox: &str,
        payer_account_id: &str,
        billing_period: Option<&str>,
    ) -> Result<Vec<Invoice>, ClientError> {
        let question = PreviewInvoicesRequest {
            sandbox: sandbox.to_owned(),
            payer_account_id: payer_account_id.to_owned(),
            billing_period: billing_period.unwrap_or_default().to_owned(),
        };
        let send = |channel, request| async move { service(channel).preview_invoices(request).await };
        Ok(self.unary(Call::PreviewInvoices, question, send).await?.invoices)
    }
}
