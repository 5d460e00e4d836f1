//! Runs billed by the second and minute, inferences, and free use beside cover.

use super::*;
use crate::agreement::AgreementStatus;
use crate::catalog::BilledBy;
use crate::ids::MeteringResource;
use crate::machine::check::check;
use crate::machine::rebuild;
use crate::metering::inferences::{accept_inferences, check_inferences};
use crate::metering::opening::check_series;
use crate::metering::run_acceptance::accept_runs;
use crate::metering::run_request::check_runs;
use crate::metering::{
    Customer, InferencesRequest, NamedInference, NamedRun, NamedSeries, RecordStatus, Run, RunsRequest,
};
use crate::rating::explain_line;
use crate::rejection::Code;
use crate::rules::MeteringWindow;
use crate::terms::{FixedUpfront, PaymentSchedule, ScheduledPayment};

mod days;

const SECOND: i64 = 1_000_000;

/// Seconds after the beginning of the month.
fn second(second: i64) -> Timestamp {
    month().start().plus_micros(second * SECOND)
}

fn prices(cents: i64) -> BTreeMap<DimensionKey, UnitPrice> {
    [(DimensionKey::new("a"), UnitPrice::from_scaled(cents * 1_000_000).unwrap())].into()
}

/// A product with one dimension, at so many cents; accounts 100 to 102, of payer 1, hold it from before the month on. The
/// last of them bought so many annual subscriptions.
fn sold(product_type: ProductType, billed_by: BilledBy, cents: i64, annual: u64, trial: u64) -> Sandbox {
    let runner = Runner { payer: 1, joins: None, cover: None, runs: Vec::new() };
    let mut market = super::market(&[runner.clone(), runner.clone(), runner], None, None);
    market.rules.metering_window = MeteringWindow::OpenMonth;
    let product = ProductId::new("prod-2");
    market.apply(&Change::ProductCreated(Product {
        id: product.clone(),
        code: ProductCode::new("code-2"),
        title: String::new(),
        seller: account(9),
        product_type,
        usage_category: None,
        dimensions: vec![Dimension {
            key: DimensionKey::new("a"),
            name: String::new(),
            description: String::new(),
            unit: String::new(),
            types: [DimensionType::Metered].into(),
            value_kind: EntitlementValueKind::Integer,
            billed_by: Some(billed_by),
        }],
        concurrent_agreements: false,
    }));
    let card = UpfrontRateCard { duration: ANNUAL, prices: prices(10_000) };
    let grants = [(DimensionKey::new("a"), trial)].into();
    market.apply(&Change::OfferCreated(Offer {
        id: OfferId::new("offer-2"),
        product,
        name: String::new(),
        targeting: Targeting::default(),
        accept_by: None,
        renewal_kind: None,
        resale: None,
        terms: Terms {
            usage_based: Some(UsageBased { currency: Currency::Usd, rate_card: prices(cents) }),
            configurable_upfront: (annual > 0)
                .then(|| ConfigurableUpfront { currency: Currency::Usd, rate_cards: vec![card] }),
            free_trial: (trial > 0).then_some(FreeTrial { duration: TermDuration::Days(31), grants }),
            ..Terms::default()
        },
        released_at: after(-300_000),
        visible_from: after(-300_000),
        price_changes: Vec::new(),
    }));
    let mut sandbox = Sandbox::new(market);
    for buyer in 100..103 {
        let bought = UpfrontConfiguration {
            duration: Some(ANNUAL),
            quantities: [(DimensionKey::new("a"), annual)].into(),
            auto_renew: false,
        };
        let bought = Some(&bought).filter(|_| annual > 0 && buyer == 102);
        let (family, offer) = (sandbox.family(account(1)), OfferId::new("offer-2"));
        let events =
            accept_offer(sandbox.market(), family, &offer, account(buyer), bought, after(-1_440)).unwrap();
        events.iter().for_each(|event| sandbox.apply(event));
    }
    sandbox
}

