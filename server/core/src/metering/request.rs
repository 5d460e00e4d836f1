//! What is refused as a whole, before anything is written: fields, product, dimensions, timestamps,
//! allocations and licences. Pure over published state.

use super::allocation::{self, Allocation};
use super::series::{Identity, SeriesKey};
use super::window;
use crate::catalog::account::resolve_customer_identifier;
use crate::catalog::{BilledBy, Dimension, DimensionType, Marketplace, Product};
use crate::ids::{AccountId, DimensionKey, LicenseArn, MeteringResource, ProductCode, ProductId, Region};
use crate::quantity::Quantity;
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;
use crate::time::{Timestamp, UsageHour};

/// How a record names its customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Customer {
    /// An account id; it need not be of twelve digits to be unknown.
    Account(String),
    /// The seller's legacy identifier of the buyer.
    Identifier(String),
    /// A licence.
    Licence(LicenseArn),
}

/// A usage record as it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// When.
    pub timestamp: Timestamp,
    /// Who.
    pub customer: Customer,
    /// Of what.
    pub dimension: DimensionKey,
    /// How much.
    pub quantity: Quantity,
    /// How the quantity divides over tags; empty when it does not say.
    pub allocations: Vec<Allocation>,
}

/// Through which operation records come in; each has a window of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// BatchMeterUsage, and whatever else is not MeterUsage.
    Batch,
    /// MeterUsage.
    MeterUsage,
}

/// The records of one product, or of licences of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRequest {
    /// The product; none when the records name licences.
    pub product_code: Option<ProductCode>,
    /// Which region meters.
    pub region: Region,
    /// What all of them were metered on; none when the meterer is not on the buyer's side.
    pub resource: Option<MeteringResource>,
    /// The records.
    pub records: Vec<UsageRecord>,
    /// Who may meter these dimensions: the seller, or AWS Marketplace for instance types.
    pub metered_as: DimensionType,
    /// Through which operation they come in.
    pub door: Door,
}

/// A record that no rule about the whole request refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRecord {
    /// Its position in the request.
    pub index: u32,
    /// Whose usage, as AWS deduplicates it.
    pub identity: Identity,
    /// The buyer.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// When.
    pub timestamp: Timestamp,
    /// Of what.
    pub dimension: DimensionKey,
    /// How much.
    pub quantity: Quantity,
    /// How the quantity divides over tags, which are in order; empty when it does not say.
    pub allocations: Vec<Allocation>,
}

impl CheckedRecord {
    /// The hour it counts for.
    pub fn hour(&self) -> UsageHour {
        UsageHour::containing(self.timestamp)
    }
}

/// A request that nothing refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRequest {
    /// The product.
    pub product: ProductId,
    /// Which region meters.
    pub region: Region,
    /// What all of them were metered on.
    pub resource: Option<MeteringResource>,
    /// Who metered them.
    pub metered_as: DimensionType,
    /// Through which operation they came in.
    pub door: Door,
    /// The records of known buyers.
    pub records: Vec<CheckedRecord>,
    /// The positions of records of accounts that the sandbox does not have: CustomerNotSubscribed.
    pub unknown_buyers: Vec<u32>,
}

impl CheckedRequest {
    /// What a record of it is deduplicated by, without its hour.
    pub fn series_key(&self, record: &CheckedRecord) -> SeriesKey {
        SeriesKey {
            identity: record.identity.clone(),
            region: self.region.clone(),
            resource: self.resource.clone(),
            dimension: record.dimension.clone(),
        }
    }
}

/// What is known of a licence outside of its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceEntry {
    /// Its product.
    pub product: ProductId,
    /// Its holder.
    pub buyer: AccountId,
    /// Whose bill carries the holder.
    pub payer: AccountId,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end, as far as it is known.
    pub end: Option<Timestamp>,
}

/// Checks a request as a whole, in the order of aws-api section G: fields come checked; then identity mode,
/// product or licence, dimension, timestamps, allocations and tags.
pub fn check_request(
    market: &Marketplace,
    licences: impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    mut request: UsageRequest,
    now: Timestamp,
) -> Result<CheckedRequest, Rejection> {
    check_identity_mode(&request, &market.rules)?;
    let product = find_product(market, &licences, &request)?;
    for (index, record) in request.records.iter().enumerate() {
        check_dimension(product, record, request.metered_as).map_err(|r| r.within(&path(index)))?;
    }
    for (index, record) in request.records.iter().enumerate() {
        window::check(record.timestamp, now, &market.rules, request.door, "timestamp")
            .map_err(|r| r.within(&path(index)))?;
    }
    for (index, record) in request.records.iter_mut().enumerate() {
        let allocations = std::mem::take(&mut record.allocations);
        record.allocations = allocation::check(allocations, record.quantity, &market.rules)
            .map_err(|r| r.within(&path(index)))?;
    }
    let mut checked = CheckedRequest {
        product: product.id.clone(),
        region: request.region,
        resource: request.resource,
        metered_as: request.metered_as,
        door: request.door,
        records: Vec::with_capacity(request.records.len()),
        unknown_buyers: Vec::new(),
    };
    for (index, record) in request.records.into_iter().enumerate() {
        let found = find_buyer(market, &licences, product, &record.customer, Some(record.timestamp))
            .map_err(|r| r.within(&path(index)))?;
        match found {
            None => checked.unknown_buyers.push(index as u32),
            Some((identity, buyer, payer)) => checked.records.push(CheckedRecord {
                index: index as u32,
                identity,
                buyer,
                payer,
                timestamp: record.timestamp,
                dimension: record.dimension,
                quantity: record.quantity,
                allocations: record.allocations,
            }),
        }
    }
    Ok(checked)
}

