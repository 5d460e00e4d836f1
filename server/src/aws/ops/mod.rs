//! The operations: each reads its input, asks a use case, and writes its output.

pub mod entitlement;
pub mod errors;
pub mod fields;
pub mod metering;
mod plain_batch;
pub mod register_usage;

use std::sync::Arc;

use souk_core::catalog::{Account, Marketplace, Product};
use souk_core::ids::{AccountId, Region, SandboxName};
use souk_core::time::Timestamp;

use super::error::AwsError;
use super::gate::Gate;
use super::protocol::Protocol;
use super::regions;
use super::route::{Routed, Service};
use super::wire::{Member, Value};
use crate::app::Souk;
use crate::client_time::ClientClock;

/// Who calls, what, and where.
pub struct Call<'a> {
    /// The marketplace.
    pub souk: &'a Souk,
    /// The sandbox.
    pub sandbox: SandboxName,
    /// Its published state.
    pub market: Arc<Marketplace>,
    /// The account that signed; none when nothing says who calls.
    pub caller: Option<AccountId>,
    /// The region that the signature is scoped to.
    pub region: Region,
    /// What the caller runs on, as its session token says: an instance, a task or a pod.
    pub resource: Option<String>,
    /// Where that was launched, if its session token says it.
    pub launch_region: Option<Region>,
    /// The sandbox's time and the caller's.
    pub clock: ClientClock,
    /// What it passes between its fields and its rules.
    pub gate: Gate,
}

/// What an operation answers.
#[derive(Debug)]
pub enum Answer<'b> {
    /// A value, to be printed.
    Value(Value<'b>),
    /// A body as it is sent; it refuses nothing.
    Printed(String),
}

impl Call<'_> {
    /// Carries out an operation.
    pub async fn carry_out<'b>(&self, routed: &Routed, body: &'b [u8]) -> Result<Answer<'b>, AwsError> {
        if let (Service::Metering, "BatchMeterUsage") = (routed.service, routed.operation) {
            return match metering::batch_known(self, routed.protocol, body).await? {
                Some(answer) => Ok(answer),
                None => {
                    metering::batch_meter_usage(self, read(routed.protocol, body)?).await.map(Answer::Value)
                }
            };
        }
        let input = read(routed.protocol, body)?;
        self.ask(routed, &input).await.map(Answer::Value)
    }

    async fn ask(&self, routed: &Routed, input: &Value<'_>) -> Result<Value<'static>, AwsError> {
        let input = Member::body(input);
        match (routed.service, routed.operation) {
            (Service::Metering, "MeterUsage") => metering::meter_usage(self, &input).await,
            (Service::Metering, "RegisterUsage") => register_usage::register_usage(self, &input).await,
            (Service::Metering, "ResolveCustomer") => metering::resolve_customer(self, &input).await,
            (Service::Entitlement, "GetEntitlements") => entitlement::get_entitlements(self, &input).await,
            (_, operation) => Err(AwsError::unknown_operation(format!("{operation} is not served here."))),
        }
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.souk.now(&self.market)
    }

    /// Refuses a region in which sellers do not meter.
    pub fn check_metering_region(&self) -> Result<(), AwsError> {
        match regions::offers_metering(&self.region) {
            true => Ok(()),
            false => {
                let message = format!("The operation is not offered in the region {}.", self.region);
                Err(AwsError::new("DisabledApiException", 400, message))
            }
        }
    }

    /// The account of a buyer's program: without one nothing says whose usage it is.
    pub fn buyer(&self) -> Result<&Account, AwsError> {
        let account = self.caller.and_then(|caller| self.market.accounts().get(&caller));
        account.ok_or_else(|| {
            AwsError::unrecognized_client(
                "The access key belongs to no account of this sandbox: put it into the sandbox document.",
            )
        })
    }

    /// Whether the caller may act for a product's seller. A caller that nothing identifies may: that is how a
    /// sandbox without access keys is used.
    pub fn may_sell(&self, product: &Product) -> bool {
        self.caller.is_none_or(|caller| caller == product.seller)
    }
}

fn read(protocol: Protocol, body: &[u8]) -> Result<Value<'_>, AwsError> {
    let value = protocol.parse(body)?;
    match value {
        Value::Map(_) => Ok(value),
        _ => Err(AwsError::serialization("The body is not a structure.")),
    }
}
