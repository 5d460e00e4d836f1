//! Whether everything was billed, exactly once, by arithmetic of its own.
//!
//! [`ledger`] notes which messages were acknowledged, and whether every answer was the right one. [`expected`]
//! computes from that and the plan what must be billed: cover, private prices and one rounding a line included;
//! [`invoices`] compares. What differs is said in words; nothing is corrected.

pub mod expected;
pub mod invoices;
pub mod ledger;

pub use expected::{Expected, expected};
pub use invoices::{Bills, compare};
pub use ledger::{Acknowledged, Ledger, Verdict};

use serde::{Deserialize, Serialize};

/// Differences that are kept in words.
const SHOWN_MAX: usize = 20;

/// What is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Differences {
    /// How many.
    pub count: u64,
    /// The first of them in words.
    pub shown: Vec<String>,
}

impl Differences {
    /// Adds one.
    pub fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(words());
        }
    }
}
