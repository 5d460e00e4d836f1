//! The JSON Schema of sandbox documents, for editors that complete and check while one writes.
//!
//! It is made from the contract and its comments. It is a little stricter than the reader: it knows the
//! lowerCamelCase names only, enums in upper case, and no `null`.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};
use serde_json::{Map, Value, json};

use super::comments::{Parts, comment};
use super::expected::fields;
use super::scalar::short_names;

/// The JSON Schema (draft 2020-12) of sandbox documents.
pub fn json_schema() -> Value {
    let root = super::sandbox_document();
    let parts = Parts::of(&root);
    let mut definitions = scalar_definitions();
    definitions
        .extend(parts.messages.iter().map(|message| (message.name().to_owned(), message_schema(message))));
    definitions.extend(parts.enums.iter().map(|values| (values.name().to_owned(), enum_schema(values))));
    let mut schema = message_schema(&root);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Souk sandbox document");
    schema["$defs"] = Value::Object(definitions);
    schema
}

fn message_schema(message: &MessageDescriptor) -> Value {
    let properties: Map<String, Value> =
        fields(message).iter().map(|field| (field.json_name().to_owned(), field_schema(field))).collect();
    let mut schema = json!({
        "type": "object",
        "description": comment(&message.parent_file(), message.path()),
        "properties": properties,
        "additionalProperties": false,
    });
    let oneofs: Vec<OneofDescriptor> = message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
    match oneofs.as_slice() {
        [] => {}
        [only] if only.fields().len() == message.fields().len() => schema["maxProperties"] = json!(1),
        oneofs => schema["not"] = json!({ "anyOf": oneofs.iter().flat_map(conflicts).collect::<Vec<_>>() }),
    }
    schema
}

/// Every two members of a oneof, as objects that hold both.
fn conflicts(oneof: &OneofDescriptor) -> Vec<Value> {
    let names: Vec<String> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
    let pairs = names.iter().enumerate().flat_map(|(index, name)| {
        names.iter().skip(index + 1).map(move |other| json!({ "required": [name, other] }))
    });
    pairs.collect()
}

fn field_schema(field: &FieldDescriptor) -> Value {
    let description = comment(&field.parent_message().parent_file(), field.path());
    let mut schema = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let values = kind_schema(&entry.map_entry_value_field().kind());
            json!({ "type": "object", "additionalProperties": values })
        }
        kind if field.is_list() => json!({ "type": "array", "items": kind_schema(&kind) }),
        kind => kind_schema(&kind),
    };
    schema["description"] = json!(description);
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    let name = match kind {
        Kind::Message(message) => message.name(),
        Kind::Enum(values) => values.name(),
        Kind::String => "text",
        Kind::Bool => return json!({ "type": "boolean" }),
        Kind::Bytes => return json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Double | Kind::Float => return json!({ "type": "number" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "int32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "int64",
        Kind::Uint32 | Kind::Fixed32 => "uint32",
        Kind::Uint64 | Kind::Fixed64 => "uint64",
    };
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn enum_schema(values: &EnumDescriptor) -> Value {
    let said = || values.values().filter(|value| value.number() != 0);
    let short = short_names(values);
    let file = values.parent_file();
    let meanings: Vec<String> = said()
        .zip(&short)
        .map(|(value, short)| format!("{short}: {}", comment(&file, value.path())))
        .collect();
    let mut names: Vec<Value> = short.iter().map(|name| json!(name)).collect();
    // Where a short name is all digits, YAML without quotes makes a number of it.
    names.extend(short.iter().filter_map(|name| name.parse::<u32>().ok()).map(|number| json!(number)));
    names.extend(said().map(|value| json!(value.name())));
    let description = comment(&file, values.path());
    json!({ "description": format!("{description}\n\n{}", meanings.join("\n")), "enum": names })
}

fn scalar_definitions() -> Map<String, Value> {
    let whole = |least: Value, greatest: Value| json!({ "type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": least, "maximum": greatest });
    let definitions = [
        // A plain scalar is taken as written, so that 0.25 and 000000000101 need no quotes.
        ("text", json!({ "type": ["string", "number", "boolean"] })),
        ("int32", whole(json!(i32::MIN), json!(i32::MAX))),
        ("int64", whole(json!(i64::MIN), json!(i64::MAX))),
        ("uint32", whole(json!(u32::MIN), json!(u32::MAX))),
        ("uint64", whole(json!(u64::MIN), json!(u64::MAX))),
        ("Timestamp", json!({ "type": "string", "format": "date-time" })),
        ("Duration", json!({ "type": "string", "pattern": "^-?([0-9]+(\\.[0-9]{1,9})?s|P.+)$" })),
    ];
    definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::document::committed;

    #[test]
    fn the_schema_is_the_one_that_was_committed() {
        let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        committed::check("proto/sandbox.schema.json", &text);
    }

    #[test]
    fn every_reference_has_a_definition_and_no_two_types_share_one() {
        let schema = json_schema();
        let text = schema.to_string();
        for reference in text.split("#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name} is not defined");
        }
        let parts = Parts::of(&crate::document::sandbox_document());
        let names: Vec<&str> =
            parts.messages.iter().map(|m| m.name()).chain(parts.enums.iter().map(|e| e.name())).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn members_of_a_oneof_exclude_each_other() {
        assert_eq!(json_schema()["$defs"]["ClockSetting"]["maxProperties"], 1);
        let advance =
            crate::document::pool().get_message_by_name("souk.sandbox.v1.AdvanceClockRequest").unwrap();
        assert_eq!(message_schema(&advance)["not"], json!({ "anyOf": [{ "required": ["by", "to"] }] }));
    }
}
