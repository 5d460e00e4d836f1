//! Administration over HTTP, below `/_souk` of the AWS port, for test suites in any language: the contract of
//! the gRPC services in its JSON form.
//!
//! ```text
//! GET                 /_souk/sandboxes[?pageSize=&pageToken=]
//! PUT  GET  DELETE    /_souk/sandboxes/NAME                       the document, as JSON or YAML text
//! GET  POST           /_souk/sandboxes/NAME/clock                 {"advance": "PT1H"}, "to", "at" or "follow"
//! PUT  GET  DELETE    /_souk/sandboxes/NAME/faults                {"faults": [{"kind": "THROTTLE"}]}
//! POST                /_souk/sandboxes/NAME/tokens                {"agreementId": "agmt-..."}
//! GET                 /_souk/sandboxes/NAME/invoices[?payer=&month=&pageSize=&pageToken=]
//! GET                 /_souk/sandboxes/NAME/invoices/ID
//! GET                 /_souk/sandboxes/NAME/invoices/ID/lines/N/explanation[?pageSize=&pageToken=]
//! GET                 /_souk/sandboxes/NAME/previews?payer=[&month=]
//! GET                 /_souk/sandboxes/NAME/usage[?status=metered|refused&productCode=&buyer=&dimension=&month=
//!                                                  &pageSize=&pageToken=]
//! GET                 /_souk/sandboxes/NAME/events[?buyer=&payer=&since=&pageSize=&pageToken=]
//! GET                 /_souk/sandboxes/NAME/reports/KIND?month=|date=&seller=[&profile=&current=true&format=csv|json]
//! GET                 /_souk/reports
//! ```
//!
//! A request becomes the message of a gRPC service and is carried out by that service; its answer is the
//! service's, printed as JSON. What HTTP alone says is read here: paths, parameters, bodies and the words of
//! the clock. No rule lives here.

mod clock;
mod events;
mod faults;
mod invoices;
#[cfg(test)]
mod received_tests;
mod refused;
mod reports;
mod request;
mod sandboxes;
#[cfg(test)]
mod tests;
mod tokens;
mod usage;

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use prost::Message;

use crate::app::Souk;
use crate::document::InOrder;
use refused::Refused;
use request::Parameter;

/// Where administration lives on the port.
pub const PREFIX: &str = "/_souk";

/// Answers everything below [`PREFIX`].
pub fn router(souk: Souk) -> Router {
    Router::new().fallback(handle).with_state(souk)
}

async fn handle(State(souk): State<Souk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(&souk, &parts, body).await.unwrap_or_else(Refused::into_response)
}

