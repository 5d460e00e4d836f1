//! `soukd demo`: a marketplace through the year 2013, on the real server, through its public interface.
//!
//! Two sellers sell to sixteen airlines; what the airlines use follows from their departures from New York.
//! The same output to the byte, every time.

mod doors;
pub mod flights;
mod output;
mod year;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::cli::DemoArguments;
use crate::clock::SystemClock;
use crate::{compose, serve};

/// The marketplace, as a sandbox document.
pub const DOCUMENT: &str = include_str!("sandbox.yaml");
/// The folder, in the demo's, that keeps what the server stored.
const DATA: &str = "data";

/// Runs the demo, and prints what came of it.
pub fn run(arguments: &DemoArguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(demo(&arguments.out))
}

async fn demo(out: &Path) -> anyhow::Result<()> {
    clear(out).with_context(|| format!("cannot prepare {}", out.display()))?;
    let running = compose::start_in(&out.join(DATA), Arc::new(SystemClock))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve_until(running, listener, async {
        let _ = stopped.await;
    }));
    let mut doors = doors::Doors::open(endpoint).await?;
    year::live(&mut doors).await?;
    output::write(&mut doors, out).await?;
    drop(doors);
    let _ = stop.send(());
    server.await?
}

/// Removes a former demo's files, and nothing else.
fn clear(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out)?;
    let data = out.join(DATA);
    if data.exists() {
        ensure!(
            data.join("souk.json").exists(),
            "{} exists and is no data folder of Souk: choose another folder with --out",
            data.display()
        );
        std::fs::remove_dir_all(&data)?;
    }
    let reports = out.join(output::REPORTS);
    if reports.exists() {
        std::fs::remove_dir_all(&reports)?;
    }
    Ok(())
}
