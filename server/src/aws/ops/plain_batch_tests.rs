use souk_core::catalog::Clock;
use souk_core::rules::ClientTime;

use super::*;
use crate::aws::wire::{Member, Value, json};

fn clock() -> ClientClock {
    let now = Timestamp::from_micros(1_768_480_000_000_000).unwrap();
    ClientClock::new(ClientTime::Sandbox, Clock::Stopped(now), now, now)
}

fn body(record: &str) -> String {
    format!(r#"{{"ProductCode":"code","UsageRecords":[{record}]}}"#)
}

fn record(timestamp: &str, customer: &str, rest: &str) -> String {
    format!(r#"{{"Timestamp":{timestamp},{customer},"Dimension":"units"{rest}}}"#)
}

const ACCOUNT: &str = r#""CustomerAWSAccountId":"222222222222""#;

#[test]
fn the_plain_form_is_read_as_the_long_way_reads_it() {
    let region = Region::new("us-east-1");
    let bodies = [
        body(&record("1768478400", ACCOUNT, r#","Quantity":5"#)),
        body(&record("1768478400.25", ACCOUNT, "")),
        body(&record("1.7684784e9", r#""CustomerIdentifier":"ä b""#, r#","QuantityAsDecimal":"1.5""#)),
        body(&record(" 1768478400 ", ACCOUNT, ", \"Quantity\" : -0 ")),
        format!(
            " {{ \"UsageRecords\" : [ {} , {} ] ,\n \"ProductCode\" : \"code\" }} ",
            record("1", ACCOUNT, ""),
            record("2", ACCOUNT, r#","Quantity":2147483647"#)
        ),
    ];
    for body in bodies {
        let batch = PlainBatch::read(body.as_bytes(), &region, &clock());
        let batch = batch.unwrap_or_else(|| panic!("not read: {body}"));
        assert_eq!(batch.scope(), (&b"code"[..], &b"us-east-1"[..]));
        let value = json::parse(body.as_bytes()).unwrap();
        let mut violations = crate::aws::wire::Violations::new();
        let input = Member::body(&value);
        let list = input.member("UsageRecords").unwrap();
        let mut expected = Vec::new();
        for item in list.items().unwrap() {
            let mut names = Vec::new();
            let customer = fields::customer(&item, &mut violations).unwrap().unwrap();
            let dimension = item.member("Dimension").unwrap();
            let dimension = fields::dimension(&dimension, None, &mut violations).unwrap();
            crate::app::known_series::write_names(&customer, &dimension, &mut names).unwrap();
            let (whole, decimal) =
                (item.member("Quantity").unwrap(), item.member("QuantityAsDecimal").unwrap());
            let timestamp = item.member("Timestamp").unwrap();
            let timestamp = fields::timestamp(&timestamp, &clock(), &mut violations).unwrap().unwrap();
            let quantity = fields::quantity(&whole, &decimal, &mut violations).unwrap().unwrap();
            expected.push((names, timestamp, quantity));
        }
        violations.finish().unwrap();
        let mut found = Vec::new();
        assert!(batch.lend(|row| {
            found.push((row.names.to_vec(), row.timestamp, row.quantity));
            true
        }));
        assert_eq!(found, expected, "{body}");
        check_answer(&batch, &value);
    }
}

/// The answer is the one that is printed of values.
fn check_answer(batch: &PlainBatch<'_>, input: &Value<'_>) {
    let ids: Vec<_> = (1..).map(|n| MeteringRecordId::new(n << 64, 7)).take(batch.records.len()).collect();
    let Some(Value::List(echoes)) = input.get("UsageRecords") else { panic!("no list") };
    let result = |(echo, id): (&Value<'_>, &MeteringRecordId)| {
        Value::structure([
            ("UsageRecord", Some(echo.clone().into_owned())),
            ("MeteringRecordId", Some(Value::text(id.to_string()))),
            ("Status", Some(Value::text("Success"))),
        ])
    };
    let answer = Value::structure([
        ("Results", Some(Value::List(echoes.iter().zip(&ids).map(result).collect()))),
        ("UnprocessedRecords", Some(Value::List(Vec::new()))),
    ]);
    assert_eq!(batch.print_metered(&ids), json::print(&answer));
}

#[test]
fn what_breaks_a_constraint_or_is_of_another_form_is_not_read() {
    let plain = record("1768478400", ACCOUNT, "");
    let long = "d".repeat(256);
    let bodies = [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{} 1", body(&plain)),
        body(""),
        body("7"),
        body(&format!("{plain},")),
        body(&[plain.as_str(); 26].join(",")),
        format!(r#"{{"UsageRecords":[{plain}]}}"#),
        format!(r#"{{"ProductCode":"","UsageRecords":[{plain}]}}"#),
        format!(r#"{{"ProductCode":"a b","UsageRecords":[{plain}]}}"#),
        format!(r#"{{"ProductCode":"a","ProductCode":"b","UsageRecords":[{plain}]}}"#),
        format!(r#"{{"ProductCode":"a","UsageRecords":[{plain}],"Other":1}}"#),
        body(&record("\"soon\"", ACCOUNT, "")),
        body(&record("-1", ACCOUNT, "")),
        body(&record("null", ACCOUNT, "")),
        body(&record("1e300", ACCOUNT, "")),
        body(&record("1", r#""CustomerAWSAccountId":"x""#, "")),
        body(&record("1", r#""CustomerAWSAccountId":"""#, "")),
        body(&record("1", r#""CustomerIdentifier":"\u0041""#, "")),
        body(&record("1", &format!(r#"{ACCOUNT},"CustomerIdentifier":"""#), "")),
        body(&record("1", r#""LicenseArn":"arn""#, "")),
        body(&record("1", ACCOUNT, r#","Quantity":-1"#)),
        body(&record("1", ACCOUNT, r#","Quantity":1.0"#)),
        body(&record("1", ACCOUNT, r#","Quantity":2147483648"#)),
        body(&record("1", ACCOUNT, r#","Quantity":1,"QuantityAsDecimal":"1""#)),
        body(&record("1", ACCOUNT, r#","QuantityAsDecimal":"01""#)),
        body(&record("1", ACCOUNT, r#","Dimension":"again""#)),
        body(&record("1", ACCOUNT, r#","UsageAllocations":[]"#)),
        body(&record("1", &format!("{ACCOUNT},\"CustomerAWSAccountId\":\"1\""), "")),
        body(&plain).replace("units", ""),
        body(&plain).replace("units", &long),
    ];
    let region = Region::new("us-east-1");
    for body in bodies {
        assert!(PlainBatch::read(body.as_bytes(), &region, &clock()).is_none(), "{body}");
    }
}
