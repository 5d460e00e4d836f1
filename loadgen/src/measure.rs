//! What is measured: latencies, rates, and what the processes take.
//!
//! A message has two latencies. The *corrected* one is from the moment at which it was due to its answer: what a
//! customer waits, who does not care that the load generator was held up. The *raw* one is from the moment at
//! which it was sent. In a closed loop nothing is due, and there is only the raw one.

pub mod process;
pub mod recorder;

pub use process::{ProcessUse, Watched};
pub use recorder::{Course, Latencies, Measured, Percentile, Point, Recorder};

use std::time::Duration;

/// A duration in whole nanoseconds.
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
