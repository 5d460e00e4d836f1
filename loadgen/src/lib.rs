//! Load whose bills are known beforehand.
//!
//! From a seed, [`plan`] makes a marketplace and all of its usage; [`drive`] sends it to a server and closes the
//! month; [`audit`] computes the bills a second time, from nothing but the plan and what the server
//! acknowledged, and compares. [`measure`] takes the times and [`report`] says all of it.
//!
//! Nothing here shares arithmetic with the server: of the core only values are used (account numbers, months,
//! quantities and prices), never its sums, its rounding or its rating.

pub mod audit;
pub mod drive;
pub mod measure;
pub mod plan;
pub mod report;
