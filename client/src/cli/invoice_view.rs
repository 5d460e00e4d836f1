//! How invoices and their explanations are shown.
//!
//! ```text
//!  facts      who pays whom, for which month, the total
//!  Lines      what is charged: quantity x unit price = amount
//!  How ...    per line and stretch of hours: Y metered, X bought, covered, billed, and why this price
//! ```

use souk_client::ExplainedLine;
use souk_proto::billing::v1::{
    ExplainInvoiceLineResponse, ExplainedHour, ExplainedSegment, Invoice, InvoiceLine, QuantityUnit, Resale,
};

use super::error::CliError;
use super::output::{Column, View, number, text, word};
use super::{json, time};

/// A list of invoices.
pub fn list(invoices: &[Invoice]) -> Result<View, CliError> {
    let mut columns: Vec<_> =
        ["invoice_id", "payer_account_id", "kind", "billing_period", "issue_time"].map(text).into();
    columns.extend([text("invoicing_entity"), number("total"), text("currency_code")]);
    let row = |invoice: &Invoice| {
        vec![
            invoice.invoice_id.clone(),
            invoice.payer_account_id.clone(),
            kind_word(invoice),
            invoice.billing_period.clone(),
            time::show(invoice.issue_time.as_ref()),
            invoice.invoicing_entity.clone(),
            invoice.total.clone(),
            invoice.currency_code.clone(),
        ]
    };
    Ok(View::of_list(columns, invoices.iter().map(row).collect(), json::of_all(invoices)?))
}

/// One invoice.
pub fn whole(invoice: &Invoice) -> Result<View, CliError> {
    let mut facts = vec![
        ("invoice_id", invoice.invoice_id.clone()),
        ("kind", kind_word(invoice)),
        ("billing_period", invoice.billing_period.clone()),
        ("payer_account_id", invoice.payer_account_id.clone()),
        ("invoicing_entity", invoice.invoicing_entity.clone()),
        ("issue_time", time::show(invoice.issue_time.as_ref())),
        ("total", format!("{} {}", invoice.total, invoice.currency_code)),
    ];
    if !invoice.total_with_tax.is_empty() && invoice.total_with_tax != invoice.total {
        facts.push(("tax", format!("{} {}", invoice.tax, invoice.currency_code)));
        facts.push(("total_with_tax", format!("{} {}", invoice.total_with_tax, invoice.currency_code)));
    }
    if let Some(due) = &invoice.due_time {
        facts.push(("due_time", format!("{} ({})", time::show(Some(due)), invoice.payment_terms)));
        facts.push(match &invoice.collected_time {
            Some(paid) => ("paid_time", time::show(Some(paid))),
            None => ("uncollected", format!("{} {}", invoice.uncollected, invoice.currency_code)),
        });
    }
    if !invoice.corrected_invoice_id.is_empty() {
        facts.push(("corrected_invoice_id", invoice.corrected_invoice_id.clone()));
        facts.push(("reason", word(invoice.adjustment_reason().as_str_name(), "ADJUSTMENT_REASON_")));
    }
    let view = View::of_facts(facts, json::of(invoice)?);
    Ok(with_lines(view, &invoice.lines.iter().map(|line| ("", line)).collect::<Vec<_>>()))
}

/// The invoices of an open month. The lines of all are in one list, with the invoicing entity and the
/// currency that tell the invoices apart.
pub fn previewed(invoices: &[Invoice]) -> Result<View, CliError> {
    let mut view = View { json: json::of_all(invoices)?, ..View::default() };
    for invoice in invoices {
        view.facts.extend([
            ("billing_period", invoice.billing_period.clone()),
            ("payer_account_id", invoice.payer_account_id.clone()),
            ("invoicing_entity", invoice.invoicing_entity.clone()),
            ("would_be_issued", time::show(invoice.issue_time.as_ref())),
            ("total", format!("{} {}", invoice.total, invoice.currency_code)),
        ]);
    }
    let lines: Vec<_> = invoices
        .iter()
        .flat_map(|invoice| invoice.lines.iter().map(|line| (invoice.currency_code.as_str(), line)))
        .collect();
    Ok(with_lines(view, &lines))
}

