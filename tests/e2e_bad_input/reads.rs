//! Reads that ask for what is not there: pages, months, invoices, reports.

use souk_client::{AgreementFilter, InvoiceFilter, OfferFilter, PageRequest};
use souk_proto::reporting::v1::{ExportFormat, ReportKind, ReportSelection};

use super::{BUYER, NOBODY, OTHER, PAYER, SANDBOX, everything, is, start, unchanged};
use crate::words::{SELLER, batch, record, turn};

fn page(size: i32, token: &str) -> PageRequest {
    PageRequest { size, token: token.to_owned() }
}

#[tokio::test]
async fn pages_have_sizes_and_tokens_that_an_answer_gave() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let accounts = client.list_accounts(SANDBOX, page(2, "")).await.expect("a page").next_page_token;
    assert!(!accounts.is_empty());
    let mut damaged = accounts.clone();
    damaged.pop();
    for (request, expected) in [
        (page(-1, ""), "InvalidArgument FIELD_INVALID pageSize"),
        (page(1_001, ""), "InvalidArgument FIELD_INVALID pageSize"),
        (page(i32::MAX, ""), "InvalidArgument FIELD_INVALID pageSize"),
        (page(0, "x"), "InvalidArgument PAGE_TOKEN_INVALID pageToken"),
        (page(0, &damaged), "InvalidArgument PAGE_TOKEN_INVALID pageToken"),
    ] {
        is(client.list_accounts(SANDBOX, request.clone()).await, expected);
        is(client.list_products(SANDBOX, request.clone()).await, expected);
        is(client.list_offers(SANDBOX, &OfferFilter::default(), request.clone()).await, expected);
        is(client.list_agreements(SANDBOX, &AgreementFilter::default(), request.clone()).await, expected);
        is(client.list_invoices(SANDBOX, &InvoiceFilter::default(), request.clone()).await, expected);
        is(client.list_sandboxes(request).await, expected);
    }
    // A token belongs to its list and its filters.
    let invalid = "InvalidArgument PAGE_TOKEN_INVALID pageToken";
    is(client.list_products(SANDBOX, page(2, &accounts)).await, invalid);
    is(client.list_sandboxes(page(2, &accounts)).await, invalid);
    let all = client.list_offers(SANDBOX, &OfferFilter::default(), page(2, "")).await.expect("a page");
    let filter = OfferFilter { product_id: "prod-saas".to_owned(), ..OfferFilter::default() };
    is(client.list_offers(SANDBOX, &filter, page(2, &all.next_page_token)).await, invalid);
    unchanged(served, &before).await;
}

#[tokio::test]
async fn what_is_not_there_cannot_be_read() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    is(client.get_account(SANDBOX, NOBODY).await, "NotFound ACCOUNT_UNKNOWN accountId");
    is(client.get_account(SANDBOX, "12").await, "InvalidArgument FIELD_INVALID accountId");
    is(client.get_account("nowhere", BUYER).await, "NotFound SANDBOX_UNKNOWN sandbox");
    is(client.get_product(SANDBOX, "prod-none").await, "NotFound PRODUCT_UNKNOWN productId");
    is(client.get_product(SANDBOX, "").await, "InvalidArgument FIELD_MISSING productId");
    is(client.get_offer(SANDBOX, "offer-none", None).await, "NotFound OFFER_UNKNOWN offerId");
    is(client.get_offer(SANDBOX, "offer-saas", Some(NOBODY)).await, "NotFound ACCOUNT_UNKNOWN accountId");
    // A private offer is not there for who may not see it.
    is(client.get_offer(SANDBOX, "offer-private", Some(OTHER)).await, "NotFound OFFER_UNKNOWN offerId");
    let filter = |account: &str, product: &str| OfferFilter {
        account_id: account.to_owned(),
        product_id: product.to_owned(),
    };
    is(client.all_offers(SANDBOX, &filter(NOBODY, "")).await, "NotFound ACCOUNT_UNKNOWN accountId");
    let seen = client.all_offers(SANDBOX, &filter(OTHER, "prod-ami")).await.expect("a list");
    assert_eq!(seen.iter().map(|offer| &*offer.offer_id).collect::<Vec<_>>(), ["offer-ami"]);
    let buyer = AgreementFilter { buyer_account_id: "12".to_owned(), ..AgreementFilter::default() };
    is(client.all_agreements(SANDBOX, &buyer).await, "InvalidArgument FIELD_INVALID buyerAccountId");
    unchanged(served, &before).await;
}

