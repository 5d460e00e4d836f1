//! Products and their dimensions, and what may be published.

use std::collections::BTreeSet;

use crate::ids::{AccountId, DimensionKey, ProductCode, ProductId};
use crate::rejection::{Code, Rejection};
use crate::rules::Rules;

/// What kind of product it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductType {
    /// A machine image.
    Ami,
    /// A container image.
    Container,
    /// Software as a service.
    Saas,
    /// A machine learning model or algorithm.
    MachineLearning,
    /// Work of people.
    ProfessionalServices,
}

/// The one category that a product meters (A14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageCategory {
    /// Users.
    Users,
    /// Hosts.
    Hosts,
    /// Bandwidth.
    Bandwidth,
    /// Data.
    Data,
    /// Tiers.
    Tiers,
    /// Units.
    Units,
}

/// Who meters a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DimensionType {
    /// AWS Marketplace: instance types.
    Metered,
    /// The seller.
    ExternallyMetered,
    /// Nobody: bought upfront.
    Entitled,
}

/// What of a dimension that AWS Marketplace meters is told, where that is not a count of instances by the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BilledBy {
    /// Runs of a container's pods or tasks, by the second (P2).
    Second,
    /// Runs of a machine learning product's instances, by the minute (P5).
    Minute,
    /// Inferences of a machine learning product, by their units (P5).
    Inference,
}

/// What quantities are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedIn {
    /// Units, each of which has the price.
    Units,
    /// Seconds, of which an hour has the price.
    Seconds,
}

impl CountedIn {
    /// How many of them one unit is for an hour, and have the price of a unit together.
    pub fn per_unit(self) -> u32 {
        match self {
            CountedIn::Units => 1,
            CountedIn::Seconds => 3_600,
        }
    }
}

/// In which kind of value an entitlement shows a quantity (aws-api B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntitlementValueKind {
    /// The quantity.
    Integer,
    /// The quantity as a double.
    Double,
    /// Whether it is more than 0.
    Boolean,
    /// The quantity in digits.
    String,
}

/// What a product sells by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// The key that usage records name.
    pub key: DimensionKey,
    /// The name that buyers read.
    pub name: String,
    /// Longer words.
    pub description: String,
    /// The unit.
    pub unit: String,
    /// Who meters it.
    pub types: BTreeSet<DimensionType>,
    /// In which kind of value an entitlement shows it.
    pub value_kind: EntitlementValueKind,
    /// What of it is told; none: a count of instances by the hour, or what its seller meters.
    pub billed_by: Option<BilledBy>,
}

impl Dimension {
    /// What its usage is counted in.
    pub fn counted_in(&self) -> CountedIn {
        match self.billed_by {
            Some(BilledBy::Second | BilledBy::Minute) => CountedIn::Seconds,
            Some(BilledBy::Inference) | None => CountedIn::Units,
        }
    }

    /// Whether it is a type of what runs, of which an hour has the price.
    pub fn is_hourly(&self) -> bool {
        self.types.contains(&DimensionType::Metered) && self.billed_by != Some(BilledBy::Inference)
    }

    /// Whether usage of it is metered by anybody.
    pub fn is_metered(&self) -> bool {
        self.types.contains(&DimensionType::Metered) || self.types.contains(&DimensionType::ExternallyMetered)
    }
}

/// A published product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its code.
    pub code: ProductCode,
    /// Its title.
    pub title: String,
    /// Who sells it.
    pub seller: AccountId,
    /// What kind of product.
    pub product_type: ProductType,
    /// What it meters; none when its seller meters nothing.
    pub usage_category: Option<UsageCategory>,
    /// What it sells by.
    pub dimensions: Vec<Dimension>,
    /// One buyer may hold several live agreements.
    pub concurrent_agreements: bool,
}

/// A product to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// Its id; derived when absent.
    pub id: Option<ProductId>,
    /// Its code; derived when absent.
    pub code: Option<ProductCode>,
    /// Its title.
    pub title: String,
    /// Who sells it.
    pub seller: AccountId,
    /// What kind of product.
    pub product_type: ProductType,
    /// What it meters.
    pub usage_category: Option<UsageCategory>,
    /// What it sells by.
    pub dimensions: Vec<Dimension>,
    /// One buyer may hold several live agreements.
    pub concurrent_agreements: bool,
}

