//! The published state of one sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Account, Change, Clock, FaultRule, Offer, OfferVisibility, Product, PublicKeyVersion, ResaleAuthorization,
};
use crate::ids::{AccountId, OfferId, ProductCode, ProductId, ResaleAuthorizationId, SandboxName};
use crate::rejection::{Broken, Code, Rejection};
use crate::rules::Rules;
use crate::time::Timestamp;

/// Accounts, products, offers, rules and clock. Every partition holds the same, as of the control entry it
/// has followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marketplace {
    /// The sandbox.
    pub name: SandboxName,
    /// What it is for.
    pub description: String,
    /// Its rules.
    pub rules: Rules,
    /// Its clock.
    pub clock: Clock,
    /// The faults of its AWS port.
    pub faults: Arc<[FaultRule]>,
    /// The versions of the key that signs what RegisterUsage answers, by their numbers.
    pub public_keys: Arc<[PublicKeyVersion]>,
    // Shared, so that publishing a copy of a large catalog is cheap.
    accounts: Arc<BTreeMap<AccountId, Account>>,
    products: Arc<BTreeMap<ProductId, Product>>,
    product_codes: Arc<BTreeMap<ProductCode, ProductId>>,
    offers: Arc<BTreeMap<OfferId, Offer>>,
    public_offers: Arc<BTreeMap<ProductId, OfferId>>,
    resale_authorizations: Arc<BTreeMap<ResaleAuthorizationId, ResaleAuthorization>>,
    access_keys: Arc<BTreeMap<String, AccountId>>,
    payers: Arc<BTreeSet<AccountId>>,
}

impl Marketplace {
    /// An empty one whose time begins at `began`.
    pub fn new(name: SandboxName, description: String, rules: Rules, began: Timestamp) -> Marketplace {
        Marketplace {
            name,
            description,
            rules,
            clock: Clock::Stopped(began),
            faults: Arc::default(),
            public_keys: Arc::new([PublicKeyVersion::FIRST]),
            accounts: Arc::default(),
            products: Arc::default(),
            product_codes: Arc::default(),
            offers: Arc::default(),
            public_offers: Arc::default(),
            resale_authorizations: Arc::default(),
            access_keys: Arc::default(),
            payers: Arc::default(),
        }
    }

