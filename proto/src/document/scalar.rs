//! Reads scalars as the types of fields: numbers, truth values, bytes, and names of enums.

use prost_reflect::EnumDescriptor;

/// The largest power of ten that is worth computing; anything beyond is out of every range.
const EXPONENT_MAX: i64 = 40;

/// What a text is as a whole number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Number(i128),
    /// A number of more digits than any field takes.
    Enormous,
    /// Not a number, or one with a fraction.
    Other,
}

/// Reads `17`, `-3`, `1e3` and `17.00`: any decimal notation of a whole number.
pub(super) fn parse_whole(text: &str) -> Whole {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (integer, decimals) = match mantissa.split_once('.') {
        Some((_, "")) => return Whole::Other,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let only_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if integer.is_empty() || !only_digits(integer) || !only_digits(decimals) {
        return Whole::Other;
    }
    if exponent_digits.is_empty() || !only_digits(exponent_digits) {
        return Whole::Other;
    }
    let digits = format!("{integer}{decimals}");
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() {
        return Whole::Number(0);
    }
    // Number = trimmed × 10^zeros; a negative count of zeros is a fraction.
    let (Ok(dropped), Ok(decimals), Ok(exponent)) =
        (i64::try_from(digits.len() - trimmed.len()), i64::try_from(decimals.len()), exponent.parse::<i64>())
    else {
        return if exponent.starts_with('-') { Whole::Other } else { Whole::Enormous };
    };
    match dropped.saturating_sub(decimals).saturating_add(exponent) {
        ..0 => Whole::Other,
        zeros @ 0..=EXPONENT_MAX => {
            let zeros = u32::try_from(zeros).unwrap_or(u32::MAX);
            let factor = 10_i128.checked_pow(zeros);
            let number = trimmed.parse::<i128>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
            number.map_or(Whole::Enormous, |number| Whole::Number(if negative { -number } else { number }))
        }
        _ => Whole::Enormous,
    }
}

/// Reads a floating-point number, also `NaN`, `Infinity` and `-Infinity`.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    match text {
        "NaN" | ".nan" => return Some(f64::NAN),
        "Infinity" | ".inf" => return Some(f64::INFINITY),
        "-Infinity" | "-.inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+' || c == '.')
        && text.ends_with(|c: char| c.is_ascii_digit());
    number.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// Reads a truth value as YAML and JSON write it.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Reads base64 of either alphabet, with or without its padding.
pub(super) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    let unpadded = text.trim_end_matches('=');
    if unpadded.len() % 4 == 1 || text.len() - unpadded.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(unpadded.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for symbol in unpadded.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

/// Writes base64 with its padding.
pub(super) fn format_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let symbol = ALPHABET[(bits >> (18 - 6 * index)) as usize & 0x3F];
            text.push(if index <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    text
}

/// Reads the number of an enum value: its full name, its name without the enum's prefix in any case, or the
/// number of a known value.
pub fn parse_enum(text: &str, values: &EnumDescriptor) -> Option<i32> {
    if let Some(value) = values.get_value_by_name(text) {
        return Some(value.number());
    }
    let prefix = enum_prefix(values);
    let short = |name: &str| name.strip_prefix(&prefix).is_some_and(|short| short.eq_ignore_ascii_case(text));
    if let Some(value) = values.values().find(|value| short(value.name())) {
        return Some(value.number());
    }
    let number = text.parse::<i32>().ok()?;
    values.get_value(number).map(|value| value.number())
}

/// The names without their prefix, but for the value that says nothing.
pub fn short_names(values: &EnumDescriptor) -> Vec<String> {
    let said = values.values().filter(|value| value.number() != 0);
    said.map(|value| short_name(values, value.name()).to_owned()).collect()
}

/// `AMI` for `PRODUCT_TYPE_AMI` of the enum `ProductType`.
pub fn short_name<'a>(values: &EnumDescriptor, name: &'a str) -> &'a str {
    name.strip_prefix(&enum_prefix(values)).unwrap_or(name)
}

/// `PRODUCT_TYPE_` for `ProductType`.
fn enum_prefix(values: &EnumDescriptor) -> String {
    let mut prefix = String::new();
    for letter in values.name().chars() {
        if letter.is_ascii_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.push(letter.to_ascii_uppercase());
    }
    prefix + "_"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::pool;

    #[test]
    fn whole_numbers_are_read_in_every_decimal_notation() {
        let rows = [
            ("0", Whole::Number(0)),
            ("-0", Whole::Number(0)),
            ("17", Whole::Number(17)),
            ("+17", Whole::Number(17)),
            ("-17", Whole::Number(-17)),
            ("007", Whole::Number(7)),
            ("17.00", Whole::Number(17)),
            ("1.5e1", Whole::Number(15)),
            ("1E3", Whole::Number(1_000)),
            ("1000e-3", Whole::Number(1)),
            ("0e99999999999999999999", Whole::Number(0)),
            ("18446744073709551615", Whole::Number(18_446_744_073_709_551_615)),
            ("1e41", Whole::Enormous),
            ("1e99999999999999999999", Whole::Enormous),
            ("999999999999999999999999999999999999999999", Whole::Enormous),
            ("1e-99999999999999999999", Whole::Other),
            ("1e-1", Whole::Other),
            ("17.5", Whole::Other),
            ("17.", Whole::Other),
            (".5", Whole::Other),
            ("0x11", Whole::Other),
            ("1_000", Whole::Other),
            ("1e", Whole::Other),
            ("--1", Whole::Other),
            ("", Whole::Other),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_whole(text), expected, "{text}");
        }
    }

    #[test]
    fn enums_are_read_by_full_name_by_short_name_and_by_number() {
        let pool = pool();
        let product_type = pool.get_enum_by_name("souk.catalog.v1.ProductType").unwrap();
        let profile = pool.get_enum_by_name("souk.sandbox.v1.RulesProfile").unwrap();
        let rows = [
            (&product_type, "PRODUCT_TYPE_AMI", Some(1)),
            (&product_type, "AMI", Some(1)),
            (&product_type, "SaaS", Some(3)),
            (&product_type, "2", Some(2)),
            (&product_type, "UNSPECIFIED", Some(0)),
            (&product_type, "9", None),
            (&product_type, "product_type_ami", None),
            (&product_type, "", None),
            (&profile, "2026", Some(2)),
            (&profile, "2", Some(2)),
        ];
        for (values, text, expected) in rows {
            assert_eq!(parse_enum(text, values), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        let rows: [(&str, Option<&[u8]>); 8] = [
            ("", Some(b"")),
            ("AQ==", Some(&[1])),
            ("AQ", Some(&[1])),
            ("+/8=", Some(&[0xFB, 0xFF])),
            ("-_8", Some(&[0xFB, 0xFF])),
            ("A", None),
            ("AQ===", None),
            ("A*==", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_base64(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_bytes_are_read_again(bytes: Vec<u8>) {
            prop_assert_eq!(parse_base64(&format_base64(&bytes)), Some(bytes));
        }
    }
}
