//! A scenario's file: what it says, and every mistake in it with its place.

use std::collections::BTreeMap;
use std::path::Path;

use prost_types::Timestamp;
use souk_proto::document::tree::{self, Content, Entry, Node};
use souk_proto::document::{self, DocumentErrors, Position, Positions};
use souk_proto::reasons;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_proto::sandbox::v1::{ClockSetting, SandboxDocument};

use super::expected::{self, Expected, Form, Items};
use super::reading::Reading;
use super::shape::{self, Arg, Args, Field, Takes, Value, maybe, needed};
use super::{action, expectation};

/// A scenario that was read.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The sandbox.
    pub document: SandboxDocument,
    /// Where the parts of the sandbox stand.
    pub positions: Positions,
    /// The file and text of the sandbox, when it is not a part of the scenario.
    pub sandbox_file: Option<(String, String)>,
    /// What the names of the `names` map stand for.
    pub given: BTreeMap<String, String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step of the timeline.
#[derive(Debug)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Where it stands.
    pub position: Position,
    /// Why, in the scenario's words; may be empty.
    pub because: String,
    /// What happens.
    pub deed: Deed,
}

/// What happens in a step.
pub enum Deed {
    /// An action with its arguments and what comes of it.
    Action(&'static action::Kind, Args, Outcome),
    /// What is expected now.
    Expect(Vec<(&'static expectation::Kind, Position, Items)>),
}

/// What comes of an action.
#[derive(Debug)]
pub enum Outcome {
    /// It succeeds.
    Done,
    /// It succeeds with this answer.
    Gives(Expected),
    /// It is refused.
    Refused(Refused),
}

/// A refusal that is expected.
#[derive(Debug)]
pub struct Refused {
    /// Where it is stated.
    pub position: Position,
    /// The code.
    pub code: String,
    /// Words of the message; may be empty.
    pub message: String,
    /// A part of the field's path; may be empty.
    pub field: String,
}

/// Mistakes in a file, with its text.
#[derive(Debug)]
pub struct Mistakes {
    /// The file.
    pub origin: String,
    /// What stands in it.
    pub text: String,
    /// What is wrong.
    pub errors: DocumentErrors,
}

/// The keys of a scenario.
pub const KEYS: &[Field] = &[
    needed("scenario", Takes::Text, "The name of the scenario."),
    maybe("story", Takes::Text, "What happens, in a sentence or two."),
    maybe("proves", Takes::Many(&Takes::Text), "The ids of the rules and examples that it proves."),
    maybe("convention", Takes::Many(&Takes::Text), "The conventions that decide where no rule does."),
    maybe("names", Takes::Text, "Short names of accounts, products and offers, each with its id."),
    needed(
        "sandbox",
        Takes::Text,
        "The marketplace at the beginning: a sandbox document, or the path of one.",
    ),
    needed("timeline", Takes::Text, "What happens and what is expected, in the order of time."),
];

/// The keys of a step beside its action.
pub const STEP_KEYS: &[Field] = &[
    maybe("at", Takes::Time, "When; the time of the step before when absent."),
    maybe("because", Takes::Text, "Why it comes out so; shown when it does not."),
    maybe("refused", Takes::Text, "The action is refused, with this code."),
    maybe("gives", Takes::Text, "What the action answers."),
];

/// The keys of a refusal that says more than its code.
pub const REFUSED_KEYS: &[Field] = &[
    needed("code", Takes::Text, "The stable code, such as OFFER_EXPIRED."),
    maybe("message", Takes::Text, "Words of the message."),
    maybe("field", Takes::Text, "A part of the path of the field that is wrong."),
];

/// Reads a scenario's text. `path` says where a sandbox document's path begins.
pub fn read(origin: &str, path: &Path, text: &str) -> Result<Scenario, Mistakes> {
    let mistakes = |errors| Mistakes { origin: origin.to_owned(), text: text.to_owned(), errors };
    let root = tree::read(text).map_err(|error| mistakes(error.into()))?;
    let mut reading = Reading::default();
    let scenario = read_root(&mut reading, &root, path)?;
    match scenario {
        Some(scenario) if reading.errors.is_empty() => Ok(scenario),
        _ => Err(mistakes(reading.errors)),
    }
}

fn read_root(reading: &mut Reading, root: &Node, path: &Path) -> Result<Option<Scenario>, Mistakes> {
    let names: Vec<&str> = KEYS.iter().map(|field| field.name).collect();
    let Content::Mapping(entries) = &root.content else {
        let remedy = format!("the keys here are {}", document::suggest::enumerate(&names, "and"));
        reading.unexpected(root, "a scenario: a mapping", &remedy);
        return Ok(None);
    };
    let mut found: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        match names.iter().find(|name| **name == key) {
            Some(name) if found.contains_key(name) => reading.twice(entry, key),
            Some(name) => {
                found.insert(name, entry);
            }
            None => reading.unknown_key(entry, key, &names),
        }
    }
    for field in KEYS.iter().filter(|field| field.needed && !found.contains_key(field.name)) {
        let remedy = format!("it says: {}", field.about);
        reading.error(root.position, format!("`{}` is missing", field.name), remedy);
    }
    let text = |reading: &mut Reading, key: &'static str, takes| {
        let entry = found.get(key)?;
        reading.within(key, |reading| shape::read(reading, &entry.value, takes))
    };
    let name = text(reading, "scenario", Takes::Text);
    text(reading, "story", Takes::Text);
    text(reading, "proves", Takes::Many(&Takes::Text));
    text(reading, "convention", Takes::Many(&Takes::Text));
    if let Some(entry) = found.get("names") {
        reading.within("names", |reading| read_names(reading, &entry.value));
    }
    let Some(sandbox) = found.get("sandbox") else { return Ok(None) };
    let Some((mut document, positions, sandbox_file)) = read_sandbox(reading, &sandbox.value, path)? else {
        return Ok(None);
    };
    reading.know_document(&document);
    let Some(timeline) = found.get("timeline") else { return Ok(None) };
    let begin = begin(reading, &document, &positions, sandbox_file.is_some());
    let Content::List(nodes) = &timeline.value.content else {
        reading.unexpected(
            &timeline.value,
            "a list of steps",
            "put each on a line of its own, after `- at: `",
        );
        return Ok(None);
    };
    let mut steps: Vec<Step> = Vec::with_capacity(nodes.len());
    let mut now = begin;
    for (index, node) in nodes.iter().enumerate() {
        reading.within(&format!("timeline[{index}]"), |reading| {
            steps.extend(read_step(reading, node, &mut now));
        });
    }
    if begin.is_none()
        && let Some(first) = steps.first()
    {
        document.clock = Some(ClockSetting { setting: Some(Setting::At(first.at)) });
    }
    let Some(Value::Text(name)) = name.map(|arg| arg.value) else { return Ok(None) };
    Ok(Some(Scenario { name, document, positions, sandbox_file, given: reading.given.clone(), steps }))
}

fn read_names(reading: &mut Reading, node: &Node) {
    let Content::Mapping(entries) = &node.content else {
        reading.unexpected(node, "a mapping of names to ids", "write it as `acme: 111111111111`");
        return;
    };
    for entry in entries {
        let Some(key) = reading.key(&entry.key).map(str::to_owned) else { continue };
        if let Some(Arg { value: Value::Text(id), .. }) = shape::read(reading, &entry.value, Takes::Text)
            && reading.given.insert(key.clone(), id).is_some()
        {
            reading.twice(entry, &key);
        }
    }
}

type Sandbox = (SandboxDocument, Positions, Option<(String, String)>);

fn read_sandbox(reading: &mut Reading, node: &Node, path: &Path) -> Result<Option<Sandbox>, Mistakes> {
    if let Content::Scalar(scalar) = &node.content
        && !node.is_null()
    {
        let file = path.parent().unwrap_or_else(|| Path::new("")).join(&*scalar.text);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", file.display());
                reading.error(
                    node.position,
                    problem,
                    "write the path of a sandbox document, seen from this file",
                );
                return Ok(None);
            }
        };
        let origin = file.display().to_string();
        return match document::parse_located(&text) {
            Ok(located) => Ok(Some((located.document, located.positions, Some((origin, text))))),
            Err(errors) => Err(Mistakes { origin, text, errors }),
        };
    }
    let read = reading
        .within("sandbox", |reading| shape::read_message(reading, node, &document::sandbox_document()));
    let Some((message, positions)) = read else { return Ok(None) };
    let document =
        message.transcode_to().expect("a message read along its descriptor has the descriptor's form");
    Ok(Some((document, positions, None)))
}

