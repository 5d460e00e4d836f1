//! For tests: RSASSA-PSS verified step by step as RFC 8017 writes it, with a library that only knows integers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

/// Bytes of a SHA-256 hash, and of the salt.
const HASH: usize = 32;

/// A token's parts, decoded.
pub struct Parts {
    /// What is signed.
    pub message: String,
    /// The header.
    pub header: String,
    /// The claims.
    pub claims: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Takes a token apart.
pub fn parts(token: &str) -> Parts {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let text = |part: &str| String::from_utf8(bytes(part)).unwrap();
    Parts {
        message: message.to_owned(),
        header: text(header),
        claims: text(claims),
        signature: bytes(signature),
    }
}

/// A public key: modulus and exponent.
pub struct PublicKey {
    n: BigUint,
    e: BigUint,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in PEM.
    pub fn from_pem(pem: &str) -> PublicKey {
        let mut lines: Vec<_> = pem.lines().collect();
        assert_eq!(lines.remove(0), "-----BEGIN PUBLIC KEY-----");
        assert_eq!(lines.pop(), Some("-----END PUBLIC KEY-----"));
        assert!(lines.iter().all(|line| (1..=64).contains(&line.len())), "{pem}");
        let der = STANDARD.decode(lines.concat()).unwrap();
        // SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { n, e } } }
        let (info, behind) = value(0x30, &der);
        assert!(behind.is_empty());
        let (algorithm, key) = value(0x30, info);
        assert_eq!(algorithm, [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]);
        let (bits, _) = value(0x03, key);
        let (numbers, _) = value(0x30, &bits[1..]);
        let (n, rest) = value(0x02, numbers);
        let (e, _) = value(0x02, rest);
        PublicKey { n: BigUint::from_bytes_be(n), e: BigUint::from_bytes_be(e) }
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> u64 {
        self.n.bits()
    }

    /// RSASSA-PSS-VERIFY with SHA-256, MGF1 with SHA-256, and a salt of exactly 32 bytes.
    pub fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        let em_bits = self.n.bits() as usize - 1;
        let em_length = em_bits.div_ceil(8);
        let number = BigUint::from_bytes_be(signature).modpow(&self.e, &self.n).to_bytes_be();
        if signature.len() != self.n.bits().div_ceil(8) as usize || number.len() > em_length {
            return false;
        }
        let em = [vec![0; em_length - number.len()], number].concat();
        let (masked, rest) = em.split_at(em_length - HASH - 1);
        let (hash, trailer) = rest.split_at(HASH);
        let unused = 8 * em_length - em_bits;
        if trailer != [0xbc] || (masked[0].leading_zeros() as usize) < unused {
            return false;
        }
        let mut block: Vec<u8> = masked.iter().zip(mask(hash, masked.len())).map(|(a, b)| a ^ b).collect();
        block[0] &= 0xff >> unused;
        let (padding, salt) = block.split_at(block.len() - HASH);
        let (one, zeros) = padding.split_last().unwrap();
        let expected = Sha256::new()
            .chain_update([0; 8])
            .chain_update(Sha256::digest(message))
            .chain_update(salt)
            .finalize();
        *one == 1 && zeros.iter().all(|byte| *byte == 0) && expected[..] == *hash
    }
}

/// MGF1.
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let block =
        |counter: u32| Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
    (0..).flat_map(|counter| block(counter).to_vec()).take(length).collect()
}

/// The contents of a DER value with this tag, and what stands behind it.
fn value(tag: u8, der: &[u8]) -> (&[u8], &[u8]) {
    assert_eq!(der[0], tag);
    let (length, start) = match der[1] {
        short @ 0..0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long - 0x80);
            let length = der[2..2 + count].iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            (length, 2 + count)
        }
    };
    der[start..].split_at(length)
}
