//! The seller reports.

use std::collections::VecDeque;

use souk_proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use souk_proto::reporting::v1::{
    ExportFormat, ExportReportRequest, ExportReportResponse, ListReportsRequest, ReportDescription,
    ReportRow, ReportSelection, StreamReportRequest, StreamReportResponse,
};
use tonic::Streaming;
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, SoukClient};

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one cell for each column.
    pub rows: Vec<ReportRow>,
}

/// A report that is still coming in.
#[derive(Debug)]
pub struct ReportRows {
    client: SoukClient,
    columns: Vec<String>,
    first: VecDeque<ReportRow>,
    stream: Streaming<StreamReportResponse>,
}

impl ReportRows {
    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next rows, a handful at a time; none at the end.
    ///
    /// # Errors
    /// When the stream breaks or the next rows do not come within the deadline.
    pub async fn next(&mut self) -> Result<Option<Vec<ReportRow>>, ClientError> {
        if !self.first.is_empty() {
            return Ok(Some(self.first.drain(..).collect()));
        }
        let message = self.client.next_message(Call::StreamReport, &mut self.stream).await?;
        Ok(message.map(|message| message.rows))
    }
}

/// A report's file that is still coming in.
#[derive(Debug)]
pub struct ExportChunks {
    client: SoukClient,
    first: Option<Vec<u8>>,
    stream: Streaming<ExportReportResponse>,
}

impl ExportChunks {
    /// The next part of the file; none at the end.
    ///
    /// # Errors
    /// When the stream breaks or the next part does not come within the deadline.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        if let Some(chunk) = self.first.take() {
            return Ok(Some(chunk));
        }
        let message = self.client.next_message(Call::ExportReport, &mut self.stream).await?;
        Ok(message.map(|message| message.chunk))
    }
}

fn service(channel: Channel) -> ReportingServiceClient<Channel> {
    ReportingServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Lists the reports that exist, with their columns.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_reports(&self) -> Result<Vec<ReportDescription>, ClientError> {
        let send = |channel, request| async move { service(channel).list_reports(request).await };
        Ok(self.unary(Call::ListReports, ListReportsRequest {}, send).await?.reports)
    }

    /// Opens a report of a closed month.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn stream_report(&self, report: ReportSelection) -> Result<ReportRows, ClientError> {
        let call = Call::StreamReport;
        let question = StreamReportRequest { report: Some(report) };
        let send = |channel, request| async move { service(channel).stream_report(request).await };
        let (first, stream) = self.server_stream(call, question, send).await?;
        let first = required(call, first, "the columns")?;
        Ok(ReportRows { client: self.clone(), columns: first.columns, first: first.rows.into(), stream })
    }

    /// Reads a whole report of a closed month.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn read_report(&self, report: ReportSelection) -> Result<Report, ClientError> {
        let mut incoming = self.stream_report(report).await?;
        let mut rows = Vec::new();
        while let Some(more) = incoming.next().await? {
            rows.extend(more);
        }
        Ok(Report { columns: incoming.columns, rows })
    }

    /// Opens the file of a report of a closed month.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn export_report(
        &self,
        report: ReportSelection,
        format: ExportFormat,
    ) -> Result<ExportChunks, ClientError> {
        let question = ExportReportRequest { report: Some(report), format: format.into() };
        let send = |channel, request| async move { service(channel).export_report(request).await };
        let (first, stream) = self.server_stream(Call::ExportReport, question, send).await?;
        Ok(ExportChunks { client: self.clone(), first: first.map(|message| message.chunk), stream })
    }
}
