//! PaymentScheduleTerm: a private contract that is paid in instalments (B6).

use chrono::NaiveDate;

use super::OfferContext;
use crate::money::{Currency, Money, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;
use crate::time::timestamp::report_date;

/// What is paid when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentSchedule {
    /// The currency of the amounts.
    pub currency: Currency,
    /// The instalments in the order of their dates.
    pub payments: Vec<ScheduledPayment>,
}

/// One instalment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledPayment {
    /// Invoiced at 00:00 UTC of this day; on acceptance, when that comes later.
    pub charge_date: NaiveDate,
    /// How much.
    pub amount: UnitPrice,
}

impl ScheduledPayment {
    /// When it is invoiced of an agreement accepted then (C-13).
    pub fn due(&self, accepted_at: Timestamp) -> Timestamp {
        Timestamp::from_date(self.charge_date).map_or(accepted_at, |date| date.max(accepted_at))
    }
}

impl PaymentSchedule {
    /// The sum of the instalments.
    pub fn total(&self) -> Money {
        let amounts = self.payments.iter().map(|payment| payment.amount.once(self.currency));
        amounts.fold(Money::zero(self.currency), Money::plus)
    }

    /// What the offer alone can say of it: instalments of a fixed upfront price on a private offer, in order of
    /// their dates, of which only one may lie before the last day to accept (C-14).
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let Some(upfront) = &offer.terms.fixed_upfront else {
            let message = "instalments pay a fixed upfront price (B6): add fixedUpfrontPricing";
            return Err(refuse(Code::TermMissing, "", message.to_owned()));
        };
        let most = offer.rules.max_instalments as usize;
        match self.payments.len() {
            0 => {
                let message = "name at least one payment (B6)".to_owned();
                return Err(refuse(Code::PaymentScheduleInvalid, ".schedule", message));
            }
            count if count > most => {
                let message = format!("{count} payments; at most {most} are allowed (B6): join some");
                return Err(refuse(Code::PaymentScheduleInvalid, ".schedule", message));
            }
            _ => {}
        }
        for (index, payment) in self.payments.iter().enumerate() {
            if payment.amount.is_zero() || !payment.amount.is_payable(self.currency) {
                let message = format!(
                    "{} is no amount to pay (B6): give one above 0 with at most {} decimals",
                    payment.amount,
                    self.currency.minor_digits()
                );
                return Err(refuse(
                    Code::PaymentScheduleInvalid,
                    &format!(".schedule[{index}].chargeAmount"),
                    message,
                ));
            }
        }
        if let Some(index) = self.payments.windows(2).position(|w| w[1].charge_date <= w[0].charge_date) {
            let (before, after) = (self.payments[index].charge_date, self.payments[index + 1].charge_date);
            let message =
                format!("{after} does not come after {before} (B6): order the payments by date, one a day");
            return Err(refuse(
                Code::PaymentScheduleInvalid,
                &format!(".schedule[{}].chargeDate", index + 1),
                message,
            ));
        }
        if let (Some(second), Some(end)) = (self.payments.get(1), offer.expires_at)
            && Timestamp::from_date(second.charge_date).is_some_and(|due| due < end)
        {
            let message = format!(
                "{} is the second date on or before the last day to accept: only the first payment may come due \
                 before the acceptance (B6)",
                second.charge_date
            );
            return Err(refuse(Code::PaymentScheduleInvalid, ".schedule[1].chargeDate", message));
        }
        let price = upfront.price.once(upfront.currency);
        if self.currency != upfront.currency || self.total() != price {
            let message = format!(
                "the payments sum to {} {}, the fixed upfront price is {price} {} (B6): make them the same",
                self.total(),
                self.currency,
                upfront.currency
            );
            return Err(refuse(Code::PaymentScheduleInvalid, ".schedule", message));
        }
        Ok(())
    }

    /// What only the acceptance decides: every date lies inside the agreement (C-14).
    pub fn check_accepted(&self, accepted_at: Timestamp, end: Timestamp) -> Result<(), Rejection> {
        let late = self.payments.iter().enumerate().find(|(_, payment)| payment.due(accepted_at) >= end);
        match late {
            None => Ok(()),
            Some((index, payment)) => {
                let message = format!(
                    "payment {} of {} comes after the agreement's end at {}: every date must lie inside it (B6)",
                    index + 1,
                    payment.charge_date,
                    report_date(end)
                );
                Err(Rejection::new(Code::PaymentScheduleInvalid, "offerId", message))
            }
        }
    }
}

fn refuse(code: Code, field: &str, message: String) -> Rejection {
    Rejection::new(code, format!("paymentSchedule{field}"), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(dates: &[&str]) -> PaymentSchedule {
        let payment = |date: &&str| ScheduledPayment {
            charge_date: date.parse().unwrap(),
            amount: UnitPrice::from_scaled(1_000_000_000_000).unwrap(),
        };
        PaymentSchedule { currency: Currency::Usd, payments: dates.iter().map(payment).collect() }
    }

    /// C-13, and its like with a first date before the acceptance.
    #[test]
    fn c_13_an_instalment_is_invoiced_at_midnight_of_its_date_or_on_acceptance() {
        let schedule = schedule(&["2025-02-01", "2025-06-01", "2025-10-01"]);
        let due = |accepted: &str| {
            let accepted = Timestamp::parse(accepted).unwrap();
            schedule.payments.iter().map(|payment| payment.due(accepted).to_string()).collect::<Vec<_>>()
        };
        let later = ["2025-06-01T00:00:00Z", "2025-10-01T00:00:00Z"];
        assert_eq!(due("2025-01-20T09:00:00Z"), [&["2025-02-01T00:00:00Z"][..], &later].concat());
        assert_eq!(due("2025-02-10T09:00:00Z"), [&["2025-02-10T09:00:00Z"][..], &later].concat());
    }

    #[test]
    fn c_14_a_date_after_the_end_is_refused_on_acceptance() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let schedule = schedule(&["2025-02-01", "2025-06-01"]);
        assert!(schedule.check_accepted(at("2025-01-20T00:00:00Z"), at("2025-06-01T00:00:01Z")).is_ok());
        let refused = schedule.check_accepted(at("2025-01-20T00:00:00Z"), at("2025-06-01T00:00:00Z"));
        assert_eq!(refused.map_err(|r| r.code), Err(Code::PaymentScheduleInvalid));
    }
}
