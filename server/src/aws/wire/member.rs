//! Asks a body for what an operation takes, and knows the path of each answer for the errors.
//!
//! A value of the wrong kind is a `SerializationException` at once, as in AWS; a value of the right kind
//! that breaks a constraint is collected by [`super::Violations`]. Names go into paths as AWS writes
//! them: `usageRecords.1.member.dimension`, counted from 1.

use super::value::Value;
use crate::aws::error::AwsError;

/// A place in a body, and what is there. Null is absence.
#[derive(Debug, Clone, Copy)]
pub struct Member<'p, 'v> {
    value: Option<&'v Value<'v>>,
    step: Step<'p>,
    parent: Option<&'p Member<'p, 'v>>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Body,
    Named(&'p str),
    /// Counted from 1.
    Item(usize),
}

impl<'p, 'v> Member<'p, 'v> {
    /// The whole body.
    pub fn body(value: &'v Value<'v>) -> Member<'p, 'v> {
        Member { value: present(value), step: Step::Body, parent: None }
    }

    /// The member of a structure; absent where the structure is absent.
    pub fn member<'s>(&'s self, name: &'s str) -> Result<Member<'s, 'v>, AwsError> {
        let value = match self.value {
            None => None,
            Some(structure @ Value::Map(_)) => structure.get(name),
            Some(other) => return Err(self.wrong("a structure", other)),
        };
        Ok(Member { value, step: Step::Named(name), parent: Some(self) })
    }

    /// The items of a list; none where it is absent.
    pub fn items<'s>(&'s self) -> Result<impl ExactSizeIterator<Item = Member<'s, 'v>>, AwsError> {
        let items = match self.value {
            None => [].as_slice(),
            Some(Value::List(items)) => items.as_slice(),
            Some(other) => return Err(self.wrong("a list", other)),
        };
        Ok(items.iter().enumerate().map(move |(index, item)| Member {
            value: present(item),
            step: Step::Item(index + 1),
            parent: Some(self),
        }))
    }

    /// Text.
    pub fn text(&self) -> Result<Option<&'v str>, AwsError> {
        match self.value {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong("text", other)),
        }
    }

    /// True or false.
    pub fn boolean(&self) -> Result<Option<bool>, AwsError> {
        match self.value {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong("a boolean", other)),
        }
    }

    /// A whole number. Its range is a constraint: the type here is wider than any of the API's.
    pub fn integer(&self) -> Result<Option<i64>, AwsError> {
        match self.value {
            None => Ok(None),
            Some(Value::Number(number)) => match number.to_integer().and_then(|n| i64::try_from(n).ok()) {
                Some(integer) => Ok(Some(integer)),
                None => Err(self.refused(&format!("{} is not an integer of 64 bits", number.as_str()))),
            },
            Some(other) => Err(self.wrong("an integer", other)),
        }
    }

    /// A moment, in microseconds since 1970: JSON's number of seconds, or CBOR's tagged one.
    pub fn timestamp(&self) -> Result<Option<i64>, AwsError> {
        match self.value {
            None => Ok(None),
            Some(Value::Timestamp(micros)) => Ok(Some(*micros)),
            Some(Value::Number(seconds)) => match seconds.seconds_to_micros() {
                Some(micros) => Ok(Some(micros)),
                None => Err(self.refused(&format!("{} seconds are out of range", seconds.as_str()))),
            },
            Some(other) => Err(self.wrong("a timestamp in seconds since 1970", other)),
        }
    }

    /// What is there, of any kind: for echoes of the input.
    pub fn value(&self) -> Option<&'v Value<'v>> {
        self.value
    }

    /// Whether nothing is there.
    pub fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    /// Where it is, as AWS writes it; empty for the body.
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut place = Some(self);
        while let Some(member) = place {
            steps.push(member.step);
            place = member.parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            if !path.is_empty() {
                path.push('.');
            }
            match step {
                Step::Body => {}
                Step::Item(position) => path.push_str(&format!("{position}.member")),
                Step::Named(name) => {
                    let mut letters = name.chars();
                    path.extend(letters.next().map(|first| first.to_ascii_lowercase()));
                    path.push_str(letters.as_str());
                }
            }
        }
        path
    }

    fn wrong(&self, expected: &str, found: &Value<'_>) -> AwsError {
        self.refused(&format!("expected {expected}, found {}", found.kind()))
    }

    fn refused(&self, why: &str) -> AwsError {
        match self.step {
            Step::Body => AwsError::serialization(format!("The body cannot be read: {why}.")),
            Step::Named(_) | Step::Item(_) => {
                AwsError::serialization(format!("'{}' cannot be read: {why}.", self.path()))
            }
        }
    }
}

fn present<'v>(value: &'v Value<'v>) -> Option<&'v Value<'v>> {
    (!matches!(value, Value::Null)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::json;

    #[test]
    fn members_are_read_by_kind_and_null_is_absence() {
        let body =
            json::parse(br#"{"Text":"a","Yes":true,"Count":3.0,"At":1.25,"None":null,"List":[1,null]}"#)
                .unwrap();
        let body = Member::body(&body);
        assert_eq!(body.member("Text").unwrap().text().unwrap(), Some("a"));
        assert_eq!(body.member("Yes").unwrap().boolean().unwrap(), Some(true));
        assert_eq!(body.member("Count").unwrap().integer().unwrap(), Some(3));
        assert_eq!(body.member("At").unwrap().timestamp().unwrap(), Some(1_250_000));
        for absent in ["None", "Missing"] {
            let member = body.member(absent).unwrap();
            assert!(member.is_absent());
            assert_eq!(member.text().unwrap(), None);
            assert!(member.member("Deeper").unwrap().is_absent());
            assert_eq!(member.items().unwrap().len(), 0);
        }
        let list = body.member("List").unwrap();
        let items: Vec<_> = list.items().unwrap().map(|item| item.integer().unwrap()).collect();
        assert_eq!(items, [Some(1), None]);
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_its_path() {
        let body =
            json::parse(br#"{"UsageRecords":[{"Dimension":"a"},{"Dimension":7,"Quantity":1.5}]}"#).unwrap();
        let body = Member::body(&body);
        let records = body.member("UsageRecords").unwrap();
        let record = records.items().unwrap().nth(1).unwrap();
        let dimension = record.member("Dimension").unwrap();
        assert_eq!(dimension.path(), "usageRecords.2.member.dimension");
        let error = dimension.text().unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("SerializationException", 400));
        assert_eq!(
            error.message,
            "'usageRecords.2.member.dimension' cannot be read: expected text, found a number."
        );
        assert_eq!(
            record.member("Quantity").unwrap().integer().unwrap_err().message,
            "'usageRecords.2.member.quantity' cannot be read: 1.5 is not an integer of 64 bits."
        );
    }

    #[test]
    fn a_body_that_is_no_structure_is_refused() {
        let body = json::parse(b"[]").unwrap();
        assert_eq!(
            Member::body(&body).member("ProductCode").unwrap_err().message,
            "The body cannot be read: expected a structure, found a list."
        );
    }
}
