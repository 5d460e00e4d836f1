//! Which sandbox, service and operation a request names.
//!
//! ```text
//! POST /            or  /s/NAME      X-Amz-Target: AWSMPMeteringService.BatchMeterUsage       JSON
//! POST /service/AWSMPEntitlementService/operation/GetEntitlements, also below /s/NAME         CBOR
//! ```
//!
//! One table, [`SERVICES`], holds all services; a further one of these protocols is one more row. Paths
//! of services with paths of their own never collide with these.

use http::Method;
use http::header::HeaderMap;
use percent_encoding::percent_decode_str;
use souk_core::ids::SandboxName;

use super::error::AwsError;
use super::protocol::{Protocol, RPC_V2_CBOR, SMITHY_PROTOCOL};

const TARGET: &str = "x-amz-target";
/// The sandbox of a path that names none.
const DEFAULT_SANDBOX: &str = "default";

/// A service of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// AWS Marketplace Metering Service.
    Metering,
    /// AWS Marketplace Entitlement Service.
    Entitlement,
}

/// What the wire knows of a service.
#[derive(Debug)]
pub struct ServiceEntry {
    /// Which one.
    pub service: Service,
    /// Its name in targets and paths.
    pub wire_name: &'static str,
    /// The name that signatures are scoped to.
    pub signing_name: &'static str,
    /// What it speaks.
    pub protocols: &'static [Protocol],
    /// What it does.
    pub operations: &'static [&'static str],
}

/// Every service of the port.
pub const SERVICES: [ServiceEntry; 2] = [
    ServiceEntry {
        service: Service::Metering,
        wire_name: "AWSMPMeteringService",
        signing_name: "aws-marketplace",
        protocols: &[Protocol::Json11],
        operations: &["BatchMeterUsage", "MeterUsage", "RegisterUsage", "ResolveCustomer"],
    },
    ServiceEntry {
        service: Service::Entitlement,
        wire_name: "AWSMPEntitlementService",
        signing_name: "aws-marketplace",
        protocols: &[Protocol::Json11, Protocol::Cbor],
        operations: &["GetEntitlements"],
    },
];

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The sandbox of the path; none is the sandbox `default`.
    pub sandbox: Option<String>,
    /// The service.
    pub service: Service,
    /// The operation, one of the service's table row.
    pub operation: &'static str,
    /// The name that its signature must be scoped to.
    pub signing_name: &'static str,
    /// How it is written.
    pub protocol: Protocol,
}

impl Routed {
    /// The sandbox that it is for.
    pub fn sandbox_name(&self) -> SandboxName {
        SandboxName::new(self.sandbox.as_deref().unwrap_or(DEFAULT_SANDBOX))
    }
}

/// A request that reaches no operation, and the protocol to say so in.
#[derive(Debug, Clone, PartialEq)]
pub struct Unrouted {
    /// How to write the answer.
    pub protocol: Protocol,
    /// The answer.
    pub error: AwsError,
}

/// Reads where a request goes.
pub fn route(method: &Method, path: &str, headers: &HeaderMap) -> Result<Routed, Unrouted> {
    find(method, path, headers).map_err(|error| Unrouted { protocol: Protocol::spoken(path, headers), error })
}

/// A path's sandbox, and its segments behind that.
pub fn split_sandbox(path: &str) -> Result<(Option<String>, Vec<&str>), AwsError> {
    // An endpoint that ends with a slash gives paths with two of them: empty segments mean nothing.
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["s", name, rest @ ..] => {
            let name = percent_decode_str(name)
                .decode_utf8()
                .map_err(|_| AwsError::unknown_operation("The sandbox name in the path is not UTF-8."))?;
            Ok((Some(name.into_owned()), rest.to_vec()))
        }
        rest => Ok((None, rest.to_vec())),
    }
}

