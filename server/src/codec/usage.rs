//! Series, usage in columns, and allocations.
//!
//! ```text
//! rows      handle      7       8       9        7      hour 480012, 480012, 480012, 480013
//! stored    deltas     +7      +1      +1       -2      base 480012, offsets 0, 0, 0, 1
//! rows      quantity    2       1       0.5      3
//! stored    units       2       1       0        3      millionths 0, 0, 500000, 0
//! ```
//!
//! Every number is stored in as few bytes as its size needs. Of a fleet's hour, reported in the order in which
//! its series were opened, a row takes one byte for the handle, none for the hour, one or two for the quantity.

use souk_core::ids::{DimensionKey, LicenseArn, MeteringResource, ProductCode, ProductId, Region};
use souk_core::machine::Event;
use souk_core::metering::series::Series;
use souk_core::metering::{Allocation, Identity, SeriesHandle, SeriesKey, UsageColumns};
use souk_core::quantity::Quantity;
use souk_core::time::UsageHour;
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::value::{account, hash, hour, id, list, required};

const MILLIONTHS: u64 = 1_000_000;

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

/// The columns have one length; what one has beyond another is no row.
pub(super) fn to_journal_usage(columns: &UsageColumns) -> journal::UsageAccepted {
    let UsageColumns { handles, hours, quantities } = columns;
    let rows = handles.len().min(hours.len()).min(quantities.len());
    let (handles, hours, quantities) = (&handles[..rows], &hours[..rows], &quantities[..rows]);

    let mut previous = 0_u32;
    let deltas = handles.iter().map(|&handle| handle.wrapping_sub(std::mem::replace(&mut previous, handle)));
    let base_hour = hours.iter().copied().min().unwrap_or(0);
    let one_hour = hours.iter().all(|&hour| hour == base_hour);
    let all_whole = quantities.iter().all(|quantity| quantity % MILLIONTHS == 0);
    journal::UsageAccepted {
        handle_deltas: deltas.map(u32::cast_signed).collect(),
        base_hour: Some(base_hour),
        hour_offsets: match one_hour {
            true => Vec::new(),
            false => hours.iter().map(|hour| hour.wrapping_sub(base_hour).cast_unsigned()).collect(),
        },
        quantity_units: quantities.iter().map(|quantity| quantity / MILLIONTHS).collect(),
        quantity_millionths: match all_whole {
            true => Vec::new(),
            false => quantities.iter().map(|quantity| (quantity % MILLIONTHS) as u32).collect(),
        },
    }
}

pub(super) fn from_journal_usage(usage: journal::UsageAccepted) -> Result<UsageColumns, CodecError> {
    let rows = usage.handle_deltas.len();
    let base_hour = required(usage.base_hour, "base_hour")?;
    check_rows(usage.quantity_units.len(), rows, "quantity_units")?;
    let mut handle = 0_u32;
    let next_handle = |delta: i32| {
        handle = handle.wrapping_add(delta.cast_unsigned());
        handle
    };
    Ok(UsageColumns {
        handles: usage.handle_deltas.into_iter().map(next_handle).collect(),
        hours: from_journal_hours(base_hour, &usage.hour_offsets, rows)?,
        quantities: from_journal_quantities(usage.quantity_units, &usage.quantity_millionths)?,
    })
}

fn from_journal_hours(base: i32, offsets: &[u32], rows: usize) -> Result<Vec<i32>, CodecError> {
    if offsets.is_empty() {
        return Ok(vec![base; rows]);
    }
    check_rows(offsets.len(), rows, "hour_offsets")?;
    let hour = |&offset| {
        base.checked_add_unsigned(offset).ok_or_else(|| CodecError::invalid("hour_offsets", &offset))
    };
    offsets.iter().map(hour).collect()
}

fn from_journal_quantities(mut units: Vec<u64>, millionths: &[u32]) -> Result<Vec<u64>, CodecError> {
    for quantity in &mut units {
        *quantity = quantity
            .checked_mul(MILLIONTHS)
            .ok_or_else(|| CodecError::invalid("quantity_units", &*quantity))?;
    }
    if millionths.is_empty() {
        return Ok(units);
    }
    check_rows(millionths.len(), units.len(), "quantity_millionths")?;
    for (quantity, &rest) in units.iter_mut().zip(millionths) {
        let rest = u64::from(rest);
        let sum = quantity.checked_add(rest).filter(|_| rest < MILLIONTHS);
        *quantity = sum.ok_or_else(|| CodecError::invalid("quantity_millionths", &rest))?;
    }
    Ok(units)
}

fn check_rows(found: usize, rows: usize, field: &str) -> Result<(), CodecError> {
    match found == rows {
        true => Ok(()),
        false => Err(CodecError::invalid(field, &format!("a column of {found} rows beside {rows}"))),
    }
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
