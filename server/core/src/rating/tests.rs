//! Random families, rated by sums of blocks and by a walk hour by hour: with cover of one account or shared, price
//! changes and agreements within the month, several regions, whole quantities and decimals, and hours left out.

mod models;
mod runs;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::agreement::acceptance::accept_offer;
use crate::catalog::{
    Account, Address, Change, Dimension, DimensionType, EntitlementValueKind, Marketplace, Offer,
    PriceChange, Product, ProductType, Targeting,
};
use crate::ids::{AccountId, DimensionKey, OfferId, ProductCode, ProductId, Region, SandboxName};
use crate::invoicing::close_month::usage_invoices;
use crate::machine::follow::run_due;
use crate::machine::{Event, Sandbox};
use crate::metering::series::Series;
use crate::metering::tile::BLOCK;
use crate::metering::{Identity, SeriesKey, UsageColumns};
use crate::money::{Currency, UnitPrice};
use crate::quantity::MILLIONTHS;
use crate::rules::{Profile, Rules};
use crate::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};
use crate::terms::{ConfigurableUpfront, FreeTrial, Terms, UpfrontRateCard, UsageBased};
use crate::time::{BillingMonth, TermDuration, Timestamp, UsageHour};

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const TYPES: [&str; 3] = ["small", "large", "huge"];
const MINUTE: i64 = 60_000_000;

/// An account, and what it ran.
#[derive(Debug, Clone)]
struct Runner {
    /// The payer, or a linked account of it.
    payer: u64,
    /// Minutes from the month's start to its agreement, if that begins in the month.
    joins: Option<i64>,
    /// Annual subscriptions of each type, if it bought any.
    cover: Option<[u64; TYPES.len()]>,
    /// Type, region, hours and quantity in each of them; of hours that are named twice, the first stands.
    runs: Vec<(usize, usize, std::ops::Range<usize>, u64)>,
}

fn month() -> BillingMonth {
    BillingMonth::parse("2025-01").unwrap()
}

