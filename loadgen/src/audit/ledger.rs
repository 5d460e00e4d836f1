//! What was acknowledged: one bit a message, and what of a message was answered otherwise.
//!
//! What a message holds follows from its number, so an acknowledged message need not be remembered row by row.
//! The first record of a cell that is answered SUCCESS stands. A row that was answered UNPROCESSED was not
//! metered: its cell is *open* until its message was sent again; if a retry with another quantity comes in
//! between, that one stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Differences;
use crate::door::{Answer, Door, Status};
use crate::plan::{Extra, Feed, Plan, Probe, Purpose, Sending};

/// How many records were answered how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Messages acknowledged.
    pub messages: u64,
    /// Records sent and answered, each as often as it was.
    pub records: u64,
    /// Repeats of a metered record, answered SUCCESS.
    pub repeats: u64,
    /// Records with another quantity, answered DUPLICATE_RECORD.
    pub changed: u64,
    /// Records of strangers, answered CUSTOMER_NOT_SUBSCRIBED.
    pub strangers: u64,
    /// Late records, in messages that were refused as they must be.
    pub late: u64,
    /// Wrong records, in messages that were refused as they must be.
    pub invalid: u64,
    /// Records that were not processed at first, and sent again.
    pub unprocessed: u64,
    /// Messages that were refused for the moment, and sent again.
    pub busy: u64,
    /// Messages whose answer was lost, and that were sent again.
    pub resent: u64,
}

/// What is to be done about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Done,
    /// It must be sent again.
    Again,
    /// It must be sent again after a while.
    Later(std::time::Duration),
}

/// An hour of a series.
type Cell = (u32, u32);

/// A cell that is not as its message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// Not metered yet.
    Open,
    /// Metered with this quantity.
    Stands(u64),
}

/// What the server acknowledged, and where it answered wrongly.
#[derive(Debug, Clone)]
pub struct Ledger {
    door: Door,
    /// By feed: which messages were acknowledged.
    messages: Vec<Vec<bool>>,
    /// In numbers.
    pub acknowledged: Acknowledged,
    /// Wrong answers.
    pub differences: Differences,
    others: BTreeMap<Cell, Other>,
    /// Room to work in.
    extras: Vec<Extra>,
}

impl Ledger {
    /// A ledger in which nothing is acknowledged.
    #[must_use]
    pub fn new(door: Door) -> Ledger {
        Ledger {
            door,
            messages: Vec::new(),
            acknowledged: Acknowledged::default(),
            differences: Differences::default(),
            others: BTreeMap::new(),
            extras: Vec::new(),
        }
    }

    /// Whether a message was acknowledged.
    #[must_use]
    pub fn has(&self, feed: u32, message: u64) -> bool {
        self.messages.get(feed as usize).and_then(|feed| feed.get(message as usize)).copied().unwrap_or(false)
    }

    /// What stands in a cell of an acknowledged message, in millionths; none while it is open.
    #[must_use]
    pub fn stands(&self, plan: &Plan, series: u32, hour: u32) -> Option<u64> {
        match self.others.get(&(series, hour)) {
            None => Some(plan.millionths(series, hour)),
            Some(Other::Stands(millionths)) => Some(*millionths),
            Some(Other::Open) => None,
        }
    }

    /// Notes the answer to what was sent.
    pub fn note(&mut self, plan: &Plan, feed: &Feed, sending: Sending, answer: &Answer) -> Verdict {
        match (sending, answer) {
            (_, Answer::Refused { retry_after: Some(delay), .. }) => {
                self.acknowledged.busy += 1;
                Verdict::Later(*delay)
            }
            (Sending::Usage(message), Answer::Rows { count, exceptions }) => {
                self.note_usage(plan, feed, message, *count, exceptions)
            }
            (Sending::Usage(message), Answer::Refused { code, words, .. }) => {
                let hour = plan.calendar.hour(feed.place(message).0);
                self.differences.add(|| {
                    format!(
                        "message {message} of feed {}, in the hour {hour}, was refused: {code}, {words}",
                        feed.number
                    )
                });
                Verdict::Done
            }
            (Sending::Probe(message, probe), answer) => {
                self.note_probe(plan, feed, message, probe, answer);
                Verdict::Done
            }
        }
    }

