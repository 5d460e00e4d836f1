//! What a series meters in an hour: a pure function of seed, series and hour, cheap enough to be made again.

use super::chance::{Use, mix, random};
use super::{Calendar, Market, ProductKind, Shape};

/// One unit in millionths.
pub const ONE: u64 = 1_000_000;
/// Units of a busy hour at most.
const UNITS_MAX: u64 = 1_000;
/// Instances of a busy hour at most: so few that annual cover matters.
const INSTANCES_MAX: u64 = 14;

/// The quantities of a plan.
#[derive(Debug, Clone)]
pub struct Usage {
    /// By series: what its numbers follow from.
    keys: Vec<u64>,
    /// By series.
    kinds: Vec<Kind>,
    /// By run hour: units at most, and instances at most.
    levels: Vec<[u32; 2]>,
    /// Numbers below it are of hours without usage.
    zeros_below: u32,
}

/// How a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Decimal,
    Instances,
}

impl Usage {
    /// The usage of a market.
    #[must_use]
    pub fn new(shape: &Shape, market: &Market, calendar: &Calendar) -> Usage {
        let keys = (0..market.series.len() as u64).map(|place| random(shape.seed, Use::Quantity, place));
        let kind = |series: u32| {
            let product = market.product_of(series);
            match (product.kind, market.dimension(series).decimals) {
                (ProductKind::Instances, _) => Kind::Instances,
                (ProductKind::Saas, true) => Kind::Decimal,
                (ProductKind::Saas, false) => Kind::Whole,
            }
        };
        let level = |hour: u32| {
            let activity = calendar.activity(hour);
            [UNITS_MAX, INSTANCES_MAX].map(|max| (activity * max / ONE + 1) as u32)
        };
        Usage {
            keys: keys.collect(),
            kinds: (0..market.series.len() as u32).map(kind).collect(),
            levels: (0..calendar.hours()).map(level).collect(),
            zeros_below: (shape.zeros.percent() / 100.0 * f64::from(u32::MAX)) as u32,
        }
    }

    /// Whether a series counts in decimals.
    #[must_use]
    pub fn is_decimal(&self, series: u32) -> bool {
        self.kinds[series as usize] == Kind::Decimal
    }

    /// What a series that counts whole units meters in an hour of the run.
    #[must_use]
    pub fn units(&self, series: u32, hour: u32) -> u32 {
        let [units, instances] = self.levels[hour as usize];
        let level = if self.kinds[series as usize] == Kind::Instances { instances } else { units };
        let number = spread(self.keys[series as usize], hour);
        let is_used = self.zeros_below <= (number >> 32) as u32;
        scaled(number, level) * u32::from(is_used)
    }

    /// What any series meters in an hour of the run, in millionths.
    #[must_use]
    pub fn millionths(&self, series: u32, hour: u32) -> u64 {
        let units = u64::from(self.units(series, hour));
        match self.kinds[series as usize] {
            Kind::Whole | Kind::Instances => units * ONE,
            Kind::Decimal if units == 0 => 0,
            Kind::Decimal => {
                // Up to six decimals, often fewer.
                let number = mix(self.keys[series as usize] ^ u64::from(hour) << 40);
                let step = 10_u64.pow((number % 7) as u32);
                units * ONE + (number >> 8) % ONE / step * step
            }
        }
    }
}

fn scaled(number: u64, level: u32) -> u32 {
    (((number & 0xFFFF_FFFF) * u64::from(level)) >> 32) as u32
}

/// Two multiplications: well enough mixed for quantities.
fn spread(key: u64, hour: u32) -> u64 {
    let value = key.wrapping_add(u64::from(hour).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let value = (value ^ (value >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let value = (value ^ (value >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 32)
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, Share, odd_shape};
    use super::*;

    #[test]
    fn quantities_follow_from_the_seed_and_some_are_nothing() {
        let plan = Plan::new(Shape { zeros: Share::of_percent(20.0).unwrap(), ..odd_shape() });
        let other = Plan::new(Shape { seed: 8, zeros: plan.shape.zeros, ..odd_shape() });
        let series = plan.market.series.len().min(other.market.series.len()) as u32;
        let all = |plan: &Plan| -> Vec<u64> {
            (0..series)
                .flat_map(|s| (0..60).map(move |h| (s, h)))
                .map(|(s, h)| plan.millionths(s, h))
                .collect()
        };
        assert_eq!(all(&plan), all(&Plan::new(plan.shape.clone())));
        assert_ne!(all(&plan), all(&other));
        let zeros = all(&plan).iter().filter(|quantity| **quantity == 0).count();
        let (least, most) = (all(&plan).len() / 6, all(&plan).len() / 2);
        assert!((least..most).contains(&zeros), "{zeros} of {}", all(&plan).len());
    }

    #[test]
    fn units_and_millionths_agree_and_only_decimals_have_fractions() {
        let plan = Plan::new(odd_shape());
        let mut fractions = 0;
        for series in 0..plan.market.series.len() as u32 {
            for hour in 0..plan.calendar.hours() {
                let (units, millionths) = (plan.usage.units(series, hour), plan.millionths(series, hour));
                assert_eq!(millionths / ONE, u64::from(units));
                assert!(plan.usage.is_decimal(series) || millionths % ONE == 0);
                fractions += u32::from(millionths % ONE != 0);
            }
        }
        assert!(fractions > 0);
    }
}
