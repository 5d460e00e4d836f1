//! Agreements: accepting offers, adding cover, ending.

use std::collections::BTreeMap;

use souk_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use souk_proto::agreement::v1::{
    AcceptOfferRequest, AddAnnualSubscriptionRequest, Agreement, AmendAgreementRequest,
    CancelAgreementRequest, Entitlement, GetAgreementRequest, ListAgreementsRequest, ListEntitlementsRequest,
    RefundPurchaseRequest, UpfrontConfiguration,
};
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, paging};

/// What a purchase made.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The agreement as it stands now.
    pub agreement: Agreement,
    /// The invoices of what was bought upfront.
    pub invoice_ids: Vec<String>,
}

/// Which agreements to list; empty fields take all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgreementFilter {
    /// Only of this buyer.
    pub buyer_account_id: String,
    /// Only on this product.
    pub product_id: String,
}

/// Which entitlements to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntitlementFilter {
    /// On this product.
    pub product_id: String,
    /// Only of this buyer; empty takes all.
    pub buyer_account_id: String,
    /// With those that begin later.
    pub include_scheduled: bool,
}

fn service(channel: Channel) -> AgreementServiceClient<Channel> {
    AgreementServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Accepts an offer for a buyer. Never repeated by itself: look before you try again.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn accept_offer(
        &self,
        sandbox: &str,
        offer_id: &str,
        buyer_account_id: &str,
        configuration: Option<UpfrontConfiguration>,
    ) -> Result<Accepted, ClientError> {
        let call = Call::AcceptOffer;
        let question = AcceptOfferRequest {
            sandbox: sandbox.to_owned(),
            offer_id: offer_id.to_owned(),
            buyer_account_id: buyer_account_id.to_owned(),
            configuration,
        };
        let send = |channel, request| async move { service(channel).accept_offer(request).await };
        let answer = self.unary(call, question, send).await?;
        let agreement = required(call, answer.agreement, "the agreement")?;
        Ok(Accepted { agreement, invoice_ids: answer.invoice_ids })
    }

    /// Buys annual cover on top of a live agreement. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn add_annual_subscription(
        &self,
        sandbox: &str,
        agreement_id: &str,
        configuration: UpfrontConfiguration,
    ) -> Result<Accepted, ClientError> {
        let call = Call::AddAnnualSubscription;
        let question = AddAnnualSubscriptionRequest {
            sandbox: sandbox.to_owned(),
            agreement_id: agreement_id.to_owned(),
            configuration: Some(configuration),
        };
        let send = |channel, request| async move { service(channel).add_annual_subscription(request).await };
        let answer = self.unary(call, question, send).await?;
        let agreement = required(call, answer.agreement, "the agreement")?;
        Ok(Accepted { agreement, invoice_ids: answer.invoice_ids })
    }

    /// Changes the quantities of an upfront purchase: what is not named stays, 0 takes a dimension out. Never repeated
    /// by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn amend_agreement(
        &self,
        sandbox: &str,
        agreement_id: &str,
        purchase_number: Option<u32>,
        quantities: BTreeMap<String, u64>,
    ) -> Result<Accepted, ClientError> {
        let call = Call::AmendAgreement;
        let question = AmendAgreementRequest {
            sandbox: sandbox.to_owned(),
            agreement_id: agreement_id.to_owned(),
            purchase_number: purchase_number.unwrap_or_default(),
            quantities,
        };
        let send = |channel, request| async move { service(channel).amend_agreement(request).await };
        let answer = self.unary(call, question, send).await?;
        let agreement = required(call, answer.agreement, "the agreement")?;
        Ok(Accepted { agreement, invoice_ids: answer.invoice_ids })
    }

    /// Gives back what was bought upfront on a public offer, within its refund window. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn refund_purchase(
        &self,
        sandbox: &str,
        agreement_id: &str,
        purchase_number: Option<u32>,
    ) -> Result<Accepted, ClientError> {
        let call = Call::RefundPurchase;
        let question = RefundPurchaseRequest {
            sandbox: sandbox.to_owned(),
            agreement_id: agreement_id.to_owned(),
            purchase_number: purchase_number.unwrap_or_default(),
        };
        let send = |channel, request| async move { service(channel).refund_purchase(request).await };
        let answer = self.unary(call, question, send).await?;
        let agreement = required(call, answer.agreement, "the agreement")?;
        Ok(Accepted { agreement, invoice_ids: answer.invoice_ids })
    }

    /// Ends an agreement now. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn cancel_agreement(
        &self,
        sandbox: &str,
        agreement_id: &str,
    ) -> Result<Agreement, ClientError> {
        let call = Call::CancelAgreement;
        let question =
            CancelAgreementRequest { sandbox: sandbox.to_owned(), agreement_id: agreement_id.to_owned() };
        let send = |channel, request| async move { service(channel).cancel_agreement(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.agreement, "the agreement")
    }

    /// Reads an agreement.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_agreement(&self, sandbox: &str, agreement_id: &str) -> Result<Agreement, ClientError> {
        let call = Call::GetAgreement;
        let question =
            GetAgreementRequest { sandbox: sandbox.to_owned(), agreement_id: agreement_id.to_owned() };
        let send = |channel, request| async move { service(channel).get_agreement(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.agreement, "the agreement")
    }

    /// Lists a page of the agreements, in the order of their acceptance, payer by payer.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_agreements(
        &self,
        sandbox: &str,
        filter: &AgreementFilter,
        page: PageRequest,
    ) -> Result<Page<Agreement>, ClientError> {
        let question = ListAgreementsRequest {
            sandbox: sandbox.to_owned(),
            buyer_account_id: filter.buyer_account_id.clone(),
            product_id: filter.product_id.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_agreements(request).await };
        let answer = self.unary(Call::ListAgreements, question, send).await?;
        Ok(Page { entries: answer.agreements, next_page_token: answer.next_page_token })
    }

    /// Lists all agreements that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_agreements(
        &self,
        sandbox: &str,
        filter: &AgreementFilter,
    ) -> Result<Vec<Agreement>, ClientError> {
        paging::all(Call::ListAgreements, |page| self.list_agreements(sandbox, filter, page)).await
    }

    /// Lists a page of what the live contracts on a product entitle to, by buyer, agreement and dimension.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_entitlements(
        &self,
        sandbox: &str,
        filter: &EntitlementFilter,
        page: PageRequest,
    ) -> Result<Page<Entitlement>, ClientError> {
        let question = ListEntitlementsRequest {
            sandbox: sandbox.to_owned(),
            product_id: filter.product_id.clone(),
            buyer_account_id: filter.buyer_account_id.clone(),
            include_scheduled: filter.include_scheduled,
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_entitlements(request).await };
        let answer = self.unary(Call::ListEntitlements, question, send).await?;
        Ok(Page { entries: answer.entitlements, next_page_token: answer.next_page_token })
    }

    /// Lists all entitlements that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_entitlements(
        &self,
        sandbox: &str,
        filter: &EntitlementFilter,
    ) -> Result<Vec<Entitlement>, ClientError> {
        paging::all(Call::ListEntitlements, |page| self.list_entitlements(sandbox, filter, page)).await
    }
}
