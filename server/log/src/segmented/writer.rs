//! The end of the journal: writes groups of frames and flushes them.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::frame::{Frame, HEADER_BYTES, Kind, span};
use super::segment::{FRAMES_AT, Segment};
use super::spare::Spare;

/// A payload of up to this size is copied beside its header: cheaper than one more piece for the kernel.
const COPIED_BYTES_MAX: usize = 4 * 1024;

/// The most pieces that one call writes (IOV_MAX of Linux).
const PIECES_MAX: usize = 1024;

/// The next segment is prepared once this share of a segment is filled. Early, as the disk is shared with
/// the appends; not at once, so that a store which is hardly used keeps to its first segment.
const PREPARE_AT_SHARE: u64 = 8;

const ZEROS: [u8; HEADER_BYTES as usize] = [0; HEADER_BYTES as usize];

/// A batch on its way into a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) log: u32,
    pub(super) seq: u64,
    pub(super) payload_crc: u32,
    pub(super) payload: &'a [u8],
    /// The limit of the store's frames that this batch obeys.
    pub(super) bytes_max: Option<u64>,
}

impl Outgoing<'_> {
    pub(super) fn span(&self) -> u64 {
        span(self.payload.len() as u64)
    }
}

/// Why nothing of a group is acknowledged.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// There is no room, as the disk says or as the limit does.
    Full(Option<Arc<io::Error>>),
    /// The disk failed.
    Disk(Arc<io::Error>),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::Full(Some(Arc::new(error))),
            _ => Failure::Disk(Arc::new(error)),
        }
    }
}

/// The journal's end, with the segment that it is in.
#[derive(Debug)]
pub(super) struct Writer {
    store: u64,
    segment: Segment,
    offset: u64,
    epoch: u64,
    /// The size of all frames in the store.
    frame_bytes: u64,
    spare: Spare,
    /// Headers and small payloads of the group that is written.
    copied: Vec<u8>,
}

/// Where the first frame of a group went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Landing {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

impl Writer {
    /// Goes on at `offset` of `segment`. The caller made durable what is before it.
    pub(super) fn new(
        store: u64,
        segment: Segment,
        offset: u64,
        epoch: u64,
        frame_bytes: u64,
        spare: Spare,
    ) -> Writer {
        Writer { store, segment, offset, epoch, frame_bytes, spare, copied: Vec::new() }
    }

    /// How many bytes of frames the segment still takes.
    pub(super) fn room(&self) -> u64 {
        self.segment.frames_end().saturating_sub(self.offset)
    }

    /// Writes a group, which is no larger than [`room`](Self::room) unless it is a single frame, and makes it
    /// durable. After a failure the writer is of no use any more.
    pub(super) fn write(&mut self, group: &[Outgoing<'_>]) -> Result<Landing, Failure> {
        let bytes: u64 = group.iter().map(Outgoing::span).sum();
        self.check_limits(group)?;
        if self.room() < bytes {
            self.change_segment(bytes)?;
        }
        let landing = Landing { segment: self.segment.number, offset: self.offset };
        self.write_frames(group)?;
        self.segment.flush()?;
        self.offset += bytes;
        self.frame_bytes += bytes;
        if self.segment.bytes / PREPARE_AT_SHARE <= self.offset {
            self.spare.prepare(self.segment.number + 1);
        }
        Ok(landing)
    }

    /// Says that all before is durable, and begins an epoch.
    pub(super) fn mark(&mut self, epoch: u64) -> Result<(), Failure> {
        if self.room() < span(0) {
            self.change_segment(span(0))?;
        }
        self.epoch = epoch;
        self.write_bare(Kind::Mark)?;
        self.offset += span(0);
        self.frame_bytes += span(0);
        Ok(())
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Ends what goes on beside the writer.
    pub(super) fn stop(&mut self) {
        self.spare.stop();
    }

    fn check_limits(&self, group: &[Outgoing<'_>]) -> Result<(), Failure> {
        let mut frame_bytes = self.frame_bytes;
        for outgoing in group {
            frame_bytes += outgoing.span();
            if outgoing.bytes_max.is_some_and(|bytes_max| bytes_max < frame_bytes) {
                return Err(Failure::Full(None));
            }
        }
        Ok(())
    }

    /// Seals the segment and goes on in the next one. In this order: the next one is there before the seal
    /// says so, and the seal is durable before anything is written behind it.
    fn change_segment(&mut self, frame_bytes: u64) -> Result<(), Failure> {
        let next = self.spare.take(self.segment.number + 1, frame_bytes)?;
        self.write_bare(Kind::Seal)?;
        (self.segment, self.offset) = (next, FRAMES_AT);
        Ok(())
    }

    fn write_bare(&self, kind: Kind) -> io::Result<()> {
        let frame = Frame::bare(kind, self.offset, self.epoch);
        self.segment
            .write_all_at(&frame.encode(&self.segment.place(self.store, self.offset)), self.offset)?;
        self.segment.flush()
    }

    /// Writes frames one behind the other: headers and small payloads from one buffer, large payloads from
    /// where they are.
    fn write_frames(&mut self, group: &[Outgoing<'_>]) -> io::Result<()> {
        self.copied.clear();
        // Where in the copied bytes each payload that is not copied comes in between.
        let mut cuts: Vec<(usize, &[u8])> = Vec::new();
        let mut offset = self.offset;
        for outgoing in group {
            let payload_bytes = u32::try_from(outgoing.payload.len()).map_err(io::Error::other)?;
            let frame = Frame {
                kind: Kind::Batch,
                payload_crc: outgoing.payload_crc,
                payload_bytes,
                log: outgoing.log,
                seq: outgoing.seq,
                group: self.offset,
                epoch: self.epoch,
            };
            self.copied.extend_from_slice(&frame.encode(&self.segment.place(self.store, offset)));
            if outgoing.payload.len() <= COPIED_BYTES_MAX {
                self.copied.extend_from_slice(outgoing.payload);
            } else {
                cuts.push((self.copied.len(), outgoing.payload));
            }
            let padding = frame.span() - HEADER_BYTES - u64::from(payload_bytes);
            self.copied.extend_from_slice(ZEROS.get(..padding as usize).unwrap_or_default());
            offset += frame.span();
        }
        let mut pieces = Vec::with_capacity(2 * cuts.len() + 1);
        let mut from = 0;
        for (at, payload) in cuts {
            pieces.push(IoSlice::new(&self.copied[from..at]));
            pieces.push(IoSlice::new(payload));
            from = at;
        }
        pieces.push(IoSlice::new(&self.copied[from..]));
        let mut offset = self.offset;
        for pieces in pieces.chunks_mut(PIECES_MAX) {
            let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
            self.segment.write_pieces_at(pieces, offset)?;
            offset += bytes as u64;
        }
        Ok(())
    }
}
