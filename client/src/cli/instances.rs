//! `souk instances`: instance-hours of products that AWS Marketplace meters itself.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prost_types::Timestamp;
use souk_client::{REPORTS_MAX, SoukClient};
use souk_proto::metering::v1::{InstanceHours, ReportInstanceHoursRequest};

use super::error::CliError;
use super::meter::now;
use super::outcomes::Outcomes;
use super::records::{CsvLines, open_bytes};
use super::session::{Progress, Session, origin};
use super::time;

const HOUR_SECONDS: i64 = 3_600;
/// A hundred years: more is a slip of the pen.
const HOURS_MAX: i64 = 100 * 366 * 24;

#[derive(Debug, Subcommand)]
pub enum InstancesCommand {
    /// Reports how many instances of a type an account ran: in an hour, or in every hour of a time.
    #[command(after_help = "Examples:
  souk instances report fleetcode --buyer 222222222222 --type m5.large --count 3
  souk instances report fleetcode --buyer 222222222222 --type m5.large --count 3 --hour 2026-03-01T05
  souk instances report fleetcode --buyer 222222222222 --type m5.large --count 3
      --from 2026-03-01 --until 2026-04-01
  souk instances report --file hours.csv

A CSV file has a header with the columns product_code, buyer, instance_type, hour and count:
  product_code,buyer,instance_type,hour,count
  fleetcode,222222222222,m5.large,2026-03-01T05,3
Reports may be sent again: the first report of an hour stands.
The exit code is 1 when a report was not metered.")]
    Report(Report),
}

#[derive(Debug, Args)]
pub struct Report {
    /// The product's code.
    #[arg(required_unless_present = "file")]
    product_code: Option<String>,
    /// The account that ran them.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "file", conflicts_with = "file")]
    buyer: Option<String>,
    /// The dimension's key.
    #[arg(
        long = "type",
        value_name = "INSTANCE_TYPE",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    instance_type: Option<String>,
    /// How many ran.
    #[arg(long, value_name = "N", required_unless_present = "file", conflicts_with = "file")]
    count: Option<u64>,
    /// Any moment of the hour; the sandbox's time when absent.
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with_all = ["file", "from", "until"])]
    hour: Option<Timestamp>,
    /// Instead of one hour: the first of many.
    #[arg(long, value_name = "TIME", value_parser = time::parse, requires = "until", conflicts_with = "file")]
    from: Option<Timestamp>,
    /// The end of the hours; not part of them.
    #[arg(long, value_name = "TIME", value_parser = time::parse, requires = "from", conflicts_with = "file")]
    until: Option<Timestamp>,
    /// Where they ran; us-east-1 when absent.
    #[arg(long, default_value = "", hide_default_value = true)]
    region: String,
    /// A file of reports; `-` reads stdin.
    #[arg(long, conflicts_with = "product_code")]
    file: Option<PathBuf>,
}

impl InstancesCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let InstancesCommand::Report(report) = self;
        let region = report.region.clone();
        let (place, outcomes) = if let Some(file) = &report.file {
            let rows = open(file)?;
            let client = session.connect().await?;
            ("line", send(&client, &session.sandbox, &region, rows).await?)
        } else {
            let client = session.connect().await?;
            let hours = report.hours(&client, &session.sandbox).await?;
            let rows = report.rows(hours)?;
            ("hour", send(&client, &session.sandbox, &region, rows).await?)
        };
        session.show(&outcomes.view(place))?;
        outcomes.verdict()
    }
}

/// A report, and what messages call it.
type Row = (String, InstanceHours);
type Rows = Box<dyn Iterator<Item = Result<Row, CliError>>>;

impl Report {
    /// The first hour and the end of the hours.
    async fn hours(&self, client: &SoukClient, sandbox: &str) -> Result<(i64, i64), CliError> {
        if let (Some(from), Some(until)) = (self.from, self.until) {
            return Ok((from.seconds, until.seconds));
        }
        let hour = match self.hour {
            Some(hour) => hour,
            None => now(client, sandbox).await?,
        };
        Ok((hour.seconds, hour.seconds.saturating_add(1)))
    }

