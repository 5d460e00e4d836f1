//! What a seed stands for: a marketplace, and every record of its month.
//!
//! Nothing of the usage is stored. What a series meters in an hour, and which records are sent twice, are
//! functions of the seed and the place, so that a plan of any size takes little memory and its parts can be
//! made in any order.
//!
//! ```text
//! lane = the series of one product in one stream           back 4
//!   row      0      1      2      3      4      5   ┌────────┴────────┐
//!   series   a      b      c      a      b      c   │                 │
//!   hour     0      0      0      1      1      1     a duplicate of row 1, sent after row 5
//! ```
//!
//! A payer's family is in one stream, and a stream is processed in order: a duplicate always comes after the
//! record that it repeats.

use souk_client::proto::account::v1::{Account, SellerProfile};
use souk_client::proto::catalog::v1::{
    Dimension, DimensionType, Offer, Product as ProtoProduct, ProductType, UsageCategory,
};
use souk_client::proto::metering::v1::{StreamUsageRequest, UsageRecord, usage_record::Customer};
use souk_client::proto::sandbox::v1::{
    AcceptedAgreement, ClockSetting, MeteringWindow, Rules, SandboxDocument, clock_setting::Setting,
};
use souk_client::proto::terms::v1::{Term, UsageBasedPricingTerm, term};
use souk_core::ids::AccountId;
use souk_core::money::UnitPrice;
use souk_core::quantity::Quantity;
use souk_core::time::{BillingMonth, Timestamp};

/// Hours of the month that plans are about: a January.
pub const HOURS_MAX: u32 = 744;
/// Accounts of a family at most.
const FAMILY_MAX: u64 = 4;
/// Products that a buyer subscribes to at most.
const SUBSCRIPTIONS_MAX: u64 = 3;
/// How many rows of its lane a duplicate comes after its record at most.
const BACK_MAX: u64 = 4_000;
/// The entities that invoice, by seller in turn.
const ENTITIES: [&str; 2] = ["AWS Inc.", "AWS EMEA SARL"];

const MONTH: &str = "2025-01";
const ONE: u64 = 1_000_000;
const HOUR_SECONDS: u64 = 3_600;

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

/// Why a record is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To meter its cell.
    First,
    /// To repeat it: SUCCESS again.
    Repeat,
    /// To meter it with another quantity, which must not stand: DUPLICATE_RECORD.
    Contradict,
}

/// A record to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it meters.
    pub cell: Cell,
    /// Why.
    pub purpose: Purpose,
}

/// The records of a message: all of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The position of the product.
    pub product: u32,
    /// The records in order.
    pub rows: Vec<Row>,
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
        Quantity::from_millionths(millionths).unwrap_or(Quantity::ZERO)
    }

    /// What a row says that its cell metered.
    #[must_use]
    pub fn stated(&self, row: Row) -> Quantity {
        let planned = self.quantity(row.cell);
        match row.purpose {
            Purpose::First | Purpose::Repeat => planned,
            Purpose::Contradict => {
                Quantity::from_millionths(planned.millionths() + ONE).unwrap_or(Quantity::MAX)
            }
        }
    }

    /// The dimension of a series.
    #[must_use]
    pub fn dimension(&self, series: u32) -> &PricedDimension {
        let Series { product, dimension, .. } = self.series[series as usize];
        &self.products[product as usize].dimensions[dimension as usize]
    }

    /// The messages of one of so many streams, in order: hour by hour, whatever the product.
    pub fn messages(&self, stream: u32, streams: u32, batch: usize) -> impl Iterator<Item = Message> + '_ {
        let mut lanes: Vec<_> = (0..self.shape.sellers)
            .map(|product| Lane::new(self, product, stream, streams))
            .filter(|lane| !lane.series.is_empty())
            .collect();
        std::iter::from_fn(move || {
            lanes.retain(|lane| !lane.is_at_end());
            let lane = lanes.iter_mut().min_by_key(|lane| lane.hour())?;
            Some(Message { product: lane.product, rows: lane.by_ref().take(batch).collect() })
        })
    }

    /// The document that makes the sandbox. Its clock stands at the end of the month, which is still open.
    #[must_use]
    pub fn document(&self) -> SandboxDocument {
        let rules = Rules {
            max_dimensions: Some(self.shape.dimensions.max(1)),
            metering_window: MeteringWindow::OpenMonth.into(),
            ..Rules::default()
        };
        let sellers = self.products.iter().map(Product::seller_account);
        let agreement = |buyer: &Buyer, product: &u32| AcceptedAgreement {
            offer_id: self.products[*product as usize].offer.clone(),
            buyer_account_id: buyer.account.to_string(),
            acceptance_time: Some(wire_time(self.month.start(), 0)),
            configuration: None,
        };
        let agreements = |buyer: &'_ Buyer| {
            buyer.products.iter().map(|product| agreement(buyer, product)).collect::<Vec<_>>()
        };
        SandboxDocument {
            description: format!("The load of seed {}", self.shape.seed),
            clock: Some(ClockSetting { setting: Some(Setting::At(wire_time(self.month.end(), 0))) }),
            rules: Some(rules),
            accounts: sellers.chain(self.buyers.iter().map(Buyer::to_account)).collect(),
            products: self.products.iter().map(Product::to_product).collect(),
            offers: self.products.iter().map(Product::to_offer).collect(),
            agreements: self.buyers.iter().flat_map(agreements).collect(),
        }
    }

    /// The moment to which the clock is turned: the month's usage is invoiced then.
    #[must_use]
    pub fn close_time(&self) -> prost_types::Timestamp {
        wire_time(self.month.invoiced_at(), 0)
    }

    /// A message as it is sent.
    #[must_use]
    pub fn request(&self, message: &Message) -> StreamUsageRequest {
        StreamUsageRequest {
            sandbox: self.sandbox.clone(),
            product_code: self.products[message.product as usize].code.clone(),
            region: String::new(),
            usage_records: message.rows.iter().map(|row| self.record(*row)).collect(),
        }
    }

    fn record(&self, row: Row) -> UsageRecord {
        let Series { buyer, .. } = self.series[row.cell.series as usize];
        let dimension = self.dimension(row.cell.series);
        let stated = self.stated(row);
        let (quantity, quantity_as_decimal) = match dimension.whole {
            true => (Some(stated.millionths() / ONE), String::new()),
            false => (None, stated.to_string()),
        };
        // Any second of the hour will do, and a duplicate need not have that of its record.
        let second = self.random(Use::Second, row.cell).wrapping_add(row.purpose as u64 * 7) % HOUR_SECONDS;
        let seconds = u64::from(row.cell.hour) * HOUR_SECONDS + second;
        UsageRecord {
            timestamp: Some(wire_time(self.month.start(), seconds)),
            customer: Some(Customer::CustomerAwsAccountId(self.buyers[buyer as usize].account.to_string())),
            dimension: dimension.key.clone(),
            quantity,
            quantity_as_decimal,
        }
    }

    fn random(&self, purpose: Use, cell: Cell) -> u64 {
        random(self.shape.seed, purpose, u64::from(cell.series) << 32 | u64::from(cell.hour))
    }
}

