//! Offer Visibility, as reports print it (D-05): derived from what an offer targets.

use std::fmt;

use super::Targeting;

/// Who may see an offer, in the words of the reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferVisibility {
    /// Everybody.
    Public,
    /// Chosen buyer accounts.
    Private,
    /// Participants of an AWS program.
    Program(String),
    /// Buyers of chosen countries.
    GeoTargeted,
}

impl OfferVisibility {
    /// The visibility of an offer. `resold`: its manufacturer looks at a reseller's offer, which is always
    /// private to it.
    pub fn of(targeting: &Targeting, resold: bool) -> OfferVisibility {
        match &targeting.program {
            _ if resold || !targeting.buyer_accounts.is_empty() => OfferVisibility::Private,
            Some(program) => OfferVisibility::Program(program.clone()),
            None if !targeting.country_codes.is_empty() => OfferVisibility::GeoTargeted,
            None => OfferVisibility::Public,
        }
    }
}

impl fmt::Display for OfferVisibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OfferVisibility::Public => f.write_str("Public"),
            OfferVisibility::Private => f.write_str("Private"),
            OfferVisibility::Program(program) => write!(f, "Program:{program}"),
            OfferVisibility::GeoTargeted => f.write_str("GeoTargeted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;

    #[test]
    fn d_05_visibility_follows_from_targeting() {
        let accounts: Vec<_> = AccountId::from_number(1).into_iter().collect();
        for (buyers, program, countries, resold, expected) in [
            (true, None, false, false, "Private"),
            (false, None, false, false, "Public"),
            (false, Some("EnterpriseContract"), false, false, "Program:EnterpriseContract"),
            (false, None, true, false, "GeoTargeted"),
            (false, None, false, true, "Private"),
            (true, None, true, false, "Private"),
        ] {
            let targeting = Targeting {
                buyer_accounts: accounts.iter().copied().filter(|_| buyers).collect(),
                program: program.map(str::to_owned),
                country_codes: countries.then(|| "DE".to_owned()).into_iter().collect(),
            };
            assert_eq!(OfferVisibility::of(&targeting, resold).to_string(), expected);
        }
    }
}
