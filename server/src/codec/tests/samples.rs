//! One batch of each kind, as a small marketplace would write it.

mod contracts;
mod payments;
mod port;
mod resale;
mod rules;
mod usage_models;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use souk_core::agreement::{Agreement, AgreementStatus, Origin, UpfrontPurchase};
use souk_core::catalog::{
    AccessKey, Account, Address, Change, Clock, Dimension, DimensionType, EntitlementValueKind, Offer,
    PriceChange, PriceSource, Product, ProductType, Targeting, UsageCategory,
};
use souk_core::ids::{
    AccountId, AgreementId, DimensionKey, InvoiceId, LicenseArn, MeteringResource, OfferId, ProductCode,
    ProductId, Region, SandboxName, content_hash,
};
use souk_core::invoicing::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, Revenue};
use souk_core::machine::{ControlEntry, Event, Seed};
use souk_core::metering::series::Series;
use souk_core::metering::{Allocation, Identity, Program, SeriesHandle, SeriesKey, UsageColumns};
use souk_core::money::{Amount, Currency, Money, PriceDecimals, Rate, UnitPrice};
use souk_core::quantity::{Quantity, QuantitySum};
use souk_core::rating::RatedSegment;
use souk_core::rules::{MeteringWindow, Profile, Rules};
use souk_core::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};
use souk_core::terms::{
    ConfigurableUpfront, RateCard, Renewal, Terms, UpfrontKind, UpfrontRateCard, UsageBased, Validity,
};
use souk_core::time::{BillingMonth, TermDuration, Timestamp, UsageHour};

use crate::codec::{ControlBatch, PartitionBatch};

/// The partition batches by name.
pub fn partition() -> Vec<(&'static str, PartitionBatch)> {
    let two_sandboxes = PartitionBatch {
        time: time("2025-04-02T00:00:01.5Z"),
        followed: Some(17),
        events: vec![
            (SandboxName::new("blue"), month_closed("2025-03")),
            (SandboxName::new("green"), month_closed("2025-03")),
            (SandboxName::new("blue"), month_closed("2025-04")),
        ],
    };
    let mut batches = vec![
        ("agreement_accepted", one(Event::AgreementAccepted(agreement()))),
        ("upfront_purchased", one(upfront_purchased())),
        ("agreement_ended", one(agreement_ended())),
        ("demonstrated", one(usage_models::demonstrated())),
        ("upfront_purchased_a_month", one(usage_models::month())),
        ("invoice_issued_usage", one(Event::InvoiceIssued(Arc::new(usage_invoice())))),
        ("invoice_issued_upfront", one(Event::InvoiceIssued(Arc::new(upfront_invoice())))),
        ("invoice_issued_usage_less_trial", one(Event::InvoiceIssued(Arc::new(usage_models::tried())))),
        ("month_closed_in_two_sandboxes", two_sandboxes),
        ("series_opened_product", one(Event::SeriesOpened(series(product_identity())))),
        ("series_opened_licence", one(Event::SeriesOpened(series(Identity::Licence(agreement().licence))))),
        ("series_opened_on_a_resource", one(Event::SeriesOpened(series_on_a_resource()))),
        ("usage_accepted_whole", one(usage(&[(0, 482_000, 1_000_000), (1, 482_000, 2_147_483_647_000_000)]))),
        ("usage_columns_accepted_in_a_row", one(usage(&fleet(|row| (100 + row, 482_000, 7_000_000))))),
        (
            "usage_columns_accepted_narrow",
            one(usage(&fleet(|row| (row * 7 % 64, 482_000 + (row % 3).cast_signed(), 300_000_000)))),
        ),
        (
            "usage_columns_accepted_wide",
            one(usage(&fleet(|row| (row, 482_000, 70_000_000_000 + u64::from(row % 2))))),
        ),
        ("usage_accepted", one(usage(&[(7, 482_001, 500_000), (3, 482_000, 17_000_000), (7, 482_744, 1)]))),
        ("usage_allocated", one(usage_allocated())),
        ("client_token_used", one(client_token_used())),
        ("usage_registered", one(usage_registered())),
        ("runs_told", one(usage_models::runs()[0].clone())),
        ("usage_added", one(usage_models::runs()[1].clone())),
        ("inferences_told", one(usage_models::inferences())),
        ("invoice_issued_usage_by_the_second", one(Event::InvoiceIssued(Arc::new(usage_models::seconds())))),
        ("invoice_issued_with_a_due_date", one(Event::InvoiceIssued(Arc::new(payments::invoice())))),
        ("invoice_issued_with_tax", one(Event::InvoiceIssued(Arc::new(payments::taxed_invoice())))),
        ("invoice_paid", one(payments::paid())),
    ];
    let more = contracts::partition().into_iter().chain(resale::partition());
    batches.extend(more.map(|(name, event)| (name, one(event))));
    batches
}

