//! The messages, in the order in which they are sent, and what is odd about them.
//!
//! ```text
//! feed      a list of series, cut into chunks; every hour, each chunk is one message
//!   message   0   1   2 | 3   4   5 | 6 ...       message k = hour k / chunks, chunk k % chunks
//!   chunk     0   1   2 | 0   1   2 | 0
//!   hour      0   0   0 | 1   1   1 | 2
//! rows of a message: one for each series of its chunk, then the odd ones
//!   series 0 | series 1 | ... | series n-1 | series 4 again | series 9 two hours ago, changed | a stranger
//! ```
//!
//! Before a message a wrong one may be sent: a *probe*, which must be refused as a whole. It carries some rows of
//! the message behind it with other quantities, so that a probe that is half applied shows.
//!
//! A payer's family is in one feed. A feed over a stream is processed in order, so a record may be repeated hours
//! later; without an order it is repeated in its own message.

use souk_core::time::UsageHour;

use super::chance::{Use, mix, random};
use super::{Plan, ProductKind, Share};

/// How many hours later a record is repeated at most, where there is an order.
pub const BACK_MAX: u32 = 3;
/// Rows of a probe that are right, at most.
const GOOD_ROWS_MAX: usize = 8;

/// Through what its messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// Records of one product.
    Records,
    /// Instance-hours.
    Reports,
    /// Columns.
    Columns,
}

/// Series that are metered together, one message after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Through what they go.
    pub kind: FeedKind,
    /// Its number.
    pub number: u32,
    /// Its series.
    pub series: Vec<u32>,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
    /// How many hours later a record may be repeated.
    pub back_max: u32,
    /// Odd rows of a message at most.
    pub odd_max: usize,
}

/// What of a feed is one message every hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The lane of the server that its series are in; of columns alone.
    pub lane: u32,
    /// The positions of its series in the feed.
    pub start: u32,
    /// Behind the last.
    pub end: u32,
    /// Its quantities are told in millionths; of columns alone.
    pub decimals: bool,
}

/// Why a row is sent beside those that meter their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The same again: SUCCESS.
    Repeat,
    /// Another quantity: DUPLICATE_RECORD, and the first one stands.
    Change,
    /// A buyer that nobody knows: CUSTOMER_NOT_SUBSCRIBED.
    Stranger,
}

/// An odd row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extra {
    /// The row of its chunk that it is like.
    pub row: u32,
    /// How many hours before the message's own.
    pub back: u32,
    /// Why it is sent.
    pub purpose: Purpose,
}

/// What is wrong with a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeKind {
    /// Records of a month that is closed.
    Late,
    /// Records of hours to come.
    Future,
    /// A dimension that the product does not have.
    Dimension,
    /// A product that does not exist.
    Product,
    /// A handle that was never given.
    Handle,
    /// Columns of different lengths.
    Lengths,
}

/// A message that must be refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// What is wrong.
    pub kind: ProbeKind,
    /// Rows that are right, from the beginning of the chunk, with changed quantities.
    pub good: u32,
    /// Rows that are wrong, behind them.
    pub bad: u32,
}

impl Feed {
    /// The feed of string records of so many rows a message.
    #[must_use]
    pub fn of_records(
        plan: &Plan,
        kind: FeedKind,
        number: u32,
        series: Vec<u32>,
        batch: usize,
        back_max: u32,
    ) -> Feed {
        let mut feed = Feed::empty(plan, kind, number, series, batch, back_max);
        let product = |series: u32| plan.market.agreement_of(series).product;
        feed.cut(batch - feed.odd_max, |series| match kind {
            FeedKind::Records => (product(series), false),
            FeedKind::Reports | FeedKind::Columns => (0, false),
        });
        for chunk in &mut feed.chunks {
            chunk.lane = 0;
        }
        feed
    }

    /// The feed of columns of so many rows a message; `lanes` are those of its series.
    #[must_use]
    pub fn of_columns(plan: &Plan, number: u32, series: &[u32], lanes: &[u32], batch: usize) -> Feed {
        let mut order: Vec<_> = series.iter().copied().zip(lanes.iter().copied()).collect();
        let place = |series: u32, lane: u32| (lane, plan.usage.is_decimal(series));
        order.sort_by_key(|(series, lane)| (place(*series, *lane), *series));
        let series: Vec<_> = order.iter().map(|(series, _)| *series).collect();
        let mut feed = Feed::empty(plan, FeedKind::Columns, number, series, batch, BACK_MAX);
        let mut position = 0;
        feed.cut(batch - feed.odd_max, |series| {
            let lane = order[position].1;
            position += 1;
            place(series, lane)
        });
        feed
    }

