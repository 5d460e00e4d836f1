//! The metering service: BatchMeterUsage, MeterUsage, ResolveCustomer.

use souk_core::catalog::account::customer_identifier;
use souk_core::catalog::{DimensionType, ProductType};
use souk_core::ids::{AccountId, LicenseArn, MeteringRecordId, MeteringResource, ProductCode};
use souk_core::metering::request::{Customer, Door, UsageRecord, UsageRequest, check_identity_mode};
use souk_core::metering::{Identity, RecordStatus, SeriesKey, UsageOutcome};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::UsageHour;

use super::plain_batch::{PlainBatch, RECORDS_MAX};
use super::{Answer, Call, errors, fields, read};
use crate::app::registration_token::RegistrationToken;
use crate::aws::error::AwsError;
use crate::aws::protocol::Protocol;
use crate::aws::regions;
use crate::aws::wire::{Member, Value, Violations};
use crate::error::AppError;

/// Takes a batch of plain form whose records all name what is known, and that nothing can refuse but the gate and a
/// full queue. None: nothing was metered, and it takes the long way, which alone says what is wrong.
pub async fn batch_known<'b>(
    call: &Call<'_>,
    protocol: Protocol,
    body: &'b [u8],
) -> Result<Option<Answer<'b>>, AwsError> {
    // Faults count and keep back records.
    if protocol == Protocol::Cbor || !call.market.faults.is_empty() || !regions::offers_metering(&call.region)
    {
        return Ok(None);
    }
    let Some(batch) = PlainBatch::read(body, &call.region, &call.clock) else { return Ok(None) };
    let product = call.market.product_by_code(&ProductCode::new(batch.product_code));
    if !product.is_some_and(|product| call.may_sell(product)) {
        return Ok(None);
    }
    let Some(usage) = call.souk.resolve_known(&call.sandbox, &batch, RECORDS_MAX) else { return Ok(None) };
    call.pass_gate().await?;
    let pending = call.souk.submit_known(&call.sandbox, usage).map_err(errors::of_metering)?;
    let Some(answer) = pending.answer().await else { return Ok(None) };
    if answer.exceptions.is_empty() {
        return Ok(Some(Answer::Printed(batch.print_metered(&answer.ids))));
    }
    let echoes = read(protocol, body)?.into_items("UsageRecords");
    Ok(Some(Answer::Value(results(answer.outcomes(), echoes, Vec::new()))))
}

/// Takes up to 25 records of a seller's product. The answer repeats them as they were sent.
pub async fn batch_meter_usage<'v>(call: &Call<'_>, input: Value<'v>) -> Result<Value<'v>, AwsError> {
    let (request, of_another_kind) = batch(call, &Member::body(&input))?;
    call.pass_gate().await?;
    call.check_metering_region()?;
    check_identity_mode(&request, &call.market.rules).map_err(|r| errors::of_metering(r.into()))?;
    check_seller(call, &request)?;
    check_licence_holders(call, &Member::body(&input).member("UsageRecords")?)?;
    let request = check_kinds(call, request, of_another_kind)?;
    let kept_back = call.unprocessed(request.records.len());
    let outcomes = meter_behind(call, request, kept_back).await.map_err(errors::of_metering)?;
    let mut echoes = input.into_items("UsageRecords");
    let processed = echoes.split_off(kept_back);
    Ok(results(outcomes, processed, echoes))
}

