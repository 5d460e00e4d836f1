//! Whose time the timestamps of requests and answers show.
//!
//! Under `clientTime: MACHINE` a program that knows nothing of sandboxes stamps the machine's time. What lies between
//! the two clocks is added to its timestamps and taken from those of answers. Signatures and their dates stay on the
//! machine's time.
//!
//! Many programs cut the time off to the full hour before they send it. Moved like any other moment, such a timestamp
//! would fall into the hour before as often as not; so a full hour of the machine becomes the full hour of the sandbox
//! that is as many hours ago.

use souk_core::rules::ClientTime;
use souk_core::time::{Timestamp, UsageHour};

/// The two clocks at the moment of a request.
#[derive(Debug, Clone, Copy)]
pub struct ClientClock {
    kept_by: ClientTime,
    sandbox: Timestamp,
    machine: Timestamp,
}

impl ClientClock {
    /// Both clocks, and which of them programs go by.
    pub fn new(kept_by: ClientTime, sandbox: Timestamp, machine: Timestamp) -> ClientClock {
        ClientClock { kept_by, sandbox, machine }
    }

    /// The time that the program's own clock shows.
    pub fn now(&self) -> Timestamp {
        match self.kept_by {
            ClientTime::Sandbox => self.sandbox,
            ClientTime::Machine => self.machine,
        }
    }

    /// A moment that a program stamped, in the sandbox's time.
    pub fn to_sandbox(&self, stamped: Timestamp) -> Timestamp {
        let start_of_hour = |moment| UsageHour::containing(moment).start();
        let (machine, sandbox) = match self.kept_by {
            ClientTime::Sandbox => return stamped,
            ClientTime::Machine if start_of_hour(stamped) == stamped => {
                (start_of_hour(self.machine), start_of_hour(self.sandbox))
            }
            ClientTime::Machine => (self.machine, self.sandbox),
        };
        sandbox.plus_micros(stamped.micros() - machine.micros())
    }

    /// A moment of the sandbox, as the program's clock will show it.
    pub fn to_client(&self, moment: Timestamp) -> Timestamp {
        match self.kept_by {
            ClientTime::Sandbox => moment,
            ClientTime::Machine => self.machine.plus_micros(moment.micros() - self.sandbox.micros()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}Z")).unwrap()
    }

    fn clock(kept_by: ClientTime) -> ClientClock {
        ClientClock::new(kept_by, at("2013-02-01T10:15:00"), at("2026-11-22T20:45:30"))
    }

    #[test]
    fn a_program_of_the_sandboxs_time_is_taken_at_its_word() {
        let clock = clock(ClientTime::Sandbox);
        for moment in [at("2013-02-01T10:00:00"), at("2026-11-22T20:45:30"), Timestamp::MIN, Timestamp::MAX] {
            assert_eq!((clock.to_sandbox(moment), clock.to_client(moment)), (moment, moment));
        }
        assert_eq!(clock.now(), at("2013-02-01T10:15:00"));
    }

    #[test]
    fn the_machines_time_is_moved_to_the_sandboxs_and_back() {
        let clock = clock(ClientTime::Machine);
        assert_eq!(clock.now(), at("2026-11-22T20:45:30"));
        for (stamped, in_sandbox) in [
            ("2026-11-22T20:45:30", "2013-02-01T10:15:00"),
            ("2026-11-22T20:45:29.5", "2013-02-01T10:14:59.5"),
            ("2026-11-22T18:45:31", "2013-02-01T08:15:01"),
            ("2026-11-23T20:45:30", "2013-02-02T10:15:00"),
        ] {
            assert_eq!(clock.to_sandbox(at(stamped)), at(in_sandbox), "{stamped}");
            assert_eq!(clock.to_client(at(in_sandbox)), at(stamped), "{in_sandbox}");
        }
    }

    #[test]
    fn a_full_hour_stays_a_full_hour() {
        let clock = clock(ClientTime::Machine);
        for (stamped, in_sandbox) in [
            ("2026-11-22T20:00:00", "2013-02-01T10:00:00"),
            ("2026-11-22T19:00:00", "2013-02-01T09:00:00"),
            ("2026-11-21T20:00:00", "2013-01-31T10:00:00"),
            ("2026-11-22T21:00:00", "2013-02-01T11:00:00"),
        ] {
            assert_eq!(clock.to_sandbox(at(stamped)), at(in_sandbox), "{stamped}");
        }
    }

    #[test]
    fn moments_at_the_ends_of_the_calendar_stay_in_it() {
        let clock = clock(ClientTime::Machine);
        assert_eq!(clock.to_sandbox(Timestamp::MIN), Timestamp::MIN);
        assert_eq!(clock.to_client(Timestamp::MAX), Timestamp::MAX);
    }
}
