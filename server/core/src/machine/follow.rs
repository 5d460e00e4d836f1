//! A partition follows the control log: it takes over what was published and does what that sets off. Replay
//! applies the entries alone; what they set off stands in the partition's own log.

use std::collections::BTreeMap;

use super::{ControlEntry, Event, Sandbox, due};
use crate::agreement::acceptance::{self, Refusal};
use crate::catalog::{Change, Marketplace};
use crate::ids::{AccountId, OfferId, SandboxName};
use crate::rejection::Broken;
use crate::terms::configurable_upfront::UpfrontConfiguration;
use crate::time::Timestamp;

/// An agreement accepted in a sandbox's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The offer.
    pub offer: OfferId,
    /// Who accepted.
    pub buyer: AccountId,
    /// When.
    pub at: Timestamp,
    /// What was bought upfront.
    pub configuration: Option<UpfrontConfiguration>,
    /// Its position in the document, for errors.
    pub position: u32,
}

/// The sandboxes of a partition.
pub type Sandboxes = BTreeMap<SandboxName, Sandbox>;

/// Takes over what an entry published, without what it sets off.
pub fn apply(sandboxes: &mut Sandboxes, entry: &ControlEntry) {
    match entry {
        ControlEntry::SandboxPut { name, description, rules, began, changes, clock, .. } => {
            let mut market = Marketplace::new(name.clone(), description.clone(), rules.clone(), *began);
            for change in changes {
                market.apply(change);
            }
            market.apply(&Change::ClockSet(*clock));
            sandboxes.insert(name.clone(), Sandbox::new(market));
        }
        ControlEntry::SandboxDeleted { name } => {
            sandboxes.remove(name);
        }
        ControlEntry::Changed { name, change } => {
            if let Some(sandbox) = sandboxes.get_mut(name) {
                sandbox.apply_change(change);
            }
        }
    }
}

/// Follows an entry live: takes it over and accepts the seeds of this partition's payers in order. Answers the
/// events, which are applied already. What is due then is done by [`run_due`].
pub fn follow(
    sandboxes: &mut Sandboxes,
    entry: &ControlEntry,
    is_mine: impl Fn(AccountId) -> bool,
) -> Result<Vec<Event>, SeedRefused> {
    apply(sandboxes, entry);
    let mut events = Vec::new();
    let ControlEntry::SandboxPut { name, seeds, .. } = entry else { return Ok(events) };
    let Some(sandbox) = sandboxes.get_mut(name) else { return Ok(events) };
    for seed in seeds {
        let payer = sandbox.market().accounts().get(&seed.buyer).map(|account| account.payer);
        // An unknown buyer is nobody's; whoever tries the document on finds the refusal.
        if payer.is_none_or(&is_mine) {
            accept_seed(sandbox, seed, &mut events)?;
        }
    }
    Ok(events)
}

/// Why a seed was not accepted: found when a document is tried on, before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agreement {position}: {refusal}")]
pub struct SeedRefused {
    /// The seed's position in the document.
    pub position: u32,
    /// Why.
    pub refusal: Refusal,
}

impl From<Broken> for SeedRefused {
    fn from(broken: Broken) -> SeedRefused {
        SeedRefused { position: 0, refusal: Refusal::Broken(broken) }
    }
}

fn accept_seed(sandbox: &mut Sandbox, seed: &Seed, events: &mut Vec<Event>) -> Result<(), SeedRefused> {
    let refused = |refusal| SeedRefused { position: seed.position, refusal };
    run_due(sandbox, seed.at, usize::MAX, events)?;
    let payer = sandbox.market().accounts().get(&seed.buyer).map(|account| account.payer);
    let family = payer.and_then(|payer| sandbox.family(payer));
    let configuration = seed.configuration.as_ref();
    let market = sandbox.market();
    let accepted = acceptance::accept_offer(market, family, &seed.offer, seed.buyer, configuration, seed.at);
    for event in accepted.map_err(refused)? {
        sandbox.apply(&event);
        events.push(event);
    }
    Ok(())
}

/// Does what is due in a sandbox at `now`, payer by payer, until `limit` is reached; the limit counts events
/// and the lines of invoices. Answers whether nothing is left to do.
pub fn run_due(
    sandbox: &mut Sandbox,
    now: Timestamp,
    limit: usize,
    done: &mut Vec<Event>,
) -> Result<bool, Broken> {
    let mut weight = 0;
    while let Some(payer) = sandbox.first_due(now) {
        if weight >= limit {
            return Ok(false);
        }
        let events = due::run_first(sandbox, payer, now)?;
        if events.is_empty() {
            return Err(Broken(format!("family {payer} stands on the agenda with nothing due")));
        }
        weight += events.iter().map(Event::weight).sum::<usize>();
        done.extend(events);
    }
    // No month is closing any more.
    sandbox.keep_closing(None);
    Ok(true)
}
