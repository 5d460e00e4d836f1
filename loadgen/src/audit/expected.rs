//! What must be billed, from what was acknowledged.
//!
//! ```text
//! line      month, buyer, product, dimension and offer: an agreement that changes over has a line of each offer
//! Y         what an account ran in an hour      X   the annual subscriptions that it bought
//! cover     each owner's own first, then what is left to the family's accounts by number; every hour anew
//! billed    Y - cover, summed over the hours; times the price; rounded half up to cents, once
//! ```
//!
//! Everything is whole numbers, and none of it is the server's: of the core not even a sum is used.
//!
//! ```text
//! quantity  10^-6
//! price     10^-8      a month of the largest quantity at the highest price has 36 digits of 38
//! product   10^-14     + half a cent (5 * 10^11), / 10^12 = cents
//! ```

use std::collections::BTreeMap;

use super::ledger::Ledger;
use crate::plan::{Feed, Plan, ProductKind};

const CENT: u128 = 1_000_000_000_000;
const ONE: u128 = 1_000_000;

/// What a line is of: month, buyer, product, dimension and offer.
pub type LineKey = (String, String, String, String, String);

/// A line as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose bill carries it.
    pub payer: String,
    /// The entity that invoices.
    pub entity: &'static str,
    /// Who sold it.
    pub seller: String,
    /// An annual subscription rather than usage.
    pub is_upfront: bool,
    /// What is billed, in millionths.
    pub billed: u128,
    /// What annual cover took from it, in millionths.
    pub covered: u128,
    /// In how many hours something was metered.
    pub hours: u64,
    /// The price of a unit, in 10^-8.
    pub price: u128,
    /// The amount.
    pub cents: u128,
}

/// What must be billed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Every line that must be there.
    pub lines: BTreeMap<LineKey, Line>,
    /// Records that were acknowledged: each cell once.
    pub metered: u64,
}

/// What an account metered of a dimension in the hours of a line.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    metered: u128,
    covered: u128,
    hours: u64,
}

/// Computes what must be billed of the first months.
#[must_use]
pub fn expected(plan: &Plan, feeds: &[Feed], ledger: &Ledger, months: usize) -> Expected {
    let mut expected = Expected::default();
    let places = places(plan, feeds);
    for month in 0..months {
        for series in 0..plan.market.series.len() as u32 {
            if plan.market.product_of(series).kind == ProductKind::Saas {
                add_usage(plan, feeds, ledger, &places, month, series, &mut expected);
            }
        }
        add_instances(plan, feeds, ledger, &places, month, &mut expected);
    }
    add_upfront(plan, &mut expected);
    expected
}

/// By series: its feed and the number of its chunk.
fn places(plan: &Plan, feeds: &[Feed]) -> Vec<Option<(usize, u64)>> {
    let mut places = vec![None; plan.market.series.len()];
    for (feed, position) in feeds.iter().zip(0..) {
        for (chunk, number) in feed.chunks.iter().zip(0..) {
            for series in feed.series_of(*chunk) {
                places[*series as usize] = Some((position, number));
            }
        }
    }
    places
}

/// What was metered in an hour of a series; none: nothing was.
fn metered(
    plan: &Plan,
    feeds: &[Feed],
    ledger: &Ledger,
    places: &[Option<(usize, u64)>],
    series: u32,
    hour: u32,
) -> Option<u64> {
    let (feed, chunk) = places[series as usize]?;
    let feed = &feeds[feed];
    let message = u64::from(hour) * feed.chunks.len() as u64 + chunk;
    ledger.has(feed.number, message).then(|| ledger.stands(plan, series, hour)).flatten()
}

/// The line or two of a series in a month.
fn add_usage(
    plan: &Plan,
    feeds: &[Feed],
    ledger: &Ledger,
    places: &[Option<(usize, u64)>],
    month: usize,
    series: u32,
    expected: &mut Expected,
) {
    let span = plan.calendar.months[month];
    let from = plan.market.agreement_of(series).private.as_ref().map_or(u32::MAX, |private| private.from);
    for (is_private, start, end) in
        [(false, span.start, span.end.min(from)), (true, span.start.max(from), span.end)]
    {
        let mut sum = Sum::default();
        for hour in start..end {
            if let Some(millionths) = metered(plan, feeds, ledger, places, series, hour) {
                sum.metered += u128::from(millionths);
                sum.hours += 1;
            }
        }
        add_line(plan, month, series, is_private, sum, expected);
    }
}

