//! What is refused of runs as a whole, before anything is written. Pure over published state.

use super::request::{Door, find_market_product};
use super::runs::{MAX_REQUEST_HOURS, MAX_RUN_HOURS, Run, is_whole};
use super::series::{Identity, SeriesKey};
use super::window;
use crate::catalog::{BilledBy, Marketplace, Product};
use crate::ids::{AccountId, DimensionKey, MeteringResource, ProductCode, ProductId, Region};
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;
use crate::time::Timestamp;

/// A run as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRun {
    /// Whose bill it is on.
    pub buyer: AccountId,
    /// Of which dimension.
    pub dimension: DimensionKey,
    /// The pod, task or instance.
    pub resource: MeteringResource,
    /// From when until when.
    pub run: Run,
}

/// Runs of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsRequest {
    /// The product.
    pub product_code: ProductCode,
    /// Where they ran.
    pub region: Region,
    /// The runs.
    pub runs: Vec<NamedRun>,
}

/// A run that nothing refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRun {
    /// Its position in the request.
    pub index: u32,
    /// Who ran it.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// Of which dimension.
    pub dimension: DimensionKey,
    /// The pod, task or instance.
    pub resource: MeteringResource,
    /// From when until when.
    pub run: Run,
    /// By what it is billed.
    pub billed_by: BilledBy,
}

/// Runs that nothing refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRuns {
    /// The product.
    pub product: ProductId,
    /// Its code.
    pub product_code: ProductCode,
    /// Where they ran.
    pub region: Region,
    /// The runs of known accounts.
    pub runs: Vec<CheckedRun>,
    /// The positions of runs of accounts that the sandbox does not have: CustomerNotSubscribed.
    pub unknown_buyers: Vec<u32>,
}

impl CheckedRuns {
    /// What a run is counted under.
    pub fn series_key(&self, run: &CheckedRun) -> SeriesKey {
        SeriesKey {
            identity: Identity::Product(self.product_code.clone(), run.buyer),
            region: self.region.clone(),
            resource: Some(run.resource.clone()),
            dimension: run.dimension.clone(),
        }
    }

    /// How many hours its runs touch.
    pub fn hours(&self) -> usize {
        self.runs.iter().map(|checked| checked.run.hours().len()).sum()
    }
}

/// Checks runs as a whole: product, dimensions, then times.
///
/// # Errors
/// What is wrong with them, with its field.
pub fn check_runs(
    market: &Marketplace,
    request: RunsRequest,
    now: Timestamp,
) -> Result<CheckedRuns, Rejection> {
    let product = find_market_product(market, &request.product_code)?;
    let mut kinds = Vec::with_capacity(request.runs.len());
    for (index, named) in request.runs.iter().enumerate() {
        kinds.push(check_dimension(product, &named.dimension).map_err(|r| r.within(&path(index)))?);
    }
    for (index, named) in request.runs.iter().enumerate() {
        check_times(named.run, &market.rules, now).map_err(|r| r.within(&path(index)))?;
    }
    let mut checked = CheckedRuns {
        product: product.id.clone(),
        product_code: product.code.clone(),
        region: request.region,
        runs: Vec::with_capacity(request.runs.len()),
        unknown_buyers: Vec::new(),
    };
    for (index, (named, billed_by)) in (0..).zip(request.runs.into_iter().zip(kinds)) {
        let NamedRun { buyer, dimension, resource, run } = named;
        match market.accounts().get(&buyer) {
            None => checked.unknown_buyers.push(index),
            Some(account) => {
                let payer = account.payer;
                checked.runs.push(CheckedRun { index, buyer, payer, dimension, resource, run, billed_by });
            }
        }
    }
    let hours = checked.hours();
    if hours > MAX_REQUEST_HOURS {
        let message = format!(
            "the runs touch {hours} hours; at most {MAX_REQUEST_HOURS} in a request: send fewer runs in one"
        );
        return Err(Rejection::new(Code::TooManyRecords, "runs", message));
    }
    Ok(checked)
}

fn path(index: usize) -> String {
    format!("runs[{index}]")
}

/// By what runs of a dimension are billed.
fn check_dimension(product: &Product, key: &DimensionKey) -> Result<BilledBy, Rejection> {
    let refuse = |why: String| Err(Rejection::new(Code::DimensionUnknown, "dimension", why));
    let Some(dimension) = product.dimension(key) else {
        return refuse(format!("product {} has no dimension \"{key}\": {}", product.id, product.keys()));
    };
    match dimension.billed_by {
        Some(billed_by @ (BilledBy::Second | BilledBy::Minute)) => Ok(billed_by),
        Some(BilledBy::Inference) => {
            refuse(format!("\"{key}\" is billed by inferences (P5): tell its calls with MeterInferences"))
        }
        None => refuse(format!(
            "runs of \"{key}\" are not billed by the second or minute (billedBy, P2): report instance-hours or usage \
             records"
        )),
    }
}

fn check_times(run: Run, rules: &Rules, now: Timestamp) -> Result<(), Rejection> {
    let refuse = |field: &str, why: String| Err(Rejection::new(Code::FieldInvalid, field, why));
    for (moment, field) in [(run.from, "startTime"), (run.until, "endTime")] {
        if !is_whole(moment) {
            return refuse(
                field,
                format!("{moment} has parts of a second: runs are told in whole seconds (P2)"),
            );
        }
    }
    if run.until <= run.from {
        return refuse(
            "endTime",
            format!("{} is not after the start, {}: a run ends after it began", run.until, run.from),
        );
    }
    window::check(run.from, now, rules, Door::Batch, "startTime")?;
    window::check(run.until, now, rules, Door::Batch, "endTime")?;
    let hours = run.hours().len();
    if hours > MAX_RUN_HOURS {
        return refuse(
            "endTime",
            format!(
                "the run touches {hours} hours; at most {MAX_RUN_HOURS} are told at once: tell it in parts, each of \
                 which counts as a run (P2)"
            ),
        );
    }
    Ok(())
}