/// The series of one product in one stream, and how far their rows have been sent.
struct Lane<'a> {
    plan: &'a Plan,
    product: u32,
    series: Vec<u32>,
    next_row: u64,
    /// A duplicate that comes before the next row.
    duplicate: Option<Row>,
}

impl<'a> Lane<'a> {
    fn new(plan: &'a Plan, product: u32, stream: u32, streams: u32) -> Lane<'a> {
        let is_mine = |series: &Series| {
            series.product == product && plan.buyers[series.buyer as usize].family % streams == stream
        };
        let series = plan.series.iter().zip(0..).filter(|(series, _)| is_mine(series));
        Lane {
            plan,
            product,
            series: series.map(|(_, position)| position).collect(),
            next_row: 0,
            duplicate: None,
        }
    }

    fn hour(&self) -> u64 {
        self.next_row / self.series.len() as u64
    }

    fn is_at_end(&self) -> bool {
        self.duplicate.is_none() && u64::from(self.plan.shape.hours) <= self.hour()
    }

    fn cell(&self, row: u64) -> Cell {
        let width = self.series.len() as u64;
        Cell { series: self.series[(row % width) as usize], hour: (row / width) as u32 }
    }

    /// The duplicate that follows the row, if one does.
    fn duplicate_after(&self, row: u64) -> Option<Row> {
        let random = self.plan.random(Use::Duplicate, self.cell(row));
        if u64::from(self.plan.shape.duplicates_percent) <= random % 100 {
            return None;
        }
        let purpose = if random >> 8 & 1 == 0 { Purpose::Repeat } else { Purpose::Contradict };
        let back = (random >> 16) % (row + 1).min(BACK_MAX);
        Some(Row { cell: self.cell(row - back), purpose })
    }
}

impl Iterator for Lane<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if let Some(duplicate) = self.duplicate.take() {
            return Some(duplicate);
        }
        if self.is_at_end() {
            return None;
        }
        let row = self.next_row;
        self.next_row += 1;
        self.duplicate = self.duplicate_after(row);
        Some(Row { cell: self.cell(row), purpose: Purpose::First })
    }
}

impl Product {
    fn seller_account(&self) -> Account {
        let profile = SellerProfile { invoicing_entity: self.entity.to_owned() };
        Account {
            account_id: self.seller.to_string(),
            company_name: format!("Seller {}", self.seller),
            seller: Some(profile),
            ..Account::default()
        }
    }

