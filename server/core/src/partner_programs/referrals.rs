//! APN Customer Engagements: who gets referrals of AWS (K4), and by when it gets in touch with them (K5).

use std::collections::BTreeSet;

use chrono::{Datelike, Months, NaiveDate, Weekday};

use crate::rejection::{Code, Rejection};

/// Validated opportunities that are needed.
const OPPORTUNITIES: usize = 10;
/// Months of which they count, up to and with the day on which is asked.
const ROLLING_MONTHS: Months = Months::new(12);
/// Programs that a partner of the Select tier may be in.
const PROGRAMS: u32 = 8;
/// Business days after the referral.
const CONTACT_DAYS: usize = 3;

/// The way on which a partner asks for referrals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// The Select tier.
    Select,
    /// The Advanced tier.
    Advanced,
    /// The Premier tier.
    Premier,
    /// The path of software companies.
    Isv,
}

/// A partner, as far as referrals depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its way.
    pub path: Path,
    /// The day on which is asked.
    pub asked_on: NaiveDate,
    /// The days on which its opportunities were validated.
    pub validated_on: Vec<NaiveDate>,
    /// It is listed in the Solutions Finder.
    pub is_listed: bool,
    /// In how many of the eight programs it is.
    pub programs: u32,
    /// It sends updates of the referrals that it has.
    pub sends_updates: bool,
    /// Of a software company: it is confirmed on its path.
    pub is_confirmed: bool,
}

/// What a partner lacks for referrals, in words; nothing: it gets them.
pub fn lacks(partner: &Partner) -> Result<Vec<String>, Rejection> {
    let Partner { path, asked_on, programs, .. } = *partner;
    if programs > PROGRAMS {
        let message =
            format!("{programs} programs; there are {PROGRAMS} (K4): give in how many the partner is");
        return Err(Rejection::new(Code::FieldInvalid, "programs", message));
    }
    if let Some((index, day)) = partner.validated_on.iter().enumerate().find(|(_, day)| **day > asked_on) {
        let message = format!("{day} lies after {asked_on}, the day on which is asked (K4): leave it out");
        return Err(Rejection::new(Code::FieldInvalid, format!("validatedDates[{index}]"), message));
    }
    let since = asked_on.checked_sub_months(ROLLING_MONTHS).unwrap_or(NaiveDate::MIN);
    let counted = partner.validated_on.iter().filter(|day| since <= **day).count();
    let needs_opportunities = matches!(path, Path::Select | Path::Isv);
    let mut lacks = Vec::new();
    if path == Path::Isv && !partner.is_confirmed {
        lacks.push("a confirmation on the path of software companies (K4)".to_owned());
    }
    if needs_opportunities && counted < OPPORTUNITIES {
        lacks.push(format!(
            "{OPPORTUNITIES} validated opportunities from {since} to {asked_on}: there are {counted} (K4)"
        ));
    }
    if !partner.is_listed {
        lacks.push("a listing in the Solutions Finder (K4)".to_owned());
    }
    if path == Path::Select && programs == 0 {
        lacks.push(format!("one of the {PROGRAMS} programs (K4)"));
    }
    if !partner.sends_updates {
        lacks.push("updates of the referrals that it has (K4)".to_owned());
    }
    Ok(lacks)
}

/// The last day on which a partner gets in touch with who was referred to it: the third business day after. Saturdays,
/// Sundays and holidays are none.
pub fn contact_by(referred_on: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> Result<NaiveDate, Rejection> {
    let is_business =
        |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(day);
    let after = referred_on.iter_days().skip(1).filter(is_business);
    after.take(CONTACT_DAYS).last().ok_or_else(|| {
        let message = format!("{referred_on} has no third business day after it (K5): give another day");
        Rejection::new(Code::FieldInvalid, "referredDate", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
    }

    fn partner(path: Path, validated: &[&str]) -> Partner {
        Partner {
            path,
            asked_on: day("2025-01-15"),
            validated_on: validated.iter().map(|text| day(text)).collect(),
            is_listed: true,
            programs: 1,
            sends_updates: true,
            is_confirmed: false,
        }
    }

    /// Nine in June, and one on a day.
    fn ten(first: &'static str) -> [&'static str; 10] {
        let mut days = ["2024-06-01"; 10];
        days[0] = first;
        days
    }

    #[test]
    fn k_03_who_gets_referrals() {
        let in_year = partner(Path::Select, &ten("2024-01-15"));
        let isv = Partner { programs: 0, ..partner(Path::Isv, &ten("2024-06-01")) };
        for (partner, gets) in [
            (in_year.clone(), true),
            (partner(Path::Select, &ten("2024-01-14")), false),
            (Partner { programs: 0, ..in_year.clone() }, false),
            (Partner { programs: 0, ..partner(Path::Advanced, &[]) }, true),
            (Partner { programs: 0, ..partner(Path::Premier, &[]) }, true),
            (Partner { is_confirmed: true, ..isv.clone() }, true),
            (isv, false),
            (Partner { is_listed: false, ..partner(Path::Premier, &[]) }, false),
            (Partner { sends_updates: false, ..in_year }, false),
            (partner(Path::Isv, &ten("2024-06-01")[1..]), false),
        ] {
            assert_eq!(lacks(&partner).map(|lacks| lacks.is_empty()), Ok(gets), "{partner:?}");
        }
    }

    #[test]
    fn k_03_everything_that_is_lacking_is_told() {
        let bare = Partner {
            is_listed: false,
            programs: 0,
            sends_updates: false,
            ..partner(Path::Select, &["2024-01-14"])
        };
        let expected = [
            "10 validated opportunities from 2024-01-15 to 2025-01-15: there are 0 (K4)",
            "a listing in the Solutions Finder (K4)",
            "one of the 8 programs (K4)",
            "updates of the referrals that it has (K4)",
        ];
        assert_eq!(lacks(&bare).unwrap(), expected);
    }

    #[test]
    fn k_03_what_cannot_be_is_refused() {
        let refused = |partner| lacks(&partner).unwrap_err();
        let many = refused(Partner { programs: 9, ..partner(Path::Select, &[]) });
        assert_eq!((many.code, many.field.as_str()), (Code::FieldInvalid, "programs"));
        let late = refused(partner(Path::Select, &["2024-06-01", "2025-01-16"]));
        assert_eq!((late.code, late.field.as_str()), (Code::FieldInvalid, "validatedDates[1]"));
    }

    #[test]
    fn k_04_contact_is_made_within_three_business_days() {
        for (referred, holidays, last) in [
            ("2025-01-10", &[][..], "2025-01-15"),
            ("2025-01-13", &[], "2025-01-16"),
            ("2025-01-11", &[], "2025-01-15"),
            ("2025-01-10", &["2025-01-14"], "2025-01-16"),
            ("2024-12-31", &["2025-01-01"], "2025-01-06"),
        ] {
            let holidays = holidays.iter().map(|text| day(text)).collect();
            assert_eq!(contact_by(day(referred), &holidays), Ok(day(last)), "{referred}");
        }
        assert_eq!(
            contact_by(NaiveDate::MAX, &BTreeSet::new()).map_err(|r| r.field),
            Err("referredDate".into())
        );
    }
}
