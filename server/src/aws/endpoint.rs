//! A request's whole way over HTTP: route, read, find the sandbox, check who calls, carry out, answer. Whatever
//! comes gets AWS's error shape in the protocol it spoke.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::LengthLimitError;
use souk_core::catalog::Marketplace;
use souk_core::ids::{DEFAULT_REGION, Region, SandboxName};

use super::error::AwsError;
use super::gate::Gate;
use super::ops::{Answer, Call};
use super::refused;
use super::respond::{new_request_id, respond, respond_printed};
use super::route::{Routed, route};
use super::sigv4::{self, Mode, Policy, SignedRequest};
use super::wire::BODY_BYTES_MAX;
use crate::app::Souk;

/// Bytes of what a program runs on; a longer statement states nothing.
const RESOURCE_LENGTH_MAX: usize = 255;
/// What a session token begins with when it says what the program runs on.
const RESOURCE_PREFIX: &str = "souk:";

/// What the endpoint needs.
pub struct Endpoint {
    /// The marketplace.
    pub souk: Souk,
    /// How signatures are treated.
    pub mode: Mode,
}

/// Answers any request of the port that nothing else answers.
pub async fn handle(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let request_id = new_request_id();
    let (parts, body) = request.into_parts();
    let routed = match route(&parts.method, parts.uri.path(), &parts.headers) {
        Ok(routed) => routed,
        Err(unrouted) => return respond(unrouted.protocol, &request_id, Err(unrouted.error)).map(Body::from),
    };
    let protocol = routed.protocol;
    let body = read_body(body).await;
    let sandbox = routed.sandbox_name();
    let may_be_late = endpoint.has_faults(&sandbox);
    // An answer repeats texts of the body where they stand.
    let called = {
        let request_id = request_id.clone();
        async move {
            let outcome = match &body {
                Ok(body) => endpoint.answer(&routed, sandbox, &parts, body).await,
                Err(error) => Err(error.clone()),
            };
            let outcome = match outcome {
                Ok(Answer::Printed(printed)) => return respond_printed(protocol, &request_id, printed),
                Ok(Answer::Value(value)) => Ok(value),
                Err(error) => Err(error),
            };
            refused::note(&endpoint.souk, &routed, &parts, body.as_deref().unwrap_or_default(), &outcome);
            respond(protocol, &request_id, outcome)
        }
    };
    let response = match may_be_late {
        false => called.await,
        // A task of its own: a caller that hangs up while a call is late does not stop it.
        true => tokio::spawn(called).await.unwrap_or_else(|failed| {
            tracing::error!(%failed, "a call failed");
            let message = "The service failed. The server's log says why.";
            respond(protocol, &request_id, Err(AwsError::internal(message)))
        }),
    };
    response.map(Body::from)
}

async fn read_body(body: Body) -> Result<Bytes, AwsError> {
    // One byte more than a body may have: what is longer is told from what was cut off.
    to_bytes(body, BODY_BYTES_MAX + 1).await.map_err(|error| {
        let error = error.into_inner();
        match error.is::<LengthLimitError>() {
            true => AwsError::request_entity_too_large(format!("A body has at most {BODY_BYTES_MAX} bytes.")),
            false => AwsError::serialization(format!("The body ended before it was whole: {error}.")),
        }
    })
}

impl Endpoint {
    fn has_faults(&self, sandbox: &SandboxName) -> bool {
        self.souk.market(sandbox).is_ok_and(|market| !market.faults.is_empty())
    }

    async fn answer<'b>(
        &self,
        routed: &Routed,
        sandbox: SandboxName,
        parts: &http::request::Parts,
        body: &'b [u8],
    ) -> Result<Answer<'b>, AwsError> {
        let market = self.souk.market(&sandbox).map_err(|_| {
            AwsError::unrecognized_client(format!(
                "There is no sandbox \"{sandbox}\": make it from a document."
            ))
        })?;
        let policy =
            Policy { mode: self.mode, signing_names: &[routed.signing_name], now: self.souk.clock.now() };
        let request = SignedRequest { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body };
        let signed = sigv4::authenticate(&policy, &request, |key| {
            let account = market.access_key_owner(key)?;
            account.access_keys.iter().find(|k| k.id == key).map(|k| k.secret.as_str())
        })?;
        if let Some(key) = signed.access_key_id.as_deref().filter(|_| !signed.is_known) {
            self.check_stranger(&market, key)?;
        }
        let caller =
            signed.access_key_id.as_deref().and_then(|key| market.access_key_owner(key)).map(|a| a.id);
        let (resource, launch_region) = signed
            .session_token
            .as_deref()
            .and_then(resource)
            .map_or((None, None), |(on, at)| (Some(on), at));
        let call = Call {
            souk: &self.souk,
            sandbox,
            caller,
            region: Region::new(signed.region.as_deref().unwrap_or(DEFAULT_REGION)),
            resource,
            launch_region,
            clock: self.souk.client_clock(&market),
            market,
            gate: Gate::new(parts, routed.operation),
        };
        let outcome = call.carry_out(routed, body).await;
        call.gate.close();
        outcome
    }

    /// Where signatures are not checked, a key that the sandbox does not know is as good as none, if it has no keys at
    /// all: then nobody cares who calls. Otherwise the key is mistyped, or meant for another sandbox.
    fn check_stranger(&self, market: &Marketplace, key: &str) -> Result<(), AwsError> {
        let why = if market.has_access_keys() {
            "no account of this sandbox has it: put it into the sandbox document"
        } else if self.souk.published.know_access_key(key) {
            "it belongs to another sandbox: the endpoint's path names the sandbox"
        } else {
            return Ok(());
        };
        Err(AwsError::unrecognized_client(format!(
            "The access key {key} means nobody in \"{}\"; {why}.",
            market.name
        )))
    }
}

/// What the program runs on, and where that was launched: a session token says it, as `souk:i-0123456789abcdef0`,
/// `souk:task/...` or `souk:pod/...`, and behind that `@us-west-2` where it matters. On AWS the role's credentials do.
fn resource(session_token: &str) -> Option<(String, Option<Region>)> {
    let stated = session_token.strip_prefix(RESOURCE_PREFIX)?;
    let (resource, region) = match stated.rsplit_once('@') {
        Some((resource, region)) => (resource, Some(region).filter(|region| !region.is_empty())),
        None => (stated, None),
    };
    (1..=RESOURCE_LENGTH_MAX)
        .contains(&resource.len())
        .then(|| (resource.to_owned(), region.map(Region::new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_states_what_a_program_runs_on_and_where() {
        for (token, expected) in [
            ("souk:i-1", Some(("i-1", None))),
            ("souk:task/a@us-west-2", Some(("task/a", Some("us-west-2")))),
            ("souk:pod/a@b@us-west-2", Some(("pod/a@b", Some("us-west-2")))),
            ("souk:i-1@", Some(("i-1", None))),
            ("souk:@us-west-2", None),
            ("souk:", None),
            ("IQoJb3JpZ2luX2VjE", None),
        ] {
            let found = resource(token);
            let found = found.as_ref().map(|(on, at)| (on.as_str(), at.as_ref().map(Region::as_str)));
            assert_eq!(found, expected, "{token}");
        }
    }
}
