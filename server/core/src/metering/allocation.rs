//! Allocations: how a record's quantity divides over the buyer's tags (aws-api A.2).
//!
//! They say nothing about what is billed. Deduplication compares the quantity alone unless the rules say otherwise,
//! and the allocations of the first record of an hour stand (G.10).

use std::collections::BTreeSet;

use crate::quantity::{Quantity, QuantitySum};
use crate::rejection::{Code, Rejection};
use crate::rules::{MAX_ALLOCATION_TAGS, MAX_ALLOCATIONS, Rules};

/// Characters of a tag's key at most.
pub const TAG_KEY_LENGTH_MAX: usize = 100;
/// Characters of a tag's value at most.
pub const TAG_VALUE_LENGTH_MAX: usize = 256;

/// A part of a record's quantity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allocation {
    /// How much of it.
    pub quantity: Quantity,
    /// Its tags, key and value, in the order of their keys; none: the untagged bucket.
    pub tags: Vec<(String, String)>,
}

/// Takes the allocations of a record and puts the tags of each in order. A record without any is not divided.
pub fn check(
    mut allocations: Vec<Allocation>,
    quantity: Quantity,
    rules: &Rules,
) -> Result<Vec<Allocation>, Rejection> {
    if allocations.is_empty() {
        return Ok(allocations);
    }
    if allocations.len() > MAX_ALLOCATIONS {
        let message = format!("{} allocations; a record takes at most {MAX_ALLOCATIONS}", allocations.len());
        return Err(Rejection::new(Code::UsageAllocationsInvalid, "usageAllocations", message));
    }
    for (index, allocation) in allocations.iter_mut().enumerate() {
        allocation.tags.sort();
        check_tags(&allocation.tags).map_err(|r| r.within(&path(index)))?;
    }
    let tags: usize = allocations.iter().map(|allocation| allocation.tags.len()).sum();
    if rules.tags_capped_per_record && tags > MAX_ALLOCATION_TAGS {
        let message = format!("{tags} tags in all; a record takes at most {MAX_ALLOCATION_TAGS}");
        return Err(Rejection::new(Code::TagInvalid, "usageAllocations", message));
    }
    check_tag_sets(&allocations)?;
    // 2,500 of the largest quantities are below 2^66.
    let sum: i128 = allocations.iter().map(|allocation| i128::from(allocation.quantity.millionths())).sum();
    if sum != i128::from(quantity.millionths()) {
        let sum = QuantitySum(sum);
        let message = format!("the allocations add up to {sum}, and the record's quantity is {quantity}");
        return Err(Rejection::new(Code::UsageAllocationsInvalid, "usageAllocations", message));
    }
    Ok(allocations)
}

fn path(index: usize) -> String {
    format!("usageAllocations[{index}]")
}

/// Checks the tags of one allocation, which are in order.
fn check_tags(tags: &[(String, String)]) -> Result<(), Rejection> {
    let refuse = |why: String| Err(Rejection::new(Code::TagInvalid, "tags", why));
    if tags.len() > MAX_ALLOCATION_TAGS {
        return refuse(format!("{} tags; an allocation takes at most {MAX_ALLOCATION_TAGS}", tags.len()));
    }
    for (key, value) in tags {
        for (what, text, longest) in
            [("key", key, TAG_KEY_LENGTH_MAX), ("value", value, TAG_VALUE_LENGTH_MAX)]
        {
            // Every character that is allowed is one byte.
            if !(1..=longest).contains(&text.len()) || !text.bytes().all(is_tag_byte) {
                return refuse(format!(
                    "\"{text}\" is not the {what} of a tag: give 1 to {longest} letters, digits, spaces and \
                     signs of AWS's pattern"
                ));
            }
        }
    }
    let repeated = tags.iter().zip(tags.iter().skip(1)).find(|((first, _), (second, _))| first == second);
    match repeated {
        Some(((key, _), _)) => refuse(format!("the key \"{key}\" stands twice: give each key once")),
        None => Ok(()),
    }
}

/// AWS: `^[a-zA-Z0-9+ -=._:\/@]+$`, in which ` -=` is a range.
fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || (b' '..=b'=').contains(&byte) || b"_@".contains(&byte)
}

