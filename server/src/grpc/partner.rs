//! PartnerProgramService: every answer follows from its question.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use souk_core::partner_programs::referrals::{self, Partner, Path};
use souk_core::partner_programs::{activate, tiers};
use souk_core::rejection::{Code, Rejection};
use souk_proto::partner::v1 as proto;
use souk_proto::partner::v1::assess_tier_request::Tier;
use souk_proto::partner::v1::partner_program_service_server::PartnerProgramService;
use tonic::{Request, Response, Status};

use super::answer::refuse;
use super::convert::time::{from_proto_date, to_proto_date};

/// The programs over gRPC.
pub struct PartnerApi;

fn dates(texts: &[String], field: &str) -> Result<Vec<NaiveDate>, Rejection> {
    let date = |(index, text): (usize, &String)| from_proto_date(text, &format!("{field}[{index}]"));
    texts.iter().enumerate().map(date).collect()
}

fn partner(request: &proto::AssessReferralsRequest) -> Result<Partner, Rejection> {
    let path = match proto::ReferralPath::try_from(request.path) {
        Ok(proto::ReferralPath::Select) => Path::Select,
        Ok(proto::ReferralPath::Advanced) => Path::Advanced,
        Ok(proto::ReferralPath::Premier) => Path::Premier,
        Ok(proto::ReferralPath::Isv) => Path::Isv,
        Ok(proto::ReferralPath::Unspecified) | Err(_) => {
            let message = format!(
                "{} is no way to referrals: take SELECT, ADVANCED, PREMIER or ISV (K4)",
                request.path
            );
            return Err(Rejection::new(Code::FieldInvalid, "path", message));
        }
    };
    Ok(Partner {
        path,
        asked_on: from_proto_date(&request.asked_date, "askedDate")?,
        validated_on: dates(&request.validated_dates, "validatedDates")?,
        is_listed: request.listed,
        programs: request.programs,
        sends_updates: request.sends_updates,
        is_confirmed: request.confirmed,
    })
}

#[tonic::async_trait]
impl PartnerProgramService for PartnerApi {
    async fn decide_activate_credits(
        &self,
        request: Request<proto::DecideActivateCreditsRequest>,
    ) -> Result<Response<proto::DecideActivateCreditsResponse>, Status> {
        let proto::DecideActivateCreditsRequest { received_usd, applied_for_usd } = request.into_inner();
        let activate::Decision { granted_usd, reason } =
            activate::decide(received_usd, applied_for_usd).map_err(refuse)?;
        let approved = granted_usd > 0;
        Ok(Response::new(proto::DecideActivateCreditsResponse { approved, granted_usd, reason }))
    }

    async fn assess_referrals(
        &self,
        request: Request<proto::AssessReferralsRequest>,
    ) -> Result<Response<proto::AssessReferralsResponse>, Status> {
        let partner = partner(&request.into_inner()).map_err(refuse)?;
        let lacks = referrals::lacks(&partner).map_err(refuse)?;
        Ok(Response::new(proto::AssessReferralsResponse { eligible: lacks.is_empty(), lacks }))
    }

    async fn get_referral_contact_date(
        &self,
        request: Request<proto::GetReferralContactDateRequest>,
    ) -> Result<Response<proto::GetReferralContactDateResponse>, Status> {
        let request = request.into_inner();
        let referred_on = from_proto_date(&request.referred_date, "referredDate").map_err(refuse)?;
        let holidays: BTreeSet<_> =
            dates(&request.holidays, "holidays").map_err(refuse)?.into_iter().collect();
        let last = referrals::contact_by(referred_on, &holidays).map_err(refuse)?;
        Ok(Response::new(proto::GetReferralContactDateResponse { last_date: to_proto_date(last) }))
    }

    async fn assess_tier(
        &self,
        request: Request<proto::AssessTierRequest>,
    ) -> Result<Response<proto::AssessTierResponse>, Status> {
        let lacks = match request.into_inner().tier {
            Some(Tier::Select(select)) => {
                tiers::select_lacks(select.business_accredited, select.technical_accredited)
            }
            Some(Tier::Premier(premier)) => tiers::premier_lacks(premier.months_all_met),
            None => {
                let message = "say which tier is applied for: select or premier (K3)";
                return Err(refuse(Rejection::new(Code::FieldMissing, "tier", message)));
            }
        };
        Ok(Response::new(proto::AssessTierResponse { met: lacks.is_empty(), lacks }))
    }

    async fn get_tier_review_date(
        &self,
        request: Request<proto::GetTierReviewDateRequest>,
    ) -> Result<Response<proto::GetTierReviewDateResponse>, Status> {
        let renewal = from_proto_date(&request.into_inner().renewal_date, "renewalDate").map_err(refuse)?;
        let review_date = to_proto_date(tiers::review_on(renewal));
        Ok(Response::new(proto::GetTierReviewDateResponse { review_date }))
    }
}
