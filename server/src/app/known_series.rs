//! What usage records name, found once: from the bytes of their names to a series' place.
//!
//! A record's first way is the slow one, through every check that a request may fail. When it was taken, durably,
//! its names are kept here with the series that it went to, and the next record of the same names needs no texts
//! and no look-up in the partition. Nothing is decided here: what is not found takes the slow way again.
//!
//! Everything is forgotten when something but the clock changes in what is published, see
//! [`PublishedSandboxes`](crate::control::PublishedSandboxes); a partition's series when it says that its handles
//! are of another generation.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use souk_core::ids::{DimensionKey, ProductCode, Region};
use souk_core::metering::Customer;

/// Tags of a usage record's fields on the wire, which are the names' form here.
pub mod tag {
    /// The customer's account.
    pub const ACCOUNT: u8 = 2 << 3 | 2;
    /// The customer's legacy identifier.
    pub const IDENTIFIER: u8 = 3 << 3 | 2;
    /// The dimension.
    pub const DIMENSION: u8 = 5 << 3 | 2;
}

/// Where the hours of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The hash that the ids of its records begin with.
    pub hash: u128,
    /// Its handle in its partition.
    pub handle: u32,
    /// The number of its partition.
    pub partition: u32,
}

/// The names of one product code and region. They lie one after the other as they were learned, beside a table of
/// their numbers: clients mostly send their records in the same order hour after hour, so that the next names are
/// those that lie behind the last ones, and nothing is hashed.
#[derive(Debug, Default)]
struct Scope {
    texts: Vec<u8>,
    entries: Vec<Entry>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

/// Names and what they mean.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where in the texts they begin, and how long they are.
    start: u64,
    length: u32,
    place: Place,
}

impl Scope {
    fn text(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        self.texts.get(start..start + entry.length as usize).unwrap_or_default()
    }

    fn is(&self, number: u32, names: &[u8]) -> bool {
        self.entries.get(number as usize).is_some_and(|entry| self.text(entry) == names)
    }

    fn find(&self, names: &[u8]) -> Option<u32> {
        self.numbers.find(self.hasher.hash_one(names), |&number| self.is(number, names)).copied()
    }

    fn learn(&mut self, names: &[u8], place: Place) {
        let known = self.find(names).and_then(|number| self.entries.get_mut(number as usize));
        if let Some(entry) = known {
            entry.place = place;
            return;
        }
        // Every series has a few names, and there are fewer than 2^32 series.
        let number = self.entries.len() as u32;
        let entry = Entry { start: self.texts.len() as u64, length: names.len() as u32, place };
        self.texts.extend_from_slice(names);
        self.entries.push(entry);
        let Scope { texts, entries, numbers, hasher } = self;
        let hash_of = |&number: &u32| {
            let entry = entries.get(number as usize);
            let range = entry.map(|e| e.start as usize..e.start as usize + e.length as usize);
            hasher.hash_one(range.and_then(|range| texts.get(range)).unwrap_or_default())
        };
        numbers.insert_unique(hasher.hash_one(names), number, hash_of);
    }
}

/// What is known.
#[derive(Debug, Default)]
struct Known {
    scopes: HashMap<Box<[u8]>, Scope, RandomState>,
    /// By partition: of which generation the handles are.
    generations: Vec<Option<u64>>,
}

/// The series that records of one sandbox named before.
#[derive(Debug, Default)]
pub struct KnownSeries {
    known: RwLock<Known>,
}

/// What is known of one product code and region, while it is looked at.
pub struct Reading<'a> {
    known: RwLockReadGuard<'a, Known>,
    scope: Box<[u8]>,
}

impl KnownSeries {
    /// What is known of a product code and a region; nothing learns anything meanwhile.
    pub fn read(&self, product_code: &[u8], region: &[u8]) -> Reading<'_> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Reading { known, scope: scope_key(product_code, region) }
    }

    /// Keeps names of a product code and a region whose series are in one partition, under handles of a generation.
    pub fn learn(
        &self,
        product_code: &ProductCode,
        region: &Region,
        generation: (u32, u64),
        names: impl IntoIterator<Item = (Box<[u8]>, Place)>,
    ) {
        let (partition, generation) = generation;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let index = partition as usize;
        if known.generations.len() <= index {
            known.generations.resize(index + 1, None);
        }
        let before = known.generations.get_mut(index).and_then(|slot| slot.replace(generation));
        if before.is_some_and(|before| before != generation) {
            known.scopes.clear();
        }
        let key = scope_key(product_code.as_str().as_bytes(), region.as_str().as_bytes());
        let scope = known.scopes.entry(key).or_default();
        for (names, place) in names {
            scope.learn(&names, place);
        }
    }

    /// Forgets everything, as the handles of a partition are of another generation now.
    pub fn forget(&self, partition: u32, generation: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have found out first, and learned anew.
        if known.generations.get(partition as usize) == Some(&Some(generation)) {
            *known = Known::default();
        }
    }
}

impl Reading<'_> {
    /// The names that are known; none when there are none.
    pub fn names(&self) -> Option<Names<'_>> {
        self.known.scopes.get(&self.scope).map(|scope| Names { scope, next: 0 })
    }

    /// Of which generation the handles of a partition are.
    pub fn generation(&self, partition: u32) -> Option<u64> {
        self.known.generations.get(partition as usize).copied().flatten()
    }
}

/// Names of one product code and region, on a way through them.
pub struct Names<'a> {
    scope: &'a Scope,
    next: u32,
}

