//! Series: what AWS deduplicates by, without the hour.

use crate::ids::{
    AccountId, DimensionKey, LicenseArn, MeteringRecordId, MeteringResource, ProductCode, ProductId, Region,
    content_hash,
};
use crate::time::UsageHour;

/// The dense number of a series in a partition's part of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesHandle(pub u32);

/// How a record says whose usage it is. Records of the two kinds never meet, as AWS documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A product code and a buyer.
    Product(ProductCode, AccountId),
    /// A licence.
    Licence(LicenseArn),
}

/// What a record is deduplicated by, without its hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Whose usage.
    pub identity: Identity,
    /// Which region metered it.
    pub region: Region,
    /// What it was metered on, where the meterer runs on something of the buyer.
    pub resource: Option<MeteringResource>,
    /// Of what.
    pub dimension: DimensionKey,
}

impl SeriesKey {
    /// The hash that all record ids of the series begin with.
    pub fn hash(&self) -> u128 {
        let (region, dimension) = (self.region.as_str(), self.dimension.as_str());
        // A series without a resource has the ids that it had before there were resources.
        let resource = self.resource.as_ref().map(MeteringResource::as_str);
        let hash = |kind: &str, parts: &[&str]| {
            let parts: Vec<_> = parts.iter().copied().chain(resource).collect();
            content_hash(kind, &parts)
        };
        match &self.identity {
            Identity::Product(code, buyer) => {
                hash("usage", &[code.as_str(), &buyer.to_string(), region, dimension])
            }
            Identity::Licence(licence) => hash("licensed usage", &[licence.as_str(), region, dimension]),
        }
    }

    /// The id of an hour's record.
    pub fn record_id(&self, hour: UsageHour) -> MeteringRecordId {
        MeteringRecordId::new(self.hash(), hour.index())
    }
}

/// A series and whom it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What it is deduplicated by.
    pub key: SeriesKey,
    /// The product.
    pub product: ProductId,
    /// Whose usage.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// The hash of its key.
    pub hash: u128,
}

impl Series {
    /// The licence by which it is told, if it is.
    pub fn licence(&self) -> Option<&LicenseArn> {
        match &self.key.identity {
            Identity::Product(..) => None,
            Identity::Licence(licence) => Some(licence),
        }
    }

    /// The id of an hour's record.
    pub fn record_id(&self, hour: UsageHour) -> MeteringRecordId {
        MeteringRecordId::new(self.hash, hour.index())
    }
}
