//! A product's dimension in a family's month: the meters that are rated together, because their cover is shared.

use super::agreements::Agreements;
use super::meter::{self, GroupSeries, Meter};
use super::month_sums::MonthSums;
use super::overflow::SharedCover;
use super::segments::{self, Pricing};
use super::walk::{HourFacts, MeterSums, Places, Stretch, metered_hours};
use crate::agreement::{Cover, Family};
use crate::ids::AccountId;
use crate::metering::month_tiles::MonthTiles;
use crate::rejection::Broken;
use crate::time::{HourRange, UsageHour};

/// The meters of a product's dimension, and the month cut wherever something but their usage changes.
#[derive(Debug)]
pub struct Group<'a> {
    /// Ordered by buyer.
    pub meters: Vec<Meter<'a>>,
    /// The parts of the month.
    pub segments: Vec<Segment>,
    agreements: &'a Agreements<'a>,
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
    is_summed: bool,
}

impl Segment {
    /// What each meter did in it; nothing before its hours were summed or walked.
    pub fn sums(&self) -> &[MeterSums] {
        &self.stretch.sums
    }
}

impl<'a> Group<'a> {
    /// Gathers what prices the meters of a product's dimension; there is one meter at least.
    pub fn new(
        family: &Family,
        agreements: &'a Agreements<'a>,
        meters: Vec<Meter<'a>>,
        month: HourRange,
    ) -> Result<Group<'a>, Broken> {
        let covers = match meters.first() {
            Some(meter) => Cover::of_family(agreements.market(), family, meter.product(), meter.dimension())?,
            None => Vec::new(),
        };
        let buyers: Vec<AccountId> = match covers.is_empty() {
            true => Vec::new(),
            false => meters.iter().map(Meter::buyer).collect(),
        };
        let segment = |range: HourRange| {
            let live = covers.iter().filter(|cover| cover.covers(range.start));
            let cover = SharedCover::new(&buyers, live.map(|cover| (cover.owner, cover.units)));
            let offset = |hour: UsageHour| usize::try_from(hour.index() - month.start.index()).unwrap_or(0);
            let hours = offset(range.start)..offset(range.end);
            let sums = vec![MeterSums::default(); meters.len()];
            let subscriptions = cover.units();
            Segment {
                range,
                subscriptions,
                stretch: Stretch { hours, cover, sums, is_metered: false },
                is_summed: false,
            }
        };
        let ranges = segments::cut(agreements, &meters, &covers, month)?;
        let segments = ranges.into_iter().map(segment).collect();
        Ok(Group { meters, segments, agreements, places: Places::default() })
    }

    /// What prices a meter in a part of the month.
    pub fn pricing(
        &self,
        meter: &Meter<'a>,
        range: HourRange,
        metered: bool,
    ) -> Result<Option<Pricing<'a>>, Broken> {
        segments::pricing(self.agreements, meter, range.start, metered)
    }

    /// Takes sums of the month over, where nothing changes in it: what was metered; and what is covered, where nothing
    /// is, or one series has all of the cover. The rest must be walked.
    pub fn take_sums(&mut self, tiles: &MonthTiles, month: &mut MonthSums) {
        let [segment] = self.segments.as_mut_slice() else { return };
        let Segment { subscriptions, stretch, is_summed, .. } = segment;
        let only = match self.meters.as_slice() {
            [meter] => meter.only_series(),
            _ => None,
        };
        let is_expected = |series| month.cover(series) == *subscriptions;
        *is_summed = *subscriptions == 0 || only.is_some_and(is_expected);
        for (sums, meter) in stretch.sums.iter_mut().zip(&self.meters) {
            for series in meter.series() {
                let one = month.get(tiles, series);
                sums.metered += one.metered;
                sums.covered += if *is_summed && *subscriptions > 0 { one.metered - one.overflow } else { 0 };
                sums.hours = sums.hours.max(one.hours);
            }
            if meter.only_series().is_none() && (sums.hours as usize) < stretch.hours.len() {
                sums.hours = metered_hours(tiles, stretch.hours.clone(), &meter.series());
            }
        }
        stretch.is_metered = true;
    }

    /// Makes ready to be walked; answers whether anything must be.
    pub fn prepare_walk(&mut self) -> bool {
        let is_needed = self.segments.iter().any(|segment| !segment.is_summed);
        if is_needed {
            self.places = Places::of(self.meters.iter().map(Meter::series));
        }
        is_needed
    }

    /// Walks those hours of a day that are not summed.
    pub fn walk_day(&mut self, tiles: &MonthTiles, day: usize) {
        for segment in self.segments.iter_mut().filter(|segment| !segment.is_summed) {
            segment.stretch.walk_day(tiles, &self.places, day, &mut |_| ());
        }
    }

    /// Walks a segment of a group that was made ready, and shows every hour with usage to `visit`.
    pub fn walk_segment(
        &mut self,
        tiles: &MonthTiles,
        number: usize,
        visit: &mut impl FnMut(&[Meter<'a>], HourFacts),
    ) {
        let Some(segment) = self.segments.get_mut(number) else { return };
        for day in 0..tiles.days() {
            let visit = &mut |facts| visit(&self.meters, facts);
            segment.stretch.walk_day(tiles, &self.places, day, visit);
        }
    }
}

/// Tells sums of a month which series have all of a cover of their family, so that their overflow is summed with
/// what was metered.
pub fn expect_cover(
    agreements: &Agreements<'_>,
    family: &Family,
    groups: &[GroupSeries<'_>],
    month: &mut MonthSums,
) -> Result<(), Broken> {
    let hours = month.hours();
    for group in groups.iter().filter(|group| group.len() == 1) {
        let meters = meter::meters(group);
        let [meter] = meters.as_slice() else { continue };
        let Some(series) = meter.only_series() else { continue };
        let covers = Cover::of_family(agreements.market(), family, meter.product(), meter.dimension())?;
        // A cover that begins or ends within the month cuts it, and its parts are walked.
        let units = covers.iter().filter(|cover| cover.covers(hours.start)).map(|cover| cover.units).sum();
        if units > 0 {
            month.expect_cover(series, units);
        }
    }
    Ok(())
}
