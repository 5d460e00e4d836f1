//! A sandbox's clock: following the machine's, or stopped and turned by hand. It never goes back.

use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;

/// The end of a sandbox's time, the first moment of the year 9900: whatever is agreed before it ends within the
/// calendar.
pub const CLOCK_END_MICROS: i64 = 250_246_627_200_000_000;

/// How the clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Stopped at this time.
    Stopped(Timestamp),
    /// Following the machine's, but never before this time.
    Following(Timestamp),
}

impl Clock {
    /// The sandbox's time when the machine's clock shows `machine`.
    pub fn now(self, machine: Timestamp) -> Timestamp {
        match self {
            Clock::Stopped(at) => at,
            Clock::Following(not_before) => machine.max(not_before),
        }
    }

    /// Stops the clock at a time that is not before its own.
    pub fn stop_at(self, at: Timestamp, machine: Timestamp) -> Result<Clock, Rejection> {
        self.refuse_backwards(at, machine, "clock.at")?;
        Ok(Clock::Stopped(at))
    }

    /// Turns a stopped clock forward.
    pub fn advance_to(self, to: Timestamp, machine: Timestamp) -> Result<Clock, Rejection> {
        if let Clock::Following(_) = self {
            let message = "the clock follows the machine's: stop it first by setting it to a time";
            return Err(Rejection::new(Code::ClockFollowing, "", message));
        }
        self.refuse_backwards(to, machine, "to")?;
        Ok(Clock::Stopped(to))
    }

    /// Lets the clock follow the machine's; a clock that is ahead of it cannot.
    pub fn follow(self, machine: Timestamp) -> Result<Clock, Rejection> {
        self.refuse_backwards(machine, machine, "clock.follow")?;
        Ok(Clock::Following(machine))
    }

    /// Refuses a time after the end of all sandboxes' time.
    pub fn check_end(to: Timestamp, field: &str) -> Result<(), Rejection> {
        match to.micros() < CLOCK_END_MICROS {
            true => Ok(()),
            false => {
                let message = format!("{to} lies after the end of a sandbox's time: at most the year 9899");
                Err(Rejection::new(Code::FieldInvalid, field, message))
            }
        }
    }

    fn refuse_backwards(self, to: Timestamp, machine: Timestamp, field: &str) -> Result<(), Rejection> {
        Clock::check_end(to, field)?;
        let now = self.now(machine);
        match to < now {
            false => Ok(()),
            true => {
                let message =
                    format!("{to} lies before the sandbox's time {now}: a clock only turns forward");
                Err(Rejection::new(Code::ClockBackwards, field, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_clock_ends_before_the_calendar_does() {
        assert_eq!(at("9900-01-01T00:00:00Z").micros(), CLOCK_END_MICROS);
        let machine = at("2026-01-01T00:00:00Z");
        let clock = Clock::Stopped(at("9899-12-31T23:59:59Z"));
        assert!(clock.advance_to(at("9899-12-31T23:59:59.999999Z"), machine).is_ok());
        for late in [at("9900-01-01T00:00:00Z"), Timestamp::MAX] {
            assert_eq!(clock.advance_to(late, machine).map_err(|r| r.code), Err(Code::FieldInvalid));
            assert_eq!(clock.stop_at(late, machine).map_err(|r| r.code), Err(Code::FieldInvalid));
        }
    }

    #[test]
    fn a_clock_never_goes_back() {
        let machine = at("2026-01-01T00:00:00Z");
        let clock = Clock::Stopped(at("2013-01-01T00:00:00Z"));
        let back = clock.advance_to(at("2012-12-31T23:59:59Z"), machine).map_err(|r| r.code);
        assert_eq!(back, Err(Code::ClockBackwards));
        assert!(clock.advance_to(at("2013-01-01T00:00:00Z"), machine).is_ok());
        let ahead = Clock::Stopped(at("2027-01-01T00:00:00Z"));
        assert_eq!(ahead.follow(machine).map_err(|r| r.code), Err(Code::ClockBackwards));
        let following = clock.follow(machine).unwrap();
        assert_eq!(following.now(at("2025-01-01T00:00:00Z")), machine, "the machine's clock was set back");
        assert_eq!(following.advance_to(machine, machine).map_err(|r| r.code), Err(Code::ClockFollowing));
    }
}
