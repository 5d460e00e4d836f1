//! The records that stand, listed by their hours and in an hour by their ids: the order does not depend on how series
//! are spread over partitions. A page of the list is found by one walk over the series, which can stop anywhere and
//! go on later, so that nothing waits long for it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::allocation::Allocation;
use super::series::{Series, SeriesHandle};
use super::tally::Tally;
use crate::earliest::Earliest;
use crate::ids::{AccountId, DimensionKey, MeteringRecordId, ProductId};
use crate::quantity::QuantitySum;
use crate::time::{BillingMonth, UsageHour};

/// Which records are listed; what is none takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only of this product.
    pub product: Option<ProductId>,
    /// Only of this buyer.
    pub buyer: Option<AccountId>,
    /// Only of this dimension.
    pub dimension: Option<DimensionKey>,
    /// Only of this month.
    pub month: Option<BillingMonth>,
}

/// Where a record stands in the list.
pub type RecordPosition = (UsageHour, MeteringRecordId);

/// A record that stands: the first of its series and hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeteredRecord {
    /// The id that the meterer got.
    pub id: MeteringRecordId,
    /// The hour that it counts for.
    pub hour: UsageHour,
    /// Of what and whom.
    pub series: Series,
    /// How much.
    pub quantity: QuantitySum,
    /// How that divides over tags; empty when the record did not say.
    pub allocations: Arc<[Allocation]>,
}

/// A walk over the series of one tally after another.
#[derive(Debug, Clone)]
pub struct RecordWalk {
    filter: RecordFilter,
    /// The months that may hold what is looked for.
    months: (BillingMonth, BillingMonth),
    found: Earliest<RecordPosition, MeteredRecord>,
    next: u32,
    /// The first hours of months: calendars are slow.
    first_hours: BTreeMap<BillingMonth, i32>,
}

impl RecordWalk {
    /// Looks for the first `limit` records behind `after`.
    pub fn new(filter: RecordFilter, after: Option<RecordPosition>, limit: usize) -> RecordWalk {
        let since = after.map_or(BillingMonth::MIN, |(hour, _)| BillingMonth::containing(hour.start()));
        let (first, last) =
            filter.month.map_or((BillingMonth::MIN, BillingMonth::MAX), |month| (month, month));
        RecordWalk {
            filter,
            months: (first.max(since), last),
            found: Earliest::new(after, limit),
            next: 0,
            first_hours: BTreeMap::new(),
        }
    }

    /// Begins with another tally.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// Goes on in a tally for about so many steps, of which a series and a record are one each. Answers whether
    /// every series was seen.
    pub fn go_on(&mut self, tally: &Tally, steps: usize) -> bool {
        let mut done = 0;
        while let Some(series) = tally.series(SeriesHandle(self.next)) {
            if done >= steps {
                return false;
            }
            done += 1;
            if self.wants(series) {
                done += self.look_into(tally, SeriesHandle(self.next), series);
            }
            self.next += 1;
        }
        true
    }

    /// Whether records of a month may be among those that are looked for, as far as is known.
    pub fn wants_month(&self, month: BillingMonth) -> bool {
        let (first, last) = self.months;
        let end = (month.hours().end, MeteringRecordId::from_number(0));
        let start = (month.hours().start, MeteringRecordId::from_number(0));
        let is_behind = self.found.after().is_none_or(|after| *after < end);
        first <= month && month <= last && is_behind && self.found.has_room_behind(&start)
    }

    /// Whether it looks for records of any of these series.
    pub fn wants_any(&self, tally: &Tally, handles: Range<u32>) -> bool {
        handles
            .into_iter()
            .filter_map(|handle| tally.series(SeriesHandle(handle)))
            .any(|series| self.wants(series))
    }

    /// Looks at some series of a tally, whatever else it has.
    pub fn go_through(&mut self, tally: &Tally, handles: Range<u32>) {
        for handle in handles {
            if let Some(series) = tally.series(SeriesHandle(handle)).filter(|series| self.wants(series)) {
                self.look_into(tally, SeriesHandle(handle), series);
            }
        }
    }

    /// What was found, in order.
    pub fn into_records(self) -> impl Iterator<Item = MeteredRecord> {
        self.found.into_entries().map(|(_, record)| record)
    }

    fn wants(&self, series: &Series) -> bool {
        let RecordFilter { product, buyer, dimension, .. } = &self.filter;
        product.as_ref().is_none_or(|product| *product == series.product)
            && buyer.is_none_or(|buyer| buyer == series.buyer)
            && dimension.as_ref().is_none_or(|dimension| *dimension == series.key.dimension)
    }

