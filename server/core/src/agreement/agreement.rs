//! An agreement and what was bought upfront under it.

use std::collections::BTreeMap;

use crate::ids::{AccountId, AgreementId, DimensionKey, LicenseArn, OfferId, ProductId};
use crate::money::{Currency, Money};
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
    /// At what price a unit.
    pub unit_prices: RateCard,
    /// The currency of the prices.
    pub currency: Currency,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end; not part of it.
    pub end: Timestamp,
    /// Renews itself at its end.
    pub auto_renew: bool,
}

impl UpfrontPurchase {
    /// What it costs: the sum of its lines, each rounded.
    pub fn value(&self) -> Result<Money, Broken> {
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

    /// Whether it covers a moment.
    pub fn covers(&self, moment: Timestamp) -> bool {
        self.start <= moment && self.end().is_none_or(|end| moment < end)
    }

    /// What was agreed to be paid, without usage: the class of the listing fee (Q9).
    pub fn contract_value(&self) -> Result<Money, Broken> {
        self.purchases.iter().try_fold(Money::zero(Currency::Usd), |sum, p| Ok(sum.plus(p.value()?)))
    }
}
