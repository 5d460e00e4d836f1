//! A product's dimension in a family's month: the meters that are rated together, because their cover is shared.

use super::agreements::Agreements;
use super::meter::{self, FamilySeries, Meter};
use super::month_sums::MonthSums;
use super::overflow::SharedCover;
use super::segments;
use super::walk::{HourFacts, MeterSums, Places, Stretch, metered_hours};
use crate::agreement::Cover;
use crate::ids::AccountId;
use crate::metering::month_tiles::MonthTiles;
use crate::rejection::Broken;
use crate::time::{HourRange, UsageHour};

/// What a product's dimension is cut and covered by in a month; most often by nothing.
#[derive(Debug)]
pub struct Parts<'a> {
    covers: &'a [Cover<'a>],
    cuts: Vec<UsageHour>,
    month: HourRange,
}

impl<'a> Parts<'a> {
    /// Of the meters of a product's dimension.
    pub fn of(
        agreements: &'a Agreements<'a>,
        meters: &[Meter<'_>],
        month: HourRange,
    ) -> Result<Parts<'a>, Broken> {
        let covers = match meters.first() {
            Some(meter) => agreements.covers(meter.product(), meter.dimension()),
            None => &[],
        };
        let cuts = segments::cuts(agreements, meters, covers, month)?;
        Ok(Parts { covers, cuts, month })
    }

    /// X of the whole month, in units, if nothing changes in it.
    pub fn subscriptions(&self) -> Option<u64> {
        self.cuts.is_empty().then(|| self.live(self.month.start).map(|cover| cover.units).sum())
    }

    fn live(&self, hour: UsageHour) -> impl Iterator<Item = &Cover<'a>> {
        self.covers.iter().filter(move |cover| cover.covers(hour))
    }
}

/// The meters of a product's dimension, and the month cut wherever something but their usage changes: to be walked.
#[derive(Debug)]
pub struct Group<'a> {
    /// Ordered by buyer.
    pub meters: &'a [Meter<'a>],
    /// The parts of the month.
    pub segments: Vec<Segment>,
    places: Places,
}

/// A part of the month in which nothing but the usage changes.
#[derive(Debug)]
pub struct Segment {
    /// Its hours.
    pub range: HourRange,
    /// X: the family's annual subscriptions, in units.
    pub subscriptions: u64,
    stretch: Stretch,
}

impl Segment {
    /// What each meter did in it; nothing before its hours were walked.
    pub fn sums(&self) -> &[MeterSums] {
        &self.stretch.sums
    }
}

impl<'a> Group<'a> {
    /// Gathers what covers the meters of a product's dimension, of which `parts` are.
    pub fn new(meters: &'a [Meter<'a>], parts: &Parts<'_>) -> Group<'a> {
        let buyers: Vec<AccountId> = match parts.covers.is_empty() {
            true => Vec::new(),
            false => meters.iter().map(Meter::buyer).collect(),
        };
        let offset = |hour: UsageHour| usize::try_from(hour.index() - parts.month.start.index()).unwrap_or(0);
        let segment = |range: HourRange| {
            let live = parts.live(range.start);
            let cover = SharedCover::new(&buyers, live.map(|cover| (cover.owner, cover.units)));
            let hours = offset(range.start)..offset(range.end);
            let sums = vec![MeterSums::default(); meters.len()];
            let subscriptions = cover.units();
            Segment { range, subscriptions, stretch: Stretch { hours, cover, sums, is_metered: false } }
        };
        let segments = segments::ranges(parts.month, &parts.cuts).map(segment).collect();
        Group { meters, segments, places: Places::of(meters.iter().map(Meter::series)) }
    }

    /// Takes over what was metered in the month, where nothing changes in it: what is covered is left to be walked.
    pub fn take_sums(&mut self, tiles: &MonthTiles, month: &mut MonthSums) {
        let [segment] = self.segments.as_mut_slice() else { return };
        for (sums, meter) in segment.stretch.sums.iter_mut().zip(self.meters) {
            *sums = month_of(meter, tiles, month, false);
        }
        segment.stretch.is_metered = true;
    }

    /// Walks the hours of a day.
    pub fn walk_day(&mut self, tiles: &MonthTiles, day: usize) {
        for segment in &mut self.segments {
            segment.stretch.walk_day(tiles, &self.places, day, &mut |_| ());
        }
    }

    /// Walks a segment, and shows every hour with usage to `visit`.
    pub fn walk_segment(
        &mut self,
        tiles: &MonthTiles,
        number: usize,
        visit: &mut impl FnMut(&[Meter<'a>], HourFacts),
    ) {
        let Some(segment) = self.segments.get_mut(number) else { return };
        for day in 0..tiles.days() {
            let visit = &mut |facts| visit(self.meters, facts);
            segment.stretch.walk_day(tiles, &self.places, day, visit);
        }
    }
}

/// What a meter did in the whole month, by its sums. `is_covered`: it has one series, whose sums know its cover.
pub fn month_of(meter: &Meter<'_>, tiles: &MonthTiles, month: &mut MonthSums, is_covered: bool) -> MeterSums {
    let mut sums = MeterSums::default();
    for series in meter.series() {
        let one = month.get(tiles, series);
        sums.metered += one.metered;
        sums.covered += if is_covered { one.metered - one.overflow } else { 0 };
        sums.hours = sums.hours.max(one.hours);
    }
    if meter.only_series().is_none() && (sums.hours as usize) < tiles.hours() {
        sums.hours = metered_hours(tiles, 0..tiles.hours(), &meter.series());
    }
    sums
}

/// Tells sums of a month which series have all of a cover of their family, so that their overflow is summed with
/// what was metered.
pub fn expect_cover(agreements: &Agreements<'_>, series: &[FamilySeries<'_>], month: &mut MonthSums) {
    let hours = month.hours();
    for meters in meter::groups(&meter::meters(series)) {
        let [meter] = meters else { continue };
        let Some(series) = meter.only_series() else { continue };
        let covers = agreements.covers(meter.product(), meter.dimension());
        // A cover that begins or ends within the month cuts it, and its parts are walked.
        let units = covers.iter().filter(|cover| cover.covers(hours.start)).map(|cover| cover.units).sum();
        if units > 0 {
            month.expect_cover(series, units);
        }
    }
}
