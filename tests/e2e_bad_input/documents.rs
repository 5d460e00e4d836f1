//! Documents that cannot be read or taken: by line and column in a text, by path everywhere; and a refused document
//! leaves the sandbox of its name as it was.

use souk_client::ClientError;
use souk_proto::account::v1::Account;
use souk_proto::sandbox::v1::put_sandbox_request::Source;

use super::{DOCUMENT, SANDBOX, everything, is, start, unchanged};
use crate::served::Served;
use crate::words::put;

/// Every field that the server found wrong, with its words, one a line after the reason.
fn told<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    let error = answer.expect_err("a document that is refused");
    let refusal = error.refusal().unwrap_or_else(|| panic!("{error:?}"));
    let mut text = format!("{:?} {}", refusal.code, refusal.reason.as_deref().unwrap_or("-"));
    for violation in &refusal.violations {
        text.push_str(&format!("\n{}: {}", violation.field, violation.description));
    }
    text
}

async fn put_text(served: &Served, text: &str) -> String {
    told(served.client.put_sandbox(SANDBOX, Source::Text(text.to_owned())).await)
}

/// The rest of the line at a place such as `line 3, column 5`.
fn there(text: &str, place: &str) -> String {
    let numbers = place.strip_prefix("line ").and_then(|rest| rest.split_once(", column "));
    let (line, column) = numbers.unwrap_or_else(|| panic!("{place} is no place"));
    let number = |text: &str| text.parse::<usize>().expect("a number") - 1;
    let line = text.lines().nth(number(line)).expect("a line of the text");
    line.chars().skip(number(column)).collect()
}

/// The document with a part of its text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(DOCUMENT.contains(from), "{from}");
    DOCUMENT.replacen(from, to, 1)
}

