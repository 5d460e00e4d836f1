//! The routes and their refusals, through the whole port.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};
use serde_json::{Value, json};
use souk_core::ids::SandboxName;
use souk_core::time::Timestamp;
use souk_log::MemoryStore;
use tonic::codegen::Service;

use super::request::BODY_BYTES_MAX;
use crate::app::registration_token::RegistrationToken;
use crate::aws::endpoint::Endpoint;
use crate::aws::server::router;
use crate::aws::sigv4::Mode;
use crate::clock::StoppedClock;
use crate::compose;
use crate::document::EXAMPLE;

const KIND: &str = "monthly_revenue_annual_subscriptions";

/// A port over a marketplace in memory.
pub(super) struct Port(pub(super) Router);

impl Port {
    pub(super) fn new() -> Port {
        let clock = StoppedClock(Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
        let running = compose::start(Arc::new(MemoryStore::new()), 2, Arc::new(clock)).unwrap();
        Port(router(Endpoint { souk: running.souk, mode: Mode::Off }))
    }

    /// With the example of the reference as the sandbox `one`, at the beginning of 2013.
    async fn with_example() -> Port {
        let mut port = Port::new();
        assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", EXAMPLE).await.0, 200);
        port
    }

    async fn send(&mut self, method: &str, path: &str, body: impl Into<Body>) -> Response<Body> {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        self.0.call(request).await.unwrap()
    }

    /// The status and the JSON of an answer.
    pub(super) async fn ask(&mut self, method: &str, path: &str, body: impl Into<Body>) -> (u16, Value) {
        let response = self.send(method, path, body).await;
        assert_eq!(response.headers()["content-type"], "application/json", "{method} {path}");
        let status = response.status().as_u16();
        (status, serde_json::from_str(&text(response).await).unwrap())
    }

    pub(super) async fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "").await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(super) async fn clock(&mut self, body: Value) -> (u16, Value) {
        self.ask("POST", "/_souk/sandboxes/one/clock", body.to_string()).await
    }
}

