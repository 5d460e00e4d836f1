//! Allocations, resources, doors and client tokens on their way through the checks, the tally and replay.

use super::acceptance::accept;
use super::client_token::accept_once;
use super::registration::{Program, Registration, register};
use super::request::{LicenceEntry, check_request};
use super::{
    Allocation, CheckedRequest, ClientToken, Customer, Door, Identity, RecordStatus, SeriesKey, UsageRecord,
    UsageRequest,
};
use crate::agreement::{Agreement, AgreementStatus, Origin};
use crate::catalog::account::Account;
use crate::catalog::{
    Change, Dimension, DimensionType, EntitlementValueKind, Marketplace, Offer, Product, ProductType,
    Targeting, UsageCategory,
};
use crate::ids::{
    AccountId, AgreementId, DimensionKey, LicenseArn, MeteringResource, OfferId, ProductCode, ProductId,
    Region, SandboxName, content_hash,
};
use crate::invoicing::close_month::usage_invoices;
use crate::machine::{Event, Sandbox};
use crate::money::{Currency, UnitPrice};
use crate::quantity::Quantity;
use crate::rating::{ExplainedRecord, explain_line};
use crate::rejection::{Code, Rejection};
use crate::rules::{IdenticalRetry, MeteringWindow, Profile, Rules};
use crate::terms::{Terms, UsageBased};
use crate::time::{BillingMonth, Timestamp};

const NOW: &str = "2025-03-10T12:30:00";
const HOUR: &str = "2025-03-10T11:05:00";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}Z")).unwrap()
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

/// A seller, two subscribed buyers of one family, and a product.
fn sandbox(rules: Rules) -> Sandbox {
    let mut market =
        Marketplace::new(SandboxName::new("test"), String::new(), rules, at("2025-01-01T00:00:00"));
    for number in [1, 2, 3, 9] {
        let payer = account(if number == 2 { 1 } else { number });
        market.apply(&Change::AccountPut(Account::nameless(account(number), payer)));
    }
    market.apply(&Change::ProductCreated(Product {
        id: ProductId::new("prod-1"),
        code: ProductCode::new("code"),
        title: String::new(),
        seller: account(9),
        product_type: ProductType::Container,
        usage_category: Some(UsageCategory::Units),
        dimensions: vec![Dimension {
            key: DimensionKey::new("units"),
            name: String::new(),
            description: String::new(),
            unit: String::new(),
            types: [DimensionType::ExternallyMetered].into(),
            value_kind: EntitlementValueKind::Integer,
            billed_by: None,
        }],
        concurrent_agreements: false,
    }));
    let rate_card = [(DimensionKey::new("units"), UnitPrice::from_scaled(100_000_000).unwrap())].into();
    market.apply(&Change::OfferCreated(Offer {
        id: OfferId::new("offer-1"),
        product: ProductId::new("prod-1"),
        name: String::new(),
        targeting: Targeting::default(),
        accept_by: None,
        renewal_kind: None,
        terms: Terms {
            usage_based: Some(UsageBased { currency: Currency::Usd, rate_card }),
            ..Terms::default()
        },
        released_at: at("2025-01-01T00:00:00"),
        visible_from: at("2025-01-01T00:00:00"),
        price_changes: Vec::new(),
        resale: None,
    }));
    let mut sandbox = Sandbox::new(market);
    for number in [1, 2] {
        sandbox.apply(&Event::AgreementAccepted(agreement(number)));
    }
    sandbox
}

fn agreement(number: u32) -> Agreement {
    let id = AgreementId::new(&format!("agmt-{number}"));
    Agreement {
        number,
        initial_id: id.clone(),
        licence: LicenseArn::derive(&id),
        id,
        buyer: account(number.into()),
        payer: account(1),
        seller: account(9),
        product: ProductId::new("prod-1"),
        offer: OfferId::new("offer-1"),
        origin: Origin::Accepted,
        accepted_at: at("2025-01-01T00:00:00"),
        start: at("2025-01-01T00:00:00"),
        planned_end: None,
        status: AgreementStatus::Active,
        ended_at: None,
        purchases: Vec::new(),
        instalments: Vec::new(),
    }
}

