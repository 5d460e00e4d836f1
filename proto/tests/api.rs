//! Guards the contract: its committed listing, and the rules of form that every package keeps.
//!
//! The rules follow buf's STANDARD and COMMENTS sets as far as a descriptor shows them.

use std::collections::BTreeMap;
use std::{env, fs};

use anyhow::Context;
use prost_reflect::prost_types::source_code_info::Location;
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

const LISTING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api.snap");
const RENEW: &str = "SOUK_RENEW";

#[test]
fn the_contract_is_the_one_that_was_committed() -> anyhow::Result<()> {
    let listing = listing(&pool()?);
    if env::var_os(RENEW).is_some() {
        fs::write(LISTING, &listing).context("failed to write the listing")?;
    }
    let committed = fs::read_to_string(LISTING).unwrap_or_default();
    let added = listing.lines().filter(|line| !committed.lines().any(|old| old == *line));
    let removed = committed.lines().filter(|line| !listing.lines().any(|new| new == *line));
    let changes: Vec<String> =
        removed.map(|l| format!("- {l}")).chain(added.map(|l| format!("+ {l}"))).collect();
    assert!(
        listing == committed,
        "the contract changed; if that is meant, renew its listing by `{RENEW}=1 cargo test -p souk-proto`:\n{}",
        changes.join("\n")
    );
    Ok(())
}

#[test]
fn packages_services_messages_and_enums_keep_the_rules_of_form() -> anyhow::Result<()> {
    let pool = pool()?;
    let mut findings = Findings::default();
    for file in files(&pool) {
        findings.check_file(&file);
    }
    for service in pool.services() {
        findings.check_service(&service);
    }
    findings.check_uniqueness(&pool);
    for message in messages(&pool) {
        findings.check_message(&message);
    }
    for values in enums(&pool) {
        findings.check_enum(&values);
    }
    assert!(findings.0.is_empty(), "{}", findings.0.join("\n"));
    Ok(())
}

fn pool() -> anyhow::Result<DescriptorPool> {
    DescriptorPool::decode(souk_proto::FILE_DESCRIPTOR_SET).context("failed to decode the descriptor set")
}

fn files(pool: &DescriptorPool) -> impl Iterator<Item = FileDescriptor> {
    pool.files().filter(|file| file.package_name().starts_with("souk."))
}

/// The messages that are written in the files, without the entries of maps.
fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages()
        .filter(|message| message.package_name().starts_with("souk.") && !message.is_map_entry())
}

fn enums(pool: &DescriptorPool) -> impl Iterator<Item = EnumDescriptor> {
    pool.all_enums().filter(|values| values.package_name().starts_with("souk."))
}

/// One line for each service, rpc, message, field, enum and enum value: services first, then messages, then
/// enums, each by full name; fields and values by number.
fn listing(pool: &DescriptorPool) -> String {
    let mut items: BTreeMap<(u8, String), Vec<String>> = BTreeMap::new();
    for service in pool.services() {
        let name = service.full_name().to_owned();
        let mut lines = vec![format!("service {name}")];
        lines.extend(service.methods().map(|method| rpc_line(&method)));
        items.insert((0, name), lines);
    }
    for message in messages(pool) {
        let name = message.full_name().to_owned();
        let mut lines = vec![format!("message {name}")];
        lines.extend(message.fields().map(|field| field_line(&field)));
        lines.extend(message.reserved_ranges().map(|r| format!("{name} reserved {}..{}", r.start, r.end)));
        items.insert((1, name), lines);
    }
    for values in enums(pool) {
        let name = values.full_name().to_owned();
        let mut lines = vec![format!("enum {name}")];
        lines.extend(values.values().map(|value| format!("{name} {} = {}", value.name(), value.number())));
        items.insert((2, name), lines);
    }
    items.into_values().flatten().fold(String::new(), |listing, line| listing + &line + "\n")
}

fn rpc_line(method: &MethodDescriptor) -> String {
    let streamed = |streamed: bool| if streamed { "stream " } else { "" };
    format!(
        "rpc {} ({}{}) returns ({}{})",
        method.full_name(),
        streamed(method.is_client_streaming()),
        method.input().full_name(),
        streamed(method.is_server_streaming()),
        method.output().full_name(),
    )
}

fn field_line(field: &FieldDescriptor) -> String {
    let message = field.parent_message().full_name();
    let label = match field.containing_oneof() {
        Some(oneof) if !oneof.is_synthetic() => format!("oneof {} ", oneof.name()),
        Some(_) => "optional ".to_owned(),
        None if field.cardinality() == Cardinality::Repeated && !field.is_map() => "repeated ".to_owned(),
        None => String::new(),
    };
    format!("{message} {} = {}: {label}{}", field.name(), field.number(), type_name(field))
}

