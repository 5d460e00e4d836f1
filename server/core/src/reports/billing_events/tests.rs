//! AWS's own example of what a reseller sells, in the feeds of both sellers.

use std::sync::Arc;

use super::*;
use crate::catalog::history::CatalogHistory;
use crate::catalog::{Account, Address, Change, Marketplace, TaxLiability};
use crate::ids::{AccountId, InvoiceId, OfferId, ProductId, SandboxName};
use crate::invoicing::{ChargeType, InvoiceKind, Tax};
use crate::money::Rate;
use crate::reports::gather::DailyFacts;
use crate::reports::period::Period;
use crate::rules::{OfferIdColumn, Profile, Rules};

const PAYER: &str = "737399998888";
const RESELLER: &str = "777788889999";
const MANUFACTURER: &str = "111122223333";

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn usd(cents: i128) -> Money {
    Money::from_minor(cents, Currency::Usd)
}

fn market() -> Marketplace {
    let rules = Rules::of(Profile::Source);
    let mut market = Marketplace::new(SandboxName::new("s"), String::new(), rules, Timestamp::MIN);
    for id in [PAYER, RESELLER, MANUFACTURER] {
        market.apply(&Change::AccountPut(Account {
            id: account(id),
            company_name: String::new(),
            payer: account(id),
            invoicing_entity: None,
            address: Address::default(),
            email_domain: String::new(),
            invoice_terms: false,
            private_marketplace_admin: None,
            net_days: None,
            tax: None,
            access_keys: Vec::new(),
        }));
    }
    market
}

/// An invoice of 100.00 and 20.60 of tax that AWS pays on, collected at once. The reseller owes the manufacturer 80.00,
/// of which 6.50 is the manufacturer's tax. The fees of 0.20 and of 10 % are the example's own: by Souk's rules the
/// reseller pays none, and nothing is taxed between the two.
fn collected() -> Standing {
    let issued_at = Timestamp::parse("2018-12-31T00:00:00Z").unwrap();
    let ten_percent = Rate::from_hundredths_of_percent(1_000);
    let reseller = Revenue {
        charge_type: ChargeType::Usage,
        seller: account(RESELLER),
        buyer: account(PAYER),
        product: ProductId::new("prod-1"),
        offer: OfferId::new("offer-1"),
        dimension: None,
        billed: usd(10_000),
        fee_rate: Rate::from_hundredths_of_percent(20),
        fee: usd(-20),
        refunded: usd(0),
        fee_refund: usd(0),
        tax: Some(Tax { liable: TaxLiability::Aws, amount: usd(2_060) }),
        resale: Some(ResaleRow::Reseller {
            manufacturer: account(MANUFACTURER),
            wholesale_fee_rate: ten_percent,
            cost: usd(-8_000),
            cost_refund: usd(0),
        }),
        agreements: Vec::new(),
    };
    let manufacturer = Revenue {
        seller: account(MANUFACTURER),
        billed: usd(7_350),
        fee_rate: ten_percent,
        fee: usd(-735),
        tax: Some(Tax { liable: TaxLiability::Seller, amount: usd(650) }),
        resale: Some(ResaleRow::Manufacturer { reseller: account(RESELLER), shows_buyer: false }),
        ..reseller.clone()
    };
    Standing::as_issued(Arc::new(Invoice {
        id: InvoiceId::new("IN-1"),
        payer: account(PAYER),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: InvoiceKind::Usage,
        month: BillingMonth::parse("2018-12").unwrap(),
        issued_at,
        due_at: None,
        lines: Vec::new(),
        revenue: vec![reseller, manufacturer],
        correction: None,
    }))
}

