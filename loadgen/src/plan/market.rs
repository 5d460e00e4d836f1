//! Who sells what to whom: sellers and their products, buyers and their families, agreements and annual cover.

use std::collections::BTreeSet;

use souk_core::ids::AccountId;
use souk_core::money::UnitPrice;

use super::chance::{Use, Zipf, random};
use super::{Calendar, Shape};

/// Accounts of a family at most.
const FAMILY_MAX: u64 = 4;
/// The entities that invoice, by seller in turn.
const ENTITIES: [&str; 2] = ["AWS Inc.", "AWS EMEA SARL"];
/// The first seller's account, and the first buyer's.
const SELLERS_FROM: u64 = 900_000_000_000;
const BUYERS_FROM: u64 = 100_000_000_000;
/// Units of annual cover of a dimension at most.
const COVER_MAX: u64 = 4;

/// Who sells what to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// The products, one a seller.
    pub products: Vec<Product>,
    /// The buyers, by family.
    pub buyers: Vec<Buyer>,
    /// The agreements, by product and buyer.
    pub agreements: Vec<Agreement>,
    /// Everything that is metered by the hour, by agreement.
    pub series: Vec<Series>,
}

/// What a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductKind {
    /// Software as a service, metered by its seller.
    Saas,
    /// Instances, metered by AWS Marketplace, with annual subscriptions.
    Instances,
}

/// A product and its public offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Who sells it.
    pub seller: AccountId,
    /// The entity that invoices for the seller.
    pub entity: &'static str,
    /// What it is.
    pub kind: ProductKind,
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
    /// The price of a unit for a year, in cents; of instances alone.
    pub annual_cents: u64,
    /// Metered in decimals rather than in whole units.
    pub decimals: bool,
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
}

/// A buyer's subscription to a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The position of its buyer.
    pub buyer: u32,
    /// The position of its product.
    pub product: u32,
    /// The private offer that it is on.
    pub private: Option<Private>,
    /// Units of annual cover by dimension; empty: none was bought.
    pub cover: Vec<u64>,
}

/// A private offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Its id.
    pub offer: String,
    /// The hour of the run from which it counts; until then it is the public one. 0: from the beginning.
    pub from: u32,
    /// Its prices by dimension.
    pub prices: Vec<UnitPrice>,
}

/// A dimension of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// The position of its agreement.
    pub agreement: u32,
    /// The position of the dimension in the product.
    pub dimension: u32,
}

impl Market {
    /// The market of a shape.
    #[must_use]
    pub fn new(shape: &Shape, calendar: &Calendar) -> Market {
        let products: Vec<_> = (0..shape.sellers).map(|number| product(shape, number)).collect();
        let buyers = buyers(shape);
        let pairs = subscriptions(shape);
        let agreement = |(product, buyer): (u32, u32)| agreement(shape, calendar, &products, product, buyer);
        let agreements: Vec<_> = pairs.into_iter().map(agreement).collect();
        let series = (0..agreements.len() as u32).flat_map(|agreement| {
            (0..shape.dimensions).map(move |dimension| Series { agreement, dimension })
        });
        Market { series: series.collect(), products, buyers, agreements }
    }

    /// How many payers there are.
    #[must_use]
    pub fn families(&self) -> u32 {
        self.buyers.last().map_or(0, |buyer| buyer.family + 1)
    }

    /// The agreement of a series.
    #[must_use]
    pub fn agreement_of(&self, series: u32) -> &Agreement {
        &self.agreements[self.series[series as usize].agreement as usize]
    }

    /// The product of a series.
    #[must_use]
    pub fn product_of(&self, series: u32) -> &Product {
        &self.products[self.agreement_of(series).product as usize]
    }

    /// The buyer of a series.
    #[must_use]
    pub fn buyer_of(&self, series: u32) -> &Buyer {
        &self.buyers[self.agreement_of(series).buyer as usize]
    }

    /// The dimension of a series.
    #[must_use]
    pub fn dimension(&self, series: u32) -> &PricedDimension {
        let Series { dimension, .. } = self.series[series as usize];
        &self.product_of(series).dimensions[dimension as usize]
    }
}

/// An account that no plan has: nobody's usage.
#[must_use]
pub fn stranger() -> AccountId {
    account(777_000_000_000, 7)
}

/// The key with which a seller signs, and its secret.
#[must_use]
pub fn access_key(product: u32) -> (String, String) {
    (format!("AKIALOADSELLER{product:06}"), format!("secret-of-the-seller-{product}"))
}

fn product(shape: &Shape, number: u32) -> Product {
    let kind = match shape.annual.takes_turn(u64::from(number)) {
        true => ProductKind::Instances,
        false => ProductKind::Saas,
    };
    let dimension = |position: u32| {
        let place = u64::from(number) << 32 | u64::from(position);
        let is_saas = kind == ProductKind::Saas;
        PricedDimension {
            key: if is_saas { format!("dimension-{position}") } else { format!("m{position}.large") },
            price: price(shape, place),
            annual_cents: 10_000 + random(shape.seed, Use::Price, place ^ 1 << 63) % 500_000,
            decimals: is_saas && shape.decimals.takes(random(shape.seed, Use::Decimals, place)),
        }
    };
    Product {
        seller: account(SELLERS_FROM, number),
        entity: ENTITIES[number as usize % ENTITIES.len()],
        kind,
        id: format!("prod-load{number}"),
        code: format!("loadproduct{number:014}"),
        offer: format!("offer-load{number}"),
        dimensions: (0..shape.dimensions).map(dimension).collect(),
    }
}