    fn empty(
        plan: &Plan,
        kind: FeedKind,
        number: u32,
        series: Vec<u32>,
        batch: usize,
        back_max: u32,
    ) -> Feed {
        let shape = &plan.shape;
        let percent = shape.duplicates.percent() + shape.changed.percent() + shape.invalid.percent();
        // Twice what is expected, at least one if any is, and at most half of a message.
        let odd = (batch as f64 * percent / 50.0).ceil() as usize;
        Feed { kind, number, series, chunks: Vec::new(), back_max, odd_max: odd.min(batch / 2) }
    }

    /// Cuts the series wherever their place changes, and into chunks of so many at most, as even as can be.
    fn cut(&mut self, rows_max: usize, mut place: impl FnMut(u32) -> (u32, bool)) {
        let places: Vec<_> = self.series.iter().map(|series| place(*series)).collect();
        let mut from = 0;
        for run in places.chunk_by(|one, other| one == other) {
            let (lane, decimals) = run[0];
            let chunks = run.len().div_ceil(rows_max);
            let bound = |number: usize| (from + run.len() * number / chunks) as u32;
            self.chunks.extend((0..chunks).map(|number| Chunk {
                lane,
                start: bound(number),
                end: bound(number + 1),
                decimals,
            }));
            from += run.len();
        }
    }

    /// The number of the first message behind a month.
    #[must_use]
    pub fn end_of_month(&self, plan: &Plan, month: usize) -> u64 {
        u64::from(plan.calendar.months[month].end) * self.chunks.len() as u64
    }

    /// The hour of the run and the chunk of a message.
    #[must_use]
    pub fn place(&self, message: u64) -> (u32, Chunk) {
        let chunks = self.chunks.len() as u64;
        ((message / chunks) as u32, self.chunks[(message % chunks) as usize])
    }

    /// The series of a chunk.
    #[must_use]
    pub fn series_of(&self, chunk: Chunk) -> &[u32] {
        &self.series[chunk.start as usize..chunk.end as usize]
    }

    /// The odd rows of a message, behind its others.
    pub fn extras(&self, plan: &Plan, message: u64, extras: &mut Vec<Extra>) {
        extras.clear();
        if self.odd_max == 0 {
            return;
        }
        let (hour, chunk) = self.place(message);
        let rows = u64::from(chunk.end - chunk.start);
        let month = plan.calendar.months[plan.calendar.month_of(hour)];
        let shape = &plan.shape;
        let mut number = random(shape.seed, Use::Odd, u64::from(self.number) << 48 | message);
        let strangers = if self.has_strangers(number) { shape.invalid } else { Share::NONE };
        let purposes = [
            (shape.duplicates, Purpose::Repeat),
            (shape.changed, Purpose::Change),
            (strangers, Purpose::Stranger),
        ];
        for (share, purpose) in purposes {
            number = mix(number);
            for _ in 0..share.count_of(rows, number) {
                if extras.len() == self.odd_max {
                    return;
                }
                number = mix(number);
                let back = (number >> 40) as u32 % (self.back_max.min(hour - month.start) + 1);
                let row = (((number & 0xFFFF_FFFF) * rows) >> 32) as u32;
                extras.push(Extra { row, back, purpose });
            }
        }
    }

    /// Whether what is invalid about a message are strangers in it, rather than a probe before it.
    fn has_strangers(&self, number: u64) -> bool {
        self.kind == FeedKind::Records && number >> 63 == 0
    }

    /// The wrong messages before a message.
    pub fn probes(&self, plan: &Plan, message: u64, probes: &mut Vec<Probe>) {
        probes.clear();
        let shape = &plan.shape;
        if (shape.late.is_none() && shape.invalid.is_none()) || self.kind == FeedKind::Reports {
            return;
        }
        let (_, chunk) = self.place(message);
        let rows = u64::from(chunk.end - chunk.start);
        let place = u64::from(self.number) << 48 | message;
        let is_stranger = self.has_strangers(random(shape.seed, Use::Odd, place));
        let invalid = if is_stranger { Share::NONE } else { shape.invalid };
        let mut number = random(shape.seed, Use::Probe, place);
        for (share, kinds) in [(shape.late, [ProbeKind::Late].as_slice()), (invalid, self.wrong_kinds())] {
            number = mix(number);
            let bad = share.count_of(rows, number).min(rows) as u32;
            let kind = kinds[(number >> 40) as usize % kinds.len()];
            // A probe is no larger than its message.
            let good = (rows as usize).min(GOOD_ROWS_MAX).min(rows as usize - bad as usize) as u32;
            // Of a single row a column that is one shorter is none.
            let kind = if kind == ProbeKind::Lengths && good + bad < 2 { ProbeKind::Future } else { kind };
            if 0 < bad {
                probes.push(Probe { kind, good, bad });
            }
        }
    }

