//! Walks a tree along a message's descriptor and fills the message, by protobuf's mapping of JSON.
//!
//! There is one lenience: where a field is text, a plain scalar is taken as written, so that `price: 0.25` is the
//! decimal 0.25 and `accountId: 000000000101` keeps its zeros. The walk goes on after an error, to find them all.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use super::error::{DocumentError, DocumentErrors, Position};
use super::expected::{self, Expected};
use super::scalar::{self, Whole};
use super::suggest;
use super::time;
use super::tree::{Content, Entry, Node};

/// Reads messages from nodes, and remembers where everything stood and what was wrong.
#[derive(Default)]
pub(super) struct Reader {
    pub errors: DocumentErrors,
    pub positions: BTreeMap<String, Position>,
    path: String,
}

impl Reader {
    /// Reads a message; what is wrong with it goes to the errors and is left out.
    pub fn read_message(&mut self, node: &Node, descriptor: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        let Content::Mapping(entries) = &node.content else {
            self.unexpected(node, &Expected::fields(descriptor));
            return message;
        };
        let mut first_lines: HashMap<u32, Position> = HashMap::new();
        for entry in entries {
            let Some(key) = self.read_key(&entry.key) else { continue };
            let known = descriptor.get_field_by_json_name(key).or_else(|| descriptor.get_field_by_name(key));
            let Some(field) = known else {
                self.unknown_field(entry, key, descriptor);
                continue;
            };
            self.within(&format!(".{}", field.json_name()), |reader| {
                let first = *first_lines.entry(field.number()).or_insert(entry.key.position);
                if first == entry.key.position {
                    reader.read_field(entry, &field, &mut message);
                } else {
                    reader.repeated_key(entry, key, first);
                }
            });
        }
        message
    }

    /// Reads one field into its message; nothing stands for its absence.
    fn read_field(&mut self, entry: &Entry, field: &FieldDescriptor, message: &mut DynamicMessage) {
        self.positions.insert(self.path.clone(), entry.key.position);
        if entry.value.is_null() {
            return;
        }
        if let Some(other) = other_of_oneof(field, message) {
            let problem = format!("`{}` and `{}` exclude each other", other.json_name(), field.json_name());
            self.error(entry.key.position, problem, "keep one of them".to_owned());
            return;
        }
        let value = match field.kind() {
            Kind::Message(pair) if field.is_map() => self.read_map(&entry.value, &pair),
            kind if field.cardinality() == Cardinality::Repeated => self.read_list(&entry.value, &kind),
            kind => self.read_value(&entry.value, &kind),
        };
        if let Some(value) = value {
            message.set_field(field, value);
        }
    }

    fn read_list(&mut self, node: &Node, kind: &Kind) -> Option<Value> {
        let Content::List(items) = &node.content else {
            return self.unexpected(node, &Expected::list());
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.within(&format!("[{index}]"), |reader| {
                reader.positions.insert(reader.path.clone(), item.position);
                values.extend(reader.read_value(item, kind));
            });
        }
        Some(Value::List(values))
    }

    fn read_map(&mut self, node: &Node, pair: &MessageDescriptor) -> Option<Value> {
        let Content::Mapping(entries) = &node.content else {
            return self.unexpected(node, &Expected::map());
        };
        let (key_kind, value_kind) = (pair.map_entry_key_field().kind(), pair.map_entry_value_field().kind());
        let mut values = HashMap::with_capacity(entries.len());
        let mut first_lines: HashMap<MapKey, Position> = HashMap::new();
        for entry in entries {
            let Some(text) = self.read_key(&entry.key) else { continue };
            self.within(&map_step(text), |reader| {
                // A key is text in JSON, whatever its type: quotes say nothing.
                let key = reader.read_scalar(&entry.key, text, true, &key_kind);
                let Some(key) = key.and_then(Value::into_map_key) else { return };
                let first = *first_lines.entry(key.clone()).or_insert(entry.key.position);
                if first != entry.key.position {
                    reader.repeated_key(entry, text, first);
                    return;
                }
                reader.positions.insert(reader.path.clone(), entry.key.position);
                values.extend(reader.read_value(&entry.value, &value_kind).map(|value| (key, value)));
            });
        }
        Some(Value::Map(values))
    }

    fn read_value(&mut self, node: &Node, kind: &Kind) -> Option<Value> {
        match (kind, &node.content) {
            (Kind::Message(descriptor), content) if descriptor.package_name() == "google.protobuf" => {
                match content {
                    Content::Scalar(scalar) if !node.is_null() => {
                        self.read_time(node, &scalar.text, descriptor)
                    }
                    _ => self.unexpected(node, &Expected::of(kind)),
                }
            }
            (Kind::Message(descriptor), _) => {
                let message = self.read_message(node, descriptor);
                Some(Value::Message(message))
            }
            (_, Content::Scalar(scalar)) if !node.is_null() => {
                self.read_scalar(node, &scalar.text, scalar.plain, kind)
            }
            _ => self.unexpected(node, &Expected::of(kind)),
        }
    }

