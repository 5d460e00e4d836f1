//! The texts that series have in common: each is kept once, so that they take no room in every series, and are found
//! to be the same without being read. What is bought upfront shares them.

use std::collections::HashSet;
use std::hash::Hash;

use super::series::{Identity, Series};
use crate::ids::{DimensionKey, ProductCode, ProductId, Region};

/// The names of all open series.
#[derive(Debug, Clone, Default)]
pub struct Names {
    products: HashSet<ProductId>,
    codes: HashSet<ProductCode>,
    regions: HashSet<Region>,
    dimensions: HashSet<DimensionKey>,
}

impl Names {
    /// The same key, as the series have it.
    pub fn dimension(&mut self, mut key: DimensionKey) -> DimensionKey {
        share(&mut self.dimensions, &mut key);
        key
    }

    /// Lets a series share the texts that an earlier one has.
    pub fn share(&mut self, series: &mut Series) {
        share(&mut self.products, &mut series.product);
        share(&mut self.regions, &mut series.key.region);
        share(&mut self.dimensions, &mut series.key.dimension);
        if let Identity::Product(code, _) = &mut series.key.identity {
            share(&mut self.codes, code);
        }
    }
}

fn share<T: Clone + Eq + Hash>(known: &mut HashSet<T>, name: &mut T) {
    match known.get(name) {
        Some(known) => *name = known.clone(),
        None => {
            known.insert(name.clone());
        }
    }
}
