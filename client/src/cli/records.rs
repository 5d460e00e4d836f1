//! Reads files of usage records, one at a time.
//!
//! CSV has a header with some of these columns, in any order:
//!
//! | column | |
//! |---|---|
//! | `time` | RFC 3339, a day or an hour |
//! | `dimension` | the dimension's key |
//! | `quantity` | whole or decimal |
//! | `customer`, `customer_identifier`, `license_arn` | who used it: one of them is filled |
//! | `product_code`, `region` | what the command line says, when absent or empty |
//!
//! JSON lines are the JSON form of `souk.metering.v1.UsageRecord`, with `productCode` and `region` besides.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;
use souk_proto::metering::v1::UsageRecord;
use souk_proto::metering::v1::usage_record::Customer;

use super::error::{CliError, wrong_input};
use super::session::{is_stdin, origin};
use super::{args, json, time};

/// The form of a file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// Comma-separated, with a header.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

impl FileFormat {
    /// Told by the name of the file; CSV when it does not tell.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson" | "json") => FileFormat::Jsonl,
            Some(_) | None => FileFormat::Csv,
        }
    }
}

/// What a row takes from the command line when it does not say it itself.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The product.
    pub product_code: String,
    /// The region.
    pub region: String,
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The product; empty when the record names a licence.
    pub product_code: String,
    /// The region; the server's default when empty.
    pub region: String,
    /// The record.
    pub record: UsageRecord,
}

/// Rows as they are read.
pub type Rows = Box<dyn Iterator<Item = Result<Row, CliError>>>;

/// Opens a file; `-` is stdin.
pub fn open(path: &Path, format: FileFormat, defaults: Defaults) -> Result<Rows, CliError> {
    read(origin(path), open_bytes(path)?, format, defaults)
}

/// Opens a file for reading; `-` is stdin.
pub fn open_bytes(path: &Path) -> Result<Box<dyn Read>, CliError> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(CliError::Unreadable { path: origin(path), source }),
    }
}

fn read(
    origin: String,
    bytes: Box<dyn Read>,
    format: FileFormat,
    defaults: Defaults,
) -> Result<Rows, CliError> {
    match format {
        FileFormat::Csv => {
            let lines = CsvLines::open(origin, bytes, &COLUMNS)?;
            Ok(Box::new(lines.map(move |line| csv_row(&line?, &defaults))))
        }
        FileFormat::Jsonl => {
            let lines = BufReader::new(bytes).lines().zip(1..).filter(|(line, _)| !is_blank(line));
            Ok(Box::new(lines.map(move |(line, number)| json_row(&origin, number, line, &defaults))))
        }
    }
}

const COLUMNS: [&str; 8] = [
    "time",
    "dimension",
    "quantity",
    "customer",
    "customer_identifier",
    "license_arn",
    "product_code",
    "region",
];

fn csv_row(line: &CsvLine, defaults: &Defaults) -> Result<Row, CliError> {
    let customer = match (line.cell("customer"), line.cell("customer_identifier"), line.cell("license_arn")) {
        (account, "", "") if !account.is_empty() => Customer::CustomerAwsAccountId(account.to_owned()),
        ("", identifier, "") if !identifier.is_empty() => Customer::CustomerIdentifier(identifier.to_owned()),
        ("", "", arn) if !arn.is_empty() => Customer::LicenseArn(arn.to_owned()),
        _ => return Err(line.wrong("one of customer, customer_identifier and license_arn must be filled")),
    };
    let time = time::parse(line.cell("time")).map_err(|problem| line.wrong(&problem))?;
    let quantity = Quantity::parse(line.cell("quantity")).map_err(|problem| line.wrong(&problem))?;
    let product_code = match &customer {
        // A licence says the product itself.
        Customer::LicenseArn(_) => "",
        Customer::CustomerAwsAccountId(_) | Customer::CustomerIdentifier(_) => {
            line.cell_or("product_code", &defaults.product_code)
        }
    };
    Ok(Row {
        line: line.number,
        product_code: product_code.to_owned(),
        region: line.cell_or("region", &defaults.region).to_owned(),
        record: quantity.into_record(time, customer, line.cell("dimension")),
    })
}

