//! A frame: one batch, or a mark of the journal itself, with a header that is good in one place only.
//!
//! ```text
//!    0  magic          u32        24  number of the batch in its log   u64
//!    4  kind           u32        32  where the frame's group begins   u64
//!    8  header's CRC   u32        40  epoch                            u64
//!   12  payload's CRC  u32        48  payload, then zeros up to a multiple of 16
//!   16  payload bytes  u32
//!   20  log            u32        all numbers little-endian
//! ```
//!
//! The header's CRC covers the rest of the header and, beside it, the store, the segment's number and the
//! offset. So bytes which were copied from another place, or which a file had before, are no frame. The
//! payload's CRC covers the log and the number as well: it is made by the thread that submits.

use super::number::{u32_at, u64_at};

/// The size of a header.
pub const HEADER_BYTES: u64 = 48;

/// Frames begin at multiples of this. A search for frames needs to look nowhere else.
pub const ALIGNMENT: u64 = 16;

/// "fram" in ASCII.
const MAGIC: u32 = u32::from_le_bytes(*b"fram");

const HEADER_LEN: usize = HEADER_BYTES as usize;

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A batch of a log.
    Batch,
    /// All before it is durable, and a new epoch begins: written when the journal is opened or closed.
    Mark,
    /// The segment ends here and goes on in the next one.
    Seal,
}

/// Where a frame is; what its header is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The store's own number.
    pub store: u64,
    /// The segment's number.
    pub segment: u64,
    /// The offset of the header in the segment's file.
    pub offset: u64,
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// What the frame says.
    pub kind: Kind,
    /// The CRC of the payload; see [`payload_crc`].
    pub payload_crc: u32,
    /// The size of the payload.
    pub payload_bytes: u32,
    /// The log's number in the manifest; 0 unless the frame is a batch.
    pub log: u32,
    /// The batch's number in its log; 0 unless the frame is a batch.
    pub seq: u64,
    /// The offset at which the frames begin that were flushed together with this one.
    pub group: u64,
    /// How many times the journal had been opened when the frame was written.
    pub epoch: u64,
}

impl Frame {
    /// A frame without a payload, which is a group of its own.
    pub fn bare(kind: Kind, offset: u64, epoch: u64) -> Frame {
        Frame { kind, payload_crc: 0, payload_bytes: 0, log: 0, seq: 0, group: offset, epoch }
    }

    /// The header as bytes.
    pub fn encode(&self, place: &Place) -> [u8; HEADER_LEN] {
        let kind: u32 = match self.kind {
            Kind::Batch => 1,
            Kind::Mark => 2,
            Kind::Seal => 3,
        };
        let mut bytes = [0; HEADER_LEN];
        bytes[0..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&kind.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.log.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.seq.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.group.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.epoch.to_le_bytes());
        let crc = header_crc(&bytes, place);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header in the first bytes, or none if they are no header in this place.
    pub fn decode(bytes: &[u8], place: &Place) -> Option<Frame> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        if u32_at(header, 0)? != MAGIC || u32_at(header, 8)? != header_crc(header, place) {
            return None;
        }
        let kind = match u32_at(header, 4)? {
            1 => Kind::Batch,
            2 => Kind::Mark,
            3 => Kind::Seal,
            _ => return None,
        };
        Some(Frame {
            kind,
            payload_crc: u32_at(header, 12)?,
            payload_bytes: u32_at(header, 16)?,
            log: u32_at(header, 20)?,
            seq: u64_at(header, 24)?,
            group: u64_at(header, 32)?,
            epoch: u64_at(header, 40)?,
        })
    }

    /// Says whether the payload is the one which the frame was written with.
    pub fn holds(&self, payload: &[u8]) -> bool {
        self.kind != Kind::Batch || payload_crc(self.log, self.seq, payload) == self.payload_crc
    }

    /// How many bytes of the segment the frame takes.
    pub fn span(&self) -> u64 {
        span(u64::from(self.payload_bytes))
    }
}

/// How many bytes of a segment a frame takes with such a payload.
pub fn span(payload_bytes: u64) -> u64 {
    (HEADER_BYTES + payload_bytes).next_multiple_of(ALIGNMENT)
}

/// The CRC of a batch in its place in its log.
pub fn payload_crc(log: u32, seq: u64, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&log.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

fn header_crc(header: &[u8; HEADER_LEN], place: &Place) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&place.store.to_le_bytes());
    crc.update(&place.segment.to_le_bytes());
    crc.update(&place.offset.to_le_bytes());
    crc.update(&header[..8]);
    crc.update(&header[12..]);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { store: 7, segment: 2, offset: 4_096 };

    fn frame() -> Frame {
        let payload_crc = payload_crc(3, 9, b"payload");
        Frame { kind: Kind::Batch, payload_crc, payload_bytes: 7, log: 3, seq: 9, group: 4_096, epoch: 5 }
    }

    #[test]
    fn a_header_comes_back_in_its_place_and_in_no_other() {
        let bytes = frame().encode(&PLACE);
        assert_eq!(Frame::decode(&bytes, &PLACE), Some(frame()));
        for other in
            [Place { store: 8, ..PLACE }, Place { segment: 3, ..PLACE }, Place { offset: 4_112, ..PLACE }]
        {
            assert_eq!(Frame::decode(&bytes, &other), None, "{other:?}");
        }
    }

    #[test]
    fn each_flipped_bit_of_a_header_is_noticed() {
        for bit in 0..HEADER_LEN * 8 {
            let mut bytes = frame().encode(&PLACE);
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Frame::decode(&bytes, &PLACE), None, "bit {bit}");
        }
        assert_eq!(Frame::decode(&frame().encode(&PLACE)[..47], &PLACE), None);
        assert_eq!(Frame::decode(&[0; HEADER_LEN], &PLACE), None);
    }

    #[test]
    fn a_payload_belongs_to_its_log_and_number() {
        assert!(frame().holds(b"payload"));
        assert!(!frame().holds(b"paxload"));
        assert!(!Frame { log: 4, ..frame() }.holds(b"payload"));
        assert!(!Frame { seq: 8, ..frame() }.holds(b"payload"));
    }

    #[test]
    fn a_frame_takes_its_header_and_payload_rounded_up() {
        assert_eq!([0, 1, 16, 17].map(span), [48, 64, 64, 80]);
    }
}
