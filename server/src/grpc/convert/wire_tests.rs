//! The reader in place against the generated decoder, on messages of every kind.

use proptest::prelude::*;
use prost::Message;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::usage_record::Customer;

use super::super::usage::from_proto_usage_request;
use super::*;
use crate::app::lessons::ReadRequest;

/// A row with names of its own.
type Owned = (Vec<u8>, Timestamp, Quantity);

fn rows(request: &impl NamedRows) -> Option<Vec<Owned>> {
    let mut rows = Vec::new();
    let all = request.lend(|row| {
        rows.push((row.names.to_vec(), row.timestamp, row.quantity));
        true
    });
    all.then_some(rows)
}

/// What is read in place must be what is read the long way.
fn compare(message: &[u8]) -> Result<bool, TestCaseError> {
    let Some(view) = UsageView::read(message) else { return Ok(false) };
    let Some(found) = rows(&view) else { return Ok(false) };
    let decoded = match proto::StreamUsageRequest::decode(message) {
        Ok(decoded) => decoded,
        // Names that are no texts are never learned, so that they are never found.
        Err(error) if error.to_string().contains("not UTF-8") => return Ok(false),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    prop_assert_eq!(view.sandbox, &decoded.sandbox);
    let proto::StreamUsageRequest { product_code, region, usage_records, .. } = &decoded;
    prop_assert_eq!(view.product_code, product_code.as_bytes());
    prop_assert_eq!(found.len(), usage_records.len());
    // Names and scopes that are refused the long way are never learned, so that they are never found.
    if let Ok(read) = from_proto_usage_request(product_code, region, usage_records, usize::MAX) {
        let expected = ReadRequest(&read);
        if !product_code.is_empty() {
            prop_assert_eq!(view.scope(), expected.scope());
            prop_assert_eq!(Some(found), rows(&expected));
        }
    } else {
        for ((_, timestamp, quantity), record) in found.iter().zip(usage_records) {
            let time = super::super::time::from_proto_time(record.timestamp, "");
            prop_assert_eq!(time.as_ref(), Ok(timestamp));
            let units = record.quantity.map(|units| Quantity::whole(units).unwrap());
            let decimal = Quantity::parse(&record.quantity_as_decimal).ok();
            prop_assert_eq!(units.or(decimal).unwrap_or(Quantity::ZERO), *quantity);
        }
    }
    Ok(true)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9.:-]{1,16}",
        1 => Just(String::new()),
        1 => "\\PC{1,4}",
        1 => "[a-z]{130}",
    ]
}

fn customer() -> impl Strategy<Value = Option<Customer>> {
    prop_oneof![
        6 => "[0-9]{12}".prop_map(|id| Some(Customer::CustomerAwsAccountId(id))),
        2 => text().prop_map(|id| Some(Customer::CustomerIdentifier(id))),
        1 => text().prop_map(|arn| Some(Customer::LicenseArn(arn))),
        1 => Just(None),
    ]
}

fn time() -> impl Strategy<Value = Option<prost_types::Timestamp>> {
    let seconds = prop_oneof![4 => 0_i64..4_000_000_000, 1 => any::<i64>()];
    let nanos = prop_oneof![4 => Just(0), 2 => 0..1_000_000_000, 1 => any::<i32>()];
    let time = (seconds, nanos).prop_map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos });
    prop::option::weighted(0.95, time)
}

fn record() -> impl Strategy<Value = proto::UsageRecord> {
    let quantity = prop_oneof![4 => 0_u64..=2_147_483_647, 1 => any::<u64>()];
    let decimal = prop_oneof![2 => Just(String::new()), 2 => "[0-9]{1,10}(\\.[0-9]{1,6})?", 1 => text()];
    let allocations = prop_oneof![9 => Just(0_usize), 1 => 1..3_usize];
    let parts = (time(), customer(), text(), prop::option::of(quantity), decimal, allocations);
    parts.prop_map(|(timestamp, customer, dimension, quantity, decimal, allocations)| {
        // Both at once are seldom of interest.
        let quantity_as_decimal = if quantity.is_some_and(|q| q % 8 != 0) { String::new() } else { decimal };
        let usage_allocations = vec![proto::UsageAllocation::default(); allocations];
        proto::UsageRecord {
            timestamp,
            customer,
            dimension,
            quantity,
            quantity_as_decimal,
            usage_allocations,
        }
    })
}

