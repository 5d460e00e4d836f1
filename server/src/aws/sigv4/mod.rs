//! Who calls: AWS Signature Version 4, in a header or in the query of a presigned address.
//!
//! After the public specification ("Signature Version 4 signing process"): canonical request, string to
//! sign, derived key, compared in constant time. Only the HMAC-SHA256 kind is known: SigV4A is refused as
//! another algorithm. Session tokens are signed like any header or parameter; what a token grants is the
//! caller's business.

mod canonical;
mod claim;
mod keys;
mod refusal;
mod time;

use hmac::Mac;
use http::Method;
use http::header::HeaderMap;
use http::uri::Uri;
use souk_core::time::Timestamp;

use self::claim::{Claim, Credential, Form};
use self::refusal::Refusal;
use super::error::AwsError;

/// How far the clock of a signer may be from the machine's.
pub const SKEW_MINUTES_MAX: i64 = 5;
/// Seconds that a presigned address may hold at most: a week.
pub const EXPIRES_SECS_MAX: u32 = 604_800;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SCOPE_END: &str = "aws4_request";
const MINUTE_MICROS: i64 = 60_000_000;

/// How much of a signature must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of it, with a known key.
    Verify,
    /// Nothing but the access key, which says who calls.
    Identify,
    /// Nothing: a request without a signature is as good, and one with it still says who calls.
    Off,
}

/// What a signature is held against.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// How much must hold.
    pub mode: Mode,
    /// The service names that the credential may be scoped to.
    pub signing_names: &'a [&'a str],
    /// The machine's time; never a sandbox's.
    pub now: Timestamp,
}

/// A request as it came, with the bytes of its body.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query, as sent.
    pub uri: &'a Uri,
    /// The headers, as sent.
    pub headers: &'a HeaderMap,
    /// The body, as sent.
    pub body: &'a [u8],
}

/// Who a request says it comes from; proven under [`Mode::Verify`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The access key. There is one unless nothing had to hold.
    pub access_key_id: Option<String>,
    /// The region it was signed for.
    pub region: Option<String>,
    /// The service it was signed for.
    pub signing_name: Option<String>,
    /// The session token that came with it; its meaning is not checked here.
    pub session_token: Option<String>,
    /// Whether the key is one of those that were looked up.
    pub is_known: bool,
}

impl Caller {
    fn of(claim: &Claim<'_>, credential: &Credential<'_>, is_known: bool) -> Caller {
        Caller {
            access_key_id: Some(credential.access_key_id.to_owned()),
            region: Some(credential.region.to_owned()),
            signing_name: Some(credential.service.to_owned()),
            session_token: claim.session_token.as_deref().map(str::to_owned),
            is_known,
        }
    }
}

/// Reads and checks who calls; `secret_of` knows the secret of each access key.
pub fn authenticate<S: AsRef<str>>(
    policy: &Policy<'_>,
    request: &SignedRequest<'_>,
    secret_of: impl FnOnce(&str) -> Option<S>,
) -> Result<Caller, AwsError> {
    let caller = match policy.mode {
        Mode::Verify => verify(policy, request, secret_of),
        Mode::Identify => identify(request, secret_of),
        Mode::Off => Ok(identify(request, secret_of).unwrap_or_default()),
    };
    caller.map_err(AwsError::from)
}

fn identify<S>(
    request: &SignedRequest<'_>,
    secret_of: impl FnOnce(&str) -> Option<S>,
) -> Result<Caller, Refusal> {
    let claim = Claim::read(request)?;
    let credential = claim.credential()?;
    Ok(Caller::of(&claim, &credential, secret_of(credential.access_key_id).is_some()))
}

fn verify<S: AsRef<str>>(
    policy: &Policy<'_>,
    request: &SignedRequest<'_>,
    secret_of: impl FnOnce(&str) -> Option<S>,
) -> Result<Caller, Refusal> {
    let claim = Claim::read(request)?;
    let credential = claim.credential()?;
    let signed_headers = claim.signed_headers()?;
    let signature = claim.signature()?;
    let signed_at = claim.signed_at()?;
    check_scope(&credential, policy.signing_names, signed_at)?;
    let secret = secret_of(credential.access_key_id).ok_or(Refusal::UnknownKey)?;
    check_time(&claim, signed_at, policy.now)?;

    let canonical = canonical::request(request, claim.form, signed_headers)?;
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{}/{}/{}/{SCOPE_END}\n{}",
        time::basic(signed_at),
        credential.date,
        credential.region,
        credential.service,
        canonical::sha256_hex(&canonical),
    );
    let expected = keys::code(secret.as_ref(), &credential).map_err(|_| Refusal::Mismatch)?;
    let given = decode_hex(signature).ok_or(Refusal::Mismatch)?;
    expected.chain_update(to_sign).verify_slice(&given).map_err(|_| Refusal::Mismatch)?;
    Ok(Caller::of(&claim, &credential, true))
}

fn check_scope(
    credential: &Credential<'_>,
    signing_names: &[&str],
    signed_at: Timestamp,
) -> Result<(), Refusal> {
    let day = time::basic_date(signed_at);
    if credential.terminator != SCOPE_END {
        Err(Refusal::ScopeEnd { found: credential.terminator.to_owned() })
    } else if credential.date != day {
        Err(Refusal::ScopeDate { found: credential.date.to_owned(), expected: day })
    } else if !signing_names.contains(&credential.service) {
        Err(Refusal::ScopeService {
            found: credential.service.to_owned(),
            expected: signing_names.join("' or '"),
        })
    } else {
        Ok(())
    }
}

fn check_time(claim: &Claim<'_>, signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let skew_micros = SKEW_MINUTES_MAX * MINUTE_MICROS;
    let holds_micros = match claim.form {
        Form::Header => skew_micros,
        Form::Query => i64::from(claim.expires_secs()?) * 1_000_000,
    };
    if signed_at.micros() < now.micros() - holds_micros {
        Err(Refusal::Expired { signed_at, now, holds_secs: holds_micros / 1_000_000 })
    } else if now.micros() + skew_micros < signed_at.micros() {
        Err(Refusal::NotYetValid { signed_at, now })
    } else {
        Ok(())
    }
}

/// The 32 bytes of a signature: 64 digits, small letters.
fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
