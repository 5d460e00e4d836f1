//! What is published in every sandbox, for anybody to read without waiting.

use std::sync::Arc;

use dashmap::DashMap;
use souk_core::catalog::Marketplace;
use souk_core::ids::SandboxName;
use souk_core::machine::ControlEntry;

use crate::error::AppError;
use crate::partition::turn::unknown;

/// The published state of every sandbox.
#[derive(Default)]
pub struct PublishedSandboxes {
    markets: DashMap<SandboxName, Arc<Marketplace>>,
}

impl PublishedSandboxes {
    /// A sandbox's published state.
    pub fn get(&self, name: &SandboxName) -> Result<Arc<Marketplace>, AppError> {
        let market = self.markets.get(name).map(|market| market.clone());
        Ok(market.ok_or_else(|| unknown(name))?)
    }

    /// Whether some sandbox has an account that signs with this access key.
    pub fn know_access_key(&self, key_id: &str) -> bool {
        self.markets.iter().any(|market| market.access_key_owner(key_id).is_some())
    }

    /// Every sandbox, in the order of names.
    pub fn all(&self) -> Vec<Arc<Marketplace>> {
        let mut all: Vec<_> = self.markets.iter().map(|entry| entry.value().clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Publishes what a durable entry changed.
    pub fn apply(&self, entry: &ControlEntry) {
        match entry {
            ControlEntry::SandboxPut { name, .. } => {
                let mut sandboxes = souk_core::machine::follow::Sandboxes::new();
                souk_core::machine::follow::apply(&mut sandboxes, entry);
                if let Some(sandbox) = sandboxes.get(name) {
                    self.markets.insert(name.clone(), Arc::new(sandbox.market().clone()));
                }
            }
            ControlEntry::SandboxDeleted { name } => {
                self.markets.remove(name);
            }
            ControlEntry::Changed { name, change } => {
                if let Some(mut market) = self.markets.get_mut(name) {
                    Arc::make_mut(&mut market).apply(change);
                }
            }
        }
    }
}
