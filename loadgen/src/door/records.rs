//! Messages of string records in protobuf: BatchMeterUsageRequest and StreamUsageRequest, which have the same
//! fields, and ReportInstanceHoursRequest.

use super::protobuf::{put_bytes, put_length, put_number, put_varint, varint_len};
use crate::plan::{Extra, Fault, Feed, FeedKind, Plan, Row, Sending, market};

/// One unit in millionths.
const ONE: u64 = 1_000_000;
/// A code that no product has.
const NO_PRODUCT: &str = "noproductofthisplan000000";
/// A dimension that no product has.
const NO_DIMENSION: &str = "no-such-dimension";

/// What never changes of a plan's records.
#[derive(Debug, Clone)]
pub struct Records {
    /// By product: the fields before the records; and of a product that does not exist.
    heads: Vec<Vec<u8>>,
    /// By series: customer and dimension of a UsageRecord, or the fields of an InstanceHours before the hour.
    fragments: Vec<u8>,
    bounds: Vec<u32>,
}

impl Records {
    /// Of the series of a plan that go as records and reports.
    #[must_use]
    pub fn new(plan: &Plan) -> Records {
        let market = &plan.market;
        let codes = market.products.iter().map(|product| product.code.as_str()).chain([NO_PRODUCT]);
        let head = |code: &str| {
            let mut head = Vec::new();
            put_bytes(&mut head, 1, plan.sandbox.as_bytes());
            put_bytes(&mut head, 2, code.as_bytes());
            head
        };
        let (mut fragments, mut bounds) = (Vec::new(), vec![0]);
        for series in 0..market.series.len() as u32 {
            let (product, buyer) = (market.product_of(series), market.buyer_of(series));
            let (account, dimension) = (buyer.account.to_string(), &market.dimension(series).key);
            match product.kind {
                market::ProductKind::Saas => {
                    put_bytes(&mut fragments, 2, account.as_bytes());
                    put_bytes(&mut fragments, 5, dimension.as_bytes());
                }
                market::ProductKind::Instances => {
                    put_bytes(&mut fragments, 1, product.code.as_bytes());
                    put_bytes(&mut fragments, 2, account.as_bytes());
                    put_bytes(&mut fragments, 3, dimension.as_bytes());
                }
            }
            bounds.push(fragments.len() as u32);
        }
        Records { heads: codes.map(head).collect(), fragments, bounds }
    }

    /// Writes what is sent. `extras` is room to work in.
    #[must_use]
    pub fn message(&self, plan: &Plan, feed: &Feed, sending: Sending, extras: &mut Vec<Extra>) -> Vec<u8> {
        let (_, chunk) = feed.place(sending.message());
        let mut out = Vec::with_capacity(128 + 64 * (chunk.end - chunk.start) as usize);
        match feed.kind {
            FeedKind::Reports => {
                put_bytes(&mut out, 1, plan.sandbox.as_bytes());
                feed.rows(plan, sending, extras, |row| self.put_report(&mut out, row));
            }
            FeedKind::Records | FeedKind::Columns => {
                let product = match sending.names_no_product() {
                    true => self.heads.len() - 1,
                    false => plan.market.agreement_of(feed.series[chunk.start as usize]).product as usize,
                };
                out.extend_from_slice(&self.heads[product]);
                feed.rows(plan, sending, extras, |row| self.put_record(plan, &mut out, row));
            }
        }
        out
    }

    fn put_record(&self, plan: &Plan, out: &mut Vec<u8>, row: Row) {
        let owned;
        let fragment = match row.fault {
            Fault::None => self.fragment(row.series),
            Fault::Stranger | Fault::Dimension => {
                owned = faulty(plan, row);
                &owned
            }
        };
        let time = 1 + varint_len(row.seconds.cast_unsigned());
        let is_decimal = plan.usage.is_decimal(row.series);
        let quantity = row.millionths / ONE;
        let text = if is_decimal { decimal(row.millionths) } else { String::new() };
        let amount = if is_decimal { 2 + text.len() } else { 1 + varint_len(quantity) };
        put_length(out, 4, 2 + time + fragment.len() + amount);
        put_length(out, 1, time);
        put_number(out, 1, row.seconds.cast_unsigned());
        out.extend_from_slice(fragment);
        match is_decimal {
            true => put_bytes(out, 7, text.as_bytes()),
            false => put_number(out, 6, quantity),
        }
    }

    fn put_report(&self, out: &mut Vec<u8>, row: Row) {
        let fragment = self.fragment(row.series);
        let time = 1 + varint_len(row.seconds.cast_unsigned());
        let count = row.millionths / ONE;
        let amount = if count == 0 { 0 } else { 1 + varint_len(count) };
        put_length(out, 3, fragment.len() + 2 + time + amount);
        out.extend_from_slice(fragment);
        put_length(out, 4, time);
        put_number(out, 1, row.seconds.cast_unsigned());
        if 0 < count {
            put_varint(out, 5 << 3);
            put_varint(out, count);
        }
    }

    fn fragment(&self, series: u32) -> &[u8] {
        let series = series as usize;
        &self.fragments[self.bounds[series] as usize..self.bounds[series + 1] as usize]
    }
}

