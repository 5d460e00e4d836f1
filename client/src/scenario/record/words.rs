//! Names and YAML of recorded scenarios.

use std::collections::BTreeMap;

use souk_proto::account::v1::Account;
use souk_proto::agreement::v1::Agreement;
use souk_proto::catalog::v1::Product;
use souk_proto::document;
use souk_proto::sandbox::v1::sandbox_event::Event;
use souk_proto::sandbox::v1::{AgreementOrigin, SandboxEvent};

/// What things are called: by their names where no two have the same.
#[derive(Debug, Default)]
pub struct Names {
    accounts: BTreeMap<String, String>,
    products: BTreeMap<String, String>,
    agreements: BTreeMap<String, String>,
    licences: BTreeMap<String, String>,
}

impl Names {
    /// Finds names.
    pub fn new(
        accounts: &[Account],
        products: &[Product],
        agreements: &[Agreement],
        events: &[SandboxEvent],
    ) -> Names {
        let mut names = Names::default();
        let companies = accounts.iter().map(|account| (&account.account_id, &account.company_name));
        names.accounts = unique(companies);
        let titles = products.iter().map(|product| (&product.product_id, &product.title));
        let by_id = unique(titles);
        for product in products {
            if let Some(title) = by_id.get(&product.product_id) {
                names.products.insert(product.product_id.clone(), title.clone());
                names.products.insert(product.product_code.clone(), title.clone());
            }
        }
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for event in events {
            let Some(Event::AgreementAccepted(accepted)) = &event.event else { continue };
            if accepted.origin() != AgreementOrigin::Accepted {
                continue;
            }
            let words = format!(
                "{} {}",
                names.account(&accepted.buyer_account_id),
                names.product(&accepted.product_id)
            );
            let slug = slug(&words);
            let number = taken.entry(slug.clone()).or_default();
            *number += 1;
            let name = if *number == 1 { slug } else { format!("{slug}-{number}") };
            names.agreements.insert(accepted.agreement_id.clone(), name);
        }
        for agreement in agreements {
            let called = names.agreement(&agreement.agreement_id).to_owned();
            names.licences.entry(agreement.license_arn.clone()).or_insert(called);
        }
        names
    }

    /// An account's name, or its id.
    pub fn account<'n>(&'n self, id: &'n str) -> &'n str {
        self.accounts.get(id).map_or(id, String::as_str)
    }

    /// A product's title, or its id or code.
    pub fn product<'n>(&'n self, id: &'n str) -> &'n str {
        self.products.get(id).map_or(id, String::as_str)
    }

    /// An agreement's name in the scenario, or its id.
    pub fn agreement<'n>(&'n self, id: &'n str) -> &'n str {
        self.agreements.get(id).map_or(id, String::as_str)
    }

    /// The name or id of the first agreement of a licence.
    pub fn licence<'n>(&'n self, arn: &'n str) -> &'n str {
        self.licences.get(arn).map_or(arn, String::as_str)
    }
}

/// Names by id, without those that two have, or that are none.
fn unique<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (id, name) in pairs {
        by_name.entry(name).or_default().push(id);
    }
    let of_one = by_name.into_iter().filter_map(|(name, ids)| match ids.as_slice() {
        [only] if !name.is_empty() => Some(((*only).clone(), name.clone())),
        _ => None,
    });
    of_one.collect()
}

fn slug(words: &str) -> String {
    let parts = words.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// Moves lines to the right.
pub fn indented(by: usize, text: &str) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// A list's item whose keys stand below each other.
pub fn item(keys: &str) -> String {
    let mut lines = keys.lines();
    let first = lines.next().map(|line| format!("- {line}\n")).unwrap_or_default();
    first + &lines.map(|line| format!("  {line}\n")).collect::<String>()
}

/// `{a: 1, b: two}`; what is empty is left out.
pub fn flow(pairs: &[(&str, String)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<_> = said.map(|(key, value)| format!("{}: {value}", document::yaml_text(key))).collect();
    format!("{{{}}}", said.join(", "))
}

/// A text that may stand in a flow mapping.
pub fn flow_text(text: &str) -> String {
    let written = document::yaml_text(text);
    if !written.starts_with('"') && written.contains([',', '[', ']', '{', '}']) {
        format!("\"{text}\"")
    } else {
        written
    }
}

/// A mapping of numbers in flow.
pub fn flow_numbers<V: ToString>(numbers: impl IntoIterator<Item = (String, V)>) -> String {
    let numbers: Vec<_> = numbers
        .into_iter()
        .map(|(key, number)| format!("{}: {}", flow_text(&key), number.to_string()))
        .collect();
    if numbers.is_empty() { String::new() } else { format!("{{{}}}", numbers.join(", ")) }
}
