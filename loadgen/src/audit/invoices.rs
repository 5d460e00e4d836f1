//! Compares the invoices with what must be on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use souk_client::proto::billing::v1::{ChargeType, Invoice, InvoiceKind, InvoiceLine};

use super::Differences;
use super::expected::{Expected, Line, LineKey};

const CURRENCY: &str = "USD";

/// What was billed in all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bills {
    /// Invoices read.
    pub invoices: u64,
    /// Their lines.
    pub lines: u64,
    /// Records on them: hours in which something was metered.
    pub records: u64,
    /// The sum of their totals, in words.
    pub total: String,
}

/// Compares all invoices of a sandbox with what must be billed.
pub fn compare(expected: &Expected, invoices: &[Invoice], differences: &mut Differences) -> Bills {
    let mut open = expected.lines.clone();
    let mut owed: BTreeMap<&str, u128> = BTreeMap::new();
    for line in expected.lines.values() {
        *owed.entry(&line.payer).or_default() += line.cents;
    }
    let mut charged: BTreeMap<&str, u128> = BTreeMap::new();
    for invoice in invoices {
        let cents = check_invoice(invoice, &mut open, differences);
        *charged.entry(&invoice.payer_account_id).or_default() += cents;
    }
    for ((month, buyer, product, dimension, offer), line) in &open {
        let amount = money(line.cents);
        differences.add(|| {
            format!(
                "{product} {dimension} of {buyer} on {offer} in {month} is not billed: it must be {amount}"
            )
        });
    }
    let mut payers: Vec<_> = owed.keys().chain(charged.keys()).copied().collect();
    payers.sort_unstable();
    payers.dedup();
    for payer in payers {
        let sum = |sums: &BTreeMap<&str, u128>| sums.get(payer).copied().unwrap_or(0);
        let (owed, charged) = (sum(&owed), sum(&charged));
        if owed != charged {
            let (owed, charged) = (money(owed), money(charged));
            differences.add(|| format!("payer {payer} is charged {charged} in all: it must be {owed}"));
        }
    }
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    Bills {
        invoices: invoices.len() as u64,
        lines: lines.clone().count() as u64,
        records: lines.map(hours).sum(),
        total: money(charged.values().sum()),
    }
}

/// Checks an invoice, and takes its lines out of those that are still to be billed. Answers its total.
fn check_invoice(
    invoice: &Invoice,
    open: &mut BTreeMap<LineKey, Line>,
    differences: &mut Differences,
) -> u128 {
    let id = &invoice.invoice_id;
    let mut sum = 0;
    for line in &invoice.lines {
        let key = (
            invoice.billing_period.clone(),
            line.buyer_account_id.clone(),
            line.product_id.clone(),
            line.dimension.clone(),
            line.offer_id.clone(),
        );
        match open.remove(&key) {
            Some(expected) => check_line(invoice, line, &expected, differences),
            None => differences.add(|| {
                let (month, buyer, product, dimension, offer) = &key;
                format!(
                    "invoice {id} bills {product} {dimension} of {buyer} on {offer} in {month}, which is billed \
                     already or used nothing"
                )
            }),
        }
        sum += units(&line.amount, 2).unwrap_or(0);
    }
    let total = units(&invoice.total, 2);
    if total != Some(sum) {
        let (said, sum) = (&invoice.total, money(sum));
        differences.add(|| format!("invoice {id} is over {said}: its lines sum up to {sum}"));
    }
    total.unwrap_or(0)
}

fn check_line(invoice: &Invoice, line: &InvoiceLine, expected: &Line, differences: &mut Differences) {
    let mut check = |what: &str, said: &str, is_right: bool, right: &dyn Fn() -> String| {
        if !is_right {
            let (id, number, right) = (&invoice.invoice_id, line.line_number, right());
            let place = format!("{} {} of {}", line.product_id, line.dimension, line.buyer_account_id);
            differences.add(|| {
                format!("invoice {id}, line {number}, {place}: {what} is {said}: it must be {right}")
            });
        }
    };
    let (kind, charge) = match expected.is_upfront {
        true => (InvoiceKind::Upfront, ChargeType::Annual),
        false => (InvoiceKind::Usage, ChargeType::Usage),
    };
    let texts = [
        ("kind", invoice.kind().as_str_name(), kind.as_str_name()),
        ("payer", invoice.payer_account_id.as_str(), expected.payer.as_str()),
        ("invoicing entity", invoice.invoicing_entity.as_str(), expected.entity),
        ("currency", invoice.currency_code.as_str(), CURRENCY),
        ("seller", line.seller_account_id.as_str(), expected.seller.as_str()),
        ("charge type", line.charge_type().as_str_name(), charge.as_str_name()),
    ];
    for (what, said, right) in texts {
        check(what, said, said == right, &|| right.to_owned());
    }
    let numbers = [
        ("quantity", &line.quantity, 6, expected.billed),
        ("unit price", &line.unit_price, 8, expected.price),
        ("amount", &line.amount, 2, expected.cents),
    ];
    for (what, said, decimals, right) in numbers {
        check(what, said, units(said, decimals) == Some(right), &|| decimal(right, decimals));
    }
    let segments = line.explanation.iter().flat_map(|explanation| &explanation.segments);
    let covered: Option<u128> = segments.map(|segment| units(&segment.covered_quantity, 6)).sum();
    let said = covered.map_or_else(|| "unreadable".to_owned(), |covered| decimal(covered, 6));
    check("covered quantity", &said, covered == Some(expected.covered), &|| decimal(expected.covered, 6));
    let hours = hours(line);
    check("number of metered hours", &hours.to_string(), hours == expected.hours, &|| {
        expected.hours.to_string()
    });
}

