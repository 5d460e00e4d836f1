//! Columns of usage as they are packed into messages: little-endian numbers, one message a lane.

use souk_proto::metering::v1::{OpenedSeries, UsageColumns};

const MILLIONTHS: u64 = 1_000_000;

/// A row: usage of one series in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnRow {
    /// The hour, in hours since 1970.
    pub hour: i32,
    /// How much, in millionths of a unit.
    pub millionths: u64,
}

impl ColumnRow {
    /// A whole quantity.
    #[must_use]
    pub fn whole(hour: i32, units: u32) -> ColumnRow {
        ColumnRow { hour, millionths: u64::from(units) * MILLIONTHS }
    }
}

/// Rows on their way into messages, which are packed lane by lane.
///
/// A message has at most so many rows as the stream says. Quantities are packed in 4 bytes when all of a message are
/// whole, and in 8 when one is not; the hour is given once when it is the same for all.
#[derive(Clone, Debug)]
pub struct Columns {
    rows_max: usize,
    lanes: Vec<Lane>,
}

/// The rows of a lane.
#[derive(Clone, Debug, Default)]
struct Lane {
    handles: Vec<[u8; 4]>,
    hours: Vec<i32>,
    millionths: Vec<u64>,
}

impl Columns {
    /// No rows yet; messages get at most so many.
    #[must_use]
    pub fn new(rows_max: usize) -> Columns {
        Columns { rows_max: rows_max.max(1), lanes: Vec::new() }
    }

    /// Adds a row of an open series. Answers a message when its lane has as many rows as go into one.
    #[must_use = "a full message is given once"]
    pub fn push(&mut self, series: &OpenedSeries, row: ColumnRow) -> Option<UsageColumns> {
        let lane = series.lane as usize;
        if self.lanes.len() <= lane {
            self.lanes.resize_with(lane + 1, Lane::default);
        }
        let rows = self.lanes.get_mut(lane)?;
        rows.handles.push(series.handle.to_le_bytes());
        rows.hours.push(row.hour);
        rows.millionths.push(row.millionths);
        (rows.handles.len() == self.rows_max).then(|| std::mem::take(rows).pack(series.lane))
    }

    /// The messages of all rows that are left.
    #[must_use = "the rows are given once"]
    pub fn take(&mut self) -> Vec<UsageColumns> {
        let left = self.lanes.iter_mut().zip(0..).filter(|(rows, _)| !rows.handles.is_empty());
        left.map(|(rows, lane)| std::mem::take(rows).pack(lane)).collect()
    }
}

impl Lane {
    fn pack(self, lane: u32) -> UsageColumns {
        let Lane { handles, hours, millionths } = self;
        let mut message =
            UsageColumns { lane, handles: handles.into_flattened().into(), ..Default::default() };
        match hours.first() {
            Some(&first) if hours.iter().all(|&hour| hour == first) => message.hour = Some(first),
            _ => {
                let packed: Vec<_> = hours.iter().map(|hour| hour.to_le_bytes()).collect();
                message.hours = packed.into_flattened().into();
            }
        }
        let whole = |&millionths: &u64| {
            let units = u32::try_from(millionths / MILLIONTHS).ok()?;
            (u64::from(units) * MILLIONTHS == millionths).then(|| units.to_le_bytes())
        };
        match millionths.iter().map(whole).collect::<Option<Vec<_>>>() {
            Some(units) => message.quantities = units.into_flattened().into(),
            None => {
                let packed: Vec<_> = millionths.iter().map(|millionths| millionths.to_le_bytes()).collect();
                message.quantities_millionths = packed.into_flattened().into();
            }
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(handle: u32, lane: u32) -> OpenedSeries {
        OpenedSeries { handle, lane, status: 1 }
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks(4).map(|chunk| u32::from_le_bytes(chunk.try_into().unwrap())).collect()
    }

    #[test]
    fn rows_are_packed_by_their_lanes() {
        let mut columns = Columns::new(10);
        for (handle, lane, hour) in [(7, 1, 480_000), (8, 0, 480_000), (9, 1, 480_001)] {
            assert_eq!(columns.push(&series(handle, lane), ColumnRow::whole(hour, handle * 2)), None);
        }
        let messages = columns.take();
        assert_eq!(messages.iter().map(|message| message.lane).collect::<Vec<_>>(), [0, 1]);
        let [first, second] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!((first.hour, numbers(&first.handles)), (Some(480_000), vec![8]));
        assert_eq!(numbers(&first.quantities), [16]);
        assert_eq!((second.hour, numbers(&second.hours)), (None, vec![480_000, 480_001]));
        assert_eq!((numbers(&second.handles), numbers(&second.quantities)), (vec![7, 9], vec![14, 18]));
        assert_eq!(columns.take(), []);
    }

    #[test]
    fn a_full_message_is_given_at_once_and_decimals_widen_it() {
        let mut columns = Columns::new(2);
        assert_eq!(columns.push(&series(1, 0), ColumnRow { hour: 5, millionths: 1 }), None);
        let full = columns.push(&series(2, 0), ColumnRow::whole(5, 2)).unwrap();
        assert!(full.quantities.is_empty());
        let expected: Vec<u8> = [1_u64, 2_000_000].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(full.quantities_millionths, expected);
        assert_eq!(columns.take(), []);
    }
}
