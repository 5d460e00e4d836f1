//! The accounts of a sandbox.

use souk_proto::account::v1::account_service_client::AccountServiceClient;
use souk_proto::account::v1::{Account, GetAccountRequest, ListAccountsRequest, PutAccountRequest};
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, paging};

fn service(channel: Channel) -> AccountServiceClient<Channel> {
    AccountServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Adds an account, or changes everything of it but its payer.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn put_account(&self, sandbox: &str, account: Account) -> Result<Account, ClientError> {
        let call = Call::PutAccount;
        let question = PutAccountRequest { sandbox: sandbox.to_owned(), account: Some(account) };
        let send = |channel, request| async move { service(channel).put_account(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.account, "the account")
    }

    /// Reads an account.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_account(&self, sandbox: &str, account_id: &str) -> Result<Account, ClientError> {
        let call = Call::GetAccount;
        let question = GetAccountRequest { sandbox: sandbox.to_owned(), account_id: account_id.to_owned() };
        let send = |channel, request| async move { service(channel).get_account(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.account, "the account")
    }

    /// Lists a page of the accounts, in the order of their numbers.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_accounts(
        &self,
        sandbox: &str,
        page: PageRequest,
    ) -> Result<Page<Account>, ClientError> {
        let question =
            ListAccountsRequest { sandbox: sandbox.to_owned(), page_size: page.size, page_token: page.token };
        let send = |channel, request| async move { service(channel).list_accounts(request).await };
        let answer = self.unary(Call::ListAccounts, question, send).await?;
        Ok(Page { entries: answer.accounts, next_page_token: answer.next_page_token })
    }

    /// Lists all accounts.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_accounts(&self, sandbox: &str) -> Result<Vec<Account>, ClientError> {
        paging::all(Call::ListAccounts, |page| self.list_accounts(sandbox, page)).await
    }
}
