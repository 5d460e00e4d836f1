//! What came of it: invoices, agreements, entitlements and report rows, as expectations.

use std::collections::BTreeSet;

use souk_client::{EntitlementFilter, InvoiceFilter, SoukClient};
use souk_proto::agreement::v1::Agreement;
use souk_proto::billing::v1::{Invoice, InvoiceLine};
use souk_proto::document;
use souk_proto::reporting::v1::{ReportPeriod, ReportSelection};
use souk_proto::sandbox::v1::sandbox_event::Event;

use super::Past;
use super::words::{flow, flow_text, indented, item};
use crate::cli::args::is_decimal;
use crate::cli::error::CliError;
use crate::cli::output::word;

/// Columns that hold opaque references.
const OPAQUE: [&str; 2] = ["Reference ID", "Address ID"];

/// Everything that is expected at the end.
pub async fn expected(client: &SoukClient, sandbox: &str, past: &Past) -> Result<String, CliError> {
    let mut text = invoices(client, sandbox, past).await?;
    let agreements: Vec<String> = past.agreements.iter().map(|one| agreement(past, one)).collect();
    text.push_str(&list("agreements", &agreements));
    text.push_str(&entitlements(client, sandbox, past).await?);
    text.push_str(&reports(client, sandbox, past).await?);
    Ok(text)
}

/// Numbers need no quotes, also below zero.
fn number_or_text(cell: &str) -> String {
    let is_number = cell.strip_prefix('-').is_some_and(is_decimal);
    if is_number { cell.to_owned() } else { document::yaml_text(cell) }
}

fn list(key: &str, items: &[String]) -> String {
    match items.is_empty() {
        true => format!("{key}: []\n"),
        false => format!("{key}:\n{}", indented(2, &items.concat())),
    }
}

async fn invoices(client: &SoukClient, sandbox: &str, past: &Past) -> Result<String, CliError> {
    let mut items = Vec::new();
    for listed in client.all_invoices(sandbox, &InvoiceFilter::default()).await? {
        let invoice = client.get_invoice(sandbox, &listed.invoice_id).await?;
        items.push(item(&self::invoice(past, &invoice)));
    }
    Ok(list("invoices", &items))
}

fn invoice(past: &Past, invoice: &Invoice) -> String {
    let mut text = String::new();
    let kind = word(invoice.kind().as_str_name(), "INVOICE_KIND_").to_uppercase();
    let issued = invoice.issue_time.map(|time| time.to_string()).unwrap_or_default();
    for (key, value) in [
        ("payer", past.names.account(&invoice.payer_account_id)),
        ("kind", &kind),
        ("month", &invoice.billing_period),
        ("issueTime", &issued),
        ("invoicingEntity", &invoice.invoicing_entity),
        ("total", &invoice.total),
        ("currency", &invoice.currency_code),
    ] {
        text.push_str(&format!("{key}: {}\n", document::yaml_text(value)));
    }
    if !invoice.corrected_invoice_id.is_empty() {
        text.push_str(&format!("correctedInvoice: {}\n", document::yaml_text(&invoice.corrected_invoice_id)));
    }
    let lines: Vec<String> =
        invoice.lines.iter().map(|line| format!("- {}\n", self::line(past, line))).collect();
    text + &list("lines", &lines)
}

fn line(past: &Past, line: &InvoiceLine) -> String {
    flow(&[
        ("chargeType", word(line.charge_type().as_str_name(), "CHARGE_TYPE_").to_uppercase()),
        ("buyer", flow_text(past.names.account(&line.buyer_account_id))),
        ("product", flow_text(past.names.product(&line.product_id))),
        ("offer", flow_text(&line.offer_id)),
        ("dimension", flow_text(&line.dimension)),
        ("usagePeriodStart", line.usage_period_start.map(|time| time.to_string()).unwrap_or_default()),
        ("usagePeriodEnd", line.usage_period_end.map(|time| time.to_string()).unwrap_or_default()),
        ("quantity", line.quantity.clone()),
        ("unitPrice", line.unit_price.clone()),
        ("amount", line.amount.clone()),
        ("resale", resale(line)),
    ])
}

/// What a reseller owes of a line.
fn resale(line: &InvoiceLine) -> String {
    let owed = line.resale.as_ref();
    owed.map_or_else(String::new, |owed| flow(&[("wholesaleAmount", owed.wholesale_amount.clone())]))
}