/// The control batches by name.
pub fn control() -> Vec<(&'static str, ControlBatch)> {
    let name = || SandboxName::new("blue");
    let changed = |change| entry(ControlEntry::Changed { name: name(), change });
    let mut batches = vec![
        ("sandbox_put_with_rules_of_contracts", entry(sandbox_put())),
        ("sandbox_deleted", entry(ControlEntry::SandboxDeleted { name: name() })),
        ("account_put", changed(Change::AccountPut(seller()))),
        ("product_created_with_value_kinds", changed(Change::ProductCreated(product()))),
        ("dimensions_added_with_value_kinds", changed(dimensions_added())),
        ("account_put_with_tax", changed(Change::AccountPut(payments::taxed()))),
        ("account_put_with_net_days", changed(Change::AccountPut(payments::payer()))),
        ("account_put_on_invoice_terms", changed(Change::AccountPut(contracts::payer()))),
        ("product_created_of_runs_and_inferences", changed(usage_models::told())),
        ("offer_created_of_a_contract", changed(Change::OfferCreated(contracts::offer()))),
        ("offer_created_with_a_trial", changed(Change::OfferCreated(usage_models::trial()))),
        ("offer_created_with_a_monthly_fee", changed(Change::OfferCreated(usage_models::monthly()))),
        ("offer_created_of_own_licences", changed(Change::OfferCreated(usage_models::own_licences()))),
        ("offer_created", changed(Change::OfferCreated(private_offer()))),
        ("prices_changed", changed(Change::PricesChanged { offer: offer_id(), change: price_change() })),
        ("faults_set", changed(Change::FaultsSet(port::faults()))),
        ("public_keys_set", changed(Change::PublicKeysSet(port::public_keys()))),
        ("sandbox_put_with_every_rule_of_contracts", entry(rules::sandbox())),
        ("clock_set", changed(Change::ClockSet(Clock::Following(time("2025-03-10T12:00:00Z"))))),
    ];
    batches.extend(resale::control().into_iter().map(|(name, change)| (name, changed(change))));
    batches
}

fn one(event: Event) -> PartitionBatch {
    let events = vec![(SandboxName::new("blue"), event)];
    PartitionBatch { time: time("2025-03-10T12:00:00.000001Z"), followed: None, events }
}

