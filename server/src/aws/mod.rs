//! What AWS SDKs speak: signatures, protocols, bodies and errors, as pure functions over parts and bytes.
//!
//! The way of a request: `route` reads which sandbox, service and operation it names, `sigv4` who calls,
//! `wire` what the body says; `ops` asks the use case, behind the `gate` where quotas and faults strike;
//! `respond` writes the answer in the protocol that was spoken. No rule lives here, and nothing but `server`
//! opens a socket.

pub mod endpoint;
pub mod error;
pub mod gate;
pub mod ops;
pub mod protocol;
pub mod refused;
pub mod regions;
pub mod respond;
pub mod route;
pub mod server;
pub mod sigv4;
pub mod wire;

pub use error::AwsError;
pub use protocol::Protocol;