impl NewProduct {
    /// The product, if it may be published.
    pub fn publish(self, rules: &Rules) -> Result<Product, Rejection> {
        if self.title.is_empty() {
            return Err(Rejection::new(Code::FieldMissing, "title", "a title is required"));
        }
        check_words(&self.title, "title", 255)?;
        let id = self.id.unwrap_or_else(|| ProductId::derive(self.seller, &self.title));
        check_form(id.as_str(), "productId", 64, |b| b.is_ascii_alphanumeric() || b == b'-')?;
        let code = self.code.unwrap_or_else(|| ProductCode::derive(&id));
        check_form(code.as_str(), "productCode", 255, |b| {
            b.is_ascii_alphanumeric() || b"-/=:_.@".contains(&b)
        })?;
        let product = Product {
            id,
            code,
            title: self.title,
            seller: self.seller,
            product_type: self.product_type,
            usage_category: self.usage_category,
            dimensions: self.dimensions,
            concurrent_agreements: self.concurrent_agreements,
        };
        product.check(rules)?;
        Ok(product)
    }
}

impl Product {
    /// The dimension of this key.
    pub fn dimension(&self, key: &DimensionKey) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.key == *key)
    }

    /// Whether a dimension is of this type.
    pub fn has_type(&self, dimension_type: DimensionType) -> bool {
        self.dimensions.iter().any(|d| d.types.contains(&dimension_type))
    }

    /// What usage of a dimension is counted in.
    pub fn counted_in(&self, key: &DimensionKey) -> CountedIn {
        self.dimension(key).map_or(CountedIn::Units, Dimension::counted_in)
    }

    /// Whether a dimension is a type of what runs, of which an hour has the price.
    pub fn is_hourly(&self, key: &DimensionKey) -> bool {
        self.dimension(key).is_some_and(Dimension::is_hourly)
    }

    /// Its dimensions in words, for messages.
    pub fn keys(&self) -> String {
        let keys: Vec<_> = self.dimensions.iter().map(|d| d.key.as_str()).collect();
        format!("its dimensions are {}", keys.join(", "))
    }

    /// The publishing rules A14 and A17.
    pub fn check(&self, rules: &Rules) -> Result<(), Rejection> {
        self.check_from(0, rules)
    }

    /// The same for a product that has so many dimensions already: those after them are counted from 0, as the
    /// request that adds them does.
    pub fn check_from(&self, known: usize, rules: &Rules) -> Result<(), Rejection> {
        let count = self.dimensions.len();
        if count == 0 {
            return Err(Rejection::new(
                Code::DimensionsMissing,
                "dimensions",
                "a product needs at least one dimension",
            ));
        }
        if count > rules.max_dimensions as usize {
            let message =
                format!("{count} dimensions; at most {} are allowed: leave some out", rules.max_dimensions);
            return Err(Rejection::new(Code::TooManyDimensions, "dimensions", message));
        }
        let mut keys = BTreeSet::new();
        for (index, dimension) in self.dimensions.iter().enumerate() {
            let path = format!("dimensions[{}]", index.saturating_sub(known));
            check_dimension(dimension, self.product_type).map_err(|r| r.within(&path))?;
            if !keys.insert(&dimension.key) {
                let message = format!("\"{}\" stands twice: keys are unique in a product", dimension.key);
                return Err(Rejection::new(Code::DimensionExists, format!("{path}.key"), message));
            }
        }
        self.check_mixture()
    }

    /// Instance types stand alone; contracts of AMI and container products are not metered by their seller.
    fn check_mixture(&self) -> Result<(), Rejection> {
        let has = |t| self.has_type(t);
        let refuse = |message: &str| Err(Rejection::new(Code::DimensionTypesInvalid, "dimensions", message));
        if has(DimensionType::Metered)
            && (has(DimensionType::ExternallyMetered) || has(DimensionType::Entitled))
        {
            return refuse(
                "METERED dimensions cannot stand beside EXTERNALLY_METERED or ENTITLED ones: a standard product \
                 cannot be converted to metering or to contracts (A17, A22); publish a product of its own",
            );
        }
        let contract_with_metering = has(DimensionType::ExternallyMetered) && has(DimensionType::Entitled);
        if contract_with_metering && self.product_type != ProductType::Saas {
            return refuse("only SaaS products sell contracts with consumption");
        }
        if has(DimensionType::ExternallyMetered) && self.usage_category.is_none() {
            let message = "a product that its seller meters has one usage category: USERS, HOSTS, BANDWIDTH, DATA, TIERS or UNITS";
            return Err(Rejection::new(Code::UsageCategoryMissing, "usageCategory", message));
        }
        Ok(())
    }
}

