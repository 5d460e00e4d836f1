//! A marketplace of many families whose open month is full: ten series each, and every second family has bought
//! annual cover, so that every hour is covered in part.

use std::collections::BTreeMap;

use souk_benches::{TYPES, family, month, units};
use souk_core::agreement::acceptance::accept_offer;
use souk_core::catalog::{Account, Change};
use souk_core::ids::{AccountId, DimensionKey, OfferId};
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::month_tiles::MonthTiles;
use souk_core::metering::series::Series;
use souk_core::metering::{
    HourColumn, Identity, QuantityColumn, SeriesHandle, SeriesKey, Tally, UsageColumns,
};
use souk_core::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};

/// What each family has.
pub const SERIES: u32 = TYPES;

/// X of a series, in units: 0 for the series of every other family.
pub fn cover(series: u32) -> u64 {
    let (family, kind) = (series / SERIES, series % SERIES);
    if family.is_multiple_of(2) { u64::from(kind) * 4 + 5 } else { 0 }
}

/// The families with their open series, and nothing metered.
pub fn families(count: u32) -> Sandbox {
    // The market of the fixtures, whose one family is the pattern of all.
    let mut sandbox = family(0, false);
    sandbox.tally_mut().take_month(month());
    let pattern: Vec<Series> = sandbox.tally().all_series().iter().cloned().collect();
    let payer = pattern[0].payer;
    let template = sandbox.market().accounts()[&payer].clone();
    for number in 1..=count {
        let buyer = AccountId::from_number(payer.number() + u64::from(number)).expect("twelve digits");
        let account = Account { id: buyer, payer: buyer, ..template.clone() };
        sandbox.apply_change(&Change::AccountPut(account));
        let configuration = configuration(number - 1);
        let offer = OfferId::new("offer-image");
        let start = month().start();
        let accepted = accept_offer(sandbox.market(), None, &offer, buyer, configuration.as_ref(), start)
            .expect("accepted");
        accepted.iter().for_each(|event| sandbox.apply(event));
        for of in &pattern {
            let identity = match &of.key.identity {
                Identity::Product(code, _) => Identity::Product(code.clone(), buyer),
                licence => licence.clone(),
            };
            let key = SeriesKey { identity, ..of.key.clone() };
            let hash = key.hash();
            let series = Series { key, product: of.product.clone(), buyer, payer: buyer, hash };
            sandbox.apply(&Event::SeriesOpened(series));
        }
    }
    sandbox
}

/// A month in which every series of so many families, and of the family of the pattern, was metered in every hour.
pub fn full_month(sandbox: &Sandbox) -> MonthTiles {
    let series = sandbox.tally().all_series();
    let mut tally = Tally::default();
    series.iter().for_each(|series| {
        tally.open(series.clone());
    });
    for hour in 0..month().hours().len() as u32 {
        let count = series.len() as u32;
        tally.accept(&UsageColumns {
            handles: (0..count).collect(),
            hours: HourColumn::One(month().hours().start.index() + hour.cast_signed()),
            quantities: QuantityColumn::Units((0..count).map(|number| units(number, hour)).collect()),
        });
    }
    tally.take_month(month()).expect("a month of usage")
}

/// Cover of a block's series; the first family is the pattern, which has none.
pub fn block_cover(series: impl Iterator<Item = SeriesHandle>) -> Vec<u64> {
    series.map(|handle| handle.0.checked_sub(SERIES).map_or(0, cover)).collect()
}

fn configuration(number: u32) -> Option<UpfrontConfiguration> {
    let kinds = (0..SERIES)
        .map(|kind| (DimensionKey::new(&format!("type{kind}.large")), cover(number * SERIES + kind)));
    let quantities: BTreeMap<_, _> = kinds.filter(|(_, units)| *units > 0).collect();
    (!quantities.is_empty()).then_some(UpfrontConfiguration {
        duration: Some(ANNUAL),
        quantities,
        auto_renew: false,
    })
}
