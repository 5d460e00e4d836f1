//! Sees that random plans reach what they are for: a property that never meets a rule says nothing about it.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use souk_core::agreement::{Agreement, AgreementStatus, Family, Origin};
use souk_core::catalog::{Marketplace, PriceSource};
use souk_core::invoicing::InvoiceLine;
use souk_core::money::Money;
use souk_core::terms::UpfrontKind;

use super::drive::{Manner, drive};
use super::plan::plans;

const PLANS: usize = 80;

/// What must be met at least once.
const WANTED: [&str; 14] = [
    "a fall-back",
    "a cancellation",
    "a contract that renewed itself",
    "an annual renewal",
    "a private offer in the place of another",
    "cover bought on a private offer",
    "a contract above a million",
    "cover that is used",
    "cover that another account uses",
    "the price of the offer",
    "a price for new subscribers",
    "a price after its notice",
    "a price cut at once",
    "a fraction of a unit",
];

type Reached = BTreeMap<&'static str, usize>;

#[test]
fn random_plans_reach_every_rule() {
    let mut runner = TestRunner::deterministic();
    let mut reached = Reached::new();
    for _ in 0..PLANS {
        let plan = plans().new_tree(&mut runner).expect("a plan").current();
        let done = drive(&plan, Manner { partitions: 1, reversed: false, resent: false });
        let market = done.world.market();
        for family in done.world.sandboxes().iter().flat_map(|sandbox| sandbox.families().values()) {
            family.agreements().for_each(|agreement| of_agreement(market, family, agreement, &mut reached));
            let lines = family.invoices().iter().flat_map(|invoice| &invoice.lines);
            lines.for_each(|line| of_line(family, line, &mut reached));
        }
    }
    for wanted in WANTED {
        assert!(reached.contains_key(wanted), "{PLANS} plans never reach {wanted}: {reached:?}");
    }
}

fn of_agreement(market: &Marketplace, family: &Family, agreement: &Agreement, reached: &mut Reached) {
    let private = |a: &Agreement| market.offers()[&a.offer].is_private();
    let annual = agreement.purchases.iter().filter(|p| p.kind == UpfrontKind::Annual).collect::<Vec<_>>();
    let next = family.agreements_of_licence(&agreement.licence).find(|a| a.number > agreement.number);
    let value = agreement.contract_value().expect("every purchase has its prices");
    let dear = Money::from_minor(100_000_000, value.currency());
    for (met, what) in [
        (agreement.origin == Origin::FellBack, "a fall-back"),
        (agreement.status == AgreementStatus::Cancelled, "a cancellation"),
        (agreement.origin == Origin::Renewed, "a contract that renewed itself"),
        (annual.iter().any(|old| annual.iter().any(|new| new.start == old.end)), "an annual renewal"),
        (
            private(agreement) && next.is_some_and(|a| a.origin == Origin::Accepted),
            "a private offer in the place of another",
        ),
        (private(agreement) && !annual.is_empty(), "cover bought on a private offer"),
        (private(agreement) && value >= dear, "a contract above a million"),
    ] {
        *reached.entry(what).or_default() += usize::from(met);
    }
    reached.retain(|_, count| *count > 0);
}

fn of_line(family: &Family, line: &InvoiceLine, reached: &mut Reached) {
    for segment in line.explanation.segments.iter().filter(|segment| segment.metered_hours > 0) {
        let source = match segment.source {
            PriceSource::Offer => "the price of the offer",
            PriceSource::ChangeForNew(_) => "a price for new subscribers",
            PriceSource::ChangeAfterNotice(_) => "a price after its notice",
            PriceSource::ImmediateCut(_) => "a price cut at once",
        };
        *reached.entry(source).or_default() += 1;
        if segment.covered.0 > 0 {
            *reached.entry("cover that is used").or_default() += 1;
            let mine = family.agreements_of(line.buyer, &line.product).any(|a| !a.purchases.is_empty());
            if !mine {
                *reached.entry("cover that another account uses").or_default() += 1;
            }
        }
        if line.quantity.0 % 1_000_000 != 0 {
            *reached.entry("a fraction of a unit").or_default() += 1;
        }
    }
}
