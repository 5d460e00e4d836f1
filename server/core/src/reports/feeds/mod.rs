//! Data feeds with a history: every change of what they tell adds a record (F-22). A month's file holds the records that
//! were written in it; its current records are those that stand at its end.

pub mod accounts;
pub mod agreements;
pub mod charges;
pub mod offers;
pub mod products;
pub mod record;

use super::{ReportInput, Row};
use record::{Record, current};

/// The rows of a feed: its columns are the history's, and then its own.
fn rows(input: &ReportInput<'_>, mut records: Vec<Record>) -> Vec<Row> {
    let end = input.month.end();
    records.retain(|record| record.updated < end);
    records.sort_by(|one, other| {
        (one.updated, &one.key, one.valid_from).cmp(&(other.updated, &other.key, other.valid_from))
    });
    let told: Vec<&Record> = match input.current {
        true => current(&records),
        false => records.iter().filter(|record| input.month.start() <= record.updated).collect(),
    };
    told.into_iter().map(Record::row).collect()
}