fn agreement(past: &Past, agreement: &Agreement) -> String {
    let status = word(agreement.status().as_str_name(), "AGREEMENT_STATUS_").to_uppercase();
    let keys = flow(&[
        ("agreement", flow_text(past.names.agreement(&agreement.agreement_id))),
        ("buyer", flow_text(past.names.account(&agreement.buyer_account_id))),
        ("offer", flow_text(&agreement.offer_id)),
        ("agreementValue", agreement.agreement_value.clone()),
        ("startTime", agreement.start_time.map(|time| time.to_string()).unwrap_or_default()),
        ("endTime", agreement.end_time.map(|time| time.to_string()).unwrap_or_default()),
        ("status", status),
    ]);
    format!("- {keys}\n")
}

async fn entitlements(client: &SoukClient, sandbox: &str, past: &Past) -> Result<String, CliError> {
    let mut items = Vec::new();
    for product in &past.products {
        let filter = EntitlementFilter {
            product_id: product.product_id.clone(),
            include_scheduled: true,
            ..EntitlementFilter::default()
        };
        for entitlement in client.all_entitlements(sandbox, &filter).await? {
            let keys = flow(&[
                ("product", flow_text(past.names.product(&entitlement.product_id))),
                ("buyer", flow_text(past.names.account(&entitlement.buyer_account_id))),
                ("dimension", flow_text(&entitlement.dimension)),
                ("quantity", entitlement.quantity.to_string()),
                ("startTime", entitlement.start_time.map(|time| time.to_string()).unwrap_or_default()),
                ("status", word(entitlement.status().as_str_name(), "ENTITLEMENT_STATUS_").to_uppercase()),
                (
                    "expirationTime",
                    entitlement.expiration_time.map(|time| time.to_string()).unwrap_or_default(),
                ),
            ]);
            items.push(format!("- {keys}\n"));
        }
    }
    Ok(list("entitlements", &items))
}

async fn reports(client: &SoukClient, sandbox: &str, past: &Past) -> Result<String, CliError> {
    let closed = past.events.iter().filter_map(|event| match &event.event {
        Some(Event::MonthClosed(closed)) => Some(closed.billing_period.clone()),
        _ => None,
    });
    let months: BTreeSet<String> = closed.collect();
    let manufacturers = past.products.iter().map(|product| &product.seller_account_id);
    let resellers = past.authorizations.iter().map(|authorization| &authorization.reseller_account_id);
    let sellers: BTreeSet<&String> = manufacturers.chain(resellers).collect();
    let reports = client.list_reports().await?;
    let mut items = Vec::new();
    for (seller, month) in sellers.iter().flat_map(|seller| months.iter().map(move |month| (seller, month))) {
        // Days are not recorded: a year has many, and what they tell stands in the months.
        for described in reports.iter().filter(|described| described.period() == ReportPeriod::Month) {
            let selection = ReportSelection {
                sandbox: sandbox.to_owned(),
                seller_account_id: (*seller).clone(),
                kind: described.kind,
                month: month.clone(),
                ..ReportSelection::default()
            };
            let report = match client.read_report(selection).await {
                Ok(report) => report,
                // A month that is open for other payers has no report yet.
                Err(error) if error.refusal().is_some() => continue,
                Err(error) => return Err(error.into()),
            };
            let rows = report.rows.iter().map(|row| {
                let told = report.columns.iter().zip(&row.cells);
                let told = told.filter(|(column, cell)| {
                    !cell.is_empty() && !OPAQUE.iter().any(|opaque| column.ends_with(opaque))
                });
                let cells = told.map(|(column, cell)| {
                    format!("{}: {}\n", document::yaml_text(column), number_or_text(cell))
                });
                item(&cells.collect::<String>())
            });
            let rows = list("exactly", &rows.collect::<Vec<_>>());
            let keys = format!(
                "kind: {}\nseller: {}\nmonth: {month}\n{rows}",
                word(described.kind().as_str_name(), "REPORT_KIND_"),
                document::yaml_text(past.names.account(seller)),
            );
            items.push(item(&keys));
        }
    }
    Ok(if items.is_empty() { String::new() } else { list("report", &items) })
}