/// One line with its hours.
pub fn explained(explained: ExplainedLine) -> Result<View, CliError> {
    let ExplainedLine { line, hours } = explained;
    let mut facts = vec![
        ("line", line.line_number.to_string()),
        ("charge_type", charge_word(&line)),
        ("product", line.product_title.clone()),
        ("buyer_account_id", line.buyer_account_id.clone()),
        ("agreement_id", line.agreement_id.clone()),
        ("offer_id", line.offer_id.clone()),
        ("dimension", line.dimension.clone()),
        ("usage_period", period(&line)),
        ("quantity", counted(&line)),
        ("unit_price", priced(&line)),
    ];
    if let Some(explanation) = &line.explanation {
        // Of seconds, an hour has the price.
        let part = if counts_seconds(&line) { " / 3600" } else { "" };
        facts.push(("exact_amount", format!("{}{part}", explanation.exact_amount)));
        if let Some(part) = &explanation.proration {
            facts.push(("part", format!("{} of {} days", part.days, part.of_days)));
        }
    }
    facts.push(("amount", line.amount.clone()));
    if let Some(resale) = &line.resale {
        let Resale { resale_authorization_id, manufacturer_account_id, wholesale_amount, markup } =
            resale.clone();
        facts.extend([
            ("resale_authorization_id", resale_authorization_id),
            ("manufacturer_account_id", manufacturer_account_id),
            ("wholesale_amount", wholesale_amount),
            ("markup", markup),
        ]);
    }
    let mut columns = vec![
        text("hour"),
        number("metered"),
        number("annual_subscriptions"),
        number("covered"),
        number("billed"),
        text("region"),
        number("record_quantity"),
        text("metering_record_id"),
    ];
    // Where something of the buyer's was metered: an instance, a task or a pod.
    let has_resources = hours.iter().flat_map(|hour| &hour.records).any(|record| !record.resource.is_empty());
    columns.extend(has_resources.then(|| text("resource")));
    let rows = hours.iter().flat_map(|hour| hour_rows(hour, has_resources)).collect();
    let message = ExplainInvoiceLineResponse { line: Some(line), hours, next_page_token: String::new() };
    Ok(View::of_facts(facts, json::of(&message)?).with_sheet("Hours", columns, rows))
}

/// An hour, with a row for each of its records.
fn hour_rows(hour: &ExplainedHour, has_resources: bool) -> Vec<Vec<String>> {
    let of_hour = || {
        vec![
            time::show(hour.hour.as_ref()),
            hour.metered_quantity.clone(),
            hour.annual_subscriptions.clone(),
            hour.covered_quantity.clone(),
            hour.billed_quantity.clone(),
        ]
    };
    let with = |parts: [&str; 4]| {
        let mut row = of_hour();
        let shown = if has_resources { 4 } else { 3 };
        row.extend(parts.into_iter().take(shown).map(str::to_owned));
        row
    };
    if hour.records.is_empty() {
        return vec![with([""; 4])];
    }
    let of_record = |record: &souk_proto::billing::v1::ExplainedRecord| {
        with([&record.region, &record.quantity, &record.metering_record_id, &record.resource])
    };
    hour.records.iter().map(of_record).collect()
}

/// Adds the lines and what is behind them.
fn with_lines(view: View, lines: &[(&str, &InvoiceLine)]) -> View {
    let has_currency = lines.iter().any(|(currency, _)| !currency.is_empty());
    let rows =
        lines.iter().map(|(currency, line)| line_row(has_currency.then_some(currency), line)).collect();
    let of_lines = lines.iter().flat_map(|(_, line)| &line.explanation);
    let extra = extra_columns(of_lines.flat_map(|explanation| &explanation.segments));
    let segments = lines.iter().flat_map(|(_, line)| segment_rows(line, &extra)).collect();
    let view = view.with_sheet("Lines", line_columns(has_currency), rows);
    let parts: Vec<_> = lines.iter().filter_map(|(_, line)| part_row(line)).collect();
    let view = match parts.is_empty() {
        true => view,
        false => view.with_sheet("How the amounts came about", part_columns(), parts),
    };
    let view = view.with_sheet("How the quantities came about", segment_columns(&extra), segments);
    let resold: Vec<_> = lines.iter().filter_map(|(_, line)| resale_row(line)).collect();
    match resold.is_empty() {
        true => view,
        false => view.with_sheet("What the reseller owes of it", resale_columns(), resold),
    }
}

