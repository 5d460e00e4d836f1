//! What a marketplace's bills must be, computed a second time from plain facts: hour by hour and record by
//! record, in the simplest way that the billing rules allow. Nothing here knows the server's own rating; where
//! the two differ, one of them is wrong.
//!
//! The facts are rows that a JSON or CSV file could hold: text, whole numbers and moments. Who was subscribed
//! when, and whose records were metered, are facts, too: the bills decide nothing about them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use num_bigint::BigInt;

/// A moment in UTC.
pub type Time = DateTime<Utc>;
/// Unit prices by dimension, as decimal texts.
pub type Prices = BTreeMap<String, String>;

/// Everything that the bills follow from.
#[derive(Debug, Clone, Default)]
pub struct Market {
    /// Each account's payer.
    pub payers: BTreeMap<String, String>,
    /// The products by id.
    pub products: BTreeMap<String, Product>,
    /// The offers by id.
    pub offers: BTreeMap<String, Offer>,
    /// The agreements in the order of their acceptance.
    pub agreements: Vec<Agreement>,
    /// The records that were metered.
    pub usage: Vec<Usage>,
    /// Price cuts reach existing subscribers at once.
    pub decreases_immediate: bool,
}

/// A product.
#[derive(Debug, Clone)]
pub struct Product {
    /// The entity that invoices for its seller.
    pub entity: String,
    /// A machine or container image, rather than SaaS.
    pub server: bool,
}

/// An offer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What it sells.
    pub product: String,
    /// For chosen buyers.
    pub private: bool,
    /// What is used on it costs nothing, and takes nothing of a family's cover.
    pub free: bool,
    /// Its usage prices when it was released.
    pub usage: Prices,
    /// Its price changes, oldest first.
    pub changes: Vec<Change>,
}

/// A change of usage prices.
#[derive(Debug, Clone)]
pub struct Change {
    /// When it was published.
    pub notice: Time,
    /// The changed prices.
    pub usage: Prices,
}

/// An accepted offer.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// Who accepted.
    pub buyer: String,
    /// The offer.
    pub offer: String,
    /// Its first moment.
    pub start: Time,
    /// Its end, not part of it; none while it has none.
    pub end: Option<Time>,
    /// What was bought upfront under it, oldest first.
    pub purchases: Vec<Purchase>,
}

/// An upfront purchase.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// When it was bought.
    pub start: Time,
    /// When what was bought ends.
    pub end: Time,
    /// It is annual cover, not a contract.
    pub covers: bool,
    /// Units by dimension.
    pub quantities: BTreeMap<String, u64>,
    /// Prices by dimension, for the whole duration.
    pub unit_prices: Prices,
}

/// A metered record, or the sum of several of one hour.
#[derive(Debug, Clone)]
pub struct Usage {
    /// Whose.
    pub buyer: String,
    /// Of which product.
    pub product: String,
    /// Of which dimension.
    pub dimension: String,
    /// A moment in its hour.
    pub hour: Time,
    /// How much, as decimal text.
    pub quantity: String,
}

/// What an invoice charges.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Charge {
    /// A month's usage, such as 2025-01.
    Usage(String),
    /// A purchase under this agreement.
    Upfront(String),
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Invoice {
    /// Who pays.
    pub payer: String,
    /// Who invoices.
    pub entity: String,
    /// For what.
    pub charge: Charge,
    /// When it was issued.
    pub issued: Time,
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// What the seller earns, in order.
    pub rows: Vec<Row>,
    /// The sum of its lines, in cents.
    pub total: BigInt,
}

/// An invoice line. Quantities are in millionths, unit prices in units of 10^-8, amounts in cents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Whose charge.
    pub buyer: String,
    /// For which product.
    pub product: String,
    /// By which agreement.
    pub agreement: String,
    /// On which offer.
    pub offer: String,
    /// Of which dimension.
    pub dimension: String,
    /// At which price.
    pub unit_price: BigInt,
    /// How much.
    pub quantity: BigInt,
    /// For how much, in cents.
    pub amount: BigInt,
}

