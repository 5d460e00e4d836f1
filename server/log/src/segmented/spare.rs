//! The next segment, prepared by a thread of its own while the one before it is filled.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::segment::{OVERHEAD_BYTES, Segment};

/// Segments have a multiple of this size.
const BLOCK_BYTES: u64 = 4096;

/// How large segments are made: the first one small, so that a store which is hardly used stays small and is
/// made quickly, each later one twice as large as the one before it, up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentSizes {
    pub(super) first_bytes: u64,
    pub(super) bytes_max: u64,
}

impl SegmentSizes {
    /// The size of a segment which has to hold frames of `frame_bytes`.
    pub(super) fn bytes(&self, number: u64, frame_bytes: u64) -> u64 {
        let doublings = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        let grown = 2_u64.checked_pow(doublings).and_then(|times| self.first_bytes.checked_mul(times));
        let usual = grown.map_or(self.bytes_max, |grown| grown.min(self.bytes_max));
        usual.max(frame_bytes + OVERHEAD_BYTES).next_multiple_of(BLOCK_BYTES)
    }
}

/// Prepares segments of one store.
#[derive(Debug)]
pub(super) struct Spare {
    dir: PathBuf,
    store: u64,
    sizes: SegmentSizes,
    state: State,
}

#[derive(Debug)]
enum State {
    None,
    Preparing { thread: JoinHandle<io::Result<Segment>>, stop: Arc<AtomicBool> },
    Ready(Segment),
}

impl Spare {
    /// `found` is a segment which was prepared earlier and never used.
    pub(super) fn new(dir: PathBuf, store: u64, sizes: SegmentSizes, found: Option<Segment>) -> Spare {
        Spare { dir, store, sizes, state: found.map_or(State::None, State::Ready) }
    }

    /// Begins to prepare a segment, unless that was begun.
    pub(super) fn prepare(&mut self, number: u64) {
        if !matches!(self.state, State::None) {
            return;
        }
        let (dir, store, bytes) = (self.dir.clone(), self.store, self.sizes.bytes(number, 0));
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let create = move || Segment::create(&dir, store, number, bytes, &told);
        // Without a thread it is made when it is needed.
        if let Ok(thread) = std::thread::Builder::new().name("journal-spare".to_owned()).spawn(create) {
            self.state = State::Preparing { thread, stop };
        }
    }

    /// Takes the segment with this number, which holds at least `frame_bytes` of frames; waits for it or
    /// makes it if need be.
    pub(super) fn take(&mut self, number: u64, frame_bytes: u64) -> io::Result<Segment> {
        let ready = match std::mem::replace(&mut self.state, State::None) {
            State::None => None,
            // Whatever kept the thread from making it, it is tried once more here.
            State::Preparing { thread, .. } => thread.join().ok().and_then(Result::ok),
            State::Ready(segment) => Some(segment),
        };
        let fits =
            |segment: &Segment| segment.number == number && frame_bytes + OVERHEAD_BYTES <= segment.bytes;
        match ready.filter(fits) {
            Some(segment) => Ok(segment),
            None => {
                let bytes = self.sizes.bytes(number, frame_bytes);
                Segment::create(&self.dir, self.store, number, bytes, &AtomicBool::new(false))
            }
        }
    }

    /// Ends the thread; what is complete stays for the next writer of the store.
    pub(super) fn stop(&mut self) {
        if let State::Preparing { thread, stop } = std::mem::replace(&mut self.state, State::None) {
            stop.store(true, Ordering::Relaxed);
            // Its result is of no use any more, whatever it is.
            let _ = thread.join();
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_grow_up_to_the_limit_and_hold_what_they_must() {
        let sizes = SegmentSizes { first_bytes: 1 << 20, bytes_max: 4 << 20 };
        assert_eq!([1, 2, 3, 4, 200].map(|number| sizes.bytes(number, 0) >> 20), [1, 2, 4, 4, 4]);
        assert_eq!(sizes.bytes(1, 16 << 20), (16 << 20) + 2 * 4096);
    }
}
