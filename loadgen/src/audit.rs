//! Whether the bills are right, by arithmetic of its own.
//!
//! [`ledger`] notes what was acknowledged, and whether every answer was the right one. [`bills`] computes from
//! that what must be billed, and compares. What differs is said in words; nothing is corrected.

pub mod bills;
pub mod ledger;

pub use bills::{Bills, audit};
pub use ledger::{Acknowledged, Ledger};

use serde::Serialize;

/// Differences that are kept in words.
const SHOWN_MAX: usize = 20;

/// What is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
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

    /// Adds those of another.
    pub fn append(&mut self, other: Differences) {
        self.count += other.count;
        let room = SHOWN_MAX - self.shown.len();
        self.shown.extend(other.shown.into_iter().take(room));
    }
}