    fn note_usage(
        &mut self,
        plan: &Plan,
        feed: &Feed,
        message: u64,
        count: u64,
        exceptions: &[(u32, Status)],
    ) -> Verdict {
        let (hour, chunk) = feed.place(message);
        let rows = chunk.end - chunk.start;
        let mut extras = std::mem::take(&mut self.extras);
        feed.extras(plan, message, &mut extras);
        let all = u64::from(rows) + extras.len() as u64;
        self.acknowledged.records += all;
        if count != all {
            self.differences.add(|| {
                let feed = feed.number;
                format!("message {message} of feed {feed} has {all} records, of which {count} were answered")
            });
        }
        let verdict = match is_as_planned(rows, &extras, exceptions) && self.others.is_empty() {
            true => Verdict::Done,
            false => self.note_rows(plan, feed, (hour, chunk.start, rows), &extras, exceptions),
        };
        if verdict == Verdict::Done {
            for extra in &extras {
                let count = match extra.purpose {
                    Purpose::Repeat => &mut self.acknowledged.repeats,
                    Purpose::Change => &mut self.acknowledged.changed,
                    Purpose::Stranger => &mut self.acknowledged.strangers,
                };
                *count += 1;
            }
        }
        self.extras = extras;
        self.acknowledge(feed.number, message);
        verdict
    }

    /// Row by row, where something is not as planned.
    fn note_rows(
        &mut self,
        plan: &Plan,
        feed: &Feed,
        (hour, start, rows): (u32, u32, u32),
        extras: &[Extra],
        exceptions: &[(u32, Status)],
    ) -> Verdict {
        let mut exceptions = exceptions.iter().peekable();
        let mut verdict = Verdict::Done;
        for row in 0..rows + extras.len() as u32 {
            let exception = exceptions.next_if(|(at, _)| *at == row);
            let status = exception.map_or(Status::Success, |(_, status)| *status);
            let extra = row.checked_sub(rows).map(|position| extras[position as usize]);
            let (position, back) = extra.map_or((row, 0), |extra| (extra.row, extra.back));
            let series = feed.series[(start + position) as usize];
            if status == Status::Unprocessed {
                verdict = Verdict::Again;
            }
            self.note_row(plan, (series, hour - back), extra.map(|extra| extra.purpose), status);
        }
        if let Some((row, _)) = exceptions.next() {
            self.differences.add(|| format!("feed {}: an exception for row {row} in no order", feed.number));
        }
        verdict
    }

    fn note_row(&mut self, plan: &Plan, cell: Cell, purpose: Option<Purpose>, status: Status) {
        let (series, hour) = cell;
        let said = match purpose {
            None | Some(Purpose::Repeat) => plan.millionths(series, hour),
            Some(Purpose::Change) => plan.contradiction(series, hour),
            Some(Purpose::Stranger) => {
                if status != Status::NotSubscribed && status != Status::Unprocessed {
                    self.differ(plan, cell, "of a stranger", status);
                }
                return;
            }
        };
        let is_open = matches!(self.others.get(&cell), Some(Other::Open));
        match status {
            Status::Unprocessed => {
                self.acknowledged.unprocessed += 1;
                // What was metered before stays so.
                if purpose.is_none() {
                    self.others.entry(cell).or_insert(Other::Open);
                }
            }
            Status::Success if is_open => {
                match purpose {
                    None | Some(Purpose::Repeat) => self.others.remove(&cell),
                    Some(_) => self.others.insert(cell, Other::Stands(said)),
                };
            }
            status => {
                let same = !is_open && self.stands(plan, series, hour) == Some(said);
                let expected = if same { Status::Success } else { Status::Duplicate };
                if status != expected || is_open {
                    let sent = match purpose {
                        None => "sent for the first time",
                        Some(Purpose::Change) => "sent again with another quantity",
                        Some(_) => "sent again",
                    };
                    self.differ(plan, cell, sent, status);
                }
            }
        }
    }

    fn differ(&mut self, plan: &Plan, (series, hour): Cell, sent: &str, status: Status) {
        let place = plan.place(series, hour);
        self.differences.add(|| format!("{place}, {sent}, was answered {}", status.name()));
    }

    fn note_probe(&mut self, plan: &Plan, feed: &Feed, message: u64, probe: Probe, answer: &Answer) {
        let expected = self.door.refusal(probe.kind);
        match answer {
            Answer::Refused { code, .. } if code == expected => {
                let count = match probe.kind {
                    crate::plan::ProbeKind::Late => &mut self.acknowledged.late,
                    _ => &mut self.acknowledged.invalid,
                };
                *count += u64::from(probe.bad);
            }
            other => {
                let said = match other {
                    Answer::Refused { code, words, .. } => format!("refused with {code}, {words}"),
                    Answer::Rows { count, .. } => format!("taken, {count} rows of it"),
                };
                let hour = plan.calendar.hour(feed.place(message).0);
                self.differences.add(|| {
                    format!("a message that is wrong ({:?}) in the hour {hour} must be refused with {expected}: it was {said}", probe.kind)
                });
            }
        }
    }

