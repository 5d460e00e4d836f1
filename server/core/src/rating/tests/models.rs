//! Worked examples of pricing models: what an hour's use costs under each.

use super::*;
use crate::rating::explain_line;
use crate::terms::byol::paid_listing_due;
use crate::terms::{Byol, RecurringPayment};

/// A marketplace with one product on one public offer; its buyer is account 2.
fn market(product_type: ProductType, dimensions: &[(&str, &[DimensionType])], terms: Terms) -> Marketplace {
    let mut market = super::market(&[], None, None);
    let product = ProductId::new("prod-2");
    let dimension = |(key, types): &(&str, &[DimensionType])| Dimension {
        key: DimensionKey::new(key),
        name: String::new(),
        description: String::new(),
        unit: String::new(),
        types: types.iter().copied().collect(),
        value_kind: EntitlementValueKind::Integer,
        billed_by: None,
    };
    market.apply(&Change::ProductCreated(Product {
        id: product.clone(),
        code: ProductCode::new("code-2"),
        title: String::new(),
        seller: account(9),
        product_type,
        usage_category: None,
        dimensions: dimensions.iter().map(dimension).collect(),
        concurrent_agreements: false,
    }));
    market.apply(&Change::OfferCreated(Offer {
        id: OfferId::new("offer-2"),
        product,
        name: String::new(),
        targeting: Targeting::default(),
        accept_by: None,
        renewal_kind: None,
        terms,
        released_at: after(-300_000),
        visible_from: after(-300_000),
        price_changes: Vec::new(),
        resale: None,
    }));
    market
}

fn prices(prices: &[(&str, i64)]) -> Option<UsageBased> {
    let price = |&(key, cents): &(&str, i64)| {
        (DimensionKey::new(key), UnitPrice::from_scaled(cents * 1_000_000).unwrap())
    };
    Some(UsageBased { currency: Currency::Usd, rate_card: prices.iter().map(price).collect() })
}

fn accept(sandbox: &mut Sandbox, configuration: Option<&UpfrontConfiguration>, at: Timestamp) {
    let offer = OfferId::new("offer-2");
    let family = sandbox.family(account(2));
    let events = accept_offer(sandbox.market(), family, &offer, account(2), configuration, at).unwrap();
    events.iter().for_each(|event| sandbox.apply(event));
}

/// Meters quantities in the hours from the first of the month on.
fn meter(sandbox: &mut Sandbox, dimension: &str, hours: &[u64]) {
    let key = SeriesKey {
        identity: Identity::Product(ProductCode::new("code-2"), account(2)),
        region: Region::new(REGIONS[0]),
        resource: None,
        dimension: DimensionKey::new(dimension),
    };
    let (hash, handle) = (key.hash(), sandbox.tally().next_handle());
    let product = ProductId::new("prod-2");
    sandbox.apply(&Event::SeriesOpened(Series { key, product, buyer: account(2), payer: account(2), hash }));
    let first = month().hours().start.index();
    let mut columns = UsageColumns::default();
    for (hour, &units) in (first..).zip(hours) {
        columns.push(handle, UsageHour::from_index(hour).unwrap(), units * MILLIONTHS);
    }
    sandbox.accept_usage(&columns);
}

/// Dimension, billed quantity, entitled in each hour, free quantity and amount of each line; explained alike.
fn billed(sandbox: &Sandbox) -> Vec<(String, String, u64, String, String)> {
    let family = sandbox.family(account(2)).unwrap();
    rated_alike(sandbox, account(2));
    let invoices = usage_invoices(sandbox, family, month()).unwrap();
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    let show = |line: &crate::invoicing::InvoiceLine| {
        let hours = explain_line(sandbox, family, month(), line).unwrap();
        let segments = &line.explanation.segments;
        let free: i128 = segments.iter().map(|segment| segment.trial.0).sum();
        assert_eq!(free, hours.iter().map(|hour| hour.trial.0).sum());
        let entitled = segments.iter().map(|segment| segment.entitled).max().unwrap();
        assert_eq!(Some(entitled), hours.iter().map(|hour| hour.entitled).max());
        let dimension = line.dimension.as_ref().map(ToString::to_string).unwrap();
        (
            dimension,
            line.quantity.to_string(),
            entitled,
            crate::quantity::QuantitySum(free).to_string(),
            line.amount.to_string(),
        )
    };
    lines.map(show).collect()
}

