//! Scenarios: a billing story in a file, which Souk proves.
//!
//! ```text
//!  file ──► Scenario ──► play ──► what came of it
//!           a sandbox    step by step: turn the clock, do, compare
//!           and steps
//! ```
//!
//! `shape` says what keys take, `file` reads a text along it and notes every mistake with its place, `action/` has a
//! file for each thing that may happen, `expectation/` one for each thing that may be looked at, `compare` pairs what
//! was expected with what was answered, and `record` writes a sandbox's past as a scenario.

pub mod action;
pub mod actual;
pub mod compare;
pub mod directory;
pub mod expectation;
pub mod expected;
pub mod explain;
pub mod file;
pub mod outcome;
pub mod play;
pub mod reading;
pub mod record;
pub mod run;
pub mod schema;
pub mod server;
pub mod shape;
pub mod world;
