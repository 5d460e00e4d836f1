//! Fields that several operations share, with the constraints of the API's model.

use souk_core::ids::{DimensionKey, LicenseArn, ProductCode};
use souk_core::metering::allocation::Allocation;
use souk_core::metering::request::Customer;
use souk_core::quantity::Quantity;
use souk_core::time::Timestamp;

use crate::aws::error::AwsError;
use crate::aws::wire::{Member, Violations};
use crate::client_time::ClientClock;

const PRODUCT_CODE: &str = "^[-a-zA-Z0-9/=:_.@]*$";
const ACCOUNT: &str = "^[0-9]+$";
const DECIMAL: &str = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$";
/// The largest whole quantity.
pub(super) const INTEGER_MAX: i64 = 2_147_483_647;

/// A product's code.
pub fn product_code<'v>(
    member: &Member<'_, 'v>,
    violations: &mut Violations,
) -> Result<Option<&'v str>, AwsError> {
    violations.length(member, 0..=255);
    violations.pattern(member, PRODUCT_CODE, is_product_code);
    member.text()
}

/// Whether a code is made of what codes are made of.
pub(super) fn is_product_code(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/=:_.@".contains(&b))
}

/// A product's code, in the core's words; an empty one is an absent one.
pub fn to_product_code(text: Option<&str>) -> Option<ProductCode> {
    text.filter(|text| !text.is_empty()).map(ProductCode::new)
}

/// A moment of use, in the sandbox's time.
pub fn timestamp(
    member: &Member<'_, '_>,
    clock: &ClientClock,
    violations: &mut Violations,
) -> Result<Option<Timestamp>, AwsError> {
    if !violations.required(member) {
        return Ok(None);
    }
    let micros = member.timestamp()?;
    let moment = micros.and_then(Timestamp::from_micros);
    if moment.is_none() {
        violations.add(member, "Member must be a moment between the years 1970 and 9999");
    }
    Ok(moment.map(|stamped| clock.to_sandbox(stamped)))
}

/// A dimension's key; the records of a batch share the key of the one before where it is the same.
pub fn dimension(
    member: &Member<'_, '_>,
    before: Option<&DimensionKey>,
    violations: &mut Violations,
) -> Result<DimensionKey, AwsError> {
    violations.required(member);
    violations.length(member, 1..=255);
    let text = member.text()?.unwrap_or_default();
    let same = before.filter(|key| key.as_str() == text).cloned();
    Ok(same.unwrap_or_else(|| DimensionKey::new(text)))
}

/// Exactly one way of naming the customer; an empty identifier is an absent one, as SDKs send it.
pub fn customer(record: &Member<'_, '_>, violations: &mut Violations) -> Result<Option<Customer>, AwsError> {
    let (identifier, account, licence) = (
        record.member("CustomerIdentifier")?,
        record.member("CustomerAWSAccountId")?,
        record.member("LicenseArn")?,
    );
    violations.length(&identifier, 0..=255);
    violations.length(&account, 1..=255);
    violations.pattern(&account, ACCOUNT, |text| text.bytes().all(|b| b.is_ascii_digit()));
    let named = identifier.text()?.filter(|text| !text.is_empty());
    match (named, account.text()?, licence.text()?) {
        (Some(text), None, None) => Ok(Some(Customer::Identifier(text.to_owned()))),
        (None, Some(text), None) => Ok(Some(Customer::Account(text.to_owned()))),
        // With a licence the account may be named, too; the licence says whose it is.
        (None, _, Some(text)) => Ok(Some(Customer::Licence(LicenseArn::new(text)))),
        (None, None, None) => {
            violations
                .add(&account, "one of CustomerAWSAccountId, CustomerIdentifier and LicenseArn is required");
            Ok(None)
        }
        (Some(_), _, _) => {
            violations.add(
                &identifier,
                "CustomerIdentifier cannot stand beside CustomerAWSAccountId or LicenseArn",
            );
            Ok(None)
        }
    }
}

/// A quantity in either of its kinds; absent ones are 0. `None`: a violation was noted.
pub fn quantity(
    integer: &Member<'_, '_>,
    decimal: &Member<'_, '_>,
    violations: &mut Violations,
) -> Result<Option<Quantity>, AwsError> {
    violations.range(integer, 0..=INTEGER_MAX);
    violations.length(decimal, 1..=17);
    violations.pattern(decimal, DECIMAL, |text| Quantity::parse(text).is_ok());
    match (integer.integer()?, decimal.text()?) {
        (Some(_), Some(_)) => {
            violations.add(decimal, "only one of the integer and the decimal quantity may be given");
            Ok(None)
        }
        (None, Some(text)) => Ok(Quantity::parse(text).ok()),
        (whole, None) => {
            Ok(u64::try_from(whole.unwrap_or(0)).ok().and_then(|units| Quantity::whole(units).ok()))
        }
    }
}

/// The allocations of a record.
#[derive(Debug, Default)]
pub struct Allocations {
    /// What they say.
    pub list: Vec<Allocation>,
    /// The first of another kind of quantity than the record's. That is refused after dimension and timestamp (G.8).
    pub of_another_kind: Option<String>,
}

/// The allocations of a record.
pub fn allocations(
    record: &Member<'_, '_>,
    decimal_record: bool,
    violations: &mut Violations,
) -> Result<Allocations, AwsError> {
    let list = record.member("UsageAllocations")?;
    violations.length(&list, 1..=2_500);
    let mut allocations = Allocations::default();
    for item in list.items()? {
        let (integer, decimal) =
            (item.member("AllocatedUsageQuantity")?, item.member("AllocatedUsageQuantityAsDecimal")?);
        if integer.is_absent() && decimal.is_absent() {
            violations.add(
                &integer,
                "one of AllocatedUsageQuantity and AllocatedUsageQuantityAsDecimal is required",
            );
        }
        let quantity = quantity(&integer, &decimal, violations)?;
        if decimal_record == decimal.is_absent() && allocations.of_another_kind.is_none() {
            allocations.of_another_kind = Some(item.path());
        }
        let tags = tags(&item, violations)?;
        allocations.list.extend(quantity.map(|quantity| Allocation { quantity, tags }));
    }
    Ok(allocations)
}

/// The tags of an allocation. What they may be made of is checked with the allocations: it has an exception of its own.
fn tags(item: &Member<'_, '_>, violations: &mut Violations) -> Result<Vec<(String, String)>, AwsError> {
    let list = item.member("Tags")?;
    if !list.is_absent() && list.items()?.len() == 0 {
        violations.length(&list, 1..=5);
    }
    let mut tags = Vec::new();
    for tag in list.items()? {
        let (key, value) = (tag.member("Key")?, tag.member("Value")?);
        violations.required(&key);
        violations.required(&value);
        tags.push((key.text()?.unwrap_or_default().to_owned(), value.text()?.unwrap_or_default().to_owned()));
    }
    Ok(tags)
}
