//! When messages shall be sent: arrivals a second over time.
//!
//! ```text
//! constant:100k                    ────────────
//! step:50k,100k,200k/10s           ▁▁▁▄▄▄███      each rate for ten seconds, the last one on
//! ramp:10k-200k/30s                ▁▂▃▄▅▆▇███     in thirty seconds from one to the other, and on
//! sine:100k,50k/20s                ▄▆▇▆▄▂▁▂▄▆     a hundred thousand, give or take fifty, every twenty seconds
//! ```

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Halvings when a time is searched: less than a nanosecond of an hour is left.
const HALVINGS: u32 = 52;
/// A rate is at least one arrival in so many seconds.
const SECONDS_PER_ARRIVAL_MAX: f64 = 1_000_000.0;

/// Arrivals a second over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// One rate after another.
    Step {
        /// The rates.
        rates: Vec<f64>,
        /// How long each lasts, in seconds.
        hold: f64,
    },
    /// From one rate to another.
    Ramp {
        /// At the beginning.
        from: f64,
        /// In the end.
        to: f64,
        /// How long it takes, in seconds.
        over: f64,
    },
    /// Up and down.
    Sine {
        /// In the middle.
        mean: f64,
        /// How far it goes up and down.
        swing: f64,
        /// Seconds from one crest to the next.
        period: f64,
    },
}

impl Schedule {
    /// The same course with other numbers: a schedule of records becomes one of messages.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Schedule {
        match self {
            Schedule::Constant { rate } => Schedule::Constant { rate: rate * factor },
            Schedule::Step { rates, hold } => {
                Schedule::Step { rates: rates.iter().map(|rate| rate * factor).collect(), hold: *hold }
            }
            Schedule::Ramp { from, to, over } => {
                Schedule::Ramp { from: from * factor, to: to * factor, over: *over }
            }
            Schedule::Sine { mean, swing, period } => {
                Schedule::Sine { mean: mean * factor, swing: swing * factor, period: *period }
            }
        }
    }

    /// Arrivals a second at a time, in seconds from the beginning.
    #[must_use]
    pub fn rate(&self, time: f64) -> f64 {
        match self {
            Schedule::Constant { rate } => *rate,
            Schedule::Step { rates, hold } => {
                let step = (time / hold) as usize;
                rates.get(step).or_else(|| rates.last()).copied().unwrap_or_default()
            }
            Schedule::Ramp { from, to, over } => from + (to - from) * (time / over).min(1.0),
            Schedule::Sine { mean, swing, period } => mean + swing * (TAU * time / period).sin(),
        }
    }

    /// Arrivals from the beginning to a time.
    #[must_use]
    pub fn arrivals(&self, time: f64) -> f64 {
        match self {
            Schedule::Constant { rate } => rate * time,
            Schedule::Step { rates, hold } => {
                let step = ((time / hold) as usize).min(rates.len().saturating_sub(1));
                let before: f64 = rates.iter().take(step).map(|rate| rate * hold).sum();
                before + self.rate(step as f64 * hold) * (time - step as f64 * hold)
            }
            Schedule::Ramp { from, to, over } => {
                let on = time.min(*over);
                from * on + (to - from) * on * on / (2.0 * over) + to * (time - on)
            }
            Schedule::Sine { mean, swing, period } => {
                mean * time + swing * period / TAU * (1.0 - (TAU * time / period).cos())
            }
        }
    }

    /// When an arrival is due, counted from 0.
    #[must_use]
    pub fn time_of(&self, arrival: u64) -> Duration {
        let wanted = arrival as f64;
        if let Schedule::Constant { rate } = self {
            return Duration::from_secs_f64(wanted / rate);
        }
        // Arrivals only grow: the time is searched between two that lie on either side.
        let (mut low, mut high) = (0.0, 1.0);
        while self.arrivals(high) < wanted && high < SECONDS_PER_ARRIVAL_MAX {
            (low, high) = (high, high * 2.0);
        }
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if self.arrivals(middle) < wanted { low = middle } else { high = middle }
        }
        Duration::from_secs_f64(high)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant { rate } => write!(f, "constant:{rate}"),
            Schedule::Step { rates, hold } => {
                let rates: Vec<_> = rates.iter().map(f64::to_string).collect();
                write!(f, "step:{}/{hold}s", rates.join(","))
            }
            Schedule::Ramp { from, to, over } => write!(f, "ramp:{from}-{to}/{over}s"),
            Schedule::Sine { mean, swing, period } => write!(f, "sine:{mean},{swing}/{period}s"),
        }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Schedule, String> {
        let unclear = || {
            format!(
                "{text:?} is no schedule: write constant:100k, step:50k,100k/10s, ramp:10k-200k/30s or \
                 sine:100k,50k/20s"
            )
        };
        let (kind, rest) = text.split_once(':').unwrap_or(("constant", text));
        if kind == "constant" {
            return Ok(Schedule::Constant { rate: number(rest)? });
        }
        let (rates, time) = rest.split_once('/').ok_or_else(unclear)?;
        let time = seconds(time)?;
        match kind {
            "step" => {
                let rates = rates.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
                Ok(Schedule::Step { rates, hold: time })
            }
            "ramp" => {
                let (from, to) = rates.split_once('-').ok_or_else(unclear)?;
                Ok(Schedule::Ramp { from: number(from)?, to: number(to)?, over: time })
            }
            "sine" => {
                let (mean, swing) = rates.split_once(',').ok_or_else(unclear)?;
                let (mean, swing) = (number(mean)?, number(swing)?);
                match swing < mean {
                    true => Ok(Schedule::Sine { mean, swing, period: time }),
                    false => Err(format!("{text:?} goes below zero: swing by less than the mean")),
                }
            }
            _ => Err(unclear()),
        }
    }
}

