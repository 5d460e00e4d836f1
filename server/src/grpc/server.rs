//! The list of services, their limits, health and reflection.

use std::future::Future;
use std::time::Duration;

use souk_proto::account::v1::account_service_server::AccountServiceServer;
use souk_proto::agreement::v1::agreement_service_server::AgreementServiceServer;
use souk_proto::billing::v1::billing_service_server::BillingServiceServer;
use souk_proto::catalog::v1::catalog_service_server::CatalogServiceServer;
use souk_proto::fault::v1::fault_service_server::FaultServiceServer;
use souk_proto::metering::v1::usage_columns_service_server::UsageColumnsServiceServer;
use souk_proto::partner::v1::partner_program_service_server::PartnerProgramServiceServer;
use souk_proto::reporting::v1::reporting_service_server::ReportingServiceServer;
use souk_proto::sandbox::v1::sandbox_service_server::SandboxServiceServer;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::account::AccountApi;
use super::agreement::AgreementApi;
use super::billing::BillingApi;
use super::catalog::CatalogApi;
use super::columns::UsageColumnsApi;
use super::fault::FaultApi;
use super::metering_door::MeteringDoor;
use super::partner::PartnerApi;
use super::reporting::ReportingApi;
use super::sandbox::SandboxApi;
use crate::app::Souk;

/// Bytes of one request message at most: 5,000 usage records, or a document.
pub const MESSAGE_BYTES_MAX: usize = 9 * 1024 * 1024;
/// Requests of one connection that may be under way.
const CONNECTION_REQUESTS: u32 = 512;
/// HTTP/2 windows: the default of 64 KiB halves what a stream carries.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// How long a request may take when its caller sets no deadline.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);

/// The services that reflection and health know.
const PUBLIC: [&str; 10] = [
    "souk.account.v1.AccountService",
    "souk.agreement.v1.AgreementService",
    "souk.billing.v1.BillingService",
    "souk.catalog.v1.CatalogService",
    "souk.fault.v1.FaultService",
    "souk.metering.v1.MeteringService",
    "souk.metering.v1.UsageColumnsService",
    "souk.partner.v1.PartnerProgramService",
    "souk.reporting.v1.ReportingService",
    "souk.sandbox.v1.SandboxService",
];

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("the gRPC server failed")]
    Transport(#[from] tonic::transport::Error),
    /// The reflection service could not be made.
    #[error("reflection could not be set up: {0}")]
    Reflection(String),
}

/// Serves until `shutdown`; requests under way are answered first. A deadline that a caller sends is kept by
/// the transport.
pub async fn serve(
    souk: Souk,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    macro_rules! limited {
        ($server:ident, $api:expr) => {
            $server::new($api)
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(usize::MAX)
        };
    }
    let (health, health_service) = tonic_health::server::health_reporter();
    for service in PUBLIC {
        health.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    let reflection = || {
        let descriptors = souk_proto::FILE_DESCRIPTOR_SET;
        let builder =
            tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(descriptors);
        PUBLIC.into_iter().fold(builder, |builder, service| builder.with_service_name(service))
    };
    // Without this every small answer waits for the client's delayed acknowledgement: 40 ms.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let failed = |error: tonic_reflection::server::Error| ServeError::Reflection(error.to_string());
    Server::builder()
        .timeout(REQUEST_TIMEOUT)
        .concurrency_limit_per_connection(CONNECTION_REQUESTS as usize)
        .max_concurrent_streams(CONNECTION_REQUESTS)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(health_service)
        .add_service(reflection().build_v1().map_err(failed)?)
        .add_service(reflection().build_v1alpha().map_err(failed)?)
        .add_service(limited!(AccountServiceServer, AccountApi(souk.clone())))
        .add_service(limited!(AgreementServiceServer, AgreementApi(souk.clone())))
        .add_service(limited!(BillingServiceServer, BillingApi(souk.clone())))
        .add_service(limited!(CatalogServiceServer, CatalogApi(souk.clone())))
        .add_service(limited!(FaultServiceServer, FaultApi(souk.clone())))
        .add_service(MeteringDoor::new(souk.clone(), MESSAGE_BYTES_MAX))
        .add_service(limited!(UsageColumnsServiceServer, UsageColumnsApi::new(souk.clone())))
        .add_service(limited!(PartnerProgramServiceServer, PartnerApi))
        .add_service(limited!(ReportingServiceServer, ReportingApi(souk.clone())))
        .add_service(limited!(SandboxServiceServer, SandboxApi(souk)))
        .serve_with_incoming_shutdown(incoming, shutdown)
        .await?;
    Ok(())
}
