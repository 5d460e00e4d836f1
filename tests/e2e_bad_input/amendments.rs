//! Amendments and refunds that are refused: each with the rule that its message names.

use souk_client::SoukClient;
use souk_client::proto::billing::v1::{Adjustment, AdjustmentReason};

use super::contracts::{is, start};
use super::{SANDBOX, everything, unchanged};
use crate::words::{configuration, invoices, turn};

/// The agreement of a buyer on a product.
async fn agreement(client: &SoukClient, offer: &str) -> String {
    let described = client.get_sandbox(SANDBOX).await.expect("a sandbox");
    let agreement = described.agreements.into_iter().find(|agreement| agreement.offer_id == offer);
    agreement.expect("an agreement of the document").agreement_id
}

#[tokio::test]
async fn amendments_keep_their_rules() {
    let served = start().await;
    let client = &served.client;
    let [desk, fleet, paid] = [
        agreement(client, "offer-desk").await,
        agreement(client, "offer-fleet").await,
        agreement(client, "offer-schedule").await,
    ];
    let before = everything(client).await;
    for (sandbox, agreement, number, quantities, expected, rule) in [
        ("", &*desk, None, &[("users", 11)][..], "InvalidArgument FIELD_MISSING sandbox", ""),
        ("nowhere", &desk, None, &[("users", 11)], "NotFound SANDBOX_UNKNOWN sandbox", ""),
        (SANDBOX, "", None, &[("users", 11)], "InvalidArgument FIELD_MISSING agreementId", ""),
        (SANDBOX, "agmt-none", None, &[("users", 11)], "NotFound AGREEMENT_UNKNOWN agreementId", ""),
        (
            SANDBOX,
            &desk,
            Some(2),
            &[("users", 11)],
            "InvalidArgument CONFIGURATION_INVALID purchaseNumber",
            "",
        ),
        (
            SANDBOX,
            &desk,
            None,
            &[("users", 9)],
            "InvalidArgument AMENDMENT_DECREASES quantities[users]",
            "B19",
        ),
        (
            SANDBOX,
            &desk,
            None,
            &[("users", 0)],
            "InvalidArgument AMENDMENT_DECREASES quantities[users]",
            "B19",
        ),
        (
            SANDBOX,
            &desk,
            None,
            &[("users", 10)],
            "InvalidArgument CONFIGURATION_INVALID quantities",
            "nothing changes",
        ),
        (SANDBOX, &desk, None, &[], "InvalidArgument CONFIGURATION_INVALID quantities", "nothing changes"),
        (
            SANDBOX,
            &desk,
            None,
            &[("desks", 1)],
            "InvalidArgument CONFIGURATION_INVALID quantities[desks]",
            "sells no",
        ),
        (
            SANDBOX,
            &desk,
            None,
            &[("users", 1 << 31)],
            "InvalidArgument CONFIGURATION_INVALID quantities[users]",
            "",
        ),
        (
            SANDBOX,
            &fleet,
            None,
            &[("m5.large", 1)],
            "InvalidArgument AMENDMENT_NET_NEGATIVE quantities",
            "A12",
        ),
        (
            SANDBOX,
            &fleet,
            None,
            &[("m5.large", 1), ("c5.large", 1)],
            "InvalidArgument AMENDMENT_NET_NEGATIVE quantities",
            "A12",
        ),
        (
            SANDBOX,
            &paid,
            None,
            &[("users", 20)],
            "FailedPrecondition AMENDMENT_NOT_ALLOWED purchaseNumber",
            "P9",
        ),
    ] {
        let quantities = quantities.iter().map(|(key, units)| ((*key).to_owned(), *units)).collect();
        is(client.amend_agreement(sandbox, agreement, number, quantities).await, expected, rule);
    }
    assert!(everything(client).await == before, "a refused call changed something");

    let two = || [("m5.large".to_owned(), 3)].into();
    client.amend_agreement(SANDBOX, &fleet, Some(1), two()).await.expect("an amendment");
    let once = "InvalidArgument CONFIGURATION_INVALID purchaseNumber";
    is(client.amend_agreement(SANDBOX, &fleet, Some(1), two()).await, once, "no purchase 1");
    client
        .add_annual_subscription(SANDBOX, &fleet, configuration("P12M", &[("c5.large", 1)]))
        .await
        .expect("a subscription");
    is(client.amend_agreement(SANDBOX, &fleet, None, two()).await, once, "several");
    client.cancel_agreement(SANDBOX, &desk).await.expect("an end");
    let more = [("users".to_owned(), 20)].into();
    is(
        client.amend_agreement(SANDBOX, &desk, None, more).await,
        "FailedPrecondition AGREEMENT_NOT_ACTIVE agreementId",
        "live agreement",
    );
    served.stop().await;
}

