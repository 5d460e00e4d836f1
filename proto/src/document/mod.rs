//! Sandbox documents: YAML or JSON text to messages and back, their JSON Schema and their reference.
//!
//! A document is protobuf's mapping of JSON, written in YAML 1.2 of which JSON is a part: lowerCamelCase names (the
//! names of the .proto files are read, too), RFC 3339 timestamps, enums with or without their prefix. A text goes
//! through `tree` (what is written where) and `reader` (what it means, along the message's descriptor).
//!
//! Nothing here knows what the fields stand for: whether an offer names a product that exists is decided elsewhere,
//! with [`Located::positions`] to say where in the text it stands.

mod comments;
#[cfg(test)]
mod committed;
mod error;
mod expected;
mod json;
mod reader;
mod reference;
mod scalar;
mod schema;
pub mod suggest;
mod time;
pub mod tree;
mod writer;

#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::sandbox::v1::SandboxDocument;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

pub use comments::comment;
pub use error::{DocumentError, DocumentErrors, ERRORS_MAX, Position};
pub use expected::{field_names, fields, found, shown};
pub use json::{InOrder, NotOfTheContract};
pub use reference::{EXAMPLE, reference};
pub use scalar::{parse_enum, short_name, short_names};
pub use schema::json_schema;
pub use tree::{BYTES_MAX, DEPTH_MAX, NODES_MAX};
pub use writer::text as yaml_text;

const SANDBOX_DOCUMENT: &str = "souk.sandbox.v1.SandboxDocument";

/// A sandbox document with the places of its values.
#[derive(Debug)]
pub struct Located {
    /// The document.
    pub document: SandboxDocument,
    /// Where its values stand.
    pub positions: Positions,
}

/// Where the values of a document stand, by path, such as `offers[0].terms[1]`.
#[derive(Clone, Debug, Default)]
pub struct Positions(BTreeMap<String, Position>);

impl Positions {
    /// Where a value stands, or else the nearest value around it; the beginning of the text if there is none.
    ///
    /// A path may name a term by its kind alone (`terms.validity`), since an offer holds each kind once, and a
    /// map's key in brackets without quotes (`rateCard[m5.large]`).
    pub fn find(&self, path: &str) -> Position {
        let known = || self.0.iter().map(|(path, position)| (parts_of(path), *position));
        let exact: BTreeMap<_, _> = known().collect();
        let by_kind: BTreeMap<_, _> =
            known().map(|(parts, position)| (without_term_numbers(parts), position)).collect();
        let mut wanted = parts_of(path);
        loop {
            if let Some(position) = exact.get(&wanted).or_else(|| by_kind.get(&wanted)) {
                return *position;
            }
            if wanted.pop().is_none() {
                return Position { line: 1, column: 1 };
            }
        }
    }
}

/// A path in parts: names, keys and positions.
fn parts_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let part = match rest.strip_prefix('[') {
            Some(inside) => {
                let end = match inside.starts_with('"') {
                    true => inside.find("\"]").map(|end| end + 1),
                    false => inside.find(']'),
                };
                let (part, after) = inside.split_at(end.unwrap_or(inside.len()));
                rest = after.strip_prefix(']').unwrap_or(after);
                part.trim_matches('"')
            }
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let (part, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                rest = after;
                part
            }
        };
        parts.push(part.to_owned());
    }
    parts
}

fn without_term_numbers(parts: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        let is_term =
            kept.last().is_some_and(|last| last == "terms") && part.bytes().all(|b| b.is_ascii_digit());
        if !is_term {
            kept.push(part);
        }
    }
    kept
}

/// Reads a sandbox document.
///
/// # Errors
/// Everything that is wrong with its form, with places and remedies.
pub fn parse(text: &str) -> Result<SandboxDocument, DocumentErrors> {
    parse_located(text).map(|located| located.document)
}

/// Reads a sandbox document and remembers where everything stands.
///
/// # Errors
/// Everything that is wrong with its form, with places and remedies.
pub fn parse_located(text: &str) -> Result<Located, DocumentErrors> {
    let (message, positions) = read(text, &sandbox_document())?;
    let document =
        message.transcode_to().expect("a message read along its descriptor has the descriptor's form");
    Ok(Located { document, positions })
}

/// Reads a message of any type.
///
/// # Errors
/// Everything that is wrong with its form, with places and remedies.
pub fn parse_message(text: &str, descriptor: &MessageDescriptor) -> Result<DynamicMessage, DocumentErrors> {
    read(text, descriptor).map(|(message, _)| message)
}

/// Writes a sandbox document as YAML, such that reading it gives the same document.
pub fn to_yaml(document: &SandboxDocument) -> String {
    let bytes = document.encode_to_vec();
    let message = DynamicMessage::decode(sandbox_document(), bytes.as_slice());
    message_to_yaml(&message.expect("a message has the form of its descriptor"))
}

/// Writes a message of any type as YAML.
pub fn message_to_yaml(message: &DynamicMessage) -> String {
    writer::write(message)
}

/// The descriptors of all messages, with their comments.
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).expect("the build made a valid descriptor set")
    });
    &POOL
}

/// The descriptor of sandbox documents.
pub fn sandbox_document() -> MessageDescriptor {
    pool().get_message_by_name(SANDBOX_DOCUMENT).expect("the contract has sandbox documents")
}

fn read(text: &str, descriptor: &MessageDescriptor) -> Result<(DynamicMessage, Positions), DocumentErrors> {
    read_node(&tree::read(text)?, descriptor)
}

/// Reads a message of any type from a value within a text.
///
/// # Errors
/// Everything that is wrong with its form, with places and remedies.
pub fn read_node(
    root: &tree::Node,
    descriptor: &MessageDescriptor,
) -> Result<(DynamicMessage, Positions), DocumentErrors> {
    let mut reader = reader::Reader::default();
    let message = reader.read_message(root, descriptor);
    if reader.errors.is_empty() { Ok((message, Positions(reader.positions))) } else { Err(reader.errors) }
}
