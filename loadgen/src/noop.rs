//! Servers that answer everybody and keep nothing: what a door costs without a marketplace behind it. They run as
//! processes of their own, so that they share the machine with the generator as the real server does, on the same
//! runtime and with the same settings of HTTP/2.
//!
//! | what | decodes | answers |
//! |---|---|---|
//! | [`grpc`] BatchMeterUsage, StreamUsage, StreamColumns | the contract's messages, with the generated code | a success for each record |
//! | [`grpc`] [`grpc::PACKED`] | the same rows as packed fixed32 | how many rows came |
//! | [`aws`] | JSON, and the signature | a success for each record, with the record |

pub mod aws;
pub mod grpc;

use std::net::SocketAddr;

use anyhow::Context;
use clap::ValueEnum;
use tokio::net::TcpListener;

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Noop {
    /// The gRPC doors.
    Grpc,
    /// The AWS door.
    Aws,
}

/// Serves until the process is killed; prints where it listens as `soukd` does.
///
/// # Errors
/// When no port can be had.
pub fn serve(noop: Noop) -> anyhow::Result<()> {
    // As soukd's.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let listener = listener.context("failed to listen on a free port")?;
        let address = listener.local_addr()?.to_string();
        match noop {
            Noop::Grpc => {
                println!("{}", serde_json::json!({ "grpc": address }));
                grpc::serve(listener).await
            }
            Noop::Aws => {
                println!("{}", serde_json::json!({ "grpc": address, "http": address }));
                aws::serve(listener).await
            }
        }
    })
}
