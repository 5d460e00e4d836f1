//! Series and allocations.

use souk_core::ids::{DimensionKey, LicenseArn, MeteringResource, ProductCode, ProductId, Region};
use souk_core::machine::Event;
use souk_core::metering::series::Series;
use souk_core::metering::{Allocation, Identity, SeriesHandle, SeriesKey};
use souk_core::quantity::Quantity;
use souk_core::time::UsageHour;
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::value::{account, hash, hour, id, list, required};

pub(super) fn to_journal_series(series: &Series) -> journal::Series {
    let Series { key, product, buyer, payer, hash } = series;
    let SeriesKey { identity, region, resource, dimension } = key;
    let identity = match identity {
        Identity::Product(code, buyer) => {
            journal::series::Identity::ProductIdentity(journal::ProductIdentity {
                product_code: code.to_string(),
                buyer: Some(buyer.number()),
            })
        }
        Identity::Licence(licence) => journal::series::Identity::LicenseArn(licence.to_string()),
    };
    journal::Series {
        identity: Some(identity),
        region: region.to_string(),
        dimension: dimension.to_string(),
        product_id: product.to_string(),
        buyer: Some(buyer.number()),
        payer: Some(payer.number()),
        key_hash: hash.to_be_bytes().to_vec(),
        metering_resource: resource.as_ref().map(ToString::to_string),
    }
}

pub(super) fn from_journal_series(series: journal::Series) -> Result<Series, CodecError> {
    let identity = match required(series.identity, "identity")? {
        journal::series::Identity::ProductIdentity(identity) => {
            from_journal_product_identity(&identity).map_err(|e| e.within("product_identity"))?
        }
        journal::series::Identity::LicenseArn(licence) => {
            Identity::Licence(id(&licence, LicenseArn::new, "license_arn")?)
        }
    };
    let resource = series.metering_resource.map(|text| id(&text, MeteringResource::new, "metering_resource"));
    Ok(Series {
        key: SeriesKey {
            identity,
            region: id(&series.region, Region::new, "region")?,
            resource: resource.transpose()?,
            dimension: id(&series.dimension, DimensionKey::new, "dimension")?,
        },
        product: id(&series.product_id, ProductId::new, "product_id")?,
        buyer: account(series.buyer, "buyer")?,
        payer: account(series.payer, "payer")?,
        hash: hash(&series.key_hash, "key_hash")?,
    })
}

fn from_journal_product_identity(identity: &journal::ProductIdentity) -> Result<Identity, CodecError> {
    let code = id(&identity.product_code, ProductCode::new, "product_code")?;
    Ok(Identity::Product(code, account(identity.buyer, "buyer")?))
}

pub(super) fn to_journal_allocated(
    handle: SeriesHandle,
    hour: UsageHour,
    allocations: &[Allocation],
) -> journal::UsageAllocated {
    let tag =
        |(key, value): &(String, String)| journal::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let allocation = |allocation: &Allocation| journal::Allocation {
        quantity_millionths: Some(allocation.quantity.millionths()),
        tags: allocation.tags.iter().map(tag).collect(),
    };
    journal::UsageAllocated {
        series_handle: Some(handle.0),
        hour: Some(hour.index()),
        allocations: allocations.iter().map(allocation).collect(),
    }
}

pub(super) fn from_journal_allocated(allocated: journal::UsageAllocated) -> Result<Event, CodecError> {
    Ok(Event::UsageAllocated {
        handle: SeriesHandle(required(allocated.series_handle, "series_handle")?),
        hour: hour(allocated.hour, "hour")?,
        allocations: list(allocated.allocations, "allocations", from_journal_allocation)?.into(),
    })
}

fn from_journal_allocation(allocation: journal::Allocation) -> Result<Allocation, CodecError> {
    let field = "quantity_millionths";
    let millionths = required(allocation.quantity_millionths, field)?;
    let quantity = Quantity::from_millionths(millionths);
    let tag = |tag: journal::Tag| Ok((required(tag.key, "key")?, required(tag.value, "value")?));
    Ok(Allocation {
        quantity: quantity.ok_or_else(|| CodecError::invalid(field, &millionths))?,
        tags: list(allocation.tags, "tags", tag)?,
    })
}
