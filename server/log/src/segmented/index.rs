//! Where the batches of one log are, as coarse as reading allows.
//!
//! Batches of usage have about 100 KB, and each has its entry: a reader goes from one to the next and never
//! sees what other logs have between them. Of small batches, only one in [`STRIDE_BYTES`] of the segment has
//! an entry: a reader walks from it over a few headers, which are in memory already since a read takes more
//! than that at once. So the index takes at most 24 bytes for each 64 KiB of the log's part of the segments.

use crate::Seq;

/// How far apart in a segment the entries of a log are at least.
const STRIDE_BYTES: u64 = 64 * 1024;

/// Where a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The batch's number.
    pub(super) seq: u64,
    /// The offset of the frame.
    offset: u64,
    /// The segment's number.
    segment: u32,
    /// The size of the frame.
    span: u32,
}

impl Entry {
    /// The segment's number, the offset and the size of the frame.
    pub(super) fn place(&self) -> (u64, u64, u64) {
        (u64::from(self.segment), self.offset, u64::from(self.span))
    }
}

/// The batches of one log which are acknowledged.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    next: Seq,
}

impl Index {
    pub(super) fn new() -> Index {
        Index { entries: Vec::new(), next: Seq::FIRST }
    }

    /// The number of the next batch.
    pub(super) fn next(&self) -> Seq {
        self.next
    }

    /// Takes the next batch in, with the place of its frame.
    pub(super) fn push(&mut self, segment: u64, offset: u64, span: u64) {
        let seq = self.next.get();
        self.next = self.next.next();
        let is_far = self
            .entries
            .last()
            .is_none_or(|last| u64::from(last.segment) != segment || last.offset + STRIDE_BYTES <= offset);
        // The number of a segment and the size of a frame fit by far.
        let fitting = (u32::try_from(segment), u32::try_from(span));
        if let (true, (Ok(segment), Ok(span))) = (is_far, fitting) {
            self.entries.push(Entry { seq, offset, segment, span });
        }
    }

    /// The entry of the last batch with an entry up to `seq`.
    pub(super) fn at_or_before(&self, seq: Seq) -> Option<Entry> {
        let behind = self.entries.partition_point(|entry| entry.seq <= seq.get());
        self.entries.get(behind.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry_before_a_batch_is_found() {
        let mut index = Index::new();
        for (segment, offset) in [(1, 4_096), (1, 5_000), (1, 4_096 + 65_536), (1, 80_000), (2, 4_096)] {
            index.push(segment, offset, 64);
        }
        assert_eq!(index.next().get(), 6);
        let found = |seq| index.at_or_before(Seq::new(seq).expect("not 0")).map(|entry| entry.seq);
        assert_eq!([1, 2, 3, 4, 5, 6].map(found), [1, 1, 3, 3, 5, 5].map(Some));
        assert_eq!(Index::new().at_or_before(Seq::FIRST), None);
    }
}
