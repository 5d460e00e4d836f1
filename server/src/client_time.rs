//! Whose time the timestamps of AWS requests and answers show.
//!
//! Under `clientTime: MACHINE` a program that knows nothing of sandboxes stamps the machine's time. Signatures and their
//! dates stay on it; the timestamps of usage are moved to the sandbox's time, those of answers back.
//!
//! A stopped clock stands while the machine's goes on. What is stamped since it was set or turned is stamped at the
//! sandbox's one moment; what is stamped before lies as long before that moment as it lies before the turn. So the same
//! timestamp sent twice, a moment later, is the same moment of the sandbox. What is stamped ahead of the machine's
//! clock lies as far ahead of the sandbox's.
//!
//! Many programs cut the time off to the full hour before they send it. Moved like any other moment, such a timestamp
//! would fall into the hour before as often as not; so a full hour of the machine becomes the full hour of the sandbox
//! that is as many hours ago.

use souk_core::catalog::Clock;
use souk_core::rules::ClientTime;
use souk_core::time::{Timestamp, UsageHour};

/// A sandbox's clock and the machine's.
#[derive(Debug, Clone, Copy)]
pub struct ClientClock {
    kept_by: ClientTime,
    /// The sandbox's time, where it stands.
    stands_at: Option<Timestamp>,
    /// What the machine's clock showed when the sandbox's was set.
    set: Timestamp,
    machine: Timestamp,
}

impl ClientClock {
    /// Both clocks, and which of them programs go by; `set`: what the machine's showed when the other was set.
    pub fn new(kept_by: ClientTime, clock: Clock, set: Timestamp, machine: Timestamp) -> ClientClock {
        let sandbox = clock.now(machine);
        // A clock that follows the machine's shows the same, unless it is held until the machine's comes up to it.
        let stands_at = (sandbox != machine).then_some(sandbox);
        ClientClock { kept_by, stands_at, set: set.min(machine), machine }
    }

    /// The time that the program's own clock shows.
    pub fn now(&self) -> Timestamp {
        match (self.kept_by, self.stands_at) {
            (ClientTime::Sandbox, Some(sandbox)) => sandbox,
            _ => self.machine,
        }
    }

    /// Where the sandbox's clock stands, if programs go by the machine's.
    fn moved(&self) -> Option<Timestamp> {
        self.stands_at.filter(|_| self.kept_by == ClientTime::Machine)
    }

    /// A moment that a program stamped, in the sandbox's time.
    pub fn to_sandbox(&self, stamped: Timestamp) -> Timestamp {
        let Some(sandbox) = self.moved() else { return stamped };
        let start_of_hour = |moment| UsageHour::containing(moment).start();
        let (set, machine, sandbox) = match start_of_hour(stamped) == stamped {
            true => (start_of_hour(self.set), start_of_hour(self.machine), start_of_hour(sandbox)),
            false => (self.set, self.machine, sandbox),
        };
        let from = if stamped <= set { set } else { machine.min(stamped) };
        sandbox.plus_micros(stamped.micros() - from.micros())
    }

    /// A moment of the sandbox, as the program's clock shows it.
    pub fn to_client(&self, moment: Timestamp) -> Timestamp {
        match self.moved() {
            Some(sandbox) => self.set.plus_micros(moment.micros() - sandbox.micros()),
            None => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}Z")).unwrap()
    }

    /// The sandbox's clock was turned to 10:15 when the machine's showed 20:45:30, and read at `machine`.
    fn clock(kept_by: ClientTime, machine: &str) -> ClientClock {
        let stopped = Clock::Stopped(at("2013-02-01T10:15:00"));
        ClientClock::new(kept_by, stopped, at("2026-11-22T20:45:30"), at(machine))
    }

    #[test]
    fn a_program_of_the_sandboxs_time_is_taken_at_its_word() {
        let clock = clock(ClientTime::Sandbox, "2026-11-22T20:46:00");
        for moment in [at("2013-02-01T10:00:00"), at("2026-11-22T20:45:30"), Timestamp::MIN, Timestamp::MAX] {
            assert_eq!((clock.to_sandbox(moment), clock.to_client(moment)), (moment, moment));
        }
        assert_eq!(clock.now(), at("2013-02-01T10:15:00"));
    }

