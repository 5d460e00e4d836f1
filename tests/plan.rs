//! Random marketplaces: who publishes, accepts, buys, cancels, reprices and uses what, and when. A plan is
//! plain data; [`life`](super::life) says what becomes of it and [`drive`](super::drive) does it.

use proptest::collection::vec;
use proptest::prelude::*;

/// The products of every plan: instance types, metered units, and a contract with consumption.
pub const PRODUCTS: [&str; 3] = ["prod-ami", "prod-saas", "prod-contract"];
/// The position of each among them.
pub const AMI: usize = 0;
/// The product that its seller meters.
pub const SAAS: usize = 1;
/// The product that is sold as a contract, with usage on top.
pub const CONTRACT: usize = 2;
/// What the contract sells, and what is metered beside it.
pub const SEATS: &str = "seats";
/// What is metered beside the contract.
pub const EXTRA: &str = "extra";

const DAY: u32 = 24 * 60;
/// Minutes from the beginning of 2024 to that of 2025.
pub const YEAR: u32 = 366 * DAY;

/// A random marketplace and its life. It begins with 2024; usage is metered from 2025 on.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Price cuts reach existing subscribers at once.
    pub decreases_immediate: bool,
    /// The number of linked accounts of each payer.
    pub families: Vec<usize>,
    /// In how many months of 2025 there is usage.
    pub months: u32,
    /// Hourly and annual prices of the instance types.
    pub types: Vec<(String, String)>,
    /// Prices of the metered units.
    pub units: Vec<String>,
    /// The contract's prices of a month and of twelve, and of what is metered beside it.
    pub contract: [String; 3],
    /// Private offers.
    pub privates: Vec<PrivatePlan>,
    /// Which account subscribes to which product at once: a bit for each pair.
    pub founders: u64,
    /// What happens then, and in which minute.
    pub acts: Vec<(u32, Act)>,
    /// What is used.
    pub runs: Vec<Run>,
}

/// A private offer.
#[derive(Debug, Clone)]
pub struct PrivatePlan {
    /// Of which product.
    pub product: usize,
    /// For which account; with its whole family when that is a payer.
    pub buyer: usize,
    /// For how many days: of a contract, for one month or twelve.
    pub days: u32,
    /// Usage prices, taken in turn by the dimensions.
    pub prices: Vec<String>,
    /// The upfront price, if it sells annual cover or a contract.
    pub upfront: Option<String>,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Accepts the public offer of a product.
    Subscribe { buyer: usize, product: usize, bought: Bought },
    /// Shows the instance types for free.
    Demonstrate { buyer: usize },
    /// Accepts a private offer.
    AcceptPrivate { buyer: usize, offer: usize, bought: Bought },
    /// Buys annual cover on top.
    Annual { buyer: usize, bought: Bought },
    /// Cancels what it holds on a product.
    Cancel { buyer: usize, product: usize },
    /// Changes prices of a public offer.
    Reprice { product: usize, dimension: usize, usage: String, annual: Option<String> },
}

/// What is bought upfront, where something is sold.
#[derive(Debug, Clone)]
pub struct Bought {
    /// Whether anything is bought where nothing must be.
    pub any: bool,
    /// Which dimension.
    pub dimension: usize,
    /// How much.
    pub units: u64,
    /// For twelve months rather than one, where that is a choice.
    pub year: bool,
    /// Renews itself.
    pub auto_renew: bool,
}

/// The same use again and again.
#[derive(Debug, Clone)]
pub struct Run {
    /// Whose.
    pub buyer: usize,
    /// Of which product.
    pub product: usize,
    /// Of which dimension.
    pub dimension: usize,
    /// From which hour of 2025.
    pub start: u32,
    /// How many times.
    pub count: u32,
    /// In every hour of so many.
    pub stride: u32,
    /// In which minute of the hour.
    pub minute: u32,
    /// In which of three regions.
    pub region: usize,
    /// How much, in millionths.
    pub quantity: u64,
    /// How many days later it is sent.
    pub delay: u32,
}

/// Random plans.
pub fn plans() -> impl Strategy<Value = Plan> {
    let market = (any::<bool>(), vec(1..=4_usize, 1..=3), 2..=4_u32, vec((rate(), annual_price()), 1..=3));
    let prices = (
        vec(rate(), 1..=3),
        (annual_price(), annual_price(), rate()).prop_map(<[String; 3]>::from),
        vec(private(), 0..=5),
    );
    let life = (founders(), vec((minute(), act()), 0..=40), vec(run(), 1..=14));
    (market, prices, life).prop_map(|(market, prices, life)| {
        let ((decreases_immediate, families, months, types), (units, contract, privates)) = (market, prices);
        let (founders, acts, runs) = life;
        Plan { decreases_immediate, families, months, types, units, contract, privates, founders, acts, runs }
    })
}

/// A decimal text of so many units of 10^-`digits`.
pub fn decimal(units: u64, digits: u32) -> String {
    let one = 10_u64.pow(digits);
    format!("{}.{:0width$}", units / one, units % one, width = digits as usize)
}

/// Metered rates have up to eight decimals.
fn rate() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..=500_u64).prop_map(|cents| decimal(cents, 2)),
        3 => (0..=200_000_000_u64).prop_map(|units| decimal(units, 8)),
        1 => (0..100_000_000_000_000_u64).prop_map(|units| decimal(units, 8)),
    ]
}

