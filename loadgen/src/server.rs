//! The server that is put under load: one that runs, or one that is started for the run, on a data folder of its
//! own that is removed in the end, and may be killed in the middle.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// For gRPC, as a URL.
    pub grpc: String,
    /// For AWS SDKs, as host and port.
    pub http: Option<String>,
}

/// A server that was started here; it is killed when this is dropped.
#[derive(Debug)]
pub struct Started {
    /// Where it listens.
    pub addresses: Addresses,
    program: Program,
    child: Child,
    /// Removed in the end; none when it was given.
    folder: Option<TempDir>,
}

/// A program that prints where it listens as one line of JSON.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    data: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    grpc: Option<String>,
    #[serde(default)]
    http: Option<String>,
}

impl Program {
    /// `soukd` on a data folder, with signatures verified as AWS does.
    #[must_use]
    pub fn soukd(path: &Path, data: &Path) -> Program {
        let fixed = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--signatures", "verify"];
        let mut arguments = vec!["serve".to_owned(), "--data".to_owned(), data.display().to_string()];
        arguments.extend(fixed.map(str::to_owned));
        Program { path: path.to_owned(), arguments, data: Some(data.to_owned()) }
    }

    /// Any other.
    #[must_use]
    pub fn of(path: &Path, arguments: &[&str]) -> Program {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Program { path: path.to_owned(), arguments, data: None }
    }

    async fn spawn(&self) -> anyhow::Result<(Child, Addresses)> {
        let path = self.path.display();
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("SOUK_DATA").env_remove("SOUK_GRPC").env_remove("SOUK_HTTP").kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("failed to start {path}"))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("{path} was started without pipes");
        };
        let mut lines = BufReader::new(stdout).lines();
        let Some(line) = lines.next_line().await.with_context(|| format!("failed to read from {path}"))?
        else {
            let mut said = String::new();
            let _ = BufReader::new(stderr).read_to_string(&mut said).await;
            bail!("{path} does not serve: {}", said.trim());
        };
        let said: Said = serde_json::from_str(&line)
            .with_context(|| format!("{path} does not say where it listens but {line:?}"))?;
        // A log that nobody reads would stop it when the pipe is full.
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr).lines();
            while let Ok(Some(_)) = stderr.next_line().await {}
        });
        let grpc = said.grpc.map(|address| format!("http://{address}")).unwrap_or_default();
        Ok((child, Addresses { grpc, http: said.http }))
    }
}

impl Started {
    /// Starts `soukd` on a new data folder.
    ///
    /// # Errors
    /// When it does not serve.
    pub async fn soukd(path: &Path) -> anyhow::Result<Started> {
        let folder = tempfile::Builder::new().prefix("souk-load-").tempdir();
        let folder = folder.context("failed to make a data folder")?;
        let program = Program::soukd(path, &folder.path().join("data"));
        let mut started = Started::program(program).await?;
        started.folder = Some(folder);
        Ok(started)
    }

    /// Starts any program.
    ///
    /// # Errors
    /// When it does not serve.
    pub async fn program(program: Program) -> anyhow::Result<Started> {
        let (child, addresses) = program.spawn().await?;
        Ok(Started { addresses, program, child, folder: None })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> Option<&Path> {
        self.program.data.as_deref()
    }

    /// Kills it as a power cut would, and starts it again on the same data. It may listen elsewhere then.
    ///
    /// # Errors
    /// When it does not serve any more.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("failed to kill the server")?;
        let (child, addresses) = self.program.spawn().await.context("failed to start the server again")?;
        (self.child, self.addresses) = (child, addresses);
        Ok(())
    }

    /// Kills it, and removes its data.
    ///
    /// # Errors
    /// When the data cannot be removed.
    pub async fn remove(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("failed to stop the server")?;
        match self.folder.take() {
            Some(folder) => folder.close().context("failed to remove the data folder"),
            None => Ok(()),
        }
    }
}

/// `soukd` beside this program.
///
/// # Errors
/// When it is not there.
pub fn beside() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("failed to find this program")?;
    let name = format!("soukd{}", std::env::consts::EXE_SUFFIX);
    // Tests run in a folder below that of the binaries.
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no {name} beside {}: name one with --server, or one that runs with --endpoint",
            own.display()
        )
    })
}

/// How many bytes of logs a data folder holds: what snapshots and archives repeat of them does not count, nor does what
/// of a segment was written ahead and holds zeros.
///
/// # Errors
/// When the folder cannot be read.
pub fn bytes_of(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // A file may be gone by now.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() {
            bytes_of(&path)?
        } else if name.contains(".snapshot") || name.starts_with("archive-") {
            0
        } else if name.ends_with(".segment") {
            written_bytes(&path, metadata.len()).unwrap_or(0)
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

/// The bytes of a file up to the last one that is not zero.
fn written_bytes(path: &Path, mut end: u64) -> std::io::Result<u64> {
    let file = fs::File::open(path)?;
    let mut chunk = vec![0; 256 * 1024];
    while 0 < end {
        let from = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..(end - from) as usize];
        file.read_exact_at(part, from)?;
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            return Ok(from + last as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program in the shell, in place of a server.
    fn shell(script: &str) -> Program {
        Program::of(Path::new("/bin/sh"), &["-c", script])
    }

    #[tokio::test]
    async fn a_program_says_where_it_listens_and_can_be_killed_and_started_again() {
        let script = r#"echo '{"grpc":"127.0.0.1:7","http":"127.0.0.1:8"}'; exec sleep 600"#;
        let mut started = Started::program(shell(script)).await.unwrap();
        let first = started.pid().unwrap();
        assert_eq!(started.addresses.grpc, "http://127.0.0.1:7");
        assert_eq!(started.addresses.http.as_deref(), Some("127.0.0.1:8"));
        started.restart().await.unwrap();
        assert_ne!(started.pid().unwrap(), first);
        started.remove().await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_does_not_serve_says_why() {
        let error = Started::program(shell("echo 'the port is taken' >&2; exit 1")).await.unwrap_err();
        assert_eq!(error.to_string(), "/bin/sh does not serve: the port is taken");
        let error = Started::program(shell("echo hello")).await.unwrap_err();
        assert_eq!(error.to_string(), r#"/bin/sh does not say where it listens but "hello""#);
        let error = Started::program(Program::of(Path::new("/no/such/program"), &[])).await.unwrap_err();
        assert_eq!(error.to_string(), "failed to start /no/such/program");
    }

    #[test]
    fn bytes_are_those_of_all_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), [0; 100]).unwrap();
        fs::write(folder.path().join("c"), [0; 23]).unwrap();
        assert_eq!(bytes_of(folder.path()).unwrap(), 123);
    }

    #[test]
    fn only_what_is_written_of_logs_counts() {
        let folder = tempfile::tempdir().unwrap();
        let usage = folder.path().join("usage");
        fs::create_dir(&usage).unwrap();
        let mut ahead = vec![0; 700_000];
        fs::write(usage.join("00000002.segment"), &ahead).unwrap();
        ahead[300_000] = 1;
        fs::write(usage.join("00000001.segment"), &ahead).unwrap();
        for name in ["partition-0.snapshot", "archive-0.sqlite", "archive-0.sqlite-wal", "control.sqlite"] {
            fs::write(folder.path().join(name), b"12345").unwrap();
        }
        assert_eq!(bytes_of(folder.path()).unwrap(), 300_001 + 5);
    }
}
