//! A server for one run: `soukd` on any free port and a folder of its own, ended and removed afterwards.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cli::error::CliError;

/// A server process. It is killed, and its folder removed, when this is dropped.
#[derive(Debug)]
pub struct EmbeddedServer {
    /// Where it listens.
    pub endpoint: String,
    process: Child,
    folder: TempDir,
}

impl EmbeddedServer {
    /// Starts the server, and waits until it says where it listens.
    pub async fn start(program: Option<&Path>) -> Result<EmbeddedServer, CliError> {
        let program = program.map_or_else(beside_this_program, Path::to_path_buf);
        let cannot =
            |problem: String| CliError::Server(format!("{} cannot be started: {problem}", program.display()));
        let folder = tempfile::Builder::new().prefix("souk-scenario-").tempdir();
        let folder = folder.map_err(|error| cannot(error.to_string()))?;
        let mut command = Command::new(&program);
        command.arg("serve").arg("--data").arg(folder.path()).args(["--grpc", "127.0.0.1:0"]);
        for variable in ["SOUK_DATA", "SOUK_GRPC", "SOUK_HTTP"] {
            command.env_remove(variable);
        }
        command.env("RUST_LOG", "error").stdin(Stdio::null()).stdout(Stdio::piped());
        let started = command.kill_on_drop(true).spawn();
        let mut process = started.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => cannot("there is no such program; name it with --soukd".to_owned()),
            _ => cannot(error.to_string()),
        })?;
        let said = match process.stdout.take() {
            Some(stdout) => BufReader::new(stdout).lines().next_line().await.ok().flatten(),
            None => None,
        };
        let address = said.as_deref().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let Some(address) = address.as_ref().and_then(|line| line["grpc"].as_str()) else {
            return Err(cannot("it does not say where it listens".to_owned()));
        };
        let endpoint = format!("http://{address}");
        Ok(EmbeddedServer { endpoint, process, folder })
    }

    /// Ends the server, and removes its folder when nobody writes to it any more.
    pub async fn stop(mut self) {
        // What cannot be ended or removed is left to the system, like everything in its temporary folder.
        let _ = self.process.kill().await;
        let _ = self.folder.close();
    }
}

/// `soukd` beside this program; else whichever $PATH has.
fn beside_this_program() -> PathBuf {
    let name = format!("soukd{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join(&name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
}
