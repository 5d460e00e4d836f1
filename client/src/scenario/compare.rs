//! Compares what was expected with what was answered.
//!
//! An expected item must match exactly one answered item on the fields that it states, and no answered item may be
//! left over, unless `atLeast` says so. Pairs are found as a matching of the two lists: an item that states little
//! does not take the partner of one that states more.

use souk_proto::document::Position;

use super::actual::Actual;
use super::directory::Directory;
use super::expected::{Expected, Items, Stated, Value};

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where the scenario expects it.
    pub position: Position,
    /// What is wrong, in a line.
    pub problem: String,
    /// Both sides, field by field.
    pub rows: Vec<Row>,
    /// The answered item.
    pub item: Option<Actual>,
    /// What the answered item is a part of.
    pub around: Option<Actual>,
}

/// A field with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The field.
    pub field: String,
    /// What was expected; empty: nothing was said, or nothing was expected.
    pub expected: String,
    /// What was answered.
    pub actual: String,
    /// Whether they differ.
    pub differs: bool,
}

/// Compares a list, such as all invoices.
pub fn items(
    what: &str,
    at: Position,
    expected: &Items,
    actual: &[Actual],
    names: &Directory,
) -> Vec<Difference> {
    list(what, at, expected, actual, None, names)
}

/// Compares one message.
pub fn one(what: &str, expected: &Expected, actual: &Actual, names: &Directory) -> Vec<Difference> {
    match matches(expected, actual, names) {
        true => Vec::new(),
        false => of_pair(what, expected, actual, None, names),
    }
}

/// Whether a condition such as `payer: acme` takes an item.
pub fn takes(only: &[Stated], actual: &Actual, names: &Directory) -> bool {
    only.iter()
        .all(|stated| actual.field(&stated.name).is_some_and(|value| matches(&stated.expected, value, names)))
}

/// How many values are expected.
pub fn count(expected: &Items) -> usize {
    let of_items = expected.items.as_deref().map_or(0, |items| match items {
        // That there is none is one thing to check.
        [] => 1,
        items => items.iter().map(count_one).sum(),
    });
    of_items + usize::from(expected.count.is_some())
}

/// How many values are expected of one message.
pub fn count_one(expected: &Expected) -> usize {
    match &expected.value {
        Value::Text(_) | Value::Pairs(_) => 1,
        Value::Fields(fields) => fields.iter().map(|stated| count_one(&stated.expected)).sum(),
        Value::Items(items) => count(items),
    }
}

fn matches(expected: &Expected, actual: &Actual, names: &Directory) -> bool {
    match (&expected.value, actual) {
        (Value::Text(expected), Actual::Text(actual)) => same(expected, actual, names),
        (Value::Fields(stated), Actual::Fields(_)) => takes(stated, actual, names),
        (Value::Pairs(stated), Actual::Pairs(pairs)) => {
            stated.len() == pairs.len()
                && stated.iter().all(|stated| {
                    let pair = pairs.iter().find(|(key, _)| *key == stated.name);
                    pair.is_some_and(|(_, value)| matches(&stated.expected, value, names))
                })
        }
        (Value::Items(items), Actual::List(actual)) => list_matches(items, actual, names),
        _ => false,
    }
}

/// Whether a list is as expected.
fn list_matches(expected: &Items, actual: &[Actual], names: &Directory) -> bool {
    let actual: Vec<&Actual> = actual.iter().filter(|item| takes(&expected.only, item, names)).collect();
    if expected.count.is_some_and(|(count, _)| count != actual.len()) {
        return false;
    }
    let Some(wanted) = &expected.items else { return true };
    let enough = match expected.at_least {
        true => wanted.len() <= actual.len(),
        false => wanted.len() == actual.len(),
    };
    enough && matching(wanted, &actual, names).iter().all(Option::is_some)
}

/// Whether two texts say the same: as written, as numbers, or by a name.
pub fn same(expected: &str, actual: &str, names: &Directory) -> bool {
    expected == actual
        || number(expected).is_some_and(|number_expected| Some(number_expected) == number(actual))
        || names.meanings(expected).iter().any(|meaning| meaning == actual)
}

/// A decimal in one form: no zeros in front, none at the end. A text such as 000000000101 is no number.
fn number(text: &str) -> Option<String> {
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, decimals) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let decimals = decimals.trim_end_matches('0');
    let sign = if whole == "0" && decimals.is_empty() { "" } else { sign };
    Some(format!("{sign}{whole}.{decimals}"))
}

