//! SandboxService.

use std::collections::BTreeSet;

use souk_core::agreement::Agreement;
use souk_core::catalog::account::customer_identifier;
use souk_core::ids::AccountId;
use souk_core::machine::history::HistoryFilter;
use souk_core::rejection::{Code, Rejection};
use souk_proto::sandbox::v1 as proto;
use souk_proto::sandbox::v1::sandbox_service_server::SandboxService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse, refuse_at};
use super::convert::agreement::{to_proto_agreement, to_proto_registration_token};
use super::convert::catalog::to_proto_product;
use super::convert::events::{from_proto_event_key, to_proto_event, to_proto_event_key};
use super::convert::page::{first_page, from_proto_page_size, from_proto_page_token, page};
use super::convert::required;
use super::convert::rules::to_proto_rules;
use super::convert::sandbox::{
    from_proto_clock_setting, from_proto_document, to_proto_clock, to_proto_public_key,
};
use super::convert::time::{from_proto_optional_time, from_proto_span_micros, from_proto_time};
use crate::app::Souk;
use crate::app::registration_token::RegistrationToken;
use crate::app::sandboxes::{Description, Target, Turned};
use crate::control::DocumentPlan;
use crate::document::{self, Positions};
use crate::error::AppError;
use crate::partition::handle::WorkDone;

/// Sandboxes over gRPC.
pub struct SandboxApi(pub Souk);

#[tonic::async_trait]
impl SandboxService for SandboxApi {
    async fn put_sandbox(
        &self,
        request: Request<proto::PutSandboxRequest>,
    ) -> Result<Response<proto::PutSandboxResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let (plan, positions) = plan(request.source).await?;
        let put = self.0.put_sandbox(&name, plan).await;
        let description = put.map_err(|error| match &positions {
            Some(positions) => refuse_at(error, positions),
            None => refuse(error),
        })?;
        Ok(Response::new(proto::PutSandboxResponse { sandbox: Some(self.sandbox(&description)) }))
    }

    async fn get_sandbox(
        &self,
        request: Request<proto::GetSandboxRequest>,
    ) -> Result<Response<proto::GetSandboxResponse>, Status> {
        let name = name_of(&request.into_inner().sandbox)?;
        let description = self.0.describe_sandbox(&name).await.map_err(refuse)?;
        let market = &description.market;
        let public_keys = self.0.public_keys(market).await.map_err(refuse)?;
        Ok(Response::new(proto::GetSandboxResponse {
            sandbox: Some(self.sandbox(&description)),
            products: market.products().values().map(to_proto_product).collect(),
            agreements: description
                .agreements
                .iter()
                .map(|a| to_proto_agreement(a, market.offers().get(&a.offer)))
                .collect(),
            customer_identifiers: customer_identifiers(&description),
            registration_tokens: registration_tokens(&description),
            public_keys: public_keys.iter().map(to_proto_public_key).collect(),
        }))
    }

    async fn list_sandboxes(
        &self,
        request: Request<proto::ListSandboxesRequest>,
    ) -> Result<Response<proto::ListSandboxesResponse>, Status> {
        let request = request.into_inner();
        let key = |market: &std::sync::Arc<souk_core::catalog::Marketplace>| market.name.to_string();
        let all = self.0.published.all();
        let (markets, next_page_token) =
            page("sandboxes", all, key, request.page_size, &request.page_token).map_err(refuse)?;
        let summary = |market: &std::sync::Arc<souk_core::catalog::Marketplace>| proto::SandboxSummary {
            name: market.name.to_string(),
            description: market.description.clone(),
            clock: Some(to_proto_clock(market.clock, self.0.clock.now())),
        };
        let sandboxes = markets.iter().map(summary).collect();
        Ok(Response::new(proto::ListSandboxesResponse { sandboxes, next_page_token }))
    }

    async fn delete_sandbox(
        &self,
        request: Request<proto::DeleteSandboxRequest>,
    ) -> Result<Response<proto::DeleteSandboxResponse>, Status> {
        let name = name_of(&request.into_inner().sandbox)?;
        self.0.delete_sandbox(&name).await.map_err(refuse)?;
        Ok(Response::new(proto::DeleteSandboxResponse {}))
    }

    async fn get_clock(
        &self,
        request: Request<proto::GetClockRequest>,
    ) -> Result<Response<proto::GetClockResponse>, Status> {
        let name = name_of(&request.into_inner().sandbox)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let clock = Some(to_proto_clock(market.clock, self.0.clock.now()));
        Ok(Response::new(proto::GetClockResponse { clock }))
    }

    async fn set_clock(
        &self,
        request: Request<proto::SetClockRequest>,
    ) -> Result<Response<proto::SetClockResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let setting = required(request.clock, "clock").map_err(refuse)?;
        if setting.setting.is_none() {
            let message = "say how the clock shall run: at a time, or following the machine's";
            return Err(refuse(Rejection::new(Code::FieldMissing, "clock", message)));
        }
        let plan = from_proto_clock_setting(setting).map_err(|r| refuse(r.within("clock")))?;
        let turned = self.0.set_clock(&name, plan).await.map_err(refuse)?;
        let (clock, work_done) = self.turned(&turned);
        Ok(Response::new(proto::SetClockResponse { clock, work_done }))
    }

    async fn advance_clock(
        &self,
        request: Request<proto::AdvanceClockRequest>,
    ) -> Result<Response<proto::AdvanceClockResponse>, Status> {
        use proto::advance_clock_request::Target as Wanted;
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let target = match required(request.target, "target").map_err(refuse)? {
            Wanted::By(by) => from_proto_span_micros(Some(by), "by").map(Target::By),
            Wanted::To(to) => from_proto_time(Some(to), "to").map(Target::To),
        };
        let turned = self.0.advance_clock(&name, target.map_err(refuse)?).await.map_err(refuse)?;
        let (clock, work_done) = self.turned(&turned);
        Ok(Response::new(proto::AdvanceClockResponse { clock, work_done }))
    }

    async fn list_events(
        &self,
        request: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let account = |text: &str, field| {
            let given = (!text.is_empty()).then(|| AccountId::from_field(text, field));
            given.transpose().map_err(refuse)
        };
        let (buyer, payer) = (&request.buyer_account_id, &request.payer_account_id);
        let filter = HistoryFilter {
            buyer: account(buyer, "buyerAccountId")?,
            payer: account(payer, "payerAccountId")?,
            since: from_proto_optional_time(request.since, "since").map_err(refuse)?,
        };
        let list = format!("events of {name} {buyer} {payer} {:?}", filter.since);
        let size = from_proto_page_size(request.page_size).map_err(refuse)?;
        let after = from_proto_page_token(&list, &request.page_token).map_err(refuse)?;
        let after = after.as_deref().and_then(from_proto_event_key);
        let events = self.0.history(&name, filter, after, size + 1).await.map_err(refuse)?;
        let key = |(position, _): &_| to_proto_event_key(position);
        let (events, next_page_token) = first_page(&list, events, key, size);
        let events = events.into_iter().map(|(position, happening)| to_proto_event(position.time, happening));
        Ok(Response::new(proto::ListEventsResponse { events: events.collect(), next_page_token }))
    }
}

