//! The versions of the key that signs what RegisterUsage answers (aws-api A.4).

use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;

/// Versions at most.
const VERSIONS_MAX: usize = 100;

/// A version of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeyVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When another takes its place; none: never.
    pub rotated_at: Option<Timestamp>,
    /// The private key as PKCS #8 in PEM; none: that of the data folder.
    pub private_key: Option<String>,
}

impl std::fmt::Debug for PublicKeyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKeyVersion({}, rotated at {:?})", self.version, self.rotated_at)
    }
}

impl PublicKeyVersion {
    /// The only version of a sandbox that says nothing of keys.
    pub const FIRST: PublicKeyVersion = PublicKeyVersion { version: 1, rotated_at: None, private_key: None };

    /// Puts versions in the order of their numbers; refuses a number that stands twice or is 0. The keys themselves
    /// are read by whoever signs with them.
    pub fn in_order(mut versions: Vec<PublicKeyVersion>) -> Result<Vec<PublicKeyVersion>, Rejection> {
        if versions.len() > VERSIONS_MAX {
            let message = format!("{} versions: at most {VERSIONS_MAX}", versions.len());
            return Err(Rejection::new(Code::FieldInvalid, "publicKeys", message));
        }
        for (index, version) in versions.iter().enumerate() {
            let taken = versions.iter().take(index).any(|before| before.version == version.version);
            let message = match (version.version, taken) {
                (0, _) => "0 is no version: count from 1".to_owned(),
                (number, true) => format!("version {number} stands twice: once is enough"),
                (_, false) => continue,
            };
            return Err(Rejection::new(Code::FieldInvalid, format!("publicKeys[{index}].version"), message));
        }
        versions.sort_by_key(|version| version.version);
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_put_in_order_and_each_stands_once() {
        let version = |version| PublicKeyVersion { version, ..PublicKeyVersion::FIRST };
        let numbers = |numbers: &[u32]| {
            let ordered = PublicKeyVersion::in_order(numbers.iter().copied().map(version).collect());
            ordered
                .map(|versions| versions.iter().map(|v| v.version).collect::<Vec<_>>())
                .map_err(|r| r.field)
        };
        assert_eq!(numbers(&[3, 1, 2]), Ok(vec![1, 2, 3]));
        assert_eq!(numbers(&[1, 2, 1]), Err("publicKeys[2].version".to_owned()));
        assert_eq!(numbers(&[1, 0]), Err("publicKeys[1].version".to_owned()));
        assert_eq!(numbers(&[1; 101]), Err("publicKeys".to_owned()));
    }
}
