//! Signature Version 4, as far as one kind of request needs it. AWS's own signer for Rust takes several times as
//! long, which would be load on the machine that is measured; a test compares with it.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use souk_core::time::Timestamp;

const HOST: &str = "metering.marketplace.us-east-1.amazonaws.com";
const TARGET: &str = "AWSMPMeteringService.BatchMeterUsage";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";
const SCOPE: &str = "us-east-1/aws-marketplace/aws4_request";

/// A day, and the key of that day.
type DayKey = (String, [u8; 32]);

/// Signs the requests of one seller.
#[derive(Debug, Clone)]
pub struct Signer {
    key_id: String,
    secret: String,
    /// The key of a day: it is derived once.
    day: Arc<Mutex<Option<DayKey>>>,
}

impl Signer {
    /// With this access key.
    #[must_use]
    pub fn new(key_id: &str, secret: &str) -> Signer {
        Signer { key_id: key_id.to_owned(), secret: secret.to_owned(), day: Arc::default() }
    }

    /// A whole request, signed now.
    #[must_use]
    pub fn request(&self, path: &str, body: &str) -> Vec<u8> {
        self.request_at(path, body, SystemTime::now())
    }

    /// Whether a signature is the one of this key.
    #[must_use]
    pub fn signs(&self, path: &str, body: &str, time: &str, signature: &str) -> bool {
        time.get(..8).is_some_and(|day| self.signature(path, body, time, day) == signature)
    }

    fn request_at(&self, path: &str, body: &str, now: SystemTime) -> Vec<u8> {
        let time = basic(now);
        let (day, _) = time.split_at(8);
        let signature = self.signature(path, body, &time, day);
        let mut text = String::with_capacity(700 + body.len());
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {CONTENT_TYPE}\r\nx-amz-target: {TARGET}\r\n\
             x-amz-date: {time}\r\ncontent-length: {}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential={}/{day}/{SCOPE}, SignedHeaders={SIGNED}, Signature={signature}\r\n\r\n{body}",
            body.len(),
            self.key_id
        );
        text.into_bytes()
    }

    fn signature(&self, path: &str, body: &str, time: &str, day: &str) -> String {
        let mut canonical = String::with_capacity(400);
        let _ = write!(
            canonical,
            "POST\n{path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{HOST}\nx-amz-date:{time}\nx-amz-target:{TARGET}\n\n\
             {SIGNED}\n{}",
            hex(&Sha256::digest(body))
        );
        let mut to_sign = String::with_capacity(160);
        let digest = hex(&Sha256::digest(&canonical));
        let _ = write!(to_sign, "AWS4-HMAC-SHA256\n{time}\n{day}/{SCOPE}\n{digest}");
        hex(&hmac(&self.day_key(day), to_sign.as_bytes()))
    }

    fn day_key(&self, day: &str) -> [u8; 32] {
        let mut cached = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        match cached.as_ref() {
            Some((of, key)) if of == day => *key,
            _ => {
                let first = hmac(format!("AWS4{}", self.secret).as_bytes(), day.as_bytes());
                let key = SCOPE.split('/').fold(first, |key, part| hmac(&key, part.as_bytes()));
                *cached = Some((day.to_owned(), key));
                key
            }
        }
    }
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("a key may have any length"));
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A time as signatures write it: 20250131T235959Z.
fn basic(now: SystemTime) -> String {
    let micros = now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_micros()).ok());
    let seconds = micros.unwrap_or_default() / 1_000_000;
    let text = Timestamp::from_micros(seconds * 1_000_000).unwrap_or(Timestamp::MAX).to_string();
    text.chars().filter(|character| *character != '-' && *character != ':').collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;

    use super::*;

    /// The signature as AWS's own signer makes it.
    fn expected(signer: &Signer, path: &str, body: &str, now: SystemTime) -> String {
        let identity = Credentials::new(&signer.key_id, &signer.secret, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("aws-marketplace")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let headers = [("host", HOST), ("content-type", CONTENT_TYPE), ("x-amz-target", TARGET)];
        let uri = format!("http://{HOST}{path}");
        let request =
            SignableRequest::new("POST", uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
                .unwrap();
        sign(request, &params.into()).unwrap().signature().to_owned()
    }

    #[test]
    fn signatures_are_those_of_aws_s_own_signer_on_every_day() {
        let signer = Signer::new("AKIALOADSELLER000001", "secret-of-the-seller-1");
        for (path, body, seconds) in [
            ("/", "{}", 1_700_000_000),
            ("/s/load-7/", r#"{"UsageRecords":[]}"#, 1_700_000_001),
            ("/s/load-7/", r#"{"UsageRecords":[]}"#, 1_800_000_000),
        ] {
            let now = UNIX_EPOCH + Duration::from_secs(seconds);
            let request = String::from_utf8(signer.request_at(path, body, now)).unwrap();
            let expected = expected(&signer, path, body, now);
            assert!(request.contains(&format!("Signature={expected}\r\n")), "{request}\n{expected}");
        }
        assert_eq!(basic(UNIX_EPOCH + Duration::from_millis(1_700_000_000_900)), "20231114T221320Z");
    }
}
