//! `souk agreement`: offers that buyers accepted.

use clap::Subcommand;
use souk_client::{Accepted, AgreementFilter, EntitlementFilter};
use souk_proto::agreement::v1::{
    AcceptOfferResponse, Agreement, Entitlement, Instalment, UpfrontConfiguration, UpfrontPurchase,
};

use super::args::{self, Pair};
use super::error::CliError;
use super::output::{Column, View, number, text, word};
use super::session::Session;
use super::{json, time};

/// The only duration that annual cover has.
const ANNUAL: &str = "P12M";

#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Accepts an offer for a buyer; what is bought upfront is invoiced at once.
    #[command(after_help = "Examples:
  souk agreement accept offer-1 --buyer 222222222222
  souk agreement accept offer-1 --buyer 222222222222 --duration P12M --quantity m5.large=3 --auto-renew

An offer is never accepted twice by itself: when no answer comes, look at the list before trying again.")]
    Accept {
        /// The offer.
        offer: String,
        /// Who accepts.
        #[arg(long, value_name = "ACCOUNT")]
        buyer: String,
        /// What is bought upfront: for how long.
        #[arg(long, value_name = "ISO8601", requires = "quantities")]
        duration: Option<String>,
        /// What is bought upfront: how much of a dimension.
        #[arg(
            long = "quantity", id = "quantities", value_name = "DIMENSION=NUMBER",
            value_parser = args::quantity, requires = "duration"
        )]
        quantities: Vec<Pair<u64>>,
        /// Renews what is bought upfront at its end.
        #[arg(long)]
        auto_renew: bool,
    },
    /// Buys annual cover on top of a live agreement.
    #[command(after_help = "Example:
  souk agreement add-annual agmt-1 --quantity m5.large=2")]
    AddAnnual {
        /// The agreement.
        agreement: String,
        /// How much of a dimension.
        #[arg(long = "quantity", value_name = "DIMENSION=NUMBER", value_parser = args::quantity, required = true)]
        quantities: Vec<Pair<u64>>,
        /// Renews it at its end.
        #[arg(long)]
        auto_renew: bool,
    },
    /// Changes the quantities of what was bought upfront, for the days that are left.
    #[command(after_help = "Examples:
  souk agreement amend agmt-1 --quantity users=25
  souk agreement amend agmt-1 --purchase 2 --quantity m5.large=1 --quantity r5.large=1

A contract only grows. Annual subscriptions may change types: 0 takes one out, and what is charged must not be less
than what is given back.")]
    Amend {
        /// The agreement.
        agreement: String,
        /// The number of the purchase; needed when several last now.
        #[arg(long, value_name = "NUMBER")]
        purchase: Option<u32>,
        /// The new quantity of a dimension; what is not named stays as it is.
        #[arg(long = "quantity", value_name = "DIMENSION=NUMBER", value_parser = args::quantity, required = true)]
        quantities: Vec<Pair<u64>>,
    },
    /// Gives back what was bought upfront on a public offer, within its refund window.
    #[command(after_help = "Examples:
  souk agreement refund agmt-1
  souk agreement refund agmt-1 --purchase 2

All that was charged comes back in credit memos, for 48 hours after the purchase, or 14 days after it renewed itself.
Later, and of private offers, the seller decides: see souk invoice refund.")]
    Refund {
        /// The agreement.
        agreement: String,
        /// The number of the purchase; needed when several last now.
        #[arg(long, value_name = "NUMBER")]
        purchase: Option<u32>,
    },
    /// Ends an agreement now; what of it is due in instalments is invoiced no more.
    #[command(after_help = "Example:
  souk agreement cancel agmt-1")]
    Cancel {
        /// The agreement.
        agreement: String,
    },
    /// Shows an agreement with what was bought upfront.
    #[command(after_help = "Example:
  souk agreement show agmt-1")]
    Show {
        /// The agreement.
        agreement: String,
    },
    /// Lists agreements.
    #[command(after_help = "Examples:
  souk agreement list
  souk agreement list --buyer 222222222222 --product prod-1")]
    List {
        /// Only of this buyer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        buyer: String,
        /// Only on this product.
        #[arg(long, default_value = "", hide_default_value = true)]
        product: String,
    },
    /// Lists what the live contracts on a product entitle to.
    #[command(after_help = "Examples:
  souk agreement entitlements prod-1
  souk agreement entitlements prod-1 --buyer 222222222222")]
    Entitlements {
        /// The product.
        product: String,
        /// Only of this buyer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        buyer: String,
        /// With those that begin later.
        #[arg(long)]
        scheduled: bool,
    },
}

