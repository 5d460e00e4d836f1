//! Two runs side by side.

use std::fmt::Write;

use super::Report;
use super::html::{curves, page, percent, short_time, table};
use super::svg::{Plot, Scale, ScaleKind, escape, short};
use super::text::{count, time};

/// A measure of both runs.
#[derive(Debug, Clone)]
pub struct Row {
    /// What.
    pub name: &'static str,
    /// Of the first run.
    pub first: f64,
    /// Of the second.
    pub second: f64,
    /// Whether more is better.
    pub more_is_better: bool,
    /// How it is written.
    pub text: fn(f64) -> String,
}

impl Row {
    /// The second over the first; none when the first is nothing.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.first != 0.0).then(|| self.second / self.first)
    }
}

/// The measures that both runs have.
#[must_use]
pub fn rows(first: &Report, second: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name, more_is_better, text, value: &dyn Fn(&Report) -> Option<f64>| {
        if let Some((first, second)) = value(first).zip(value(second)) {
            rows.push(Row { name, first, second, more_is_better, text });
        }
    };
    let whole: fn(f64) -> String = |number| count(number.round() as u64);
    let cores: fn(f64) -> String = |number| format!("{number:.2}");
    let bytes: fn(f64) -> String = |number| format!("{number:.1}");
    add("records/s", true, whole, &|report| Some(report.measured.records_per_second));
    add("messages/s", true, whole, &|report| Some(report.measured.messages_per_second));
    add("highest rate", true, whole, &|report| report.search.as_ref()?.rate);
    add("p50, corrected", false, time, &|report| Some(report.measured.corrected.as_ref()?.p50_us));
    add("p90, corrected", false, time, &|report| Some(report.measured.corrected.as_ref()?.p90_us));
    add("p99, corrected", false, time, &|report| Some(report.measured.corrected.as_ref()?.p99_us));
    add("p99.9, corrected", false, time, &|report| Some(report.measured.corrected.as_ref()?.p999_us));
    add("max, corrected", false, time, &|report| Some(report.measured.corrected.as_ref()?.max_us));
    add("p50, raw", false, time, &|report| Some(report.measured.raw.p50_us));
    add("p90, raw", false, time, &|report| Some(report.measured.raw.p90_us));
    add("p99, raw", false, time, &|report| Some(report.measured.raw.p99_us));
    add("max, raw", false, time, &|report| Some(report.measured.raw.max_us));
    add("skipped", false, whole, &|report| Some(report.measured.skipped as f64));
    add("cores of souk-load", false, cores, &|report| Some(report.client.cores));
    add("cores of the server", false, cores, &|report| Some(report.server?.cores));
    add("server's memory, MB", false, whole, &|report| Some(report.server?.memory_bytes as f64 / 1e6));
    add("bytes stored a record", false, bytes, &|report| Some(report.storage?.bytes_per_record));
    add("closing months, s", false, cores, &|report| Some(report.stages.close));
    rows
}

/// The comparison for a terminal.
#[must_use]
pub fn text(names: [&str; 2], first: &Report, second: &Report) -> String {
    let mut out = String::new();
    for (name, report) in names.iter().zip([first, second]) {
        let verified = verdict(report);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{name}: {}, {}, seed {}, {verified}",
            report.door.name(),
            report.load,
            report.seed
        );
    }
    let [one, other] = names;
    let _ = writeln!(out, "\n{:<24} {:>16} {:>16} {:>8}", "", cut(one), cut(other), "ratio");
    for row in rows(first, second) {
        let ratio = row.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let (first, second) = ((row.text)(row.first), (row.text)(row.second));
        let _ = writeln!(out, "{:<24} {first:>16} {second:>16} {ratio:>8}", row.name);
    }
    out
}