/// A row of the seller's report: all lines of one subscriber, product and offer, upfront also dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Whose charge.
    pub buyer: String,
    /// For which product.
    pub product: String,
    /// On which offer.
    pub offer: String,
    /// Of which dimension, upfront.
    pub dimension: Option<String>,
    /// What was billed, in cents.
    pub billed: BigInt,
    /// The listing fee, in cents: 0 or less.
    pub fee: BigInt,
}

/// Reads a moment in RFC 3339.
pub fn at(text: &str) -> Time {
    text.parse().unwrap_or_else(|error| panic!("{text} is no moment: {error}"))
}

/// The hour that a moment falls into, by its first moment.
pub fn hour_of(moment: Time) -> Time {
    let seconds = moment.timestamp().div_euclid(3_600) * 3_600;
    DateTime::from_timestamp_secs(seconds).expect("an hour of the calendar")
}

/// From when on existing subscribers pay a change: the day of the notice is day 1 of 90, and the price comes
/// with the first day of the month after the one in which day 90 falls (Q7).
pub fn effective(notice: Time) -> Time {
    let day_90 = notice.date_naive() + Days::new(89);
    midnight(first_of_month(day_90) + Months::new(1))
}

/// When usage of a month is invoiced: on the 2nd of the next one.
pub fn invoiced(month: NaiveDate) -> Time {
    midnight(month + Months::new(1) + Days::new(1))
}

/// The first day of a day's month.
pub fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first day")
}

fn midnight(day: NaiveDate) -> Time {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// A decimal text as a whole number of units of 10^-`digits`; `2.5` in 3 digits is 2,500.
pub fn scaled(text: &str, digits: usize) -> BigInt {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.trim_end_matches('0').len() <= digits, "{text} has more than {digits} decimals");
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    format!("{whole}{fraction}").parse().unwrap_or_else(|error| panic!("{text} is no decimal: {error}"))
}

/// Quantity times price in cents, rounded half up: 10^-6 times 10^-8 are 10^-14, a cent 10^12 of them.
fn cents(quantity: &BigInt, unit_price: &BigInt) -> BigInt {
    half_up(&(quantity * unit_price), 1_000_000_000_000)
}

fn half_up(value: &BigInt, unit: u64) -> BigInt {
    assert!(*value >= BigInt::ZERO, "only what is not negative is rounded");
    (value * 2_u32 + unit) / (2 * unit)
}

/// Every invoice, sorted: usage of all months that were metered, and each upfront purchase.
pub fn bills(market: &Market) -> Vec<Invoice> {
    let mut invoices: Vec<_> = market.agreements.iter().flat_map(|a| market.upfront(a)).collect();
    let mut usage: BTreeMap<(NaiveDate, String, String), Vec<Line>> = BTreeMap::new();
    for ((month, agreement, dimension, unit_price), quantity) in market.billable() {
        let agreement = &market.agreements[agreement];
        let payer = market.payers[&agreement.buyer].clone();
        let entity = market.products[market.product_of(agreement)].entity.clone();
        let line = market.line(agreement, dimension, unit_price, quantity);
        usage.entry((month, payer, entity)).or_default().push(line);
    }
    for ((month, payer, entity), lines) in usage {
        let charge = Charge::Usage(month.format("%Y-%m").to_string());
        invoices.push(market.invoice(payer, entity, charge, invoiced(month), lines));
    }
    invoices.sort();
    invoices
}

