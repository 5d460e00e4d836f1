//! Time: moments, hours and months in UTC. Nothing here reads a clock.

pub mod days;
pub mod duration;
pub mod month;
pub mod timestamp;
pub mod usage_hour;

pub use days::days_until;
pub use duration::TermDuration;
pub use month::BillingMonth;
pub use timestamp::Timestamp;
pub use usage_hour::{HourRange, UsageHour};
