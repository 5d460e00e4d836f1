//! A server of this process with both doors, a sandbox made from the document of the other SDKs' tests, and the
//! clients that a seller's or a buyer's program makes.

use std::sync::Arc;

use aws_sdk_marketplacemetering::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_marketplacemetering::error::SdkError;
use aws_sdk_marketplacemetering::primitives::DateTime;
use aws_smithy_http_client::Builder;
use souk_client::SoukClient;
use souk_client::proto::sandbox::v1::GetSandboxResponse;
use souk_log::MemoryStore;
use souk_server::aws::sigv4::Mode;
use souk_server::clock::SystemClock;
use souk_server::compose;
use souk_server::serve::{Doors, serve_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::served::patient_client;
use crate::words::put;

const DOCUMENT: &str = include_str!("../sdk/market.yaml");
/// The sandbox.
pub const SANDBOX: &str = "rust";
/// Where its clock stands when a test begins.
pub const NOW: &str = "2026-01-15T12:30:00Z";

pub const CIRRUS: &str = "111111111111";
pub const STRATUS: &str = "222222222222";
pub const ACME: &str = "333333333330";
pub const LABS: &str = "333333333331";
pub const BEACON: &str = "444444444444";
pub const DRIFTER: &str = "555555555555";
const KEYS: [(&str, &str, &str); 4] = [
    (CIRRUS, "AKIACIRRUSSELLER0001", "cirrus-secret-of-the-tests"),
    (STRATUS, "AKIASTRATUSSELLER001", "stratus-secret-of-the-tests"),
    (LABS, "AKIAACMELABS00000001", "labs-secret-of-the-tests"),
    (DRIFTER, "AKIADRIFTER000000001", "drifter-secret-of-the-tests"),
];
pub const PIPELINE: &str = "cirruspipelineusage000001";
pub const CACHE: &str = "cirruscachecontainer00001";

/// A marketplace of the test's own.
pub struct Market {
    /// What turns its clock and reads its bills.
    pub client: SoukClient,
    /// What SDKs are pointed at.
    pub endpoint: String,
    http: String,
    made: GetSandboxResponse,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Market {
    /// Starts it.
    pub async fn start() -> Market {
        // Programs sign by the machine's clock.
        let running = compose::start(Arc::new(MemoryStore::new()), 4, Arc::new(SystemClock));
        let running = running.expect("a store that can be used");
        let grpc = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let http = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = grpc.local_addr().expect("an address");
        let http_address = http.local_addr().expect("an address").to_string();
        let doors = Doors { grpc, http: Some((http, Mode::Verify)) };
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve_until(running, doors, async {
            let _ = stopped.await;
        }));
        let client = patient_client(&format!("http://{address}")).await;
        put(&client, SANDBOX, DOCUMENT).await;
        let made = client.get_sandbox(SANDBOX).await.expect("a sandbox");
        let endpoint = format!("http://{http_address}/s/{SANDBOX}");
        Market { client, endpoint, http: http_address, made, stop, serving }
    }

    /// Stops it in order.
    pub async fn stop(self) {
        let Market { client, stop, serving, .. } = self;
        drop(client);
        let _ = stop.send(());
        serving.await.expect("no panic").expect("an orderly end");
    }

    /// A client of the metering service.
    pub fn metering(&self, caller: Credentials) -> aws_sdk_marketplacemetering::Client {
        let config = aws_sdk_marketplacemetering::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(plain_http())
            .endpoint_url(&self.endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(caller)
            .build();
        aws_sdk_marketplacemetering::Client::from_conf(config)
    }

    /// An agreement's id and licence.
    pub fn agreement(&self, offer: &str, buyer: &str) -> (&str, &str) {
        let is_it = |one: &&souk_client::proto::agreement::v1::Agreement| {
            one.offer_id == offer && one.buyer_account_id == buyer
        };
        let agreement = self.made.agreements.iter().find(is_it).expect("an agreement of the document");
        (&agreement.agreement_id, &agreement.license_arn)
    }

    /// How a seller knows a buyer by the identifier of older integrations.
    pub fn identifier(&self, seller: &str, buyer: &str) -> &str {
        let mut all = self.made.customer_identifiers.iter();
        let found = all.find(|one| one.seller_account_id == seller && one.buyer_account_id == buyer);
        &found.expect("an identifier of the document").customer_identifier
    }

    /// What a buyer's browser brings.
    pub async fn token(&self, offer: &str, buyer: &str) -> String {
        let body = serde_json::json!({ "agreementId": self.agreement(offer, buyer).0 }).to_string();
        let head =
            format!("POST /_souk/sandboxes/{SANDBOX}/tokens HTTP/1.1\r\nhost: souk\r\nconnection: close");
        let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut connection = TcpStream::connect(&self.http).await.expect("a server");
        connection.write_all(request.as_bytes()).await.expect("a request that is taken");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let made: serde_json::Value = serde_json::from_str(body).expect("JSON");
        made["registrationToken"].as_str().unwrap_or_else(|| panic!("no token in {answer}")).to_owned()
    }
}

/// The servers of tests have no certificates.
pub fn plain_http() -> SharedHttpClient {
    Builder::new().build_http()
}

/// The keys of an account.
pub fn keys_of(account: &str) -> Credentials {
    let (_, id, secret) = KEYS.iter().find(|(of, ..)| *of == account).expect("an account with keys");
    Credentials::new(*id, *secret, None, None, "tests")
}

/// The keys of an account on an instance.
pub fn on_instance(account: &str, instance: &str) -> Credentials {
    let keys = keys_of(account);
    let token = format!("souk:{instance}");
    Credentials::new(keys.access_key_id(), keys.secret_access_key(), Some(token), None, "tests")
}

/// A moment so many seconds from the clock's.
pub fn seconds(from_now: i64) -> DateTime {
    DateTime::from_secs(crate::words::at(NOW).seconds + from_now)
}

/// The status and the error of a call that the service refuses.
pub fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, SdkError<E>>) -> (u16, E) {
    match answer.expect_err("a refusal") {
        SdkError::ServiceError(refusal) => (refusal.raw().status().as_u16(), refusal.into_err()),
        other => panic!("{other:?}"),
    }
}