/// When the sandbox begins, if its document says so.
fn begin(
    reading: &mut Reading,
    document: &SandboxDocument,
    positions: &Positions,
    elsewhere: bool,
) -> Option<Timestamp> {
    match document.clock.as_ref().and_then(|clock| clock.setting.as_ref()) {
        Some(Setting::At(at)) => Some(*at),
        Some(Setting::Follow(_)) => {
            let position = if elsewhere { Position::default() } else { positions.find("clock") };
            let remedy =
                "set it with `clock: {at: ...}`, or leave it out: then it begins with the first step";
            reading.error(
                position,
                "the clock of a scenario does not follow the machine's".to_owned(),
                remedy,
            );
            None
        }
        None => None,
    }
}

/// Reads a step. `now` is the time of the step before, and then that of this one.
fn read_step(reading: &mut Reading, node: &Node, now: &mut Option<Timestamp>) -> Option<Step> {
    let mut known: Vec<&str> = STEP_KEYS.iter().map(|field| field.name).collect();
    known.push("expect");
    known.extend(action::ALL.iter().map(|kind| kind.key));
    let Content::Mapping(entries) = &node.content else {
        reading.unexpected(
            node,
            "a step",
            "write its time and what happens: `at: 2026-03-01`, and `expect:` or an action below it",
        );
        return None;
    };
    let mut found: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        match known.iter().find(|name| **name == key) {
            Some(name) if found.contains_key(name) => reading.twice(entry, key),
            Some(name) => {
                found.insert(name, entry);
            }
            None => reading.unknown_key(entry, key, &known),
        }
    }
    let at = read_at(reading, node, found.get("at"), *now)?;
    *now = Some(at);
    let because = match found.get("because").and_then(|entry| shape::read(reading, &entry.value, Takes::Text))
    {
        Some(Arg { value: Value::Text(text), .. }) => text,
        _ => String::new(),
    };
    let deeds = found.iter().filter(|(key, _)| !STEP_KEYS.iter().any(|field| field.name == **key));
    let deeds: Vec<(&str, &Entry)> = deeds.map(|(key, entry)| (*key, *entry)).collect();
    let &[(key, entry)] = deeds.as_slice() else {
        let (problem, remedy) = match deeds.as_slice() {
            [] => (
                "nothing happens here".to_owned(),
                "say `expect:`, or an action such as `meter:` or `accept:`",
            ),
            several => {
                let keys: Vec<&str> = several.iter().map(|(key, _)| *key).collect();
                let problem =
                    format!("several things happen here: {}", document::suggest::enumerate(&keys, "and"));
                (problem, "give each a step of its own; steps without `at:` happen at the same time")
            }
        };
        // A key that is not known was told already.
        if found.len() == entries.len() {
            reading.error(node.position, problem, remedy);
        }
        return None;
    };
    let deed = reading.within(key, |reading| match action::ALL.iter().find(|kind| kind.key == key) {
        Some(kind) => read_action(reading, kind, &entry.value, &found),
        None => {
            for key in ["refused", "gives"].into_iter().filter_map(|key| found.get(key)) {
                let problem = "what comes of a step is said of actions".to_owned();
                reading.error(key.key.position, problem, "write it below `expect:`");
            }
            read_expect(reading, &entry.value).map(Deed::Expect)
        }
    })?;
    Some(Step { at, position: entry.key.position, because, deed })
}

