//! A sandbox in one partition: what is published, and the families and the tally that live here.

use std::sync::Arc;

use super::{Event, due};
use crate::agreement::{Agreement, Family, UpfrontPurchase};
use crate::catalog::{Change, Marketplace};
use crate::cow_map::CowMap;
use crate::ids::{AccountId, AgreementId, LicenseArn};
use crate::invoicing::payment::Payment;
use crate::metering::request::LicenceEntry;
use crate::metering::taken_hours::TakenHours;
use crate::metering::told::Told;
use crate::metering::{Outcomes, Tally, UsageColumns};
use crate::rating::MonthSums;
use crate::time::{BillingMonth, Timestamp};

/// A sandbox's state in one partition.
#[derive(Debug, Clone)]
pub struct Sandbox {
    market: Arc<Marketplace>,
    families: CowMap<AccountId, Arc<Family>>,
    /// Which family holds an agreement.
    payers: CowMap<AgreementId, AccountId>,
    /// When something becomes due in a family: derived from the families, kept for finding the earliest.
    agenda: CowMap<(Timestamp, AccountId), ()>,
    tally: Tally,
    /// Derived from the agreements, kept for the way of a record.
    taken_hours: TakenHours,
    /// Derived from the tally while a month closes, for all families that close it.
    closing: Option<MonthSums>,
}

impl Sandbox {
    /// A sandbox without families.
    pub fn new(market: Marketplace) -> Sandbox {
        Sandbox {
            market: Arc::new(market),
            families: CowMap::default(),
            payers: CowMap::default(),
            agenda: CowMap::default(),
            tally: Tally::default(),
            taken_hours: TakenHours::default(),
            closing: None,
        }
    }

    /// What is published.
    pub fn market(&self) -> &Marketplace {
        &self.market
    }

    /// The same for reading, made at the cost of some pointers: a long read or a snapshot works on it while this
    /// one goes on.
    pub fn reading_copy(&self) -> Sandbox {
        Sandbox {
            market: self.market.clone(),
            families: self.families.clone(),
            payers: self.payers.clone(),
            agenda: self.agenda.clone(),
            tally: self.tally.reading_copy(),
            taken_hours: TakenHours::default(),
            closing: None,
        }
    }

    /// The families by payer.
    pub fn families(&self) -> &CowMap<AccountId, Arc<Family>> {
        &self.families
    }

    /// The family of a payer, if it has an agreement.
    pub fn family(&self, payer: AccountId) -> Option<&Family> {
        self.families.get(&payer).map(Arc::as_ref)
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
        self.agenda.first().filter(|((at, _), ())| *at <= now).map(|((_, payer), ())| *payer)
    }

    /// The families in which something is due at or before `now`, in the order in which it is.
    pub fn all_due(&self, now: Timestamp) -> impl Iterator<Item = &Family> {
        let due = self.agenda.keys().take_while(move |(at, _)| *at <= now);
        due.filter_map(|(_, payer)| self.family(*payer))
    }

    /// The sums of the month that closes, if some were kept since its hours last changed.
    pub fn take_closing(&mut self) -> Option<MonthSums> {
        self.closing.take()
    }

    /// Keeps the sums of a month that closes for the families that close it next.
    pub fn keep_closing(&mut self, sums: Option<MonthSums>) {
        self.closing = sums;
    }

    /// Takes usage; see [`Tally::accept`].
    pub fn accept_usage(&mut self, columns: &UsageColumns) -> Outcomes {
        if self.closing.as_ref().is_some_and(|sums| sums.are_changed_by(columns)) {
            self.closing = None;
        }
        self.tally.accept(columns)
    }

    /// Adds usage to what was metered; see [`Tally::add`].
    pub fn add_usage(&mut self, columns: &UsageColumns) -> bool {
        if self.closing.as_ref().is_some_and(|sums| sums.are_changed_by(columns)) {
            self.closing = None;
        }
        self.tally.add(columns)
    }

    /// The runs and inferences that were told of open months, to remember more of them.
    pub fn told_mut(&mut self) -> &mut Told {
        self.tally.told_mut()
    }

    /// The tally, to move whole months in and out.
    pub fn tally_mut(&mut self) -> &mut Tally {
        self.closing = None;
        &mut self.tally
    }

    /// Between which hours the records of series are known to be taken.
    pub fn taken_hours(&mut self) -> &mut TakenHours {
        &mut self.taken_hours
    }

    /// Applies a change of what is published.
    pub fn apply_change(&mut self, change: &Change) {
        Arc::make_mut(&mut self.market).apply(change);
    }

