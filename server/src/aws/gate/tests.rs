//! Faults and quotas through the whole port: set by one door, struck at the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::{Value, json};
use souk_core::ids::SandboxName;
use souk_core::time::Timestamp;
use souk_log::MemoryStore;
use souk_proto::fault::v1::ListFaultsRequest;
use souk_proto::fault::v1::fault_service_server::FaultService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic::codegen::Service;

use crate::app::Souk;
use crate::aws::endpoint::Endpoint;
use crate::aws::route::SERVICES;
use crate::aws::server::{router, serve};
use crate::aws::sigv4::Mode;
use crate::clock::MachineClock;
use crate::compose;
use crate::grpc::fault::FaultApi;

const DOCUMENT: &str = "
clock: {at: 2026-01-15T12:30:00Z}
accounts:
  - {accountId: 111111111111, seller: {}}
  - {accountId: 222222222222}
products:
  - productId: prod-a
    productCode: productofthetests00000001
    title: A
    sellerAccountId: 111111111111
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]}
agreements:
  - {offerId: offer-a, buyerAccountId: 222222222222, acceptanceTime: 2026-01-02T00:00:00Z}
";
const CODE: &str = "productofthetests00000001";
const BATCH: &str = "AWSMPMeteringService.BatchMeterUsage";
const FAULTS: &str = "/_souk/sandboxes/one/faults";

/// A machine's clock that a test turns.
#[derive(Clone, Default)]
struct Turned(Arc<AtomicI64>);

impl MachineClock for Turned {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A port over a marketplace in memory, with the document as the sandbox `one`.
struct Port {
    souk: Souk,
    router: Router,
    clock: Turned,
}

impl Port {
    async fn with(faults: Value) -> Port {
        let clock = Turned::default();
        let running = compose::start(Arc::new(MemoryStore::new()), 2, Arc::new(clock.clone())).unwrap();
        let souk = running.souk;
        let router = router(Endpoint { souk: souk.clone(), mode: Mode::Off });
        let mut port = Port { souk, router, clock };
        assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", "", DOCUMENT.to_owned()).await.0, 200);
        port.set(faults).await;
        port
    }

