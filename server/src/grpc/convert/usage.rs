//! Usage records and reported instance-hours: the form of their fields (aws-api A.2 and G), and what became
//! of them. Errors alone build paths and texts: messages of thousands of records come through here.

mod allocations;
mod reports;
mod runs;

use souk_core::catalog::DimensionType;
use souk_core::ids::{DEFAULT_REGION, DimensionKey, LicenseArn, MeteringRecordId, ProductCode, Region};
use souk_core::metering::{Customer, Door, RecordStatus, UsageOutcome, UsageRecord, UsageRequest};
use souk_core::quantity::{Quantity, QuantityError};
use souk_core::rejection::{Code, Rejection};
use souk_proto::metering::v1 as proto;

use super::required_text;
use super::time::from_proto_time;
use allocations::from_proto_allocations;

pub use reports::{from_proto_instance_hours, to_report_rejection};
pub use runs::{from_proto_inferences, from_proto_runs};

/// Characters of a product code, customer, dimension or account id in a request at most, as at AWS.
pub const TEXT_LENGTH_MAX: usize = 255;
/// Characters of a region's name at most.
pub const REGION_LENGTH_MAX: usize = 32;

/// Reads the usage records of one request: at least one and at most `limit`.
///
/// # Errors
/// The first field that does not have its form; nothing of the request is taken then.
pub fn from_proto_usage_request(
    product_code: &str,
    region: &str,
    records: &[proto::UsageRecord],
    limit: usize,
) -> Result<UsageRequest, Rejection> {
    let product_code = from_proto_product_code(product_code, "productCode")?;
    let region = from_proto_region(region, "region")?;
    check_count(records.len(), limit, "usageRecords")?;
    let mut read = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        read.push(from_proto_usage_record(record).map_err(|r| r.within(&format!("usageRecords[{index}]")))?);
    }
    Ok(UsageRequest {
        product_code,
        region,
        resource: None,
        records: read,
        metered_as: DimensionType::ExternallyMetered,
        door: Door::Batch,
    })
}

/// Reads one usage record.
///
/// # Errors
/// The first field that does not have its form, in the order of the contract.
pub fn from_proto_usage_record(record: &proto::UsageRecord) -> Result<UsageRecord, Rejection> {
    Ok(UsageRecord {
        timestamp: from_proto_time(record.timestamp, "timestamp")?,
        customer: from_proto_customer(record.customer.as_ref())?,
        dimension: from_proto_dimension_key(&record.dimension, "dimension")?,
        quantity: from_proto_quantity(record.quantity, &record.quantity_as_decimal)?,
        allocations: from_proto_allocations(record)?,
    })
}

