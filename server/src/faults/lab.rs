//! Which faults strike which calls.
//!
//! Each rule counts the calls of its operation by itself, and the draw of a call depends on the rule's seed, the rule's
//! position and the call's number alone: calls that come at the same time may be numbered in any order, but always the
//! same numbers are struck. All rules that strike a call apply: delays add up, the most unprocessed records count, and
//! of what ends a call the first in the order of the rules.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use souk_core::catalog::{Fault, FaultCalls, FaultRule};
use souk_core::ids::SandboxName;

/// The only operation that answers unprocessed records.
const BATCH: &str = "BatchMeterUsage";

/// The counters of every sandbox that has faults.
#[derive(Default)]
pub struct FaultLab {
    sandboxes: DashMap<SandboxName, Counted>,
}

/// The rules of a sandbox, and what each has done. The rules are held, so that no others can come to lie where they
/// lay: being the same is being at the same place.
#[derive(Default)]
struct Counted {
    rules: Arc<[FaultRule]>,
    counts: Vec<Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    calls: u64,
    struck: u64,
}

/// A rule, and what it has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultCount {
    /// The rule.
    pub rule: FaultRule,
    /// Calls of its operation.
    pub calls: u64,
    /// Calls that it struck, also where another rule ended the call first.
    pub struck: u64,
}

/// What strikes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Struck {
    /// How late it is carried out.
    pub late: Duration,
    /// How many records, from the first one, are left unprocessed.
    pub unprocessed: usize,
    /// How it ends, if not as usual.
    pub end: Option<End>,
}

/// How a call ends that a fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is throttled.
    Throttled,
    /// The service fails.
    Failed,
    /// A token expired.
    Expired,
    /// Nothing is done, and the connection cut.
    CutBefore,
    /// It is carried out, and the connection cut.
    CutAfter,
}

impl FaultLab {
    /// Counts a call, and says what strikes it. `current` reads the rules as they stand: it is asked while nobody
    /// else counts, so that a call that comes late cannot bring rules back that were replaced meanwhile.
    pub fn strike(
        &self,
        sandbox: &SandboxName,
        operation: &str,
        current: impl FnOnce() -> Option<Arc<[FaultRule]>>,
    ) -> Struck {
        let entry = self.sandboxes.entry(sandbox.clone());
        match current() {
            Some(rules) => entry.or_default().of(rules).strike(operation),
            None => Struck::default(),
        }
    }

    /// The rules as they stand, and what each has done.
    pub fn counts(
        &self,
        sandbox: &SandboxName,
        current: impl FnOnce() -> Option<Arc<[FaultRule]>>,
    ) -> Vec<FaultCount> {
        let entry = self.sandboxes.entry(sandbox.clone());
        let Some(rules) = current() else { return Vec::new() };
        let mut counted = entry.or_default();
        let Counted { rules, counts } = counted.of(rules);
        let count = |(rule, count): (&FaultRule, &Count)| FaultCount {
            rule: rule.clone(),
            calls: count.calls,
            struck: count.struck,
        };
        rules.iter().zip(counts).map(|(rule, counted)| count((rule, counted))).collect()
    }

    /// Forgets a sandbox that is no more.
    pub fn forget(&self, sandbox: &SandboxName) {
        self.sandboxes.remove(sandbox);
    }
}

impl Counted {
    /// The counters of these rules; they begin anew when the rules are others.
    fn of(&mut self, rules: Arc<[FaultRule]>) -> &mut Counted {
        if !Arc::ptr_eq(&self.rules, &rules) {
            *self = Counted { counts: vec![Count::default(); rules.len()], rules };
        }
        self
    }

    fn strike(&mut self, operation: &str) -> Struck {
        let mut struck = Struck::default();
        for (position, (rule, count)) in (0_u64..).zip(self.rules.iter().zip(&mut self.counts)) {
            if !is_about(rule, operation) {
                continue;
            }
            count.calls += 1;
            if strikes(rule, position, count.calls) {
                count.struck += 1;
                struck.add(rule.fault);
            }
        }
        struck
    }
}

fn is_about(rule: &FaultRule, operation: &str) -> bool {
    match (&rule.operation, rule.fault) {
        (Some(named), _) => named == operation,
        (None, Fault::UnprocessedRecords(_)) => operation == BATCH,
        (None, _) => true,
    }
}