fn entry(entry: ControlEntry) -> ControlBatch {
    ControlBatch { time: time("2025-03-10T12:00:00.000001Z"), entries: vec![entry] }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

fn month(text: &str) -> BillingMonth {
    BillingMonth::parse(text).unwrap()
}

fn key() -> DimensionKey {
    DimensionKey::new("m5.large")
}

fn product_id() -> ProductId {
    ProductId::new("prod-abcdefghijklm")
}

fn offer_id() -> OfferId {
    OfferId::new("offer-abcdefghijklm")
}

fn prices(text: &str) -> RateCard {
    let metered = UnitPrice::parse(text, PriceDecimals::Metered).unwrap();
    BTreeMap::from([(key(), metered), (DimensionKey::new("t3.nano"), UnitPrice::ZERO)])
}

fn purchase() -> UpfrontPurchase {
    UpfrontPurchase {
        number: 1,
        kind: UpfrontKind::Annual,
        duration: ANNUAL,
        quantities: BTreeMap::from([(key(), 3)]),
        unit_prices: prices("1200.5"),
        currency: Currency::Usd,
        start: time("2025-01-15T09:30:00Z"),
        end: time("2026-01-15T09:30:00Z"),
        auto_renew: true,
        fixed_price: None,
        in_instalments: false,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    }
}

fn agreement() -> Agreement {
    let id = AgreementId::derive(account(1), 1);
    Agreement {
        number: 1,
        initial_id: id.clone(),
        licence: LicenseArn::derive(&id),
        id,
        buyer: account(2),
        payer: account(1),
        seller: account(999_999_999_999),
        product: product_id(),
        offer: offer_id(),
        origin: Origin::Accepted,
        accepted_at: time("2025-01-15T09:30:00Z"),
        start: time("2025-01-15T09:30:00Z"),
        planned_end: Some(time("2026-01-15T09:30:00Z")),
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: vec![purchase()],
        instalments: Vec::new(),
    }
}

fn upfront_purchased() -> Event {
    let purchase = UpfrontPurchase { number: 2, auto_renew: false, ..purchase() };
    Event::UpfrontPurchased { payer: account(1), agreement: agreement().id, purchase, renews: Some(1) }
}

fn agreement_ended() -> Event {
    let at = time("2025-02-01T00:00:00Z");
    Event::AgreementEnded {
        payer: account(1),
        agreement: agreement().id,
        status: AgreementStatus::Replaced,
        at,
    }
}

fn month_closed(text: &str) -> Event {
    Event::MonthClosed { payer: account(1), month: month(text) }
}

fn usage_invoice() -> Invoice {
    let segment =
        |source, metered| RatedSegment { metered: QuantitySum(metered), source, ..usage_models::segment() };
    let notice = time("2025-01-01T00:00:00Z");
    let segments = vec![
        segment(PriceSource::Offer, 8_500_000),
        segment(PriceSource::ChangeForNew(notice), 6_000_000),
        segment(PriceSource::ChangeAfterNotice(notice), 6_000_000),
        segment(PriceSource::ImmediateCut(notice), 6_000_000),
    ];
    let exact = Amount::new(2_500_000 * 12_345_678, Currency::Usd);
    Invoice {
        id: InvoiceId::derive(account(1), 2025, 2),
        kind: InvoiceKind::Usage,
        month: month("2025-03"),
        issued_at: time("2025-04-02T00:00:00Z"),
        lines: vec![InvoiceLine {
            charge_type: ChargeType::Usage,
            quantity: QuantitySum(2_500_000),
            unit_price: UnitPrice::from_scaled(12_345_678).unwrap(),
            amount: exact.round(),
            start: time("2025-03-01T00:00:00Z"),
            end: time("2025-04-01T00:00:00Z"),
            explanation: Explanation { exact, segments, proration: None },
            ..upfront_line()
        }],
        revenue: vec![Revenue {
            charge_type: ChargeType::Usage,
            dimension: None,
            billed: Money::from_minor(31, Currency::Usd),
            fee: Money::from_minor(-6, Currency::Usd),
            ..upfront_revenue()
        }],
        ..upfront_invoice()
    }
}

fn upfront_invoice() -> Invoice {
    Invoice {
        id: InvoiceId::derive(account(1), 2025, 1),
        payer: account(1),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: InvoiceKind::Upfront,
        month: month("2025-01"),
        issued_at: time("2025-01-15T09:30:00Z"),
        due_at: None,
        lines: vec![upfront_line()],
        revenue: vec![upfront_revenue()],
        correction: None,
    }
}

fn upfront_line() -> InvoiceLine {
    let quantity = QuantitySum::whole(3);
    let unit_price = UnitPrice::parse("1200.5", PriceDecimals::Upfront).unwrap();
    let exact = unit_price.times(quantity, Currency::Usd);
    InvoiceLine {
        charge_type: ChargeType::Annual,
        seller: account(999_999_999_999),
        buyer: account(2),
        product: product_id(),
        offer: offer_id(),
        agreement: agreement().id,
        dimension: Some(key()),
        quantity,
        unit_price,
        amount: exact.round(),
        start: time("2025-01-15T09:30:00Z"),
        end: time("2026-01-15T09:30:00Z"),
        wholesale: None,
        explanation: Explanation { exact, segments: Vec::new(), proration: None },
    }
}

fn upfront_revenue() -> Revenue {
    Revenue {
        charge_type: ChargeType::Annual,
        seller: account(999_999_999_999),
        buyer: account(2),
        product: product_id(),
        offer: offer_id(),
        dimension: Some(key()),
        billed: Money::from_minor(360_150, Currency::Usd),
        fee_rate: Rate::from_hundredths_of_percent(2_000),
        fee: Money::from_minor(-72_030, Currency::Usd),
        refunded: Money::zero(Currency::Usd),
        fee_refund: Money::zero(Currency::Usd),
        tax: None,
        resale: None,
        agreements: Vec::new(),
    }
}

fn product_identity() -> Identity {
    Identity::Product(ProductCode::derive(&product_id()), account(2))
}

fn series(identity: Identity) -> Series {
    of_key(SeriesKey { identity, region: Region::new("us-east-1"), resource: None, dimension: key() })
}

fn series_on_a_resource() -> Series {
    let resource = Some(MeteringResource::new("i-0abcdef1234567890"));
    of_key(SeriesKey { resource, ..series(product_identity()).key })
}

fn of_key(key: SeriesKey) -> Series {
    Series { hash: key.hash(), key, product: product_id(), buyer: account(2), payer: account(1) }
}

fn usage_allocated() -> Event {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let allocation = |quantity, tags| Allocation { quantity: Quantity::parse(quantity).unwrap(), tags };
    Event::UsageAllocated {
        handle: SeriesHandle(7),
        hour: UsageHour::from_index(482_001).unwrap(),
        allocations: [
            allocation("0.3", vec![tag("environment", "test"), tag("team", "blue")]),
            allocation("0.2", Vec::new()),
            allocation("0", vec![tag("team", "red")]),
        ]
        .into(),
    }
}

fn client_token_used() -> Event {
    Event::ClientTokenUsed {
        payer: account(1),
        token: content_hash("client token", &["a-token"]),
        parameters: content_hash("parameters", &["all of them"]),
        at: time("2025-03-10T12:00:00.000001Z"),
    }
}

fn usage_registered() -> Event {
    let program = Program {
        payer: account(1),
        buyer: account(2),
        product: product_id(),
        resource: MeteringResource::new("task/0123456789abcdef0123456789abcdef"),
    };
    Event::UsageRegistered { program, at: time("2025-03-10T12:00:00.000001Z") }
}

/// As many rows as are stored as they lie in memory.
fn fleet(row: impl Fn(u32) -> (u32, i32, u64)) -> Vec<(u32, i32, u64)> {
    (0..64).map(row).collect()
}

fn usage(rows: &[(u32, i32, u64)]) -> Event {
    let mut columns = UsageColumns::default();
    for &(handle, hour, millionths) in rows {
        let hour = UsageHour::from_index(hour).unwrap();
        columns.push(SeriesHandle(handle), hour, millionths);
    }
    Event::UsageAccepted(columns)
}

fn seller() -> Account {
    Account {
        id: account(999_999_999_999),
        company_name: "Süd Software".to_owned(),
        payer: account(999_999_999_999),
        invoicing_entity: Some("AWS Inc.".to_owned()),
        address: Address {
            country: "DE".to_owned(),
            state: String::new(),
            city: "Freiburg".to_owned(),
            postal_code: "79098".to_owned(),
        },
        email_domain: "sued.example".to_owned(),
        invoice_terms: false,
        private_marketplace_admin: None,
        net_days: None,
        tax: None,
        access_keys: vec![AccessKey { id: "AKIAEXAMPLEEXAMPLE".to_owned(), secret: "secret".to_owned() }],
    }
}

fn dimension(key: &str, dimension_type: DimensionType) -> Dimension {
    Dimension {
        key: DimensionKey::new(key),
        name: key.to_owned(),
        description: String::new(),
        unit: "Hrs".to_owned(),
        types: [dimension_type].into(),
        value_kind: EntitlementValueKind::Integer,
        billed_by: None,
    }
}

fn product() -> Product {
    Product {
        id: product_id(),
        code: ProductCode::derive(&product_id()),
        title: "Flight analytics".to_owned(),
        seller: account(999_999_999_999),
        product_type: ProductType::Ami,
        usage_category: Some(UsageCategory::Hosts),
        dimensions: vec![dimension("m5.large", DimensionType::Metered)],
        concurrent_agreements: false,
    }
}

fn dimensions_added() -> Change {
    Change::DimensionsAdded {
        product: product_id(),
        dimensions: vec![dimension("t3.nano", DimensionType::Metered)],
        prices: BTreeMap::from([(offer_id(), prices("0.25"))]),
    }
}

fn private_offer() -> Offer {
    let card = UpfrontRateCard { duration: ANNUAL, prices: prices("1200.5") };
    Offer {
        id: offer_id(),
        product: product_id(),
        name: "for a friend".to_owned(),
        targeting: Targeting {
            buyer_accounts: [account(1), account(2)].into(),
            program: Some("EnterpriseContract".to_owned()),
            country_codes: ["DE".to_owned()].into(),
        },
        accept_by: NaiveDate::from_ymd_opt(2025, 6, 30),
        terms: Terms {
            usage_based: Some(UsageBased { currency: Currency::Usd, rate_card: prices("0.12345678") }),
            configurable_upfront: Some(ConfigurableUpfront {
                currency: Currency::Usd,
                rate_cards: vec![card],
            }),
            validity: Some(Validity::Lasting(TermDuration::Days(30))),
            renewal: Some(Renewal::default()),
            ..Terms::default()
        },
        renewal_kind: None,
        released_at: time("2025-01-01T00:00:00Z"),
        visible_from: time("2025-01-01T00:00:00Z"),
        price_changes: vec![price_change()],
        resale: None,
    }
}

fn price_change() -> PriceChange {
    PriceChange {
        notice: time("2025-01-01T00:00:00Z"),
        existing_from: time("2025-04-01T00:00:00Z"),
        usage: prices("0.2"),
        upfront: vec![UpfrontRateCard { duration: ANNUAL, prices: prices("1100.001") }],
    }
}

fn sandbox_put() -> ControlEntry {
    let configuration = UpfrontConfiguration {
        duration: Some(ANNUAL),
        quantities: BTreeMap::from([(key(), 3)]),
        auto_renew: true,
    };
    let seed = |configuration, position| Seed {
        offer: offer_id(),
        buyer: account(2),
        at: time("2025-01-15T09:30:00Z"),
        configuration,
        position,
    };
    ControlEntry::SandboxPut {
        name: SandboxName::new("blue"),
        description: "a small marketplace".to_owned(),
        rules: Rules { metering_window: MeteringWindow::OpenMonth, ..Rules::of(Profile::Y2026) },
        began: time("2025-01-01T00:00:00Z"),
        changes: vec![Change::AccountPut(seller()), Change::ProductCreated(product())],
        seeds: vec![seed(None, 0), seed(Some(configuration), 1)],
        clock: Clock::Stopped(time("2025-03-10T12:00:00Z")),
    }
}
