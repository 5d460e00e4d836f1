//! Makes a sandbox from a document: everything is decided and tried on before anything is written, so that a
//! document is taken whole or not at all.

use souk_core::agreement::acceptance::Refusal;
use souk_core::catalog::product::check_words;
use souk_core::catalog::{
    Account, Change, Clock, FaultRule, Marketplace, NewOffer, NewProduct, NewResaleAuthorization,
    PublicKeyVersion, decide,
};
use souk_core::ids::{AccountId, OfferId, SandboxName};
use souk_core::machine::follow::{Sandboxes, follow, run_due};
use souk_core::machine::{ControlEntry, Event, Seed};
use souk_core::rejection::{Code, Rejection};
use souk_core::rules::Rules;
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_core::time::Timestamp;

use crate::codec::{ControlBatch, PartitionBatch};
use crate::error::AppError;
use crate::signing::PrivateKey;

/// Bytes that a document's entry, or the events that it sets off, may take in a log.
const ENTRY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How a document sets the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockPlan {
    /// Stopped at this time.
    At(Timestamp),
    /// Following the machine's.
    Follow,
}

/// A document in the core's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPlan {
    /// What the sandbox is for.
    pub description: String,
    /// Its rules.
    pub rules: Rules,
    /// Its clock.
    pub clock: ClockPlan,
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// Its products.
    pub products: Vec<NewProduct>,
    /// Who may sell the products of others.
    pub resale_authorizations: Vec<NewResaleAuthorization>,
    /// Its offers.
    pub offers: Vec<NewOffer>,
    /// The agreements accepted in its past.
    pub agreements: Vec<PlannedAgreement>,
    /// The versions of the key that signs what RegisterUsage answers; none: one, with the data folder's key.
    pub public_keys: Vec<PublicKeyVersion>,
    /// The faults of its AWS port.
    pub faults: Vec<FaultRule>,
}

/// An agreement accepted in a sandbox's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAgreement {
    /// The offer.
    pub offer: OfferId,
    /// Who accepted.
    pub buyer: AccountId,
    /// When; the sandbox's time when absent.
    pub at: Option<Timestamp>,
    /// What was bought upfront.
    pub configuration: Option<UpfrontConfiguration>,
}

impl DocumentPlan {
    /// The control entry that makes the sandbox.
    pub fn entry(self, name: &SandboxName, machine: Timestamp) -> Result<ControlEntry, AppError> {
        let (clock, now) = match self.clock {
            ClockPlan::At(at) => {
                Clock::check_end(at, "clock.at")?;
                (Clock::Stopped(at), at)
            }
            ClockPlan::Follow => (Clock::Following(machine), machine),
        };
        check_words(&self.description, "description", 1_000)?;
        let seeds = seeds(self.agreements, now)?;
        let began = seeds.first().map_or(now, |seed| seed.at.min(now));
        let mut market = Marketplace::new(name.clone(), self.description.clone(), self.rules.clone(), began);
        let mut changes = Vec::new();
        let mut take =
            |decided: Result<Change, Rejection>, list: &str, index: usize, market: &mut Marketplace| {
                let change = decided.map_err(|r| r.within(&format!("{list}[{index}]")))?;
                market.apply(&change);
                changes.push(change);
                Ok::<(), Rejection>(())
            };
        // Payers first: a linked account names its payer.
        let mut accounts: Vec<_> = self.accounts.into_iter().enumerate().collect();
        accounts.sort_by_key(|(_, account)| account.payer != account.id);
        for (index, account) in accounts {
            refuse_twice(&market, &account, index)?;
            take(decide::put_account(&market, account), "accounts", index, &mut market)?;
        }
        for (index, product) in self.products.into_iter().enumerate() {
            take(decide::create_product(&market, product), "products", index, &mut market)?;
        }
        for (index, authorization) in self.resale_authorizations.into_iter().enumerate() {
            let decided = decide::create_resale_authorization(&market, authorization, began);
            take(decided, "resaleAuthorizations", index, &mut market)?;
        }
        // Those of resellers last: what they owe may be a part of public prices.
        let mut offers: Vec<_> = self.offers.into_iter().enumerate().collect();
        offers.sort_by_key(|(_, offer)| offer.resale_authorization.is_some());
        for (index, offer) in offers {
            take(decide::create_offer(&market, offer, began, 0), "offers", index, &mut market)?;
        }
        if !self.public_keys.is_empty() {
            changes.push(decide::set_public_keys(self.public_keys.clone())?);
            check_private_keys(&self.public_keys)?;
        }
        if !self.faults.is_empty() {
            changes.push(decide::set_faults(self.faults)?);
        }
        let entry = ControlEntry::SandboxPut {
            name: name.clone(),
            description: self.description,
            rules: self.rules,
            began,
            changes,
            seeds,
            clock,
        };
        try_on(&entry, machine)?;
        Ok(entry)
    }
}