    async fn ask(&mut self, method: &str, path: &str, target: &str, body: String) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/x-amz-json-1.1");
        let request = request.header("x-amz-target", target).body(Body::from(body)).unwrap();
        let response = self.router.call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn set(&mut self, faults: Value) -> Value {
        let (status, answer) = self.ask("PUT", FAULTS, "", json!({"faults": faults}).to_string()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Calls and strikes of each rule, as the admin route says; the gRPC service says the same.
    async fn counts(&mut self) -> Vec<(u64, u64)> {
        let (_, listed) = self.ask("GET", FAULTS, "", String::new()).await;
        let number = |value: &Value| value.as_str().map_or(0, |text| text.parse().unwrap());
        let counts: Vec<_> = listed["faults"].as_array().unwrap().iter().collect();
        let counts: Vec<_> = counts.iter().map(|c| (number(&c["calls"]), number(&c["struck"]))).collect();
        let request = tonic::Request::new(ListFaultsRequest { sandbox: "one".to_owned() });
        let listed = FaultApi(self.souk.clone()).list_faults(request).await.unwrap().into_inner();
        let by_grpc: Vec<_> = listed.faults.iter().map(|count| (count.calls, count.struck)).collect();
        assert_eq!(counts, by_grpc);
        counts
    }

    /// The status and the error of a call, or nothing.
    async fn call(&mut self, target: &str, input: &Value) -> (u16, String) {
        let (status, answer) = self.ask("POST", "/s/one", target, input.to_string()).await;
        (status, answer["__type"].as_str().unwrap_or_default().to_owned())
    }

    /// The statuses of the records that were processed, and the quantities of those that were not.
    async fn meter(&mut self, quantities: &[(u32, u32)]) -> (Vec<String>, Vec<u64>) {
        let (status, answer) = self.ask("POST", "/s/one", BATCH, batch(quantities).to_string()).await;
        assert_eq!(status, 200, "{answer}");
        let list = |name: &str| answer[name].as_array().unwrap().clone();
        let statuses = list("Results").iter().map(|r| r["Status"].as_str().unwrap().to_owned()).collect();
        let left = list("UnprocessedRecords").iter().map(|r| r["Quantity"].as_u64().unwrap()).collect();
        (statuses, left)
    }
}

/// A batch of hours before noon, with their quantities.
fn batch(quantities: &[(u32, u32)]) -> Value {
    let record = |(hour, quantity): &(u32, u32)| {
        let timestamp = 1_768_478_400 - i64::from(*hour) * 3_600;
        json!({"Timestamp": timestamp, "CustomerAWSAccountId": "222222222222", "Dimension": "units",
               "Quantity": quantity})
    };
    json!({"ProductCode": CODE, "UsageRecords": quantities.iter().map(record).collect::<Vec<_>>()})
}

/// An input of an operation that breaks no constraint.
fn input(operation: &str) -> Value {
    match operation {
        "BatchMeterUsage" => batch(&[(0, 1)]),
        "MeterUsage" => json!({"ProductCode": CODE, "Timestamp": 1, "UsageDimension": "units"}),
        "RegisterUsage" => json!({"ProductCode": CODE, "PublicKeyVersion": 1}),
        "ResolveCustomer" => json!({"RegistrationToken": "token"}),
        "GetEntitlements" => json!({"ProductCode": CODE}),
        other => panic!("give an input of {other} here, and let it pass the gate"),
    }
}

fn operations() -> impl Iterator<Item = (String, &'static str)> {
    SERVICES.iter().flat_map(|service| {
        service.operations.iter().map(|operation| (format!("{}.{operation}", service.wire_name), *operation))
    })
}

#[tokio::test]
async fn every_operation_passes_the_gate_after_its_fields_and_before_its_rules() {
    for (kind, status, code) in [
        ("THROTTLE", 400, "ThrottlingException"),
        ("INTERNAL_ERROR", 500, "InternalServiceErrorException"),
        ("EXPIRED_TOKEN", 403, "ExpiredTokenException"),
    ] {
        let mut port = Port::with(json!([{"kind": kind}])).await;
        let mut calls = 0;
        for (target, operation) in operations() {
            let status = match (kind, operation) {
                ("EXPIRED_TOKEN", "ResolveCustomer") => 400,
                _ => status,
            };
            let struck = port.call(&target, &input(operation)).await;
            assert_eq!(struck, (status, code.to_owned()), "{kind} {operation}");
            let malformed = port.call(&target, &json!({"ProductCode": "p".repeat(256)})).await;
            assert_ne!(malformed.1, code, "{kind} {operation}");
            calls += 1;
            assert_eq!(port.counts().await, [(calls, calls)]);
        }
    }
}

#[tokio::test]
async fn what_a_fault_ends_meters_nothing() {
    for kind in ["THROTTLE", "INTERNAL_ERROR", "EXPIRED_TOKEN", "CUT_BEFORE_COMMIT"] {
        let mut port = Port::with(json!([{"nthCall": 1, "kind": kind}])).await;
        assert_ne!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200, "{kind}");
        // Another quantity would be a duplicate.
        assert_eq!(port.meter(&[(0, 2)]).await, (vec!["Success".to_owned()], Vec::new()), "{kind}");
    }
}

#[tokio::test]
async fn unprocessed_records_are_the_first_and_are_not_metered() {
    let rule = |records| json!([{"nthCall": 1, "kind": "UNPROCESSED_RECORDS", "records": records}]);
    for (records, unprocessed) in
        [(json!(0), 0), (json!(2), 2), (json!(3), 3), (json!(9), 3), (json!(null), 3)]
    {
        let mut port = Port::with(rule(records)).await;
        let (statuses, left) = port.meter(&[(0, 10), (1, 11), (2, 12)]).await;
        assert_eq!(statuses, vec!["Success"; 3 - unprocessed]);
        assert_eq!(left, [10, 11, 12][..unprocessed]);
        let (statuses, left) = port.meter(&[(0, 20), (1, 21), (2, 22)]).await;
        let stands = |index| if index < unprocessed { "Success" } else { "DuplicateRecord" };
        assert_eq!(statuses, (0..3).map(stands).collect::<Vec<_>>());
        assert!(left.is_empty());
    }
}

#[tokio::test]
async fn a_record_that_would_stay_unprocessed_still_refuses_the_request() {
    let mut port = Port::with(json!([{"kind": "UNPROCESSED_RECORDS", "records": 1}])).await;
    let wrong = batch(&[(72, 1), (0, 1)]);
    assert_eq!(port.call(BATCH, &wrong).await, (400, "TimestampOutOfBoundsException".to_owned()));
    port.set(json!([])).await;
    assert_eq!(port.meter(&[(0, 2)]).await.0, ["Success"]);
}

#[tokio::test]
async fn rules_that_are_set_again_begin_anew() {
    let mut port = Port::with(json!([{"nthCall": 2, "kind": "THROTTLE"}])).await;
    let rules = json!([{"nthCall": 2, "kind": "THROTTLE"}, {"operation": "MeterUsage", "kind": "THROTTLE"}]);
    for _ in 0..3 {
        assert_eq!(port.set(rules.clone()).await["faults"][0]["rule"]["nthCall"], 2);
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(port.call(BATCH, &batch(&[(0, 1)])).await.0);
        }
        assert_eq!((statuses, port.counts().await), (vec![200, 400, 200], vec![(3, 1), (0, 0)]));
    }
    let (status, cleared) = port.ask("DELETE", FAULTS, "", String::new()).await;
    assert_eq!((status, &cleared["faults"]), (200, &json!([])));
    assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
    assert_eq!(port.counts().await, []);
}

#[tokio::test]
async fn the_faults_of_a_document_strike_and_go_with_the_sandbox() {
    let mut port = Port::with(json!([])).await;
    let document = format!("{DOCUMENT}\nfaults: [{{nthCall: 1, kind: THROTTLE}}]\n");
    for _ in 0..2 {
        assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", "", document.clone()).await.0, 200);
        assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 400);
        assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
        assert_eq!(port.counts().await, [(2, 1)]);
    }
    assert_eq!(port.ask("DELETE", "/_souk/sandboxes/one", "", String::new()).await.0, 200);
    let name = SandboxName::new("one");
    assert_eq!(port.souk.lab.counts(&name, || None), []);
    assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", "", DOCUMENT.to_owned()).await.0, 200);
    assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
}