fn resale_columns() -> Vec<Column> {
    let mut columns = vec![number("line"), text("resale_authorization_id"), text("manufacturer_account_id")];
    columns.extend(["wholesale_amount", "markup"].map(number));
    columns
}

fn resale_row(line: &InvoiceLine) -> Option<Vec<String>> {
    let resale = line.resale.as_ref()?;
    let cells = [&resale.resale_authorization_id, &resale.manufacturer_account_id];
    let cells = cells.into_iter().chain([&resale.wholesale_amount, &resale.markup]).cloned();
    Some(std::iter::once(line.line_number.to_string()).chain(cells).collect())
}

fn part_columns() -> Vec<Column> {
    ["line", "whole_term", "days", "of_days", "amount"].map(number).into()
}

/// The days that a line of an amendment is of.
fn part_row(line: &InvoiceLine) -> Option<Vec<String>> {
    let explanation = line.explanation.as_ref()?;
    let part = explanation.proration.as_ref()?;
    Some(vec![
        line.line_number.to_string(),
        explanation.exact_amount.clone(),
        part.days.to_string(),
        part.of_days.to_string(),
        line.amount.clone(),
    ])
}

fn line_columns(has_currency: bool) -> Vec<Column> {
    let mut columns = vec![number("line")];
    columns.extend(
        ["charge_type", "product", "buyer_account_id", "agreement_id", "dimension", "period"].map(text),
    );
    columns.extend(["quantity", "unit_price", "amount"].map(number));
    if has_currency {
        columns.push(text("currency_code"));
    }
    columns
}

fn line_row(currency: Option<&&str>, line: &InvoiceLine) -> Vec<String> {
    let mut row = vec![
        line.line_number.to_string(),
        charge_word(line),
        line.product_title.clone(),
        line.buyer_account_id.clone(),
        line.agreement_id.clone(),
        line.dimension.clone(),
        period(line),
        counted(line),
        priced(line),
        line.amount.clone(),
    ];
    row.extend(currency.map(|currency| (*currency).to_owned()));
    row
}

fn segment_columns(extra: &[&'static str]) -> Vec<Column> {
    let mut columns = vec![number("line"), text("from"), text("until")];
    columns.extend(["hours", "metered", "annual_subscriptions"].map(number));
    columns.extend(extra.iter().map(|name| number(name)));
    columns.extend(["covered", "billed"].map(number));
    columns.push(text("price_source"));
    columns
}

/// What is told only where there is some of it.
fn extra_columns<'a>(segments: impl Iterator<Item = &'a ExplainedSegment> + Clone) -> Vec<&'static str> {
    let is_some = |quantity: &str| !matches!(quantity, "" | "0");
    let entitled = segments.clone().any(|segment| is_some(&segment.entitled_quantity)).then_some("entitled");
    let trial = { segments }.any(|segment| is_some(&segment.trial_quantity)).then_some("trial");
    entitled.into_iter().chain(trial).collect()
}

fn segment_rows(line: &InvoiceLine, extra: &[&str]) -> Vec<Vec<String>> {
    let row = |segment: &ExplainedSegment| {
        let mut row = vec![
            line.line_number.to_string(),
            time::show(segment.start_time.as_ref()),
            time::show(segment.end_time.as_ref()),
            segment.metered_hours.to_string(),
            segment.metered_quantity.clone(),
            segment.annual_subscriptions.clone(),
        ];
        row.extend(extra.iter().map(|name| match *name {
            "trial" => segment.trial_quantity.clone(),
            _ => segment.entitled_quantity.clone(),
        }));
        let rest = [&segment.covered_quantity, &segment.billed_quantity, &segment.price_source];
        row.extend(rest.map(Clone::clone));
        row
    };
    line.explanation.iter().flat_map(|explanation| &explanation.segments).map(row).collect()
}

/// From the first moment of the period to its end, which is not part of it.
fn period(line: &InvoiceLine) -> String {
    let ends = [line.usage_period_start.as_ref(), line.usage_period_end.as_ref()];
    ends.map(time::show).join(" - ")
}

fn counts_seconds(line: &InvoiceLine) -> bool {
    line.quantity_unit() == QuantityUnit::Seconds
}

/// How much is charged, with its unit where it is no unit of the dimension.
fn counted(line: &InvoiceLine) -> String {
    if counts_seconds(line) { format!("{} s", line.quantity) } else { line.quantity.clone() }
}

