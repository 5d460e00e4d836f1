//! Metering: what comes in, what is refused, and the tally of what was accepted.

pub mod acceptance;
pub mod allocation;
pub mod client_token;
pub mod columns;
pub mod inferences;
pub mod month_tiles;
pub mod names;
pub mod opening;
pub mod records;
pub mod registration;
pub mod request;
pub mod rows;
pub mod run_acceptance;
pub mod run_request;
pub mod runs;
pub mod series;
pub mod series_list;
pub mod taken_hours;
pub mod tally;
pub mod tile;
pub mod told;
pub mod window;

#[cfg(test)]
mod tests;

pub use acceptance::{RecordStatus, UsageOutcome};
pub use allocation::Allocation;
pub use client_token::ClientToken;
pub use columns::{HourColumn, QuantityColumn, UsageColumns};
pub use inferences::{CheckedInferences, Inference, InferencesRequest, NamedInference};
pub use opening::{CheckedSeries, NamedSeries};
pub use records::{MeteredRecord, RecordFilter, RecordPosition, RecordWalk};
pub use registration::{Program, Registration};
pub use request::{CheckedRecord, CheckedRequest, Customer, Door, UsageRecord, UsageRequest};
pub use rows::{Moments, RowOutcomes, RowStatus};
pub use run_request::{CheckedRun, CheckedRuns, NamedRun, RunsRequest};
pub use runs::Run;
pub use series::{Identity, SeriesHandle, SeriesKey};
pub use tally::{Outcome, Outcomes, Tally};
