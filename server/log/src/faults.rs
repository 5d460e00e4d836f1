//! Faults for the log in memory, by plan: which attempt to append fails, and how.
//!
//! Deterministic: a fault depends on the log's name, the number of the attempt and the plan, never on
//! time or on what other logs do, so the same plan gives the same failures on any number of threads.
//! Nothing sleeps; a slow append calls a hook, which may advance a simulated clock or wait on a channel.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::LogName;

/// Where the batch of a failed append ended up (LOG-4 allows all three).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landed {
    /// It is gone.
    Nowhere,
    /// It is written but not flushed: there when the log is opened again, gone after a crash.
    Unsynced,
    /// It is durable, though the writer was told of a failure.
    Durable,
}

/// What befalls one attempt to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The append answers [`Unavailable`](crate::AppendError::Unavailable).
    FailedCommit(Landed),
    /// The append answers [`Full`](crate::AppendError::Full); the batch is gone.
    Full,
    /// Another writer took over just before: the append answers [`Fenced`](crate::AppendError::Fenced).
    Fenced,
    /// The append calls the hook of [`Faults::on_slow`] first, then succeeds.
    Slow,
    /// The append succeeds but is not durable until a later one is: a crash before that loses the tail.
    /// This breaks LOG-1 on purpose, as a disk that lies does, to see whether a test would notice.
    LostTail,
}

type SlowHook = Arc<dyn Fn(&LogName, u64) + Send + Sync>;

/// The plan of faults of a [`MemoryStore`](crate::MemoryStore): a handle which all its logs share.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Default)]
struct Plan {
    attempts: BTreeMap<LogName, u64>,
    planned: BTreeMap<(LogName, u64), Fault>,
    seeded: Option<Seeded>,
    slow_hook: Option<SlowHook>,
}

struct Seeded {
    seed: u64,
    one_in: NonZeroU32,
    faults: Vec<Fault>,
}

impl Faults {
    /// Plans a fault for an attempt to append to a log. Attempts are counted from 1, over all writers
    /// the log has had; what is refused before anything is tried does not count.
    pub fn at(&self, log: &LogName, attempt: u64, fault: Fault) {
        self.plan().planned.insert((log.clone(), attempt), fault);
    }

    /// Plans a fault for the next attempt to append to a log.
    pub fn next(&self, log: &LogName, fault: Fault) {
        self.at(log, self.attempts(log) + 1, fault);
    }

    /// Lets about one attempt in `one_in` meet one of `faults`, chosen by the seed, the log's name and the
    /// number of the attempt. What was planned for an attempt goes before this.
    pub fn seeded(&self, seed: u64, one_in: NonZeroU32, faults: Vec<Fault>) {
        self.plan().seeded = Some(Seeded { seed, one_in, faults });
    }

    /// Sets what a slow append calls: with the log's name and the number of the attempt.
    pub fn on_slow(&self, hook: impl Fn(&LogName, u64) + Send + Sync + 'static) {
        self.plan().slow_hook = Some(Arc::new(hook));
    }

    /// Forgets all planned and seeded faults; the counts of attempts and the hook stay.
    pub fn clear(&self) {
        let mut plan = self.plan();
        plan.planned.clear();
        plan.seeded = None;
    }

    /// How many times an append to the log was tried.
    pub fn attempts(&self, log: &LogName) -> u64 {
        self.plan().attempts.get(log).copied().unwrap_or(0)
    }

    /// Counts an attempt and answers what befalls it. The hook of a slow one runs here, without a lock,
    /// so that it may plan further faults.
    pub(crate) fn befall(&self, log: &LogName) -> Option<Fault> {
        let (attempt, fault, slow_hook) = {
            let mut plan = self.plan();
            let count = plan.attempts.entry(log.clone()).or_insert(0);
            *count += 1;
            let attempt = *count;
            let planned = plan.planned.remove(&(log.clone(), attempt));
            let fault = planned.or_else(|| plan.seeded.as_ref()?.draw(log, attempt));
            (attempt, fault, plan.slow_hook.clone())
        };
        if let (Some(Fault::Slow), Some(hook)) = (fault, slow_hook) {
            hook(log, attempt);
        }
        fault
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // A thread that panicked elsewhere leaves a plan that is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("planned", &self.plan().planned).finish_non_exhaustive()
    }
}

impl Seeded {
    fn draw(&self, log: &LogName, attempt: u64) -> Option<Fault> {
        let name = log.as_str().bytes().fold(self.seed, |mixed, byte| mix(mixed ^ u64::from(byte)));
        let drawn = mix(name ^ attempt);
        let one_in = u64::from(self.one_in.get());
        if !drawn.is_multiple_of(one_in) {
            return None;
        }
        let choices = u64::try_from(self.faults.len()).ok()?;
        let chosen = (drawn / one_in).checked_rem(choices)?;
        self.faults.get(usize::try_from(chosen).ok()?).copied()
    }
}

/// Spreads the bits of a number over all 64 (the finaliser of the SplitMix64 generator).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, log: &str) -> Vec<Option<Fault>> {
        let faults = Faults::default();
        let one_in = NonZeroU32::new(4).expect("4 is not 0");
        faults.seeded(seed, one_in, vec![Fault::Full, Fault::FailedCommit(Landed::Durable)]);
        let log = LogName::new(log).expect("a good name");
        (0..400).map(|_| faults.befall(&log)).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_faults() {
        assert_eq!(draws(7, "partition-0"), draws(7, "partition-0"));
        assert_ne!(draws(7, "partition-0"), draws(8, "partition-0"));
        assert_ne!(draws(7, "partition-0"), draws(7, "partition-1"));
    }

    #[test]
    fn a_seed_gives_about_the_asked_share_of_each_fault() {
        let drawn = draws(7, "partition-0");
        for fault in [Fault::Full, Fault::FailedCommit(Landed::Durable)] {
            let count = drawn.iter().filter(|each| **each == Some(fault)).count();
            assert!((30..70).contains(&count), "{fault:?}: {count} of 400, not about 50");
        }
    }

    #[test]
    fn a_planned_fault_befalls_its_attempt_alone() {
        let faults = Faults::default();
        let log = LogName::new("control").expect("a good name");
        faults.at(&log, 2, Fault::Full);
        let met: Vec<_> = (0..3).map(|_| faults.befall(&log)).collect();
        assert_eq!(met, [None, Some(Fault::Full), None]);
        assert_eq!(faults.attempts(&log), 3);
    }
}