fn after(minutes: i64) -> Timestamp {
    month().start().plus_micros(minutes * MINUTE)
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

fn runner() -> impl Strategy<Value = Runner> {
    let quantity = prop_oneof![
        6 => (0..9_u64).prop_map(|units| units * MILLIONTHS),
        1 => Just(4_000_000_000 * MILLIONTHS),
        1 => 0..5 * MILLIONTHS,
    ];
    let hours = prop_oneof![
        2 => Just(0..744_usize),
        1 => (0..744_usize, 0..90_usize).prop_map(|(from, n)| from..(from + n).min(744)),
    ];
    let run = (0..TYPES.len(), prop_oneof![4 => Just(0_usize), 1 => Just(1_usize)], hours, quantity);
    let cover = prop::option::of(prop::array::uniform3(1..7_u64));
    let joins = prop::option::weighted(0.2, 0..40_000_i64);
    (0..3_u64, joins, cover, prop::collection::vec(run, 0..5))
        .prop_map(|(payer, joins, cover, runs)| Runner { payer: payer + 1, joins, cover, runs })
}

fn market(runners: &[Runner], price_change: Option<i64>, trial: Option<u32>) -> Marketplace {
    let mut market =
        Marketplace::new(SandboxName::new("random"), String::new(), Rules::of(Profile::Source), after(0));
    let mut put = |id, payer, entity: Option<&str>| {
        market.apply(&Change::AccountPut(Account {
            id: account(id),
            company_name: String::new(),
            payer: account(payer),
            invoicing_entity: entity.map(str::to_owned),
            address: Address::default(),
            email_domain: String::new(),
            invoice_terms: false,
            private_marketplace_admin: None,
            net_days: None,
            tax: None,
            access_keys: Vec::new(),
        }));
    };
    put(9, 9, Some("AWS Inc."));
    (1..4).for_each(|payer| put(payer, payer, None));
    (100..).zip(runners).for_each(|(number, runner)| put(number, runner.payer, None));
    let product = ProductId::new("prod-1");
    let dimension = |key: &str| Dimension {
        key: DimensionKey::new(key),
        name: String::new(),
        description: String::new(),
        unit: String::new(),
        types: [DimensionType::Metered].into(),
        value_kind: EntitlementValueKind::Integer,
        billed_by: None,
    };
    market.apply(&Change::ProductCreated(Product {
        id: product.clone(),
        code: ProductCode::new("code"),
        title: String::new(),
        seller: account(9),
        product_type: ProductType::Ami,
        usage_category: None,
        dimensions: TYPES.iter().map(|key| dimension(key)).collect(),
        concurrent_agreements: false,
    }));
    let prices = |scaled: i64| -> BTreeMap<_, _> {
        TYPES.iter().map(|key| (DimensionKey::new(key), UnitPrice::from_scaled(scaled).unwrap())).collect()
    };
    let change = |minutes: i64| PriceChange {
        notice: after(-200_000),
        existing_from: after(minutes),
        usage: prices(12_345_678),
        upfront: Vec::new(),
    };
    let annual = UpfrontRateCard { duration: ANNUAL, prices: prices(10_000_000_000) };
    market.apply(&Change::OfferCreated(Offer {
        id: OfferId::new("offer-1"),
        product,
        name: String::new(),
        targeting: Targeting::default(),
        accept_by: None,
        renewal_kind: None,
        terms: Terms {
            usage_based: Some(UsageBased { currency: Currency::Usd, rate_card: prices(10_000_000) }),
            configurable_upfront: Some(ConfigurableUpfront {
                currency: Currency::Usd,
                rate_cards: vec![annual],
            }),
            free_trial: trial.map(|days| FreeTrial { duration: TermDuration::Days(days), grants: [].into() }),
            ..Terms::default()
        },
        released_at: after(-300_000),
        visible_from: after(-300_000),
        price_changes: price_change.map(change).into_iter().collect(),
        resale: None,
    }));
    market
}

/// The marketplace with its agreements and usage. Series of one account are `apart` blocks apart.
fn sandbox(runners: &[Runner], price_change: Option<i64>, trial: Option<u32>, apart: bool) -> Sandbox {
    let mut sandbox = Sandbox::new(market(runners, price_change, trial));
    for (number, runner) in (100..).zip(runners) {
        // Before the price change was announced, or in the month.
        let start = after(runner.joins.unwrap_or(-250_000));
        let quantities = |units: [u64; TYPES.len()]| UpfrontConfiguration {
            duration: Some(ANNUAL),
            quantities: TYPES.iter().map(|key| DimensionKey::new(key)).zip(units).collect(),
            auto_renew: false,
        };
        let configuration = runner.cover.map(quantities);
        let (family, offer) = (sandbox.family(account(runner.payer)), OfferId::new("offer-1"));
        let accepted =
            accept_offer(sandbox.market(), family, &offer, account(number), configuration.as_ref(), start);
        accepted.unwrap().iter().for_each(|event| sandbox.apply(event));
    }
    let first = month().hours().start.index();
    for (number, runner) in (100..).zip(runners) {
        let joins = UsageHour::containing(after(runner.joins.unwrap_or(0))).index() - first;
        for (kind, region, hours, millionths) in &runner.runs {
            let key = SeriesKey {
                identity: Identity::Product(ProductCode::new("code"), account(number)),
                region: Region::new(REGIONS[*region]),
                resource: None,
                dimension: DimensionKey::new(TYPES[*kind]),
            };
            let handle = sandbox.tally().handle(&key).unwrap_or_else(|| {
                let handle = sandbox.tally().next_handle();
                let (hash, payer) = (key.hash(), account(runner.payer));
                let (product, buyer) = (ProductId::new("prod-1"), account(number));
                sandbox.apply(&Event::SeriesOpened(Series { key, product, buyer, payer, hash }));
                handle
            });
            let mut columns = UsageColumns::default();
            for hour in hours.clone().skip_while(|hour| (*hour as i32) < joins) {
                columns.push(handle, UsageHour::from_index(first + hour as i32).unwrap(), *millionths);
            }
            sandbox.accept_usage(&columns);
        }
        if apart {
            // Others stand between: of an account that nobody bills.
            for filler in 0..BLOCK / 2 {
                let key = SeriesKey {
                    identity: Identity::Product(ProductCode::new(&format!("{number}-{filler}")), account(9)),
                    region: Region::new(REGIONS[0]),
                    resource: None,
                    dimension: DimensionKey::new(TYPES[0]),
                };
                let (hash, product) = (key.hash(), ProductId::new("prod-1"));
                let series = Series { key, product, buyer: account(9), payer: account(9), hash };
                sandbox.apply(&Event::SeriesOpened(series));
            }
        }
    }
    sandbox
}

/// The same lines, whether cover is summed with what was metered or walked, and for the family alone or with others.
fn rated_alike(sandbox: &Sandbox, payer: AccountId) -> Vec<RatedLine> {
    let Some(family) = sandbox.family(payer) else { return Vec::new() };
    let lines = rate_month(sandbox, family, month()).unwrap();
    let mut walked = MonthSums::of_all(month());
    assert_eq!(rate_with(sandbox, family, &mut walked).as_ref(), Ok(&lines));
    let mut summed = MonthSums::of_all(month());
    for family in sandbox.families().values() {
        expect_cover(sandbox, family, &mut summed).unwrap();
    }
    assert_eq!(rate_with(sandbox, family, &mut summed).as_ref(), Ok(&lines));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sums_of_blocks_bill_what_a_walk_of_the_hours_bills(
        runners in prop::collection::vec(runner(), 1..7),
        price_change in prop::option::weighted(0.3, 0..40_000_i64),
        trial in prop::option::weighted(0.4, 5..32_u32),
        apart in prop::bool::weighted(0.2),
    ) {
        let mut sandbox = sandbox(&runners, price_change, trial, apart);
        let mut expected = BTreeMap::new();
        for payer in (1..4).map(account) {
            rated_alike(&sandbox, payer);
            let Some(family) = sandbox.family(payer) else { continue };
            let invoices = usage_invoices(&sandbox, family, month()).unwrap();
            // An explanation walks every hour.
            for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
                let hours = explain_line(&sandbox, family, month(), line).unwrap();
                for segment in &line.explanation.segments {
                    let within: Vec<_> =
                        hours.iter().filter(|h| (segment.start..segment.end).contains(&h.hour)).collect();
                    prop_assert_eq!(segment.metered_hours as usize, within.len());
                    let metered: i128 = within.iter().map(|h| h.metered.0).sum();
                    let covered: i128 = within.iter().map(|h| h.covered.0).sum();
                    let free: i128 = within.iter().map(|h| h.trial.0).sum();
                    prop_assert_eq!((segment.metered.0, segment.covered.0), (metered, covered));
                    prop_assert_eq!(segment.trial.0, free);
                    prop_assert!(within.iter().all(|hour| hour.trial.0 <= i128::from(MILLIONTHS)));
                    prop_assert!(within.iter().all(|hour| hour.subscriptions == segment.subscriptions));
                }
            }
            expected.insert(payer, invoices);
        }
        // All families close, a few at a time.
        let mut events = Vec::new();
        while !run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap() {}
        for (payer, previews) in expected {
            let family = sandbox.family(payer).unwrap();
            prop_assert!(family.open_month > month());
            let closed: Vec<_> = family.invoices().iter().filter(|i| i.kind == crate::invoicing::InvoiceKind::Usage).collect();
            prop_assert_eq!(closed.len(), previews.len());
            for (closed, preview) in closed.into_iter().zip(&previews) {
                prop_assert_eq!(closed.month, month());
                prop_assert_eq!(&closed.lines, &preview.lines);
                prop_assert_eq!(&closed.revenue, &preview.revenue);
            }
        }
    }
}

