//! BatchMeterUsage as AWS SDKs send it: JSON 1.1 over HTTP/1.1 connections that stay open, signed with SigV4.

pub mod http;
pub mod sign;

use std::fmt::Write;

use super::answer::{Answer, Status};
use super::records::{decimal, no_product, wrong_names};
use crate::plan::{Extra, Fault, Feed, Plan, Row, Sending, market};
use sign::Signer;

/// How long a throttled request waits.
const THROTTLED: std::time::Duration = std::time::Duration::from_millis(20);

/// What never changes of a plan's requests.
#[derive(Debug, Clone)]
pub struct Requests {
    path: String,
    /// By product.
    signers: Vec<Signer>,
    /// By series: customer and dimension in JSON.
    fragments: Vec<String>,
}

impl Requests {
    /// Of the series of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Requests {
        let signer = |product: u32| {
            let (key, secret) = market::access_key(product);
            Signer::new(&key, &secret)
        };
        let fragment = |series: u32| {
            let (buyer, dimension) =
                (plan.market.buyer_of(series).account, &plan.market.dimension(series).key);
            names(&buyer.to_string(), dimension)
        };
        Requests {
            path: format!("/s/{}/", plan.sandbox),
            signers: (0..plan.market.products.len() as u32).map(signer).collect(),
            fragments: (0..plan.market.series.len() as u32).map(fragment).collect(),
        }
    }

    /// Writes the whole request of what is sent, signed now. `extras` is room to work in.
    #[must_use]
    pub fn request(&self, plan: &Plan, feed: &Feed, sending: Sending, extras: &mut Vec<Extra>) -> Vec<u8> {
        let (_, chunk) = feed.place(sending.message());
        let product = plan.market.agreement_of(feed.series[chunk.start as usize]).product as usize;
        let code = match sending.names_no_product() {
            true => no_product(),
            false => plan.market.products[product].code.as_str(),
        };
        let mut body = String::with_capacity(3_200);
        body.push_str(r#"{"UsageRecords":["#);
        feed.rows(plan, sending, extras, |row| self.put_record(plan, &mut body, row));
        body.pop();
        // Writing to a string cannot fail.
        let _ = write!(body, r#"],"ProductCode":"{code}"}}"#);
        self.signers[product].request(&self.path, &body)
    }

    fn put_record(&self, plan: &Plan, body: &mut String, row: Row) {
        let _ = write!(body, r#"{{"Timestamp":{},"#, row.seconds);
        match row.fault {
            Fault::None => body.push_str(&self.fragments[row.series as usize]),
            Fault::Stranger | Fault::Dimension => {
                let (account, dimension) = wrong_names(plan, row);
                body.push_str(&names(&account, &dimension));
            }
        }
        let _ = match plan.usage.is_decimal(row.series) {
            true => write!(body, r#""QuantityAsDecimal":"{}"}},"#, decimal(row.millionths)),
            false => write!(body, r#""Quantity":{}}},"#, row.millionths / 1_000_000),
        };
    }
}

fn names(account: &str, dimension: &str) -> String {
    format!(r#""CustomerAWSAccountId":"{account}","Dimension":"{dimension}","#)
}

/// Reads an answer to a request of so many records: its HTTP status and body.
#[must_use]
pub fn answer(status: u16, body: &[u8], rows: u64) -> Answer {
    if status != 200 {
        let error: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let kind = text("__type");
        let code = kind.rsplit('#').next().unwrap_or_default().to_owned();
        let is_busy = code == "ThrottlingException" || status == 503;
        let words = match code.is_empty() {
            true => format!("HTTP {status}: {}", String::from_utf8_lossy(body)),
            false => text("message"),
        };
        return Answer::Refused { code, words, retry_after: is_busy.then_some(THROTTLED) };
    }
    let statuses = statuses(body);
    if statuses.len() as u64 != rows {
        // What is missing was not processed, and which ones that were matters to nobody: all are sent again.
        let unprocessed = (0..rows as u32).map(|row| (row, Status::Unprocessed)).collect();
        return Answer::Rows { count: rows, exceptions: unprocessed };
    }
    let exceptions = statuses.into_iter().zip(0..).filter(|(status, _)| *status != Status::Success);
    Answer::Rows { count: rows, exceptions: exceptions.map(|(status, row)| (row, status)).collect() }
}

/// The statuses of an answer in their order. Values cannot hold the marker: its quotes would be escaped.
fn statuses(body: &[u8]) -> Vec<Status> {
    const MARKER: &[u8] = br#""Status":""#;
    let mut statuses = Vec::with_capacity(25);
    let mut rest = body;
    while let Some(at) = find(rest, MARKER) {
        rest = &rest[at + MARKER.len()..];
        let word = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
        statuses.push(match word {
            b"Success" => Status::Success,
            b"CustomerNotSubscribed" => Status::NotSubscribed,
            b"DuplicateRecord" => Status::Duplicate,
            _ => Status::Unknown,
        });
    }
    statuses
}

/// Where a text begins in another: by its first byte, which is rare enough.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == wanted[1]) {
        let start = from + at;
        if 0 < start && bytes[start - 1..].starts_with(wanted) {
            return Some(start - 1);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::feed::part;
    use crate::plan::{FeedKind, ProductKind, odd_shape};

    #[test]
    fn a_request_is_json_of_the_rows_of_its_message() {
        let plan = Plan::new(odd_shape());
        let series = part(&plan, 1, |kind| kind == ProductKind::Saas).remove(0);
        let feed = Feed::of_records(&plan, FeedKind::Records, 0, series, 25, 0);
        let (requests, mut extras) = (Requests::new(&plan), Vec::new());
        let (mut decimals, mut wholes) = (0, 0);
        for message in 0..feed.end_of_month(&plan, 0) {
            let request = requests.request(&plan, &feed, Sending::Usage(message), &mut extras);
            let text = String::from_utf8(request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /s/load-7/ HTTP/1.1\r\n"), "{head}");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            let mut records = body["UsageRecords"].as_array().unwrap().iter();
            feed.rows(&plan, Sending::Usage(message), &mut extras, |row| {
                let record = records.next().unwrap();
                let (account, dimension) = wrong_names(&plan, row);
                assert_eq!(record["Timestamp"], row.seconds);
                assert_eq!(
                    (&record["CustomerAWSAccountId"], &record["Dimension"]),
                    (&account.into(), &dimension.into())
                );
                match plan.usage.is_decimal(row.series) {
                    true => assert_eq!(record["QuantityAsDecimal"], decimal(row.millionths)),
                    false => assert_eq!(record["Quantity"], row.millionths / 1_000_000),
                }
                decimals += u32::from(plan.usage.is_decimal(row.series));
                wholes += u32::from(!plan.usage.is_decimal(row.series));
            });
            assert!(records.next().is_none());
        }
        assert!(0 < decimals && 0 < wholes);
    }

    #[test]
    fn answers_are_read_by_their_statuses() {
        let body = br#"{"Results":[{"MeteringRecordId":"a","Status":"Success"},{"Status":"DuplicateRecord"},
            {"Status":"CustomerNotSubscribed"}],"UnprocessedRecords":[]}"#;
        let exceptions = vec![(1, Status::Duplicate), (2, Status::NotSubscribed)];
        assert_eq!(answer(200, body, 3), Answer::Rows { count: 3, exceptions });
        let Answer::Rows { exceptions, .. } = answer(200, body, 4) else { panic!("it is no refusal") };
        assert!(exceptions.iter().all(|(_, status)| *status == Status::Unprocessed) && exceptions.len() == 4);

        let refused = answer(400, br#"{"__type":"a#TimestampOutOfBoundsException","message":"late"}"#, 1);
        let Answer::Refused { code, words, retry_after } = refused else { panic!("{refused:?}") };
        assert_eq!(
            (code.as_str(), words.as_str(), retry_after),
            ("TimestampOutOfBoundsException", "late", None)
        );
        let busy = answer(400, br#"{"__type":"ThrottlingException"}"#, 1);
        assert!(matches!(busy, Answer::Refused { retry_after: Some(_), .. }));
    }
}
