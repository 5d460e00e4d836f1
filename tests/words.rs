//! Short words for what end-to-end tests send, and texts for what they read: an invoice, an explanation or an
//! error as lines that stand in a test beside what they should be.

use std::fmt::Write;

use prost_types::Duration;
use souk_client::{ClientError, SoukClient, TurnedClock};
use souk_core::time::Timestamp;
use souk_proto::agreement::v1::UpfrontConfiguration;
use souk_proto::billing::v1::{ExplainedHour, Invoice, InvoiceLine};
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{
    BatchMeterUsageRequest, InstanceHours, StreamUsageRequest, UsageRecord, UsageRecordResult,
};
use souk_proto::reporting::v1::{ExportFormat, ReportKind, ReportProfile, ReportSelection};
use souk_proto::sandbox::v1::Sandbox;
use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::put_sandbox_request::Source;

/// The seller of every test's products.
pub const SELLER: &str = "111122223333";
/// Seconds of an hour.
pub const HOUR: i64 = 3_600;

/// Reads a moment.
pub fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is no moment"))
}

/// A moment in the contract's words.
pub fn at(text: &str) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: moment(text).micros() / 1_000_000, nanos: 0 }
}

/// So many hours after a moment.
pub fn hours_after(text: &str, hours: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at(text).seconds + hours * HOUR, nanos: 0 }
}

/// A moment as text.
pub fn time_text(time: Option<prost_types::Timestamp>) -> String {
    let micros = time.map(|time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000);
    micros.and_then(Timestamp::from_micros).map_or_else(|| "-".to_owned(), |time| time.to_string())
}

/// A decimal quantity of one dimension of one account.
#[expect(clippy::needless_pass_by_value, reason = "numbers and texts stand in a test as they are")]
pub fn record(
    buyer: &str,
    time: prost_types::Timestamp,
    dimension: &str,
    quantity: impl ToString,
) -> UsageRecord {
    UsageRecord {
        timestamp: Some(time),
        customer: Some(Customer::CustomerAwsAccountId(buyer.to_owned())),
        dimension: dimension.to_owned(),
        quantity: None,
        quantity_as_decimal: quantity.to_string(),
        usage_allocations: Vec::new(),
    }
}

/// The same quantity in so many hours from a moment on.
pub fn hourly(buyer: &str, from: &str, hours: i64, dimension: &str, quantity: &str) -> Vec<UsageRecord> {
    (0..hours).map(|hour| record(buyer, hours_after(from, hour), dimension, quantity)).collect()
}

/// So many instances in so many hours from a moment on.
pub fn running(
    product_code: &str,
    buyer: &str,
    from: &str,
    hours: i64,
    instance_type: &str,
    count: u64,
) -> Vec<InstanceHours> {
    let report = |hour| InstanceHours {
        product_code: product_code.to_owned(),
        buyer_account_id: buyer.to_owned(),
        instance_type: instance_type.to_owned(),
        hour: Some(hours_after(from, hour)),
        count,
    };
    (0..hours).map(report).collect()
}

/// A request of usage of one product.
pub fn batch(sandbox: &str, product_code: &str, usage_records: Vec<UsageRecord>) -> BatchMeterUsageRequest {
    BatchMeterUsageRequest {
        sandbox: sandbox.to_owned(),
        product_code: product_code.to_owned(),
        region: String::new(),
        usage_records,
    }
}

/// A message of a stream of usage of one product.
pub fn message(sandbox: &str, product_code: &str, usage_records: Vec<UsageRecord>) -> StreamUsageRequest {
    StreamUsageRequest {
        sandbox: sandbox.to_owned(),
        product_code: product_code.to_owned(),
        region: String::new(),
        usage_records,
    }
}

/// What a buyer chooses.
pub fn configuration(duration: &str, quantities: &[(&str, u64)]) -> UpfrontConfiguration {
    UpfrontConfiguration {
        duration: duration.to_owned(),
        quantities: quantities.iter().map(|(key, units)| ((*key).to_owned(), *units)).collect(),
        auto_renew: false,
    }
}

