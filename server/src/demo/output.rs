//! What the demo leaves behind and prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use serde::ser::{SerializeSeq, Serializer};
use souk_proto::billing::v1::{ChargeType, Invoice, InvoiceKind, InvoiceLine};
use souk_proto::reporting::v1::ReportKind;

use super::DOCUMENT;
use super::doors::Doors;
use crate::document::InOrder;

/// The folder of the reports.
pub const REPORTS: &str = "monthly-billed-revenue";
const SELLERS: [(&str, &str); 2] = [("111122223333", "Contrail"), ("444455556666", "Gatehouse")];
const SECTIONS: [(u32, ReportKind); 2] = [
    (1, ReportKind::MonthlyRevenueBillingAndRevenueData),
    (2, ReportKind::MonthlyRevenueAnnualSubscriptions),
];
/// The invoice that is shown: United's July, where ExpressJet uses what is left of United's cover.
const SHOWN_PAYER: &str = "201300000005";
const SHOWN_MONTH: &str = "2013-07";
const BAR_CELLS: i128 = 48;

/// Writes the files, and prints an invoice, the year's revenue and where everything is.
pub async fn write(doors: &mut Doors, out: &Path) -> anyhow::Result<()> {
    let invoices = doors.invoices().await?;
    std::fs::write(out.join("sandbox.yaml"), DOCUMENT)?;
    std::fs::write(out.join("invoices.json"), json(&invoices)?)?;
    let files = write_reports(doors, out).await?;

    let mut text = String::new();
    show_invoice(&mut text, doors, &invoices).await?;
    show_revenue(&mut text, &invoices)?;
    let out = out.display();
    write!(
        text,
        "\nWritten:\n  {out}/sandbox.yaml                 the marketplace\n  {out}/invoices.json                {} invoices\n  \
         {out}/{REPORTS}/      {files} seller reports\n  {out}/data                         what the server stored; look \
         around in it with\n\n    soukd serve --data {out}/data\n    souk --sandbox demo invoice list\n",
        invoices.len()
    )?;
    print!("{text}");
    Ok(())
}

/// The invoices in the JSON form of their messages, fields in the contract's order.
fn json(invoices: &[Invoice]) -> anyhow::Result<String> {
    let mut text = serde_json::Serializer::pretty(Vec::new());
    let mut list = text.serialize_seq(Some(invoices.len()))?;
    for invoice in invoices {
        list.serialize_element(&InOrder::of("souk.billing.v1.Invoice", invoice)?)?;
    }
    list.end()?;
    Ok(format!("{}\n", String::from_utf8(text.into_inner())?))
}

/// A file for each month and section, the rows of both sellers in it: a seller's own export holds its own.
async fn write_reports(doors: &mut Doors, out: &Path) -> anyhow::Result<usize> {
    let folder = out.join(REPORTS);
    std::fs::create_dir_all(&folder)?;
    let mut files = 0;
    for month in 1..=12 {
        let month = format!("2013-{month:02}");
        for (section, kind) in SECTIONS {
            let mut file = Vec::new();
            for (seller, _) in SELLERS {
                let export = doors.export(seller, kind, &month).await?;
                let header = export.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
                file.extend(if file.is_empty() { &export[..] } else { &export[header..] });
            }
            std::fs::write(folder.join(format!("{month}-section-{section}.csv")), file)?;
            files += 1;
        }
    }
    Ok(files)
}

