//! FaultService.

use souk_proto::fault::v1 as proto;
use souk_proto::fault::v1::fault_service_server::FaultService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse};
use super::convert::fault::{from_proto_fault_rule, to_proto_fault_count};
use crate::app::Souk;

/// Faults over gRPC.
pub struct FaultApi(pub Souk);

#[tonic::async_trait]
impl FaultService for FaultApi {
    async fn set_faults(
        &self,
        request: Request<proto::SetFaultsRequest>,
    ) -> Result<Response<proto::SetFaultsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let read = |(index, rule)| {
            from_proto_fault_rule(rule).map_err(|refused| refused.within(&format!("faults[{index}]")))
        };
        let rules: Result<Vec<_>, _> = request.faults.into_iter().enumerate().map(read).collect();
        let faults = self.0.set_faults(&name, rules.map_err(refuse)?).await.map_err(refuse)?;
        Ok(Response::new(proto::SetFaultsResponse {
            faults: faults.iter().map(to_proto_fault_count).collect(),
        }))
    }

    async fn list_faults(
        &self,
        request: Request<proto::ListFaultsRequest>,
    ) -> Result<Response<proto::ListFaultsResponse>, Status> {
        let name = name_of(&request.into_inner().sandbox)?;
        let faults = self.0.faults(&name).map_err(refuse)?;
        Ok(Response::new(proto::ListFaultsResponse {
            faults: faults.iter().map(to_proto_fault_count).collect(),
        }))
    }
}