    /// Reads the well-known types that are scalars in documents.
    fn read_time(&mut self, node: &Node, text: &str, descriptor: &MessageDescriptor) -> Option<Value> {
        let parts = match descriptor.name() {
            "Timestamp" => time::parse_timestamp(text).map(|read| (read.seconds, read.nanos)),
            "Duration" => time::parse_duration(text).map(|read| (read.seconds, read.nanos)),
            _ => None,
        };
        let Some((seconds, nanos)) = parts else {
            return self.unexpected(node, &Expected::of(&Kind::Message(descriptor.clone())));
        };
        let mut message = DynamicMessage::new(descriptor.clone());
        message.set_field_by_name("seconds", Value::I64(seconds));
        message.set_field_by_name("nanos", Value::I32(nanos));
        Some(Value::Message(message))
    }

    fn read_scalar(&mut self, node: &Node, text: &str, plain: bool, kind: &Kind) -> Option<Value> {
        let value = match kind {
            Kind::String => Some(Value::String(text.to_owned())),
            Kind::Bytes => scalar::parse_base64(text).map(|bytes| Value::Bytes(bytes.into())),
            Kind::Bool => scalar::parse_bool(text).filter(|_| plain).map(Value::Bool),
            Kind::Double => scalar::parse_float(text).map(Value::F64),
            #[expect(clippy::cast_possible_truncation, reason = "a float field holds the nearest float")]
            Kind::Float => scalar::parse_float(text).map(|number| Value::F32(number as f32)),
            Kind::Enum(values) => match scalar::parse_enum(text, values) {
                Some(number) => Some(Value::EnumNumber(number)),
                None => {
                    let known = scalar::short_names(values);
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let remedy = suggest::remedy(text, &known, "values");
                    self.error(node.position, format!("unknown value {}", expected::shown(text)), remedy);
                    return None;
                }
            },
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                return self.read_whole(node, text, kind, Value::I32);
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                return self.read_whole(node, text, kind, Value::I64);
            }
            Kind::Uint32 | Kind::Fixed32 => return self.read_whole(node, text, kind, Value::U32),
            Kind::Uint64 | Kind::Fixed64 => return self.read_whole(node, text, kind, Value::U64),
            Kind::Message(_) => None,
        };
        if value.is_none() {
            self.unexpected(node, &Expected::of(kind));
        }
        value
    }

    fn read_whole<T: TryFrom<i128>>(
        &mut self,
        node: &Node,
        text: &str,
        kind: &Kind,
        value: fn(T) -> Value,
    ) -> Option<Value> {
        let number = match scalar::parse_whole(text) {
            Whole::Other => return self.unexpected(node, &Expected::of(kind)),
            Whole::Number(number) => T::try_from(number).ok(),
            Whole::Enormous => None,
        };
        if number.is_none() {
            let problem = format!("{} is out of range", expected::shown(text));
            self.error(node.position, problem, Expected::of(kind).remedy);
        }
        number.map(value)
    }

    /// The text of a key; anything else cannot be one.
    fn read_key<'a>(&mut self, key: &'a Node) -> Option<&'a str> {
        if let Content::Scalar(scalar) = &key.content {
            return Some(&scalar.text);
        }
        self.unexpected(key, &Expected::key());
        None
    }

    fn within(&mut self, step: &str, read: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(if length == 0 { step.strip_prefix('.').unwrap_or(step) } else { step });
        read(self);
        self.path.truncate(length);
    }

    fn unknown_field(&mut self, entry: &Entry, key: &str, descriptor: &MessageDescriptor) {
        let fields = expected::field_names(descriptor);
        let known: Vec<&str> = fields.iter().map(String::as_str).collect();
        let problem = format!("unknown field {}", expected::shown(key));
        self.error(entry.key.position, problem, suggest::remedy(key, &known, "fields"));
    }

    fn repeated_key(&mut self, entry: &Entry, key: &str, first: Position) {
        let problem = format!("{} is given twice, first on line {}", expected::shown(key), first.line);
        self.error(entry.key.position, problem, "keep one of them".to_owned());
    }

    /// Notes that a value is not what its field takes. Always `None`, for the caller to return.
    fn unexpected(&mut self, node: &Node, expected: &Expected) -> Option<Value> {
        match &node.content {
            Content::Refused(refusal) => {
                self.error(node.position, refusal.problem.clone(), refusal.remedy.to_owned());
            }
            content => {
                let problem = format!("expected {}, found {}", expected.what, expected::found(content));
                self.error(node.position, problem, expected.remedy.clone());
            }
        }
        None
    }

    fn error(&mut self, position: Position, problem: String, remedy: String) {
        self.errors.push(DocumentError { position, path: self.path.clone(), problem, remedy });
    }
}

/// The member of the same oneof that the message holds already.
fn other_of_oneof(field: &FieldDescriptor, message: &DynamicMessage) -> Option<FieldDescriptor> {
    let oneof = field.containing_oneof()?;
    oneof.fields().find(|other| other != field && message.has_field(other))
}

/// A key's step in a path: `.users`, or `["m5.large"]` where the key would not read as a name.
fn map_step(key: &str) -> String {
    let is_name = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_name { format!(".{key}") } else { format!("[{key:?}]") }
}
