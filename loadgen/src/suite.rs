//! What Souk must reach, measured: every figure beside a baseline of the same run.
//!
//! | file | rows |
//! |---|---|
//! | [`doors`] | throughput and latency of each door, against a server that answers and keeps nothing |
//! | [`size`] | memory, cost against size, preview of the open month |
//! | [`kernels`] | what is measured in process: another program does that, because this crate uses the server only from outside |
//!
//! Each figure is taken in rounds, baseline and server in turn, and the median is shown: on a shared machine only
//! ratios of one run mean anything.

pub mod doors;
pub mod kernels;
pub mod packed;
pub mod size;

use std::fmt::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a suite is made of.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The server to start.
    pub soukd: PathBuf,
    /// This program, which serves as the baselines.
    pub own: PathBuf,
    /// The program that measures kernels in process.
    pub kernels: Option<PathBuf>,
    /// The program that serves baselines made of the server's own parts.
    pub baselines: Option<PathBuf>,
    /// Rounds of each figure.
    pub rounds: u32,
    /// How long a round measures, in seconds.
    pub seconds: f64,
    /// Only rows with this in their names.
    pub only: Option<String>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is measured.
    pub name: String,
    /// What was reached; none: it could not be measured, and the note says why.
    pub value: Option<f64>,
    /// In what.
    #[serde(default)]
    pub unit: String,
    /// What the baseline reached in the same run.
    pub baseline: Option<f64>,
    /// What the baseline is.
    #[serde(default)]
    pub baseline_is: String,
    /// The value over the baseline.
    pub ratio: Option<f64>,
    /// What must be reached.
    pub target: String,
    /// Whether it was; none: it was not measured, or has no target.
    pub met: Option<bool>,
    /// What is to be known about it.
    #[serde(default)]
    pub note: String,
}

/// The rows, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
}

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At least so many times the baseline.
    AtLeast(f64),
    /// At most so many times the baseline.
    AtMost(f64),
    /// At most so much, whatever the baseline.
    Below(f64),
    /// Nothing: it is there to be seen.
    Shown,
}

impl Target {
    /// Whether it is met.
    #[must_use]
    pub fn is_met(self, value: f64, baseline: f64) -> Option<bool> {
        match self {
            Target::AtLeast(ratio) => Some(ratio * baseline <= value),
            Target::AtMost(ratio) => Some(value <= ratio * baseline),
            Target::Below(limit) => Some(value < limit),
            Target::Shown => None,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Target::AtLeast(ratio) => format!(">= {ratio} x"),
            Target::AtMost(ratio) => format!("<= {ratio} x"),
            Target::Below(limit) => format!("< {limit} {unit}"),
            Target::Shown => String::new(),
        }
    }
}

impl Row {
    /// A row that was measured, round by round: pairs of value and baseline.
    #[must_use]
    pub fn measured(name: &str, unit: &str, baseline_is: &str, target: Target, rounds: &[(f64, f64)]) -> Row {
        let ratio = median(rounds.iter().map(|(value, baseline)| value / baseline));
        // The round in the middle, so that value, baseline and ratio belong together.
        let distance = |pair: &&(f64, f64)| ((pair.0 / pair.1 - ratio).abs() * 1e9) as u64;
        let (value, baseline) = rounds.iter().min_by_key(distance).copied().unwrap_or_default();
        Row {
            name: name.to_owned(),
            value: Some(value),
            unit: unit.to_owned(),
            baseline: Some(baseline),
            baseline_is: baseline_is.to_owned(),
            ratio: Some(value / baseline),
            target: target.text(unit),
            met: target.is_met(value, baseline),
            note: String::new(),
        }
    }

    /// A row that could not be measured.
    #[must_use]
    pub fn missing(name: &str, target: Target, why: &str) -> Row {
        Row {
            name: name.to_owned(),
            value: None,
            unit: String::new(),
            baseline: None,
            baseline_is: String::new(),
            ratio: None,
            target: target.text(""),
            met: None,
            note: format!("not measured: {why}"),
        }
    }

    /// The same row with a note.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Row {
        self.note = note.into();
        self
    }
}

