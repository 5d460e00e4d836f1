//! `souk fault`: faults that the AWS port makes on purpose.

use std::path::PathBuf;

use clap::{ArgGroup, Subcommand};
use serde_json::Value;
use souk_proto::fault::v1::fault_rule::Calls;
use souk_proto::fault::v1::{FaultCount, FaultRule, SetFaultsRequest};

use super::error::{CliError, wrong_input};
use super::json;
use super::output::{View, number, text, word};
use super::session::{Session, read_text};

/// What the kinds' names begin with in the contract.
const KIND: &str = "FAULT_KIND_";

#[derive(Debug, Subcommand)]
pub enum FaultCommand {
    /// Sets the faults of the sandbox in the place of those before; all of them begin anew.
    #[command(group(ArgGroup::new("rules").args(["file", "json"]).required(true)))]
    #[command(after_help = "Examples:
  souk fault set faults.json
  souk fault set --json {\"faults\":[{\"operation\":\"BatchMeterUsage\",\"nthCall\":1,\"kind\":\"THROTTLE\"}]}

Kinds: THROTTLE, INTERNAL_ERROR, UNPROCESSED_RECORDS (records), LATENCY (latency), CUT_BEFORE_COMMIT,
CUT_AFTER_COMMIT, EXPIRED_TOKEN. Each strikes every call, the nthCall, or each with a probability and a seed.")]
    Set {
        /// The rules as JSON: {\"faults\": [...]}; `-` reads stdin.
        file: Option<PathBuf>,
        /// The same in place of a file.
        #[arg(long, value_name = "TEXT")]
        json: Option<String>,
    },
    /// Lists the faults, how many calls each was asked about, and how many it struck.
    #[command(after_help = "Example:
  souk fault list --output csv")]
    List,
    /// Leaves no fault.
    #[command(after_help = "Example:
  souk fault clear --sandbox spring-sale")]
    Clear,
}

impl FaultCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        let faults = match self {
            FaultCommand::Set { file, json } => {
                let rules = match (file, json) {
                    (Some(file), _) => read_text(&file).and_then(|(origin, text)| read(&origin, &text))?,
                    (None, json) => read("--json", &json.unwrap_or_default())?,
                };
                session.connect().await?.set_faults(&sandbox, rules).await?
            }
            FaultCommand::List => session.connect().await?.list_faults(&sandbox).await?,
            FaultCommand::Clear => session.connect().await?.set_faults(&sandbox, Vec::new()).await?,
        };
        session.show(&list(&faults)?)
    }
}

/// Reads rules; kinds may be written without what all of their names begin with.
fn read(origin: &str, text: &str) -> Result<Vec<FaultRule>, CliError> {
    let mut message: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let problem = error.to_string();
        // The place is said in front already.
        let problem = problem.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&problem);
        wrong_input(origin, text, line, column, problem)
    })?;
    for rule in message.get_mut("faults").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::String(kind)) = rule.get_mut("kind")
            && !kind.starts_with(KIND)
        {
            kind.insert_str(0, KIND);
        }
    }
    Ok(json::from_value::<SetFaultsRequest>(origin, message)?.faults)
}

fn list(faults: &[FaultCount]) -> Result<View, CliError> {
    let columns = vec![
        text("operation"),
        text("strikes"),
        number("seed"),
        text("kind"),
        text("how_much"),
        number("calls"),
        number("struck"),
    ];
    Ok(View::of_list(columns, faults.iter().map(row).collect(), json::of_all(faults)?))
}

fn row(count: &FaultCount) -> Vec<String> {
    let rule = count.rule.clone().unwrap_or_default();
    let (strikes, seed) = match rule.calls {
        None => ("every call".to_owned(), String::new()),
        Some(Calls::NthCall(nth)) => (format!("call {nth}"), String::new()),
        Some(Calls::Probability(probability)) => (probability.to_string(), rule.seed.to_string()),
    };
    let how_much = match (&rule.latency, rule.records) {
        (Some(latency), _) => latency.to_string(),
        (None, Some(records)) => format!("{records} records"),
        (None, None) => String::new(),
    };
    let operation = if rule.operation.is_empty() { "every".to_owned() } else { rule.operation.clone() };
    let kind = word(rule.kind().as_str_name(), KIND);
    vec![operation, strikes, seed, kind, how_much, count.calls.to_string(), count.struck.to_string()]
}

#[cfg(test)]
mod tests {
    use souk_proto::fault::v1::FaultKind;

    use super::*;

    #[test]
    fn faults_are_read_with_short_kinds_and_shown() {
        let text = r#"{"faults": [
            {"operation": "BatchMeterUsage", "nthCall": 2, "kind": "UNPROCESSED_RECORDS", "records": 3},
            {"probability": 0.05, "seed": "7", "kind": "FAULT_KIND_CUT_AFTER_COMMIT"},
            {"operation": "MeterUsage", "kind": "LATENCY", "latency": "1.5s"}
        ]}"#;
        let rules = read("faults.json", text).unwrap();
        assert_eq!(rules[0].kind(), FaultKind::UnprocessedRecords);
        let count = |(struck, rule)| FaultCount { rule: Some(rule), calls: 12, struck };
        let counts: Vec<_> = (0..).zip(rules).map(count).collect();
        insta::assert_snapshot!(list(&counts).unwrap().to_table(), @r"
        Operation        Strikes     Seed  Kind                 How much   Calls  Struck
        ---------------- ----------- ----- -------------------- ---------- ------ -------
        BatchMeterUsage  call 2            unprocessed_records  3 records     12       0
        every            0.05           7  cut_after_commit                   12       1
        MeterUsage       every call        latency              1.500s        12       2
        ");
    }

    #[test]
    fn rules_that_cannot_be_read_are_told_with_their_place() {
        for (text, expected) in [
            ("{", "faults.json:1:1: "),
            (r#"{"faults": [{"kind": "HAIL"}]}"#, "faults.json"),
            (r#"{"fault": []}"#, "faults.json"),
            ("", "faults.json:1"),
        ] {
            let error = read("faults.json", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text} gave {error}");
        }
    }
}
