//! What a process takes: processor time and memory, from `/proc`.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// How long a tick of `/proc/PID/stat` is. Linux shows user space a hundred ticks a second on every machine.
const TICK: Duration = Duration::from_millis(10);
/// Where the state stands behind the name of `/proc/PID/stat`, utime and stime: fields 14 and 15.
const UTIME_BEHIND_NAME: usize = 11;

/// A process that is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    folder: PathBuf,
    last: Option<(Instant, Duration)>,
}

/// What a process took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessUse {
    /// Processor time in seconds, from the beginning to the end of what is measured.
    pub cpu_seconds: f64,
    /// The same as a share of that time: 1 is one core.
    pub cores: f64,
    /// Memory in the end, in bytes.
    pub memory_bytes: u64,
}

impl Watched {
    /// This process.
    #[must_use]
    pub fn this() -> Watched {
        Watched { folder: "/proc/self".into(), last: None }
    }

    /// The process of this number.
    #[must_use]
    pub fn of(pid: u32) -> Watched {
        Watched { folder: format!("/proc/{pid}").into(), last: None }
    }

    /// No process that is known.
    #[must_use]
    pub fn none() -> Watched {
        Watched { folder: "/proc/none".into(), last: None }
    }

    /// The processor time that it took in its life.
    ///
    /// # Errors
    /// When it is gone.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let path = self.folder.join("stat");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        parse_cpu(&text).with_context(|| format!("{} is not as expected: {text}", path.display()))
    }

    /// The memory that it holds, in bytes.
    ///
    /// # Errors
    /// When it is gone.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let path = self.folder.join("status");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        parse_memory(&text).with_context(|| format!("{} has no VmRSS", path.display()))
    }

    /// How many cores it took since the last call; none the first time, and when it is gone.
    pub fn cores(&mut self) -> Option<f64> {
        let (now, cpu) = (Instant::now(), self.cpu().ok()?);
        let (then, before) = self.last.replace((now, cpu))?;
        let passed = now.duration_since(then).as_secs_f64();
        // A process of the same name that was started anew has taken less.
        (0.0 < passed).then(|| cpu.saturating_sub(before).as_secs_f64() / passed)
    }
}

/// utime and stime; the name before them may hold blanks and brackets.
fn parse_cpu(text: &str) -> Option<Duration> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(UTIME_BEHIND_NAME);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(TICK * (user.checked_add(system)?))
}

fn parse_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_words_are_read() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 200 300";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse_cpu("42 (a) S 1"), None);
        assert_eq!(parse_memory("Name:\tx\nVmRSS:\t   12 kB\n"), Some(12_288));
        assert_eq!(parse_memory("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_takes_time_and_memory_and_one_that_is_gone_nothing() {
        let this = Watched::this();
        let before = this.cpu().unwrap();
        let began = Instant::now();
        let mut number = 1_u64;
        while this.cpu().unwrap() < before + TICK && began.elapsed() < Duration::from_secs(30) {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        assert!(before < this.cpu().unwrap());
        assert!(100_000 < this.memory().unwrap());
        let mut gone = Watched::of(u32::MAX);
        assert!(gone.cpu().is_err() && gone.memory().is_err() && gone.cores().is_none());
    }
}
