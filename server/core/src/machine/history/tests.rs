//! What happened, in order, page by page, and by each filter.

use std::sync::Arc;

use super::*;
use crate::catalog::{Change, Offer, ResaleAuthorization, Targeting, WholesalePricing};
use crate::ids::SandboxName;
use crate::invoicing::Invoice;
use crate::machine::Event;
use crate::money::{Currency, Rate};
use crate::rules::{Profile, Rules};
use crate::terms::{Terms, UpfrontKind};
use crate::time::TermDuration;

fn at(day: &str) -> Timestamp {
    Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap()
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

fn agreement(payer: u64, buyer: u64, number: u32, start: &str, origin: Origin) -> Agreement {
    let id = AgreementId::new(&format!("agmt-{payer}-{number}"));
    Agreement {
        initial_id: AgreementId::new(&format!("agmt-{payer}-1")),
        licence: LicenseArn::new("arn"),
        number,
        id,
        buyer: account(buyer),
        payer: account(payer),
        seller: account(9),
        product: ProductId::new("prod-1"),
        offer: OfferId::new("offer-1"),
        origin,
        accepted_at: at(start),
        start: at(start),
        planned_end: None,
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: Vec::new(),
        instalments: Vec::new(),
    }
}

fn ended(agreement: &str, payer: u64, status: AgreementStatus, day: &str) -> Event {
    let agreement = AgreementId::new(agreement);
    Event::AgreementEnded { payer: account(payer), agreement, status, at: at(day) }
}

fn invoice(payer: u64, number: u32, day: &str) -> Event {
    Event::InvoiceIssued(Arc::new(Invoice {
        id: InvoiceId::derive(account(payer), 2025, number),
        payer: account(payer),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: InvoiceKind::Usage,
        month: BillingMonth::parse("2025-01").unwrap(),
        issued_at: at(day),
        due_at: None,
        lines: Vec::new(),
        revenue: Vec::new(),
        correction: None,
    }))
}

/// Two families: 1 with the buyers 1 and 2, and 5.
fn sandbox() -> Sandbox {
    let rules = Rules::of(Profile::Source);
    let mut market = Marketplace::new(SandboxName::new("test"), String::new(), rules, at("2025-01-01"));
    for (id, day) in [("offer-2", "2025-01-01"), ("offer-1", "2025-01-01"), ("offer-3", "2025-02-02")] {
        market.apply(&Change::OfferCreated(Offer {
            id: OfferId::new(id),
            product: ProductId::new("prod-1"),
            name: String::new(),
            targeting: Targeting::default(),
            accept_by: None,
            renewal_kind: None,
            terms: Terms::default(),
            released_at: at(day),
            visible_from: at(day),
            price_changes: Vec::new(),
            resale: None,
        }));
    }
    let change = PriceChange {
        notice: at("2025-01-15"),
        existing_from: at("2025-05-01"),
        usage: BTreeMap::new(),
        upfront: Vec::new(),
    };
    market.apply(&Change::PricesChanged { offer: OfferId::new("offer-1"), change });
    let authorization = ResaleAuthorizationId::new("resaleauthz-1");
    market.apply(&Change::ResaleAuthorized(ResaleAuthorization {
        id: authorization.clone(),
        product: ProductId::new("prod-1"),
        reseller: account(9),
        name: String::new(),
        description: String::new(),
        single_use: false,
        until: None,
        pricing: WholesalePricing::Discount(Rate::from_hundredths_of_percent(1_000)),
        buyer_accounts: [].into(),
        granted_at: at("2025-01-01"),
        restricted_at: None,
    }));
    market.apply(&Change::ResaleRestricted { authorization, at: at("2025-01-15") });
    let mut sandbox = Sandbox::new(market);
    let month = |text| BillingMonth::parse(text).unwrap();
    let closed = |payer, text| Event::MonthClosed { payer: account(payer), month: month(text) };
    let purchase = UpfrontPurchase {
        number: 1,
        kind: UpfrontKind::Annual,
        duration: TermDuration::Months(12),
        quantities: [(DimensionKey::new("large"), 2)].into(),
        unit_prices: BTreeMap::new(),
        currency: Currency::Usd,
        start: at("2025-02-02"),
        end: at("2026-02-02"),
        auto_renew: false,
        fixed_price: None,
        in_instalments: false,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    };
    for event in [
        Event::AgreementAccepted(agreement(5, 5, 1, "2025-01-01", Origin::Accepted)),
        Event::AgreementAccepted(agreement(1, 2, 1, "2025-01-01", Origin::Accepted)),
        invoice(5, 1, "2025-02-02"),
        closed(5, "2025-01"),
        invoice(1, 1, "2025-02-02"),
        closed(1, "2025-01"),
        ended("agmt-1-1", 1, AgreementStatus::Replaced, "2025-02-02"),
        Event::AgreementAccepted(agreement(1, 2, 2, "2025-02-02", Origin::FellBack)),
        Event::UpfrontPurchased {
            payer: account(1),
            agreement: AgreementId::new("agmt-1-2"),
            purchase,
            renews: None,
        },
        Event::AgreementAccepted(agreement(1, 1, 3, "2025-02-03", Origin::Accepted)),
        ended("agmt-1-3", 1, AgreementStatus::Cancelled, "2025-02-04"),
        Event::InvoicePaid {
            payer: account(5),
            invoice: InvoiceId::derive(account(5), 2025, 1),
            amount: Money::from_minor(1_200, Currency::Usd),
            at: at("2025-02-05"),
        },
    ] {
        sandbox.apply(&event);
    }
    sandbox
}

fn told(sandbox: &Sandbox, filter: &HistoryFilter, size: usize, steps: usize) -> Vec<String> {
    let mut all: Vec<(Position, Happening)> = Vec::new();
    loop {
        let after = all.last().map(|(position, _)| position.clone());
        let mut walk = HistoryWalk::new(filter.clone(), after, size);
        walk.published(sandbox.market());
        walk.begin();
        while !walk.go_on(sandbox, steps) {}
        let page: Vec<_> = walk.into_entries().collect();
        if page.is_empty() {
            return all.iter().map(line).collect();
        }
        all.extend(page);
    }
}

fn line((position, happening): &(Position, Happening)) -> String {
    let what = match happening {
        Happening::ResaleAuthorized { authorization, .. } => format!("{authorization} granted"),
        Happening::ResaleRestricted { authorization, .. } => format!("{authorization} restricted"),
        Happening::OfferReleased { offer, .. } => format!("{offer} released"),
        Happening::PricesChanged { offer, change, .. } => format!("{offer} {}", change.existing_from),
        Happening::AgreementEnded(about, status) => format!("{} {status:?}", about.id),
        Happening::AgreementAccepted { about, origin, initial_id } => {
            format!("{} {origin:?} of {initial_id}", about.id)
        }
        Happening::UpfrontAmended { about, number, amended, .. } => {
            format!("{} {number} in place of {amended}", about.id)
        }
        Happening::UpfrontRefunded { about, number } => format!("{} gave back {number}", about.id),
        Happening::UpfrontPurchased { about, number, end, .. } => {
            format!("{} bought {number} until {end}", about.id)
        }
        Happening::InvoiceIssued { id, total, .. } => format!("{id} {total}"),
        Happening::InvoicePaid { id, amount, .. } => format!("{id} paid {amount}"),
        Happening::MonthClosed { payer, month } => format!("{payer} {month} closed"),
    };
    format!("{} {what}", crate::time::timestamp::report_date(position.time))
}

const ALL: [&str; 18] = [
    "2025-01-01 resaleauthz-1 granted",
    "2025-01-01 offer-1 released",
    "2025-01-01 offer-2 released",
    "2025-01-01 agmt-1-1 Accepted of agmt-1-1",
    "2025-01-01 agmt-5-1 Accepted of agmt-5-1",
    "2025-01-15 offer-1 2025-05-01T00:00:00Z",
    "2025-01-15 resaleauthz-1 restricted",
    "2025-02-02 offer-3 released",
    "2025-02-02 agmt-1-1 Replaced",
    "2025-02-02 agmt-1-2 FellBack of agmt-1-1",
    "2025-02-02 agmt-1-2 bought 1 until 2026-02-02T00:00:00Z",
    "2025-02-02 MPIN25-000000000001-1 0.00",
    "2025-02-02 MPIN25-000000000005-1 0.00",
    "2025-02-02 000000000001 2025-01 closed",
    "2025-02-02 000000000005 2025-01 closed",
    "2025-02-03 agmt-1-3 Accepted of agmt-1-1",
    "2025-02-04 agmt-1-3 Cancelled",
    "2025-02-05 MPIN25-000000000005-1 paid 12.00",
];

#[test]
fn everything_is_told_once_in_order_in_pages_of_any_size() {
    let sandbox = sandbox();
    for size in 1..=ALL.len() + 1 {
        for steps in [1, 5, 1_000] {
            assert_eq!(told(&sandbox, &HistoryFilter::default(), size, steps), ALL, "{size} {steps}");
        }
    }
}

/// What a snapshot holds tells the same, the payment included.
#[test]
fn a_rebuilt_sandbox_tells_the_same() {
    let sandbox = sandbox();
    let mut rebuilt = Sandbox::new(sandbox.market().clone());
    let events: Vec<_> = crate::machine::rebuild::events(&sandbox).collect();
    events.iter().for_each(|event| rebuilt.apply(event));
    assert_eq!(crate::machine::rebuild::difference(&sandbox, &rebuilt), None);
    assert_eq!(told(&rebuilt, &HistoryFilter::default(), 3, 5), ALL);
}

#[test]
fn a_filter_takes_what_belongs_to_it() {
    let sandbox = sandbox();
    let all = HistoryFilter::default();
    for (filter, expected) in [
        (HistoryFilter { payer: Some(account(5)), ..all.clone() }, vec![4, 12, 14, 17]),
        (HistoryFilter { payer: Some(account(1)), ..all.clone() }, vec![3, 8, 9, 10, 11, 13, 15, 16]),
        (HistoryFilter { buyer: Some(account(2)), ..all.clone() }, vec![3, 8, 9, 10]),
        (HistoryFilter { buyer: Some(account(2)), payer: Some(account(5)), ..all.clone() }, vec![]),
        (HistoryFilter { since: Some(at("2025-02-03")), ..all.clone() }, vec![15, 16, 17]),
        (HistoryFilter { since: Some(at("2025-02-02")), payer: Some(account(5)), ..all }, vec![12, 14, 17]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|index| ALL[index]).collect();
        assert_eq!(told(&sandbox, &filter, 2, 1), expected, "{filter:?}");
    }
}
