//! `souk-kernels`: what of the suite is measured in process, because `souk-load` knows the server only from outside.
//! It prints one JSON object of rows, which `souk-load suite` takes over:
//!
//! ```text
//! {"rows": [{"name": ..., "value": ..., "unit": ..., "baseline": ..., "baseline_is": ..., "ratio": ..., "target": ...,
//!            "met": ..., "note": ...}]}
//! ```
//!
//! A kernel is one file and one line in [`KERNELS`]; named, it is measured alone. `souk-kernels plot` prints what a
//! record costs by the number of series, for `plot.py`.

mod apply;
mod log;
mod restart;
mod sizes;
mod stop;

use serde::Serialize;

/// Rounds of each figure; one more warms up.
const ROUNDS: usize = 7;

/// Measures rows.
type Kernel = fn() -> anyhow::Result<Vec<Row>>;

/// Every kernel, by its name.
const KERNELS: [(&str, Kernel); 5] = [
    ("log", log::rows),
    ("apply", apply::rows),
    ("sizes", sizes::rows),
    ("restart", restart::rows),
    ("stop", stop::rows),
];

/// A row of the suite's table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    baseline: f64,
    baseline_is: &'static str,
    ratio: f64,
    target: String,
    met: Option<bool>,
    note: String,
}

/// What a row is about.
#[derive(Debug, Clone, Copy)]
struct About {
    name: &'static str,
    unit: &'static str,
    baseline_is: &'static str,
    /// The value must be at least so many times the baseline.
    at_least: Option<f64>,
}

fn main() -> anyhow::Result<()> {
    let wanted = std::env::args().nth(1);
    if wanted.as_deref() == Some("plot") {
        sizes::print_all();
        return Ok(());
    }
    let mut rows = Vec::new();
    for (name, kernel) in KERNELS {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            rows.extend(kernel()?);
        }
    }
    println!("{}", serde_json::json!({ "rows": rows }));
    Ok(())
}

impl Row {
    /// Of pairs of value and baseline, round by round: the round whose ratio is the median.
    fn measured(about: About, mut rounds: Vec<(f64, f64)>) -> Row {
        rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
        let ratio = |pair: Option<&(f64, f64)>| pair.map_or(0.0, |(value, baseline)| value / baseline);
        let (least, most) = (ratio(rounds.first()), ratio(rounds.last()));
        let (value, baseline) = rounds.get(rounds.len() / 2).copied().unwrap_or_default();
        Row {
            name: about.name,
            value,
            unit: about.unit,
            baseline,
            baseline_is: about.baseline_is,
            ratio: value / baseline,
            target: about.at_least.map(|ratio| format!(">= {ratio} x")).unwrap_or_default(),
            met: about.at_least.map(|ratio| ratio * baseline <= value),
            note: format!("the median of {} rounds, of {least:.2} to {most:.2} x", rounds.len()),
        }
    }
}

/// The one in the middle; 0 of none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
