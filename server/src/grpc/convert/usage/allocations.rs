//! Allocations of a record: the form of their quantities, which are of the same kind as the record's. Every
//! other rule about them is the core's.

use souk_core::metering::Allocation;
use souk_core::rejection::{Code, Rejection};
use souk_proto::metering::v1 as proto;

use super::from_proto_quantity;

/// Reads how a record's quantity divides over tags.
pub fn from_proto_allocations(record: &proto::UsageRecord) -> Result<Vec<Allocation>, Rejection> {
    let of_decimal = !record.quantity_as_decimal.is_empty();
    let mut allocations = Vec::with_capacity(record.usage_allocations.len());
    for (index, allocation) in record.usage_allocations.iter().enumerate() {
        let read = from_proto_allocation(allocation, of_decimal);
        allocations.push(read.map_err(|r| r.within(&format!("usageAllocations[{index}]")))?);
    }
    Ok(allocations)
}

fn from_proto_allocation(
    allocation: &proto::UsageAllocation,
    of_decimal: bool,
) -> Result<Allocation, Rejection> {
    let proto::UsageAllocation { quantity, quantity_as_decimal, tags } = allocation;
    let (wanted, other) = match of_decimal {
        true => ("quantityAsDecimal", "quantity"),
        false => ("quantity", "quantityAsDecimal"),
    };
    // Both at once are refused by the reader of quantities.
    match (quantity, quantity_as_decimal.as_str()) {
        (None, "") => {
            let message = format!("it is required: give {wanted}, as the record does");
            return Err(Rejection::new(Code::FieldMissing, wanted, message));
        }
        (None, _) if !of_decimal => return Err(other_kind(wanted, other)),
        (Some(_), "") if of_decimal => return Err(other_kind(wanted, other)),
        _ => (),
    }
    let tag = |tag: &proto::Tag| (tag.key.clone(), tag.value.clone());
    Ok(Allocation {
        quantity: from_proto_quantity(*quantity, quantity_as_decimal)?,
        tags: tags.iter().map(tag).collect(),
    })
}

fn other_kind(wanted: &str, other: &str) -> Rejection {
    let message = format!("allocations have quantities of the same kind as their record: give {wanted}");
    Rejection::new(Code::UsageAllocationsInvalid, other, message)
}

#[cfg(test)]
mod tests {
    use souk_core::quantity::Quantity;

    use super::super::super::refusal;
    use super::*;

    fn allocation(quantity: Option<u64>, decimal: &str) -> proto::UsageAllocation {
        let tags = vec![proto::Tag { key: "team".to_owned(), value: "blue".to_owned() }];
        proto::UsageAllocation { quantity, quantity_as_decimal: decimal.to_owned(), tags }
    }

    fn read(
        quantity: Option<u64>,
        decimal: &str,
        allocation: proto::UsageAllocation,
    ) -> Result<Vec<Allocation>, Rejection> {
        from_proto_allocations(&proto::UsageRecord {
            quantity,
            quantity_as_decimal: decimal.to_owned(),
            usage_allocations: vec![allocation],
            ..proto::UsageRecord::default()
        })
    }

    #[test]
    fn an_allocation_has_the_kind_of_its_record() {
        use Code::{FieldMissing, QuantityInvalid, UsageAllocationsInvalid};
        for (record, part, expected) in [
            ((Some(5), ""), (Some(5), ""), None),
            ((Some(5), ""), (Some(0), ""), None),
            ((None, ""), (Some(0), ""), None),
            ((None, "5"), (None, "5.0"), None),
            ((Some(5), ""), (None, "5"), Some((UsageAllocationsInvalid, "quantityAsDecimal"))),
            ((None, ""), (None, "0"), Some((UsageAllocationsInvalid, "quantityAsDecimal"))),
            ((None, "5"), (Some(5), ""), Some((UsageAllocationsInvalid, "quantity"))),
            ((Some(5), ""), (None, ""), Some((FieldMissing, "quantity"))),
            ((None, "5"), (None, ""), Some((FieldMissing, "quantityAsDecimal"))),
            ((Some(5), ""), (Some(5), "5"), Some((QuantityInvalid, "quantityAsDecimal"))),
            ((None, "5"), (Some(5), "5"), Some((QuantityInvalid, "quantityAsDecimal"))),
            ((Some(5), ""), (Some(2_147_483_648), ""), Some((QuantityInvalid, "quantity"))),
            ((None, "5"), (None, "05"), Some((QuantityInvalid, "quantityAsDecimal"))),
        ] {
            let expected = expected.map(|(code, field)| (code, format!("usageAllocations[0].{field}")));
            let found = refusal(read(record.0, record.1, allocation(part.0, part.1)));
            assert_eq!(found, expected, "{record:?} {part:?}");
        }
    }

    #[test]
    fn an_allocation_comes_in_with_its_tags() {
        let expected = Allocation {
            quantity: Quantity::parse("2.5").unwrap(),
            tags: vec![("team".to_owned(), "blue".to_owned())],
        };
        assert_eq!(read(None, "2.5", allocation(None, "2.50")), Ok(vec![expected]));
    }
}
