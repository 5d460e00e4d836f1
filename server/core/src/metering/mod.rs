//! Metering: what comes in, what is refused, and the tally of what was accepted.

pub mod acceptance;
pub mod column;
pub mod request;
pub mod series;
pub mod tally;
pub mod window;

pub use acceptance::{RecordStatus, UsageOutcome};
pub use request::{CheckedRecord, CheckedRequest, Customer, UsageRecord, UsageRequest};
pub use series::{Identity, SeriesHandle, SeriesKey};
pub use tally::{Outcome, Tally, UsageColumns};