fn list(
    what: &str,
    at: Position,
    expected: &Items,
    actual: &[Actual],
    around: Option<&Actual>,
    names: &Directory,
) -> Vec<Difference> {
    let actual: Vec<&Actual> = actual.iter().filter(|item| takes(&expected.only, item, names)).collect();
    let mut differences = Vec::new();
    if let Some((count, position)) = expected.count.filter(|(count, _)| *count != actual.len()) {
        let problem = format!("{what}: expected {count}, found {}", actual.len());
        let rows = actual.iter().map(|item| summary(item)).collect();
        differences.push(Difference { position, problem, rows, item: None, around: around.cloned() });
    }
    let Some(wanted) = &expected.items else { return differences };
    let pairs = matching(wanted, &actual, names);
    let mut free: Vec<usize> = (0..actual.len()).filter(|index| !pairs.contains(&Some(*index))).collect();
    for (item, _) in wanted.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()) {
        let nearest =
            free.iter().copied().max_by_key(|index| (score(item, actual[*index], names), usize::MAX - index));
        // What has nothing in common is not the same thing gone wrong.
        let nearest = nearest.filter(|index| free.len() == 1 || score(item, actual[*index], names) > 0);
        match nearest {
            Some(index) => {
                free.retain(|other| *other != index);
                differences.extend(of_pair(what, item, actual[index], around, names));
            }
            None => {
                let problem = format!("{what}: nothing like this is there");
                let rows = rows_of(item, None, names);
                differences.push(Difference {
                    position: item.position,
                    problem,
                    rows,
                    item: None,
                    around: around.cloned(),
                });
            }
        }
    }
    if !expected.at_least {
        for index in free {
            let problem = format!("{what}: this is there, and was not expected");
            let rows = surplus(actual[index]);
            let item = Some(actual[index].clone());
            differences.push(Difference { position: at, problem, rows, item, around: around.cloned() });
        }
    }
    differences
}

/// For each expected item the answered one that it matches, such that as many as possible have one.
fn matching(wanted: &[Expected], actual: &[&Actual], names: &Directory) -> Vec<Option<usize>> {
    let fits: Vec<Vec<usize>> = wanted
        .iter()
        .map(|item| (0..actual.len()).filter(|index| matches(item, actual[*index], names)).collect())
        .collect();
    let mut taken_by: Vec<Option<usize>> = vec![None; actual.len()];
    for item in 0..wanted.len() {
        let mut seen = vec![false; actual.len()];
        find_place(item, &fits, &mut taken_by, &mut seen);
    }
    (0..wanted.len()).map(|item| taken_by.iter().position(|taker| *taker == Some(item))).collect()
}

fn find_place(item: usize, fits: &[Vec<usize>], taken_by: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &index in &fits[item] {
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let free = match taken_by[index] {
            None => true,
            Some(other) => find_place(other, fits, taken_by, seen),
        };
        if free {
            taken_by[index] = Some(item);
            return true;
        }
    }
    false
}

/// In how much an answered item is as expected.
fn score(expected: &Expected, actual: &Actual, names: &Directory) -> usize {
    match &expected.value {
        Value::Fields(stated) => {
            let of = |stated: &Stated| {
                actual.field(&stated.name).map_or(0, |value| score(&stated.expected, value, names))
            };
            stated.iter().map(of).sum()
        }
        _ => usize::from(matches(expected, actual, names)),
    }
}

/// What differs between an expected item and its answered one: its own fields, then those of lists in it.
fn of_pair(
    what: &str,
    expected: &Expected,
    actual: &Actual,
    around: Option<&Actual>,
    names: &Directory,
) -> Vec<Difference> {
    let rows = rows_of(expected, Some(actual), names);
    let mut differences = Vec::new();
    if rows.iter().any(|row| row.differs) {
        let differing: Vec<&str> =
            rows.iter().filter(|row| row.differs).map(|row| row.field.as_str()).collect();
        let problem = format!("{what}: {} not as expected", is_or_are(&differing));
        let position = first_difference(expected, actual, names).unwrap_or(expected.position);
        let (item, around) = (Some(actual.clone()), around.cloned());
        differences.push(Difference { position, problem, rows, item, around });
    }
    if let Value::Fields(stated) = &expected.value {
        for stated in stated {
            if let (Value::Items(items), Some(Actual::List(answered))) =
                (&stated.expected.value, actual.field(&stated.name))
            {
                let what = format!("{what}, {}", stated.name);
                differences.extend(list(&what, stated.position, items, answered, Some(actual), names));
            }
        }
    }
    differences
}

