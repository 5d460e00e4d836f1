//! What was not metered, and why: the last refusals of each sandbox, in memory alone. Nothing is decided by them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use dashmap::DashMap;
use souk_core::catalog::Marketplace;
use souk_core::catalog::account::customer_identifier;
use souk_core::ids::{AccountId, LicenseArn, SandboxName};
use souk_core::time::{BillingMonth, Timestamp};

use super::Souk;
use crate::error::AppError;

/// Refusals of a sandbox that are kept at most.
pub const KEPT_MAX: usize = 10_000;
/// Bytes of a text that a record says at most.
const TEXT_BYTES_MAX: usize = 255;
/// Bytes of a reason at most.
const MESSAGE_BYTES_MAX: usize = 800;

/// What a record says, as far as it can be read; empty texts: it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedRecord {
    /// The product's code.
    pub product_code: String,
    /// The customer's account.
    pub account: String,
    /// The customer's legacy identifier.
    pub identifier: String,
    /// The licence.
    pub licence: String,
    /// The dimension.
    pub dimension: String,
    /// When it was used.
    pub timestamp: Option<Timestamp>,
    /// How much.
    pub quantity: String,
}

/// Why a record was not metered.
#[derive(Debug, Clone)]
pub struct Reason {
    code: Arc<str>,
    message: Arc<str>,
}

impl Reason {
    /// A code and a text for people, which is cut when it is long.
    pub fn new(code: &str, message: &str) -> Reason {
        Reason { code: code.into(), message: cut(message.to_owned(), MESSAGE_BYTES_MAX).into() }
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The hour was metered before, by the record of this id.
    pub fn duplicate(code: &str, id: &str) -> Reason {
        Reason::new(code, &format!("the hour was metered before: the record {id} stands"))
    }

    /// What was told before contradicts it: a run of the same resource that overlaps it, or a call of its name.
    pub fn told_otherwise(code: &str, id: &str) -> Reason {
        Reason::new(code, &format!("what was told before is at odds with it, and stands in the record {id}"))
    }

    /// No agreement covers the record.
    pub fn not_subscribed(code: &str) -> Reason {
        Reason::new(code, "no agreement of the customer covers the record")
    }

    /// The record was not processed this time.
    pub fn unprocessed(code: &str) -> Reason {
        Reason::new(
            code,
            "its month closed on the way, its partition failed, or a fault kept it back: send it again",
        )
    }
}

/// A record that was not metered.
#[derive(Debug)]
pub struct RefusedRecord {
    /// Its number in the sandbox, from 0.
    pub number: u64,
    /// When it was received, in the sandbox's time.
    pub received: Timestamp,
    /// By which operation.
    pub operation: &'static str,
    /// What was answered.
    pub code: Arc<str>,
    /// Why.
    pub message: Arc<str>,
    /// The record.
    pub record: NamedRecord,
}

/// Which refusals are listed; what is none takes all.
#[derive(Debug, Clone, Default)]
pub struct RefusedFilter {
    /// Only of the product of this code, as named.
    pub product_code: Option<String>,
    /// Only of this buyer, by whatever name.
    pub buyer: Option<AccountId>,
    /// Only of this dimension, as named.
    pub dimension: Option<String>,
    /// Only stamped with a time of this month.
    pub month: Option<BillingMonth>,
}

/// The last refusals of one sandbox, oldest first.
#[derive(Default)]
struct Ring {
    next: u64,
    kept: VecDeque<Arc<RefusedRecord>>,
}

/// The last refusals of every sandbox.
#[derive(Default)]
pub struct Refusals {
    rings: DashMap<SandboxName, Ring>,
}

impl Refusals {
    /// Forgets those of a sandbox.
    pub fn forget(&self, name: &SandboxName) {
        self.rings.remove(name);
    }

    fn add(
        &self,
        name: &SandboxName,
        received: Timestamp,
        operation: &'static str,
        refused: Vec<(Reason, NamedRecord)>,
    ) {
        let mut ring = self.rings.entry(name.clone()).or_default();
        for (Reason { code, message }, record) in refused {
            if ring.kept.len() >= KEPT_MAX {
                ring.kept.pop_front();
            }
            let number = ring.next;
            ring.next += 1;
            ring.kept.push_back(Arc::new(RefusedRecord {
                number,
                received,
                operation,
                code,
                message,
                record,
            }));
        }
    }

