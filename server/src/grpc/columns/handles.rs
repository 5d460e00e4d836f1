//! The handles of a stream: numbers that mean something on it alone.
//!
//! ```text
//!  31        22 21          0
//! +------------+-----+-------+
//! | tag        | lane| index |      lane: as many bits as the lanes need
//! +------------+-----+-------+
//! ```
//!
//! The tag is different for streams that are open at the same time, and never 0, so that a handle of another
//! stream and a column of zeros are refused. The handles of a lane are numbered on end: whether a whole column is of
//! a lane is one comparison a row, and what the lane calls each series one look into a table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bits of a handle below its tag.
const TAG_SHIFT: u32 = 22;
/// Tags that there are, 0 included, which is none.
const TAGS: u32 = 1 << (u32::BITS - TAG_SHIFT);

/// Streams that may be open at a time.
pub const STREAMS_MAX: u32 = TAGS - 1;

/// The tags of the streams that are open.
#[derive(Debug, Clone, Default)]
pub struct Tags(Arc<Mutex<TagsTaken>>);

#[derive(Debug)]
struct TagsTaken {
    taken: Box<[bool]>,
    /// The one given last: the next ones come before it is given again.
    last: u32,
}

impl Default for TagsTaken {
    fn default() -> TagsTaken {
        TagsTaken { taken: vec![false; TAGS as usize].into(), last: 0 }
    }
}

/// A stream's tag, until it is dropped.
#[derive(Debug)]
pub struct Tag {
    number: u32,
    tags: Tags,
}

impl Tags {
    /// A tag that no open stream has; none when there are too many of them.
    pub fn take(&self) -> Option<Tag> {
        let mut tags = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from_last = |offset| (tags.last + offset - 1) % STREAMS_MAX + 1;
        let free = |number: &u32| tags.taken.get(*number as usize) == Some(&false);
        let number = (1..=STREAMS_MAX).map(from_last).find(free)?;
        tags.last = number;
        if let Some(taken) = tags.taken.get_mut(number as usize) {
            *taken = true;
        }
        Some(Tag { number, tags: self.clone() })
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        let mut tags = self.tags.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = tags.taken.get_mut(self.number as usize) {
            *taken = false;
        }
    }
}

/// The series that are open on a stream.
#[derive(Debug)]
pub struct StreamSeries {
    tag: Tag,
    lane_shift: u32,
    lanes: Vec<Lane>,
}

/// The series of a lane, by their indexes on the stream.
#[derive(Debug, Default)]
struct Lane {
    /// Of which incarnation of the sandbox the handles are.
    generation: u64,
    /// The index of the first one: those before it are of earlier incarnations, and are never given again.
    first: u32,
    /// What the lane calls them.
    handles: Vec<u32>,
    indexes: HashMap<u32, u32>,
}

/// A row whose handle is none of its lane.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownHandle {
    /// Which row.
    pub row: usize,
    /// What it says.
    pub handle: u32,
}

impl StreamSeries {
    /// No series yet, of so many lanes.
    pub fn new(tag: Tag, lanes: u32) -> StreamSeries {
        let lane_bits = u32::BITS - lanes.saturating_sub(1).leading_zeros();
        let mut empty = Vec::new();
        empty.resize_with(lanes as usize, Lane::default);
        StreamSeries { tag, lane_shift: TAG_SHIFT - lane_bits, lanes: empty }
    }

    /// How many series of a lane a stream has handles for.
    pub fn lane_max(&self) -> u32 {
        1 << self.lane_shift
    }

    /// What the stream calls a series that the lane calls `handle`; none when it has no more handles for the lane.
    /// Those of another generation are void from here on.
    pub fn open(&mut self, lane: u32, generation: u64, handle: u32) -> Option<u32> {
        let (base, lane_max) = (self.base(lane), self.lane_max());
        let lane = self.lanes.get_mut(lane as usize)?;
        if lane.generation != generation {
            let first = lane.first + lane.handles.len() as u32;
            *lane = Lane { generation, first, ..Lane::default() };
        }
        if let Some(index) = lane.indexes.get(&handle) {
            return Some(base + index);
        }
        let index = lane.first + lane.handles.len() as u32;
        if index == lane_max {
            return None;
        }
        lane.handles.push(handle);
        lane.indexes.insert(handle, index);
        Some(base + index)
    }

