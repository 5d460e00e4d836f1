//! What must be billed, and what is.
//!
//! A series is a line: its acknowledged quantity times its price, rounded half up to cents, once. Everything is
//! whole numbers:
//!
//! ```text
//! quantity  10^-6
//! price     10^-8      a month of the largest quantity at the highest price has 36 digits of 38
//! product   10^-14     + half a cent (5 * 10^11), / 10^12 = cents
//! ```

use std::collections::BTreeMap;

use serde::Serialize;
use souk_client::proto::billing::v1::{ChargeType, Invoice, InvoiceKind, InvoiceLine};

use super::Differences;
use super::ledger::Ledger;
use crate::plan::{Plan, Series};

const CENT: u128 = 1_000_000_000_000;
const CURRENCY: &str = "USD";

/// What was billed in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bills {
    /// Invoices read.
    pub invoices: u64,
    /// Their lines.
    pub lines: u64,
    /// The sum of their totals, in words.
    pub total: String,
}

/// What a line is of: buyer, product and dimension.
type LineKey = (String, String, String);

/// A line as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    payer: String,
    entity: &'static str,
    seller: String,
    offer: String,
    millionths: u128,
    hours: u64,
    price: u128,
    cents: u128,
}

/// Compares all invoices of the plan's sandbox with what was acknowledged.
pub fn audit(plan: &Plan, ledger: &Ledger, invoices: &[Invoice], differences: &mut Differences) -> Bills {
    let mut open = expected_lines(plan, ledger);
    let mut owed: BTreeMap<String, u128> = BTreeMap::new();
    for line in open.values() {
        *owed.entry(line.payer.clone()).or_default() += line.cents;
    }
    let mut charged: BTreeMap<String, u128> = BTreeMap::new();
    for invoice in invoices {
        let cents = check_invoice(plan, invoice, &mut open, differences);
        *charged.entry(invoice.payer_account_id.clone()).or_default() += cents;
    }
    for ((buyer, product, dimension), line) in &open {
        let amount = money(line.cents);
        differences.add(|| format!("{product} {dimension} of {buyer} is not billed: it must be {amount}"));
    }
    // A payer without usage has no invoice.
    owed.retain(|_, cents| *cents != 0);
    charged.retain(|_, cents| *cents != 0);
    let payers = owed.keys().chain(charged.keys().filter(|payer| !owed.contains_key(*payer)));
    for payer in payers {
        let sum = |sums: &BTreeMap<String, u128>| sums.get(payer).copied().unwrap_or(0);
        let (owed, charged) = (sum(&owed), sum(&charged));
        if owed != charged {
            let (owed, charged) = (money(owed), money(charged));
            differences.add(|| format!("payer {payer} is charged {charged}: it must be {owed}"));
        }
    }
    Bills {
        invoices: invoices.len() as u64,
        lines: invoices.iter().map(|invoice| invoice.lines.len() as u64).sum(),
        total: money(charged.values().sum()),
    }
}

/// One line for each series that metered more than nothing.
fn expected_lines(plan: &Plan, ledger: &Ledger) -> BTreeMap<LineKey, Expected> {
    let mut lines = BTreeMap::new();
    for ((series, position), metered) in plan.series.iter().zip(0..).zip(&ledger.series) {
        if metered.millionths == 0 {
            continue;
        }
        let Series { product, buyer, .. } = *series;
        let (product, buyer) = (&plan.products[product as usize], &plan.buyers[buyer as usize]);
        let dimension = plan.dimension(position);
        let price = u128::from(dimension.price.scaled().unsigned_abs());
        let key = (buyer.account.to_string(), product.id.clone(), dimension.key.clone());
        let line = Expected {
            payer: buyer.payer.to_string(),
            entity: product.entity,
            seller: product.seller.to_string(),
            offer: product.offer.clone(),
            millionths: metered.millionths,
            hours: metered.hours,
            price,
            cents: (metered.millionths * price + CENT / 2) / CENT,
        };
        lines.insert(key, line);
    }
    lines
}

