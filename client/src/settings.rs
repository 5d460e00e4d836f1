//! How patient the client is.

use std::time::Duration;

/// How long the client waits and how often it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For a call with all its retries; for each message of a stream. The server is told by grpc-timeout.
    pub deadline: Duration,
    /// For making a connection.
    pub connect_timeout: Duration,
    /// For the calls that may be repeated.
    pub retry: RetryPolicy,
}

impl Settings {
    /// What [`crate::SoukClient::connect`] takes: 30 seconds for a call, 5 for connecting.
    pub const STANDARD: Settings = Settings {
        deadline: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(5),
        retry: RetryPolicy::STANDARD,
    };
}

/// How often a call is tried, and the pauses between.
///
/// The pause doubles from attempt to attempt up to `delay_max`; half of it is fixed and half is chance, so
/// that clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all; 1 never repeats.
    pub attempts_max: u32,
    /// The pause after the first attempt.
    pub delay_initial: Duration,
    /// No pause is longer, unless the server asks for a longer one.
    pub delay_max: Duration,
}

impl RetryPolicy {
    /// Five attempts, with pauses from 50 milliseconds to 2 seconds.
    pub const STANDARD: RetryPolicy = RetryPolicy {
        attempts_max: 5,
        delay_initial: Duration::from_millis(50),
        delay_max: Duration::from_secs(2),
    };

    /// One attempt.
    pub const NEVER: RetryPolicy = RetryPolicy { attempts_max: 1, ..RetryPolicy::STANDARD };
}