    /// Takes what a series has of the earliest records; answers how many it looked at.
    fn look_into(&mut self, tally: &Tally, handle: SeriesHandle, series: &Series) -> usize {
        let (first_month, last_month) = self.months;
        if first_month > last_month {
            return 0;
        }
        let since = self.found.after().map_or(0, |(hour, _)| hour.index());
        let mut seen = 0;
        for (month, column) in tally.months(handle, first_month, last_month) {
            let first = *self.first_hours.entry(month).or_insert_with(|| month.hours().start.index());
            let from = usize::try_from(since - first).unwrap_or(0);
            for (offset, millionths) in column.metered_from(from) {
                seen += 1;
                let Some(hour) = UsageHour::from_index(first + offset as i32) else { continue };
                let id = series.record_id(hour);
                let position = (hour, id);
                if self.found.after().is_some_and(|after| position <= *after) {
                    continue;
                }
                if !self.found.takes(&position) {
                    // What follows in this series is later still.
                    return seen;
                }
                self.found.add(position, || MeteredRecord {
                    id,
                    hour,
                    series: series.clone(),
                    quantity: QuantitySum(millionths.into()),
                    allocations: tally.allocations(handle, hour),
                });
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::columns::UsageColumns;
    use super::super::series::{Identity, SeriesKey};
    use super::*;
    use crate::ids::{LicenseArn, ProductCode, Region};
    use crate::time::Timestamp;

    fn account(number: u64) -> AccountId {
        AccountId::from_number(number).unwrap()
    }

    fn hour(text: &str) -> UsageHour {
        UsageHour::containing(Timestamp::parse(&format!("{text}:00:00Z")).unwrap())
    }

    /// A series of each of six buyers, in two tallies: those of even and those of odd numbers.
    fn tallies(metered: &[(u32, UsageHour)]) -> [Tally; 2] {
        let mut tallies = [Tally::default(), Tally::default()];
        for number in 0..6_u32 {
            let buyer = account(number.into());
            let identity = match number % 3 {
                0 => Identity::Licence(LicenseArn::new(&format!("arn-{number}"))),
                _ => Identity::Product(ProductCode::new("code"), buyer),
            };
            let dimension = DimensionKey::new(if number < 4 { "users" } else { "hosts" });
            let key = SeriesKey { identity, region: Region::new("us-east-1"), resource: None, dimension };
            let product = ProductId::new(if number == 5 { "prod-2" } else { "prod-1" });
            let hash = key.hash();
            let tally = &mut tallies[number as usize % 2];
            let handle = tally.open(Series { key, product, buyer, payer: buyer, hash });
            let mut columns = UsageColumns::default();
            for &(_, hour) in metered.iter().filter(|(of, _)| *of == number) {
                columns.push(handle, hour, u64::from(number) * 1_000_000);
            }
            tally.accept(&columns);
        }
        tallies
    }

    fn list(tallies: &[Tally], filter: &RecordFilter, size: usize, steps: usize) -> Vec<MeteredRecord> {
        let mut all: Vec<MeteredRecord> = Vec::new();
        loop {
            let after = all.last().map(|record| (record.hour, record.id));
            let mut walk = RecordWalk::new(filter.clone(), after, size);
            for tally in tallies {
                walk.begin();
                while !walk.go_on(tally, steps) {}
            }
            let page: Vec<_> = walk.into_records().collect();
            assert!(page.len() <= size);
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    #[test]
    fn every_filter_takes_its_records() {
        let metered: Vec<_> =
            (0..6).flat_map(|n| ["2025-03-31T23", "2025-04-01T00"].map(|h| (n, hour(h)))).collect();
        let tallies = tallies(&metered);
        let all = RecordFilter::default();
        for (filter, buyers, months) in [
            (all.clone(), vec![0, 1, 2, 3, 4, 5], 2),
            (RecordFilter { product: Some(ProductId::new("prod-2")), ..all.clone() }, vec![5], 2),
            (RecordFilter { buyer: Some(account(3)), ..all.clone() }, vec![3], 2),
            (RecordFilter { dimension: Some(DimensionKey::new("hosts")), ..all.clone() }, vec![4, 5], 2),
            (
                RecordFilter { month: BillingMonth::parse("2025-04"), ..all.clone() },
                vec![0, 1, 2, 3, 4, 5],
                1,
            ),
            (RecordFilter { month: BillingMonth::parse("2025-05"), ..all }, vec![], 0),
        ] {
            let records = list(&tallies, &filter, 2, 1);
            assert_eq!(records.len(), buyers.len() * months, "{filter:?}");
            assert!(
                records.iter().all(|record| buyers.contains(&record.series.buyer.number())),
                "{filter:?}"
            );
            assert!(records.iter().all(|r| r.quantity == QuantitySum::whole(r.series.buyer.number())));
        }
    }

    proptest! {
        #[test]
        fn pages_of_any_size_are_the_list_by_hour_and_id(
            metered in prop::collection::btree_set((0_u32..6, 0..1_600_i32), 0..40),
            size in 1_usize..12,
            steps in 1_usize..9,
        ) {
            let first = hour("2025-02-27T00").index();
            let metered: Vec<_> =
                metered.into_iter().map(|(n, h)| (n, UsageHour::from_index(first + h).unwrap())).collect();
            let tallies = tallies(&metered);
            let records = list(&tallies, &RecordFilter::default(), size, steps);
            prop_assert_eq!(records.len(), metered.len());
            prop_assert!(records.is_sorted_by_key(|record| (record.hour, record.id)));
        }
    }
}
