//! `souk inferences`: calls of models that are billed by their inferences.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prost_types::Timestamp;
use souk_client::{INFERENCES_MAX, SoukClient};
use souk_proto::metering::v1::{Inference, MeterInferencesRequest};

use super::error::CliError;
use super::meter::now;
use super::outcomes::Outcomes;
use super::records::{CsvLines, open_bytes};
use super::session::{Progress, Session, origin};
use super::time;

#[derive(Debug, Subcommand)]
pub enum InferencesCommand {
    /// Reports calls of a model: those that succeeded are billed by the units that they consumed.
    #[command(after_help = "Examples:
  souk inferences report modelcode --buyer 222222222222 --dimension calls --id call-1 --status 200 --units 3
  souk inferences report --file calls.csv

A CSV file has a header with the columns product_code, buyer, dimension, id, time, status and units; without units a
call consumed one:
  product_code,buyer,dimension,id,time,status,units
  modelcode,222222222222,calls,call-1,2026-03-01T10:00:05Z,200,3
  modelcode,222222222222,calls,call-2,2026-03-01T10:00:06Z,503,
Calls may be sent again: a call counts once.
The exit code is 1 when a call was not taken.")]
    Report(Report),
}

#[derive(Debug, Args)]
pub struct Report {
    /// The product's code.
    #[arg(required_unless_present = "file")]
    product_code: Option<String>,
    /// The account that called.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "file", conflicts_with = "file")]
    buyer: Option<String>,
    /// The dimension's key.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    dimension: Option<String>,
    /// What the call is called.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    id: Option<String>,
    /// Its HTTP status.
    #[arg(long, value_name = "CODE", required_unless_present = "file", conflicts_with = "file")]
    status: Option<u32>,
    /// Its ConsumedUnits header; one unit when absent.
    #[arg(long, value_name = "N", conflicts_with = "file")]
    units: Option<u64>,
    /// When; the sandbox's time when absent.
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "file")]
    time: Option<Timestamp>,
    /// Where the endpoint is; us-east-1 when absent.
    #[arg(long, default_value = "", hide_default_value = true)]
    region: String,
    /// A file of calls; `-` reads stdin.
    #[arg(long, conflicts_with = "product_code")]
    file: Option<PathBuf>,
}

impl InferencesCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let InferencesCommand::Report(report) = self;
        let region = report.region.clone();
        let (place, rows, client) = match &report.file {
            Some(file) => ("line", open(file)?, session.connect().await?),
            None => {
                let client = session.connect().await?;
                let at = match report.time {
                    Some(time) => time,
                    None => now(&client, &session.sandbox).await?,
                };
                ("call", report.rows(at), client)
            }
        };
        let outcomes = send(&client, &session.sandbox, &region, rows).await?;
        session.show(&outcomes.view(place))?;
        outcomes.verdict()
    }
}

/// Whose calls of what: a request is of one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    product_code: String,
    buyer: String,
    dimension: String,
}

/// What messages call a call, whose it is, and the call.
type Row = (String, Endpoint, Inference);
type Rows = Box<dyn Iterator<Item = Result<Row, CliError>>>;

impl Report {
    fn rows(self, at: Timestamp) -> Rows {
        let endpoint = Endpoint {
            product_code: self.product_code.unwrap_or_default(),
            buyer: self.buyer.unwrap_or_default(),
            dimension: self.dimension.unwrap_or_default(),
        };
        let call = Inference {
            inference_id: self.id.unwrap_or_default(),
            call_time: Some(at),
            status_code: self.status.unwrap_or_default(),
            consumed_units: self.units,
        };
        Box::new(std::iter::once(Ok((call.inference_id.clone(), endpoint, call))))
    }
}

fn open(file: &Path) -> Result<Rows, CliError> {
    let columns = ["product_code", "buyer", "dimension", "id", "time", "status", "units"];
    let lines = CsvLines::open(origin(file), open_bytes(file)?, &columns)?;
    Ok(Box::new(lines.map(|line| {
        let line = line?;
        let whole = |column, example: &str| {
            let problem = format!("{column} is a whole number, as in {example}");
            line.cell(column).parse::<u64>().map_err(|_| line.wrong(&problem))
        };
        let status = whole("status", "200")?;
        let call = Inference {
            inference_id: line.cell("id").to_owned(),
            call_time: Some(time::parse(line.cell("time")).map_err(|problem| line.wrong(&problem))?),
            status_code: u32::try_from(status).map_err(|_| line.wrong("status is a number, as in 200"))?,
            consumed_units: match line.cell("units") {
                "" => None,
                _ => Some(whole("units", "3")?),
            },
        };
        let endpoint = Endpoint {
            product_code: line.cell("product_code").to_owned(),
            buyer: line.cell("buyer").to_owned(),
            dimension: line.cell("dimension").to_owned(),
        };
        Ok((line.number.to_string(), endpoint, call))
    })))
}

/// Sends calls in requests of the largest size, one after the other.
async fn send(client: &SoukClient, sandbox: &str, region: &str, rows: Rows) -> Result<Outcomes, CliError> {
    let mut outcomes = Outcomes::default();
    let progress = Progress::new();
    let mut rows = rows.peekable();
    while let Some(first) = rows.next() {
        let (place, endpoint, call) = first?;
        let (mut places, mut inferences) = (vec![place], vec![call]);
        while inferences.len() < INFERENCES_MAX
            && let Some(Ok((place, _, call))) =
                rows.next_if(|row| row.as_ref().is_ok_and(|(_, other, _)| *other == endpoint))
        {
            places.push(place);
            inferences.push(call);
        }
        let Endpoint { product_code, buyer, dimension } = endpoint;
        let request = MeterInferencesRequest {
            sandbox: sandbox.to_owned(),
            product_code,
            region: region.to_owned(),
            buyer_account_id: buyer,
            dimension,
            inferences,
        };
        let results = client.meter_inferences(request).await?;
        outcomes.add_message(0);
        for (place, result) in places.iter().zip(&results) {
            outcomes.add_result(|| place.clone(), result);
        }
        progress.update(&format!("{} calls answered", outcomes.records()));
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_calls_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.csv");
        let read = |lines: &str| {
            let header = "product_code,buyer,dimension,id,time,status,units";
            std::fs::write(&file, format!("{header}\n{lines}\n")).unwrap();
            open(&file).and_then(Iterator::collect::<Result<Vec<Row>, _>>)
        };
        let rows = read("code,2,calls,one,2026-03-01,200,3\ncode,2,calls,two,2026-03-01,503,").unwrap();
        let calls: Vec<_> = rows.iter().map(|(_, _, call)| (call.status_code, call.consumed_units)).collect();
        assert_eq!(calls, [(200, Some(3)), (503, None)]);
        for (line, expected) in [
            ("code,2,calls,one,2026-03-01,ok,3", "status is a whole number, as in 200"),
            ("code,2,calls,one,2026-03-01,200,many", "units is a whole number, as in 3"),
            ("code,2,calls,one,soon,200,3", "a time looks like"),
        ] {
            let wrong = read(line).unwrap_err().to_string();
            assert!(wrong.contains(expected), "{wrong}");
        }
    }
}
