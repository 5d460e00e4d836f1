//! Sandboxes, their clocks, and what happened in them.

use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_proto::sandbox::v1::put_sandbox_request::Source;
use souk_proto::sandbox::v1::sandbox_service_client::SandboxServiceClient;
use souk_proto::sandbox::v1::{
    AdvanceClockRequest, Clock, ClockSetting, DeleteSandboxRequest, GetClockRequest, GetSandboxRequest,
    GetSandboxResponse, ListEventsRequest, ListSandboxesRequest, PutSandboxRequest, Sandbox, SandboxEvent,
    SandboxSummary, SetClockRequest, WorkDone,
};
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, paging};

/// A clock that was set or turned, and what that set off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnedClock {
    /// The clock as it stands now.
    pub clock: Clock,
    /// What became due on the way. A repeat after a lost answer finds it done and counts nothing.
    pub work_done: WorkDone,
}

/// Which events to list; what is empty takes all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventFilter {
    /// Only agreements and purchases of this buyer.
    pub buyer_account_id: String,
    /// Only agreements, purchases, invoices and months of this payer.
    pub payer_account_id: String,
    /// Only what happened at this time or later.
    pub since: Option<prost_types::Timestamp>,
}

fn service(channel: Channel) -> SandboxServiceClient<Channel> {
    SandboxServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Makes a sandbox from a document or its text, or replaces the one of that name and all it holds.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn put_sandbox(&self, name: &str, source: Source) -> Result<Sandbox, ClientError> {
        let call = Call::PutSandbox;
        let question = PutSandboxRequest { sandbox: name.to_owned(), source: Some(source) };
        let send = |channel, request| async move { service(channel).put_sandbox(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.sandbox, "the sandbox")
    }

    /// Describes a sandbox.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_sandbox(&self, name: &str) -> Result<GetSandboxResponse, ClientError> {
        let question = GetSandboxRequest { sandbox: name.to_owned() };
        let send = |channel, request| async move { service(channel).get_sandbox(request).await };
        self.unary(Call::GetSandbox, question, send).await
    }

    /// Reads a sandbox's clock.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_clock(&self, sandbox: &str) -> Result<Clock, ClientError> {
        let question = GetClockRequest { sandbox: sandbox.to_owned() };
        let send = |channel, request| async move { service(channel).get_clock(request).await };
        let answer = self.unary(Call::GetClock, question, send).await?;
        required(Call::GetClock, answer.clock, "the clock")
    }

    /// Lists a page of the sandboxes, in the order of their names.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_sandboxes(&self, page: PageRequest) -> Result<Page<SandboxSummary>, ClientError> {
        let question = ListSandboxesRequest { page_size: page.size, page_token: page.token };
        let send = |channel, request| async move { service(channel).list_sandboxes(request).await };
        let answer = self.unary(Call::ListSandboxes, question, send).await?;
        Ok(Page { entries: answer.sandboxes, next_page_token: answer.next_page_token })
    }

    /// Lists all sandboxes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_sandboxes(&self) -> Result<Vec<SandboxSummary>, ClientError> {
        paging::all(Call::ListSandboxes, |page| self.list_sandboxes(page)).await
    }

    /// Deletes a sandbox and all it holds. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn delete_sandbox(&self, name: &str) -> Result<(), ClientError> {
        let question = DeleteSandboxRequest { sandbox: name.to_owned() };
        let send = |channel, request| async move { service(channel).delete_sandbox(request).await };
        self.unary(Call::DeleteSandbox, question, send).await?;
        Ok(())
    }

    /// Lets the clock follow the machine's, or stops it at a time.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn set_clock(&self, sandbox: &str, setting: Setting) -> Result<TurnedClock, ClientError> {
        let call = Call::SetClock;
        let clock = Some(ClockSetting { setting: Some(setting) });
        let question = SetClockRequest { sandbox: sandbox.to_owned(), clock };
        let send = |channel, request| async move { service(channel).set_clock(request).await };
        let answer = self.unary(call, question, send).await?;
        turned(call, answer.clock, answer.work_done)
    }

    /// Turns a stopped clock forward. To a time it may be repeated, by a duration it is not.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn advance_clock(&self, sandbox: &str, target: Target) -> Result<TurnedClock, ClientError> {
        let call = match target {
            Target::By(_) => Call::AdvanceClockBy,
            Target::To(_) => Call::AdvanceClockTo,
        };
        let question = AdvanceClockRequest { sandbox: sandbox.to_owned(), target: Some(target) };
        let send = |channel, request| async move { service(channel).advance_clock(request).await };
        let answer = self.unary(call, question, send).await?;
        turned(call, answer.clock, answer.work_done)
    }

    /// Lists a page of what happened in a sandbox, oldest first.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_events(
        &self,
        sandbox: &str,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<Page<SandboxEvent>, ClientError> {
        let question = ListEventsRequest {
            sandbox: sandbox.to_owned(),
            buyer_account_id: filter.buyer_account_id.clone(),
            payer_account_id: filter.payer_account_id.clone(),
            since: filter.since,
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_events(request).await };
        let answer = self.unary(Call::ListEvents, question, send).await?;
        Ok(Page { entries: answer.events, next_page_token: answer.next_page_token })
    }

    /// Lists all that happened in a sandbox and that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_events(
        &self,
        sandbox: &str,
        filter: &EventFilter,
    ) -> Result<Vec<SandboxEvent>, ClientError> {
        paging::all(Call::ListEvents, |page| self.list_events(sandbox, filter, page)).await
    }
}

fn turned(call: Call, clock: Option<Clock>, work_done: Option<WorkDone>) -> Result<TurnedClock, ClientError> {
    // A message of zeros only may be left out.
    Ok(TurnedClock { clock: required(call, clock, "the clock")?, work_done: work_done.unwrap_or_default() })
}