fn type_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            format!(
                "map<{}, {}>",
                type_name(&entry.map_entry_key_field()),
                type_name(&entry.map_entry_value_field())
            )
        }
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// What is wrong with the form of the contract, one line each.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn require(&mut self, fulfilled: bool, item: &str, rule: &str) {
        if !fulfilled {
            self.0.push(format!("{item}: {rule}"));
        }
    }

    fn require_comment(&mut self, file: &FileDescriptor, path: &[i32], item: &str) {
        self.require(has_comment(file, path), item, "needs a comment");
    }

    fn check_file(&mut self, file: &FileDescriptor) {
        let package = file.package_name();
        let folder = file.name().rsplit_once('/').map_or("", |(folder, _)| folder);
        self.require(folder == package.replace('.', "/"), file.name(), "lies in the folder of its package");
        self.require(package.ends_with(".v1"), package, "ends in its version, v1");
        self.require(
            package.split('.').all(is_lower_snake),
            package,
            "is made of lower-case words separated by points",
        );
        let file_name = file.name().rsplit('/').next().and_then(|name| name.strip_suffix(".proto"));
        self.require(file_name.is_some_and(is_lower_snake), file.name(), "is named in lower_snake_case");
    }

    fn check_service(&mut self, service: &ServiceDescriptor) {
        let name = service.full_name();
        self.require(is_pascal(service.name()), name, "is named in PascalCase");
        self.require(service.name().ends_with("Service"), name, "ends in Service");
        self.require_comment(&service.parent_file(), service.path(), name);
        for method in service.methods() {
            let rpc = method.full_name();
            self.require(is_pascal(method.name()), rpc, "is named in PascalCase");
            let (request, response) =
                (format!("{}Request", method.name()), format!("{}Response", method.name()));
            self.require(method.input().name() == request, rpc, "takes a request named after it");
            self.require(method.output().name() == response, rpc, "returns a response named after it");
            self.require_comment(&service.parent_file(), method.path(), rpc);
        }
    }

    /// No two calls share a request or a response.
    fn check_uniqueness(&mut self, pool: &DescriptorPool) {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for message in [method.input(), method.output()] {
                users.entry(message.full_name().to_owned()).or_default().push(method.full_name().to_owned());
            }
        }
        for (message, rpcs) in users {
            self.require(
                rpcs.len() == 1,
                &message,
                &format!("belongs to one rpc, not to {}", rpcs.join(" and ")),
            );
        }
    }

    fn check_message(&mut self, message: &MessageDescriptor) {
        let file = message.parent_file();
        self.require(is_pascal(message.name()), message.full_name(), "is named in PascalCase");
        self.require_comment(&file, message.path(), message.full_name());
        for field in message.fields() {
            self.require(is_lower_snake(field.name()), field.full_name(), "is named in lower_snake_case");
            self.require(
                field.cardinality() != Cardinality::Required,
                field.full_name(),
                "is not required by the wire",
            );
            self.require_comment(&file, field.path(), field.full_name());
        }
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            self.require(is_lower_snake(oneof.name()), oneof.full_name(), "is named in lower_snake_case");
            self.require_comment(&file, oneof.path(), oneof.full_name());
        }
    }

    fn check_enum(&mut self, values: &EnumDescriptor) {
        let file = values.parent_file();
        let prefix = upper_snake(values.name()) + "_";
        self.require(is_pascal(values.name()), values.full_name(), "is named in PascalCase");
        self.require_comment(&file, values.path(), values.full_name());
        let mut numbers: Vec<i32> = values.values().map(|value| value.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.require(numbers.len() == values.values().len(), values.full_name(), "has no aliases");
        for value in values.values() {
            let name = value.full_name();
            self.require(value.name().starts_with(&prefix), name, &format!("begins with {prefix}"));
            self.require(is_upper_snake(value.name()), name, "is named in UPPER_SNAKE_CASE");
            self.require(
                value.number() != 0 || value.name() == format!("{prefix}UNSPECIFIED"),
                name,
                "ends in _UNSPECIFIED, being zero",
            );
            self.require_comment(&file, value.path(), name);
        }
    }
}

fn has_comment(file: &FileDescriptor, path: &[i32]) -> bool {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations: &[Location] = info.map_or(&[], |info| info.location.as_slice());
    locations.iter().any(|at| at.path == path && at.leading_comments().trim().len() > 1)
}

fn is_lower_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

fn is_upper_snake(name: &str) -> bool {
    is_lower_snake(&name.to_ascii_lowercase()) && !name.contains(|c: char| c.is_ascii_lowercase())
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `RulesProfile` becomes `RULES_PROFILE`.
fn upper_snake(pascal: &str) -> String {
    let mut name = String::new();
    for (index, letter) in pascal.chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
