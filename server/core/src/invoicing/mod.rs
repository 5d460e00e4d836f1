//! Invoices: what a payer is charged, and the seller's revenue of it.

pub mod adjustment;
pub mod close_month;
pub mod instalment;
pub mod invoice;
pub mod listing_fee;
pub mod monthly;
pub mod payment;
pub mod upfront;
pub mod wholesale;

pub use invoice::{
    AdjustmentReason, ChargeType, Correction, Explanation, Invoice, InvoiceKind, InvoiceLine, Proration,
    ResaleRow, Revenue, Tax,
};
