//! Bodies: one value model, read from and printed as AWS JSON or CBOR.
//!
//! Reading knows no shapes: it yields a [`Value`], of which [`Member`] asks for what an operation takes.
//! Every reader stops at [`BODY_BYTES_MAX`] and [`DEPTH_MAX`], so that a body can cost neither stack nor
//! more memory than a small multiple of its size.

pub mod cbor;
mod float;
pub mod json;
mod member;
mod number;
pub mod plain;
mod value;
mod violations;

pub use member::Member;
pub use number::Number;
pub use value::Value;
pub use violations::Violations;

/// Bytes of a request's body at most: AWS takes requests below 1 MB.
pub const BODY_BYTES_MAX: usize = 1_000_000;
/// Lists and maps inside one another at most.
pub const DEPTH_MAX: usize = 64;

/// Why bytes are not a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than a request may have.
    #[error("the body has more than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// More containers inside one another than a request may have.
    #[error("the body nests lists and maps more than {DEPTH_MAX} levels deep")]
    TooDeep,
    /// The bytes stop inside a value.
    #[error("the body ends before its value does")]
    Unfinished,
    /// Something that cannot stand there.
    #[error("the body has {what} at byte {at}")]
    Unexpected {
        /// What is there.
        what: &'static str,
        /// Where, from 0.
        at: usize,
    },
}
