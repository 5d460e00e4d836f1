//! The number of a batch in its log.

use std::fmt;
use std::num::NonZeroU64;

/// The number of a batch in its log: 1, 2, 3 … without a gap.
///
/// A position is good for finding a place in one log and for nothing else: it depends on timing, so no
/// id is ever made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(NonZeroU64);

impl Seq {
    /// The number of a log's first batch.
    pub const FIRST: Seq = Seq(NonZeroU64::MIN);

    /// The number `seq`, or none for 0, which no batch has.
    pub const fn new(seq: u64) -> Option<Seq> {
        match NonZeroU64::new(seq) {
            Some(seq) => Some(Seq(seq)),
            None => None,
        }
    }

    /// The number as an integer, at least 1.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The number of the batch after this one.
    ///
    /// # Panics
    /// At the end of 64 bits, which a million batches a second reach in half a million years.
    pub const fn next(self) -> Seq {
        Seq::after(self.get())
    }

    /// The number which follows `count` batches.
    pub(crate) const fn after(count: u64) -> Seq {
        match NonZeroU64::MIN.checked_add(count) {
            Some(next) => Seq(next),
            None => panic!("a log has fewer than 2^64 batches"),
        }
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_at_one_and_follow_each_other() {
        assert_eq!(Seq::new(0), None);
        assert_eq!(Seq::new(1), Some(Seq::FIRST));
        assert_eq!(Seq::FIRST.next().get(), 2);
        assert_eq!(Seq::FIRST.next().to_string(), "2");
    }
}