fn source() -> Rules {
    Rules::of(Profile::Source)
}

fn allocation(units: u64, team: &str) -> Allocation {
    let tags = vec![("team".to_owned(), team.to_owned())];
    Allocation { quantity: Quantity::whole(units).unwrap(), tags }
}

/// One record of account 1.
fn request(units: u64, allocations: Vec<Allocation>) -> UsageRequest {
    let record = UsageRecord {
        timestamp: at(HOUR),
        customer: Customer::Account(account(1).to_string()),
        dimension: DimensionKey::new("units"),
        quantity: Quantity::whole(units).unwrap(),
        allocations,
    };
    UsageRequest {
        product_code: Some(ProductCode::new("code")),
        region: Region::new("us-east-1"),
        resource: None,
        records: vec![record],
        metered_as: DimensionType::ExternallyMetered,
        door: Door::MeterUsage,
    }
}

/// The same in a batch.
fn batch(units: u64, allocations: Vec<Allocation>) -> UsageRequest {
    UsageRequest { door: Door::Batch, ..request(units, allocations) }
}

fn with(change: impl FnOnce(&mut UsageRequest)) -> UsageRequest {
    let mut request = request(5, Vec::new());
    change(&mut request);
    request
}

fn checked(sandbox: &Sandbox, request: UsageRequest, now: &str) -> Result<CheckedRequest, Rejection> {
    check_request(sandbox.market(), |_| None::<LicenceEntry>, request, at(now))
}

fn meter(sandbox: &mut Sandbox, request: UsageRequest) -> (RecordStatus, Vec<Event>) {
    let checked = checked(sandbox, request, NOW).unwrap();
    let (outcomes, events) = accept(sandbox, &checked, at(NOW));
    (outcomes[0].status, events)
}

/// What becomes of a call under a token, and the events of it.
fn call(
    sandbox: &mut Sandbox,
    token: &str,
    request: UsageRequest,
    now: &str,
) -> Result<(RecordStatus, Vec<Event>), Code> {
    let checked = checked(sandbox, request, now).unwrap();
    let token = ClientToken::from_field(token, "clientToken").unwrap();
    let accepted = accept_once(sandbox, &checked, &token, at(now));
    accepted.map(|(outcomes, events)| (outcomes[0].status, events)).map_err(|rejection| rejection.code)
}

/// What an invoice of the open month would say of the records behind its first line.
fn explained(sandbox: &Sandbox) -> Vec<ExplainedRecord> {
    let (family, month) = (sandbox.family(account(1)).unwrap(), BillingMonth::containing(at(HOUR)));
    let mut family = family.clone();
    family.open_month = month;
    let invoices = usage_invoices(sandbox, &family, month).unwrap();
    let hours = explain_line(sandbox, &family, month, &invoices[0].lines[0]).unwrap();
    hours.into_iter().flat_map(|hour| hour.records).collect()
}

#[test]
fn a_resubmitted_record_with_other_allocations_keeps_the_first() {
    let mut live = sandbox(source());
    let first = vec![allocation(3, "blue"), allocation(2, "red")];
    let (status, events) = meter(&mut live, request(5, first.clone()));
    assert!(matches!(status, RecordStatus::Success(_)), "{status:?}");
    for others in [vec![allocation(5, "green")], Vec::new()] {
        assert_eq!(meter(&mut live, request(5, others)), (status, Vec::new()));
    }
    let mut replayed = sandbox(source());
    events.iter().for_each(|event| replayed.apply(event));
    for sandbox in [live, replayed] {
        let records = explained(&sandbox);
        assert_eq!((records.len(), &*records[0].allocations), (1, &first[..]));
    }
}

