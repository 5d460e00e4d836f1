//! What the sellers of a [`World`] publish: accounts, products, offers and price changes, in few words.

use souk_core::catalog::{
    Account, Address, Dimension, DimensionType, EntitlementValueKind, NewOffer, NewProduct,
    NewResaleAuthorization, ProductType, UsageCategory, WholesalePricing, decide,
};
use souk_core::ids::{DimensionKey, OfferId, ProductId, ResaleAuthorizationId};
use souk_core::money::{Currency, PriceDecimals, UnitPrice};
use souk_core::rejection::Rejection;
use souk_core::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};
use souk_core::terms::{
    ConfigurableUpfront, RateCard, Renewal, Terms, UpfrontRateCard, UsageBased, Validity,
};
use souk_core::time::TermDuration;

use crate::world::{SELLER, World, account, moment};

/// A private offer.
pub struct Private<'a> {
    /// Its id.
    pub id: &'a str,
    /// The product.
    pub product: &'a str,
    /// For whom.
    pub buyers: &'a [&'a str],
    /// The last day on which it can be accepted.
    pub accept_by: &'a str,
    /// How many days it lasts.
    pub days: u32,
    /// Its usage prices.
    pub usage: &'a [(&'a str, &'a str)],
    /// Its annual prices.
    pub annual: &'a [(&'a str, &'a str)],
}

/// The public offer that [`World`] makes of a product.
pub fn public_offer(product: &str) -> String {
    format!("public-{product}")
}

/// Prices by dimension.
pub fn prices(list: &[(&str, &str)], decimals: PriceDecimals) -> RateCard {
    let price = |text| UnitPrice::parse(text, decimals).unwrap_or_else(|error| panic!("{text}: {error}"));
    list.iter().map(|(key, text)| (DimensionKey::new(key), price(text))).collect()
}

/// So many units of dimensions for a duration.
pub fn configuration(
    duration: TermDuration,
    units: &[(&str, u64)],
    auto_renew: bool,
) -> UpfrontConfiguration {
    let quantities = units.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect();
    UpfrontConfiguration { duration: Some(duration), quantities, auto_renew }
}

impl World {
    /// Adds an account that sells.
    pub fn seller(&mut self, id: &str, entity: &str) -> &mut World {
        self.put_account(id, id, Some(entity))
    }

    /// Adds an account that pays for itself.
    pub fn payer(&mut self, id: &str) -> &mut World {
        self.put_account(id, id, None)
    }

    /// Adds an account whose charges another pays.
    pub fn linked(&mut self, id: &str, payer: &str) -> &mut World {
        self.put_account(id, payer, None)
    }

    fn put_account(&mut self, id: &str, payer: &str, entity: Option<&str>) -> &mut World {
        let put = Account {
            id: account(id),
            company_name: format!("Company {id}"),
            payer: account(payer),
            invoicing_entity: entity.map(str::to_owned),
            address: Address { country: "US".to_owned(), ..Address::default() },
            email_domain: "example.com".to_owned(),
            invoice_terms: false,
            private_marketplace_admin: None,
            net_days: None,
            tax: None,
            access_keys: Vec::new(),
        };
        let decided = decide::put_account(self.market(), put);
        self.published(decided)
    }

    /// Publishes a product.
    pub fn product(
        &mut self,
        id: &str,
        seller: &str,
        product_type: ProductType,
        dimensions: &[(&str, DimensionType)],
    ) -> Result<&mut World, Rejection> {
        self.publish_product(id, seller, product_type, dimensions, false)
    }

    /// Publishes a SaaS product on which one buyer may hold several agreements, and its public offer.
    pub fn concurrent_saas(&mut self, id: &str, seller: &str, usage: &[(&str, &str)]) -> &mut World {
        let dimensions: Vec<_> =
            usage.iter().map(|(key, _)| (*key, DimensionType::ExternallyMetered)).collect();
        self.publish_product(id, seller, ProductType::Saas, &dimensions, true)
            .unwrap_or_else(|rejection| panic!("{rejection}"));
        self.public(id, usage_terms(usage, &[]))
    }

    fn publish_product(
        &mut self,
        id: &str,
        seller: &str,
        product_type: ProductType,
        dimensions: &[(&str, DimensionType)],
        concurrent_agreements: bool,
    ) -> Result<&mut World, Rejection> {
        let dimension = |(key, dimension_type): &(&str, DimensionType)| Dimension {
            key: DimensionKey::new(key),
            name: (*key).to_owned(),
            description: String::new(),
            unit: "Units".to_owned(),
            types: [*dimension_type].into(),
            value_kind: EntitlementValueKind::Integer,
            billed_by: None,
        };
        let seller_meters = dimensions.iter().any(|(_, t)| *t == DimensionType::ExternallyMetered);
        let product = NewProduct {
            id: Some(ProductId::new(id)),
            code: None,
            title: id.to_owned(),
            seller: account(seller),
            product_type,
            usage_category: seller_meters.then_some(UsageCategory::Units),
            dimensions: dimensions.iter().map(dimension).collect(),
            concurrent_agreements,
        };
        let change = decide::create_product(self.market(), product)?;
        Ok(self.change(change))
    }

