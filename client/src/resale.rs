//! Resale authorizations.

use souk_proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use souk_proto::catalog::v1::{
    CreateResaleAuthorizationRequest, ListResaleAuthorizationsRequest, ResaleAuthorization,
    RestrictResaleAuthorizationRequest,
};
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, OfferFilter, Page, PageRequest, SoukClient, paging};

fn service(channel: Channel) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Lets a reseller sell a product. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn create_resale_authorization(
        &self,
        sandbox: &str,
        authorization: ResaleAuthorization,
    ) -> Result<ResaleAuthorization, ClientError> {
        let call = Call::CreateResaleAuthorization;
        let question = CreateResaleAuthorizationRequest {
            sandbox: sandbox.to_owned(),
            resale_authorization: Some(authorization),
        };
        let send =
            |channel, request| async move { service(channel).create_resale_authorization(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.resale_authorization, "the resale authorization")
    }

    /// Ends the release of offers with an authorization. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn restrict_resale_authorization(
        &self,
        sandbox: &str,
        resale_authorization_id: &str,
    ) -> Result<ResaleAuthorization, ClientError> {
        let call = Call::RestrictResaleAuthorization;
        let question = RestrictResaleAuthorizationRequest {
            sandbox: sandbox.to_owned(),
            resale_authorization_id: resale_authorization_id.to_owned(),
        };
        let send =
            |channel, request| async move { service(channel).restrict_resale_authorization(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.resale_authorization, "the resale authorization")
    }

    /// Lists a page of the authorizations that an account granted or holds, in the order of their ids.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_resale_authorizations(
        &self,
        sandbox: &str,
        filter: &OfferFilter,
        page: PageRequest,
    ) -> Result<Page<ResaleAuthorization>, ClientError> {
        let question = ListResaleAuthorizationsRequest {
            sandbox: sandbox.to_owned(),
            account_id: filter.account_id.clone(),
            product_id: filter.product_id.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send =
            |channel, request| async move { service(channel).list_resale_authorizations(request).await };
        let answer = self.unary(Call::ListResaleAuthorizations, question, send).await?;
        Ok(Page { entries: answer.resale_authorizations, next_page_token: answer.next_page_token })
    }

    /// Lists all authorizations that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_resale_authorizations(
        &self,
        sandbox: &str,
        filter: &OfferFilter,
    ) -> Result<Vec<ResaleAuthorization>, ClientError> {
        let list = |page| self.list_resale_authorizations(sandbox, filter, page);
        paging::all(Call::ListResaleAuthorizations, list).await
    }
}
