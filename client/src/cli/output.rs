//! Results in three forms: tables for people, JSON and CSV for programs.
//!
//! A command makes one [`View`] of its answer. Text stays text: no number is parsed on the way. Tables have
//! no colours and are never wrapped, so that they can be searched and cut by line.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use serde_json::Value;

use super::error::CliError;

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people.
    Table,
    /// JSON, with the names of the protobuf JSON form.
    Json,
    /// CSV with a header; of a result with several parts, its list.
    Csv,
}

/// A result: facts about one thing, lists, or both, and the same as JSON.
#[derive(Debug, Default)]
pub struct View {
    /// Name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Lists; the first is what CSV shows.
    pub sheets: Vec<Sheet>,
    /// The answer as JSON.
    pub json: Value,
}

/// A list.
#[derive(Debug, Default)]
pub struct Sheet {
    /// What stands above it; may be empty.
    pub title: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, with one cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// A column of a list.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name as CSV shows it: `invoice_id`. Tables show "Invoice id".
    pub name: String,
    /// Its side of the column: numbers stand right.
    pub align: CellAlignment,
}

/// A column of text.
pub fn text(name: &str) -> Column {
    Column { name: name.to_owned(), align: CellAlignment::Left }
}

/// A column of numbers.
pub fn number(name: &str) -> Column {
    Column { name: name.to_owned(), align: CellAlignment::Right }
}

impl View {
    /// Facts about one thing.
    pub fn of_facts(facts: Vec<(&'static str, String)>, json: Value) -> Self {
        View { facts, sheets: Vec::new(), json }
    }

    /// A list.
    pub fn of_list(columns: Vec<Column>, rows: Vec<Vec<String>>, json: Value) -> Self {
        View { facts: Vec::new(), sheets: vec![Sheet { title: "", columns, rows }], json }
    }

    /// Adds a list that is left out of tables when it is empty.
    #[must_use]
    pub fn with_sheet(mut self, title: &'static str, columns: Vec<Column>, rows: Vec<Vec<String>>) -> Self {
        self.sheets.push(Sheet { title, columns, rows });
        self
    }

    /// Writes the view.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> Result<(), CliError> {
        match format {
            Format::Table => out.write_all(self.to_table().as_bytes()).map_err(CliError::Output),
            Format::Csv => self.write_csv(out).map_err(|error| CliError::Output(into_io(error))),
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &self.json)
                    .map_err(|error| CliError::Output(error.into()))?;
                writeln!(out).map_err(CliError::Output)
            }
        }
    }

    /// The form for people.
    pub fn to_table(&self) -> String {
        let mut parts = Vec::new();
        if !self.facts.is_empty() {
            parts.push(facts_table(&self.facts));
        }
        for sheet in &self.sheets {
            // A list on its own shows its columns even when it is empty: "nothing" is an answer.
            if !sheet.rows.is_empty() || sheet.title.is_empty() {
                let title = if sheet.title.is_empty() { String::new() } else { format!("{}\n", sheet.title) };
                parts.push(format!("{title}{}", sheet_table(sheet)));
            }
        }
        parts.join("\n")
    }

    fn write_csv(&self, out: &mut dyn Write) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(out);
        if let Some(sheet) = self.sheets.first() {
            writer.write_record(sheet.columns.iter().map(|column| &column.name))?;
            for row in &sheet.rows {
                writer.write_record(row)?;
            }
        } else {
            writer.write_record(self.facts.iter().map(|(name, _)| name))?;
            writer.write_record(self.facts.iter().map(|(_, value)| value))?;
        }
        writer.flush()?;
        Ok(())
    }
}

fn into_io(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

fn facts_table(facts: &[(&'static str, String)]) -> String {
    let mut table = bare_table();
    for (name, value) in facts {
        table.add_row([heading(name), value.clone()]);
    }
    lines(&mut table)
}

fn sheet_table(sheet: &Sheet) -> String {
    let mut table = bare_table();
    table.set_header(sheet.columns.iter().map(|column| heading(&column.name)).collect::<Vec<_>>());
    table.add_rows(sheet.rows.iter());
    for (column, declared) in table.column_iter_mut().zip(&sheet.columns) {
        column.set_cell_alignment(declared.align);
    }
    lines(&mut table)
}

/// A line below the header and nothing else.
fn bare_table() -> Table {
    let style = TableStyle::new().header_separator(LineStyle::none().fill('-').junction(' '));
    let mut table = Table::new();
    table.load_style(style);
    table
}

/// The table with two blanks between columns and none at the ends of its lines.
fn lines(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        // The other blank is where a style with borders would draw one.
        column.set_padding((0, 1));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// `invoice_id` as "Invoice id"; a name that is a title already stays.
fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

/// The word of an enum value: `AGREEMENT_STATUS_ACTIVE` without its prefix is "active".
pub fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn example() -> View {
        let columns = vec![text("invoice_id"), number("total")];
        let rows = vec![
            vec!["inv-1".to_owned(), "7.50".to_owned()],
            vec!["inv-2, corrected".to_owned(), "1234.00".to_owned()],
        ];
        View::of_facts(vec![("payer_account_id", "111111111111".to_owned())], json!({"total": "1241.50"}))
            .with_sheet("Invoices", columns, rows)
    }

    fn written(view: &View, format: Format) -> String {
        let mut out = Vec::new();
        view.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn people_get_tables_with_numbers_on_the_right() {
        insta::assert_snapshot!(written(&example(), Format::Table), @r"
        Payer account id  111111111111

        Invoices
        Invoice id          Total
        ----------------- --------
        inv-1                7.50
        inv-2, corrected  1234.00
        ");
    }

    #[test]
    fn programs_get_csv_of_the_list_or_of_the_facts() {
        insta::assert_snapshot!(written(&example(), Format::Csv), @r#"
        invoice_id,total
        inv-1,7.50
        "inv-2, corrected",1234.00
        "#);
        let facts = View::of_facts(vec![("name", "a".to_owned()), ("now", "b".to_owned())], Value::Null);
        assert_eq!(written(&facts, Format::Csv), "name,now\na,b\n");
    }

    #[test]
    fn programs_get_json() {
        insta::assert_snapshot!(written(&example(), Format::Json), @r#"
        {
          "total": "1241.50"
        }
        "#);
    }

    #[test]
    fn an_empty_list_still_shows_its_columns() {
        let view = View::of_list(vec![text("offer_id"), text("name")], Vec::new(), json!([]));
        insta::assert_snapshot!(written(&view, Format::Table), @r"
        Offer id  Name
        --------- -----
        ");
    }

    #[test]
    fn headings_are_words_and_titles_stay() {
        for (name, expected) in
            [("invoice_id", "Invoice id"), ("Transaction Reference ID", "Transaction Reference ID"), ("", "")]
        {
            assert_eq!(heading(name), expected);
        }
    }
}
