//! `souk sandbox`: makes, shows and deletes sandboxes.

use std::path::PathBuf;

use clap::Subcommand;
use souk_client::ClientError;
use souk_proto::sandbox::v1::put_sandbox_request::Source;
use souk_proto::sandbox::v1::{
    Clock, GetSandboxResponse, IdenticalRetry, MeteringWindow, OfferIdColumn, Rules, RulesProfile, Sandbox,
    SandboxSummary,
};

use super::error::{CliError, excerpt};
use super::output::{View, text, word};
use super::session::{Session, read_text};
use super::{agreement, json, product, time};

#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Makes a sandbox from a document, or replaces the one of that name and all it holds.
    #[command(after_help = "Examples:
  souk sandbox put market.yaml
  souk sandbox put - --name spring-sale")]
    Put {
        /// The document as YAML or JSON; `-` reads stdin.
        file: PathBuf,
        /// The sandbox to make; the one of --sandbox when absent.
        #[arg(long)]
        name: Option<String>,
    },
    /// Shows what a sandbox holds: its rules, products, agreements and buyers' identifiers.
    #[command(after_help = "Examples:
  souk sandbox show
  souk sandbox show spring-sale --output json")]
    Show {
        /// The sandbox; the one of --sandbox when absent.
        name: Option<String>,
    },
    /// Lists the sandboxes.
    #[command(after_help = "Example:
  souk sandbox list --output csv")]
    List,
    /// Deletes a sandbox and all it holds.
    #[command(after_help = "Example:
  souk sandbox delete spring-sale")]
    Delete {
        /// The sandbox.
        name: String,
    },
}

impl SandboxCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        match self {
            SandboxCommand::Put { file, name } => {
                let name = name.unwrap_or_else(|| session.sandbox.clone());
                let (origin, document) = read_text(&file)?;
                let client = session.connect().await?;
                let made = client.put_sandbox(&name, Source::Text(document.clone())).await;
                let sandbox = made.map_err(|error| with_place(error, &origin, &document))?;
                session.show(&View::of_facts(facts(&sandbox), json::of(&sandbox)?))
            }
            SandboxCommand::Show { name } => {
                let name = name.unwrap_or_else(|| session.sandbox.clone());
                let answer = session.connect().await?.get_sandbox(&name).await?;
                session.show(&whole(&answer)?)
            }
            SandboxCommand::List => {
                let sandboxes = session.connect().await?.all_sandboxes().await?;
                session.show(&list(&sandboxes)?)
            }
            SandboxCommand::Delete { name } => {
                session.connect().await?.delete_sandbox(&name).await?;
                session.note(&format!("sandbox {name} is deleted"));
                Ok(())
            }
        }
    }
}

/// Shows the line of the document that a refusal names by `line` and `column` in its metadata.
fn with_place(error: ClientError, origin: &str, document: &str) -> CliError {
    let number = |key: &str| {
        let value = error.refusal().and_then(|refusal| refusal.metadata.get(key));
        value.and_then(|value| value.parse::<usize>().ok()).unwrap_or(0)
    };
    match (error.refusal(), number("line"), number("column")) {
        (None, _, _) | (_, 0, _) => error.into(),
        (Some(refusal), line, column) => {
            let reason = refusal.reason.as_deref().unwrap_or("no reason code");
            // The place is shown already.
            let mut problem = refusal.message.replace(&format!("line {line}, column {column}: "), "");
            for violation in refusal.further_violations() {
                problem.push_str(&format!("\n  {violation}"));
            }
            problem.push_str(&format!("\n  {} was refused: {reason}", refusal.call));
            let (place, excerpt) = excerpt(origin, document, line, column);
            CliError::Refused { place, problem, excerpt }
        }
    }
}

fn facts(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let mut facts = vec![("name", sandbox.name.clone())];
    if !sandbox.description.is_empty() {
        facts.push(("description", sandbox.description.clone()));
    }
    facts.extend([
        ("now", time::show(sandbox.clock.and_then(|clock| clock.now).as_ref())),
        ("clock", clock_word(sandbox.clock.as_ref()).to_owned()),
        ("accounts", sandbox.account_count.to_string()),
        ("products", sandbox.product_count.to_string()),
        ("offers", sandbox.offer_count.to_string()),
        ("agreements", sandbox.agreement_count.to_string()),
        ("invoices", sandbox.invoice_count.to_string()),
    ]);
    facts
}

/// How a clock runs.
pub fn clock_word(clock: Option<&Clock>) -> &'static str {
    match clock {
        Some(clock) if clock.following => "follows the machine",
        Some(_) => "stopped",
        None => "",
    }
}

