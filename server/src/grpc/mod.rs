//! The gRPC door: it converts, asks a use case, and converts back.

pub mod account;
pub mod agreement;
pub mod answer;
pub mod billing;
pub mod catalog;
pub mod codec;
pub mod columns;
pub mod convert;
pub mod fault;
pub mod metering;
pub mod metering_door;
pub mod partner;
pub mod refused;
pub mod reporting;
pub mod sandbox;
pub mod server;
pub mod status;
pub mod usage_stream;