#[test]
fn allocations_may_count_in_a_retry() {
    let mut sandbox = sandbox(Rules { retry_compares_allocations: true, ..source() });
    let first = || vec![allocation(3, "red"), allocation(2, "blue")];
    let (status, _) = meter(&mut sandbox, batch(5, first()));
    let RecordStatus::Success(id) = status else { panic!("{status:?}") };
    assert_eq!(meter(&mut sandbox, batch(5, first())).0, RecordStatus::Success(id));
    let reversed = first().into_iter().rev().collect();
    assert_eq!(meter(&mut sandbox, batch(5, reversed)).0, RecordStatus::Success(id));
    for other in [vec![allocation(5, "red")], Vec::new()] {
        assert_eq!(meter(&mut sandbox, batch(5, other)).0, RecordStatus::DuplicateRecord(id));
    }
    // Two equal records of one request, too.
    let twice = with(|r| {
        r.door = Door::Batch;
        r.records = batch(5, first()).records;
        r.region = Region::new("eu-west-1");
        r.records.extend(r.records.clone());
    });
    let checked = checked(&sandbox, twice, NOW).unwrap();
    let (outcomes, events) = accept(&mut sandbox, &checked, at(NOW));
    assert!(outcomes.iter().all(|o| matches!(o.status, RecordStatus::Success(_))), "{outcomes:?}");
    let kinds: Vec<_> = events.iter().map(std::mem::discriminant).collect();
    let allocated = kinds.len() - 1;
    assert!(matches!(events[allocated], Event::UsageAllocated { .. }), "after its UsageAccepted");
}

#[test]
fn a_retry_of_meter_usage_gets_the_first_id_whatever_batches_get() {
    let rules = Rules {
        identical_retry: IdenticalRetry::DuplicateRecord,
        retry_compares_allocations: true,
        ..source()
    };
    let mut sandbox = sandbox(rules);
    let (status, _) = meter(&mut sandbox, request(5, vec![allocation(5, "red")]));
    let RecordStatus::Success(id) = status else { panic!("{status:?}") };
    assert_eq!(meter(&mut sandbox, request(5, vec![allocation(5, "blue")])).0, RecordStatus::Success(id));
    assert_eq!(meter(&mut sandbox, batch(5, Vec::new())).0, RecordStatus::DuplicateRecord(id));
}

#[test]
fn an_unknown_identifier_may_concern_its_record_alone() {
    let unknown = || with(|r| r.records[0].customer = Customer::Identifier("nobody".to_owned()));
    let refused = checked(&sandbox(source()), unknown(), NOW).map_err(|r| r.code);
    assert_eq!(refused, Err(Code::CustomerIdentifierUnknown));
    let lenient = sandbox(Rules { unknown_identifier_refused: false, ..source() });
    assert_eq!(checked(&lenient, unknown(), NOW).unwrap().unknown_buyers, [0]);
}

#[test]
fn a_product_code_may_stand_beside_a_licence_of_its_product() {
    let entry = |product: &str| LicenceEntry {
        product: ProductId::new(product),
        buyer: account(1),
        payer: account(1),
        start: at("2025-01-01T00:00:00"),
        end: None,
    };
    let both = || with(|r| r.records[0].customer = Customer::Licence(LicenseArn::new("licence")));
    let check = |rules: Rules, product: &str| {
        let market = sandbox(rules).market().clone();
        check_request(&market, |_| Some(entry(product)), both(), at(NOW))
    };
    assert_eq!(check(source(), "prod-1").map_err(|r| r.code), Err(Code::FieldInvalid));
    let accepting = || Rules { product_code_with_license: true, ..source() };
    let identity = check(accepting(), "prod-1").map(|checked| checked.records[0].identity.clone());
    assert_eq!(identity, Ok(Identity::Licence(LicenseArn::new("licence"))));
    assert_eq!(check(accepting(), "prod-2").map_err(|r| r.code), Err(Code::LicenseInvalid));
}

