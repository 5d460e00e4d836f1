//! `soukd serve`: opens the data folder, listens, says where, and stops in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use souk_core::ids::SandboxName;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::app::Souk;
use crate::cli::ServeArguments;
use crate::clock::SystemClock;
use crate::compose::{self, Running};
use crate::document;
use crate::grpc::convert::sandbox::from_proto_document;
use crate::grpc::server;

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
    let opened = tokio::task::spawn_blocking(move || compose::start_in(&folder, Arc::new(SystemClock)));
    let running = opened.await??;
    if let Some(file) = &arguments.sandbox {
        make_default(&running.souk, file).await?;
    }
    let listener = TcpListener::bind(arguments.grpc).await.with_context(|| {
        format!("cannot listen on {}: choose another address with --grpc", arguments.grpc)
    })?;
    let endpoints = serde_json::json!({ "grpc": listener.local_addr()?.to_string() }).to_string();
    compose::write_whole(&arguments.data.join(ENDPOINTS), &format!("{endpoints}\n"))
        .context("cannot write endpoints.json into the data folder")?;
    println!("{endpoints}");
    info!(data = %arguments.data.display(), endpoints, "serving");
    serve_until(running, listener, stop_signal()).await
}

/// Serves a running marketplace until `stop`. Requests under way are answered first, for as long as [`GRACE`];
/// a stream that its client leaves open does not keep the server alive.
pub async fn serve_until(
    running: Running,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let ticking = tokio::spawn(tick(running.souk.clone()));
    let serving = async {
        let stop = async {
            stop.await;
            let _ = stopping.send(());
        };
        let served = server::serve(running.souk.clone(), listener, stop).await;
        ticking.abort();
        let _ = ticking.await;
        running.stop().await;
        served
    };
    let out_of_patience = async {
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => {
            info!("stopped");
            Ok(served?)
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
