//! The demo's way to its server: the public gRPC interface, like anybody's.

use anyhow::{Context, ensure};
use souk_proto::agreement::v1 as agreement;
use souk_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use souk_proto::billing::v1 as billing;
use souk_proto::billing::v1::billing_service_client::BillingServiceClient;
use souk_proto::catalog::v1 as catalog;
use souk_proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use souk_proto::metering::v1 as metering;
use souk_proto::metering::v1::metering_service_client::MeteringServiceClient;
use souk_proto::reporting::v1 as reporting;
use souk_proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use souk_proto::sandbox::v1 as sandbox;
use souk_proto::sandbox::v1::sandbox_service_client::SandboxServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// The sandbox of the demo.
pub const SANDBOX: &str = "demo";

/// Clients of every service that the demo uses.
pub struct Doors {
    sandboxes: SandboxServiceClient<Channel>,
    catalog: CatalogServiceClient<Channel>,
    agreements: AgreementServiceClient<Channel>,
    metering: MeteringServiceClient<Channel>,
    billing: BillingServiceClient<Channel>,
    reporting: ReportingServiceClient<Channel>,
    usage: mpsc::Sender<metering::StreamUsageRequest>,
    answers: Streaming<metering::StreamUsageResponse>,
}

impl Doors {
    /// Connects, and opens the stream of usage.
    pub async fn open(endpoint: String) -> anyhow::Result<Doors> {
        let channel =
            Channel::from_shared(endpoint)?.connect().await.context("the demo's server does not answer")?;
        let mut metering = MeteringServiceClient::new(channel.clone());
        let (usage, messages) = mpsc::channel(1);
        let answers = metering.stream_usage(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Doors {
            sandboxes: SandboxServiceClient::new(channel.clone()),
            catalog: CatalogServiceClient::new(channel.clone()),
            agreements: AgreementServiceClient::new(channel.clone()),
            billing: BillingServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            reporting: ReportingServiceClient::new(channel),
            metering,
            usage,
            answers,
        })
    }

    /// Makes the marketplace.
    pub async fn put_sandbox(&mut self, text: &str) -> anyhow::Result<()> {
        let source = Some(sandbox::put_sandbox_request::Source::Text(text.to_owned()));
        self.sandboxes
            .put_sandbox(sandbox::PutSandboxRequest { sandbox: SANDBOX.to_owned(), source })
            .await?;
        Ok(())
    }

    /// Turns the clock.
    pub async fn advance_to(&mut self, to: prost_types::Timestamp) -> anyhow::Result<()> {
        let target = Some(sandbox::advance_clock_request::Target::To(to));
        self.sandboxes
            .advance_clock(sandbox::AdvanceClockRequest { sandbox: SANDBOX.to_owned(), target })
            .await?;
        Ok(())
    }

    /// Changes a usage price of a public offer.
    pub async fn change_price(&mut self, offer: &str, dimension: &str, price: &str) -> anyhow::Result<()> {
        let request = catalog::ChangePricesRequest {
            sandbox: SANDBOX.to_owned(),
            offer_id: offer.to_owned(),
            rate_card: [(dimension.to_owned(), price.to_owned())].into(),
            upfront_rate_cards: Vec::new(),
        };
        self.catalog.change_prices(request).await?;
        Ok(())
    }

    /// Accepts an offer that sells nothing upfront.
    pub async fn accept(&mut self, offer: &str, buyer: &str) -> anyhow::Result<()> {
        let request = agreement::AcceptOfferRequest {
            sandbox: SANDBOX.to_owned(),
            offer_id: offer.to_owned(),
            buyer_account_id: buyer.to_owned(),
            configuration: None,
        };
        self.agreements.accept_offer(request).await?;
        Ok(())
    }

