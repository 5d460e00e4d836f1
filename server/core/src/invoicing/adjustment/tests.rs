use super::*;
use crate::agreement::Family;
use crate::catalog::TaxLiability;
use crate::ids::{AccountId, DimensionKey, OfferId, ProductId};
use crate::invoicing::ChargeType;
use crate::money::Rate;

fn usd(cents: i128) -> Money {
    Money::from_minor(cents, Currency::Usd)
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

/// A family with one invoice of charges at a fee, one for each dimension.
fn family(charges: &[(&str, i128)], fee_hundredths: u32) -> Family {
    let month = BillingMonth::parse("2025-05").unwrap();
    let mut family = Family::new(account(1), month);
    let rate = Rate::from_hundredths_of_percent(fee_hundredths);
    let line = |&(key, cents): &(&str, i128)| {
        let unit_price = UnitPrice::from_scaled(cents as i64 * 1_000_000).unwrap();
        let exact = unit_price.times(QuantitySum::whole(1), Currency::Usd);
        InvoiceLine {
            charge_type: ChargeType::Contract,
            seller: account(9),
            buyer: account(2),
            product: ProductId::new("prod-1"),
            offer: OfferId::new("offer-p1"),
            agreement: AgreementId::new("agmt-1"),
            dimension: Some(DimensionKey::new(key)),
            quantity: QuantitySum::whole(1),
            unit_price,
            amount: usd(cents),
            start: at("2025-05-20T00:00:00Z"),
            end: at("2026-05-20T00:00:00Z"),
            wholesale: None,
            explanation: Explanation { exact, segments: Vec::new(), proration: None },
        }
    };
    let lines: Vec<_> = charges.iter().map(line).collect();
    let revenue = lines.iter().map(|line| Revenue {
        charge_type: line.charge_type,
        seller: line.seller,
        buyer: line.buyer,
        product: line.product.clone(),
        offer: line.offer.clone(),
        dimension: line.dimension.clone(),
        billed: line.amount,
        fee_rate: rate,
        fee: line.amount.share(rate).negated(),
        refunded: usd(0),
        fee_refund: usd(0),
        tax: None,
        resale: None,
        agreements: Vec::new(),
    });
    family.add_invoice(Arc::new(Invoice {
        id: InvoiceId::new("IN-1"),
        payer: account(1),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: InvoiceKind::Upfront,
        month,
        issued_at: at("2025-05-20T00:00:00Z"),
        due_at: None,
        revenue: revenue.collect(),
        lines,
        correction: None,
    }));
    family
}

fn wish(amount: &str, token: &str) -> Adjustment {
    Adjustment {
        invoice: InvoiceId::new("IN-1"),
        agreement: AgreementId::new("agmt-1"),
        amount: Amount::parse(amount, Currency::Usd).unwrap(),
        reason: AdjustmentReason::BuyerDissatisfaction,
        description: String::new(),
        client_token: token.to_owned(),
    }
}

/// Makes an adjustment and answers its memo; or why not.
fn give_back(family: &mut Family, amount: &str, token: &str) -> Result<Arc<Invoice>, &'static str> {
    match adjust(family, &wish(amount, token), at("2025-06-03T12:00:00Z")) {
        Ok(Adjusted { credit_memo, event }) => {
            if let Some(Event::InvoiceIssued(memo)) = event {
                family.add_invoice(memo);
            }
            Ok(family.invoice(&credit_memo).unwrap().clone())
        }
        Err(Refusal::Rejected(rejection)) => Err(rejection.code.as_str()),
        Err(Refusal::Broken(broken)) => panic!("{broken}"),
    }
}

#[test]
fn f_05_a_full_refund_returns_the_whole_fee() {
    let mut family = family(&[("users", 24_300)], 300);
    let memo = give_back(&mut family, "243.00", "a").unwrap();
    assert_eq!(memo.total().to_string(), "-243.00");
    let row = &memo.revenue[0];
    let amounts = [row.billed, row.fee, row.refunded, row.fee_refund].map(|money| money.to_string());
    assert_eq!(amounts, ["0.00", "0.00", "-243.00", "7.29"]);
    assert_eq!((memo.month.to_string().as_str(), memo.kind), ("2025-06", InvoiceKind::CreditMemo));
}

