//! The entitlement service: GetEntitlements.

use souk_core::agreement::Entitlement;
use souk_core::catalog::account::customer_identifier;
use souk_core::catalog::{EntitlementValueKind, Product};
use souk_core::ids::ProductCode;

use super::{Call, errors, fields};
use crate::aws::error::AwsError;
use crate::aws::wire::{Member, Number, Value, Violations};
use crate::grpc::convert::page::page;

const FILTERS: [&str; 4] = ["CUSTOMER_IDENTIFIER", "DIMENSION", "CUSTOMER_AWS_ACCOUNT_ID", "LICENSE_ARN"];
const PAGE: i64 = 25;

/// What a filter asks for: values of one key are alternatives, keys go together.
#[derive(Default)]
struct Filter<'v> {
    identifiers: Vec<&'v str>,
    dimensions: Vec<&'v str>,
    accounts: Vec<&'v str>,
    licences: Vec<&'v str>,
}

/// The entitlements of a product's buyers.
pub async fn get_entitlements(call: &Call<'_>, input: &Member<'_, '_>) -> Result<Value<'static>, AwsError> {
    let invalid = |message: String| AwsError::new("InvalidParameterException", 400, message);
    let mut violations = Violations::new();
    let code = input.member("ProductCode")?;
    violations.required(&code);
    violations.length(&code, 1..=usize::MAX);
    let product_code = fields::product_code(&code, &mut violations)?.unwrap_or_default();
    let most = input.member("MaxResults")?;
    violations.range(&most, 1..=PAGE);
    let size = most.integer()?.unwrap_or(PAGE);
    let token = input.member("NextToken")?.text()?.unwrap_or_default();
    let filter_member = input.member("Filter")?;
    violations.finish().map_err(|error| invalid(error.message))?;
    let filter = filter(&filter_member)?;
    call.pass_gate().await?;
    let product = call.market.product_by_code(&ProductCode::new(product_code));
    let product = product.filter(|product| call.may_sell(product)).ok_or_else(|| {
        invalid(format!("The product code {product_code} is not one of the account that signed the request."))
    })?;
    let all = call
        .souk
        .entitlements(&call.sandbox, product.id.clone(), None, false)
        .await
        .map_err(errors::of_entitlement)?;
    let wanted = all.into_iter().filter(|entitlement| filter.matches(product, entitlement));
    let list = format!("entitlements of {} {product_code}", call.sandbox);
    let key = |e: &Entitlement| format!("{} {} {}", e.buyer, e.agreement, e.dimension);
    let size = i32::try_from(size).unwrap_or(i32::MAX);
    let (entitlements, next) = page(&list, wanted, key, size, token).map_err(|r| invalid(r.message))?;
    let entitlements = entitlements.iter().map(|e| to_value(call, product, e)).collect();
    Ok(Value::structure([
        ("Entitlements", Some(Value::List(entitlements))),
        ("NextToken", (!next.is_empty()).then(|| Value::text(next))),
    ]))
}

fn filter<'v>(member: &Member<'_, 'v>) -> Result<Filter<'v>, AwsError> {
    let invalid = |message: &str| Err(AwsError::new("InvalidParameterException", 400, message));
    if let Some(Value::Map(members)) = member.value()
        && members.iter().any(|(key, _)| !FILTERS.contains(&&**key))
    {
        return invalid(
            "Filters are CUSTOMER_IDENTIFIER, CUSTOMER_AWS_ACCOUNT_ID, DIMENSION and LICENSE_ARN.",
        );
    }
    let mut filter = Filter::default();
    for name in FILTERS {
        let values = member.member(name)?;
        let Some(list) = values.value() else { continue };
        let mut texts = Vec::new();
        for item in values.items()? {
            texts.extend(item.text()?);
        }
        if matches!(list, Value::List(items) if items.is_empty()) {
            return invalid("A filter needs at least one value.");
        }
        match name {
            "CUSTOMER_IDENTIFIER" => filter.identifiers = texts,
            "DIMENSION" => filter.dimensions = texts,
            "CUSTOMER_AWS_ACCOUNT_ID" => filter.accounts = texts,
            _ => filter.licences = texts,
        }
    }
    if !filter.identifiers.is_empty() && !filter.accounts.is_empty() {
        return invalid("Filter by CUSTOMER_IDENTIFIER or by CUSTOMER_AWS_ACCOUNT_ID, not by both.");
    }
    Ok(filter)
}

impl Filter<'_> {
    fn matches(&self, product: &Product, entitlement: &Entitlement) -> bool {
        let any = |values: &[&str], is: &str| values.is_empty() || values.contains(&is);
        any(&self.dimensions, entitlement.dimension.as_str())
            && any(&self.accounts, &entitlement.buyer.to_string())
            && any(&self.licences, entitlement.licence.as_str())
            && any(&self.identifiers, &customer_identifier(product.seller, entitlement.buyer))
    }
}

fn to_value(call: &Call<'_>, product: &Product, entitlement: &Entitlement) -> Value<'static> {
    let Entitlement { dimension, quantity, expires, licence, buyer, .. } = entitlement;
    let kind = product.dimension(dimension).map_or(EntitlementValueKind::Integer, |found| found.value_kind);
    let quantity = i64::try_from(*quantity).unwrap_or(i64::MAX);
    let value = match kind {
        EntitlementValueKind::Integer => ("IntegerValue", Some(Value::integer(quantity))),
        EntitlementValueKind::Double => ("DoubleValue", Some(Value::Number(Number::double(quantity)))),
        EntitlementValueKind::Boolean => ("BooleanValue", Some(Value::Bool(quantity > 0))),
        EntitlementValueKind::String => ("StringValue", Some(Value::text(quantity.to_string()))),
    };
    let value = Value::structure([value]);
    Value::structure([
        ("ProductCode", Some(Value::text(product.code.to_string()))),
        ("Dimension", Some(Value::text(dimension.to_string()))),
        ("CustomerIdentifier", Some(Value::text(customer_identifier(product.seller, *buyer)))),
        ("CustomerAWSAccountId", Some(Value::text(buyer.to_string()))),
        ("Value", Some(value)),
        ("ExpirationDate", Some(Value::Timestamp(call.clock.to_client(*expires).micros()))),
        ("LicenseArn", Some(Value::text(licence.to_string()))),
    ])
}