    #[test]
    fn a_clock_that_follows_moves_nothing() {
        let (set, machine) = (at("2026-11-22T20:45:30"), at("2026-11-22T21:45:30"));
        let clock = ClientClock::new(ClientTime::Machine, Clock::Following(set), set, machine);
        for moment in [at("2013-02-01T10:00:00"), at("2026-11-22T21:00:00"), at("2026-11-22T21:45:31")] {
            assert_eq!((clock.to_sandbox(moment), clock.to_client(moment)), (moment, moment));
        }
        assert_eq!(clock.now(), machine);
    }

    #[test]
    fn a_stamp_of_the_machines_time_is_the_same_moment_however_late_it_comes() {
        for machine in ["2026-11-22T20:45:31", "2026-11-22T20:59:59", "2026-11-22T23:10:00"] {
            let clock = clock(ClientTime::Machine, machine);
            assert_eq!(clock.now(), at(machine));
            for (stamped, in_sandbox) in [
                ("2026-11-22T20:45:30", "2013-02-01T10:15:00"),
                ("2026-11-22T20:45:30.9", "2013-02-01T10:15:00"),
                (machine, "2013-02-01T10:15:00"),
                ("2026-11-22T20:45:29.5", "2013-02-01T10:14:59.5"),
                ("2026-11-22T18:45:31", "2013-02-01T08:15:01"),
            ] {
                assert_eq!(clock.to_sandbox(at(stamped)), at(in_sandbox), "{stamped} at {machine}");
            }
            assert_eq!(clock.to_client(at("2014-02-01T10:15:00")), at("2027-11-22T20:45:30"));
            assert_eq!(clock.to_client(at("2013-02-01T10:00:00")), at("2026-11-22T20:30:30"));
        }
    }

    #[test]
    fn what_is_stamped_ahead_lies_as_far_ahead() {
        let clock = clock(ClientTime::Machine, "2026-11-22T20:50:00");
        assert_eq!(clock.to_sandbox(at("2026-11-22T20:50:02")), at("2013-02-01T10:15:02"));
        assert_eq!(clock.to_sandbox(at("2026-11-23T20:50:00")), at("2013-02-02T10:15:00"));
        assert_eq!(clock.to_sandbox(at("2026-11-22T21:00:00")), at("2013-02-01T11:00:00"));
    }

    #[test]
    fn a_full_hour_stays_a_full_hour_while_the_machines_hour_turns() {
        for machine in ["2026-11-22T20:46:00", "2026-11-22T21:00:00", "2026-11-22T22:10:00"] {
            let clock = clock(ClientTime::Machine, machine);
            for (stamped, in_sandbox) in [
                ("2026-11-22T20:00:00", "2013-02-01T10:00:00"),
                ("2026-11-22T19:00:00", "2013-02-01T09:00:00"),
                ("2026-11-21T20:00:00", "2013-01-31T10:00:00"),
            ] {
                assert_eq!(clock.to_sandbox(at(stamped)), at(in_sandbox), "{stamped} at {machine}");
            }
        }
        let later = clock(ClientTime::Machine, "2026-11-22T22:10:00");
        assert_eq!(later.to_sandbox(at("2026-11-22T22:00:00")), at("2013-02-01T10:00:00"));
    }

    #[test]
    fn a_sandbox_on_the_full_hour_gets_no_record_of_the_hour_before() {
        let (set, machine) = (at("2026-11-22T20:45:30"), at("2026-11-22T20:45:30.25"));
        let stopped = Clock::Stopped(at("2013-02-01T00:00:00"));
        let clock = ClientClock::new(ClientTime::Machine, stopped, set, machine);
        for stamped in ["2026-11-22T20:45:30.1", "2026-11-22T20:00:00"] {
            assert_eq!(clock.to_sandbox(at(stamped)), at("2013-02-01T00:00:00"), "{stamped}");
        }
    }

    #[test]
    fn moments_at_the_ends_of_the_calendar_stay_in_it() {
        let clock = clock(ClientTime::Machine, "2026-11-22T20:46:00");
        assert_eq!(clock.to_sandbox(Timestamp::MIN), Timestamp::MIN);
        assert_eq!(clock.to_client(Timestamp::MAX), Timestamp::MAX);
    }
}
