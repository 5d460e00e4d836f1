//! What a scenario expects of an answer: the fields that it states, in the contract's names.
//!
//! `Id`, `AccountId`, `Arn` and `Code` at the end of a name may be left out, so that one reads `buyer` and `offer` here as in
//! actions; `month` is the billing period.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use souk_proto::document::tree::{Content, Node};
use souk_proto::document::{
    Position, field_names, fields, parse_enum, short_name, short_names, shown, suggest,
};

use super::reading::Reading;
use super::shape::{Args, Field, Named, read};
use crate::cli::time;

/// What is expected, and where it says so.
#[derive(Debug)]
pub struct Expected {
    /// Where.
    pub position: Position,
    /// What.
    pub value: Value,
}

/// What is expected.
#[derive(Debug)]
pub enum Value {
    /// One value; empty: nothing.
    Text(String),
    /// The fields that are stated; others may be anything.
    Fields(Vec<Stated>),
    /// Keys with their values, and no others.
    Pairs(Vec<Stated>),
    /// Items of a list.
    Items(Items),
}

/// A field that is stated.
#[derive(Debug)]
pub struct Stated {
    /// Its name in the contract, or the column.
    pub name: String,
    /// Its name as the scenario writes it.
    pub written: String,
    /// Where its name stands.
    pub position: Position,
    /// What is expected of it.
    pub expected: Expected,
}

/// Which items are expected.
#[derive(Debug, Default)]
pub struct Items {
    /// Only items of which this holds are looked at.
    pub only: Vec<Stated>,
    /// What the question takes besides.
    pub asks: Args,
    /// The items; none when only their number is stated.
    pub items: Option<Vec<Expected>>,
    /// There may be others, too.
    pub at_least: bool,
    /// How many there are.
    pub count: Option<(usize, Position)>,
}

/// The form of what is expected.
#[derive(Clone, Debug)]
pub enum Form {
    /// A message.
    Message(MessageDescriptor),
    /// A row of a report, whose columns are known to the server.
    Row,
}

/// The keys of a list with conditions, beside fields of its items.
pub const LIST_KEYS: [&str; 3] = ["exactly", "atLeast", "count"];

/// Reads what is expected of one message or row.
pub fn read_one(reading: &mut Reading, node: &Node, form: &Form) -> Option<Expected> {
    let value = match form {
        Form::Message(descriptor) => Value::Fields(read_fields(reading, node, descriptor)?),
        Form::Row => Value::Fields(read_texts(reading, node)?),
    };
    Some(Expected { position: node.position, value })
}

/// Reads what is expected of a list: its items, or a mapping with conditions.
pub fn read_items(reading: &mut Reading, node: &Node, form: &Form, asks: &'static [Field]) -> Option<Items> {
    let mut items = Items { asks: Args::at(node.position), ..Items::default() };
    let entries = match &node.content {
        Content::List(nodes) => {
            items.items = Some(read_list(reading, nodes, form));
            check_asks(reading, node, asks, &[]);
            return Some(items);
        }
        Content::Mapping(entries) => entries,
        _ => {
            reading.unexpected(node, "a list", "write `[]` for none, or items after `- `");
            return None;
        }
    };
    let mut asked = Vec::new();
    let form_fields = match form {
        Form::Message(descriptor) => fields(descriptor),
        Form::Row => Vec::new(),
    };
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        if let Some(field) = asks.iter().find(|field| field.name == key) {
            asked.push(field.name);
            if let Some(arg) = reading.within(key, |reading| read(reading, &entry.value, field.takes)) {
                items.asks.put(field.name, arg);
            }
        } else if key == "exactly" || key == "atLeast" {
            if items.items.is_some() {
                reading.error(
                    entry.key.position,
                    "`exactly` and `atLeast` exclude each other".to_owned(),
                    "keep one of them",
                );
            }
            items.at_least = key == "atLeast";
            items.items = match &entry.value.content {
                Content::List(nodes) => Some(reading.within(key, |reading| read_list(reading, nodes, form))),
                _ => {
                    reading.unexpected(&entry.value, "a list", "write `[]` for none, or items after `- `");
                    None
                }
            };
        } else if key == "count" {
            let text = scalar(&entry.value).unwrap_or_default();
            match text.parse() {
                Ok(count) => items.count = Some((count, entry.value.position)),
                Err(_) => reading.unexpected(&entry.value, "a number of items", "write it with digits"),
            }
        } else if let Some(field) = find(&form_fields, key).filter(|field| is_single(field)) {
            let expected = reading.within(key, |reading| read_field(reading, &entry.value, field));
            let name = field.json_name().to_owned();
            items.only.extend(expected.map(|expected| Stated {
                name,
                written: key.to_owned(),
                position: entry.key.position,
                expected,
            }));
        } else {
            let mut known: Vec<String> = LIST_KEYS.map(str::to_owned).into();
            known.extend(asks.iter().map(|field| field.name.to_owned()));
            known.extend(form_fields.iter().filter(|field| is_single(field)).map(short));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            reading.unknown_key(entry, key, &known);
        }
    }
    if items.items.is_none() && items.count.is_none() {
        let remedy = "say `exactly:`, `atLeast:` or `count:`";
        reading.error(node.position, "nothing is expected here".to_owned(), remedy);
    }
    check_asks(reading, node, asks, &asked);
    Some(items)
}