/// Reads a region; `us-east-1` when absent.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn from_proto_region(region: &str, field: &str) -> Result<Region, Rejection> {
    if region.is_empty() {
        return Ok(Region::new(DEFAULT_REGION));
    }
    match region.len() <= REGION_LENGTH_MAX && is_region(region) {
        true => Ok(Region::new(region)),
        false => {
            let message = format!("\"{region}\" is not an AWS region: give one such as {DEFAULT_REGION}");
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// What became of the records of a request.
pub fn to_proto_results(outcomes: Vec<UsageOutcome>) -> Vec<proto::UsageRecordResult> {
    outcomes.into_iter().map(to_proto_result).collect()
}

/// What became of one message of a stream of so many records: successes are counted, the others named.
pub fn to_proto_stream_answer(
    message_index: u64,
    count: u32,
    exceptions: &[UsageOutcome],
) -> proto::StreamUsageResponse {
    let exceptions: Vec<_> = exceptions.iter().copied().map(to_proto_result).collect();
    // A message holds at most 5,000 records.
    let success_count = count - exceptions.len() as u32;
    proto::StreamUsageResponse { message_index, success_count, exceptions, refusal: None }
}

/// The refusal of one message of a stream as a whole.
pub fn to_proto_stream_refusal(message_index: u64, rejection: Rejection) -> proto::StreamUsageResponse {
    let Rejection { code, field, message } = rejection;
    let refusal = proto::MessageRefusal { code: code.as_str().to_owned(), field, message };
    proto::StreamUsageResponse {
        message_index,
        success_count: 0,
        exceptions: Vec::new(),
        refusal: Some(refusal),
    }
}

/// A status, and the id of the record that stands.
pub fn to_proto_status(status: RecordStatus) -> (proto::UsageRecordStatus, Option<MeteringRecordId>) {
    use proto::UsageRecordStatus as Status;
    match status {
        RecordStatus::Success(id) => (Status::Success, Some(id)),
        RecordStatus::DuplicateRecord(id) => (Status::DuplicateRecord, Some(id)),
        RecordStatus::CustomerNotSubscribed => (Status::CustomerNotSubscribed, None),
        RecordStatus::Unprocessed => (Status::Unprocessed, None),
    }
}

fn to_proto_result(outcome: UsageOutcome) -> proto::UsageRecordResult {
    let (status, id) = to_proto_status(outcome.status);
    proto::UsageRecordResult {
        record_index: outcome.index,
        status: status.into(),
        metering_record_id: id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn check_count(count: usize, limit: usize, field: &str) -> Result<(), Rejection> {
    match count {
        0 => Err(Rejection::new(Code::FieldMissing, field, format!("it is empty: give 1 to {limit}"))),
        count if count <= limit => Ok(()),
        count => {
            let message = format!("{count} of them; at most {limit} go into one request: send more requests");
            Err(Rejection::new(Code::TooManyRecords, field, message))
        }
    }
}

/// Reads a product code, if there is one. AWS: `^[-a-zA-Z0-9/=:_.@]*$`.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn from_proto_product_code(code: &str, field: &str) -> Result<Option<ProductCode>, Rejection> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-/=:_.@".contains(&byte);
    match code.len() <= TEXT_LENGTH_MAX && code.bytes().all(allowed) {
        true => Ok((!code.is_empty()).then(|| ProductCode::new(code))),
        false => {
            let message = format!(
                "\"{code}\" is not a product code: at most {TEXT_LENGTH_MAX} letters, digits and -/=:_.@"
            );
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// Reads a customer: exactly one; an empty text names none.
///
/// # Errors
/// `CUSTOMER_MISSING`, `FIELD_INVALID` and `LICENSE_INVALID`.
pub fn from_proto_customer(customer: Option<&proto::usage_record::Customer>) -> Result<Customer, Rejection> {
    use proto::usage_record::Customer as Named;
    match customer {
        Some(Named::CustomerAwsAccountId(id)) if !id.is_empty() => match check_account(id) {
            true => Ok(Customer::Account(id.clone())),
            false => {
                let message = format!("\"{id}\" is not an account id: give 1 to {TEXT_LENGTH_MAX} digits");
                Err(Rejection::new(Code::FieldInvalid, "customerAwsAccountId", message))
            }
        },
        Some(Named::CustomerIdentifier(identifier)) if !identifier.is_empty() => {
            check_length(identifier, "customerIdentifier")?;
            Ok(Customer::Identifier(identifier.clone()))
        }
        Some(Named::LicenseArn(arn)) if !arn.is_empty() => match is_arn(arn) {
            true => Ok(Customer::Licence(LicenseArn::new(arn))),
            false => {
                let message =
                    format!("\"{arn}\" is not a licence: give an ARN such as arn:aws:license-manager:...");
                Err(Rejection::new(Code::LicenseInvalid, "licenseArn", message))
            }
        },
        Some(_) | None => {
            let message = "a customer is required: give one of customerAwsAccountId, customerIdentifier and \
                           licenseArn";
            Err(Rejection::new(Code::CustomerMissing, "customer", message))
        }
    }
}

/// AWS: `^[0-9]+$`, not always twelve: an account that nobody has is not subscribed, not wrong.
fn check_account(id: &str) -> bool {
    id.len() <= TEXT_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the key of a dimension.
///
/// # Errors
/// `FIELD_MISSING` and `FIELD_INVALID`.
pub fn from_proto_dimension_key(key: &str, field: &str) -> Result<DimensionKey, Rejection> {
    check_length(required_text(key, field)?, field)?;
    Ok(DimensionKey::new(key))
}

/// A whole quantity or a decimal one; zero when neither is given.
fn from_proto_quantity(whole: Option<u64>, decimal: &str) -> Result<Quantity, Rejection> {
    let refuse = |field: &str, value: &str, why: QuantityError| {
        Rejection::new(Code::QuantityInvalid, field, format!("\"{value}\" is not a quantity: {why}"))
    };
    match (whole, decimal) {
        (None, "") => Ok(Quantity::ZERO),
        (Some(units), "") => {
            Quantity::whole(units).map_err(|why| refuse("quantity", &units.to_string(), why))
        }
        (None, decimal) => Quantity::parse(decimal).map_err(|why| refuse("quantityAsDecimal", decimal, why)),
        (Some(units), decimal) => {
            let message = format!(
                "\"{decimal}\" stands beside quantity {units}: give quantity or quantityAsDecimal, not both"
            );
            Err(Rejection::new(Code::QuantityInvalid, "quantityAsDecimal", message))
        }
    }
}

fn check_length(text: &str, field: &str) -> Result<(), Rejection> {
    // AWS counts characters; a text of so few bytes has no more of them.
    match text.len() <= TEXT_LENGTH_MAX || text.chars().count() <= TEXT_LENGTH_MAX {
        true => Ok(()),
        false => {
            let message =
                format!("it has {} characters; at most {TEXT_LENGTH_MAX} are allowed", text.chars().count());
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// AWS: `^arn:aws[a-zA-Z-]*:service:region?:account?:resource$`.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, _, _, resource] = parts.as_slice() else { return false };
    let of_partition = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    let partition_ok = partition.strip_prefix("aws").is_some_and(|rest| rest.bytes().all(of_partition));
    *arn == "arn" && partition_ok && !service.is_empty() && !resource.is_empty()
}

/// `^[a-z]{2,4}(-[a-z]+)+-[0-9]$`: us-east-1, us-gov-west-1, eusc-de-east-1.
fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number =
        parts.pop().is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit()));
    let area = parts.first().is_some_and(|first| (2..=4).contains(&first.len()));
    number && area && 2 <= parts.len() && parts.iter().all(letters)
}

#[cfg(test)]
mod tests {
    use proto::usage_record::Customer as Named;
    use souk_core::rejection::Code::{
        CustomerMissing, FieldInvalid, FieldMissing, LicenseInvalid, QuantityInvalid, TooManyRecords,
    };

    use super::super::refusal;
    use super::*;

    const ARN: &str = "arn:aws:license-manager::294406891311:license:l-1";

    fn time() -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds: 3_600, nanos: 0 })
    }

    fn record() -> proto::UsageRecord {
        proto::UsageRecord {
            timestamp: time(),
            customer: Some(Named::CustomerAwsAccountId("123456789012".to_owned())),
            dimension: "users".to_owned(),
            quantity: Some(5),
            quantity_as_decimal: String::new(),
            usage_allocations: Vec::new(),
        }
    }

    #[test]
    fn a_wrong_record_is_named_by_its_field() {
        type Spoil = fn(&mut proto::UsageRecord);
        let spoils: [(Spoil, Code, &str); 20] = [
            (|r| r.timestamp = None, FieldMissing, "timestamp"),
            (
                |r| r.timestamp = Some(prost_types::Timestamp { seconds: -1, nanos: 0 }),
                FieldInvalid,
                "timestamp",
            ),
            (|r| r.customer = None, CustomerMissing, "customer"),
            (|r| r.customer = Some(Named::CustomerAwsAccountId(String::new())), CustomerMissing, "customer"),
            (|r| r.customer = Some(Named::CustomerIdentifier(String::new())), CustomerMissing, "customer"),
            (|r| r.customer = Some(Named::LicenseArn(String::new())), CustomerMissing, "customer"),
            (
                |r| r.customer = Some(Named::CustomerAwsAccountId("12a".to_owned())),
                FieldInvalid,
                "customerAwsAccountId",
            ),
            (
                |r| r.customer = Some(Named::CustomerAwsAccountId("1".repeat(256))),
                FieldInvalid,
                "customerAwsAccountId",
            ),
            (
                |r| r.customer = Some(Named::CustomerIdentifier("x".repeat(256))),
                FieldInvalid,
                "customerIdentifier",
            ),
            (|r| r.customer = Some(Named::LicenseArn("l-1".to_owned())), LicenseInvalid, "licenseArn"),
            (
                |r| r.customer = Some(Named::LicenseArn("arn:aws2:s:::x".to_owned())),
                LicenseInvalid,
                "licenseArn",
            ),
            (|r| r.dimension.clear(), FieldMissing, "dimension"),
            (|r| r.dimension = "ü".repeat(256), FieldInvalid, "dimension"),
            (|r| r.quantity = Some(2_147_483_648), QuantityInvalid, "quantity"),
            (|r| r.quantity = Some(u64::MAX), QuantityInvalid, "quantity"),
            (|r| r.quantity_as_decimal = "5".to_owned(), QuantityInvalid, "quantityAsDecimal"),
            (
                |r| (r.quantity, r.quantity_as_decimal) = (None, "-1".to_owned()),
                QuantityInvalid,
                "quantityAsDecimal",
            ),
            (
                |r| (r.quantity, r.quantity_as_decimal) = (None, "01".to_owned()),
                QuantityInvalid,
                "quantityAsDecimal",
            ),
            (
                |r| (r.quantity, r.quantity_as_decimal) = (None, "0.0000001".to_owned()),
                QuantityInvalid,
                "quantityAsDecimal",
            ),
            (
                |r| (r.quantity, r.quantity_as_decimal) = (None, "10000000000".to_owned()),
                QuantityInvalid,
                "quantityAsDecimal",
            ),
        ];
        for (spoil, code, field) in spoils {
            let mut wrong = record();
            spoil(&mut wrong);
            let refused = refusal(from_proto_usage_request("code", "", &[record(), wrong.clone()], 25));
            assert_eq!(refused, Some((code, format!("usageRecords[1].{field}"))), "{wrong:?}");
        }
    }

    #[test]
    fn the_limits_of_a_record_themselves_are_taken() {
        type Spoil = fn(&mut proto::UsageRecord);
        let spoils: [(Spoil, u64); 9] = [
            (|_| (), 5_000_000),
            (|r| r.quantity = Some(2_147_483_647), 2_147_483_647_000_000),
            (|r| r.quantity = None, 0),
            (|r| (r.quantity, r.quantity_as_decimal) = (None, "17.00".to_owned()), 17_000_000),
            (
                |r| (r.quantity, r.quantity_as_decimal) = (None, "9999999999.999999".to_owned()),
                9_999_999_999_999_999,
            ),
            (|r| r.customer = Some(Named::CustomerAwsAccountId("1".repeat(255))), 5_000_000),
            (|r| r.customer = Some(Named::CustomerIdentifier("é".repeat(255))), 5_000_000),
            (|r| r.customer = Some(Named::LicenseArn(ARN.to_owned())), 5_000_000),
            (|r| r.dimension = "ü".repeat(255), 5_000_000),
        ];
        for (spoil, millionths) in spoils {
            let mut right = record();
            spoil(&mut right);
            let read = from_proto_usage_record(&right);
            assert_eq!(read.map(|record| record.quantity.millionths()), Ok(millionths), "{right:?}");
        }
    }

    #[test]
    fn a_request_has_its_limits() {
        let request = |code: &str, region: &str, count| {
            refusal(from_proto_usage_request(code, region, &vec![record(); count], 25))
        };
        let longest = "a".repeat(255);
        for (code, region, count, expected) in [
            ("", "", 25, None),
            ("a-Z0/9=:_.@", "us-gov-west-1", 1, None),
            (longest.as_str(), "eusc-de-east-1", 1, None),
            ("code", "", 0, Some((FieldMissing, "usageRecords"))),
            ("code", "", 26, Some((TooManyRecords, "usageRecords"))),
            ("a b", "", 1, Some((FieldInvalid, "productCode"))),
            (&format!("{longest}a"), "", 1, Some((FieldInvalid, "productCode"))),
            ("code", "us-east", 1, Some((FieldInvalid, "region"))),
            ("code", "us-1", 1, Some((FieldInvalid, "region"))),
            ("code", "u-east-1", 1, Some((FieldInvalid, "region"))),
            ("code", "US-EAST-1", 1, Some((FieldInvalid, "region"))),
            ("code", "us--1", 1, Some((FieldInvalid, "region"))),
            ("code", "us-east-12", 1, Some((FieldInvalid, "region"))),
            ("code", &format!("us-{}-1", "a".repeat(28)), 1, Some((FieldInvalid, "region"))),
        ] {
            let expected = expected.map(|(code, field)| (code, field.to_owned()));
            assert_eq!(request(code, region, count), expected, "{code} {region} {count}");
        }
    }

    #[test]
    fn a_request_without_product_and_region_has_none_and_the_default() {
        let request = from_proto_usage_request("", "", &[record()], 25).unwrap();
        assert_eq!((request.product_code, request.region.as_str()), (None, "us-east-1"));
        assert_eq!(request.metered_as, DimensionType::ExternallyMetered);
    }

    #[test]
    fn every_outcome_has_its_status_and_ids_only_where_something_is_metered() {
        use proto::UsageRecordStatus as Status;
        let id = MeteringRecordId::new(1, 2);
        let outcomes: Vec<_> = [
            RecordStatus::Success(id),
            RecordStatus::DuplicateRecord(id),
            RecordStatus::CustomerNotSubscribed,
            RecordStatus::Unprocessed,
        ]
        .into_iter()
        .zip(3..)
        .map(|(status, index)| UsageOutcome { index, status })
        .collect();
        let result = |record_index, status: Status, metering_record_id: String| proto::UsageRecordResult {
            record_index,
            status: status.into(),
            metering_record_id,
        };
        let expected = vec![
            result(3, Status::Success, id.to_string()),
            result(4, Status::DuplicateRecord, id.to_string()),
            result(5, Status::CustomerNotSubscribed, String::new()),
            result(6, Status::Unprocessed, String::new()),
        ];
        assert_eq!(to_proto_results(outcomes.clone()), expected);
        let answer = to_proto_stream_answer(9, 4, &outcomes[1..]);
        assert_eq!((answer.message_index, answer.success_count), (9, 1));
        assert_eq!(answer.exceptions, expected[1..]);
        let refusal = Rejection::new(TooManyRecords, "usageRecords", "too many");
        let answer = to_proto_stream_refusal(9, refusal);
        assert_eq!(
            answer.refusal.map(|r| (r.code, r.field)),
            Some(("TOO_MANY_RECORDS".into(), "usageRecords".into()))
        );
    }
}
