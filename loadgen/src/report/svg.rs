//! Plots as SVG: lines over an axis, with a grid, a legend, and what a pointer reads.

use std::fmt::Write;

/// The plot's size, and its margins: in units of the picture.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;
/// Lines of the grid, about.
const TICKS: f64 = 5.0;
/// How far a hundred percent is behind the last percentile that is told, in nines.
const NINES_BEHIND: f64 = 0.3;
/// Points of a line at most: more than a screen shows.
const POINTS_MAX: usize = 1_000;

/// A plot.
#[derive(Debug, Clone)]
pub struct Plot<'a> {
    /// What it shows.
    pub title: &'a str,
    /// What is to be known about it.
    pub note: &'a str,
    /// What is upwards.
    pub y: Scale<'a>,
    /// What is to the right.
    pub x: Scale<'a>,
    /// The lines.
    pub lines: Vec<Line<'a>>,
    /// Until there, to the right, it is shaded: warm-up.
    pub shaded_to: Option<f64>,
}

/// An axis.
#[derive(Debug, Clone, Copy)]
pub struct Scale<'a> {
    /// What it is of.
    pub label: &'a str,
    /// How it is divided.
    pub kind: ScaleKind,
    /// How a value is written.
    pub text: fn(f64) -> String,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleKind {
    /// Evenly, from zero.
    Linear,
    /// By tens.
    Log,
    /// By nines: 0, 90, 99, 99.9 percent.
    Nines,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// What it is, in the legend.
    pub name: &'a str,
    /// Its colour, from 0.
    pub colour: usize,
    /// Where it goes.
    pub points: Vec<(f64, f64)>,
}

/// An axis with its ends.
struct Axis<'a> {
    scale: Scale<'a>,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Plot<'_> {
    /// The plot as a figure of a page.
    #[must_use]
    pub fn figure(&self) -> String {
        let mut out = String::new();
        let legend: String = self
            .lines
            .iter()
            .map(|line| format!(r#"<span class="key c{}">{}</span>"#, line.colour, escape(line.name)))
            .collect();
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#"<figure class="plot"><figcaption><h2>{}</h2><p class="note">{}</p><p class="legend">{legend}<output></output></p></figcaption>"#,
            escape(self.title),
            escape(self.note)
        );
        out.push_str(&self.svg());
        out.push_str("</figure>\n");
        out
    }

    /// The plot alone.
    #[must_use]
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let x = Axis::over(self.x, points().map(|(x, _)| x), LEFT, WIDTH - RIGHT);
        let y = Axis::over(self.y, points().map(|(_, y)| y), HEIGHT - BOTTOM, TOP);
        let mut out = format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
            escape(self.title)
        );
        if let Some(end) = self.shaded_to {
            let width = (x.place(end) - LEFT).max(0.0);
            let _ = write!(
                out,
                r#"<rect class="shade" x="{LEFT}" y="{TOP}" width="{width:.1}" height="{:.1}"><title>warm-up</title></rect>"#,
                HEIGHT - BOTTOM - TOP
            );
        }
        for tick in y.ticks() {
            let (at, text) = (y.place(tick), (self.y.text)(tick));
            let _ = write!(
                out,
                r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{text}</text>"#,
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0
            );
        }
        for tick in x.ticks() {
            let (at, text) = (x.place(tick), (self.x.text)(tick));
            let _ = write!(
                out,
                r#"<line class="stroke" x1="{at:.1}" x2="{at:.1}" y1="{:.1}" y2="{:.1}"/><text class="tick" x="{at:.1}" y="{:.1}" text-anchor="middle">{text}</text>"#,
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 4.0,
                HEIGHT - BOTTOM + 18.0
            );
        }
        let _ = write!(
            out,
            r#"<line class="stroke" x1="{LEFT}" x2="{:.1}" y1="{:.1}" y2="{:.1}"/><text class="label" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            WIDTH - RIGHT,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM,
            WIDTH - RIGHT,
            HEIGHT - 2.0,
            escape(self.x.label)
        );
        for line in &self.lines {
            self.put_line(line, &x, &y, &mut out);
        }
        out.push_str("</svg>");
        out
    }

    /// A line, and beside it what a pointer reads.
    fn put_line(&self, line: &Line<'_>, x: &Axis<'_>, y: &Axis<'_>, out: &mut String) {
        let step = line.points.len().div_ceil(POINTS_MAX).max(1);
        let shown = line.points.iter().step_by(step);
        let mut path = String::new();
        let mut said = Vec::new();
        for (at, value) in shown {
            let (left, top) = (x.place(*at), y.place(*value));
            let _ = write!(path, "{}{left:.1},{top:.1}", if path.is_empty() { "M" } else { "L" });
            said.push(serde_json::json!([
                (left * 10.0).round() / 10.0,
                (self.x.text)(*at),
                (self.y.text)(*value)
            ]));
        }
        let said = escape(&serde_json::Value::from(said).to_string());
        let _ = write!(
            out,
            r#"<path class="line c{}" d="{path}" data-name="{}" data-points="{said}"/>"#,
            line.colour,
            escape(line.name)
        );
        if let [(at, value)] = line.points.as_slice() {
            let (left, top) = (x.place(*at), y.place(*value));
            let _ =
                write!(out, r#"<circle class="dot c{}" cx="{left:.1}" cy="{top:.1}" r="4"/>"#, line.colour);
        }
    }
}

