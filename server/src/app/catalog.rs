//! What sellers publish.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use souk_core::catalog::{
    Account, Change, Dimension, Marketplace, NewOffer, NewProduct, NewResaleAuthorization, Offer,
    PriceChange, Product, ResaleAuthorization, decide,
};
use souk_core::ids::{AccountId, OfferId, ProductId, ResaleAuthorizationId, SandboxName};
use souk_core::rejection::{Broken, Code, Rejection};
use souk_core::terms::{RateCard, UpfrontRateCard, byol};

use super::Souk;
use crate::error::AppError;

fn another_change() -> AppError {
    AppError::Broken(Broken("a change became another one".to_owned()))
}

impl Souk {
    /// Adds an account, or changes one.
    pub async fn put_account(&self, name: &SandboxName, account: Account) -> Result<Account, AppError> {
        let decided = self.change(name, |market, _, _| decide::put_account(market, account)).await?;
        match decided.0 {
            Change::AccountPut(account) => Ok(account),
            _ => Err(another_change()),
        }
    }

    /// Publishes a product.
    pub async fn create_product(&self, name: &SandboxName, product: NewProduct) -> Result<Product, AppError> {
        let decided = self.change(name, |market, _, _| decide::create_product(market, product)).await?;
        match decided.0 {
            Change::ProductCreated(product) => Ok(product),
            _ => Err(another_change()),
        }
    }

    /// Adds dimensions to a product.
    pub async fn add_dimensions(
        &self,
        name: &SandboxName,
        product: ProductId,
        dimensions: Vec<Dimension>,
        prices: BTreeMap<OfferId, RateCard>,
    ) -> Result<Product, AppError> {
        let id = product.clone();
        let decide = move |market: &Marketplace, now, _| {
            decide::add_dimensions(market, &product, dimensions, prices, now)
        };
        self.change(name, decide).await?;
        Ok(self.market(name)?.product(&id, "productId")?.clone())
    }

    /// Lets a reseller sell a product.
    pub async fn create_resale_authorization(
        &self,
        name: &SandboxName,
        authorization: NewResaleAuthorization,
    ) -> Result<ResaleAuthorization, AppError> {
        let decide =
            |market: &Marketplace, now, _| decide::create_resale_authorization(market, authorization, now);
        match self.change(name, decide).await?.0 {
            Change::ResaleAuthorized(authorization) => Ok(authorization),
            _ => Err(another_change()),
        }
    }

    /// Ends the release of offers with an authorization.
    pub async fn restrict_resale_authorization(
        &self,
        name: &SandboxName,
        id: ResaleAuthorizationId,
    ) -> Result<ResaleAuthorization, AppError> {
        let restricted = id.clone();
        let decide = move |market: &Marketplace, now, _| {
            decide::restrict_resale_authorization(market, &restricted, now)
        };
        self.change(name, decide).await?;
        Ok(self.market(name)?.resale_authorization(&id, "resaleAuthorizationId")?.clone())
    }

    /// The authorizations that an account granted or holds; the operator (no account) sees all.
    pub fn resale_authorizations(
        &self,
        name: &SandboxName,
        viewer: Option<AccountId>,
        product: Option<&ProductId>,
    ) -> Result<Vec<ResaleAuthorization>, AppError> {
        let market = self.market(name)?;
        if let Some(viewer) = viewer {
            market.account(viewer, "accountId")?;
        }
        let granted = |authorization: &ResaleAuthorization| {
            market.products().get(&authorization.product).map(|product| product.seller)
        };
        let sees = |authorization: &&ResaleAuthorization| {
            viewer.is_none_or(|viewer| {
                authorization.reseller == viewer || granted(authorization) == Some(viewer)
            })
        };
        let wanted = |a: &&ResaleAuthorization| product.is_none_or(|product| a.product == *product);
        Ok(market.resale_authorizations().values().filter(wanted).filter(sees).cloned().collect())
    }

    /// Releases an offer.
    pub async fn create_offer(&self, name: &SandboxName, offer: NewOffer) -> Result<Offer, AppError> {
        let decide = |market: &Marketplace, now, _| {
            decide::create_offer(market, offer, now, market.rules.private_offer_propagation_micros)
        };
        let decided = self.change(name, decide).await?;
        match decided.0 {
            Change::OfferCreated(offer) => Ok(offer),
            _ => Err(another_change()),
        }
    }

    /// Changes prices of a public offer.
    pub async fn change_prices(
        &self,
        name: &SandboxName,
        offer: OfferId,
        usage: RateCard,
        upfront: Vec<UpfrontRateCard>,
    ) -> Result<PriceChange, AppError> {
        let decide = move |market: &_, now, _| decide::change_prices(market, &offer, usage, upfront, now);
        match self.change(name, decide).await?.0 {
            Change::PricesChanged { change, .. } => Ok(change),
            _ => Err(another_change()),
        }
    }

    /// An offer, if the account may see it; the operator (no account) sees all.
    pub fn offer(
        &self,
        name: &SandboxName,
        id: &OfferId,
        viewer: Option<AccountId>,
    ) -> Result<Offer, AppError> {
        let market = self.market(name)?;
        let offer = market.offer(id, "offerId")?;
        if let Some(viewer) = viewer {
            let account = market.account(viewer, "accountId")?;
            let is_seller = offer.seller(market.product(&offer.product, "offerId")?) == viewer;
            let now = self.now(&market);
            let payer = market.known_account(account.payer)?;
            if !is_seller && !offer.is_visible_to(account, payer, now) {
                let message =
                    format!("sandbox \"{name}\" has no offer \"{id}\" that account {viewer} may see");
                return Err(Rejection::new(Code::OfferUnknown, "offerId", message).into());
            }
        }
        Ok(offer.clone())
    }

    /// Until when the seller of an offer for which buyers bring their own licence must sell something for pay (A21).
    pub fn paid_listing_due(&self, name: &SandboxName, offer: &Offer) -> Result<Option<NaiveDate>, AppError> {
        Ok(byol::paid_listing_due(&*self.market(name)?, offer))
    }

    /// The offers that an account may see.
    pub fn offers(
        &self,
        name: &SandboxName,
        viewer: Option<AccountId>,
        product: Option<&ProductId>,
    ) -> Result<Vec<Offer>, AppError> {
        let market = self.market(name)?;
        let viewer = viewer.map(|id| market.account(id, "accountId")).transpose()?;
        let viewer = viewer.map(|account| Ok::<_, Broken>((account, market.known_account(account.payer)?)));
        let viewer = viewer.transpose()?;
        let now = self.now(&market);
        let sees = |offer: &&Offer| match viewer {
            None => true,
            Some((account, payer)) => {
                let product = market.products().get(&offer.product);
                let sells = product.is_some_and(|product| offer.seller(product) == account.id);
                sells || offer.is_visible_to(account, payer, now)
            }
        };
        let wanted = |offer: &&Offer| product.is_none_or(|product| offer.product == *product);
        Ok(market.offers().values().filter(wanted).filter(sees).cloned().collect())
    }
}