/// Customer and dimension of a record that is wrong.
fn faulty(plan: &Plan, row: Row) -> Vec<u8> {
    let (account, dimension) = wrong_names(plan, row);
    let mut fragment = Vec::new();
    put_bytes(&mut fragment, 2, account.as_bytes());
    put_bytes(&mut fragment, 5, dimension.as_bytes());
    fragment
}

/// Customer and dimension as a wrong record names them.
#[must_use]
pub fn wrong_names(plan: &Plan, row: Row) -> (String, String) {
    let (buyer, dimension) =
        (plan.market.buyer_of(row.series).account, &plan.market.dimension(row.series).key);
    match row.fault {
        Fault::None => (buyer.to_string(), dimension.clone()),
        Fault::Stranger => (market::stranger().to_string(), dimension.clone()),
        Fault::Dimension => (buyer.to_string(), NO_DIMENSION.to_owned()),
    }
}

/// The product code that no product has.
#[must_use]
pub fn no_product() -> &'static str {
    NO_PRODUCT
}

/// Millionths as a decimal without needless zeros.
#[must_use]
pub fn decimal(millionths: u64) -> String {
    let (units, fraction) = (millionths / ONE, millionths % ONE);
    match fraction {
        0 => units.to_string(),
        _ => format!("{units}.{fraction:06}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use souk_client::proto::metering::v1::{
        ReportInstanceHoursRequest, StreamUsageRequest, UsageRecord, usage_record::Customer,
    };

    use super::*;
    use crate::plan::feed::{BACK_MAX, part};
    use crate::plan::{ProbeKind, ProductKind, odd_shape};

    fn feed(plan: &Plan, kind: FeedKind, product: ProductKind) -> Feed {
        let series = part(plan, 1, |kind| kind == product).remove(0);
        Feed::of_records(plan, kind, 0, series, 25, BACK_MAX)
    }

    #[test]
    fn messages_of_records_are_what_the_generated_code_would_write() {
        let plan = Plan::new(odd_shape());
        let (records, feed) = (Records::new(&plan), feed(&plan, FeedKind::Records, ProductKind::Saas));
        let (mut extras, mut probes, mut seen) = (Vec::new(), Vec::new(), [0; 4]);
        for message in 0..feed.end_of_month(&plan, 1) {
            feed.probes(&plan, message, &mut probes);
            let sendings = probes.iter().map(|probe| Sending::Probe(message, *probe));
            for sending in sendings.chain([Sending::Usage(message)]) {
                let bytes = records.message(&plan, &feed, sending, &mut extras);
                let read = StreamUsageRequest::decode(bytes.as_slice()).unwrap();
                assert_eq!(read.encode_to_vec(), bytes, "{sending:?}");
                let mut rows = read.usage_records.iter();
                feed.rows(&plan, sending, &mut extras, |row| check(&plan, row, rows.next().unwrap()));
                assert_eq!(rows.next(), None);
                assert_eq!(read.product_code == NO_PRODUCT, sending.names_no_product());
                if let Sending::Probe(_, probe) = sending {
                    seen[probe.kind as usize] += 1;
                }
            }
        }
        assert!(
            0 < seen[ProbeKind::Late as usize] && seen.iter().filter(|count| **count > 0).count() > 2,
            "{seen:?}"
        );
    }

    fn check(plan: &Plan, row: Row, record: &UsageRecord) {
        let (account, dimension) = wrong_names(plan, row);
        assert_eq!(record.timestamp.unwrap().seconds, row.seconds);
        assert_eq!(record.customer, Some(Customer::CustomerAwsAccountId(account)));
        assert_eq!(record.dimension, dimension);
        match plan.usage.is_decimal(row.series) {
            true => {
                assert_eq!((record.quantity, &record.quantity_as_decimal), (None, &decimal(row.millionths)))
            }
            false => assert_eq!(record.quantity, Some(row.millionths / ONE)),
        }
    }

    #[test]
    fn messages_of_reports_are_what_the_generated_code_would_write() {
        let plan = Plan::new(odd_shape());
        let (records, feed) = (Records::new(&plan), feed(&plan, FeedKind::Reports, ProductKind::Instances));
        let mut extras = Vec::new();
        for message in 0..feed.end_of_month(&plan, 0) {
            let bytes = records.message(&plan, &feed, Sending::Usage(message), &mut extras);
            let read = ReportInstanceHoursRequest::decode(bytes.as_slice()).unwrap();
            assert_eq!(read.encode_to_vec(), bytes);
            let mut reports = read.reports.iter();
            feed.rows(&plan, Sending::Usage(message), &mut extras, |row| {
                let report = reports.next().unwrap();
                assert_eq!((report.count, report.hour.unwrap().seconds), (row.millionths / ONE, row.seconds));
                assert_eq!(report.product_code, plan.market.product_of(row.series).code);
                assert_eq!(report.buyer_account_id, plan.market.buyer_of(row.series).account.to_string());
                assert_eq!(report.instance_type, plan.market.dimension(row.series).key);
            });
            assert_eq!(reports.next(), None);
        }
    }

    #[test]
    fn decimals_have_no_needless_zeros() {
        let texts = [0, 1, 1_500_000, 2_000_000, 999_999].map(decimal);
        assert_eq!(texts, ["0", "0.000001", "1.5", "2", "0.999999"]);
    }
}
