//! The demo's year, billed a second time from plain facts: what its marketplace file says, the flights, and what
//! happens in the year besides. Every invoice and every report row must be the same.

mod facts;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chrono::Months;
use num_bigint::BigInt;
use serde_json::Value;
use souk_proto::sandbox::v1::SandboxDocument;
use souk_server::cli::DemoArguments;
use souk_server::{demo, document};
use souk_tests::naive::{self, Charge, at, scaled};

use facts::{market, offer_of};

/// AWS's columns of section 1: billing and revenue data.
const SECTION_1: [&str; 27] = [
    "Customer Reference ID",
    "Country",
    "State",
    "City",
    "Zip Code",
    "Product Title",
    "Product Code",
    "Customer Billed Amount",
    "AWS Listing Fee",
    "Refunds Amount",
    "AWS Fee Refund",
    "Cost",
    "Partner Revenue Amount",
    "Currency",
    "Transaction Reference ID",
    "U.S. Sales Tax Customer Billed Amount",
    "U.S. Sales Tax Refunds Amount",
    "Offer ID",
    "Offer Visibility",
    "Customer AWS Account Number",
    "Customer Email Domain",
    "Opportunity Name",
    "Opportunity Description",
    "Solution Title",
    "Solution ID",
    "Payer Reference ID",
    "Payer Address ID",
];
/// AWS's columns of section 2: variable length subscriptions.
const SECTION_2: [&str; 33] = [
    "Customer Reference ID",
    "Country",
    "State",
    "City",
    "Zip Code",
    "Product Title",
    "Product Code",
    "Subscription Quantity",
    "Subscription Start Date",
    "Subscription End Date",
    "Subscription Instance Type",
    "Customer Billed Amount",
    "AWS Listing Fee",
    "Refunds Amount",
    "AWS Fee Refund",
    "Cost",
    "Partner Revenue Amount",
    "Currency",
    "Transaction Reference ID",
    "U.S. Sales Tax Customer Billed Amount",
    "U.S. Sales Tax Refunds Amount",
    "Customer AWS Account Number",
    "Customer Email Domain",
    "Offer ID",
    "Offer Visibility",
    "Contract Start Date",
    "Contract End Date",
    "Opportunity Name",
    "Opportunity Description",
    "Solution Title",
    "Solution ID",
    "Payer Reference ID",
    "Payer Address ID",
];
/// The columns of opaque references: what stands there is free, but one thing has one reference.
const REFERENCES: [&str; 4] =
    ["Customer Reference ID", "Transaction Reference ID", "Payer Reference ID", "Payer Address ID"];

/// What one demo wrote, by path in its folder; without what its server stored.
type Written = BTreeMap<String, String>;
/// A report row without its references, by column.
type Cells = BTreeMap<&'static str, String>;

static WRITTEN: LazyLock<Written> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    written_by_a_demo_in(folder.path())
});
static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let document = document::parse(&WRITTEN["sandbox.yaml"]).expect("the marketplace that was written");
    let bills = naive::bills(&market(&document));
    Facts { document, bills }
});

/// The marketplace, and what it must bill.
struct Facts {
    document: SandboxDocument,
    bills: Vec<naive::Invoice>,
}

fn written_by_a_demo_in(folder: &Path) -> Written {
    demo::run(&DemoArguments { out: folder.to_owned() }).expect("the demo runs");
    let mut written = Written::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder of the demo") {
            let path = entry.expect("an entry of the folder").path();
            let name = path.strip_prefix(folder).expect("a path in the folder").to_str().expect("a text");
            match path.is_dir() {
                true if name == "data" => {}
                true => folders.push(path),
                false => {
                    let text = std::fs::read_to_string(&path).expect("a text file");
                    written.insert(name.replace('\\', "/"), text);
                }
            }
        }
    }
    written
}

