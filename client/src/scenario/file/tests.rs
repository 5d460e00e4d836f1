//! Mistakes in scenarios: where they are, and in which words they are told.

use super::*;
use crate::scenario::{action, expectation};

const NEW: &str = include_str!("../new.yaml");

/// What is wrong with the example when a part of it is written otherwise.
fn mistakes(from: &str, to: &str) -> Vec<String> {
    assert!(NEW.contains(from), "{from}");
    let text = NEW.replacen(from, to, 1);
    let mistakes = read("new.yaml", Path::new("new.yaml"), &text).expect_err(to);
    mistakes.errors.told().iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_read() {
    let scenario =
        read("new.yaml", Path::new("new.yaml"), NEW).unwrap_or_else(|wrong| panic!("{}", wrong.errors));
    assert_eq!(scenario.name, "Two of five are billed by the hour");
    assert_eq!(scenario.steps.len(), 4);
    let begin = scenario.document.clock.and_then(|clock| clock.setting);
    assert_eq!(begin, Some(Setting::At(scenario.steps[0].at)), "the sandbox begins with the first step");
    assert_eq!(
        scenario.steps[1].at, scenario.steps[0].at,
        "a step without a time happens at that of the one before"
    );
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_would_be_right() {
    let rows = [
        (
            "    accept: {offer",
            "    acept: {offer",
            "line 35, column 5, timeline[0]: unknown key `acept`; did you mean `accept`?",
        ),
        (
            "buyer: Acme Airlines, as",
            "buyr: Acme Airlines, as",
            "line 35, column 34, timeline[0].accept: unknown key `buyr`; did you mean `buyer`?",
        ),
        (
            "buyer: Acme Airlines, as",
            "buyer: Acme Airline, as",
            "line 35, column 41, timeline[0].accept.buyer: `Acme Airline` is neither the id nor the name of an account; did you mean `Acme Airlines`?",
        ),
        (
            "{agreement: radar,",
            "{agreement: rader,",
            "line 38, column 28, timeline[1].buyAnnual.agreement: `rader` is neither the id nor the name of an agreement; did you mean `radar`?",
        ),
        (
            "- at: 2025-01-11",
            "- at: 2024-12-31",
            "line 40, column 9, timeline[2]: the clock stands at 2025-01-01T00:00:00Z already; put the steps in the order of time: a clock never turns back",
        ),
        (
            "count: 5,",
            "count: many,",
            "line 41, column 78, timeline[2].run.count: expected a whole number, found `many`; write it with digits, such as 5",
        ),
        (
            "      invoices:",
            "      invoicez:",
            "line 47, column 7, timeline[3].expect: unknown key `invoicez`; did you mean `invoices`?",
        ),
        (
            "kind: UPFRONT",
            "kind: UPFRNT",
            "line 48, column 17, timeline[3].expect.invoices[0].kind: unknown value `UPFRNT`; did you mean `UPFRONT`?",
        ),
        (
            "unitPrice: 0.25, amount",
            "unitPrice: 0.25, ammount",
            "line 54, column 91, timeline[3].expect.invoices[1].lines[0]: unknown key `ammount`; did you mean `amount`?",
        ),
        (
            "        month: 2025-01\n        exactly",
            "        month: 2025-13\n        exactly",
            "line 58, column 16, timeline[3].expect.report.month: expected a month, found `2025-13`; write it as 2026-03",
        ),
        (
            "companyName: Contrail",
            "companyNam: Contrail",
            "line 14, column 33, sandbox.accounts[0]: unknown field `companyNam`; did you mean `companyName`?",
        ),
        (
            "    because: 5 - 3 instances ran uncovered in 240 hours",
            "    cancel: {agreement: radar}",
            "line 44, column 5, timeline[3]: several things happen here: `cancel` and `expect`; give each a step of its own; steps without `at:` happen at the same time",
        ),
        (
            "    expect:",
            "    refused: OFFER_EXPIRED\n    expect:",
            "line 46, column 5, timeline[3].expect: what comes of a step is said of actions; write it below `expect:`",
        ),
        (
            "as: radar}\n",
            "as: radar}\n    refused: OFFER_EXPIRD\n",
            "line 36, column 14, timeline[0].accept: no refusal has the code `OFFER_EXPIRD`; did you mean `OFFER_EXPIRED`?",
        ),
        (
            "as: radar}\n",
            "as: radar}\n    refused: {code: BANANA}\n",
            "line 36, column 21, timeline[0].accept: no refusal has the code `BANANA`; proto/REASONS.md lists them",
        ),
        (
            "as: radar}\n",
            "as: radar}\n    gives: {endTim: 2026-01-01}\n",
            "line 36, column 13, timeline[0].accept: unknown key `endTim`; did you mean `endTime`?",
        ),
        (
            "until: 2025-01-11",
            "unti: 2025-01-11",
            "line 41, column 99, timeline[2].run: unknown key `unti`; did you mean `until`?",
        ),
        (
            "{agreement: radar, quantities",
            "{buyer: Acme Airlines, quantities",
            "line 38, column 16, timeline[1].buyAnnual: it is not said which agreement; say `agreement:`, or `buyer:` and `product:`",
        ),
        (
            "companyName: Contrail Software, seller: {}}\n",
            "companyName: Acme Airlines, seller: {}}\n",
            "line 35, column 41, timeline[0].accept.buyer: `Acme Airlines` is the name of 2 accounts; write the id of the one you mean, or give each its own name",
        ),
        (
            "as: radar}\n",
            "as: radar}\n  - accept: {offer: Radar image, buyer: Acme Airlines, as: radar}\n",
            "line 39, column 28, timeline[2].buyAnnual.agreement: `radar` is the name of 2 agreements; write the id of the one you mean, or give each its own name",
        ),
        (
            "sandbox:\n",
            "sandbox:\n  clock: {follow: {}}\n",
            "line 12, column 3: the clock of a scenario does not follow the machine's; set it with `clock: {at: ...}`, or leave it out: then it begins with the first step",
        ),
    ];
    for (from, to, expected) in rows {
        assert_eq!(mistakes(from, to).first().map(String::as_str), Some(expected), "{to}");
    }
}

#[test]
fn one_mistake_does_not_hide_or_make_others() {
    let rows = [
        ("    accept: {offer", "    acept: {offer", 2),
        ("seller: Contrail Software\n", "seler: Contrail Software\n", 2),
    ];
    for (from, to, count) in rows {
        assert_eq!(mistakes(from, to).len(), count, "{:#?}", mistakes(from, to));
    }
}

#[test]
fn every_message_that_is_named_is_of_the_contract() {
    let pool = document::pool();
    let of_actions = action::ALL.iter().flat_map(|kind| {
        let taken = match kind.takes {
            Takes::Message(name) => Some(name),
            _ => None,
        };
        [kind.gives, taken]
    });
    for name in of_actions.chain(expectation::ALL.iter().map(|kind| kind.of)).flatten() {
        assert!(pool.get_message_by_name(name).is_some(), "{name}");
    }
}

#[test]
fn every_action_and_expectation_is_in_the_reference_with_an_example() {
    let page = include_str!("../../../SCENARIOS.md");
    for key in action::ALL.iter().map(|kind| kind.key).chain(expectation::ALL.iter().map(|kind| kind.key)) {
        assert!(page.contains(&format!("### {key}\n")), "{key} has no section");
        assert!(page.contains(&format!("{key}:")), "{key} has no example");
    }
}

/// A marketplace in which the examples of the reference make sense.
const MARKET: &str = "
scenario: an example
sandbox:
  accounts:
    - {accountId: 999999999999, companyName: Fleet Software}
    - {accountId: 888888888888, companyName: Cloud Software}
    - {accountId: 111111111111, companyName: Acme}
    - {accountId: 222222222222, companyName: Stranger}
  products: [{title: Fleet}, {title: Analytics}, {title: Storage}, {title: Pods}, {title: Model}]
  offers: [{name: Summer price}]
";

#[test]
fn the_examples_of_the_reference_can_be_read() {
    let page = include_str!("../../../SCENARIOS.md");
    let examples: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 15, "{} examples", examples.len());
    for example in examples {
        let text = match example.starts_with("- ") {
            true => format!("{MARKET}timeline:\n{example}"),
            false => example.to_owned(),
        };
        let read = read("example", Path::new("example"), &text);
        read.unwrap_or_else(|wrong| panic!("{}\n{}", wrong.errors, wrong.text));
    }
}
