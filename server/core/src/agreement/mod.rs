//! Agreements: accepted offers, what they cover, and how they end.

pub mod acceptance;
#[expect(clippy::module_inception, reason = "the file is named after what it holds")]
pub mod agreement;
pub mod cover;
pub mod entitlement;
pub mod family;
pub mod lifecycle;
pub mod timeline;

pub use agreement::{Agreement, AgreementStatus, Origin, UpfrontPurchase};
pub use cover::Cover;
pub use entitlement::Entitlement;
pub use family::Family;