#[test]
fn a_record_that_does_not_say_stays_undivided() {
    let mut sandbox = sandbox(source());
    let (status, events) = meter(&mut sandbox, request(5, Vec::new()));
    assert_eq!(events.len(), 2, "a series and its usage: {events:?}");
    assert_eq!(meter(&mut sandbox, request(5, vec![allocation(5, "blue")])), (status, Vec::new()));
    assert!(explained(&sandbox)[0].allocations.is_empty());
}

#[test]
fn what_was_metered_on_different_resources_does_not_meet() {
    let mut sandbox = sandbox(source());
    let on = |resource: Option<&str>, units| {
        let resource = resource.map(MeteringResource::new);
        UsageRequest { resource, ..request(units, Vec::new()) }
    };
    let mut ids = Vec::new();
    for (resource, units) in [(Some("i-2"), 4), (Some("i-1"), 3), (None, 2)] {
        let (RecordStatus::Success(id), _) = meter(&mut sandbox, on(resource, units)) else { panic!() };
        assert_eq!(meter(&mut sandbox, on(resource, units + 1)).0, RecordStatus::DuplicateRecord(id));
        ids.push(id);
    }
    // In the order of the resources, whatever the order in which they first metered.
    let found: Vec<_> =
        explained(&sandbox).into_iter().map(|r| (r.id, r.resource.map(|r| r.to_string()))).collect();
    let expected = [(ids[2], None), (ids[1], Some("i-1".to_owned())), (ids[0], Some("i-2".to_owned()))];
    assert_eq!(found, expected);
}

#[test]
fn a_series_without_a_resource_has_the_hash_that_it_always_had() {
    let key = |identity, resource: Option<&str>| SeriesKey {
        identity,
        region: Region::new("us-east-1"),
        resource: resource.map(MeteringResource::new),
        dimension: DimensionKey::new("units"),
    };
    let product = Identity::Product(ProductCode::new("code"), account(1));
    let licence = Identity::Licence(LicenseArn::new("arn"));
    let parts: [(_, _, &[&str]); 2] = [
        (product, "usage", &["code", "000000000001", "us-east-1", "units"]),
        (licence, "licensed usage", &["arn", "us-east-1", "units"]),
    ];
    for (identity, kind, parts) in parts {
        assert_eq!(key(identity.clone(), None).hash(), content_hash(kind, parts));
        let with = |resource: &str| content_hash(kind, &[parts, &[resource]].concat());
        assert_eq!(key(identity, Some("i-1")).hash(), with("i-1"));
    }
}

#[test]
fn allocations_are_checked_after_everything_else() {
    type Spoil = fn(&mut UsageRequest);
    let sandbox = sandbox(source());
    let wrong = || vec![allocation(1, "blue"), allocation(1, "[red]")];
    let cases: [(Spoil, Code, &str); 4] = [
        (|_| (), Code::TagInvalid, "usageRecords[0].usageAllocations[1].tags"),
        (|r| r.product_code = Some(ProductCode::new("x")), Code::ProductUnknown, "productCode"),
        (
            |r| r.records[0].dimension = DimensionKey::new("x"),
            Code::DimensionUnknown,
            "usageRecords[0].dimension",
        ),
        (
            |r| r.records[0].timestamp = at("2025-03-10T06:29:59"),
            Code::TimestampOutOfBounds,
            "usageRecords[0].timestamp",
        ),
    ];
    for (spoil, code, field) in cases {
        let mut request = request(5, wrong());
        spoil(&mut request);
        let rejection = checked(&sandbox, request, NOW).unwrap_err();
        assert_eq!((rejection.code, rejection.field.as_str()), (code, field));
    }
}

