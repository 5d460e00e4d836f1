//! `souk runs`: from when until when pods, tasks and instances ran that are billed by the second or minute.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prost_types::Timestamp;
use souk_client::{RUNS_MAX, SoukClient};
use souk_proto::metering::v1::{MeterRunsRequest, Run};

use super::error::CliError;
use super::outcomes::Outcomes;
use super::records::{CsvLines, open_bytes};
use super::session::{Progress, Session, origin};
use super::time;

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Reports from when until when something ran: a pod or task of a container, an instance of a model.
    #[command(after_help = "Examples:
  souk runs report podcode --buyer 222222222222 --dimension pods --resource pod-1
      --from 2026-03-01T10:00:05Z --until 2026-03-01T10:20:35Z
  souk runs report --file runs.csv

A CSV file has a header with the columns product_code, buyer, dimension, resource, from and until:
  product_code,buyer,dimension,resource,from,until
  podcode,222222222222,pods,pod-1,2026-03-01T10:00:05Z,2026-03-01T10:20:35Z
Runs may be sent again: the same run counts once. One that overlaps another run of its resource is a duplicate.
The exit code is 1 when a run was not metered.")]
    Report(Report),
}

#[derive(Debug, Args)]
pub struct Report {
    /// The product's code.
    #[arg(required_unless_present = "file")]
    product_code: Option<String>,
    /// The account that ran it.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "file", conflicts_with = "file")]
    buyer: Option<String>,
    /// The dimension's key.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    dimension: Option<String>,
    /// The pod, task or instance.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    resource: Option<String>,
    /// Its first moment.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = time::parse,
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    from: Option<Timestamp>,
    /// Its end; not part of it.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = time::parse,
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    until: Option<Timestamp>,
    /// Where it ran; us-east-1 when absent.
    #[arg(long, default_value = "", hide_default_value = true)]
    region: String,
    /// A file of runs; `-` reads stdin.
    #[arg(long, conflicts_with = "product_code")]
    file: Option<PathBuf>,
}

impl RunsCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let RunsCommand::Report(report) = self;
        let region = report.region.clone();
        let (place, rows) = match &report.file {
            Some(file) => ("line", open(file)?),
            None => ("resource", report.rows()),
        };
        let client = session.connect().await?;
        let outcomes = send(&client, &session.sandbox, &region, rows).await?;
        session.show(&outcomes.view(place))?;
        outcomes.verdict()
    }
}

/// What messages call a run, its product, and the run.
type Row = (String, String, Run);
type Rows = Box<dyn Iterator<Item = Result<Row, CliError>>>;

impl Report {
    fn rows(self) -> Rows {
        let run = Run {
            buyer_account_id: self.buyer.unwrap_or_default(),
            dimension: self.dimension.unwrap_or_default(),
            resource: self.resource.unwrap_or_default(),
            start_time: self.from,
            end_time: self.until,
        };
        Box::new(std::iter::once(Ok((run.resource.clone(), self.product_code.unwrap_or_default(), run))))
    }
}

fn open(file: &Path) -> Result<Rows, CliError> {
    let columns = ["product_code", "buyer", "dimension", "resource", "from", "until"];
    let lines = CsvLines::open(origin(file), open_bytes(file)?, &columns)?;
    Ok(Box::new(lines.map(|line| {
        let line = line?;
        let at = |column| time::parse(line.cell(column)).map_err(|problem| line.wrong(&problem));
        let run = Run {
            buyer_account_id: line.cell("buyer").to_owned(),
            dimension: line.cell("dimension").to_owned(),
            resource: line.cell("resource").to_owned(),
            start_time: Some(at("from")?),
            end_time: Some(at("until")?),
        };
        Ok((line.number.to_string(), line.cell("product_code").to_owned(), run))
    })))
}

/// Sends runs in requests of the largest size, one after the other; a request is of one product.
async fn send(client: &SoukClient, sandbox: &str, region: &str, rows: Rows) -> Result<Outcomes, CliError> {
    let mut outcomes = Outcomes::default();
    let progress = Progress::new();
    let mut rows = rows.peekable();
    while let Some(first) = rows.next() {
        let (place, product_code, run) = first?;
        let (mut places, mut runs) = (vec![place], vec![run]);
        while runs.len() < RUNS_MAX
            && let Some(Ok((place, _, run))) =
                rows.next_if(|row| row.as_ref().is_ok_and(|(_, code, _)| *code == product_code))
        {
            places.push(place);
            runs.push(run);
        }
        let (sandbox, region) = (sandbox.to_owned(), region.to_owned());
        let results = client.meter_runs(MeterRunsRequest { sandbox, product_code, region, runs }).await?;
        outcomes.add_message(0);
        for (place, result) in places.iter().zip(&results) {
            outcomes.add_result(|| place.clone(), result);
        }
        progress.update(&format!("{} runs answered", outcomes.records()));
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_runs_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.csv");
        let read = |line: &str| {
            let header = "product_code,buyer,dimension,resource,from,until";
            std::fs::write(&file, format!("{header}\n{line}\n")).unwrap();
            open(&file).and_then(Iterator::collect::<Result<Vec<Row>, _>>)
        };
        let rows = read("code,2,pods,pod-1,2026-03-01T10:00:05Z,2026-03-01T10:20:35Z").unwrap();
        let [(place, code, run)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((place.as_str(), code.as_str(), run.resource.as_str()), ("2", "code", "pod-1"));
        let seconds = [run.start_time, run.end_time].map(|time| time.unwrap().seconds);
        assert_eq!(seconds[1] - seconds[0], 1_230);
        let wrong = read("code,2,pods,pod-1,2026-03-01T10:00:05Z,soon").unwrap_err().to_string();
        assert!(wrong.contains("runs.csv:2: a time looks like"), "{wrong}");
    }
}
