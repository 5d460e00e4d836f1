//! Agreements: accepted offers, what they cover, and how they end.

pub mod acceptance;
#[expect(clippy::module_inception, reason = "the file is named after what it holds")]
pub mod agreement;
pub mod amendment;
pub mod cover;
pub mod entitlement;
pub mod family;
pub mod lifecycle;
pub mod purchase;
pub mod refund_window;
pub mod timeline;

pub use agreement::{Agreement, AgreementStatus, Instalment, InstalmentState, Origin, UpfrontPurchase};
pub use cover::{Cover, Share};
pub use entitlement::Entitlement;
pub use family::Family;