#[tokio::test]
async fn refunds_keep_their_rules() {
    let served = start().await;
    let client = &served.client;
    turn(client, SANDBOX, "2025-03-20T00:00:00Z").await;
    let [desk, fleet, paid] = [
        agreement(client, "offer-desk").await,
        agreement(client, "offer-fleet").await,
        agreement(client, "offer-schedule").await,
    ];
    let all = invoices(client, SANDBOX, "", "").await;
    let of = |agreement: &str| {
        let invoice = all.iter().find(|invoice| invoice.lines[0].agreement_id == agreement);
        invoice.expect("an invoice").invoice_id.clone()
    };
    let (desk_invoice, fleet_invoice, paid_invoice) = (of(&desk), of(&fleet), of(&paid));
    let good = || Adjustment {
        original_invoice_id: desk_invoice.clone(),
        agreement_id: desk.clone(),
        adjustment_amount: "60.00".to_owned(),
        currency_code: String::new(),
        adjustment_reason_code: AdjustmentReason::Other.into(),
        description: String::new(),
        client_token: "token".to_owned(),
    };
    let with = |change: &dyn Fn(&mut Adjustment)| {
        let mut adjustment = good();
        change(&mut adjustment);
        vec![adjustment]
    };
    let before = everything(client).await;
    let amount = |text: &'static str| with(&|a| a.adjustment_amount = text.to_owned());
    let low = "InvalidArgument INVALID_ADJUSTMENT_AMOUNT adjustments[0].adjustmentAmount";
    let high = "adjustments[0].adjustmentAmount";
    for (adjustments, expected, rule) in [
        (Vec::new(), "InvalidArgument TOO_MANY_ADJUSTMENTS adjustments".to_owned(), "I2"),
        (vec![good(); 6], "InvalidArgument TOO_MANY_ADJUSTMENTS adjustments".to_owned(), "I2"),
        (amount("-5"), low.to_owned(), "I2"),
        (amount("0"), low.to_owned(), "I2"),
        (amount("0.004"), low.to_owned(), "I2"),
        (amount("1.000000001"), low.to_owned(), "I2"),
        (amount("much"), low.to_owned(), "I2"),
        (amount(""), low.to_owned(), "I2"),
        (amount("160.01"), format!("InvalidArgument EXCEEDED_MAXIMUM_ADJUSTMENT_AMOUNT {high}"), "I2"),
        (
            with(&|a| a.currency_code = "EUR".to_owned()),
            "InvalidArgument INVALID_ADJUSTMENT_AMOUNT adjustments[0].currencyCode".to_owned(),
            "I2",
        ),
        (
            with(&|a| a.original_invoice_id.clear()),
            "InvalidArgument FIELD_MISSING adjustments[0].originalInvoiceId".to_owned(),
            "",
        ),
        (
            with(&|a| a.original_invoice_id = "MPIN25-none".to_owned()),
            "NotFound INVOICE_UNKNOWN adjustments[0].originalInvoiceId".to_owned(),
            "",
        ),
        (
            with(&|a| a.original_invoice_id = format!("{desk_invoice}0")),
            "NotFound INVOICE_UNKNOWN adjustments[0].originalInvoiceId".to_owned(),
            "",
        ),
        (
            with(&|a| a.agreement_id = "agmt-none".to_owned()),
            "NotFound AGREEMENT_UNKNOWN adjustments[0].agreementId".to_owned(),
            "",
        ),
        (
            with(&|a| a.agreement_id = fleet.clone()),
            "NotFound AGREEMENT_UNKNOWN adjustments[0].agreementId".to_owned(),
            "charges nothing of",
        ),
        (
            with(&|a| a.adjustment_reason_code = 0),
            "InvalidArgument FIELD_MISSING adjustments[0].adjustmentReasonCode".to_owned(),
            "",
        ),
        (
            with(&|a| a.client_token.clear()),
            "InvalidArgument FIELD_MISSING adjustments[0].clientToken".to_owned(),
            "",
        ),
        // All are made, or none.
        (
            vec![
                good(),
                Adjustment {
                    client_token: "next".to_owned(),
                    adjustment_amount: "100.01".to_owned(),
                    ..good()
                },
            ],
            "InvalidArgument EXCEEDED_MAXIMUM_ADJUSTMENT_AMOUNT adjustments[1].adjustmentAmount".to_owned(),
            "100.00",
        ),
        (
            vec![good(), Adjustment { original_invoice_id: paid_invoice, agreement_id: paid, ..good() }],
            "InvalidArgument FIELD_INVALID adjustments[1].originalInvoiceId".to_owned(),
            "another payer",
        ),
    ] {
        is(client.adjust_invoices(SANDBOX, adjustments).await, &expected, rule);
    }
    assert!(everything(client).await == before, "a refused call changed something");

    let memos = client.adjust_invoices(SANDBOX, vec![good()]).await.expect("a credit memo");
    let after = everything(client).await;
    let again = client.adjust_invoices(SANDBOX, vec![good()]).await.expect("the same one");
    assert_eq!(memos, again, "a token is taken once");
    for (adjustments, expected, rule) in [
        (amount("61.00"), "FailedPrecondition IDEMPOTENCY_CONFLICT adjustments[0].clientToken", "I2"),
        (
            with(&|a| {
                a.original_invoice_id = fleet_invoice.clone();
                a.agreement_id = fleet.clone();
            }),
            "FailedPrecondition IDEMPOTENCY_CONFLICT adjustments[0].clientToken",
            "I2",
        ),
        (
            with(&|a| {
                a.original_invoice_id = memos[0].invoice_id.clone();
                a.client_token = "next".to_owned();
            }),
            "FailedPrecondition ADJUSTMENT_NOT_ALLOWED adjustments[0].originalInvoiceId",
            "I2",
        ),
        (
            with(&|a| {
                a.adjustment_amount = "100.01".to_owned();
                a.client_token = "next".to_owned();
            }),
            "InvalidArgument EXCEEDED_MAXIMUM_ADJUSTMENT_AMOUNT adjustments[0].adjustmentAmount",
            "100.00",
        ),
    ] {
        is(client.adjust_invoices(SANDBOX, adjustments).await, expected, rule);
    }
    unchanged(served, &after).await;
}
