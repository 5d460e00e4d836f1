//! The metering service: RegisterUsage.

use souk_core::catalog::{Product, ProductType, PublicKeyVersion};
use souk_core::ids::MeteringResource;
use souk_core::metering::Program;

use super::{Call, errors, fields};
use crate::aws::error::AwsError;
use crate::aws::wire::{Member, Value, Violations};
use crate::signing::token::Registered;

/// What programs run on that may register: a task of ECS or Fargate, a pod of EKS.
const PLATFORMS: [&str; 2] = ["task/", "pod/"];

/// Takes note of a program that runs in the buyer's account, and answers by a signature.
pub async fn register_usage(call: &Call<'_>, input: &Member<'_, '_>) -> Result<Value<'static>, AwsError> {
    let mut violations = Violations::new();
    let code = input.member("ProductCode")?;
    violations.required(&code);
    let product_code = fields::product_code(&code, &mut violations)?.unwrap_or_default();
    let version = input.member("PublicKeyVersion")?;
    violations.required(&version);
    violations.range(&version, 1..=i32::MAX.into());
    let version = version.integer()?.unwrap_or_default();
    let nonce = input.member("Nonce")?;
    violations.length(&nonce, 0..=255);
    let nonce = nonce.text()?.map(str::to_owned);
    violations.finish()?;
    call.pass_gate().await?;
    call.check_metering_region()?;
    let buyer = call.buyer()?;
    let resource = container(call)?;
    check_launch_region(call)?;
    let product = container_product(call, product_code)?;
    let version = key_version(call, version)?;
    let program = Program { payer: buyer.payer, buyer: buyer.id, product: product.id.clone(), resource };
    if !call.souk.register_usage(&call.sandbox, program).await.map_err(errors::of_metering)? {
        let message = format!("Account {} holds no live agreement on the product.", buyer.id);
        return Err(AwsError::new("CustomerNotEntitledException", 400, message));
    }
    let registered = Registered {
        product_code: product.code.clone(),
        public_key_version: version.version,
        nonce,
        issued_at: call.clock.now(),
    };
    let signature = call.souk.sign_registration(version, registered).await.map_err(errors::of_metering)?;
    let rotated_at = version.rotated_at.filter(|at| *at <= call.now()).map(|at| call.clock.to_client(at));
    Ok(Value::structure([
        ("PublicKeyRotationTimestamp", rotated_at.map(|at| Value::Timestamp(at.micros()))),
        ("Signature", Some(Value::text(signature))),
    ]))
}

/// The task or pod that calls.
fn container(call: &Call<'_>) -> Result<MeteringResource, AwsError> {
    let stated = call.resource.as_deref();
    let is_container = |resource: &&str| {
        PLATFORMS.iter().any(|platform| resource.strip_prefix(platform).is_some_and(|id| !id.is_empty()))
    };
    stated.filter(is_container).map(MeteringResource::new).ok_or_else(|| {
        let stated = stated.map_or_else(|| "nothing".to_owned(), |resource| format!("\"{resource}\""));
        AwsError::new(
            "PlatformNotSupportedException",
            400,
            format!(
                "RegisterUsage is for tasks of ECS and Fargate and pods of EKS; the session token states {stated}. \
                 State what the program runs on by the session token \"souk:task/NAME\" or \"souk:pod/NAME\"."
            ),
        )
    })
}

/// A program calls the endpoint of the region in which it was launched.
fn check_launch_region(call: &Call<'_>) -> Result<(), AwsError> {
    match call.launch_region.as_ref().filter(|launched| **launched != call.region) {
        None => Ok(()),
        Some(launched) => {
            let message = format!(
                "The program was launched in {launched}: call the endpoint there, not in {}.",
                call.region
            );
            Err(AwsError::new("InvalidRegionException", 400, message))
        }
    }
}

fn container_product<'a>(call: &'a Call<'_>, code: &str) -> Result<&'a Product, AwsError> {
    let invalid = |message: String| AwsError::new("InvalidProductCodeException", 400, message);
    let code = fields::to_product_code(Some(code));
    let product = code.as_ref().and_then(|code| call.market.product_by_code(code));
    match product {
        None => {
            let code = code.map_or_else(String::new, |code| code.to_string());
            Err(invalid(format!("ProductCode: the sandbox has no product of the code \"{code}\".")))
        }
        Some(product) if product.product_type != ProductType::Container => {
            Err(invalid(format!("ProductCode: {} is not a container product.", product.code)))
        }
        Some(product) => Ok(product),
    }
}

fn key_version<'a>(call: &'a Call<'_>, number: i64) -> Result<&'a PublicKeyVersion, AwsError> {
    let versions = &call.market.public_keys;
    versions.iter().find(|version| i64::from(version.version) == number).ok_or_else(|| {
        let known: Vec<_> = versions.iter().map(|version| version.version.to_string()).collect();
        let message = format!("There is no PublicKeyVersion {number}, but {}.", known.join(", "));
        AwsError::new("InvalidPublicKeyVersionException", 400, message)
    })
}