impl Names<'_> {
    /// The series that a record of these names went to; see [`write_names`].
    pub fn get(&mut self, names: &[u8]) -> Option<Place> {
        let number = match self.scope.is(self.next, names) {
            true => self.next,
            false => self.scope.find(names)?,
        };
        self.next = number + 1;
        self.scope.entries.get(number as usize).map(|entry| entry.place)
    }
}

/// Writes whom and what a record names: its customer and dimension, as they stand in a message on the wire. None
/// for a licence, which is checked against each record's time.
pub fn write_names(customer: &Customer, dimension: &DimensionKey, names: &mut Vec<u8>) -> Option<()> {
    let (tag, text) = match customer {
        Customer::Account(text) => (tag::ACCOUNT, text),
        Customer::Identifier(text) => (tag::IDENTIFIER, text),
        Customer::Licence(_) => return None,
    };
    write_texts(tag, text, dimension.as_str(), names);
    Some(())
}

/// The same for a customer's [`tag`] and text.
pub fn write_texts(tag: u8, customer: &str, dimension: &str, names: &mut Vec<u8>) {
    names.clear();
    for (tag, text) in [(tag, customer), (tag::DIMENSION, dimension)] {
        names.push(tag);
        let mut length = text.len();
        while length >= 0x80 {
            names.push(length as u8 | 0x80);
            length >>= 7;
        }
        names.push(length as u8);
        names.extend_from_slice(text.as_bytes());
    }
}

/// A product code holds no zero, so the two cannot run into each other.
fn scope_key(product_code: &[u8], region: &[u8]) -> Box<[u8]> {
    [product_code, &[0], region].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Box<[u8]> {
        text.as_bytes().into()
    }

    fn place(handle: u32, partition: u32) -> Place {
        Place { hash: u128::from(handle), handle, partition }
    }

    fn handle(series: &KnownSeries, code: &str, region: &str, text: &str) -> Option<u32> {
        let reading = series.read(code.as_bytes(), region.as_bytes());
        reading.names().and_then(|mut known| known.get(text.as_bytes())).map(|place| place.handle)
    }

    #[test]
    fn names_are_known_in_their_own_scope_alone() {
        let series = KnownSeries::default();
        let (code, region) = (ProductCode::new("code"), Region::new("us-east-1"));
        series.learn(&code, &region, (0, 7), [(names("a"), place(1, 0))]);
        assert_eq!(handle(&series, "code", "us-east-1", "a"), Some(1));
        for (code, region, text) in
            [("code", "us-east-1", "b"), ("cod", "us-east-1", "a"), ("code", "eu-west-1", "a")]
        {
            assert_eq!(handle(&series, code, region, text), None, "{code} {region} {text}");
        }
    }

    #[test]
    fn handles_of_another_generation_are_forgotten() {
        let series = KnownSeries::default();
        let (code, region) = (ProductCode::new("code"), Region::new("r"));
        let learn = |generation, text: &str, place| {
            series.learn(&code, &region, generation, [(names(text), place)]);
        };
        let known = || ["a", "b", "c"].map(|text| handle(&series, "code", "r", text));
        learn((0, 7), "a", place(1, 0));
        learn((3, 7), "b", place(2, 3));
        assert_eq!(known(), [Some(1), Some(2), None]);
        // Another generation of the same partition.
        learn((0, 8), "c", place(3, 0));
        assert_eq!(known(), [None, None, Some(3)]);
        // The older one is gone already.
        series.forget(0, 7);
        assert_eq!(known(), [None, None, Some(3)]);
        series.forget(0, 8);
        assert_eq!(known(), [None, None, None]);
        let reading = series.read(b"code", b"r");
        assert_eq!([0, 1, 3].map(|partition| reading.generation(partition)), [None, None, None]);
    }

    #[test]
    fn names_are_found_in_whatever_order_they_come() {
        let series = KnownSeries::default();
        let (code, region) = (ProductCode::new("code"), Region::new("r"));
        let text = |n: u32| names(&format!("name-{n}"));
        // The second time they mean something else.
        for times in [1, 2] {
            let learned = (0..1_000).map(|n| (text(n), place(n * times, 0)));
            series.learn(&code, &region, (0, 1), learned);
        }
        let reading = series.read(b"code", b"r");
        let mut known = reading.names().unwrap();
        let orders: [&mut dyn Iterator<Item = u32>; 3] =
            [&mut (0..1_000), &mut (0..1_000).rev(), &mut (0..1_000).map(|n| n * 7 % 1_000)];
        for order in orders {
            for n in order {
                assert_eq!(known.get(&text(n)).map(|place| place.handle), Some(n * 2));
                assert_eq!(known.get(&text(n + 1_000)), None);
            }
        }
    }

    #[test]
    fn names_are_written_as_they_stand_on_the_wire() {
        use prost::Message;
        use souk_proto::metering::v1 as proto;
        use souk_proto::metering::v1::usage_record::Customer as Named;
        let long = "d".repeat(200);
        for (customer, named) in [
            (Customer::Account("1".to_owned()), Named::CustomerAwsAccountId("1".to_owned())),
            (Customer::Identifier(long.clone()), Named::CustomerIdentifier(long.clone())),
        ] {
            let mut written = Vec::new();
            write_names(&customer, &DimensionKey::new(&long), &mut written).unwrap();
            let record = proto::UsageRecord {
                customer: Some(named),
                dimension: long.clone(),
                ..proto::UsageRecord::default()
            };
            assert_eq!(written, record.encode_to_vec());
        }
        let licence = Customer::Licence(souk_core::ids::LicenseArn::new("arn"));
        assert_eq!(write_names(&licence, &DimensionKey::new("d"), &mut Vec::new()), None);
    }
}
