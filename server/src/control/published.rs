//! What is published in every sandbox, for anybody to read without waiting.

use std::sync::Arc;

use dashmap::DashMap;
use souk_core::catalog::{CatalogHistory, Change, Marketplace};
use souk_core::ids::SandboxName;
use souk_core::machine::ControlEntry;
use souk_core::time::Timestamp;

use crate::app::known_series::KnownSeries;
use crate::error::AppError;
use crate::partition::turn::unknown;

/// The published state of every sandbox.
#[derive(Default)]
pub struct PublishedSandboxes {
    sandboxes: DashMap<SandboxName, Published>,
}

/// The published state of a sandbox.
struct Published {
    market: Arc<Marketplace>,
    /// When that was published.
    history: Arc<CatalogHistory>,
    /// What records name, as long as what is published stays as it is.
    series: Arc<KnownSeries>,
    /// What the machine's clock showed when this one was set, turned or let go.
    clock_set: Timestamp,
}

impl PublishedSandboxes {
    /// A sandbox's published state.
    pub fn get(&self, name: &SandboxName) -> Result<Arc<Marketplace>, AppError> {
        let market = self.sandboxes.get(name).map(|published| published.market.clone());
        Ok(market.ok_or_else(|| unknown(name))?)
    }

    /// The same with what records name in it. Both are of one moment: what was found out under an older state of
    /// the sandbox is kept where nobody looks any more.
    pub fn get_with_series(
        &self,
        name: &SandboxName,
    ) -> Result<(Arc<Marketplace>, Arc<KnownSeries>), AppError> {
        let found = self.sandboxes.get(name);
        let both = found.map(|published| (published.market.clone(), published.series.clone()));
        Ok(both.ok_or_else(|| unknown(name))?)
    }

    /// The same with its history, both of one moment.
    pub fn get_with_history(
        &self,
        name: &SandboxName,
    ) -> Result<(Arc<Marketplace>, Arc<CatalogHistory>), AppError> {
        let found = self.sandboxes.get(name);
        let both = found.map(|published| (published.market.clone(), published.history.clone()));
        Ok(both.ok_or_else(|| unknown(name))?)
    }

    /// Whether some sandbox has an account that signs with this access key.
    pub fn know_access_key(&self, key_id: &str) -> bool {
        self.sandboxes.iter().any(|published| published.market.access_key_owner(key_id).is_some())
    }

    /// What the machine's clock showed when a sandbox's was set, turned or let go.
    pub fn clock_set(&self, name: &SandboxName) -> Option<Timestamp> {
        self.sandboxes.get(name).map(|published| published.clock_set)
    }

    /// Every sandbox, in the order of names.
    pub fn all(&self) -> Vec<Arc<Marketplace>> {
        let mut all: Vec<_> = self.sandboxes.iter().map(|published| published.market.clone()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Publishes what an entry changed that became durable at a time of the machine.
    pub fn apply(&self, entry: &ControlEntry, time: Timestamp) {
        match entry {
            ControlEntry::SandboxPut { name, began, changes, .. } => {
                let mut history = CatalogHistory::default();
                changes.iter().for_each(|change| history.note(change, *began));
                let mut sandboxes = souk_core::machine::follow::Sandboxes::new();
                souk_core::machine::follow::apply(&mut sandboxes, entry);
                if let Some(sandbox) = sandboxes.get(name) {
                    let market = Arc::new(sandbox.market().clone());
                    let (series, history) = (Arc::default(), Arc::new(history));
                    self.sandboxes
                        .insert(name.clone(), Published { market, history, series, clock_set: time });
                }
            }
            ControlEntry::SandboxDeleted { name } => {
                self.sandboxes.remove(name);
            }
            ControlEntry::Changed { name, change } => {
                if let Some(mut published) = self.sandboxes.get_mut(name) {
                    let at = published.market.clock.now(time);
                    Arc::make_mut(&mut published.market).apply(change);
                    Arc::make_mut(&mut published.history).note(change, at);
                    match change {
                        Change::ClockSet(_) => published.clock_set = time,
                        _ => published.series = Arc::default(),
                    }
                }
            }
        }
    }
}