fn check_asks(reading: &mut Reading, node: &Node, asks: &'static [Field], asked: &[&str]) {
    for field in asks.iter().filter(|field| field.needed && !asked.contains(&field.name)) {
        let problem = format!("`{}` is missing", field.name);
        reading.error(node.position, problem, format!("it says: {}", field.about));
    }
}

fn read_list(reading: &mut Reading, nodes: &[Node], form: &Form) -> Vec<Expected> {
    let numbered = nodes.iter().enumerate();
    numbered
        .filter_map(|(index, node)| {
            reading.within(&format!("[{index}]"), |reading| read_one(reading, node, form))
        })
        .collect()
}

fn read_fields(reading: &mut Reading, node: &Node, descriptor: &MessageDescriptor) -> Option<Vec<Stated>> {
    let known = fields(descriptor);
    let Content::Mapping(entries) = &node.content else {
        let names = field_names(descriptor);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let remedy = format!("the fields here are {}", suggest::enumerate(&names, "and"));
        reading.unexpected(node, "a mapping of fields", &remedy);
        return None;
    };
    let mut stated: Vec<Stated> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        let Some(field) = find(&known, key) else {
            let mut names: Vec<String> = known.iter().map(short).collect();
            let long = known.iter().filter(|field| short(field) != field.json_name());
            names.extend(long.map(|field| field.json_name().to_owned()));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            reading.unknown_key(entry, key, &names);
            continue;
        };
        if stated.iter().any(|stated| stated.name == field.json_name()) {
            reading.twice(entry, key);
            continue;
        }
        if let Some(expected) = reading.within(key, |reading| read_field(reading, &entry.value, field)) {
            let name = field.json_name().to_owned();
            stated.push(Stated { name, written: key.to_owned(), position: entry.key.position, expected });
        }
    }
    Some(stated)
}

fn read_field(reading: &mut Reading, node: &Node, field: &FieldDescriptor) -> Option<Expected> {
    let value = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let _ = entry;
            Value::Pairs(read_texts(reading, node)?)
        }
        Kind::Message(message) if field.is_list() => {
            Value::Items(read_items(reading, node, &Form::Message(message), &[])?)
        }
        _ if field.is_list() => Value::Items(read_scalars(reading, node, field)?),
        Kind::Message(message) if message.package_name() != "google.protobuf" => match node.is_null() {
            true => Value::Text(String::new()),
            false => Value::Fields(read_fields(reading, node, &message)?),
        },
        _ => Value::Text(read_text(reading, node, field)?),
    };
    Some(Expected { position: node.position, value })
}

fn read_scalars(reading: &mut Reading, node: &Node, field: &FieldDescriptor) -> Option<Items> {
    let Content::List(nodes) = &node.content else {
        reading.unexpected(node, "a list", "write `[]` for none, or items after `- `");
        return None;
    };
    let item = |node: &Node| {
        let value = Value::Text(read_text(reading, node, field)?);
        Some(Expected { position: node.position, value })
    };
    Some(Items { items: Some(nodes.iter().filter_map(item).collect()), ..Items::default() })
}

