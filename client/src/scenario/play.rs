//! Plays a scenario: makes its sandbox, turns the clock from step to step, and compares.

use prost_types::Timestamp;
use souk_client::{ClientError, Refusal, SoukClient};
use souk_proto::document::Position;
use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::put_sandbox_request::Source;

use super::actual::Actual;
use super::compare::{self, Difference, Row};
use super::directory::Directory;
use super::expectation;
use super::expected::Items;
use super::explain;
use super::file::{Deed, Outcome, Refused, Scenario, Step};
use super::world::{Stop, World};

/// What came of a scenario.
#[derive(Debug, Default)]
pub struct Played {
    /// How many values were compared.
    pub checked: usize,
    /// What is not as expected.
    pub failures: Vec<Failure>,
    /// A mistake in the scenario or its sandbox document, which only the server could find.
    pub mistake: Option<Mistake>,
}

/// Something that is not as expected.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When, in the sandbox's time.
    pub at: Timestamp,
    /// Why it should be so, in the scenario's words; may be empty.
    pub because: String,
    /// What differs.
    pub difference: Difference,
    /// How an amount came about; may be empty.
    pub explanation: Vec<String>,
}

/// A mistake that the server found.
#[derive(Debug)]
pub struct Mistake {
    /// Where.
    pub position: Position,
    /// Whether it stands in the file of the sandbox document.
    pub in_sandbox_file: bool,
    /// What is wrong.
    pub problem: String,
}

/// Plays a scenario in a sandbox of this name, which is made for it.
pub async fn play(client: &SoukClient, sandbox: &str, scenario: &Scenario) -> Result<Played, ClientError> {
    let made = client.put_sandbox(sandbox, Source::Document(scenario.document.clone())).await;
    if let Err(error) = made {
        let Some(refusal) = error.refusal() else { return Err(error) };
        return Ok(Played { mistake: Some(of_document(scenario, refusal)), ..Played::default() });
    }
    let mut world = World {
        client: client.clone(),
        sandbox: sandbox.to_owned(),
        names: Directory::new(scenario.given.clone()),
        now: Timestamp::default(),
        reports: Vec::new(),
    };
    world.names.refresh(client, sandbox).await?;
    let mut played = Played::default();
    for step in &scenario.steps {
        if world.now != step.at {
            if let Err(error) = client.advance_clock(sandbox, Target::To(step.at)).await {
                let Some(refusal) = error.refusal() else { return Err(error) };
                let problem = format!("the clock cannot be turned to this time: {}", refusal.message);
                played.mistake = Some(Mistake { position: step.position, in_sandbox_file: false, problem });
                break;
            }
            world.now = step.at;
        }
        match one_step(&mut world, step, &mut played).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(Stop::Client(error)) => match error.refusal() {
                Some(refusal) => {
                    let differences =
                        vec![unexpected_refusal(step.position, "the steps after it are not played", refusal)];
                    fail(&world, step, &mut played, differences).await;
                    break;
                }
                None => return Err(error),
            },
            Err(Stop::Differs(differences)) => fail(&world, step, &mut played, differences).await,
            Err(Stop::Wrong { position, problem, remedy }) => {
                let problem = format!("{problem}; {remedy}");
                played.mistake = Some(Mistake { position, in_sandbox_file: false, problem });
                break;
            }
        }
    }
    Ok(played)
}

/// Where the document is wrong: the server names the path.
fn of_document(scenario: &Scenario, refusal: &Refusal) -> Mistake {
    let field = refusal.violations.first().map(|violation| violation.field.as_str()).unwrap_or_default();
    let path = field.strip_prefix("document.").unwrap_or(field);
    let reason = refusal.reason.as_deref().unwrap_or("no reason code");
    let problem = format!("the sandbox is refused: {} ({reason})", refusal.message);
    Mistake {
        position: scenario.positions.find(path),
        in_sandbox_file: scenario.sandbox_file.is_some(),
        problem,
    }
}

