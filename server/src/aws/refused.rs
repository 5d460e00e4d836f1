//! Notes what BatchMeterUsage and MeterUsage refused, whoever refused it: the signature, the limits, the fields, the
//! rules. Nothing is read again unless something was refused.

use http::request::Parts;
use souk_core::time::Timestamp;

use super::error::AwsError;
use super::route::{Routed, Service};
use super::sigv4::{self, Mode, Policy, SignedRequest};
use super::wire::Value;
use crate::app::Souk;
use crate::app::refusals::{KEPT_MAX, NamedRecord, Reason};

/// How an operation calls the members of a record.
struct Names {
    dimension: &'static str,
    quantity: &'static str,
    decimal: &'static str,
}

const BATCH: Names = Names { dimension: "Dimension", quantity: "Quantity", decimal: "QuantityAsDecimal" };
const SINGLE: Names =
    Names { dimension: "UsageDimension", quantity: "UsageQuantity", decimal: "UsageQuantityAsDecimal" };

/// Notes what was refused of an answer, if it is one about usage.
pub fn note(souk: &Souk, routed: &Routed, parts: &Parts, body: &[u8], answer: &Result<Value<'_>, AwsError>) {
    let mut refused = match (routed.service, routed.operation, answer) {
        (Service::Metering, "BatchMeterUsage", Ok(answer)) => of_records(routed, body, answer),
        (Service::Metering, "BatchMeterUsage", Err(error)) => of_batch(routed, body, error),
        (Service::Metering, "MeterUsage", Err(error)) => vec![of_call(souk, routed, parts, body, error)],
        _ => return,
    };
    if refused.is_empty() {
        return;
    }
    let sandbox = routed.sandbox_name();
    if let Ok(market) = souk.market(&sandbox) {
        let clock = souk.client_clock(&market);
        for (_, record) in &mut refused {
            record.timestamp = record.timestamp.map(|stamped| clock.to_sandbox(stamped));
        }
    }
    souk.note_refused(&sandbox, routed.operation, refused);
}

/// The records that an answer says were not metered.
fn of_records(routed: &Routed, body: &[u8], answer: &Value<'_>) -> Vec<(Reason, NamedRecord)> {
    let results = items(answer, "Results").iter().filter_map(|result| {
        let Some(Value::Text(status)) = result.get("Status") else { return None };
        let reason = match &**status {
            "DuplicateRecord" => Reason::duplicate(status, &text(result, "MeteringRecordId")),
            "CustomerNotSubscribed" => Reason::not_subscribed(status),
            _ => return None,
        };
        Some((reason, named(result.get("UsageRecord")?, &BATCH)))
    });
    let unprocessed = items(answer, "UnprocessedRecords")
        .iter()
        .map(|record| (Reason::unprocessed("UnprocessedRecords"), named(record, &BATCH)));
    let mut refused: Vec<_> = results.chain(unprocessed).collect();
    if !refused.is_empty() {
        let product_code = read(routed, body).map(|input| text(&input, "ProductCode")).unwrap_or_default();
        for (_, record) in &mut refused {
            record.product_code.clone_from(&product_code);
        }
    }
    refused
}

/// Every record of a request that was refused as a whole; one of which nothing is known when there is none.
fn of_batch(routed: &Routed, body: &[u8], error: &AwsError) -> Vec<(Reason, NamedRecord)> {
    let reason = Reason::new(&error.code, &error.message);
    let input = read(routed, body).unwrap_or(Value::Null);
    let product_code = text(&input, "ProductCode");
    let of_product = |record| NamedRecord { product_code: product_code.clone(), ..record };
    match items(&input, "UsageRecords") {
        [] => vec![(reason, of_product(NamedRecord::default()))],
        records => {
            let kept = records.iter().take(KEPT_MAX);
            kept.map(|record| (reason.clone(), of_product(named(record, &BATCH)))).collect()
        }
    }
}

/// The one record of a call, of the account that signed.
fn of_call(
    souk: &Souk,
    routed: &Routed,
    parts: &Parts,
    body: &[u8],
    error: &AwsError,
) -> (Reason, NamedRecord) {
    let mut record = read(routed, body).map(|input| named(&input, &SINGLE)).unwrap_or_default();
    let request = SignedRequest { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body };
    let policy = Policy { mode: Mode::Identify, signing_names: &[], now: souk.clock.now() };
    let caller = sigv4::authenticate(&policy, &request, |_| None::<&str>).ok();
    let owner = caller.and_then(|caller| caller.access_key_id).and_then(|key| {
        let market = souk.market(&routed.sandbox_name()).ok()?;
        market.access_key_owner(&key).map(|account| account.id)
    });
    record.account = owner.map(|id| id.to_string()).unwrap_or_default();
    (Reason::new(&error.code, &error.message), record)
}

