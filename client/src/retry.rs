//! Trying a call again: when, how often and after which pause.
//!
//! Only calls that `safety.rs` calls repeatable come back here, and only for a lost connection, for
//! `UNAVAILABLE`, and where the server asks for it by RetryInfo. A deadline that passed is the end.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

use crate::{Call, ClientError, RetryPolicy, Safety, Settings};

/// Runs attempts until one succeeds, the policy gives up or the deadline passes. The attempt is told how much
/// of the deadline is left.
pub(crate) async fn run<T, F, Answer>(
    settings: &Settings,
    call: Call,
    mut attempt: F,
) -> Result<T, ClientError>
where
    F: FnMut(Duration) -> Answer,
    Answer: Future<Output = Result<T, ClientError>>,
{
    let end = Instant::now() + settings.deadline;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let left = end.saturating_duration_since(Instant::now());
        let Ok(outcome) = timeout(left, attempt(left)).await else {
            return Err(ClientError::TimedOut { call, deadline: settings.deadline });
        };
        let error = match outcome {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match settings.retry.pause(call, attempts, &error, random()) {
            // The last error says more than that the time is up.
            Some(pause) if Instant::now() + pause < end => sleep(pause).await,
            Some(_) | None => return Err(error),
        }
    }
}

impl RetryPolicy {
    /// The pause after the failed attempt of this number (from 1); none when the error stands.
    pub(crate) fn pause(
        &self,
        call: Call,
        attempts: u32,
        error: &ClientError,
        random: u64,
    ) -> Option<Duration> {
        if call.safety() != Safety::Repeat || attempts >= self.attempts_max {
            return None;
        }
        let own = self.backoff(attempts, random);
        match error {
            ClientError::Unreachable { .. } => Some(own),
            ClientError::Refused(refusal) => match (refusal.retry_after, refusal.code) {
                (Some(asked), _) => Some(asked.max(own)),
                (None, Code::Unavailable) => Some(own),
                (None, _) => None,
            },
            ClientError::Endpoint { .. } | ClientError::TimedOut { .. } | ClientError::Incomplete { .. } => {
                None
            }
        }
    }

    /// The pause before attempt number `attempts + 1`: half fixed, half chance.
    pub(crate) fn backoff(&self, attempts: u32, random: u64) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        let full = self.delay_initial.saturating_mul(1 << doublings).min(self.delay_max);
        let half_micros = u64::try_from(full.as_micros() / 2).unwrap_or(u64::MAX / 2);
        Duration::from_micros(half_micros + random % (half_micros + 1))
    }
}