fn steady(payer: u64, units: u64) -> Runner {
    let runs = vec![(0, 0, 0..700, units * MILLIONTHS)];
    Runner { payer, joins: None, cover: Some([1, 1, 1]), runs }
}

/// Sums that were kept for the families that close next do not outlive a change of the month.
#[test]
fn usage_that_comes_while_a_month_closes_is_billed() {
    let mut sandbox = sandbox(&[steady(1, 2), steady(2, 3)], None, None, false);
    // The families' earlier months close first.
    let mut events = Vec::new();
    while sandbox.family(account(1)).unwrap().open_month <= month() {
        run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap();
    }
    assert!(sandbox.take_closing().is_some_and(|sums| sums.month() == month()));
    let mut columns = UsageColumns::default();
    let handle = sandbox.family(account(2)).unwrap().series[0];
    let last = UsageHour::from_index(month().hours().end.index() - 1).unwrap();
    columns.push(handle, last, 5 * MILLIONTHS);
    let mut sums = MonthSums::of_all(month());
    let before = rate_with(&sandbox, sandbox.family(account(2)).unwrap(), &mut sums).unwrap();
    sandbox.keep_closing(Some(sums));
    sandbox.accept_usage(&columns);
    while !run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap() {}
    let family = sandbox.family(account(2)).unwrap();
    let usage = family.invoices().iter().find(|invoice| invoice.month == month()).unwrap();
    assert_eq!(before[0].quantity().0, 1_400 * i128::from(MILLIONTHS));
    assert_eq!(usage.lines[0].quantity.0, 1_404 * i128::from(MILLIONTHS));
}
