//! Reported instance-hours: usage that AWS Marketplace meters itself, of several products in one request.

use std::collections::BTreeMap;

use souk_core::catalog::DimensionType;
use souk_core::ids::{AccountId, ProductCode};
use souk_core::metering::{Customer, Door, UsageRecord, UsageRequest};
use souk_core::quantity::Quantity;
use souk_core::rejection::{Code, Rejection};
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_proto::metering::v1 as proto;

use super::super::required;
use super::super::time::from_proto_time;
use super::{check_count, from_proto_dimension_key, from_proto_product_code, from_proto_region};

/// Reads reported instance-hours, 1 to 5,000: one request for each product, in the order in which the products
/// first appear, each with the positions of its records in `reports`.
///
/// # Errors
/// The first field that does not have its form; nothing of the request is taken then.
pub fn from_proto_instance_hours(
    region: &str,
    reports: &[proto::InstanceHours],
) -> Result<Vec<(UsageRequest, Vec<u32>)>, Rejection> {
    let region = from_proto_region(region, "region")?;
    check_count(reports.len(), MAX_STREAM_RECORDS, "reports")?;
    let mut requests: Vec<(UsageRequest, Vec<u32>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (report, position) in reports.iter().zip(0..) {
        let (code, record) =
            from_proto_report(report).map_err(|r| r.within(&format!("reports[{position}]")))?;
        let place = *places.entry(report.product_code.as_str()).or_insert(requests.len());
        if place == requests.len() {
            let request = UsageRequest {
                product_code: Some(code),
                region: region.clone(),
                resource: None,
                records: Vec::new(),
                metered_as: DimensionType::Metered,
                door: Door::Batch,
            };
            requests.push((request, Vec::new()));
        }
        if let Some((request, positions)) = requests.get_mut(place) {
            request.records.push(record);
            positions.push(position);
        }
    }
    Ok(requests)
}

/// The core's refusal of one product's instance-hours, in the words of the request they came in: `positions`
/// are those of [`from_proto_instance_hours`].
#[must_use]
pub fn to_report_rejection(rejection: Rejection, positions: &[u32]) -> Rejection {
    let position = |index: usize| positions.get(index).copied();
    let named = rejection.field.strip_prefix("usageRecords[").and_then(|rest| {
        let (index, field) = rest.split_once("].")?;
        let field = match field {
            "timestamp" => "hour",
            "customer" => "buyerAccountId",
            "dimension" => "instanceType",
            other => other,
        };
        Some((position(index.parse().ok()?)?, field))
    });
    let of_product =
        position(0).filter(|_| rejection.field == "productCode").map(|first| (first, "productCode"));
    match named.or(of_product) {
        Some((position, field)) => Rejection { field: format!("reports[{position}].{field}"), ..rejection },
        None => rejection,
    }
}

fn from_proto_report(report: &proto::InstanceHours) -> Result<(ProductCode, UsageRecord), Rejection> {
    let code = from_proto_product_code(&report.product_code, "productCode")?;
    let code = required(code, "productCode")?;
    let buyer = AccountId::from_field(&report.buyer_account_id, "buyerAccountId")?;
    let dimension = from_proto_dimension_key(&report.instance_type, "instanceType")?;
    let timestamp = from_proto_time(report.hour, "hour")?;
    let quantity = Quantity::whole(report.count).map_err(|why| {
        let message = format!("\"{}\" is not a count of instances: {why}", report.count);
        Rejection::new(Code::QuantityInvalid, "count", message)
    })?;
    let customer = Customer::Account(buyer.to_string());
    Ok((code, UsageRecord { timestamp, customer, dimension, quantity, allocations: Vec::new() }))
}

#[cfg(test)]
mod tests {
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing, QuantityInvalid, TooManyRecords};

    use super::super::super::refusal;
    use super::*;

    fn report(product: &str, count: u64) -> proto::InstanceHours {
        proto::InstanceHours {
            product_code: product.to_owned(),
            buyer_account_id: "123456789012".to_owned(),
            instance_type: "m5.large".to_owned(),
            hour: Some(prost_types::Timestamp { seconds: 3_600, nanos: 0 }),
            count,
        }
    }

    #[test]
    fn instance_hours_are_grouped_by_product_in_order_of_appearance() {
        let reports = ["b", "a", "b", "c", "a"].into_iter().zip(0..).map(|(code, count)| report(code, count));
        let requests = from_proto_instance_hours("eu-west-1", &reports.collect::<Vec<_>>()).unwrap();
        let found: Vec<_> = requests
            .iter()
            .map(|(request, positions)| {
                let counts = request.records.iter().map(|r| r.quantity.millionths() / 1_000_000).collect();
                (request.product_code.as_ref().map_or("", ProductCode::as_str), counts, positions.clone())
            })
            .collect();
        assert_eq!(
            found,
            [("b", vec![0, 2], vec![0, 2]), ("a", vec![1, 4], vec![1, 4]), ("c", vec![3], vec![3])]
        );
        for (request, _) in &requests {
            assert_eq!((request.region.as_str(), request.metered_as), ("eu-west-1", DimensionType::Metered));
        }
    }

    #[test]
    fn a_wrong_report_is_named_by_its_field() {
        type Spoil = fn(&mut proto::InstanceHours);
        let spoils: [(Spoil, Code, &str); 8] = [
            (|r| r.product_code.clear(), FieldMissing, "productCode"),
            (|r| r.product_code.push(' '), FieldInvalid, "productCode"),
            (|r| r.buyer_account_id.clear(), FieldMissing, "buyerAccountId"),
            (|r| r.buyer_account_id.push('0'), FieldInvalid, "buyerAccountId"),
            (|r| r.instance_type.clear(), FieldMissing, "instanceType"),
            (|r| r.instance_type = "m".repeat(256), FieldInvalid, "instanceType"),
            (|r| r.hour = None, FieldMissing, "hour"),
            (|r| r.count = 2_147_483_648, QuantityInvalid, "count"),
        ];
        for (spoil, code, field) in spoils {
            let mut wrong = report("code", 1);
            spoil(&mut wrong);
            let refused = refusal(from_proto_instance_hours("", &[wrong.clone()]));
            assert_eq!(refused, Some((code, format!("reports[0].{field}"))), "{wrong:?}");
        }
        let many = refusal(from_proto_instance_hours("", &vec![report("code", 1); MAX_STREAM_RECORDS + 1]));
        assert_eq!(many, Some((TooManyRecords, "reports".to_owned())));
        assert_eq!(refusal(from_proto_instance_hours("", &[])), Some((FieldMissing, "reports".to_owned())));
    }

    #[test]
    fn a_refusal_of_reports_speaks_of_reports() {
        for (field, expected) in [
            ("usageRecords[1].timestamp", "reports[7].hour"),
            ("usageRecords[0].dimension", "reports[4].instanceType"),
            ("usageRecords[1].customer", "reports[7].buyerAccountId"),
            ("productCode", "reports[4].productCode"),
            ("usageRecords[2].timestamp", "usageRecords[2].timestamp"),
            ("region", "region"),
            ("", ""),
        ] {
            let rejection = to_report_rejection(Rejection::new(FieldInvalid, field, "wrong"), &[4, 7]);
            assert_eq!(rejection.field, expected);
        }
    }
}
