//! The faults that the AWS port makes on purpose.

use souk_proto::fault::v1::fault_service_client::FaultServiceClient;
use souk_proto::fault::v1::{FaultCount, FaultRule, ListFaultsRequest, SetFaultsRequest};
use tonic::transport::Channel;

use crate::{Call, ClientError, MESSAGE_SIZE_MAX, SoukClient};

fn service(channel: Channel) -> FaultServiceClient<Channel> {
    FaultServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Sets the faults of a sandbox in the place of those before; all of them begin anew. None: no more faults.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn set_faults(
        &self,
        sandbox: &str,
        faults: Vec<FaultRule>,
    ) -> Result<Vec<FaultCount>, ClientError> {
        let question = SetFaultsRequest { sandbox: sandbox.to_owned(), faults };
        let send = |channel, request| async move { service(channel).set_faults(request).await };
        Ok(self.unary(Call::SetFaults, question, send).await?.faults)
    }

    /// Lists the faults of a sandbox, and what each has done.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_faults(&self, sandbox: &str) -> Result<Vec<FaultCount>, ClientError> {
        let question = ListFaultsRequest { sandbox: sandbox.to_owned() };
        let send = |channel, request| async move { service(channel).list_faults(request).await };
        Ok(self.unary(Call::ListFaults, question, send).await?.faults)
    }
}
