//! The shell around the core: transports, partitions, the clock and the disk. No rule lives here.

pub mod codec;
pub mod document;
pub mod grpc;
