//! The server's command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::folder::UsageLog;
use crate::partition::snapshot::Limits;

/// Souk: a simulated AWS Marketplace for metering and billing.
#[derive(Debug, Parser)]
#[command(
    name = "soukd",
    version,
    about,
    after_help = "Examples:
  soukd serve --data souk-data            serve on 127.0.0.1:7625, keep everything in souk-data
  soukd demo --out souk-demo              bill a year of real usage and write its invoices and reports
  soukd schema > sandbox.schema.json      the JSON Schema of sandbox documents"
)]
pub struct Cli {
    /// How the log on stderr is written; what is logged is set by RUST_LOG.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the server does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve marketplaces from a data folder until told to stop (SIGINT or SIGTERM).
    Serve(ServeArguments),
    /// Run a marketplace through the year 2013 with real usage, and write its bills.
    Demo(DemoArguments),
    /// Print the JSON Schema of sandbox documents.
    Schema,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "One line of JSON on stdout and the file endpoints.json in the data folder say where it
listens: {\"grpc\": \"host:port\", \"http\": \"host:port\"}.

Examples:
  soukd serve --data souk-data
  soukd serve --data souk-data --grpc 127.0.0.1:0      any free port; read it from stdout
  soukd serve --data souk-data --http 127.0.0.1:7626   AWS SDKs: AWS_ENDPOINT_URL=http://127.0.0.1:7626
  soukd serve --data souk-data --sandbox market.yaml   makes the sandbox `default` if it does not exist"
)]
pub struct ServeArguments {
    /// The folder that keeps everything; made when it does not exist.
    #[arg(long, env = "SOUK_DATA", default_value = "souk-data")]
    pub data: PathBuf,
    /// Where to listen for gRPC; port 0 takes any free port.
    #[arg(long, env = "SOUK_GRPC", default_value = "127.0.0.1:7625")]
    pub grpc: SocketAddr,
    /// Where to listen for AWS SDKs over HTTP; not at all when absent. Port 0 takes any free port.
    #[arg(long, env = "SOUK_HTTP")]
    pub http: Option<SocketAddr>,
    /// How signatures of AWS requests are treated; `identify` on loopback and `verify` elsewhere when absent.
    #[arg(long, value_enum)]
    pub signatures: Option<Signatures>,
    /// Where partitions of a new data folder log usage; a folder keeps what it was made with.
    #[arg(long, value_enum, default_value_t)]
    pub usage_log: UsageLog,
    /// Usage records of a partition after which it takes a snapshot, at least.
    #[arg(long, env = "SOUK_SNAPSHOT_ROWS", default_value_t = Limits::default().snapshot_rows)]
    pub snapshot_rows: u64,
    /// Bytes of a closed month in a partition from which it leaves memory for the archive.
    #[arg(long, env = "SOUK_ARCHIVE_BYTES", default_value_t = Limits::default().archive_bytes)]
    pub archive_bytes: usize,
    /// A sandbox document for the sandbox `default`; used only when that does not exist.
    #[arg(long)]
    pub sandbox: Option<PathBuf>,
}

/// What is asked of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signatures {
    /// They must hold, with a key of the sandbox document.
    Verify,
    /// Any is accepted; its access key says who calls.
    Identify,
    /// None is needed.
    Off,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  soukd demo --out souk-demo")]
pub struct DemoArguments {
    /// The folder to write to; made when it does not exist, and its former demo replaced.
    #[arg(long, default_value = "souk-demo")]
    pub out: PathBuf,
}