/// Reads a batch; and where one of its allocations is of another kind of quantity than its record.
fn batch(call: &Call<'_>, input: &Member<'_, '_>) -> Result<(UsageRequest, Option<String>), AwsError> {
    let mut violations = Violations::new();
    let code = input.member("ProductCode")?;
    let product_code = fields::product_code(&code, &mut violations)?;
    let list = input.member("UsageRecords")?;
    violations.required(&list);
    violations.length(&list, 0..=25);
    let mut records = Vec::with_capacity(list.items()?.len());
    let mut of_another_kind = None;
    for item in list.items()? {
        let timestamp = fields::timestamp(&item.member("Timestamp")?, &call.clock, &mut violations)?;
        let customer = fields::customer(&item, &mut violations)?;
        let before = records.last().map(|record: &UsageRecord| &record.dimension);
        let dimension = fields::dimension(&item.member("Dimension")?, before, &mut violations)?;
        let decimal = item.member("QuantityAsDecimal")?;
        let quantity = fields::quantity(&item.member("Quantity")?, &decimal, &mut violations)?;
        let allocations = fields::allocations(&item, !decimal.is_absent(), &mut violations)?;
        of_another_kind = of_another_kind.or(allocations.of_another_kind);
        let allocations = allocations.list;
        if let (Some(timestamp), Some(customer), Some(quantity)) = (timestamp, customer, quantity) {
            records.push(UsageRecord { timestamp, customer, dimension, quantity, allocations });
        }
    }
    violations.finish()?;
    let request = UsageRequest {
        product_code: fields::to_product_code(product_code),
        region: call.region.clone(),
        resource: None,
        records,
        metered_as: DimensionType::ExternallyMetered,
        door: Door::Batch,
    };
    Ok((request, of_another_kind))
}

/// Meters the records behind so many first ones, which a fault keeps back. What refuses a request as a whole does so
/// with all of its records.
async fn meter_behind(
    call: &Call<'_>,
    mut request: UsageRequest,
    kept_back: usize,
) -> Result<Vec<UsageOutcome>, AppError> {
    if kept_back > 0 {
        call.souk.check_usage(&call.sandbox, request.clone())?;
        request.records.drain(..kept_back);
        if request.records.is_empty() {
            return Ok(Vec::new());
        }
    }
    call.souk.meter(&call.sandbox, request).await
}

/// Refuses allocations of another kind of quantity than their record's, unless something that is checked before
/// allocations refuses the request.
fn check_kinds(
    call: &Call<'_>,
    request: UsageRequest,
    of_another_kind: Option<String>,
) -> Result<UsageRequest, AwsError> {
    let Some(path) = of_another_kind else { return Ok(request) };
    let without = |mut record: UsageRecord| {
        record.allocations.clear();
        record
    };
    let records = request.records.into_iter().map(without).collect();
    match call.souk.check_usage(&call.sandbox, UsageRequest { records, ..request }) {
        // Customers are looked up behind the allocations.
        Ok(()) | Err(AppError::Rejected(Rejection { code: Code::CustomerIdentifierUnknown, .. })) => (),
        Err(before) => return Err(errors::of_metering(before)),
    }
    let message = format!("{path}: allocations have the same kind of quantity as their record.");
    Err(AwsError::new("InvalidUsageAllocationsException", 400, message))
}

/// A seller meters only its own products.
fn check_seller(call: &Call<'_>, request: &UsageRequest) -> Result<(), AwsError> {
    let by_licence = request.records.iter().find_map(|record| match &record.customer {
        Customer::Licence(licence) => call.souk.licence(&call.sandbox, licence).map(|entry| entry.product),
        _ => None,
    });
    let product = match &request.product_code {
        Some(code) => call.market.product_by_code(code),
        None => by_licence.as_ref().and_then(|id| call.market.products().get(id)),
    };
    match product {
        // What there is not, the check of the whole request refuses.
        Some(product) if !call.may_sell(product) => Err(AwsError::new(
            "InvalidProductCodeException",
            400,
            format!("The product {} is not sold by the account that signed the request.", product.code),
        )),
        _ => Ok(()),
    }
}

/// A licence says whose it is: an account beside it must be that one.
fn check_licence_holders(call: &Call<'_>, records: &Member<'_, '_>) -> Result<(), AwsError> {
    for item in records.items()? {
        let (licence, account) = (item.member("LicenseArn")?, item.member("CustomerAWSAccountId")?);
        let (Some(licence), Some(account)) = (licence.text()?, account.text()?) else { continue };
        let entry = call.souk.licence(&call.sandbox, &LicenseArn::new(licence));
        // What there is not, the check of the whole request refuses.
        if entry.is_some_and(|entry| entry.buyer.to_string() != account) {
            let message = format!("{}: the licence {licence} is not one of account {account}.", item.path());
            return Err(AwsError::new("InvalidLicenseException", 400, message));
        }
    }
    Ok(())
}

