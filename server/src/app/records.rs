//! The records that stand.

use souk_core::ids::{AccountId, DimensionKey, ProductCode, SandboxName};
use souk_core::metering::tile::BLOCK;
use souk_core::metering::{MeteredRecord, RecordFilter, RecordPosition, RecordWalk};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::BillingMonth;

use super::Souk;
use crate::error::AppError;
use crate::partition::Turn;
use crate::partition::archive::ArchiveError;
use crate::partition::turn::Reading;

/// Which records are listed; what is none takes all.
#[derive(Debug, Clone, Default)]
pub struct WantedRecords {
    /// Only of this product.
    pub product_code: Option<ProductCode>,
    /// Only of this buyer.
    pub buyer: Option<AccountId>,
    /// Only of this dimension.
    pub dimension: Option<DimensionKey>,
    /// Only of this month.
    pub month: Option<BillingMonth>,
}

impl Souk {
    /// The first `limit` records behind `after`, by hour and id. Partitions are read one after another, each in a
    /// copy that stands still while its writer goes on.
    pub async fn metered_records(
        &self,
        name: &SandboxName,
        wanted: WantedRecords,
        after: Option<RecordPosition>,
        limit: usize,
    ) -> Result<Vec<MeteredRecord>, AppError> {
        let market = self.market(name)?;
        let WantedRecords { product_code, buyer, dimension, month } = wanted;
        let product = product_code.map(|code| match market.product_by_code(&code) {
            Some(product) => Ok(product.id.clone()),
            None => {
                let message = format!("sandbox \"{name}\" has no product with the code \"{code}\"");
                Err(Rejection::new(Code::ProductUnknown, "productCode", message))
            }
        });
        if let Some(buyer) = buyer {
            market.account(buyer, "buyerAccountId")?;
        }
        let filter = RecordFilter { product: product.transpose()?, buyer, dimension, month };
        let mut walk = RecordWalk::new(filter, after, limit);
        for partition in self.partitions.iter() {
            let target = name.clone();
            let reading = partition.run(move |turn: &mut Turn<'_>| turn.for_reading(&target)).await?;
            let target = name.clone();
            let part = tokio::task::spawn_blocking(move || {
                read(&mut walk, &target, &reading)?;
                Ok::<_, ArchiveError>(walk)
            });
            let read = part.await.map_err(|failed| AppError::Unavailable(failed.to_string()))?;
            walk = read.map_err(|error| AppError::Unavailable(error.to_string()))?;
        }
        Ok(walk.into_records().collect())
    }
}

/// Walks through a partition's part of a sandbox: its closed months block by block, then what is in memory.
fn read(walk: &mut RecordWalk, name: &SandboxName, reading: &Reading) -> Result<(), ArchiveError> {
    let tally = reading.sandbox.tally();
    for (month, blocks) in &reading.closed {
        for (&block, &seq) in blocks {
            let handles = (block * BLOCK) as u32..((block + 1) * BLOCK) as u32;
            if walk.wants_month(*month) && walk.wants_any(tally, handles.clone()) {
                let tiles = reading.archive.load(name, *month, [(block, seq)])?;
                walk.go_through(&tally.reading_copy_of(*month, tiles), handles);
            }
        }
    }
    walk.go_through(tally, 0..tally.all_series().len() as u32);
    Ok(())
}
