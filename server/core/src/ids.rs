//! The ids of things: what AWS writes, typed so that no two kinds can be mixed up.
//!
//! Ids come from content, never from a log position or a random number, so the same calls give the same ids
//! on any number of cores, beside any other sandbox.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::rejection::{Code, Rejection};

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Arc<str>);

        // Most that meet are the same text in the same place: then nothing is read.
        impl Ord for $name {
            fn cmp(&self, other: &$name) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &$name) -> Option<Ordering> { Some(self.cmp(other)) }
        }

        impl $name {
            /// Takes a text that is known to be such an id.
            pub fn new(text: &str) -> $name { $name(Arc::from(text)) }

            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )*};
}

id_type! {
    /// A sandbox's name.
    SandboxName,
    /// A product: `prod-` and more.
    ProductId,
    /// What usage records call a product: 25 lower-case letters and digits.
    ProductCode,
    /// An offer: `offer-` and more.
    OfferId,
    /// An authorization to resell: `resaleauthz-` and more.
    ResaleAuthorizationId,
    /// An agreement: `agmt-` and more.
    AgreementId,
    /// A licence, the same along a chain of agreements.
    LicenseArn,
    /// A dimension's key; case counts.
    DimensionKey,
    /// An invoice.
    InvoiceId,
    /// An AWS region.
    Region,
    /// What usage was metered on: an EC2 instance, an ECS task or an EKS pod.
    MeteringResource,
}

/// The region of records that name none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// An AWS account: twelve digits, ordered by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// Reads exactly twelve digits.
    pub fn parse(text: &str) -> Option<AccountId> {
        let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return None;
        }
        text.parse().ok().map(AccountId)
    }

    /// Reads the account in `field` of a request.
    pub fn from_field(text: &str, field: &str) -> Result<AccountId, Rejection> {
        if text.is_empty() {
            return Err(Rejection::new(Code::FieldMissing, field, "an account id of 12 digits is required"));
        }
        AccountId::parse(text).ok_or_else(|| {
            Rejection::new(
                Code::FieldInvalid,
                field,
                format!("\"{text}\" is not an account id: give 12 digits"),
            )
        })
    }

    /// The account as a number.
    pub fn number(self) -> u64 {
        self.0
    }

    /// An account from its number.
    pub fn from_number(number: u64) -> Option<AccountId> {
        (number < 1_000_000_000_000).then_some(AccountId(number))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The id of an hour's usage record: the hash of its series with the hour in the last eight digits. A retry,
/// an explanation and a look-up compute the same id; none is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeteringRecordId(u128);

impl MeteringRecordId {
    /// The id of `hour` (counted from 1970) in the series with this hash.
    pub fn new(series_hash: u128, hour: i32) -> MeteringRecordId {
        // Version 8 and the variant of RFC 9562, so that every UUID parser takes it.
        const FREE: u128 = !((0xF << 76) | (0b11 << 62) | 0xFFFF_FFFF);
        MeteringRecordId((series_hash & FREE) | (8 << 76) | (0b10 << 62) | u128::from(hour.cast_unsigned()))
    }

    /// The id as a number.
    pub fn number(self) -> u128 {
        self.0
    }

    /// An id from its number.
    pub fn from_number(number: u128) -> MeteringRecordId {
        MeteringRecordId(number)
    }
}

impl MeteringRecordId {
    /// The id as it is printed: digits of ASCII. Digit by digit: a batch's answer has 25 of them, and general
    /// formatting is its slowest part.
    pub fn text(self) -> [u8; 36] {
        const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
        let mut text = [b'-'; 36];
        for (byte, place) in self.0.to_be_bytes().into_iter().zip(PLACES) {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half & 0xF)];
            text[place] = digit(byte >> 4);
            text[place + 1] = digit(byte);
        }
        text
    }
}

impl fmt::Display for MeteringRecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for MeteringRecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Hashes the parts of a content into 128 bits; the parts cannot run into each other.
pub fn content_hash(kind: &str, parts: &[&str]) -> u128 {
    let mut hasher = Sha256::new();
    for part in std::iter::once(&kind).chain(parts) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest[..16].iter().fold(0, |acc, &byte| (acc << 8) | u128::from(byte))
}

/// Writes a content hash in `length` lower-case letters and digits.
pub fn letters(mut hash: u128, length: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(DIGITS[(hash % 36) as usize]));
        hash /= 36;
    }
    text
}