/// An invoice with its lines, and one of them explained down to the records.
async fn show_invoice(text: &mut String, doors: &mut Doors, invoices: &[Invoice]) -> anyhow::Result<()> {
    let has_cover = |line: &InvoiceLine| {
        line.explanation
            .iter()
            .flat_map(|e| &e.segments)
            .any(|s| s.covered_quantity != "0" && s.billed_quantity != "0")
    };
    let wanted = |invoice: &&Invoice| {
        invoice.payer_account_id == SHOWN_PAYER
            && invoice.billing_period == SHOWN_MONTH
            && invoice.kind() == InvoiceKind::Usage
            && invoice.lines.iter().any(has_cover)
    };
    let invoice = invoices.iter().find(wanted).context("the invoice to show is not there")?;
    let Invoice { invoice_id, invoicing_entity, payer_account_id, billing_period, total, .. } = invoice;
    writeln!(
        text,
        "Invoice {invoice_id} of {invoicing_entity} to {payer_account_id} for {billing_period}\n"
    )?;
    writeln!(text, "  line  account       dimension     quantity   unit price      amount")?;
    for line in &invoice.lines {
        let InvoiceLine { line_number, buyer_account_id, dimension, quantity, unit_price, amount, .. } = line;
        writeln!(
            text,
            "  {line_number:>4}  {buyer_account_id}  {dimension:<12}{quantity:>10}{unit_price:>13}{amount:>12}"
        )?;
    }
    writeln!(text, "  {:>61}\n", format!("total {total} USD"))?;
    // The last such line belongs to a linked account: cover that another account bought.
    let line = invoice.lines.iter().rev().find(|line| has_cover(line)).context("no covered line")?;
    explain(text, doors, invoice_id, line).await
}

async fn explain(
    text: &mut String,
    doors: &mut Doors,
    invoice: &str,
    line: &InvoiceLine,
) -> anyhow::Result<()> {
    let InvoiceLine { line_number, buyer_account_id, dimension, quantity, unit_price, amount, .. } = line;
    writeln!(
        text,
        "Why line {line_number}: {buyer_account_id} ran {dimension} beyond the family's annual subscriptions"
    )?;
    for segment in line.explanation.iter().flat_map(|e| &e.segments) {
        writeln!(
            text,
            "  ran {} instance-hours in {} hours; {} annual subscriptions in the family covered {}; {} are billed",
            segment.metered_quantity,
            segment.metered_hours,
            segment.annual_subscriptions,
            segment.covered_quantity,
            segment.billed_quantity
        )?;
    }
    writeln!(text, "  {quantity} x {unit_price} = {amount} USD, at the price of {}\n", line.offer_id)?;
    writeln!(text, "  hour              Y (ran)  X (family)  covered  billed  metering record")?;
    let hours = doors.explain(invoice, *line_number, 1_000).await?;
    let overflow = hours.iter().filter(|hour| hour.covered_quantity != "0" && hour.billed_quantity != "0");
    for hour in overflow.take(5) {
        let moment =
            hour.hour.and_then(|h| chrono::DateTime::from_timestamp(h.seconds, 0)).unwrap_or_default();
        let record = hour.records.first().map_or("", |record| record.metering_record_id.as_str());
        writeln!(
            text,
            "  {}{:>9}{:>12}{:>9}{:>8}  {record}",
            moment.format("%Y-%m-%d %H:%M"),
            hour.metered_quantity,
            hour.annual_subscriptions,
            hour.covered_quantity,
            hour.billed_quantity
        )?;
    }
    writeln!(text, "  ... {} hours in all\n", hours.len())?;
    Ok(())
}

/// The year by month: usage and upfront, of both sellers.
fn show_revenue(text: &mut String, invoices: &[Invoice]) -> anyhow::Result<()> {
    let mut months: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
    for invoice in invoices {
        let (usage, upfront) = months.entry(invoice.billing_period.as_str()).or_default();
        for line in &invoice.lines {
            let cents: i128 = line.amount.replace('.', "").parse().context("an amount has two decimals")?;
            match line.charge_type() {
                ChargeType::Usage => *usage += cents,
                _ => *upfront += cents,
            }
        }
    }
    let most = months.values().map(|(usage, upfront)| usage + upfront).max().unwrap_or(1).max(1);
    writeln!(text, "Billed in 2013, by month (# usage, = annual subscriptions)\n")?;
    for (month, (usage, upfront)) in &months {
        let bar =
            |cents: i128, mark: &str| mark.repeat(usize::try_from(cents * BAR_CELLS / most).unwrap_or(0));
        let bars = format!("{}{}", bar(*usage, "#"), bar(*upfront, "="));
        writeln!(text, "  {month}  {bars:<48} {:>12}", dollars(usage + upfront))?;
    }
    let total: i128 = months.values().map(|(usage, upfront)| usage + upfront).sum();
    writeln!(text, "  {:>69}", format!("the year {} USD", dollars(total)))?;
    Ok(())
}

fn dollars(cents: i128) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