fn find(method: &Method, path: &str, headers: &HeaderMap) -> Result<Routed, AwsError> {
    let (sandbox, segments) = split_sandbox(path)?;
    if method != Method::POST {
        return Err(AwsError::unknown_operation(format!("Operations are called with POST, not {method}.")));
    }
    let (wire_name, operation, spoken) = match segments.as_slice() {
        [] => {
            let (service, operation) = target(headers)?;
            (service, operation, json_version(headers)?)
        }
        ["service", service, "operation", operation] => {
            check_cbor(headers)?;
            (*service, *operation, Protocol::Cbor)
        }
        _ => return Err(AwsError::unknown_operation(format!("Nothing is served at the path {path}."))),
    };
    let entry = SERVICES.iter().find(|entry| entry.wire_name == wire_name).ok_or_else(|| {
        AwsError::unknown_operation(format!("This endpoint has no service named {wire_name}."))
    })?;
    if !entry.protocols.contains(&spoken) {
        return Err(AwsError::unknown_operation(format!(
            "{wire_name} does not speak {}.",
            spoken.content_type()
        )));
    }
    let known = entry.operations.iter().find(|known| **known == operation).ok_or_else(|| {
        AwsError::unknown_operation(format!("{wire_name} has no operation named {operation}."))
    })?;
    Ok(Routed {
        sandbox,
        service: entry.service,
        operation: known,
        signing_name: entry.signing_name,
        protocol: spoken,
    })
}

/// The service and operation of the target header.
fn target(headers: &HeaderMap) -> Result<(&str, &str), AwsError> {
    let target = headers
        .get(TARGET)
        .ok_or_else(|| AwsError::unknown_operation("The header X-Amz-Target is missing."))?;
    target.to_str().ok().and_then(|text| text.split_once('.')).ok_or_else(|| {
        AwsError::unknown_operation("The header X-Amz-Target is not of the form Service.Operation.")
    })
}

fn json_version(headers: &HeaderMap) -> Result<Protocol, AwsError> {
    match Protocol::of_content_type(headers) {
        Some(protocol @ (Protocol::Json10 | Protocol::Json11)) => Ok(protocol),
        Some(Protocol::Cbor) | None => Err(AwsError::unknown_operation(
            "A call with X-Amz-Target has the content type application/x-amz-json-1.1 or -1.0.",
        )),
    }
}

