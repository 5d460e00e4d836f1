//! Numbers that follow from seed, use and place; shares of a hundred; popularity by Zipf's law.

use std::fmt;
use std::str::FromStr;

/// What a random number is for: numbers of different uses are independent.
#[derive(Debug, Clone, Copy)]
pub enum Use {
    /// How many accounts a family has.
    FamilySize = 1,
    /// The order of popularity.
    Popularity,
    /// Who subscribes to what.
    Subscription,
    /// A price.
    Price,
    /// The decimals of a price.
    PriceDecimals,
    /// Whether a dimension is metered in decimals.
    Decimals,
    /// Whether a product is of instances.
    Instances,
    /// What is bought upfront.
    Cover,
    /// Whether an agreement is private, and from when.
    Private,
    /// What a series meters.
    Quantity,
    /// What is odd about a message.
    Odd,
    /// A wrong message before a message.
    Probe,
}

/// A number that follows from seed, use and place alone (SplitMix64's mixing).
#[must_use]
pub fn random(seed: u64, purpose: Use, place: u64) -> u64 {
    mix(seed ^ mix(place ^ mix(purpose as u64)))
}

/// Spreads a number over all bits.
#[must_use]
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A share, exact to a millionth: 0 to 100 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share {
    millionths: u32,
}

impl Share {
    /// Nothing.
    pub const NONE: Share = Share { millionths: 0 };
    /// Everything.
    pub const ALL: Share = Share { millionths: 1_000_000 };

    /// So many of a hundred.
    #[must_use]
    pub fn of_percent(percent: f64) -> Option<Share> {
        let is_one = (0.0..=100.0).contains(&percent);
        is_one.then(|| Share { millionths: (percent * 10_000.0).round() as u32 })
    }

    /// So many of a hundred.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.millionths) / 10_000.0
    }

    /// Nothing at all.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.millionths == 0
    }

    /// Whether a random number falls into it.
    #[must_use]
    pub fn takes(self, random: u64) -> bool {
        ((random & 0xFFFF_FFFF) * 1_000_000) >> 32 < u64::from(self.millionths)
    }

    /// How many of `count` it is: the whole part, and one more as often as the rest says.
    #[must_use]
    pub fn count_of(self, count: u64, random: u64) -> u64 {
        let exact = u64::from(self.millionths) * count;
        let rest = Share { millionths: (exact % 1_000_000) as u32 };
        exact / 1_000_000 + u64::from(rest.takes(random))
    }

    /// Which of many, one after another, it takes: spread evenly.
    #[must_use]
    pub fn takes_turn(self, turn: u64) -> bool {
        let before = |turn: u64| turn * u64::from(self.millionths) / 1_000_000;
        before(turn) < before(turn + 1)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.percent())
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let percent = text.parse().ok().and_then(Share::of_percent);
        percent.ok_or_else(|| format!("{text:?} is no percentage: give a number from 0 to 100, such as 2.5"))
    }
}

/// Popularity by Zipf's law: rank r of n has a weight of 1 / r^s.
#[derive(Debug, Clone)]
pub struct Zipf {
    /// The sum of the weights up to each rank.
    sums: Vec<f64>,
}

impl Zipf {
    /// So many ranks, and the exponent in hundredths.
    #[must_use]
    pub fn new(ranks: u32, exponent_hundredths: u32) -> Zipf {
        let exponent = f64::from(exponent_hundredths) / 100.0;
        let mut sum = 0.0;
        let weight = |rank: u32| f64::from(rank).powf(-exponent);
        let sums = (1..=ranks).map(|rank| {
            sum += weight(rank);
            sum
        });
        Zipf { sums: sums.collect() }
    }

    /// The rank, from 0, that a random number picks.
    #[must_use]
    pub fn pick(&self, random: u64) -> usize {
        let total = self.sums.last().copied().unwrap_or_default();
        // 53 bits are what a float holds.
        let place = (random >> 11) as f64 / (1_u64 << 53) as f64 * total;
        self.sums.partition_point(|sum| *sum <= place).min(self.sums.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_counted_and_spread() {
        let share: Share = "2.5".parse().unwrap();
        assert_eq!((share.percent().to_string(), share.to_string()), ("2.5".to_owned(), "2.5".to_owned()));
        for wrong in ["-1", "100.1", "NaN", "x"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
        let total: u64 = (0..100_000).map(|n| share.count_of(30, mix(n))).sum();
        assert!((72_000..78_000).contains(&total), "75,000 of 3,000,000 are expected, there are {total}");
        assert_eq!((0..1_000).filter(|turn| share.takes_turn(*turn)).count(), 25);
        assert_eq!((0..7).filter(|turn| Share::ALL.takes_turn(*turn)).count(), 7);
        assert_eq!((0..1_000).filter(|n| Share::NONE.takes(mix(*n))).count(), 0);
        assert_eq!((0..1_000).filter(|n| Share::ALL.takes(mix(*n))).count(), 1_000);
    }

    #[test]
    fn the_first_of_a_hundred_is_as_popular_as_zipf_says() {
        let zipf = Zipf::new(100, 100);
        let mut counts = [0_u32; 100];
        for n in 0..1_000_000 {
            counts[zipf.pick(mix(n))] += 1;
        }
        // Harmonic number of 100: 5.187; so the first has 19.28 %, the second half of it, the last a hundredth.
        for (rank, expected) in [(0, 192_776), (1, 96_388), (9, 19_278), (99, 1_928)] {
            let (low, high) = (expected * 9 / 10, expected * 11 / 10);
            assert!((low..high).contains(&counts[rank]), "rank {rank}: {} of {expected}", counts[rank]);
        }
        let flat = Zipf::new(4, 0);
        let flat: Vec<_> =
            (0..4).map(|rank| (0..8_000).filter(|n| flat.pick(mix(*n)) == rank).count()).collect();
        assert!(flat.iter().all(|count| (1_800..2_200).contains(count)), "{flat:?}");
    }
}
