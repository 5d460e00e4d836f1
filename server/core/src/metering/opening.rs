//! Series that are opened by name before anything is metered in them: who may be metered of what. Pure over
//! published state; whether an agreement covers an hour is asked row by row.

use super::request::{Customer, LicenceEntry, Owner, check_reported, find_buyer, find_market_product};
use super::series::{Identity, SeriesKey};
use crate::catalog::{DimensionType, Marketplace, Product};
use crate::ids::{AccountId, DimensionKey, LicenseArn, ProductCode, ProductId, Region};
use crate::rejection::{Code, Rejection};

/// A series as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSeries {
    /// The product; none when a licence says it.
    pub product_code: Option<ProductCode>,
    /// Which region meters.
    pub region: Region,
    /// Who.
    pub customer: Customer,
    /// Of what: an instance type, or what its seller meters.
    pub dimension: DimensionKey,
}

/// A series that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSeries {
    /// What it is deduplicated by.
    pub key: SeriesKey,
    /// The product.
    pub product: ProductId,
    /// Whose usage.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
}

/// Checks a named series in the order in which records are checked: identity mode, product or licence, dimension,
/// customer. None: the sandbox has no such account, so nobody subscribed.
///
/// # Errors
/// What is wrong with it, with its field.
pub fn check_series(
    market: &Marketplace,
    licences: impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    named: NamedSeries,
) -> Result<Option<CheckedSeries>, Rejection> {
    let product = find_product(market, &licences, &named)?;
    check_dimension(product, &named.dimension)?;
    let owner = find_buyer(market, &licences, product, &named.customer, None)?;
    let checked = |(identity, buyer, payer): Owner| {
        let key = SeriesKey { identity, region: named.region, resource: None, dimension: named.dimension };
        CheckedSeries { key, product: product.id.clone(), buyer, payer }
    };
    Ok(owner.map(checked))
}

fn find_product<'a>(
    market: &'a Marketplace,
    licences: &impl Fn(&LicenseArn) -> Option<LicenceEntry>,
    named: &NamedSeries,
) -> Result<&'a Product, Rejection> {
    let by_code = |code: &ProductCode| find_market_product(market, code);
    match (&named.customer, &named.product_code) {
        (Customer::Licence(_), Some(_)) if !market.rules.product_code_with_license => {
            let message = "a series names a licence, which says the product: leave productCode out";
            Err(Rejection::new(Code::FieldInvalid, "customer", message))
        }
        (Customer::Licence(licence), code) => {
            let refuse = |why: String| Rejection::new(Code::LicenseInvalid, "licenseArn", why);
            let entry = licences(licence)
                .ok_or_else(|| refuse(format!("\"{licence}\" is no licence of this sandbox")))?;
            if let Some(code) = code
                && by_code(code)?.id != entry.product
            {
                return Err(refuse(format!("\"{licence}\" is not of the product with the code \"{code}\"")));
            }
            market.product(&entry.product, "licenseArn")
        }
        (_, Some(code)) => by_code(code),
        (_, None) => {
            let message = "productCode is required when a series names a customer";
            Err(Rejection::new(Code::FieldInvalid, "customer", message))
        }
    }
}

fn check_dimension(product: &Product, key: &DimensionKey) -> Result<(), Rejection> {
    let metered = [DimensionType::Metered, DimensionType::ExternallyMetered];
    let message = match product.dimension(key) {
        Some(dimension) if metered.iter().any(|kind| dimension.types.contains(kind)) => {
            return check_reported(dimension);
        }
        Some(_) => format!("\"{key}\" is not metered: it is bought with an agreement"),
        None => format!("product {} has no dimension \"{key}\": {}", product.id, product.keys()),
    };
    Err(Rejection::new(Code::DimensionUnknown, "dimension", message))
}

impl CheckedSeries {
    /// Whether it is one that its owner ever had an agreement for, which live in this family.
    pub fn has_agreement(&self, family: &crate::agreement::Family) -> bool {
        match &self.key.identity {
            Identity::Product(_, buyer) => family.agreements_of(*buyer, &self.product).next().is_some(),
            Identity::Licence(licence) => family.agreements_of_licence(licence).next().is_some(),
        }
    }
}
