//! The real binaries as processes: built when they are absent or older than their sources. `soukd` is started on any
//! free port, and killed without a warning.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use souk_client::SoukClient;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::served::patient_client;

/// A server process; it is killed when this is dropped.
pub struct Soukd {
    /// A client that never repeats a call.
    pub client: SoukClient,
    child: Child,
}

impl Soukd {
    /// Starts on a data folder, and waits until it says where it listens.
    pub async fn start(folder: &Path) -> Soukd {
        let mut child = spawn(folder);
        let stdout = child.stdout.take().expect("a pipe");
        let line = BufReader::new(stdout).lines().next_line().await.expect("a readable pipe");
        let Some(line) = line else {
            let ended = child.wait_with_output().await.expect("a process that ended");
            panic!("it does not serve: {}", String::from_utf8_lossy(&ended.stderr));
        };
        let said: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        let address = said["grpc"].as_str().unwrap_or_else(|| panic!("no address in {line}"));
        let file = std::fs::read_to_string(folder.join("endpoints.json")).expect("the same line in a file");
        assert_eq!(file.trim_end(), line);
        Soukd { client: patient_client(&format!("http://{address}")).await, child }
    }

    /// Tells it to stop, and waits until it has ended in order.
    pub async fn stop(mut self) {
        let id = self.child.id().expect("a process that runs").to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be started");
        assert!(told.success());
        let ended = self.child.wait().await.expect("a process that ends");
        assert!(ended.success(), "{ended}");
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a process to kill");
    }
}

/// Starts a server, to be killed at any time.
pub fn spawn(folder: &Path) -> Child {
    let mut command = tokio::process::Command::from(command(folder));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().expect("soukd can be started")
}

/// Starts a server that must refuse to start; answers what it said on stderr.
pub fn refusal(folder: &Path) -> String {
    let Output { status, stdout, stderr } = command(folder).output().expect("soukd can be started");
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{stdout:?}");
    String::from_utf8(stderr).expect("UTF-8")
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.arg("serve").arg("--data").arg(folder).args(["--grpc", "127.0.0.1:0"]);
    command.env("RUST_LOG", "off").env_remove("SOUK_DATA").env_remove("SOUK_GRPC");
    // Snapshots and the archive are at work in every test that kills it.
    command.env("SOUK_SNAPSHOT_ROWS", "50").env("SOUK_ARCHIVE_BYTES", "0");
    command
}

/// Where `soukd` is.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("soukd", "server"))
}

/// Where `souk` is.
pub fn souk() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("souk", "client"))
}

/// A binary of a crate, in the folder of that name: two folders above the test's own executable, where cargo puts
/// binaries.
fn built(name: &str, folder: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's path");
    let profile = test.parent().and_then(Path::parent).expect("target, a profile, deps, the test");
    let binary = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let modified = std::fs::metadata(&binary).and_then(|file| file.modified()).ok();
    let sources = ["Cargo.toml", "Cargo.lock", "proto", folder].map(|name| newest(&workspace.join(name)));
    if modified < sources.into_iter().max().flatten() {
        build(workspace, profile, name, folder);
    }
    binary
}

fn build(workspace: &Path, profile: &Path, name: &str, folder: &str) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let package = format!("souk-{folder}");
    command.current_dir(workspace).args(["build", "-q", "-p", &package, "--bin", name]);
    // Cargo's folder of the development profile has a name of its own.
    if let Some(name) = profile.file_name().filter(|name| *name != "debug") {
        command.arg("--profile").arg(name);
    }
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    assert!(command.status().expect("cargo can be started").success(), "{name} cannot be built");
}

/// When a file, or any file below a folder, was changed last.
fn newest(path: &Path) -> Option<SystemTime> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_dir() {
        return metadata.modified().ok();
    }
    let entries = std::fs::read_dir(path).ok()?.flatten();
    entries.filter_map(|entry| newest(&entry.path())).max()
}
