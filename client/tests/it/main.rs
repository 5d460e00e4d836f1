//! The client and the command against a server that plays a script.

mod command;
mod fake;
mod library;