fn check_cbor(headers: &HeaderMap) -> Result<(), AwsError> {
    if headers.get(SMITHY_PROTOCOL).is_none_or(|value| value != RPC_V2_CBOR) {
        return Err(AwsError::unknown_operation(
            "A call by path has the header smithy-protocol: rpc-v2-cbor.",
        ));
    }
    match Protocol::of_content_type(headers) {
        Some(Protocol::Cbor) => Ok(()),
        Some(Protocol::Json10 | Protocol::Json11) | None => {
            Err(AwsError::unknown_operation("A call by path has the content type application/cbor."))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const JSON: &[(&str, &str)] =
        &[("content-type", "application/x-amz-json-1.1"), (TARGET, "AWSMPMeteringService.BatchMeterUsage")];
    const CBOR: &[(&str, &str)] = &[("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    const GET_ENTITLEMENTS: &str = "/service/AWSMPEntitlementService/operation/GetEntitlements";

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap())).collect()
    }

    fn post(path: &str, list: &[(&'static str, &str)]) -> Result<Routed, Unrouted> {
        route(&Method::POST, path, &headers(list))
    }

    #[test]
    fn a_target_names_service_and_operation_below_either_prefix() {
        let rows = [
            ("/", None),
            ("", None),
            ("//", None),
            ("/s/fleet", Some("fleet")),
            ("/s/fleet/", Some("fleet")),
            ("/s/fleet//", Some("fleet")),
            ("/s/with%20space", Some("with space")),
            ("/s/s", Some("s")),
        ];
        for (path, sandbox) in rows {
            let routed = post(path, JSON).unwrap();
            assert_eq!(routed.sandbox.as_deref(), sandbox, "{path}");
            assert_eq!(routed.service, Service::Metering);
            assert_eq!(routed.operation, "BatchMeterUsage");
            assert_eq!(routed.signing_name, "aws-marketplace");
            assert_eq!(routed.protocol, Protocol::Json11);
        }
    }

    #[test]
    fn a_cbor_path_names_service_and_operation_below_either_prefix() {
        for (prefix, sandbox) in [("", None), ("/s/fleet", Some("fleet")), ("/s/service/", Some("service"))] {
            let routed = post(&format!("{prefix}{GET_ENTITLEMENTS}"), CBOR).unwrap();
            assert_eq!(routed.sandbox.as_deref(), sandbox, "{prefix}");
            assert_eq!((routed.service, routed.operation), (Service::Entitlement, "GetEntitlements"));
            assert_eq!(routed.protocol, Protocol::Cbor);
        }
    }

    #[test]
    fn every_service_is_reached_by_every_protocol_it_speaks() {
        for entry in &SERVICES {
            for operation in entry.operations {
                for protocol in entry.protocols {
                    let target = format!("{}.{operation}", entry.wire_name);
                    let path = match protocol {
                        Protocol::Json10 | Protocol::Json11 => "/".to_owned(),
                        Protocol::Cbor => format!("/service/{}/operation/{operation}", entry.wire_name),
                    };
                    let mut headers =
                        headers(&[("content-type", protocol.content_type()), (TARGET, &target)]);
                    if *protocol == Protocol::Cbor {
                        headers.insert(SMITHY_PROTOCOL, RPC_V2_CBOR);
                        headers.remove(TARGET);
                    }
                    let routed = route(&Method::POST, &path, &headers).unwrap();
                    assert_eq!((routed.service, routed.operation), (entry.service, *operation));
                    assert_eq!(routed.protocol, *protocol);
                }
            }
        }
    }

    #[test]
    fn content_types_may_carry_parameters_and_any_case() {
        let list = [("content-type", "Application/X-AMZ-JSON-1.1; charset=utf-8"), JSON[1]];
        assert!(post("/", &list).is_ok());
    }

    #[test]
    fn what_names_no_operation_is_refused_in_the_protocol_it_spoke() {
        let metering_cbor = "/service/AWSMPMeteringService/operation/MeterUsage";
        type Row<'a> = (&'a str, &'a [(&'static str, &'a str)], Protocol, &'a str);
        let json_11 = ("content-type", "application/x-amz-json-1.1");
        let json_10 = ("content-type", "application/x-amz-json-1.0");
        let rows: [Row<'_>; 14] = [
            ("/", &[], Protocol::Json11, "The header X-Amz-Target is missing."),
            (
                "/",
                &[json_11, (TARGET, "BatchMeterUsage")],
                Protocol::Json11,
                "not of the form Service.Operation",
            ),
            (
                "/",
                &[json_11, (TARGET, "AWSMPMeteringService.Nope")],
                Protocol::Json11,
                "no operation named Nope",
            ),
            ("/", &[json_11, (TARGET, "AWSMPMeteringService.")], Protocol::Json11, "no operation named ."),
            ("/", &[json_11, (TARGET, "Nope.MeterUsage")], Protocol::Json11, "no service named Nope"),
            ("/", &[json_10, JSON[1]], Protocol::Json10, "does not speak application/x-amz-json-1.0"),
            ("/", &[("content-type", "application/json"), JSON[1]], Protocol::Json11, "has the content type"),
            ("/", &[JSON[1]], Protocol::Json11, "has the content type"),
            ("/", CBOR, Protocol::Cbor, "X-Amz-Target is missing"),
            ("/other", JSON, Protocol::Json11, "Nothing is served at the path /other."),
            ("/s/%ff", JSON, Protocol::Json11, "not UTF-8"),
            (metering_cbor, CBOR, Protocol::Cbor, "does not speak application/cbor"),
            (GET_ENTITLEMENTS, &[], Protocol::Cbor, "smithy-protocol: rpc-v2-cbor"),
            (GET_ENTITLEMENTS, &[json_11, CBOR[1]], Protocol::Cbor, "has the content type application/cbor"),
        ];
        for (path, list, protocol, text) in rows {
            let unrouted = post(path, list).unwrap_err();
            assert_eq!(unrouted.protocol, protocol, "{path} {list:?}");
            assert_eq!(
                (unrouted.error.code.as_ref(), unrouted.error.status),
                ("UnknownOperationException", 404)
            );
            assert!(unrouted.error.message.contains(text), "{}", unrouted.error.message);
        }
    }

    #[test]
    fn other_methods_reach_nothing() {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let unrouted = route(&method, "/", &headers(JSON)).unwrap_err();
            assert_eq!(unrouted.error.code, "UnknownOperationException");
            assert!(unrouted.error.message.contains(method.as_str()));
        }
    }

    #[test]
    fn a_target_that_is_not_ascii_is_refused() {
        let mut headers = headers(JSON);
        headers.insert(TARGET, HeaderValue::from_bytes(b"\xff.\xff").unwrap());
        assert_eq!(route(&Method::POST, "/", &headers).unwrap_err().error.status, 404);
    }
}