/// The answer: what became of the records that were processed, and those that were not.
fn results<'v>(
    outcomes: Vec<UsageOutcome>,
    echoes: Vec<Value<'v>>,
    mut unprocessed: Vec<Value<'v>>,
) -> Value<'v> {
    let mut results = Vec::with_capacity(outcomes.len());
    for (outcome, echo) in outcomes.into_iter().zip(echoes) {
        let (status, id) = match outcome.status {
            RecordStatus::Success(id) => ("Success", Some(id)),
            RecordStatus::DuplicateRecord(id) => ("DuplicateRecord", Some(id)),
            RecordStatus::CustomerNotSubscribed => ("CustomerNotSubscribed", None),
            RecordStatus::Unprocessed => {
                unprocessed.push(echo);
                continue;
            }
        };
        results.push(Value::structure([
            ("UsageRecord", Some(echo)),
            ("MeteringRecordId", id.map(|id| Value::text(id.to_string()))),
            ("Status", Some(Value::text(status))),
        ]));
    }
    Value::structure([
        ("Results", Some(Value::List(results))),
        ("UnprocessedRecords", Some(Value::List(unprocessed))),
    ])
}

/// Takes the usage of a program that runs in the buyer's account.
pub async fn meter_usage(call: &Call<'_>, input: &Member<'_, '_>) -> Result<Value<'static>, AwsError> {
    let mut violations = Violations::new();
    let code = input.member("ProductCode")?;
    violations.required(&code);
    let product_code = fields::product_code(&code, &mut violations)?;
    let timestamp = fields::timestamp(&input.member("Timestamp")?, &call.clock, &mut violations)?;
    let dimension = fields::dimension(&input.member("UsageDimension")?, None, &mut violations)?;
    let decimal = input.member("UsageQuantityAsDecimal")?;
    let quantity = fields::quantity(&input.member("UsageQuantity")?, &decimal, &mut violations)?;
    let fields::Allocations { list: allocations, of_another_kind } =
        fields::allocations(input, !decimal.is_absent(), &mut violations)?;
    let dry_run = input.member("DryRun")?.boolean()?.unwrap_or(false);
    let token = input.member("ClientToken")?;
    violations.length(&token, 1..=64);
    let token = token.text()?;
    violations.finish()?;
    call.pass_gate().await?;
    let (Some(timestamp), Some(quantity)) = (timestamp, quantity) else {
        return Err(AwsError::serialization("A required member cannot be read."));
    };
    let launched = call.launch_region.as_ref().unwrap_or(&call.region);
    if !regions::offers_meter_usage(&call.region) || *launched != call.region {
        let message = format!("The endpoint of {} does not meter what runs in {launched}.", call.region);
        return Err(AwsError::new("InvalidEndpointRegionException", 400, message));
    }
    let buyer = call.buyer()?;
    let customer = Customer::Account(buyer.id.to_string());
    let record = UsageRecord { timestamp, customer, dimension, quantity, allocations };
    let request = UsageRequest {
        product_code: fields::to_product_code(product_code),
        region: call.region.clone(),
        resource: call.resource.as_deref().map(MeteringResource::new),
        records: vec![record],
        metered_as: DimensionType::ExternallyMetered,
        door: Door::MeterUsage,
    };
    let request = check_kinds(call, request, of_another_kind)?;
    let product = request.product_code.as_ref().and_then(|code| call.market.product_by_code(code));
    if let Some(product) = product.filter(|product| product.product_type == ProductType::Saas) {
        let message =
            format!("productCode: {} is software as a service: its seller meters it.", product.code);
        return Err(AwsError::new("InvalidProductCodeException", 400, message));
    }
    let publishes = product.is_some_and(|product| product.seller == buyer.id);
    let previewed = publishes.then(|| preview(&request, buyer.id)).flatten();
    if dry_run {
        return dry_run_answer(call, request, publishes).await;
    }
    let outcome = call.souk.meter_once(&call.sandbox, request, token.map(str::to_owned)).await;
    match (outcome.map_err(errors::of_meter_usage)?, previewed) {
        (RecordStatus::Success(id), _) => Ok(metered(id)),
        (RecordStatus::DuplicateRecord(_), _) => Err(AwsError::new(
            "DuplicateRequestException",
            400,
            "The hour was metered for this UsageDimension with another quantity, which stands.",
        )),
        (RecordStatus::CustomerNotSubscribed, Some(id)) => Ok(metered(id)),
        (RecordStatus::CustomerNotSubscribed, None) => Err(AwsError::new(
            "CustomerNotEntitledException",
            400,
            format!("Account {} holds no live agreement on the product.", buyer.id),
        )),
        (RecordStatus::Unprocessed, _) => Err(AwsError::internal("The record was not processed. Try again.")),
    }
}

/// The id under which the record of a product's own publisher would stand. It tries its program out before anybody
/// subscribes: it gets this answer, and nothing is stored.
fn preview(request: &UsageRequest, publisher: AccountId) -> Option<MeteringRecordId> {
    let (code, record) = (request.product_code.clone()?, request.records.first()?);
    let series = SeriesKey {
        identity: Identity::Product(code, publisher),
        region: request.region.clone(),
        resource: request.resource.clone(),
        dimension: record.dimension.clone(),
    };
    Some(series.record_id(UsageHour::containing(record.timestamp)))
}

/// Says whether the caller may meter, and meters nothing. AWS documents an error as the good answer; two sellers stop
/// on any error here, so that is a rule of the sandbox (G.11).
async fn dry_run_answer(
    call: &Call<'_>,
    request: UsageRequest,
    publishes: bool,
) -> Result<Value<'static>, AwsError> {
    let entitled = call.souk.try_usage(&call.sandbox, request).await.map_err(errors::of_meter_usage)?;
    match entitled || publishes {
        true if call.market.rules.dry_run_refused => {
            let message = "The request would have succeeded, and DryRun is set.";
            Err(AwsError::new("DryRunOperation", 400, message))
        }
        true => Ok(Value::Map(Vec::new())),
        false => {
            let message = "The caller holds no live agreement on the product, so it may not meter it.";
            Err(AwsError::new("UnauthorizedException", 400, message))
        }
    }
}

