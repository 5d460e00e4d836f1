//! Registration tokens, as a buyer's browser brings them to the seller: what ResolveCustomer resolves.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use souk_core::ids::AgreementId;

use super::refused::Refused;
use super::request;
use crate::app::Souk;
use crate::aws::ops::registration_token::RegistrationToken;
use crate::grpc::answer::refuse;
use crate::grpc::convert::required_text;
use crate::grpc::convert::sandbox::from_proto_sandbox_name;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    agreement_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    registration_token: String,
    expiration_time: String,
}

/// Makes a token of an agreement.
pub async fn make(souk: &Souk, name: &str, body: &str) -> Result<Response, Refused> {
    let wanted: Wanted = request::json(body, r#"give {"agreementId": "agmt-..."}"#)?;
    let name = from_proto_sandbox_name(name, "sandbox").map_err(refuse)?;
    let market = souk.market(&name).map_err(refuse)?;
    let id = required_text(&wanted.agreement_id, "agreementId").map_err(refuse)?;
    let agreement = souk.agreement(&name, AgreementId::new(id)).await.map_err(refuse)?;
    let token = RegistrationToken::new(agreement.id, souk.now(&market));
    super::json(&Made { registration_token: token.print(&name), expiration_time: token.expires.to_string() })
}
