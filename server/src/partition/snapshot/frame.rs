//! Frames: length, CRC-32, kind, bytes.

use std::io::{self, Read, Write};

/// Bytes of a frame at most: what a batch of a log has at most.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The head; the first frame.
    Head = 1,
    /// A batch of events.
    Batch = 2,
    /// A tile.
    Tile = 3,
    /// Nothing more: how many frames were before it. The last frame.
    End = 4,
}

/// Writes a frame.
pub fn write(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other(format!("a frame of {} bytes", bytes.len())))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&checksum(kind as u8, bytes).to_le_bytes())?;
    out.write_all(&[kind as u8])?;
    out.write_all(bytes)
}

/// Reads the next frame into `bytes`.
pub fn read(file: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<Kind> {
    let mut head = [0; 9];
    file.read_exact(&mut head)?;
    let [a, b, c, d, e, f, g, h, number] = head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    bytes.resize(length, 0);
    file.read_exact(bytes)?;
    if checksum(number, bytes) != u32::from_le_bytes([e, f, g, h]) {
        return Err(io::Error::other("a frame whose checksum is wrong"));
    }
    let kinds = [Kind::Head, Kind::Batch, Kind::Tile, Kind::End];
    let kind = kinds.into_iter().find(|kind| *kind as u8 == number);
    kind.ok_or_else(|| io::Error::other(format!("a frame of kind {number}")))
}

fn checksum(kind: u8, bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[kind]);
    crc.update(bytes);
    crc.finalize()
}
