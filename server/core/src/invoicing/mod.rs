//! Invoices: what a payer is charged, and the seller's revenue of it.

pub mod close_month;
pub mod invoice;
pub mod listing_fee;
pub mod upfront;

pub use invoice::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, Revenue};