#[tokio::test]
async fn a_text_that_is_no_document_says_where_and_what_would_be_right() {
    let served = start().await;
    let before = everything(&served.client).await;
    for (text, expected) in [
        (
            changed("companyName: Acme Holding", "companyNam: Acme Holding"),
            "accounts[1]: line 8, column 31: unknown field `companyNam`; did you mean `companyName`?",
        ),
        (
            changed("usageCategory: UNITS", "usageCategory: UNIT"),
            "products[0].usageCategory: line 18, column 20: unknown value `UNIT`; did you mean `UNITS`?",
        ),
        (
            changed("clock: {at: 2025-03-10T12:00:00Z}", "clock: {at: yesterday}"),
            "clock.at: line 2, column 13: expected a timestamp, found `yesterday`; write it as 2013-01-01T00:00:00Z",
        ),
        (
            changed("companyName: Borealis", "companyName: [Borealis]"),
            "accounts[4].companyName: line 11, column 44: expected text, found a list; write one value, in quotes \
             if it has special characters",
        ),
        (
            changed("accounts:", "accounts: 5\nproduct: []\nother:"),
            "accounts: line 3, column 11: expected a list, found `5`; put each item on a line of its own, after `- `
: line 4, column 1: unknown field `product`; did you mean `products`?
: line 5, column 1: unknown field `other`; the fields here are `description`, `clock`, `rules`, `accounts`, \
             `products`, `resaleAuthorizations`, `offers`, `agreements`, `publicKeys` and `faults`",
        ),
        (
            "{\"clock\": ".to_owned(),
            ": line 2, column 1: while parsing a node, did not find expected node content; correct the YAML or JSON \
             at this place",
        ),
        (
            String::new(),
            ": line 1, column 1: the text holds no document; write a mapping of fields, or {} for a document \
             without any",
        ),
    ] {
        assert_eq!(put_text(&served, &text).await, format!("InvalidArgument DOCUMENT_INVALID\n{expected}"));
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_document_that_breaks_a_rule_says_which_where() {
    let served = start().await;
    let before = everything(&served.client).await;
    let first = "- {offerId: offer-saas, buyerAccountId: 000000000101, acceptanceTime: 2025-01-15T00:00:00Z}";
    let agreement = |text: &str| changed(first, text);
    let (dimensions, prices): (Vec<_>, Vec<_>) = (0..25)
        .map(|n| {
            let dimension = format!("      - {{key: d{n}, unit: Units, types: [EXTERNALLY_METERED]}}\n");
            (dimension, format!("d{n}: 1, "))
        })
        .unzip();
    let grown =
        changed("      - {key: users, unit: Users, types: [EXTERNALLY_METERED]}\n", &dimensions.concat());
    let grown = grown.replace("users: 0.90, ", &prices.concat());
    for (text, expected, found_there) in [
        (
            changed("payerAccountId: 000000000100}", "payerAccountId: 000000000999}"),
            "NotFound ACCOUNT_UNKNOWN accounts[2].payerAccountId",
            "payerAccountId: 000000000999}",
        ),
        (
            changed("payerAccountId: 000000000100}", "payerAccountId: 999}"),
            "InvalidArgument FIELD_INVALID accounts[2].payerAccountId",
            "payerAccountId: 999}",
        ),
        (
            changed("accountId: 000000000202", "accountId: 000000000100"),
            "InvalidArgument FIELD_INVALID accounts[4].accountId",
            "accountId: 000000000100, companyName: Borealis",
        ),
        (grown, "InvalidArgument TOO_MANY_DIMENSIONS products[0].dimensions", "dimensions:"),
        (
            changed("accounts:", "publicKeys: [{version: 2}, {version: 1, privateKey: nothing}]\naccounts:"),
            "InvalidArgument FIELD_INVALID publicKeys[1].privateKey",
            "privateKey: nothing}]",
        ),
        (
            changed("productId: prod-ami\n    terms", "productId: prod-none\n    terms"),
            "NotFound PRODUCT_UNKNOWN offers[1].productId",
            "productId: prod-none",
        ),
        (
            changed("data: 0.015", "data: 0.123456789"),
            "InvalidArgument PRICE_INVALID offers[0].terms[0].usageBasedPricing.rateCard[data]",
            "data: 0.123456789}",
        ),
        (
            // What is missing has no place: it is missing in this card.
            changed("m5.large: 1500.00, ", ""),
            "InvalidArgument HOURLY_WITHOUT_ANNUAL_ON_ANNUAL_PRODUCT \
             offers[1].terms.configurableUpfrontPricing.rateCards[0].prices[m5.large]",
            "prices: {m5.xlarge: 3000.00}",
        ),
        (
            changed("buyerAccountIds: [000000000101]\n    availabilityEndDate: 2025-03-31", "name: second"),
            "AlreadyExists PUBLIC_OFFER_EXISTS offers[4].productId",
            "productId: prod-ami",
        ),
        (
            agreement("- {offerId: offer-none, buyerAccountId: 000000000101}"),
            "NotFound OFFER_UNKNOWN agreements[0].offerId",
            "offerId: offer-none",
        ),
        (
            agreement("- {offerId: offer-saas, buyerAccountId: 999999999999}"),
            "NotFound ACCOUNT_UNKNOWN agreements[0].buyerAccountId",
            "buyerAccountId: 999999999999}",
        ),
        (
            agreement("- {offerId: offer-private, buyerAccountId: 000000000202}"),
            "PermissionDenied OFFER_NOT_FOR_BUYER agreements[0].offerId",
            "offerId: offer-private",
        ),
        (
            agreement("- {offerId: offer-expired, buyerAccountId: 000000000101}"),
            "FailedPrecondition OFFER_EXPIRED agreements[0].offerId",
            "offerId: offer-expired",
        ),
        (
            agreement(
                "- {offerId: offer-saas, buyerAccountId: 000000000101, acceptanceTime: 2025-03-10T12:00:01Z}",
            ),
            "InvalidArgument FIELD_INVALID agreements[0].acceptanceTime",
            "acceptanceTime: 2025-03-10T12:00:01Z}",
        ),
        (
            agreement("- {offerId: offer-contract, buyerAccountId: 000000000101}"),
            "InvalidArgument CONFIGURATION_INVALID agreements[0].configuration",
            "{offerId: offer-contract",
        ),
        (
            // In the order of time, the second one is accepted first.
            agreement("- {offerId: offer-ami, buyerAccountId: 000000000101}"),
            "AlreadyExists ALREADY_SUBSCRIBED agreements[0].buyerAccountId",
            "buyerAccountId: 000000000101}",
        ),
    ] {
        let found = put_text(&served, &text).await;
        let (status, violation) = found.split_once('\n').expect("a violation");
        let (field, description) = violation.split_once(": ").expect("a field and its words");
        let (place, words) = description.split_once(": ").expect("a place and words");
        assert_eq!(format!("{status} {field}"), expected, "{words}");
        assert!(there(&text, place).starts_with(found_there), "{violation}\n{}", there(&text, place));
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_message_is_refused_by_path_alone() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let mut document = souk_server::document::parse(DOCUMENT).expect("a good document");
    document.agreements[1].offer_id = "offer-none".to_owned();
    let refused = told(client.put_sandbox(SANDBOX, Source::Document(document.clone())).await);
    assert_eq!(
        refused,
        "NotFound OFFER_UNKNOWN\nagreements[1].offerId: sandbox \"bad-input\" has no offer \"offer-none\": list its offers"
    );
    document.agreements.clear();
    document.rules.get_or_insert_default().profile = 99;
    is(
        client.put_sandbox(SANDBOX, Source::Document(document)).await,
        "InvalidArgument FIELD_INVALID rules.profile",
    );
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_document_that_is_too_large_for_the_log_is_refused() {
    let served = start().await;
    let before = everything(&served.client).await;
    let name = "x".repeat(250);
    let with_accounts = |count: u64| {
        let account = |number| format!("- {{accountId: {number:012}, companyName: {name}}}\n");
        format!("accounts:\n{}", (0..count).map(account).collect::<String>())
    };
    // A text may have 8 MiB.
    let found = put_text(&served, &with_accounts(30_000)).await;
    assert!(
        found.starts_with("InvalidArgument DOCUMENT_INVALID\n: line 1, column 1: the text has "),
        "{found}"
    );
    // A message may be larger, and is then too large for the log.
    let mut document = souk_server::document::parse(DOCUMENT).expect("a good document");
    let account = |number: u64| Account {
        account_id: format!("{number:012}"),
        company_name: name.clone(),
        ..Account::default()
    };
    document.accounts.extend((700_000_000_001..=700_000_033_000).map(account));
    is(
        served.client.put_sandbox(SANDBOX, Source::Document(document)).await,
        "InvalidArgument DOCUMENT_INVALID document",
    );
    let large = put(&served.client, "large", &with_accounts(20_000)).await;
    assert_eq!(large.account_count, 20_000);
    unchanged(served, &before).await;
}
