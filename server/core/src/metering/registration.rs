//! RegisterUsage: a task or a pod says that it runs a product (aws-api A.4).
//!
//! Its buyer must be entitled at the first call of the program. What is registered stays registered: later calls of
//! the same program succeed even when the buyer has unsubscribed.

use std::collections::{BTreeMap, BTreeSet};

use crate::agreement::Agreement;
use crate::ids::{AccountId, MeteringResource, ProductId};
use crate::machine::{Event, Sandbox};
use crate::time::Timestamp;

/// What runs, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Whose bill carries it.
    pub payer: AccountId,
    /// The account in which it runs.
    pub buyer: AccountId,
    /// What it says it runs.
    pub product: ProductId,
    /// The task or pod.
    pub resource: MeteringResource,
}

/// The programs that a family's accounts have registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations(BTreeMap<(AccountId, ProductId), BTreeSet<MeteringResource>>);

impl Registrations {
    /// Whether a program was registered.
    pub fn contains(&self, program: &Program) -> bool {
        let key = (program.buyer, program.product.clone());
        self.0.get(&key).is_some_and(|resources| resources.contains(&program.resource))
    }

    /// All of them: in which account, which product, and what runs it.
    pub fn programs(&self) -> impl Iterator<Item = (AccountId, &ProductId, &MeteringResource)> {
        self.0.iter().flat_map(|((buyer, product), resources)| {
            resources.iter().map(move |resource| (*buyer, product, resource))
        })
    }

    /// Remembers a program.
    pub fn remember(&mut self, program: &Program) {
        let key = (program.buyer, program.product.clone());
        self.0.entry(key).or_default().insert(program.resource.clone());
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it is made once a call and moved once")]
pub enum Registration {
    /// The program was registered before: nothing happens.
    Known,
    /// It is registered by this event.
    First(Event),
    /// Its buyer holds no live agreement on the product.
    NotEntitled,
}

/// Registers a program.
pub fn register(sandbox: &Sandbox, program: Program, now: Timestamp) -> Registration {
    let Some(family) = sandbox.family(program.payer) else { return Registration::NotEntitled };
    if family.registrations.contains(&program) {
        return Registration::Known;
    }
    let is_live = |agreement: &Agreement| agreement.covers(now);
    let entitled = family.agreements_of(program.buyer, &program.product).any(is_live);
    match entitled {
        true => Registration::First(Event::UsageRegistered { program, at: now }),
        false => Registration::NotEntitled,
    }
}