    fn newest_first(&self, name: &SandboxName) -> Vec<Arc<RefusedRecord>> {
        let ring = self.rings.get(name);
        ring.map(|ring| ring.kept.iter().rev().cloned().collect()).unwrap_or_default()
    }
}

impl Souk {
    /// Keeps what an operation refused of one request, the first ten thousand records of it.
    pub fn note_refused(
        &self,
        name: &SandboxName,
        operation: &'static str,
        refused: impl IntoIterator<Item = (Reason, NamedRecord)>,
    ) {
        let Ok(market) = self.market(name) else { return };
        let refused = refused.into_iter().take(KEPT_MAX).map(|(reason, record)| (reason, record.cut()));
        self.refusals.add(name, self.now(&market), operation, refused.collect());
        // A sandbox that was deleted meanwhile leaves nothing behind.
        if self.market(name).is_err() {
            self.refusals.forget(name);
        }
    }

    /// The last refusals, newest first.
    pub fn refused_records(
        &self,
        name: &SandboxName,
        filter: &RefusedFilter,
    ) -> Result<Vec<Arc<RefusedRecord>>, AppError> {
        let market = self.market(name)?;
        let buyer = filter.buyer.map(|buyer| (buyer, names_of(&market, buyer)));
        let mut refused = self.refusals.newest_first(name);
        refused.retain(|refused| {
            let record = &refused.record;
            filter.product_code.as_ref().is_none_or(|code| *code == record.product_code)
                && filter.dimension.as_ref().is_none_or(|dimension| *dimension == record.dimension)
                && filter.month.is_none_or(|m| record.timestamp.map(BillingMonth::containing) == Some(m))
                && buyer.as_ref().is_none_or(|(buyer, names)| self.is_of(name, record, *buyer, names))
        });
        Ok(refused)
    }

    /// Whether a record names this buyer, who has these names.
    fn is_of(
        &self,
        name: &SandboxName,
        record: &NamedRecord,
        buyer: AccountId,
        names: &BTreeSet<String>,
    ) -> bool {
        let by_licence = || {
            let licence = Some(&record.licence).filter(|licence| !licence.is_empty());
            let entry = licence.and_then(|licence| self.licence(name, &LicenseArn::new(licence)));
            entry.is_some_and(|entry| entry.buyer == buyer)
        };
        names.contains(&record.account) || names.contains(&record.identifier) || by_licence()
    }
}

/// What records may call a buyer, beside licences.
fn names_of(market: &Marketplace, buyer: AccountId) -> BTreeSet<String> {
    let identifiers = market.products().values().map(|product| customer_identifier(product.seller, buyer));
    identifiers.chain([buyer.to_string()]).collect()
}

impl NamedRecord {
    fn cut(self) -> NamedRecord {
        let cut = |text| cut(text, TEXT_BYTES_MAX);
        NamedRecord {
            product_code: cut(self.product_code),
            account: cut(self.account),
            identifier: cut(self.identifier),
            licence: cut(self.licence),
            dimension: cut(self.dimension),
            timestamp: self.timestamp,
            quantity: cut(self.quantity),
        }
    }
}

/// Cuts a text that a request made too long, at a character and visibly.
fn cut(mut text: String, bytes_max: usize) -> String {
    const MARK: &str = "...";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - MARK.len()));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> (Reason, NamedRecord) {
        (Reason::new("CODE", message), NamedRecord::default())
    }

    #[test]
    fn the_last_are_kept_newest_first_and_forgotten_with_their_sandbox() {
        let refusals = Refusals::default();
        let [one, other] = ["one", "other"].map(SandboxName::new);
        for number in 0..KEPT_MAX + 2 {
            refusals.add(&one, Timestamp::MIN, "A", vec![refused(&number.to_string())]);
        }
        refusals.add(&other, Timestamp::MIN, "B", vec![refused("x"), refused("y")]);
        let kept = refusals.newest_first(&one);
        assert_eq!(kept.len(), KEPT_MAX);
        assert_eq!(kept.first().map(|refused| &*refused.message), Some("10001"));
        assert_eq!(kept.last().map(|refused| (refused.number, &*refused.message)), Some((2, "2")));
        refusals.forget(&one);
        let left = [&one, &other].map(|name| refusals.newest_first(name).len());
        assert_eq!(left, [0, 2]);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let record = NamedRecord { dimension: "ä".repeat(300), ..NamedRecord::default() };
        let cut_record = record.cut();
        assert_eq!(cut_record.dimension, format!("{}...", "ä".repeat(126)));
        assert_eq!(Reason::new("CODE", &"x".repeat(1_000)).message.len(), MESSAGE_BYTES_MAX);
    }
}
