//! ValidityTerm: how long an agreement on a private offer lasts: from its acceptance (B14), or on dates that the
//! offer names (E3).

use chrono::{Days, NaiveDate};

use super::{OfferContext, UpfrontKind};
use crate::catalog::offer::is_server_product;
use crate::rejection::{Code, Rejection};
use crate::time::{TermDuration, Timestamp};

/// Years ahead that an agreement may begin (E3).
const MAX_YEARS_AHEAD: u32 = 3;

/// The life of a private agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// So long from its acceptance.
    Lasting(TermDuration),
    /// A future-dated agreement: from the beginning of one day to the end of another.
    Dated(ValidityDates),
}

/// The first and the last day of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityDates {
    /// It begins at 00:00:00.000 UTC.
    pub first_day: NaiveDate,
    /// It ends at 23:59:59.999 UTC.
    pub last_day: NaiveDate,
}

impl ValidityDates {
    /// The first moment, and the end; not part of it.
    pub fn period(self) -> (Timestamp, Timestamp) {
        let at = |date| Timestamp::from_date(date).unwrap_or(Timestamp::MAX);
        (at(self.first_day), at(self.last_day).next_midnight().plus_micros(-1_000))
    }
}

impl Validity {
    /// The dates, if it names some.
    pub fn dates(self) -> Option<ValidityDates> {
        match self {
            Validity::Lasting(_) => None,
            Validity::Dated(dates) => Some(dates),
        }
    }

    /// The end of an agreement accepted then.
    pub fn end(self, accepted_at: Timestamp) -> Timestamp {
        match self {
            Validity::Lasting(duration) => duration.after(accepted_at),
            Validity::Dated(dates) => dates.period().1,
        }
    }

    /// Private usage offers have a duration; contracts at most dates, which only contracts of SaaS products have;
    /// public offers have no end.
    pub fn check(self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let contract = offer.kind() == Some(UpfrontKind::Contract) || offer.terms.fixed_upfront.is_some();
        if !offer.private || (contract && self.dates().is_none()) {
            let message = "only private usage offers have a duration: contracts last as long as the duration bought \
                           or name their dates, public offers have no end";
            return Err(Rejection::new(Code::TermNotAllowed, "validity", message));
        }
        match self {
            Validity::Lasting(duration) => check_duration(duration, offer),
            Validity::Dated(dates) => check_dates(dates, offer),
        }
    }
}

/// Days and months have their limits; a usage offer of an AMI or container product ends within 1,095 days however
/// it is said (B11).
fn check_duration(duration: TermDuration, offer: &OfferContext<'_>) -> Result<(), Rejection> {
    let (max_days, max_months) =
        (offer.rules.max_private_usage_days, offer.rules.max_private_contract_months);
    let server = is_server_product(offer.product.product_type);
    let (ok, longest) = match duration {
        TermDuration::Months(_) if server => {
            let end = offer.released_at.plus_days(max_days);
            (duration.after(offer.released_at) <= end, format!("P{max_days}D"))
        }
        TermDuration::Days(days) => (days <= max_days, format!("P{max_days}D")),
        TermDuration::Months(months) => (months <= max_months, format!("P{max_days}D or P{max_months}M")),
    };
    match ok {
        true => Ok(()),
        false => {
            let message =
                format!("{duration} is too long: at most {longest} ({})", if server { "B11" } else { "B10" });
            Err(Rejection::new(Code::DurationNotAllowed, "validity.agreementDuration", message))
        }
    }
}

/// A future-dated agreement is a SaaS contract, begins within three years, and is no longer than other contracts.
fn check_dates(dates: ValidityDates, offer: &OfferContext<'_>) -> Result<(), Rejection> {
    let refuse =
        |code, field: &str, message: String| Err(Rejection::new(code, format!("validity.{field}"), message));
    if offer.kind() != Some(UpfrontKind::Contract) || is_server_product(offer.product.product_type) {
        let message = "only SaaS contracts, with or without consumption, name the dates of their agreement (E3): \
                       give agreementDuration";
        return refuse(Code::TermNotAllowed, "agreementStartDate", message.to_owned());
    }
    let ValidityDates { first_day, last_day } = dates;
    let (start, end) = dates.period();
    if last_day < first_day {
        let message = format!("{last_day} lies before the first day {first_day} (E3): exchange them");
        return refuse(Code::DurationNotAllowed, "agreementEndDate", message);
    }
    if start < offer.released_at {
        let message = format!(
            "{first_day} begins before now, {}: agreements begin in the future (E3)",
            offer.released_at
        );
        return refuse(Code::DurationNotAllowed, "agreementStartDate", message);
    }
    if start > offer.released_at.plus_months(MAX_YEARS_AHEAD * 12) {
        let message = format!("{first_day} is more than {MAX_YEARS_AHEAD} years ahead (E3): begin earlier");
        return refuse(Code::DurationNotAllowed, "agreementStartDate", message);
    }
    let months = offer.rules.max_private_contract_months;
    if end > start.plus_months(months) {
        let message = format!("{last_day} is more than {months} months after {first_day} (B10): end earlier");
        return refuse(Code::DurationNotAllowed, "agreementEndDate", message);
    }
    if let Some(expires) = offer.expires_at.filter(|expires| *expires > start) {
        let message = format!(
            "the agreement begins on {first_day} and could be accepted until {expires} (E3): let the last day to accept \
             be {} or earlier",
            first_day.checked_sub_days(Days::new(1)).unwrap_or(first_day)
        );
        return refuse(Code::DurationNotAllowed, "agreementStartDate", message);
    }
    Ok(())
}