/// Reads a positive number such as 250, 100k or 1.5M.
///
/// # Errors
/// In words, when it is none.
pub fn number(text: &str) -> Result<f64, String> {
    let (digits, factor) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 1e3),
        Some((end, 'm' | 'M')) => (&text[..end], 1e6),
        Some((end, 'g' | 'G')) => (&text[..end], 1e9),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok().map(|number| number * factor);
    let number = number.filter(|number| number.is_finite() && 0.0 < *number);
    number.ok_or_else(|| format!("{text:?} is no rate: give a positive number such as 250, 100k or 1.5M"))
}

/// Reads a positive time such as 500us, 5ms, 10s or 2m; without a unit, seconds.
///
/// # Errors
/// In words, when it is none.
pub fn seconds(text: &str) -> Result<f64, String> {
    let units = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
        ("", 1.0),
    ];
    let found = units.iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    });
    let found = found.filter(|seconds| seconds.is_finite() && 0.0 < *seconds);
    found.ok_or_else(|| {
        format!("{text:?} is no time: give a positive number with a unit, such as 500us, 5ms or 10s")
    })
}

/// The same as a duration, for the command line.
///
/// # Errors
/// In words, when it is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds(text)?).map_err(|_| format!("{text:?} is too long a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedules() -> Vec<Schedule> {
        ["constant:1k", "step:100,500,200/2s", "ramp:10-1000/5s", "sine:300,250/4s"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    #[test]
    fn schedules_are_read_and_written() {
        for (text, written) in [
            ("100k", "constant:100000"),
            ("constant:1.5M", "constant:1500000"),
            ("step:50,100/500ms", "step:50,100/0.5s"),
            ("ramp:10-20/1m", "ramp:10-20/60s"),
            ("sine:100,50/20s", "sine:100,50/20s"),
        ] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.to_string(), written);
            assert_eq!(written.parse::<Schedule>().unwrap(), schedule);
        }
        for wrong in
            ["", "0", "-5", "saw:1/2s", "step:1,2", "ramp:1/2s", "sine:10,10/1s", "constant:inf", "1k/s"]
        {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn arrivals_are_the_sum_of_the_rate() {
        for schedule in schedules() {
            let mut sum = 0.0;
            for step in 0..100_000 {
                sum += schedule.rate((f64::from(step) + 0.5) / 10_000.0) / 10_000.0;
            }
            let said = schedule.arrivals(10.0);
            assert!((sum - said).abs() < said / 10_000.0, "{schedule}: {sum} and {said}");
        }
    }

    #[test]
    fn arrivals_come_in_order_at_the_time_at_which_so_many_are_due() {
        for schedule in schedules() {
            let mut last = Duration::ZERO;
            for arrival in 0..3_000 {
                let time = schedule.time_of(arrival);
                assert!(last <= time, "{schedule}, {arrival}");
                let due = schedule.arrivals(time.as_secs_f64());
                assert!((due - arrival as f64).abs() < 1e-3, "{schedule}, {arrival}: {due}");
                last = time;
            }
        }
        let step: Schedule = "step:100,500/2s".parse().unwrap();
        assert_eq!([100, 200, 700].map(|n| step.time_of(n).as_millis()), [1_000, 2_000, 3_000]);
    }

    #[test]
    fn times_have_units() {
        for (text, expected) in
            [("500us", 500_000), ("5ms", 5_000_000), ("2", 2_000_000_000), ("3m", 180_000_000_000)]
        {
            assert_eq!(duration(text).unwrap().as_nanos(), expected);
        }
        for wrong in ["", "0s", "5 days", "-1s", "ms"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
