//! What this version does not know is refused, and the refusal says where it stands.

use prost::Message;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::journal_event::Event;

use super::samples;
use crate::codec::{CodecError, ControlBatch, PartitionBatch};

fn stored(name: &str) -> journal::PartitionBatch {
    let sample = samples::partition().into_iter().find(|(found, _)| *found == name).unwrap().1;
    journal::PartitionBatch::decode(sample.encode().as_slice()).unwrap()
}

fn stored_control(name: &str) -> journal::ControlBatch {
    let sample = samples::control().into_iter().find(|(found, _)| *found == name).unwrap().1;
    journal::ControlBatch::decode(sample.encode().as_slice()).unwrap()
}

/// What is said of a sample after a change of what is stored.
fn refusal(name: &str, change: impl FnOnce(&mut journal::PartitionBatch)) -> String {
    let mut batch = stored(name);
    change(&mut batch);
    PartitionBatch::decode(&batch.encode_to_vec()).unwrap_err().to_string()
}

/// What is said of a sample after a change of its first event.
fn event_refusal(name: &str, change: impl FnOnce(&mut Event)) -> String {
    refusal(name, |batch| change(batch.events[0].event.as_mut().unwrap()))
}

#[test]
fn a_newer_format_is_refused() {
    let later = "the batch has format 2, later than 1: it was written by a newer version";
    assert_eq!(refusal("agreement_ended", |batch| batch.format_version = 2), later);
    let none = "format_version is absent or of an unknown kind: the batch was written by a newer version";
    assert_eq!(refusal("agreement_ended", |batch| batch.format_version = 0), none);
    let mut control = stored_control("clock_set");
    control.format_version = 2;
    assert_eq!(ControlBatch::decode(&control.encode_to_vec()), Err(CodecError::Version { found: 2 }));
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    let mut bytes = stored("agreement_ended").encode_to_vec();
    // Field 1000 holds the number 1.
    bytes.extend([0xc0, 0x3e, 0x01]);
    assert_eq!(PartitionBatch::decode(&bytes), Err(CodecError::UnknownFields));
    // The batch's event grows by the same field.
    let mut batch = stored("agreement_ended");
    let mut event = batch.events.remove(0).encode_to_vec();
    event.extend([0xc0, 0x3e, 0x01]);
    let mut bytes = batch.encode_to_vec();
    bytes.extend([5 << 3 | 2, event.len() as u8]);
    bytes.extend(event);
    assert_eq!(PartitionBatch::decode(&bytes), Err(CodecError::UnknownFields));
}

#[test]
fn an_unknown_kind_of_event_says_which_event_it_is() {
    let said = refusal("month_closed_in_two_sandboxes", |batch| batch.events[1].event = None);
    assert_eq!(
        said,
        "events[1].event is absent or of an unknown kind: the batch was written by a newer version"
    );
    let mut control = stored_control("clock_set");
    control.entries[0].entry = None;
    let said = ControlBatch::decode(&control.encode_to_vec()).unwrap_err().to_string();
    assert_eq!(
        said,
        "entries[0].entry is absent or of an unknown kind: the batch was written by a newer version"
    );
}

#[test]
fn a_missing_field_is_no_default() {
    let unknown = |path: &str| {
        format!("{path} is absent or of an unknown kind: the batch was written by a newer version")
    };
    let said = event_refusal("agreement_ended", |event| {
        let Event::AgreementEnded(ended) = event else { panic!() };
        ended.status = 99;
    });
    assert_eq!(said, unknown("events[0].agreement_ended.status"));
    let said = event_refusal("invoice_issued_usage", |event| {
        let Event::InvoiceIssued(invoice) = event else { panic!() };
        invoice.lines[0].amount_minor.clear();
    });
    assert_eq!(said, unknown("events[0].invoice_issued.lines[0].amount_minor"));
    let said = event_refusal("invoice_issued_usage", |event| {
        let Event::InvoiceIssued(invoice) = event else { panic!() };
        invoice.lines[0].segments[2].source = None;
    });
    assert_eq!(said, unknown("events[0].invoice_issued.lines[0].segments[2].source"));
    let said = event_refusal("upfront_purchased", |event| {
        let Event::UpfrontPurchased(purchased) = event else { panic!() };
        purchased.purchase.as_mut().unwrap().unit_prices[1].scaled_price = None;
    });
    assert_eq!(said, unknown("events[0].upfront_purchased.purchase.unit_prices[1].scaled_price"));
}

