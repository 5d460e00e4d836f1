//! Meters: the series of one product and dimension that are priced together, because the same agreements
//! price them: those of one buyer, or of one licence.

use crate::agreement::Family;
use crate::ids::{AccountId, DimensionKey, LicenseArn, MeteringResource, ProductId, Region};
use crate::machine::Sandbox;
use crate::metering::series::{Series, SeriesHandle};

/// A series of a family. Sorted, those of a product's dimension are beside each other, and in these those of a meter,
/// by buyer: the order in which what is left of the family's cover is given out (Q11), whatever the order in which they
/// were opened.
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
            licence: series.licence(),
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
    let mut all = Vec::with_capacity(family.series.len());
    all.extend(family.series.iter().filter_map(|&handle| {
        let series = sandbox.tally().series(handle).filter(|series| keep(handle, series))?;
        Some(FamilySeries::new(handle, series))
    }));
    all.sort_unstable();
    all
}

/// The series of a buyer, or of one of its licences, on one dimension; one at least.
#[derive(Debug, Clone, Copy)]
pub struct Meter<'a> {
    first: &'a FamilySeries<'a>,
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

/// The meters of sorted series: by product and dimension, and in these by buyer.
pub fn meters<'a>(series: &'a [FamilySeries<'a>]) -> Vec<Meter<'a>> {
    let mut meters = Vec::with_capacity(series.len());
    let of_meters = series.chunk_by(|one, other| {
        one.product == other.product
            && one.dimension == other.dimension
            && one.buyer == other.buyer
            && one.licence == other.licence
    });
    meters.extend(of_meters.filter_map(|series| Some(Meter { first: series.first()?, series })));
    meters
}

/// What is priced hour by hour together: the meters of a product's dimension.
pub fn groups<'m, 'a>(meters: &'m [Meter<'a>]) -> impl Iterator<Item = &'m [Meter<'a>]> {
    meters.chunk_by(|one, other| one.product() == other.product() && one.dimension() == other.dimension())
}
