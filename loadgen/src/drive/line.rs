//! The line to the server: where it listens now. A server that was killed and started again listens elsewhere, and
//! whoever lost it waits here for the new line.

use anyhow::{Context, bail};
use souk_client::{RetryPolicy, Settings, SoukClient};
use tokio::sync::watch;

use crate::server::Addresses;

/// For a document, a month's close, and reading invoices. Large plans need their time.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(600);

/// A line to the server.
#[derive(Debug, Clone)]
pub struct Line {
    /// Grows with every start of the server.
    pub generation: u64,
    /// Where it listens.
    pub addresses: Addresses,
    /// For everything that is not load.
    pub client: SoukClient,
}

impl Line {
    /// The line to a server; it is made with the first call.
    ///
    /// # Errors
    /// When the address is none.
    pub fn to(addresses: Addresses, generation: u64) -> anyhow::Result<Line> {
        let retry = if generation == 0 { RetryPolicy::STANDARD } else { RetryPolicy::NEVER };
        let settings = Settings { deadline: DEADLINE, retry, ..Settings::STANDARD };
        let client = SoukClient::connect_lazily(&addresses.grpc, settings)?;
        Ok(Line { generation, addresses, client })
    }
}

/// Everybody's view of the line.
#[derive(Debug, Clone)]
pub struct Lines {
    line: watch::Receiver<Line>,
    /// Whether the server is killed and started again during the run.
    pub may_break: bool,
}

impl Lines {
    /// A view of this line.
    #[must_use]
    pub fn new(line: watch::Receiver<Line>, may_break: bool) -> Lines {
        Lines { line, may_break }
    }

    /// The line now.
    #[must_use]
    pub fn now(&self) -> Line {
        self.line.borrow().clone()
    }

    /// The line after the one of this generation, which broke.
    ///
    /// # Errors
    /// When the server is not started again: then the break is a failure, for this reason.
    pub async fn after(&self, broken: u64, why: &str) -> anyhow::Result<Line> {
        if !self.may_break {
            bail!("the connection to the server broke: {why}");
        }
        let mut line = self.line.clone();
        let next = line.wait_for(|line| broken < line.generation).await;
        Ok(next.with_context(|| format!("the connection broke and the server is gone: {why}"))?.clone())
    }
}
