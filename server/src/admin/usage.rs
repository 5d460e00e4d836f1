//! What was received: the records that stand, and those that were refused.

use axum::response::Response;
use souk_proto::metering::v1 as proto;
use souk_proto::metering::v1::metering_service_server::MeteringService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::grpc::metering::MeteringApi;

const STATUS: &str = "status";
/// The parameters of a list: the same for both.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: STATUS, field: STATUS },
    Parameter { name: "productCode", field: "productCode" },
    Parameter { name: "buyer", field: "buyerAccountId" },
    Parameter { name: "dimension", field: "dimension" },
    Parameter { name: "month", field: "month" },
    Parameter { name: "pageSize", field: "pageSize" },
    Parameter { name: "pageToken", field: "pageToken" },
];

/// Lists the records that stand, unless the refused ones are asked for.
pub async fn list(souk: &Souk, name: &str, mut fields: Fields) -> Result<Response, Refused> {
    fields.insert("sandbox".to_owned(), name.into());
    let answer = match fields.remove(STATUS).as_ref().and_then(|status| status.as_str()) {
        None | Some("metered") => metered(souk, fields).await,
        Some("refused") => refused(souk, fields).await,
        Some(other) => {
            return Err(Refused::field(STATUS, format!("\"{other}\" is no status: take metered or refused")));
        }
    };
    answer.map_err(|refused| refused.in_words_of("", PARAMETERS))
}

async fn metered(souk: &Souk, fields: Fields) -> Result<Response, Refused> {
    let request: proto::ListMeteredRecordsRequest =
        request::message("souk.metering.v1.ListMeteredRecordsRequest", fields)?;
    let answer = MeteringApi(souk.clone()).list_metered_records(Request::new(request)).await?;
    super::message("souk.metering.v1.ListMeteredRecordsResponse", answer.into_inner()).await
}

async fn refused(souk: &Souk, fields: Fields) -> Result<Response, Refused> {
    let request: proto::ListRefusedRecordsRequest =
        request::message("souk.metering.v1.ListRefusedRecordsRequest", fields)?;
    let answer = MeteringApi(souk.clone()).list_refused_records(Request::new(request)).await?;
    super::message("souk.metering.v1.ListRefusedRecordsResponse", answer.into_inner()).await
}
