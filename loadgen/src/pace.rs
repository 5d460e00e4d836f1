//! Arrivals: the moments at which messages shall be sent, handed out one by one.
//!
//! In an open loop a thread of its own wakes for every arrival and puts its moment into a queue; whoever is free
//! to send takes the oldest. When nobody is free the moments wait, and what is sent for them late is late by its
//! intended time. A moment that waited longer than the patience is given up and counted: the *message* is not
//! lost, it goes out with a later moment.
//!
//! In a closed loop a message is due when somebody is free to send it.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::schedule::Schedule;

/// How long the thread sleeps at most, so that it sees that it shall stop.
const SLEEP_MAX: Duration = Duration::from_millis(20);
/// Waiting moments at most: they are given up before they fill the memory.
const WAITING_MAX: usize = 1 << 20;

/// Where senders get their moments.
#[derive(Debug)]
pub struct Arrivals {
    is_open: bool,
    queue: Mutex<VecDeque<Instant>>,
    /// One permit for each moment in the queue.
    ready: Semaphore,
    is_over: AtomicBool,
}

/// How moments are made.
#[derive(Debug, Clone)]
pub struct Pace {
    /// When they are due.
    pub schedule: Schedule,
    /// How long a moment may wait for somebody to send.
    pub patience: Duration,
    /// How long moments are made; none: until the end.
    pub lasts: Option<Duration>,
}

impl Arrivals {
    /// Of an open loop: moments come from [`Arrivals::pace`].
    #[must_use]
    pub fn open() -> Arrivals {
        Arrivals::new(true)
    }

    /// Of a closed loop: now is always the moment.
    #[must_use]
    pub fn closed() -> Arrivals {
        Arrivals::new(false)
    }

    fn new(is_open: bool) -> Arrivals {
        let (queue, ready) = (Mutex::new(VecDeque::new()), Semaphore::new(0));
        Arrivals { is_open, queue, ready, is_over: AtomicBool::new(false) }
    }

    /// Whether moments follow a schedule.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The next moment, as soon as there is one; none when nothing more shall be sent.
    pub async fn next(&self) -> Option<Instant> {
        if self.is_over.load(Ordering::Acquire) {
            return None;
        }
        if !self.is_open {
            return Some(Instant::now());
        }
        self.ready.acquire().await.ok()?.forget();
        self.lock().pop_front()
    }

    /// Nothing more shall be sent.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.ready.close();
    }

    /// Whether nothing more shall be sent.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Makes moments until the end, on the thread that calls it. `skip` is told of those that are given up: how
    /// many, and how long they had waited.
    pub fn pace(&self, pace: &Pace, skip: &mut dyn FnMut(u64, Duration)) {
        sharpen_timer();
        let start = Instant::now();
        let mut due = start + pace.schedule.time_of(0);
        let mut arrival = 0;
        loop {
            let now = Instant::now();
            let ends = pace.lasts.is_some_and(|lasts| lasts <= now.duration_since(start));
            if ends || self.is_over() {
                return;
            }
            let mut made = 0;
            let mut queue = self.lock();
            while due <= now && queue.len() < WAITING_MAX {
                queue.push_back(due);
                made += 1;
                arrival += 1;
                due = start + pace.schedule.time_of(arrival);
            }
            self.give_up(&mut queue, now, pace.patience, skip);
            drop(queue);
            self.ready.add_permits(made);
            thread::sleep(due.saturating_duration_since(Instant::now()).min(SLEEP_MAX));
        }
    }

    /// Gives up all moments that wait.
    pub fn clear(&self, skip: &mut dyn FnMut(u64, Duration)) {
        let mut queue = self.lock();
        self.give_up(&mut queue, Instant::now(), Duration::ZERO, skip);
    }

    /// Gives up the moments that waited too long; of those, only what nobody is about to take.
    fn give_up(
        &self,
        queue: &mut MutexGuard<'_, VecDeque<Instant>>,
        now: Instant,
        patience: Duration,
        skip: &mut dyn FnMut(u64, Duration),
    ) {
        let waited = |due: &Instant| now.saturating_duration_since(*due);
        let old = queue.iter().take_while(|due| patience <= waited(due)).count();
        let given_up = if old == 0 { 0 } else { self.ready.forget_permits(old) };
        for due in queue.drain(..given_up.min(old)) {
            skip(1, waited(&due));
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that makes moments, and ends when they end.
#[must_use]
pub fn spawn(
    arrivals: &Arc<Arrivals>,
    pace: Pace,
    mut skip: impl FnMut(u64, Duration) + Send + 'static,
) -> thread::JoinHandle<()> {
    let arrivals = Arc::clone(arrivals);
    thread::spawn(move || arrivals.pace(&pace, &mut skip))
}

/// Linux wakes a sleeping thread up to 50 µs late unless it is told better. Where that cannot be told, messages
/// are sent so much later, and their latency from the intended moment says so.
fn sharpen_timer() {
    let _ = fs::write("/proc/thread-self/timerslack_ns", "1000");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fast() -> Pace {
        Pace {
            schedule: Schedule::Constant { rate: 10_000.0 },
            patience: Duration::from_secs(60),
            lasts: Some(Duration::from_millis(100)),
        }
    }

    #[tokio::test]
    async fn moments_come_in_order_at_their_distance() {
        let arrivals = Arc::new(Arrivals::open());
        let pacing = spawn(&arrivals, fast(), |_, _| ());
        let first = arrivals.next().await.unwrap();
        for number in 1..500 {
            let moment = arrivals.next().await.unwrap();
            assert_eq!(moment.duration_since(first), Duration::from_micros(number * 100));
            assert!(moment <= Instant::now());
        }
        pacing.join().unwrap();
        arrivals.end();
        assert_eq!(arrivals.next().await, None);
    }

    #[test]
    fn moments_that_nobody_takes_are_given_up_and_counted() {
        let arrivals = Arrivals::open();
        let mut skipped = 0;
        let pace = Pace { patience: Duration::from_millis(20), ..fast() };
        arrivals.pace(&pace, &mut |count, waited| {
            assert!(Duration::from_millis(20) <= waited);
            skipped += count;
        });
        let waiting = arrivals.lock().len();
        assert_eq!(arrivals.ready.available_permits(), waiting);
        assert!(400 < skipped, "of a thousand moments {skipped} were given up, {waiting} wait");
        let before = skipped;
        arrivals.clear(&mut |count, _| skipped += count);
        assert_eq!((skipped - before, arrivals.lock().len()), (waiting as u64, 0));
    }

    #[tokio::test]
    async fn in_a_closed_loop_it_is_always_time() {
        let arrivals = Arrivals::closed();
        let before = Instant::now();
        assert!(before <= arrivals.next().await.unwrap());
        arrivals.end();
        assert_eq!(arrivals.next().await, None);
    }
}
