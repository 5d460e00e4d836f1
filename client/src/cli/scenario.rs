//! `souk scenario`: billing stories in files, which Souk proves.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;
use souk_client::SoukClient;

use super::error::CliError;
use super::output::Format;
use super::session::{Progress, Session};
use crate::scenario::outcome::{self, Ran, Verdict};
use crate::scenario::record;
use crate::scenario::run::{self, Options};
use crate::scenario::schema;
use crate::scenario::server::EmbeddedServer;

/// The example that `new` writes.
const NEW: &str = include_str!("../scenario/new.yaml");
/// Scenarios at once when nobody says otherwise: they wait for the server most of the time.
const JOBS_DEFAULT: usize = 8;

#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Runs scenarios, each in a sandbox of its own, and says which came out as they say.
    #[command(after_help = "Examples:
  souk scenario run story.yaml
  souk scenario run scenarios --jobs 4 --junit report.xml
  souk scenario run story.yaml --keep --endpoint http://127.0.0.1:7625

Without --endpoint (and $SOUK_ENDPOINT) a server is started for the run, and ended and removed after it.
The exit code is 1 when something came out otherwise, and 2 when a file is wrong.")]
    Run(Run),
    /// Writes an example to begin with: a scenario with comments, which comes out as it says.
    #[command(after_help = "Examples:
  souk scenario new
  souk scenario new story.yaml")]
    New {
        /// The file to write, which must not exist; stdout when absent.
        file: Option<PathBuf>,
    },
    /// Writes what happened in a sandbox as a scenario, with what came of it as expectations.
    #[command(after_help = "Examples:
  souk scenario record default
  souk scenario record spring-sale -o spring-sale.yaml

Usage is told by the records that stand, so the scenario lets it come in until its month closes. What was refused
is not told.")]
    Record {
        /// The sandbox.
        #[arg(value_name = "SANDBOX")]
        name: String,
        /// The file to write; stdout when absent.
        #[arg(short = 'o', long = "out", value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Prints the JSON Schema of scenarios, for editors that complete and check.
    #[command(after_help = "Example:
  souk scenario schema")]
    Schema,
}

#[derive(Debug, Args)]
pub struct Run {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// How many run at once.
    #[arg(long, value_name = "N", default_value_t = JOBS_DEFAULT)]
    jobs: usize,
    /// Keeps the sandboxes, and says their names; a server of --endpoint is needed to look at them.
    #[arg(long, requires = "endpoint", conflicts_with = "embedded")]
    keep: bool,
    /// Starts a server for the run, also when --endpoint or $SOUK_ENDPOINT names one.
    #[arg(long)]
    embedded: bool,
    /// The server's program; the one beside this program, or of $PATH, when absent.
    #[arg(long, value_name = "PATH")]
    soukd: Option<PathBuf>,
    /// Writes what came out as JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

impl ScenarioCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        match self {
            ScenarioCommand::Run(run) => run.run(session).await,
            ScenarioCommand::New { file: None } => session.write(NEW.as_bytes()),
            ScenarioCommand::New { file: Some(file) } => {
                write_new(&file, NEW)?;
                session.note(&format!("{} is written; run it with: souk scenario run {0}", file.display()));
                Ok(())
            }
            ScenarioCommand::Record { name, file } => {
                let text = record::record(&session.connect().await?, &name).await?;
                match file {
                    None => session.write(text.as_bytes()),
                    Some(file) => {
                        let path = file.display().to_string();
                        std::fs::write(&file, text).map_err(|source| CliError::Unwritable { path, source })
                    }
                }
            }
            ScenarioCommand::Schema => session.write(schema::published().as_bytes()),
        }
    }
}

/// Writes a file that must not exist: nobody's work is lost.
fn write_new(file: &Path, text: &str) -> Result<(), CliError> {
    let written = std::fs::File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| CliError::Unwritable { path: file.display().to_string(), source })
}

impl Run {
    async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let files = run::find(&self.paths)?;
        let embedded = self.embedded || !session.endpoint_was_given();
        tokio::select! {
            result = self.run_files(session, &files, embedded) => result,
            // The server that was started is ended, and its folder removed, on the way out.
            () = interrupted() => Err(CliError::Interrupted),
        }
    }

    async fn run_files(
        &self,
        session: &mut Session<'_>,
        files: &[PathBuf],
        embedded: bool,
    ) -> Result<(), CliError> {
        let (client, server): (SoukClient, Option<EmbeddedServer>) = if embedded {
            let server = EmbeddedServer::start(self.soukd.as_deref()).await?;
            (session.connect_to(&server.endpoint).await?, Some(server))
        } else {
            (session.connect().await?, None)
        };
        let progress = Progress::new();
        let table = session.format() == Format::Table;
        let mut told = |ran: &Ran, finished: usize| {
            if table {
                progress.update("");
                session.write(ran.to_text().as_bytes())?;
                session.flush()?;
            }
            progress.update(&format!("{finished} of {} scenarios", files.len()));
            Ok(())
        };
        let options = Options { jobs: self.jobs, keep: self.keep };
        let ran = run::run(&client, files, options, &mut told).await;
        drop(progress);
        if let Some(server) = server {
            server.stop().await;
        }
        let ran = ran?;
        if let Some(junit) = &self.junit {
            let path = junit.display().to_string();
            std::fs::write(junit, outcome::junit(&ran))
                .map_err(|source| CliError::Unwritable { path, source })?;
        }
        match session.format() {
            Format::Table => session.write(summary(&ran).as_bytes())?,
            Format::Json => {
                let values = Value::Array(ran.iter().map(Ran::to_json).collect());
                session.write(format!("{values:#}\n").as_bytes())?;
            }
            Format::Csv => session.write(&csv(&ran)?)?,
        }
        verdict(&ran)
    }
}

/// Waits until somebody wants the program to end: at the keyboard, or as CI does when its time is over.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn count(ran: &[Ran], word: &str) -> usize {
    ran.iter().filter(|ran| ran.word() == word).count()
}

fn summary(ran: &[Ran]) -> String {
    let [passed, failed, wrong] = ["passed", "failed", "wrong"].map(|word| count(ran, word));
    let checked: usize = ran.iter().map(|ran| ran.checked).sum();
    let mut words =
        format!("\n{passed} of {} scenarios came out as they say, {checked} values compared", ran.len());
    if failed > 0 {
        words.push_str(&format!("; {failed} failed"));
    }
    if wrong > 0 {
        words.push_str(&format!("; {wrong} could not be read"));
    }
    words + "\n"
}

fn csv(ran: &[Ran]) -> Result<Vec<u8>, CliError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let unwritten = |error: csv::Error| CliError::Output(std::io::Error::other(error));
    writer.write_record(["file", "scenario", "outcome", "checked", "problems"]).map_err(unwritten)?;
    for ran in ran {
        let problems = ran.problems();
        let row = [&*ran.file, &*ran.name, ran.word(), &*ran.checked.to_string(), problems.trim()];
        writer.write_record(row).map_err(unwritten)?;
    }
    writer.into_inner().map_err(|error| CliError::Output(std::io::Error::other(error.to_string())))
}

fn verdict(ran: &[Ran]) -> Result<(), CliError> {
    let wrong = ran.iter().filter(|ran| matches!(ran.verdict, Verdict::Wrong(_))).count();
    match (wrong, count(ran, "failed")) {
        (0, 0) => Ok(()),
        (0, failed) => Err(CliError::Unproved { failed, of: ran.len() }),
        (wrong, _) => Err(CliError::WrongScenarios { wrong, of: ran.len() }),
    }
}
