//! Opens the segments: finds the journal's end and what each log has.
//!
//! # A torn tail and damage
//!
//! A group of frames is written, then flushed, and only then is the next group written, at its end. So there
//! is at most one group that was not flushed: the last one. When power fails, its blocks may have reached the
//! disk in any order and in parts. A frame that is bad (its header or its payload) is
//!
//! - **torn** if it may be of that last group. Nothing behind it was ever acknowledged, so the journal ends
//!   there. Good frames may follow it, but only such as belong to the same group;
//! - **damage** if a good header anywhere behind it says that its group begins behind the bad frame. That
//!   group was written after the bad frame had been flushed: what is bad now was acknowledged, or could have
//!   been. The same holds if a later segment has a frame, or if two later segments are there. Nothing is cut
//!   then, and the store is not opened.
//!
//! ```text
//!     group at 4096             group at 4320
//!   ┌─────────┬─────────┐     ┌─────────┬─────────┬─────────┐
//!   │ 4096    │ 4096    │     │ 4320    │ 4320 ✗  │ 4320    │     torn: cut at ✗
//!   └─────────┴─────────┘     └─────────┴─────────┴─────────┘
//!   ┌─────────┬─────────┐     ┌─────────┬─────────┬─────────┐
//!   │ 4096    │ 4096 ✗  │     │ 4320    │ 4320    │ 4320    │     damage: 4320 lies behind ✗
//!   └─────────┴─────────┘     └─────────┴─────────┴─────────┘
//! ```
//!
//! What is left over behind a cut is never read again as frames: each opening writes a mark with a new epoch
//! at the end, and a frame of an older epoch behind it counts as bad. It cannot prove damage either: its group
//! began at or before the cut.
//!
//! An open journal writes a mark, too, when it is closed. So damage in the last group is told from a torn write
//! whenever the journal was closed in order. After a crash it cannot be: the last group may be cut then
//! although it was acknowledged, if the disk spoils it, and only it, at that very time.
//!
//! Of groups before the last one only headers are read here. Their payloads are checked when they are read.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::files;
use super::frame::{ALIGNMENT, Frame, HEADER_BYTES, Kind};
use super::index::Index;
use super::manifest::Manifest;
use super::segment::{self, FRAMES_AT, Segment};
use super::spare::{SegmentSizes, Spare};
use super::window::{AHEAD_BYTES, HEADER_READ_BYTES, Window};
use super::writer::{Failure, Writer};
use crate::OpenError;

/// From this size of a frame on, what follows it is not read together with it.
const LARGE_FRAME_BYTES: u64 = 32 * 1024;

/// How much is searched at once for frames behind the end.
const SEARCH_BYTES: u64 = 1024 * 1024;

/// An opened journal, and what each of the manifest's logs has in it.
pub(super) struct Recovered {
    pub(super) writer: Writer,
    pub(super) indexes: Vec<Index>,
}

/// Opens the segments of a store, or makes the first one. The caller holds the store's lock. What is refused
/// is left as it was.
pub(super) fn recover(dir: &Path, manifest: &Manifest, sizes: SegmentSizes) -> Result<Recovered, OpenError> {
    let numbers = segment::numbers(dir).map_err(|error| files::io(dir, error))?;
    for (place, number) in numbers.iter().enumerate() {
        let expected = place as u64 + 1;
        if *number != expected {
            return Err(files::corrupt(&segment::path(dir, expected), "it is missing"));
        }
    }
    let last = numbers.len() as u64;
    if last == 0 {
        return create(dir, manifest, sizes);
    }
    let mut walk = Walk::new(dir, manifest);
    let mut segment = walk.open(1)?;
    while let End::Sealed = walk.walk(&segment)? {
        if segment.number == last {
            return Err(files::corrupt(&segment::path(dir, last + 1), "it is missing"));
        }
        segment = walk.open(segment.number + 1)?;
    }
    let end = walk.end(&segment)?;
    walk.refuse_damage(&segment, end, last)?;
    let found = if segment.number < last { Some(walk.open(last)?) } else { None };
    walk.settle()?;
    walk.make_durable()?;
    let spare = Spare::new(dir.to_owned(), manifest.store, sizes, found);
    let writer = Writer::new(manifest.store, segment, end, walk.epoch, walk.frame_bytes, spare);
    begin_epoch(dir, writer, walk.indexes, walk.epoch + 1)
}