/// Tells runs: of whom, on what, from which second of the month to which.
fn tell(sandbox: &mut Sandbox, runs: &[(u64, &str, i64, i64)]) -> Vec<RecordStatus> {
    let named = |&(buyer, resource, from, until): &(u64, &str, i64, i64)| NamedRun {
        buyer: account(buyer),
        dimension: DimensionKey::new("a"),
        resource: MeteringResource::new(resource),
        run: Run { from: second(from), until: second(until) },
    };
    let request = RunsRequest {
        product_code: ProductCode::new("code-2"),
        region: Region::new(REGIONS[0]),
        runs: runs.iter().map(named).collect(),
    };
    let now = month().end().plus_micros(3_600 * SECOND);
    let checked = check_runs(sandbox.market(), request, now).unwrap();
    let mut twin = sandbox.clone();
    let (outcomes, events) = accept_runs(sandbox, &checked, now);
    events.iter().for_each(|event| twin.apply(event));
    assert_eq!(rebuild::difference(sandbox, &twin), None, "a replay gives the same state");
    outcomes.into_iter().map(|outcome| outcome.status).collect()
}

/// Buyer, quantity and amount of each line; the hours explain it, and a snapshot rebuilds the state.
fn billed(sandbox: &Sandbox) -> Vec<(u64, String, String)> {
    assert_eq!(check(sandbox), Ok(()));
    let family = sandbox.family(account(1)).unwrap();
    rated_alike(sandbox, account(1));
    let invoices = usage_invoices(sandbox, family, month()).unwrap();
    let show = |line: &crate::invoicing::InvoiceLine| {
        assert_eq!(line.explanation.amount(), line.amount);
        explain_line(sandbox, family, month(), line).unwrap();
        (line.buyer.number(), line.quantity.to_string(), line.amount.to_string())
    };
    let mut rebuilt = Sandbox::new(sandbox.market().clone());
    rebuild::events(sandbox).for_each(|event| rebuilt.apply(&event));
    for (month, tiles) in sandbox.tally().all_months() {
        rebuilt.tally_mut().put_month(month, tiles.clone());
    }
    assert_eq!(rebuild::difference(sandbox, &rebuilt), None, "a snapshot gives the same state");
    invoices.iter().flat_map(|invoice| &invoice.lines).map(show).collect()
}

fn line(buyer: u64, quantity: &str, amount: &str) -> (u64, String, String) {
    (buyer, quantity.to_owned(), amount.to_owned())
}

#[test]
fn b_11_and_b_12_a_pod_is_billed_by_the_second_and_a_minute_at_least() {
    for (seconds, expected) in [
        (1_230, line(100, "1230", "2.05")),
        (1, line(100, "60", "0.10")),
        (10, line(100, "60", "0.10")),
        (59, line(100, "60", "0.10")),
        (60, line(100, "60", "0.10")),
        (61, line(100, "61", "0.10")),
        // Hours that are full, and a run across many.
        (3_600, line(100, "3600", "6.00")),
        (100_000, line(100, "100000", "166.67")),
    ] {
        let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
        tell(&mut sandbox, &[(100, "pod-1", 36_005, 36_005 + seconds)]);
        assert_eq!(billed(&sandbox), [expected]);
    }
}

#[test]
fn p2_a_line_is_rounded_once_however_many_pods_it_has() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 1, 0, 0);
    let names: Vec<_> = (0..90).map(|number| format!("pod-{number}")).collect();
    // A cent an hour: each of them alone comes to nothing.
    let runs: Vec<_> = names.iter().map(|name| (100, name.as_str(), 0, 100)).collect();
    tell(&mut sandbox, &runs);
    assert_eq!(billed(&sandbox), [line(100, "9000", "0.03")]);
}

#[test]
fn p2_what_is_told_again_counts_once_and_what_contradicts_it_does_not_count() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
    let told = tell(&mut sandbox, &[(100, "pod-1", 100, 200), (100, "pod-1", 100, 200)]);
    assert!(
        matches!(told.as_slice(), [RecordStatus::Success(one), RecordStatus::Success(other)] if one == other)
    );
    let again = [(100, "pod-1", 100, 200), (100, "pod-1", 100, 201), (100, "pod-1", 150, 160)];
    let told = tell(&mut sandbox, &again);
    assert!(matches!(told[0], RecordStatus::Success(_)), "{told:?}");
    assert!(told[1..].iter().all(|status| matches!(status, RecordStatus::DuplicateRecord(_))), "{told:?}");
    // Another pod, another account and the time after it are others.
    tell(&mut sandbox, &[(100, "pod-2", 100, 200), (101, "pod-1", 100, 200), (100, "pod-1", 200, 300)]);
    assert_eq!(billed(&sandbox), [line(100, "300", "0.50"), line(101, "100", "0.17")]);
}

