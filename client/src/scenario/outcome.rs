//! What came of a run, for people, for programs and for test reports.

use std::fmt::Write;

use serde_json::{Value, json};

use super::compare::Row;
use super::play::Failure;
use crate::cli::error::excerpt;

/// A scenario that was run.
#[derive(Debug)]
pub struct Ran {
    /// Its file.
    pub file: String,
    /// Its name; the file's when it could not be read.
    pub name: String,
    /// How many values were compared.
    pub checked: usize,
    /// How long it took, in milliseconds.
    pub millis: u128,
    /// The sandbox that was kept, if it was.
    pub kept: Option<String>,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a scenario.
#[derive(Debug)]
pub enum Verdict {
    /// Everything is as expected.
    Passed,
    /// Something is not.
    Failed(Vec<Failure>),
    /// A file is wrong.
    Wrong(Vec<Wrong>),
}

/// A mistake in a file, ready to be shown.
#[derive(Debug)]
pub struct Wrong {
    /// file:line:column.
    pub place: String,
    /// What is wrong and what would be right.
    pub problem: String,
    /// The line, with a mark below the column.
    pub excerpt: String,
}

impl Wrong {
    /// A mistake at a line and column, both from 1; 0 where one is not known.
    pub fn at(origin: &str, text: &str, line: u32, column: u32, problem: &str) -> Wrong {
        let number = |number| usize::try_from(number).unwrap_or(0);
        let (place, excerpt) = excerpt(origin, text, number(line), number(column));
        Wrong { place, problem: problem.to_owned(), excerpt }
    }
}

impl Ran {
    /// The line of the scenario, and what went wrong below it.
    pub fn to_text(&self) -> String {
        let word = match &self.verdict {
            Verdict::Passed => "ok   ",
            Verdict::Failed(_) => "FAIL ",
            Verdict::Wrong(_) => "WRONG",
        };
        let values = if self.checked == 1 { "value" } else { "values" };
        let mut text = format!("{word}  {}  {} ({} {values})\n", self.file, self.name, self.checked);
        if let Some(sandbox) = &self.kept {
            text.push_str(&format!("       kept as {sandbox}\n"));
        }
        text + &self.problems()
    }

    /// What went wrong; empty when nothing did.
    pub fn problems(&self) -> String {
        let mut text = String::new();
        match &self.verdict {
            Verdict::Passed => {}
            Verdict::Failed(failures) => {
                for failure in failures {
                    text.push_str(&failure_text(&self.file, failure));
                }
            }
            Verdict::Wrong(mistakes) => {
                for wrong in mistakes {
                    // Writing to a text cannot fail.
                    let _ = writeln!(text, "\n  {}: {}", wrong.place, wrong.problem);
                    wrong.excerpt.lines().for_each(|line| {
                        let _ = writeln!(text, "  {line}");
                    });
                }
            }
        }
        text
    }

    /// The word of the verdict, as JSON has it.
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed(_) => "failed",
            Verdict::Wrong(_) => "wrong",
        }
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "file": self.file,
            "scenario": self.name,
            "outcome": self.word(),
            "checked": self.checked,
            "millis": u64::try_from(self.millis).unwrap_or(u64::MAX),
        });
        if let Some(sandbox) = &self.kept {
            value["sandbox"] = json!(sandbox);
        }
        match &self.verdict {
            Verdict::Passed => {}
            Verdict::Failed(failures) => {
                value["failures"] = failures.iter().map(failure_json).collect();
            }
            Verdict::Wrong(mistakes) => {
                let mistake = |wrong: &Wrong| json!({ "place": wrong.place, "problem": wrong.problem });
                value["mistakes"] = mistakes.iter().map(mistake).collect();
            }
        }
        value
    }
}

fn failure_json(failure: &Failure) -> Value {
    let difference = &failure.difference;
    let row = |row: &Row| json!({ "field": row.field, "expected": row.expected, "actual": row.actual, "differs": row.differs });
    json!({
        "line": difference.position.line,
        "column": difference.position.column,
        "at": failure.at.to_string(),
        "because": failure.because,
        "problem": difference.problem,
        "fields": difference.rows.iter().map(row).collect::<Vec<_>>(),
        "explanation": failure.explanation,
    })
}

fn failure_text(file: &str, failure: &Failure) -> String {
    let difference = &failure.difference;
    let position = difference.position;
    let mut text = format!("\n  {file}:{}:{}: {}\n", position.line, position.column, difference.problem);
    let at = failure.at.to_string();
    let because =
        if failure.because.is_empty() { String::new() } else { format!(", because {}", failure.because) };
    text.push_str(&format!("    at {}{because}\n\n", super::actual::words_of_time(&at)));
    text.push_str(&table(&difference.rows));
    if !failure.explanation.is_empty() {
        text.push('\n');
        for line in &failure.explanation {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

/// Both sides beside each other, with a mark in front where they differ.
fn table(rows: &[Row]) -> String {
    let header = Row {
        field: String::new(),
        expected: "expected".to_owned(),
        actual: "actual".to_owned(),
        differs: false,
    };
    let width = |cell: fn(&Row) -> &str| {
        rows.iter().chain([&header]).map(|row| cell(row).chars().count()).max().unwrap_or(0)
    };
    let (fields, expected) = (width(|row| &row.field), width(|row| &row.expected));
    let line = |row: &Row| {
        let mark = if row.differs { "!" } else { " " };
        let line = format!("  {mark} {:fields$}  {:expected$}  {}", row.field, row.expected, row.actual);
        format!("{}\n", line.trim_end())
    };
    [&header].into_iter().chain(rows).map(line).collect()
}

/// A report in JUnit's XML, which build servers show.
pub fn junit(ran: &[Ran]) -> String {
    let count = |word: &str| ran.iter().filter(|ran| ran.word() == word).count();
    let seconds = |millis: u128| format!("{}.{:03}", millis / 1_000, millis % 1_000);
    let total = ran.iter().map(|ran| ran.millis).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"souk scenario\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
        ran.len(),
        count("failed"),
        count("wrong"),
        seconds(total),
    );
    for ran in ran {
        let (file, name) = (escaped(&ran.file), escaped(&ran.name));
        xml.push_str(&format!(
            "    <testcase classname=\"{file}\" name=\"{name}\" time=\"{}\"",
            seconds(ran.millis)
        ));
        let element = match &ran.verdict {
            Verdict::Passed => {
                xml.push_str("/>\n");
                continue;
            }
            Verdict::Failed(_) => "failure",
            Verdict::Wrong(_) => "error",
        };
        let problems = ran.problems();
        let first = problems.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        xml.push_str(&format!(
            ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
            escaped(first),
            escaped(&problems)
        ));
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

/// Text as XML holds it; what XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
