//! Checks of the source itself: who may use whom, how long a file may be, and what the core never does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate of the workspace may use of it; nothing else.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("souk-core", &[]),
    ("souk-log", &[]),
    ("souk-proto", &[]),
    ("souk-server", &["souk-core", "souk-log", "souk-proto"]),
    ("souk-client", &["souk-proto"]),
    ("souk-loadgen", &["souk-client", "souk-core"]),
    ("souk-benches", &["souk-core", "souk-log", "souk-proto", "souk-server", "souk-client"]),
    ("souk-tests", &["souk-core", "souk-log", "souk-proto", "souk-server", "souk-client", "souk-loadgen"]),
];
/// Lines of a source file at most.
const LINES_MAX: usize = 500;
/// Words that the core never says: floats, clocks, randomness, IO.
const BANNED_IN_CORE: [&str; 12] = [
    "f32",
    "f64",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::now",
    "rand",
    "tokio",
    "tracing",
    "println",
    "std::fs",
    "std::net",
];
/// Libraries of which there must be one version: two would not understand each other's types.
const ONE_VERSION: [&str; 6] = ["tonic", "prost", "axum", "hyper", "chrono", "rust_decimal"];
/// What may be linked into the project, by licence.
const LICENCES: [&str; 13] = [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "Apache-2.0 WITH LLVM-exception",
    "MPL-2.0",
    "BlueOak-1.0.0",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// The tracked sources.
fn sources() -> Vec<PathBuf> {
    let output =
        Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().expect("git runs");
    let list = String::from_utf8(output.stdout).expect("paths are text");
    let files: Vec<_> = list.lines().map(|line| root().join(line)).filter(|path| path.exists()).collect();
    assert!(files.len() > 50, "only {} sources were found", files.len());
    files
}

#[test]
fn crates_depend_only_in_the_documented_direction() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let mut found = BTreeSet::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some((_, allowed)) = MAY_USE.iter().find(|(member, _)| *member == name) else { continue };
        found.insert(name.to_owned());
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let used = dependency["name"].as_str().expect("a name");
            if used.starts_with("souk-") {
                assert!(allowed.contains(&used), "{name} uses {used}: see server/ARCHITECTURE.md");
            }
        }
    }
    let expected: BTreeSet<_> = MAY_USE.iter().map(|(member, _)| (*member).to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn no_source_file_is_longer_than_its_reader() {
    for file in sources() {
        let lines = std::fs::read_to_string(&file).expect("a source").lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines: split it before {LINES_MAX}", file.display());
    }
}

#[test]
fn the_core_knows_no_floats_no_clock_and_no_outside() {
    let core = root().join("server/core/src");
    let mut checked = 0;
    for file in sources().into_iter().filter(|file| file.starts_with(&core)) {
        checked += 1;
        let text = std::fs::read_to_string(&file).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in
            code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for word in BANNED_IN_CORE {
                let stands = line.match_indices(word).any(|(at, _)| {
                    let is_word = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                    is_word(line[..at].chars().next_back()) && is_word(line[at + word.len()..].chars().next())
                });
                assert!(!stands, "{}:{}: the core never says {word}", file.display(), number + 1);
            }
        }
    }
    assert!(checked > 30, "only {checked} files of the core were checked");
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    // Put together, so that this file does not find itself.
    let banned = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
    for file in sources() {
        let text = std::fs::read_to_string(&file).expect("a source");
        for word in banned {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}

#[test]
fn only_one_file_reads_the_machine_s_clock() {
    let mut readers = Vec::new();
    for file in sources().into_iter().filter(|file| file.starts_with(root().join("server"))) {
        let text = std::fs::read_to_string(&file).expect("a source");
        if text.contains("SystemTime::now") || text.contains("Utc::now") {
            readers.push(file.strip_prefix(root()).expect("below the root").display().to_string());
        }
    }
    assert_eq!(readers, ["server/src/clock.rs"]);
}

#[test]
fn one_version_of_what_must_be_one() {
    let metadata = metadata();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let (name, version) = (package["name"].as_str().expect("a name"), package["version"].as_str());
        versions.entry(name).or_default().extend(version);
    }
    for name in ONE_VERSION {
        let found = versions.get(name).map_or(0, BTreeSet::len);
        assert_eq!(found, 1, "{name}: {:?}", versions.get(name));
    }
}

#[test]
fn every_dependency_has_a_licence_that_may_be_linked() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or_default();
        let alternatives = licence.replace('/', " OR ").replace(['(', ')'], "");
        let allowed = |one: &str| one.split(" AND ").all(|part| LICENCES.contains(&part.trim()));
        assert!(alternatives.split(" OR ").any(allowed), "{name} is under \"{licence}\"");
    }
}