/// Cents as the files print them.
fn dollars(cents: &BigInt) -> String {
    let sign = if *cents < BigInt::ZERO { "-" } else { "" };
    let digits = format!("{:0>3}", cents.magnitude().to_string());
    let (whole, fraction) = digits.split_at(digits.len() - 2);
    format!("{sign}{whole}.{fraction}")
}

/// Reads an amount, which has exactly two decimals.
fn cents(text: &str) -> BigInt {
    let cents = scaled(text, 2);
    assert_eq!(dollars(&cents), text);
    cents
}

/// Things and their names in the files: one thing has one name, and one name means one thing.
#[derive(Default)]
struct Names {
    names: BTreeMap<String, String>,
    things: BTreeMap<String, String>,
}

impl Names {
    fn pair(&mut self, thing: &str, name: &str) {
        assert!(!name.is_empty(), "{thing} has no name");
        assert_eq!(self.names.entry(thing.to_owned()).or_insert_with(|| name.to_owned()), name, "{thing}");
        assert_eq!(self.things.entry(name.to_owned()).or_insert_with(|| thing.to_owned()), thing, "{name}");
    }
}

/// An invoice without report rows, its agreements apart line by line: only the server knows their ids.
fn without_agreements(mut invoice: naive::Invoice) -> (naive::Invoice, Vec<String>) {
    let mut lines: Vec<_> = invoice.lines.drain(..).map(|line| (line.agreement.clone(), line)).collect();
    lines.iter_mut().for_each(|(_, line)| line.agreement.clear());
    lines.sort_by(|(_, a), (_, b)| a.cmp(b));
    let (agreements, lines) = lines.into_iter().unzip();
    let charge = match invoice.charge {
        Charge::Usage(month) => Charge::Usage(month),
        Charge::Upfront(_) => Charge::Upfront(String::new()),
    };
    (naive::Invoice { charge, lines, rows: Vec::new(), ..invoice }, agreements)
}

/// Reads an invoice of the file, and checks what the plain bills do not hold.
fn read_invoice(invoice: &Value) -> naive::Invoice {
    let issued = at(text(invoice, "issueTime"));
    assert_eq!(text(invoice, "currencyCode"), "USD");
    let lines = invoice["lines"].as_array().expect("lines");
    let (charge, charge_type) = match text(invoice, "kind") {
        "INVOICE_KIND_USAGE" => {
            (Charge::Usage(text(invoice, "billingPeriod").to_owned()), "CHARGE_TYPE_USAGE")
        }
        "INVOICE_KIND_UPFRONT" => {
            assert_eq!(text(invoice, "billingPeriod"), issued.format("%Y-%m").to_string());
            (Charge::Upfront(text(&lines[0], "agreementId").to_owned()), "CHARGE_TYPE_ANNUAL")
        }
        other => panic!("an invoice of kind {other}"),
    };
    for (position, line) in (1..).zip(lines) {
        assert_eq!(line["lineNumber"], position);
        assert_eq!(text(line, "chargeType"), charge_type);
        let mut products = FACTS.document.products.iter();
        let product = products.find(|product| product.product_id == text(line, "productId"));
        let product = product.expect("a product of the marketplace");
        assert_eq!(text(line, "sellerAccountId"), product.seller_account_id);
        assert_eq!(text(line, "productTitle"), product.title);
    }
    naive::Invoice {
        payer: text(invoice, "payerAccountId").to_owned(),
        entity: text(invoice, "invoicingEntity").to_owned(),
        charge,
        issued,
        lines: lines.iter().map(read_line).collect(),
        rows: Vec::new(),
        total: cents(text(invoice, "total")),
    }
}

