//! The records that stand.

use souk_core::ids::{AccountId, DimensionKey, ProductCode, SandboxName};
use souk_core::metering::{MeteredRecord, RecordFilter, RecordPosition, RecordWalk};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::BillingMonth;

use super::Souk;
use crate::error::AppError;

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
    /// The first `limit` records behind `after`, by hour and id. Partitions are asked one after another and in
    /// small parts: other jobs run in between.
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
        let walk = RecordWalk::new(filter, after, limit);
        let walk = self
            .walk(name, walk, RecordWalk::begin, |walk: &mut RecordWalk, sandbox, steps| {
                walk.go_on(sandbox.tally(), steps)
            })
            .await?;
        Ok(walk.into_records().collect())
    }
}