    fn acknowledge(&mut self, feed: u32, message: u64) {
        let (feed, message) = (feed as usize, message as usize);
        if self.messages.len() <= feed {
            self.messages.resize(feed + 1, Vec::new());
        }
        let messages = &mut self.messages[feed];
        if messages.len() <= message {
            messages.resize((message + 1).next_power_of_two(), false);
        }
        self.acknowledged.messages += u64::from(!messages[message]);
        messages[message] = true;
    }
}

/// Whether the exceptions are those that a message's odd rows must have, and no others.
fn is_as_planned(rows: u32, extras: &[Extra], exceptions: &[(u32, Status)]) -> bool {
    let expected = extras.iter().zip(rows..).filter_map(|(extra, row)| match extra.purpose {
        Purpose::Repeat => None,
        Purpose::Change => Some((row, Status::Duplicate)),
        Purpose::Stranger => Some((row, Status::NotSubscribed)),
    });
    expected.eq(exceptions.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::feed::{BACK_MAX, part};
    use crate::plan::{FeedKind, ProbeKind, ProductKind, odd_shape};

    fn world() -> (Plan, Feed) {
        let plan = Plan::new(odd_shape());
        let series = part(&plan, 1, |kind| kind == ProductKind::Saas).remove(0);
        let feed = Feed::of_records(&plan, FeedKind::Records, 0, series, 25, BACK_MAX);
        (plan, feed)
    }

    /// The answer that the plan foresees.
    fn right(plan: &Plan, feed: &Feed, message: u64) -> Answer {
        let mut extras = Vec::new();
        feed.extras(plan, message, &mut extras);
        let (_, chunk) = feed.place(message);
        let rows = chunk.end - chunk.start;
        let exceptions = extras.iter().zip(rows..).filter_map(|(extra, row)| match extra.purpose {
            Purpose::Repeat => None,
            Purpose::Change => Some((row, Status::Duplicate)),
            Purpose::Stranger => Some((row, Status::NotSubscribed)),
        });
        Answer::Rows { count: u64::from(rows) + extras.len() as u64, exceptions: exceptions.collect() }
    }

    /// The first message with such an extra of its own hour, and its row among all.
    fn with(plan: &Plan, feed: &Feed, purpose: Purpose) -> (u64, u32, Extra) {
        let mut extras = Vec::new();
        for message in 0..feed.end_of_month(plan, 1) {
            feed.extras(plan, message, &mut extras);
            let found = extras.iter().position(|extra| extra.purpose == purpose && extra.back == 0);
            if let Some(position) = found {
                let (_, chunk) = feed.place(message);
                return (message, chunk.end - chunk.start + position as u32, extras[position]);
            }
        }
        panic!("no {purpose:?}");
    }

    fn changed(answer: &Answer, row: u32, status: Status) -> Answer {
        let Answer::Rows { count, exceptions } = answer else { panic!("a refusal") };
        let mut exceptions: Vec<_> = exceptions.iter().copied().filter(|(at, _)| *at != row).collect();
        if status != Status::Success {
            exceptions.push((row, status));
            exceptions.sort_by_key(|(row, _)| *row);
        }
        Answer::Rows { count: *count, exceptions }
    }

    #[test]
    fn right_answers_are_no_difference_also_a_second_time() {
        let (plan, feed) = world();
        let mut ledger = Ledger::new(Door::Strings);
        for message in 0..feed.end_of_month(&plan, 1) {
            for _ in 0..2 {
                let answer = right(&plan, &feed, message);
                assert_eq!(ledger.note(&plan, &feed, Sending::Usage(message), &answer), Verdict::Done);
            }
            assert!(ledger.has(0, message) && !ledger.has(0, message + 1));
        }
        assert_eq!(ledger.differences, Differences::default());
        let Acknowledged { messages, repeats, changed, strangers, .. } = ledger.acknowledged;
        assert_eq!(messages, feed.end_of_month(&plan, 1));
        assert!(0 < repeats && 0 < changed && 0 < strangers);
    }

    #[test]
    fn each_wrong_answer_is_a_difference() {
        let (plan, feed) = world();
        let (repeat, repeat_row, _) = with(&plan, &feed, Purpose::Repeat);
        let (change, change_row, _) = with(&plan, &feed, Purpose::Change);
        let (stranger, stranger_row, _) = with(&plan, &feed, Purpose::Stranger);
        for (message, row, status) in [
            (0, 0, Status::Duplicate),
            (0, 0, Status::NotSubscribed),
            (0, 0, Status::Unknown),
            (repeat, repeat_row, Status::Duplicate),
            (change, change_row, Status::Success),
            (change, change_row, Status::NotSubscribed),
            (stranger, stranger_row, Status::Success),
        ] {
            let mut ledger = Ledger::new(Door::Strings);
            let answer = changed(&right(&plan, &feed, message), row, status);
            ledger.note(&plan, &feed, Sending::Usage(message), &answer);
            assert_eq!(ledger.differences.count, 1, "{row} {status:?}: {:?}", ledger.differences.shown);
        }
        for wrong in [
            Answer::Rows { count: 1, exceptions: Vec::new() },
            Answer::Refused { code: "X".to_owned(), words: String::new(), retry_after: None },
        ] {
            let mut ledger = Ledger::new(Door::Strings);
            ledger.note(&plan, &feed, Sending::Usage(0), &wrong);
            assert!(0 < ledger.differences.count, "{wrong:?}");
        }
    }

    #[test]
    fn what_was_not_processed_is_open_until_it_was_sent_again() {
        let (plan, feed) = world();
        let (message, row, extra) = with(&plan, &feed, Purpose::Change);
        let (hour, chunk) = feed.place(message);
        let series = feed.series[(chunk.start + extra.row) as usize];
        let answer = right(&plan, &feed, message);
        // The retry with another quantity was processed, its record was not: the retry stands.
        let first = changed(&changed(&answer, extra.row, Status::Unprocessed), row, Status::Success);
        let mut ledger = Ledger::new(Door::Strings);
        assert_eq!(ledger.note(&plan, &feed, Sending::Usage(message), &first), Verdict::Again);
        assert_eq!(ledger.stands(&plan, series, hour), Some(plan.contradiction(series, hour)));
        let second = changed(&changed(&answer, extra.row, Status::Duplicate), row, Status::Success);
        assert_eq!(ledger.note(&plan, &feed, Sending::Usage(message), &second), Verdict::Done);
        assert_eq!((ledger.differences.count, ledger.acknowledged.unprocessed), (0, 1));
        // Without the retry it is open, and then as planned.
        let mut ledger = Ledger::new(Door::Strings);
        let last = chunk.end - chunk.start - 1;
        let series = feed.series[(chunk.start + last) as usize];
        let first = changed(&answer, last, Status::Unprocessed);
        ledger.note(&plan, &feed, Sending::Usage(message), &first);
        assert_eq!(ledger.stands(&plan, series, hour), None);
        ledger.note(&plan, &feed, Sending::Usage(message), &answer);
        assert_eq!(ledger.stands(&plan, series, hour), Some(plan.millionths(series, hour)));
        assert_eq!(ledger.differences, Differences::default());
    }

    #[test]
    fn a_probe_must_be_refused_with_its_own_reason() {
        let (plan, feed) = world();
        let probe = Probe { kind: ProbeKind::Late, good: 1, bad: 2 };
        let refused =
            |code: &str| Answer::Refused { code: code.to_owned(), words: String::new(), retry_after: None };
        for (answer, differences) in [
            (refused("TIMESTAMP_OUT_OF_BOUNDS"), 0),
            (refused("DIMENSION_UNKNOWN"), 1),
            (Answer::Rows { count: 3, exceptions: Vec::new() }, 1),
        ] {
            let mut ledger = Ledger::new(Door::Strings);
            ledger.note(&plan, &feed, Sending::Probe(0, probe), &answer);
            assert_eq!(
                (ledger.differences.count, ledger.acknowledged.late),
                (differences, 2 - 2 * differences)
            );
        }
        let busy = Answer::Refused {
            code: "RESOURCE_EXHAUSTED".to_owned(),
            words: String::new(),
            retry_after: Some(Duration::from_millis(3)),
        };
        let mut ledger = Ledger::new(Door::Strings);
        let verdict = ledger.note(&plan, &feed, Sending::Usage(0), &busy);
        assert_eq!((verdict, ledger.has(0, 0)), (Verdict::Later(Duration::from_millis(3)), false));
    }
}
