//! Tests of the logs from outside: the contract, a model, refused files, and other processes.

mod folder;
mod harness;
mod memory;
mod model;
mod processes;
mod refused;
mod segmented;
mod segmented_crash;
mod segmented_processes;
mod segmented_refused;
mod sqlite;
