//! A product's dimension in a family's month: the meters that are rated together, because their cover is shared.

use super::agreements::Agreements;
use super::meter::{self, FamilySeries, Meter};
use super::month_sums::MonthSums;
use super::overflow::SharedCover;
use super::segments::{self, Cuts, Pricing};
use super::trial::{FreeHours, TrialHours};
use super::walk::{HourFacts, MeterSums, Places, Stretch, metered_hours};
use crate::agreement::{Cover, Share};
use crate::catalog::CountedIn;
use crate::ids::AccountId;
use crate::metering::month_tiles::MonthTiles;
use crate::rejection::Broken;
use crate::time::{HourRange, UsageHour};

/// What a product's dimension is cut and covered by in a month; most often by nothing.
#[derive(Debug)]
pub struct Parts<'a> {
    agreements: &'a Agreements<'a>,
    covers: &'a [Cover<'a>],
    cuts: Cuts,
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
        Ok(Parts { agreements, covers, cuts, month })
    }

    /// A trial may take a part of single hours.
    pub fn has_trial(&self) -> bool {
        self.cuts.has_trial
    }

    /// The family's cover of the whole month, if nothing changes in it and the family shares it.
    pub fn even_cover(&self) -> Option<Shared> {
        let is_even = !self.has_trial()
            && self.cuts.hours.is_empty()
            && self.covers.iter().all(|cover| cover.share == Share::Family);
        is_even.then(|| self.shared(self.month.start))
    }

    /// What the family shares in an hour.
    fn shared(&self, hour: UsageHour) -> Shared {
        let shared = self.live(hour).filter(|cover| cover.share == Share::Family);
        shared.fold(Shared::default(), |sum, cover| Shared {
            subscriptions: sum.subscriptions + cover.units,
            amount: sum.amount + cover.amount,
        })
    }

    /// What the usage of its dimension is counted in.
    pub fn counted_in(&self, meters: &[Meter<'_>]) -> Result<CountedIn, Broken> {
        match meters.first() {
            Some(meter) => self.agreements.counted_in(meter.product(), meter.dimension()),
            None => Ok(CountedIn::Units),
        }
    }

    /// The cover of some hours: what is shared goes by the meters' buyers, what a contract entitles to by the
    /// agreements that price them.
    fn cover(
        &self,
        meters: &[Meter<'a>],
        buyers: &[AccountId],
        range: HourRange,
    ) -> Result<SharedCover, Broken> {
        let shared = self.live(range.start).filter(|cover| cover.share == Share::Family);
        let mut shared = SharedCover::new(buyers, shared.map(|cover| (cover.owner, cover.amount)));
        let all_shared = self.covers.iter().all(|cover| cover.share == Share::Family);
        if all_shared && (self.covers.is_empty() || !self.agreements.any_free()) {
            return Ok(shared);
        }
        let price = |meter| segments::pricing(self.agreements, meter, range.start, true);
        let pricing = meters.iter().map(price).collect::<Result<Vec<_>, _>>()?;
        for (meter, pricing) in pricing.iter().enumerate() {
            if pricing.is_some_and(|pricing| pricing.takes_everything()) {
                shared.leave_out(meter);
            }
        }
        for cover in self.covers {
            let is_mine =
                |p: &Pricing<'_>| cover.share == Share::Agreement(p.agreement.number) && cover.is_live(p.at);
            let mine =
                pricing.iter().enumerate().filter(|(_, pricing)| pricing.as_ref().is_some_and(is_mine));
            let mine: Vec<usize> = mine.map(|(meter, _)| meter).collect();
            if !mine.is_empty() {
                shared.entitle(mine, cover.amount);
            }
        }
        Ok(shared)
    }

    fn live(&self, hour: UsageHour) -> impl Iterator<Item = &Cover<'a>> {
        self.covers.iter().filter(move |cover| cover.covers(hour))
    }
}

/// What a family shares in an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shared {
    /// X: its annual subscriptions, in units.
    pub subscriptions: u64,
    /// The same in what usage is counted in.
    pub amount: u64,
}

/// The meters of a product's dimension, and the month cut wherever something but their usage changes: to be walked.
#[derive(Debug)]
pub struct Group<'a> {
    /// Ordered by buyer.
    pub meters: &'a [Meter<'a>],
    /// The parts of the month.
    pub segments: Vec<Segment>,
    places: Places,
    free: FreeHours,
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
    /// What the agreement of a meter entitles it to in each hour, in units.
    pub fn entitled(&self, meter: usize) -> u64 {
        self.stretch.cover.entitled(meter)
    }

    /// What each meter did in it; nothing before its hours were walked.
    pub fn sums(&self) -> &[MeterSums] {
        &self.stretch.sums
    }
}

impl<'a> Group<'a> {
    /// Gathers what covers the meters of a product's dimension, of which `parts` are.
    pub fn new(
        meters: &'a [Meter<'a>],
        parts: &Parts<'a>,
        trials: Option<&TrialHours<'a>>,
    ) -> Result<Group<'a>, Broken> {
        let buyers: Vec<AccountId> = match parts.covers.is_empty() {
            true => Vec::new(),
            false => meters.iter().map(Meter::buyer).collect(),
        };
        let offset = |hour: UsageHour| usize::try_from(hour.index() - parts.month.start.index()).unwrap_or(0);
        let segment = |range: HourRange| {
            let cover = parts.cover(meters, &buyers, range)?;
            let hours = offset(range.start)..offset(range.end);
            let sums = vec![MeterSums::default(); meters.len()];
            let subscriptions = parts.shared(range.start).subscriptions;
            Ok(Segment { range, subscriptions, stretch: Stretch { hours, cover, sums, is_metered: false } })
        };
        let segments =
            segments::ranges(parts.month, &parts.cuts.hours).map(segment).collect::<Result<_, Broken>>()?;
        let places = Places::of(meters.iter().map(Meter::series));
        let free = trials.map(|trials| trials.of_group(meters)).unwrap_or_default();
        Ok(Group { meters, segments, places, free })
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
            segment.stretch.walk_day(tiles, &self.places, &self.free, day, &mut |_| ());
        }
    }

    /// Walks the hours of a day, and shows every hour with usage, and the number of its segment, to `visit`.
    pub fn visit_day(&mut self, tiles: &MonthTiles, day: usize, visit: &mut impl FnMut(usize, HourFacts)) {
        for (number, segment) in self.segments.iter_mut().enumerate() {
            let visit = &mut |facts| visit(number, facts);
            segment.stretch.walk_day(tiles, &self.places, &self.free, day, visit);
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
            segment.stretch.walk_day(tiles, &self.places, &self.free, day, visit);
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
        let shared = covers.iter().filter(|cover| cover.share == Share::Family && cover.covers(hours.start));
        let amount = shared.map(|cover| cover.amount).sum();
        if amount > 0 {
            month.expect_cover(series, amount);
        }
    }
}