fn priced(line: &InvoiceLine) -> String {
    if counts_seconds(line) { format!("{}/h", line.unit_price) } else { line.unit_price.clone() }
}

fn kind_word(invoice: &Invoice) -> String {
    word(invoice.kind().as_str_name(), "INVOICE_KIND_")
}

fn charge_word(line: &InvoiceLine) -> String {
    word(line.charge_type().as_str_name(), "CHARGE_TYPE_")
}

#[cfg(test)]
mod tests {
    use souk_proto::billing::v1::{ChargeType, ExplainedRecord, Explanation, InvoiceKind};

    use super::*;

    fn line() -> InvoiceLine {
        let segment = ExplainedSegment {
            start_time: time::parse("2026-03-01").ok(),
            end_time: time::parse("2026-03-02").ok(),
            metered_hours: 24,
            metered_quantity: "120".to_owned(),
            annual_subscriptions: "3".to_owned(),
            covered_quantity: "72".to_owned(),
            billed_quantity: "48".to_owned(),
            price_source: "offer as accepted".to_owned(),
            ..ExplainedSegment::default()
        };
        InvoiceLine {
            line_number: 1,
            charge_type: ChargeType::Usage.into(),
            buyer_account_id: "222222222222".to_owned(),
            product_title: "Fleet Monitor".to_owned(),
            offer_id: "offer-1".to_owned(),
            agreement_id: "agmt-1".to_owned(),
            dimension: "m5.large".to_owned(),
            quantity: "48".to_owned(),
            unit_price: "0.105".to_owned(),
            amount: "5.04".to_owned(),
            usage_period_start: time::parse("2026-03-01").ok(),
            usage_period_end: time::parse("2026-04-01").ok(),
            explanation: Some(Explanation {
                exact_amount: "5.040".to_owned(),
                segments: vec![segment],
                proration: None,
            }),
            ..InvoiceLine::default()
        }
    }

    fn invoice() -> Invoice {
        Invoice {
            invoice_id: "inv-1".to_owned(),
            payer_account_id: "333333333333".to_owned(),
            invoicing_entity: "AWS Inc.".to_owned(),
            currency_code: "USD".to_owned(),
            kind: InvoiceKind::Usage.into(),
            billing_period: "2026-03".to_owned(),
            issue_time: time::parse("2026-04-02").ok(),
            total: "5.04".to_owned(),
            lines: vec![line()],
            ..Invoice::default()
        }
    }

