//! DuckDB on rows of the same shape, when `SOUK_BENCH_DUCKDB` names a Python that has it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// What DuckDB needs for a row.
pub struct Duckdb {
    /// Its version.
    pub version: String,
    /// Nanoseconds a row, by threads.
    pub nanos: Vec<(usize, f64)>,
}

/// Runs the script with these numbers of threads; none when no Python is named.
pub fn measure(threads: &[usize]) -> anyhow::Result<Option<Duckdb>> {
    let Ok(python) = std::env::var("SOUK_BENCH_DUCKDB") else { return Ok(None) };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("close/duckdb_close.py");
    let mut command = Command::new(python);
    command.arg(script).args(threads.iter().map(usize::to_string));
    let output = command.output().context("the Python of SOUK_BENCH_DUCKDB")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let version = lines.next().context("a version")?.to_owned();
    let measured = lines.map(|line| {
        let (threads, nanos) = line.split_once(' ').with_context(|| format!("two numbers in \"{line}\""))?;
        Ok((threads.parse()?, nanos.parse()?))
    });
    Ok(Some(Duckdb { version, nanos: measured.collect::<anyhow::Result<_>>()? }))
}
