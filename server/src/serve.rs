//! `soukd serve`: opens the data folder, listens, says where, and stops in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use souk_core::ids::SandboxName;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::app::Souk;
use crate::aws;
use crate::aws::endpoint::Endpoint;
use crate::aws::sigv4::Mode;
use crate::cli::{ServeArguments, Signatures};
use crate::clock::SystemClock;
use crate::compose::{self, Running};
use crate::document;
use crate::folder;
use crate::grpc::convert::sandbox::from_proto_document;
use crate::grpc::server;
use crate::partition::snapshot::Limits;

/// How often what is due by the machine's clock is looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long requests under way may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// The file in the data folder that says where the server listens.
pub const ENDPOINTS: &str = "endpoints.json";

/// Serves until it is told to stop.
pub fn run(arguments: &ServeArguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    let folder = arguments.data.clone();
    let limits = Limits { snapshot_rows: arguments.snapshot_rows, archive_bytes: arguments.archive_bytes };
    let usage_log = arguments.usage_log;
    let opened = tokio::task::spawn_blocking(move || {
        compose::start_with_limits(&folder, usage_log, limits, Arc::new(SystemClock))
    });
    let running = opened.await??;
    if let Some(file) = &arguments.sandbox {
        make_default(&running.souk, file).await?;
    }
    let grpc = listen(arguments.grpc, "--grpc").await?;
    let mut endpoints = serde_json::json!({ "grpc": grpc.local_addr()?.to_string() });
    let mut doors = Doors::from(grpc);
    if let Some(address) = arguments.http {
        let listener = listen(address, "--http").await?;
        endpoints["http"] = listener.local_addr()?.to_string().into();
        doors.http = Some((listener, signature_mode(arguments.signatures, address)));
    }
    let endpoints = endpoints.to_string();
    folder::write_whole(&arguments.data.join(ENDPOINTS), &format!("{endpoints}\n"))
        .context("cannot write endpoints.json into the data folder")?;
    println!("{endpoints}");
    info!(data = %arguments.data.display(), endpoints, "serving");
    serve_until(running, doors, stop_signal()).await
}

async fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}: choose another address with {flag}"))
}

/// Beyond this machine, a signature must hold unless somebody says otherwise.
fn signature_mode(chosen: Option<Signatures>, address: SocketAddr) -> Mode {
    match chosen {
        Some(Signatures::Verify) => Mode::Verify,
        Some(Signatures::Identify) => Mode::Identify,
        Some(Signatures::Off) => Mode::Off,
        None if address.ip().is_loopback() => Mode::Identify,
        None => Mode::Verify,
    }
}

/// Where a marketplace is reached.
pub struct Doors {
    /// By gRPC.
    pub grpc: TcpListener,
    /// By AWS SDKs over HTTP, and what is asked of their signatures.
    pub http: Option<(TcpListener, Mode)>,
}

impl From<TcpListener> for Doors {
    fn from(grpc: TcpListener) -> Doors {
        Doors { grpc, http: None }
    }
}

/// Serves a running marketplace until `stop`. Requests under way are answered first, for as long as [`GRACE`];
/// a stream that its client leaves open does not keep the server alive.
pub async fn serve_until(
    running: Running,
    doors: impl Into<Doors>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let Doors { grpc, http } = doors.into();
    let (stopping, stopped) = oneshot::channel();
    let (stop_http, http_stopped) = oneshot::channel();
    let ticking = tokio::spawn(tick(running.souk.clone()));
    let aws = http.map(|(listener, mode)| {
        let endpoint = Endpoint { souk: running.souk.clone(), mode };
        tokio::spawn(aws::server::serve(endpoint, listener, async {
            let _ = http_stopped.await;
        }))
    });
    let serving = async {
        let stop = async {
            stop.await;
            let _ = stopping.send(());
            let _ = stop_http.send(());
        };
        let served = server::serve(running.souk.clone(), grpc, stop).await;
        if let Some(aws) = aws {
            aws.await.context("the HTTP server failed")??;
        }
        ticking.abort();
        let _ = ticking.await;
        running.stop().await;
        anyhow::Ok(served?)
    };
    let out_of_patience = async {
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => {
            info!("stopped");
            served
        }
        () = out_of_patience => {
            warn!("stopped with requests still under way; what was answered is durable");
            Ok(())
        }
    }
}

async fn tick(souk: Souk) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        souk.tick();
    }
}

async fn make_default(souk: &Souk, file: &Path) -> anyhow::Result<()> {
    let name = SandboxName::new("default");
    if souk.market(&name).is_ok() {
        info!("the sandbox default exists; {} is not read", file.display());
        return Ok(());
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let document =
        document::parse(&text).with_context(|| format!("{} is no sandbox document", file.display()))?;
    souk.put_sandbox(&name, from_proto_document(document)?).await?;
    Ok(())
}

/// SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = tokio::signal::ctrl_c() => (),
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
