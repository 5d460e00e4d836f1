//! The search for the highest rate that keeps a latency target.
//!
//! The rate is doubled until it fails, or halved until it holds; then the bracket is halved until its ends are
//! close. Latency is noisy: a rate is decided when two of at most three trials agree.
//!
//! ```text
//! 10k ✓✓  20k ✓✓  40k ✓✗✓  80k ✗✗  | 56k ✗✗  47k ✓✓  52k ✗✗  49k ✓✓   → 49k
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::schedule;

/// Trials that must agree.
const AGREE: u32 = 2;
/// Rates that are tried at most.
const RATES_MAX: u32 = 30;
/// Rates that fail, one half of the other, before it is clear that none holds.
const HALVINGS_MAX: u32 = 8;

/// A latency that a share of the messages must not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The share: 0.99 for p99.
    pub quantile: f64,
    /// The latency.
    pub latency: Duration,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let unclear = || format!("{text:?} is no target: write a percentile and a time, such as p99=5ms");
        let (percentile, latency) = text.split_once('=').ok_or_else(unclear)?;
        let percent: f64 = percentile.strip_prefix('p').and_then(|p| p.parse().ok()).ok_or_else(unclear)?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(unclear());
        }
        Ok(Target { quantile: percent / 100.0, latency: schedule::duration(latency)? })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}={:?}", self.quantile * 100.0, self.latency)
    }
}

/// A search on its way.
#[derive(Debug, Clone)]
pub struct Search {
    precision: f64,
    /// The highest rate that held.
    holds: Option<f64>,
    /// The lowest rate that failed.
    fails: Option<f64>,
    rate: f64,
    held: u32,
    failed: u32,
    rates: u32,
}

impl Search {
    /// Begins at a rate, and ends when the bracket is as close as `precision`: 0.03 for three percent.
    #[must_use]
    pub fn new(rate: f64, precision: f64) -> Search {
        Search { precision, holds: None, fails: None, rate, held: 0, failed: 0, rates: 0 }
    }

    /// The rate to try next; none when the search is over.
    #[must_use]
    pub fn next(&self) -> Option<f64> {
        let is_close = match (self.holds, self.fails) {
            (Some(holds), Some(fails)) => fails <= holds * (1.0 + self.precision),
            _ => false,
        };
        let holds_nothing = self.holds.is_none() && HALVINGS_MAX <= self.rates;
        (!is_close && !holds_nothing && self.rates < RATES_MAX).then_some(self.rate)
    }

    /// Notes whether the target was kept at that rate.
    pub fn note(&mut self, kept: bool) {
        match kept {
            true => self.held += 1,
            false => self.failed += 1,
        }
        if self.held == AGREE {
            self.holds = Some(self.rate);
        } else if self.failed == AGREE {
            self.fails = Some(self.rate);
        } else {
            return;
        }
        (self.held, self.failed, self.rates) = (0, 0, self.rates + 1);
        self.rate = match (self.holds, self.fails) {
            (Some(holds), None) => holds * 2.0,
            (None, Some(fails)) => fails / 2.0,
            (Some(holds), Some(fails)) => (holds * fails).sqrt(),
            (None, None) => self.rate,
        };
    }

    /// The highest rate that held, so far.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        self.holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches in a world that holds up to a limit; every seventh trial errs.
    fn found(begin: f64, limit: f64, errs: bool) -> (Option<f64>, u32) {
        let mut search = Search::new(begin, 0.03);
        let mut trials = 0;
        while let Some(rate) = search.next() {
            trials += 1;
            let errs = errs && trials % 7 == 0;
            search.note((rate <= limit) != errs);
        }
        (search.best(), trials)
    }

    #[test]
    fn the_highest_rate_is_found_from_below_and_from_above_also_with_noise() {
        for begin in [1_000.0, 10_000.0, 1_000_000.0] {
            for errs in [false, true] {
                let (best, trials) = found(begin, 47_000.0, errs);
                let best = best.unwrap();
                assert!((47_000.0 / 1.031..=47_000.0).contains(&best), "{begin}: {best}");
                assert!(trials < 60, "{trials} trials");
            }
        }
    }

    #[test]
    fn a_search_ends_also_where_everything_holds_or_nothing() {
        assert!(found(1.0, f64::INFINITY, false).0.unwrap() > 1e8);
        assert_eq!(found(1.0, 0.0, false), (None, 16));
    }

    #[test]
    fn targets_are_read() {
        let target: Target = "p99.9=500us".parse().unwrap();
        assert!((target.quantile - 0.999).abs() < 1e-9);
        assert_eq!(target.latency, Duration::from_micros(500));
        for wrong in ["", "99=5ms", "p99", "p101=5ms", "p99=fast"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
