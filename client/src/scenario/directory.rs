//! What names stand for while a scenario is played: those that it gives, and those of the sandbox.

use std::collections::BTreeMap;

use souk_client::{ClientError, OfferFilter, SoukClient};
use souk_proto::account::v1::Account;
use souk_proto::agreement::v1::Agreement;
use souk_proto::catalog::v1::{Offer, Product, ResaleAuthorization};

/// The names of a sandbox.
#[derive(Debug, Default)]
pub struct Directory {
    given: BTreeMap<String, String>,
    accounts: Vec<Account>,
    products: Vec<Product>,
    offers: Vec<Offer>,
    authorizations: Vec<ResaleAuthorization>,
    agreements: BTreeMap<String, Agreement>,
}

impl Directory {
    /// Begins with the names of a scenario's `names` map.
    pub fn new(given: BTreeMap<String, String>) -> Directory {
        Directory { given, ..Directory::default() }
    }

    /// Looks up what the sandbox holds now.
    pub async fn refresh(&mut self, client: &SoukClient, sandbox: &str) -> Result<(), ClientError> {
        self.accounts = client.all_accounts(sandbox).await?;
        self.products = client.all_products(sandbox).await?;
        self.offers = client.all_offers(sandbox, &OfferFilter::default()).await?;
        self.authorizations = client.all_resale_authorizations(sandbox, &OfferFilter::default()).await?;
        Ok(())
    }

    /// Gives an agreement a name.
    pub fn name_agreement(&mut self, name: &str, agreement: Agreement) {
        self.agreements.insert(name.to_owned(), agreement);
    }

    /// The account of a name; what is no name is an id.
    pub fn account(&self, text: &str) -> String {
        let text = self.given(text);
        let found = self.accounts.iter().find(|account| !text.is_empty() && account.company_name == text);
        found.map_or(text, |account| &account.account_id).to_owned()
    }

    /// The product of a name, a code or an id.
    pub fn product(&self, text: &str) -> Option<&Product> {
        let text = self.given(text);
        let is = |product: &&Product| product.product_id == text || product.product_code == text;
        self.products.iter().find(is).or_else(|| self.products.iter().find(|product| product.title == text))
    }

    /// The offer of a name or an id; the public offer of a product by the product's.
    pub fn offer(&self, text: &str) -> String {
        let given = self.given(text);
        let named = |offer: &&Offer| offer.offer_id == given || (!given.is_empty() && offer.name == given);
        if let Some(offer) = self.offers.iter().find(named) {
            return offer.offer_id.clone();
        }
        let product = self.product(given).map(|product| product.product_id.as_str());
        let public =
            |offer: &&Offer| Some(offer.product_id.as_str()) == product && offer.buyer_account_ids.is_empty();
        self.offers.iter().find(public).map_or(given, |offer| &offer.offer_id).to_owned()
    }

    /// The resale authorization of a name; what is no name is an id.
    pub fn resale_authorization(&self, text: &str) -> String {
        let text = self.given(text);
        let found = self.authorizations.iter().find(|found| !text.is_empty() && found.name == text);
        found.map_or(text, |found| &found.resale_authorization_id).to_owned()
    }

    /// The agreement that a step named.
    pub fn agreement(&self, text: &str) -> Option<&Agreement> {
        self.agreements.get(self.given(text))
    }

    /// The products of the sandbox.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Everything that a text may stand for.
    pub fn meanings(&self, text: &str) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut meanings = vec![self.account(text), self.offer(text), self.resale_authorization(text)];
        if let Some(product) = self.product(text) {
            meanings.extend([product.product_id.clone(), product.product_code.clone()]);
        }
        if let Some(agreement) = self.agreement(text) {
            meanings.extend([agreement.agreement_id.clone(), agreement.license_arn.clone()]);
        }
        meanings
    }

    fn given<'t>(&'t self, text: &'t str) -> &'t str {
        self.given.get(text).map_or(text, String::as_str)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A directory in which acme is an account.
    pub fn with_acme() -> Directory {
        Directory::new([("acme".to_owned(), "111111111111".to_owned())].into())
    }
}
