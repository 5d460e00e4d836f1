//! What may be expected at a time: one file for each kind, and its line in [`ALL`].
//!
//! A kind names the message of the contract that it looks at: its fields are what one may state, and what one may
//! choose items by. How items are compared is the same for all of them (`compare.rs`).

mod agreements;
mod balances;
mod entitlements;
pub mod invoices;
mod offers;
mod preview;
mod records;
mod refused_records;
mod report;

pub use self::invoices::INVOICE;
use super::expected::{Form, Items};
use super::shape::{Field, descriptor};
use super::world::{Looking, World};

/// A kind of expectation.
pub struct Kind {
    /// The key below `expect`.
    pub key: &'static str,
    /// What it looks at, in a sentence.
    pub about: &'static str,
    /// The message that its items are; none: rows of a report.
    pub of: Option<&'static str>,
    /// What the question takes beside conditions.
    pub asks: &'static [Field],
    /// Asks the server.
    pub look: for<'a> fn(&'a mut World, &'a Items) -> Looking<'a>,
}

impl Kind {
    /// The form of its items.
    pub fn form(&self) -> Form {
        self.of.map_or(Form::Row, |name| Form::Message(descriptor(name)))
    }
}

/// Every kind of expectation.
pub static ALL: &[&Kind] = &[
    &invoices::KIND,
    &balances::KIND,
    &preview::KIND,
    &report::KIND,
    &entitlements::KIND,
    &agreements::KIND,
    &offers::KIND,
    &records::KIND,
    &refused_records::KIND,
];