/// The agreement that an hour of a buyer's use of a product is priced by: the one that covers the start of
/// the hour (Q1), of several the earliest accepted; in the hour in which the first begins, that one (row 21).
pub fn pricing_agreement(market: &Market, buyer: &str, product: &str, hour: Time) -> Option<usize> {
    let mine = |a: &Agreement| a.buyer == buyer && market.product_of(a) == product;
    let covers = |a: &Agreement| a.start <= hour && a.end.is_none_or(|end| hour < end);
    let begins = |a: &Agreement| hour < a.start && a.start < hour + TimeDelta::hours(1);
    let position = |wanted: &dyn Fn(&Agreement) -> bool| {
        let found = market.agreements.iter().enumerate().filter(|(_, a)| mine(a) && wanted(a));
        found.min_by_key(|(position, a)| (a.start, *position)).map(|(position, _)| position)
    };
    position(&covers).or_else(|| position(&begins))
}

/// What is billed: by month, agreement, dimension and unit price (Q2), in millionths.
type Billable = BTreeMap<(NaiveDate, usize, String, BigInt), BigInt>;

impl Market {
    fn product_of(&self, agreement: &Agreement) -> &str {
        &self.offers[&agreement.offer].product
    }

    /// Hour by hour: what each account ran, less the cover that fell to it.
    fn billable(&self) -> Billable {
        let mut hours: BTreeMap<(Time, &str, &str, &str), BTreeMap<&str, BigInt>> = BTreeMap::new();
        for usage in &self.usage {
            let key =
                (hour_of(usage.hour), self.payers[&usage.buyer].as_str(), &*usage.product, &*usage.dimension);
            *hours.entry(key).or_default().entry(&usage.buyer).or_default() += scaled(&usage.quantity, 6);
        }
        let mut billable = Billable::new();
        for ((hour, payer, product, dimension), mut running) in hours {
            running.retain(|buyer, _| !self.is_free(buyer, product, hour));
            self.take_cover(hour, payer, product, dimension, &mut running);
            for (buyer, quantity) in running.into_iter().filter(|(_, quantity)| *quantity > BigInt::ZERO) {
                let agreement = pricing_agreement(self, buyer, product, hour)
                    .unwrap_or_else(|| panic!("no agreement prices {dimension} of {buyer} at {hour}"));
                let price = self.usage_price(&self.agreements[agreement], dimension, hour);
                let key = (first_of_month(hour.date_naive()), agreement, dimension.to_owned(), price);
                *billable.entry(key).or_default() += quantity;
            }
        }
        billable
    }

    /// Whether an hour of a buyer's use costs nothing.
    fn is_free(&self, buyer: &str, product: &str, hour: Time) -> bool {
        let agreement = pricing_agreement(self, buyer, product, hour);
        agreement.is_some_and(|agreement| self.offers[&self.agreements[agreement].offer].free)
    }

    /// The (Y-X) rule, shared in the payer's family (A7, Q11): cover goes to the account that bought it, and
    /// what that leaves to the others by account number.
    fn take_cover(
        &self,
        hour: Time,
        payer: &str,
        product: &str,
        dimension: &str,
        running: &mut BTreeMap<&str, BigInt>,
    ) {
        let mut spare = BigInt::ZERO;
        for (account, _) in self.payers.iter().filter(|(_, its_payer)| *its_payer == payer) {
            let mut bought = self.cover_of(account, product, dimension, hour);
            if let Some(own) = running.get_mut(account.as_str()) {
                let covered = bought.clone().min(own.clone());
                *own -= &covered;
                bought -= &covered;
            }
            spare += bought;
        }
        for left in running.values_mut() {
            let covered = spare.clone().min(left.clone());
            *left -= &covered;
            spare -= &covered;
        }
    }

    /// X of one account at the start of an hour, in millionths.
    fn cover_of(&self, account: &str, product: &str, dimension: &str, hour: Time) -> BigInt {
        let mine = self.agreements.iter().filter(|a| a.buyer == account && self.product_of(a) == product);
        let live = mine.flat_map(|a| &a.purchases).filter(|p| p.covers && p.start <= hour && hour < p.end);
        live.filter_map(|p| p.quantities.get(dimension))
            .map(|units| BigInt::from(*units) * 1_000_000_u32)
            .sum()
    }