fn strikes(rule: &FaultRule, position: u64, call: u64) -> bool {
    match rule.calls {
        FaultCalls::All => true,
        FaultCalls::Nth(nth) => call == u64::from(nth),
        FaultCalls::PerMillion(parts) => draw(rule.seed ^ position.rotate_right(16), call) < parts,
    }
}

/// A number below a million for a call: a step of splitmix64, which mixes neighbours well.
fn draw(seed: u64, call: u64) -> u32 {
    let mut mixed = seed.wrapping_add(call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // The product's upper half is below a million.
    ((u128::from(mixed) * 1_000_000) >> 64) as u32
}

impl Struck {
    fn add(&mut self, fault: Fault) {
        let end = match fault {
            Fault::Latency(micros) => {
                self.late += Duration::from_micros(u64::try_from(micros).unwrap_or(0));
                return;
            }
            Fault::UnprocessedRecords(records) => {
                let records = records.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
                self.unprocessed = self.unprocessed.max(records);
                return;
            }
            Fault::Throttle => End::Throttled,
            Fault::InternalError => End::Failed,
            Fault::ExpiredToken => End::Expired,
            Fault::CutBeforeCommit => End::CutBefore,
            Fault::CutAfterCommit => End::CutAfter,
        };
        self.end.get_or_insert(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(operation: &str, calls: FaultCalls, fault: Fault) -> FaultRule {
        let operation = (!operation.is_empty()).then(|| operation.to_owned());
        FaultRule { operation, calls, seed: 7, fault }
    }

    /// A lab of one sandbox, whose rules are set as a test likes.
    struct One(FaultLab, Arc<[FaultRule]>);

    impl One {
        fn with(rules: Vec<FaultRule>) -> One {
            One(FaultLab::default(), rules.into())
        }

        fn call(&self, operation: &str) -> Struck {
            self.0.strike(&SandboxName::new("one"), operation, || Some(self.1.clone()))
        }

        /// How so many calls of BatchMeterUsage end.
        fn ends(&self, calls: usize) -> Vec<Option<End>> {
            (0..calls).map(|_| self.call(BATCH).end).collect()
        }

        fn counts(&self) -> Vec<(u64, u64)> {
            let counts = self.0.counts(&SandboxName::new("one"), || Some(self.1.clone()));
            counts.iter().map(|count| (count.calls, count.struck)).collect()
        }
    }

    #[test]
    fn each_kind_does_its_own() {
        let second = Duration::from_secs(1);
        let end = |end| Struck { end: Some(end), ..Struck::default() };
        for (fault, expected) in [
            (Fault::Throttle, end(End::Throttled)),
            (Fault::InternalError, end(End::Failed)),
            (Fault::ExpiredToken, end(End::Expired)),
            (Fault::CutBeforeCommit, end(End::CutBefore)),
            (Fault::CutAfterCommit, end(End::CutAfter)),
            (Fault::Latency(1_000_000), Struck { late: second, ..Struck::default() }),
            (Fault::UnprocessedRecords(Some(3)), Struck { unprocessed: 3, ..Struck::default() }),
            (Fault::UnprocessedRecords(None), Struck { unprocessed: usize::MAX, ..Struck::default() }),
        ] {
            let one = One::with(vec![rule("", FaultCalls::All, fault)]);
            assert_eq!(one.call(BATCH), expected, "{fault:?}");
        }
        assert_eq!(One::with(Vec::new()).call(BATCH), Struck::default());
    }

    #[test]
    fn the_nth_call_of_the_operation_alone_is_struck() {
        let one = One::with(vec![
            rule(BATCH, FaultCalls::Nth(3), Fault::Throttle),
            rule("", FaultCalls::Nth(3), Fault::InternalError),
            rule("MeterUsage", FaultCalls::Nth(1), Fault::ExpiredToken),
        ]);
        assert_eq!(one.call("ResolveCustomer").end, None);
        assert_eq!(one.ends(4), [None, Some(End::Failed), Some(End::Throttled), None]);
        assert_eq!(one.call("MeterUsage").end, Some(End::Expired));
        assert_eq!(one.counts(), [(4, 1), (6, 1), (1, 1)]);
    }

    #[test]
    fn unprocessed_records_are_of_batches_alone() {
        let all = FaultCalls::All;
        let one = One::with(vec![rule("", all, Fault::UnprocessedRecords(Some(1)))]);
        assert_eq!(one.call("MeterUsage"), Struck::default());
        assert_eq!(one.call(BATCH).unprocessed, 1);
        assert_eq!(one.counts(), [(1, 1)]);
    }

    #[test]
    fn all_that_strike_apply_and_the_first_end_wins() {
        let all = FaultCalls::All;
        let one = One::with(vec![
            rule("", all, Fault::Latency(2)),
            rule("", all, Fault::UnprocessedRecords(Some(2))),
            rule("", FaultCalls::Nth(2), Fault::CutAfterCommit),
            rule("", all, Fault::Throttle),
            rule("", all, Fault::Latency(3)),
            rule("", all, Fault::UnprocessedRecords(Some(1))),
        ]);
        let struck = |end| Struck { late: Duration::from_micros(5), unprocessed: 2, end: Some(end) };
        assert_eq!(one.call(BATCH), struck(End::Throttled));
        assert_eq!(one.call(BATCH), struck(End::CutAfter));
        assert_eq!(one.counts(), [(2, 2), (2, 2), (2, 1), (2, 2), (2, 2), (2, 2)]);
    }

    #[test]
    fn a_seed_strikes_the_same_calls_and_about_as_many_as_it_says() {
        let drawn = |seed, parts| {
            let calls = FaultCalls::PerMillion(parts);
            One::with(vec![FaultRule { seed, ..rule("", calls, Fault::Throttle) }]).ends(1_000)
        };
        let struck = |ends: &[Option<End>]| ends.iter().flatten().count();
        assert_eq!(drawn(1, 300_000), drawn(1, 300_000));
        assert_ne!(drawn(1, 300_000), drawn(2, 300_000));
        for seed in 0..20 {
            let count = struck(&drawn(seed, 300_000));
            assert!((240..360).contains(&count), "seed {seed}: {count} of 1000");
        }
        assert_eq!((struck(&drawn(9, 0)), struck(&drawn(9, 1_000_000))), (0, 1_000));
        // What a smaller probability strikes, a larger one with the same seed strikes, too.
        let (small, large) = (drawn(3, 100_000), drawn(3, 400_000));
        assert!(small.iter().zip(&large).all(|(small, large)| small.is_none() || large.is_some()));
        assert!((0..u64::MAX).step_by(usize::MAX / 1_000).all(|n| draw(n, n) < 1_000_000));
    }

    #[test]
    fn rules_without_seeds_of_their_own_strike_each_its_own_calls() {
        let half = |fault| rule(BATCH, FaultCalls::PerMillion(500_000), fault);
        let ends = One::with(vec![half(Fault::Throttle), half(Fault::InternalError)]).ends(1_000);
        let second = ends.iter().filter(|end| **end == Some(End::Failed)).count();
        assert!((180..320).contains(&second), "{second} of 1000, where the first rule does not strike");
    }

    #[test]
    fn concurrent_calls_are_struck_as_often_as_calls_one_by_one() {
        let rules = || vec![rule("", FaultCalls::PerMillion(250_000), Fault::Throttle)];
        let (together, alone) = (One::with(rules()), One::with(rules()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| together.ends(100));
            }
        });
        alone.ends(800);
        assert_eq!(together.counts(), alone.counts());
    }

    #[test]
    fn rules_that_are_set_anew_count_anew_and_sandboxes_that_are_gone_are_forgotten() {
        let rules = || vec![rule("", FaultCalls::Nth(2), Fault::Throttle)];
        let mut one = One::with(rules());
        assert_eq!(one.ends(3), [None, Some(End::Throttled), None]);
        one.1 = rules().into();
        assert_eq!(one.counts(), [(0, 0)]);
        assert_eq!(one.ends(3), [None, Some(End::Throttled), None]);
        one.1 = Arc::default();
        assert_eq!((one.ends(1), one.counts()), (vec![None], Vec::new()));

        let name = SandboxName::new("one");
        one.0.forget(&name);
        assert!(one.0.sandboxes.is_empty());
        // A sandbox that there is not leaves nothing behind.
        assert_eq!(one.0.strike(&name, BATCH, || None), Struck::default());
        assert_eq!(one.0.counts(&name, || None), Vec::new());
        assert!(one.0.sandboxes.is_empty());
    }
}
