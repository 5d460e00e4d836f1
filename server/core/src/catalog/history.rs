//! When what is published was published: accounts with all that they were, products, and dimensions that offers got.
//! It follows from the control log, and is what feeds with a history are told from.

use std::collections::BTreeMap;

use super::{Account, Change};
use crate::ids::{AccountId, OfferId, ProductId};
use crate::time::Timestamp;

/// What was published when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogHistory {
    accounts: BTreeMap<AccountId, Vec<(Timestamp, Account)>>,
    products: BTreeMap<ProductId, Timestamp>,
    grown: BTreeMap<OfferId, Vec<Timestamp>>,
}

impl CatalogHistory {
    /// Notes what changed at a time of the sandbox; times come in order.
    pub fn note(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::AccountPut(account) => {
                let versions = self.accounts.entry(account.id).or_default();
                if versions.last().is_none_or(|(_, last)| last != account) {
                    versions.push((at, account.clone()));
                }
            }
            Change::ProductCreated(product) => {
                self.products.insert(product.id.clone(), at);
            }
            Change::DimensionsAdded { prices, .. } => {
                for offer in prices.keys() {
                    self.grown.entry(offer.clone()).or_default().push(at);
                }
            }
            // What it is, and when it was released or changed, says an offer itself.
            Change::OfferCreated(_)
            | Change::PricesChanged { .. }
            | Change::ResaleAuthorized(_)
            | Change::ResaleRestricted { .. }
            | Change::ClockSet(_)
            | Change::FaultsSet(_)
            | Change::PublicKeysSet(_) => {}
        }
    }

    /// What an account was from when on, oldest first.
    pub fn account(&self, id: AccountId) -> &[(Timestamp, Account)] {
        self.accounts.get(&id).map_or(&[], Vec::as_slice)
    }

    /// When a product was published.
    pub fn published_at(&self, id: &ProductId) -> Option<Timestamp> {
        self.products.get(id).copied()
    }

    /// When an offer got prices of further dimensions, in order.
    pub fn grown_at(&self, id: &OfferId) -> &[Timestamp] {
        self.grown.get(id).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_version_for_each_change_of_it() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let id = AccountId::from_number(1).unwrap();
        let mut history = CatalogHistory::default();
        let mut account = Account::nameless(id, id);
        history.note(&Change::AccountPut(account.clone()), at("2025-01-01T00:00:00Z"));
        history.note(&Change::AccountPut(account.clone()), at("2025-02-01T00:00:00Z"));
        account.company_name = "Acme".to_owned();
        history.note(&Change::AccountPut(account), at("2025-03-01T00:00:00Z"));
        let told: Vec<_> =
            history.account(id).iter().map(|(at, a)| (at.to_string(), a.company_name.clone())).collect();
        let expected = [
            ("2025-01-01T00:00:00Z".to_owned(), String::new()),
            ("2025-03-01T00:00:00Z".into(), "Acme".into()),
        ];
        assert_eq!(told, expected);
        assert_eq!(history.account(AccountId::from_number(2).unwrap()), []);
    }
}