impl ProductId {
    /// The id of a seller's product that brings none.
    pub fn derive(seller: AccountId, title: &str) -> ProductId {
        let hash = content_hash("product", &[&seller.to_string(), title]);
        ProductId::new(&format!("prod-{}", letters(hash, 13)))
    }
}

impl ProductCode {
    /// The code of a product that brings none: 25 letters, two hashes deep.
    pub fn derive(product: &ProductId) -> ProductCode {
        let head = letters(content_hash("product code", &[product.as_str()]), 20);
        let tail = letters(content_hash("product code tail", &[product.as_str()]), 5);
        ProductCode::new(&format!("{head}{tail}"))
    }
}

impl OfferId {
    /// The id of the `number`th offer of a product.
    pub fn derive(product: &ProductId, number: usize) -> OfferId {
        let hash = content_hash("offer", &[product.as_str(), &number.to_string()]);
        OfferId::new(&format!("offer-{}", letters(hash, 13)))
    }
}

impl ResaleAuthorizationId {
    /// The id of the `number`th authorization of a product.
    pub fn derive(product: &ProductId, number: usize) -> ResaleAuthorizationId {
        let hash = content_hash("resale authorization", &[product.as_str(), &number.to_string()]);
        ResaleAuthorizationId::new(&format!("resaleauthz-{}", letters(hash, 13)))
    }
}

impl AgreementId {
    /// The id of the `number`th agreement of a payer's family.
    pub fn derive(payer: AccountId, number: u32) -> AgreementId {
        let hash = content_hash("agreement", &[&payer.to_string(), &number.to_string()]);
        AgreementId::new(&format!("agmt-{}", letters(hash, 24)))
    }
}

impl LicenseArn {
    /// The licence of the chain that begins with this agreement.
    pub fn derive(initial: &AgreementId) -> LicenseArn {
        let hash = content_hash("licence", &[initial.as_str()]);
        LicenseArn::new(&format!("arn:aws:license-manager::294406891311:license:l-{hash:032x}"))
    }
}

impl InvoiceId {
    /// The `number`th invoice of a payer.
    pub fn derive(payer: AccountId, year: i32, number: u32) -> InvoiceId {
        InvoiceId::new(&format!("MPIN{:02}-{payer}-{number}", year.rem_euclid(100)))
    }

    /// The payer that it names; none for an id that [`InvoiceId::derive`] never makes.
    pub fn payer(&self) -> Option<AccountId> {
        self.as_str().strip_prefix("MPIN")?.split('-').nth(1).and_then(AccountId::parse)
    }
}

/// Opaque ids that reports print.
pub fn opaque(kind: &str, parts: &[&str]) -> String {
    letters(content_hash(kind, parts), 22)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        assert_eq!(AccountId::parse("000000000101").map(|a| a.to_string()), Some("000000000101".into()));
        for wrong in ["", "101", "0000000001012", "00000000010a", "-00000000101", "+00000000101"] {
            assert_eq!(AccountId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_record_id_is_a_uuid_that_ends_with_its_hour() {
        let id = MeteringRecordId::new(u128::MAX, 0x0005_c000).to_string();
        assert_eq!(id, "ffffffff-ffff-8fff-bfff-ffff0005c000");
        assert_ne!(MeteringRecordId::new(7, 1), MeteringRecordId::new(7, 2));
    }

    #[test]
    fn parts_of_a_content_cannot_run_into_each_other() {
        assert_ne!(content_hash("x", &["ab", "c"]), content_hash("x", &["a", "bc"]));
        assert_ne!(content_hash("x", &["a"]), content_hash("xa", &[]));
    }

    #[test]
    fn derived_ids_have_the_forms_that_aws_writes() {
        let seller = AccountId::from_number(111_122_223_333).unwrap();
        let product = ProductId::derive(seller, "Flight analytics");
        assert!(product.as_str().starts_with("prod-") && product.as_str().len() == 18);
        assert_eq!(ProductCode::derive(&product).as_str().len(), 25);
        assert_eq!(OfferId::derive(&product, 1).as_str().len(), 19);
        assert_eq!(InvoiceId::derive(seller, 2013, 7).payer(), Some(seller));
        assert_eq!(InvoiceId::new("EUMPINGB26-12125").payer(), None);
        let agreement = AgreementId::derive(seller, 1);
        assert!(LicenseArn::derive(&agreement).as_str().starts_with("arn:aws:license-manager::"));
    }
}
