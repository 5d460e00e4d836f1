//! The terms of an offer, named as in the Agreement API: one file each.

pub mod configurable_upfront;
pub mod renewal;
pub mod usage_based;
pub mod validity;

use std::collections::BTreeMap;

pub use configurable_upfront::{ConfigurableUpfront, UpfrontKind, UpfrontRateCard};
pub use renewal::Renewal;
pub use usage_based::UsageBased;
pub use validity::Validity;

use crate::ids::DimensionKey;
use crate::money::UnitPrice;
use crate::rejection::{Code, Rejection};

/// Prices by dimension.
pub type RateCard = BTreeMap<DimensionKey, UnitPrice>;

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Usage, in arrears.
    UsageBased(UsageBased),
    /// Annual subscriptions and contracts.
    ConfigurableUpfront(ConfigurableUpfront),
    /// The life of a private agreement.
    Validity(Validity),
    /// Auto-renewal may be switched on.
    Renewal(Renewal),
}

/// The terms of one offer, each at most once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Usage, in arrears.
    pub usage_based: Option<UsageBased>,
    /// Annual subscriptions and contracts.
    pub configurable_upfront: Option<ConfigurableUpfront>,
    /// The life of a private agreement.
    pub validity: Option<Validity>,
    /// Auto-renewal may be switched on.
    pub renewal: Option<Renewal>,
}

impl Terms {
    /// Sorts terms into their places; a term that stands twice is refused.
    pub fn from_list(list: Vec<Term>) -> Result<Terms, Rejection> {
        let mut terms = Terms::default();
        for (index, term) in list.into_iter().enumerate() {
            let (name, taken) = match term {
                Term::UsageBased(t) => ("UsageBasedPricingTerm", terms.usage_based.replace(t).is_some()),
                Term::ConfigurableUpfront(t) => {
                    ("ConfigurableUpfrontPricingTerm", terms.configurable_upfront.replace(t).is_some())
                }
                Term::Validity(t) => ("ValidityTerm", terms.validity.replace(t).is_some()),
                Term::Renewal(t) => ("RenewalTerm", terms.renewal.replace(t).is_some()),
            };
            if taken {
                let message = format!("{name} stands twice: an offer holds each term once");
                return Err(Rejection::new(Code::TermDuplicate, format!("terms[{index}]"), message));
            }
        }
        Ok(terms)
    }

    /// The terms as a list, in the order of [`Term`].
    pub fn to_list(&self) -> Vec<Term> {
        let usage = self.usage_based.clone().map(Term::UsageBased);
        let upfront = self.configurable_upfront.clone().map(Term::ConfigurableUpfront);
        let validity = self.validity.map(Term::Validity);
        let renewal = self.renewal.map(Term::Renewal);
        [usage, upfront, validity, renewal].into_iter().flatten().collect()
    }
}
