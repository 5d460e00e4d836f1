//! Documents as a whole: what is read, and what is refused in which words.

use crate::catalog::v1::{DimensionType, ProductType};
use crate::sandbox::v1::clock_setting::Setting;
use crate::sandbox::v1::{ClockSetting, FollowMachine, Rules, RulesProfile};

use super::*;

/// Compares the errors of a text, one a line, with the expected ones.
fn check_errors(text: &str, expected: &[&str]) {
    let errors = parse(text).expect_err(text);
    assert_eq!(errors.to_string(), expected.join("\n"), "{text}");
}

fn check_document(text: &str, expected: &SandboxDocument) {
    assert_eq!(parse(text).as_ref(), Ok(expected), "{text}");
}

fn described(description: &str) -> SandboxDocument {
    SandboxDocument { description: description.to_owned(), ..SandboxDocument::default() }
}

#[test]
fn text_is_taken_as_written_unless_it_is_nothing() {
    let rows = [
        ("description: 000000000101", "000000000101"),
        ("description: 0.250", "0.250"),
        ("description: true", "true"),
        ("description: 2013-01-01", "2013-01-01"),
        ("description: 0x1F", "0x1F"),
        ("description: one # two", "one"),
        ("description: 'null'", "null"),
        ("description: null", ""),
        ("description: ~", ""),
        ("description:", ""),
        ("description: |\n  one\n  two\n", "one\ntwo\n"),
        ("\u{feff}description: x", "x"),
        ("description: x\r\naccounts: []\r\n", "x"),
        ("%YAML 1.2\n---\ndescription: x\n...\n", "x"),
        ("{\n\t\"description\"\n\t\t:\"x\"}", "x"),
        (r#"{"description": "\u00e9 \/ \ud83d\ude00 \\ud83d\\ude00 \u0000"}"#, "é / 😀 \\ud83d\\ude00 \0"),
        ("{description: \\ud83d}", "\\ud83d"),
    ];
    for (text, expected) in rows {
        check_document(text, &described(expected));
    }
}

#[test]
fn both_names_of_a_field_and_every_notation_of_a_value_are_read() {
    let expected = SandboxDocument {
        clock: Some(ClockSetting { setting: Some(Setting::Follow(FollowMachine {})) }),
        rules: Some(Rules {
            profile: RulesProfile::RulesProfile2026.into(),
            max_dimensions: Some(24),
            decreases_immediate: Some(false),
            ..Rules::default()
        }),
        ..SandboxDocument::default()
    };
    let rows = [
        "clock: {follow: {}}\nrules: {profile: 2026, maxDimensions: 24, decreasesImmediate: false}",
        "clock: {follow: {}, at: ~}\nrules: {profile: '2026', max_dimensions: '24', decreases_immediate: False}",
        "clock: {follow: {}}\nrules: {profile: RULES_PROFILE_2026, maxDimensions: 2.4e1, decreasesImmediate: false}",
        r#"{"clock":{"follow":{}},"rules":{"profile":"2","maxDimensions":24.0,"decreasesImmediate":false}}"#,
    ];
    for text in rows {
        check_document(text, &expected);
    }
}

#[test]
fn a_text_without_one_readable_document_is_refused() {
    let nothing = "line 1, column 1: the text holds no document; \
        write a mapping of fields, or {} for a document without any";
    let rows = [
        ("", nothing),
        ("# nothing\n", nothing),
        ("--- ~\n", nothing),
        ("{}\n---\n{}\n", "line 2, column 1: a second document begins here; keep one document in a text"),
        (
            "rules: {\n  a: b",
            "line 3, column 1: while parsing a flow mapping, did not find expected ',' or '}'; \
             correct the YAML or JSON at this place",
        ),
        (
            "a: b: c",
            "line 1, column 5: mapping values are not allowed in this context; \
             correct the YAML or JSON at this place",
        ),
    ];
    for (text, expected) in rows {
        check_errors(text, &[expected]);
    }
}

#[test]
fn a_text_that_is_too_long_or_nested_too_deep_is_refused() {
    let deepest = format!("a: {}{}", "[".repeat(DEPTH_MAX - 1), "]".repeat(DEPTH_MAX - 1));
    assert_eq!(parse(&deepest).unwrap_err().told()[0].problem, "unknown field `a`");
    check_errors(
        &format!("a: {}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX)),
        &["line 1, column 67: lists and mappings are nested more than 64 deep; write it flatter"],
    );
    check_errors(
        &format!("a: {}", "x".repeat(BYTES_MAX)),
        &["line 1, column 1: the text has 8388611 bytes; at most 8388608 are read"],
    );
    check_errors(
        &format!("[{}]", "1,".repeat(NODES_MAX + 1)),
        &["line 1, column 4000002: the text holds more than 2000000 values; split it into smaller documents"],
    );
}

#[test]
fn what_documents_may_not_use_of_yaml_is_named() {
    let anchor = "anchors are not read; remove it and write the value out where it is used";
    check_errors("description: &a x", &[&format!("line 1, column 14, description: {anchor}")]);
    check_errors("rules: &a {}", &[&format!("line 1, column 8, rules: {anchor}")]);
    check_errors(
        "accounts: [&a {accountId: 1}, *a]",
        &[
            &format!("line 1, column 12, accounts[0]: {anchor}"),
            "line 1, column 31, accounts[1]: aliases are not read; write the value out where it is used",
        ],
    );
    check_errors(
        "description: !!str 1\nrules: !mine {}",
        &[
            "line 1, column 14, description: tags such as `tag:yaml.org,2002:!str` are not read; \
             remove it, the field itself says the type",
            "line 2, column 8, rules: tags such as `!mine` are not read; remove it, the field itself says the type",
        ],
    );
    check_errors("{[a]: b}", &["line 1, column 2: expected a key, found a list; write it as text"]);
    check_errors("? {a: b}\n: c", &["line 1, column 3: expected a key, found a mapping; write it as text"]);
}

#[test]
fn unknown_and_repeated_names_are_named() {
    check_errors(
        "acounts: []\nfoo: 1\nrules: {maxDimension: 1}",
        &[
            "line 1, column 1: unknown field `acounts`; did you mean `accounts`?",
            "line 2, column 1: unknown field `foo`; the fields here are `description`, `clock`, `rules`, `accounts`, \
             `products`, `resaleAuthorizations`, `offers`, `agreements`, `publicKeys` and `faults`",
            "line 3, column 9, rules: unknown field `maxDimension`; did you mean `maxDimensions`?",
        ],
    );
    check_errors(
        "offers:\n  - terms:\n    - renewal: {x: 1}",
        &[
            "line 3, column 17, offers[0].terms[0].renewal: unknown field `x`; the fields here are `priceIncrease`",
        ],
    );
    check_errors(
        "accounts:\n- accountId: 1\n  account_id: 1",
        &[
            "line 3, column 3, accounts[0].accountId: `account_id` is given twice, first on line 2; keep one of them",
        ],
    );
    check_errors(
        "offers: [{terms: [{usageBasedPricing: {rateCard: {m5.large: 1, m5.large: 2}}}]}]",
        &["line 1, column 64, offers[0].terms[0].usageBasedPricing.rateCard[\"m5.large\"]: \
           `m5.large` is given twice, first on line 1; keep one of them"],
    );
    check_errors(
        "clock:\n  at: 2013-01-01T00:00:00Z\n  follow: {}",
        &["line 3, column 3, clock.follow: `at` and `follow` exclude each other; keep one of them"],
    );
    check_errors(
        "products: [{productType: AMY}, {productType: HARDWARE}]",
        &[
            "line 1, column 26, products[0].productType: unknown value `AMY`; did you mean `AMI`?",
            "line 1, column 46, products[1].productType: unknown value `HARDWARE`; \
             the values here are `AMI`, `CONTAINER`, `SAAS`, `MACHINE_LEARNING` and `PROFESSIONAL_SERVICES`",
        ],
    );
}

#[test]
fn a_value_of_the_wrong_type_says_what_was_expected_and_what_was_found() {
    let account = "the fields here are `accountId`, `companyName`, `payerAccountId`, `seller`, `address`, \
        `emailDomain`, `accessKeys`, `invoiceTerms`, `netDays`, `tax` and \
        `privateMarketplaceAdminAccountId`";
    let rows = [
        (
            "description: [a]",
            "line 1, column 14, description: expected text, found a list; \
             write one value, in quotes if it has special characters"
                .to_owned(),
        ),
        (
            "accounts: {}",
            "line 1, column 11, accounts: expected a list, found a mapping; \
             put each item on a line of its own, after `- `"
                .to_owned(),
        ),
        (
            "accounts: [~]",
            format!("line 1, column 12, accounts[0]: expected a mapping of fields, found nothing; {account}"),
        ),
        (
            "accounts: ['a']",
            format!(
                "line 1, column 12, accounts[0]: expected a mapping of fields, found the text `a`; {account}"
            ),
        ),
        (
            "offers: [{terms: [{renewal: yes}]}]",
            "line 1, column 29, offers[0].terms[0].renewal: expected a mapping of fields, found `yes`; \
             the fields here are `priceIncrease`"
                .to_owned(),
        ),
        (
            "agreements: [{configuration: {quantities: [a]}}]",
            "line 1, column 43, agreements[0].configuration.quantities: \
             expected a mapping of keys to values, found a list; \
             put each pair on a line of its own, as `key: value`"
                .to_owned(),
        ),
        (
            "agreements: [{configuration: {autoRenew: 'true'}}]",
            "line 1, column 42, agreements[0].configuration.autoRenew: \
             expected a truth value, found the text `true`; write true or false, without quotes"
                .to_owned(),
        ),
        (
            "products: [{productType: [AMI]}]",
            "line 1, column 26, products[0].productType: expected a name, found a list; \
             write `AMI`, `CONTAINER`, `SAAS`, \
             `MACHINE_LEARNING` or `PROFESSIONAL_SERVICES`"
                .to_owned(),
        ),
        (
            "clock: {at: 2013-01-01}",
            "line 1, column 13, clock.at: expected a timestamp, found `2013-01-01`; \
             write it as 2013-01-01T00:00:00Z"
                .to_owned(),
        ),
    ];
    for (text, expected) in rows {
        check_errors(text, &[&expected]);
    }
}

#[test]
fn whole_numbers_keep_their_range() {
    let quantities = "agreements[0].configuration.quantities";
    let remedy = "write one from 0 to 18446744073709551615";
    check_errors(
        "agreements: [{configuration: {quantities: {a: -1, m5.large: 1.5, \"\": x, b: 1e99, c: }}}]",
        &[
            &format!("line 1, column 47, {quantities}.a: `-1` is out of range; {remedy}"),
            &format!(
                "line 1, column 61, {quantities}[\"m5.large\"]: expected a whole number, found `1.5`; {remedy}"
            ),
            &format!("line 1, column 70, {quantities}[\"\"]: expected a whole number, found `x`; {remedy}"),
            &format!("line 1, column 76, {quantities}.b: `1e99` is out of range; {remedy}"),
            &format!("line 1, column 83, {quantities}.c: expected a whole number, found nothing; {remedy}"),
        ],
    );
    let long = "a".repeat(60);
    check_errors(
        &format!("rules: {{maxDimensions: \"{long}\", maxPrivateOfferBuyers: 4294967296}}"),
        &[
            &format!(
                "line 1, column 24, rules.maxDimensions: expected a whole number, found the text `{}…`; \
                 write one from 0 to 4294967295",
                &long[..40]
            ),
            "line 1, column 111, rules.maxPrivateOfferBuyers: `4294967296` is out of range; \
             write one from 0 to 4294967295",
        ],
    );
}

#[test]
fn the_twenty_first_error_is_only_counted() {
    let errors = parse(&"x: 1\n".repeat(ERRORS_MAX + 3)).unwrap_err();
    assert_eq!((errors.told().len(), errors.omitted()), (ERRORS_MAX, 3));
    assert!(errors.to_string().ends_with("\nand 3 more"));
}

#[test]
fn the_types_of_other_documents_are_read_and_refused_by_the_same_rules() {
    let check = |name: &str, text: &str, expected: &str| {
        let read = parse_message(text, &pool().get_message_by_name(name).unwrap());
        let written = read.map_or_else(|errors| errors.to_string(), |message| message_to_yaml(&message));
        assert_eq!(written, expected, "{text}");
    };
    check("souk.sandbox.v1.AdvanceClockRequest", "by: PT1H30M", "by: 5400s\n");
    check(
        "souk.sandbox.v1.AdvanceClockRequest",
        "by: 1h",
        "line 1, column 5, by: expected a duration, found `1h`; write it as 3600s or PT1H",
    );
    check("souk.reporting.v1.ExportReportResponse", "chunk: AQ", "chunk: AQ==\n");
    check(
        "souk.reporting.v1.ExportReportResponse",
        "chunk: '*'",
        "line 1, column 8, chunk: expected bytes, found the text `*`; write them in base64",
    );
}

#[test]
fn a_path_that_the_document_does_not_hold_leads_to_what_is_around_it() {
    let located =
        parse_located("offers:\n  - terms:\n    - renewal: {}\n    - validity: {agreementDuration: P1M}")
            .unwrap();
    let rows = [
        ("offers", (1, 1)),
        ("offers[0].terms[1]", (4, 7)),
        ("offers[0].terms[1].validity.agreementDuration", (4, 18)),
        ("offers[0].terms[1].validity.other", (4, 7)),
        ("offers[0].productId", (2, 5)),
        ("offers[7].productId", (1, 1)),
        ("offers[0].terms.validity.agreementDuration", (4, 18)),
        ("products[0]", (1, 1)),
    ];
    for (path, (line, column)) in rows {
        assert_eq!(located.positions.find(path), Position { line, column }, "{path}");
    }
}

#[test]
fn a_map_s_key_is_found_however_it_is_written() {
    let text = "offers:\n  - terms:\n    - usageBasedPricing:\n        rateCard: {users: 1, m5.large: 2}";
    let positions = parse_located(text).unwrap().positions;
    let quoted = positions.find("offers[0].terms[0].usageBasedPricing.rateCard[\"m5.large\"]");
    assert_eq!(positions.find("offers[0].terms.usageBasedPricing.rateCard[m5.large]"), quoted);
    assert_eq!(quoted.line, 4);
    let name = positions.find("offers[0].terms[0].usageBasedPricing.rateCard.users");
    assert_eq!(positions.find("offers[0].terms.usageBasedPricing.rateCard[users]"), name);
    assert_ne!(name, quoted);
}

#[test]
fn the_example_is_read() {
    let document = parse(EXAMPLE).unwrap();
    let [analytics, image] = document.products.as_slice() else { panic!("two products") };
    assert_eq!((analytics.title.as_str(), analytics.product_type()), ("Flight analytics", ProductType::Saas));
    assert_eq!(analytics.dimensions[0].types, [i32::from(DimensionType::ExternallyMetered)]);
    assert_eq!((image.title.as_str(), image.product_type()), ("Radar image", ProductType::Ami));
    assert_eq!(document.accounts[2].account_id, "000000000101");
    assert_eq!(document.agreements[0].configuration.as_ref().unwrap().quantities["m5.large"], 2);
    assert_eq!(parse(&to_yaml(&document)).as_ref(), Ok(&document));
}
