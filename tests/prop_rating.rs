//! Random marketplaces, billed twice: by the core, and hour by hour from plain facts. Every line, fee and total
//! must be the same, whatever the partitions, the order of the records and what is sent again.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use souk_core::invoicing::{ChargeType, InvoiceKind};
use souk_core::machine::check::check;
use souk_core::machine::rebuild::difference;
use souk_core::rating::{UsageKind, explain_line, usage_of_day};
use souk_tests::naive::{self, at, hour_of, pricing_agreement};
use souk_tests::world::World;

use super::drive::{Done, Manner, drive, invoices};
use super::life::agreement_name;
use super::plan::plans;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("prop_rating.seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_core_bills_what_the_plain_facts_say(plan in plans()) {
        let one = drive(&plan, Manner { partitions: 1, reversed: false, resent: true });
        same_invoices(&invoices(&one.world), &naive::bills(&one.life.market));
        for sandbox in one.world.sandboxes() {
            prop_assert_eq!(check(sandbox), Ok(()));
        }
        explained(&one);
        days_add_up(&one.world);

        let four = drive(&plan, Manner { partitions: 4, reversed: true, resent: false });
        let issued = format!("{:?}", one.world.all_invoices());
        prop_assert!(issued == format!("{:?}", four.world.all_invoices()), "partitions and order change nothing");
        for world in [&one.world, &four.world] {
            let rebuilt = world.rebuilt();
            for (before, after) in world.sandboxes().into_iter().zip(rebuilt.sandboxes()) {
                prop_assert_eq!(difference(before, after), None, "a snapshot rebuilds the state");
            }
        }
        for world in [one.world.replayed(), four.world.replayed()] {
            prop_assert!(issued == format!("{:?}", world.all_invoices()), "a replay makes the same invoices");
            for sandbox in world.sandboxes() {
                prop_assert_eq!(check(sandbox), Ok(()));
            }
        }
    }
}

/// Few by default, so that the tests stay quick; as many as proptest's own variable says for a long run.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(128)
}

/// Compares invoice by invoice, so that the first that differs is shown alone.
fn same_invoices(issued: &[naive::Invoice], expected: &[naive::Invoice]) {
    for (issued, expected) in issued.iter().zip(expected) {
        assert_eq!(issued, expected);
    }
    assert_eq!(issued.len(), expected.len(), "invoices");
}

/// What daily reports tell of the days of a month is what the month bills: line by line, and nothing else.
fn days_add_up(world: &World) {
    let sellers: BTreeSet<_> = world.market().products().values().map(|product| product.seller).collect();
    let mut billed: BTreeMap<_, BTreeMap<_, i128>> = BTreeMap::new();
    for invoice in world.all_invoices().into_values().flatten().filter(|i| i.kind == InvoiceKind::Usage) {
        let month = billed.entry((invoice.payer, invoice.month)).or_default();
        for line in invoice.lines.iter().filter(|line| line.charge_type == ChargeType::Usage) {
            let dimension = line.dimension.clone().expect("usage has a dimension");
            let key = (line.buyer, line.product.clone(), dimension, line.agreement.clone(), line.unit_price);
            *month.entry(key).or_default() += line.quantity.0;
        }
    }
    for ((payer, month), billed) in billed {
        let (sandbox, family) = world.family(&payer.to_string()).expect("a family with an invoice");
        let mut told: BTreeMap<_, i128> = BTreeMap::new();
        let days = (0..31).map(|day| month.start().plus_days(day)).filter(|day| *day < month.end());
        for (day, seller) in days.flat_map(|day| sellers.iter().map(move |seller| (day, *seller))) {
            let usage = usage_of_day(sandbox, family, seller, day).expect("a sound state");
            for usage in usage.into_iter().filter(|usage| usage.kind == UsageKind::Billed) {
                let key = (usage.buyer, usage.product, usage.dimension, usage.agreement, usage.unit_price);
                *told.entry(key).or_default() += usage.quantity.0;
            }
        }
        assert_eq!(told, billed, "{payer} in {month}");
    }
}

/// Every line of usage is explained by its hours, and every hour by the records that were metered in it.
fn explained(done: &Done) {
    let Done { world, life, metered } = done;
    let ids: BTreeMap<_, _> = metered.iter().map(|(record, id)| (*id, record)).collect();
    assert_eq!(ids.len(), metered.len(), "every record has an id of its own");
    for (payer, invoice) in
        world.all_invoices().into_values().flatten().map(|invoice| (invoice.payer, invoice))
    {
        if invoice.kind != InvoiceKind::Usage {
            continue;
        }
        let (sandbox, family) = world.family(&payer.to_string()).expect("a family with an invoice");
        for line in &invoice.lines {
            let hours = explain_line(sandbox, family, invoice.month, line).expect("a sound state");
            let number = family.agreement(&line.agreement).expect("an agreement of the family").number;
            let name = agreement_name(&payer.to_string(), number as usize);
            let (buyer, product) = (line.buyer.to_string(), line.product.to_string());
            let billed: i128 = hours.iter().map(|hour| hour.metered.0 - hour.covered.0).sum();
            assert_eq!(billed, line.quantity.0, "the hours of {name} add up");
            for hour in &hours {
                let start = at(&hour.hour.start().to_string());
                let pricing = pricing_agreement(&life.market, &buyer, &product, start).expect("an agreement");
                assert_eq!(life.market.agreements[pricing].id, name, "the agreement of {start}");
                let mut sum = 0;
                for explained in &hour.records {
                    let record = ids[&explained.id];
                    let said = (&*record.buyer, &*record.product, &*record.dimension, &*record.region);
                    let dimension = line.dimension.as_ref().expect("usage is of a dimension").as_str();
                    let found = (&*buyer, &*product, dimension, explained.region.as_str());
                    assert_eq!(said, found, "what {} was metered as", explained.id);
                    assert_eq!(hour_of(at(&record.at.to_string())), start);
                    assert_eq!(naive::scaled(&record.quantity, 6), explained.quantity.0.into());
                    sum += explained.quantity.0;
                }
                assert_eq!(sum, hour.metered.0, "the records of {start} add up");
            }
        }
    }
}

#[test]
fn a_world_without_usage_bills_nothing() {
    let mut world = World::at("2025-01-01T00:00:00Z");
    world.payer("111111111111").advance_to("2025-03-02T00:00:00Z");
    assert!(world.all_invoices().is_empty());
}