fn json_row(
    origin: &str,
    number: u64,
    line: io::Result<String>,
    defaults: &Defaults,
) -> Result<Row, CliError> {
    let place = format!("{origin}:{number}");
    let line = line.map_err(|source| CliError::Unreadable { path: place.clone(), source })?;
    let wrong = |problem: &str| wrong_input(&place, "", 0, 0, problem);
    let mut value: Value = serde_json::from_str(&line).map_err(|error| wrong(&error.to_string()))?;
    let mut take = |names: [&str; 2], default: &str| {
        let object = value.as_object_mut().ok_or_else(|| wrong("a line must be a JSON object"))?;
        match names.iter().find_map(|name| object.remove(*name)) {
            None => Ok(default.to_owned()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(wrong(&format!("{} must be a string", names[0]))),
        }
    };
    let product_code = take(["productCode", "product_code"], &defaults.product_code)?;
    let region = take(["region", "region"], &defaults.region)?;
    let record: UsageRecord = json::from_value(&place, value)?;
    let product_code = match &record.customer {
        Some(Customer::LicenseArn(_)) => String::new(),
        Some(_) | None => product_code,
    };
    Ok(Row { line: number, product_code, region, record })
}

fn is_blank(line: &io::Result<String>) -> bool {
    line.as_ref().is_ok_and(|line| line.trim().is_empty())
}

/// A quantity as it was written: whole or decimal, never a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Digits only.
    Whole(u64),
    /// With a point.
    Decimal(String),
}

impl Quantity {
    /// Reads a quantity.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(whole) if args::is_decimal(text) => Ok(Quantity::Whole(whole)),
            Ok(_) | Err(_) if args::is_decimal(text) => Ok(Quantity::Decimal(text.to_owned())),
            Ok(_) | Err(_) => Err("a quantity looks like 17 or 0.25".to_owned()),
        }
    }

    /// Makes the record of it.
    pub fn into_record(
        self,
        timestamp: prost_types::Timestamp,
        customer: Customer,
        dimension: &str,
    ) -> UsageRecord {
        let (quantity, quantity_as_decimal) = match self {
            Quantity::Whole(whole) => (Some(whole), String::new()),
            Quantity::Decimal(decimal) => (None, decimal),
        };
        UsageRecord {
            timestamp: Some(timestamp),
            customer: Some(customer),
            dimension: dimension.to_owned(),
            quantity,
            quantity_as_decimal,
            usage_allocations: Vec::new(),
        }
    }
}

/// The lines of a CSV file with known columns.
pub struct CsvLines {
    origin: String,
    header: Vec<String>,
    records: csv::StringRecordsIntoIter<Box<dyn Read>>,
}

/// A line of a CSV file.
pub struct CsvLine {
    /// Its number, from 1; the header is line 1.
    pub number: u64,
    origin: String,
    header: Vec<String>,
    cells: csv::StringRecord,
}

impl CsvLines {
    /// Reads the header. A column of another name is more likely a mistake than something to leave out.
    pub fn open(origin: String, bytes: Box<dyn Read>, columns: &[&str]) -> Result<Self, CliError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(error) => return Err(wrong_input(&origin, "", 1, 0, &error.to_string())),
        };
        if let Some(unknown) = header.iter().find(|name| !columns.contains(&name.as_str())) {
            let problem = format!("unknown column {unknown:?}; the columns are {}", columns.join(", "));
            return Err(wrong_input(&origin, "", 1, 0, &problem));
        }
        Ok(CsvLines { origin, header, records: reader.into_records() })
    }
}

impl Iterator for CsvLines {
    type Item = Result<CsvLine, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        let cells = match self.records.next()? {
            Ok(cells) => cells,
            // The csv crate says the line in its words.
            Err(error) => return Some(Err(wrong_input(&self.origin, "", 0, 0, &error.to_string()))),
        };
        Some(Ok(CsvLine {
            number: cells.position().map_or(0, csv::Position::line),
            origin: self.origin.clone(),
            header: self.header.clone(),
            cells,
        }))
    }
}

impl CsvLine {
    /// The cell of a column; empty when the file does not have the column.
    pub fn cell(&self, column: &str) -> &str {
        let index = self.header.iter().position(|name| name == column);
        index.and_then(|index| self.cells.get(index)).unwrap_or_default()
    }

    /// The cell of a column, or a default when it is empty.
    pub fn cell_or<'a>(&'a self, column: &str, default: &'a str) -> &'a str {
        match self.cell(column) {
            "" => default,
            filled => filled,
        }
    }

