//! Terms: what an offer is made of, named as in the Agreement API. An offer is the sum of its terms. A term is its
//! file, a line in each of the lists here, its message in the contract and the conversion of that.

pub mod byol;
pub mod configurable_upfront;
pub mod fixed_upfront;
pub mod free_trial;
pub mod legal;
pub mod payment_schedule;
pub mod recurring_payment;
pub mod renewal;
pub mod usage_based;
pub mod validity;

use std::collections::BTreeMap;

pub use byol::Byol;
pub use configurable_upfront::{ConfigurableUpfront, UpfrontKind, UpfrontRateCard};
pub use fixed_upfront::FixedUpfront;
pub use free_trial::FreeTrial;
pub use legal::{Legal, LegalDocument, LegalDocumentKind};
pub use payment_schedule::{PaymentSchedule, ScheduledPayment};
pub use recurring_payment::RecurringPayment;
pub use renewal::Renewal;
pub use usage_based::UsageBased;
pub use validity::{Validity, ValidityDates};

use crate::catalog::Product;
use crate::ids::DimensionKey;
use crate::money::UnitPrice;
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;
use crate::time::Timestamp;

/// Prices by dimension.
pub type RateCard = BTreeMap<DimensionKey, UnitPrice>;

/// The offer that a term stands in, as far as its rules look at that.
pub struct OfferContext<'a> {
    /// The product.
    pub product: &'a Product,
    /// All terms of the offer.
    pub terms: &'a Terms,
    /// For chosen buyers.
    pub private: bool,
    /// When it is released.
    pub released_at: Timestamp,
    /// From when on it can no longer be accepted.
    pub expires_at: Option<Timestamp>,
    /// The sandbox's rules.
    pub rules: &'a Rules,
}

impl OfferContext<'_> {
    /// What it sells upfront on its product, if anything.
    pub fn kind(&self) -> Option<UpfrontKind> {
        self.terms.upfront_kind(self.product)
    }
}

macro_rules! terms {
    ($($(#[$doc:meta])* $variant:ident $field:ident $name:literal,)*) => {
        /// One term.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Term { $($(#[$doc])* $variant($variant),)* }

        /// The terms of one offer, each at most once.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Terms { $($(#[$doc])* pub $field: Option<$variant>,)* }

        impl Terms {
            /// Sorts terms into their places; a term that stands twice is refused.
            pub fn from_list(list: Vec<Term>) -> Result<Terms, Rejection> {
                let mut terms = Terms::default();
                for (index, term) in list.into_iter().enumerate() {
                    let (name, taken) = match term {
                        $(Term::$variant(term) => ($name, terms.$field.replace(term).is_some()),)*
                    };
                    if taken {
                        let message = format!("{name} stands twice: an offer holds each term once, and its prices do not change over time (B12)");
                        return Err(Rejection::new(Code::TermDuplicate, format!("terms[{index}]"), message));
                    }
                }
                Ok(terms)
            }

            /// The terms as a list, in the order of [`Term`].
            pub fn to_list(&self) -> Vec<Term> {
                let list = [$(self.$field.clone().map(Term::$variant),)*];
                list.into_iter().flatten().collect()
            }

            /// The names of the terms, as the Agreement API writes them, in the same order.
            pub fn names(&self) -> Vec<&'static str> {
                let list = [$(self.$field.as_ref().map(|_| $name),)*];
                list.into_iter().flatten().collect()
            }

            fn check_each(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
                $(if let Some(term) = &self.$field { term.check(offer)?; })*
                Ok(())
            }
        }
    };
}

terms! {
    /// Usage, in arrears.
    UsageBased usage_based "UsageBasedPricingTerm",
    /// Annual subscriptions and contracts.
    ConfigurableUpfront configurable_upfront "ConfigurableUpfrontPricingTerm",
    /// One price for everything that is granted.
    FixedUpfront fixed_upfront "FixedUpfrontPricingTerm",
    /// Instalments.
    PaymentSchedule payment_schedule "PaymentScheduleTerm",
    /// The life of a private agreement.
    Validity validity "ValidityTerm",
    /// Auto-renewal may be switched on.
    Renewal renewal "RenewalTerm",
    /// The documents that a buyer agrees to.
    Legal legal "LegalTerm",
    /// The first days cost nothing.
    FreeTrial free_trial "FreeTrialPricingTerm",
    /// A fee a month.
    RecurringPayment recurring_payment "RecurringPaymentTerm",
    /// Buyers bring their own licence.
    Byol byol "ByolPricingTerm",
}

impl Terms {
    /// What each term's own rules say of the offer.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        // Before the usage prices: a price without its pair (A3) has the more telling reason.
        if let Some(upfront) = &self.configurable_upfront {
            upfront.check(offer)?;
        }
        self.check_each(offer)
    }

    /// What they sell upfront on a product, if anything.
    pub fn upfront_kind(&self, product: &Product) -> Option<UpfrontKind> {
        let sells = self.configurable_upfront.is_some() || self.fixed_upfront.is_some();
        sells.then(|| ConfigurableUpfront::kind(product))
    }
}