fn refuse_twice(market: &Marketplace, account: &Account, index: usize) -> Result<(), Rejection> {
    match market.accounts().contains_key(&account.id) {
        false => Ok(()),
        true => {
            let message = format!("account {} stands twice: once is enough", account.id);
            Err(Rejection::new(Code::FieldInvalid, format!("accounts[{index}].accountId"), message))
        }
    }
}

/// Whoever signs must be able to read the keys.
fn check_private_keys(versions: &[PublicKeyVersion]) -> Result<(), Rejection> {
    for (index, version) in versions.iter().enumerate() {
        if let Some(Err(refused)) = version.private_key.as_deref().map(PrivateKey::from_pem) {
            let field = format!("publicKeys[{index}].privateKey");
            return Err(Rejection::new(Code::FieldInvalid, field, refused.to_string()));
        }
    }
    Ok(())
}

fn seeds(agreements: Vec<PlannedAgreement>, now: Timestamp) -> Result<Vec<Seed>, Rejection> {
    let mut seeds = Vec::with_capacity(agreements.len());
    for (position, planned) in (0_u32..).zip(agreements) {
        let at = planned.at.unwrap_or(now);
        if at > now {
            let message =
                format!("{at} lies after the sandbox's time {now}: accept the offer when it is time");
            return Err(Rejection::new(
                Code::FieldInvalid,
                format!("agreements[{position}].acceptanceTime"),
                message,
            ));
        }
        let (offer, buyer, configuration) = (planned.offer, planned.buyer, planned.configuration);
        seeds.push(Seed { offer, buyer, at, configuration, position });
    }
    seeds.sort_by_key(|seed| seed.at);
    Ok(seeds)
}

/// Does in memory, on all families at once, what the partitions will do.
fn try_on(entry: &ControlEntry, machine: Timestamp) -> Result<(), AppError> {
    let name = entry.sandbox();
    let mut sandboxes = Sandboxes::new();
    let seeded = follow(&mut sandboxes, entry, |_| true).map_err(|refused| match refused.refusal {
        Refusal::Rejected(rejection) => {
            AppError::Rejected(rejection.within(&format!("agreements[{}]", refused.position)))
        }
        Refusal::Broken(broken) => AppError::Broken(broken),
    })?;
    if let Some(sandbox) = sandboxes.get_mut(name) {
        let now = sandbox.market().clock.now(machine);
        run_due(sandbox, now, usize::MAX, &mut Vec::new())?;
    }
    let events: Vec<(SandboxName, Event)> = seeded.into_iter().map(|event| (name.clone(), event)).collect();
    let bytes = ControlBatch { time: machine, entries: vec![entry.clone()] }.encode().len();
    let set_off = PartitionBatch { time: machine, followed: Some(1), events }.encode().len();
    if bytes.max(set_off) > ENTRY_BYTES_MAX {
        let message = format!(
            "the document takes {} bytes in the log, at most {ENTRY_BYTES_MAX} are allowed: put a part of it, and \
             add the rest by calls",
            bytes.max(set_off)
        );
        return Err(Rejection::new(Code::DocumentInvalid, "document", message).into());
    }
    Ok(())
}
