//! What everybody may know of a partition once it is durable: whose a licence and an agreement is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use souk_core::ids::{AccountId, AgreementId, LicenseArn, SandboxName};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::request::LicenceEntry;

/// The published part of one sandbox in one partition.
#[derive(Debug, Default)]
struct Published {
    licences: HashMap<LicenseArn, LicenceEntry>,
    payers: HashMap<AgreementId, AccountId>,
}

/// The published part of one partition.
#[derive(Debug, Default)]
pub struct Directory {
    sandboxes: DashMap<SandboxName, Published>,
    /// Which incarnation each sandbox is in; absent: none yet, which is 0.
    generations: DashMap<SandboxName, u64>,
    incarnations: AtomicU64,
}

/// What a batch changes for everybody.
#[derive(Debug)]
pub struct News {
    sandbox: SandboxName,
    agreement: AgreementId,
    payer: AccountId,
    licence: Option<(LicenseArn, LicenceEntry)>,
}

impl Directory {
    /// What is known of a licence.
    pub fn licence(&self, sandbox: &SandboxName, licence: &LicenseArn) -> Option<LicenceEntry> {
        self.sandboxes.get(sandbox)?.licences.get(licence).cloned()
    }

    /// Which incarnation a sandbox is in: handles of its series hold within one. No two have the same number.
    pub fn generation(&self, sandbox: &SandboxName) -> u64 {
        self.generations.get(sandbox).map_or(0, |generation| *generation)
    }

    /// Begins another incarnation of a sandbox: it was replaced or deleted. A rebuilt partition goes on with the one
    /// that there is: handles that anybody was told are durable, and the log opens their series in the same order.
    pub fn renew(&self, sandbox: &SandboxName) {
        let generation = self.incarnations.fetch_add(1, Ordering::Relaxed) + 1;
        self.generations.insert(sandbox.clone(), generation);
    }

    /// The family of an agreement.
    pub fn payer(&self, sandbox: &SandboxName, agreement: &AgreementId) -> Option<AccountId> {
        self.sandboxes.get(sandbox)?.payers.get(agreement).copied()
    }

    /// Publishes a whole sandbox anew: after a start, and when it was made or replaced.
    pub fn publish_all(&self, name: &SandboxName, sandbox: &Sandbox) {
        let mut published = Published::default();
        for family in sandbox.families().values() {
            for agreement in family.agreements() {
                published.payers.insert(agreement.id.clone(), agreement.payer);
                if let Some(entry) = sandbox.licence(family, &agreement.licence) {
                    published.licences.insert(agreement.licence.clone(), entry);
                }
            }
        }
        self.sandboxes.insert(name.clone(), published);
    }

    /// Forgets a sandbox.
    pub fn forget(&self, name: &SandboxName) {
        self.sandboxes.remove(name);
    }

    /// What an event changes for everybody, to be published once it is durable.
    pub fn news(name: &SandboxName, sandbox: &Sandbox, event: &Event) -> Option<News> {
        let id = match event {
            Event::AgreementAccepted(agreement) => &agreement.id,
            Event::AgreementEnded { agreement, .. } => agreement,
            _ => return None,
        };
        let (family, agreement) = sandbox.agreement(id)?;
        let licence = sandbox.licence(family, &agreement.licence);
        Some(News {
            sandbox: name.clone(),
            agreement: agreement.id.clone(),
            payer: agreement.payer,
            licence: licence.map(|entry| (agreement.licence.clone(), entry)),
        })
    }

    /// Publishes what became durable.
    pub fn publish(&self, news: News) {
        let mut published = self.sandboxes.entry(news.sandbox).or_default();
        published.payers.insert(news.agreement, news.payer);
        published.licences.extend(news.licence);
    }
}
