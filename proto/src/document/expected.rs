//! The words for what a field takes and for what was found instead.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::scalar;
use super::suggest::enumerate;
use super::tree::{Content, is_null};

/// How much of a wrong text is shown.
const SHOWN_CHARS_MAX: usize = 40;

/// What a field takes: the words for it, and how to write it.
pub(super) struct Expected {
    pub what: String,
    pub remedy: String,
}

impl Expected {
    fn new(what: &str, remedy: &str) -> Self {
        Self { what: what.to_owned(), remedy: remedy.to_owned() }
    }

    /// The fields of a message.
    pub fn fields(descriptor: &MessageDescriptor) -> Self {
        let fields = field_names(descriptor);
        let known: Vec<&str> = fields.iter().map(String::as_str).collect();
        let remedy = match known.as_slice() {
            [] => "write {}, there are no fields here".to_owned(),
            known => format!("the fields here are {}", enumerate(known, "and")),
        };
        Self { what: "a mapping of fields".to_owned(), remedy }
    }

    pub fn list() -> Self {
        Self::new("a list", "put each item on a line of its own, after `- `")
    }

    pub fn map() -> Self {
        Self::new("a mapping of keys to values", "put each pair on a line of its own, as `key: value`")
    }

    pub fn key() -> Self {
        Self::new("a key", "write it as text")
    }

    /// One value of a kind.
    pub fn of(kind: &Kind) -> Self {
        match kind {
            Kind::String => Self::new("text", "write one value, in quotes if it has special characters"),
            Kind::Bool => Self::new("a truth value", "write true or false, without quotes"),
            Kind::Bytes => Self::new("bytes", "write them in base64"),
            Kind::Double | Kind::Float => Self::new("a number", "write it with digits, such as 0.25"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Self::whole(i32::MIN, i32::MAX),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Self::whole(i64::MIN, i64::MAX),
            Kind::Uint32 | Kind::Fixed32 => Self::whole(u32::MIN, u32::MAX),
            Kind::Uint64 | Kind::Fixed64 => Self::whole(u64::MIN, u64::MAX),
            Kind::Enum(values) => {
                let names = scalar::short_names(values);
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                Self { what: "a name".to_owned(), remedy: format!("write {}", enumerate(&known, "or")) }
            }
            Kind::Message(descriptor) => match descriptor.full_name() {
                "google.protobuf.Timestamp" => Self::new("a timestamp", "write it as 2013-01-01T00:00:00Z"),
                "google.protobuf.Duration" => Self::new("a duration", "write it as 3600s or PT1H"),
                name if descriptor.package_name() == "google.protobuf" => {
                    Self::new("nothing", &format!("leave it out, documents cannot hold a {name}"))
                }
                _ => Self::fields(descriptor),
            },
        }
    }

    fn whole<T: std::fmt::Display>(least: T, greatest: T) -> Self {
        Self::new("a whole number", &format!("write one from {least} to {greatest}"))
    }
}

/// The names of a message's fields, in the order of their declaration.
pub fn field_names(descriptor: &MessageDescriptor) -> Vec<String> {
    fields(descriptor).iter().map(|field| field.json_name().to_owned()).collect()
}

/// The fields of a message in the order of their declaration.
pub fn fields(descriptor: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<FieldDescriptor> = descriptor.fields().collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

/// The words for what stands in the document.
pub fn found(content: &Content) -> String {
    match content {
        Content::Scalar(scalar) if scalar.plain && is_null(&scalar.text) => "nothing".to_owned(),
        Content::Scalar(scalar) if scalar.plain => shown(&scalar.text),
        Content::Scalar(scalar) => format!("the text {}", shown(&scalar.text)),
        Content::List(_) => "a list".to_owned(),
        Content::Mapping(_) => "a mapping".to_owned(),
        Content::Refused(refusal) => refusal.problem.clone(),
    }
}

/// A text in backquotes, shortened, on one line.
pub fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(SHOWN_CHARS_MAX).flat_map(escaped).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn escaped(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}