    /// What a lane calls the series of a column of handles, and of which generation that is.
    ///
    /// # Errors
    /// The first handle that is none of the lane.
    pub fn of_lane(&self, lane: u32, column: &[[u8; 4]]) -> Result<(u64, Vec<u32>), UnknownHandle> {
        let empty = Lane::default();
        let first = self.base(lane);
        let lane = self.lanes.get(lane as usize).unwrap_or(&empty);
        let first = first.wrapping_add(lane.first);
        let index = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes).wrapping_sub(first) as usize;
        let mut unknown = false;
        let known = |bytes| {
            let handle = lane.handles.get(index(bytes));
            unknown |= handle.is_none();
            handle.copied().unwrap_or_default()
        };
        let handles = column.iter().map(known).collect();
        match unknown {
            false => Ok((lane.generation, handles)),
            true => {
                let is_unknown = |(_, bytes): &(usize, &[u8; 4])| index(bytes) >= lane.handles.len();
                let first = column.iter().enumerate().find(is_unknown);
                Err(first.map_or(UnknownHandle { row: 0, handle: 0 }, |(row, bytes)| UnknownHandle {
                    row,
                    handle: u32::from_le_bytes(*bytes),
                }))
            }
        }
    }

    fn base(&self, lane: u32) -> u32 {
        self.tag.number << TAG_SHIFT | lane << self.lane_shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(handles: &[u32]) -> Vec<[u8; 4]> {
        handles.iter().map(|handle| handle.to_le_bytes()).collect()
    }

    #[test]
    fn a_series_is_called_the_same_however_often_it_is_opened() {
        let mut series = StreamSeries::new(Tags::default().take().unwrap(), 4);
        let first = series.open(1, 9, 70).unwrap();
        assert_eq!(series.open(1, 9, 70), Some(first));
        let second = series.open(1, 9, 71).unwrap();
        assert_eq!(series.of_lane(1, &column(&[second, first, second])), Ok((9, vec![71, 70, 71])));
    }

    #[test]
    fn handles_of_other_streams_and_lanes_are_unknown() {
        let tags = Tags::default();
        for lanes in [1, 2, 3, 4, 5, 256] {
            let [mut series, mut other] = [(), ()].map(|()| StreamSeries::new(tags.take().unwrap(), lanes));
            let last = lanes - 1;
            let mine = series.open(last, 1, 0).unwrap();
            let of_other = other.open(last, 1, 0).unwrap();
            let mut unknown = vec![0, u32::MAX, of_other, mine - 1, mine + 1];
            if last > 0 {
                unknown.push(series.open(0, 1, 0).unwrap());
            }
            for handle in unknown {
                let refused = series.of_lane(last, &column(&[mine, handle]));
                assert_eq!(refused, Err(UnknownHandle { row: 1, handle }), "{lanes} lanes");
            }
            assert!(series.of_lane(lanes, &column(&[mine])).is_err());
        }
    }

    #[test]
    fn handles_of_an_earlier_incarnation_are_void_for_good() {
        let mut series = StreamSeries::new(Tags::default().take().unwrap(), 4);
        let old = [5, 6].map(|handle| series.open(2, 1, handle).unwrap());
        let new = series.open(2, 2, 5).unwrap();
        assert!(!old.contains(&new));
        assert_eq!(series.of_lane(2, &column(&[new])), Ok((2, vec![5])));
        for handle in old {
            assert_eq!(series.of_lane(2, &column(&[handle])), Err(UnknownHandle { row: 0, handle }));
        }
    }

    #[test]
    fn a_lane_has_as_many_handles_as_its_bits() {
        let mut series = StreamSeries::new(Tags::default().take().unwrap(), 256);
        assert_eq!(series.lane_max(), 1 << 14);
        for handle in 0..series.lane_max() {
            assert!(series.open(255, 1, handle).is_some());
        }
        assert_eq!(series.open(255, 1, series.lane_max()), None);
        assert!(series.open(254, 1, 0).is_some());
    }

    #[test]
    fn a_tag_comes_back_late_and_only_from_a_closed_stream() {
        let tags = Tags::default();
        let first = tags.take().unwrap();
        let gone = tags.take().unwrap().number;
        let mut open: Vec<_> = (2..STREAMS_MAX).map(|_| tags.take().unwrap()).collect();
        assert!(open.iter().all(|tag| tag.number != gone && tag.number != first.number && tag.number != 0));
        open.push(tags.take().unwrap());
        assert_eq!(open.last().map(|tag| tag.number), Some(gone));
        assert!(tags.take().is_none());
        drop(open.pop());
        assert_eq!(tags.take().map(|tag| tag.number), Some(gone));
    }
}
