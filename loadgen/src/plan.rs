//! What a seed stands for: a marketplace, and every record of its month.
//!
//! Nothing of the usage is stored. What a series meters in an hour, and which records are sent twice, are
//! functions of the seed and the place, so that a plan of any size takes little memory and its parts can be
//! made in any order. [`rows`] says in which order records are sent; [`wire`] writes all of it in the words of
//! the contract.

pub mod rows;
pub mod wire;

pub use rows::{Message, Purpose, Row};

use souk_core::ids::AccountId;
use souk_core::money::UnitPrice;
use souk_core::quantity::Quantity;
use souk_core::time::BillingMonth;

/// Hours of the month that plans are about: a January.
pub const HOURS_MAX: u32 = 744;
/// Accounts of a family at most.
const FAMILY_MAX: u64 = 4;
/// Products that a buyer subscribes to at most.
const SUBSCRIPTIONS_MAX: u64 = 3;
/// The entities that invoice, by seller in turn.
const ENTITIES: [&str; 2] = ["AWS Inc.", "AWS EMEA SARL"];

const MONTH: &str = "2025-01";
const ONE: u64 = 1_000_000;

/// How large a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What everything random follows from.
    pub seed: u64,
    /// Buying accounts.
    pub buyers: u32,
    /// Sellers, of one product each.
    pub sellers: u32,
    /// Priced dimensions of each product.
    pub dimensions: u32,
    /// Hours of usage, at most [`HOURS_MAX`].
    pub hours: u32,
    /// How many of a hundred records are followed by a duplicate.
    pub duplicates_percent: u32,
}

/// A marketplace and its usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How large it is.
    pub shape: Shape,
    /// The sandbox.
    pub sandbox: String,
    /// The month of its usage.
    pub month: BillingMonth,
    /// The products, one a seller.
    pub products: Vec<Product>,
    /// The buyers, by family.
    pub buyers: Vec<Buyer>,
    /// Everything that is metered by the hour.
    pub series: Vec<Series>,
}

/// A product and its public offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Who sells it.
    pub seller: AccountId,
    /// The entity that invoices for the seller.
    pub entity: &'static str,
    /// Its id.
    pub id: String,
    /// What usage names.
    pub code: String,
    /// Its public offer.
    pub offer: String,
    /// Its dimensions.
    pub dimensions: Vec<PricedDimension>,
}

/// What a product sells by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedDimension {
    /// Its key.
    pub key: String,
    /// The price of a unit.
    pub price: UnitPrice,
    /// Metered in whole units rather than in decimals.
    pub whole: bool,
}

/// An account that buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// Its number.
    pub account: AccountId,
    /// Whose bill carries its charges.
    pub payer: AccountId,
    /// The number of its family.
    pub family: u32,
    /// The positions of the products that it subscribes to, in order.
    pub products: Vec<u32>,
}

/// A dimension of a buyer's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// The position of its product.
    pub product: u32,
    /// The position of its buyer.
    pub buyer: u32,
    /// The position of the dimension in the product.
    pub dimension: u32,
}

/// An hour of a series: what is metered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The position of its series.
    pub series: u32,
    /// The hour of the month, from 0.
    pub hour: u32,
}

/// What a random number is for: numbers of different uses are independent.
#[derive(Debug, Clone, Copy)]
enum Use {
    FamilySize = 1,
    SubscriptionCount,
    Subscription,
    Price,
    PriceDecimals,
    Quantity,
    Second,
    Duplicate,
}

impl Plan {
    /// Makes the plan of a shape.
    #[must_use]
    pub fn new(shape: Shape) -> Plan {
        let products: Vec<_> = (0..shape.sellers).map(|number| product(shape, number)).collect();
        let buyers = buyers(shape);
        let mut series = Vec::new();
        for (buyer, position) in buyers.iter().zip(0..) {
            for &product in &buyer.products {
                let dimensions = 0..shape.dimensions;
                series.extend(dimensions.map(|dimension| Series { product, buyer: position, dimension }));
            }
        }
        Plan { shape, sandbox: format!("load-{}", shape.seed), month: month(), products, buyers, series }
    }