    fn wrong_kinds(&self) -> &'static [ProbeKind] {
        match self.kind {
            FeedKind::Records => &[ProbeKind::Future, ProbeKind::Dimension, ProbeKind::Product],
            FeedKind::Columns => &[ProbeKind::Future, ProbeKind::Handle, ProbeKind::Lengths],
            FeedKind::Reports => &[],
        }
    }

    /// The hour that a probe's wrong rows name, when the hour is what is wrong: in hours since 1970.
    #[must_use]
    pub fn wrong_hour(&self, plan: &Plan, message: u64, kind: ProbeKind) -> i32 {
        let (hour, _) = self.place(message);
        let month = plan.calendar.months[plan.calendar.month_of(hour)];
        let first = UsageHour::containing(month.month.start()).index();
        match kind {
            // The last day of the month before: that one is closed.
            ProbeKind::Late => first - 1 - (message % 24) as i32,
            // The clock stands at the month's end.
            ProbeKind::Future => UsageHour::containing(month.month.end()).index() + 1 + (message % 24) as i32,
            ProbeKind::Dimension | ProbeKind::Product | ProbeKind::Handle | ProbeKind::Lengths => {
                plan.calendar.index(hour)
            }
        }
    }
}

/// Parts the series of a plan into so many lists, family by family, of about equal length.
#[must_use]
pub fn part(plan: &Plan, lists: u32, takes: impl Fn(ProductKind) -> bool) -> Vec<Vec<u32>> {
    let market = &plan.market;
    let mut families = vec![Vec::new(); market.families() as usize];
    for series in 0..market.series.len() as u32 {
        if takes(market.product_of(series).kind) {
            families[market.buyer_of(series).family as usize].push(series);
        }
    }
    families.sort_by_key(|family| std::cmp::Reverse(family.len()));
    let mut parts = vec![Vec::new(); lists as usize];
    for family in families {
        if let Some(smallest) = parts.iter_mut().min_by_key(|part: &&mut Vec<u32>| part.len()) {
            smallest.extend(family);
        }
    }
    for part in &mut parts {
        part.sort_unstable();
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Shape, odd_shape};
    use super::*;

    fn record_feeds(plan: &Plan, lists: u32, batch: usize) -> Vec<Feed> {
        let parts = part(plan, lists, |kind| kind == ProductKind::Saas).into_iter().zip(0..);
        let feed =
            |(series, number)| Feed::of_records(plan, FeedKind::Records, number, series, batch, BACK_MAX);
        parts.map(feed).collect()
    }

    #[test]
    fn every_series_is_in_one_chunk_of_its_product_whatever_the_feeds_and_the_batch() {
        let plan = Plan::new(odd_shape());
        for (lists, batch) in [(1, 25), (3, 7), (2, 1_000)] {
            let mut seen = BTreeSet::new();
            for feed in record_feeds(&plan, lists, batch) {
                for chunk in &feed.chunks {
                    let series = feed.series_of(*chunk);
                    let products: BTreeSet<_> =
                        series.iter().map(|s| plan.market.agreement_of(*s).product).collect();
                    assert_eq!(products.len(), 1);
                    assert!((1..=batch - feed.odd_max).contains(&series.len()));
                    assert!(series.iter().all(|series| seen.insert(*series)));
                }
            }
            let saas = |series: &u32| plan.market.product_of(*series).kind == ProductKind::Saas;
            assert_eq!(seen.len(), (0..plan.market.series.len() as u32).filter(saas).count());
        }
    }

    #[test]
    fn a_family_is_in_one_feed_and_feeds_are_about_equal() {
        let plan = Plan::new(Shape { buyers: 200, ..odd_shape() });
        let parts = part(&plan, 4, |_| true);
        let families: Vec<BTreeSet<u32>> = parts
            .iter()
            .map(|part| part.iter().map(|series| plan.market.buyer_of(*series).family).collect())
            .collect();
        for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            assert!(families[one].is_disjoint(&families[other]));
        }
        let lengths: Vec<_> = parts.iter().map(Vec::len).collect();
        let mean = plan.market.series.len() / 4;
        assert!(
            lengths.iter().all(|length| mean * 9 / 10 < *length && *length < mean * 11 / 10),
            "{lengths:?}"
        );
    }

    #[test]
    fn columns_are_cut_by_lane_and_by_the_width_of_their_quantities() {
        let plan = Plan::new(odd_shape());
        let series: Vec<u32> = (0..plan.market.series.len() as u32).collect();
        let lanes: Vec<u32> = series.iter().map(|series| mix(u64::from(*series)) as u32 % 3).collect();
        let feed = Feed::of_columns(&plan, 0, &series, &lanes, 16);
        let mut rows = 0;
        for chunk in &feed.chunks {
            for series in feed.series_of(*chunk) {
                rows += 1;
                assert_eq!(
                    (chunk.lane, chunk.decimals),
                    (lanes[*series as usize], plan.usage.is_decimal(*series))
                );
            }
        }
        assert_eq!(rows, series.len());
    }

    #[test]
    fn there_are_as_many_odd_rows_as_asked_and_they_stay_in_their_month() {
        let plan = Plan::new(Shape { buyers: 300, ..odd_shape() });
        let (mut rows, mut counts, mut extras) = (0, [0_u64; 3], Vec::new());
        for feed in record_feeds(&plan, 2, 200) {
            for message in 0..feed.end_of_month(&plan, 1) {
                let (hour, chunk) = feed.place(message);
                feed.extras(&plan, message, &mut extras);
                rows += u64::from(chunk.end - chunk.start);
                for extra in &extras {
                    counts[extra.purpose as usize] += 1;
                    assert!(extra.row < chunk.end - chunk.start);
                    assert_eq!(plan.calendar.month_of(hour - extra.back), plan.calendar.month_of(hour));
                }
            }
        }
        // 5 % repeat, 3 % change, and half of the 1 % that is invalid are strangers.
        for (count, expected) in counts.into_iter().zip([rows / 20, rows * 3 / 100, rows / 200]) {
            assert!((expected * 8 / 10..expected * 12 / 10).contains(&count), "{count} of {expected}");
        }
    }

    #[test]
    fn probes_are_as_many_as_asked_and_of_every_kind() {
        let plan = Plan::new(Shape { buyers: 300, ..odd_shape() });
        let (mut rows, mut late, mut invalid, mut kinds) = (0, 0, 0, BTreeSet::new());
        let mut probes = Vec::new();
        for feed in record_feeds(&plan, 1, 25) {
            for message in 0..feed.end_of_month(&plan, 1) {
                let (_, chunk) = feed.place(message);
                rows += u64::from(chunk.end - chunk.start);
                feed.probes(&plan, message, &mut probes);
                for probe in &probes {
                    kinds.insert(probe.kind as u8);
                    let count = if probe.kind == ProbeKind::Late { &mut late } else { &mut invalid };
                    *count += u64::from(probe.bad);
                    assert!(probe.good + probe.bad <= chunk.end - chunk.start);
                }
            }
        }
        assert!((rows * 8 / 1_000..rows * 12 / 1_000).contains(&late), "{late} of {rows}");
        assert!((rows * 4 / 1_000..rows * 6 / 1_000).contains(&invalid), "{invalid} of {rows}");
        assert_eq!(kinds.len(), 4);
    }

    #[test]
    fn what_is_late_is_of_a_closed_month_and_what_is_to_come_is_to_come() {
        let plan = Plan::new(odd_shape());
        let feed = &record_feeds(&plan, 1, 25)[0];
        for (month, before, end) in [(0, "2025-01", "2025-02-01"), (1, "2025-02", "2025-03-01")] {
            let message = feed.end_of_month(&plan, month) - 1;
            let hour = |kind| {
                UsageHour::from_index(feed.wrong_hour(&plan, message, kind)).unwrap().start().to_string()
            };
            assert!(hour(ProbeKind::Late).as_str() < before, "{}", hour(ProbeKind::Late));
            assert!(end < hour(ProbeKind::Future).as_str(), "{}", hour(ProbeKind::Future));
        }
    }
}
