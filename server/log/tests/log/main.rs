//! Tests of the logs from outside: the contract, a model, refused files, and other processes.

mod harness;
mod memory;
mod model;
mod processes;
mod refused;
mod sqlite;
