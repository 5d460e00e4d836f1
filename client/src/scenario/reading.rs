//! What is known while a scenario is read: its errors, where one is, and the names that were given so far.

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::catalog::v1::Product;
use souk_proto::document::tree::{Content, Entry, Node};
use souk_proto::document::{self, DocumentError, DocumentErrors, Position};
use souk_proto::sandbox::v1::SandboxDocument;

use super::shape::Named;

/// A scenario while it is read.
#[derive(Debug, Default)]
pub struct Reading {
    /// What is wrong with it.
    pub errors: DocumentErrors,
    /// Names of the `names` map: what they stand for.
    pub given: BTreeMap<String, String>,
    /// What each name stands for: more than one thing, and nobody knows which.
    known: BTreeMap<Named, BTreeMap<String, BTreeSet<String>>>,
    path: String,
}

impl Reading {
    /// Notes what is wrong, and what would be right.
    pub fn error(&mut self, position: Position, problem: String, remedy: impl Into<String>) {
        let error = DocumentError { position, path: self.path.clone(), problem, remedy: remedy.into() };
        self.errors.push(error);
    }

    /// Takes over what is wrong with a message of the contract.
    pub fn take_errors(&mut self, errors: &DocumentErrors) {
        for error in errors.told() {
            let path = match (self.path.is_empty(), error.path.is_empty()) {
                (_, true) => self.path.clone(),
                (true, false) => error.path.clone(),
                (false, false) => format!("{}.{}", self.path, error.path),
            };
            self.errors.push(DocumentError { path, ..error.clone() });
        }
    }

    /// Notes that a value is not what its key takes.
    pub fn unexpected(&mut self, node: &Node, what: &str, remedy: &str) {
        match &node.content {
            Content::Refused(refusal) => {
                self.error(node.position, refusal.problem.clone(), refusal.remedy);
            }
            content => {
                let problem = format!("expected {what}, found {}", document::found(content));
                self.error(node.position, problem, remedy);
            }
        }
    }

    /// Notes that a key is not one of those that stand here.
    pub fn unknown_key(&mut self, entry: &Entry, key: &str, known: &[&str]) {
        let remedy = document::suggest::remedy(key, known, "keys");
        self.error(entry.key.position, format!("unknown key {}", document::shown(key)), remedy);
    }

    /// Notes that a key stands twice.
    pub fn twice(&mut self, entry: &Entry, key: &str) {
        self.error(
            entry.key.position,
            format!("{} is given twice", document::shown(key)),
            "keep one of them",
        );
    }

    /// The text of a key.
    pub fn key<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        if let Content::Scalar(scalar) = &node.content {
            return Some(&scalar.text);
        }
        self.unexpected(node, "a key", "write it as text");
        None
    }

    /// Reads below a key.
    pub fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !key.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(key);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// Remembers that something has a name from here on: its id, or whatever tells it from others.
    pub fn know(&mut self, kind: Named, name: &str, id: &str) {
        if !name.is_empty() {
            let known = self.known.entry(kind).or_default();
            known.entry(name.to_owned()).or_default().insert(id.to_owned());
        }
    }

    /// Remembers that the public offer of a product is called like the product, unless an offer has that name.
    fn know_public_offer(&mut self, product: &str) {
        if !product.is_empty() {
            self.known.entry(Named::Offer).or_default().entry(product.to_owned()).or_default();
        }
    }

    /// Remembers a product and its public offer.
    pub fn know_product(&mut self, product: &Product, id: &str) {
        self.know(Named::Product, &product.title, id);
        self.know_public_offer(&product.title);
        self.know_public_offer(&product.product_id);
    }

    /// Remembers what a sandbox document names.
    pub fn know_document(&mut self, document: &SandboxDocument) {
        for account in &document.accounts {
            self.know(Named::Account, &account.company_name, &account.account_id);
        }
        for (index, product) in document.products.iter().enumerate() {
            self.know_product(product, &index.to_string());
        }
        for (index, authorization) in document.resale_authorizations.iter().enumerate() {
            self.know(Named::ResaleAuthorization, &authorization.name, &index.to_string());
        }
        for (index, offer) in document.offers.iter().enumerate() {
            self.know(Named::Offer, &offer.name, &index.to_string());
        }
    }

    /// Whether a text names something of a kind: an id, or a name that was given.
    pub fn is_name(&self, kind: Named, text: &str) -> bool {
        kind.is_id(text)
            || self.given.contains_key(text)
            || self.known.get(&kind).is_some_and(|known| known.contains_key(text))
    }

    /// Notes when a text names nothing, or several things.
    pub fn check_name(&mut self, position: Position, kind: Named, text: &str) {
        if self.is_name(kind, text) {
            let things = self.known.get(&kind).and_then(|known| known.get(text)).map_or(0, BTreeSet::len);
            if things > 1 && !kind.is_id(text) && !self.given.contains_key(text) {
                let problem = format!("{} is the name of {things} {}", document::shown(text), kind.plural());
                self.error(position, problem, "write the id of the one you mean, or give each its own name");
            }
            return;
        }
        let of_kind = |(_, id): &(&String, &String)| kind.is_id(id);
        let given = self.given.iter().filter(of_kind).map(|(name, _)| name.as_str());
        let known = self.known.get(&kind).into_iter().flatten().map(|(name, _)| name.as_str());
        let names: Vec<&str> = given.chain(known).collect();
        let remedy = match names.is_empty() {
            true => "write its id; nothing has a name yet".to_owned(),
            false => document::suggest::remedy(text, &names, "names"),
        };
        let problem =
            format!("{} is neither the id nor the name of {}", document::shown(text), kind.article());
        self.error(position, problem, remedy);
    }
}