impl Suite {
    /// Whether a row is asked for.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// Measures everything, and shows rows as they come. What fails is a row that says why.
    pub async fn measure(&self, mut show: impl FnMut(&Row)) -> Rows {
        let mut rows = Rows::default();
        let mut take = |found: Vec<Row>| {
            for row in found {
                show(&row);
                rows.rows.push(row);
            }
        };
        for group in doors::GROUPS {
            if self.wants(group.name) {
                let found = (group.measure)(self).await;
                take(found.unwrap_or_else(|error| {
                    vec![Row::missing(group.name, group.target, &format!("{error:#}"))]
                }));
            }
        }
        for group in size::GROUPS {
            if self.wants(group.name) {
                let found = (group.measure)(self).await;
                take(found.unwrap_or_else(|error| {
                    vec![Row::missing(group.name, group.target, &format!("{error:#}"))]
                }));
            }
        }
        if self.wants("kernels") {
            take(kernels::measure(self).await);
        }
        rows
    }
}

/// Rows that are measured together, because they share a baseline.
pub struct Group {
    /// What they are called together.
    pub name: &'static str,
    /// Their target, when nothing could be measured.
    pub target: Target,
    /// Measures them.
    pub measure: for<'a> fn(&'a Suite) -> Measuring<'a>,
}

/// A measurement on its way.
pub type Measuring<'a> = std::pin::Pin<Box<dyn Future<Output = anyhow::Result<Vec<Row>>> + 'a>>;

/// A line of the table for a terminal.
#[must_use]
pub fn line(row: &Row) -> String {
    let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), crate::report::svg::short);
    let met = match row.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
    let mut text = format!(
        "{:<52} {:>9} {:<10} {:>9} {:>6}  {:<9} {met}",
        row.name,
        number(row.value),
        row.unit,
        number(row.baseline),
        ratio,
        row.target
    );
    for words in [&row.baseline_is, &row.note].into_iter().filter(|words| !words.is_empty()) {
        let lead = if words == &row.baseline_is { "against " } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n    {lead}{words}");
    }
    text
}

/// The head of the table.
#[must_use]
pub fn head() -> String {
    format!("{:<52} {:>9} {:<10} {:>9} {:>6}  {:<9}", "", "value", "", "baseline", "ratio", "target")
}

/// The middle one; of an even number, the lower of the two.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_of_the_ratio_or_of_the_figure_itself() {
        for (target, value, baseline, met) in [
            (Target::AtLeast(0.6), 60.0, 100.0, Some(true)),
            (Target::AtLeast(0.6), 59.0, 100.0, Some(false)),
            (Target::AtMost(3.0), 300.0, 100.0, Some(true)),
            (Target::AtMost(3.0), 301.0, 100.0, Some(false)),
            (Target::Below(50.0), 49.0, 1.0, Some(true)),
            (Target::Below(50.0), 50.0, 1.0, Some(false)),
            (Target::Shown, 1.0, 1.0, None),
        ] {
            assert_eq!(target.is_met(value, baseline), met, "{target:?} {value}");
        }
    }

    #[test]
    fn the_round_in_the_middle_is_shown_whole() {
        let rounds = [(50.0, 100.0), (80.0, 100.0), (66.0, 110.0)];
        let row = Row::measured("x", "records/s", "nothing", Target::AtLeast(0.6), &rounds);
        assert_eq!((row.value, row.baseline, row.met), (Some(66.0), Some(110.0), Some(true)));
        let text = line(&row.noted("noisy"));
        assert!(text.contains(" 0.60  >= 0.6 x  met\n    against nothing\n    noisy"), "{text}");
    }

    #[test]
    fn what_was_not_measured_says_so_and_is_neither_met_nor_missed() {
        let row = Row::missing("x", Target::AtLeast(0.5), "the server is gone");
        assert_eq!((row.value, row.met), (None, None));
        assert!(line(&row).contains("not measured: the server is gone"));
        let json = serde_json::to_value(Rows { rows: vec![row] }).unwrap();
        for field in ["name", "value", "baseline", "ratio", "target", "met"] {
            assert!(json["rows"][0].get(field).is_some(), "{field}");
        }
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()).to_string(), "2");
        assert_eq!(median([4.0, 1.0].into_iter()).to_string(), "1");
        assert_eq!(median(std::iter::empty()).to_string(), "0");
    }
}