#[test]
fn each_door_has_its_window() {
    let taken = |rules: Rules, door, moment: &str| {
        let request = with(|r| (r.door, r.records[0].timestamp) = (door, at(moment)));
        checked(&sandbox(rules), request, NOW).is_ok()
    };
    let open = || Rules { metering_window: MeteringWindow::OpenMonth, ..source() };
    for (moment, [batch, meter_usage]) in [
        ("2025-03-10T06:30:00", [true, true]),
        ("2025-03-10T06:29:59", [true, false]),
        ("2025-03-09T12:30:00", [false, false]),
    ] {
        let found = [Door::Batch, Door::MeterUsage].map(|door| taken(source(), door, moment));
        assert_eq!(found, [batch, meter_usage], "{moment}");
        assert!(taken(open(), Door::MeterUsage, moment), "{moment}");
    }
}

#[test]
fn the_same_call_under_a_token_gets_the_same_answer() {
    let mut sandbox = sandbox(source());
    let divided = vec![allocation(3, "blue"), allocation(2, "red")];
    let (first, _) = call(&mut sandbox, "t", request(5, divided.clone()), NOW).unwrap();
    let RecordStatus::Success(id) = first else { panic!("{first:?}") };
    let turned: Vec<_> = divided.iter().rev().cloned().collect();
    let minutes_later = |r: &mut UsageRequest| r.records[0].timestamp = at("2025-03-10T11:59:59");
    let mut later = request(5, divided);
    minutes_later(&mut later);
    for again in [request(5, turned), later] {
        assert_eq!(call(&mut sandbox, "t", again, NOW), Ok((first, Vec::new())));
    }
    let fresh = call(&mut sandbox, "fresh", request(5, Vec::new()), NOW).map(|(status, _)| status);
    assert_eq!(fresh, Ok(RecordStatus::Success(id)));
}

#[test]
fn another_call_under_the_same_token_is_refused() {
    type Change = fn(&mut UsageRequest);
    let mut sandbox = sandbox(source());
    call(&mut sandbox, "t", request(5, Vec::new()), NOW).unwrap();
    let others: [Change; 4] = [
        |r| r.records[0].quantity = Quantity::whole(6).unwrap(),
        |r| r.records[0].timestamp = at("2025-03-10T10:59:59"),
        |r| r.records[0].allocations = vec![allocation(5, "blue")],
        |r| r.resource = Some(MeteringResource::new("i-1")),
    ];
    for other in others {
        let refused = call(&mut sandbox, "t", with(other), NOW);
        assert_eq!(refused, Err(Code::IdempotencyConflict));
    }
    // It names a call of one account in one region.
    let elsewhere: [Change; 2] = [
        |r| r.records[0].customer = Customer::Account(account(2).to_string()),
        |r| r.region = Region::new("eu-west-1"),
    ];
    for other in elsewhere {
        let (status, _) = call(&mut sandbox, "t", with(other), NOW).unwrap();
        assert!(matches!(status, RecordStatus::Success(_)), "{status:?}");
    }
}

#[test]
fn a_fresh_token_with_every_call_meters_an_hour_once() {
    let mut sandbox = sandbox(source());
    let (first, _) = call(&mut sandbox, "t-0", request(5, Vec::new()), NOW).unwrap();
    for number in 1..5 {
        let token = format!("t-{number}");
        let (status, events) = call(&mut sandbox, &token, request(5, Vec::new()), NOW).unwrap();
        assert_eq!(status, first);
        assert!(matches!(events[..], [Event::ClientTokenUsed { .. }]), "{events:?}");
    }
    assert_eq!(explained(&sandbox).len(), 1);
}

