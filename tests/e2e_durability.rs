//! What was answered is durable: after a kill, after a failed append, and never by guessing about damaged files.

mod columns;
mod control_faults;
mod killed;
mod partition_faults;
mod refused_folders;
mod registrations;
mod runs;
mod snapshots;