fn metered(id: MeteringRecordId) -> Value<'static> {
    Value::structure([("MeteringRecordId", Some(Value::text(id.to_string())))])
}

/// Says whose registration token it is.
pub async fn resolve_customer(call: &Call<'_>, input: &Member<'_, '_>) -> Result<Value<'static>, AwsError> {
    let mut violations = Violations::new();
    let member = input.member("RegistrationToken")?;
    violations.required(&member);
    violations.length(&member, 1..=usize::MAX);
    violations.finish()?;
    call.pass_gate().await?;
    call.check_metering_region()?;
    let invalid = || AwsError::new("InvalidTokenException", 400, "The registration token is not valid.");
    let token =
        RegistrationToken::read(&call.sandbox, member.text()?.unwrap_or_default()).ok_or_else(invalid)?;
    let agreement = match call.souk.agreement(&call.sandbox, token.agreement.clone()).await {
        Ok(agreement) => agreement,
        Err(AppError::Rejected(Rejection { code: Code::AgreementUnknown, .. })) => {
            return Err(invalid());
        }
        Err(other) => return Err(errors::of_metering(other)),
    };
    let product = call.market.products().get(&agreement.product).ok_or_else(invalid)?;
    if !call.may_sell(product) {
        return Err(invalid());
    }
    if token.expires <= call.now() {
        let message = format!("The registration token expired at {}.", token.expires);
        return Err(AwsError::new("ExpiredTokenException", 400, message));
    }
    Ok(Value::structure([
        ("CustomerIdentifier", Some(Value::text(customer_identifier(product.seller, agreement.buyer)))),
        ("ProductCode", Some(Value::text(product.code.to_string()))),
        ("CustomerAWSAccountId", Some(Value::text(agreement.buyer.to_string()))),
        ("LicenseArn", Some(Value::text(agreement.licence.to_string()))),
        ("Metadata", Some(metadata(agreement.id.to_string()))),
    ]))
}

fn metadata(agreement: String) -> Value<'static> {
    Value::structure([("AgreementId", Some(Value::text(agreement)))])
}