fn create(dir: &Path, manifest: &Manifest, sizes: SegmentSizes) -> Result<Recovered, OpenError> {
    let path = segment::path(dir, 1);
    if !manifest.logs.is_empty() {
        return Err(files::corrupt(&path, "it is missing"));
    }
    let created = Segment::create(dir, manifest.store, 1, sizes.bytes(1, 0), &AtomicBool::new(false));
    let segment = created.map_err(|error| files::io(&path, error))?;
    let spare = Spare::new(dir.to_owned(), manifest.store, sizes, None);
    let writer = Writer::new(manifest.store, segment, FRAMES_AT, 0, 0, spare);
    begin_epoch(dir, writer, Vec::new(), 1)
}

fn begin_epoch(
    dir: &Path,
    mut writer: Writer,
    indexes: Vec<Index>,
    epoch: u64,
) -> Result<Recovered, OpenError> {
    match writer.mark(epoch) {
        Ok(()) => Ok(Recovered { writer, indexes }),
        Err(Failure::Full(Some(error)) | Failure::Disk(error)) => {
            Err(files::io(dir, io::Error::new(error.kind(), error)))
        }
        Err(Failure::Full(None)) => Err(files::io(dir, io::ErrorKind::StorageFull.into())),
    }
}

/// How a segment ends.
enum End {
    /// It goes on in the next segment.
    Sealed,
    /// Behind its last good header.
    Open,
}

/// The way through the frames.
struct Walk<'a> {
    dir: &'a Path,
    manifest: &'a Manifest,
    window: Window,
    indexes: Vec<Index>,
    epoch: u64,
    frame_bytes: u64,
    /// The group that the walk is in.
    group: Group,
}

#[derive(Default)]
struct Group {
    segment: u64,
    start: u64,
    end: u64,
    frames: Vec<(u64, Frame)>,
}