    /// Buys a year of instances under a buyer's live agreement on a product.
    pub async fn add_annual(
        &mut self,
        buyer: &str,
        product: &str,
        dimension: &str,
        units: u64,
    ) -> anyhow::Result<()> {
        let listed = agreement::ListAgreementsRequest {
            sandbox: SANDBOX.to_owned(),
            buyer_account_id: buyer.to_owned(),
            product_id: product.to_owned(),
            ..Default::default()
        };
        let agreements = self.agreements.list_agreements(listed).await?.into_inner().agreements;
        let live = agreements.into_iter().find(|a| a.status() == agreement::AgreementStatus::Active);
        let configuration = agreement::UpfrontConfiguration {
            duration: "P12M".to_owned(),
            quantities: [(dimension.to_owned(), units)].into(),
            auto_renew: false,
        };
        let request = agreement::AddAnnualSubscriptionRequest {
            sandbox: SANDBOX.to_owned(),
            agreement_id: live.context("the buyer has no live agreement")?.agreement_id,
            configuration: Some(configuration),
        };
        self.agreements.add_annual_subscription(request).await?;
        Ok(())
    }

    /// Meters a message of usage; every record must be metered.
    pub async fn meter(&mut self, code: &str, records: Vec<metering::UsageRecord>) -> anyhow::Result<()> {
        let sent = records.len();
        let message = metering::StreamUsageRequest {
            sandbox: SANDBOX.to_owned(),
            product_code: code.to_owned(),
            region: String::new(),
            usage_records: records,
        };
        self.usage.send(message).await.context("the stream of usage has ended")?;
        let answer = self.answers.message().await?.context("the stream of usage has ended")?;
        ensure!(answer.success_count as usize == sent, "usage was not metered: {answer:?}");
        Ok(())
    }

    /// Reports instance-hours; every one must be metered.
    pub async fn report(&mut self, reports: Vec<metering::InstanceHours>) -> anyhow::Result<()> {
        let request = metering::ReportInstanceHoursRequest {
            sandbox: SANDBOX.to_owned(),
            region: String::new(),
            reports,
        };
        let results = self.metering.report_instance_hours(request).await?.into_inner().results;
        let failed = results.iter().find(|result| result.status() != metering::UsageRecordStatus::Success);
        ensure!(failed.is_none(), "instance-hours were not metered: {failed:?}");
        Ok(())
    }

    /// Every invoice, with its lines.
    pub async fn invoices(&mut self) -> anyhow::Result<Vec<billing::Invoice>> {
        let mut invoices = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = billing::ListInvoicesRequest {
                sandbox: SANDBOX.to_owned(),
                page_token,
                ..Default::default()
            };
            let page = self.billing.list_invoices(request).await?.into_inner();
            for head in page.invoices {
                let request =
                    billing::GetInvoiceRequest { sandbox: SANDBOX.to_owned(), invoice_id: head.invoice_id };
                invoices.extend(self.billing.get_invoice(request).await?.into_inner().invoice);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(invoices);
            }
        }
    }

    /// The first hours of a line.
    pub async fn explain(
        &mut self,
        invoice: &str,
        line: u32,
        hours: i32,
    ) -> anyhow::Result<Vec<billing::ExplainedHour>> {
        let request = billing::ExplainInvoiceLineRequest {
            sandbox: SANDBOX.to_owned(),
            invoice_id: invoice.to_owned(),
            line_number: line,
            page_size: hours,
            page_token: String::new(),
        };
        Ok(self.billing.explain_invoice_line(request).await?.into_inner().hours)
    }

    /// A report as a CSV file.
    pub async fn export(
        &mut self,
        seller: &str,
        kind: reporting::ReportKind,
        month: &str,
    ) -> anyhow::Result<Vec<u8>> {
        let report = reporting::ReportSelection {
            sandbox: SANDBOX.to_owned(),
            seller_account_id: seller.to_owned(),
            kind: kind.into(),
            month: month.to_owned(),
            ..reporting::ReportSelection::default()
        };
        let request = reporting::ExportReportRequest { report: Some(report), format: 0 };
        let mut chunks = self.reporting.export_report(request).await?.into_inner();
        let mut file = Vec::new();
        while let Some(part) = chunks.message().await? {
            file.extend(part.chunk);
        }
        Ok(file)
    }
}
