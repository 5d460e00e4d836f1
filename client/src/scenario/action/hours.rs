//! When something was used: at a time, or in every hour of a time.

use prost_types::Timestamp;
use souk_proto::document::Position;
use souk_proto::metering::v1::{UsageRecordResult, UsageRecordStatus};

use crate::scenario::compare::{Difference, Row};
use crate::scenario::reading::Reading;
use crate::scenario::shape::Args;

const HOUR_SECONDS: i64 = 3_600;
/// Ten years: more is a slip of the pen.
const HOURS_MAX: i64 = 10 * 366 * 24;

/// How records are answered, as AWS spells it.
pub const ANSWERS: &[&str] = &["Success", "CustomerNotSubscribed", "DuplicateRecord", "Unprocessed"];

/// How much and when: an amount at `time` or in each hour between `from` and `until`, or one `hourly` amount after the
/// other from `from` on. `amount` is the key of the amount.
pub fn check(reading: &mut Reading, args: &Args, amount: &str) {
    let hourly = args.has("hourly");
    match (args.has(amount), hourly) {
        (false, false) => {
            let remedy = format!("say `{amount}:`, or `hourly:` with one for each hour");
            reading.error(args.position, "it is not said how much".to_owned(), remedy);
        }
        (true, true) => {
            let problem = format!("`{amount}` and `hourly` exclude each other");
            reading.error(args.position("hourly"), problem, "keep one of them");
        }
        (true, false) | (false, true) => {}
    }
    let others: &[&str] = match (args.has("from"), hourly) {
        (true, true) => &["time", "until"],
        (true, false) => &["time"],
        (false, _) => &["until"],
    };
    for other in others.iter().filter(|other| args.has(other)) {
        let problem = format!("`{other}` does not go with what is said beside it");
        let remedy = "say `time:`, or `from:` and `until:`, or `from:` and `hourly:`";
        reading.error(args.position(other), problem, remedy);
    }
    let Some(from) = args.time("from") else {
        if hourly {
            reading.error(
                args.position("hourly"),
                "`from` is missing".to_owned(),
                "say where the hours begin",
            );
        }
        return;
    };
    match args.time("until") {
        Some(until)
            if until.seconds <= from.seconds || (until.seconds - from.seconds) / HOUR_SECONDS > HOURS_MAX =>
        {
            let problem = "the hours end before they begin, or after ten years".to_owned();
            let remedy = "write a later time; `until` is not part of the hours";
            reading.error(args.position("until"), problem, remedy);
        }
        None if !hourly && !args.has("until") => {
            reading.error(args.position("from"), "`until` is missing".to_owned(), "say where the hours end");
        }
        _ => {}
    }
}

/// The moments with their amounts: one, or the start of every hour.
pub fn of<'a>(args: &'a Args, amount: &str, now: Timestamp) -> Vec<(Timestamp, &'a str)> {
    let amount = args.text(amount).unwrap_or_default();
    let start = |hour: i64| Timestamp { seconds: hour * HOUR_SECONDS, nanos: 0 };
    let Some(from) = args.time("from") else {
        return vec![(args.time("time").unwrap_or(now), amount)];
    };
    let first = from.seconds.div_euclid(HOUR_SECONDS);
    let Some(until) = args.time("until") else {
        let hours = (first..).zip(args.hourly("hourly"));
        return hours.filter_map(|(hour, amount)| Some((start(hour), amount.as_deref()?))).collect();
    };
    let end = until.seconds.div_euclid(HOUR_SECONDS) + i64::from(until.seconds.rem_euclid(HOUR_SECONDS) > 0);
    (first..end).map(|hour| (start(hour), amount)).collect()
}

/// What became of records that were sent: a difference for the first that is answered otherwise than was said.
#[derive(Debug, Default)]
pub struct Answers {
    differences: Vec<Difference>,
}

impl Answers {
    /// Takes an answer; `said` is what the scenario says of it, and where.
    pub fn take(
        &mut self,
        said: (&str, Position),
        what: &str,
        time: Timestamp,
        result: Option<&UsageRecordResult>,
    ) {
        let answered = result.map_or(UsageRecordStatus::Unspecified, UsageRecordResult::status);
        let answered = match answered {
            UsageRecordStatus::Success => "Success",
            UsageRecordStatus::CustomerNotSubscribed => "CustomerNotSubscribed",
            UsageRecordStatus::DuplicateRecord => "DuplicateRecord",
            UsageRecordStatus::Unprocessed => "Unprocessed",
            UsageRecordStatus::Unspecified => "no answer",
        };
        let (expected, position) = said;
        // Every hour of a range would say the same again.
        if answered == expected || self.differences.iter().any(|told| told.position == position) {
            return;
        }
        let row = |field: &str, expected: &str, actual: &str| Row {
            field: field.to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            differs: expected != actual,
        };
        let time = time.to_string();
        let rows =
            vec![row("record", what, what), row("time", &time, &time), row("answer", expected, answered)];
        let problem = "a record was answered otherwise".to_owned();
        self.differences.push(Difference { position, problem, rows, item: None, around: None });
    }

    /// Everything that was answered otherwise.
    pub fn into_differences(self) -> Vec<Difference> {
        self.differences
    }
}