#[test]
fn f_08_refunds_have_limits_and_are_applied_in_order() {
    let mut family = family(&[("m5.large", 37_200)], 2_000);
    for (amount, token, expected) in [
        ("100.00", "a", Ok("-100.00")),
        ("272.00", "b", Ok("-272.00")),
        ("0.01", "c", Err("EXCEEDED_MAXIMUM_ADJUSTMENT_AMOUNT")),
        ("-5", "d", Err("INVALID_ADJUSTMENT_AMOUNT")),
        ("0", "e", Err("INVALID_ADJUSTMENT_AMOUNT")),
        ("0.004", "f", Err("INVALID_ADJUSTMENT_AMOUNT")),
    ] {
        let memo = give_back(&mut family, amount, token);
        assert_eq!(memo.map(|memo| memo.total().to_string()), expected.map(str::to_owned), "{amount}");
    }
}

#[test]
fn partial_refunds_never_return_more_than_the_fee() {
    let mut family = family(&[("users", 10_001)], 300);
    let mut returned = 0;
    for (number, amount) in ["33.33", "33.33", "33.34", "0.01"].into_iter().enumerate() {
        let memo = give_back(&mut family, amount, &number.to_string()).unwrap();
        returned += memo.revenue.iter().map(|row| row.fee_refund.minor()).sum::<i128>();
    }
    let fee = family.invoices()[0].revenue[0].fee.negated().minor();
    assert_eq!(returned, fee, "the whole charge came back, and with it the whole fee");
}

#[test]
fn what_is_given_back_divides_over_the_rows_to_the_cent() {
    let mut family = family(&[("a", 100), ("b", 100), ("c", 100)], 300);
    let memo = give_back(&mut family, "1.00", "a").unwrap();
    let parts: Vec<_> = memo.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(parts, ["-0.33", "-0.34", "-0.33"]);
    let rest = give_back(&mut family, "2.00", "b").unwrap();
    let parts: Vec<_> = rest.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(parts, ["-0.67", "-0.66", "-0.67"]);
}

/// A family with one usage invoice: the charge of a first and of a second agreement on one offer, in rows that the
/// caller makes of these.
fn shared(charges: [i128; 2], rows: impl FnOnce(&Revenue) -> Vec<Revenue>) -> Family {
    let mut family = family(&[("units", charges[0]), ("units", charges[1])], 300);
    let mut invoice = Invoice::clone(&family.invoices()[0]);
    invoice.id = InvoiceId::new("IN-2");
    for (line, agreement) in invoice.lines.iter_mut().zip(["agmt-1", "agmt-2"]) {
        (line.charge_type, line.agreement) = (ChargeType::Usage, AgreementId::new(agreement));
    }
    let row = Revenue { charge_type: ChargeType::Usage, dimension: None, ..invoice.revenue[0].clone() };
    invoice.revenue = rows(&row);
    family.add_invoice(Arc::new(invoice));
    family
}

fn give_back_of(family: &mut Family, agreement: &str, amount: &str) -> Arc<Invoice> {
    let wish = Adjustment {
        invoice: InvoiceId::new("IN-2"),
        agreement: AgreementId::new(agreement),
        ..wish(amount, agreement)
    };
    let adjusted = adjust(family, &wish, at("2025-06-03T12:00:00Z")).unwrap();
    let Some(Event::InvoiceIssued(memo)) = adjusted.event else { panic!("nothing was given back") };
    family.add_invoice(memo.clone());
    memo
}

/// Section 0 row 14: a row that counts two agreements returns its fee once.
#[test]
fn a_row_of_two_agreements_returns_no_more_than_its_fee() {
    let one = |row: &Revenue| vec![Revenue { billed: usd(100), fee: usd(-3), ..row.clone() }];
    let mut family = shared([50, 50], one);
    let fees = ["agmt-1", "agmt-2"]
        .map(|agreement| give_back_of(&mut family, agreement, "0.50").revenue[0].fee_refund.to_string());
    assert_eq!(fees, ["0.02", "0.01"]);
}

#[test]
fn of_two_rows_with_other_fees_the_agreement_s_own_is_given_back() {
    let two = |row: &Revenue| {
        let of = |agreement, billed, hundredths, fee| Revenue {
            agreements: vec![AgreementId::new(agreement)],
            billed: usd(billed),
            fee_rate: Rate::from_hundredths_of_percent(hundredths),
            fee: usd(fee),
            ..row.clone()
        };
        vec![of("agmt-2", 10_000, 150, -150), of("agmt-1", 10_000, 300, -300)]
    };
    let mut family = shared([10_000, 10_000], two);
    let memo = give_back_of(&mut family, "agmt-1", "100.00");
    let rows: Vec<_> =
        memo.revenue.iter().map(|row| (row.refunded.to_string(), row.fee_refund.to_string())).collect();
    assert_eq!(rows, [("-100.00".to_owned(), "3.00".to_owned())]);
}

