//! What was acknowledged: sums by series, taken from the answers to the messages.
//!
//! The first record of a cell that is answered SUCCESS stands. A record that was answered UNPROCESSED, or came
//! in a message that was refused as a whole, was not metered: its cell stays open, and the next record of it
//! is a first one.

use std::collections::BTreeSet;

use serde::Serialize;
use souk_client::proto::metering::v1::{StreamUsageResponse, UsageRecordStatus};

use super::Differences;
use crate::plan::{Cell, Message, Plan, Purpose, Row};

/// What a series metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metered {
    /// The sum of its quantities in millionths.
    pub millionths: u128,
    /// In how many hours.
    pub hours: u64,
}

/// How many records were answered how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Acknowledged {
    /// Records sent and answered.
    pub records: u64,
    /// Cells metered.
    pub metered: u64,
    /// Repeats answered SUCCESS.
    pub repeats: u64,
    /// Contradictions answered DUPLICATE_RECORD.
    pub contradictions: u64,
    /// Records answered UNPROCESSED, and records of refused messages: nothing was metered.
    pub unprocessed: u64,
}

/// What the server acknowledged, and where it answered wrongly.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// By series.
    pub series: Vec<Metered>,
    /// In numbers.
    pub acknowledged: Acknowledged,
    /// Wrong answers.
    pub differences: Differences,
    /// Cells whose record was not metered.
    open: BTreeSet<Cell>,
}

impl Ledger {
    /// A ledger in which nothing is acknowledged.
    #[must_use]
    pub fn new(plan: &Plan) -> Ledger {
        Ledger {
            series: vec![Metered::default(); plan.series.len()],
            acknowledged: Acknowledged::default(),
            differences: Differences::default(),
            open: BTreeSet::new(),
        }
    }

    /// Notes the answer to a message. The answers of a stream come in the order of its messages.
    pub fn note(&mut self, plan: &Plan, message: &Message, answer: &StreamUsageResponse) {
        let rows = message.rows.len();
        let excepted = answer.exceptions.len();
        self.acknowledged.records += rows as u64;
        if let Some(refusal) = &answer.refusal {
            self.differences.add(|| {
                let (code, field, words) = (&refusal.code, &refusal.field, &refusal.message);
                format!("message {} was refused: {code}, {field}: {words}", answer.message_index)
            });
            for row in &message.rows {
                self.leave_open(*row);
            }
            return;
        }
        if answer.success_count as usize + excepted != rows {
            self.differences.add(|| {
                let (index, successes) = (answer.message_index, answer.success_count);
                format!(
                    "message {index} of {rows} records has {successes} successes and {excepted} exceptions"
                )
            });
        }
        let mut exceptions = answer.exceptions.iter().peekable();
        for (row, index) in message.rows.iter().zip(0..) {
            let exception = exceptions.next_if(|exception| exception.record_index == index);
            let status = exception.map_or(UsageRecordStatus::Success, |exception| exception.status());
            self.note_record(plan, *row, status);
        }
        if let Some(exception) = exceptions.next() {
            self.differences.add(|| {
                let (message, record) = (answer.message_index, exception.record_index);
                format!("message {message} has an exception for record {record} in no order")
            });
        }
    }

    /// Adds what another stream acknowledged.
    pub fn append(&mut self, other: Ledger) {
        for (mine, theirs) in self.series.iter_mut().zip(other.series) {
            mine.millionths += theirs.millionths;
            mine.hours += theirs.hours;
        }
        let (mine, theirs) = (&mut self.acknowledged, other.acknowledged);
        mine.records += theirs.records;
        mine.metered += theirs.metered;
        mine.repeats += theirs.repeats;
        mine.contradictions += theirs.contradictions;
        mine.unprocessed += theirs.unprocessed;
        self.differences.append(other.differences);
        self.open.extend(other.open);
    }

    fn note_record(&mut self, plan: &Plan, row: Row, status: UsageRecordStatus) {
        use UsageRecordStatus::{DuplicateRecord, Success, Unprocessed};
        let is_first = row.purpose == Purpose::First || self.open.contains(&row.cell);
        match (is_first, row.purpose, status) {
            (true, _, Success) => self.meter(plan, row),
            (false, Purpose::Repeat, Success) => self.acknowledged.repeats += 1,
            (false, Purpose::Contradict, DuplicateRecord) => self.acknowledged.contradictions += 1,
            (_, _, Unprocessed) if is_first => self.leave_open(row),
            (_, _, Unprocessed) => self.acknowledged.unprocessed += 1,
            (_, purpose, status) => self.differences.add(|| {
                let sent = match purpose {
                    Purpose::First => "sent",
                    Purpose::Repeat => "sent again",
                    Purpose::Contradict => "sent again with another quantity",
                };
                let (place, status) = (place(plan, row.cell), status.as_str_name());
                format!("{place}, {sent}, was answered {status}")
            }),
        }
    }

