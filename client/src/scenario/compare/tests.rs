//! Lists against lists, as a table.

use prost_reflect::prost::Message;
use souk_proto::billing::v1::{Invoice, InvoiceLine};
use souk_proto::document::tree;

use super::*;
use crate::scenario::actual;
use crate::scenario::directory::tests::with_acme;
use crate::scenario::expected::{Form, read_items};
use crate::scenario::reading::Reading;
use crate::scenario::shape::descriptor;

fn invoice(payer: &str, month: &str, total: &str, amounts: &[&str]) -> Invoice {
    let line = |amount: &&str| InvoiceLine { amount: (*amount).to_owned(), ..InvoiceLine::default() };
    Invoice {
        payer_account_id: payer.to_owned(),
        billing_period: month.to_owned(),
        total: total.to_owned(),
        lines: amounts.iter().map(line).collect(),
        ..Invoice::default()
    }
}

/// Reads what is expected and compares it with invoices: every problem, with its line.
fn compared(text: &str, invoices: &[Invoice]) -> Vec<String> {
    let form = Form::Message(descriptor("souk.billing.v1.Invoice"));
    let mut reading = Reading::default();
    reading.given.insert("acme".to_owned(), "111111111111".to_owned());
    let node = tree::read(text).unwrap();
    let items = read_items(&mut reading, &node, &form, &[]).unwrap();
    assert!(reading.errors.is_empty(), "{}", reading.errors);
    let actual = actual::of_all(&descriptor("souk.billing.v1.Invoice"), invoices);
    let differences =
        super::items("invoices", Position { line: 9, column: 9 }, &items, &actual, &with_acme());
    differences.iter().map(|d| format!("{}:{}: {}", d.position.line, d.position.column, d.problem)).collect()
}

#[test]
fn every_item_must_be_there_and_no_other() {
    let acme = invoice("111111111111", "2025-01", "7.50", &["3.00", "4.50"]);
    let other = invoice("222222222222", "2025-01", "9.00", &["9.00"]);
    let both = [acme, other];
    let rows: [(&str, &[&str]); 15] = [
        ("[{total: 7.50}, {total: 9.00}]", &[]),
        // In any order, and by value.
        ("[{total: 9}, {total: 7.5}]", &[]),
        ("[{total: 9}]", &["9:9: invoices: this is there, and was not expected"]),
        ("{atLeast: [{total: 9}]}", &[]),
        ("{atLeast: [{total: 8, month: 2025-01}]}", &["1:20: invoices: total is not as expected"]),
        ("{payer: acme, exactly: [{total: 7.50}]}", &[]),
        ("{payer: acme, exactly: []}", &["9:9: invoices: this is there, and was not expected"]),
        ("{month: 2025-02, exactly: []}", &[]),
        ("{count: 2}", &[]),
        ("{count: 3}", &["1:9: invoices: expected 3, found 2"]),
        // The item that states little leaves its partner to the one that states more.
        ("[{month: 2025-01}, {total: 7.50}]", &[]),
        ("[{payer: acme}, {payer: acme}]", &["1:25: invoices: payer is not as expected"]),
        (
            "{payer: acme, exactly: [{lines: [{amount: 3.00}, {amount: 4.60}]}]}",
            &["1:59: invoices, lines: amount is not as expected"],
        ),
        (
            "{payer: acme, exactly: [{lines: [{amount: 3.00}]}]}",
            &["1:26: invoices, lines: this is there, and was not expected"],
        ),
        ("{payer: acme, exactly: [{lines: {atLeast: [{amount: 4.50}]}}]}", &[]),
    ];
    for (text, expected) in rows {
        assert_eq!(compared(text, &both), expected, "{text}");
    }
}

#[test]
fn an_item_that_is_missing_shows_what_was_expected() {
    assert_eq!(compared("[{total: 7.50}]", &[]), ["1:2: invoices: nothing like this is there"]);
}

#[test]
fn texts_are_the_same_as_numbers_as_written_or_by_a_name() {
    let rows = [
        ("7.5", "7.50", true),
        ("7", "7.00", true),
        ("-0", "0.00", true),
        ("-1.50", "-1.5", true),
        ("1", "-1", false),
        ("0.10", "0.1", true),
        ("00.10", "0.10", false),
        ("101", "000000000101", false),
        ("acme", "111111111111", true),
        ("acme", "222222222222", false),
        ("", "", true),
        ("", "0", false),
        ("7.", "7", false),
    ];
    for (expected, actual, is_same) in rows {
        assert_eq!(same(expected, actual, &with_acme()), is_same, "{expected} and {actual}");
    }
}

#[test]
fn an_answer_has_every_field() {
    let answered = actual::of(&descriptor("souk.billing.v1.Invoice"), &Invoice::default());
    assert_eq!(answered.text("total"), "");
    assert_eq!(answered.field("lines"), Some(&Actual::List(Vec::new())));
    assert!(Invoice::default().encode_to_vec().is_empty());
}
