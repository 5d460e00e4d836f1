//! The series of a stream through all its connections: what the caller calls them, and what this connection does.

use std::collections::HashMap;

use souk_proto::metering::v1::{OpenedSeries, SeriesName, UsageColumns, UsageRecordStatus};

/// No stream has this handle: its rows are refused.
const NO_HANDLE: u32 = 0;

/// The series that are open.
#[derive(Debug, Default)]
pub struct SeriesBook {
    /// In the order in which they were opened.
    opened: Vec<(SeriesName, OpenedSeries)>,
    /// What the caller calls a series, and what this connection does.
    handles: HashMap<u32, u32>,
    /// The other way round.
    called: HashMap<u32, u32>,
    /// Whether the two may differ.
    renewed: bool,
}

impl SeriesBook {
    /// The names of all, to open them again.
    pub fn names(&self) -> Vec<SeriesName> {
        self.opened.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Takes series that this connection opened; answers what the caller calls them.
    pub fn add(&mut self, names: Vec<SeriesName>, opened: Vec<OpenedSeries>) -> Vec<OpenedSeries> {
        let mut answers = Vec::with_capacity(opened.len());
        for (name, series) in names.into_iter().zip(opened) {
            let called = match series.status() {
                UsageRecordStatus::Success => self.add_one(name, series),
                _ => series,
            };
            answers.push(called);
        }
        answers
    }

    fn add_one(&mut self, name: SeriesName, series: OpenedSeries) -> OpenedSeries {
        if let Some(&handle) = self.called.get(&series.handle) {
            return OpenedSeries { handle, ..series };
        }
        // The caller may call another series so since an earlier connection.
        let mut handle = series.handle;
        while handle == NO_HANDLE || self.handles.contains_key(&handle) {
            handle = handle.wrapping_sub(1);
        }
        self.handles.insert(handle, series.handle);
        self.called.insert(series.handle, handle);
        let called = OpenedSeries { handle, ..series };
        self.opened.push((name, called));
        called
    }

    /// Takes what a new connection calls the series, in the order of [`names`](Self::names). A series that it does not
    /// have, or has in another lane, has no handle any more.
    pub fn renew(&mut self, opened: &[OpenedSeries]) {
        self.called.clear();
        for (index, (_, called)) in self.opened.iter().enumerate() {
            let is_it =
                |now: &&OpenedSeries| now.status() == UsageRecordStatus::Success && now.lane == called.lane;
            let now = opened.get(index).filter(is_it).map_or(NO_HANDLE, |now| now.handle);
            self.handles.insert(called.handle, now);
            if now != NO_HANDLE {
                self.called.insert(now, called.handle);
            }
        }
        self.renewed = true;
    }

    /// A message as this connection understands it.
    pub fn translated(&self, message: &UsageColumns) -> UsageColumns {
        if !self.renewed {
            return message.clone();
        }
        // What is no row is left as it is, for the server to refuse.
        let (rows, rest) = message.handles.as_chunks::<4>();
        let now = |row: &[u8; 4]| self.handles.get(&u32::from_le_bytes(*row)).copied().unwrap_or(NO_HANDLE);
        let mut translated = rows.iter().flat_map(|row| now(row).to_le_bytes()).collect::<Vec<_>>();
        translated.extend_from_slice(rest);
        UsageColumns { handles: translated.into(), ..message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(dimension: &str) -> SeriesName {
        SeriesName { dimension: dimension.to_owned(), ..SeriesName::default() }
    }

    fn opened(handle: u32, lane: u32) -> OpenedSeries {
        OpenedSeries { handle, lane, status: UsageRecordStatus::Success.into() }
    }

    fn sent(book: &SeriesBook, handles: &[u32]) -> Vec<u32> {
        let packed: Vec<u8> = handles.iter().flat_map(|handle| handle.to_le_bytes()).collect();
        let message = UsageColumns { handles: packed.into(), ..UsageColumns::default() };
        let bytes = book.translated(&message).handles;
        bytes.chunks(4).map(|row| u32::from_le_bytes(row.try_into().unwrap())).collect()
    }

    #[test]
    fn handles_are_the_callers_through_all_connections() {
        let mut book = SeriesBook::default();
        let none = OpenedSeries { status: UsageRecordStatus::CustomerNotSubscribed.into(), ..opened(0, 0) };
        let first = book.add(vec![name("a"), name("b"), name("c")], vec![opened(8, 0), none, opened(9, 1)]);
        assert_eq!(first, [opened(8, 0), none, opened(9, 1)]);
        assert_eq!(sent(&book, &[8, 9]), [8, 9]);
        assert_eq!(book.names(), [name("a"), name("c")]);

        book.renew(&[opened(9, 0), opened(70, 1)]);
        assert_eq!(sent(&book, &[8, 9, 5]), [9, 70, NO_HANDLE]);
        // Another series that this connection calls as the caller calls one already.
        let later = book.add(vec![name("d")], vec![opened(8, 0)]);
        let handle = later.first().map(|series| series.handle).unwrap();
        assert!(![8, 9].contains(&handle));
        assert_eq!(sent(&book, &[handle, 8]), [8, 9]);
        // A known one is called as before.
        assert_eq!(book.add(vec![name("a")], vec![opened(9, 0)]), [opened(8, 0)]);
    }

    #[test]
    fn a_series_that_is_gone_or_moved_has_no_handle() {
        let mut book = SeriesBook::default();
        book.add(vec![name("a"), name("b")], vec![opened(8, 0), opened(9, 1)]);
        let gone = OpenedSeries { status: UsageRecordStatus::CustomerNotSubscribed.into(), ..opened(0, 0) };
        book.renew(&[gone, opened(9, 0)]);
        assert_eq!(sent(&book, &[8, 9]), [NO_HANDLE, NO_HANDLE]);
    }
}
