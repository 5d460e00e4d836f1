//! The control entries as they became durable, for the partitions to follow.

use std::sync::{Arc, RwLock};

use souk_core::machine::ControlEntry;

/// Every control batch so far, in order: the batch of sequence number n stands at position n - 1.
#[derive(Default)]
pub struct ControlFeed {
    batches: RwLock<Vec<Arc<[ControlEntry]>>>,
}

impl ControlFeed {
    /// Adds the next batch; answers its sequence number.
    pub fn push(&self, entries: Vec<ControlEntry>) -> u64 {
        let mut batches = self.batches.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        batches.push(entries.into());
        batches.len() as u64
    }

    /// The sequence number of the last batch; 0 when there is none.
    pub fn last(&self) -> u64 {
        self.batches.read().unwrap_or_else(std::sync::PoisonError::into_inner).len() as u64
    }

    /// The batch after `followed`, if it is there.
    pub fn after(&self, followed: u64) -> Option<Arc<[ControlEntry]>> {
        let batches = self.batches.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        batches.get(usize::try_from(followed).ok()?).cloned()
    }
}