impl AgreementCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        match self {
            AgreementCommand::Accept { offer, buyer, duration, quantities, auto_renew } => {
                let configuration = match duration {
                    None if !auto_renew => None,
                    duration => Some(configuration(duration.unwrap_or_default(), &quantities, auto_renew)?),
                };
                let client = session.connect().await?;
                let accepted = client.accept_offer(&sandbox, &offer, &buyer, configuration).await?;
                session.show(&purchase(accepted)?)
            }
            AgreementCommand::AddAnnual { agreement, quantities, auto_renew } => {
                let configuration = configuration(ANNUAL.to_owned(), &quantities, auto_renew)?;
                let client = session.connect().await?;
                let accepted = client.add_annual_subscription(&sandbox, &agreement, configuration).await?;
                session.show(&purchase(accepted)?)
            }
            AgreementCommand::Amend { agreement, purchase: number, quantities } => {
                let quantities = args::to_map(&quantities).map_err(CliError::Usage)?;
                let client = session.connect().await?;
                let amended = client.amend_agreement(&sandbox, &agreement, number, quantities).await?;
                session.show(&purchase(amended)?)
            }
            AgreementCommand::Refund { agreement, purchase: number } => {
                let client = session.connect().await?;
                let refunded = client.refund_purchase(&sandbox, &agreement, number).await?;
                session.show(&purchase(refunded)?)
            }
            AgreementCommand::Cancel { agreement } => {
                let ended = session.connect().await?.cancel_agreement(&sandbox, &agreement).await?;
                session.show(&one(&ended)?)
            }
            AgreementCommand::Show { agreement } => {
                let agreement = session.connect().await?.get_agreement(&sandbox, &agreement).await?;
                session.show(&one(&agreement)?)
            }
            AgreementCommand::List { buyer, product } => {
                let filter = AgreementFilter { buyer_account_id: buyer, product_id: product };
                let agreements = session.connect().await?.all_agreements(&sandbox, &filter).await?;
                let rows = agreements.iter().map(row).collect();
                session.show(&View::of_list(columns(), rows, json::of_all(&agreements)?))
            }
            AgreementCommand::Entitlements { product, buyer, scheduled } => {
                let filter = EntitlementFilter {
                    product_id: product,
                    buyer_account_id: buyer,
                    include_scheduled: scheduled,
                };
                let entitlements = session.connect().await?.all_entitlements(&sandbox, &filter).await?;
                session.show(&entitled(&entitlements)?)
            }
        }
    }
}

fn configuration(
    duration: String,
    quantities: &[Pair<u64>],
    auto_renew: bool,
) -> Result<UpfrontConfiguration, CliError> {
    let quantities = args::to_map(quantities).map_err(CliError::Usage)?;
    Ok(UpfrontConfiguration { duration, quantities, auto_renew })
}

/// What a purchase made: the agreement, and the invoices that came with it.
fn purchase(accepted: Accepted) -> Result<View, CliError> {
    let Accepted { agreement, invoice_ids } = accepted;
    let mut view = one(&agreement)?;
    view.facts.push(("invoices", invoice_ids.join(", ")));
    // The answers of AcceptOffer and AddAnnualSubscription look the same.
    view.json = json::of(&AcceptOfferResponse { agreement: Some(agreement), invoice_ids })?;
    Ok(view)
}

