//! Meters: the series of one product and dimension that are priced together, because the same agreements
//! price them: those of one buyer, or of one licence.

use std::collections::BTreeMap;

use crate::agreement::{Agreement, Family, timeline};
use crate::ids::{AccountId, DimensionKey, LicenseArn, ProductId};
use crate::machine::Sandbox;
use crate::metering::Identity;
use crate::metering::month_tiles::MonthColumn;
use crate::metering::series::SeriesHandle;
use crate::time::{BillingMonth, UsageHour};

/// The series of a buyer, or of one of its licences, on one dimension. Ordered by buyer: the order in which
/// what is left of the family's cover is given out (Q11).
#[derive(Debug, Clone)]
pub struct Meter {
    /// Whose usage.
    pub buyer: AccountId,
    /// The licence that the records named; none when they named the product.
    pub licence: Option<LicenseArn>,
    /// Its series.
    pub series: Vec<SeriesHandle>,
}

impl Meter {
    /// The agreements that may price it, in the order of their acceptance.
    pub fn agreements<'a>(
        &'a self,
        family: &'a Family,
        product: &'a ProductId,
    ) -> impl Iterator<Item = &'a Agreement> {
        family
            .agreements_of(self.buyer, product)
            .filter(|a| self.licence.as_ref().is_none_or(|l| a.licence == *l))
    }

    /// The agreement that prices an hour.
    pub fn agreement_at<'a>(
        &'a self,
        family: &'a Family,
        product: &'a ProductId,
        hour: UsageHour,
    ) -> Option<&'a Agreement> {
        timeline::agreement_at(self.agreements(family, product), hour)
    }

    /// Its hours of a month, one column a series.
    pub fn columns<'a>(&self, sandbox: &'a Sandbox, month: BillingMonth) -> Vec<MonthColumn<'a>> {
        self.series.iter().filter_map(|&handle| sandbox.tally().month(handle, month)).collect()
    }
}

/// What is priced hour by hour together: a product's dimension.
pub type MeterGroups = BTreeMap<(ProductId, DimensionKey), Vec<Meter>>;

/// The meters of a family in which something was metered in a month, in a stable order whatever the order in
/// which their series were opened.
pub fn of_family(sandbox: &Sandbox, family: &Family, month: BillingMonth) -> MeterGroups {
    let mut sorted: BTreeMap<_, BTreeMap<(AccountId, Option<LicenseArn>), Vec<_>>> = BTreeMap::new();
    for &handle in &family.series {
        let Some(series) = sandbox.tally().series(handle) else { continue };
        if !sandbox.tally().month(handle, month).is_some_and(|column| column.is_used()) {
            continue;
        }
        let licence = match &series.key.identity {
            Identity::Product(..) => None,
            Identity::Licence(licence) => Some(licence.clone()),
        };
        let group = sorted.entry((series.product.clone(), series.key.dimension.clone())).or_default();
        let place = (series.key.region.clone(), series.key.resource.clone(), handle);
        group.entry((series.buyer, licence)).or_default().push(place);
    }
    let meters = |group: BTreeMap<(AccountId, Option<LicenseArn>), Vec<_>>| {
        let meter = |((buyer, licence), mut series): ((_, _), Vec<_>)| {
            series.sort();
            Meter { buyer, licence, series: series.into_iter().map(|(_, _, handle)| handle).collect() }
        };
        group.into_iter().map(meter).collect()
    };
    sorted.into_iter().map(|(key, group)| (key, meters(group))).collect()
}
