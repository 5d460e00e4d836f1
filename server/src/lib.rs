//! The shell around the core: transports, partitions, the clock and the disk. No rule lives here.

pub mod admin;
pub mod app;
pub mod aws;
pub mod cli;
pub mod client_time;
pub mod clock;
pub mod codec;
pub mod compose;
pub mod control;
pub mod demo;
pub mod error;
pub mod export;
pub mod faults;
pub mod folder;
pub mod grpc;
pub mod partition;
pub mod serve;
pub mod signing;
pub mod telemetry;

pub use souk_proto::document;