#[test]
fn a_call_that_metered_nothing_leaves_its_token_free() {
    let mut sandbox = sandbox(source());
    call(&mut sandbox, "first", request(5, Vec::new()), NOW).unwrap();
    let (status, events) = call(&mut sandbox, "t", request(6, Vec::new()), NOW).unwrap();
    assert!(matches!(status, RecordStatus::DuplicateRecord(_)) && events.is_empty(), "{status:?}");
    let stranger = || with(|r| r.records[0].customer = Customer::Account(account(3).to_string()));
    let not_subscribed = Ok((RecordStatus::CustomerNotSubscribed, Vec::new()));
    assert_eq!(call(&mut sandbox, "t", stranger(), NOW), not_subscribed);
    let (status, _) = call(&mut sandbox, "t", request(5, Vec::new()), NOW).unwrap();
    assert!(matches!(status, RecordStatus::Success(_)), "{status:?}");
}

#[test]
fn tokens_are_replayed_and_forgotten_after_a_day() {
    let mut live = sandbox(source());
    let mut events = call(&mut live, "t", request(5, Vec::new()), NOW).unwrap().1;
    let mut replayed = sandbox(source());
    events.iter().for_each(|event| replayed.apply(event));
    let later = |moment: &str| with(|r| r.records[0].timestamp = at(moment));
    for sandbox in [&mut live, &mut replayed] {
        let now = "2025-03-11T12:30:00";
        let refused = call(sandbox, "t", later("2025-03-11T12:00:00"), now);
        assert_eq!(refused, Err(Code::IdempotencyConflict));
    }
    let now = "2025-03-11T12:30:00.000001";
    let (status, more) = call(&mut live, "t", later("2025-03-11T12:00:00"), now).unwrap();
    assert!(matches!(status, RecordStatus::Success(_)), "{status:?}");
    more.iter().for_each(|event| replayed.apply(event));
    events.extend(more);
    let tokens = |sandbox: &Sandbox| sandbox.family(account(1)).map(|family| family.client_tokens.clone());
    assert_eq!(tokens(&live), tokens(&replayed));
    let used = events.iter().filter(|event| matches!(event, Event::ClientTokenUsed { .. })).count();
    assert_eq!(used, 2);
}

fn program(buyer: u64, resource: &str) -> Program {
    Program {
        payer: account(if buyer == 2 { 1 } else { buyer }),
        buyer: account(buyer),
        product: ProductId::new("prod-1"),
        resource: MeteringResource::new(resource),
    }
}

#[test]
fn a_program_is_registered_once_and_stays_so_without_a_subscription() {
    let mut sandbox = sandbox(source());
    let first = register(&sandbox, program(2, "task/1"), at(NOW));
    let Registration::First(event) = first else { panic!("{first:?}") };
    assert_eq!(event, Event::UsageRegistered { program: program(2, "task/1"), at: at(NOW) });
    sandbox.apply(&event);
    assert_eq!(register(&sandbox, program(2, "task/1"), at(NOW)), Registration::Known);
    // Another program, and the same name in another account, are others.
    for other in [program(2, "task/2"), program(1, "task/1")] {
        assert!(matches!(register(&sandbox, other, at(NOW)), Registration::First(_)));
    }
    let (cancelled, ended) = (AgreementStatus::Cancelled, at("2025-03-10T13:00:00"));
    sandbox.apply(&Event::ended(&agreement(2), cancelled, ended));
    assert_eq!(register(&sandbox, program(2, "task/1"), ended), Registration::Known);
    assert_eq!(register(&sandbox, program(2, "task/2"), ended), Registration::NotEntitled);
}

#[test]
fn only_a_live_agreement_on_the_product_entitles_to_register() {
    let sandbox = sandbox(source());
    assert_eq!(register(&sandbox, program(3, "task/1"), at(NOW)), Registration::NotEntitled, "of no family");
    let other = Program { product: ProductId::new("prod-2"), ..program(2, "task/1") };
    assert_eq!(register(&sandbox, other, at(NOW)), Registration::NotEntitled, "another product");
    let early = at("2024-12-31T23:59:59");
    assert_eq!(register(&sandbox, program(2, "task/1"), early), Registration::NotEntitled, "too early");
}
