//! The JSON Schema of scenarios, for editors: made of what keys take, of the messages that may be expected, and of the
//! schema of sandbox documents.

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};
use souk_proto::document::{self, comment, fields, short_names};

use super::expected::{Form, LIST_KEYS, short};
use super::file::{KEYS, REFUSED_KEYS, STEP_KEYS};
use super::shape::{Field, Takes, descriptor};
use super::{action, expectation};

/// The JSON Schema (draft 2020-12) of scenarios.
pub fn json_schema() -> Value {
    let mut sandbox = document::json_schema();
    let mut definitions = match sandbox["$defs"].take() {
        Value::Object(definitions) => definitions,
        _ => Map::new(),
    };
    if let Value::Object(sandbox) = &mut sandbox {
        sandbox.retain(|key, _| key != "$schema" && key != "$defs" && key != "title");
    }
    definitions.insert("SandboxDocument".to_owned(), sandbox);
    let mut expected = Expected::default();
    definitions.insert("step".to_owned(), step(&mut expected));
    definitions.extend(expected.messages);

    let mut root = object(KEYS);
    let properties = &mut root["properties"];
    properties["names"] =
        described(json!({ "type": "object", "additionalProperties": reference("text") }), KEYS, "names");
    let sandbox = json!({ "anyOf": [reference("SandboxDocument"), { "type": "string" }] });
    properties["sandbox"] = described(sandbox, KEYS, "sandbox");
    let steps = json!({ "type": "array", "items": reference("step") });
    properties["timeline"] = described(steps, KEYS, "timeline");
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Souk scenario");
    root["$defs"] = Value::Object(definitions);
    root
}

