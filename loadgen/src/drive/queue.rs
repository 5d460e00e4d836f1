//! What of a feed is to be sent next, and what of it is under way.
//!
//! ```text
//! new     message after message, up to the end of the month that is open
//! again   what was refused for the moment or not processed: it goes first, with the moment at which it was due
//! out     what somebody has taken and not finished: a month is over when nothing is new, again or out
//! ```

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};

use crate::plan::{Feed, Plan, Probe, Sending};

/// The messages of one feed.
#[derive(Debug)]
pub struct Queue {
    /// The feed; that of columns is known when its series are open.
    feed: OnceLock<Feed>,
    inner: Mutex<Inner>,
}

/// Who waits for queues: senders for messages, and the conductor for the end of a month.
#[derive(Debug)]
pub struct Signals {
    /// Changes whenever there may be something to send.
    pub work: watch::Sender<u64>,
    /// Told whenever something may be over.
    pub progress: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    limit: u64,
    out: u64,
    new: VecDeque<Sending>,
    again: VecDeque<(Sending, Instant)>,
    /// Room to work in.
    probes: Vec<Probe>,
}

/// What was taken from a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It has no moment yet.
    New(Sending),
    /// It was due at this moment.
    Again(Sending, Instant),
}

impl Default for Signals {
    fn default() -> Signals {
        Signals { work: watch::Sender::new(0), progress: Notify::new() }
    }
}

impl Signals {
    /// There may be something to send, or nothing will be any more.
    pub fn wake(&self) {
        self.work.send_modify(|count| *count += 1);
    }
}

impl Queue {
    /// Of a feed that is known, or will be.
    #[must_use]
    pub fn new(feed: Option<Feed>) -> Queue {
        let queue = Queue { feed: OnceLock::new(), inner: Mutex::default() };
        if let Some(feed) = feed {
            queue.set_feed(feed);
        }
        queue
    }

    /// The feed is known now. The first word counts.
    pub fn set_feed(&self, feed: Feed) {
        let _ = self.feed.set(feed);
    }

    /// The feed, once it is known.
    #[must_use]
    pub fn feed(&self) -> Option<&Feed> {
        self.feed.get()
    }

    /// Messages up to this one may be sent.
    pub fn open_until(&self, limit: u64) {
        self.lock().limit = limit;
    }

    /// The next to be sent; none for now.
    pub fn take(&self, plan: &Plan) -> Option<Taken> {
        let feed = self.feed()?;
        let mut guard = self.lock();
        let inner = &mut *guard;
        let taken = if let Some((sending, due)) = inner.again.pop_front() {
            Taken::Again(sending, due)
        } else {
            if inner.new.is_empty() && inner.next < inner.limit {
                let message = inner.next;
                inner.next += 1;
                feed.probes(plan, message, &mut inner.probes);
                inner.new.extend(inner.probes.iter().map(|probe| Sending::Probe(message, *probe)));
                inner.new.push_back(Sending::Usage(message));
            }
            Taken::New(inner.new.pop_front()?)
        };
        inner.out += 1;
        Some(taken)
    }

    /// Whether everything up to this hour of the run was taken, as far as it may be sent at all.
    #[must_use]
    pub fn has_passed(&self, hour: u32) -> bool {
        let chunks = self.feed().map_or(1, |feed| feed.chunks.len().max(1)) as u64;
        let inner = self.lock();
        inner.next == inner.limit || u64::from(hour) < inner.next / chunks
    }

    /// What was taken was not sent after all.
    pub fn put_back(&self, sending: Sending) {
        let mut inner = self.lock();
        inner.out -= 1;
        inner.new.push_front(sending);
    }

    /// What was taken must be sent again.
    pub fn again(&self, sending: Sending, due: Instant, signals: &Signals) {
        let mut inner = self.lock();
        inner.out -= 1;
        inner.again.push_back((sending, due));
        drop(inner);
        signals.wake();
    }

    /// What was taken is done with.
    pub fn done(&self, signals: &Signals) {
        let mut inner = self.lock();
        inner.out -= 1;
        let is_idle = inner.is_idle();
        drop(inner);
        if is_idle {
            signals.progress.notify_one();
        }
    }

    /// Whether everything that may be sent is done with.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lock().is_idle()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_idle(&self) -> bool {
        self.out == 0 && self.new.is_empty() && self.again.is_empty() && self.next == self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::feed::part;
    use crate::plan::{FeedKind, ProductKind, Shape, Share, odd_shape};

    fn queue(late: f64) -> (Plan, Queue) {
        let late = Share::of_percent(late).unwrap();
        let plan = Plan::new(Shape { late, invalid: Share::NONE, ..odd_shape() });
        let series = part(&plan, 1, |kind| kind == ProductKind::Saas).remove(0);
        let feed = Feed::of_records(&plan, FeedKind::Records, 0, series, 25, 0);
        (plan, Queue::new(Some(feed)))
    }

    #[test]
    fn a_month_is_over_when_everything_is_done_with() {
        let (plan, queue) = queue(0.0);
        let signals = Signals::default();
        assert!(queue.take(&plan).is_none() && queue.is_idle());
        assert!(queue.has_passed(0));
        queue.open_until(2);
        assert!(!queue.has_passed(0));
        let (first, second) = (queue.take(&plan), queue.take(&plan));
        assert_eq!(
            (first, second),
            (Some(Taken::New(Sending::Usage(0))), Some(Taken::New(Sending::Usage(1))))
        );
        assert!(queue.take(&plan).is_none() && !queue.is_idle());
        let due = Instant::now();
        queue.again(Sending::Usage(0), due, &signals);
        queue.put_back(Sending::Usage(1));
        assert_eq!(queue.take(&plan), Some(Taken::Again(Sending::Usage(0), due)));
        queue.done(&signals);
        assert!(!queue.is_idle());
        assert_eq!(queue.take(&plan), Some(Taken::New(Sending::Usage(1))));
        queue.done(&signals);
        assert!(queue.is_idle() && queue.take(&plan).is_none() && queue.has_passed(5));
    }

    #[test]
    fn a_wrong_message_comes_before_its_right_one() {
        let (plan, queue) = queue(100.0);
        queue.open_until(1);
        assert!(matches!(queue.take(&plan), Some(Taken::New(Sending::Probe(0, _)))));
        assert_eq!(queue.take(&plan), Some(Taken::New(Sending::Usage(0))));
        assert_eq!(queue.take(&plan), None);
    }
}