fn request() -> impl Strategy<Value = proto::StreamUsageRequest> {
    let region = prop_oneof![Just(String::new()), Just("eu-west-1".to_owned()), text()];
    let parts = ("[a-z]{1,9}", text(), region, prop::collection::vec(record(), 0..6));
    parts.prop_map(|(sandbox, product_code, region, usage_records)| proto::StreamUsageRequest {
        sandbox,
        product_code,
        region,
        usage_records,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_read_in_place_is_what_the_decoder_reads(request in request()) {
        compare(&request.encode_to_vec())?;
    }

    #[test]
    fn spoiled_messages_are_read_like_the_decoder_or_not_at_all(
        request in request(),
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let mut message = request.encode_to_vec();
        for (index, byte, how) in spoils {
            let at = index.index(message.len().max(1));
            match how {
                0 => message.truncate(at),
                1 => message.insert(at.min(message.len()), byte),
                2 if !message.is_empty() => drop(message.remove(at)),
                _ => if let Some(slot) = message.get_mut(at) { *slot ^= byte },
            }
        }
        compare(&message)?;
    }

    #[test]
    fn noise_is_read_like_the_decoder_or_not_at_all(message in prop::collection::vec(any::<u8>(), 0..64)) {
        compare(&message)?;
    }
}

fn plain() -> proto::StreamUsageRequest {
    let record = |customer: Customer| proto::UsageRecord {
        timestamp: Some(prost_types::Timestamp { seconds: 1_741_604_400, nanos: 5_000 }),
        customer: Some(customer),
        dimension: "users".to_owned(),
        quantity: Some(7),
        ..proto::UsageRecord::default()
    };
    let first = record(Customer::CustomerAwsAccountId("000000000101".to_owned()));
    let decimal = proto::UsageRecord {
        quantity: None,
        quantity_as_decimal: "0.5".to_owned(),
        ..record(Customer::CustomerIdentifier("id".to_owned()))
    };
    proto::StreamUsageRequest {
        sandbox: "default".to_owned(),
        product_code: "code".to_owned(),
        region: String::new(),
        usage_records: vec![first, decimal],
    }
}

#[test]
fn the_plain_form_is_read_in_place() {
    assert!(compare(&plain().encode_to_vec()).unwrap(), "the short way was not taken");
}

#[test]
fn fields_in_another_order_are_read_in_place_too() {
    let request = plain();
    let mut message = Vec::new();
    proto::StreamUsageRequest { usage_records: Vec::new(), ..request.clone() }.encode(&mut message).unwrap();
    for record in &request.usage_records {
        // Some write the customer last.
        let mut bytes = Vec::new();
        proto::UsageRecord { customer: None, ..record.clone() }.encode(&mut bytes).unwrap();
        let customer = record.customer.clone();
        proto::UsageRecord { customer, ..proto::UsageRecord::default() }.encode(&mut bytes).unwrap();
        message.push(request::USAGE_RECORDS);
        message.push(bytes.len() as u8);
        message.extend_from_slice(&bytes);
    }
    assert!(compare(&message).unwrap(), "the short way was not taken");
}

#[test]
fn what_is_not_plain_is_left_to_the_decoder() {
    type Spoil = fn(&mut proto::StreamUsageRequest);
    let spoils: [(&str, Spoil); 7] = [
        ("a licence", |r| {
            r.usage_records[1].customer = Some(Customer::LicenseArn("arn:aws:s:::x".to_owned()));
        }),
        ("allocations", |r| r.usage_records[1].usage_allocations.push(proto::UsageAllocation::default())),
        ("no time", |r| r.usage_records[1].timestamp = None),
        ("a quantity that is too large", |r| r.usage_records[0].quantity = Some(1 << 31)),
        ("two quantities", |r| r.usage_records[1].quantity = Some(1)),
        ("no records", |r| r.usage_records.clear()),
        ("no dimension", |r| r.usage_records[0].dimension.clear()),
    ];
    for (what, spoil) in spoils {
        let mut request = plain();
        spoil(&mut request);
        assert!(!compare(&request.encode_to_vec()).unwrap(), "{what}");
    }
    // The same message with a field that nobody knows.
    let mut message = plain().encode_to_vec();
    message.extend([0x78, 1]);
    assert!(!compare(&message).unwrap(), "an unknown field");
}