/// No two allocations have the same tags, so at most one has none.
fn check_tag_sets(allocations: &[Allocation]) -> Result<(), Rejection> {
    let mut seen = BTreeSet::new();
    for (index, allocation) in allocations.iter().enumerate() {
        if !seen.insert(&allocation.tags) {
            let field = format!("{}.tags", path(index));
            let message = "another allocation has the same tags, or none likewise: make one of both";
            return Err(Rejection::new(Code::UsageAllocationsInvalid, field, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::of(crate::rules::Profile::Source)
    }

    fn allocation(units: u64, tags: &[(&str, &str)]) -> Allocation {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Allocation { quantity: Quantity::whole(units).unwrap(), tags }
    }

    /// What is refused of the allocations of a record of 10 units.
    fn refused(allocations: Vec<Allocation>) -> Option<(Code, String)> {
        let checked = check(allocations, Quantity::whole(10).unwrap(), &rules());
        checked.err().map(|rejection| (rejection.code, rejection.field))
    }

    #[test]
    fn allocations_add_up_and_differ_in_their_tags() {
        let blue = [("team", "blue")];
        let many = |count: u64| {
            let one = |n: u64| allocation(u64::from(n < 10), &[("n", n.to_string().as_str())]);
            (0..count).map(one).collect::<Vec<_>>()
        };
        let invalid = |field: &str| Some((Code::UsageAllocationsInvalid, field.to_owned()));
        for (allocations, expected) in [
            (vec![], None),
            (vec![allocation(10, &[])], None),
            (vec![allocation(10, &blue), allocation(0, &[])], None),
            (vec![allocation(4, &blue), allocation(6, &[("team", "red")])], None),
            (vec![allocation(4, &blue), allocation(6, &[("team", "blue"), ("env", "x")])], None),
            (vec![allocation(9, &blue)], invalid("usageAllocations")),
            (vec![allocation(2_147_483_647, &blue)], invalid("usageAllocations")),
            (vec![allocation(4, &blue), allocation(6, &blue)], invalid("usageAllocations[1].tags")),
            (vec![allocation(4, &[]), allocation(6, &[])], invalid("usageAllocations[1].tags")),
            (
                vec![allocation(4, &[("a", "1"), ("b", "2")]), allocation(6, &[("b", "2"), ("a", "1")])],
                invalid("usageAllocations[1].tags"),
            ),
            (many(2_500), None),
            (many(2_501), invalid("usageAllocations")),
        ] {
            let (count, first) = (allocations.len(), format!("{:?}", allocations.first()));
            assert_eq!(refused(allocations), expected, "{count} from {first} on");
        }
    }

    #[test]
    fn tags_have_the_documented_form() {
        let (longest_key, longest_value) = ("k".repeat(100), "v".repeat(256));
        let (key_too_long, value_too_long) = ("k".repeat(101), "v".repeat(257));
        for (tags, taken) in [
            (vec![("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")], true),
            (vec![("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("f", "1")], false),
            (vec![(longest_key.as_str(), longest_value.as_str())], true),
            (vec![(key_too_long.as_str(), "1")], false),
            (vec![("a", value_too_long.as_str())], false),
            (vec![("", "1")], false),
            (vec![("a", "")], false),
            (vec![("aZ09+ -=._:/@", " !\"#$%&'()*,;<=")], true),
            (vec![("a>", "1")], false),
            (vec![("a", "[1]")], false),
            (vec![("a", "ü")], false),
            (vec![("a", "1\n")], false),
            (vec![("a", "1"), ("b", "1"), ("a", "2")], false),
            (vec![("a", "1"), ("a", "1")], false),
        ] {
            let expected = (!taken).then(|| (Code::TagInvalid, "usageAllocations[0].tags".to_owned()));
            assert_eq!(refused(vec![allocation(10, &tags)]), expected, "{tags:?}");
        }
    }

    #[test]
    fn tags_are_put_in_the_order_of_their_keys() {
        let unsorted = vec![allocation(3, &[("b", "1"), ("a", "2")])];
        let checked = check(unsorted, Quantity::whole(3).unwrap(), &rules());
        assert_eq!(checked, Ok(vec![allocation(3, &[("a", "2"), ("b", "1")])]));
    }

    #[test]
    fn the_cap_of_tags_may_hold_for_the_whole_record() {
        let three = [("a", "1"), ("b", "1"), ("c", "1")];
        let allocations =
            || vec![allocation(1, &three), allocation(2, &[("a", "2"), ("b", "1"), ("c", "1")])];
        let quantity = Quantity::whole(3).unwrap();
        assert!(check(allocations(), quantity, &rules()).is_ok());
        let capped = Rules { tags_capped_per_record: true, ..rules() };
        let refused = check(allocations(), quantity, &capped).map_err(|r| (r.code, r.field));
        assert_eq!(refused, Err((Code::TagInvalid, "usageAllocations".to_owned())));
        assert!(check(allocations().split_off(1), Quantity::whole(2).unwrap(), &capped).is_ok());
    }
}