    /// One report for each hour that begins before the end, from the hour that the first moment falls into.
    fn rows(self, (from, until): (i64, i64)) -> Result<Rows, CliError> {
        let (Some(product_code), Some(buyer), Some(instance_type), Some(count)) =
            (self.product_code, self.buyer, self.instance_type, self.count)
        else {
            return Err(CliError::Usage("say which product, buyer, instance type and count".to_owned()));
        };
        let first = from.div_euclid(HOUR_SECONDS);
        let end = until.div_euclid(HOUR_SECONDS) + i64::from(until.rem_euclid(HOUR_SECONDS) > 0);
        if end <= first || end - first > HOURS_MAX {
            return Err(CliError::Usage(
                "the hours must end after they begin, and within 100 years".to_owned(),
            ));
        }
        Ok(Box::new((first..end).map(move |hour| {
            let hour = Timestamp { seconds: hour * HOUR_SECONDS, nanos: 0 };
            let report = InstanceHours {
                product_code: product_code.clone(),
                buyer_account_id: buyer.clone(),
                instance_type: instance_type.clone(),
                hour: Some(hour),
                count,
            };
            Ok((hour.to_string(), report))
        })))
    }
}

fn open(file: &Path) -> Result<Rows, CliError> {
    let columns = ["product_code", "buyer", "instance_type", "hour", "count"];
    let lines = CsvLines::open(origin(file), open_bytes(file)?, &columns)?;
    Ok(Box::new(lines.map(|line| {
        let line = line?;
        let hour = time::parse(line.cell("hour")).map_err(|problem| line.wrong(&problem))?;
        let count =
            line.cell("count").parse().map_err(|_| line.wrong("a count is a whole number, as in 3"))?;
        let report = InstanceHours {
            product_code: line.cell("product_code").to_owned(),
            buyer_account_id: line.cell("buyer").to_owned(),
            instance_type: line.cell("instance_type").to_owned(),
            hour: Some(hour),
            count,
        };
        Ok((line.number.to_string(), report))
    })))
}

/// Sends reports in requests of the largest size, one after the other.
async fn send(
    client: &SoukClient,
    sandbox: &str,
    region: &str,
    mut rows: Rows,
) -> Result<Outcomes, CliError> {
    let mut outcomes = Outcomes::default();
    let progress = Progress::new();
    loop {
        let chunk = rows.by_ref().take(REPORTS_MAX).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            return Ok(outcomes);
        }
        let (places, reports): (Vec<String>, Vec<InstanceHours>) = chunk.into_iter().unzip();
        let request =
            ReportInstanceHoursRequest { sandbox: sandbox.to_owned(), region: region.to_owned(), reports };
        let results = client.report_instance_hours(request).await?;
        outcomes.add_message(0);
        for (place, result) in places.iter().zip(&results) {
            outcomes.add_result(|| place.clone(), result);
        }
        progress.update(&format!("{} reports answered", outcomes.records()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, until: &str) -> Result<Vec<String>, String> {
        let report = Report {
            product_code: Some("code".to_owned()),
            buyer: Some("222222222222".to_owned()),
            instance_type: Some("m5.large".to_owned()),
            count: Some(3),
            hour: None,
            from: None,
            until: None,
            region: String::new(),
            file: None,
        };
        let seconds = |text| time::parse(text).unwrap().seconds;
        let rows = report.rows((seconds(from), seconds(until))).map_err(|error| error.to_string())?;
        Ok(rows.map(|row| row.unwrap().0).collect())
    }

    #[test]
    fn a_time_is_reported_hour_by_hour() {
        assert_eq!(
            hours("2026-03-01", "2026-03-01T02").unwrap(),
            ["2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"]
        );
        assert_eq!(
            hours("2026-03-01T05:30:00Z", "2026-03-01T06:00:01Z").unwrap(),
            ["2026-03-01T05:00:00Z", "2026-03-01T06:00:00Z"]
        );
        assert_eq!(hours("2026-03-01", "2026-04-01").unwrap().len(), 744);
        let backwards = hours("2026-03-01", "2026-03-01").unwrap_err();
        assert_eq!(backwards, "the hours must end after they begin, and within 100 years");
    }

    #[test]
    fn files_of_reports_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hours.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            open(&file).and_then(Iterator::collect::<Result<Vec<Row>, _>>)
        };
        let rows =
            read("product_code,buyer,instance_type,hour,count\ncode,2,m5.large,2026-03-01T05,3\n").unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].0.as_str(), rows[0].1.count), ("2", 3));

        let wrong = read("product_code,buyer,instance_type,hour,count\ncode,2,m5.large,2026-03-01T05,3.5\n");
        assert!(wrong.unwrap_err().to_string().ends_with("hours.csv:2: a count is a whole number, as in 3"));
    }
}
