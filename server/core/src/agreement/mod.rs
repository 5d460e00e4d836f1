//! Agreements: accepted offers, what they cover, and how they end.

pub mod acceptance;
pub mod agreement;
pub mod cover;
pub mod family;
pub mod lifecycle;
pub mod timeline;

pub use agreement::{Agreement, AgreementStatus, Origin, UpfrontPurchase};
pub use cover::Cover;
pub use family::Family;
