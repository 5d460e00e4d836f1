//! Rating: a family's metered hours of a month, priced.
//!
//! ```text
//! series hours -> meters (buyer, licence) -> segments of equal price and cover -> max(0, Y-X) -> rated lines
//! ```

pub mod explain;
pub mod meter;
pub mod overflow;
pub mod rate;
pub mod segments;

pub use explain::{ExplainedHour, ExplainedRecord, explain_line};
pub use meter::Meter;
pub use rate::{RatedLine, RatedSegment, rate_month};
