//! Meters: the series of one product and dimension that are priced together, because the same agreements
//! price them: those of one buyer, or of one licence.

use std::collections::BTreeMap;

use crate::agreement::Family;
use crate::ids::{AccountId, DimensionKey, LicenseArn, MeteringResource, ProductId, Region};
use crate::machine::Sandbox;
use crate::metering::Identity;
use crate::metering::series::{Series, SeriesHandle};

/// A series of a product's dimension in a family. Sorted, those of a meter are beside each other, by buyer: the
/// order in which what is left of the family's cover is given out (Q11), whatever the order in which they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FamilySeries<'a> {
    buyer: AccountId,
    licence: Option<&'a LicenseArn>,
    region: &'a Region,
    resource: Option<&'a MeteringResource>,
    handle: SeriesHandle,
    product: &'a ProductId,
    dimension: &'a DimensionKey,
}

impl<'a> FamilySeries<'a> {
    fn new(handle: SeriesHandle, series: &'a Series) -> FamilySeries<'a> {
        FamilySeries {
            product: &series.product,
            dimension: &series.key.dimension,
            buyer: series.buyer,
            licence: match &series.key.identity {
                Identity::Product(..) => None,
                Identity::Licence(licence) => Some(licence),
            },
            region: &series.key.region,
            resource: series.key.resource.as_ref(),
            handle,
        }
    }
}

/// The series of a product's dimension, sorted.
pub type GroupSeries<'a> = Vec<FamilySeries<'a>>;

/// The series of a family of which `keep` says so: by product and dimension, and in these sorted.
pub fn sorted<'a>(
    sandbox: &'a Sandbox,
    family: &Family,
    mut keep: impl FnMut(SeriesHandle, &Series) -> bool,
) -> Vec<GroupSeries<'a>> {
    // Products and dimensions are few: their texts are compared here, and not for every pair of series.
    let mut groups: BTreeMap<(&ProductId, &DimensionKey), GroupSeries<'a>> = BTreeMap::new();
    for &handle in &family.series {
        let Some(series) = sandbox.tally().series(handle).filter(|series| keep(handle, series)) else {
            continue;
        };
        let group = groups.entry((&series.product, &series.key.dimension)).or_default();
        group.push(FamilySeries::new(handle, series));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort());
    groups
}

/// The series of a buyer, or of one of its licences, on one dimension; one at least.
#[derive(Debug, Clone, Copy)]
pub struct Meter<'a> {
    first: FamilySeries<'a>,
    series: &'a [FamilySeries<'a>],
}

impl<'a> Meter<'a> {
    /// Whose usage.
    pub fn buyer(&self) -> AccountId {
        self.first.buyer
    }

    /// The licence that the records named; none when they named the product.
    pub fn licence(&self) -> Option<&'a LicenseArn> {
        self.first.licence
    }

    /// Of which product.
    pub fn product(&self) -> &'a ProductId {
        self.first.product
    }

    /// Of what.
    pub fn dimension(&self) -> &'a DimensionKey {
        self.first.dimension
    }

    /// Its series.
    pub fn series(&self) -> impl ExactSizeIterator<Item = SeriesHandle> + Clone + use<'a> {
        self.series.iter().map(|series| series.handle)
    }

    /// Its only series.
    pub fn only_series(&self) -> Option<SeriesHandle> {
        match self.series {
            [series] => Some(series.handle),
            _ => None,
        }
    }
}

/// The meters of a product's dimension: what is priced hour by hour together.
pub fn meters<'a>(group: &'a [FamilySeries<'a>]) -> Vec<Meter<'a>> {
    let same_meter = |one: &FamilySeries<'_>, other: &FamilySeries<'_>| {
        one.buyer == other.buyer && one.licence == other.licence
    };
    let meters = group.chunk_by(same_meter);
    meters.filter_map(|series| Some(Meter { first: *series.first()?, series })).collect()
}