/// Upfront prices have up to three, and annual ones are not 0.
fn annual_price() -> impl Strategy<Value = String> {
    prop_oneof![3 => 1..=2_000_000_u64, 1 => 100_000_000..=999_999_999_u64]
        .prop_map(|units| decimal(units, 3))
}

fn founders() -> impl Strategy<Value = u64> {
    (any::<u64>(), any::<u64>()).prop_map(|(some, more)| some | more)
}

/// In the first months, so that cover renews itself in 2025; in the last months of 2024, so that notices end
/// in 2025; and in 2025. Every third on the hour.
fn minute() -> impl Strategy<Value = u32> {
    let minute = prop_oneof![
        3 => DAY..100 * DAY,
        2 => 240 * DAY..YEAR,
        9 => YEAR..YEAR + 118 * DAY,
    ];
    (minute, 0..3_u8).prop_map(|(minute, exact)| if exact == 0 { minute / 60 * 60 } else { minute })
}

/// Few of the accounts do most of what happens, so that it meets.
fn who() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..3_usize, 2 => 0..20_usize]
}

/// Instances are what most rules are about.
fn product() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(AMI), 2 => Just(SAAS), 1 => Just(CONTRACT)]
}

fn private() -> impl Strategy<Value = PrivatePlan> {
    let days = prop_oneof![3 => 1..=45_u32, 1 => 300..=500_u32];
    let product = prop_oneof![7 => Just(AMI), 2 => Just(SAAS), 1 => Just(CONTRACT)];
    let upfront = proptest::option::weighted(0.9, annual_price());
    (product, who(), days, vec(rate(), 1..=3), upfront).prop_map(|(product, buyer, days, prices, upfront)| {
        PrivatePlan { product, buyer, days, prices, upfront }
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (who(), product(), bought())
            .prop_map(|(buyer, product, bought)| Act::Subscribe { buyer, product, bought }),
        3 => who().prop_map(|buyer| Act::Demonstrate { buyer }),
        9 => (who(), 0..5_usize, bought())
            .prop_map(|(buyer, offer, bought)| Act::AcceptPrivate { buyer, offer, bought }),
        6 => (who(), bought()).prop_map(|(buyer, bought)| Act::Annual { buyer, bought }),
        2 => (who(), product()).prop_map(|(buyer, product)| Act::Cancel { buyer, product }),
        4 => (product(), 0..3_usize, rate(), proptest::option::of(annual_price())).prop_map(
            |(product, dimension, usage, annual)| Act::Reprice { product, dimension, usage, annual }
        ),
    ]
}

fn bought() -> impl Strategy<Value = Bought> {
    let units = prop_oneof![9 => 1..=4_u64, 1 => 1..=60_000_u64];
    (any::<bool>(), any::<usize>(), units, any::<bool>(), any::<bool>()).prop_map(
        |(any, dimension, units, year, auto_renew)| Bought { any, dimension, units, year, auto_renew },
    )
}

fn run() -> impl Strategy<Value = Run> {
    let shape = prop_oneof![
        3 => (1..=6_u32, 1..=200_u32),
        3 => (20..=80_u32, 1..=5_u32),
        1 => (400..=900_u32, 1..=2_u32),
    ];
    let quantity = prop_oneof![
        4 => 0..=8_000_000_u64,
        4 => (0..=8_u64).prop_map(|units| units * 1_000_000),
        1 => 0..=9_999_999_999_999_999_u64,
    ];
    let what = (who(), product(), 0..3_usize, prop_oneof![2 => Just(0), 1 => 0..3_usize]);
    let when = (0..118 * 24_u32, shape, 0..60_u32, prop_oneof![Just(0), 0..=40_u32]);
    (what, when, quantity).prop_map(|((buyer, product, dimension, region), when, quantity)| {
        let (start, (count, stride), minute, delay) = when;
        Run { buyer, product, dimension, start, count, stride, minute, region, quantity, delay }
    })
}

impl Plan {
    /// The payers.
    pub fn payers(&self) -> Vec<String> {
        (1..=self.families.len())
            .map(|family| format!("{}", family * 100_000_000_000 + 30 + family))
            .collect()
    }

    /// Every account with its payer, in the order of families.
    pub fn accounts(&self) -> Vec<(String, String)> {
        let mut accounts = Vec::new();
        for ((family, payer), linked) in (1..).zip(self.payers()).zip(&self.families) {
            accounts.push((payer.clone(), payer.clone()));
            let numbers = [10, 40, 20, 50].into_iter().take(*linked);
            accounts
                .extend(numbers.map(|n| (format!("{}", family * 100_000_000_000_u64 + n), payer.clone())));
        }
        accounts
    }

    /// The account that a free number picks.
    pub fn account(&self, pick: usize) -> String {
        let mut accounts = self.accounts();
        let position = pick % accounts.len();
        accounts.swap_remove(position).0
    }

    /// The metered dimensions of a product.
    pub fn dimensions(&self, product: usize) -> Vec<String> {
        match product {
            AMI => (0..self.types.len()).map(|number| format!("t{number}.large")).collect(),
            SAAS => (0..self.units.len()).map(|number| format!("units{number}")).collect(),
            _ => vec![EXTRA.to_owned()],
        }
    }

    /// The dimension that a free number picks.
    pub fn dimension(&self, product: usize, pick: usize) -> String {
        let mut dimensions = self.dimensions(product);
        let position = pick % dimensions.len();
        dimensions.swap_remove(position)
    }
}
