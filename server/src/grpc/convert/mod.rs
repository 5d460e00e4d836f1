//! Between the contract and the core: one file an area, the only ones that know both. What is refused here
//! does not have the form it must have; every other rule is the core's. Fields of rejections are paths in the
//! JSON names of the contract, relative to the message given.

pub mod account;
pub mod adjustment;
pub mod agreement;
pub mod billing;
pub mod catalog;
pub mod columns;
pub mod contract_terms;
pub mod events;
pub mod fault;
pub mod page;
pub mod records;
pub mod resale;
pub mod rules;
pub mod sandbox;
pub mod terms;
pub mod time;
pub mod usage;
pub mod usage_terms;
pub mod wire;

use souk_core::rejection::{Code, Rejection};

/// A message that a request must hold.
///
/// # Errors
/// `FIELD_MISSING` when it is absent.
pub fn required<T>(value: Option<T>, field: &str) -> Result<T, Rejection> {
    value.ok_or_else(|| Rejection::new(Code::FieldMissing, field, "it is required"))
}

/// A text that a request must hold.
///
/// # Errors
/// `FIELD_MISSING` when it is empty.
pub fn required_text<'a>(text: &'a str, field: &str) -> Result<&'a str, Rejection> {
    required(Some(text).filter(|text| !text.is_empty()), field)
}

/// An enum's value of the contract; `T::default()` is the one that was not said.
fn from_proto_enum<T: TryFrom<i32>>(number: i32, field: &str) -> Result<T, Rejection> {
    T::try_from(number).map_err(|_| {
        let message = format!("{number} is no value of this field: take one of the contract's");
        Rejection::new(Code::FieldInvalid, field, message)
    })
}

/// What a refusal is about: its code and its field.
#[cfg(test)]
fn refusal<T>(result: Result<T, Rejection>) -> Option<(Code, String)> {
    result.err().map(|rejection| (rejection.code, rejection.field))
}

#[cfg(test)]
mod tests {
    use souk_proto::catalog::v1::ProductType;

    use super::*;

    #[test]
    fn what_is_required_and_absent_is_named() {
        assert_eq!(required(Some(1), "account"), Ok(1));
        let missing = Some((Code::FieldMissing, "account".to_owned()));
        assert_eq!(refusal(required(None::<u8>, "account")), missing);
        assert_eq!(refusal(required_text("", "account")), missing);
        assert_eq!(required_text("a", "account"), Ok("a"));
    }

    #[test]
    fn a_number_that_an_enum_does_not_have_is_refused() {
        assert_eq!(from_proto_enum(2, "productType"), Ok(ProductType::Container));
        for number in [-1, 6] {
            let refused = refusal(from_proto_enum::<ProductType>(number, "productType"));
            assert_eq!(refused, Some((Code::FieldInvalid, "productType".to_owned())), "{number}");
        }
    }
}