    fn to_product(&self) -> ProtoProduct {
        let dimension = |dimension: &PricedDimension| Dimension {
            key: dimension.key.clone(),
            unit: "Units".to_owned(),
            types: vec![DimensionType::ExternallyMetered.into()],
            ..Dimension::default()
        };
        ProtoProduct {
            product_id: self.id.clone(),
            product_code: self.code.clone(),
            title: format!("Product of {}", self.seller),
            seller_account_id: self.seller.to_string(),
            product_type: ProductType::Saas.into(),
            usage_category: UsageCategory::Units.into(),
            dimensions: self.dimensions.iter().map(dimension).collect(),
            concurrent_agreements: false,
        }
    }

    fn to_offer(&self) -> Offer {
        let rates = self.dimensions.iter().map(|dimension| (dimension.key.clone(), dimension.price.to_string()));
        let usage = UsageBasedPricingTerm { currency_code: String::new(), rate_card: rates.collect() };
        Offer {
            offer_id: self.offer.clone(),
            product_id: self.id.clone(),
            terms: vec![Term { term: Some(term::Term::UsageBasedPricing(usage)) }],
            ..Offer::default()
        }
    }
}

impl Buyer {
    fn to_account(&self) -> Account {
        Account {
            account_id: self.account.to_string(),
            company_name: format!("Buyer {}", self.account),
            payer_account_id: self.payer.to_string(),
            ..Account::default()
        }
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
            price: UnitPrice::from_scaled(scaled.cast_signed()).unwrap_or(UnitPrice::ZERO),
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

fn month() -> BillingMonth {
    BillingMonth::parse(MONTH).unwrap_or_else(|| unreachable!("{MONTH} is a month"))
}

/// So many seconds after a moment.
fn wire_time(start: Timestamp, seconds: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: start.micros() / 1_000_000 + seconds.cast_signed(), nanos: 0 }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SHAPE: Shape =
        Shape { seed: 7, buyers: 20, sellers: 3, dimensions: 4, hours: 30, duplicates_percent: 10 };

    fn requests(plan: &Plan) -> Vec<StreamUsageRequest> {
        let streams = (0..2).flat_map(|stream| plan.messages(stream, 2, 100));
        streams.map(|message| plan.request(&message)).collect()
    }

    #[test]
    fn a_seed_always_makes_the_same_plan_and_another_makes_another() {
        let [first, again, other] = [7, 7, 8].map(|seed| Plan::new(Shape { seed, ..SHAPE }));
        assert_eq!(first.document(), again.document());
        assert_eq!(requests(&first), requests(&again));
        assert_ne!(first.document(), other.document());
        assert_ne!(requests(&first), requests(&other));
    }

    #[test]
    fn every_cell_is_metered_once_whatever_the_streams_and_the_batch() {
        let plan = Plan::new(SHAPE);
        for (streams, batch) in [(1, 1), (1, 1_000), (2, 100), (5, 7)] {
            let messages = (0..streams).flat_map(|stream| plan.messages(stream, streams, batch));
            let rows = messages.flat_map(|message| message.rows);
            let firsts: Vec<_> = rows.filter(|row| row.purpose == Purpose::First).map(|row| row.cell).collect();
            assert_eq!(firsts.len() as u64, plan.cells(), "{streams} {batch}");
            assert_eq!(firsts.iter().collect::<BTreeSet<_>>().len(), firsts.len(), "{streams} {batch}");
        }
    }

    #[test]
    fn a_duplicate_comes_after_its_record_and_there_are_about_as_many_as_asked() {
        let plan = Plan::new(SHAPE);
        let mut counts = [0_u64; 3];
        for stream in 0..2 {
            let mut seen = BTreeSet::new();
            for row in plan.messages(stream, 2, 64).flat_map(|message| message.rows) {
                counts[row.purpose as usize] += 1;
                match row.purpose {
                    Purpose::First => assert!(seen.insert(row.cell)),
                    Purpose::Repeat | Purpose::Contradict => assert!(seen.contains(&row.cell)),
                }
            }
        }
        let [firsts, repeats, contradictions] = counts;
        let tenth = firsts / 10;
        assert!((tenth / 3..tenth).contains(&repeats), "{counts:?}");
        assert!((tenth / 3..tenth).contains(&contradictions), "{counts:?}");
    }

    #[test]
    fn a_message_is_of_one_product_and_no_larger_than_a_batch() {
        let plan = Plan::new(SHAPE);
        for message in plan.messages(0, 1, 50) {
            assert!((1..=50).contains(&message.rows.len()));
            for row in &message.rows {
                assert_eq!(plan.series[row.cell.series as usize].product, message.product);
            }
        }
    }

    #[test]
    fn contradictions_say_another_quantity() {
        let plan = Plan::new(SHAPE);
        let cell = Cell { series: 1, hour: 2 };
        let stated = |purpose| plan.stated(Row { cell, purpose });
        assert_eq!(stated(Purpose::First), stated(Purpose::Repeat));
        assert_ne!(stated(Purpose::First), stated(Purpose::Contradict));
    }
}