fn one(agreement: &Agreement) -> Result<View, CliError> {
    let facts = vec![
        ("agreement_id", agreement.agreement_id.clone()),
        ("initial_agreement_id", agreement.initial_agreement_id.clone()),
        ("license_arn", agreement.license_arn.clone()),
        ("status", status_word(agreement)),
        ("buyer_account_id", agreement.buyer_account_id.clone()),
        ("payer_account_id", agreement.payer_account_id.clone()),
        ("seller_account_id", agreement.seller_account_id.clone()),
        ("product_id", agreement.product_id.clone()),
        ("offer_id", agreement.offer_id.clone()),
        ("acceptance_time", time::show(agreement.acceptance_time.as_ref())),
        ("start_time", time::show(agreement.start_time.as_ref())),
        ("end_time", time::show(agreement.end_time.as_ref())),
        ("agreement_value", agreement.agreement_value.clone()),
    ];
    let mut columns = vec![
        number("number"),
        text("dimension"),
        number("quantity"),
        number("unit_price"),
        text("duration"),
        text("start_time"),
        text("end_time"),
        text("auto_renew"),
    ];
    let purchases = &agreement.upfront_purchases;
    let early = purchases.iter().any(|p| p.amendment_time.is_some() || p.refund_time.is_some());
    columns.extend(early.then_some(["amendment_time", "refund_time"]).into_iter().flatten().map(text));
    let rows = purchases.iter().flat_map(|p| purchase_rows(p, early)).collect();
    let mut view = View::of_facts(facts, json::of(agreement)?).with_sheet("Bought upfront", columns, rows);
    if !agreement.instalments.is_empty() {
        let columns = vec![number("number"), text("due_time"), number("amount"), text("status")];
        let row = |instalment: &Instalment| {
            vec![
                instalment.number.to_string(),
                time::show(instalment.due_time.as_ref()),
                instalment.amount.clone(),
                word(instalment.status().as_str_name(), "INSTALMENT_STATUS_"),
            ]
        };
        let rows = agreement.instalments.iter().map(row).collect();
        view = view.with_sheet("Instalments", columns, rows);
    }
    Ok(view)
}

/// A row for each dimension; with the time of its amendment or refund where some purchase has one.
fn purchase_rows(purchase: &UpfrontPurchase, early: bool) -> impl Iterator<Item = Vec<String>> {
    purchase.quantities.iter().map(move |(dimension, quantity)| {
        let times = [purchase.amendment_time.as_ref(), purchase.refund_time.as_ref()];
        let times = early.then(|| times.map(time::show)).into_iter().flatten();
        let cells = vec![
            purchase.number.to_string(),
            dimension.clone(),
            quantity.to_string(),
            purchase.unit_prices.get(dimension).unwrap_or(&purchase.fixed_price).clone(),
            purchase.duration.clone(),
            time::show(purchase.start_time.as_ref()),
            time::show(purchase.end_time.as_ref()),
            if purchase.auto_renew { "yes" } else { "no" }.to_owned(),
        ];
        cells.into_iter().chain(times).collect()
    })
}

fn entitled(entitlements: &[Entitlement]) -> Result<View, CliError> {
    let columns = vec![
        text("buyer_account_id"),
        text("agreement_id"),
        text("dimension"),
        number("quantity"),
        text("status"),
        text("start_time"),
        text("expiration_time"),
        text("license_arn"),
    ];
    let row = |entitlement: &Entitlement| {
        vec![
            entitlement.buyer_account_id.clone(),
            entitlement.agreement_id.clone(),
            entitlement.dimension.clone(),
            entitlement.quantity.to_string(),
            word(entitlement.status().as_str_name(), "ENTITLEMENT_STATUS_"),
            time::show(entitlement.start_time.as_ref()),
            time::show(entitlement.expiration_time.as_ref()),
            entitlement.license_arn.clone(),
        ]
    };
    Ok(View::of_list(columns, entitlements.iter().map(row).collect(), json::of_all(entitlements)?))
}

fn status_word(agreement: &Agreement) -> String {
    word(agreement.status().as_str_name(), "AGREEMENT_STATUS_")
}

/// The columns of a list of agreements.
pub fn columns() -> Vec<Column> {
    [
        "agreement_id",
        "status",
        "buyer_account_id",
        "payer_account_id",
        "product_id",
        "offer_id",
        "start_time",
        "end_time",
        "license_arn",
    ]
    .map(text)
    .into()
}