/// The lines of instances: a family's accounts share their cover, dimension by dimension.
fn add_instances(
    plan: &Plan,
    feeds: &[Feed],
    ledger: &Ledger,
    places: &[Option<(usize, u64)>],
    month: usize,
    expected: &mut Expected,
) {
    let market = &plan.market;
    let mut groups: BTreeMap<(u32, u32, u32), Vec<u32>> = BTreeMap::new();
    for series in 0..market.series.len() as u32 {
        if market.product_of(series).kind == ProductKind::Instances {
            let (product, dimension) =
                (market.agreement_of(series).product, market.series[series as usize].dimension);
            groups.entry((market.buyer_of(series).family, product, dimension)).or_default().push(series);
        }
    }
    let span = plan.calendar.months[month];
    for ((_, _, dimension), mut members) in groups {
        members.sort_by_key(|series| market.buyer_of(*series).account);
        let owned: Vec<u128> = members
            .iter()
            .map(|series| market.agreement_of(*series).cover.get(dimension as usize).copied().unwrap_or(0))
            .map(|units| u128::from(units) * ONE)
            .collect();
        let mut sums = vec![Sum::default(); members.len()];
        for hour in span.start..span.end {
            let ran: Vec<Option<u128>> = members
                .iter()
                .map(|series| metered(plan, feeds, ledger, places, *series, hour).map(u128::from))
                .collect();
            for ((sum, ran), covered) in sums.iter_mut().zip(&ran).zip(covered(&ran, &owned)) {
                if let Some(ran) = ran {
                    *sum = Sum {
                        metered: sum.metered + ran,
                        covered: sum.covered + covered,
                        hours: sum.hours + 1,
                    };
                }
            }
        }
        for (series, sum) in members.into_iter().zip(sums) {
            add_line(plan, month, series, false, sum, expected);
        }
    }
}

/// What of each run is covered: by one's own cover first, then by what the others leave.
fn covered(ran: &[Option<u128>], owned: &[u128]) -> Vec<u128> {
    let runs = ran.iter().map(|ran| ran.unwrap_or(0));
    let own: Vec<u128> = runs.clone().zip(owned).map(|(ran, owned)| ran.min(*owned)).collect();
    let mut left: u128 = owned.iter().sum::<u128>() - own.iter().sum::<u128>();
    let shared = runs.zip(&own).map(|(ran, own)| {
        let more = left.min(ran - own);
        left -= more;
        own + more
    });
    shared.collect()
}

fn add_line(plan: &Plan, month: usize, series: u32, is_private: bool, sum: Sum, expected: &mut Expected) {
    expected.metered += sum.hours;
    let billed = sum.metered - sum.covered;
    if billed == 0 {
        return;
    }
    let market = &plan.market;
    let (product, buyer) = (market.product_of(series), market.buyer_of(series));
    let dimension = market.dimension(series);
    let private = market.agreement_of(series).private.as_ref().filter(|_| is_private);
    let (offer, price) = match private {
        Some(private) => (&private.offer, private.prices[market.series[series as usize].dimension as usize]),
        None => (&product.offer, dimension.price),
    };
    let price = u128::from(price.scaled().unsigned_abs());
    let key = (
        plan.calendar.months[month].month.to_string(),
        buyer.account.to_string(),
        product.id.clone(),
        dimension.key.clone(),
        offer.clone(),
    );
    let line = Line {
        payer: buyer.payer.to_string(),
        entity: product.entity,
        seller: product.seller.to_string(),
        is_upfront: false,
        billed,
        covered: sum.covered,
        hours: sum.hours,
        price,
        cents: (billed * price + CENT / 2) / CENT,
    };
    expected.lines.insert(key, line);
}

/// The annual subscriptions that were bought before the first month.
fn add_upfront(plan: &Plan, expected: &mut Expected) {
    let market = &plan.market;
    let month = souk_core::time::BillingMonth::containing(plan.calendar.covers_bought()).to_string();
    for agreement in &market.agreements {
        let (product, buyer) =
            (&market.products[agreement.product as usize], &market.buyers[agreement.buyer as usize]);
        for (dimension, units) in
            product.dimensions.iter().zip(&agreement.cover).filter(|(_, units)| 0 < **units)
        {
            let key = (
                month.clone(),
                buyer.account.to_string(),
                product.id.clone(),
                dimension.key.clone(),
                product.offer.clone(),
            );
            let line = Line {
                payer: buyer.payer.to_string(),
                entity: product.entity,
                seller: product.seller.to_string(),
                is_upfront: true,
                billed: u128::from(*units) * ONE,
                covered: 0,
                hours: 0,
                price: u128::from(dimension.annual_cents) * ONE,
                cents: u128::from(*units) * u128::from(dimension.annual_cents),
            };
            expected.lines.insert(key, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cover_goes_to_its_owner_first_and_is_never_carried_over() {
        for (ran, owned, expected) in [
            (vec![Some(5)], vec![3], vec![3]),
            (vec![Some(3)], vec![5], vec![3]),
            (vec![None], vec![5], vec![0]),
            // The second account bought three; the others get what it leaves, in order.
            (vec![Some(4), Some(1), Some(4)], vec![0, 3, 0], vec![2, 1, 0]),
            (vec![Some(1), Some(4), Some(4)], vec![0, 3, 0], vec![0, 3, 0]),
            (vec![Some(5), Some(5)], vec![2, 6], vec![3, 5]),
            (vec![None, Some(2)], vec![1, 0], vec![0, 1]),
        ] {
            assert_eq!(covered(&ran, &owned), expected, "{ran:?} {owned:?}");
        }
    }
}
