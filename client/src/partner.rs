//! The partner programs.

use souk_proto::partner::v1::partner_program_service_client::PartnerProgramServiceClient;
use souk_proto::partner::v1::{
    AssessReferralsRequest, AssessReferralsResponse, AssessTierRequest, AssessTierResponse,
    DecideActivateCreditsRequest, DecideActivateCreditsResponse, GetReferralContactDateRequest,
    GetTierReviewDateRequest,
};
use tonic::transport::Channel;

use crate::{Call, ClientError, MESSAGE_SIZE_MAX, SoukClient};

fn service(channel: Channel) -> PartnerProgramServiceClient<Channel> {
    PartnerProgramServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Asks how many credits of AWS Activate an application is granted.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn decide_activate_credits(
        &self,
        application: DecideActivateCreditsRequest,
    ) -> Result<DecideActivateCreditsResponse, ClientError> {
        let send = |channel, request| async move { service(channel).decide_activate_credits(request).await };
        self.unary(Call::DecideActivateCredits, application, send).await
    }

    /// Asks whether a partner gets referrals of AWS.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn assess_referrals(
        &self,
        partner: AssessReferralsRequest,
    ) -> Result<AssessReferralsResponse, ClientError> {
        let send = |channel, request| async move { service(channel).assess_referrals(request).await };
        self.unary(Call::AssessReferrals, partner, send).await
    }

    /// Asks by when a partner gets in touch with who was referred to it, as YYYY-MM-DD.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn referral_contact_date(
        &self,
        referral: GetReferralContactDateRequest,
    ) -> Result<String, ClientError> {
        let send =
            |channel, request| async move { service(channel).get_referral_contact_date(request).await };
        Ok(self.unary(Call::GetReferralContactDate, referral, send).await?.last_date)
    }

    /// Asks whether a partner meets what a tier asks for.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn assess_tier(&self, tier: AssessTierRequest) -> Result<AssessTierResponse, ClientError> {
        let send = |channel, request| async move { service(channel).assess_tier(request).await };
        self.unary(Call::AssessTier, tier, send).await
    }

    /// Asks when who was a partner before April 2019 is reviewed, as YYYY-MM-DD.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn tier_review_date(&self, renewal_date: &str) -> Result<String, ClientError> {
        let question = GetTierReviewDateRequest { renewal_date: renewal_date.to_owned() };
        let send = |channel, request| async move { service(channel).get_tier_review_date(request).await };
        Ok(self.unary(Call::GetTierReviewDate, question, send).await?.review_date)
    }
}
