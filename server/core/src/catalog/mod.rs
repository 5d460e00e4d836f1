//! What a sandbox publishes: accounts, products, offers with their price changes, its rules and its clock.

pub mod account;
pub mod change;
pub mod clock;
pub mod fault;
pub mod history;
pub mod marketplace;
pub mod offer;
pub mod price_change;
pub mod product;
pub mod public_key;
pub mod resale_authorization;
pub mod side;
pub mod visibility;

pub use account::{AccessKey, Account, Address, TaxLiability, TaxRate};
pub use change::{Change, decide};
pub use clock::Clock;
pub use fault::{Fault, FaultCalls, FaultRule};
pub use history::CatalogHistory;
pub use marketplace::Marketplace;
pub use offer::{NewOffer, Offer, RenewalKind, Targeting};
pub use price_change::{PriceChange, PriceSource};
pub use product::{
    BilledBy, CountedIn, Dimension, DimensionType, EntitlementValueKind, NewProduct, Product, ProductType,
    UsageCategory,
};
pub use public_key::PublicKeyVersion;
pub use resale_authorization::{NewResaleAuthorization, Resale, ResaleAuthorization, WholesalePricing};
pub use side::Side;
pub use visibility::OfferVisibility;