/// The row of an agreement.
pub fn row(agreement: &Agreement) -> Vec<String> {
    vec![
        agreement.agreement_id.clone(),
        status_word(agreement),
        agreement.buyer_account_id.clone(),
        agreement.payer_account_id.clone(),
        agreement.product_id.clone(),
        agreement.offer_id.clone(),
        time::show(agreement.start_time.as_ref()),
        time::show(agreement.end_time.as_ref()),
        agreement.license_arn.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use souk_proto::agreement::v1::{AgreementStatus, EntitlementStatus};

    use super::*;

    #[test]
    fn a_purchase_is_shown_with_the_agreement_and_its_invoices() {
        let agreement = Agreement {
            agreement_id: "agmt-1".to_owned(),
            initial_agreement_id: "agmt-1".to_owned(),
            license_arn: "arn:aws:license-manager::294406891311:license:l-1".to_owned(),
            buyer_account_id: "222222222222".to_owned(),
            payer_account_id: "333333333333".to_owned(),
            seller_account_id: "111111111111".to_owned(),
            product_id: "prod-1".to_owned(),
            offer_id: "offer-1".to_owned(),
            acceptance_time: time::parse("2026-03-01T12").ok(),
            start_time: time::parse("2026-03-01T12").ok(),
            status: AgreementStatus::Active.into(),
            agreement_value: "2100.00".to_owned(),
            upfront_purchases: vec![UpfrontPurchase {
                number: 1,
                quantities: [("m5.large".to_owned(), 3)].into(),
                start_time: time::parse("2026-03-01T12").ok(),
                end_time: time::parse("2027-03-01T12").ok(),
                duration: ANNUAL.to_owned(),
                unit_prices: [("m5.large".to_owned(), "700".to_owned())].into(),
                ..UpfrontPurchase::default()
            }],
            ..Agreement::default()
        };
        let view = purchase(Accepted { agreement, invoice_ids: vec!["inv-1".to_owned()] }).unwrap();
        insta::assert_snapshot!(view.to_table(), @r"
        Agreement id          agmt-1
        Initial agreement id  agmt-1
        License arn           arn:aws:license-manager::294406891311:license:l-1
        Status                active
        Buyer account id      222222222222
        Payer account id      333333333333
        Seller account id     111111111111
        Product id            prod-1
        Offer id              offer-1
        Acceptance time       2026-03-01T12:00:00Z
        Start time            2026-03-01T12:00:00Z
        End time
        Agreement value       2100.00
        Invoices              inv-1

        Bought upfront
        Number  Dimension  Quantity  Unit price  Duration  Start time            End time              Auto renew
        ------- ---------- --------- ----------- --------- --------------------- --------------------- -----------
             1  m5.large          3         700  P12M      2026-03-01T12:00:00Z  2027-03-01T12:00:00Z  no
        ");
        assert_eq!(view.json["invoiceIds"][0], "inv-1");
        assert!(!view.to_table().contains("Amendment time"), "there is none");
    }

    #[test]
    fn entitlements_are_shown_with_their_ends() {
        let entitlement = Entitlement {
            product_id: "prod-1".to_owned(),
            dimension: "users".to_owned(),
            quantity: 25,
            expiration_time: time::parse("2027-03-01T12").ok(),
            license_arn: "arn:1".to_owned(),
            buyer_account_id: "222222222222".to_owned(),
            agreement_id: "agmt-1".to_owned(),
            start_time: time::parse("2026-03-01T12").ok(),
            status: EntitlementStatus::Provisioned.into(),
        };
        insta::assert_snapshot!(entitled(&[entitlement]).unwrap().to_table(), @r"
        Buyer account id  Agreement id  Dimension  Quantity  Status       Start time            Expiration time       License arn
        ----------------- ------------- ---------- --------- ------------ --------------------- --------------------- ------------
        222222222222      agmt-1        users            25  provisioned  2026-03-01T12:00:00Z  2027-03-01T12:00:00Z  arn:1
        ");
    }
}