#[test]
fn p2_an_annual_subscription_covers_so_many_seconds_of_each_hour() {
    for (annual, runs, expected) in [
        // Two pods run at once and one is covered.
        (1, vec![(100, "p", 0, 3_600), (100, "q", 0, 3_600)], vec![line(100, "3600", "6.00")]),
        // One after the other: the hour's cover takes both.
        (1, vec![(100, "p", 0, 1_800), (100, "q", 1_800, 3_600)], vec![]),
        // Nothing carries over to the next hour.
        (
            1,
            vec![(100, "p", 0, 600), (100, "q", 3_600, 7_200), (100, "r", 3_600, 3_700)],
            vec![line(100, "100", "0.17")],
        ),
        // Shared in the family, the buyer's own pods first, then by account number.
        (
            2,
            vec![(102, "p", 0, 3_600), (101, "q", 0, 3_600), (100, "r", 0, 3_600)],
            vec![line(101, "3600", "6.00")],
        ),
        // The minute of a short run is covered as it is billed.
        (1, vec![(102, "p", 0, 3_599), (102, "q", 0, 1)], vec![line(102, "59", "0.10")]),
    ] {
        let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, annual, 0);
        tell(&mut sandbox, &runs);
        assert_eq!(billed(&sandbox), expected, "{annual} and {runs:?}");
    }
}

#[test]
fn p2_an_explanation_says_units_beside_seconds() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 2, 0);
    let runs = [(102, "p", 0, 3_600), (102, "q", 0, 3_600), (102, "r", 0, 1_200)];
    tell(&mut sandbox, &runs);
    let family = sandbox.family(account(1)).unwrap();
    let invoices = usage_invoices(&sandbox, family, month()).unwrap();
    let line = &invoices[0].lines[0];
    let segment = &line.explanation.segments[0];
    assert_eq!(segment.counted_in, crate::catalog::CountedIn::Seconds);
    assert_eq!((segment.subscriptions, segment.metered.to_string()), (2, "8400".to_owned()));
    assert_eq!((segment.covered.to_string(), segment.billed().to_string()), ("7200".into(), "1200".into()));
    let hours = explain_line(&sandbox, family, month(), line).unwrap();
    let pods: Vec<_> = hours[0].records.iter().map(|record| record.quantity.to_string()).collect();
    assert_eq!((hours.len(), hours[0].subscriptions), (1, 2));
    assert_eq!(pods, ["3600", "3600", "1200"]);
}

#[test]
fn p3_a_trial_of_a_container_grants_tasks_for_whole_hours() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 2);
    let runs = [(100, "p", 0, 3_600), (100, "q", 0, 3_600), (100, "r", 0, 900), (100, "s", 3_600, 4_500)];
    tell(&mut sandbox, &runs);
    assert_eq!(billed(&sandbox), [line(100, "900", "1.50")]);
}

#[test]
fn q4_a_run_across_the_months_end_is_of_both_months() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
    let end = 31 * 24 * 3_600;
    tell(&mut sandbox, &[(100, "pod-1", end - 300, end + 900)]);
    assert_eq!(billed(&sandbox), [line(100, "300", "0.50")]);
    let mut events = Vec::new();
    while !run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap() {}
    let family = sandbox.family(account(1)).unwrap();
    let next = usage_invoices(&sandbox, family, month().next()).unwrap();
    assert_eq!(next[0].lines[0].quantity.to_string(), "900");
    // What goes on in the open month is still known; what closed is forgotten.
    assert_eq!(sandbox.tally().told().runs().count(), 1);
    while !run_due(&mut sandbox, month().next().invoiced_at(), 1, &mut events).unwrap() {}
    assert!(sandbox.tally().told().is_empty());
}