    #[test]
    fn an_invoice_reads_from_the_total_to_its_reasons() {
        insta::assert_snapshot!(whole(&invoice()).unwrap().to_table(), @r"
        Invoice id        inv-1
        Kind              usage
        Billing period    2026-03
        Payer account id  333333333333
        Invoicing entity  AWS Inc.
        Issue time        2026-04-02T00:00:00Z
        Total             5.04 USD

        Lines
        Line  Charge type  Product        Buyer account id  Agreement id  Dimension  Period                                       Quantity  Unit price  Amount
        ----- ------------ -------------- ----------------- ------------- ---------- -------------------------------------------- --------- ----------- -------
           1  usage        Fleet Monitor  222222222222      agmt-1        m5.large   2026-03-01T00:00:00Z - 2026-04-01T00:00:00Z        48       0.105    5.04

        How the quantities came about
        Line  From                  Until                 Hours  Metered  Annual subscriptions  Covered  Billed  Price source
        ----- --------------------- --------------------- ------ -------- --------------------- -------- ------- ------------------
           1  2026-03-01T00:00:00Z  2026-03-02T00:00:00Z     24      120                     3       72      48  offer as accepted
        ");
    }

    #[test]
    fn pods_are_told_where_there_are_some() {
        let record = ExplainedRecord { resource: "pod-1".to_owned(), ..ExplainedRecord::default() };
        let hour = |records| ExplainedHour { records, ..ExplainedHour::default() };
        let hours = vec![hour(vec![record]), hour(Vec::new())];
        let sheet = explained(ExplainedLine { line: line(), hours }).unwrap().sheets.remove(0);
        let last: Vec<_> = sheet.rows.iter().map(|row| row.last().unwrap().as_str()).collect();
        assert_eq!(sheet.columns.last().unwrap().name, "resource");
        assert_eq!(last, ["pod-1", ""]);
        assert!(sheet.rows.iter().all(|row| row.len() == sheet.columns.len()));
    }

    #[test]
    fn seconds_are_told_as_such() {
        let by_the_second = InvoiceLine {
            quantity: "1230".to_owned(),
            unit_price: "6".to_owned(),
            quantity_unit: QuantityUnit::Seconds.into(),
            ..line()
        };
        let row = line_row(None, &by_the_second).join(" ");
        assert!(row.ends_with(" 1230 s 6/h 5.04"), "{row}");
        let view = explained(ExplainedLine { line: by_the_second, hours: Vec::new() }).unwrap().to_table();
        assert!(view.contains("Exact amount      5.040 / 3600\n"), "{view}");
    }

    #[test]
    fn a_list_has_a_row_for_each_invoice() {
        insta::assert_snapshot!(list(&[invoice()]).unwrap().to_table(), @r"
        Invoice id  Payer account id  Kind   Billing period  Issue time            Invoicing entity  Total  Currency code
        ----------- ----------------- ------ --------------- --------------------- ----------------- ------ --------------
        inv-1       333333333333      usage  2026-03         2026-04-02T00:00:00Z  AWS Inc.           5.04  USD
        ");
    }

    #[test]
    fn a_preview_keeps_currencies_apart() {
        let view = previewed(&[invoice(), Invoice { currency_code: "EUR".to_owned(), ..invoice() }]).unwrap();
        let lines = &view.sheets[0];
        assert_eq!(lines.columns.last().unwrap().name, "currency_code");
        let currencies: Vec<_> = lines.rows.iter().map(|row| row.last().unwrap().as_str()).collect();
        assert_eq!(currencies, ["USD", "EUR"]);
    }

    #[test]
    fn what_a_reseller_owes_stands_beside_what_it_charges() {
        let resale = Resale {
            resale_authorization_id: "resaleauthz-1".to_owned(),
            manufacturer_account_id: "111111111111".to_owned(),
            wholesale_amount: "4.80".to_owned(),
            markup: "0.24".to_owned(),
        };
        let resold = InvoiceLine { resale: Some(resale), ..line() };
        let view = whole(&Invoice { lines: vec![line(), resold.clone()], ..invoice() }).unwrap();
        let sheet = view.sheets.last().unwrap();
        assert_eq!(sheet.rows, [["1", "resaleauthz-1", "111111111111", "4.80", "0.24"].map(str::to_owned)]);
        let view = explained(ExplainedLine { line: resold, hours: Vec::new() }).unwrap();
        let told: Vec<_> =
            view.facts.iter().rev().take(2).map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(told, [("markup", "0.24"), ("wholesale_amount", "4.80")]);
    }

    #[test]
    fn a_line_is_explained_record_by_record() {
        let record = |region: &str, quantity: &str| ExplainedRecord {
            metering_record_id: format!("id-{region}"),
            region: region.to_owned(),
            quantity: quantity.to_owned(),
            ..ExplainedRecord::default()
        };
        let hour = ExplainedHour {
            hour: time::parse("2026-03-01T05").ok(),
            metered_quantity: "5".to_owned(),
            annual_subscriptions: "3".to_owned(),
            covered_quantity: "3".to_owned(),
            billed_quantity: "2".to_owned(),
            records: vec![record("us-east-1", "4"), record("eu-west-1", "1")],
            ..ExplainedHour::default()
        };
        let view = explained(ExplainedLine { line: line(), hours: vec![hour] }).unwrap();
        insta::assert_snapshot!(view.to_table(), @r"
        Line              1
        Charge type       usage
        Product           Fleet Monitor
        Buyer account id  222222222222
        Agreement id      agmt-1
        Offer id          offer-1
        Dimension         m5.large
        Usage period      2026-03-01T00:00:00Z - 2026-04-01T00:00:00Z
        Quantity          48
        Unit price        0.105
        Exact amount      5.040
        Amount            5.04

        Hours
        Hour                  Metered  Annual subscriptions  Covered  Billed  Region     Record quantity  Metering record id
        --------------------- -------- --------------------- -------- ------- ---------- ---------------- -------------------
        2026-03-01T05:00:00Z        5                     3        3       2  us-east-1                4  id-us-east-1
        2026-03-01T05:00:00Z        5                     3        3       2  eu-west-1                1  id-eu-west-1
        ");
    }
}
