//! Writing is undone by reading, for any message of any type that documents could hold.

use std::collections::HashMap;

use proptest::prelude::*;
use prost_reflect::prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use super::{message_to_yaml, parse, parse_message, pool, sandbox_document, to_yaml};

/// Any message of a type. At most one member of a oneof is set, and enums have known values.
fn any_message(descriptor: &MessageDescriptor) -> BoxedStrategy<DynamicMessage> {
    let descriptor = descriptor.clone();
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            return any_time(descriptor, -62_135_596_800..253_402_300_800);
        }
        "google.protobuf.Duration" => return any_time(descriptor, 0..315_576_000_000),
        _ => {}
    }
    let fields: Vec<_> = descriptor.fields().map(|field| any_field(&field)).collect();
    fields
        .prop_map(move |fields| {
            let mut message = DynamicMessage::new(descriptor.clone());
            for (field, value) in fields.into_iter().flatten() {
                message.set_field(&field, value);
            }
            as_received(&message)
        })
        .boxed()
}

/// What the wire does not tell apart, such as an empty list and none, becomes the same.
fn as_received(message: &DynamicMessage) -> DynamicMessage {
    DynamicMessage::decode(message.descriptor(), message.encode_to_vec().as_slice()).unwrap()
}

fn any_time(descriptor: MessageDescriptor, seconds: std::ops::Range<i64>) -> BoxedStrategy<DynamicMessage> {
    (seconds, prop_oneof![Just(0), 0..1_000_000_000])
        .prop_map(move |(seconds, nanos)| {
            let mut message = DynamicMessage::new(descriptor.clone());
            message.set_field_by_name("seconds", Value::I64(seconds));
            message.set_field_by_name("nanos", Value::I32(nanos));
            message
        })
        .boxed()
}

fn any_field(field: &FieldDescriptor) -> BoxedStrategy<Option<(FieldDescriptor, Value)>> {
    let value = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let value = any_value(&entry.map_entry_value_field().kind());
            let key = any_value(&entry.map_entry_key_field().kind());
            let key = key.prop_map(|key| key.into_map_key().unwrap());
            proptest::collection::hash_map(key, value, 0..3)
                .prop_map(|pairs: HashMap<MapKey, Value>| Value::Map(pairs))
                .boxed()
        }
        kind if field.is_list() => {
            proptest::collection::vec(any_value(&kind), 0..3).prop_map(Value::List).boxed()
        }
        kind => any_value(&kind),
    };
    let field = field.clone();
    proptest::option::of(value.prop_map(move |value| (field.clone(), value))).boxed()
}

fn any_value(kind: &Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Message(message) => any_message(message).prop_map(Value::Message).boxed(),
        Kind::Enum(values) => {
            let numbers: Vec<i32> = values.values().map(|value| value.number()).collect();
            proptest::sample::select(numbers).prop_map(Value::EnumNumber).boxed()
        }
        Kind::String => any_text().prop_map(Value::String).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Bytes => any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Kind::Uint32 | Kind::Fixed32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::Uint64 | Kind::Fixed64 => any::<u64>().prop_map(Value::U64).boxed(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => any::<i32>().prop_map(Value::I32).boxed(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => any::<i64>().prop_map(Value::I64).boxed(),
        Kind::Double => any::<f64>().prop_map(Value::F64).boxed(),
        Kind::Float => any::<f32>().prop_map(Value::F32).boxed(),
    }
}

/// Texts as they come, texts of the letters that YAML minds, and texts as documents hold them.
fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        any::<String>(),
        "[ a0:#\\-?&*!|>'\"%@`{}\\[\\],\n\t\r~.=<]{0,6}",
        "(null|Null|~|true|no|---|\\.\\.\\.|0x1F|1e3|000000000101|0\\.25|P12M|2013-01-01|<<)",
        "[a0][a0 :#]{0,6}",
        "[a-z]{190,210}",
        "[\u{85}\u{a0}\u{2028}\u{feff}\u{fffe}\u{1f600}a]{0,4}",
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_written_document_is_read_again(message in any_message(&sandbox_document())) {
        let document = message.transcode_to().unwrap();
        let text = to_yaml(&document);
        prop_assert_eq!(parse(&text).map_err(|errors| format!("{errors}\n{text}")), Ok(document));
    }
}

/// Any message of any type of the contract.
fn any_type() -> impl Strategy<Value = DynamicMessage> {
    let types: Vec<MessageDescriptor> = pool()
        .all_messages()
        .filter(|message| message.package_name().starts_with("souk.") && !message.is_map_entry())
        .collect();
    proptest::sample::select(types).prop_flat_map(|descriptor| any_message(&descriptor))
}

proptest! {
    #[test]
    fn a_written_message_of_any_type_is_read_again(message in any_type()) {
        let text = message_to_yaml(&message);
        let read = parse_message(&text, &message.descriptor()).map_err(|errors| format!("{errors}\n{text}"));
        prop_assert_eq!(read.map(|read| as_received(&read)), Ok(message));
    }
}

#[test]
fn a_key_too_long_for_a_simple_key_is_read_again() {
    let text = format!("agreements: [{{configuration: {{quantities: {{? {} : 1}}}}}}]", "k".repeat(2_000));
    let document = parse(&text).unwrap();
    assert_eq!(parse(&to_yaml(&document)), Ok(document));
}