fn read_at(
    reading: &mut Reading,
    node: &Node,
    entry: Option<&&Entry>,
    before: Option<Timestamp>,
) -> Option<Timestamp> {
    let Some(entry) = entry else {
        if before.is_none() {
            reading.error(node.position, "`at` is missing".to_owned(), "say when the first step happens");
        }
        return before;
    };
    let Value::Time(at) =
        reading.within("at", |reading| shape::read(reading, &entry.value, Takes::Time))?.value
    else {
        return None;
    };
    if let Some(before) = before.filter(|before| (at.seconds, at.nanos) < (before.seconds, before.nanos)) {
        let problem = format!("the clock stands at {before} already");
        reading.error(
            entry.value.position,
            problem,
            "put the steps in the order of time: a clock never turns back",
        );
    }
    Some(at)
}

fn read_action(
    reading: &mut Reading,
    kind: &'static action::Kind,
    node: &Node,
    found: &BTreeMap<&str, &Entry>,
) -> Option<Deed> {
    let arg = shape::read(reading, node, kind.takes)?;
    let args = match arg {
        Arg { value: Value::Fields(args), .. } => args,
        message => {
            let mut args = Args::at(node.position);
            args.put("message", message);
            args
        }
    };
    (kind.check)(reading, &args);
    let outcome = match (found.get("refused"), found.get("gives")) {
        (None, None) => Outcome::Done,
        (Some(refused), None) => Outcome::Refused(read_refused(reading, &refused.value)?),
        (None, Some(gives)) => match kind.gives {
            Some(message) => {
                let form = Form::Message(shape::descriptor(message));
                Outcome::Gives(expected::read_one(reading, &gives.value, &form)?)
            }
            None => {
                let problem = format!("`{}` gives nothing back", kind.key);
                reading.error(gives.key.position, problem, "say `answer:` in a record");
                return None;
            }
        },
        (Some(_), Some(gives)) => {
            let problem = "`refused` and `gives` exclude each other".to_owned();
            reading.error(gives.key.position, problem, "keep one of them");
            return None;
        }
    };
    Some(Deed::Action(kind, args, outcome))
}

