//! The unmodified AWS SDK for Rust, whose every signature is checked.

mod buyers;
mod callers;
mod entitlement;
mod guide;
mod market;
mod metering;
