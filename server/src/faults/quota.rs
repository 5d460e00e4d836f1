//! AWS's own quotas: calls a second of an account, in a region, of an operation.

use dashmap::DashMap;
use souk_core::ids::{AccountId, Region, SandboxName};
use souk_core::time::Timestamp;

/// Calls a second; what is not here has no published quota.
const QUOTAS: [(&str, i64); 3] = [("BatchMeterUsage", 10), ("MeterUsage", 10), ("RegisterUsage", 5)];
const SECOND_MICROS: i64 = 1_000_000;
/// Buckets at most: far more than accounts call within a second.
const BUCKETS_MAX: usize = 10_000;

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spender {
    /// The sandbox.
    pub sandbox: SandboxName,
    /// The account; callers that nothing identifies share one quota.
    pub account: Option<AccountId>,
    /// The region.
    pub region: Region,
    /// The operation.
    pub operation: &'static str,
}

/// The buckets of tokens: each call takes one, and they come back evenly. A bucket holds what a second brings.
#[derive(Default)]
pub struct Quotas {
    /// When the bucket will be full again, in microseconds: one number says how many tokens are out.
    full_at: DashMap<Spender, i64>,
}

impl Quotas {
    /// Whether a call is within its quota; if so it is counted. `now` is the machine's time.
    pub fn admit(&self, spender: Spender, now: Timestamp) -> bool {
        let Some((_, rate)) = QUOTAS.iter().find(|(operation, _)| *operation == spender.operation) else {
            return true;
        };
        let now = now.micros();
        self.make_room(now);
        let mut full_at = self.full_at.entry(spender).or_insert(now);
        let latest = now.saturating_add(SECOND_MICROS);
        // A bucket that is full later than a second from now was filled before the machine's clock was set back.
        let begin = if *full_at > latest { now } else { now.max(*full_at) };
        let after = begin.saturating_add(SECOND_MICROS / rate);
        let admitted = after <= latest;
        if admitted {
            *full_at = after;
        }
        admitted
    }

    /// Forgets what was spent in a sandbox.
    pub fn forget(&self, sandbox: &SandboxName) {
        self.full_at.retain(|spender, _| spender.sandbox != *sandbox);
    }

    /// A full bucket is as good as none. When even those that are not full are too many, all are filled.
    fn make_room(&self, now: i64) {
        if self.full_at.len() >= BUCKETS_MAX {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() > BUCKETS_MAX / 2 {
                self.full_at.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = "BatchMeterUsage";
    const NOON: i64 = 43_200 * SECOND_MICROS;

    fn spender(operation: &'static str) -> Spender {
        let (sandbox, region) = (SandboxName::new("one"), Region::new("us-east-1"));
        Spender { sandbox, account: None, region, operation }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    /// How many of a hundred calls at this time are admitted.
    fn admitted(quotas: &Quotas, spender: &Spender, micros: i64) -> usize {
        (0..100).filter(|_| quotas.admit(spender.clone(), at(micros))).count()
    }

    #[test]
    fn a_second_brings_what_the_quota_says_and_no_more_is_saved() {
        for (operation, rate) in [(BATCH, 10), ("MeterUsage", 10), ("RegisterUsage", 5)] {
            let (quotas, spender) = (Quotas::default(), spender(operation));
            for (micros, expected) in [
                (0, rate),
                (99_999, 0),
                (600_000, rate * 6 / 10),
                (SECOND_MICROS, rate * 4 / 10),
                (60 * SECOND_MICROS, rate),
                // The machine's clock is set back by a minute.
                (0, rate),
                (SECOND_MICROS, rate),
            ] {
                assert_eq!(admitted(&quotas, &spender, NOON + micros), expected, "{operation} at {micros}");
            }
        }
    }

    #[test]
    fn what_has_no_published_quota_has_none() {
        for operation in ["ResolveCustomer", "GetEntitlements"] {
            assert_eq!(admitted(&Quotas::default(), &spender(operation), NOON), 100);
        }
    }

    #[test]
    fn sandboxes_accounts_regions_and_operations_have_their_own() {
        let quotas = Quotas::default();
        let account = AccountId::parse("111111111111");
        for spender in [
            spender(BATCH),
            spender("MeterUsage"),
            Spender { account, ..spender(BATCH) },
            Spender { region: Region::new("eu-west-1"), ..spender(BATCH) },
            Spender { sandbox: SandboxName::new("two"), ..spender(BATCH) },
        ] {
            assert_eq!(admitted(&quotas, &spender, NOON), 10, "{spender:?}");
        }
    }

    #[test]
    fn buckets_never_become_too_many() {
        let quotas = Quotas::default();
        for n in 0..3 * BUCKETS_MAX {
            let region = Region::new(&format!("region-{n}"));
            assert!(quotas.admit(Spender { region, ..spender(BATCH) }, at(NOON)));
            assert!(quotas.full_at.len() <= BUCKETS_MAX);
        }
        // A second later all are full again, and go when there is no room.
        quotas.make_room(NOON + SECOND_MICROS);
        assert!(quotas.full_at.len() <= BUCKETS_MAX);
    }
}