    fn meter(&mut self, plan: &Plan, row: Row) {
        self.open.remove(&row.cell);
        self.acknowledged.metered += 1;
        let series = &mut self.series[row.cell.series as usize];
        series.millionths += u128::from(plan.stated(row).millionths());
        series.hours += 1;
    }

    fn leave_open(&mut self, row: Row) {
        self.acknowledged.unprocessed += 1;
        if row.purpose == Purpose::First {
            self.open.insert(row.cell);
        }
    }
}

fn place(plan: &Plan, cell: Cell) -> String {
    let series = plan.series[cell.series as usize];
    let product = &plan.products[series.product as usize].id;
    let buyer = plan.buyers[series.buyer as usize].account;
    format!("{product} {} of {buyer} in hour {}", plan.dimension(cell.series).key, cell.hour)
}

#[cfg(test)]
mod tests {
    use souk_client::proto::metering::v1::{MessageRefusal, UsageRecordResult};

    use super::*;
    use crate::plan::Shape;

    use UsageRecordStatus::{CustomerNotSubscribed, DuplicateRecord, Success, Unprocessed};

    const CELL: Cell = Cell { series: 0, hour: 3 };

    fn plan() -> Plan {
        Plan::new(Shape { seed: 1, buyers: 2, sellers: 1, dimensions: 2, hours: 24, duplicates_percent: 0 })
    }

    fn answer(statuses: &[UsageRecordStatus]) -> StreamUsageResponse {
        let exceptions: Vec<_> = statuses
            .iter()
            .zip(0..)
            .filter(|(status, _)| **status != Success)
            .map(|(status, record_index)| UsageRecordResult {
                record_index,
                status: (*status).into(),
                metering_record_id: String::new(),
            })
            .collect();
        let success_count = (statuses.len() - exceptions.len()) as u32;
        StreamUsageResponse { message_index: 0, success_count, exceptions, refusal: None }
    }

    /// Notes one message: records of one cell and what they were answered.
    fn noted(records: &[(Purpose, UsageRecordStatus)]) -> (Ledger, Plan) {
        let plan = plan();
        let rows = records.iter().map(|(purpose, _)| Row { cell: CELL, purpose: *purpose }).collect();
        let statuses: Vec<_> = records.iter().map(|(_, status)| *status).collect();
        let mut ledger = Ledger::new(&plan);
        ledger.note(&plan, &Message { product: 0, rows }, &answer(&statuses));
        (ledger, plan)
    }

    #[test]
    fn right_answers_are_told_from_wrong_ones() {
        use Purpose::{Contradict, First, Repeat};
        for (records, differences, metered) in [
            (vec![(First, Success), (Repeat, Success), (Contradict, DuplicateRecord)], 0, 1),
            (vec![(First, Success), (Repeat, DuplicateRecord)], 1, 1),
            (vec![(First, Success), (Contradict, Success)], 1, 1),
            (vec![(First, DuplicateRecord)], 1, 0),
            (vec![(First, CustomerNotSubscribed)], 1, 0),
            (vec![(First, Unprocessed), (Contradict, Success), (Repeat, DuplicateRecord)], 1, 1),
            (vec![(First, Unprocessed), (Repeat, Unprocessed), (Repeat, Success)], 0, 1),
            (vec![(First, Success), (Repeat, Unprocessed), (Contradict, DuplicateRecord)], 0, 1),
        ] {
            let (ledger, _) = noted(&records);
            let found = (ledger.differences.count, ledger.acknowledged.metered);
            assert_eq!(found, (differences, metered), "{records:?}: {:?}", ledger.differences.shown);
        }
    }

    #[test]
    fn what_stands_is_the_first_quantity_that_was_metered() {
        let (ledger, plan) = noted(&[(Purpose::First, Unprocessed), (Purpose::Contradict, Success)]);
        let stated = plan.stated(Row { cell: CELL, purpose: Purpose::Contradict });
        let expected = Metered { millionths: stated.millionths().into(), hours: 1 };
        assert_eq!(ledger.series[CELL.series as usize], expected);
    }

    #[test]
    fn a_refused_message_and_wrong_counts_are_differences() {
        let plan = plan();
        let message = Message { product: 0, rows: vec![Row { cell: CELL, purpose: Purpose::First }] };
        let refusal = MessageRefusal { code: "PRODUCT_UNKNOWN".to_owned(), ..MessageRefusal::default() };
        for (wrong, metered) in [
            (StreamUsageResponse { refusal: Some(refusal), ..StreamUsageResponse::default() }, 0),
            (StreamUsageResponse { success_count: 2, ..StreamUsageResponse::default() }, 1),
        ] {
            let mut ledger = Ledger::new(&plan);
            ledger.note(&plan, &message, &wrong);
            assert_eq!((ledger.differences.count, ledger.acknowledged.metered), (1, metered), "{wrong:?}");
        }
    }
}
