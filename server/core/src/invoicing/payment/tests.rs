use super::*;
use crate::ids::AccountId;
use crate::invoicing::{AdjustmentReason, Correction};
use crate::money::Currency;
use crate::time::BillingMonth;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap()
}

fn invoice(id: &str, due: Option<&str>, corrects: Option<&str>) -> Arc<Invoice> {
    let correction = corrects.map(|invoice| Correction {
        invoice: InvoiceId::new(invoice),
        agreement: crate::ids::AgreementId::new("agmt-1"),
        reason: AdjustmentReason::Other,
        description: String::new(),
        client_token: id.to_owned(),
    });
    Arc::new(Invoice {
        id: InvoiceId::new(id),
        payer: AccountId::from_number(1).unwrap(),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: if correction.is_some() { InvoiceKind::CreditMemo } else { InvoiceKind::Usage },
        month: BillingMonth::parse("2025-05").unwrap(),
        issued_at: at("2025-06-02"),
        due_at: due.map(at),
        lines: Vec::new(),
        revenue: Vec::new(),
        correction,
    })
}

#[test]
fn f_17_payment_terms_are_told_in_days() {
    for (due, text) in [
        (Some("2025-07-02"), Some("Net 30 days")),
        (Some("2025-06-02"), Some("Net 0 days")),
        (Some("2025-11-29"), Some("Net 180 days")),
        (Some("2025-11-30"), Some("Net 180+ days")),
        (Some("2025-12-31"), Some("Net 180+ days")),
        (None, None),
    ] {
        assert_eq!(invoice("IN-1", due, None).payment_terms().as_deref(), text);
    }
}

#[test]
fn f_20_ages_have_five_classes() {
    use Age::*;
    let days = [0, 30, 31, 60, 61, 90, 91, 120, 121];
    let expected = [UpTo30, UpTo30, UpTo60, UpTo60, UpTo90, UpTo90, UpTo120, UpTo120, Older];
    assert_eq!(days.map(Age::of_days), expected);
    assert_eq!(Age::between(at("2025-06-02"), at("2025-07-03")), UpTo60);
}

#[test]
fn an_invoice_is_paid_once_and_a_card_pays_at_once() {
    let mut family = Family::new(AccountId::from_number(1).unwrap(), BillingMonth::parse("2025-06").unwrap());
    let (terms, card) = (invoice("IN-1", Some("2025-07-02"), None), invoice("IN-2", None, None));
    let (memo, at_once) = (invoice("IN-3", None, Some("IN-1")), invoice("IN-4", None, Some("IN-2")));
    for invoice in [&terms, &card, &memo, &at_once] {
        family.add_invoice(invoice.clone());
    }
    let issued = at("2025-06-02");
    let collected =
        |family: &Family| [&terms, &card, &memo, &at_once].map(|invoice| collected_at(family, invoice));
    assert_eq!(collected(&family), [None, Some(issued), None, Some(issued)]);
    let refused =
        |family: &Family, id| pay(family, &InvoiceId::new(id), at("2025-06-20")).map_err(|r| r.code);
    assert_eq!(refused(&family, "IN-9"), Err(Code::InvoiceUnknown));
    assert_eq!(refused(&family, "IN-2"), Err(Code::InvoicePaid));
    assert_eq!(refused(&family, "IN-3"), Err(Code::InvoiceNotPayable));

    let paid = at("2025-06-20");
    let Ok(Event::InvoicePaid { invoice, amount, at: when, .. }) = pay(&family, &terms.id, paid) else {
        panic!("it is not paid yet")
    };
    assert_eq!((invoice.as_str(), amount, when), ("IN-1", Money::zero(Currency::Usd), paid));
    family.add_payment(invoice, Payment { at: when, amount });
    assert_eq!(collected(&family), [Some(paid), Some(issued), Some(paid), Some(issued)]);
    assert_eq!(refused(&family, "IN-1"), Err(Code::InvoicePaid));
}
