//! Runs many scenarios at once, each in a sandbox of its own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use souk_client::{ClientError, SoukClient};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::file::{self, Mistakes, Scenario};
use super::outcome::{Ran, Verdict, Wrong};
use super::play::{self, Mistake};
use crate::cli::error::CliError;

/// How scenarios are run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many at once.
    pub jobs: usize,
    /// Whether their sandboxes stay.
    pub keep: bool,
}

/// The scenario files that are named: files, and those of folders with the folders in them.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        let unreadable = |source| CliError::Unreadable { path: path.display().to_string(), source };
        if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            below(path, &mut files).map_err(unreadable)?;
            files[before..].sort();
            if files.len() == before {
                return Err(CliError::Usage(format!("{} holds no .yaml or .yml file", path.display())));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if path.is_dir() {
            below(&path, files)?;
        } else if is_yaml {
            files.push(path);
        }
    }
    Ok(())
}

/// Runs the files. `told` gets each result in the order of the files, as soon as those before it are there.
pub async fn run(
    client: &SoukClient,
    files: &[PathBuf],
    options: Options,
    told: &mut (dyn FnMut(&Ran, usize) -> Result<(), CliError> + '_),
) -> Result<Vec<Ran>, CliError> {
    let turns = Arc::new(Semaphore::new(options.jobs.max(1)));
    let mut running: JoinSet<(usize, Result<Ran, CliError>)> = JoinSet::new();
    for (index, file) in files.iter().cloned().enumerate() {
        let (client, turns) = (client.clone(), turns.clone());
        running.spawn(async move {
            let _turn = turns.acquire().await;
            (index, one(&client, &file, options.keep).await)
        });
    }
    let mut waiting: BTreeMap<usize, Ran> = BTreeMap::new();
    let mut done: Vec<Ran> = Vec::with_capacity(files.len());
    let mut finished = 0;
    while let Some(joined) = running.join_next().await {
        let (index, ran) = joined.map_err(|error| CliError::Server(error.to_string()))?;
        finished += 1;
        waiting.insert(index, ran?);
        while let Some(ran) = waiting.remove(&done.len()) {
            told(&ran, finished)?;
            done.push(ran);
        }
    }
    Ok(done)
}

async fn one(client: &SoukClient, path: &Path, keep: bool) -> Result<Ran, CliError> {
    let begin = Instant::now();
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| CliError::Unreadable { path: origin.clone(), source })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let ran = |name: String, checked, kept, verdict| Ran {
        file: origin.clone(),
        name,
        checked,
        millis: begin.elapsed().as_millis(),
        kept,
        verdict,
    };
    let scenario = match file::read(&origin, path, &text) {
        Ok(scenario) => scenario,
        Err(mistakes) => return Ok(ran(stem, 0, None, Verdict::Wrong(of_reader(&mistakes)))),
    };
    let sandbox = fresh_name(&stem);
    let played = play::play(client, &sandbox, &scenario).await;
    let forgotten = if keep { Ok(()) } else { forget(client, &sandbox).await };
    let kept = keep.then_some(sandbox);
    let played = match played.and_then(|played| forgotten.map(|()| played)) {
        Ok(played) => played,
        // One that loses the server is not the end of the others.
        Err(error) => {
            let lost = Wrong::at(&origin, &text, 0, 0, &format!("it was not played to its end: {error}"));
            return Ok(ran(scenario.name, 0, kept, Verdict::Wrong(vec![lost])));
        }
    };
    let verdict = match (played.mistake, played.failures) {
        (Some(mistake), _) => Verdict::Wrong(vec![of_server(&origin, &text, &scenario, &mistake)]),
        (None, failures) if failures.is_empty() => Verdict::Passed,
        (None, failures) => Verdict::Failed(failures),
    };
    Ok(ran(scenario.name, played.checked, kept, verdict))
}

/// Deletes a sandbox; one that was never made is gone already.
async fn forget(client: &SoukClient, sandbox: &str) -> Result<(), ClientError> {
    match client.delete_sandbox(sandbox).await {
        Err(error) if error.reason() == Some("SANDBOX_UNKNOWN") => Ok(()),
        other => other,
    }
}

fn of_reader(mistakes: &Mistakes) -> Vec<Wrong> {
    let Mistakes { origin, text, errors } = mistakes;
    let mut wrongs: Vec<Wrong> = errors
        .told()
        .iter()
        .map(|error| {
            let path = if error.path.is_empty() { String::new() } else { format!("{}: ", error.path) };
            let problem = format!("{path}{}; {}", error.problem, error.remedy);
            Wrong::at(origin, text, error.position.line, error.position.column, &problem)
        })
        .collect();
    if errors.omitted() > 0 {
        wrongs.push(Wrong::at(origin, text, 0, 0, &format!("and {} more mistakes", errors.omitted())));
    }
    wrongs
}

fn of_server(origin: &str, text: &str, scenario: &Scenario, mistake: &Mistake) -> Wrong {
    let (origin, text) = match &scenario.sandbox_file {
        Some((origin, text)) if mistake.in_sandbox_file => (origin.as_str(), text.as_str()),
        _ => (origin, text),
    };
    Wrong::at(origin, text, mistake.position.line, mistake.position.column, &mistake.problem)
}

/// Letters of a file's name in a sandbox's name.
const STEM_MAX: usize = 40;

/// A sandbox's name that nobody has: the file's name and a random number.
fn fresh_name(stem: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let stem: String = stem.chars().map(plain).take(STEM_MAX).collect();
    let random = RandomState::new().build_hasher().finish();
    let name = format!("{}-{random:016x}", stem.trim_matches('-'));
    name.trim_start_matches('-').to_owned()
}