#[test]
fn a_token_gives_back_once() {
    let mut family = family(&[("users", 24_300)], 300);
    let first = give_back(&mut family, "10.00", "a").unwrap();
    assert_eq!(give_back(&mut family, "10.00", "a").unwrap().id, first.id);
    assert_eq!(family.invoices().len(), 2);
    assert_eq!(give_back(&mut family, "11.00", "a").err(), Some("IDEMPOTENCY_CONFLICT"));
}

#[test]
fn only_charges_of_the_agreement_are_given_back() {
    let family = family(&[("users", 24_300)], 300);
    let now = at("2025-06-03T12:00:00Z");
    let code = |adjustment: &Adjustment| match adjust(&family, adjustment, now) {
        Err(Refusal::Rejected(rejection)) => rejection.code,
        other => panic!("{other:?}"),
    };
    let other = Adjustment { agreement: AgreementId::new("agmt-2"), ..wish("1", "a") };
    assert_eq!(code(&other), Code::AgreementUnknown);
    let unknown = Adjustment { invoice: InvoiceId::new("IN-2"), ..wish("1", "a") };
    assert_eq!(code(&unknown), Code::InvoiceUnknown);
    let euros = Adjustment { amount: Amount::parse("1", Currency::Eur).unwrap(), ..wish("1", "a") };
    assert_eq!(code(&euros), Code::AdjustmentAmountInvalid);
}

#[test]
fn a_refund_gives_back_its_share_of_the_tax() {
    let mut family = family(&[("users", 10_000)], 300);
    let mut invoice = Invoice::clone(family.invoices().first().unwrap());
    invoice.id = InvoiceId::new("IN-2");
    invoice.revenue[0].tax = Some(Tax { liable: TaxLiability::Seller, amount: usd(2_061) });
    family.add_invoice(Arc::new(invoice));
    let mut taxes = Vec::new();
    for (amount, token) in [("33.33", "a"), ("33.33", "b"), ("33.34", "c")] {
        let wish = Adjustment { invoice: InvoiceId::new("IN-2"), ..wish(amount, token) };
        let Ok(Adjusted { event: Some(Event::InvoiceIssued(memo)), .. }) =
            adjust(&family, &wish, at("2025-06-03T12:00:00Z"))
        else {
            panic!("a credit memo")
        };
        taxes.push(memo.tax().minor());
        family.add_invoice(memo);
    }
    assert_eq!(taxes, [-687, -687, -687]);
}

proptest::proptest! {
    /// Refunds never exceed what was billed, their rows sum to them, and the fee comes back at most once.
    #[test]
    fn refunds_never_exceed_what_was_billed(
        charges in proptest::collection::vec(1_i128..1_000_000, 1..6),
        wishes in proptest::collection::vec(1_i128..2_000_000, 1..8),
        fee in 0_u32..10_000,
    ) {
        let keys = ["a", "b", "c", "d", "e", "f"];
        let charged: Vec<_> = keys.into_iter().zip(charges.iter().copied()).collect();
        let mut family = family(&charged, fee);
        let billed: i128 = charges.iter().sum();
        let mut given = 0;
        for (number, cents) in wishes.into_iter().enumerate() {
            let memo = give_back(&mut family, &usd(cents).to_string(), &number.to_string());
            proptest::prop_assert_eq!(memo.is_ok(), given + cents <= billed);
            if let Ok(memo) = memo {
                given += cents;
                proptest::prop_assert_eq!(memo.total().minor(), -cents);
                proptest::prop_assert_eq!(memo.revenue.iter().map(|r| r.refunded.minor()).sum::<i128>(), -cents);
            }
        }
        for row in &family.invoices()[0].revenue {
            let memos = family.invoices()[1..].iter().flat_map(|memo| &memo.revenue);
            let mine: Vec<_> = memos.filter(|memo| memo.dimension == row.dimension).collect();
            let back: i128 = mine.iter().map(|memo| -memo.refunded.minor()).sum();
            let fee_back: i128 = mine.iter().map(|memo| memo.fee_refund.minor()).sum();
            proptest::prop_assert!(back <= row.billed.minor());
            proptest::prop_assert!(fee_back <= -row.fee.minor());
            if back == row.billed.minor() {
                proptest::prop_assert_eq!(fee_back, -row.fee.minor());
            }
        }
    }
}