/// The schema as it is published.
pub fn published() -> String {
    format!("{:#}\n", json_schema())
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn described(mut schema: Value, fields: &[Field], name: &str) -> Value {
    let about = fields.iter().find(|field| field.name == name).map_or("", |field| field.about);
    schema["description"] = json!(about);
    schema
}

fn object(fields: &'static [Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), described(takes(field.takes), fields, field.name)))
        .collect();
    let needed: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

fn takes(takes: Takes) -> Value {
    match takes {
        Takes::Text | Takes::NewName | Takes::Named(_) => reference("text"),
        Takes::Time => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?$" }),
        Takes::Month => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$" }),
        Takes::Day => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Takes::Decimal => decimal(),
        Takes::Count => json!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Word(words) => {
            let mut known: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            known.extend(words.iter().map(|word| screaming(word)));
            known.sort();
            known.dedup();
            json!({ "enum": known })
        }
        Takes::Hourly => json!({ "type": "array", "items": { "anyOf": [decimal(), { "type": "null" }] } }),
        Takes::Prices => json!({ "type": "object", "additionalProperties": decimal() }),
        Takes::Counts => json!({ "type": "object", "additionalProperties": self::takes(Takes::Count) }),
        Takes::Fields(fields) => object(fields),
        Takes::Many(item) => {
            let item = self::takes(*item);
            json!({ "anyOf": [{ "type": "array", "items": item }, item] })
        }
        Takes::Message(name) => reference(name.rsplit('.').next().unwrap_or(name)),
    }
}

fn decimal() -> Value {
    json!({ "type": ["number", "string"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
}

/// `DUPLICATE_RECORD` for `DuplicateRecord`.
fn screaming(word: &str) -> String {
    let mut screaming = String::new();
    for letter in word.chars() {
        let small_before =
            screaming.ends_with(|last: char| last.is_ascii_alphabetic()) && !word.contains('_');
        if letter.is_ascii_uppercase() && small_before && word.chars().any(|c| c.is_ascii_lowercase()) {
            screaming.push('_');
        }
        screaming.push(letter.to_ascii_uppercase());
    }
    screaming
}

fn step(expected: &mut Expected) -> Value {
    let mut step = object(STEP_KEYS);
    let codes = json!({ "enum": souk_proto::reasons::all().collect::<Vec<_>>() });
    let mut refused = object(REFUSED_KEYS);
    refused["properties"]["code"] = described(codes.clone(), REFUSED_KEYS, "code");
    let code = json!({ "anyOf": [codes, refused] });
    step["properties"]["refused"] = described(code, STEP_KEYS, "refused");
    let answers: Vec<Value> = action::ALL
        .iter()
        .filter_map(|kind| kind.gives)
        .map(|name| expected.message(&descriptor(name)))
        .collect();
    step["properties"]["gives"] = described(json!({ "anyOf": answers }), STEP_KEYS, "gives");
    let mut deeds = vec![json!({ "required": ["expect"] })];
    for kind in action::ALL {
        let mut schema = takes(kind.takes);
        schema["description"] = json!(kind.about);
        step["properties"][kind.key] = schema;
        deeds.push(json!({ "required": [kind.key] }));
    }
    let kinds = expectation::ALL.iter().map(|kind| {
        let mut items = expected.items(&kind.form(), kind.asks);
        if kind.asks.iter().any(|field| field.needed) {
            items = json!({ "anyOf": [items, { "type": "array", "items": items }] });
        }
        items["description"] = json!(kind.about);
        (kind.key.to_owned(), items)
    });
    let kinds: Map<String, Value> = kinds.collect();
    step["properties"]["expect"] = json!({
        "type": "object",
        "description": "What is expected now.",
        "properties": kinds,
        "additionalProperties": false,
        "minProperties": 1,
    });
    step["oneOf"] = json!(deeds);
    step["description"] = json!("One thing that happens, or what is expected, at a time.");
    step
}

/// The schemas of messages that may be expected, by their names.
#[derive(Default)]
struct Expected {
    messages: BTreeMap<String, Value>,
}

impl Expected {
    fn message(&mut self, descriptor: &MessageDescriptor) -> Value {
        let name = format!("expected{}", descriptor.name());
        if !self.messages.contains_key(&name) {
            // A message may hold itself.
            self.messages.insert(name.clone(), Value::Null);
            let schema = self.fields(descriptor);
            self.messages.insert(name.clone(), schema);
        }
        reference(&name)
    }

    fn fields(&mut self, descriptor: &MessageDescriptor) -> Value {
        let mut properties = Map::new();
        for field in fields(descriptor) {
            let schema = self.field(&field);
            properties.entry(short(&field)).or_insert_with(|| schema.clone());
            properties.insert(field.json_name().to_owned(), schema);
        }
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = match field.kind() {
            Kind::Message(_) if field.is_map() => {
                json!({ "type": "object", "additionalProperties": any_text() })
            }
            Kind::Message(message) if field.is_list() => self.items(&Form::Message(message), &[]),
            _ if field.is_list() => json!({ "type": "array", "items": any_text() }),
            Kind::Message(message) if message.package_name() != "google.protobuf" => self.message(&message),
            Kind::Enum(values) => {
                let known = short_names(&values);
                json!({ "anyOf": [{ "enum": known }, any_text()] })
            }
            _ => any_text(),
        };
        if schema.get("$ref").is_none() {
            schema["description"] = json!(comment(&field.parent_message().parent_file(), field.path()));
        }
        schema
    }

    fn items(&mut self, form: &Form, asks: &'static [Field]) -> Value {
        let (item, mut conditions) = match form {
            Form::Row => (json!({ "type": "object", "additionalProperties": any_text() }), Map::new()),
            Form::Message(descriptor) => {
                let single = |field: &&FieldDescriptor| !field.is_list() && !field.is_map();
                let known = fields(descriptor);
                let conditions = known.iter().filter(single).map(|field| (short(field), any_text()));
                let conditions = conditions.chain(
                    known.iter().filter(single).map(|field| (field.json_name().to_owned(), any_text())),
                );
                let conditions = conditions.collect();
                (self.message(descriptor), conditions)
            }
        };
        let list = json!({ "type": "array", "items": item });
        let [exactly, at_least, count] = LIST_KEYS;
        conditions.insert(exactly.to_owned(), list.clone());
        conditions.insert(at_least.to_owned(), list.clone());
        conditions.insert(count.to_owned(), json!({ "type": "integer", "minimum": 0 }));
        for field in asks {
            conditions.insert(field.name.to_owned(), described(takes(field.takes), asks, field.name));
        }
        let needed: Vec<&str> = asks.iter().filter(|field| field.needed).map(|field| field.name).collect();
        let mut chosen = json!({ "type": "object", "properties": conditions, "additionalProperties": false });
        if needed.is_empty() {
            return json!({ "anyOf": [list, chosen] });
        }
        chosen["required"] = json!(needed);
        chosen
    }
}

/// A value as written; nothing stands for its absence.
fn any_text() -> Value {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, fs};

    use super::*;

    #[test]
    fn the_schema_is_the_one_that_was_committed() {
        let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "scenario.schema.json"].iter().collect();
        if env::var_os("SOUK_RENEW").is_some() {
            fs::write(&file, published()).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == published(),
            "client/scenario.schema.json is out of date; renew it by `SOUK_RENEW=1 cargo test -p souk-client schema`"
        );
    }

    #[test]
    fn every_reference_has_a_definition() {
        let schema = json_schema();
        for reference in schema.to_string().split("#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some_and(|definition| !definition.is_null()), "{name}");
        }
    }

    #[test]
    fn words_are_known_in_both_spellings() {
        for (word, other) in
            [("DuplicateRecord", "DUPLICATE_RECORD"), ("Success", "SUCCESS"), ("LEGACY", "LEGACY")]
        {
            assert_eq!(screaming(word), other);
        }
    }
}