fn read_refused(reading: &mut Reading, node: &Node) -> Option<Refused> {
    if let Content::Scalar(scalar) = &node.content
        && !node.is_null()
    {
        let code = scalar.text.to_string();
        check_reason(reading, node.position, &code);
        return Some(Refused { position: node.position, code, message: String::new(), field: String::new() });
    }
    let args = shape::read_fields(reading, node, REFUSED_KEYS)?;
    if let Some(code) = args.text("code") {
        check_reason(reading, args.position("code"), code);
    }
    let text = |name| args.text(name).unwrap_or_default().to_owned();
    Some(Refused {
        position: args.position("code"),
        code: text("code"),
        message: text("message"),
        field: text("field"),
    })
}

/// Notes a code that no refusal has.
fn check_reason(reading: &mut Reading, position: Position, code: &str) {
    let known: Vec<&str> = reasons::all().collect();
    if !known.contains(&code) {
        // They are too many to be told.
        let near = document::suggest::remedy(code, &known, "codes");
        let remedy =
            if near.starts_with("did you") { near } else { "proto/REASONS.md lists them".to_owned() };
        reading.error(position, format!("no refusal has the code {}", document::shown(code)), remedy);
    }
}

fn read_expect(
    reading: &mut Reading,
    node: &Node,
) -> Option<Vec<(&'static expectation::Kind, Position, Items)>> {
    let keys: Vec<&str> = expectation::ALL.iter().map(|kind| kind.key).collect();
    let Content::Mapping(entries) = &node.content else {
        let remedy = format!("the keys here are {}", document::suggest::enumerate(&keys, "and"));
        reading.unexpected(node, "a mapping", &remedy);
        return None;
    };
    let mut expected = Vec::new();
    for entry in entries {
        let Some(key) = reading.key(&entry.key) else { continue };
        let Some(kind) = expectation::ALL.iter().find(|kind| kind.key == key) else {
            reading.unknown_key(entry, key, &keys);
            continue;
        };
        if expected.iter().any(|(other, _, _): &(&expectation::Kind, _, _)| other.key == key) {
            reading.twice(entry, key);
            continue;
        }
        // What must be asked for stands in a mapping, so a list is one of several questions.
        let asks = kind.asks.iter().any(|field| field.needed);
        let questions: Vec<&Node> = match &entry.value.content {
            Content::List(nodes) if asks => nodes.iter().collect(),
            _ => vec![&entry.value],
        };
        for question in questions {
            let items = reading
                .within(key, |reading| expected::read_items(reading, question, &kind.form(), kind.asks));
            expected.extend(items.map(|items| (*kind, entry.key.position, items)));
        }
    }
    if entries.is_empty() {
        reading.error(
            node.position,
            "nothing is expected here".to_owned(),
            format!("say {}", document::suggest::enumerate(&keys, "or")),
        );
    }
    Some(expected)
}

impl std::fmt::Debug for Deed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Deed::Action(kind, args, outcome) => write!(formatter, "{} {args:?} {outcome:?}", kind.key),
            Deed::Expect(expected) => write!(formatter, "expect {} things", expected.len()),
        }
    }
}

#[cfg(test)]
mod tests;
