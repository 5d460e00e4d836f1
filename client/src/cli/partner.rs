//! `souk partner`: what AWS's partner programs decide by numbers.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use souk_proto::partner::v1::assess_tier_request::Tier;
use souk_proto::partner::v1::{
    AssessReferralsRequest, AssessTierRequest, DecideActivateCreditsRequest, GetReferralContactDateRequest,
    PremierTier, ReferralPath, SelectTier,
};

use super::error::CliError;
use super::output::{View, number, text};
use super::session::Session;
use super::time;

#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// How many credits of AWS Activate an application is granted: what the offer is above those before.
    #[command(after_help = "Example:
  souk partner activate --received 5000 --applied-for 25000")]
    Activate {
        /// Whole US dollars of credits that were issued before, used or not.
        #[arg(long, value_name = "USD", default_value_t = 0)]
        received: u64,
        /// Whole US dollars of the offer.
        #[arg(long, value_name = "USD")]
        applied_for: u64,
    },
    /// Whether a partner gets referrals of AWS, and what it lacks.
    #[command(after_help = "Examples:
  souk partner referrals advanced --on 2025-01-15 --listed --updates
  souk partner referrals select --on 2025-01-15 --validated 2024-06-01,2024-07-01 --listed --updates --programs 1
  souk partner referrals isv --on 2025-01-15 --confirmed --validated 2024-06-01 --listed --updates")]
    Referrals(Referrals),
    /// By when a partner gets in touch with who was referred to it: the third business day after.
    #[command(after_help = "Examples:
  souk partner contact --referred 2025-01-10
  souk partner contact --referred 2024-12-31 --holiday 2025-01-01")]
    Contact {
        /// The day of the referral.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = time::parse_date)]
        referred: String,
        /// A holiday; Saturdays and Sundays are no business days in any case.
        #[arg(long = "holiday", value_name = "YYYY-MM-DD", value_parser = time::parse_date, value_delimiter = ',')]
        holidays: Vec<String>,
    },
    /// Whether a consulting partner has the people of the Select tier.
    #[command(after_help = "Example:
  souk partner select --business 2 --technical 2")]
    Select {
        /// People whose highest accreditation is a business one.
        #[arg(long, value_name = "PEOPLE")]
        business: u32,
        /// People whose highest accreditation is a technical one.
        #[arg(long, value_name = "PEOPLE")]
        technical: u32,
    },
    /// Whether a partner may apply for the Premier tier.
    #[command(after_help = "Example:
  souk partner premier --months 6")]
    Premier {
        /// Whole months in which it has met everything that the tier asks for.
        #[arg(long, value_name = "MONTHS")]
        months: u32,
    },
    /// When who was a partner before April 2019 is reviewed by the requirements of that year.
    #[command(after_help = "Example:
  souk partner review --renewal 2020-06-30")]
    Review {
        /// The day on which its membership is renewed.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = time::parse_date)]
        renewal: String,
    },
}

/// A partner, as far as referrals depend on it.
#[derive(Debug, Args)]
pub struct Referrals {
    /// The way on which referrals are asked for.
    #[arg(value_enum)]
    path: Path,
    /// The day on which is asked: opportunities of the twelve months before count.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = time::parse_date)]
    on: String,
    /// The days on which opportunities were validated, each as often as there were some.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = time::parse_date, value_delimiter = ',')]
    validated: Vec<String>,
    /// It is listed in the Solutions Finder.
    #[arg(long)]
    listed: bool,
    /// In how many of the eight programs it is.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    programs: u32,
    /// It sends updates of the referrals that it has.
    #[arg(long)]
    updates: bool,
    /// Of a software company: it is confirmed on its path.
    #[arg(long)]
    confirmed: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Path {
    /// The Select tier.
    Select,
    /// The Advanced tier.
    Advanced,
    /// The Premier tier.
    Premier,
    /// The path of software companies.
    Isv,
}

impl Referrals {
    fn into_message(self) -> AssessReferralsRequest {
        let path = match self.path {
            Path::Select => ReferralPath::Select,
            Path::Advanced => ReferralPath::Advanced,
            Path::Premier => ReferralPath::Premier,
            Path::Isv => ReferralPath::Isv,
        };
        AssessReferralsRequest {
            path: path.into(),
            asked_date: self.on,
            validated_dates: self.validated,
            listed: self.listed,
            programs: self.programs,
            sends_updates: self.updates,
            confirmed: self.confirmed,
        }
    }
}

impl PartnerCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let client = session.connect().await?;
        let view = match self {
            PartnerCommand::Activate { received, applied_for } => {
                let question =
                    DecideActivateCreditsRequest { received_usd: received, applied_for_usd: applied_for };
                let answer = client.decide_activate_credits(question).await?;
                let row = vec![yes(answer.approved), answer.granted_usd.to_string(), answer.reason.clone()];
                let columns = vec![text("approved"), number("granted"), text("reason")];
                let json = json!({
                    "approved": answer.approved, "grantedUsd": answer.granted_usd, "reason": answer.reason
                });
                View::of_list(columns, vec![row], json)
            }
            PartnerCommand::Referrals(referrals) => {
                let answer = client.assess_referrals(referrals.into_message()).await?;
                assessed("eligible", answer.eligible, &answer.lacks)
            }
            PartnerCommand::Contact { referred, holidays } => {
                let question = GetReferralContactDateRequest { referred_date: referred, holidays };
                date("last date", "lastDate", client.referral_contact_date(question).await?)
            }
            PartnerCommand::Select { business, technical } => {
                let tier = SelectTier { business_accredited: business, technical_accredited: technical };
                let question = AssessTierRequest { tier: Some(Tier::Select(tier)) };
                let answer = client.assess_tier(question).await?;
                assessed("met", answer.met, &answer.lacks)
            }
            PartnerCommand::Premier { months } => {
                let tier = PremierTier { months_all_met: months };
                let question = AssessTierRequest { tier: Some(Tier::Premier(tier)) };
                let answer = client.assess_tier(question).await?;
                assessed("met", answer.met, &answer.lacks)
            }
            PartnerCommand::Review { renewal } => {
                date("review date", "reviewDate", client.tier_review_date(&renewal).await?)
            }
        };
        session.show(&view)
    }
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn assessed(question: &str, is_so: bool, lacks: &[String]) -> View {
    let json = json!({ question: is_so, "lacks": lacks });
    View::of_list(vec![text(question), text("lacks")], vec![vec![yes(is_so), lacks.join("; ")]], json)
}

fn date(column: &str, key: &str, day: String) -> View {
    let json = json!({ key: day });
    View::of_list(vec![text(column)], vec![vec![day]], json)
}
