//! A part of a segment in memory: reads are large and few, whatever the size of what is looked at.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::segment;

/// How much is read at once when what follows will be looked at, too.
pub(super) const AHEAD_BYTES: u64 = 256 * 1024;

/// How much is read at once when what follows will be skipped.
pub(super) const HEADER_READ_BYTES: u64 = 4 * 1024;

/// Reads the segments of a store by their names. It keeps one of them open: a store may have more segments
/// than a process may have files.
#[derive(Debug)]
pub(super) struct Window {
    dir: PathBuf,
    segment: Option<Open>,
    buffer: Vec<u8>,
    /// The offset of the buffer's first byte, and how many bytes of it were read.
    start: u64,
    filled: usize,
}

#[derive(Debug)]
struct Open {
    number: u64,
    file: File,
    bytes: u64,
}

impl Window {
    pub(super) fn new(dir: &Path) -> Window {
        Window { dir: dir.to_owned(), segment: None, buffer: Vec::new(), start: 0, filled: 0 }
    }

    /// The bytes of a segment at an offset; fewer than `length` if the segment ends before. `ahead` is how
    /// much to read if they are not in memory.
    pub(super) fn get(&mut self, segment: u64, offset: u64, length: u64, ahead: u64) -> io::Result<&[u8]> {
        let bytes = self.turn_to(segment)?;
        let length = length.min(bytes.saturating_sub(offset));
        let is_there = self.start <= offset && offset + length <= self.start + self.filled as u64;
        if !is_there {
            let wanted = length.max(ahead).min(bytes.saturating_sub(offset));
            self.fill(offset, wanted)?;
        }
        let from = usize::try_from(offset - self.start).map_err(io::Error::other)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        Ok(self.buffer.get(from..from + length).unwrap_or_default())
    }

    /// Opens a segment unless it is open, and returns its size.
    fn turn_to(&mut self, number: u64) -> io::Result<u64> {
        if let Some(open) = self.segment.as_ref().filter(|open| open.number == number) {
            return Ok(open.bytes);
        }
        let file = File::open(segment::path(&self.dir, number))?;
        let bytes = file.metadata()?.len();
        self.forget();
        self.segment = Some(Open { number, file, bytes });
        Ok(bytes)
    }

    fn forget(&mut self) {
        (self.start, self.filled) = (0, 0);
    }

    /// Gives the memory and the file back until the next read.
    pub(super) fn release(&mut self) {
        *self = Window::new(&self.dir);
    }

    fn fill(&mut self, offset: u64, wanted: u64) -> io::Result<()> {
        self.forget();
        let wanted = usize::try_from(wanted).map_err(io::Error::other)?;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        if let Some(open) = &self.segment {
            open.file.read_exact_at(&mut self.buffer[..wanted], offset)?;
        }
        (self.start, self.filled) = (offset, wanted);
        Ok(())
    }
}
