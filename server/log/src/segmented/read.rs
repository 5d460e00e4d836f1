//! Reads one log's batches out of the segments.

use std::ops::ControlFlow;

use super::frame::{Frame, HEADER_BYTES, Kind, Place};
use super::index::Entry;
use super::journal::LogState;
use super::window::{AHEAD_BYTES, HEADER_READ_BYTES, Window};
use crate::{ReadError, Seq};

/// From this size of a frame on, no more than the frame is read at once.
const LARGE_FRAME_BYTES: u64 = 32 * 1024;

/// Where the reader is: at a frame, whosoever it is.
struct Position {
    segment: u64,
    offset: u64,
    /// How much to read if it is not in memory.
    ahead: u64,
}

/// Visits the batches of a log from `from` on until the last acknowledged one.
pub(super) fn read(
    log: &LogState,
    store: u64,
    window: &mut Window,
    from: Seq,
    visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
) -> Result<Seq, ReadError> {
    let next = log.index().next();
    if next < from {
        return Err(ReadError::Ahead { log: log.location.clone(), from, next });
    }
    let mut reader = Reader { log, store, window, position: None };
    let end = reader.visit_all(from, next, visit);
    // Frames are written from now on where zeros were read.
    window.release();
    end
}

struct Reader<'a> {
    log: &'a LogState,
    store: u64,
    window: &'a mut Window,
    /// Behind the last batch that was read.
    position: Option<Position>,
}

impl Reader<'_> {
    fn visit_all(
        &mut self,
        from: Seq,
        next: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<Seq, ReadError> {
        let mut seq = from;
        while seq < next {
            let flow = self.visit(seq, visit)?;
            seq = seq.next();
            if flow.is_break() {
                break;
            }
        }
        Ok(seq)
    }

    fn visit(
        &mut self,
        seq: Seq,
        visit: &mut dyn FnMut(Seq, &[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReadError> {
        let (place, frame, ahead) = self.find(seq)?;
        let location = &self.log.location;
        let span = frame.span();
        let read = self.window.get(place.segment, place.offset, span, ahead);
        let bytes = read.map_err(|error| unavailable(location, error))?;
        let payload = bytes.get(HEADER_BYTES as usize..).unwrap_or_default();
        let payload = payload.get(..frame.payload_bytes as usize).unwrap_or_default();
        if payload.len() != frame.payload_bytes as usize || !frame.holds(payload) {
            return Err(self.corrupt(seq, "its checksum is wrong".to_owned()));
        }
        self.position = Some(Position { segment: place.segment, offset: place.offset + span, ahead });
        Ok(visit(seq, payload))
    }

    /// Finds the frame of a batch: where the index says, or by walking on from there or from the batch
    /// before it.
    fn find(&mut self, seq: Seq) -> Result<(Place, Frame, u64), ReadError> {
        let entry = self.log.index().at_or_before(seq);
        let start = match (entry, self.position.take()) {
            (Some(entry), position) if entry.seq == seq.get() || position.is_none() => at(&entry),
            (_, Some(position)) => position,
            (_, None) => return Err(self.corrupt(seq, "the index has no place for it".to_owned())),
        };
        let Position { segment, mut offset, ahead } = start;
        loop {
            let place = Place { store: self.store, segment, offset };
            let read = self.window.get(segment, offset, HEADER_BYTES, ahead);
            let bytes = read.map_err(|error| unavailable(&self.log.location, error))?;
            let Some(frame) = Frame::decode(bytes, &place) else {
                return Err(self.corrupt(seq, format!("the frame at {offset} of segment {segment} is bad")));
            };
            match frame.kind {
                Kind::Batch if frame.log == self.log.number && frame.seq == seq.get() => {
                    return Ok((place, frame, ahead));
                }
                Kind::Batch if frame.log == self.log.number && seq.get() < frame.seq => {
                    return Err(self.corrupt(seq, "it is missing".to_owned()));
                }
                Kind::Batch | Kind::Mark => offset += frame.span(),
                // The first batch of a log in a segment has an entry.
                Kind::Seal => return Err(self.corrupt(seq, "it is missing".to_owned())),
            }
        }
    }

    fn corrupt(&self, seq: Seq, what: String) -> ReadError {
        ReadError::Corrupt { log: self.log.location.clone(), seq, what }
    }
}

fn at(entry: &Entry) -> Position {
    let (segment, offset, span) = entry.place();
    let ahead = if span < LARGE_FRAME_BYTES { AHEAD_BYTES } else { span.max(HEADER_READ_BYTES) };
    Position { segment, offset, ahead }
}

fn unavailable(location: &str, error: std::io::Error) -> ReadError {
    ReadError::Unavailable { log: location.to_owned(), source: error.into() }
}
