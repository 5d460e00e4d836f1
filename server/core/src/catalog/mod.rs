//! What a sandbox publishes: accounts, products, offers with their price changes, its rules and its clock.

pub mod account;
pub mod change;
pub mod clock;
pub mod marketplace;
pub mod offer;
pub mod price_change;
pub mod product;
pub mod visibility;

pub use account::{AccessKey, Account, Address};
pub use change::{Change, decide};
pub use clock::Clock;
pub use marketplace::Marketplace;
pub use offer::{NewOffer, Offer, Targeting};
pub use price_change::{PriceChange, PriceSource};
pub use product::{Dimension, DimensionType, NewProduct, Product, ProductType, UsageCategory};
pub use visibility::OfferVisibility;