/// The feed of a seller in December, when it was invoiced, and in January, when it was paid out.
fn feed(seller: &str) -> Vec<Row> {
    let (market, invoices) = (market(), [collected()]);
    let of_month = |month| {
        let period = Period::Month(BillingMonth::parse(month).unwrap());
        let input = ReportInput {
            market: &market,
            seller: account(seller),
            offer_id_column: OfferIdColumn::Legacy,
            month: period.month(),
            day: period.day(),
            history: &CatalogHistory::default(),
            current: false,
            now: Timestamp::parse("2019-02-01T00:00:00Z").unwrap(),
            daily: &DailyFacts::default(),
            invoices: &invoices,
            agreements: &[],
            demonstrations: &[],
        };
        rows(&input).unwrap()
    };
    ["2018-12", "2019-01"].into_iter().flat_map(of_month).collect()
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    &row[BILLING_EVENTS.columns.iter().position(|name| *name == column).unwrap()]
}

/// Accounts, action, type, amount and whether it counts, in the order of the feed; what was paid out names the row that
/// was invoiced, and the disbursement.
fn told(feed: &[Row]) -> Vec<String> {
    let columns =
        ["from_account_id", "to_account_id", "action", "transaction_type", "amount", "balance_impacting"];
    let ids: std::collections::BTreeSet<_> = feed.iter().map(|row| cell(row, "billing_event_id")).collect();
    assert_eq!(ids.len(), feed.len(), "every event has its own id");
    let disbursement = feed.iter().find(|row| cell(row, "transaction_type") == "DISBURSEMENT").unwrap();
    for row in feed {
        let parent =
            feed.iter().find(|other| cell(other, "billing_event_id") == cell(row, "parent_billing_event_id"));
        let is_paid_out = cell(row, "action") == "DISBURSED" && row != disbursement;
        assert_eq!(parent.is_some(), is_paid_out);
        let paid_by = cell(row, "disbursement_billing_event_id");
        assert_eq!(paid_by, if is_paid_out { cell(disbursement, "billing_event_id") } else { "" });
        if let Some(parent) = parent {
            let same = ["from_account_id", "to_account_id", "transaction_type"];
            assert!(same.iter().all(|column| cell(parent, column) == cell(row, column)), "{row:?}");
        }
    }
    feed.iter().map(|row| columns.map(|column| cell(row, column)).join(" ")).collect()
}

#[test]
fn f_12_the_feed_of_a_reseller() {
    let feed = feed(RESELLER);
    let expected = [
        "737399998888 777788889999 INVOICED SELLER_REV_SHARE 100.00 1",
        "777788889999 111122223333 INVOICED SELLER_REV_SHARE -80.00 1",
        "777788889999 AWS INVOICED AWS_REV_SHARE -0.20 1",
        "737399998888 AWS INVOICED AWS_TAX_SHARE 20.60 0",
        "737399998888 777788889999 DISBURSED SELLER_REV_SHARE -100.00 1",
        "777788889999 111122223333 DISBURSED SELLER_REV_SHARE 80.00 1",
        "777788889999 AWS DISBURSED AWS_REV_SHARE 0.20 1",
        "AWS 777788889999 DISBURSED DISBURSEMENT 19.80 1",
    ];
    assert_eq!(told(&feed), expected);
    assert!(feed[..7].iter().all(|row| cell(row, "end_user_account_id") == PAYER));
}

#[test]
fn f_13_the_feed_of_a_manufacturer() {
    let feed = feed(MANUFACTURER);
    let expected = [
        "777788889999 111122223333 INVOICED SELLER_REV_SHARE 73.50 1",
        "111122223333 AWS INVOICED AWS_REV_SHARE -7.35 1",
        "777788889999 111122223333 INVOICED SELLER_TAX_SHARE 6.50 1",
        "777788889999 111122223333 DISBURSED SELLER_REV_SHARE -73.50 1",
        "111122223333 AWS DISBURSED AWS_REV_SHARE 7.35 1",
        "777788889999 111122223333 DISBURSED SELLER_TAX_SHARE -6.50 1",
        "AWS 111122223333 DISBURSED DISBURSEMENT 72.65 1",
    ];
    assert_eq!(told(&feed), expected);
    let hidden = |row: &Row| {
        cell(row, "end_user_account_id") == RESELLER && cell(row, "billing_address_id").is_empty()
    };
    assert!(feed[..6].iter().all(hidden), "neither the buyer nor where it is billed");
}
