//! Rating: a family's metered hours of a month, priced.
//!
//! ```text
//! raw hours -> sums by series, or a walk hour by hour where cover is shared -> max(0, Y-X)
//!           -> meters (buyer, licence) in segments of equal price and cover -> rated lines
//! ```

pub mod agreements;
pub mod block_sums;
pub mod daily;
pub mod demonstration;
pub mod explain;
pub mod group;
pub mod meter;
pub mod month_sums;
pub mod overflow;
pub mod rate;
pub mod segments;
pub mod trial;
pub mod walk;

#[cfg(test)]
mod tests;

pub use block_sums::{BlockSums, SeriesSums};
pub use daily::{DailyUsage, UsageKind, usage_of_day};
pub use demonstration::Demonstration;
pub use explain::{ExplainedHour, ExplainedRecord, explain_line};
pub use meter::Meter;
pub use month_sums::MonthSums;
pub use rate::{RatedLine, RatedSegment, expect_cover, rate_month, rate_with};
