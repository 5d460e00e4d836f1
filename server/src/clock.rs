//! The only place that reads the machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use souk_core::time::Timestamp;

/// Where machine time comes from.
pub trait MachineClock: Send + Sync {
    /// The machine's time.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl MachineClock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 is as good as 1970: sandboxes only need one that does not go back.
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
        i64::try_from(micros).ok().and_then(Timestamp::from_micros).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still: for tests, and for runs that must repeat to the byte.
#[derive(Debug, Clone, Copy)]
pub struct StoppedClock(pub Timestamp);

impl MachineClock for StoppedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
