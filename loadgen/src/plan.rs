//! What a seed stands for: a marketplace, and every record of its months.
//!
//! Nothing of the usage is stored. What a series meters in an hour, which records are sent twice and which
//! messages are wrong on purpose are functions of the seed and the place, so that a plan of any size takes
//! little memory, its parts can be made in any order, and the audit can compute them again.
//!
//! | file | what |
//! |---|---|
//! | [`chance`] | numbers that follow from seed, use and place; shares of a hundred; Zipf |
//! | [`market`] | sellers, products and prices, buyers and their families, agreements, annual cover |
//! | [`calendar`] | the hours of the run, in months, and how busy each is |
//! | [`usage`] | what a series meters in an hour |
//! | [`feed`] | the messages, in the order in which they are sent, and what is odd about them |
//! | [`rows`] | the records of a message |
//! | [`document`] | the sandbox document of it |

pub mod calendar;
pub mod chance;
pub mod document;
pub mod feed;
pub mod market;
pub mod rows;
pub mod usage;

pub use calendar::Calendar;
pub use chance::Share;
pub use feed::{Chunk, Extra, Feed, FeedKind, Probe, ProbeKind, Purpose};
pub use market::{Agreement, Buyer, Market, Private, Product, ProductKind, Series};
pub use rows::{Fault, Row, Sending};
pub use usage::Usage;

/// How large a plan is, and what is odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What everything random follows from.
    pub seed: u64,
    /// Buying accounts; one to four of them share a payer.
    pub buyers: u32,
    /// Sellers, of one product each.
    pub sellers: u32,
    /// Priced dimensions of each product.
    pub dimensions: u32,
    /// Products that a buyer subscribes to, on average; popular buyers subscribe to more.
    pub subscriptions: u32,
    /// The exponent of the buyers' popularity, in hundredths; 0: all are alike.
    pub zipf_hundredths: u32,
    /// Months of usage, at most [`calendar::MONTHS_MAX`].
    pub months: u32,
    /// Hours of usage from the beginning of each month; a shorter month has fewer.
    pub hours: u32,
    /// Dimensions that are metered in decimals.
    pub decimals: Share,
    /// Hours in which a series metered nothing, and says so.
    pub zeros: Share,
    /// Records that are sent again as they were.
    pub duplicates: Share,
    /// Records that are sent again with another quantity.
    pub changed: Share,
    /// Records whose month is closed, in messages that must be refused.
    pub late: Share,
    /// Records that are wrong, in messages that must be refused; and records of strangers.
    pub invalid: Share,
    /// Products that are instances: with annual subscriptions, and metered by the instance-hour.
    pub annual: Share,
    /// Agreements on private offers.
    pub private: Share,
}

/// A marketplace and its usage.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it follows from.
    pub shape: Shape,
    /// The sandbox.
    pub sandbox: String,
    /// Who sells what to whom.
    pub market: Market,
    /// The hours.
    pub calendar: Calendar,
    /// The quantities.
    pub usage: Usage,
}

impl Plan {
    /// Makes the plan of a shape.
    #[must_use]
    pub fn new(shape: Shape) -> Plan {
        let calendar = Calendar::new(shape.months, shape.hours);
        let market = Market::new(&shape, &calendar);
        let usage = Usage::new(&shape, &market, &calendar);
        Plan { sandbox: format!("load-{}", shape.seed), shape, market, calendar, usage }
    }

    /// How many cells it meters: hours of series.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.market.series.len() as u64 * u64::from(self.calendar.hours())
    }

    /// What a series meters in an hour of the run, in millionths.
    #[must_use]
    pub fn millionths(&self, series: u32, hour: u32) -> u64 {
        self.usage.millionths(series, hour)
    }

    /// What a record that contradicts a cell says, in millionths: one more.
    #[must_use]
    pub fn contradiction(&self, series: u32, hour: u32) -> u64 {
        self.millionths(series, hour) + usage::ONE
    }

    /// A cell in words.
    #[must_use]
    pub fn place(&self, series: u32, hour: u32) -> String {
        let market = &self.market;
        let Series { agreement, .. } = market.series[series as usize];
        let agreement = &market.agreements[agreement as usize];
        let product = &market.products[agreement.product as usize];
        let dimension = &market.dimension(series).key;
        let buyer = market.buyers[agreement.buyer as usize].account;
        format!("{} {dimension} of {buyer} in the hour {}", product.id, self.calendar.hour(hour))
    }
}

/// A shape for tests: everything odd, and little of it.
#[cfg(test)]
pub(crate) fn odd_shape() -> Shape {
    let share = |percent: f64| Share::of_percent(percent).unwrap();
    Shape {
        seed: 7,
        buyers: 24,
        sellers: 4,
        dimensions: 3,
        subscriptions: 2,
        zipf_hundredths: 90,
        months: 2,
        hours: 30,
        decimals: share(40.0),
        zeros: share(10.0),
        duplicates: share(5.0),
        changed: share(3.0),
        late: share(1.0),
        invalid: share(1.0),
        annual: share(50.0),
        private: share(40.0),
    }
}
