//! Registration tokens, as a buyer's browser brings them to the seller: what ResolveCustomer resolves.

use axum::response::Response;
use serde::Deserialize;
use souk_proto::agreement::v1 as proto;
use souk_proto::agreement::v1::agreement_service_server::AgreementService;
use tonic::Request;

use super::refused::Refused;
use super::request;
use crate::app::Souk;
use crate::grpc::agreement::AgreementApi;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    agreement_id: String,
}

/// Makes a token of an agreement.
pub async fn make(souk: &Souk, name: &str, body: &str) -> Result<Response, Refused> {
    let wanted: Wanted = request::json(body, r#"give {"agreementId": "agmt-..."}"#)?;
    let request =
        proto::CreateRegistrationTokenRequest { sandbox: name.to_owned(), agreement_id: wanted.agreement_id };
    let answer = AgreementApi(souk.clone()).create_registration_token(Request::new(request)).await?;
    super::message("souk.agreement.v1.RegistrationToken", answer.into_inner().token.unwrap_or_default()).await
}
