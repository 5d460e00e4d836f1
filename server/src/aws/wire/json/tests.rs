//! The JSON reader and printer against tables, serde_json and arbitrary bytes.

use proptest::prelude::*;

use super::*;
use crate::aws::wire::value::arbitrary::value;

#[test]
fn values_keep_their_text() {
    let body = br#" {"a" : [1.50, -0, 1E3, 123456789012345678901234567890.000000001],
        "b":{}, "c":"\u00e4\ud83d\ude00\n\/", "d":[true,false,null]} "#;
    let expected = [
        r#"{"a":[1.50,-0,1E3,123456789012345678901234567890.000000001],"#,
        r#""b":{},"c":"ä😀\n/","d":[true,false,null]}"#,
    ];
    assert_eq!(print(&parse(body).unwrap()), expected.concat());
}

#[test]
fn plain_text_is_borrowed_from_the_body() {
    let value = parse(br#"{"plain":"text"}"#).unwrap();
    let Value::Map(members) = value else { panic!("no map") };
    assert!(matches!(&members[..], [(Cow::Borrowed("plain"), Value::Text(Cow::Borrowed("text")))]));
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let value = parse(br#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(value.get("a"), Some(&Value::integer(2)));
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let rows: [(&[u8], &str); 24] = [
        (b"", "the body ends before its value does"),
        (b"  ", "the body ends before its value does"),
        (b"{", "the body ends before its value does"),
        (b"{\"a\"", "the body ends before its value does"),
        (b"{\"a\":", "the body ends before its value does"),
        (b"{\"a\":1", "the body ends before its value does"),
        (b"[1,", "the body ends before its value does"),
        (b"\"abc", "the body ends before its value does"),
        (b"\"\\", "the body ends before its value does"),
        (b"\"\\u12", "the body ends before its value does"),
        (b"{} x", "the body has something after its value at byte 3"),
        (b"{a:1}", "the body has something else than a member's name at byte 1"),
        (b"{\"a\" 1}", "the body has something else than a colon at byte 5"),
        (b"[1 2]", "the body has something else than a comma or a closing bracket at byte 3"),
        (b"[1,]", "the body has something that starts no value at byte 3"),
        (b"{\"a\":1,}", "the body has something else than a member's name at byte 7"),
        (b"[01]", "the body has a malformed number at byte 1"),
        (b"[NaN]", "the body has something that starts no value at byte 1"),
        (b"[nul]", "the body has an unknown word at byte 1"),
        (b"\"a\nb\"", "the body has a control character in a string at byte 2"),
        (b"\"\\x\"", "the body has an unknown escape at byte 1"),
        (b"\"\\ud800\\u0041\"", "the body has half of a character behind an escape at byte 13"),
        (b"\"\\udc00\"", "the body has half of a character behind an escape at byte 7"),
        (b"\"\xff\"", "the body has bytes that are not UTF-8 at byte 1"),
    ];
    for (body, expected) in rows {
        let error = parse(body).unwrap_err();
        assert_eq!(error.to_string(), expected, "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(Malformed::TooDeep));
    assert_eq!(parse("[".repeat(500_000).as_bytes()), Err(Malformed::TooDeep));
    assert_eq!(parse("{\"a\":".repeat(100_000).as_bytes()), Err(Malformed::TooDeep));
    let text = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    assert!(parse(text(BODY_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(parse(text(BODY_BYTES_MAX + 1).as_bytes()), Err(Malformed::TooLarge));
}

#[test]
fn timestamps_are_numbers_of_seconds() {
    let rows = [
        (1_793_536_496_000_000, "1793536496"),
        (1_793_536_496_789_000, "1793536496.789"),
        (1_793_536_496_000_001, "1793536496.000001"),
        (-1, "-0.000001"),
        (-1_500_000, "-1.5"),
        (0, "0"),
    ];
    for (micros, expected) in rows {
        assert_eq!(print(&Value::Timestamp(micros)), expected);
        assert_eq!(Number::parse(expected).unwrap().seconds_to_micros(), Some(micros));
    }
}

#[test]
fn bytes_are_printed_in_base64() {
    assert_eq!(print(&Value::Bytes(Cow::Borrowed(b"\x00\xff\x10"))), "\"AP8Q\"");
}

/// What a value is after JSON: timestamps and bytes have no kind of their own there.
fn as_json_reads(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Timestamp(_) => Value::Number(Number::parse(print(value)).unwrap()),
        Value::Bytes(bytes) => Value::text(STANDARD.encode(bytes)),
        Value::List(items) => Value::List(items.iter().map(as_json_reads).collect()),
        Value::Map(members) => Value::Map(
            members
                .iter()
                .map(|(name, value)| (Cow::Owned(name.to_string()), as_json_reads(value)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => value.clone().into_owned(),
    }
}

/// Whether another reader sees the same; it has most numbers only as doubles, and rounds them roughly.
fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => {
            let (near, far) = (a.as_str().parse::<f64>().unwrap(), b.as_f64().unwrap());
            a.to_integer() == b.as_i128() || (near - far).abs() <= near.abs() * 1e-12
        }
        (Value::Text(a), serde_json::Value::String(b)) => a == b,
        (Value::List(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (map @ Value::Map(_), serde_json::Value::Object(b)) => {
            b.iter().all(|(name, b)| match map.get(name) {
                Some(a) => same(a, b),
                None => b.is_null(),
            })
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(value in value()) {
        let text = print(&value);
        prop_assert_eq!(parse(text.as_bytes()).unwrap(), as_json_reads(&value));
    }

    #[test]
    fn another_reader_sees_the_same(value in value()) {
        let text = print(&value);
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert!(same(&parse(text.as_bytes()).unwrap(), &theirs), "{}", text);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_judged_as_by_another_reader(
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\u019.-eE tfn".to_vec())],
            0..40,
        )
    ) {
        let ours = parse(&bytes);
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert!(same(ours, theirs)),
            (Err(_), Err(_)) => {}
            // The other reader has no doubles beyond their range.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{error}"),
            (Err(error), Ok(_)) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_refused(value in value(), part in 0.0..1.0f64) {
        let text = print(&Value::List(vec![value]));
        let length = (text.len() as f64 * part) as usize;
        prop_assert!(parse(&text.as_bytes()[..length]).is_err());
    }
}