pub(super) async fn text(response: Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

#[tokio::test]
async fn a_sandbox_is_made_described_listed_and_deleted() {
    let mut port = Port::new();
    let document = json!({"description": "By JSON", "clock": {"at": "2013-01-01T00:00:00Z"}});
    for (text, description, accounts) in
        [(document.to_string(), "By JSON", 0), (EXAMPLE.to_owned(), "Two products, two ways to sell them", 4)]
    {
        let (status, made) = port.ask("PUT", "/_souk/sandboxes/one", text).await;
        assert_eq!((status, &made["sandbox"]["description"]), (200, &json!(description)));
        assert_eq!(made["sandbox"]["accountCount"], accounts);
        assert_eq!(made["sandbox"]["clock"], json!({"now": "2013-01-01T00:00:00Z", "following": false}));
    }
    let described = port.get("/_souk/sandboxes/one").await;
    assert_eq!(described["sandbox"]["name"], "one");
    assert_eq!(described["products"][0]["productId"], "prod-flightanalytics");
    assert!(described["agreements"][0]["agreementId"].as_str().unwrap().starts_with("agmt-"));
    assert_eq!(described["customerIdentifiers"][0]["buyerAccountId"], "000000000101");

    let listed = port.get("/_souk/sandboxes?pageSize=1").await;
    assert_eq!((&listed["sandboxes"][0]["name"], &listed["nextPageToken"]), (&json!("one"), &json!("")));

    assert_eq!(port.ask("DELETE", "/_souk/sandboxes/one", "").await, (200, json!({})));
    assert_eq!(port.ask("GET", "/_souk/sandboxes/one", "").await.0, 404);
    assert_eq!(port.get("/_souk/sandboxes").await["sandboxes"], json!([]));
}

#[tokio::test]
async fn a_clock_is_turned_stopped_and_let_go() {
    let mut port = Port::with_example().await;
    for (body, now, following) in [
        (json!({"advance": "PT1H"}), "2013-01-01T01:00:00Z", false),
        (json!({"advance": "P1DT1M1S"}), "2013-01-02T01:01:01Z", false),
        (json!({"to": "2013-01-03T01:00:00+01:00"}), "2013-01-03T00:00:00Z", false),
        (json!({"at": "2013-01-04T00:00:00Z"}), "2013-01-04T00:00:00Z", false),
        (json!({"follow": {}}), "2026-01-01T00:00:00Z", true),
    ] {
        let (status, turned) = port.clock(body.clone()).await;
        let clock = json!({"now": now, "following": following});
        assert_eq!((status, &turned["clock"]), (200, &clock), "{body}");
        assert!(turned["workDone"]["invoicesIssued"].is_u64());
        assert_eq!(port.get("/_souk/sandboxes/one/clock").await, json!({"clock": clock}));
    }
}

#[tokio::test]
async fn a_token_names_its_agreement_for_four_hours_of_the_sandbox() {
    let mut port = Port::with_example().await;
    let described = port.get("/_souk/sandboxes/one").await;
    let agreement = &described["agreements"][0]["agreementId"];
    let body = json!({"agreementId": agreement}).to_string();
    let (status, made) = port.ask("POST", "/_souk/sandboxes/one/tokens", body).await;
    assert_eq!((status, &made["expirationTime"]), (200, &json!("2013-01-01T04:00:00Z")));
    let printed = made["registrationToken"].as_str().unwrap();
    let token = RegistrationToken::read(&SandboxName::new("one"), printed).unwrap();
    assert_eq!(Some(token.agreement.as_str()), agreement.as_str());
}

#[tokio::test]
async fn invoices_are_listed_page_by_page_and_read_whole() {
    let mut port = Port::with_example().await;
    let listed = port.get("/_souk/sandboxes/one/invoices").await;
    let invoice = &listed["invoices"][0];
    assert_eq!((&invoice["total"], &invoice["lines"]), (&json!("3000.00"), &json!([])));
    let payer = port.get("/_souk/sandboxes/one/invoices?payer=000000000100&month=2013-01").await;
    assert_eq!(payer, listed);
    let other_month = port.get("/_souk/sandboxes/one/invoices?month=2013-02&pageSize=5&pageToken=").await;
    assert_eq!(other_month["invoices"], json!([]));

    let id = invoice["invoiceId"].as_str().unwrap();
    let read = port.get(&format!("/_souk/sandboxes/one/invoices/{id}")).await;
    assert_eq!(read["invoice"]["lines"][0]["amount"], "3000.00");
}

#[tokio::test]
async fn a_report_is_a_file_or_the_rows_of_the_contract() {
    let mut port = Port::with_example().await;
    assert_eq!(port.clock(json!({"to": "2013-02-03T00:00:00Z"})).await.0, 200);
    let path = format!("/_souk/sandboxes/one/reports/{KIND}?month=2013-01&seller=111122223333");
    let rows = port.get(&format!("{path}&format=json")).await;
    let cells = rows["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), rows["columns"].as_array().unwrap().len());

    for path in [path.clone(), format!("{path}&format=csv&profile=legacy")] {
        let response = port.send("GET", &path, "").await;
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        let file = text(response).await;
        assert_eq!(file.lines().count(), 1 + rows["rows"].as_array().unwrap().len());
        assert!(file.starts_with(rows["columns"][0].as_str().unwrap()), "{file}");
    }
    // Daily reports are of a date, and feeds may be asked for what is current.
    let of =
        |kind: &str, rest: &str| format!("/_souk/sandboxes/one/reports/{kind}?seller=111122223333&{rest}");
    let fees = port.get(&of("daily_business_fees", "date=2013-02-03&format=json")).await;
    assert_eq!(fees["columns"].as_array().unwrap().len(), 22);
    let count = |feed: Value| feed["rows"].as_array().unwrap().len();
    let written = count(port.get(&of("productfeed_v1", "month=2013-01&format=json")).await);
    let current = count(port.get(&of("productfeed_v1", "month=2013-01&current=true&format=json")).await);
    assert_eq!((written, written > 0), (current, true));

    let kinds = port.get("/_souk/reports").await;
    assert_eq!(kinds["reports"].as_array().unwrap().len(), souk_core::reports::ALL.len());
}

#[tokio::test]
async fn a_document_is_refused_with_every_line_and_column() {
    let mut port = Port::new();
    let taken = "accounts:\n  - accountId: 111122223333\n  - accountId: 11\n";
    for (text, code, message, places) in [
        ("descriptoin: x\naccounts: 5\n", "DOCUMENT_INVALID", "and 1 more", vec![(1, ""), (2, "accounts")]),
        ("{\"description\": ]}", "DOCUMENT_INVALID", "", vec![(1, "")]),
        ("", "DOCUMENT_INVALID", "no document", vec![(1, "")]),
        (taken, "FIELD_INVALID", "11", vec![(3, "accounts[1].accountId")]),
    ] {
        let (status, refused) = port.ask("PUT", "/_souk/sandboxes/one", text).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(message), "{refused}");
        let told = refused["errors"].as_array().unwrap();
        let told: Vec<_> =
            told.iter().map(|e| (e["line"].as_u64().unwrap(), e["path"].as_str().unwrap())).collect();
        assert_eq!(
            (told.as_slice(), &refused["field"]),
            (places.as_slice(), &json!(places[0].1)),
            "{refused}"
        );
        assert!(refused["errors"][0]["column"].as_u64().unwrap() >= 1);
    }
    assert_eq!(port.ask("GET", "/_souk/sandboxes/one", "").await.0, 404);
}

#[tokio::test]
async fn whatever_is_wrong_is_named_with_its_status_code_and_field() {
    let mut port = Port::with_example().await;
    let report = "/_souk/sandboxes/one/reports";
    let faults = "/_souk/sandboxes/one/faults";
    for (method, path, body, status, code, field) in [
        ("GET", "/_souk", "", 404, "PATH_UNKNOWN", ""),
        ("GET", "/_souk/", "", 404, "PATH_UNKNOWN", ""),
        ("POST", "/_souk/sandboxes/one/usages", "{}", 404, "PATH_UNKNOWN", ""),
        ("GET", "/_souk/sandboxes/one/", "", 404, "PATH_UNKNOWN", ""),
        ("POST", "/_souk/sandboxes/one", "{}", 405, "METHOD_NOT_ALLOWED", ""),
        ("PATCH", "/_souk/sandboxes/one/clock", "{}", 405, "METHOD_NOT_ALLOWED", ""),
        ("GET", "/_souk/sandboxes/none", "", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("GET", "/_souk/sandboxes/One", "", 400, "FIELD_INVALID", "sandbox"),
        ("GET", "/_souk/sandboxes/%ff", "", 400, "FIELD_INVALID", "sandbox"),
        ("PUT", "/_souk/sandboxes/-", "{}", 400, "FIELD_INVALID", "sandbox"),
        ("PUT", "/_souk/sandboxes/one?dryRun=1", "{}", 400, "FIELD_INVALID", "dryRun"),
        ("DELETE", "/_souk/sandboxes/none", "", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("GET", "/_souk/sandboxes?pageSize=many", "", 400, "FIELD_INVALID", "pageSize"),
        ("GET", "/_souk/sandboxes?pageSize=1001", "", 400, "FIELD_INVALID", "pageSize"),
        ("GET", "/_souk/sandboxes?pageToken=x", "", 400, "PAGE_TOKEN_INVALID", "pageToken"),
        ("GET", "/_souk/sandboxes/none/clock", "", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("POST", "/_souk/sandboxes/one/clock", "", 400, "BODY_INVALID", ""),
        ("POST", "/_souk/sandboxes/one/clock", "{\"advance\": \"PT1H\"", 400, "BODY_INVALID", ""),
        ("POST", "/_souk/sandboxes/one/clock", "{}", 400, "BODY_INVALID", ""),
        ("POST", "/_souk/sandboxes/one/clock", "{\"advance\": 5}", 400, "BODY_INVALID", ""),
        ("POST", "/_souk/sandboxes/one/clock", "{\"follow\": {}, \"to\": \"\"}", 400, "BODY_INVALID", ""),
        ("POST", "/_souk/sandboxes/one/clock", "{\"advance\": \"P1M\"}", 400, "FIELD_INVALID", "advance"),
        ("POST", "/_souk/sandboxes/one/clock", "{\"advance\": \"-PT1H\"}", 412, "CLOCK_BACKWARDS", "advance"),
        ("POST", "/_souk/sandboxes/one/clock", "{\"to\": \"tomorrow\"}", 400, "FIELD_INVALID", "to"),
        (
            "POST",
            "/_souk/sandboxes/one/clock",
            "{\"to\": \"2012-01-01T00:00:00Z\"}",
            412,
            "CLOCK_BACKWARDS",
            "to",
        ),
        (
            "POST",
            "/_souk/sandboxes/one/clock",
            "{\"at\": \"1969-01-01T00:00:00Z\"}",
            400,
            "FIELD_INVALID",
            "at",
        ),
        ("POST", "/_souk/sandboxes/none/clock", "{\"follow\": {}}", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("POST", "/_souk/sandboxes/one/tokens", "{}", 400, "FIELD_MISSING", "agreementId"),
        (
            "POST",
            "/_souk/sandboxes/one/tokens",
            "{\"agreementId\": \"agmt-0\"}",
            404,
            "AGREEMENT_UNKNOWN",
            "agreementId",
        ),
        ("POST", "/_souk/sandboxes/one/tokens", "{\"agreement\": 1}", 400, "BODY_INVALID", ""),
        (
            "POST",
            "/_souk/sandboxes/none/tokens",
            "{\"agreementId\": \"agmt-0\"}",
            404,
            "SANDBOX_UNKNOWN",
            "sandbox",
        ),
        ("PUT", faults, "", 400, "BODY_INVALID", ""),
        ("PUT", faults, "{}", 400, "BODY_INVALID", ""),
        ("PUT", faults, "{\"faults\": {}}", 400, "BODY_INVALID", ""),
        ("PUT", faults, "{\"faults\": [], \"sandbox\": \"two\"}", 400, "BODY_INVALID", ""),
        ("PUT", faults, "{\"faults\": [{}]}", 400, "FIELD_MISSING", "faults[0].kind"),
        ("PUT", faults, "{\"faults\": [{\"kind\": \"HAIL\"}]}", 400, "FIELD_INVALID", "faults[0].kind"),
        ("PUT", faults, "{\"faults\": [{\"king\": 1}]}", 400, "FIELD_INVALID", "faults[0]"),
        (
            "PUT",
            faults,
            "{\"faults\": [{\"kind\": \"THROTTLE\"}, {\"kind\": \"THROTTLE\", \"operation\": \"Meter\"}]}",
            400,
            "FIELD_INVALID",
            "faults[1].operation",
        ),
        (
            "PUT",
            faults,
            "{\"faults\": [{\"kind\": \"THROTTLE\", \"probability\": 1.5}]}",
            400,
            "FIELD_INVALID",
            "faults[0].probability",
        ),
        (
            "PUT",
            faults,
            "{\"faults\": [{\"kind\": \"THROTTLE\", \"nthCall\": 0}]}",
            400,
            "FIELD_INVALID",
            "faults[0].nthCall",
        ),
        ("PUT", faults, "{\"faults\": [{\"kind\": \"LATENCY\"}]}", 400, "FIELD_MISSING", "faults[0].latency"),
        ("POST", faults, "{}", 405, "METHOD_NOT_ALLOWED", ""),
        ("GET", "/_souk/sandboxes/none/faults", "", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("DELETE", "/_souk/sandboxes/none/faults", "", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("PUT", "/_souk/sandboxes/none/faults", "{\"faults\": []}", 404, "SANDBOX_UNKNOWN", "sandbox"),
        ("GET", "/_souk/sandboxes/one/invoices?payer=1", "", 400, "FIELD_INVALID", "payer"),
        ("GET", "/_souk/sandboxes/one/invoices?payer=999999999999", "", 404, "ACCOUNT_UNKNOWN", "payer"),
        ("GET", "/_souk/sandboxes/one/invoices?month=June", "", 400, "FIELD_INVALID", "month"),
        ("GET", "/_souk/sandboxes/one/invoices/none", "", 404, "INVOICE_UNKNOWN", "invoiceId"),
        (
            "GET",
            &format!("{report}/none?month=2013-01&seller=111122223333"),
            "",
            400,
            "FIELD_INVALID",
            "kind",
        ),
        ("GET", &format!("{report}/{KIND}?month=2013-01"), "", 400, "FIELD_MISSING", "seller"),
        ("GET", &format!("{report}/{KIND}?seller=111122223333"), "", 400, "FIELD_MISSING", "month"),
        ("GET", &format!("{report}/daily_usage_v1?seller=111122223333"), "", 400, "FIELD_MISSING", "date"),
        (
            "GET",
            &format!("{report}/daily_usage_v1?seller=111122223333&date=2013-02-30"),
            "",
            400,
            "FIELD_INVALID",
            "date",
        ),
        (
            "GET",
            &format!("{report}/productfeed_v1?seller=111122223333&month=2013-01&current=yes"),
            "",
            400,
            "FIELD_INVALID",
            "current",
        ),
        (
            "GET",
            &format!("{report}/daily_usage_v1?seller=111122223333&date=2999-01-01"),
            "",
            412,
            "REPORT_NOT_MADE",
            "date",
        ),
        (
            "GET",
            &format!("{report}/{KIND}?month=2013-01&seller=111122223333"),
            "",
            412,
            "MONTH_NOT_CLOSED",
            "month",
        ),
        (
            "GET",
            &format!("{report}/{KIND}?month=2013-01&seller=000000000101"),
            "",
            412,
            "NOT_A_SELLER",
            "seller",
        ),
        ("GET", &format!("{report}/{KIND}?format=xml"), "", 400, "FIELD_INVALID", "format"),
        ("GET", &format!("{report}/{KIND}?profile=old"), "", 400, "FIELD_INVALID", "profile"),
    ] {
        let (found, refused) = port.ask(method, path, body.to_owned()).await;
        let said = (found, refused["code"].as_str().unwrap(), refused["field"].as_str().unwrap());
        assert_eq!(said, (status, code, field), "{method} {path} {body}: {refused}");
        assert!(!refused["message"].as_str().unwrap().is_empty(), "{method} {path} {body}");
    }
    let clock = port.get("/_souk/sandboxes/one/clock").await;
    assert_eq!(clock["clock"]["now"], "2013-01-01T00:00:00Z", "what is refused changes nothing");
}

#[tokio::test]
async fn a_following_clock_is_not_turned_and_a_key_is_not_shared() {
    let mut port = Port::with_example().await;
    assert_eq!(port.clock(json!({"follow": {}})).await.0, 200);
    let (status, refused) = port.clock(json!({"advance": "PT1H"})).await;
    assert_eq!((status, &refused["code"]), (412, &json!("CLOCK_FOLLOWING")));

    let keys = json!([{"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "s"}]);
    let accounts = json!({"accounts": [
        {"accountId": "000000000001", "accessKeys": keys}, {"accountId": "000000000002", "accessKeys": keys}
    ]});
    let (status, refused) = port.ask("PUT", "/_souk/sandboxes/two", accounts.to_string()).await;
    assert_eq!((status, &refused["code"]), (409, &json!("ACCESS_KEY_TAKEN")), "{refused}");
}

#[tokio::test]
async fn what_a_wrong_method_may_be_is_said() {
    let mut port = Port::new();
    for (path, allow) in [
        ("/_souk/sandboxes", "GET"),
        ("/_souk/sandboxes/one", "PUT, GET, DELETE"),
        ("/_souk/sandboxes/one/clock", "GET, POST"),
        ("/_souk/sandboxes/one/faults", "PUT, GET, DELETE"),
        ("/_souk/sandboxes/one/tokens", "POST"),
        ("/_souk/reports", "GET"),
    ] {
        let response = port.send("OPTIONS", path, "").await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &http::HeaderValue::from_static(allow))
        );
    }
}

#[tokio::test]
async fn a_body_is_text_of_at_most_so_many_bytes() {
    let mut port = Port::new();
    let path = "/_souk/sandboxes/one";
    let (status, refused) = port.ask("PUT", path, vec![b' '; BODY_BYTES_MAX + 1]).await;
    assert_eq!((status, &refused["code"]), (413, &json!("BODY_TOO_LARGE")));
    let (status, refused) = port.ask("PUT", path, vec![b'{', 0xff, b'}']).await;
    assert_eq!((status, &refused["code"]), (400, &json!("BODY_INVALID")));

    let declared = Request::builder().method("PUT").uri(path).header("content-length", u64::MAX);
    let response = port.0.call(declared.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 413);

    let broken = || Body::from_stream(tokio_stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("cut"))]));
    let declared = Request::builder().method("PUT").uri(path).header("content-length", 10);
    let response = port.0.call(declared.body(broken()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(text(response).await.contains("BODY_INVALID"));

    let deep = "[".repeat(100_000);
    for (method, path) in [("PUT", path), ("POST", "/_souk/sandboxes/one/clock")] {
        assert_eq!(port.ask(method, path, deep.clone()).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn other_paths_of_the_port_are_aws_s() {
    let mut port = Port::new();
    for path in ["/", "/_soukx", "/s/one/"] {
        let response = port.send("POST", path, "").await;
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1", "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_administrate_nothing() {
    let mut port = Port::with_example().await;
    for (origin, host, status) in [
        (Some("https://evil.example"), Some("127.0.0.1:7626"), 403),
        (Some("null"), Some("127.0.0.1:7626"), 403),
        (Some("http://127.0.0.1:7626"), None, 403),
        (Some("http://localhost:7626"), Some("localhost:7626"), 200),
        (Some("http://127.0.0.1:7626"), Some("127.0.0.1:7626"), 200),
        (Some("http://[::1]:7626"), Some("[::1]:7626"), 200),
        // A name that somebody lets lead here.
        (Some("http://evil.example:7626"), Some("evil.example:7626"), 403),
        (None, Some("127.0.0.1:7626"), 200),
    ] {
        let mut request = Request::post("/_souk/sandboxes/one/clock");
        for (name, value) in [("origin", origin), ("host", host)] {
            request = value.into_iter().fold(request, |request, value| request.header(name, value));
        }
        let request = request.body(Body::from(r#"{"advance": "PT1H"}"#)).unwrap();
        let answer = port.0.call(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{origin:?} at {host:?}");
    }
}