#[tokio::test]
async fn invoices_and_previews_are_of_payers_months_and_lines_that_exist() {
    let served = start().await;
    let client = &served.client;
    let time = crate::words::at("2025-03-10T11:00:00Z");
    let usage = batch(SANDBOX, "saascode", vec![record(BUYER, time, "users", 10)]);
    client.batch_meter_usage(usage).await.expect("usage");
    turn(client, SANDBOX, "2025-04-02T00:00:00Z").await;
    let invoice = &crate::words::invoices(client, SANDBOX, PAYER, "2025-03").await[0].invoice_id;
    let before = everything_but_previews(client).await;

    let filter = |payer: &str, period: &str| InvoiceFilter {
        payer_account_id: payer.to_owned(),
        billing_period: period.to_owned(),
    };
    for (payer, period, expected) in [
        (NOBODY, "", "NotFound ACCOUNT_UNKNOWN payerAccountId"),
        ("12", "", "InvalidArgument FIELD_INVALID payerAccountId"),
        ("", "2025", "InvalidArgument FIELD_INVALID billingPeriod"),
        ("", "2025-13", "InvalidArgument FIELD_INVALID billingPeriod"),
        ("", "March", "InvalidArgument FIELD_INVALID billingPeriod"),
    ] {
        is(client.all_invoices(SANDBOX, &filter(payer, period)).await, expected);
    }
    is(client.get_invoice(SANDBOX, "").await, "InvalidArgument FIELD_MISSING invoiceId");
    is(client.get_invoice(SANDBOX, "MPIN25-1-1").await, "NotFound INVOICE_UNKNOWN invoiceId");
    for line in [0, 2, u32::MAX] {
        let explained = client.explain_whole_line(SANDBOX, invoice, line).await;
        is(explained, "NotFound LINE_UNKNOWN lineNumber");
    }
    is(client.explain_whole_line(SANDBOX, "MPIN25-1-1", 1).await, "NotFound INVOICE_UNKNOWN invoiceId");
    let bad = client.explain_invoice_line(SANDBOX, invoice, 1, page(0, "x")).await;
    is(bad, "InvalidArgument PAGE_TOKEN_INVALID pageToken");
    for (payer, period, expected) in [
        ("", None, "InvalidArgument FIELD_MISSING payerAccountId"),
        (NOBODY, None, "NotFound ACCOUNT_UNKNOWN payerAccountId"),
        // A linked account's charges are on its payer's bill.
        (BUYER, None, "InvalidArgument FIELD_INVALID payerAccountId"),
        (PAYER, Some("2025-03"), "FailedPrecondition MONTH_CLOSED billingPeriod"),
        (PAYER, Some("2025-3"), "InvalidArgument FIELD_INVALID billingPeriod"),
    ] {
        is(client.preview_invoices(SANDBOX, payer, period).await, expected);
    }
    assert!(everything_but_previews(client).await == before, "a refused read changed something");
    served.stop().await;
}

async fn everything_but_previews(client: &souk_client::SoukClient) -> String {
    let invoices = crate::words::invoices(client, SANDBOX, "", "").await;
    format!("{:?}{invoices:?}", client.get_sandbox(SANDBOX).await)
}

#[tokio::test]
async fn reports_are_of_sellers_and_closed_months() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let good = ReportSelection {
        sandbox: SANDBOX.to_owned(),
        seller_account_id: SELLER.to_owned(),
        kind: ReportKind::MonthlyRevenueBillingAndRevenueData.into(),
        month: "2025-02".to_owned(),
        ..ReportSelection::default()
    };
    assert!(client.read_report(good.clone()).await.is_ok());
    type Change = fn(&mut ReportSelection);
    let rows: [(Change, &str); 15] = [
        (|r| r.sandbox.clear(), "InvalidArgument FIELD_MISSING report.sandbox"),
        (|r| r.sandbox = "No".to_owned(), "InvalidArgument FIELD_INVALID report.sandbox"),
        (|r| r.sandbox = "nowhere".to_owned(), "NotFound SANDBOX_UNKNOWN report.sandbox"),
        (|r| r.seller_account_id.clear(), "InvalidArgument FIELD_MISSING report.sellerAccountId"),
        (|r| r.seller_account_id = "x".to_owned(), "InvalidArgument FIELD_INVALID report.sellerAccountId"),
        (|r| r.seller_account_id = NOBODY.to_owned(), "NotFound ACCOUNT_UNKNOWN report.sellerAccountId"),
        (
            |r| r.seller_account_id = BUYER.to_owned(),
            "FailedPrecondition NOT_A_SELLER report.sellerAccountId",
        ),
        (|r| r.kind = 0, "InvalidArgument FIELD_INVALID report.kind"),
        (|r| r.kind = 99, "InvalidArgument FIELD_INVALID report.kind"),
        (|r| r.profile = 99, "InvalidArgument FIELD_INVALID report.profile"),
        (|r| r.month.clear(), "InvalidArgument FIELD_MISSING report.month"),
        (|r| r.month = "2025-02-01".to_owned(), "InvalidArgument FIELD_INVALID report.month"),
        (|r| r.month = "2025-03".to_owned(), "FailedPrecondition MONTH_NOT_CLOSED report.month"),
        (|r| r.date = "2025-03-01".to_owned(), "InvalidArgument FIELD_INVALID report.date"),
        (|r| r.current = true, "InvalidArgument FIELD_INVALID report.current"),
    ];
    for (change, expected) in rows {
        let mut wrong = good.clone();
        change(&mut wrong);
        is(client.read_report(wrong.clone()).await, expected);
        is(client.export_report(wrong, ExportFormat::Csv).await, expected);
    }
    let daily = ReportSelection {
        kind: ReportKind::DailyBusinessFees.into(),
        month: String::new(),
        date: "2025-03-10".to_owned(),
        ..good
    };
    assert!(client.read_report(daily.clone()).await.is_ok());
    let rows: [(Change, &str); 7] = [
        (|r| r.date.clear(), "InvalidArgument FIELD_MISSING report.date"),
        (|r| r.date = "2025-03".to_owned(), "InvalidArgument FIELD_INVALID report.date"),
        (|r| r.date = "2025-3-10".to_owned(), "InvalidArgument FIELD_INVALID report.date"),
        (|r| r.date = "2025-02-29".to_owned(), "InvalidArgument FIELD_INVALID report.date"),
        (|r| r.date = "1970-01-03".to_owned(), "InvalidArgument FIELD_INVALID report.date"),
        (|r| r.month = "2025-02".to_owned(), "InvalidArgument FIELD_INVALID report.month"),
        (|r| r.date = "2025-03-11".to_owned(), "FailedPrecondition REPORT_NOT_MADE report.date"),
    ];
    for (change, expected) in rows {
        let mut wrong = daily.clone();
        change(&mut wrong);
        is(client.read_report(wrong.clone()).await, expected);
        is(client.export_report(wrong, ExportFormat::Csv).await, expected);
    }
    unchanged(served, &before).await;
}