/// What a path names.
#[derive(Debug, Clone, Copy)]
enum Resource<'a> {
    Sandboxes,
    Sandbox(&'a str),
    Clock(&'a str),
    Faults(&'a str),
    Tokens(&'a str),
    Invoices(&'a str),
    Invoice(&'a str, &'a str),
    Explanation(&'a str, &'a str, &'a str),
    Previews(&'a str),
    Usage(&'a str),
    Events(&'a str),
    Report(&'a str, &'a str),
    Reports,
}

impl Resource<'_> {
    fn named<'a>(segments: &[&'a str]) -> Option<Resource<'a>> {
        match *segments {
            ["reports"] => Some(Resource::Reports),
            ["sandboxes"] => Some(Resource::Sandboxes),
            ["sandboxes", name] => Some(Resource::Sandbox(name)),
            ["sandboxes", name, "clock"] => Some(Resource::Clock(name)),
            ["sandboxes", name, "faults"] => Some(Resource::Faults(name)),
            ["sandboxes", name, "tokens"] => Some(Resource::Tokens(name)),
            ["sandboxes", name, "invoices"] => Some(Resource::Invoices(name)),
            ["sandboxes", name, "invoices", id] => Some(Resource::Invoice(name, id)),
            ["sandboxes", name, "invoices", id, "lines", line, "explanation"] => {
                Some(Resource::Explanation(name, id, line))
            }
            ["sandboxes", name, "previews"] => Some(Resource::Previews(name)),
            ["sandboxes", name, "events"] => Some(Resource::Events(name)),
            ["sandboxes", name, "usage"] => Some(Resource::Usage(name)),
            ["sandboxes", name, "reports", kind] => Some(Resource::Report(name, kind)),
            _ => None,
        }
    }

    /// What may be done with it.
    fn methods(self) -> &'static str {
        match self {
            Resource::Sandbox(_) | Resource::Faults(_) => "PUT, GET, DELETE",
            Resource::Clock(_) => "GET, POST",
            Resource::Tokens(_) => "POST",
            Resource::Sandboxes
            | Resource::Invoices(_)
            | Resource::Invoice(..)
            | Resource::Explanation(..)
            | Resource::Previews(_)
            | Resource::Usage(_)
            | Resource::Events(_)
            | Resource::Report(..)
            | Resource::Reports => "GET",
        }
    }

    /// The parameters that its address may have.
    fn parameters(self) -> &'static [Parameter] {
        match self {
            Resource::Sandboxes => sandboxes::PARAMETERS,
            Resource::Invoices(_) => invoices::PARAMETERS,
            Resource::Explanation(..) => invoices::EXPLANATION_PARAMETERS,
            Resource::Previews(_) => invoices::PREVIEW_PARAMETERS,
            Resource::Usage(_) => usage::PARAMETERS,
            Resource::Events(_) => events::PARAMETERS,
            Resource::Report(..) => reports::PARAMETERS,
            Resource::Sandbox(_)
            | Resource::Clock(_)
            | Resource::Faults(_)
            | Resource::Tokens(_)
            | Resource::Invoice(..)
            | Resource::Reports => &[],
        }
    }
}

async fn answer(souk: &Souk, parts: &Parts, body: Body) -> Result<Response, Refused> {
    refuse_other_origins(&parts.headers)?;
    let path = parts.uri.path();
    let segments: Vec<_> =
        path.split('/').skip(1).map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let resource = Resource::named(&segments).ok_or_else(|| Refused::unknown_path(path))?;
    let not_allowed = || Refused::method_not_allowed(&parts.method, path, resource.methods());
    if !resource.methods().split(", ").any(|method| method == parts.method.as_str()) {
        return Err(not_allowed());
    }
    let parameters = request::parameters(parts.uri.query(), resource.parameters())?;
    let text = || request::text(&parts.headers, body);
    match (resource, &parts.method) {
        (Resource::Sandboxes, &Method::GET) => sandboxes::list(souk, parameters).await,
        (Resource::Sandbox(name), &Method::PUT) => sandboxes::put(souk, name, text().await?).await,
        (Resource::Sandbox(name), &Method::GET) => sandboxes::get(souk, name).await,
        (Resource::Sandbox(name), &Method::DELETE) => sandboxes::delete(souk, name).await,
        (Resource::Clock(name), &Method::GET) => clock::get(souk, name).await,
        (Resource::Clock(name), &Method::POST) => clock::turn(souk, name, &text().await?).await,
        (Resource::Faults(name), &Method::PUT) => faults::set(souk, name, &text().await?).await,
        (Resource::Faults(name), &Method::GET) => faults::list(souk, name).await,
        (Resource::Faults(name), &Method::DELETE) => faults::clear(souk, name).await,
        (Resource::Tokens(name), &Method::POST) => tokens::make(souk, name, &text().await?).await,
        (Resource::Invoices(name), &Method::GET) => invoices::list(souk, name, parameters).await,
        (Resource::Invoice(name, id), &Method::GET) => invoices::get(souk, name, id).await,
        (Resource::Explanation(name, id, line), &Method::GET) => {
            invoices::explain(souk, name, id, line, parameters).await
        }
        (Resource::Previews(name), &Method::GET) => invoices::preview(souk, name, parameters).await,
        (Resource::Usage(name), &Method::GET) => usage::list(souk, name, parameters).await,
        (Resource::Events(name), &Method::GET) => events::list(souk, name, parameters).await,
        (Resource::Report(name, kind), &Method::GET) => reports::render(souk, name, kind, parameters).await,
        (Resource::Reports, &Method::GET) => reports::list(souk).await,
        _ => Err(not_allowed()),
    }
}

/// Refuses what a page of another site asks a browser to send: administration carries no credentials that would tell
/// its sender. Programs that are no browsers send no origin. A page of the port itself is at `localhost` or at a number:
/// a name may be anybody's, who lets it lead here.
fn refuse_other_origins(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_own =
        Uri::builder().authority(authority).scheme("http").path_and_query("/").build().is_ok_and(|uri| {
            let name = uri.host().unwrap_or_default();
            let is_number = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
            host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
                && (is_number || name == "localhost")
        });
    if is_own { Ok(()) } else { Err(Refused::other_origin(origin)) }
}

/// An answer of the contract; `name` is its full name.
async fn message<M: Message + 'static>(name: &'static str, message: M) -> Result<Response, Refused> {
    // A large answer takes a while to print: not on a thread that serves others.
    let printed = tokio::task::spawn_blocking(move || {
        let message = InOrder::of(name, &message).map_err(Refused::defect)?;
        serde_json::to_vec(&message).map_err(Refused::defect)
    });
    Ok(json_bytes(printed.await.map_err(Refused::defect)??))
}

fn json_bytes(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}
