//! The CBOR reader and printer against RFC 8949's examples, ciborium and arbitrary bytes.

use proptest::prelude::*;

use super::*;
use crate::aws::wire::json;
use crate::aws::wire::value::arbitrary::value;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn examples_of_rfc_8949_are_read() {
    // Appendix A, with the value as JSON prints it.
    let rows = [
        ("00", "0"),
        ("17", "23"),
        ("1818", "24"),
        ("1903e8", "1000"),
        ("1bffffffffffffffff", "18446744073709551615"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("3903e7", "-1000"),
        ("f93c00", "1"),
        ("f90001", "0.00000005960464477539063"),
        ("f97bff", "65504"),
        ("fa47c35000", "100000"),
        ("fb3ff199999999999a", "1.1"),
        ("fbc010666666666666", "-4.1"),
        ("f4", "false"),
        ("f5", "true"),
        ("f6", "null"),
        ("f7", "null"),
        ("c11a514b67b0", "1363896240"),
        ("c1fb41d452d9ec200000", "1363896240.5"),
        ("d818456449455446", "\"ZElFVEY=\""),
        ("d9d9f7a0", "{}"),
        ("4401020304", "\"AQIDBA==\""),
        ("62c3bc", "\"ü\""),
        ("8301820203820405", "[1,[2,3],[4,5]]"),
        ("a26161016162820203", "{\"a\":1,\"b\":[2,3]}"),
        ("5f42010243030405ff", "\"AQIDBAU=\""),
        ("7f657374726561646d696e67ff", "\"streaming\""),
        ("9fff", "[]"),
        ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
        ("bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"),
        ("bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}"),
    ];
    for (hex, expected) in rows {
        assert_eq!(json::print(&parse(&bytes(hex)).unwrap()), expected, "{hex}");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    let rows = [
        ("", "the body ends before its value does"),
        ("18", "the body ends before its value does"),
        ("62c3", "the body ends before its value does"),
        ("8201", "the body ends before its value does"),
        ("9f01", "the body ends before its value does"),
        ("bf6161", "the body ends before its value does"),
        ("c1", "the body ends before its value does"),
        ("9bffffffffffffffff", "the body ends before its value does"),
        ("bbffffffffffffffff", "the body ends before its value does"),
        ("5bffffffffffffffff00", "the body ends before its value does"),
        ("0000", "the body has something after its value at byte 1"),
        ("a10102", "the body has something else than a member's name at byte 1"),
        ("61ff", "the body has text that is not UTF-8 at byte 1"),
        ("ff", "the body has the end of no open item at byte 0"),
        ("1c", "the body has a malformed item at byte 0"),
        ("1f", "the body has a malformed item at byte 0"),
        ("df00", "the body has a malformed item at byte 0"),
        ("7f4161ff", "the body has something else than a chunk at byte 1"),
        ("7f7f6161ffff", "the body has something else than a chunk at byte 1"),
        ("f97e00", "the body has a simple value or float that is no value at byte 0"),
        ("fa7f800000", "the body has a simple value or float that is no value at byte 0"),
        ("f0", "the body has a simple value or float that is no value at byte 0"),
        ("f8ff", "the body has a simple value or float that is no value at byte 0"),
        ("c16161", "the body has a timestamp that is no number at byte 0"),
        ("c1fb7e37e43c8800759c", "the body has a timestamp out of range at byte 0"),
        ("c249010000000000000000", "the body has a number beyond 64 bits at byte 0"),
        ("c48221196ab3", "the body has a number beyond 64 bits at byte 0"),
    ];
    for (hex, expected) in rows {
        assert_eq!(parse(&bytes(hex)).unwrap_err().to_string(), expected, "{hex}");
    }
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |open: &str, depth: usize| bytes(&format!("{}00", open.repeat(depth)));
    for open in ["81", "a16161", "d864"] {
        assert!(parse(&nested(open, DEPTH_MAX)).is_ok(), "{open}");
        assert_eq!(parse(&nested(open, DEPTH_MAX + 1)), Err(Malformed::TooDeep), "{open}");
    }
    for open in ["9f", "bf6161", "c1"] {
        assert_eq!(parse(&nested(open, 100_000)), Err(Malformed::TooDeep), "{open}");
    }
    assert_eq!(parse(&vec![0; BODY_BYTES_MAX + 1]), Err(Malformed::TooLarge));
}

#[test]
fn timestamps_of_every_kind_of_number_are_read() {
    let rows = [
        ("c100", 0),
        ("c120", -1_000_000),
        ("c1f93e00", 1_500_000),
        ("c1fa3fc00000", 1_500_000),
        ("c1fb41dab9cc7c327efa", 1_793_536_496_789_000),
    ];
    for (hex, micros) in rows {
        assert_eq!(parse(&bytes(hex)), Ok(Value::Timestamp(micros)), "{hex}");
    }
    let whole = print(&Value::Timestamp(1_793_536_496_000_000));
    assert_eq!(whole, bytes("c11a6ae731f0"));
}

#[test]
fn numbers_are_printed_as_short_as_they_are() {
    let number = |text: &'static str| print(&Value::Number(Number::parse(text).unwrap()));
    assert_eq!(number("23"), bytes("17"));
    assert_eq!(number("-24"), bytes("37"));
    assert_eq!(number("-25"), bytes("3818"));
    assert_eq!(number("1e3"), bytes("1903e8"));
    assert_eq!(number("1.1"), bytes("fb3ff199999999999a"));
    assert_eq!(number("18446744073709551616"), bytes("fb43f0000000000000"));
}

/// The same value as another library's.
fn theirs(value: &Value<'_>) -> ciborium::Value {
    use ciborium::Value as Cbor;
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(value) => Cbor::Bool(*value),
        Value::Number(number) => {
            match number.to_integer().and_then(|n| ciborium::value::Integer::try_from(n).ok()) {
                Some(integer) => Cbor::Integer(integer),
                None => Cbor::Float(float::from_number(number)),
            }
        }
        Value::Text(text) => Cbor::Text(text.to_string()),
        Value::Bytes(bytes) => Cbor::Bytes(bytes.to_vec()),
        Value::Timestamp(micros) if micros % 1_000_000 == 0 => {
            Cbor::Tag(1, Box::new(Cbor::Integer((micros / 1_000_000).into())))
        }
        Value::Timestamp(micros) => Cbor::Tag(1, Box::new(Cbor::Float(*micros as f64 / 1e6))),
        Value::List(items) => Cbor::Array(items.iter().map(theirs).collect()),
        Value::Map(members) => Cbor::Map(
            members.iter().map(|(name, value)| (Cbor::Text(name.to_string()), theirs(value))).collect(),
        ),
    }
}

/// Numbers in one form: `-0`, `1E3` and such become what CBOR reads back.
fn settled(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Number(number) => match number.to_integer() {
            Some(integer) if (-(1i128 << 64)..1i128 << 64).contains(&integer) => {
                Value::Number(Number::from(integer))
            }
            Some(_) | None => Value::Number(number),
        },
        Value::List(items) => Value::List(items.into_iter().map(settled).collect()),
        Value::Map(members) => {
            Value::Map(members.into_iter().map(|(name, value)| (name, settled(value))).collect())
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(value in value()) {
        let printed = print(&value);
        prop_assert_eq!(parse(&printed).unwrap(), settled(value));
    }

    #[test]
    fn another_library_prints_values_that_read_the_same(value in value()) {
        let mut printed = Vec::new();
        ciborium::into_writer(&theirs(&value), &mut printed).unwrap();
        prop_assert_eq!(parse(&printed).unwrap(), settled(value));
    }

    #[test]
    fn another_library_reads_what_is_printed(value in value()) {
        let read: ciborium::Value = ciborium::from_reader(&print(&value)[..]).unwrap();
        prop_assert_eq!(read, theirs(&value));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = parse(&bytes) {
            // Whatever is read can be printed in both protocols.
            prop_assert!(parse(&print(&value)).is_ok());
            prop_assert!(json::parse(json::print(&value).as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_body_with_a_changed_byte_never_panics(
        value in value(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut printed = print(&value);
        let at = at.index(printed.len());
        printed[at] = byte;
        _ = parse(&printed);
    }

    #[test]
    fn a_body_cut_anywhere_is_refused(value in value(), at in any::<prop::sample::Index>()) {
        let printed = print(&value);
        prop_assert_eq!(parse(&printed[..at.index(printed.len())]), Err(Malformed::Unfinished));
    }
}