#[tokio::test]
async fn the_quotas_of_aws_hold_where_the_rules_ask_for_them() {
    let mut port = Port::with(json!([{"nthCall": 11, "kind": "INTERNAL_ERROR"}])).await;
    for _ in 0..10 {
        assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
    }
    let document =
        format!("{DOCUMENT}\nrules: {{awsQuotas: true}}\nfaults: [{{nthCall: 11, kind: INTERNAL_ERROR}}]\n");
    assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", "", document).await.0, 200);
    for _ in 0..10 {
        assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
    }
    let throttled = (400, "ThrottlingException".to_owned());
    assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await, throttled);
    assert_eq!(port.counts().await, [(10, 0)], "the quota comes first");
    assert_eq!(port.call("AWSMPMeteringService.ResolveCustomer", &input("ResolveCustomer")).await.0, 500);
    port.clock.0.store(100_000, Ordering::SeqCst);
    assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await.0, 200);
    assert_eq!(port.call(BATCH, &batch(&[(0, 1)])).await, throttled);
}

/// What a server writes to a connection before it closes it.
async fn answer(address: std::net::SocketAddr, body: &Value) -> String {
    let body = body.to_string();
    let head = format!(
        "POST /s/one HTTP/1.1\r\nhost: souk\r\nconnection: close\r\nx-amz-target: {BATCH}\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_cut_connection_carries_no_byte_and_others_are_answered() {
    for (kind, status) in [("CUT_BEFORE_COMMIT", "Success"), ("CUT_AFTER_COMMIT", "DuplicateRecord")] {
        let mut port = Port::with(json!([{"nthCall": 2, "kind": kind}])).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let endpoint = Endpoint { souk: port.souk.clone(), mode: Mode::Off };
        let serving = tokio::spawn(serve(endpoint, listener, async { drop(stopped.await) }));
        // A connection that is open meanwhile, and asks afterwards.
        let mut other = TcpStream::connect(address).await.unwrap();
        assert!(answer(address, &batch(&[(0, 1)])).await.starts_with("HTTP/1.1 200 OK"));
        assert_eq!(answer(address, &batch(&[(1, 1)])).await, "", "{kind}");
        other
            .write_all(b"GET /_souk/reports HTTP/1.1\r\nhost: souk\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut read = String::new();
        other.read_to_string(&mut read).await.unwrap();
        assert!(read.starts_with("HTTP/1.1 200 OK"), "{read}");
        // Another quantity tells whether the call was carried out.
        assert_eq!(port.meter(&[(1, 2)]).await.0, [status], "{kind}");
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }
}
