//! `souk offer`: on which terms products are sold.

use std::path::PathBuf;

use clap::Subcommand;
use souk_client::OfferFilter;

use super::args::{self, Pair, UpfrontPrice};
use super::error::CliError;
use super::output::View;
use super::session::{Session, read_text};
use super::{json, offer_view};

#[derive(Debug, Subcommand)]
pub enum OfferCommand {
    /// Releases an offer: the public one of a product, or a private one.
    #[command(after_help = "Example:
  souk offer create offer.json

The file holds the JSON form of souk.catalog.v1.Offer:
  {\"productId\": \"prod-1\", \"name\": \"Public\",
   \"terms\": [{\"usageBasedPricing\": {\"currencyCode\": \"USD\", \"rateCard\": {\"hosts\": \"0.10\"}}}]}")]
    Create {
        /// The offer as JSON; `-` reads stdin.
        file: PathBuf,
    },
    /// Shows an offer with its terms and price changes.
    #[command(after_help = "Examples:
  souk offer show offer-1
  souk offer show offer-1 --as 222222222222")]
    Show {
        /// The offer.
        offer: String,
        /// The account that looks; the operator, who sees all, when absent.
        #[arg(long = "as", value_name = "ACCOUNT")]
        viewer: Option<String>,
    },
    /// Lists the offers that an account may see.
    #[command(after_help = "Examples:
  souk offer list
  souk offer list --as 222222222222 --product prod-1")]
    List {
        /// The account that looks; the operator, who sees all, when absent.
        #[arg(long = "as", value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        viewer: String,
        /// Only offers of this product.
        #[arg(long, default_value = "", hide_default_value = true)]
        product: String,
    },
    /// Changes prices of a public offer: for new subscribers at once, for existing ones after notice.
    #[command(after_help = "Examples:
  souk offer change-prices offer-1 hosts=0.12 users=0.50
  souk offer change-prices offer-1 --upfront P12M:m5.large=700")]
    ChangePrices {
        /// The offer.
        offer: String,
        /// New usage prices.
        #[arg(value_name = "DIMENSION=PRICE", value_parser = args::price, required_unless_present = "upfront")]
        prices: Vec<Pair<String>>,
        /// New upfront prices.
        #[arg(long, value_name = "DURATION:DIMENSION=PRICE", value_parser = args::upfront_price)]
        upfront: Vec<UpfrontPrice>,
    },
}

impl OfferCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        match self {
            OfferCommand::Create { file } => {
                let (origin, text) = read_text(&file)?;
                let offer = json::parse(&origin, &text)?;
                let released = session.connect().await?.create_offer(&sandbox, offer).await?;
                session.show(&offer_view::released(&released)?)
            }
            OfferCommand::Show { offer, viewer } => {
                let answer = session.connect().await?.get_offer(&sandbox, &offer, viewer.as_deref()).await?;
                session.show(&offer_view::whole(&answer)?)
            }
            OfferCommand::List { viewer, product } => {
                let filter = OfferFilter { account_id: viewer, product_id: product };
                let offers = session.connect().await?.all_offers(&sandbox, &filter).await?;
                let rows = offers.iter().map(offer_view::row).collect();
                session.show(&View::of_list(offer_view::columns(), rows, json::of_all(&offers)?))
            }
            OfferCommand::ChangePrices { offer, prices, upfront } => {
                let rate_card = args::to_map(&prices).map_err(CliError::Usage)?;
                let cards = args::to_rate_cards(&upfront).map_err(CliError::Usage)?;
                let client = session.connect().await?;
                let change = client.change_prices(&sandbox, &offer, rate_card, cards).await?;
                session.show(&offer_view::price_change(&change)?)
            }
        }
    }
}
