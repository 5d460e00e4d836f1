//! FreeTrialPricingTerm: the first days of a buyer on a product cost nothing.
//!
//! On a machine image one running instance is free, of the most expensive type that runs (P3, B-13); on a container the
//! units that the seller grants; on usage of SaaS and machine learning products everything. The days count from the
//! buyer's first agreement on the product, so that nobody has them twice, and billing goes on by itself after them. A
//! SaaS contract is tried instead: it grants units, ends with its days, and nothing comes after it.

use std::collections::BTreeMap;

use super::configurable_upfront::MAX_UNITS;
use super::{OfferContext, UpfrontKind};
use crate::catalog::{BilledBy, DimensionType, Product, ProductType};
use crate::ids::DimensionKey;
use crate::rejection::{Code, Rejection};
use crate::time::TermDuration;

/// A free trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeTrial {
    /// How long it lasts, in days.
    pub duration: TermDuration,
    /// How many units it grants: of a container, what is free in each hour; of a contract, its entitlements.
    pub grants: BTreeMap<DimensionKey, u64>,
}

/// What of an hour's use a trial takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialShare<'a> {
    /// All of it.
    Everything,
    /// One instance, of the most expensive type that runs.
    OneInstance,
    /// So many units of each dimension.
    Units(&'a BTreeMap<DimensionKey, u64>),
}

impl FreeTrial {
    /// What of an hour's use it takes on a product.
    pub fn share(&self, product_type: ProductType) -> TrialShare<'_> {
        match product_type {
            ProductType::Ami => TrialShare::OneInstance,
            ProductType::Container => TrialShare::Units(&self.grants),
            ProductType::Saas | ProductType::MachineLearning | ProductType::ProfessionalServices => {
                TrialShare::Everything
            }
        }
    }

    /// Public offers of hourly or metered use have it, and SaaS contracts; private ones of machine learning products, too.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let refuse = |code, field: &str, message: &str| {
            Err(Rejection::new(code, format!("freeTrialPricing{field}"), message))
        };
        let product = offer.product;
        let is_model = product.product_type == ProductType::MachineLearning;
        if offer.private && !is_model {
            let message = "private offers have no free trial, but those of machine learning products (B21): leave it out";
            return refuse(Code::TermNotAllowed, "", message);
        }
        if is_model && product.dimensions.iter().any(|d| d.billed_by == Some(BilledBy::Inference)) {
            let message = "a machine learning product has a free trial where all of it is billed by the hour (C): leave \
                           it out";
            return refuse(Code::TermNotAllowed, "", message);
        }
        let is_contract = offer.kind() == Some(UpfrontKind::Contract);
        let Some((least, most)) = days(product.product_type) else {
            return refuse(Code::TermNotAllowed, "", "professional services have no free trial (C)");
        };
        let is_server = matches!(product.product_type, ProductType::Ami | ProductType::Container);
        if is_server && product.has_type(DimensionType::ExternallyMetered) {
            let message = "an AMI or container product that its seller meters has no free trial (A17)";
            return refuse(Code::MeteringExcludesTrial, "", message);
        }
        if is_contract && product.product_type != ProductType::Saas {
            return refuse(
                Code::TermNotAllowed,
                "",
                "of contracts, only those of SaaS products have free trials (C)",
            );
        }
        if !is_contract && offer.terms.usage_based.is_none() {
            let message = "a trial needs something to pay after it: add usageBasedPricing";
            return refuse(Code::TermMissing, "", message);
        }
        match self.duration {
            TermDuration::Days(days) if (least..=most).contains(&days) => {}
            duration => {
                let message = format!(
                    "{duration}; a free trial of this product lasts {least} to {most} days, such as P{least}D (P3)"
                );
                return refuse(Code::DurationNotAllowed, ".duration", &message);
            }
        }
        self.check_grants(product, is_contract)
    }

    /// Containers and contracts say what they grant; elsewhere it follows from the product.
    fn check_grants(&self, product: &Product, is_contract: bool) -> Result<(), Rejection> {
        let refuse = |code, field: &str, message: String| {
            Err(Rejection::new(code, format!("freeTrialPricing.grants{field}"), message))
        };
        let wanted = match (is_contract, product.product_type) {
            (true, _) => DimensionType::Entitled,
            (false, ProductType::Container) => DimensionType::Metered,
            (false, _) if self.grants.is_empty() => return Ok(()),
            (false, _) => {
                let message = "what is free follows from the product: leave the grants out";
                return refuse(Code::TermNotAllowed, "", message.to_owned());
            }
        };
        if self.grants.is_empty() {
            return refuse(Code::FieldMissing, "", "say how many units of which dimension are free".into());
        }
        for (key, units) in &self.grants {
            let field = format!("[{key}]");
            let known = product.dimension(key).is_some_and(|dimension| dimension.types.contains(&wanted));
            if !known {
                let message = format!("\"{key}\" cannot be granted: {}", product.keys());
                return refuse(Code::DimensionUnknown, &field, message);
            }
            if !(1..=MAX_UNITS).contains(units) {
                let message = format!("{units} units; it must be 1 to {MAX_UNITS}");
                return refuse(Code::QuantityInvalid, &field, message);
            }
        }
        Ok(())
    }
}

