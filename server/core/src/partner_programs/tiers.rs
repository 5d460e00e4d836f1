//! Tiers of the AWS Partner Network (K3): people who are accredited, the months in which everything is met, and the day
//! from which the requirements of 2019 hold for who was a partner before.

use chrono::NaiveDate;

/// People with a business accreditation that a consulting partner of the Select tier has.
const SELECT_BUSINESS: u32 = 2;
/// People with a technical one.
const SELECT_TECHNICAL: u32 = 2;
/// Months in which a partner has met everything before it applies for the Premier tier.
const PREMIER_MONTHS: u32 = 6;
/// The day by which partners of before were reviewed.
const REVIEWED_BY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2019, 12, 13);

/// What a consulting partner lacks for the Select tier; people of one kind do not stand for the other.
pub fn select_lacks(business: u32, technical: u32) -> Vec<String> {
    let lack = |has: u32, needed: u32, kind: &str| {
        (has < needed).then(|| format!("{needed} people with a {kind} accreditation: there are {has} (K3)"))
    };
    let kinds = [lack(business, SELECT_BUSINESS, "business"), lack(technical, SELECT_TECHNICAL, "technical")];
    kinds.into_iter().flatten().collect()
}

/// What a partner lacks for applying for the Premier tier.
pub fn premier_lacks(months_all_met: u32) -> Vec<String> {
    let lack = (months_all_met < PREMIER_MONTHS).then(|| {
        format!("{PREMIER_MONTHS} months in which everything is met: there are {months_all_met} (K3)")
    });
    lack.into_iter().collect()
}

/// When a partner of before is reviewed: at its renewal, but not before the day by which all were.
pub fn review_on(renewal: NaiveDate) -> NaiveDate {
    REVIEWED_BY.map_or(renewal, |by| renewal.max(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_06_select_needs_two_and_two_and_premier_six_months() {
        for (business, technical, lacking) in [(2, 2, 0), (3, 1, 1), (1, 3, 1), (0, 0, 2), (9, 9, 0)] {
            assert_eq!(select_lacks(business, technical).len(), lacking, "{business} and {technical}");
        }
        let expected = ["2 people with a technical accreditation: there are 1 (K3)"];
        assert_eq!(select_lacks(3, 1), expected);
        for (months, may_apply) in [(5, false), (6, true), (7, true), (0, false)] {
            assert_eq!(premier_lacks(months).is_empty(), may_apply, "{months}");
        }
        assert_eq!(premier_lacks(5), ["6 months in which everything is met: there are 5 (K3)"]);
    }

    #[test]
    fn k_07_partners_of_before_are_reviewed_at_their_renewal_at_the_earliest_in_december_2019() {
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap();
        for (renewal, review) in [
            ("2019-04-01", "2019-12-13"),
            ("2019-12-13", "2019-12-13"),
            ("2019-12-14", "2019-12-14"),
            ("2020-06-30", "2020-06-30"),
        ] {
            assert_eq!(review_on(day(renewal)), day(review), "{renewal}");
        }
    }
}