/// Reads one value, and writes it as the server would.
fn read_text(reading: &mut Reading, node: &Node, field: &FieldDescriptor) -> Option<String> {
    let Some(text) = scalar(node) else {
        reading.unexpected(node, "one value", "write it as text; nothing stands for its absence");
        return None;
    };
    if text.is_empty() {
        return Some(text);
    }
    match field.kind() {
        Kind::Enum(values) => {
            let plain = |word: &str| word.replace('_', "").to_lowercase();
            let short = short_names(&values);
            let found = short.iter().find(|short| plain(short) == plain(&text));
            let number = parse_enum(&text, &values).and_then(|number| values.get_value(number));
            if let Some(word) =
                found.cloned().or_else(|| number.map(|value| short_name(&values, value.name()).to_owned()))
            {
                return Some(word);
            }
            let known: Vec<&str> = short.iter().map(String::as_str).collect();
            let remedy = suggest::remedy(&text, &known, "values");
            reading.error(node.position, format!("unknown value {}", shown(&text)), remedy);
            None
        }
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            match time::parse(&text) {
                Ok(time) => Some(time.to_string()),
                Err(problem) => {
                    reading.error(node.position, format!("expected a time, found {}", shown(&text)), problem);
                    None
                }
            }
        }
        _ => {
            if let Some(kind) = named(field.json_name()) {
                reading.check_name(node.position, kind, &text);
            }
            Some(text)
        }
    }
}

/// Reads keys with one value each.
fn read_texts(reading: &mut Reading, node: &Node) -> Option<Vec<Stated>> {
    let Content::Mapping(entries) = &node.content else {
        reading.unexpected(node, "a mapping of keys to values", "write each as `key: value`");
        return None;
    };
    let mut stated: Vec<Stated> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        if stated.iter().any(|stated| stated.name == key) {
            reading.twice(entry, key);
            continue;
        }
        let Some(text) = scalar(&entry.value) else {
            reading.unexpected(&entry.value, "one value", "write it as text");
            continue;
        };
        let expected = Expected { position: entry.value.position, value: Value::Text(text) };
        let name = key.to_owned();
        stated.push(Stated { written: name.clone(), name, position: entry.key.position, expected });
    }
    Some(stated)
}

/// The text of a scalar; nothing is an empty one.
fn scalar(node: &Node) -> Option<String> {
    match &node.content {
        Content::Scalar(_) if node.is_null() => Some(String::new()),
        Content::Scalar(scalar) => Some(scalar.text.to_string()),
        _ => None,
    }
}

/// The endings that may be left out.
const ENDINGS: [&str; 4] = ["AccountId", "Id", "Arn", "Code"];

/// The name that one writes: `buyer` for `buyerAccountId`.
pub fn short(field: &FieldDescriptor) -> String {
    let name = field.json_name();
    match name {
        "billingPeriod" => "month".to_owned(),
        "customerAwsAccountId" => "customer".to_owned(),
        _ => ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name).to_owned(),
    }
}

fn find<'f>(fields: &'f [FieldDescriptor], key: &str) -> Option<&'f FieldDescriptor> {
    let exact = fields.iter().find(|field| field.json_name() == key);
    exact.or_else(|| fields.iter().find(|field| short(field) == key))
}

fn is_single(field: &FieldDescriptor) -> bool {
    let message = match field.kind() {
        Kind::Message(message) => message.package_name() != "google.protobuf",
        _ => false,
    };
    !field.is_list() && !field.is_map() && !message
}

/// What a field names, if it names something.
pub fn named(field: &str) -> Option<Named> {
    match field {
        "productId" | "productCode" => Some(Named::Product),
        "offerId" => Some(Named::Offer),
        "resaleAuthorizationId" => Some(Named::ResaleAuthorization),
        "agreementId" | "initialAgreementId" | "licenseArn" => Some(Named::Agreement),
        _ if field.ends_with("AccountId") => Some(Named::Account),
        _ => None,
    }
}
