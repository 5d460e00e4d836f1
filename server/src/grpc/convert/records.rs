//! The records that stand and those that were refused.

use souk_core::catalog::Marketplace;
use souk_core::ids::MeteringRecordId;
use souk_core::metering::{Identity, MeteredRecord, RecordPosition, Run};
use souk_core::time::UsageHour;
use souk_proto::metering::v1 as proto;

use super::time::{from_proto_time, to_proto_time};
use crate::app::refusals::{NamedRecord, RefusedRecord};

/// A record that stands.
pub fn to_proto_metered_record(record: &MeteredRecord, market: &Marketplace) -> proto::MeteredRecord {
    let MeteredRecord { id, hour, series, quantity, allocations } = record;
    let license_arn = match &series.key.identity {
        Identity::Licence(licence) => licence.to_string(),
        Identity::Product(..) => String::new(),
    };
    let allocations = allocations.iter().map(|allocation| proto::MeteredAllocation {
        quantity: allocation.quantity.to_string(),
        tags: allocation.tags.iter().cloned().collect(),
    });
    proto::MeteredRecord {
        metering_record_id: id.to_string(),
        // Products are never deleted, so every record's has a code.
        product_code: market.products().get(&series.product).map(|p| p.code.to_string()).unwrap_or_default(),
        buyer_account_id: series.buyer.to_string(),
        license_arn,
        region: series.key.region.to_string(),
        resource: series.key.resource.as_ref().map(ToString::to_string).unwrap_or_default(),
        dimension: series.key.dimension.to_string(),
        hour: Some(to_proto_time(hour.start())),
        quantity: quantity.to_string(),
        usage_allocations: allocations.collect(),
    }
}

/// The key of a record in the list of those that stand.
pub fn to_proto_record_key(record: &MeteredRecord) -> String {
    format!("{:08x} {:032x}", record.hour.index(), record.id.number())
}

/// Reads such a key.
pub fn from_proto_record_key(key: &str) -> Option<RecordPosition> {
    let (hour, id) = key.split_once(' ')?;
    let hour = UsageHour::from_index(i32::from_str_radix(hour, 16).ok()?)?;
    Some((hour, MeteringRecordId::from_number(u128::from_str_radix(id, 16).ok()?)))
}

/// A record that was refused.
pub fn to_proto_refused_record(refused: &RefusedRecord) -> proto::RefusedRecord {
    let record = refused.record.clone();
    proto::RefusedRecord {
        receive_time: Some(to_proto_time(refused.received)),
        operation: refused.operation.to_owned(),
        code: refused.code.to_string(),
        message: refused.message.to_string(),
        product_code: record.product_code,
        customer_aws_account_id: record.account,
        customer_identifier: record.identifier,
        license_arn: record.licence,
        dimension: record.dimension,
        timestamp: record.timestamp.map(to_proto_time),
        quantity: record.quantity,
    }
}

/// What a usage record says, right or wrong.
pub fn from_proto_named_record(product_code: &str, record: &proto::UsageRecord) -> NamedRecord {
    use proto::usage_record::Customer;
    let mut named = NamedRecord {
        product_code: product_code.to_owned(),
        dimension: record.dimension.clone(),
        timestamp: from_proto_time(record.timestamp, "timestamp").ok(),
        quantity: match record.quantity {
            Some(units) => units.to_string(),
            None => record.quantity_as_decimal.clone(),
        },
        ..NamedRecord::default()
    };
    match &record.customer {
        Some(Customer::CustomerAwsAccountId(id)) => named.account.clone_from(id),
        Some(Customer::CustomerIdentifier(identifier)) => named.identifier.clone_from(identifier),
        Some(Customer::LicenseArn(licence)) => named.licence.clone_from(licence),
        None => (),
    }
    named
}

/// What a report of instance-hours says, right or wrong.
pub fn from_proto_named_report(report: &proto::InstanceHours) -> NamedRecord {
    NamedRecord {
        product_code: report.product_code.clone(),
        account: report.buyer_account_id.clone(),
        dimension: report.instance_type.clone(),
        timestamp: from_proto_time(report.hour, "hour").ok(),
        quantity: report.count.to_string(),
        ..NamedRecord::default()
    }
}

/// What a run says, right or wrong: its quantity is how many seconds it lasts.
pub fn from_proto_named_run(product_code: &str, run: &proto::Run) -> NamedRecord {
    let from = from_proto_time(run.start_time, "startTime").ok();
    let until = from_proto_time(run.end_time, "endTime").ok();
    let lasts = from.zip(until).filter(|(from, until)| from < until);
    NamedRecord {
        product_code: product_code.to_owned(),
        account: run.buyer_account_id.clone(),
        dimension: run.dimension.clone(),
        timestamp: from,
        quantity: lasts.map(|(from, until)| Run { from, until }.seconds().to_string()).unwrap_or_default(),
        ..NamedRecord::default()
    }
}

