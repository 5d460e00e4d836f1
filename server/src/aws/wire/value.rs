//! The value model that both protocols share.

use std::borrow::Cow;

use super::number::Number;

/// A value of a request or an answer. What a request's bytes hold as they are is borrowed from them.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing; a member that is null is a member that is absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, exactly as written.
    Number(Number<'a>),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes; JSON prints them in base64.
    Bytes(Cow<'a, [u8]>),
    /// Microseconds since 1970. JSON has no such kind: it reads them as numbers.
    Timestamp(i64),
    /// A list.
    List(Vec<Value<'a>>),
    /// A structure or map in the order of its bytes; of two members with one name the last counts.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// Text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value::Text(text.into())
    }

    /// A whole number.
    pub fn integer(integer: i64) -> Value<'a> {
        Value::Number(Number::from(integer))
    }

    /// A structure, its absent members left out.
    pub fn structure<const N: usize>(members: [(&'a str, Option<Value<'a>>); N]) -> Value<'a> {
        let present = members.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)));
        Value::Map(present.collect())
    }

    /// The member of a structure with this name, where it is not null.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let Value::Map(members) = self else { return None };
        let (_, value) = members.iter().rev().find(|(key, _)| key == name)?;
        (!matches!(value, Value::Null)).then_some(value)
    }

    /// The items of the list that a structure has under this name; none where there is no list.
    pub fn into_items(self, name: &str) -> Vec<Value<'a>> {
        let Value::Map(members) = self else { return Vec::new() };
        match members.into_iter().rev().find(|(key, _)| key == name) {
            Some((_, Value::List(items))) => items,
            Some(_) | None => Vec::new(),
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number.into_owned()),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Value::Timestamp(micros) => Value::Timestamp(micros),
            Value::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Value::Map(members) => Value::Map(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// What kind of value it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
            Value::Timestamp(_) => "a timestamp",
            Value::List(_) => "a list",
            Value::Map(_) => "a structure",
        }
    }
}

#[cfg(test)]
pub(super) mod arbitrary {
    //! Values of every kind, in the form in which CBOR reads them back.

    use proptest::prelude::*;

    use super::*;
    use crate::aws::wire::float;

    /// Until when doubles tell one microsecond from the next: the year 2242.
    const MICROS_MAX: i64 = 1 << 33;

    /// A value.
    pub(crate) fn value() -> impl Strategy<Value = Value<'static>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::integer),
            (-(1i128 << 64)..1i128 << 64).prop_map(|n| Value::Number(Number::from(n))),
            any::<f64>().prop_filter_map("a number", |float| float::to_number(float).map(Value::Number)),
            any::<String>().prop_map(Value::text),
            ".*".prop_map(Value::text),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(Cow::Owned(bytes))),
            (-MICROS_MAX..MICROS_MAX).prop_map(|seconds| Value::Timestamp(seconds * 1_000_000)),
            (-MICROS_MAX * 1_000_000..MICROS_MAX * 1_000_000).prop_map(Value::Timestamp),
        ];
        leaf.prop_recursive(6, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
                prop::collection::vec((any::<String>().prop_map(Cow::Owned), inner), 0..8)
                    .prop_map(Value::Map),
            ]
        })
    }
}
