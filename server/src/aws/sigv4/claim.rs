//! What a request says of its own signature, before any of it is believed.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, DATE, HeaderMap};
use percent_encoding::percent_decode_str;
use souk_core::time::Timestamp;

use super::refusal::Refusal;
use super::{ALGORITHM, EXPIRES_SECS_MAX, SignedRequest, time};

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the header Authorization.
    Header,
    /// In the query: a presigned address.
    Query,
}

/// The parts of a signature, as text.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    pub(super) form: Form,
    pub(super) session_token: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
}

/// `key/date/region/service/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credential<'c> {
    pub(super) access_key_id: &'c str,
    pub(super) date: &'c str,
    pub(super) region: &'c str,
    pub(super) service: &'c str,
    pub(super) terminator: &'c str,
}

impl<'a> Claim<'a> {
    /// Finds the parts; the header counts where there are both forms.
    pub(super) fn read(request: &SignedRequest<'a>) -> Result<Claim<'a>, Refusal> {
        if let Some(value) = request.headers.get(AUTHORIZATION) {
            let text = value.to_str().map_err(|_| Refusal::OtherAlgorithm)?;
            return from_header(text, request.headers);
        }
        let query = request.uri.query().unwrap_or_default();
        match parameter(query, "X-Amz-Algorithm") {
            Some(algorithm) if algorithm == ALGORITHM => Ok(from_query(query)),
            Some(_) => Err(Refusal::OtherAlgorithm),
            None if parameter(query, "X-Amz-Signature").is_some() => Err(Refusal::Lacks("X-Amz-Algorithm")),
            None => Err(Refusal::Unsigned),
        }
    }

    pub(super) fn credential(&self) -> Result<Credential<'_>, Refusal> {
        let text = self.credential.as_deref().ok_or(Refusal::Lacks("Credential"))?;
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let mut credential = || {
            let (terminator, service, region) = (next()?, next()?, next()?);
            let (date, access_key_id) = (next()?, next()?);
            Some(Credential { access_key_id, date, region, service, terminator })
        };
        credential().ok_or_else(|| Refusal::MalformedCredential(text.to_owned()))
    }

    pub(super) fn signed_headers(&self) -> Result<&str, Refusal> {
        self.signed_headers.as_deref().ok_or(Refusal::Lacks("SignedHeaders"))
    }

    pub(super) fn signature(&self) -> Result<&str, Refusal> {
        self.signature.as_deref().ok_or(Refusal::Lacks("Signature"))
    }

    pub(super) fn signed_at(&self) -> Result<Timestamp, Refusal> {
        let text = self.time.as_deref().ok_or(Refusal::Lacks("X-Amz-Date"))?;
        time::parse(text).ok_or_else(|| Refusal::MalformedTime(text.to_owned()))
    }

    /// For how long a presigned address holds.
    pub(super) fn expires_secs(&self) -> Result<u32, Refusal> {
        let text = self.expires.as_deref().ok_or(Refusal::Lacks("X-Amz-Expires"))?;
        let secs = text.parse().ok().filter(|secs| (1..=EXPIRES_SECS_MAX).contains(secs));
        secs.ok_or_else(|| Refusal::MalformedExpiry(text.to_owned()))
    }
}

/// The first parameter of a query with this name, decoded.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if percent_decode_str(key).ne(name.bytes()) {
            return None;
        }
        percent_decode_str(value).decode_utf8().ok()
    })
}

/// `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`, in any order.
fn from_header<'a>(text: &'a str, headers: &'a HeaderMap) -> Result<Claim<'a>, Refusal> {
    let parts = text.trim_start().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' '));
    let parts = parts.ok_or(Refusal::OtherAlgorithm)?;
    let part = |name: &str| {
        parts.split(',').find_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            (key == name && !value.is_empty()).then_some(Cow::Borrowed(value))
        })
    };
    let header = |name: &str| headers.get(name)?.to_str().ok().map(Cow::Borrowed);
    Ok(Claim {
        form: Form::Header,
        session_token: header("x-amz-security-token"),
        credential: part("Credential"),
        signed_headers: part("SignedHeaders"),
        signature: part("Signature"),
        time: header("x-amz-date").or_else(|| header(DATE.as_str())),
        expires: None,
    })
}

fn from_query(query: &str) -> Claim<'_> {
    let part = |name: &str| parameter(query, name).filter(|value| !value.is_empty());
    Claim {
        form: Form::Query,
        session_token: part("X-Amz-Security-Token"),
        credential: part("X-Amz-Credential"),
        signed_headers: part("X-Amz-SignedHeaders"),
        signature: part("X-Amz-Signature"),
        time: part("X-Amz-Date"),
        expires: part("X-Amz-Expires"),
    }
}