    /// Says that this line is wrong.
    pub fn wrong(&self, problem: &str) -> CliError {
        wrong_input(&format!("{}:{}", self.origin, self.number), "", 0, 0, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: FileFormat, text: &'static str) -> Result<Vec<Row>, String> {
        let defaults = Defaults { product_code: "code".to_owned(), region: String::new() };
        let rows = read("usage".to_owned(), Box::new(text.as_bytes()), format, defaults);
        rows.and_then(Iterator::collect).map_err(|error| error.to_string())
    }

    fn expected() -> Vec<Row> {
        let record = |customer, quantity: &str| {
            let quantity = Quantity::parse(quantity).unwrap();
            quantity.into_record(time::parse("2026-03-01T05").unwrap(), customer, "hosts")
        };
        let account = Customer::CustomerAwsAccountId("222222222222".to_owned());
        let licence = Customer::LicenseArn("arn:l".to_owned());
        vec![
            Row {
                line: 2,
                product_code: "code".into(),
                region: String::new(),
                record: record(account, "17"),
            },
            Row {
                line: 3,
                product_code: String::new(),
                region: "eu-west-1".into(),
                record: record(licence, "0.25"),
            },
        ]
    }

    #[test]
    fn csv_and_json_lines_say_the_same() {
        let csv = "time,dimension,quantity,customer,license_arn,region\n\
                   2026-03-01T05,hosts,17,222222222222,,\n\
                   2026-03-01T05:00:00Z, hosts, 0.25, ,arn:l,eu-west-1\n";
        assert_eq!(rows(FileFormat::Csv, csv).unwrap(), expected());

        let jsonl = "\n\
            {\"timestamp\":\"2026-03-01T05:00:00Z\",\"customerAwsAccountId\":\"222222222222\",\"dimension\":\"hosts\",\"quantity\":\"17\"}\n\
            {\"timestamp\":\"2026-03-01T05:00:00Z\",\"licenseArn\":\"arn:l\",\"dimension\":\"hosts\",\"quantityAsDecimal\":\"0.25\",\"region\":\"eu-west-1\",\"productCode\":\"other\"}\n";
        assert_eq!(rows(FileFormat::Jsonl, jsonl).unwrap(), expected());
    }

    #[test]
    fn wrong_rows_are_told_with_their_lines() {
        use FileFormat::{Csv, Jsonl};
        let table = [
            (Csv, "time,amount\n", "usage:1: unknown column \"amount\"; the columns are time, "),
            (
                Csv,
                "time,dimension,quantity,customer\n2026-03-01,d,1e3,2\n",
                "usage:2: a quantity looks like 17 or 0.25",
            ),
            (Csv, "time,dimension,quantity,customer\nnow,d,1,2\n", "usage:2: a time looks like "),
            (Csv, "time,dimension,quantity\n2026-03-01,d,1\n", "usage:2: one of customer, "),
            (Csv, "time,dimension\n2026-03-01\n", "usage: CSV error: record 1 (line: 2, "),
            (Jsonl, "[]\n", "usage:1: a line must be a JSON object"),
            (Jsonl, "{}\n{\"region\":7}\n", "usage:2: region must be a string"),
            (Jsonl, "{\"dimensoin\":\"d\"}\n", "usage:1: "),
            (Jsonl, "{\n", "usage:1: EOF"),
        ];
        for (format, text, expected) in table {
            let error = rows(format, text).unwrap_err();
            assert!(error.starts_with(expected), "{text} gave {error}");
        }
    }

    #[test]
    fn quantities_stay_as_they_were_written() {
        let table = [
            ("0", Some(Quantity::Whole(0))),
            ("2147483647", Some(Quantity::Whole(2_147_483_647))),
            ("17.00", Some(Quantity::Decimal("17.00".to_owned()))),
            ("0.000001", Some(Quantity::Decimal("0.000001".to_owned()))),
            ("99999999999999999999", Some(Quantity::Decimal("99999999999999999999".to_owned()))),
            ("+1", None),
            ("-1", None),
            ("1e3", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(Quantity::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_format_is_told_by_the_name() {
        for (name, expected) in [
            ("a.csv", FileFormat::Csv),
            ("a.jsonl", FileFormat::Jsonl),
            ("a", FileFormat::Csv),
            ("-", FileFormat::Csv),
        ] {
            assert_eq!(FileFormat::of(Path::new(name)), expected, "{name}");
        }
    }
}