fn path(index: usize) -> String {
    format!("usageRecords[{index}]")
}

/// Refuses records that do not go together with the product code, or its absence.
pub fn check_identity_mode(request: &UsageRequest, rules: &Rules) -> Result<(), Rejection> {
    for (index, record) in request.records.iter().enumerate() {
        let by_licence = matches!(record.customer, Customer::Licence(_));
        let message = match (by_licence, &request.product_code) {
            (true, Some(_)) if !rules.product_code_with_license => {
                "a record names a licence, which says the product: leave productCode out"
            }
            (false, None) => "productCode is required when a record names a customer",
            _ => continue,
        };
        return Err(Rejection::new(Code::FieldInvalid, format!("{}.customer", path(index)), message));
    }
    Ok(())
}

/// The product of a code.
pub(super) fn find_market_product<'a>(
    market: &'a Marketplace,
    code: &ProductCode,
) -> Result<&'a Product, Rejection> {
    market.product_by_code(code).ok_or_else(|| {
        let message = format!("sandbox \"{}\" has no product with the code \"{code}\"", market.name);
        Rejection::new(Code::ProductUnknown, "productCode", message)
    })
}

fn find_product<'a>(
    market: &'a Marketplace,
    licences: &impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    request: &UsageRequest,
) -> Result<&'a Product, Rejection> {
    let mut product = match &request.product_code {
        None => None,
        Some(code) => Some(find_market_product(market, code)?.id.clone()),
    };
    for (index, record) in request.records.iter().enumerate() {
        let Customer::Licence(licence) = &record.customer else { continue };
        let refuse =
            |why: String| Rejection::new(Code::LicenseInvalid, format!("{}.licenseArn", path(index)), why);
        let entry = licences(licence)
            .ok_or_else(|| refuse(format!("\"{licence}\" is no licence of this sandbox")))?;
        match &product {
            Some(first) if *first != entry.product => {
                let message = "licences of two products, or of another than productCode, in one request: send one \
                               request a product";
                return Err(refuse(message.to_owned()));
            }
            _ => product = Some(entry.product),
        }
    }
    let product = product.ok_or_else(|| {
        let message = "give the product's code, or records that name licences";
        Rejection::new(Code::FieldMissing, "productCode", message)
    })?;
    market.product(&product, "usageRecords")
}

fn check_dimension(
    product: &Product,
    record: &UsageRecord,
    metered_as: DimensionType,
) -> Result<(), Rejection> {
    let refuse = |why: String| Err(Rejection::new(Code::DimensionUnknown, "dimension", why));
    let Some(dimension) = product.dimension(&record.dimension) else {
        return refuse(format!(
            "product {} has no dimension \"{}\": {}",
            product.id,
            record.dimension,
            product.keys()
        ));
    };
    match dimension.types.contains(&metered_as) {
        true => check_reported(dimension),
        false if metered_as == DimensionType::Metered => {
            refuse(format!("\"{}\" is no instance type: send usage records for it", record.dimension))
        }
        false => refuse(format!(
            "\"{}\" is not metered by its seller: usage records cannot name it",
            record.dimension
        )),
    }
}

/// Refuses what is not reported by the hour, but told by its runs or calls.
pub(super) fn check_reported(dimension: &Dimension) -> Result<(), Rejection> {
    let told = match dimension.billed_by {
        None => return Ok(()),
        Some(BilledBy::Second) => "the second: tell its runs with MeterRuns (P2)",
        Some(BilledBy::Minute) => "the minute: tell its runs with MeterRuns (P5)",
        Some(BilledBy::Inference) => "inferences: tell its calls with MeterInferences (P5)",
    };
    let message = format!("\"{}\" is billed by {told}", dimension.key);
    Err(Rejection::new(Code::DimensionUnknown, "dimension", message))
}

/// Whose usage, as AWS deduplicates it; the buyer; and whose bill carries it.
pub(super) type Owner = (Identity, AccountId, AccountId);

/// Who is meant; none when the sandbox has no such account.
pub(super) fn find_buyer(
    market: &Marketplace,
    licences: &impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    product: &Product,
    customer: &Customer,
    moment: Option<Timestamp>,
) -> Result<Option<Owner>, Rejection> {
    let buyer = match customer {
        Customer::Account(text) => AccountId::parse(text),
        Customer::Identifier(identifier) => {
            let buyer = resolve_customer_identifier(product.seller, identifier);
            let known = buyer.filter(|id| market.accounts().contains_key(id));
            if known.is_none() && market.rules.unknown_identifier_refused {
                let message = format!("\"{identifier}\" was never given to seller {}", product.seller);
                return Err(Rejection::new(Code::CustomerIdentifierUnknown, "customerIdentifier", message));
            }
            known
        }
        Customer::Licence(licence) => return find_licence(licences, licence, moment).map(Some),
    };
    let account = buyer.and_then(|id| market.accounts().get(&id));
    Ok(account.map(|a| (Identity::Product(product.code.clone(), a.id), a.id, a.payer)))
}

/// Whose a licence is, which must be live at the moment if there is one.
fn find_licence(
    licences: &impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    licence: &LicenseArn,
    moment: Option<Timestamp>,
) -> Result<Owner, Rejection> {
    let refuse = |why: String| Rejection::new(Code::LicenseInvalid, "licenseArn", why);
    let entry =
        licences(licence).ok_or_else(|| refuse(format!("\"{licence}\" is no licence of this sandbox")))?;
    match moment {
        Some(at) if at < entry.start || entry.end.is_some_and(|end| end <= at) => {
            Err(refuse(format!("\"{licence}\" is not live at {at}")))
        }
        _ => Ok((Identity::Licence(licence.clone()), entry.buyer, entry.payer)),
    }
}