impl<'a> Axis<'a> {
    /// Over these values, drawn from one place to another.
    fn over(scale: Scale<'a>, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis<'a> {
        let (mut low, mut high, mut highest_told) = (f64::INFINITY, f64::NEG_INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
            if value < 100.0 {
                highest_told = highest_told.max(value);
            }
        }
        if high < low {
            (low, high) = (0.0, 1.0);
        }
        let (low, high) = match scale.kind {
            ScaleKind::Linear => (low.min(0.0), if low.min(0.0) < high { high * 1.05 } else { 1.0 }),
            ScaleKind::Log => {
                let low = 10_f64.powf(low.max(1e-3).log10().floor());
                (low, 10_f64.powf(high.max(low * 1.001).log10().ceil()))
            }
            // A hundred percent is at the right end, a little behind the last that is told.
            ScaleKind::Nines => (0.0, high.min(highest_told)),
        };
        Axis { scale, low, high, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let part = match self.scale.kind {
            ScaleKind::Linear => (value - self.low) / (self.high - self.low),
            ScaleKind::Log => {
                let value = value.max(self.low);
                (value / self.low).log10() / (self.high / self.low).log10()
            }
            ScaleKind::Nines => nines(value) / (nines(self.high) + NINES_BEHIND),
        };
        self.from + (self.to - self.from) * part.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale.kind {
            ScaleKind::Linear => {
                let step = round_step((self.high - self.low) / TICKS);
                let count = ((self.high - self.low) / step).floor() as u32;
                (0..=count).map(|number| self.low + f64::from(number) * step).collect()
            }
            ScaleKind::Log => {
                let decades = (self.high / self.low).log10().round() as i32;
                (0..=decades).map(|decade| self.low * 10_f64.powi(decade)).collect()
            }
            ScaleKind::Nines => {
                let marks = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999];
                marks.into_iter().filter(|mark| nines(*mark) <= nines(self.high) + 1e-9).collect()
            }
        }
    }
}

/// How many nines a percentage has; a hundred has as many as are ever shown, and one more.
fn nines(percent: f64) -> f64 {
    let left = (1.0 - percent / 100.0).max(1e-6);
    -left.log10()
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1e-12).log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| step <= factor * power * 1.000_001);
    factor.unwrap_or(10.0) * power
}

/// Text as it may stand in a page.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number as an axis shows it.
#[must_use]
pub fn short(number: f64) -> String {
    let trimmed = |number: f64, unit: &str| {
        let text = format!("{number:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{text}{unit}")
    };
    match number.abs() {
        size if 1e9 <= size => trimmed(number / 1e9, "G"),
        size if 1e6 <= size => trimmed(number / 1e6, "M"),
        size if 1e3 <= size => trimmed(number / 1e3, "k"),
        _ => trimmed(number, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(kind: ScaleKind) -> Scale<'static> {
        Scale { label: "what", kind, text: short }
    }

    #[test]
    fn places_grow_with_values_and_stay_inside() {
        for (kind, values) in [
            (ScaleKind::Linear, vec![0.0, 10.0, 250.0, 1_000.0]),
            (ScaleKind::Log, vec![1.0, 10.0, 250.0, 99_000.0]),
            (ScaleKind::Nines, vec![0.0, 50.0, 99.0, 99.9]),
        ] {
            let axis = Axis::over(scale(kind), values.iter().copied(), 100.0, 300.0);
            let places: Vec<_> = values.iter().map(|value| axis.place(*value)).collect();
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{kind:?}: {places:?}");
            assert!(places.iter().all(|place| (100.0..=300.0).contains(place)), "{kind:?}: {places:?}");
            let ticks = axis.ticks();
            assert!((3..=8).contains(&ticks.len()), "{kind:?}: {ticks:?}");
        }
    }

    #[test]
    fn nothing_to_show_is_no_reason_to_fail() {
        for kind in [ScaleKind::Linear, ScaleKind::Log, ScaleKind::Nines] {
            for points in [vec![], vec![(0.0, 0.0)], vec![(1.0, f64::NAN)], vec![(5.0, 7.0), (5.0, 7.0)]] {
                let lines = vec![Line { name: "a", colour: 0, points }];
                let plot = Plot {
                    title: "t",
                    note: "",
                    y: scale(kind),
                    x: scale(ScaleKind::Linear),
                    lines,
                    shaded_to: None,
                };
                let svg = plot.svg();
                assert!(svg.ends_with("</svg>") && !svg.contains("inf"), "{svg}");
            }
        }
    }

    #[test]
    fn numbers_are_short_and_names_are_escaped() {
        let texts = [0.0, 0.25, 1_500.0, 2_000_000.0, 1.25e9].map(short);
        assert_eq!(texts, ["0", "0.25", "1.5k", "2M", "1.25G"]);
        assert_eq!(escape("<a \"b\" & c>"), "&lt;a &quot;b&quot; &amp; c&gt;");
        let steps = [1.0, 1.5, 3.0, 7.0, 0.03].map(|step| short(round_step(step)));
        assert_eq!(steps, ["1", "2", "5", "10", "0.05"]);
    }
}
