//! One page that holds everything: it opens without a network.

use std::fmt::Write;

use super::Report;
use super::svg::{Line, Plot, Scale, ScaleKind, escape, short};
use super::text::{count, time};
use crate::measure::{Latencies, Point};

const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// A page of these parts.
#[must_use]
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{CSS}</style>\n<main>\n{body}</main>\n\
         <script>\n{JS}</script>\n</html>\n",
        escape(title)
    )
}

/// The page of a run.
#[must_use]
pub fn report(report: &Report) -> String {
    let title = format!("souk-load: {}, {}", report.door.name(), report.load);
    let mut body = format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escape(&title), escape(&lead(report)));
    body.push_str(&verdict(report));
    body.push_str(&tiles(report));
    let _ = write!(body, "<div class=\"plots\">\n{}</div>\n", plots(report));
    body.push_str(&percentile_table(report));
    body.push_str(&search_table(report));
    body.push_str(&answers_table(report));
    page(&title, &body)
}

fn lead(report: &Report) -> String {
    let size = report.size;
    format!(
        "Seed {}: {} buyers of {} payers, {} sellers, {} agreements, {} series, {} hours in {} months",
        report.seed,
        count(size.buyers),
        count(size.payers),
        count(size.sellers),
        count(size.agreements),
        count(size.series),
        count(size.hours),
        size.months
    )
}

fn verdict(report: &Report) -> String {
    let (class, head, words) = match report.verified {
        Some(true) => (
            "",
            "Verified",
            format!(
                "{} acknowledged records are billed exactly once; {} lines of {} invoices, {}, are as computed here.",
                count(report.size.metered),
                count(report.bills.lines),
                count(report.bills.invoices),
                report.bills.total
            ),
        ),
        Some(false) => ("bad", "Not verified", format!("{} differences.", count(report.differences.count))),
        None => (
            "none",
            "Nothing to verify",
            "There are no bills: the server keeps nothing, or its month was left open.".to_owned(),
        ),
    };
    let shown: String =
        report.differences.shown.iter().map(|words| format!("<li>{}</li>", escape(words))).collect();
    let list = if shown.is_empty() { String::new() } else { format!("<ul>{shown}</ul>") };
    format!("<div class=\"verdict {class}\"><strong>{head}.</strong> {}{list}</div>\n", escape(&words))
}

fn tiles(report: &Report) -> String {
    let measured = &report.measured;
    let shown = measured.corrected.as_ref().unwrap_or(&measured.raw);
    let mut tiles = vec![
        (short(measured.records_per_second), "records a second".to_owned()),
        (short(measured.messages_per_second), "messages a second".to_owned()),
        (time(shown.p50_us), "half of the messages".to_owned()),
        (time(shown.p99_us), "99 of a hundred".to_owned()),
        (count(measured.skipped), "moments without a free sender".to_owned()),
        (format!("{:.2}", report.client.cores), "cores of souk-load".to_owned()),
    ];
    if let Some(server) = report.server {
        tiles.push((format!("{:.2}", server.cores), "cores of the server".to_owned()));
        tiles.push((
            format!("{} MB", count(server.memory_bytes / 1_000_000)),
            "memory of the server".to_owned(),
        ));
    }
    if let Some(storage) = report.storage {
        tiles.push((format!("{:.1} B", storage.bytes_per_record), "stored a record".to_owned()));
    }
    if let Some(rate) = report.search.as_ref().and_then(|search| search.rate) {
        tiles.insert(0, (short(rate), "records a second keep the target".to_owned()));
    }
    let tile = |(value, name): (String, String)| {
        format!("<div class=\"tile\"><b>{value}</b><span>{name}</span></div>\n")
    };
    format!("<div class=\"tiles\">\n{}</div>\n", tiles.into_iter().map(tile).collect::<String>())
}

fn plots(report: &Report) -> String {
    let seconds = Scale { label: "seconds", kind: ScaleKind::Linear, text: short };
    let warm = report.course.iter().rev().find(|point| point.warm_up).map(|point| point.time);
    let over = |value: &dyn Fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
        report.course.iter().filter_map(|point| Some((point.time, value(point)?))).collect()
    };
    let line = |name, colour, points| Line { name, colour, points };
    let is_open = report.measured.corrected.is_some();
    let mut rate = vec![line("answered", 0, over(&|point| Some(point.messages_per_second)))];
    if is_open {
        rate.push(line("due", 1, over(&|point| Some(point.due_per_second))));
    }
    let mut cores = vec![line("souk-load", 0, over(&|point| Some(point.client_cores)))];
    if report.course.iter().any(|point| point.server_cores.is_some()) {
        cores.push(line("server", 1, over(&|point| point.server_cores)));
    }
    // An interval without an answer has no latency.
    let latency = |value: fn(&Point) -> f64| over(&|point| (0.0 < value(point)).then(|| value(point)));
    let figures = [
        Plot {
            title: "Messages over time",
            note: if is_open {
                "Messages a second: due by the schedule, and answered."
            } else {
                "Messages answered a second."
            },
            y: Scale { label: "", kind: ScaleKind::Linear, text: short },
            x: seconds,
            lines: rate,
            shaded_to: warm,
        },
        Plot {
            title: "Latency over time",
            note: if is_open {
                "From the moment at which a message was due."
            } else {
                "From the moment at which a message was sent."
            },
            y: Scale { label: "", kind: ScaleKind::Log, text: short_time },
            x: seconds,
            lines: vec![
                line("p50", 0, latency(|point| point.p50_us)),
                line("p90", 2, latency(|point| point.p90_us)),
                line("p99", 1, latency(|point| point.p99_us)),
                line("max", 3, latency(|point| point.max_us)),
            ],
            shaded_to: warm,
        },
        Plot {
            title: "Latency by percentile",
            note: "Corrected: from when it was due. Raw: from when it was sent. Where they part, messages waited to be sent.",
            y: Scale { label: "", kind: ScaleKind::Log, text: short_time },
            x: Scale { label: "percent of the messages", kind: ScaleKind::Nines, text: percent },
            lines: curves(report, &[("corrected", 0), ("raw", 1)]),
            shaded_to: None,
        },
        Plot {
            title: "Processors",
            note: "Cores that each process took.",
            y: Scale { label: "", kind: ScaleKind::Linear, text: short },
            x: seconds,
            lines: cores,
            shaded_to: warm,
        },
    ];
    figures.iter().map(Plot::figure).collect()
}