fn line(
    dimension: &str,
    quantity: &str,
    entitled: u64,
    free: &str,
    amount: &str,
) -> (String, String, u64, String, String) {
    (dimension.to_owned(), quantity.to_owned(), entitled, free.to_owned(), amount.to_owned())
}

#[test]
fn c_02_use_beyond_an_entitlement_is_passed_through_or_subtracted() {
    use DimensionType::{Entitled, ExternallyMetered};
    for (entitled, cents, subtracts, hours, expected) in [
        (10, 10, false, &[2, 5, 0, 0][..], line("hosts", "7", 0, "0", "0.70")),
        (10, 10, true, &[12, 15, 8, 10], line("hosts", "7", 10, "0", "0.70")),
        // C-04.
        (5, 11, false, &[5], line("hosts", "5", 0, "0", "0.55")),
        (5, 11, true, &[10], line("hosts", "5", 5, "0", "0.55")),
    ] {
        let card = UpfrontRateCard { duration: ANNUAL, prices: prices(&[("hosts", 100)]).unwrap().rate_card };
        let terms = Terms {
            usage_based: prices(&[("hosts", cents)]),
            configurable_upfront: Some(ConfigurableUpfront {
                currency: Currency::Usd,
                rate_cards: vec![card],
            }),
            ..Terms::default()
        };
        let mut market = market(ProductType::Saas, &[("hosts", &[Entitled, ExternallyMetered])], terms);
        market.rules.subtracts_entitlements = subtracts;
        let mut sandbox = Sandbox::new(market);
        let configuration = UpfrontConfiguration {
            duration: Some(ANNUAL),
            quantities: [(DimensionKey::new("hosts"), entitled)].into(),
            auto_renew: false,
        };
        accept(&mut sandbox, Some(&configuration), after(-100_000));
        meter(&mut sandbox, "hosts", hours);
        assert_eq!(billed(&sandbox), [expected]);
    }
}

#[test]
fn b_13_one_instance_of_the_most_expensive_type_is_free() {
    let ten = [1; 10];
    for (days, large, xlarge, expected) in [
        (5, &ten[..], &ten[..], vec![line("m5.large", "10", 0, "0", "1.00")]),
        // Two run of the most expensive type: one is free.
        (
            5,
            &ten,
            &[2; 10],
            vec![line("c5.xlarge", "10", 0, "10", "3.00"), line("m5.large", "10", 0, "0", "1.00")],
        ),
        // Where it does not run, the other is.
        (5, &ten, &[1; 4], vec![line("m5.large", "4", 0, "6", "0.40")]),
        // Billing goes on after five days: 120 of 130 hours are free.
        (5, &[1; 130], &[], vec![line("m5.large", "10", 0, "120", "1.00")]),
        (6, &[1; 130], &[], vec![]),
    ] {
        let terms = Terms {
            usage_based: prices(&[("m5.large", 10), ("c5.xlarge", 30)]),
            free_trial: Some(FreeTrial { duration: TermDuration::Days(days), grants: [].into() }),
            ..Terms::default()
        };
        let types = [DimensionType::Metered];
        let market = market(ProductType::Ami, &[("m5.large", &types), ("c5.xlarge", &types)], terms);
        let mut sandbox = Sandbox::new(market);
        accept(&mut sandbox, None, after(0));
        meter(&mut sandbox, "m5.large", large);
        meter(&mut sandbox, "c5.xlarge", xlarge);
        assert_eq!(billed(&sandbox), expected, "{days} days, {} and {} hours", large.len(), xlarge.len());
    }
}

#[test]
fn a_container_trial_takes_what_it_grants_and_a_saas_trial_everything() {
    use DimensionType::{ExternallyMetered, Metered};
    for (product_type, kind, grants, expected) in [
        (ProductType::Container, Metered, 2, line("a", "159", 0, "45", "15.90")),
        (ProductType::Saas, ExternallyMetered, 0, line("a", "18", 0, "186", "1.80")),
    ] {
        let grants = [(DimensionKey::new("a"), grants)].into_iter().filter(|(_, units)| *units > 0).collect();
        let terms = Terms {
            usage_based: prices(&[("a", 10)]),
            free_trial: Some(FreeTrial { duration: TermDuration::Days(7), grants }),
            ..Terms::default()
        };
        let mut sandbox = Sandbox::new(market(product_type, &[("a", &[kind])], terms));
        // Accepted six days before the month: one day of the trial lies in it.
        accept(&mut sandbox, None, after(-6 * 24 * 60));
        // The last two hours are none of the trial's.
        let hours = [&[9; 20][..], &[0, 2, 3, 1], &[8, 10]].concat();
        meter(&mut sandbox, "a", &hours);
        assert_eq!(billed(&sandbox), [expected]);
    }
}

