//! The kernels whose instructions are counted (benches/counts/check.py): one after another in a function of its own,
//! on the same input every time. It measures nothing by itself.

use std::hint::black_box;

use souk_core::catalog::Marketplace;
use souk_core::ids::{AccountId, DimensionKey, ProductCode, ProductId, Region, SandboxName};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::rows::{Moments, RowOutcomes, accept_rows};
use souk_core::metering::series::Series;
use souk_core::metering::{HourColumn, Identity, Outcomes, QuantityColumn, SeriesKey, Tally, UsageColumns};
use souk_core::rating::BlockSums;
use souk_core::rules::{Profile, Rules};
use souk_core::time::{BillingMonth, Timestamp};

const SERIES: u32 = 4_096;
const HOURS: u32 = 24;

fn main() {
    let kernel = std::env::args().nth(1).unwrap_or_default();
    let first = month().hours().start.index();
    let fleet: Vec<_> = (0..HOURS).map(|hour| fleet(first + hour.cast_signed(), hour)).collect();
    match kernel.as_str() {
        "apply" => drop(black_box(kernel_apply(&mut tally(), &fleet))),
        "apply_scattered" => {
            drop(black_box(kernel_apply(&mut tally(), &fleet.iter().map(scattered).collect::<Vec<_>>())))
        }
        "repeat" => {
            let mut tally = tally();
            fleet.iter().for_each(|columns| drop(tally.accept(columns)));
            black_box(kernel_repeat(&mut tally, &fleet));
        }
        "decide" => drop(black_box(kernel_decide(&mut sandbox(first), fleet))),
        "sums" => kernel_sums(&metered(&fleet), &[]),
        "overflow" => kernel_sums(&metered(&fleet), &[40; 1_024]),
        other => panic!("there is no kernel \"{other}\""),
    }
}

/// New records of every series, hour by hour.
#[inline(never)]
fn kernel_apply(tally: &mut Tally, fleet: &[UsageColumns]) -> Vec<Outcomes> {
    fleet.iter().map(|columns| tally.accept(columns)).collect()
}

/// The same records again.
#[inline(never)]
fn kernel_repeat(tally: &mut Tally, fleet: &[UsageColumns]) -> usize {
    fleet.iter().map(|columns| tally.accept(columns).exceptions.len()).sum()
}

/// New records whose agreements are known to take them.
#[inline(never)]
fn kernel_decide(sandbox: &mut Sandbox, fleet: Vec<UsageColumns>) -> Vec<RowOutcomes> {
    let now = month().end();
    fleet.into_iter().map(|columns| accept_rows(sandbox, columns, Moments::Hours, now).0).collect()
}

/// Sums of a month by series, and of what is above their cover.
#[inline(never)]
fn kernel_sums(tally: &Tally, cover: &[u64]) {
    let tiles = tally.tiles(month()).expect("usage");
    for block in 0..tiles.blocks() {
        black_box(BlockSums::of(tiles, block, 0..16, 0..tiles.hours(), cover));
    }
}

fn metered(fleet: &[UsageColumns]) -> Tally {
    let mut tally = tally();
    fleet.iter().for_each(|columns| drop(tally.accept(columns)));
    tally
}

fn month() -> BillingMonth {
    BillingMonth::parse("2025-01").expect("a month")
}

fn fleet(hour: i32, number: u32) -> UsageColumns {
    UsageColumns {
        handles: (0..SERIES).collect(),
        hours: HourColumn::One(hour),
        quantities: QuantityColumn::Units(
            (0..SERIES).map(|series| (series * 31 + number * 7) % 97).collect(),
        ),
    }
}

/// The same rows in an order in which no two neighbours are of one block.
fn scattered(columns: &UsageColumns) -> UsageColumns {
    let rows: Vec<usize> = (0..columns.len()).map(|row| row * 1_031 % columns.len()).collect();
    columns.picked(&rows)
}

fn series() -> impl Iterator<Item = Series> {
    let buyer = AccountId::from_number(101).expect("twelve digits");
    (0..SERIES).map(move |number| {
        let key = SeriesKey {
            identity: Identity::Product(ProductCode::new("productcode00000000000000"), buyer),
            region: Region::new("us-east-1"),
            resource: None,
            dimension: DimensionKey::new(&format!("dimension-{number}")),
        };
        let hash = key.hash();
        Series { key, product: ProductId::new("prod-a"), buyer, payer: buyer, hash }
    })
}

fn tally() -> Tally {
    let mut tally = Tally::default();
    for series in series() {
        tally.open(series);
    }
    tally
}

fn sandbox(first_hour: i32) -> Sandbox {
    let rules = Rules::of(Profile::Source);
    let market = Marketplace::new(SandboxName::new("counts"), String::new(), rules, month().start());
    let mut sandbox = Sandbox::new(market);
    series().for_each(|series| sandbox.apply(&Event::SeriesOpened(series)));
    for handle in 0..SERIES {
        sandbox.taken_hours().remember(handle, first_hour..first_hour + 744, Timestamp::MAX);
    }
    sandbox
}
