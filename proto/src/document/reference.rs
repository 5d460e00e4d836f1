//! The reference of sandbox documents in Markdown: an example, then every field, with the words of the contract.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::comments::{Parts, comment};
use super::expected::{field_names, fields};
use super::scalar::short_names;
use super::suggest::enumerate;

/// A small document that shows how documents are written.
pub const EXAMPLE: &str = include_str!("example.yaml");

const INTRODUCTION: &str = "\
# Sandbox documents

A sandbox document says what a sandbox holds when it begins: its clock, its rules, the accounts, what they sell and
on which terms, and what was bought before. This page is made from the comments of the .proto files beside it;
`sandbox.schema.json` says the same to editors.
";

const WRITING: &str = "\
## How to write one

- The text is YAML 1.2 or JSON, one document, at most 8 MiB. Anchors, aliases and tags are not read.
- Names are written as below. An unknown name is an error, and so is a name that is given twice.
- *Text* needs no quotes: `0.25` and `000000000101` are taken as written. Quotes are needed where YAML needs them, and
  around `null` and `~`, which stand for nothing.
- A *decimal* is text, so no digit is lost.
- A *timestamp* is written as RFC 3339 says: `2013-01-01T00:00:00Z`, `2013-01-01T01:00:00+01:00`.
- A *name* out of a list is written as below, in any case, or with its prefix (`PRODUCT_TYPE_AMI`).
- What is absent, or null, takes its default.
";

/// The reference, field by field, with the example at its top.
pub fn reference() -> String {
    let root = super::sandbox_document();
    let parts = Parts::of(&root);
    let mut page = format!("{INTRODUCTION}\n## An example\n\n```yaml\n{EXAMPLE}```\n\n{WRITING}");
    for message in std::iter::once(&root).chain(&parts.messages) {
        page.push_str(&message_section(message));
    }
    for values in &parts.enums {
        page.push_str(&enum_section(values));
    }
    page
}

fn message_section(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let mut section = format!("\n## {}\n\n{}\n", message.name(), comment(&file, message.path()));
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let names: Vec<String> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let meaning = comment(&file, oneof.path());
        section.push_str(&format!("\nAt most one of {}. {meaning}\n", enumerate(&names, "and")));
    }
    if field_names(message).is_empty() {
        return section + "\nIt has no fields: write `{}`.\n";
    }
    section.push_str("\n| Field | Takes | Meaning |\n|---|---|---|\n");
    for field in fields(message) {
        let meaning = cell(&comment(&file, field.path()));
        section.push_str(&format!("| `{}` | {} | {meaning} |\n", field.json_name(), takes(&field)));
    }
    section
}

fn enum_section(values: &EnumDescriptor) -> String {
    let file = values.parent_file();
    let mut section = format!("\n## {}\n\n{}\n", values.name(), comment(&file, values.path()));
    section.push_str("\n| Name | Meaning |\n|---|---|\n");
    let said = values.values().filter(|value| value.number() != 0);
    for (value, short) in said.zip(short_names(values)) {
        section.push_str(&format!("| `{short}` | {} |\n", cell(&comment(&file, value.path()))));
    }
    let silent = values.values().find(|value| value.number() == 0);
    if let Some(meaning) = silent.map(|value| comment(&file, value.path())) {
        section.push_str(&format!("| absent | {} |\n", cell(&meaning)));
    }
    section
}

fn takes(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => format!(
            "map of {} to {}",
            kind_name(&entry.map_entry_key_field().kind()),
            kind_name(&entry.map_entry_value_field().kind())
        ),
        kind if field.is_list() => format!("list of {}", kind_name(&kind)),
        kind => kind_name(&kind),
    }
}

fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) if message.package_name() == "google.protobuf" => {
            message.name().to_lowercase()
        }
        Kind::Message(message) => link(message.name()),
        Kind::Enum(values) => link(values.name()),
        Kind::String => "text".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Bytes => "base64".to_owned(),
        Kind::Double | Kind::Float => "number".to_owned(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            "whole number, also negative".to_owned()
        }
        Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => "whole number".to_owned(),
    }
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

/// A vertical bar would end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::committed;

    #[test]
    fn the_reference_is_the_one_that_was_committed() {
        committed::check("proto/SANDBOX.md", &reference());
    }
}