/// A price of 0 to 8 decimals, up to 5.
fn price(shape: &Shape, place: u64) -> UnitPrice {
    let unit = 10_u64.pow((random(shape.seed, Use::PriceDecimals, place) % 9) as u32);
    let scaled = (random(shape.seed, Use::Price, place) % 500_000_000 / unit + 1) * unit;
    let price = UnitPrice::from_scaled(scaled.cast_signed());
    price.unwrap_or_else(|| unreachable!("{scaled} is not negative"))
}

fn buyers(shape: &Shape) -> Vec<Buyer> {
    let mut buyers = Vec::with_capacity(shape.buyers as usize);
    let (mut family, mut payer, mut left) = (0, 0, 0);
    for number in 0..shape.buyers {
        if left == 0 {
            family += u32::from(0 < number);
            payer = number;
            left = 1 + random(shape.seed, Use::FamilySize, u64::from(number)) % FAMILY_MAX;
        }
        left -= 1;
        let (account, payer) = (account(BUYERS_FROM, number), account(BUYERS_FROM, payer));
        buyers.push(Buyer { account, payer, family });
    }
    buyers
}

/// Who subscribes to what: everybody to something, and the popular ones to more. By product, then by buyer.
fn subscriptions(shape: &Shape) -> BTreeSet<(u32, u32)> {
    let pick =
        |place: u64| (random(shape.seed, Use::Subscription, place) % u64::from(shape.sellers.max(1))) as u32;
    let mut pairs: BTreeSet<_> = (0..shape.buyers).map(|buyer| (pick(u64::from(buyer)), buyer)).collect();
    if shape.sellers <= shape.subscriptions {
        let all = (0..shape.sellers).flat_map(|product| (0..shape.buyers).map(move |buyer| (product, buyer)));
        return all.collect();
    }
    let mut ranking: Vec<u32> = (0..shape.buyers).collect();
    ranking.sort_by_key(|buyer| random(shape.seed, Use::Popularity, u64::from(*buyer)));
    let zipf = Zipf::new(shape.buyers, shape.zipf_hundredths);
    let wanted = u64::from(shape.buyers) * u64::from(shape.subscriptions);
    // Who is popular may have everything already: some draws are in vain, but not for ever.
    for draw in 0..wanted * 4 {
        if pairs.len() as u64 >= wanted {
            break;
        }
        let buyer = ranking[zipf.pick(random(shape.seed, Use::Popularity, 1 << 32 | draw))];
        pairs.insert((pick(1 << 32 | draw), buyer));
    }
    pairs
}

fn agreement(
    shape: &Shape,
    calendar: &Calendar,
    products: &[Product],
    product: u32,
    buyer: u32,
) -> Agreement {
    let place = u64::from(product) << 32 | u64::from(buyer);
    let chance = |purpose: Use| random(shape.seed, purpose, place);
    let is_instances = products[product as usize].kind == ProductKind::Instances;
    let private = chance(Use::Private);
    let private = (!is_instances && shape.private.takes(private)).then(|| Private {
        offer: format!("offer-private{product}-{buyer}"),
        from: if private >> 32 & 1 == 0 { 0 } else { calendar.changeover() },
        prices: (0..u64::from(shape.dimensions)).map(|d| price(shape, place << 8 | d | 1 << 62)).collect(),
    });
    let cover = chance(Use::Cover);
    let units = |dimension: u32| (cover >> (8 + dimension % 24)) % (COVER_MAX + 1);
    let cover: Vec<u64> = match is_instances && cover & 1 == 0 {
        true => (0..shape.dimensions).map(units).collect(),
        false => Vec::new(),
    };
    // A purchase of nothing is none.
    let cover = if cover.iter().all(|units| *units == 0) { Vec::new() } else { cover };
    Agreement { buyer, product, private, cover }
}

fn account(first: u64, number: u32) -> AccountId {
    AccountId::from_number(first + u64::from(number)).unwrap_or_else(|| unreachable!("it has twelve digits"))
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, Share, odd_shape};
    use super::*;

    #[test]
    fn a_market_has_instances_cover_and_private_offers_as_asked() {
        let market = Plan::new(odd_shape()).market;
        let instances =
            market.products.iter().filter(|product| product.kind == ProductKind::Instances).count();
        assert_eq!(instances, 2);
        assert!(market.agreements.iter().any(|agreement| !agreement.cover.is_empty()));
        let private: Vec<_> =
            market.agreements.iter().filter_map(|agreement| agreement.private.as_ref()).collect();
        assert!(
            private.iter().any(|private| private.from == 0)
                && private.iter().any(|private| private.from == 15)
        );
        let plain = Shape { annual: Share::NONE, private: Share::NONE, ..odd_shape() };
        let plain = Plan::new(plain).market;
        assert!(plain.agreements.iter().all(|a| a.private.is_none() && a.cover.is_empty()));
    }

    #[test]
    fn everybody_subscribes_once_to_a_product_and_popular_buyers_to_more() {
        let shape = Shape { buyers: 200, sellers: 40, subscriptions: 4, zipf_hundredths: 120, ..odd_shape() };
        let market = Plan::new(shape).market;
        let mut counts = vec![0; 200];
        let mut seen = BTreeSet::new();
        for agreement in &market.agreements {
            counts[agreement.buyer as usize] += 1;
            assert!(seen.insert((agreement.buyer, agreement.product)));
        }
        counts.sort_unstable();
        assert_eq!((counts[0], counts.iter().sum::<u32>()), (1, 800));
        assert!(counts[199] > 20 && counts[100] < 4, "{counts:?}");
    }

    #[test]
    fn with_as_many_subscriptions_as_products_everybody_has_everything() {
        let market = Plan::new(Shape { buyers: 10, sellers: 3, subscriptions: 3, ..odd_shape() }).market;
        assert_eq!((market.agreements.len(), market.series.len()), (30, 90));
    }
}
