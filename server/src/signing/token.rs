//! The signature that RegisterUsage answers: a JSON Web Token by which a program knows that AWS answered it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use souk_core::ids::ProductCode;
use souk_core::time::Timestamp;

use super::{PrivateKey, SigningFailed};

const HEADER: &str = r#"{"alg":"PS256","typ":"JWT"}"#;

/// What a token says.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The product that runs.
    pub product_code: ProductCode,
    /// The version of the key that signs.
    pub public_key_version: u32,
    /// What the program sent to know its own answer by.
    pub nonce: Option<String>,
    /// When the token was issued.
    pub issued_at: Timestamp,
}

/// The same in a token's words. It never expires (G.7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    product_code: &'a str,
    public_key_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    iat: i64,
}

/// The token, signed by a key.
pub fn sign(registered: &Registered, key: &PrivateKey) -> Result<String, SigningFailed> {
    let claims = Claims {
        product_code: registered.product_code.as_str(),
        public_key_version: registered.public_key_version,
        nonce: registered.nonce.as_deref(),
        iat: registered.issued_at.micros() / 1_000_000,
    };
    let claims = serde_json::to_vec(&claims).map_err(|_| SigningFailed)?;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::verifier::{PublicKey, parts};

    fn registered(nonce: Option<&str>) -> Registered {
        Registered {
            product_code: ProductCode::new("cache"),
            public_key_version: 3,
            nonce: nonce.map(str::to_owned),
            issued_at: Timestamp::parse("2026-01-15T12:30:00.999999Z").unwrap(),
        }
    }

    #[test]
    fn a_token_says_what_was_registered_and_verifies_by_the_public_key() {
        let key = PrivateKey::generate().unwrap();
        let public = PublicKey::from_pem(&key.public_pem().unwrap());
        assert_eq!(public.bits(), 3_072);
        for (nonce, claims) in [
            (
                Some("a-nonce"),
                r#"{"productCode":"cache","publicKeyVersion":3,"nonce":"a-nonce","iat":1768480200}"#,
            ),
            (Some(""), r#"{"productCode":"cache","publicKeyVersion":3,"nonce":"","iat":1768480200}"#),
            (
                Some("\"ü\n"),
                r#"{"productCode":"cache","publicKeyVersion":3,"nonce":"\"ü\n","iat":1768480200}"#,
            ),
            (None, r#"{"productCode":"cache","publicKeyVersion":3,"iat":1768480200}"#),
        ] {
            let [one, again] = [(); 2].map(|()| sign(&registered(nonce), &key).unwrap());
            assert_ne!(one, again, "every signature has a salt of its own");
            for token in [one, again] {
                let parts = parts(&token);
                assert_eq!((parts.header.as_str(), parts.claims.as_str()), (HEADER, claims));
                assert!(public.verifies(&parts.message, &parts.signature));
                assert!(!public.verifies(&format!("{}x", parts.message), &parts.signature));
            }
        }
    }

    #[test]
    fn another_key_does_not_verify() {
        let [key, other] = [(); 2].map(|()| PrivateKey::generate().unwrap());
        let token = sign(&registered(None), &key).unwrap();
        let parts = parts(&token);
        let other = PublicKey::from_pem(&other.public_pem().unwrap());
        assert!(!other.verifies(&parts.message, &parts.signature));
    }
}
