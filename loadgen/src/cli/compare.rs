//! `souk-load compare`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use souk_loadgen::report::{Report, compare};

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  souk-load run --json before.json; souk-load run --json after.json
  souk-load compare before.json after.json --html compared.html")]
pub struct CompareArguments {
    /// The first run, as --json wrote it.
    pub first: PathBuf,
    /// The second run.
    pub second: PathBuf,
    /// Write a page with both, too.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Reads two runs and shows them.
pub fn execute(arguments: &CompareArguments) -> anyhow::Result<()> {
    let (first, second) = (read(&arguments.first)?, read(&arguments.second)?);
    let names = [arguments.first.display().to_string(), arguments.second.display().to_string()];
    let names = [names[0].as_str(), names[1].as_str()];
    if let Some(file) = &arguments.html {
        fs::write(file, compare::html(names, &first, &second))
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    write!(io::stdout().lock(), "{}", compare::text(names, &first, &second))
        .context("failed to write to stdout")
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no run that souk-load run --json wrote", file.display()))
}
