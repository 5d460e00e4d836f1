//! A sorted map in chunks that copies share: a copy costs one pointer a chunk, and whoever writes first to a chunk
//! after that copies the chunk alone. So a state of any size can be held still for a long read or a snapshot while
//! its writer goes on.

use std::ops::Bound;
use std::sync::Arc;

/// Entries of a chunk at most.
const CHUNK: usize = 256;

/// A sorted map whose copies share what they have in common.
#[derive(Debug, Clone)]
pub struct CowMap<K, V> {
    /// Sorted, and none is empty.
    chunks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> CowMap<K, V> {
        CowMap { chunks: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> CowMap<K, V> {
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let position = position(chunk, key).ok()?;
        chunk.get(position).map(|(_, value)| value)
    }

    /// Whether a key is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.chunk_of(key);
        let chunk = self.chunks.get_mut(at)?;
        let position = position(chunk, key).ok()?;
        Arc::make_mut(chunk).get_mut(position).map(|(_, value)| value)
    }

    /// Puts a value under a key; answers the one that it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        // What is behind every chunk goes to the end of the last one.
        let at = self.chunk_of(&key).min(self.chunks.len().saturating_sub(1));
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return None;
        };
        match position(chunk, &key) {
            Ok(position) => {
                let slot = Arc::make_mut(chunk).get_mut(position);
                slot.map(|(_, old)| std::mem::replace(old, value))
            }
            Err(position) => {
                self.len += 1;
                if chunk.len() < CHUNK {
                    Arc::make_mut(chunk).insert(position, (key, value));
                    return None;
                }
                // Keys often come in their order: then chunks stay full instead of being split in half.
                let half = if position == CHUNK { CHUNK } else { CHUNK / 2 };
                let mut upper = Arc::make_mut(chunk).split_off(half);
                match position.checked_sub(half) {
                    Some(behind) => upper.insert(behind, (key, value)),
                    None => Arc::make_mut(chunk).insert(position, (key, value)),
                }
                self.chunks.insert(at + 1, Arc::new(upper));
                None
            }
        }
    }

    /// Takes a key out; answers its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.chunk_of(key);
        let chunk = self.chunks.get_mut(at)?;
        let position = position(chunk, key).ok()?;
        let entries = Arc::make_mut(chunk);
        let (_, value) = entries.remove(position);
        if entries.is_empty() {
            self.chunks.remove(at);
        }
        self.len -= 1;
        Some(value)
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The entries from a key on.
    pub fn range_from(&self, from: Bound<&K>) -> impl Iterator<Item = (&K, &V)> {
        let (at, skipped) = match from {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => {
                let at = self.chunk_of(key);
                (at, self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|(k, _)| k < key)))
            }
            Bound::Excluded(key) => {
                let at = self.chunk_of(key);
                (at, self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|(k, _)| k <= key)))
            }
        };
        let chunks = self.chunks.get(at..).unwrap_or(&[]).iter();
        chunks.flat_map(|chunk| chunk.iter()).skip(skipped).map(|(key, value)| (key, value))
    }

    /// The last entry before a key.
    pub fn last_before(&self, key: &K) -> Option<(&K, &V)> {
        let at = self.chunk_of(key);
        let within = self.chunks.get(at).and_then(|chunk| {
            let behind = chunk.partition_point(|(k, _)| k < key);
            chunk.get(behind.checked_sub(1)?)
        });
        let before = || self.chunks.get(at.checked_sub(1)?)?.last();
        within.or_else(before).map(|(key, value)| (key, value))
    }

    /// The first entry.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.chunks.first()?.first().map(|(key, value)| (key, value))
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// No entry at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first chunk that may hold a key: all of the one before it is smaller.
    fn chunk_of(&self, key: &K) -> usize {
        self.chunks.partition_point(|chunk| chunk.last().is_some_and(|(last, _)| last < key))
    }
}

fn position<K: Ord, V>(chunk: &[(K, V)], key: &K) -> Result<usize, usize> {
    chunk.binary_search_by(|(k, _)| k.cmp(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_map_and_its_copies_stand_still(
            steps in prop::collection::vec((0_u32..2_000, any::<bool>(), 0_u32..40), 0..3_000),
        ) {
            let mut map = CowMap::default();
            let mut model = BTreeMap::new();
            let mut copies = Vec::new();
            for (number, (key, put, dice)) in steps.into_iter().enumerate() {
                match put || dice > 30 {
                    true => prop_assert_eq!(map.insert(key, number), model.insert(key, number)),
                    false => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                if let (Some(one), Some(other)) = (map.get_mut(&(key / 2)), model.get_mut(&(key / 2))) {
                    *one += 1;
                    *other += 1;
                }
                if dice == 0 {
                    copies.push((map.clone(), model.clone()));
                }
            }
            copies.push((map, model));
            for (map, model) in copies {
                prop_assert!(map.iter().eq(model.iter()));
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.first(), model.first_key_value());
                for key in [0, 500, 1_999] {
                    prop_assert_eq!(map.get(&key), model.get(&key));
                    prop_assert!(map.range_from(Bound::Included(&key)).eq(model.range(key..)));
                    let behind = (Bound::Excluded(key), Bound::Unbounded);
                    prop_assert!(map.range_from(Bound::Excluded(&key)).eq(model.range(behind)));
                    prop_assert_eq!(map.last_before(&key), model.range(..key).next_back());
                }
            }
        }
    }
}