#[test]
fn p2_a_run_is_taken_whole_or_not_at_all() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
    let family = sandbox.family(account(1)).unwrap();
    let mine = family.agreements().find(|agreement| agreement.buyer == account(100)).unwrap();
    // It ends within the second hour, which it still prices.
    sandbox.apply(&Event::ended(mine, AgreementStatus::Cancelled, second(5_000)));
    let runs = [(100, "p", 7_200, 7_300), (100, "q", 3_000, 7_201), (100, "r", 3_000, 7_200)];
    let told = tell(&mut sandbox, &runs);
    assert_eq!(told[..2], [RecordStatus::CustomerNotSubscribed; 2]);
    assert!(matches!(told[2], RecordStatus::Success(_)), "{told:?}");
    assert_eq!(billed(&sandbox), [line(100, "4200", "7.00")]);
    // Its month closes: what comes then is not processed.
    let mut events = Vec::new();
    while !run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap() {}
    assert_eq!(tell(&mut sandbox, &[(101, "t", 0, 60)]), [RecordStatus::Unprocessed]);
}

#[test]
fn p5_an_instance_is_billed_by_begun_minutes() {
    let mut sandbox = sold(ProductType::MachineLearning, BilledBy::Minute, 600, 0, 0);
    tell(&mut sandbox, &[(100, "i-1", 0, 61), (100, "i-2", 0, 3_601)]);
    assert_eq!(billed(&sandbox), [line(100, "3780", "6.30")]);
}

fn infer(sandbox: &mut Sandbox, calls: &[(&str, u32, Option<u64>)]) -> Vec<RecordStatus> {
    let named = |&(name, status, consumed_units): &(&str, u32, Option<u64>)| NamedInference {
        name: name.to_owned(),
        at: second(10),
        status,
        consumed_units,
    };
    let request = InferencesRequest {
        product_code: ProductCode::new("code-2"),
        region: Region::new(REGIONS[0]),
        buyer: account(100),
        dimension: DimensionKey::new("a"),
        calls: calls.iter().map(named).collect(),
    };
    let now = month().end();
    let checked = check_inferences(sandbox.market(), request, now).unwrap().unwrap();
    let mut twin = sandbox.clone();
    let (outcomes, events) = accept_inferences(sandbox, &checked, now).unwrap();
    events.iter().for_each(|event| twin.apply(event));
    assert_eq!(rebuild::difference(sandbox, &twin), None, "a replay gives the same state");
    outcomes.into_iter().map(|outcome| outcome.status).collect()
}

#[test]
fn b_16_inferences_that_succeeded_are_billed_by_their_units() {
    let mut sandbox = sold(ProductType::MachineLearning, BilledBy::Inference, 1, 0, 0);
    let calls = [
        ("one", 200, Some(3)),
        ("two", 200, None),
        ("three", 400, Some(2)),
        ("four", 503, None),
        ("five", 201, Some(2)),
    ];
    infer(&mut sandbox, &calls);
    let told = infer(&mut sandbox, &[("one", 200, Some(3)), ("one", 200, Some(4)), ("three", 200, Some(2))]);
    assert!(matches!(told[0], RecordStatus::Success(_)));
    assert!(told[1..].iter().all(|status| matches!(status, RecordStatus::DuplicateRecord(_))), "{told:?}");
    assert_eq!(billed(&sandbox), [line(100, "6", "0.06")]);
}

/// Lets an account that is on an offer show the product instead.
fn demonstrate(sandbox: &mut Sandbox, offer: &str, buyer: u64) {
    let mut offer = sandbox.market().offers()[&OfferId::new(offer)].clone();
    offer.id = OfferId::new("offer-demonstration");
    offer.terms.configurable_upfront = None;
    offer.targeting.program = Some("FieldDemonstration".to_owned());
    sandbox.apply_change(&Change::OfferCreated(offer.clone()));
    let family = sandbox.family(account(1)).unwrap();
    let mut agreement = family.agreements().find(|a| a.buyer == account(buyer)).unwrap().clone();
    agreement.offer = offer.id;
    sandbox.apply(&Event::AgreementAccepted(agreement));
}