#[test]
fn a_value_that_is_never_written_is_named() {
    type Damage = fn(&mut journal::UsageAccepted);
    let damaged = |words: &str| format!("{words}: the batch is damaged, or was written by a newer version");
    let usage = |change: Damage| {
        event_refusal("usage_accepted", |event| {
            let Event::UsageAccepted(usage) = event else { panic!() };
            change(usage);
        })
    };
    let cases: [(Damage, &str); 5] = [
        (|usage| usage.quantity_units.truncate(2), "quantity_units cannot be a column of 2 rows beside 3"),
        (|usage| usage.hour_offsets.truncate(2), "hour_offsets cannot be a column of 2 rows beside 3"),
        (|usage| usage.hour_offsets[0] = u32::MAX, "hour_offsets cannot be 4294967295"),
        (|usage| usage.quantity_units[1] = u64::MAX, "quantity_units cannot be 18446744073709551615"),
        (|usage| usage.quantity_millionths[0] = 1_000_000, "quantity_millionths cannot be 1000000"),
    ];
    for (change, words) in cases {
        assert_eq!(usage(change), damaged(&format!("events[0].usage_accepted.{words}")));
    }
    type DamageRuns = fn(&mut journal::RunsTold);
    let cases: [(DamageRuns, &str); 3] = [
        (|told| told.start_micros.truncate(1), "start_micros cannot be a column of 1 rows beside 2"),
        (|told| told.end_micros.truncate(1), "end_micros cannot be a column of 1 rows beside 2"),
        (|told| told.end_micros[0] = told.start_micros[0], "end_micros cannot be 1741600805000000"),
    ];
    for (change, words) in cases {
        let said = event_refusal("runs_told", |event| {
            let Event::RunsTold(told) = event else { panic!() };
            change(told);
        });
        assert_eq!(said, damaged(&format!("events[0].runs_told.{words}")));
    }
    let said = event_refusal("usage_added", |event| {
        let Event::UsageAdded(added) = event else { panic!() };
        added.hours.truncate(2);
    });
    assert_eq!(said, damaged("events[0].usage_added.hours cannot be a column of 2 rows beside 3"));
    let said = event_refusal("inferences_told", |event| {
        let Event::InferencesTold(told) = event else { panic!() };
        told.inferences[1].status = Some(70_000);
    });
    assert_eq!(said, damaged("events[0].inferences_told.inferences[1].status cannot be 70000"));
    let said = event_refusal("client_token_used", |event| {
        let Event::ClientTokenUsed(used) = event else { panic!() };
        used.token_hash.truncate(15);
    });
    assert_eq!(said, damaged("events[0].client_token_used.token_hash cannot be 15 bytes long"));
    let said = event_refusal("usage_allocated", |event| {
        let Event::UsageAllocated(allocated) = event else { panic!() };
        allocated.allocations[1].quantity_millionths = Some(u64::MAX);
    });
    let path = "events[0].usage_allocated.allocations[1].quantity_millionths";
    assert_eq!(said, damaged(&format!("{path} cannot be 18446744073709551615")));
    assert_eq!(
        refusal("agreement_ended", |batch| batch.events[0].sandbox = 1),
        damaged("events[0].sandbox cannot be 1")
    );
    let said = event_refusal("upfront_purchased", |event| {
        let Event::UpfrontPurchased(purchased) = event else { panic!() };
        let prices = &mut purchased.purchase.as_mut().unwrap().unit_prices;
        prices.push(prices[0].clone());
    });
    assert_eq!(
        said,
        damaged("events[0].upfront_purchased.purchase.unit_prices[2] cannot be another entry of m5.large")
    );
    let said = event_refusal("invoice_issued_usage", |event| {
        let Event::InvoiceIssued(invoice) = event else { panic!() };
        invoice.lines[0].amount_minor = "+31".to_owned();
    });
    assert_eq!(said, damaged("events[0].invoice_issued.lines[0].amount_minor cannot be \"+31\""));
}