/// What an inference says, right or wrong.
pub fn from_proto_named_inference(
    request: &proto::MeterInferencesRequest,
    index: usize,
) -> Option<NamedRecord> {
    let call = request.inferences.get(index)?;
    Some(NamedRecord {
        product_code: request.product_code.clone(),
        account: request.buyer_account_id.clone(),
        dimension: request.dimension.clone(),
        timestamp: from_proto_time(call.call_time, "callTime").ok(),
        quantity: call.consumed_units.unwrap_or(1).to_string(),
        ..NamedRecord::default()
    })
}

#[cfg(test)]
mod tests {
    use proto::usage_record::Customer;
    use souk_core::catalog::{Change, Product, ProductType};
    use souk_core::ids::{
        AccountId, DimensionKey, LicenseArn, MeteringResource, ProductCode, ProductId, Region, SandboxName,
    };
    use souk_core::metering::series::Series;
    use souk_core::metering::{Allocation, SeriesKey};
    use souk_core::quantity::{Quantity, QuantitySum};
    use souk_core::rules::{Profile, Rules};
    use souk_core::time::Timestamp;

    use super::*;

    fn market() -> Marketplace {
        let rules = Rules::of(Profile::Source);
        let mut market = Marketplace::new(SandboxName::new("s"), String::new(), rules, Timestamp::MIN);
        market.apply(&Change::ProductCreated(Product {
            id: ProductId::new("prod-1"),
            code: ProductCode::new("code"),
            title: String::new(),
            seller: AccountId::from_number(9).unwrap(),
            product_type: ProductType::Saas,
            usage_category: None,
            dimensions: Vec::new(),
            concurrent_agreements: false,
        }));
        market
    }

    fn record(identity: Identity) -> MeteredRecord {
        let buyer = AccountId::from_number(1).unwrap();
        let key = SeriesKey {
            identity,
            region: Region::new("eu-west-1"),
            resource: Some(MeteringResource::new("i-1")),
            dimension: DimensionKey::new("users"),
        };
        let hash = key.hash();
        let series = Series { key, product: ProductId::new("prod-1"), buyer, payer: buyer, hash };
        let hour = UsageHour::from_index(480_000).unwrap();
        let tags = vec![("team".to_owned(), "blue".to_owned())];
        MeteredRecord {
            id: series.record_id(hour),
            hour,
            series,
            quantity: QuantitySum(2_500_000),
            allocations: [Allocation { quantity: Quantity::parse("2.5").unwrap(), tags }].into(),
        }
    }

    #[test]
    fn a_record_that_stands_says_all_that_it_is_told_apart_by() {
        let buyer = AccountId::from_number(1).unwrap();
        for (identity, license_arn) in [
            (Identity::Product(ProductCode::new("code"), buyer), ""),
            (Identity::Licence(LicenseArn::new("arn")), "arn"),
        ] {
            let record = record(identity);
            let expected = proto::MeteredRecord {
                metering_record_id: record.id.to_string(),
                product_code: "code".to_owned(),
                buyer_account_id: "000000000001".to_owned(),
                license_arn: license_arn.to_owned(),
                region: "eu-west-1".to_owned(),
                resource: "i-1".to_owned(),
                dimension: "users".to_owned(),
                hour: Some(to_proto_time(record.hour.start())),
                quantity: "2.5".to_owned(),
                usage_allocations: vec![proto::MeteredAllocation {
                    quantity: "2.5".to_owned(),
                    tags: [("team".to_owned(), "blue".to_owned())].into(),
                }],
            };
            assert_eq!(to_proto_metered_record(&record, &market()), expected);
            let key = to_proto_record_key(&record);
            assert_eq!(from_proto_record_key(&key), Some((record.hour, record.id)), "{key}");
        }
        for wrong in ["", "1", "x 1", "1 x", "ffffffff 1"] {
            assert_eq!(from_proto_record_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_record_says_is_kept_as_it_says_it() {
        let time = Some(prost_types::Timestamp { seconds: -1, nanos: 0 });
        for (customer, named) in [
            (None, ["", "", ""]),
            (Some(Customer::CustomerAwsAccountId("x".to_owned())), ["x", "", ""]),
            (Some(Customer::CustomerIdentifier("x".to_owned())), ["", "x", ""]),
            (Some(Customer::LicenseArn("x".to_owned())), ["", "", "x"]),
        ] {
            let sent = proto::UsageRecord {
                timestamp: time,
                customer,
                quantity: None,
                quantity_as_decimal: "-1".to_owned(),
                ..proto::UsageRecord::default()
            };
            let found = from_proto_named_record("code", &sent);
            assert_eq!([&*found.account, &found.identifier, &found.licence], named);
            assert_eq!((found.timestamp, &*found.quantity), (None, "-1"));
        }
        let report = proto::InstanceHours { count: 3, hour: time, ..proto::InstanceHours::default() };
        assert_eq!(from_proto_named_report(&report).quantity, "3");
    }
}
