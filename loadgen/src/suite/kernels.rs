//! What is measured in process: the log writer, applying, closing, restarting. This crate knows the server only from
//! outside, so another program measures these, and prints rows of the same form: `souk-kernels`, of the benches.

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::{Row, Rows, Suite, Target};

/// The rows that the program prints; one row that says why when it does not.
pub async fn measure(suite: &Suite) -> Vec<Row> {
    match ask(suite).await {
        Ok(rows) => rows,
        Err(error) => vec![Row::missing("kernels in process", Target::Shown, &format!("{error:#}"))],
    }
}

async fn ask(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let program =
        suite.kernels.as_ref().context("souk-kernels is not beside souk-load: name it with --kernels")?;
    let output = Command::new(program).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("failed to start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {}", program.display(), said.trim());
    let rows: Rows = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} does not print rows", program.display()))?;
    Ok(rows.rows)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn suite(kernels: Option<&str>) -> Suite {
        Suite {
            soukd: PathBuf::new(),
            own: PathBuf::new(),
            kernels: kernels.map(PathBuf::from),
            baselines: None,
            rounds: 1,
            seconds: 1.0,
            only: None,
        }
    }

    #[tokio::test]
    async fn rows_are_what_the_program_prints_or_one_that_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("kernels");
        let script = "#!/bin/sh\necho '{\"rows\":[{\"name\":\"log\",\"value\":2,\"baseline\":4,\"ratio\":0.5,\"target\":\"\",\"met\":null}]}'\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let rows = measure(&suite(program.to_str())).await;
        assert_eq!((rows.len(), rows[0].name.as_str(), rows[0].ratio), (1, "log", Some(0.5)));

        for kernels in [None, Some("/no/such/program"), Some("/bin/false"), Some("/bin/true")] {
            let rows = measure(&suite(kernels)).await;
            assert!(rows[0].note.starts_with("not measured: "), "{rows:?}");
        }
    }
}
