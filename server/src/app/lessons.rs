//! What a request on its long way teaches: which series its records' names mean, once they are durable.

use std::sync::Arc;

use souk_core::catalog::DimensionType;
use souk_core::ids::{ProductCode, Region};
use souk_core::machine::Sandbox;
use souk_core::metering::request::CheckedRequest;
use souk_core::metering::{Door, RecordStatus, UsageOutcome, UsageRequest};

use super::known_series::{KnownSeries, Place, write_names};
use super::known_usage::{NamedRow, NamedRows};

/// The names of a request's records, until it is known what they mean.
pub struct Lessons {
    series: Arc<KnownSeries>,
    product_code: ProductCode,
    region: Region,
    /// By position in the request.
    names: Vec<Box<[u8]>>,
}

/// Which series records went to, by their positions in the request.
#[derive(Debug, Default)]
pub struct Learned {
    /// Of which generation the handles are.
    pub generation: u64,
    /// Position and series.
    pub series: Vec<(u32, SeriesFound)>,
}

/// A series as its partition knows it.
#[derive(Debug, Clone, Copy)]
pub struct SeriesFound {
    handle: u32,
    hash: u128,
}

/// Whether records of this kind are looked for among what is known: of one product, metered by its seller.
fn is_learnable(request: &UsageRequest) -> bool {
    request.metered_as == DimensionType::ExternallyMetered
        && request.door == Door::Batch
        && request.resource.is_none()
        && request.product_code.is_some()
}

impl Lessons {
    /// The names in a request; none when its kind always takes the long way.
    pub fn of(request: &UsageRequest, series: Arc<KnownSeries>) -> Option<Lessons> {
        let product_code = request.product_code.clone().filter(|_| is_learnable(request))?;
        let mut names = Vec::with_capacity(request.records.len());
        let mut written = Vec::new();
        for record in &request.records {
            write_names(&record.customer, &record.dimension, &mut written)?;
            names.push(written.as_slice().into());
        }
        Some(Lessons { series, product_code, region: request.region.clone(), names })
    }

    /// Keeps what a partition found out.
    pub fn learn(&mut self, partition: u32, learned: &Learned) {
        let names = learned.series.iter().filter_map(|&(index, SeriesFound { handle, hash })| {
            let names = self.names.get_mut(index as usize)?;
            Some((std::mem::take(names), Place { hash, handle, partition }))
        });
        let generation = (partition, learned.generation);
        self.series.learn(&self.product_code, &self.region, generation, names);
    }
}

/// Which series the records that were taken went to.
pub fn find_series(
    sandbox: &Sandbox,
    request: &CheckedRequest,
    outcomes: &[UsageOutcome],
    generation: u64,
) -> Learned {
    let mut series = Vec::with_capacity(outcomes.len());
    for (record, outcome) in request.records.iter().zip(outcomes) {
        let taken = matches!(outcome.status, RecordStatus::Success(_) | RecordStatus::DuplicateRecord(_));
        let tally = sandbox.tally();
        let handle = tally.handle(&request.series_key(record)).filter(|_| taken);
        let found = handle.and_then(|handle| Some((handle, tally.series(handle)?.hash)));
        series.extend(found.map(|(handle, hash)| (record.index, SeriesFound { handle: handle.0, hash })));
    }
    Learned { generation, series }
}

/// A request that was read into texts, as the AWS port does.
pub struct ReadRequest<'a>(pub &'a UsageRequest);

impl NamedRows for ReadRequest<'_> {
    fn scope(&self) -> (&[u8], &[u8]) {
        let code = self.0.product_code.as_ref().map_or("", ProductCode::as_str);
        (code.as_bytes(), self.0.region.as_str().as_bytes())
    }

    fn lend(&self, mut take: impl FnMut(NamedRow<'_>) -> bool) -> bool {
        let mut names = Vec::with_capacity(64);
        is_learnable(self.0)
            && self.0.records.iter().all(|record| {
                record.allocations.is_empty()
                    && write_names(&record.customer, &record.dimension, &mut names).is_some()
                    && take(NamedRow {
                        names: &names,
                        timestamp: record.timestamp,
                        quantity: record.quantity,
                    })
            })
    }
}