    /// Applies an event; it may not fail.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::AgreementAccepted(agreement) => {
                let month = BillingMonth::containing(agreement.accepted_at);
                let payer = agreement.payer;
                if !self.families.contains_key(&payer) {
                    self.families.insert(payer, Arc::new(Family::new(payer, month)));
                }
                self.payers.insert(agreement.id.clone(), payer);
                let mut agreement = agreement.clone();
                agreement.purchases.iter_mut().for_each(|purchase| self.share_dimensions(purchase));
                self.change(payer, |family| family.add_agreement(agreement));
                self.forget_taken_hours(payer);
            }
            Event::UpfrontPurchased { payer, agreement, purchase, renews } => {
                let mut purchase = purchase.clone();
                self.share_dimensions(&mut purchase);
                self.change(*payer, |family| family.add_purchase(agreement, purchase, *renews));
            }
            Event::UpfrontAmended { payer, agreement, amended, purchase } => {
                self.change(*payer, |family| family.amend_purchase(agreement, *amended, purchase.clone()));
            }
            Event::UpfrontRefunded { payer, agreement, number, at } => {
                self.change(*payer, |family| family.refund_purchase(agreement, *number, *at));
            }
            Event::AgreementEnded { payer, agreement, status, at } => {
                self.change(*payer, |family| family.end_agreement(agreement, *status, *at));
                self.forget_taken_hours(*payer);
            }
            Event::InstalmentSettled { payer, agreement, number, state } => {
                self.change(*payer, |family| family.settle_instalment(agreement, *number, *state));
            }
            Event::InvoiceIssued(invoice) => {
                // Nothing becomes due earlier or later by it.
                if let Some(family) = self.family_mut(invoice.payer) {
                    family.add_invoice(invoice.clone());
                }
            }
            Event::InvoicePaid { payer, invoice, amount, at } => {
                if let Some(family) = self.family_mut(*payer) {
                    family.add_payment(invoice.clone(), Payment { at: *at, amount: *amount });
                }
            }
            Event::MonthClosed { payer, month } => {
                self.change(*payer, |family| family.open_month = month.next());
                self.forget_told(*payer, *month);
            }
            Event::Demonstrated { payer, demonstration } => {
                if let Some(family) = self.family_mut(*payer) {
                    family.demonstrations.push(demonstration.clone());
                }
            }
            Event::SeriesOpened(series) => {
                let handle = self.tally.open(series.clone());
                if let Some(family) = self.family_mut(series.payer) {
                    family.series.push(handle);
                }
            }
            Event::UsageAccepted(columns) => {
                self.accept_usage(columns);
            }
            Event::UsageAdded(columns) => {
                self.add_usage(columns);
            }
            Event::RunsTold(runs) => {
                runs.iter().for_each(|&(handle, run)| self.told_mut().remember(handle, run));
            }
            Event::InferencesTold(calls) => {
                for &(handle, name, call) in calls {
                    self.told_mut().remember_inference(handle, name, call);
                }
            }
            Event::UsageAllocated { handle, hour, allocations } => {
                self.tally.allocate(*handle, *hour, allocations.clone());
            }
            Event::ClientTokenUsed { payer, token, parameters, at } => {
                if let Some(family) = self.family_mut(*payer) {
                    family.client_tokens.remember(*token, *parameters, *at);
                }
            }
            Event::UsageRegistered { program, .. } => {
                if let Some(family) = self.family_mut(program.payer) {
                    family.registrations.remember(program);
                }
            }
        }
    }

    /// Nothing more is taken of a month that is closed.
    fn forget_told(&mut self, payer: AccountId, month: BillingMonth) {
        if self.tally.told().is_empty() {
            return;
        }
        let Some(family) = self.families.get(&payer) else { return };
        for handle in &family.series {
            self.tally.told_mut().forget(*handle, month.end());
        }
    }

    /// What was bought has its dimensions' texts in common with what is metered.
    fn share_dimensions(&mut self, purchase: &mut UpfrontPurchase) {
        let names = self.tally.names_mut();
        let quantities = std::mem::take(&mut purchase.quantities).into_iter();
        purchase.quantities = quantities.map(|(key, units)| (names.dimension(key), units)).collect();
        let prices = std::mem::take(&mut purchase.unit_prices).into_iter();
        purchase.unit_prices = prices.map(|(key, price)| (names.dimension(key), price)).collect();
    }

    fn family_mut(&mut self, payer: AccountId) -> Option<&mut Family> {
        self.families.get_mut(&payer).map(Arc::make_mut)
    }

    fn change(&mut self, payer: AccountId, change: impl FnOnce(&mut Family)) {
        if let Some(family) = self.family_mut(payer) {
            change(family);
        }
        self.reschedule(payer);
    }

    fn forget_taken_hours(&mut self, payer: AccountId) {
        let Some(family) = self.families.get(&payer) else { return };
        for handle in &family.series {
            self.taken_hours.forget(*handle);
        }
    }

    fn reschedule(&mut self, payer: AccountId) {
        let Some(family) = self.families.get(&payer) else { return };
        let next = due::next(family).map(|item| item.at);
        if next == family.scheduled {
            return;
        }
        let Some(family) = self.family_mut(payer) else { return };
        if let Some(old) = std::mem::replace(&mut family.scheduled, next) {
            self.agenda.remove(&(old, payer));
        }
        if let Some(at) = next {
            self.agenda.insert((at, payer), ());
        }
    }
}