/// A random number. The standard library seeds its hash tables from the system; more is not needed for
/// jitter.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::Refusal;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts_max: 4,
        delay_initial: Duration::from_millis(100),
        delay_max: Duration::from_millis(300),
    };

    fn refused(code: Code, retry_after_ms: Option<u64>) -> ClientError {
        ClientError::Refused(Box::new(Refusal {
            call: Call::GetAccount,
            code,
            reason: None,
            message: String::new(),
            violations: Vec::new(),
            metadata: Default::default(),
            retry_after: retry_after_ms.map(Duration::from_millis),
        }))
    }

    fn lost() -> ClientError {
        ClientError::unreachable("http://there", std::io::Error::other("cut"))
    }

    fn late() -> ClientError {
        ClientError::TimedOut { call: Call::GetAccount, deadline: Duration::ZERO }
    }

    #[test]
    fn the_pause_depends_on_call_attempt_and_error() {
        use Call::{AcceptOffer, AdvanceClockBy, AdvanceClockTo, BatchMeterUsage, GetAccount, StreamUsage};
        let table: [(&str, Call, u32, ClientError, Option<u64>); 14] = [
            ("a read after a lost connection", GetAccount, 1, lost(), Some(50)),
            ("a read, second failure", GetAccount, 2, lost(), Some(100)),
            ("a read, third failure: the longest pause", GetAccount, 3, lost(), Some(150)),
            ("a read, attempts used up", GetAccount, 4, lost(), None),
            ("a read that is unavailable", GetAccount, 1, refused(Code::Unavailable, None), Some(50)),
            (
                "usage with a full queue",
                BatchMeterUsage,
                1,
                refused(Code::ResourceExhausted, Some(900)),
                Some(900),
            ),
            ("a shorter wish than our own pause", GetAccount, 1, refused(Code::Aborted, Some(1)), Some(50)),
            ("exhausted without a wish", GetAccount, 1, refused(Code::ResourceExhausted, None), None),
            ("a read that was refused", GetAccount, 1, refused(Code::NotFound, None), None),
            ("a read that came too late", GetAccount, 1, late(), None),
            ("an offer, connection lost", AcceptOffer, 1, lost(), None),
            (
                "an offer, even on the server's wish",
                AcceptOffer,
                1,
                refused(Code::Unavailable, Some(5)),
                None,
            ),
            ("a clock turned by an amount", AdvanceClockBy, 1, lost(), None),
            ("a stream", StreamUsage, 1, lost(), None),
        ];
        for (what, call, attempts, error, expected_ms) in table {
            let pause = POLICY.pause(call, attempts, &error, 0);
            assert_eq!(pause, expected_ms.map(Duration::from_millis), "{what}");
        }
        assert!(POLICY.pause(AdvanceClockTo, 1, &lost(), 0).is_some());
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        for random in [0, 1, 49_999, 50_000, 50_001, u64::MAX] {
            let pause = POLICY.backoff(1, random);
            assert!(Duration::from_millis(50) <= pause && pause <= Duration::from_millis(100), "{pause:?}");
        }
        assert!(POLICY.backoff(u32::MAX, u64::MAX) <= POLICY.delay_max);
    }

    fn settings(deadline_ms: u64) -> Settings {
        Settings { deadline: Duration::from_millis(deadline_ms), retry: POLICY, ..Settings::STANDARD }
    }

    /// Fails so often, then succeeds; answers how often it was tried and how long it took.
    async fn drive(
        settings: Settings,
        call: Call,
        failures: u32,
    ) -> (Result<(), ClientError>, u32, Duration) {
        let tried = AtomicU32::new(0);
        let begin = Instant::now();
        let outcome = run(&settings, call, |_| async {
            if tried.fetch_add(1, Ordering::Relaxed) < failures { Err(lost()) } else { Ok(()) }
        })
        .await;
        (outcome, tried.into_inner(), begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_tried_until_it_succeeds() {
        let (outcome, tried, took) = drive(settings(30_000), Call::GetAccount, 2).await;
        assert!(outcome.is_ok());
        assert_eq!(tried, 3);
        assert!(Duration::from_millis(150) <= took && took <= Duration::from_millis(310), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_is_answered_when_the_attempts_are_used_up() {
        let (outcome, tried, _) = drive(settings(30_000), Call::GetAccount, 9).await;
        assert!(matches!(outcome, Err(ClientError::Unreachable { .. })));
        assert_eq!(tried, POLICY.attempts_max);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_safe_is_tried_once() {
        let (outcome, tried, took) = drive(settings(30_000), Call::AcceptOffer, 1).await;
        assert!(outcome.is_err());
        assert_eq!((tried, took), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_goes_beyond_the_deadline() {
        let (outcome, tried, took) = drive(settings(40), Call::GetAccount, 9).await;
        assert!(matches!(outcome, Err(ClientError::Unreachable { .. })));
        assert_eq!((tried, took), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_ends_at_the_deadline() {
        let begin = Instant::now();
        let outcome: Result<(), _> = run(&settings(700), Call::GetAccount, |_| std::future::pending()).await;
        assert!(matches!(outcome, Err(ClientError::TimedOut { .. })));
        assert!(begin.elapsed() >= Duration::from_millis(700));
    }
}
