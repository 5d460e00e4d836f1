//! The open series by their handles, in chunks that copies share.

use std::sync::Arc;

use super::series::{Series, SeriesHandle};
use super::tile::BLOCK;

/// Every open series, in the order of their handles.
#[derive(Debug, Clone, Default)]
pub struct SeriesList {
    /// All but the last are full.
    blocks: Vec<Arc<Vec<Series>>>,
}

impl SeriesList {
    /// Adds a series; answers its handle.
    pub fn push(&mut self, series: Series) -> SeriesHandle {
        let handle = SeriesHandle(self.len() as u32);
        match self.blocks.last_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => Arc::make_mut(block).push(series),
            None => self.blocks.push(Arc::new(vec![series])),
        }
        handle
    }

    /// A series.
    pub fn get(&self, handle: SeriesHandle) -> Option<&Series> {
        self.blocks.get(handle.0 as usize / BLOCK)?.get(handle.0 as usize % BLOCK)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let last = self.blocks.last().map_or(0, |block| block.len());
        self.blocks.len().saturating_sub(1) * BLOCK + last
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many series a block has.
    pub fn in_block(&self, block: usize) -> usize {
        self.blocks.get(block).map_or(0, |block| block.len())
    }

    /// All of them, by handle.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.blocks.iter().flat_map(|block| block.iter())
    }
}
