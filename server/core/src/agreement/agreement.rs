//! An agreement and what was bought upfront under it.

use std::collections::BTreeMap;

use crate::catalog::{Offer, Side};
use crate::ids::{AccountId, AgreementId, DimensionKey, LicenseArn, OfferId, ProductId};
use crate::money::{Currency, Money, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::terms::{RateCard, UpfrontKind};
use crate::time::{TermDuration, Timestamp};

/// Where an agreement stands, in the words of the Agreement API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementStatus {
    /// Live.
    Active,
    /// The buyer ended it early.
    Cancelled,
    /// It reached its end.
    Expired,
    /// It renewed itself into a new agreement.
    Renewed,
    /// Another agreement took its place.
    Replaced,
}

/// How an agreement came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The buyer accepted the offer.
    Accepted,
    /// An agreement renewed itself.
    Renewed,
    /// A private agreement ended and usage fell back to the public offer.
    FellBack,
}

/// What became of an instalment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstalmentState {
    /// It comes due.
    Pending,
    /// It was invoiced.
    Invoiced,
    /// Its agreement ended or was replaced before.
    Cancelled,
}

/// A payment of a payment schedule (B6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment {
    /// When it is invoiced.
    pub due: Timestamp,
    /// How much.
    pub amount: UnitPrice,
    /// What became of it.
    pub state: InstalmentState,
}

/// An upfront purchase: annual cover or a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpfrontPurchase {
    /// Its number under the agreement, from 1.
    pub number: u32,
    /// What it buys.
    pub kind: UpfrontKind,
    /// For how long.
    pub duration: TermDuration,
    /// How many of what.
    pub quantities: BTreeMap<DimensionKey, u64>,
    /// At what price a unit; nothing where there is one price for everything.
    pub unit_prices: RateCard,
    /// One price for everything.
    pub fixed_price: Option<UnitPrice>,
    /// Its price is paid by the agreement's instalments.
    pub in_instalments: bool,
    /// The currency of the prices.
    pub currency: Currency,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end; not part of it.
    pub end: Timestamp,
    /// Renews itself at its end.
    pub auto_renew: bool,
    /// When an amendment put another purchase in its place, or its buyer gave it back.
    pub ended_early_at: Option<Timestamp>,
    /// The number of the purchase whose place it took by an amendment.
    pub amends: Option<u32>,
    /// Of a purchase that took another's place: what it added to the agreement's value.
    pub added_value: Option<Money>,
    /// Of what a reseller sells: what it owes the manufacturer of it (J1), the sum of lines that are rounded each.
    pub wholesale: Option<Money>,
}

impl UpfrontPurchase {
    /// Its end, not part of it: when it was amended or given back, that.
    pub fn until(&self) -> Timestamp {
        self.ended_early_at.unwrap_or(self.end)
    }

    /// Whether it pays for whatever is used while it lasts, after which usage goes on at its price (B21).
    pub fn prepays_use(&self) -> bool {
        self.kind == UpfrontKind::Contract && self.fixed_price.is_some() && self.quantities.is_empty()
    }

    /// Whether it is a contract that is tried for free: public offers have no other price for everything.
    pub fn is_trial(&self, offer: &Offer) -> bool {
        self.kind == UpfrontKind::Contract && self.fixed_price.is_some() && !offer.is_private()
    }

    /// What it adds to the agreement's value: the sum of its lines, each rounded.
    pub fn value(&self) -> Result<Money, Broken> {
        if let Some(added) = self.added_value {
            return Ok(added);
        }
        if let Some(price) = self.fixed_price {
            return Ok(price.times(QuantitySum::whole(1), self.currency).round());
        }
        self.quantities.iter().try_fold(Money::zero(self.currency), |sum, (key, &units)| {
            let price = self.unit_prices.get(key);
            let price =
                price.ok_or_else(|| Broken(format!("purchase {} of \"{key}\" has no price", self.number)))?;
            Ok(sum.plus(price.times(QuantitySum::whole(units), self.currency).round()))
        })
    }
}

