//! A segment: a file of a fixed size, written from one end to the other before it is used.
//!
//! ```text
//!   0                4096
//!   ┌────────────────┬───────┬───────┬── ── ──┬──────┬──────────────┐
//!   │ header, zeros  │ frame │ frame │        │ seal │ unused       │
//!   └────────────────┴───────┴───────┴── ── ──┴──────┴──────────────┘
//! ```
//!
//! A file whose blocks were all written and flushed before takes an append without a change of the file
//! system's own data, so `fdatasync` flushes the blocks of the append and nothing else. It gets its name
//! when it is complete and flushed; so a segment that is shorter than its header says was cut by somebody.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::files;
use super::frame::{Place, span};
use super::manifest::FORMAT;
use super::number::{u32_at, u64_at};
use crate::OpenError;
use crate::folder::sync_dir;

/// Where the frames begin.
pub(super) const FRAMES_AT: u64 = 4096;

/// What a segment needs beside the frames it is asked to hold: its header and the seal.
pub(super) const OVERHEAD_BYTES: u64 = FRAMES_AT + super::frame::HEADER_BYTES;

const MAGIC: &[u8; 8] = b"souk-seg";
const HEADER_LEN: usize = 40;

/// How much is written at once while a segment is prepared, and how much is flushed at once: appends go on
/// meanwhile, and each waits in the disk's queue behind what is flushed there.
const CHUNK_BYTES: usize = 256 * 1024;
const FLUSH_EVERY_BYTES: u64 = 4 * 1024 * 1024;

/// A segment's file, opened for writing.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) bytes: u64,
    file: File,
}

/// Where a segment has its file.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.segment"))
}

impl Segment {
    /// Makes a segment of zeros, in place of one with the same number that was never used. Gives up with
    /// [`ErrorKind::Interrupted`] when told to stop.
    pub(super) fn create(
        dir: &Path,
        store: u64,
        number: u64,
        bytes: u64,
        stop: &AtomicBool,
    ) -> io::Result<Segment> {
        let path = path(dir, number);
        let draft = files::draft_of(&path);
        let written = write_zeros(&draft, &header(store, number, bytes), bytes, stop);
        match written.and_then(|file| fs::rename(&draft, &path).map(|()| file)) {
            Ok(file) => {
                sync_dir(dir)?;
                Ok(Segment { number, bytes, file })
            }
            Err(error) => {
                // Without room for the whole, the part is in the way of everything else. That it cannot be
                // removed matters less than why it was not completed.
                let _ = files::remove(&draft);
                Err(error)
            }
        }
    }

    /// Opens a segment and checks that it is this store's and complete.
    pub(super) fn open(dir: &Path, store: u64, number: u64) -> Result<Segment, OpenError> {
        let path = path(dir, number);
        let io = |error| files::io(&path, error);
        let mut file = File::options().read(true).write(true).open(&path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut found = Vec::with_capacity(HEADER_LEN);
        (&mut file).take(HEADER_LEN as u64).read_to_end(&mut found).map_err(io)?;
        if !found.starts_with(MAGIC) {
            return Err(files::corrupt(&path, "it has not the header of a segment"));
        }
        let format = u32_at(&found, 8);
        if let Some(format) = format.filter(|&format| FORMAT < format) {
            let log = path.display().to_string();
            return Err(OpenError::NewerFormat { log, found: format, known: FORMAT });
        }
        match u64_at(&found, 32) {
            Some(bytes) if found == header(store, number, bytes) => {
                if length != bytes {
                    let what = format!("it has {length} bytes and should have {bytes}");
                    return Err(files::corrupt(&path, what));
                }
                Ok(Segment { number, bytes, file })
            }
            _ => Err(files::corrupt(&path, "its header is damaged or is that of another segment")),
        }
    }

    /// Where a frame at `offset` is.
    pub(super) fn place(&self, store: u64, offset: u64) -> Place {
        Place { store, segment: self.number, offset }
    }

    /// The offset at which frames end at the latest: behind it is room for the seal alone.
    pub(super) fn frames_end(&self) -> u64 {
        self.bytes - span(0)
    }

    pub(super) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }

    pub(super) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// Writes pieces one behind the other with as few calls as possible.
    pub(super) fn write_pieces_at(&self, mut pieces: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        while !pieces.is_empty() {
            match file.write_vectored(pieces) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut pieces, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes durable what was written.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The numbers of the segments in a folder, in order.
pub(super) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".segment"));
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn header(store: u64, number: u64, bytes: u64) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header[16..24].copy_from_slice(&store.to_le_bytes());
    header[24..32].copy_from_slice(&number.to_le_bytes());
    header[32..40].copy_from_slice(&bytes.to_le_bytes());
    let crc = crc32fast::hash(&header);
    header[12..16].copy_from_slice(&crc.to_le_bytes());
    header
}

fn write_zeros(draft: &Path, header: &[u8], bytes: u64, stop: &AtomicBool) -> io::Result<File> {
    let file = File::options().create(true).truncate(true).read(true).write(true).open(draft)?;
    let zeros = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    let mut flushed = 0;
    while offset < bytes {
        if stop.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        let chunk = usize::try_from(bytes - offset).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        file.write_all_at(&zeros[..chunk], offset)?;
        offset += chunk as u64;
        if flushed + FLUSH_EVERY_BYTES <= offset && offset < bytes {
            file.sync_data()?;
            flushed = offset;
        }
    }
    file.write_all_at(header, 0)?;
    file.sync_all()?;
    Ok(file)
}
