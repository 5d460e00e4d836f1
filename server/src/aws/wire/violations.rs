//! Constraints of the API model, in the text that AWS writes for them.
//!
//! All violations of a request are told at once: "2 validation errors detected: Value ... at 'a' failed
//! to satisfy constraint: ...; Value ... at 'b' failed to satisfy constraint: ...".

use std::ops::RangeInclusive;

use super::json;
use super::member::Member;
use super::value::Value;
use crate::aws::error::AwsError;

/// Violations that the message spells out at most; all are counted.
const SPELT_OUT_MAX: usize = 10;
/// Characters of a value that the message repeats at most.
const VALUE_CHARS_MAX: usize = 256;

/// The constraints that a request breaks.
#[derive(Debug, Default)]
pub struct Violations {
    count: usize,
    spelt_out: Vec<String>,
}

impl Violations {
    /// None yet.
    pub fn new() -> Violations {
        Violations::default()
    }

    /// Something must be there; tells whether it is.
    pub fn required(&mut self, member: &Member<'_, '_>) -> bool {
        let absent = member.is_absent();
        if absent {
            self.add(member, "Member must not be null");
        }
        !absent
    }

    /// Text, list or bytes of so many characters, items or bytes.
    pub fn length(&mut self, member: &Member<'_, '_>, allowed: RangeInclusive<usize>) {
        let length = match member.value() {
            Some(Value::Text(text)) => text.chars().count(),
            Some(Value::List(items)) => items.len(),
            Some(Value::Bytes(bytes)) => bytes.len(),
            Some(Value::Map(members)) => members.len(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Timestamp(_)) | None => return,
        };
        if length < *allowed.start() {
            let text = format!("Member must have length greater than or equal to {}", allowed.start());
            self.add(member, &text);
        } else if length > *allowed.end() {
            let text = format!("Member must have length less than or equal to {}", allowed.end());
            self.add(member, &text);
        }
    }

    /// A whole number in a range; what is no whole number is not this check's business.
    pub fn range(&mut self, member: &Member<'_, '_>, allowed: RangeInclusive<i64>) {
        let Some(Value::Number(number)) = member.value() else { return };
        let Some(integer) = number.to_integer() else { return };
        if integer < i128::from(*allowed.start()) {
            let text = format!("Member must have value greater than or equal to {}", allowed.start());
            self.add(member, &text);
        } else if integer > i128::from(*allowed.end()) {
            let text = format!("Member must have value less than or equal to {}", allowed.end());
            self.add(member, &text);
        }
    }

    /// Text that a pattern describes; `matches` decides, `pattern` is what the message says.
    pub fn pattern(&mut self, member: &Member<'_, '_>, pattern: &str, matches: impl FnOnce(&str) -> bool) {
        let Some(Value::Text(text)) = member.value() else { return };
        if !matches(text) {
            self.add(member, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }

    /// A constraint of another kind is broken.
    pub fn add(&mut self, member: &Member<'_, '_>, constraint: &str) {
        self.count += 1;
        if self.spelt_out.len() < SPELT_OUT_MAX {
            self.spelt_out.push(format!(
                "Value {} at '{}' failed to satisfy constraint: {constraint}",
                repeat(member.value()),
                member.path()
            ));
        }
    }

    /// An error if there was any violation.
    pub fn finish(self) -> Result<(), AwsError> {
        let errors = match self.count {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            count => format!("{count} validation errors"),
        };
        Err(AwsError::validation(format!("{errors} detected: {}", self.spelt_out.join("; "))))
    }
}

/// A value for the message: text in quotes, anything longer cut short.
fn repeat(value: Option<&Value<'_>>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "null".to_owned(),
        Some(Value::Text(text)) => text.to_string(),
        Some(other) => json::print(other),
    };
    let mut kept: String = text.chars().take(VALUE_CHARS_MAX).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    format!("'{kept}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, judge: impl FnOnce(&Member<'_, '_>, &mut Violations)) -> Option<String> {
        let body = json::parse(body.as_bytes()).unwrap();
        let mut violations = Violations::new();
        judge(&Member::body(&body), &mut violations);
        violations.finish().err().map(|error| error.message)
    }

    #[test]
    fn each_constraint_has_aws_s_text() {
        type Judge = fn(&Member<'_, '_>, &mut Violations);
        let rows: [(&str, Judge, &str, &str); 5] = [
            ("{}", |m, v| _ = v.required(m), "null", "Member must not be null"),
            (
                r#"{"Field":""}"#,
                |m, v| v.length(m, 1..=5),
                "''",
                "Member must have length greater than or equal to 1",
            ),
            (
                r#"{"Field":[1,2,3]}"#,
                |m, v| v.length(m, 0..=2),
                "'[1,2,3]'",
                "Member must have length less than or equal to 2",
            ),
            (
                r#"{"Field":2147483648}"#,
                |m, v| v.range(m, 0..=2_147_483_647),
                "'2147483648'",
                "Member must have value less than or equal to 2147483647",
            ),
            (
                r#"{"Field":"x"}"#,
                |m, v| v.pattern(m, "[0-9]+", |text| text.bytes().all(|b| b.is_ascii_digit())),
                "'x'",
                "Member must satisfy regular expression pattern: [0-9]+",
            ),
        ];
        for (body, judge, value, constraint) in rows {
            let message = check(body, |body, violations| judge(&body.member("Field").unwrap(), violations));
            let expected = format!(
                "1 validation error detected: Value {value} at 'field' failed to satisfy constraint: {constraint}"
            );
            assert_eq!(message.unwrap(), expected);
        }
    }

    #[test]
    fn bounds_are_inclusive_and_characters_are_counted() {
        for (text, broken) in [("ääää", false), ("äääää", true), ("", true)] {
            let body = format!("{{\"F\":\"{text}\"}}");
            let message =
                check(&body, |body, violations| violations.length(&body.member("F").unwrap(), 1..=4));
            assert_eq!(message.is_some(), broken, "{body}");
        }
        let absent = check("{}", |body, violations| violations.length(&body.member("F").unwrap(), 1..=4));
        assert_eq!(absent, None);
    }

    #[test]
    fn all_violations_are_counted_and_the_first_are_spelt_out() {
        let message = check("{}", |body, violations| {
            for name in ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"] {
                violations.required(&body.member(name).unwrap());
            }
        })
        .unwrap();
        assert!(message.starts_with("12 validation errors detected: Value null at 'a' failed"), "{message}");
        assert_eq!(message.matches("Member must not be null").count(), SPELT_OUT_MAX);
    }

    #[test]
    fn long_values_are_cut_short() {
        let body = format!("{{\"F\":\"{}\"}}", "ä".repeat(5_000));
        let message =
            check(&body, |body, violations| violations.length(&body.member("F").unwrap(), 0..=255)).unwrap();
        assert!(message.len() < 800, "{message}");
    }
}