/// The percentile curves of a run by these names: corrected where there is one, and raw.
pub(super) fn curves<'a>(report: &Report, names: &[(&'a str, usize); 2]) -> Vec<Line<'a>> {
    let points =
        |latencies: &Latencies| latencies.curve.iter().map(|at| (at.percent, at.us.max(1.0))).collect();
    let [corrected, raw] = names;
    let line = |(name, colour): &(&'a str, usize), latencies| Line {
        name,
        colour: *colour,
        points: points(latencies),
    };
    let mut lines: Vec<_> =
        report.measured.corrected.iter().map(|latencies| line(corrected, latencies)).collect();
    lines.push(line(raw, &report.measured.raw));
    lines
}

/// Microseconds as an axis shows them.
pub(super) fn short_time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{} us", short(us)),
        us if us < 1e6 => format!("{} ms", short(us / 1e3)),
        us => format!("{} s", short(us / 1e6)),
    }
}

/// A percentage as an axis shows it.
pub(super) fn percent(percent: f64) -> String {
    format!("{percent} %")
}

fn percentile_table(report: &Report) -> String {
    let measured = &report.measured;
    let mut rows = String::new();
    let mut row = |name: &str, latencies: &Latencies| {
        let Latencies { mean_us, p50_us, p90_us, p99_us, p999_us, max_us, .. } = latencies;
        let cells: String = [mean_us, p50_us, p90_us, p99_us, p999_us, max_us]
            .iter()
            .map(|us| format!("<td>{}</td>", time(**us)))
            .collect();
        let _ = write!(rows, "<tr><td>{name}</td>{cells}</tr>");
    };
    if let Some(corrected) = &measured.corrected {
        row("from when it was due (corrected)", corrected);
    }
    row("from when it was sent (raw)", &measured.raw);
    let head =
        "<tr><th></th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>";
    format!(
        "<section><h2>Latency of {} messages</h2>{}</section>\n",
        count(measured.messages),
        table(head, &rows)
    )
}

fn search_table(report: &Report) -> String {
    let Some(search) = &report.search else { return String::new() };
    let mut rows = String::new();
    for trial in &search.trials {
        let (class, word) = if trial.kept { ("good", "kept") } else { ("bad", "missed") };
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            count(trial.rate.round() as u64),
            count(trial.achieved.round() as u64),
            time(trial.latency_us)
        );
    }
    let head = "<tr><th>records/s due</th><th>answered</th><th>latency</th><th>target</th></tr>";
    format!(
        "<section><h2>The highest rate with {}</h2>{}</section>\n",
        escape(&search.target),
        table(head, &rows)
    )
}

fn answers_table(report: &Report) -> String {
    let a = report.acknowledged;
    let rows: String = [
        ("messages acknowledged", a.messages),
        ("records answered", a.records),
        ("repeats of a metered record", a.repeats),
        ("retries with another quantity, refused", a.changed),
        ("records of strangers, refused", a.strangers),
        ("late records, refused", a.late),
        ("invalid records, refused", a.invalid),
        ("records not processed at first", a.unprocessed),
        ("messages refused for the moment", a.busy),
        ("messages whose answer was lost, sent again", a.resent),
        ("times the server was killed", report.restarts),
    ]
    .iter()
    .filter(|(_, number)| 0 < *number)
    .map(|(name, number)| format!("<tr><td>{name}</td><td>{}</td></tr>", count(*number)))
    .collect();
    format!("<section><h2>What was answered</h2>{}</section>\n", table("", &rows))
}

/// A table in its frame.
pub(super) fn table(head: &str, rows: &str) -> String {
    format!("<div class=\"scroll\"><table>{head}{rows}</table></div>")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_page_needs_nothing_from_elsewhere() {
        let page = report(&sample(50_000.0));
        for word in ["http:", "https:", "src=", "href=", "@import", "url("] {
            let found = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(word), "it names {word}");
        }
        assert_eq!((page.matches("<svg").count(), page.matches("</figure>").count()), (4, 4));
        assert!(page.contains("<strong>Verified.</strong>") && page.contains(">corrected</span>"));
    }

    #[test]
    fn what_differs_is_on_the_page_and_cannot_break_it() {
        let mut wrong = sample(50_000.0);
        wrong.verified = Some(false);
        wrong.differences.add(|| "<script>".to_owned());
        let page = report(&wrong);
        assert!(
            page.contains("<strong>Not verified.</strong> 1 differences.<ul><li>&lt;script&gt;</li></ul>")
        );
        // A closed loop has no corrected curve.
        wrong.measured.corrected = None;
        assert!(!report(&wrong).contains(">corrected</span>"));
    }
}
