//! What the server answered, as a tree of texts: every field of a message, also those that are zero.

use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, Kind, MapKey, MessageDescriptor, ReflectMessage, Value};
use prost_types::{Duration, Timestamp};
use souk_proto::document::{fields, short_name};

/// A value that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actual {
    /// One value; empty for what is absent.
    Text(String),
    /// The fields of a message, or the cells of a row, in order.
    Fields(Vec<(String, Actual)>),
    /// Keys with their values, by key.
    Pairs(Vec<(String, Actual)>),
    /// Values in order.
    List(Vec<Actual>),
}

impl Actual {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Actual> {
        match self {
            Actual::Fields(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a field; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        match self.field(name) {
            Some(Actual::Text(text)) => text,
            _ => "",
        }
    }
}

/// A message of the contract, whose descriptor is known.
pub fn of<M: Message>(descriptor: &MessageDescriptor, message: &M) -> Actual {
    let bytes = message.encode_to_vec();
    let message = DynamicMessage::decode(descriptor.clone(), bytes.as_slice());
    of_message(&message.expect("a message has the form of its descriptor"))
}

/// Messages of the contract.
pub fn of_all<M: Message>(descriptor: &MessageDescriptor, messages: &[M]) -> Vec<Actual> {
    messages.iter().map(|message| of(descriptor, message)).collect()
}

/// A message in its dynamic form.
pub fn of_message(message: &DynamicMessage) -> Actual {
    let values = fields(&message.descriptor()).into_iter().map(|field| {
        let absent = field.supports_presence() && !message.has_field(&field);
        let value = if absent {
            Actual::Text(String::new())
        } else {
            of_value(&message.get_field(&field), &field.kind())
        };
        (field.json_name().to_owned(), value)
    });
    Actual::Fields(values.collect())
}

fn of_value(value: &Value, kind: &Kind) -> Actual {
    let text = match value {
        Value::List(items) => return Actual::List(items.iter().map(|item| of_value(item, kind)).collect()),
        Value::Map(pairs) => {
            let Kind::Message(entry) = kind else { return Actual::Pairs(Vec::new()) };
            let value_kind = entry.map_entry_value_field().kind();
            let pairs = pairs.iter().map(|(key, value)| (key_text(key), of_value(value, &value_kind)));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            return Actual::Pairs(pairs);
        }
        Value::Message(message) => match message.descriptor().full_name() {
            "google.protobuf.Timestamp" => {
                message.transcode_to::<Timestamp>().map(|time| time.to_string()).unwrap_or_default()
            }
            "google.protobuf.Duration" => {
                message.transcode_to::<Duration>().map(|span| span.to_string()).unwrap_or_default()
            }
            _ => return of_message(message),
        },
        Value::EnumNumber(number) => match kind {
            Kind::Enum(values) => match values.get_value(*number) {
                Some(_) if *number == 0 => String::new(),
                Some(value) => short_name(values, value.name()).to_owned(),
                None => number.to_string(),
            },
            _ => number.to_string(),
        },
        Value::Bool(truth) => truth.to_string(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    };
    Actual::Text(text)
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

/// A time as people write it: a day's beginning is the day.
pub fn words_of_time(text: &str) -> &str {
    text.strip_suffix("T00:00:00Z").unwrap_or(text)
}
