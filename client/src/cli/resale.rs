//! `souk resale-authorization`: who may sell the products of others.

use std::path::PathBuf;

use clap::Subcommand;
use souk_client::OfferFilter;
use souk_proto::catalog::v1::ResaleAuthorization;

use super::error::CliError;
use super::output::{View, text, word};
use super::session::{Session, read_text};
use super::{json, offer_view, time};

#[derive(Debug, Subcommand)]
pub enum ResaleCommand {
    /// Lets a reseller sell a product by private offers, at its own prices, for wholesale prices.
    #[command(after_help = "Example:
  souk resale-authorization create authorization.json

The file holds the JSON form of souk.catalog.v1.ResaleAuthorization:
  {\"productId\": \"prod-1\", \"resellerAccountId\": \"444444444444\", \"name\": \"North\",
   \"discountPercentage\": \"20\"}
In place of discountPercentage, terms hold prices: usageBasedPricing and configurableUpfrontPricing.")]
    Create {
        /// The authorization as JSON; `-` reads stdin.
        file: PathBuf,
    },
    /// Ends the release of offers with an authorization; those that were released stay.
    #[command(after_help = "Example:
  souk resale-authorization restrict resaleauthz-1")]
    Restrict {
        /// The authorization.
        authorization: String,
    },
    /// Lists the authorizations that an account granted or holds.
    #[command(after_help = "Examples:
  souk resale-authorization list
  souk resale-authorization list --as 444444444444 --product prod-1")]
    List {
        /// The account that looks; the operator, who sees all, when absent.
        #[arg(long = "as", value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        viewer: String,
        /// Only authorizations of this product.
        #[arg(long, default_value = "", hide_default_value = true)]
        product: String,
    },
}

impl ResaleCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        match self {
            ResaleCommand::Create { file } => {
                let (origin, text) = read_text(&file)?;
                let authorization = json::parse(&origin, &text)?;
                let client = session.connect().await?;
                let granted = client.create_resale_authorization(&sandbox, authorization).await?;
                session.show(&one(&granted)?)
            }
            ResaleCommand::Restrict { authorization } => {
                let client = session.connect().await?;
                let restricted = client.restrict_resale_authorization(&sandbox, &authorization).await?;
                session.show(&one(&restricted)?)
            }
            ResaleCommand::List { viewer, product } => {
                let filter = OfferFilter { account_id: viewer, product_id: product };
                let all = session.connect().await?.all_resale_authorizations(&sandbox, &filter).await?;
                let columns = ["resale_authorization_id", "product_id", "reseller_account_id", "name"];
                let columns = columns.into_iter().chain(["status", "use", "wholesale"]).map(text).collect();
                session.show(&View::of_list(columns, all.iter().map(row).collect(), json::of_all(&all)?))
            }
        }
    }
}

fn row(authorization: &ResaleAuthorization) -> Vec<String> {
    vec![
        authorization.resale_authorization_id.clone(),
        authorization.product_id.clone(),
        authorization.reseller_account_id.clone(),
        authorization.name.clone(),
        status(authorization),
        uses(authorization),
        wholesale(authorization),
    ]
}

fn status(authorization: &ResaleAuthorization) -> String {
    word(authorization.status().as_str_name(), "RESALE_AUTHORIZATION_STATUS_")
}

/// For how many offers, and until when.
fn uses(authorization: &ResaleAuthorization) -> String {
    let offers = if authorization.single_use { "one offer" } else { "any offers" };
    match authorization.availability_end_date.as_str() {
        "" => offers.to_owned(),
        day => format!("{offers} until {day}"),
    }
}

fn wholesale(authorization: &ResaleAuthorization) -> String {
    match authorization.discount_percentage.as_str() {
        "" => "prices".to_owned(),
        discount => format!("{discount} % less than the public offer"),
    }
}

/// One authorization with its prices.
fn one(authorization: &ResaleAuthorization) -> Result<View, CliError> {
    let mut facts = vec![
        ("resale_authorization_id", authorization.resale_authorization_id.clone()),
        ("product_id", authorization.product_id.clone()),
        ("reseller_account_id", authorization.reseller_account_id.clone()),
        ("name", authorization.name.clone()),
        ("description", authorization.description.clone()),
        ("status", status(authorization)),
        ("use", uses(authorization)),
        ("wholesale", wholesale(authorization)),
        ("grant_time", time::show(authorization.grant_time.as_ref())),
    ];
    if let Some(restricted) = &authorization.restriction_time {
        facts.push(("restriction_time", time::show(Some(restricted))));
    }
    if !authorization.buyer_account_ids.is_empty() {
        facts.push(("buyers", authorization.buyer_account_ids.join(", ")));
    }
    let view = View::of_facts(facts, json::of(authorization)?);
    Ok(match authorization.terms.is_empty() {
        true => view,
        false => offer_view::with_terms(view, "Wholesale prices", &authorization.terms),
    })
}

#[cfg(test)]
mod tests {
    use souk_proto::catalog::v1::ResaleAuthorizationStatus;
    use souk_proto::terms::v1::term::Term as Kind;
    use souk_proto::terms::v1::{Term, UsageBasedPricingTerm};

    use super::*;

    #[test]
    fn an_authorization_is_shown_with_its_wholesale_prices() {
        let usage = UsageBasedPricingTerm {
            currency_code: "USD".to_owned(),
            rate_card: [("users".to_owned(), "0.20".to_owned())].into(),
        };
        let authorization = ResaleAuthorization {
            resale_authorization_id: "resaleauthz-1".to_owned(),
            product_id: "prod-1".to_owned(),
            reseller_account_id: "444444444444".to_owned(),
            name: "North".to_owned(),
            single_use: true,
            availability_end_date: "2026-03-31".to_owned(),
            terms: vec![Term { term: Some(Kind::UsageBasedPricing(usage)) }],
            buyer_account_ids: vec!["222222222222".to_owned()],
            status: ResaleAuthorizationStatus::Restricted.into(),
            grant_time: time::parse("2026-01-01").ok(),
            restriction_time: time::parse("2026-02-01").ok(),
            ..ResaleAuthorization::default()
        };
        insta::assert_snapshot!(one(&authorization).unwrap().to_table(), @r"
        Resale authorization id  resaleauthz-1
        Product id               prod-1
        Reseller account id      444444444444
        Name                     North
        Description
        Status                   restricted
        Use                      one offer until 2026-03-31
        Wholesale                prices
        Grant time               2026-01-01T00:00:00Z
        Restriction time         2026-02-01T00:00:00Z
        Buyers                   222222222222

        Wholesale prices
        Term                 Duration  Dimension  Price  Currency code
        -------------------- --------- ---------- ------ --------------
        usage_based_pricing            users       0.20  USD
        ");
        let open = ResaleAuthorization {
            single_use: false,
            availability_end_date: String::new(),
            discount_percentage: "12.5".to_owned(),
            ..authorization
        };
        let shown = row(&open).split_off(4);
        assert_eq!(shown, ["restricted", "any offers", "12.5 % less than the public offer"]);
    }
}
