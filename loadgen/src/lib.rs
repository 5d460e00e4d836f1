//! Load whose bills are known beforehand.
//!
//! From a seed, [`plan`] makes a marketplace and all of its usage; [`drive`] sends it to a server through one of
//! its [`door`]s, when [`schedule`] and [`pace`] say so, and closes month after month; [`audit`] computes the bills
//! a second time, from nothing but the plan and what the server acknowledged, and compares. [`measure`] takes the
//! times, [`search`] looks for the highest rate, [`server`] starts and kills what is measured, [`report`] says
//! all of it, [`noop`] is what it is compared with, and
//! [`suite`] compares.
//!
//! Nothing here shares arithmetic with the server: of the core only values are used (account numbers, months and
//! prices), never its sums, its rounding or its rating.

pub mod audit;
pub mod door;
pub mod drive;
pub mod measure;
pub mod noop;
pub mod pace;
pub mod plan;
pub mod report;
pub mod schedule;
pub mod search;
pub mod server;
pub mod suite;
