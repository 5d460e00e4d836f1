//! A sandbox in one partition: what is published, and the families and the tally that live here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, due};
use crate::agreement::{Agreement, Family};
use crate::catalog::{Change, Marketplace};
use crate::ids::{AccountId, AgreementId, LicenseArn};
use crate::metering::request::LicenceEntry;
use crate::metering::{Outcome, Tally, UsageColumns};
use crate::time::{BillingMonth, Timestamp};

/// A sandbox's state in one partition.
#[derive(Debug, Clone)]
pub struct Sandbox {
    market: Marketplace,
    families: BTreeMap<AccountId, Family>,
    /// Which family holds an agreement.
    payers: BTreeMap<AgreementId, AccountId>,
    /// When something becomes due in a family: derived from the families, kept for finding the earliest.
    agenda: BTreeSet<(Timestamp, AccountId)>,
    tally: Tally,
}

impl Sandbox {
    /// A sandbox without families.
    pub fn new(market: Marketplace) -> Sandbox {
        Sandbox {
            market,
            families: BTreeMap::new(),
            payers: BTreeMap::new(),
            agenda: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// What is published.
    pub fn market(&self) -> &Marketplace {
        &self.market
    }

    /// The families by payer.
    pub fn families(&self) -> &BTreeMap<AccountId, Family> {
        &self.families
    }

    /// The family of a payer, if it has an agreement.
    pub fn family(&self, payer: AccountId) -> Option<&Family> {
        self.families.get(&payer)
    }

    /// The family and the agreement of this id.
    pub fn agreement(&self, id: &AgreementId) -> Option<(&Family, &Agreement)> {
        let family = self.families.get(self.payers.get(id)?)?;
        Some((family, family.agreement(id)?))
    }

    /// The tally.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What is known of a licence: from the first agreement of its chain to the last.
    pub fn licence(&self, family: &Family, licence: &LicenseArn) -> Option<LicenceEntry> {
        let first = family.agreements_of_licence(licence).next()?;
        let last = family.agreements_of_licence(licence).last()?;
        Some(LicenceEntry {
            product: first.product.clone(),
            buyer: first.buyer,
            payer: first.payer,
            start: first.start,
            // The planned end of a live agreement may bring another of its chain, under the same licence.
            end: last.ended_at,
        })
    }

    /// The family in which something is due first at or before `now`.
    pub fn first_due(&self, now: Timestamp) -> Option<AccountId> {
        self.agenda.first().filter(|(at, _)| *at <= now).map(|(_, payer)| *payer)
    }

    /// Takes usage; see [`Tally::accept`].
    pub fn accept_usage(&mut self, columns: &UsageColumns) -> Vec<Outcome> {
        self.tally.accept(columns)
    }

    /// Applies a change of what is published.
    pub fn apply_change(&mut self, change: &Change) {
        self.market.apply(change);
    }

    /// Applies an event; it may not fail.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::AgreementAccepted(agreement) => {
                let month = BillingMonth::containing(agreement.start);
                let new = || Family::new(agreement.payer, month);
                self.families.entry(agreement.payer).or_insert_with(new).add_agreement(agreement.clone());
                self.payers.insert(agreement.id.clone(), agreement.payer);
                self.reschedule(agreement.payer);
            }
            Event::UpfrontPurchased { payer, agreement, purchase, renews } => {
                self.change(*payer, |family| family.add_purchase(agreement, purchase.clone(), *renews));
            }
            Event::AgreementEnded { payer, agreement, status, at } => {
                self.change(*payer, |family| family.end_agreement(agreement, *status, *at));
            }
            Event::InvoiceIssued(invoice) => {
                self.change(invoice.payer, |family| family.add_invoice(invoice.clone()));
            }
            Event::MonthClosed { payer, month } => {
                self.change(*payer, |family| family.open_month = month.next());
            }
            Event::SeriesOpened(series) => {
                let handle = self.tally.open(series.clone());
                if let Some(family) = self.families.get_mut(&series.payer) {
                    family.series.push(handle);
                }
            }
            Event::UsageAccepted(columns) => {
                self.tally.accept(columns);
            }
            Event::UsageAllocated { handle, hour, allocations } => {
                self.tally.allocate(*handle, *hour, allocations.clone());
            }
            Event::ClientTokenUsed { payer, token, parameters, at } => {
                if let Some(family) = self.families.get_mut(payer) {
                    family.client_tokens.remember(*token, *parameters, *at);
                }
            }
            Event::UsageRegistered { program, .. } => {
                if let Some(family) = self.families.get_mut(&program.payer) {
                    family.registrations.remember(program);
                }
            }
        }
    }

    fn change(&mut self, payer: AccountId, change: impl FnOnce(&mut Family)) {
        if let Some(family) = self.families.get_mut(&payer) {
            change(family);
        }
        self.reschedule(payer);
    }

    fn reschedule(&mut self, payer: AccountId) {
        let Some(family) = self.families.get_mut(&payer) else { return };
        let next = due::next(family).map(|item| item.at);
        if next == family.scheduled {
            return;
        }
        if let Some(old) = std::mem::replace(&mut family.scheduled, next) {
            self.agenda.remove(&(old, payer));
        }
        self.agenda.extend(next.map(|at| (at, payer)));
    }
}
