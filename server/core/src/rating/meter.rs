//! Meters: the series of one product and dimension that are priced together, because the same agreements
//! price them: those of one buyer, or of one licence.

use crate::agreement::Family;
use crate::ids::{AccountId, DimensionKey, LicenseArn, MeteringResource, ProductId, Region};
use crate::machine::Sandbox;
use crate::metering::Identity;
use crate::metering::series::{Series, SeriesHandle};

/// A series of a family. Sorted, those of a group are beside each other, and in it those of a meter: by buyer, the
/// order in which what is left of the family's cover is given out (Q11), whatever the order in which they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FamilySeries<'a> {
    product: &'a ProductId,
    dimension: &'a DimensionKey,
    buyer: AccountId,
    licence: Option<&'a LicenseArn>,
    region: &'a Region,
    resource: Option<&'a MeteringResource>,
    handle: SeriesHandle,
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

/// The series of a family of which `keep` says so, sorted.
pub fn sorted<'a>(
    sandbox: &'a Sandbox,
    family: &Family,
    mut keep: impl FnMut(SeriesHandle, &Series) -> bool,
) -> Vec<FamilySeries<'a>> {
    let kept = family.series.iter().filter_map(|&handle| {
        let series = sandbox.tally().series(handle).filter(|series| keep(handle, series))?;
        Some(FamilySeries::new(handle, series))
    });
    let mut sorted: Vec<_> = kept.collect();
    sorted.sort();
    sorted
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

/// The meters of each product's dimension: what is priced hour by hour together.
pub fn groups<'a>(sorted: &'a [FamilySeries<'a>]) -> impl Iterator<Item = Vec<Meter<'a>>> {
    let same_group = |one: &FamilySeries<'_>, other: &FamilySeries<'_>| {
        one.dimension == other.dimension && one.product == other.product
    };
    sorted.chunk_by(same_group).map(|group| {
        let same_meter = |one: &FamilySeries<'_>, other: &FamilySeries<'_>| {
            one.buyer == other.buyer && one.licence == other.licence
        };
        let meters = group.chunk_by(same_meter);
        meters.filter_map(|series| Some(Meter { first: *series.first()?, series })).collect()
    })
}