/// Checks an invoice, and takes its lines out of those that are still to be billed. Answers its total.
fn check_invoice(
    plan: &Plan,
    invoice: &Invoice,
    open: &mut BTreeMap<LineKey, Expected>,
    differences: &mut Differences,
) -> u128 {
    let id = &invoice.invoice_id;
    let month = plan.month.to_string();
    let said = (invoice.kind(), invoice.billing_period.as_str(), invoice.currency_code.as_str());
    let expected = (InvoiceKind::Usage, month.as_str(), CURRENCY);
    if said != expected {
        differences.add(|| format!("invoice {id} is of {said:?}: it must be of {expected:?}"));
    }
    let mut sum = 0;
    for line in &invoice.lines {
        let key = (line.buyer_account_id.clone(), line.product_id.clone(), line.dimension.clone());
        match open.remove(&key) {
            Some(expected) => check_line(invoice, line, &expected, differences),
            None => differences.add(|| {
                let (buyer, product, dimension) = &key;
                format!("invoice {id} bills {product} {dimension} of {buyer}, which is billed already or used nothing")
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

fn check_line(invoice: &Invoice, line: &InvoiceLine, expected: &Expected, differences: &mut Differences) {
    let mut check = |what: &str, said: &str, is_right: bool, right: &dyn Fn() -> String| {
        if !is_right {
            let (id, number, right) = (&invoice.invoice_id, line.line_number, right());
            differences.add(|| format!("invoice {id}, line {number}: {what} is {said}: it must be {right}"));
        }
    };
    let texts = [
        ("payer", invoice.payer_account_id.as_str(), expected.payer.as_str()),
        ("invoicing entity", invoice.invoicing_entity.as_str(), expected.entity),
        ("seller", line.seller_account_id.as_str(), expected.seller.as_str()),
        ("offer", line.offer_id.as_str(), expected.offer.as_str()),
        ("charge type", line.charge_type().as_str_name(), ChargeType::Usage.as_str_name()),
    ];
    for (what, said, right) in texts {
        check(what, said, said == right, &|| right.to_owned());
    }
    let numbers = [
        ("quantity", &line.quantity, 6, expected.millionths),
        ("unit price", &line.unit_price, 8, expected.price),
        ("amount", &line.amount, 2, expected.cents),
    ];
    for (what, said, decimals, right) in numbers {
        check(what, said, units(said, decimals) == Some(right), &|| decimal(right, decimals));
    }
    let segments = line.explanation.iter().flat_map(|explanation| &explanation.segments);
    let hours: u64 = segments.map(|segment| u64::from(segment.metered_hours)).sum();
    check("number of metered hours", &hours.to_string(), hours == expected.hours, &|| {
        expected.hours.to_string()
    });
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
    use souk_client::proto::metering::v1::StreamUsageResponse;

    use super::*;
    use crate::plan::Shape;

    const SHAPE: Shape =
        Shape { seed: 3, buyers: 6, sellers: 2, dimensions: 3, hours: 48, duplicates_percent: 5 };

    /// A month in which everything was acknowledged, and the right bills.
    fn month() -> (Plan, Ledger, Vec<Invoice>) {
        let plan = Plan::new(SHAPE);
        let mut ledger = Ledger::new(&plan);
        for mut message in plan.messages(0, 1, 500) {
            message.rows.retain(|row| row.purpose == crate::plan::Purpose::First);
            let success_count = message.rows.len() as u32;
            ledger.note(&plan, &message, &StreamUsageResponse { success_count, ..Default::default() });
        }
        let mut invoices: BTreeMap<_, Invoice> = BTreeMap::new();
        for ((buyer, product, dimension), line) in expected_lines(&plan, &ledger) {
            let key = (line.payer.clone(), line.entity);
            let number = invoices.len();
            let invoice = invoices.entry(key).or_insert_with(|| Invoice {
                invoice_id: format!("invoice-{number}"),
                payer_account_id: line.payer.clone(),
                invoicing_entity: line.entity.to_owned(),
                currency_code: CURRENCY.to_owned(),
                kind: InvoiceKind::Usage.into(),
                billing_period: "2025-01".to_owned(),
                total: "0".to_owned(),
                ..Invoice::default()
            });
            invoice.total = decimal(units(&invoice.total, 2).unwrap() + line.cents, 2);
            let segment = ExplainedSegment { metered_hours: line.hours as u32, ..Default::default() };
            invoice.lines.push(InvoiceLine {
                line_number: invoice.lines.len() as u32 + 1,
                charge_type: ChargeType::Usage.into(),
                seller_account_id: line.seller,
                buyer_account_id: buyer,
                product_id: product,
                offer_id: line.offer,
                dimension,
                quantity: decimal(line.millionths, 6),
                unit_price: decimal(line.price, 8),
                amount: decimal(line.cents, 2),
                explanation: Some(Explanation { segments: vec![segment], ..Default::default() }),
                ..InvoiceLine::default()
            });
        }
        (plan, ledger, invoices.into_values().collect())
    }

    fn differences(spoil: impl FnOnce(&mut Vec<Invoice>)) -> Vec<String> {
        let (plan, ledger, mut invoices) = month();
        spoil(&mut invoices);
        let mut differences = Differences::default();
        audit(&plan, &ledger, &invoices, &mut differences);
        differences.shown
    }

    #[test]
    fn right_bills_have_no_differences() {
        assert_eq!(differences(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn every_injected_difference_is_found() {
        type Spoil = fn(&mut Vec<Invoice>);
        let table: [(Spoil, &str, usize); 10] = [
            (|bills| drop(bills[0].lines.remove(0)), "is not billed", 2),
            (
                |bills| {
                    let line = bills[0].lines[0].clone();
                    bills[0].lines.push(line);
                },
                "billed already",
                2,
            ),
            (|bills| drop(bills.remove(0)), "is not billed", 4),
            (|bills| bills[0].lines[0].quantity = "1".to_owned(), "quantity is 1", 1),
            (|bills| bills[0].lines[0].unit_price = "-1".to_owned(), "unit price is -1", 1),
            (|bills| bills[0].lines[0].amount = "0.01".to_owned(), "amount is 0.01", 2),
            (|bills| bills[0].total = "0.01".to_owned(), "its lines sum up to", 2),
            (|bills| bills[0].billing_period = "2025-02".to_owned(), "it must be of", 1),
            (|bills| bills[0].lines[0].explanation = None, "number of metered hours is 0", 1),
            (|bills| bills[0].payer_account_id = "100000000099".to_owned(), "payer is 100000000099", 2),
        ];
        for (number, (spoil, words, at_least)) in table.into_iter().enumerate() {
            let found = differences(spoil);
            assert!(found.iter().any(|difference| difference.contains(words)), "{number}: {found:#?}");
            assert!(at_least <= found.len(), "{number}: {found:#?}");
        }
    }

    #[test]
    fn a_record_more_or_less_is_found() {
        for change in [1_i64, -1] {
            let (plan, mut ledger, invoices) = month();
            let hours = &mut ledger.series[0].hours;
            *hours = hours.saturating_add_signed(change);
            let mut differences = Differences::default();
            audit(&plan, &ledger, &invoices, &mut differences);
            assert_eq!(differences.count, 1, "{:?}", differences.shown);
        }
    }

    #[test]
    fn decimals_are_read_and_written_exactly() {
        for (text, decimals, expected) in [
            ("0", 2, Some(0)),
            ("12.3", 2, Some(1_230)),
            ("12.34", 2, Some(1_234)),
            ("12.345", 2, None),
            ("-1", 2, None),
            ("", 2, None),
            ("1.", 6, Some(1_000_000)),
            ("0.00000001", 8, Some(1)),
        ] {
            assert_eq!(units(text, decimals), expected, "{text}");
        }
        assert_eq!([decimal(5, 2), decimal(1_234, 2), decimal(1, 8)], ["0.05", "12.34", "0.00000001"]);
    }
}