#[test]
fn b_15_a_monthly_fee_is_charged_beside_the_hours() {
    for (joins, hours, fee, usage) in [
        (-100_000, &[1; 10][..], "50.00", Some("2.00")),
        (-100_000, &[], "50.00", None),
        // From 17 January on: 15 days of 30.
        (16 * 24 * 60, &[], "25.00", None),
    ] {
        let price = UnitPrice::from_scaled(50 * 100_000_000).unwrap();
        let terms = Terms {
            usage_based: prices(&[("a", 20)]),
            recurring_payment: Some(RecurringPayment { currency: Currency::Usd, price }),
            ..Terms::default()
        };
        let mut sandbox = Sandbox::new(market(ProductType::Ami, &[("a", &[DimensionType::Metered])], terms));
        accept(&mut sandbox, None, after(joins));
        meter(&mut sandbox, "a", hours);
        let invoices = usage_invoices(&sandbox, sandbox.family(account(2)).unwrap(), month()).unwrap();
        let [invoice] = invoices.as_slice() else { panic!("{} invoices", invoices.len()) };
        let amounts: Vec<_> = invoice.lines.iter().map(|line| line.amount.to_string()).collect();
        let expected: Vec<_> = usage.into_iter().chain([fee]).collect();
        assert_eq!(amounts, expected);
        // Both stand in one row of the report.
        assert_eq!(invoice.revenue.len(), 1);
        assert_eq!(invoice.revenue[0].billed, invoice.total());
    }
}

#[test]
fn b_17_a_field_demonstration_costs_nothing_and_is_counted() {
    for (program, expected) in [(None, "3.00"), (Some("FieldDemonstration"), "")] {
        let terms = Terms { usage_based: prices(&[("m5.large", 25)]), ..Terms::default() };
        let mut market = market(ProductType::Ami, &[("m5.large", &[DimensionType::Metered])], terms);
        let mut offer = market.offers()[&OfferId::new("offer-2")].clone();
        offer.targeting.program = program.map(str::to_owned);
        market.apply(&Change::OfferCreated(offer));
        let mut sandbox = Sandbox::new(market);
        accept(&mut sandbox, None, after(0));
        meter(&mut sandbox, "m5.large", &[1; 12]);
        let amounts: Vec<_> = billed(&sandbox).into_iter().map(|(_, _, _, _, amount)| amount).collect();
        assert_eq!(amounts.concat(), expected);
        let mut events = Vec::new();
        while !run_due(&mut sandbox, month().invoiced_at(), 1, &mut events).unwrap() {}
        let family = sandbox.family(account(2)).unwrap();
        let shown: Vec<_> = family.demonstrations.iter().map(|shown| shown.quantity.to_string()).collect();
        assert_eq!(shown.concat(), if program.is_some() { "12" } else { "" });
        let rebuilt =
            crate::machine::rebuild::events(&sandbox).filter(|e| matches!(e, Event::Demonstrated { .. }));
        assert_eq!(rebuilt.count(), shown.len());
    }
}

#[test]
fn a21_who_lets_buyers_bring_licences_sells_for_pay_within_90_days() {
    let terms = Terms { byol: Some(Byol), ..Terms::default() };
    let mut market = market(ProductType::Ami, &[("m5.large", &[DimensionType::Metered])], terms);
    let mut offer = market.offers()[&OfferId::new("offer-2")].clone();
    offer.released_at = Timestamp::parse("2025-01-01T10:00:00Z").unwrap();
    // The other product of the seller is paid.
    assert_eq!(paid_listing_due(&market, &offer), None);
    let mut free = market.offers()[&OfferId::new("offer-1")].clone();
    free.terms =
        Terms { usage_based: prices(&[("small", 0), ("large", 0), ("huge", 0)]), ..Terms::default() };
    market.apply(&Change::OfferCreated(free));
    let due = paid_listing_due(&market, &offer).map(|day| day.to_string());
    assert_eq!(due.as_deref(), Some("2025-04-01"));
}