    /// Publishes an AMI product and its public offer: instance types with their hourly and annual prices; an
    /// empty annual price is none.
    pub fn ami(&mut self, id: &str, types: &[(&str, &str, &str)]) -> &mut World {
        let dimensions: Vec<_> = types.iter().map(|(key, ..)| (*key, DimensionType::Metered)).collect();
        let hourly: Vec<_> = types.iter().map(|(key, hourly, _)| (*key, *hourly)).collect();
        let sold = types.iter().filter(|(.., annual)| !annual.is_empty());
        let annual: Vec<_> = sold.map(|(key, _, annual)| (*key, *annual)).collect();
        let terms =
            Terms { renewal: (!annual.is_empty()).then(Renewal::default), ..usage_terms(&hourly, &annual) };
        self.product(id, SELLER, ProductType::Ami, &dimensions)
            .unwrap_or_else(|rejection| panic!("{rejection}"));
        self.public(id, terms)
    }

    /// Publishes a SaaS product that its seller meters, and its public offer.
    pub fn saas(&mut self, id: &str, seller: &str, usage: &[(&str, &str)]) -> &mut World {
        let dimensions: Vec<_> =
            usage.iter().map(|(key, _)| (*key, DimensionType::ExternallyMetered)).collect();
        self.product(id, seller, ProductType::Saas, &dimensions)
            .unwrap_or_else(|rejection| panic!("{rejection}"));
        self.public(id, usage_terms(usage, &[]))
    }

    /// Releases the public offer of a product.
    pub fn public(&mut self, product: &str, terms: Terms) -> &mut World {
        self.offer(&public_offer(product), product, &[], None, terms)
    }

    /// Releases a private offer.
    pub fn private(&mut self, private: &Private<'_>) -> &mut World {
        let validity = Some(Validity::Lasting(TermDuration::Days(private.days)));
        let terms = Terms { validity, ..usage_terms(private.usage, private.annual) };
        self.offer(private.id, private.product, private.buyers, Some(private.accept_by), terms)
    }

    /// Releases an offer on any terms; without buyers it is the public one.
    pub fn offer(
        &mut self,
        id: &str,
        product: &str,
        buyers: &[&str],
        accept_by: Option<&str>,
        terms: Terms,
    ) -> &mut World {
        self.offer_of(id, product, buyers, accept_by, terms, None)
    }

    /// Lets a reseller sell a product for wholesale prices.
    pub fn authorize(&mut self, id: &str, product: &str, reseller: &str, terms: Terms) -> &mut World {
        let authorization = NewResaleAuthorization {
            id: Some(ResaleAuthorizationId::new(id)),
            product: ProductId::new(product),
            reseller: account(reseller),
            name: id.to_owned(),
            description: String::new(),
            single_use: false,
            until: None,
            pricing: WholesalePricing::Terms(Box::new(terms)),
            buyer_accounts: Vec::new(),
        };
        let decided = decide::create_resale_authorization(self.market(), authorization, self.now());
        self.published(decided)
    }

    /// Releases an offer, of a reseller if an authorization is named.
    pub fn offer_of(
        &mut self,
        id: &str,
        product: &str,
        buyers: &[&str],
        accept_by: Option<&str>,
        terms: Terms,
        authorization: Option<&str>,
    ) -> &mut World {
        let accept_by = accept_by.map(|day| moment(&format!("{day}T00:00:00Z")).date());
        let resale_authorization = authorization.map(ResaleAuthorizationId::new);
        let offer = NewOffer { accept_by, resale_authorization, ..new_offer(id, product, buyers, terms) };
        let decided = decide::create_offer(self.market(), offer, self.now(), 0);
        self.published(decided)
    }

    /// Releases an offer on which a product is shown for free.
    pub fn demonstration(&mut self, id: &str, product: &str, usage: &[(&str, &str)]) -> &mut World {
        let program = Some("FieldDemonstration".to_owned());
        let offer = NewOffer { program, ..new_offer(id, product, &[], usage_terms(usage, &[])) };
        let decided = decide::create_offer(self.market(), offer, self.now(), 0);
        self.published(decided)
    }

    /// Changes prices of a public offer now.
    pub fn reprice(
        &mut self,
        offer: &str,
        usage: &[(&str, &str)],
        annual: &[(&str, &str)],
    ) -> Result<(), Rejection> {
        let card = || UpfrontRateCard { duration: ANNUAL, prices: prices(annual, PriceDecimals::Upfront) };
        let upfront = (!annual.is_empty()).then(card).into_iter().collect();
        let usage = prices(usage, PriceDecimals::Metered);
        let change = decide::change_prices(self.market(), &OfferId::new(offer), usage, upfront, self.now())?;
        self.change(change);
        Ok(())
    }
}

fn new_offer(id: &str, product: &str, buyers: &[&str], terms: Terms) -> NewOffer {
    NewOffer {
        id: Some(OfferId::new(id)),
        product: ProductId::new(product),
        name: id.to_owned(),
        buyer_accounts: buyers.iter().map(|buyer| account(buyer)).collect(),
        program: None,
        country_codes: Vec::new(),
        accept_by: None,
        renewal_kind: None,
        terms,
        resale_authorization: None,
    }
}

/// Usage prices, beside annual prices if there are any.
pub fn usage_terms(usage: &[(&str, &str)], annual: &[(&str, &str)]) -> Terms {
    let card = || UpfrontRateCard { duration: ANNUAL, prices: prices(annual, PriceDecimals::Upfront) };
    let upfront = || ConfigurableUpfront { currency: Currency::Usd, rate_cards: vec![card()] };
    Terms {
        usage_based: Some(UsageBased {
            currency: Currency::Usd,
            rate_card: prices(usage, PriceDecimals::Metered),
        }),
        configurable_upfront: (!annual.is_empty()).then(upfront),
        ..Terms::default()
    }
}
