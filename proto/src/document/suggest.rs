//! Finds the known name that was probably meant.

/// How many names a suggestion holds.
const SUGGESTIONS_MAX: usize = 3;

/// What to write instead of an unknown name: the nearest known names, or all of them.
pub fn remedy(unknown: &str, known: &[&str], all: &str) -> String {
    let near = nearest(unknown, known);
    if known.is_empty() {
        format!("there are no {all} here")
    } else if near.is_empty() {
        format!("the {all} here are {}", enumerate(known, "and"))
    } else {
        format!("did you mean {}?", enumerate(&near, "or"))
    }
}

/// `a`, `a or b`, `a, b or c`, each in backquotes.
pub fn enumerate(names: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
    }
}

/// The names that differ least, if they differ by no more than a third of the letters.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Vec<&'a str> {
    let unknown = letters(unknown);
    let bound = (unknown.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|name| (distance(&unknown, &letters(name)), *name))
        .filter(|(distance, _)| *distance <= bound)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let least = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter()
        .take_while(|(distance, _)| *distance == least)
        .take(SUGGESTIONS_MAX)
        .map(|(_, name)| name)
        .collect()
}

/// Longer words are no misspelling of a name; the bound keeps the comparison cheap.
const LETTERS_MAX: usize = 64;

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(LETTERS_MAX).collect()
}

/// How many letters must be added, taken away, replaced or swapped with their neighbour to turn one into the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in right.iter().enumerate() {
            let replaced = last[j] + usize::from(from != to);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == right[j - 1] && left[i - 1] == *to {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_suggested_and_far_ones_are_not() {
        let known = ["accountId", "companyName", "payerAccountId", "seller"];
        let rows: [(&str, &[&str]); 7] = [
            ("acountId", &["accountId"]),
            ("AccountID", &["accountId"]),
            ("account-id", &["accountId"]),
            ("slelre", &["seller"]),
            ("sellers", &["seller"]),
            ("x", &[]),
            ("price", &[]),
        ];
        for (unknown, expected) in rows {
            assert_eq!(nearest(unknown, &known), expected, "{unknown}");
        }
    }

    #[test]
    fn names_are_enumerated_as_a_sentence() {
        assert_eq!(enumerate(&["a"], "or"), "`a`");
        assert_eq!(enumerate(&["a", "b", "c"], "and"), "`a`, `b` and `c`");
    }
}
