//! What every service has: reflection, health, deadlines and limits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use souk_core::ids::{AccountId, SandboxName};
use souk_log::{Fault, MemoryStore};
use souk_proto::metering::v1::metering_service_client::MeteringServiceClient;
use souk_proto::sandbox::v1::put_sandbox_request::Source;
use souk_proto::sandbox::v1::sandbox_service_client::SandboxServiceClient;
use souk_proto::sandbox::v1::{GetSandboxRequest, SandboxDocument};
use souk_server::partition::{partition_of, writer};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::served::Served;
use crate::words::{at, batch, code_of, message, meter, preview, put, record, refused};

const SERVICES: [&str; 10] = [
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

async fn channel(served: &Served) -> Channel {
    let endpoint = Endpoint::from_shared(served.endpoint.clone()).expect("an address");
    endpoint.connect().await.expect("a server")
}

#[tokio::test]
async fn reflection_lists_the_ten_services_in_both_versions() {
    let served = Served::start().await;
    macro_rules! listed {
        ($version:ident) => {{
            use $version::server_reflection_client::ServerReflectionClient;
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            let mut client = ServerReflectionClient::new(channel(&served).await);
            let ask = |request| $version::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(request),
            };
            let mut requests = vec![ask(MessageRequest::ListServices(String::new()))];
            requests.extend(
                SERVICES.map(|service| ask(MessageRequest::FileContainingSymbol(service.to_owned()))),
            );
            let answers = client.server_reflection_info(tokio_stream::iter(requests)).await.expect("answers");
            let mut answers = answers.into_inner();
            let mut services = BTreeSet::new();
            let mut files = 0;
            while let Some(answer) = answers.message().await.expect("an answer") {
                match answer.message_response {
                    Some(MessageResponse::ListServicesResponse(list)) => {
                        services.extend(list.service.into_iter().map(|service| service.name));
                    }
                    Some(MessageResponse::FileDescriptorResponse(file)) => {
                        files += file.file_descriptor_proto.len();
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(files, SERVICES.len());
            services
        }};
    }
    let expected: BTreeSet<_> = SERVICES.map(str::to_owned).into();
    assert_eq!(listed!(v1), expected);
    assert_eq!(listed!(v1alpha), expected);
    served.stop().await;
}

#[tokio::test]
async fn health_says_that_every_service_serves() {
    let served = Served::start().await;
    let mut client = HealthClient::new(channel(&served).await);
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = client.check(request).await.expect("an answer").into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest { service: "souk.Unknown".to_owned() };
    assert_eq!(client.check(unknown).await.expect_err("no such service").code(), Code::NotFound);
    served.stop().await;
}

const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - {accountId: 111122223333, seller: {}}
  - {accountId: 000000000201}
products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
";
const BUYER: &str = "000000000201";

fn is_late(code: Code) -> bool {
    matches!(code, Code::DeadlineExceeded | Code::Cancelled)
}

#[tokio::test]
async fn a_deadline_that_passes_while_the_log_is_slow_is_said_and_the_usage_is_metered_once() {
    let store = MemoryStore::new();
    let served = Served::on(&store, 4).await;
    put(&served.client, "deadlines", DOCUMENT).await;
    let code = code_of(&served.client, "deadlines", "prod-a").await;
    // The log's append waits until the deadlines have passed.
    let (release, released) = mpsc::channel();
    let released = Arc::new(Mutex::new(released));
    store.faults().on_slow(move |_, _| released.lock().expect("one waits").recv().expect("to be released"));
    let payer = AccountId::parse(BUYER).expect("an account");
    let log = writer::log_name(partition_of(&SandboxName::new("deadlines"), payer, 4));
    store.faults().next(&log, Fault::Slow);

    let usage = || batch("deadlines", &code, vec![record(BUYER, at("2025-03-10T11:00:00Z"), "units", 7)]);
    let mut metering = MeteringServiceClient::connect(served.endpoint.clone()).await.expect("a server");
    let mut request = Request::new(usage());
    request.set_timeout(Duration::from_millis(50));
    let late = metering.batch_meter_usage(request).await.expect_err("a deadline that passes");
    assert!(is_late(late.code()), "{late:?}");
    let mut sandboxes = SandboxServiceClient::connect(served.endpoint.clone()).await.expect("a server");
    for _ in 0..20 {
        let mut request = Request::new(GetSandboxRequest { sandbox: "deadlines".to_owned() });
        request.set_timeout(Duration::from_nanos(1));
        let late = sandboxes.get_sandbox(request).await.expect_err("a deadline that has passed");
        assert!(is_late(late.code()), "{late:?}");
    }
    // What needs no partition is answered meanwhile.
    assert_eq!(served.client.all_accounts("deadlines").await.expect("a list").len(), 2);
    release.send(()).expect("an append that waits");

    let first = meter(&served.client, usage()).await;
    assert_eq!(meter(&served.client, usage()).await, first);
    let invoices = preview(&served.client, "deadlines", BUYER, "2025-03").await;
    assert_eq!(invoices[0].lines[0].quantity, "7");
    served.stop().await;
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_and_the_next_one_taken() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "limits", DOCUMENT).await;
    let code = code_of(client, "limits", "prod-a").await;
    let large = SandboxDocument { description: "x".repeat(9 * 1024 * 1024), ..SandboxDocument::default() };
    let put = client.put_sandbox("limits", Source::Document(large)).await;
    assert_eq!(refused(put), "OutOfRange -");

    let mut stream = client.stream_usage(1).await.expect("a stream");
    let time = at("2025-03-10T11:00:00Z");
    let large = record(BUYER, time, &"x".repeat(9 * 1024 * 1024), 1);
    stream.send(message("limits", &code, vec![large])).await.expect("a message on its way");
    assert_eq!(refused(stream.next_answer().await), "OutOfRange -");

    assert_eq!(meter(client, batch("limits", &code, vec![record(BUYER, time, "units", 1)])).await.len(), 1);
    served.stop().await;
}

#[tokio::test]
async fn a_record_that_many_send_at_once_is_metered_once() {
    let served = Served::start().await;
    put(&served.client, "race", DOCUMENT).await;
    let code = code_of(&served.client, "race", "prod-a").await;
    let records: Vec<_> = (0..20)
        .map(|hour| record(BUYER, crate::words::hours_after("2025-03-09T14:00:00Z", hour), "units", 3))
        .collect();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (endpoint, request) = (served.endpoint.clone(), batch("race", &code, records.clone()));
        senders.spawn(async move { meter(&crate::served::patient_client(&endpoint).await, request).await });
    }
    let answers = senders.join_all().await;
    assert!(answers.iter().all(|ids| ids == &answers[0]));
    let invoices = preview(&served.client, "race", BUYER, "2025-03").await;
    assert_eq!(invoices[0].lines[0].quantity, "60");
    served.stop().await;
}
