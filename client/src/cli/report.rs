//! `souk report`: the seller reports, with AWS's columns.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use souk_client::{ExportChunks, Report};
use souk_proto::reporting::v1::{
    ExportFormat, ReportDescription, ReportKind, ReportProfile, ReportSelection,
};

use super::error::CliError;
use super::output::{Column, View, number, text};
use super::session::{Session, is_stdin};
use super::{args, json as message_json, time};

const KIND_PREFIX: &str = "REPORT_KIND_";

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Lists the reports that exist, with their columns.
    #[command(after_help = "Example:
  souk report list")]
    List,
    /// Shows a report of a closed month, or a daily one of the date on which it is made.
    #[command(after_help = "Examples:
  souk report show monthly_revenue_billing_and_revenue_data --seller 111111111111 --month 2026-03
  souk report show monthly_revenue_annual_subscriptions --seller 111111111111 --month 2026-03 --profile legacy
  souk report show daily_business_fees --seller 111111111111 --date 2026-03-24
  souk report show daily_usage_v1 --seller 111111111111 --date 2026-03-24
  souk report show offerfeed_v1 --seller 111111111111 --month 2026-03
  souk report show offerfeed_v1 --seller 111111111111 --month 2026-03 --current

The daily report of 24 March tells of the usage of 23 March and the fees of 21 March. A feed with a history (productfeed_v1
and the like) has the records that were written in the month; with --current those that stand at its end.")]
    Show(Selection),
    /// Writes a report as the CSV file that the server makes.
    #[command(after_help = "Examples:
  souk report export monthly_revenue_billing_and_revenue_data --seller 111111111111 --month 2026-03 -o march.csv
  souk report export daily_business_usage_by_instance_type --seller 111111111111 --date 2026-03-24 -o usage.csv")]
    Export {
        #[command(flatten)]
        selection: Selection,
        /// The file to write; stdout when absent or `-`.
        #[arg(short = 'o', long = "out", value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Which report.
#[derive(Debug, Args)]
pub struct Selection {
    /// The report, by the name of its AWS data set; `souk report list` has them.
    #[arg(value_parser = parse_kind)]
    kind: ReportKind,
    /// The selling account.
    #[arg(long, value_name = "ACCOUNT")]
    seller: String,
    /// A closed month, of a report of a month.
    #[arg(long, value_name = "YYYY-MM", value_parser = time::parse_month, conflicts_with = "date", required_unless_present = "date")]
    month: Option<String>,
    /// The day on which a daily report is made, at 00:00 UTC: it tells of the day before, and of the fees of three days
    /// before.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = time::parse_date)]
    date: Option<String>,
    /// Of a feed with a history, only the records that stand at the end of the month.
    #[arg(long)]
    current: bool,
    /// How rows of public offers show the offer; as the sandbox's rules say when absent.
    #[arg(long, value_enum)]
    profile: Option<Profile>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Profile {
    /// Offer ID blank unless the offer is private.
    Legacy,
    /// Offer ID always filled.
    Dashboard,
}

impl Selection {
    fn into_message(self, sandbox: &str) -> ReportSelection {
        let profile = match self.profile {
            None => ReportProfile::Unspecified,
            Some(Profile::Legacy) => ReportProfile::Legacy,
            Some(Profile::Dashboard) => ReportProfile::Dashboard,
        };
        ReportSelection {
            sandbox: sandbox.to_owned(),
            seller_account_id: self.seller,
            kind: self.kind.into(),
            month: self.month.unwrap_or_default(),
            profile: profile.into(),
            date: self.date.unwrap_or_default(),
            current: self.current,
        }
    }
}

impl ReportCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let client = session.connect().await?;
        match self {
            ReportCommand::List => session.show(&list(&client.list_reports().await?)?),
            ReportCommand::Show(selection) => {
                let report = client.read_report(selection.into_message(&session.sandbox)).await?;
                session.show(&view(report))
            }
            ReportCommand::Export { selection, file } => {
                let selection = selection.into_message(&session.sandbox);
                let mut chunks = client.export_report(selection, ExportFormat::Csv).await?;
                match file.filter(|file| !is_stdin(file)) {
                    Some(file) => {
                        save(&mut chunks, &file).await?;
                        session.note(&format!("{} is written", file.display()));
                    }
                    None => {
                        while let Some(chunk) = chunks.next().await? {
                            session.write(&chunk)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

/// Reads the short name of a report: `monthly_revenue_annual_subscriptions`, hyphens allowed.
fn parse_kind(name: &str) -> Result<ReportKind, String> {
    let full = format!("{KIND_PREFIX}{}", name.to_uppercase().replace('-', "_"));
    match ReportKind::from_str_name(&full) {
        Some(kind) if kind != ReportKind::Unspecified => Ok(kind),
        Some(_) | None => Err(format!("no such report; there are {}", kind_names().join(", "))),
    }
}

/// The short names of the reports that this client knows.
fn kind_names() -> Vec<String> {
    let kinds = souk_proto::document::pool().get_enum_by_name("souk.reporting.v1.ReportKind");
    let numbers =
        kinds.iter().flat_map(|kinds| kinds.values().map(|value| value.number()).collect::<Vec<_>>());
    let known = numbers.filter_map(|number| ReportKind::try_from(number).ok());
    known.filter(|kind| *kind != ReportKind::Unspecified).map(kind_name).collect()
}

fn kind_name(kind: ReportKind) -> String {
    super::output::word(kind.as_str_name(), KIND_PREFIX)
}

/// Writes a file so that it is there whole or not at all.
async fn save(chunks: &mut ExportChunks, file: &Path) -> Result<(), CliError> {
    let unwritable = |source| CliError::Unwritable { path: file.display().to_string(), source };
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut writer = std::fs::File::create(&part).map_err(unwritable)?;
    let mut copied = Ok(());
    loop {
        match chunks.next().await {
            Ok(Some(chunk)) => copied = writer.write_all(&chunk).map_err(unwritable),
            Ok(None) => break,
            Err(error) => copied = Err(error.into()),
        }
        if copied.is_err() {
            break;
        }
    }
    match copied.and_then(|()| std::fs::rename(&part, file).map_err(unwritable)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // The first error says more than that the rest of the file stays.
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

fn list(reports: &[ReportDescription]) -> Result<View, CliError> {
    let rows = reports
        .iter()
        .map(|report| {
            let period = super::output::word(report.period().as_str_name(), "REPORT_PERIOD_");
            vec![kind_name(report.kind()), period, report.title.clone(), report.columns.join(", ")]
        })
        .collect();
    let columns = ["kind", "of a", "title", "columns"].map(text).into();
    Ok(View::of_list(columns, rows, message_json::of_all(reports)?))
}

fn view(report: Report) -> View {
    let rows: Vec<Vec<String>> = report.rows.into_iter().map(|row| row.cells).collect();
    let as_column =
        |(index, name): (usize, &String)| column(name, rows.iter().filter_map(|row| row.get(index)));
    let columns: Vec<Column> = report.columns.iter().enumerate().map(as_column).collect();
    let json = json!({"columns": report.columns, "rows": rows});
    View::of_list(columns, rows, json)
}

/// Amounts stand right. A column is taken for one when all its cells are decimals and one has a point;
/// account numbers and the like have none.
fn column<'a>(name: &str, cells: impl Iterator<Item = &'a String>) -> Column {
    let unsigned = |cell: &'a String| cell.strip_prefix('-').unwrap_or(cell);
    let filled: Vec<&str> = cells.filter(|cell| !cell.is_empty()).map(unsigned).collect();
    let is_amount =
        filled.iter().all(|cell| args::is_decimal(cell)) && filled.iter().any(|cell| cell.contains('.'));
    if is_amount { number(name) } else { text(name) }
}

#[cfg(test)]
mod tests {
    use souk_proto::reporting::v1::ReportRow;

    use super::*;

    #[test]
    fn reports_are_named_short() {
        let names = kind_names();
        let first = ["monthly_revenue_billing_and_revenue_data", "monthly_revenue_annual_subscriptions"];
        assert_eq!(names.iter().take(2).collect::<Vec<_>>(), first.iter().collect::<Vec<_>>());
        // Beyond the gaps in their numbers, too.
        for name in ["monthly_revenue_field_demonstration_usage", "daily_usage_v1"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for name in ["monthly_revenue_annual_subscriptions", "monthly-revenue-annual-subscriptions"] {
            assert_eq!(parse_kind(name), Ok(ReportKind::MonthlyRevenueAnnualSubscriptions));
        }
        let refused = format!("no such report; there are {}", names.join(", "));
        assert_eq!(parse_kind("unspecified"), Err(refused));
    }

    #[test]
    fn a_report_is_shown_with_amounts_on_the_right() {
        let row = |cells: [&str; 3]| ReportRow { cells: cells.map(str::to_owned).into() };
        let report = Report {
            columns: ["Customer AWS Account Number", "Offer ID", "Seller Share"].map(str::to_owned).into(),
            rows: vec![row(["222222222222", "", "7.50"]), row(["333333333333", "offer-1", "-120.25"])],
        };
        let view = view(report);
        insta::assert_snapshot!(view.to_table(), @r"
        Customer AWS Account Number  Offer ID  Seller Share
        ---------------------------- --------- -------------
        222222222222                                   7.50
        333333333333                 offer-1        -120.25
        ");
        insta::assert_snapshot!(view.json, @r#"{"columns":["Customer AWS Account Number","Offer ID","Seller Share"],"rows":[["222222222222","","7.50"],["333333333333","offer-1","-120.25"]]}"#);
    }
}