/// Makes a sandbox from the text of a document.
pub async fn put(client: &SoukClient, sandbox: &str, document: &str) -> Sandbox {
    let put = client.put_sandbox(sandbox, Source::Text(document.to_owned())).await;
    put.unwrap_or_else(|error| panic!("{sandbox}: {error}"))
}

/// Turns a clock to a moment.
pub async fn turn(client: &SoukClient, sandbox: &str, to: &str) -> TurnedClock {
    client.advance_clock(sandbox, Target::To(at(to))).await.unwrap_or_else(|error| panic!("{to}: {error}"))
}

/// Turns a clock by so many hours.
pub async fn turn_by(client: &SoukClient, sandbox: &str, hours: i64) -> TurnedClock {
    let by = Target::By(Duration { seconds: hours * HOUR, nanos: 0 });
    client.advance_clock(sandbox, by).await.unwrap_or_else(|error| panic!("{hours} h: {error}"))
}

/// The code of a product, which usage records name.
pub async fn code_of(client: &SoukClient, sandbox: &str, product: &str) -> String {
    client.get_product(sandbox, product).await.expect("a product").product_code
}

/// Meters a batch; answers the ids of its records, which must all be new or the same again.
pub async fn meter(client: &SoukClient, request: BatchMeterUsageRequest) -> Vec<String> {
    ids_of(client.batch_meter_usage(request).await.expect("a request that can be metered"))
}

/// The ids of results that must all be successes.
pub fn ids_of(results: Vec<UsageRecordResult>) -> Vec<String> {
    let id = |result: UsageRecordResult| {
        assert_eq!(result.status().as_str_name(), "USAGE_RECORD_STATUS_SUCCESS", "{result:?}");
        result.metering_record_id
    };
    results.into_iter().map(id).collect()
}

/// Streams usage of one product in messages of up to 5,000 records, which must all be metered.
pub async fn stream(client: &SoukClient, sandbox: &str, product_code: &str, records: Vec<UsageRecord>) {
    let mut stream = client.stream_usage(4).await.expect("a stream");
    let mut answers = Vec::new();
    for part in records.chunks(souk_client::STREAM_RECORDS_MAX) {
        let sent = stream.send(message(sandbox, product_code, part.to_vec())).await;
        answers.extend(sent.expect("a stream that goes on"));
    }
    answers.extend(stream.finish().await.expect("all answers"));
    for answer in &answers {
        assert!(answer.refusal.is_none() && answer.exceptions.is_empty(), "{answer:?}");
    }
    let metered: u32 = answers.iter().map(|answer| answer.success_count).sum();
    assert_eq!(metered as usize, records.len());
}

/// A report as a file.
pub async fn csv(
    client: &SoukClient,
    sandbox: &str,
    kind: ReportKind,
    month: &str,
    profile: ReportProfile,
) -> String {
    let selection = ReportSelection {
        sandbox: sandbox.to_owned(),
        seller_account_id: SELLER.to_owned(),
        kind: kind.into(),
        month: month.to_owned(),
        profile: profile.into(),
        ..ReportSelection::default()
    };
    let mut chunks = client.export_report(selection, ExportFormat::Csv).await.expect("a report");
    let mut file = Vec::new();
    while let Some(chunk) = chunks.next().await.expect("the rest of the report") {
        file.extend(chunk);
    }
    String::from_utf8(file).expect("UTF-8")
}

/// The rows of a report without its columns.
pub fn rows(csv: &str) -> Vec<&str> {
    csv.lines().skip(1).collect()
}

/// Invoices with their lines and the segments of those.
pub fn invoices_text(invoices: &[Invoice]) -> String {
    let mut text = String::new();
    for invoice in invoices {
        let kind = invoice.kind().as_str_name().trim_start_matches("INVOICE_KIND_");
        let Invoice { invoice_id, payer_account_id, invoicing_entity, billing_period, total, .. } = invoice;
        let issued = time_text(invoice.issue_time);
        let currency = &invoice.currency_code;
        let id = if invoice_id.is_empty() { "preview" } else { invoice_id };
        writeln!(
            text,
            "{id} {kind} {billing_period} {payer_account_id} by {invoicing_entity} on {issued}: {total} {currency}"
        )
        .expect("a String takes all");
        for line in &invoice.lines {
            text.push_str(&line_text(line));
        }
    }
    text
}

