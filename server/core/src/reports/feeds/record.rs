//! A record of a feed, and which of several is current.

use std::collections::BTreeMap;

use super::super::Row;
use crate::time::Timestamp;

/// What was so from a moment on, as it was known at another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is about: records of one key tell of the same thing.
    pub key: String,
    /// From when on it is so.
    pub valid_from: Timestamp,
    /// When a record of this key and moment was first written.
    pub inserted: Timestamp,
    /// When this one was.
    pub updated: Timestamp,
    /// When it was withdrawn.
    pub deleted: Option<Timestamp>,
    /// The feed's own columns.
    pub cells: Row,
}

impl Record {
    /// A record that is written when it becomes so.
    pub fn written(key: String, at: Timestamp, cells: Row) -> Record {
        Record { key, valid_from: at, inserted: at, updated: at, deleted: None, cells }
    }

    /// Its row: valid_from, insert_date, update_date, delete_date, and the feed's own columns.
    pub fn row(&self) -> Row {
        let deleted = self.deleted.map_or_else(String::new, |at| at.to_string());
        let history = [self.valid_from, self.inserted, self.updated].map(|at| at.to_string());
        history.into_iter().chain([deleted]).chain(self.cells.iter().cloned()).collect()
    }
}

/// The records that stand, in the order of their keys: of those of one key and moment the one that was written last,
/// unless it is withdrawn; and of these, the one of the latest moment (F-22).
pub fn current(records: &[Record]) -> Vec<&Record> {
    let mut by_moment: BTreeMap<(&str, Timestamp), &Record> = BTreeMap::new();
    for record in records {
        let last = by_moment.entry((&record.key, record.valid_from)).or_insert(record);
        if last.updated <= record.updated {
            *last = record;
        }
    }
    let mut standing: BTreeMap<&str, &Record> = BTreeMap::new();
    // Moments of one key come in order.
    for ((key, _), record) in by_moment {
        if record.deleted.is_none() {
            standing.insert(key, record);
        }
    }
    standing.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, valid_from: &str, updated: &str, value: &str) -> Record {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let cells = vec![value.to_owned()];
        Record {
            inserted: at(valid_from),
            updated: at(updated),
            ..Record::written(key.to_owned(), at(valid_from), cells)
        }
    }

    fn values(records: &[Record]) -> Vec<&str> {
        current(records).into_iter().map(|record| record.cells[0].as_str()).collect()
    }

    #[test]
    fn f_22_the_last_update_of_the_latest_moment_is_current() {
        let mut records = vec![
            record("a", "2018-12-12T02:00:00Z", "2018-12-12T02:00:00Z", "old"),
            record("a", "2019-03-29T03:00:00Z", "2019-03-29T03:00:00Z", "typo"),
            record("a", "2019-03-29T03:00:00Z", "2019-04-28T03:00:00Z", "current"),
        ];
        assert_eq!(values(&records), ["current"]);
        // In any order, and whatever is corrected of the past later.
        records.push(record("a", "2018-12-12T02:00:00Z", "2020-01-01T00:00:00Z", "old, corrected"));
        records.reverse();
        assert_eq!(values(&records), ["current"]);
    }

    #[test]
    fn f_22_every_key_has_its_own_current_record() {
        let records = [
            record("b", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "b"),
            record("a", "2025-02-01T00:00:00Z", "2025-02-01T00:00:00Z", "a"),
            record("a", "2025-01-01T00:00:00Z", "2025-03-01T00:00:00Z", "a before"),
        ];
        assert_eq!(values(&records), ["a", "b"]);
        assert_eq!(values(&[]), Vec::<&str>::new());
    }

    #[test]
    fn f_22_what_is_withdrawn_is_not_current() {
        let mut withdrawn = record("a", "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "withdrawn");
        withdrawn.deleted = Some(withdrawn.updated);
        let second = record("a", "2025-02-01T00:00:00Z", "2025-02-01T00:00:00Z", "second");
        let first = record("a", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "first");
        assert_eq!(values(&[second.clone(), withdrawn.clone()]), Vec::<&str>::new());
        assert_eq!(values(&[first, second, withdrawn.clone()]), ["first"]);
        assert_eq!(
            withdrawn.row(),
            [
                "2025-02-01T00:00:00Z",
                "2025-02-01T00:00:00Z",
                "2025-03-01T00:00:00Z",
                "2025-03-01T00:00:00Z",
                "withdrawn"
            ]
        );
    }
}