fn read<'a>(routed: &Routed, body: &'a [u8]) -> Option<Value<'a>> {
    routed.protocol.parse(body).ok()
}

fn items<'v>(structure: &'v Value<'_>, name: &str) -> &'v [Value<'v>] {
    match structure.get(name) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// What a record says, whatever is wrong with it.
fn named(record: &Value<'_>, names: &Names) -> NamedRecord {
    let quantity = text(record, names.quantity);
    NamedRecord {
        product_code: text(record, "ProductCode"),
        account: text(record, "CustomerAWSAccountId"),
        identifier: text(record, "CustomerIdentifier"),
        licence: text(record, "LicenseArn"),
        dimension: text(record, names.dimension),
        timestamp: time(record.get("Timestamp")),
        quantity: if quantity.is_empty() { text(record, names.decimal) } else { quantity },
    }
}

/// A text or a number as it was sent; empty where there is neither.
fn text(structure: &Value<'_>, name: &str) -> String {
    match structure.get(name) {
        Some(Value::Text(text)) => text.to_string(),
        Some(Value::Number(number)) => number.as_str().to_owned(),
        _ => String::new(),
    }
}

fn time(value: Option<&Value<'_>>) -> Option<Timestamp> {
    let micros = match value? {
        Value::Timestamp(micros) => *micros,
        Value::Number(seconds) => seconds.seconds_to_micros()?,
        _ => return None,
    };
    Timestamp::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Protocol;
    use super::*;

    fn routed() -> Routed {
        Routed {
            sandbox: None,
            service: Service::Metering,
            operation: "BatchMeterUsage",
            signing_name: "aws-marketplace",
            protocol: Protocol::Json11,
        }
    }

    #[test]
    fn a_request_refused_as_a_whole_names_its_records_as_far_as_they_can_be_read() {
        let error = AwsError::validation("it is wrong");
        let known = NamedRecord { product_code: "code".to_owned(), ..NamedRecord::default() };
        let named = |account: &str, quantity: &str, seconds: Option<i64>| NamedRecord {
            account: account.to_owned(),
            quantity: quantity.to_owned(),
            timestamp: seconds.and_then(|seconds| Timestamp::from_micros(seconds * 1_000_000)),
            ..known.clone()
        };
        for (body, expected) in [
            ("", vec![NamedRecord::default()]),
            ("[1]", vec![NamedRecord::default()]),
            (r#"{"ProductCode":"code"}"#, vec![known.clone()]),
            (r#"{"ProductCode":"code","UsageRecords":7}"#, vec![known.clone()]),
            (
                r#"{"ProductCode":"code","UsageRecords":[7,{"CustomerAWSAccountId":"1","Quantity":-5,"Timestamp":60},
                    {"CustomerAWSAccountId":[],"QuantityAsDecimal":"1.5","Timestamp":"soon"}]}"#,
                vec![known.clone(), named("1", "-5", Some(60)), named("", "1.5", None)],
            ),
        ] {
            let refused = of_batch(&routed(), body.as_bytes(), &error);
            let records: Vec<_> = refused.into_iter().map(|(_, record)| record).collect();
            assert_eq!(records, expected, "{body}");
        }
    }

    #[test]
    fn of_an_answer_only_what_was_not_metered_counts() {
        let record = || Some(Value::structure([("Dimension", Some(Value::text("users")))]));
        let result = |status: &'static str| {
            Value::structure([("UsageRecord", record()), ("Status", Some(Value::text(status)))])
        };
        let results = ["Success", "DuplicateRecord", "Success", "CustomerNotSubscribed"].map(result);
        let unprocessed = record().into_iter().collect();
        let answer = Value::structure([
            ("Results", Some(Value::List(results.into()))),
            ("UnprocessedRecords", Some(Value::List(unprocessed))),
        ]);
        let refused = of_records(&routed(), br#"{"ProductCode":"code"}"#, &answer);
        let codes: Vec<_> =
            refused.iter().map(|(reason, record)| (reason.code(), &*record.dimension)).collect();
        let expected = ["DuplicateRecord", "CustomerNotSubscribed", "UnprocessedRecords"];
        assert_eq!(codes, expected.map(|code| (code, "users")));
        assert!(refused.iter().all(|(_, record)| record.product_code == "code"));
    }
}
