//! AgreementService.

use souk_core::agreement::{Agreement, Entitlement};
use souk_core::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId, SandboxName};
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_proto::agreement::v1 as proto;
use souk_proto::agreement::v1::agreement_service_server::AgreementService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse};
use super::convert::agreement::{to_proto_agreement, to_proto_entitlement, to_proto_registration_token};
use super::convert::page::page;
use super::convert::terms::from_proto_configuration;
use super::convert::{required, required_text};
use crate::app::Souk;

/// Agreements over gRPC.
pub struct AgreementApi(pub Souk);

/// The buyer that a list is about; none when it is about all.
fn buyer_of(text: &str) -> Result<Option<AccountId>, Status> {
    let given = (!text.is_empty()).then(|| AccountId::from_field(text, "buyerAccountId"));
    given.transpose().map_err(refuse)
}

fn agreement_id(text: &str) -> Result<AgreementId, Status> {
    required_text(text, "agreementId").map(AgreementId::new).map_err(refuse)
}

fn configuration(
    chosen: Option<proto::UpfrontConfiguration>,
) -> Result<Option<UpfrontConfiguration>, Status> {
    chosen.map(from_proto_configuration).transpose().map_err(|r| refuse(r.within("configuration")))
}

impl AgreementApi {
    fn written(&self, name: &SandboxName, agreement: &Agreement) -> Result<proto::Agreement, Status> {
        let market = self.0.market(name).map_err(refuse)?;
        Ok(to_proto_agreement(agreement, market.offers().get(&agreement.offer)))
    }
}

#[tonic::async_trait]
impl AgreementService for AgreementApi {
    async fn accept_offer(
        &self,
        request: Request<proto::AcceptOfferRequest>,
    ) -> Result<Response<proto::AcceptOfferResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let offer = required_text(&request.offer_id, "offerId").map(OfferId::new).map_err(refuse)?;
        let buyer = AccountId::from_field(&request.buyer_account_id, "buyerAccountId").map_err(refuse)?;
        let chosen = configuration(request.configuration)?;
        let agreed = self.0.accept_offer(&name, offer, buyer, chosen).await.map_err(refuse)?;
        Ok(Response::new(proto::AcceptOfferResponse {
            agreement: Some(self.written(&name, &agreed.agreement)?),
            invoice_ids: agreed.invoices.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn add_annual_subscription(
        &self,
        request: Request<proto::AddAnnualSubscriptionRequest>,
    ) -> Result<Response<proto::AddAnnualSubscriptionResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = agreement_id(&request.agreement_id)?;
        let chosen = required(configuration(request.configuration)?, "configuration").map_err(refuse)?;
        let agreed = self.0.add_annual_subscription(&name, id, chosen).await.map_err(refuse)?;
        Ok(Response::new(proto::AddAnnualSubscriptionResponse {
            agreement: Some(self.written(&name, &agreed.agreement)?),
            invoice_ids: agreed.invoices.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn amend_agreement(
        &self,
        request: Request<proto::AmendAgreementRequest>,
    ) -> Result<Response<proto::AmendAgreementResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = agreement_id(&request.agreement_id)?;
        let purchase = (request.purchase_number > 0).then_some(request.purchase_number);
        let quantities =
            request.quantities.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect();
        let agreed = self.0.amend_agreement(&name, id, purchase, quantities).await.map_err(refuse)?;
        Ok(Response::new(proto::AmendAgreementResponse {
            agreement: Some(self.written(&name, &agreed.agreement)?),
            invoice_ids: agreed.invoices.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn refund_purchase(
        &self,
        request: Request<proto::RefundPurchaseRequest>,
    ) -> Result<Response<proto::RefundPurchaseResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = agreement_id(&request.agreement_id)?;
        let purchase = (request.purchase_number > 0).then_some(request.purchase_number);
        let refunded = self.0.refund_purchase(&name, id, purchase).await.map_err(refuse)?;
        Ok(Response::new(proto::RefundPurchaseResponse {
            agreement: Some(self.written(&name, &refunded.agreement)?),
            invoice_ids: refunded.invoices.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn cancel_agreement(
        &self,
        request: Request<proto::CancelAgreementRequest>,
    ) -> Result<Response<proto::CancelAgreementResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let agreement =
            self.0.cancel_agreement(&name, agreement_id(&request.agreement_id)?).await.map_err(refuse)?;
        Ok(Response::new(proto::CancelAgreementResponse {
            agreement: Some(self.written(&name, &agreement)?),
        }))
    }

    async fn get_agreement(
        &self,
        request: Request<proto::GetAgreementRequest>,
    ) -> Result<Response<proto::GetAgreementResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let agreement =
            self.0.agreement(&name, agreement_id(&request.agreement_id)?).await.map_err(refuse)?;
        Ok(Response::new(proto::GetAgreementResponse { agreement: Some(self.written(&name, &agreement)?) }))
    }

    async fn list_agreements(
        &self,
        request: Request<proto::ListAgreementsRequest>,
    ) -> Result<Response<proto::ListAgreementsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let buyer = buyer_of(&request.buyer_account_id)?;
        let product = (!request.product_id.is_empty()).then(|| ProductId::new(&request.product_id));
        let agreements = self.0.agreements(&name, buyer, product).await.map_err(refuse)?;
        let list = format!("agreements of {name} {} {}", request.buyer_account_id, request.product_id);
        let key = |a: &souk_core::agreement::Agreement| format!("{} {:010}", a.payer, a.number);
        let (agreements, next_page_token) =
            page(&list, agreements, key, request.page_size, &request.page_token).map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let agreements =
            agreements.iter().map(|a| to_proto_agreement(a, market.offers().get(&a.offer))).collect();
        Ok(Response::new(proto::ListAgreementsResponse { agreements, next_page_token }))
    }

    async fn list_entitlements(
        &self,
        request: Request<proto::ListEntitlementsRequest>,
    ) -> Result<Response<proto::ListEntitlementsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let product = required_text(&request.product_id, "productId").map(ProductId::new).map_err(refuse)?;
        let buyer = buyer_of(&request.buyer_account_id)?;
        let scheduled = request.include_scheduled;
        let entitlements =
            self.0.entitlements(&name, product.clone(), buyer, scheduled).await.map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let now = self.0.now(&market);
        let list = format!("entitlements of {name} {} {product} {scheduled}", request.buyer_account_id);
        let key = |e: &Entitlement| format!("{} {} {}", e.buyer, e.agreement, e.dimension);
        let (entitlements, next_page_token) =
            page(&list, entitlements, key, request.page_size, &request.page_token).map_err(refuse)?;
        let entitlements = entitlements.iter().map(|e| to_proto_entitlement(e, &product, now)).collect();
        Ok(Response::new(proto::ListEntitlementsResponse { entitlements, next_page_token }))
    }

    async fn create_registration_token(
        &self,
        request: Request<proto::CreateRegistrationTokenRequest>,
    ) -> Result<Response<proto::CreateRegistrationTokenResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let agreement = agreement_id(&request.agreement_id)?;
        let token = self.0.registration_token(&name, agreement).await.map_err(refuse)?;
        let token = Some(to_proto_registration_token(&token, &name));
        Ok(Response::new(proto::CreateRegistrationTokenResponse { token }))
    }
}