    /// The unit price of an agreement at the start of an hour: of the changes that it pays by then, the last.
    /// It pays a change at once when it began after it, or when it is lower and cuts are immediate; else after the
    /// notice.
    fn usage_price(&self, agreement: &Agreement, dimension: &str, hour: Time) -> BigInt {
        let offer = &self.offers[&agreement.offer];
        let mut price = scaled(&offer.usage[dimension], 8);
        for change in &offer.changes {
            let Some(changed) = change.usage.get(dimension) else { continue };
            let changed = scaled(changed, 8);
            let cut = self.decreases_immediate && changed < price && change.notice <= hour;
            if change.notice <= agreement.start || effective(change.notice) <= hour || cut {
                price = changed;
            }
        }
        price
    }

    fn line(&self, agreement: &Agreement, dimension: String, unit_price: BigInt, quantity: BigInt) -> Line {
        let amount = cents(&quantity, &unit_price);
        let (buyer, offer) = (agreement.buyer.clone(), agreement.offer.clone());
        let product = self.product_of(agreement).to_owned();
        Line {
            buyer,
            product,
            agreement: agreement.id.clone(),
            offer,
            dimension,
            unit_price,
            quantity,
            amount,
        }
    }

    /// One invoice for each upfront purchase, with a line for each dimension.
    fn upfront<'a>(&'a self, agreement: &'a Agreement) -> impl Iterator<Item = Invoice> + 'a {
        agreement.purchases.iter().map(move |purchase| {
            let lines = purchase.quantities.iter().map(|(dimension, units)| {
                let price = scaled(&purchase.unit_prices[dimension], 8);
                self.line(agreement, dimension.clone(), price, BigInt::from(*units) * 1_000_000_u32)
            });
            let payer = self.payers[&agreement.buyer].clone();
            let entity = self.products[self.product_of(agreement)].entity.clone();
            let charge = Charge::Upfront(agreement.id.clone());
            self.invoice(payer, entity, charge, purchase.start, lines.collect())
        })
    }

    fn invoice(
        &self,
        payer: String,
        entity: String,
        charge: Charge,
        issued: Time,
        mut lines: Vec<Line>,
    ) -> Invoice {
        lines.sort();
        let by_dimension = matches!(charge, Charge::Upfront(_));
        let mut sums: BTreeMap<(String, String, String, Option<String>, u32), BigInt> = BTreeMap::new();
        for line in &lines {
            let dimension = by_dimension.then(|| line.dimension.clone());
            let fee = self.fee_hundredths(line, issued);
            let key = (line.buyer.clone(), line.product.clone(), line.offer.clone(), dimension, fee);
            *sums.entry(key).or_default() += &line.amount;
        }
        let rows = sums.into_iter().map(|((buyer, product, offer, dimension, fee), billed)| {
            let fee = -half_up(&(&billed * fee), 10_000);
            Row { buyer, product, offer, dimension, billed, fee }
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        let total = lines.iter().map(|line| &line.amount).sum();
        Invoice { payer, entity, charge, issued, lines, rows, total }
    }

    /// The listing fee in hundredths of a percent (H1): of private offers by what the agreement is worth
    /// when the invoice is issued.
    fn fee_hundredths(&self, line: &Line, issued: Time) -> u32 {
        if !self.offers[&line.offer].private {
            return if self.products[&line.product].server { 2_000 } else { 300 };
        }
        let agreement = self.agreements.iter().find(|a| a.id == line.agreement).expect("a line's agreement");
        let bought = agreement.purchases.iter().filter(|purchase| purchase.start <= issued);
        let parts =
            bought.flat_map(|p| p.quantities.iter().map(|(key, units)| (*units, &p.unit_prices[key])));
        let value: BigInt = parts
            .map(|(units, price)| cents(&(BigInt::from(units) * 1_000_000_u32), &scaled(price, 8)))
            .sum();
        let dollars = value / 100_u32;
        match () {
            () if dollars < BigInt::from(1_000_000) => 300,
            () if dollars < BigInt::from(10_000_000) => 200,
            () => 150,
        }
    }
}