    /// The accounts by number.
    pub fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.accounts
    }

    /// The products by id.
    pub fn products(&self) -> &BTreeMap<ProductId, Product> {
        &self.products
    }

    /// The offers by id.
    pub fn offers(&self) -> &BTreeMap<OfferId, Offer> {
        &self.offers
    }

    /// The resale authorizations by id.
    pub fn resale_authorizations(&self) -> &BTreeMap<ResaleAuthorizationId, ResaleAuthorization> {
        &self.resale_authorizations
    }

    /// An account that a request names in `field`.
    pub fn account(&self, id: AccountId, field: &str) -> Result<&Account, Rejection> {
        self.accounts.get(&id).ok_or_else(|| {
            let message = format!("sandbox \"{}\" has no account {id}: add it first", self.name);
            Rejection::new(Code::AccountUnknown, field, message)
        })
    }

    /// A product that a request names in `field`.
    pub fn product(&self, id: &ProductId, field: &str) -> Result<&Product, Rejection> {
        self.products.get(id).ok_or_else(|| {
            let message = format!("sandbox \"{}\" has no product \"{id}\": list its products", self.name);
            Rejection::new(Code::ProductUnknown, field, message)
        })
    }

    /// The product of a code.
    pub fn product_by_code(&self, code: &ProductCode) -> Option<&Product> {
        self.product_codes.get(code).and_then(|id| self.products.get(id))
    }

    /// An offer that a request names in `field`.
    pub fn offer(&self, id: &OfferId, field: &str) -> Result<&Offer, Rejection> {
        self.offers.get(id).ok_or_else(|| {
            let message = format!("sandbox \"{}\" has no offer \"{id}\": list its offers", self.name);
            Rejection::new(Code::OfferUnknown, field, message)
        })
    }

    /// A resale authorization that a request names in `field`.
    pub fn resale_authorization(
        &self,
        id: &ResaleAuthorizationId,
        field: &str,
    ) -> Result<&ResaleAuthorization, Rejection> {
        self.resale_authorizations.get(id).ok_or_else(|| {
            let message = format!(
                "sandbox \"{}\" has no resale authorization \"{id}\" (J1): list its authorizations",
                self.name
            );
            Rejection::new(Code::ResaleAuthorizationUnknown, field, message)
        })
    }

    /// The public offer of a product.
    pub fn public_offer(&self, product: &ProductId) -> Option<&Offer> {
        self.public_offers.get(product).and_then(|id| self.offers.get(id))
    }

    /// The account that signs with an access key.
    pub fn access_key_owner(&self, key_id: &str) -> Option<&Account> {
        self.access_keys.get(key_id).and_then(|id| self.accounts.get(id))
    }

    /// Whether any account has an access key.
    pub fn has_access_keys(&self) -> bool {
        !self.access_keys.is_empty()
    }

    /// Whether other accounts' charges go to this one's bill.
    pub fn pays_for_others(&self, id: AccountId) -> bool {
        self.payers.contains(&id)
    }

    /// The offer of an agreement or an invoice: it was there when that was made.
    pub fn known_offer(&self, id: &OfferId) -> Result<&Offer, Broken> {
        self.offers.get(id).ok_or_else(|| Broken(format!("offer {id} of an agreement is not in the catalog")))
    }

    /// The product of an agreement or an invoice: it was there when that was made.
    pub fn known_product(&self, id: &ProductId) -> Result<&Product, Broken> {
        self.products
            .get(id)
            .ok_or_else(|| Broken(format!("product {id} of an agreement is not in the catalog")))
    }

    /// The account of an agreement or an invoice: it was there when that was made.
    pub fn known_account(&self, id: AccountId) -> Result<&Account, Broken> {
        self.accounts
            .get(&id)
            .ok_or_else(|| Broken(format!("account {id} of an agreement is not in the sandbox")))
    }

    /// Applies a change that was decided; it may not fail.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::AccountPut(account) => {
                let keys = Arc::make_mut(&mut self.access_keys);
                for key in self.accounts.get(&account.id).into_iter().flat_map(|old| &old.access_keys) {
                    keys.remove(&key.id);
                }
                keys.extend(account.access_keys.iter().map(|key| (key.id.clone(), account.id)));
                if account.payer != account.id {
                    Arc::make_mut(&mut self.payers).insert(account.payer);
                }
                Arc::make_mut(&mut self.accounts).insert(account.id, account.clone());
            }
            Change::ProductCreated(product) => {
                Arc::make_mut(&mut self.product_codes).insert(product.code.clone(), product.id.clone());
                Arc::make_mut(&mut self.products).insert(product.id.clone(), product.clone());
            }
            Change::DimensionsAdded { product, dimensions, prices } => {
                if let Some(product) = Arc::make_mut(&mut self.products).get_mut(product) {
                    product.dimensions.extend(dimensions.iter().cloned());
                }
                for (offer, rates) in prices {
                    let usage = Arc::make_mut(&mut self.offers)
                        .get_mut(offer)
                        .and_then(|o| o.terms.usage_based.as_mut());
                    if let Some(usage) = usage {
                        usage.rate_card.extend(rates.clone());
                    }
                }
            }
            Change::OfferCreated(offer) => {
                if offer.visibility() == OfferVisibility::Public {
                    Arc::make_mut(&mut self.public_offers).insert(offer.product.clone(), offer.id.clone());
                }
                Arc::make_mut(&mut self.offers).insert(offer.id.clone(), offer.clone());
            }
            Change::ResaleAuthorized(authorization) => {
                Arc::make_mut(&mut self.resale_authorizations)
                    .insert(authorization.id.clone(), authorization.clone());
            }
            Change::ResaleRestricted { authorization, at } => {
                if let Some(authorization) =
                    Arc::make_mut(&mut self.resale_authorizations).get_mut(authorization)
                {
                    authorization.restricted_at = Some(*at);
                }
            }
            Change::PricesChanged { offer, change } => {
                if let Some(offer) = Arc::make_mut(&mut self.offers).get_mut(offer) {
                    offer.price_changes.push(change.clone());
                }
            }
            Change::ClockSet(clock) => self.clock = *clock,
            Change::FaultsSet(rules) => self.faults = rules.clone(),
            Change::PublicKeysSet(versions) => self.public_keys = versions.clone(),
        }
    }
}
