//! What a key of a scenario takes: said once, read by it, and published in the schema.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, MessageDescriptor};
use prost_types::Timestamp;
use souk_proto::document::tree::{Content, Entry, Node};
use souk_proto::document::{self, Position, Positions};

use super::reading::Reading;
use crate::cli::{args::is_decimal, time};

/// A key of a mapping.
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it must stand there.
    pub needed: bool,
    /// What it means, in one sentence.
    pub about: &'static str,
}

/// A key that must stand there.
pub const fn needed(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field { name, takes, needed: true, about }
}

/// A key that may be left out.
pub const fn maybe(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field { name, takes, needed: false, about }
}

/// What a value is.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Text, as written.
    Text,
    /// A name that the scenario gives to something.
    NewName,
    /// An account, offer, product or agreement, by id or name.
    Named(Named),
    /// A time: RFC 3339, an hour or a day.
    Time,
    /// YYYY-MM.
    Month,
    /// YYYY-MM-DD.
    Day,
    /// A number with or without decimals.
    Decimal,
    /// A whole number.
    Count,
    /// A number for each hour; nothing for hours without one.
    Hourly,
    /// true or false.
    Flag,
    /// One of these words, in any case, with or without underscores.
    Word(&'static [&'static str]),
    /// Dimension key to price.
    Prices,
    /// Dimension key to whole number.
    Counts,
    /// A mapping with these keys.
    Fields(&'static [Field]),
    /// A list, or one item without the dash.
    Many(&'static Takes),
    /// A message of the contract, as sandbox documents write it.
    Message(&'static str),
}

/// What a name may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// An account.
    Account,
    /// A product.
    Product,
    /// An offer.
    Offer,
    /// An agreement.
    Agreement,
    /// A resale authorization.
    ResaleAuthorization,
}

/// A value that was read, and where it stands.
#[derive(Debug)]
pub struct Arg {
    /// Where.
    pub position: Position,
    /// What.
    pub value: Value,
}

/// A value that was read.
#[derive(Debug)]
pub enum Value {
    /// Text, a name, a number, a month or a word.
    Text(String),
    /// A time.
    Time(Timestamp),
    /// A truth value.
    Flag(bool),
    /// A number for each hour.
    Hourly(Vec<Option<String>>),
    /// Keys with numbers.
    Pairs(BTreeMap<String, String>),
    /// A mapping.
    Fields(Args),
    /// A list.
    List(Vec<Arg>),
    /// A message, and where its parts stand.
    Message(DynamicMessage, Positions),
}

/// The values of a mapping by their keys.
#[derive(Debug, Default)]
pub struct Args {
    /// Where the mapping begins.
    pub position: Position,
    values: BTreeMap<&'static str, Arg>,
}

impl Args {
    /// A mapping that begins here, without keys yet.
    pub fn at(position: Position) -> Args {
        Args { position, values: BTreeMap::new() }
    }

    /// The value of a key, if it stands there.
    pub fn get(&self, name: &str) -> Option<&Arg> {
        self.values.get(name)
    }

    /// Whether a key stands there.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Where a key's value stands; the beginning of the mapping when it does not.
    pub fn position(&self, name: &str) -> Position {
        self.get(name).map_or(self.position, |arg| arg.position)
    }

    /// A text, or none.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A time, or none.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        match self.get(name)?.value {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    /// A truth value; false when absent.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name).map(|arg| &arg.value), Some(Value::Flag(true)))
    }

    /// A number for each hour; empty when absent.
    pub fn hourly(&self, name: &str) -> &[Option<String>] {
        match self.get(name).map(|arg| &arg.value) {
            Some(Value::Hourly(numbers)) => numbers,
            _ => &[],
        }
    }

    /// Numbers by key; empty when absent.
    pub fn prices(&self, name: &str) -> BTreeMap<String, String> {
        match self.get(name).map(|arg| &arg.value) {
            Some(Value::Pairs(pairs)) => pairs.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// Whole numbers by key; empty when absent.
    pub fn counts(&self, name: &str) -> BTreeMap<String, u64> {
        let pairs = self.prices(name).into_iter();
        pairs.filter_map(|(key, number)| Some((key, number.parse().ok()?))).collect()
    }

    /// The mappings of a list; none when absent.
    pub fn list(&self, name: &str) -> Vec<&Args> {
        let items = match self.get(name).map(|arg| &arg.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(Arg::fields).collect()
    }

    /// The messages of a list; none when absent.
    pub fn messages(&self, name: &str) -> Vec<&DynamicMessage> {
        let items = match self.get(name).map(|arg| &arg.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        items
            .iter()
            .filter_map(|arg| match &arg.value {
                Value::Message(message, _) => Some(message),
                _ => None,
            })
            .collect()
    }

    /// A message of the contract, and where its parts stand.
    pub fn message(&self, name: &str) -> Option<(&DynamicMessage, &Positions)> {
        match &self.get(name)?.value {
            Value::Message(message, positions) => Some((message, positions)),
            _ => None,
        }
    }

    /// Adds a value.
    pub fn put(&mut self, name: &'static str, arg: Arg) {
        self.values.insert(name, arg);
    }
}

impl Arg {
    /// The mapping, if it is one.
    pub fn fields(&self) -> Option<&Args> {
        match &self.value {
            Value::Fields(args) => Some(args),
            _ => None,
        }
    }
}

/// Reads a value of whatever kind; what is wrong goes to the errors.
pub fn read(reading: &mut Reading, node: &Node, takes: Takes) -> Option<Arg> {
    let value = match takes {
        Takes::Fields(fields) => Value::Fields(read_fields(reading, node, fields)?),
        Takes::Many(item) => Value::List(read_many(reading, node, *item)),
        Takes::Hourly => Value::Hourly(read_hourly(reading, node)?),
        Takes::Prices | Takes::Counts => Value::Pairs(read_pairs(reading, node, takes)?),
        Takes::Message(name) => {
            let (message, positions) = read_message(reading, node, &descriptor(name))?;
            Value::Message(message, positions)
        }
        _ => read_scalar(reading, node, takes)?,
    };
    Some(Arg { position: node.position, value })
}

/// Reads a mapping of known keys.
pub fn read_fields(reading: &mut Reading, node: &Node, fields: &'static [Field]) -> Option<Args> {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let Content::Mapping(entries) = &node.content else {
        reading.unexpected(
            node,
            "a mapping",
            &format!("the keys here are {}", document::suggest::enumerate(&names, "and")),
        );
        return None;
    };
    let mut args = Args::at(node.position);
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            reading.unknown_key(entry, key, &names);
            continue;
        };
        if args.has(field.name) {
            reading.twice(entry, key);
        } else if !entry.value.is_null() {
            reading.within(key, |reading| {
                if let Some(arg) = read(reading, &entry.value, field.takes) {
                    args.put(field.name, arg);
                }
            });
        }
    }
    let stated = |field: &Field| entries.iter().any(|entry| reading_key(entry) == Some(field.name));
    for field in fields.iter().filter(|field| field.needed && !args.has(field.name) && !stated(field)) {
        reading.error(
            node.position,
            format!("`{}` is missing", field.name),
            format!("it says: {}", field.about),
        );
    }
    Some(args)
}

fn reading_key(entry: &Entry) -> Option<&str> {
    match &entry.key.content {
        Content::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

fn read_many(reading: &mut Reading, node: &Node, item: Takes) -> Vec<Arg> {
    match &node.content {
        Content::List(nodes) => nodes.iter().filter_map(|node| read(reading, node, item)).collect(),
        _ => read(reading, node, item).into_iter().collect(),
    }
}

fn read_hourly(reading: &mut Reading, node: &Node) -> Option<Vec<Option<String>>> {
    let Content::List(nodes) = &node.content else {
        reading.unexpected(
            node,
            "a list of numbers",
            "write one for each hour, `~` for none: `[4, 5, ~, 6]`",
        );
        return None;
    };
    let number = |node: &Node| match node.is_null() {
        true => Some(None),
        false => match read_scalar(reading, node, Takes::Decimal)? {
            Value::Text(number) => Some(Some(number)),
            _ => None,
        },
    };
    Some(nodes.iter().filter_map(number).collect())
}

fn read_pairs(reading: &mut Reading, node: &Node, takes: Takes) -> Option<BTreeMap<String, String>> {
    let number = if matches!(takes, Takes::Counts) { Takes::Count } else { Takes::Decimal };
    let Content::Mapping(entries) = &node.content else {
        reading.unexpected(node, "a mapping of dimensions to numbers", "write it as `{m5.large: 3}`");
        return None;
    };
    let mut pairs = BTreeMap::new();
    for entry in entries {
        let Some(key) = reading.key(&entry.key).map(str::to_owned) else { continue };
        let Some(Value::Text(number)) = read_scalar(reading, &entry.value, number) else { continue };
        if pairs.insert(key.clone(), number).is_some() {
            reading.twice(entry, &key);
        }
    }
    Some(pairs)
}

/// Reads a message of the contract.
pub fn read_message(
    reading: &mut Reading,
    node: &Node,
    descriptor: &MessageDescriptor,
) -> Option<(DynamicMessage, Positions)> {
    match document::read_node(node, descriptor) {
        Ok(read) => Some(read),
        Err(errors) => {
            reading.take_errors(&errors);
            None
        }
    }
}

/// A message of the contract by its full name.
pub fn descriptor(name: &str) -> MessageDescriptor {
    document::pool().get_message_by_name(name).expect("the tests look up every name that is used")
}

fn read_scalar(reading: &mut Reading, node: &Node, takes: Takes) -> Option<Value> {
    let text = match &node.content {
        Content::Scalar(scalar) if !node.is_null() => scalar.text.to_string(),
        _ => {
            let (what, remedy) = words(takes);
            reading.unexpected(node, what, &remedy);
            return None;
        }
    };
    let read = match takes {
        Takes::Time => time::parse(&text).ok().map(Value::Time),
        Takes::Month => time::parse_month(&text).ok().map(Value::Text),
        Takes::Day => time::parse_date(&text).ok().map(Value::Text),
        Takes::Decimal => is_decimal(text.strip_prefix('-').unwrap_or(&text)).then_some(Value::Text(text)),
        Takes::Count => text.parse::<u64>().is_ok().then_some(Value::Text(text)),
        Takes::Flag => match text.as_str() {
            "true" => Some(Value::Flag(true)),
            "false" => Some(Value::Flag(false)),
            _ => None,
        },
        Takes::Word(known) => {
            let plain = |word: &str| word.replace('_', "").to_lowercase();
            let found = known.iter().find(|word| plain(word) == plain(&text));
            if found.is_none() {
                let remedy = document::suggest::remedy(&text, known, "values");
                reading.error(node.position, format!("unknown value {}", document::shown(&text)), remedy);
                return None;
            }
            found.map(|word| Value::Text((*word).to_owned()))
        }
        Takes::Named(kind) => {
            reading.check_name(node.position, kind, &text);
            Some(Value::Text(text))
        }
        _ => Some(Value::Text(text)),
    };
    if read.is_none() {
        let (what, remedy) = words(takes);
        reading.unexpected(node, what, &remedy);
    }
    read
}

/// What a scalar is called, and how it is written.
fn words(takes: Takes) -> (&'static str, String) {
    match takes {
        Takes::Time => ("a time", "write it as 2026-03-01T06:00:00Z, 2026-03-01T06 or 2026-03-01".to_owned()),
        Takes::Month => ("a month", "write it as 2026-03".to_owned()),
        Takes::Day => ("a day", "write it as 2026-03-01".to_owned()),
        Takes::Decimal => ("a number", "write it with digits, such as 5 or 0.25".to_owned()),
        Takes::Count => ("a whole number", "write it with digits, such as 5".to_owned()),
        Takes::Flag => ("a truth value", "write true or false".to_owned()),
        Takes::Word(known) => ("a word", format!("write {}", document::suggest::enumerate(known, "or"))),
        Takes::Named(kind) => (kind.article(), "write its id or its name".to_owned()),
        _ => ("text", "write one value, in quotes if it has special characters".to_owned()),
    }
}

impl Named {
    /// With its article.
    pub fn article(self) -> &'static str {
        match self {
            Named::Account => "an account",
            Named::Product => "a product",
            Named::Offer => "an offer",
            Named::Agreement => "an agreement",
            Named::ResaleAuthorization => "a resale authorization",
        }
    }

    /// Several of them.
    pub fn plural(self) -> &'static str {
        match self {
            Named::Account => "accounts",
            Named::Product => "products",
            Named::Offer => "offers",
            Named::Agreement => "agreements",
            Named::ResaleAuthorization => "resale authorizations",
        }
    }

    /// What an id of it looks like.
    pub fn is_id(self, text: &str) -> bool {
        let is_code = |text: &str| {
            text.len() == 25 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        match self {
            Named::Account => text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
            Named::Product => text.starts_with("prod-") || is_code(text),
            Named::Offer => text.starts_with("offer-"),
            Named::Agreement => text.starts_with("agmt-") || text.starts_with("arn:"),
            Named::ResaleAuthorization => text.starts_with("resaleauthz-"),
        }
    }
}