fn whole(answer: &GetSandboxResponse) -> Result<View, CliError> {
    let facts = answer.sandbox.as_ref().map(facts).unwrap_or_default();
    let rules = answer.sandbox.as_ref().and_then(|sandbox| sandbox.rules.as_ref());
    let identifier_rows = answer.customer_identifiers.iter().map(|identifier| {
        vec![
            identifier.seller_account_id.clone(),
            identifier.buyer_account_id.clone(),
            identifier.customer_identifier.clone(),
        ]
    });
    Ok(View::of_facts(facts, json::of(answer)?)
        .with_sheet("Products", product::columns(), answer.products.iter().map(product::row).collect())
        .with_sheet(
            "Agreements",
            agreement::columns(),
            answer.agreements.iter().map(agreement::row).collect(),
        )
        .with_sheet(
            "Customer identifiers",
            vec![text("seller_account_id"), text("buyer_account_id"), text("customer_identifier")],
            identifier_rows.collect(),
        )
        .with_sheet("Rules", vec![text("rule"), text("value")], rules.map(rule_rows).unwrap_or_default()))
}

fn rule_rows(rules: &Rules) -> Vec<Vec<String>> {
    let number = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    let profile: RulesProfile = rules.profile();
    let window: MeteringWindow = rules.metering_window();
    let offer_id: OfferIdColumn = rules.offer_id_column();
    let retry: IdenticalRetry = rules.identical_retry();
    [
        ("profile", word(profile.as_str_name(), "RULES_PROFILE_")),
        ("max_dimensions", number(rules.max_dimensions)),
        ("max_private_offer_buyers", number(rules.max_private_offer_buyers)),
        ("metering_window", word(window.as_str_name(), "METERING_WINDOW_")),
        ("decreases_immediate", rules.decreases_immediate.map(|yes| yes.to_string()).unwrap_or_default()),
        ("offer_id_column", word(offer_id.as_str_name(), "OFFER_ID_COLUMN_")),
        ("identical_retry", word(retry.as_str_name(), "IDENTICAL_RETRY_")),
    ]
    .into_iter()
    .map(|(rule, value)| vec![rule.to_owned(), value])
    .collect()
}

fn list(sandboxes: &[SandboxSummary]) -> Result<View, CliError> {
    let row = |sandbox: &SandboxSummary| {
        vec![
            sandbox.name.clone(),
            time::show(sandbox.clock.and_then(|clock| clock.now).as_ref()),
            clock_word(sandbox.clock.as_ref()).to_owned(),
            sandbox.description.clone(),
        ]
    };
    let columns = vec![text("name"), text("now"), text("clock"), text("description")];
    Ok(View::of_list(columns, sandboxes.iter().map(row).collect(), json::of_all(sandboxes)?))
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;
    use souk_client::{Call, Refusal};

    use super::*;

    #[test]
    fn a_sandbox_is_shown_with_its_rules() {
        let answer = GetSandboxResponse {
            sandbox: Some(Sandbox {
                name: "default".to_owned(),
                clock: Some(Clock { now: Some(Timestamp::default()), following: false }),
                rules: Some(Rules { max_dimensions: Some(24), metering_window: 4, ..Rules::default() }),
                account_count: 3,
                ..Sandbox::default()
            }),
            ..GetSandboxResponse::default()
        };
        insta::assert_snapshot!(whole(&answer).unwrap().to_table(), @r"
        Name        default
        Now         1970-01-01T00:00:00Z
        Clock       stopped
        Accounts    3
        Products    0
        Offers      0
        Agreements  0
        Invoices    0

        Rules
        Rule                      Value
        ------------------------- ------------
        profile                   unspecified
        max_dimensions            24
        max_private_offer_buyers
        metering_window           open_month
        decreases_immediate
        offer_id_column           unspecified
        identical_retry           unspecified
        ");
    }

    #[test]
    fn a_refusal_with_a_place_shows_the_line_of_the_document() {
        let refusal = Refusal {
            call: Call::PutSandbox,
            code: tonic::Code::InvalidArgument,
            reason: Some("DOCUMENT_MALFORMED".to_owned()),
            message: "unknown field \"tittle\"".to_owned(),
            violations: Vec::new(),
            metadata: [("line", "2"), ("column", "5")].map(|(key, value)| (key.into(), value.into())).into(),
            retry_after: None,
        };
        let error = ClientError::Refused(Box::new(refusal));
        let told = with_place(error, "market.yaml", "products:\n  - tittle: Souk\n");
        let mut printed = Vec::new();
        told.print(&mut printed).unwrap();
        insta::assert_snapshot!(String::from_utf8(printed).unwrap(), @r#"
        souk: market.yaml:2:5: unknown field "tittle"
          PutSandbox was refused: DOCUMENT_MALFORMED
            - tittle: Souk
              ^
        "#);
        assert_eq!(told.exit_code(), 1);
    }
}
