//! The sandbox of a plan: its document, and what is accepted by calls after it was made.

use souk_client::proto::account::v1::{AccessKey, Account, SellerProfile};
use souk_client::proto::agreement::v1::UpfrontConfiguration;
use souk_client::proto::catalog::v1::{
    Dimension, DimensionType, Offer, Product as ProtoProduct, ProductType, UsageCategory,
};
use souk_client::proto::sandbox::v1::{
    AcceptedAgreement, ClockSetting, MeteringWindow, Rules, SandboxDocument, clock_setting::Setting,
};
use souk_client::proto::terms::v1::{
    ConfigurableUpfrontPricingTerm, Term, UpfrontRateCard, UsageBasedPricingTerm, ValidityTerm, term,
};
use souk_core::money::UnitPrice;
use souk_core::time::{BillingMonth, Timestamp};

use super::market::{PricedDimension, access_key};
use super::{Agreement, Plan, Private, Product, ProductKind};

/// Agreements that stand in the document; a document is one entry of the server's log, which has a limit.
const IN_DOCUMENT_MAX: usize = 8_000;
/// Private offers can be accepted until then, and last longer than any run.
const ACCEPT_BY: &str = "2025-12-31";
const PRIVATE_DURATION: &str = "P12M";
const YEAR: &str = "P12M";

/// An offer that is accepted by a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The offer.
    pub offer: String,
    /// By whom.
    pub buyer: String,
}

impl Plan {
    /// The document that makes the sandbox. Its clock stands at the beginning of the first month.
    #[must_use]
    pub fn document(&self) -> SandboxDocument {
        let rules = Rules {
            max_dimensions: Some(self.shape.dimensions.max(1)),
            metering_window: MeteringWindow::OpenMonth.into(),
            ..Rules::default()
        };
        let market = &self.market;
        let sellers = market.products.iter().zip(0..).map(|(product, number)| seller(product, number));
        let buyers = market.buyers.iter().map(|buyer| Account {
            account_id: buyer.account.to_string(),
            company_name: format!("Buyer {}", buyer.account),
            payer_account_id: buyer.payer.to_string(),
            ..Account::default()
        });
        let private = market.agreements.iter().filter_map(|agreement| {
            let private = agreement.private.as_ref()?;
            Some(self.private_offer(agreement, private))
        });
        let (first, _) = self.accepted_at_the_beginning();
        SandboxDocument {
            description: format!("The load of seed {}", self.shape.seed),
            clock: Some(ClockSetting { setting: Some(Setting::At(wire_time(self.calendar.start()))) }),
            rules: Some(rules),
            accounts: sellers.chain(buyers).collect(),
            products: market.products.iter().map(to_product).collect(),
            offers: market.products.iter().map(public_offer).chain(private).collect(),
            agreements: first.into_iter().map(|agreement| self.accepted(agreement)).collect(),
            ..SandboxDocument::default()
        }
    }

    /// What is accepted by calls at the beginning of the first month: what has no room in the document.
    #[must_use]
    pub fn accepted_by_calls(&self) -> Vec<Acceptance> {
        let (_, rest) = self.accepted_at_the_beginning();
        rest.into_iter().map(|agreement| self.acceptance(agreement, self.first_offer(agreement))).collect()
    }

    /// The private offers that are accepted at the changeover.
    #[must_use]
    pub fn accepted_at_the_changeover(&self) -> Vec<Acceptance> {
        let changing = self.market.agreements.iter().filter_map(|agreement| {
            let private = agreement.private.as_ref().filter(|private| 0 < private.from)?;
            Some(self.acceptance(agreement, &private.offer))
        });
        changing.collect()
    }

    /// When the changeover is.
    #[must_use]
    pub fn changeover_time(&self) -> prost_types::Timestamp {
        wire_time(self.calendar.hour(self.calendar.changeover()).start())
    }

    /// The agreements of the document, and the others. Cover is bought in the past: only a document can do that.
    fn accepted_at_the_beginning(&self) -> (Vec<&Agreement>, Vec<&Agreement>) {
        let mut agreements: Vec<_> = self.market.agreements.iter().collect();
        agreements.sort_by_key(|agreement| agreement.cover.is_empty());
        let covers = agreements.iter().filter(|agreement| !agreement.cover.is_empty()).count();
        let rest = agreements.split_off(agreements.len().min(IN_DOCUMENT_MAX.max(covers)));
        (agreements, rest)
    }

    fn acceptance(&self, agreement: &Agreement, offer: &str) -> Acceptance {
        let buyer = self.market.buyers[agreement.buyer as usize].account.to_string();
        Acceptance { offer: offer.to_owned(), buyer }
    }

    fn accepted(&self, agreement: &Agreement) -> AcceptedAgreement {
        let product = &self.market.products[agreement.product as usize];
        let quantities = product.dimensions.iter().zip(&agreement.cover).filter(|(_, units)| 0 < **units);
        let quantities = quantities.map(|(dimension, units)| (dimension.key.clone(), *units)).collect();
        let has_cover = !agreement.cover.is_empty();
        let time = if has_cover { self.calendar.covers_bought() } else { self.calendar.start() };
        AcceptedAgreement {
            offer_id: self.first_offer(agreement).to_owned(),
            buyer_account_id: self.market.buyers[agreement.buyer as usize].account.to_string(),
            acceptance_time: Some(wire_time(time)),
            configuration: has_cover.then(|| UpfrontConfiguration {
                duration: YEAR.to_owned(),
                quantities,
                auto_renew: false,
            }),
        }
    }