/// What runs come to, second by second: buyer, seconds and cents at 6.00 an hour.
fn by_the_second(
    runs: &[(u64, u64, i64, i64)],
    annual: u64,
    shown: Option<u64>,
) -> Vec<(u64, String, String)> {
    let mut known: Vec<(u64, u64, i64, i64)> = Vec::new();
    let mut seconds: BTreeMap<(i64, u64), u64> = BTreeMap::new();
    for &(buyer, pod, from, until) in runs {
        let meets = |other: &&(u64, u64, i64, i64)| {
            (other.0, other.1) == (buyer, pod) && other.2 < until && from < other.3
        };
        if known.iter().find(meets).is_some() {
            continue;
        }
        known.push((buyer, pod, from, until));
        for second in from..until {
            *seconds.entry((second / 3_600, buyer)).or_default() += 1;
        }
        let short = 60_u64.saturating_sub((until - from) as u64);
        *seconds.entry((from / 3_600, buyer)).or_default() += short;
    }
    let mut billed: BTreeMap<u64, u64> = BTreeMap::new();
    for hour in 0..10 {
        let mut left = annual * 3_600;
        for buyer in [102, 100, 101].into_iter().filter(|buyer| Some(*buyer) != shown) {
            let ran = seconds.get(&(hour, buyer)).copied().unwrap_or(0);
            let covered = left.min(ran);
            left -= covered;
            *billed.entry(buyer).or_default() += ran - covered;
        }
    }
    let cents = |seconds: u64| (seconds * 600 * 2 + 3_600) / 7_200;
    let money = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
    let some = billed.into_iter().filter(|(_, seconds)| *seconds > 0);
    some.map(|(buyer, seconds)| (buyer, seconds.to_string(), money(cents(seconds)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn runs_are_billed_as_a_count_of_their_seconds_says(
        runs in prop::collection::vec((100..103_u64, 0..3_u64, 0..15_000_i64, 1..8_000_i64), 1..16),
        annual in 0..4_u64,
        shown in prop::option::of(100..102_u64),
        at_once in any::<bool>(),
    ) {
        let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, annual, 0);
        if let Some(buyer) = shown {
            demonstrate(&mut sandbox, "offer-2", buyer);
        }
        let runs: Vec<_> = runs.into_iter().map(|(buyer, pod, from, long)| (buyer, pod, from, from + long)).collect();
        let names: Vec<_> = runs.iter().map(|(_, pod, ..)| format!("pod-{pod}")).collect();
        let told: Vec<_> =
            runs.iter().zip(&names).map(|(run, name)| (run.0, name.as_str(), run.2, run.3)).collect();
        match at_once {
            true => drop(tell(&mut sandbox, &told)),
            false => told.iter().for_each(|run| drop(tell(&mut sandbox, &[*run]))),
        }
        // Again, all of it.
        tell(&mut sandbox, &told);
        prop_assert_eq!(billed(&sandbox), by_the_second(&runs, annual, shown));
    }
}

#[test]
fn b21_a_contract_takes_hours_that_begin_before_its_end() {
    let mut sandbox = sold(ProductType::MachineLearning, BilledBy::Minute, 500, 0, 0);
    let mut offer = sandbox.market().offers()[&OfferId::new("offer-2")].clone();
    offer.id = OfferId::new("offer-contract");
    offer.targeting.buyer_accounts = [account(100)].into();
    let price = UnitPrice::from_scaled(100_000_000_000).unwrap();
    let (currency, duration) = (Currency::Usd, Some(TermDuration::Days(1)));
    offer.terms.fixed_upfront = Some(FixedUpfront { currency, price, duration, grants: [].into() });
    sandbox.apply_change(&Change::OfferCreated(offer.clone()));
    // It begins within the first hour of the month and ends within the 25th.
    let accepted = second(1_200);
    let events =
        accept_offer(sandbox.market(), sandbox.family(account(1)), &offer.id, account(100), None, accepted);
    events.unwrap().iter().for_each(|event| sandbox.apply(event));
    let family = sandbox.family(account(1)).unwrap();
    let agreement = family.agreements().last().unwrap();
    assert_eq!((agreement.planned_end, agreement.is_active()), (None, true));
    assert!(agreement.is_prepaid(accepted) && !agreement.is_prepaid(second(1_200 + 86_400)));
    // The first hour is priced by the public offer, the 25th was paid for, the 26th is not.
    tell(&mut sandbox, &[(100, "i-1", 0, 3_600 * 26)]);
    assert_eq!(billed(&sandbox), [line(100, "3600", "5.00"), line(100, "3600", "5.00")]);
    let invoices = usage_invoices(&sandbox, sandbox.family(account(1)).unwrap(), month()).unwrap();
    let segments = &invoices[0].lines[1].explanation.segments;
    let shown: Vec<_> = segments.iter().map(|s| (s.covered.to_string(), s.billed().to_string())).collect();
    assert_eq!(shown, [("86400".to_owned(), "0".to_owned()), ("0".to_owned(), "3600".to_owned())]);
    // Another private offer takes its place once its day is over, and not before (E2).
    let mut next = offer;
    next.id = OfferId::new("offer-next");
    sandbox.apply_change(&Change::OfferCreated(next.clone()));
    let accept =
        |at| accept_offer(sandbox.market(), sandbox.family(account(1)), &next.id, account(100), None, at);
    let refused = accept(second(1_200 + 86_399)).unwrap_err().to_string();
    assert!(refused.contains("ALREADY_SUBSCRIBED") && refused.contains("(E2)"), "{refused}");
    assert!(accept(second(1_200 + 86_400)).is_ok());
}

#[test]
fn b21_instalments_of_a_contract_lie_within_its_days() {
    for (day, expected) in [("2025-01-10", None), ("2025-01-11", Some("PAYMENT_SCHEDULE_INVALID"))] {
        let mut sandbox = sold(ProductType::MachineLearning, BilledBy::Minute, 500, 0, 0);
        let mut offer = sandbox.market().offers()[&OfferId::new("offer-2")].clone();
        offer.id = OfferId::new("offer-contract");
        offer.targeting.buyer_accounts = [account(100)].into();
        let amount = UnitPrice::from_scaled(50_000_000_000).unwrap();
        let price = UnitPrice::from_scaled(100_000_000_000).unwrap();
        let (currency, duration) = (Currency::Usd, Some(TermDuration::Days(10)));
        offer.terms.fixed_upfront = Some(FixedUpfront { currency, price, duration, grants: [].into() });
        let payment = |day: &str| ScheduledPayment {
            charge_date: Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap().date(),
            amount,
        };
        let payments = vec![payment("2025-01-01"), payment(day)];
        offer.terms.payment_schedule = Some(PaymentSchedule { currency, payments });
        sandbox.apply_change(&Change::OfferCreated(offer.clone()));
        let mut payer = sandbox.market().accounts()[&account(1)].clone();
        payer.invoice_terms = true;
        sandbox.apply_change(&Change::AccountPut(payer));
        let family = sandbox.family(account(1));
        let answer = accept_offer(sandbox.market(), family, &offer.id, account(100), None, second(0));
        let refused = answer.err().map(|refused| refused.to_string());
        assert_eq!(refused.as_deref().and_then(|words| words.split(':').next()), expected, "{refused:?}");
    }
}

#[test]
fn p2_what_is_told_by_runs_is_no_series_of_a_stream() {
    let sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
    let named = NamedSeries {
        product_code: Some(ProductCode::new("code-2")),
        region: Region::new(REGIONS[0]),
        customer: Customer::Account(account(100).to_string()),
        dimension: DimensionKey::new("a"),
    };
    let refused = check_series(sandbox.market(), |_| None, named).unwrap_err();
    assert_eq!((refused.code, refused.field.as_str()), (Code::DimensionUnknown, "dimension"));
    assert!(refused.message.contains("tell its runs with MeterRuns (P2)"), "{refused}");
}

#[test]
fn d9_free_use_takes_nothing_of_a_familys_cover() {
    let runner = |cover, units: u64| Runner {
        payer: 1,
        joins: None,
        cover,
        runs: Some((0, 0, 0..10, units * MILLIONTHS)).filter(|_| units > 0).into_iter().collect(),
    };
    let runners = [runner(None, 1), runner(None, 1), runner(Some([1, 1, 1]), 0)];
    for (demonstrates, expected) in [(false, vec![line(101, "10", "1.00")]), (true, vec![])] {
        let mut sandbox = sandbox(&runners, None, None, false);
        if demonstrates {
            // Account 100 shows the product, and comes before 101, which pays.
            demonstrate(&mut sandbox, "offer-1", 100);
        }
        assert_eq!(billed(&sandbox), expected);
    }
}
