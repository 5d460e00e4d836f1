//! Lists: pages of any size make the same list, in the order that the contract says.

use std::future::Future;

use souk_client::{AgreementFilter, ClientError, InvoiceFilter, OfferFilter, Page, PageRequest};

use crate::served::Served;
use crate::words::{batch, code_of, hourly, meter, put, turn};

const DOCUMENT: &str = "
clock: {at: 2025-03-01T12:00:00Z}
rules: {meteringWindow: OPEN_MONTH}
accounts:
  - {accountId: 000000000205}
  - {accountId: 000000000201}
  - {accountId: 000000000204, payerAccountId: 000000000201}
  - {accountId: 000000000202}
  - {accountId: 000000000203}
  - {accountId: 111122223333, seller: {}}
products:
  - {productId: prod-c, title: C, sellerAccountId: 111122223333, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, types: [EXTERNALLY_METERED]}]}
  - {productId: prod-a, title: A, sellerAccountId: 111122223333, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, types: [EXTERNALLY_METERED]}]}
  - {productId: prod-b, title: B, sellerAccountId: 111122223333, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, types: [EXTERNALLY_METERED]}]}
offers:
  - {offerId: offer-z, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]}
  - {offerId: offer-x, productId: prod-b, terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]}
  - {offerId: offer-y, productId: prod-c, terms: [{usageBasedPricing: {rateCard: {units: 0.01}}}]}
agreements:
  - {offerId: offer-z, buyerAccountId: 000000000204, acceptanceTime: 2025-03-01T10:00:00Z}
  - {offerId: offer-x, buyerAccountId: 000000000205, acceptanceTime: 2025-03-01T09:00:00Z}
  - {offerId: offer-z, buyerAccountId: 000000000205, acceptanceTime: 2025-03-01T08:00:00Z}
  - {offerId: offer-z, buyerAccountId: 000000000202, acceptanceTime: 2025-03-01T07:00:00Z}
  - {offerId: offer-x, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T11:00:00Z}
";

/// Reads a list in pages of every size up to its length and one more; they must all make the same list.
pub async fn read<T, F, Answer>(list: F) -> Vec<T>
where
    T: Clone + PartialEq + std::fmt::Debug,
    F: Fn(PageRequest) -> Answer,
    Answer: Future<Output = Result<Page<T>, ClientError>>,
{
    let whole = list(PageRequest { size: 1_000, token: String::new() }).await.expect("a page");
    assert_eq!(whole.next_page_token, "", "one page holds it all");
    for size in 1..=whole.entries.len() + 1 {
        let mut entries = Vec::new();
        let mut token = String::new();
        loop {
            let request = PageRequest { size: i32::try_from(size).expect("a small list"), token };
            let page = list(request).await.expect("a page");
            assert!(page.entries.len() <= size);
            entries.extend(page.entries);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(entries, whole.entries, "in pages of {size}");
    }
    whole.entries
}

#[tokio::test]
async fn pages_of_any_size_make_the_same_list_in_its_order() {
    let served = Served::start().await;
    let client = &served.client;
    for name in ["lists", "a-sandbox", "z-sandbox"] {
        put(client, name, DOCUMENT).await;
    }
    let names = read(|page| client.list_sandboxes(page)).await;
    assert_eq!(names.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["a-sandbox", "lists", "z-sandbox"]);
    let accounts = read(|page| client.list_accounts("lists", page)).await;
    assert!(accounts.is_sorted_by_key(|account| account.account_id.clone()) && accounts.len() == 6);
    let products = read(|page| client.list_products("lists", page)).await;
    assert_eq!(products.iter().map(|p| &*p.product_id).collect::<Vec<_>>(), ["prod-a", "prod-b", "prod-c"]);
    let all = OfferFilter::default();
    let offers = read(|page| client.list_offers("lists", &all, page)).await;
    assert_eq!(offers.iter().map(|o| &*o.offer_id).collect::<Vec<_>>(), ["offer-x", "offer-y", "offer-z"]);

    let all = AgreementFilter::default();
    let agreements = read(|page| client.list_agreements("lists", &all, page)).await;
    let by_payer: Vec<_> = agreements
        .iter()
        .map(|a| (&a.payer_account_id[10..], &a.buyer_account_id[10..], &*a.offer_id))
        .collect();
    assert_eq!(
        by_payer,
        [
            ("01", "04", "offer-z"),
            ("01", "01", "offer-x"),
            ("02", "02", "offer-z"),
            ("05", "05", "offer-z"),
            ("05", "05", "offer-x"),
        ]
    );
    for (buyer, product, count) in [("000000000205", "", 2), ("", "prod-a", 3), ("000000000205", "prod-b", 1)]
    {
        let filter = AgreementFilter { buyer_account_id: buyer.to_owned(), product_id: product.to_owned() };
        let found = read(|page| client.list_agreements("lists", &filter, page)).await;
        assert_eq!(found.len(), count, "{filter:?}");
    }
    served.stop().await;
}

#[tokio::test]
async fn invoices_and_explained_hours_come_in_pages_oldest_first() {
    let served = Served::start().await;
    let client = &served.client;
    put(client, "lists", DOCUMENT).await;
    let code = code_of(client, "lists", "prod-a").await;
    for (begin, end, close) in [
        ("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z", "2025-04-02T00:00:00Z"),
        ("2025-04-10T00:00:00Z", "2025-04-11T00:00:00Z", "2025-05-02T00:00:00Z"),
        ("2025-05-10T00:00:00Z", "2025-05-11T00:00:00Z", "2025-06-02T00:00:00Z"),
    ] {
        turn(client, "lists", end).await;
        for buyer in ["000000000204", "000000000202"] {
            meter(client, batch("lists", &code, hourly(buyer, begin, 7, "units", "100"))).await;
        }
        turn(client, "lists", close).await;
    }
    let all = InvoiceFilter::default();
    let invoices = read(|page| client.list_invoices("lists", &all, page)).await;
    let ids: Vec<_> = invoices.iter().map(|invoice| &*invoice.invoice_id).collect();
    assert_eq!(
        ids,
        [
            "MPIN25-000000000201-1",
            "MPIN25-000000000201-2",
            "MPIN25-000000000201-3",
            "MPIN25-000000000202-1",
            "MPIN25-000000000202-2",
            "MPIN25-000000000202-3",
        ]
    );
    assert!(invoices.iter().all(|invoice| invoice.lines.is_empty() && invoice.total == "7.00"));
    for (payer, period, count) in
        [("000000000202", "", 3), ("", "2025-04", 2), ("000000000202", "2025-05", 1)]
    {
        let filter = InvoiceFilter { payer_account_id: payer.to_owned(), billing_period: period.to_owned() };
        assert_eq!(
            read(|page| client.list_invoices("lists", &filter, page)).await.len(),
            count,
            "{filter:?}"
        );
    }
    let hours = read(|page| async {
        let answer = client.explain_invoice_line("lists", ids[1], 1, page).await?;
        assert_eq!(answer.line.expect("the line with every page").quantity, "700");
        Ok(Page { entries: answer.hours, next_page_token: answer.next_page_token })
    })
    .await;
    assert_eq!(hours.len(), 7);
    assert!(hours.is_sorted_by_key(|hour| hour.hour.map(|time| time.seconds)));
    served.stop().await;
}