impl SandboxApi {
    fn sandbox(&self, description: &Description) -> proto::Sandbox {
        let market = &description.market;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        proto::Sandbox {
            name: market.name.to_string(),
            description: market.description.clone(),
            clock: Some(to_proto_clock(market.clock, self.0.clock.now())),
            rules: Some(to_proto_rules(&market.rules)),
            account_count: count(market.accounts().len()),
            product_count: count(market.products().len()),
            offer_count: count(market.offers().len()),
            agreement_count: count(description.agreements.len()),
            invoice_count: count(description.invoices),
        }
    }

    fn turned(&self, turned: &Turned) -> (Option<proto::Clock>, Option<proto::WorkDone>) {
        let WorkDone { invoices, agreements_ended, months_closed } = turned.done;
        let work_done = proto::WorkDone {
            invoices_issued: invoices,
            agreements_ended,
            payer_months_closed: months_closed,
        };
        (Some(to_proto_clock(turned.clock, self.0.clock.now())), Some(work_done))
    }
}

/// A document, as a message or as text, with the places of a text.
async fn plan(
    source: Option<proto::put_sandbox_request::Source>,
) -> Result<(DocumentPlan, Option<Positions>), Status> {
    use proto::put_sandbox_request::Source;
    match required(source, "document").map_err(refuse)? {
        Source::Document(document) => Ok((from_proto_document(document).map_err(refuse)?, None)),
        Source::Text(text) => {
            // Reading a large text takes a while: not on a thread that serves others.
            let read = tokio::task::spawn_blocking(move || document::parse_located(&text)).await;
            let located = read
                .map_err(|_| super::status::internal())?
                .map_err(|errors| refuse(AppError::from(errors)))?;
            let positions = located.positions;
            let plan = from_proto_document(located.document).map_err(|r| refuse_at(r.into(), &positions))?;
            Ok((plan, Some(positions)))
        }
    }
}

/// The identifiers of every seller's subscribers.
fn customer_identifiers(description: &Description) -> Vec<proto::CustomerIdentifier> {
    let pairs: BTreeSet<_> = description.agreements.iter().map(|a| (a.seller, a.buyer)).collect();
    let identifier = |(seller, buyer)| proto::CustomerIdentifier {
        seller_account_id: format!("{seller}"),
        buyer_account_id: format!("{buyer}"),
        customer_identifier: customer_identifier(seller, buyer),
    };
    pairs.into_iter().map(identifier).collect()
}

/// A token of each live agreement.
fn registration_tokens(description: &Description) -> Vec<souk_proto::agreement::v1::RegistrationToken> {
    let market = &description.market;
    let live = description.agreements.iter().filter(|agreement| agreement.is_active());
    let token = |agreement: &Agreement| {
        let token = RegistrationToken::new(agreement.id.clone(), &market.rules, description.now);
        to_proto_registration_token(&token, &market.name)
    };
    live.map(token).collect()
}
