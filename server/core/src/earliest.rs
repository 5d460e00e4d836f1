//! The earliest entries of a list that is put together piece by piece: what a page of it holds, whatever the order
//! in which the pieces come.

use std::collections::BTreeMap;

/// At most so many entries by their positions, all of them behind one position.
#[derive(Debug, Clone)]
pub struct Earliest<P, T> {
    after: Option<P>,
    limit: usize,
    entries: BTreeMap<P, T>,
}

impl<P: Ord, T> Earliest<P, T> {
    /// None yet of the first `limit` entries behind `after`.
    pub fn new(after: Option<P>, limit: usize) -> Earliest<P, T> {
        Earliest { after, limit, entries: BTreeMap::new() }
    }

    /// The position that the list goes on behind.
    pub fn after(&self) -> Option<&P> {
        self.after.as_ref()
    }

    /// Whether an entry at this position is one of the earliest, as far as is known.
    pub fn takes(&self, position: &P) -> bool {
        let is_behind = self.after.as_ref().is_none_or(|after| after < position);
        is_behind && (self.entries.len() < self.limit || self.is_before_last(position))
    }

    /// Whether an entry at or behind this position may still be one of the earliest.
    pub fn has_room_behind(&self, position: &P) -> bool {
        self.entries.len() < self.limit || self.is_before_last(position)
    }

    /// Adds an entry, if it is one of the earliest.
    pub fn add(&mut self, position: P, entry: impl FnOnce() -> T) {
        if !self.takes(&position) {
            return;
        }
        self.entries.insert(position, entry());
        if self.entries.len() > self.limit {
            self.entries.pop_last();
        }
    }

    /// The entries in the order of their positions.
    pub fn into_entries(self) -> impl Iterator<Item = (P, T)> {
        self.entries.into_iter()
    }

    fn is_before_last(&self, position: &P) -> bool {
        self.entries.last_key_value().is_some_and(|(last, _)| position < last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_order_the_earliest_stay() {
        for (after, limit, expected) in [
            (None, 3, vec![1, 2, 3]),
            (Some(2), 3, vec![3, 5, 8]),
            (Some(5), 3, vec![8]),
            (Some(8), 3, vec![]),
            (None, 0, vec![]),
        ] {
            for order in [[1, 2, 3, 5, 8], [8, 5, 3, 2, 1], [5, 1, 8, 2, 3]] {
                let mut earliest = Earliest::new(after, limit);
                for position in order {
                    earliest.add(position, || position * 10);
                }
                let found: Vec<_> = earliest.into_entries().collect();
                let expected: Vec<_> = expected.iter().map(|&position| (position, position * 10)).collect();
                assert_eq!(found, expected, "{limit} of {order:?} after {after:?}");
            }
        }
    }

    #[test]
    fn what_is_not_taken_is_not_made() {
        let mut earliest = Earliest::new(Some(1), 1);
        earliest.add(2, || "kept");
        earliest.add(1, || unreachable!("it is not behind"));
        earliest.add(3, || unreachable!("it is later"));
        assert_eq!(earliest.into_entries().next(), Some((2, "kept")));
    }
}