fn is_or_are(fields: &[&str]) -> String {
    match fields {
        [only] => format!("{only} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        [] => "it is".to_owned(),
    }
}

/// The place of the first value that is not as expected.
fn first_difference(expected: &Expected, actual: &Actual, names: &Directory) -> Option<Position> {
    match (&expected.value, actual) {
        (Value::Fields(stated), Actual::Fields(_)) => {
            stated.iter().find_map(|stated| match actual.field(&stated.name) {
                Some(value) => first_difference(&stated.expected, value, names),
                None => Some(stated.position),
            })
        }
        (Value::Items(_), _) => None,
        _ => (!matches(expected, actual, names)).then_some(expected.position),
    }
}

/// Both sides of the fields that are stated, without lists of messages.
fn rows_of(expected: &Expected, actual: Option<&Actual>, names: &Directory) -> Vec<Row> {
    let mut rows = Vec::new();
    collect_rows("", expected, actual, names, &mut rows);
    rows
}

fn collect_rows(
    name: &str,
    expected: &Expected,
    actual: Option<&Actual>,
    names: &Directory,
    rows: &mut Vec<Row>,
) {
    match &expected.value {
        Value::Fields(stated) => {
            for stated in stated {
                let path = if name.is_empty() {
                    stated.written.clone()
                } else {
                    format!("{name}.{}", stated.written)
                };
                collect_rows(
                    &path,
                    &stated.expected,
                    actual.and_then(|actual| actual.field(&stated.name)),
                    names,
                    rows,
                );
            }
        }
        Value::Items(items)
            if items.items.iter().flatten().all(|item| !matches!(item.value, Value::Text(_))) => {}
        _ => {
            let same = actual.is_some_and(|actual| matches(expected, actual, names));
            let written = words_of_expected(expected);
            // Names that scenarios give stay names where they are right.
            let answered = match actual {
                Some(_) if same => written.clone(),
                Some(actual) => words_of(actual),
                None => String::new(),
            };
            rows.push(Row {
                field: name.to_owned(),
                expected: written,
                actual: answered,
                differs: !same && actual.is_some(),
            });
        }
    }
}

fn words_of_expected(expected: &Expected) -> String {
    match &expected.value {
        Value::Text(text) => text.clone(),
        Value::Pairs(stated) | Value::Fields(stated) => {
            let pairs: Vec<_> =
                stated.iter().map(|s| format!("{}: {}", s.name, words_of_expected(&s.expected))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Items(items) => {
            let items: Vec<_> = items.items.iter().flatten().map(words_of_expected).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// An answered value in a line.
pub fn words_of(actual: &Actual) -> String {
    match actual {
        Actual::Text(text) => text.clone(),
        Actual::Pairs(pairs) | Actual::Fields(pairs) => {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| format!("{key}: {}", words_of(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Actual::List(items) => format!("[{}]", items.iter().map(words_of).collect::<Vec<_>>().join(", ")),
    }
}

/// What an answered item says, for one that nobody expected.
fn surplus(actual: &Actual) -> Vec<Row> {
    let Actual::Fields(fields) = actual else {
        return vec![Row {
            field: String::new(),
            expected: String::new(),
            actual: words_of(actual),
            differs: true,
        }];
    };
    let told = fields.iter().filter_map(|(name, value)| match value {
        Actual::Text(text) if !text.is_empty() => Some((name, text.clone())),
        Actual::Pairs(pairs) if !pairs.is_empty() => Some((name, words_of(value))),
        Actual::List(items) if !items.is_empty() => Some((name, format!("{} of them", items.len()))),
        _ => None,
    });
    told.map(|(name, text)| Row { field: name.clone(), expected: String::new(), actual: text, differs: true })
        .collect()
}

fn summary(actual: &Actual) -> Row {
    let told: Vec<_> =
        surplus(actual).into_iter().map(|row| format!("{} {}", row.field, row.actual)).collect();
    Row { field: String::new(), expected: String::new(), actual: told.join(", "), differs: true }
}

#[cfg(test)]
mod tests;