impl Walk<'_> {
    fn new<'a>(dir: &'a Path, manifest: &'a Manifest) -> Walk<'a> {
        let indexes = manifest.logs.iter().map(|_| Index::new()).collect();
        let group = Group::default();
        Walk { dir, manifest, window: Window::new(dir), indexes, epoch: 0, frame_bytes: 0, group }
    }

    fn open(&self, number: u64) -> Result<Segment, OpenError> {
        Segment::open(self.dir, self.manifest.store, number)
    }

    fn io(&self, number: u64, error: io::Error) -> OpenError {
        files::io(&segment::path(self.dir, number), error)
    }

    fn corrupt(&self, number: u64, what: String) -> OpenError {
        files::corrupt(&segment::path(self.dir, number), what)
    }

    /// Walks over the headers of a segment.
    fn walk(&mut self, segment: &Segment) -> Result<End, OpenError> {
        let mut offset = FRAMES_AT;
        let mut ahead = AHEAD_BYTES;
        loop {
            let Some(frame) = self.header(segment, offset, ahead)? else { return Ok(End::Open) };
            let seals = frame.kind == Kind::Seal;
            let end = offset + frame.span();
            // A frame that is stale, or that the segment has no room for, was never written here.
            if frame.epoch < self.epoch || (!seals && segment.frames_end() < end) {
                return Ok(End::Open);
            }
            self.take(segment.number, offset, frame)?;
            if seals {
                return Ok(End::Sealed);
            }
            ahead = if frame.span() < LARGE_FRAME_BYTES { AHEAD_BYTES } else { HEADER_READ_BYTES };
            offset = end;
        }
    }

    fn header(&mut self, segment: &Segment, offset: u64, ahead: u64) -> Result<Option<Frame>, OpenError> {
        let place = segment.place(self.manifest.store, offset);
        match self.window.get(segment.number, offset, HEADER_BYTES, ahead) {
            Ok(bytes) => Ok(Frame::decode(bytes, &place)),
            Err(error) => Err(self.io(segment.number, error)),
        }
    }

    /// Takes the next frame into its group. A good header in the wrong order is no torn write.
    fn take(&mut self, segment: u64, offset: u64, frame: Frame) -> Result<(), OpenError> {
        if frame.group == offset {
            self.settle()?;
            self.group = Group { segment, start: offset, end: offset, frames: Vec::new() };
        }
        let is_in_order = frame.group == self.group.start
            && segment == self.group.segment
            && (frame.epoch == self.epoch || frame.kind == Kind::Mark);
        if !is_in_order {
            return Err(self.corrupt(segment, format!("the frame at {offset} is out of order")));
        }
        self.epoch = frame.epoch;
        self.group.end = offset + frame.span();
        self.group.frames.push((offset, frame));
        Ok(())
    }

    /// Gives the frames of the group to their logs: the group is known to be whole, or is cut.
    fn settle(&mut self) -> Result<(), OpenError> {
        let segment = self.group.segment;
        for (offset, frame) in std::mem::take(&mut self.group.frames) {
            self.frame_bytes += frame.span();
            if frame.kind != Kind::Batch {
                continue;
            }
            let place = usize::try_from(frame.log).ok().and_then(|number| number.checked_sub(1));
            match place.and_then(|place| self.indexes.get_mut(place)) {
                Some(index) if index.next().get() == frame.seq => index.push(segment, offset, frame.span()),
                Some(index) => {
                    let expected = index.next();
                    let what = format!("the frame at {offset} has batch {}, not {expected}", frame.seq);
                    return Err(self.corrupt(segment, what));
                }
                None => {
                    let what = format!("the frame at {offset} is of a log that the manifest has not");
                    return Err(self.corrupt(segment, what));
                }
            }
        }
        Ok(())
    }

    /// Checks the payloads of the last group and cuts it at the first that is bad. Returns where the journal
    /// ends in `segment`.
    fn end(&mut self, segment: &Segment) -> Result<u64, OpenError> {
        if self.group.segment != segment.number {
            // The seal of the segment before has no payload.
            return Ok(FRAMES_AT);
        }
        for place in 0..self.group.frames.len() {
            let Some(&(offset, frame)) = self.group.frames.get(place) else { break };
            let bytes = u64::from(frame.payload_bytes);
            let read = self.window.get(segment.number, offset + HEADER_BYTES, bytes, bytes);
            match read.map(|payload| frame.holds(payload)) {
                Ok(true) => {}
                Ok(false) => {
                    self.group.frames.truncate(place);
                    self.group.end = offset;
                    break;
                }
                Err(error) => return Err(self.io(segment.number, error)),
            }
        }
        Ok(self.group.end)
    }

    /// Looks for a proof that what is at `end` was flushed once; see the module's text.
    fn refuse_damage(&mut self, segment: &Segment, end: u64, last: u64) -> Result<(), OpenError> {
        let number = segment.number;
        if let Some(later) = self.later_group(segment, end)? {
            let what = format!(
                "the frame at {end} is bad, but frames that were written later, at {later}, are good"
            );
            return Err(self.corrupt(number, what));
        }
        if number + 1 < last {
            let what = format!("it ends at {end} without a seal, but segment {last} is there");
            return Err(self.corrupt(number, what));
        }
        if number < last {
            let next = self.open(number + 1)?;
            if self.header(&next, FRAMES_AT, HEADER_READ_BYTES)?.is_some() {
                let what = format!("it ends at {end} without a seal, but segment {last} has frames");
                return Err(self.corrupt(number, what));
            }
        }
        Ok(())
    }

    /// The offset of a good header from `end` on whose group begins behind `end`.
    fn later_group(&self, segment: &Segment, end: u64) -> Result<Option<u64>, OpenError> {
        let io = |error| self.io(segment.number, error);
        let zeros = vec![0; SEARCH_BYTES as usize];
        let mut bytes = zeros.clone();
        let mut start = end;
        while start + HEADER_BYTES <= segment.bytes {
            let length = SEARCH_BYTES.min(segment.bytes - start);
            let bytes = bytes.get_mut(..length as usize).unwrap_or_default();
            segment.read_exact_at(bytes, start).map_err(io)?;
            if !zeros.starts_with(bytes) {
                for at in (0..length).step_by(ALIGNMENT as usize) {
                    let place = segment.place(self.manifest.store, start + at);
                    let found = bytes.get(at as usize..).and_then(|bytes| Frame::decode(bytes, &place));
                    if found.is_some_and(|frame| end < frame.group) {
                        return Ok(Some(start + at));
                    }
                }
            }
            // A header which the end of the bytes cuts in two is looked at once more.
            start += if length == SEARCH_BYTES { length - HEADER_BYTES } else { length };
        }
        Ok(None)
    }

    /// Writes the last group once more and flushes it: what is shown must be durable (LOG-4). It may only be
    /// in the page cache; and if its flush has failed, the page cache takes it for written, so that flushing
    /// it without writing it would do nothing.
    fn make_durable(&self) -> Result<(), OpenError> {
        let Group { segment: number, start, end, .. } = self.group;
        if start == end {
            return Ok(());
        }
        let segment = self.open(number)?;
        let rewrite = || {
            let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
            segment.read_exact_at(&mut bytes, start)?;
            segment.write_all_at(&bytes, start)?;
            segment.flush()
        };
        rewrite().map_err(|error| self.io(number, error))
    }
}
