//! Price changes of public offers: new subscribers pay them at once, existing ones after 90 days' notice
//! (A20), and which price an agreement pays in an hour.

use std::fmt;

use chrono::{Days, NaiveDate};

use super::Offer;
use crate::ids::DimensionKey;
use crate::money::UnitPrice;
use crate::rules::NOTICE_DAYS;
use crate::terms::{RateCard, UpfrontRateCard};
use crate::time::timestamp::report_date;
use crate::time::{BillingMonth, TermDuration, Timestamp};

/// A change of some prices of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// When it was published; also the notice to existing subscribers.
    pub notice: Timestamp,
    /// From when existing subscribers pay it.
    pub existing_from: Timestamp,
    /// The changed usage prices.
    pub usage: RateCard,
    /// The changed upfront prices.
    pub upfront: Vec<UpfrontRateCard>,
}

/// When existing subscribers pay a price changed at `notice`: on the first day of the month after the one in
/// which day 90 falls; the day of the notice is day 1 (Q7, E-01).
pub fn existing_from(notice: Timestamp) -> Timestamp {
    let day_90 = notice.date().checked_add_days(Days::new(NOTICE_DAYS - 1)).and_then(Timestamp::from_date);
    day_90.map_or(Timestamp::MAX, |day| BillingMonth::containing(day).end())
}

/// Until which day the instance types of an offer stay as they are: its last annual price change has 90 days of
/// notice, of which its own is the first (A11, Q7).
pub fn types_frozen_until(changes: &[PriceChange]) -> Option<NaiveDate> {
    let annual = changes.iter().rev().find(|change| !change.upfront.is_empty())?;
    annual.notice.date().checked_add_days(Days::new(NOTICE_DAYS))
}

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceSource {
    /// The offer as it was released.
    Offer,
    /// A change, paid at once because the agreement began after its notice.
    ChangeForNew(Timestamp),
    /// A change, paid after its notice period.
    ChangeAfterNotice(Timestamp),
    /// A price cut, paid at once.
    ImmediateCut(Timestamp),
}

impl fmt::Display for PriceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PriceSource::Offer => f.write_str("the offer as released"),
            PriceSource::ChangeForNew(notice) => {
                write!(f, "the price change of {}, made before the agreement began", report_date(*notice))
            }
            PriceSource::ChangeAfterNotice(notice) => {
                write!(f, "the price change of {}, after 90 days' notice", report_date(*notice))
            }
            PriceSource::ImmediateCut(notice) => {
                write!(f, "the price cut of {}, which takes effect at once", report_date(*notice))
            }
        }
    }
}

impl Offer {
    /// The unit price that an agreement which began at `began` pays at `at`: of all changes in force for it,
    /// the one noticed last. A change noticed later overrides an earlier one that is still waiting.
    pub fn usage_price(
        &self,
        key: &DimensionKey,
        began: Timestamp,
        at: Timestamp,
        decreases_immediate: bool,
    ) -> Option<(UnitPrice, PriceSource)> {
        let mut price = *self.terms.usage_based.as_ref()?.rate_card.get(key)?;
        let mut source = PriceSource::Offer;
        for change in &self.price_changes {
            let Some(&changed) = change.usage.get(key) else { continue };
            // Less than what would be paid otherwise: never a rise without notice.
            let cut = decreases_immediate && changed < price;
            let in_force = match (change.notice <= began, cut) {
                (true, _) => Some(PriceSource::ChangeForNew(change.notice)),
                (false, true) if change.notice <= at => Some(PriceSource::ImmediateCut(change.notice)),
                (false, _) if change.existing_from <= at => {
                    Some(PriceSource::ChangeAfterNotice(change.notice))
                }
                (false, _) => None,
            };
            if let Some(reason) = in_force {
                (price, source) = (changed, reason);
            }
        }
        Some((price, source))
    }

    /// The upfront prices for a purchase at `at`; for a renewal, changes count only if they came 90 days
    /// before it.
    pub fn upfront_prices(
        &self,
        duration: TermDuration,
        counts: impl Fn(Timestamp) -> bool,
    ) -> Option<RateCard> {
        let mut prices = self.terms.configurable_upfront.as_ref()?.card(duration)?.prices.clone();
        for change in self.price_changes.iter().filter(|c| counts(c.notice)) {
            let cards = change.upfront.iter().filter(|card| card.duration == duration);
            prices.extend(cards.flat_map(|card| card.prices.clone()));
        }
        Some(prices)
    }

    /// The moments at which the price of an existing agreement may change.
    pub fn price_boundaries(&self) -> impl Iterator<Item = Timestamp> {
        self.price_changes.iter().flat_map(|change| [change.notice, change.existing_from])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap()
    }

    #[test]
    fn e_01_existing_subscribers_pay_a_change_after_ninety_days() {
        for (notice, effective) in [
            ("2025-03-16", "2025-07-01"),
            ("2024-03-16", "2024-07-01"),
            ("2025-01-01", "2025-04-01"),
            ("2025-01-02", "2025-05-01"),
            ("2025-04-02", "2025-07-01"),
            ("2025-04-03", "2025-08-01"),
            ("2025-10-03", "2026-01-01"),
            ("2025-10-04", "2026-02-01"),
            ("2023-12-02", "2024-03-01"),
            ("2024-12-02", "2025-04-01"),
            ("2025-12-31", "2026-04-01"),
        ] {
            assert_eq!(report_date(existing_from(day(notice))), effective, "noticed {notice}");
        }
    }

    #[test]
    fn a11_types_stay_as_they_are_in_the_notice_of_an_annual_price() {
        let change = |notice: &str, annual: bool| PriceChange {
            notice: day(notice),
            existing_from: existing_from(day(notice)),
            usage: RateCard::new(),
            upfront: annual
                .then(|| UpfrontRateCard { duration: TermDuration::Months(12), prices: RateCard::new() })
                .into_iter()
                .collect(),
        };
        for (changes, until) in [
            (vec![], None),
            (vec![change("2025-03-16", false)], None),
            (vec![change("2025-03-16", true)], Some("2025-06-14")),
            (vec![change("2025-03-16", true), change("2025-06-20", true)], Some("2025-09-18")),
            (vec![change("2025-03-16", true), change("2025-04-01", false)], Some("2025-06-14")),
        ] {
            assert_eq!(types_frozen_until(&changes).map(|day| day.to_string()).as_deref(), until);
        }
    }
}