/// The least and the most days that a trial of a product lasts.
fn days(product_type: ProductType) -> Option<(u32, u32)> {
    match product_type {
        ProductType::Ami | ProductType::Container => Some((5, 31)),
        ProductType::Saas => Some((7, 90)),
        ProductType::MachineLearning => Some((5, 120)),
        ProductType::ProfessionalServices => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Dimension, EntitlementValueKind, UsageCategory};
    use crate::ids::{AccountId, ProductCode, ProductId};
    use crate::money::Currency;
    use crate::rules::{Profile, Rules};
    use crate::terms::{ConfigurableUpfront, Terms, UsageBased};
    use crate::time::Timestamp;

    fn product(product_type: ProductType, types: &[DimensionType]) -> Product {
        Product {
            id: ProductId::new("prod-1"),
            code: ProductCode::new("code"),
            title: String::new(),
            seller: AccountId::from_number(9).unwrap(),
            product_type,
            usage_category: Some(UsageCategory::Units),
            dimensions: vec![Dimension {
                key: DimensionKey::new("a"),
                name: String::new(),
                description: String::new(),
                unit: String::new(),
                types: types.iter().copied().collect(),
                value_kind: EntitlementValueKind::Integer,
                billed_by: None,
            }],
            concurrent_agreements: false,
        }
    }

    fn refused(product: &Product, private: bool, days: TermDuration, grants: &[(&str, u64)]) -> Option<Code> {
        let grants = grants.iter().map(|&(key, units)| (DimensionKey::new(key), units)).collect();
        let term = FreeTrial { duration: days, grants };
        let card = || UsageBased { currency: Currency::Usd, rate_card: [].into() };
        let terms = Terms {
            usage_based: product.dimensions.iter().any(Dimension::is_metered).then(card),
            configurable_upfront: product
                .has_type(DimensionType::Entitled)
                .then(|| ConfigurableUpfront { currency: Currency::Usd, rate_cards: Vec::new() }),
            ..Terms::default()
        };
        let released_at = Timestamp::parse("2025-01-01T00:00:00Z").unwrap();
        let rules = Rules::of(Profile::Source);
        let offer =
            OfferContext { product, terms: &terms, private, released_at, expires_at: None, rules: &rules };
        term.check(&offer).err().map(|rejection| rejection.code)
    }

    #[test]
    fn p3_a_trial_lasts_as_long_as_its_product_lets_it() {
        use DimensionType::{ExternallyMetered, Metered};
        for (product_type, kind, least, most) in [
            (ProductType::Ami, Metered, 5, 31),
            (ProductType::Saas, ExternallyMetered, 7, 90),
            (ProductType::MachineLearning, Metered, 5, 120),
        ] {
            let product = product(product_type, &[kind]);
            for (days, expected) in [
                (TermDuration::Days(least - 1), Some(Code::DurationNotAllowed)),
                (TermDuration::Days(least), None),
                (TermDuration::Days(most), None),
                (TermDuration::Days(most + 1), Some(Code::DurationNotAllowed)),
                (TermDuration::Months(1), Some(Code::DurationNotAllowed)),
            ] {
                assert_eq!(refused(&product, false, days, &[]), expected, "{product_type:?} {days}");
            }
        }
    }

    #[test]
    fn a17_a_trial_stands_where_it_may() {
        use DimensionType::{Entitled, ExternallyMetered, Metered};
        use ProductType::{Ami, Container, MachineLearning, ProfessionalServices, Saas};
        let week = TermDuration::Days(7);
        for (product_type, kinds, private, grants, expected) in [
            (Ami, &[Metered][..], true, &[][..], Some(Code::TermNotAllowed)),
            (Ami, &[Metered], false, &[("a", 1)], Some(Code::TermNotAllowed)),
            (Ami, &[ExternallyMetered], false, &[], Some(Code::MeteringExcludesTrial)),
            (Container, &[ExternallyMetered], false, &[("a", 1)], Some(Code::MeteringExcludesTrial)),
            (Ami, &[Entitled], false, &[("a", 1)], Some(Code::TermNotAllowed)),
            (Container, &[Metered], false, &[], Some(Code::FieldMissing)),
            (Container, &[Metered], false, &[("a", 3)], None),
            (Container, &[Metered], false, &[("a", 0)], Some(Code::QuantityInvalid)),
            (Container, &[Metered], false, &[("b", 3)], Some(Code::DimensionUnknown)),
            (Saas, &[ExternallyMetered], false, &[], None),
            (Saas, &[Entitled], false, &[], Some(Code::FieldMissing)),
            (Saas, &[Entitled], false, &[("a", 3)], None),
            (Saas, &[Entitled, ExternallyMetered], false, &[("a", 3)], None),
            (ProfessionalServices, &[Entitled], false, &[("a", 1)], Some(Code::TermNotAllowed)),
            (MachineLearning, &[Metered], false, &[], None),
            (MachineLearning, &[Metered], true, &[], None),
            (Saas, &[ExternallyMetered], true, &[], Some(Code::TermNotAllowed)),
        ] {
            let product = product(product_type, kinds);
            assert_eq!(
                refused(&product, private, week, grants),
                expected,
                "{product_type:?} {kinds:?} {grants:?}"
            );
        }
    }
}