/// Reads a line, and checks that its explanation adds up.
fn read_line(line: &Value) -> naive::Line {
    let (unit_price, quantity) = (scaled(text(line, "unitPrice"), 8), scaled(text(line, "quantity"), 6));
    let explanation = &line["explanation"];
    assert_eq!(scaled(text(explanation, "exactAmount"), 14), &unit_price * &quantity, "{line}");
    let segments = explanation["segments"].as_array().expect("segments");
    let of_segments = |field| segments.iter().map(|s| scaled(text(s, field), 6)).sum::<BigInt>();
    if !segments.is_empty() {
        let billed = of_segments("billedQuantity");
        assert_eq!(billed, of_segments("meteredQuantity") - of_segments("coveredQuantity"), "{line}");
        assert_eq!(billed, quantity, "{line}");
    }
    naive::Line {
        buyer: text(line, "buyerAccountId").to_owned(),
        product: text(line, "productId").to_owned(),
        agreement: text(line, "agreementId").to_owned(),
        offer: text(line, "offerId").to_owned(),
        dimension: text(line, "dimension").to_owned(),
        unit_price,
        quantity,
        amount: cents(text(line, "amount")),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value}"))
}

/// The rows of a file, each with its four references.
fn read_rows(file: &str, columns: &[&'static str]) -> Vec<(Cells, Vec<String>)> {
    let mut lines = file.lines();
    assert_eq!(lines.next(), Some(&*columns.join(",")));
    let rows = lines.map(|line| {
        assert!(!line.contains('"'), "no cell of the demo needs quotes: {line}");
        let cells: Vec<_> = line.split(',').map(str::to_owned).collect();
        assert_eq!(cells.len(), columns.len(), "{line}");
        let mut cells: Cells = columns.iter().copied().zip(cells).collect();
        let references = REFERENCES.map(|column| cells.remove(column).expect("a reference"));
        (cells, references.to_vec())
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// The rows that a section must have in a month, each with what its four references stand for.
fn expected_rows(month: &str, section: u32) -> Vec<(Cells, Vec<String>)> {
    let mut rows = Vec::new();
    for invoice in &FACTS.bills {
        let (its_month, its_section) = match &invoice.charge {
            Charge::Usage(month) => (month.clone(), 1),
            Charge::Upfront(_) => (invoice.issued.format("%Y-%m").to_string(), 2),
        };
        if (its_month.as_str(), its_section) == (month, section) {
            rows.extend(invoice.rows.iter().map(|row| expected_row(invoice, row)));
        }
    }
    rows.sort();
    rows
}

fn expected_row(invoice: &naive::Invoice, row: &naive::Row) -> (Cells, Vec<String>) {
    let document = &FACTS.document;
    let buyer = document.accounts.iter().find(|account| account.account_id == row.buyer).expect("a buyer");
    let product =
        document.products.iter().find(|product| product.product_id == row.product).expect("a product");
    let private = !offer_of(document, &row.offer).buyer_account_ids.is_empty();
    let address = buyer.address.clone().expect("an address");
    let zero = || "0.00".to_owned();
    let mut cells: Cells = [
        ("Country", address.country),
        ("State", address.state),
        ("City", address.city),
        ("Zip Code", address.postal_code),
        ("Product Title", product.title.clone()),
        ("Product Code", product.product_code.clone()),
        ("Customer Billed Amount", dollars(&row.billed)),
        ("AWS Listing Fee", dollars(&row.fee)),
        ("Refunds Amount", zero()),
        ("AWS Fee Refund", zero()),
        ("Cost", zero()),
        ("Partner Revenue Amount", dollars(&(&row.billed + &row.fee))),
        ("Currency", "USD".to_owned()),
        ("U.S. Sales Tax Customer Billed Amount", zero()),
        ("U.S. Sales Tax Refunds Amount", zero()),
        ("Offer ID", if private { row.offer.clone() } else { String::new() }),
        ("Offer Visibility", if private { "Private" } else { "Public" }.to_owned()),
        ("Customer AWS Account Number", buyer.account_id.clone()),
        ("Customer Email Domain", buyer.email_domain.clone()),
    ]
    .into();
    for blank in ["Opportunity Name", "Opportunity Description", "Solution Title", "Solution ID"] {
        cells.insert(blank, String::new());
    }
    if let Some(dimension) = &row.dimension {
        let line = invoice.lines.iter().find(|line| line.dimension == *dimension).expect("the row's line");
        let end = invoice.issued + Months::new(12);
        cells.insert("Subscription Quantity", (&line.quantity / 1_000_000_u32).to_string());
        cells.insert("Subscription Start Date", invoice.issued.date_naive().to_string());
        cells.insert("Subscription End Date", end.date_naive().to_string());
        cells.insert("Subscription Instance Type", dimension.clone());
        // Blank for annual subscriptions, which are no contracts.
        cells.insert("Contract Start Date", String::new());
        cells.insert("Contract End Date", String::new());
    }
    let (payer, charge) = (&invoice.payer, &invoice.charge);
    let stand_for = [
        format!("{} as {} knows it", row.buyer, product.seller_account_id),
        format!("{charge:?} of {payer} on {}: {} {} {}", invoice.issued, row.buyer, row.product, row.offer),
        format!("payer {payer}"),
        format!("address of {payer}"),
    ];
    (cells, stand_for.to_vec())
}

#[test]
fn every_invoice_of_the_demo_is_what_the_plain_facts_say() {
    let invoices: Vec<Value> = serde_json::from_str(&WRITTEN["invoices.json"]).expect("a list of invoices");
    let mut ids = Names::default();
    invoices.iter().for_each(|invoice| ids.pair(text(invoice, "invoiceId"), text(invoice, "invoiceId")));
    assert_eq!((invoices.len(), ids.names.len()), (FACTS.bills.len(), FACTS.bills.len()));

    let mut issued: Vec<_> = invoices.iter().map(|i| without_agreements(read_invoice(i))).collect();
    let mut expected: Vec<_> = FACTS.bills.iter().map(|i| without_agreements(i.clone())).collect();
    issued.sort();
    expected.sort();
    let mut agreements = Names::default();
    for ((issued, names), (expected, things)) in issued.iter().zip(&expected) {
        assert_eq!(issued, expected);
        things.iter().zip(names).for_each(|(thing, name)| agreements.pair(thing, name));
    }
    // 16 airlines' subscriptions to each product; two more of JetBlue.
    assert_eq!(agreements.names.len(), 34, "every agreement of the year has been billed");
}

#[test]
fn every_report_row_of_the_demo_is_what_the_plain_facts_say() {
    let mut references = Names::default();
    let mut found = 0;
    for month in (1..=12).map(|month| format!("2013-{month:02}")) {
        for (section, columns) in [(1, &SECTION_1[..]), (2, &SECTION_2[..])] {
            let name = format!("monthly-billed-revenue/{month}-section-{section}.csv");
            let (rows, expected) = (read_rows(&WRITTEN[&name], columns), expected_rows(&month, section));
            for ((row, names), (expected, things)) in rows.iter().zip(&expected) {
                assert_eq!(row, expected, "{name}");
                things.iter().zip(names).for_each(|(thing, name)| references.pair(thing, name));
            }
            assert_eq!(rows.len(), expected.len(), "{name}");
            found += rows.len();
        }
    }
    assert_eq!(
        found,
        FACTS.bills.iter().map(|invoice| invoice.rows.len()).sum::<usize>(),
        "rows in the year"
    );
    let reports = WRITTEN.keys().filter(|name| name.starts_with("monthly-billed-revenue/")).count();
    assert_eq!(reports, 24, "two sections a month");
}

#[test]
fn a_second_demo_writes_the_same_bytes_and_nothing_of_a_former_one_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let reports = folder.path().join("monthly-billed-revenue");
    std::fs::create_dir(&reports).expect("a folder of reports");
    std::fs::write(reports.join("2012-12-section-1.csv"), "of another demo").expect("a former report");
    let second = written_by_a_demo_in(folder.path());
    assert_eq!(second.keys().collect::<Vec<_>>(), WRITTEN.keys().collect::<Vec<_>>());
    for (name, text) in &second {
        assert!(*text == WRITTEN[name], "{name} differs");
    }
}
