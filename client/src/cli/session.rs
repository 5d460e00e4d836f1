//! What a command works with: the server, the sandbox, and where results go.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use souk_client::{Settings, SoukClient};

use super::error::CliError;
use super::output::{Format, View};

/// Where the server is when nobody says otherwise.
const ENDPOINT_DEFAULT: &str = "http://127.0.0.1:7625";

/// One run of the command.
pub struct Session<'a> {
    endpoint: Option<String>,
    /// The sandbox to work in.
    pub sandbox: String,
    deadline: Duration,
    format: Format,
    out: &'a mut dyn Write,
}

impl<'a> Session<'a> {
    /// Nothing is connected before a command asks for it.
    pub fn new(
        endpoint: Option<String>,
        sandbox: String,
        deadline: Duration,
        format: Format,
        out: &'a mut dyn Write,
    ) -> Self {
        Session { endpoint, sandbox, deadline, format, out }
    }

    /// Connects to the server.
    pub async fn connect(&self) -> Result<SoukClient, CliError> {
        self.connect_to(self.endpoint.as_deref().unwrap_or(ENDPOINT_DEFAULT)).await
    }

    /// Connects to a server elsewhere.
    pub async fn connect_to(&self, endpoint: &str) -> Result<SoukClient, CliError> {
        let settings = Settings { deadline: self.deadline, ..Settings::STANDARD };
        Ok(SoukClient::connect_with(endpoint, settings).await?)
    }

    /// Whether somebody said where the server is.
    pub fn endpoint_was_given(&self) -> bool {
        self.endpoint.is_some()
    }

    /// The form in which results are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes a result to stdout in the form that was asked for.
    pub fn show(&mut self, view: &View) -> Result<(), CliError> {
        view.write(self.format, self.out)
    }

    /// Writes bytes to stdout as they are.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.out.write_all(bytes).map_err(CliError::Output)
    }

    /// Says on stderr that something was done that has no result.
    pub fn note(&self, words: &str) {
        // Nothing can be done about a stderr that cannot be written to.
        let _ = writeln!(io::stderr(), "{words}");
    }

    /// Makes sure that everything has reached stdout.
    pub fn flush(&mut self) -> Result<(), CliError> {
        self.out.flush().map_err(CliError::Output)
    }
}

/// Reads a file, or stdin for `-`; answers its name for messages and its text.
pub fn read_text(path: &Path) -> Result<(String, String), CliError> {
    let origin = origin(path);
    let text = if is_stdin(path) { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    match text {
        Ok(text) => Ok((origin, text)),
        Err(source) => Err(CliError::Unreadable { path: origin, source }),
    }
}

/// Whether a path means stdin (or stdout).
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// How messages name an input.
pub fn origin(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}

/// A line on stderr that is written over while work goes on; nothing when stderr is no terminal.
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Begins a line.
    pub fn new() -> Self {
        Progress { shown: io::stderr().is_terminal() }
    }

    /// Replaces the line.
    pub fn update(&self, words: &str) {
        if self.shown {
            // Nothing can be done about a stderr that cannot be written to.
            let _ = write!(io::stderr(), "\r\x1b[K{words}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
