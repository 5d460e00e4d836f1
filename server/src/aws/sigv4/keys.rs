//! Derived keys, kept: a signer signs with one for a whole day.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;

use foldhash::fast::RandomState;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sha2::digest::InvalidLength;

use super::SCOPE_END;
use super::claim::Credential;

/// Keys that a thread keeps at most; then it begins anew.
const KEPT_MAX: usize = 4_096;

/// A code under a key, before anything went into it.
pub(super) type Code = Hmac<Sha256>;

/// The keys that a thread derived, by all that they follow from.
#[derive(Default)]
struct Kept {
    codes: HashMap<Box<str>, Code, RandomState>,
    origin: String,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// The code under the key that is derived for a day, region and service.
pub(super) fn code(secret: &str, credential: &Credential<'_>) -> Result<Code, InvalidLength> {
    KEPT.with_borrow_mut(|Kept { codes, origin }| {
        let Credential { date, region, service, .. } = credential;
        origin.clear();
        // The lengths keep the parts apart. Writing to a string cannot fail.
        _ = write!(
            origin,
            "{} {} {} {secret}{date}{region}{service}",
            secret.len(),
            date.len(),
            region.len()
        );
        if let Some(code) = codes.get(origin.as_str()) {
            return Ok(code.clone());
        }
        let code = derive(secret, credential)?;
        if codes.len() == KEPT_MAX {
            codes.clear();
        }
        codes.insert(origin.as_str().into(), code.clone());
        Ok(code)
    })
}

fn derive(secret: &str, credential: &Credential<'_>) -> Result<Code, InvalidLength> {
    let mut code = code_of(format!("AWS4{secret}").as_bytes())?;
    for part in [credential.date, credential.region, credential.service, SCOPE_END] {
        code.update(part.as_bytes());
        code = code_of(&code.finalize().into_bytes())?;
    }
    Ok(code)
}

/// Keys may have any length, so that this never fails.
fn code_of(key: &[u8]) -> Result<Code, InvalidLength> {
    Code::new_from_slice(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_derived_one_and_each_origin_has_its_own() {
        let credential = |date, region, service| Credential {
            access_key_id: "key",
            date,
            region,
            service,
            terminator: SCOPE_END,
        };
        let origins = [
            ("secret", credential("20150830", "us-east-1", "iam")),
            ("secret2", credential("0150830", "us-east-1", "iam")),
            ("secret", credential("20150831", "us-east-1", "iam")),
            ("secret", credential("20150830", "us-east-", "1iam")),
        ];
        let code_over = |code: Code| code.chain_update("text").finalize().into_bytes();
        let derived = origins.map(|(secret, credential)| code_over(derive(secret, &credential).unwrap()));
        for _ in 0..2 {
            let kept = origins.map(|(secret, credential)| code_over(code(secret, &credential).unwrap()));
            assert_eq!(kept, derived);
        }
        assert!((1..4).all(|index| derived[index] != derived[0]));
        for number in 0..=KEPT_MAX {
            let secret = number.to_string();
            let kept = code_over(code(&secret, &origins[0].1).unwrap());
            assert_eq!(kept, code_over(derive(&secret, &origins[0].1).unwrap()));
        }
    }
}