    /// The offer with which an agreement begins.
    fn first_offer<'a>(&'a self, agreement: &'a Agreement) -> &'a str {
        match &agreement.private {
            Some(private) if private.from == 0 => &private.offer,
            _ => &self.market.products[agreement.product as usize].offer,
        }
    }

    fn private_offer(&self, agreement: &Agreement, private: &Private) -> Offer {
        let product = &self.market.products[agreement.product as usize];
        let validity =
            ValidityTerm { agreement_duration: PRIVATE_DURATION.to_owned(), ..ValidityTerm::default() };
        let prices = product.dimensions.iter().zip(private.prices.iter().copied());
        Offer {
            offer_id: private.offer.clone(),
            product_id: product.id.clone(),
            name: String::new(),
            buyer_account_ids: vec![self.market.buyers[agreement.buyer as usize].account.to_string()],
            availability_end_date: ACCEPT_BY.to_owned(),
            terms: vec![usage_term(prices), Term { term: Some(term::Term::Validity(validity)) }],
            ..Offer::default()
        }
    }
}

/// The end of a month: all of its hours are past, and it takes usage still.
#[must_use]
pub fn end_of(month: BillingMonth) -> prost_types::Timestamp {
    wire_time(month.end())
}

/// The moment at which a month is invoiced.
#[must_use]
pub fn invoiced(month: BillingMonth) -> prost_types::Timestamp {
    wire_time(month.invoiced_at())
}

fn wire_time(moment: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: moment.micros().div_euclid(1_000_000), nanos: 0 }
}

fn seller(product: &Product, number: u32) -> Account {
    let (access_key_id, secret_access_key) = access_key(number);
    Account {
        account_id: product.seller.to_string(),
        company_name: format!("Seller {}", product.seller),
        seller: Some(SellerProfile { invoicing_entity: product.entity.to_owned() }),
        access_keys: vec![AccessKey { access_key_id, secret_access_key }],
        ..Account::default()
    }
}

fn to_product(product: &Product) -> ProtoProduct {
    let (product_type, usage_category, metered, unit) = match product.kind {
        ProductKind::Saas => {
            (ProductType::Saas, UsageCategory::Units, DimensionType::ExternallyMetered, "Units")
        }
        ProductKind::Instances => {
            (ProductType::Ami, UsageCategory::Unspecified, DimensionType::Metered, "Hrs")
        }
    };
    let dimension = |dimension: &PricedDimension| Dimension {
        key: dimension.key.clone(),
        unit: unit.to_owned(),
        types: vec![metered.into()],
        ..Dimension::default()
    };
    ProtoProduct {
        product_id: product.id.clone(),
        product_code: product.code.clone(),
        title: format!("Product of {}", product.seller),
        seller_account_id: product.seller.to_string(),
        product_type: product_type.into(),
        usage_category: usage_category.into(),
        dimensions: product.dimensions.iter().map(dimension).collect(),
        concurrent_agreements: false,
    }
}

fn public_offer(product: &Product) -> Offer {
    let mut terms = vec![usage_term(product.dimensions.iter().map(|d| (d, d.price)))];
    if product.kind == ProductKind::Instances {
        let price = |d: &PricedDimension| {
            (d.key.clone(), format!("{}.{:02}", d.annual_cents / 100, d.annual_cents % 100))
        };
        let prices = product.dimensions.iter().map(price).collect();
        let rate_cards = vec![UpfrontRateCard { duration: YEAR.to_owned(), prices }];
        let upfront = ConfigurableUpfrontPricingTerm { currency_code: String::new(), rate_cards };
        terms.push(Term { term: Some(term::Term::ConfigurableUpfrontPricing(upfront)) });
    }
    let (offer_id, product_id) = (product.offer.clone(), product.id.clone());
    Offer { offer_id, product_id, terms, ..Offer::default() }
}

fn usage_term<'a>(prices: impl Iterator<Item = (&'a PricedDimension, UnitPrice)>) -> Term {
    let rate_card = prices.map(|(dimension, price)| (dimension.key.clone(), price.to_string())).collect();
    let usage = UsageBasedPricingTerm { currency_code: String::new(), rate_card };
    Term { term: Some(term::Term::UsageBasedPricing(usage)) }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, odd_shape};
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_marketplace_and_another_makes_another() {
        let [first, again, other] = [7, 7, 8].map(|seed| Plan::new(Shape { seed, ..odd_shape() }).document());
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn every_agreement_is_accepted_once_in_the_document_or_by_a_call() {
        let plan = Plan::new(Shape { buyers: 6_000, subscriptions: 2, sellers: 20, ..odd_shape() });
        let (document, calls) = (plan.document(), plan.accepted_by_calls());
        assert!(document.agreements.len() >= IN_DOCUMENT_MAX && !calls.is_empty());
        assert_eq!(document.agreements.len() + calls.len(), plan.market.agreements.len());
        let changing = plan.accepted_at_the_changeover();
        let private = plan.market.agreements.iter().filter(|agreement| agreement.private.is_some()).count();
        assert!(!changing.is_empty() && changing.len() < private);
    }
}