/// A line and its segments.
pub fn line_text(line: &InvoiceLine) -> String {
    let charge = line.charge_type().as_str_name().trim_start_matches("CHARGE_TYPE_");
    let InvoiceLine { line_number, buyer_account_id, product_title, offer_id, dimension, .. } = line;
    let InvoiceLine { quantity, unit_price, amount, .. } = line;
    let (start, end) = (time_text(line.usage_period_start), time_text(line.usage_period_end));
    let explanation = line.explanation.clone().unwrap_or_default();
    let exact = explanation.exact_amount;
    let mut text = format!(
        "  {line_number}. {charge} {buyer_account_id} {product_title} {offer_id} {dimension}: \
         {quantity} x {unit_price} = {exact} = {amount} ({start} to {end})\n"
    );
    for segment in explanation.segments {
        let (start, end) = (time_text(segment.start_time), time_text(segment.end_time));
        writeln!(
            text,
            "     {start} to {end}: Y {} in {} h, X {}, covered {}, billed {}: {}",
            segment.metered_quantity,
            segment.metered_hours,
            segment.annual_subscriptions,
            segment.covered_quantity,
            segment.billed_quantity,
            segment.price_source
        )
        .expect("a String takes all");
    }
    text
}

/// An hour of a line.
pub fn hour_text(hour: &ExplainedHour) -> String {
    let records: Vec<_> = hour
        .records
        .iter()
        .map(|record| format!("{} {} {}", record.metering_record_id, record.region, record.quantity))
        .collect();
    format!(
        "{}: Y {}, X {}, covered {}, billed {} from {}",
        time_text(hour.hour),
        hour.metered_quantity,
        hour.annual_subscriptions,
        hour.covered_quantity,
        hour.billed_quantity,
        records.join(" and ")
    )
}

/// A refusal as its code, its reason and the field that it names.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    match answer {
        Ok(answer) => format!("taken: {answer:?}"),
        Err(ClientError::Refused(refusal)) => {
            let fields: Vec<_> =
                refusal.violations.iter().map(|violation| violation.field.as_str()).collect();
            let reason = refusal.reason.as_deref().unwrap_or("-");
            format!("{:?} {reason} {}", refusal.code, fields.join(",")).trim_end().to_owned()
        }
        Err(other) => format!("failed: {other:?}"),
    }
}

/// All invoices of a payer with their lines, and of everybody when no payer is named.
pub async fn invoices(client: &SoukClient, sandbox: &str, payer: &str, period: &str) -> Vec<Invoice> {
    let filter =
        souk_client::InvoiceFilter { payer_account_id: payer.to_owned(), billing_period: period.to_owned() };
    let mut invoices = Vec::new();
    for head in client.all_invoices(sandbox, &filter).await.expect("a list") {
        let invoice = client.get_invoice(sandbox, &head.invoice_id).await.expect("an invoice");
        assert_eq!(Invoice { lines: Vec::new(), ..invoice.clone() }, head, "a list shows the same head");
        invoices.push(invoice);
    }
    invoices
}

/// What a month's usage invoices of a payer are now, with the words of invoices: a preview has no ids.
pub async fn preview(client: &SoukClient, sandbox: &str, payer: &str, period: &str) -> Vec<Invoice> {
    client.preview_invoices(sandbox, payer, Some(period)).await.expect("a preview")
}

/// Invoices as their preview shows them.
pub fn without_ids(invoices: &[Invoice]) -> Vec<Invoice> {
    invoices.iter().map(|invoice| Invoice { invoice_id: String::new(), ..invoice.clone() }).collect()
}

/// Compares texts of several lines, and shows both when they differ.
#[track_caller]
pub fn same_text(found: &str, expected: &str) {
    let (found, expected) = (found.trim_end(), expected.trim());
    let first = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "found\n{found}\nexpected\n{expected}\nfirst difference {first:#?}");
}