/// Answers whether it makes sense to go on.
async fn one_step(world: &mut World, step: &Step, played: &mut Played) -> Result<bool, Stop> {
    match &step.deed {
        Deed::Expect(expected) => {
            for (kind, position, items) in expected {
                played.checked += compare::count(items);
                let differences = match expect(world, kind, *position, items).await {
                    Err(Stop::Client(error)) => match error.refusal() {
                        Some(refusal) => {
                            vec![unexpected_refusal(*position, "nothing can be compared", refusal)]
                        }
                        None => return Err(Stop::Client(error)),
                    },
                    looked => looked?,
                };
                fail(world, step, played, differences).await;
            }
            Ok(true)
        }
        Deed::Action(kind, args, outcome) => {
            let answer = (kind.play)(world, args).await;
            match (outcome, answer) {
                (Outcome::Refused(refused), answer) => {
                    played.checked += 1;
                    let go_on = answer.is_err();
                    let differences = match answer {
                        Ok(_) => vec![not_refused(refused)],
                        Err(Stop::Client(error)) if error.refusal().is_some() => {
                            error.refusal().map(|refusal| other_refusal(refused, refusal)).unwrap_or_default()
                        }
                        Err(stop) => return Err(stop),
                    };
                    fail(world, step, played, differences).await;
                    Ok(go_on)
                }
                (Outcome::Gives(expected), Ok(answer)) => {
                    played.checked += compare::count_one(expected);
                    let answer = answer.unwrap_or(Actual::Fields(Vec::new()));
                    let differences = compare::one(kind.key, expected, &answer, &world.names);
                    fail(world, step, played, differences).await;
                    Ok(true)
                }
                (Outcome::Done, Ok(_)) => Ok(true),
                (_, Err(stop)) => Err(stop),
            }
        }
    }
}

async fn expect(
    world: &mut World,
    kind: &expectation::Kind,
    position: Position,
    items: &Items,
) -> Result<Vec<Difference>, Stop> {
    let found = (kind.look)(world, items).await?;
    Ok(compare::items(kind.key, position, items, &found, &world.names))
}

async fn fail(world: &World, step: &Step, played: &mut Played, differences: Vec<Difference>) {
    for difference in differences {
        let explanation = explain::line(world, &difference).await;
        let because = step.because.clone();
        played.failures.push(Failure { at: step.at, because, difference, explanation });
    }
}

fn refusal_row(field: &str, expected: &str, actual: &str, differs: bool) -> Row {
    Row { field: field.to_owned(), expected: expected.to_owned(), actual: actual.to_owned(), differs }
}

fn unexpected_refusal(position: Position, so: &str, refusal: &Refusal) -> Difference {
    let mut rows =
        vec![refusal_row("refused", "", refusal.reason.as_deref().unwrap_or("no reason code"), true)];
    rows.push(refusal_row("message", "", &refusal.message, true));
    rows.extend(
        refusal.further_violations().map(|violation| refusal_row("field", "", &violation.to_string(), true)),
    );
    let problem = format!("{} was refused; {so}", refusal.call);
    Difference { position, problem, rows, item: None, around: None }
}

fn not_refused(refused: &Refused) -> Difference {
    let rows = vec![refusal_row("refused", &refused.code, "", true)];
    let problem = "it was not refused; the steps after it are not played".to_owned();
    Difference { position: refused.position, problem, rows, item: None, around: None }
}

fn other_refusal(refused: &Refused, refusal: &Refusal) -> Vec<Difference> {
    let code = refusal.reason.as_deref().unwrap_or("no reason code");
    let fields: Vec<&str> = refusal.violations.iter().map(|violation| violation.field.as_str()).collect();
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let is_field = |field: &&str| plain(field).contains(&plain(&refused.field));
    let has_words = refusal.message.to_lowercase().contains(&refused.message.to_lowercase());
    let mut rows = vec![refusal_row("code", &refused.code, code, code != refused.code)];
    if !refused.message.is_empty() {
        rows.push(refusal_row("message", &refused.message, &refusal.message, !has_words));
    }
    if !refused.field.is_empty() {
        rows.push(refusal_row("field", &refused.field, &fields.join(", "), !fields.iter().any(is_field)));
    }
    if !rows.iter().any(|row| row.differs) {
        return Vec::new();
    }
    if refused.message.is_empty() {
        rows.push(refusal_row("message", "", &refusal.message, false));
    }
    let problem = "it was refused for another reason".to_owned();
    vec![Difference { position: refused.position, problem, rows, item: None, around: None }]
}
