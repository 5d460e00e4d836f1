//! AccountService.

use souk_core::ids::AccountId;
use souk_proto::account::v1 as proto;
use souk_proto::account::v1::account_service_server::AccountService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse, refuse_within};
use super::convert::account::{from_proto_account, to_proto_account};
use super::convert::page::page;
use super::convert::required;
use crate::app::Souk;

/// Accounts over gRPC.
pub struct AccountApi(pub Souk);

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn put_account(
        &self,
        request: Request<proto::PutAccountRequest>,
    ) -> Result<Response<proto::PutAccountResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let account = required(request.account, "account").map_err(refuse)?;
        let account = from_proto_account(account).map_err(|r| refuse(r.within("account")))?;
        let account = self.0.put_account(&name, account).await.map_err(|e| refuse_within(e, "account"))?;
        Ok(Response::new(proto::PutAccountResponse { account: Some(to_proto_account(&account)) }))
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::GetAccountResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = AccountId::from_field(&request.account_id, "accountId").map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let account = market.account(id, "accountId").map_err(refuse)?;
        Ok(Response::new(proto::GetAccountResponse { account: Some(to_proto_account(account)) }))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let list = format!("accounts of {name}");
        let accounts = market.accounts().values();
        let (accounts, next_page_token) =
            page(&list, accounts, |a| a.id.to_string(), request.page_size, &request.page_token)
                .map_err(refuse)?;
        let accounts = accounts.into_iter().map(to_proto_account).collect();
        Ok(Response::new(proto::ListAccountsResponse { accounts, next_page_token }))
    }
}