/// An accepted offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Its number in the payer's family, from 1.
    pub number: u32,
    /// The first agreement of its chain.
    pub initial_id: AgreementId,
    /// The licence of its chain.
    pub licence: LicenseArn,
    /// Who accepted.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// Who sells.
    pub seller: AccountId,
    /// The product.
    pub product: ProductId,
    /// The offer.
    pub offer: OfferId,
    /// How it came about.
    pub origin: Origin,
    /// When it was accepted: of a renewal or a fall-back, when it began.
    pub accepted_at: Timestamp,
    /// Its first moment.
    pub start: Timestamp,
    /// Its planned end, not part of it; none while it has none.
    pub planned_end: Option<Timestamp>,
    /// Where it stands.
    pub status: AgreementStatus,
    /// When it ended; none while it is live.
    pub ended_at: Option<Timestamp>,
    /// What was bought upfront, oldest first.
    pub purchases: Vec<UpfrontPurchase>,
    /// What of it is paid in instalments, in the order of their dates.
    pub instalments: Vec<Instalment>,
}

impl Agreement {
    /// Live, as far as its status says.
    pub fn is_active(&self) -> bool {
        self.status == AgreementStatus::Active
    }

    /// Its end, as far as it is known.
    pub fn end(&self) -> Option<Timestamp> {
        self.ended_at.or(self.planned_end)
    }

    /// The purchase that is in force or comes into force, of a contract: the one that no amendment replaced.
    pub fn contract(&self) -> Option<&UpfrontPurchase> {
        let contracts = self.purchases.iter().rev().filter(|p| p.kind == UpfrontKind::Contract);
        contracts.into_iter().find(|p| p.ended_early_at.is_none())
    }

    /// Whether whatever is used at a moment was paid for upfront (B21).
    pub fn is_prepaid(&self, at: Timestamp) -> bool {
        self.purchases.iter().any(|p| p.prepays_use() && p.start <= at && at < p.until())
    }

    /// The purchase that the whole agreement lasts as long as: a contract, or what one price buys.
    pub fn main_purchase(&self) -> Option<&UpfrontPurchase> {
        self.contract().or_else(|| self.purchases.iter().find(|purchase| purchase.fixed_price.is_some()))
    }

    /// Whether another purchase took its place.
    pub fn is_amended(&self, purchase: &UpfrontPurchase) -> bool {
        self.purchases.iter().any(|other| other.amends == Some(purchase.number))
    }

    /// The purchase that amendments made this one of; itself when it amends none.
    pub fn first_of<'a>(&'a self, purchase: &'a UpfrontPurchase) -> &'a UpfrontPurchase {
        let amended = purchase.amends.filter(|amended| *amended < purchase.number);
        let amended = amended.and_then(|number| self.purchases.iter().find(|old| old.number == number));
        amended.map_or(purchase, |old| self.first_of(old))
    }

    /// The first moment of the term that a purchase is of: its own, but that of what it amends.
    pub fn term_start(&self, purchase: &UpfrontPurchase) -> Timestamp {
        self.first_of(purchase).start
    }

    /// When a purchase was made: at its first moment, but for that of a future-dated agreement.
    pub fn bought_at(&self, purchase: &UpfrontPurchase) -> Timestamp {
        match purchase.start == self.start && purchase.amends.is_none() {
            true => self.accepted_at,
            false => purchase.start,
        }
    }

    /// The instalments that come due, with their numbers from 1.
    pub fn pending_instalments(&self) -> impl Iterator<Item = (u32, &Instalment)> {
        (1..).zip(&self.instalments).filter(|(_, instalment)| instalment.state == InstalmentState::Pending)
    }

    /// Whether it covers a moment.
    pub fn covers(&self, moment: Timestamp) -> bool {
        self.start <= moment && self.end().is_none_or(|end| moment < end)
    }

    /// What a reseller agreed to pay the manufacturer, without usage (J1): the class of the listing fee.
    pub fn wholesale_value(&self) -> Money {
        let currency = self.purchases.first().map_or(Currency::Usd, |purchase| purchase.currency);
        let parts = self.purchases.iter().filter_map(|purchase| purchase.wholesale);
        parts.fold(Money::zero(currency), Money::plus)
    }

    /// What was agreed to be paid to a seller, without usage and monthly fees: by the buyer, or by a reseller.
    pub fn value_on(&self, side: Side) -> Result<Money, Broken> {
        match side {
            Side::Seller => self.contract_value(),
            Side::Manufacturer { .. } => Ok(self.wholesale_value()),
        }
    }

    /// What was agreed to be paid, without usage and monthly fees: the class of the listing fee (Q9).
    pub fn contract_value(&self) -> Result<Money, Broken> {
        let currency = self.purchases.first().map_or(Currency::Usd, |purchase| purchase.currency);
        let mut bought = self.purchases.iter().filter(|purchase| purchase.kind != UpfrontKind::Monthly);
        bought.try_fold(Money::zero(currency), |sum, p| Ok(sum.plus(p.value()?)))
    }
}
