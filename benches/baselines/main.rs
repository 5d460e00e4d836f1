//! `souk-baselines`: servers that `souk-load suite` measures Souk against and that are made of its own parts, which
//! `souk-load` knows only from outside. They answer everybody.
//!
//! | what | reads | answers |
//! |---|---|---|
//! | [`strings`] | StreamUsage where it lies, with the server's own decoder | a success for each record |
//! | [`columns`] | StreamColumns, and appends each message to a log as the server's | once the message is durable |
//!
//! Each prints where it listens as `soukd` does.

mod columns;
mod strings;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use souk_server::grpc::server::MESSAGE_BYTES_MAX;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// As soukd's.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_REQUESTS: u32 = 512;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    // As soukd's.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.as_slice() {
        ["strings"] => runtime.block_on(async {
            let (mut server, incoming) = listen().await?;
            Ok(server.add_service(strings::Strings).serve_with_incoming(incoming).await?)
        }),
        ["columns", folder] => runtime.block_on(async {
            let service = columns::service(&PathBuf::from(folder))?;
            let (mut server, incoming) = listen().await?;
            Ok(server.add_service(service).serve_with_incoming(incoming).await?)
        }),
        _ => bail!("usage: souk-baselines strings | columns FOLDER"),
    }
}

async fn listen() -> anyhow::Result<(Server, TcpIncoming)> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let listener = listener.context("failed to listen on a free port")?;
    println!("{}", serde_json::json!({ "grpc": listener.local_addr()?.to_string() }));
    let server = Server::builder()
        .concurrency_limit_per_connection(CONNECTION_REQUESTS as usize)
        .max_concurrent_streams(CONNECTION_REQUESTS)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    Ok((server, TcpIncoming::from(listener).with_nodelay(Some(true))))
}
