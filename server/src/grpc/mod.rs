//! The gRPC door.

pub mod convert;
