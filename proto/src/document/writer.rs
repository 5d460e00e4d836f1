//! Writes messages as YAML that people like to read: fields in the order of their declaration, nothing that is
//! absent, short names of enums, quotes only where reading needs them.

use prost_reflect::prost_types::{Duration, Timestamp};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MapKey, ReflectMessage, Value};

use super::expected::fields;
use super::scalar::{format_base64, short_name};
use super::time::{format_duration, format_timestamp};
use super::tree::is_null;

/// How many spaces a level is moved to the right.
const INDENT: usize = 2;
/// A longer key is written after `? `; YAML's simple keys end at 1,024 characters.
const SIMPLE_KEY_BYTES_MAX: usize = 200;

/// Writes a message.
pub(super) fn write(message: &DynamicMessage) -> String {
    let block = message_block(message, 0);
    if block.is_empty() { "{}\n".to_owned() } else { block }
}

/// The lines of a message's fields; empty when none is set.
fn message_block(message: &DynamicMessage, indent: usize) -> String {
    let mut block = String::new();
    for field in fields(&message.descriptor()).iter().filter(|field| message.has_field(field)) {
        let value = message.get_field(field);
        let after = after_key(&value, &field.kind(), indent);
        block.push_str(&format!("{:indent$}{}:{after}", "", field.json_name()));
    }
    block
}

/// What follows the colon of a key, to the end of its last line.
fn after_key(value: &Value, kind: &Kind, indent: usize) -> String {
    let inner = indent + INDENT;
    let block = match (value, kind) {
        (Value::List(items), _) => items.iter().map(|item| list_item(item, kind, inner)).collect(),
        (Value::Map(pairs), Kind::Message(pair)) => {
            let value_kind = pair.map_entry_value_field().kind();
            let mut pairs: Vec<(&MapKey, &Value)> = pairs.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            pairs.iter().map(|(key, value)| map_pair(key, value, &value_kind, inner)).collect()
        }
        (Value::Message(message), Kind::Message(_)) => match time(message) {
            Some(text) => return format!(" {text}\n"),
            None => message_block(message, inner),
        },
        _ => return format!(" {}\n", scalar(value, kind)),
    };
    if block.is_empty() { " {}\n".to_owned() } else { format!("\n{block}") }
}

fn list_item(item: &Value, kind: &Kind, indent: usize) -> String {
    let text = match item {
        Value::Message(message) => match time(message) {
            Some(text) => text,
            None => {
                // The dash takes the place of the first field's indentation.
                let block = message_block(message, indent + INDENT);
                let block = block.trim_start_matches(' ');
                if block.is_empty() { "{}".to_owned() } else { return format!("{:indent$}- {block}", "") }
            }
        },
        item => scalar(item, kind),
    };
    format!("{:indent$}- {text}\n", "")
}

fn map_pair(key: &MapKey, value: &Value, value_kind: &Kind, indent: usize) -> String {
    let key = match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => text(key),
    };
    let after = after_key(value, value_kind, indent);
    if key.len() > SIMPLE_KEY_BYTES_MAX {
        return format!("{:indent$}? {key}\n{:indent$}:{after}", "", "");
    }
    format!("{:indent$}{key}:{after}", "")
}

/// A timestamp or duration as text; nothing for other messages.
fn time(message: &DynamicMessage) -> Option<String> {
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => {
            message.transcode_to::<Timestamp>().ok().map(|timestamp| format_timestamp(&timestamp))
        }
        "google.protobuf.Duration" => {
            message.transcode_to::<Duration>().ok().map(|duration| format_duration(&duration))
        }
        _ => None,
    }
}

fn scalar(value: &Value, kind: &Kind) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => float(f64::from(*number)),
        Value::F64(number) => float(*number),
        Value::String(string) => text(string),
        Value::Bytes(bytes) => text(&format_base64(bytes)),
        Value::EnumNumber(number) => match kind {
            Kind::Enum(values) => enum_name(values, *number),
            _ => number.to_string(),
        },
        Value::Message(_) | Value::List(_) | Value::Map(_) => String::new(),
    }
}

fn enum_name(values: &EnumDescriptor, number: i32) -> String {
    let value = values.get_value(number);
    value.map_or_else(|| number.to_string(), |value| text(short_name(values, value.name())))
}

fn float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number.is_sign_positive() { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:?}")
    }
}

/// Text as a scalar: plain where that reads as the same text, else in double quotes.
pub fn text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if is_printed(letter) => quoted.push(letter),
            letter => quoted.push_str(&format!("\\U{:08X}", u32::from(letter))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a letter may stand in quotes as it is: neither a control, nor a line break, a mark or no character.
fn is_printed(letter: char) -> bool {
    let code = u32::from(letter);
    !letter.is_control()
        && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
        && code & 0xFFFE != 0xFFFE
        && !(0xFDD0..=0xFDEF).contains(&code)
}

/// Whether a text needs no quotes. It is careful: what may need them is quoted.
fn is_plain(text: &str) -> bool {
    let begins_plainly = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '$' | '+' | '(');
    let goes_on_plainly = |c: char| c.is_alphanumeric() || " _-./+$()@%&*!;=~'<>?,:#".contains(c);
    text.starts_with(begins_plainly)
        && text.chars().all(goes_on_plainly)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_null(text)
}
