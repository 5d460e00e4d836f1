//! What may happen in a scenario: one file for each action, and its line in [`ALL`].
//!
//! An action says which keys it takes, of which the reader, the schema and the messages about mistakes are made, and
//! how it is played. What the server answers it gives back for `gives`; a refusal it leaves to `refused`.

mod accept;
mod add_account;
mod add_dimensions;
mod amend;
mod authorize_resale;
mod buy_annual;
mod cancel;
mod change_prices;
mod create_offer;
mod create_product;
mod hours;
mod meter;
mod meter_inferences;
mod meter_runs;
mod pay;
mod refund;
mod refund_purchase;
mod restrict_resale;
mod run;

use souk_client::AgreementFilter;
use souk_proto::agreement::v1::{AgreementStatus, UpfrontConfiguration};

use super::reading::Reading;
use super::shape::{Args, Takes};
use super::world::{Playing, Stop, World};

/// A kind of action.
pub struct Kind {
    /// The key in a step.
    pub key: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What it takes: a mapping, or a message of the contract.
    pub takes: Takes,
    /// The message that it answers with, if any.
    pub gives: Option<&'static str>,
    /// What must hold between its keys, and what is known from here on.
    pub check: fn(&mut Reading, &Args),
    /// Plays it. A message stands under the key `message`.
    pub play: for<'a> fn(&'a mut World, &'a Args) -> Playing<'a>,
}

/// Every kind of action.
pub static ALL: &[&Kind] = &[
    &meter::KIND,
    &run::KIND,
    &meter_runs::KIND,
    &meter_inferences::KIND,
    &accept::KIND,
    &buy_annual::KIND,
    &amend::KIND,
    &cancel::KIND,
    &refund::KIND,
    &refund_purchase::KIND,
    &change_prices::KIND,
    &authorize_resale::KIND,
    &restrict_resale::KIND,
    &create_offer::KIND,
    &create_product::KIND,
    &add_dimensions::KIND,
    &add_account::KIND,
    &pay::KIND,
];

const AGREEMENT: &str = "souk.agreement.v1.Agreement";

/// One of two ways to say which agreement.
fn check_agreement(reading: &mut Reading, args: &Args) {
    let said = args.has("agreement") || (args.has("buyer") && args.has("product"));
    if !said {
        let remedy = "say `agreement:`, or `buyer:` and `product:`";
        reading.error(args.position, "it is not said which agreement".to_owned(), remedy);
    }
}

/// The agreement that a step names, or the one live agreement of its buyer on its product.
async fn agreement_id(world: &World, args: &Args) -> Result<String, Stop> {
    if let Some(text) = args.text("agreement") {
        return Ok(world.agreement_id(text));
    }
    let filter = AgreementFilter {
        buyer_account_id: world.names.account(args.text("buyer").unwrap_or_default()),
        product_id: world.product_id(args.text("product").unwrap_or_default()),
    };
    let mut live = world.client.all_agreements(&world.sandbox, &filter).await?;
    live.retain(|agreement| agreement.status() == AgreementStatus::Active);
    match live.as_slice() {
        [only] => Ok(only.agreement_id.clone()),
        several => Err(Stop::Wrong {
            position: args.position("buyer"),
            problem: format!("the buyer has {} live agreements on the product", several.len()),
            remedy: "say which with `agreement:`".to_owned(),
        }),
    }
}

/// What is bought upfront; none when nothing is said of it.
fn configuration(args: &Args, duration: &str) -> Option<UpfrontConfiguration> {
    let said = ["duration", "quantities", "autoRenew"].iter().any(|name| args.has(name));
    said.then(|| UpfrontConfiguration {
        duration: args.text("duration").unwrap_or(duration).to_owned(),
        quantities: args.counts("quantities"),
        auto_renew: args.flag("autoRenew"),
    })
}