    /// How many cells it meters.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.series.len() as u64 * u64::from(self.shape.hours)
    }

    /// How many payers it has.
    #[must_use]
    pub fn payers(&self) -> u32 {
        self.buyers.last().map_or(0, |buyer| buyer.family + 1)
    }

    /// How many agreements it has.
    #[must_use]
    pub fn agreements(&self) -> usize {
        self.buyers.iter().map(|buyer| buyer.products.len()).sum()
    }

    /// What stands in a cell in the end, once it is metered as planned.
    #[must_use]
    pub fn quantity(&self, cell: Cell) -> Quantity {
        let random = self.random(Use::Quantity, cell);
        let millionths = match self.dimension(cell.series).whole {
            true => random % 1_000 * ONE,
            false => random % (1_000 * ONE),
        };
        quantity(millionths)
    }

    /// The dimension of a series.
    #[must_use]
    pub fn dimension(&self, series: u32) -> &PricedDimension {
        let Series { product, dimension, .. } = self.series[series as usize];
        &self.products[product as usize].dimensions[dimension as usize]
    }

    fn random(&self, purpose: Use, cell: Cell) -> u64 {
        random(self.shape.seed, purpose, u64::from(cell.series) << 32 | u64::from(cell.hour))
    }
}

fn product(shape: Shape, number: u32) -> Product {
    let dimension = |position: u32| {
        let place = u64::from(number) << 32 | u64::from(position);
        // Prices of 0 to 8 decimals, up to 5.
        let unit = 10_u64.pow((random(shape.seed, Use::PriceDecimals, place) % 9) as u32);
        let scaled = random(shape.seed, Use::Price, place) % 500_000_000 / unit * unit;
        PricedDimension {
            key: format!("dimension-{position}"),
            price: price(scaled),
            whole: position.is_multiple_of(2),
        }
    };
    Product {
        seller: account(900_000_000_000, number),
        entity: ENTITIES[number as usize % ENTITIES.len()],
        id: format!("prod-load{number}"),
        code: format!("loadproduct{number:014}"),
        offer: format!("offer-load{number}"),
        dimensions: (0..shape.dimensions).map(dimension).collect(),
    }
}

fn buyers(shape: Shape) -> Vec<Buyer> {
    let mut buyers = Vec::with_capacity(shape.buyers as usize);
    let mut family = 0;
    let mut payer = 0;
    let mut left = 0;
    for number in 0..shape.buyers {
        if left == 0 {
            family += u32::from(0 < number);
            payer = number;
            left = 1 + random(shape.seed, Use::FamilySize, u64::from(number)) % FAMILY_MAX;
        }
        left -= 1;
        buyers.push(Buyer {
            account: account(100_000_000_000, number),
            payer: account(100_000_000_000, payer),
            family,
            products: subscriptions(shape, number),
        });
    }
    buyers
}

/// One to three products, each once.
fn subscriptions(shape: Shape, buyer: u32) -> Vec<u32> {
    let count = 1 + random(shape.seed, Use::SubscriptionCount, u64::from(buyer)) % SUBSCRIPTIONS_MAX;
    let pick = |number: u64| {
        let place = u64::from(buyer) << 8 | number;
        (random(shape.seed, Use::Subscription, place) % u64::from(shape.sellers.max(1))) as u32
    };
    let mut products: Vec<_> = (0..count).map(pick).collect();
    products.sort_unstable();
    products.dedup();
    products
}

fn account(first: u64, number: u32) -> AccountId {
    AccountId::from_number(first + u64::from(number)).unwrap_or_else(|| unreachable!("it has twelve digits"))
}

/// Quantities of plans are small.
fn quantity(millionths: u64) -> Quantity {
    Quantity::from_millionths(millionths).unwrap_or_else(|| unreachable!("{millionths} is too large"))
}

fn price(scaled: u64) -> UnitPrice {
    let price = UnitPrice::from_scaled(scaled.cast_signed());
    price.unwrap_or_else(|| unreachable!("{scaled} is not negative"))
}

fn month() -> BillingMonth {
    BillingMonth::parse(MONTH).unwrap_or_else(|| unreachable!("{MONTH} is a month"))
}

/// A number that follows from seed, use and place alone (SplitMix64's mixing).
fn random(seed: u64, purpose: Use, place: u64) -> u64 {
    mix(seed ^ mix(place ^ mix(purpose as u64)))
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