fn check_dimension(dimension: &Dimension, product_type: ProductType) -> Result<(), Rejection> {
    check_form(dimension.key.as_str(), "key", 100, |b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))?;
    check_words(&dimension.name, "name", 255)?;
    check_words(&dimension.description, "description", 1_000)?;
    check_words(&dimension.unit, "unit", 50)?;
    let types = &dimension.types;
    let refuse = |message: &str| Err(Rejection::new(Code::DimensionTypesInvalid, "types", message));
    if types.is_empty() {
        return refuse("a type is required: METERED, EXTERNALLY_METERED or ENTITLED");
    }
    if types.contains(&DimensionType::Metered) && types.len() > 1 {
        return refuse("METERED stands alone: only EXTERNALLY_METERED and ENTITLED go together");
    }
    check_billed_by(dimension, product_type)?;
    match product_type {
        ProductType::Saas if types.contains(&DimensionType::Metered) => {
            refuse("AWS Marketplace meters no SaaS product: use EXTERNALLY_METERED")
        }
        ProductType::ProfessionalServices if !types.contains(&DimensionType::Entitled) || types.len() > 1 => {
            refuse("professional services are bought upfront and metered by nobody: use ENTITLED alone (B20)")
        }
        ProductType::MachineLearning if types.contains(&DimensionType::ExternallyMetered) => {
            refuse("AWS Marketplace meters machine learning products: use METERED")
        }
        _ => Ok(()),
    }
}

/// By the second go container products, by the minute and by inferences machine learning products, where AWS Marketplace
/// meters them.
fn check_billed_by(dimension: &Dimension, product_type: ProductType) -> Result<(), Rejection> {
    let refuse = |message: &str| Err(Rejection::new(Code::DimensionTypesInvalid, "billedBy", message));
    let (wanted, message) = match dimension.billed_by {
        None => return Ok(()),
        Some(BilledBy::Second) => {
            (ProductType::Container, "SECOND is for pods and tasks of CONTAINER products (P2): leave it out")
        }
        Some(BilledBy::Minute) => {
            (ProductType::MachineLearning, "MINUTE is for MACHINE_LEARNING products (P5): leave it out")
        }
        Some(BilledBy::Inference) => {
            (ProductType::MachineLearning, "INFERENCE is for MACHINE_LEARNING products (P5): leave it out")
        }
    };
    if product_type != wanted {
        return refuse(message);
    }
    match dimension.types.contains(&DimensionType::Metered) {
        true => Ok(()),
        false => {
            refuse("what is not METERED by AWS Marketplace is billed as it is sold or reported: leave it out")
        }
    }
}

/// Refuses words that are too long for a page, or that hold control characters.
pub fn check_words(text: &str, field: &str, longest: usize) -> Result<(), Rejection> {
    let length = text.chars().count();
    if length > longest {
        let message = format!("{length} characters; at most {longest} are allowed: shorten it");
        return Err(Rejection::new(Code::FieldInvalid, field, message));
    }
    match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(c) => {
            let message = format!("it holds the control character {}: leave it out", c.escape_unicode());
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// Refuses an id that is empty, too long or holds other characters.
pub(crate) fn check_form(
    text: &str,
    field: &str,
    longest: usize,
    allowed: fn(u8) -> bool,
) -> Result<(), Rejection> {
    if text.is_empty() {
        return Err(Rejection::new(Code::FieldMissing, field, "it is required"));
    }
    match text.len() <= longest && text.bytes().all(allowed) {
        true => Ok(()),
        false => {
            let message = format!("\"{text}\" is not allowed: at most {longest} letters, digits and -_.");
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}
