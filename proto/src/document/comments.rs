//! The comments of the .proto files, and the messages and enums that a document is made of.

use prost_reflect::{EnumDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::expected::fields;

/// The comment above an item of a file, as one paragraph; empty when there is none.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    let location = locations.into_iter().find(|location| location.path == path);
    let comment = location.map_or("", |location| location.leading_comments());
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The messages and enums that a message is made of, each once, in the order in which a reader meets them.
pub(super) struct Parts {
    /// Without the message itself, the entries of maps, and the types of Google's packages.
    pub messages: Vec<MessageDescriptor>,
    pub enums: Vec<EnumDescriptor>,
}

impl Parts {
    pub fn of(root: &MessageDescriptor) -> Self {
        let mut parts = Self { messages: vec![root.clone()], enums: Vec::new() };
        let mut next = 0;
        while let Some(message) = parts.messages.get(next).cloned() {
            for field in fields(&message) {
                parts.add(field.kind());
            }
            next += 1;
        }
        parts.messages.remove(0);
        parts
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Message(entry) if entry.is_map_entry() => self.add(entry.map_entry_value_field().kind()),
            Kind::Message(message) if message.package_name() == "google.protobuf" => {}
            Kind::Message(message) if !self.messages.contains(&message) => self.messages.push(message),
            Kind::Enum(values) if !self.enums.contains(&values) => self.enums.push(values),
            _ => {}
        }
    }
}