/// The comparison as a page.
#[must_use]
pub fn html(names: [&str; 2], first: &Report, second: &Report) -> String {
    let title = format!("souk-load: {} and {}", names[0], names[1]);
    let mut body = format!("<h1>{}</h1>\n", escape(&title));
    for (name, report) in names.iter().zip([first, second]) {
        let (door, load, verified) = (report.door.name(), escape(&report.load), verdict(report));
        let _ = writeln!(
            body,
            "<p class=\"lead\"><b>{}</b>: {door}, {load}, seed {}, {verified}</p>",
            escape(name),
            report.seed
        );
    }
    let mut cells = String::new();
    for row in rows(first, second) {
        let (class, ratio) = match row.ratio() {
            Some(ratio) => (grade(&row, ratio), format!("{ratio:.2}")),
            None => ("", String::new()),
        };
        let (first, second) = ((row.text)(row.first), (row.text)(row.second));
        let _ = write!(
            cells,
            "<tr><td>{}</td><td>{first}</td><td>{second}</td><td class=\"{class}\">{ratio}</td></tr>",
            row.name
        );
    }
    let head =
        format!("<tr><th></th><th>{}</th><th>{}</th><th>ratio</th></tr>", escape(names[0]), escape(names[1]));
    let _ = write!(body, "<section>{}</section>\n<section class=\"plots\">\n", table(&head, &cells));
    let labels = names.map(|name| [format!("{name}, corrected"), format!("{name}, raw")]);
    let mut lines = curves(first, &[(&labels[0][0], 0), (&labels[0][1], 2)]);
    lines.extend(curves(second, &[(&labels[1][0], 1), (&labels[1][1], 3)]));
    let percentiles = Plot {
        title: "Latency by percentile",
        note: "Corrected: from when it was due. Raw: from when it was sent.",
        y: Scale { label: "", kind: ScaleKind::Log, text: short_time },
        x: Scale { label: "percent of the messages", kind: ScaleKind::Nines, text: percent },
        lines,
        shaded_to: None,
    };
    let course =
        |report: &Report| report.course.iter().map(|point| (point.time, point.records_per_second)).collect();
    let line = |name, colour, points| super::svg::Line { name, colour, points };
    let rates = Plot {
        title: "Records over time",
        note: "Records answered a second.",
        y: Scale { label: "", kind: ScaleKind::Linear, text: short },
        x: Scale { label: "seconds", kind: ScaleKind::Linear, text: short },
        lines: vec![line(names[0], 0, course(first)), line(names[1], 1, course(second))],
        shaded_to: None,
    };
    body.push_str(&percentiles.figure());
    body.push_str(&rates.figure());
    body.push_str("</section>\n");
    page(&title, &body)
}

/// Better or worse by more than noise.
fn grade(row: &Row, ratio: f64) -> &'static str {
    const NOISE: f64 = 0.1;
    let better = if row.more_is_better { ratio - 1.0 } else { 1.0 - ratio };
    if NOISE < better {
        "good"
    } else if better < -NOISE {
        "bad"
    } else {
        ""
    }
}

fn verdict(report: &Report) -> &'static str {
    match report.verified {
        Some(true) => "verified",
        Some(false) => "NOT verified",
        None => "nothing to verify",
    }
}

/// The end of a name that is too long for its column: paths differ in their ends.
fn cut(name: &str) -> String {
    const WIDTH: usize = 16;
    let length = name.chars().count();
    name.chars().skip(length.saturating_sub(WIDTH)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn ratios_are_of_the_second_to_the_first() {
        let (first, second) = (sample(50_000.0), sample(75_000.0));
        let rows = rows(&first, &second);
        let rate = &rows[0];
        assert_eq!((rate.name, rate.ratio()), ("records/s", Some(1.5)));
        assert_eq!(rows.iter().find(|row| row.name == "skipped").unwrap().ratio(), None);
        let text = text(["a.json", "runs/of/a/long/name/b.json"], &first, &second);
        assert!(
            text.contains("records/s                          50,000           75,000     1.50"),
            "{text}"
        );
        assert!(text.contains("long/name/b.json"), "{text}");
    }

    #[test]
    fn what_only_one_run_has_is_left_out() {
        let (first, mut second) = (sample(50_000.0), sample(50_000.0));
        (second.measured.corrected, second.server) = (None, None);
        let names: Vec<_> = rows(&first, &second).iter().map(|row| row.name).collect();
        assert!(!names.iter().any(|name| name.contains("corrected") || name.contains("server")), "{names:?}");
        assert!(html(["a", "<b>"], &first, &second).contains("&lt;b&gt;"));
    }

    #[test]
    fn better_is_more_of_a_rate_and_less_of_a_latency() {
        let row = |more_is_better| Row { name: "x", first: 1.0, second: 1.0, more_is_better, text: short };
        assert_eq!([1.5, 1.05, 0.5].map(|ratio| grade(&row(true), ratio)), ["good", "", "bad"]);
        assert_eq!([1.5, 1.05, 0.5].map(|ratio| grade(&row(false), ratio)), ["bad", "", "good"]);
    }
}
