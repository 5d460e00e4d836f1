//! An RSA key pair, read from PEM and written to it.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of the modulus of a key of 4,096 bits.
const MODULUS_BYTES_MAX: usize = 512;
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// Characters of a line of PEM.
const LINE: usize = 64;

/// Why a text is no private key to sign with, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// It is no PEM, or of something else.
    #[error(
        "it holds no \"-----BEGIN PRIVATE KEY-----\" with its end: give what \"openssl genpkey -algorithm RSA \
         -pkeyopt rsa_keygen_bits:3072\" writes"
    )]
    NoPrivateKey,
    /// It is a private key in another form.
    #[error("it is an \"{0}\", not PKCS #8 as it is: give what \"openssl pkey -in FILE\" writes of it")]
    OtherForm(&'static str),
    /// What stands between its first and its last line is no PKCS #8.
    #[error("its text is damaged: give it as openssl wrote it, with all of its lines")]
    Damaged,
    /// It is a key of another algorithm.
    #[error(
        "it is no RSA key: make one with \"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072\""
    )]
    NotRsa,
    /// It is too short or too long.
    #[error("it has {0} bits: give a key of 2,048 to 4,096")]
    Size(&'static str),
}

/// The RSA library failed; it says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the RSA library failed")]
pub struct SigningFailed;

impl From<Unspecified> for SigningFailed {
    fn from(_: Unspecified) -> SigningFailed {
        SigningFailed
    }
}

/// A private key and its public half.
pub struct PrivateKey(KeyPair);

impl PrivateKey {
    /// A new one of 3,072 bits. It takes a second.
    pub fn generate() -> Result<PrivateKey, SigningFailed> {
        Ok(PrivateKey(KeyPair::generate(KeySize::Rsa3072)?))
    }

    /// Reads PKCS #8 in PEM. Text before and behind it is left alone, as in files that hold more than a key.
    pub fn from_pem(text: &str) -> Result<PrivateKey, KeyRefused> {
        let Some(body) = pem_body(text, PRIVATE) else {
            let others = ["RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
            let other = others.into_iter().find(|label| text.contains(&format!("-----BEGIN {label}-----")));
            return Err(other.map_or(KeyRefused::NoPrivateKey, KeyRefused::OtherForm));
        };
        let base64: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| KeyRefused::Damaged)?;
        let key = KeyPair::from_pkcs8(&der).map_err(|refused| match refused.description_() {
            "WrongAlgorithm" => KeyRefused::NotRsa,
            "TooSmall" => KeyRefused::Size("fewer than 2,048"),
            "TooLarge" => KeyRefused::Size("more than 4,096"),
            _ => KeyRefused::Damaged,
        })?;
        match key.public_modulus_len() <= MODULUS_BYTES_MAX {
            true => Ok(PrivateKey(key)),
            false => Err(KeyRefused::Size("more than 4,096")),
        }
    }

    /// The private key as PKCS #8 in PEM.
    pub fn to_pem(&self) -> Result<String, SigningFailed> {
        let der: Pkcs8V1Der<'_> = self.0.as_der()?;
        Ok(pem(PRIVATE, der.as_ref()))
    }

    /// The public key as SubjectPublicKeyInfo in PEM.
    pub fn public_pem(&self) -> Result<String, SigningFailed> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der()?;
        Ok(pem(PUBLIC, der.as_ref()))
    }

    /// Signs by RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }
}

/// What stands between the first and the last line of a block.
fn pem_body<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    behind.split_once(&format!("-----END {label}-----")).map(|(body, _)| body)
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (position, character) in STANDARD.encode(der).chars().enumerate() {
        if position > 0 && position % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::verifier::PublicKey;

    macro_rules! openssl {
        ($file:literal) => {
            include_str!(concat!("../../tests/keys/", $file, ".pem"))
        };
    }

    fn refusal(text: &str) -> Option<KeyRefused> {
        PrivateKey::from_pem(text).err()
    }

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let key = PrivateKey::generate().unwrap();
        let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.to_pem(), key.to_pem());
        assert_eq!(again.public_pem(), key.public_pem());
    }

    #[test]
    fn what_openssl_genpkey_writes_is_taken() {
        for (text, bits) in [(openssl!("rsa-2048"), 2_048), (openssl!("rsa-4096"), 4_096)] {
            let key = PrivateKey::from_pem(text).unwrap();
            let public = PublicKey::from_pem(&key.public_pem().unwrap());
            assert_eq!(public.bits(), bits);
            assert!(public.verifies("message", &key.sign(b"message").unwrap()));
        }
        let key = PrivateKey::from_pem(openssl!("rsa-2048")).unwrap();
        assert_eq!(key.to_pem().unwrap(), openssl!("rsa-2048"));
        assert_eq!(key.public_pem().unwrap(), openssl!("rsa-2048-public"));
        let amid = format!("Bag Attributes\r\n{}-----BEGIN CERTIFICATE-----", openssl!("rsa-2048"));
        assert!(PrivateKey::from_pem(&amid.replace('\n', "\r\n")).is_ok());
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        let whole = openssl!("rsa-2048");
        let short = whole.lines().enumerate().filter(|(line, _)| *line != 7).map(|(_, line)| line);
        let rows = [
            ("", KeyRefused::NoPrivateKey),
            ("MIIEvQ==", KeyRefused::NoPrivateKey),
            (openssl!("rsa-2048-public"), KeyRefused::NoPrivateKey),
            (&whole[..whole.len() / 2], KeyRefused::NoPrivateKey),
            (openssl!("rsa-2048-pkcs1"), KeyRefused::OtherForm("RSA PRIVATE KEY")),
            (openssl!("rsa-2048-encrypted"), KeyRefused::OtherForm("ENCRYPTED PRIVATE KEY")),
            (&short.collect::<Vec<_>>().join("\n"), KeyRefused::Damaged),
            (&whole.replace("MII", "M*I"), KeyRefused::Damaged),
            ("-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----", KeyRefused::Damaged),
            (openssl!("ec"), KeyRefused::NotRsa),
            (openssl!("rsa-pss-2048"), KeyRefused::NotRsa),
            (openssl!("rsa-1024"), KeyRefused::Size("fewer than 2,048")),
            (openssl!("rsa-4104"), KeyRefused::Size("more than 4,096")),
        ];
        for (text, expected) in rows {
            assert_eq!(refusal(text), Some(expected), "{text}");
        }
    }
}
