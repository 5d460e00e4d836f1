//! RenewalTerm: buyers may let upfront purchases renew themselves, and at what price.

use chrono::Days;

use super::OfferContext;
use crate::money::{Rate, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::rules::NOTICE_DAYS;
use crate::time::Timestamp;

/// Its presence lets a buyer switch on auto-renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Renewal {
    /// On private offers: by how much the price rises with each renewal (E4).
    pub uplift: Option<Uplift>,
}

/// By how much a price rises with each renewal, on top of the risen price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uplift {
    /// What is added, of the price before.
    pub percent: Rate,
    /// Between which shares the seller may choose another one; none when it is fixed.
    pub range: Option<UpliftRange>,
}

/// The least and the most that a price rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpliftRange {
    /// The least.
    pub least: Rate,
    /// The most.
    pub most: Rate,
}

/// 100 %.
const MAX_UPLIFT: Rate = Rate::from_hundredths_of_percent(10_000);

impl Renewal {
    /// Auto-renewal is for what is bought upfront. On private offers the rules must know it (E4), and it says by how
    /// much the price rises; on public ones the offer's own prices hold (A10).
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let refuse = |field: &str, message: &str| {
            Err(Rejection::new(Code::TermNotAllowed, format!("renewal{field}"), message))
        };
        if offer.kind().is_none() {
            return refuse("", "auto-renewal is for upfront purchases: leave the renewal term out");
        }
        if offer.terms.fixed_upfront.as_ref().is_some_and(|fixed| fixed.prepays_use(offer.product)) {
            return refuse(
                "",
                "after a contract on a machine learning product use goes on by the hour (B21): leave the renewal term out",
            );
        }
        if !offer.private {
            return match self.uplift {
                None => Ok(()),
                Some(_) => refuse(
                    ".priceIncrease",
                    "a public offer renews at its own prices (A10): leave the increase out",
                ),
            };
        }
        if !offer.rules.private_auto_renewal {
            return refuse(
                "",
                "private offers renew by another private offer (E4): leave the renewal term out, or set the rule \
                 privateAutoRenewal (profile 2026)",
            );
        }
        if offer.terms.payment_schedule.is_some() {
            return refuse(
                "",
                "what is paid in instalments does not renew itself (E4): leave the renewal term out",
            );
        }
        if offer.terms.validity.is_some() {
            return refuse(
                "",
                "an agreement with dates or days of its own ends with them (E3): leave the renewal term out",
            );
        }
        match self.uplift {
            None => Ok(()),
            Some(uplift) => uplift.check(),
        }
    }
}

impl Uplift {
    fn check(self) -> Result<(), Rejection> {
        let refuse = |field: &str, message: String| {
            Err(Rejection::new(Code::FieldInvalid, format!("renewal.priceIncrease.{field}"), message))
        };
        if self.percent > MAX_UPLIFT {
            return refuse(
                "fixedPercentage",
                format!("{} is too much: an uplift is 0 to 100 % (E4)", self.percent),
            );
        }
        match self.range {
            Some(UpliftRange { least, most }) if most > MAX_UPLIFT || least > most => {
                refuse("percentageRange", format!("{least} to {most} is no range of 0 to 100 % (E4)"))
            }
            Some(UpliftRange { least, most }) if self.percent < least || self.percent > most => refuse(
                "percentageRange.default",
                format!("{} lies outside its range of {least} to {most} (E4)", self.percent),
            ),
            _ => Ok(()),
        }
    }

    /// The price of the next term (C-18): rounded half up to the three decimals that upfront prices have.
    pub fn raised(self, price: UnitPrice) -> UnitPrice {
        price.raised(self.percent)
    }
}

/// A renewal takes a changed price only if it was changed 90 days or more before the renewal (A10, E-05).
pub fn renewal_takes(changed: Timestamp, renewal: Timestamp) -> bool {
    let first_day = changed.date().checked_add_days(Days::new(NOTICE_DAYS));
    first_day.is_some_and(|day| day <= renewal.date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::PriceDecimals;

    #[test]
    fn e_05_a_renewal_takes_a_price_changed_ninety_days_before_it() {
        let renewal = Timestamp::parse("2025-12-31T00:00:00Z").unwrap();
        for (changed, takes) in [("2025-10-02T09:00:00Z", true), ("2025-10-03T00:00:00Z", false)] {
            assert_eq!(renewal_takes(Timestamp::parse(changed).unwrap(), renewal), takes, "{changed}");
        }
    }

    #[test]
    fn c_18_an_uplift_compounds() {
        let uplift = Uplift { percent: Rate::from_hundredths_of_percent(1_000), range: None };
        let first = uplift.raised(UnitPrice::parse("100.00", PriceDecimals::Upfront).unwrap());
        assert_eq!((first.to_string(), uplift.raised(first).to_string()), ("110.00".into(), "121.00".into()));
        let odd = Uplift { percent: Rate::from_hundredths_of_percent(333), range: None };
        let price = UnitPrice::parse("0.015", PriceDecimals::Upfront).unwrap();
        assert_eq!(odd.raised(price).to_string(), "0.015", "0.0154995 has more decimals than prices have");
    }

    #[test]
    fn an_uplift_lies_in_its_range_and_below_a_hundred_percent() {
        let percent = Rate::from_hundredths_of_percent;
        let uplift = |of, range: Option<(u32, u32)>| Uplift {
            percent: percent(of),
            range: range.map(|(least, most)| UpliftRange { least: percent(least), most: percent(most) }),
        };
        for (uplift, ok) in [
            (uplift(0, None), true),
            (uplift(10_000, None), true),
            (uplift(10_001, None), false),
            (uplift(500, Some((300, 700))), true),
            (uplift(200, Some((300, 700))), false),
            (uplift(800, Some((300, 700))), false),
            (uplift(500, Some((700, 300))), false),
            (uplift(500, Some((0, 10_001))), false),
        ] {
            assert_eq!(uplift.check().is_ok(), ok, "{uplift:?}");
        }
    }
}