/// In how many hours something of a line was metered.
fn hours(line: &InvoiceLine) -> u64 {
    let segments = line.explanation.iter().flat_map(|explanation| &explanation.segments);
    segments.map(|segment| u64::from(segment.metered_hours)).sum()
}

/// Reads a decimal of at most so many decimals as whole units of the last of them.
fn units(text: &str, decimals: usize) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals < fraction.len() || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

fn decimal(units: u128, decimals: usize) -> String {
    let digits = format!("{units:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    format!("{whole}.{fraction}")
}

fn money(cents: u128) -> String {
    format!("{} {CURRENCY}", decimal(cents, 2))
}

#[cfg(test)]
mod tests {
    use souk_client::proto::billing::v1::{ExplainedSegment, Explanation};

    use super::*;

    fn expected() -> Expected {
        let line = |is_upfront, covered, hours, cents| Line {
            payer: "1".to_owned(),
            entity: "AWS Inc.",
            seller: "9".to_owned(),
            is_upfront,
            billed: 3_500_000,
            covered,
            hours,
            price: 10_000_000,
            cents,
        };
        let key =
            |month: &str, dimension: &str| [month, "2", "prod", dimension, "offer"].map(str::to_owned).into();
        let lines = [
            (key("2025-01", "a"), line(false, 0, 5, 35)),
            (key("2025-01", "b"), line(false, 2_000_000, 7, 35)),
            (key("2024-12", "b"), line(true, 0, 0, 35)),
        ];
        Expected { lines: lines.into(), metered: 12 }
    }

    /// The right bills.
    fn bills(expected: &Expected) -> Vec<Invoice> {
        let invoice = |((month, buyer, product, dimension, offer), line): (&LineKey, &Line)| {
            let (kind, charge) = match line.is_upfront {
                true => (InvoiceKind::Upfront, ChargeType::Annual),
                false => (InvoiceKind::Usage, ChargeType::Usage),
            };
            let segment = ExplainedSegment {
                metered_hours: line.hours as u32,
                covered_quantity: decimal(line.covered, 6),
                ..ExplainedSegment::default()
            };
            let segments = if line.is_upfront { Vec::new() } else { vec![segment] };
            let billed = InvoiceLine {
                line_number: 1,
                charge_type: charge.into(),
                seller_account_id: line.seller.clone(),
                buyer_account_id: buyer.clone(),
                product_id: product.clone(),
                offer_id: offer.clone(),
                dimension: dimension.clone(),
                quantity: decimal(line.billed, 6),
                unit_price: decimal(line.price, 8),
                amount: decimal(line.cents, 2),
                explanation: Some(Explanation { segments, ..Explanation::default() }),
                ..InvoiceLine::default()
            };
            Invoice {
                invoice_id: format!("{month}-{dimension}"),
                payer_account_id: line.payer.clone(),
                invoicing_entity: line.entity.to_owned(),
                currency_code: CURRENCY.to_owned(),
                kind: kind.into(),
                billing_period: month.clone(),
                total: decimal(line.cents, 2),
                lines: vec![billed],
                ..Invoice::default()
            }
        };
        expected.lines.iter().map(invoice).collect()
    }

    #[test]
    fn right_bills_are_no_difference() {
        let mut differences = Differences::default();
        let bills = compare(&expected(), &bills(&expected()), &mut differences);
        assert_eq!(differences, Differences::default());
        assert_eq!((bills.invoices, bills.records, bills.total.as_str()), (3, 12, "1.05 USD"));
    }

    #[test]
    fn every_wrong_bill_is_a_difference() {
        let spoil: [fn(&mut Vec<Invoice>); 12] = [
            |bills| _ = bills.pop(),
            |bills| bills.push(bills[1].clone()),
            |bills| bills[1].total = "0.34".to_owned(),
            |bills| bills[1].invoicing_entity = "AWS EMEA SARL".to_owned(),
            |bills| bills[1].currency_code = "EUR".to_owned(),
            |bills| bills[1].billing_period = "2025-02".to_owned(),
            |bills| bills[1].kind = InvoiceKind::Upfront.into(),
            |bills| bills[1].lines[0].quantity = "3.500001".to_owned(),
            |bills| bills[1].lines[0].unit_price = "0.1000001".to_owned(),
            |bills| bills[1].lines[0].offer_id = "offer-other".to_owned(),
            |bills| bills[2].lines[0].explanation = None,
            |bills| {
                bills[2].lines[0].amount = "0.36".to_owned();
                bills[2].total = "0.36".to_owned();
            },
        ];
        for (spoil, number) in spoil.into_iter().zip(0..) {
            let mut wrong = bills(&expected());
            spoil(&mut wrong);
            let mut differences = Differences::default();
            compare(&expected(), &wrong, &mut differences);
            assert!(0 < differences.count, "number {number} is not noticed");
        }
    }

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        assert_eq!(units("12.5", 6), Some(12_500_000));
        assert_eq!(units("0", 2), Some(0));
        for wrong in ["", ".5", "1.234", "-1", "1e3"] {
            assert_eq!(units(wrong, 2), None, "{wrong}");
        }
        assert_eq!((decimal(5, 2), decimal(123_456, 4)), ("0.05".to_owned(), "12.3456".to_owned()));
    }
}
