//! The canonical request: the one form of a request that both sides sign.
//!
//! ```text
//! method \n path \n query \n header:value \n ... \n \n signed;headers \n hash of the body
//! ```
//!
//! As for every service but S3, the path is normalised and then encoded once more than it was sent.

use http::HeaderMap;
use http::header::HOST;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::SignedRequest;
use super::claim::{Form, parameter};
use super::refusal::Refusal;

/// What the specification leaves unencoded: letters, digits and these.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

const CONTENT_SHA256: &str = "X-Amz-Content-Sha256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The canonical request over these signed headers (`a;b;c`).
pub(super) fn request(
    request: &SignedRequest<'_>,
    form: Form,
    signed_headers: &str,
) -> Result<Vec<u8>, Refusal> {
    let raw_query = request.uri.query().unwrap_or_default();
    let mut canonical = Vec::with_capacity(512);
    canonical.extend_from_slice(request.method.as_str().as_bytes());
    canonical.push(b'\n');
    canonical.extend_from_slice(path(request.uri.path()).as_bytes());
    canonical.push(b'\n');
    canonical.extend_from_slice(query(raw_query, form).as_bytes());
    canonical.push(b'\n');
    let mut signs_host = false;
    for name in signed_headers.split(';') {
        signs_host |= name == HOST.as_str();
        push_header(&mut canonical, request, name)?;
    }
    if !signs_host {
        return Err(Refusal::HostUnsigned);
    }
    canonical.push(b'\n');
    canonical.extend_from_slice(signed_headers.as_bytes());
    canonical.push(b'\n');
    canonical.extend_from_slice(body_hash(request, raw_query)?.as_bytes());
    Ok(canonical)
}

/// SHA-256 in small hexadecimal letters.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        hex.extend([byte >> 4, byte & 0xf].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    hex
}

/// Without dot segments and empty segments (RFC 3986, 5.2.4), and encoded.
fn path(raw: &str) -> String {
    let mut kept = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    let ends_open = ["/", "/.", "/.."].iter().any(|end| raw.ends_with(end)) && !kept.is_empty();
    let mut path = String::from("/");
    path.extend(utf8_percent_encode(&kept.join("/"), PATH));
    if ends_open {
        path.push('/');
    }
    path
}

/// Each name and value decoded and encoded anew, sorted; without the signature itself.
fn query(raw: &str, form: Form) -> String {
    let encode = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
        percent_encode(&decoded, UNRESERVED).to_string()
    };
    let mut pairs: Vec<_> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .filter(|(name, _)| form == Form::Header || name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let joined: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

fn push_header(canonical: &mut Vec<u8>, request: &SignedRequest<'_>, name: &str) -> Result<(), Refusal> {
    let malformed = name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' ');
    if malformed {
        return Err(Refusal::MalformedHeaderName(name.to_owned()));
    }
    canonical.extend_from_slice(name.as_bytes());
    let mut before = b':';
    for value in request.headers.get_all(name) {
        canonical.push(before);
        push_folded(canonical, value.as_bytes());
        before = b',';
    }
    if before == b':' {
        // HTTP/2 has the host in the address instead of a header.
        let authority = request.uri.authority().filter(|_| name == HOST.as_str());
        let authority = authority.ok_or_else(|| Refusal::HeaderAbsent(name.to_owned()))?;
        canonical.push(b':');
        canonical.extend_from_slice(authority.as_str().as_bytes());
    }
    canonical.push(b'\n');
    Ok(())
}

/// A header's value without spaces around it, and with one where there are several.
fn push_folded(canonical: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            canonical.push(b' ');
        }
        canonical.extend_from_slice(word);
    }
}

/// The hash that was signed, where the body has it or it says that the body is not signed.
fn body_hash(request: &SignedRequest<'_>, raw_query: &str) -> Result<String, Refusal> {
    let named =
        named_hash(request.headers).or_else(|| Some(parameter(raw_query, CONTENT_SHA256)?.into_owned()));
    match named {
        Some(named) if named == UNSIGNED_PAYLOAD => Ok(named),
        Some(named) if named == sha256_hex(request.body) => Ok(named),
        Some(_) => Err(Refusal::BodyChanged),
        None => Ok(sha256_hex(request.body)),
    }
}

fn named_hash(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(CONTENT_SHA256)?.to_str().ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        let rows = [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/a/..", "/"),
            ("/a/../", "/"),
            ("/a/b/../..", "/"),
            ("//a//", "/a/"),
            ("/./a", "/a"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/s/NAME", "/s/NAME"),
            ("/s/NAME/", "/s/NAME/"),
            ("/a%20b", "/a%2520b"),
            ("/test/@connections/JBDvjfGEIAMCERw%3D", "/test/%40connections/JBDvjfGEIAMCERw%253D"),
            ("/-._~", "/-._~"),
        ];
        for (raw, expected) in rows {
            assert_eq!(path(raw), expected, "{raw}");
        }
    }

    #[test]
    fn queries_are_encoded_anew_and_sorted() {
        let rows = [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3"),
            ("a=%7e%2f/%2B+x", "a=~%2F%2F%2B%20x"),
            ("a=b=c&&", "a=b%3Dc"),
            ("a=%ff", "a=%FF"),
        ];
        for (raw, expected) in rows {
            assert_eq!(query(raw, Form::Header), expected, "{raw}");
        }
        assert_eq!(query("X-Amz-Signature=1&a=1", Form::Header), "X-Amz-Signature=1&a=1");
        assert_eq!(query("X-Amz-Signature=1&a=1", Form::Query), "a=1");
    }

    #[test]
    fn header_values_are_folded() {
        for (value, expected) in [("  a   b  ", "a b"), ("\"a   b\"", "\"a b\""), ("", ""), ("a\tb", "a\tb")]
        {
            let mut folded = Vec::new();
            push_folded(&mut folded, value.as_bytes());
            assert_eq!(folded, expected.as_bytes());
        }
    }
}
