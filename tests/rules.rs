//! Billing rules that no vector shows, each in a small marketplace.

use souk_core::invoicing::{Invoice, InvoiceKind, Revenue};
use souk_core::machine::Event;
use souk_core::machine::check::check;
use souk_core::money::Money;
use souk_core::rules::{MeteringWindow, Profile, Rules};
use souk_core::terms::configurable_upfront::ANNUAL;
use souk_core::terms::{Terms, Validity};
use souk_core::time::TermDuration;
use souk_tests::publish::{Private, configuration, public_offer, usage_terms};
use souk_tests::world::{SELLER, World};

const BUYER: &str = "111111111111";
const OTHER: &str = "222222222222";
const AMI: &str = "prod-ami";
const SAAS: &str = "prod-saas";

fn private(id: &'static str, annual: &'static [(&'static str, &'static str)]) -> Private<'static> {
    Private {
        id,
        product: AMI,
        buyers: &[BUYER],
        accept_by: "2025-12-31",
        days: 1_000,
        usage: &[("m5.large", "0.20")],
        annual,
    }
}

fn ami_world() -> World {
    let mut world = World::at("2025-01-01T00:00:00Z");
    world.payer(BUYER).ami(AMI, &[("m5.large", "0.25", "1200.00")]);
    world
}

/// The quantities of usage that a month bills, line by line.
fn billed(world: &World, month: &str) -> Vec<String> {
    let invoices = world.invoices(BUYER).into_iter();
    let usage = invoices.filter(|i| i.kind == InvoiceKind::Usage && i.month.to_string() == month);
    usage.flat_map(|i| i.lines.iter().map(|line| line.quantity.to_string()).collect::<Vec<_>>()).collect()
}

#[test]
fn q_9_a_purchase_counts_towards_the_class_of_its_own_listing_fee() {
    let mut world = ami_world();
    world.private(&private("offer-1", &[("m5.large", "600000.00")]));
    let first = configuration(ANNUAL, &[("m5.large", 1)], false);
    world.try_accept("offer-1", BUYER, Some(&first)).expect("it may be accepted");
    world.advance_to("2025-01-02T00:00:00Z").annual(AMI, BUYER, "m5.large", 1);
    let fees: Vec<_> = world.invoices(BUYER).iter().map(|i| i.revenue[0].fee.to_string()).collect();
    assert_eq!(
        fees,
        ["-18000.00", "-12000.00"],
        "3 % of 600,000, then 2 % as the contract is worth 1,200,000"
    );
}

/// The class of the fee is that of the wholesale, whatever the buyer pays.
#[test]
fn j_1_the_wholesale_value_decides_the_class_of_the_listing_fee() {
    const RESELLER: &str = "888888888888";
    let contract = |price: &str| usage_terms(&[("m5.large", "0.20")], &[("m5.large", price)]);
    for (wholesale, price, fee) in [
        ("999999.99", "2000000.00", "-35000.00"),
        ("1000000.00", "900000.00", "-25000.00"),
        ("10000000.00", "10000000.00", "-200000.00"),
    ] {
        let mut world = ami_world();
        world.seller(RESELLER, "AWS Inc.").authorize("resaleauthz-1", AMI, RESELLER, contract(wholesale));
        let validity = Some(Validity::Lasting(TermDuration::Days(400)));
        let terms = Terms { validity, ..contract(price) };
        world.offer_of("offer-1", AMI, &[BUYER], Some("2025-12-31"), terms, Some("resaleauthz-1"));
        let chosen = configuration(ANNUAL, &[("m5.large", 1)], false);
        world.try_accept("offer-1", BUYER, Some(&chosen)).expect("it may be accepted");
        let rows = world.invoices(BUYER)[0].revenue.clone();
        let told = |row: &Revenue| (row.seller.to_string(), row.billed.to_string(), row.fee.to_string());
        assert_eq!(
            rows.iter().map(told).collect::<Vec<_>>(),
            [
                (RESELLER.to_owned(), price.to_owned(), "0.00".to_owned()),
                (SELLER.to_owned(), wholesale.to_owned(), fee.to_owned()),
            ]
        );
    }
}

/// Hours beyond the cover that a reseller sold are sold by it, too, and owed at the wholesale price.
#[test]
fn j_1_cover_and_hours_of_a_reseller_are_owed_at_wholesale() {
    const RESELLER: &str = "888888888888";
    let mut world = ami_world();
    let prices = |hourly, annual| usage_terms(&[("m5.large", hourly)], &[("m5.large", annual)]);
    world.seller(RESELLER, "AWS EMEA SARL");
    world.authorize("resaleauthz-1", AMI, RESELLER, prices("0.13", "800.00"));
    let validity = Some(Validity::Lasting(TermDuration::Days(400)));
    let terms = Terms { validity, ..prices("0.20", "1000.00") };
    world.offer_of("offer-1", AMI, &[BUYER], Some("2025-12-31"), terms, Some("resaleauthz-1"));
    let chosen = configuration(ANNUAL, &[("m5.large", 2)], false);
    world.try_accept("offer-1", BUYER, Some(&chosen)).expect("it may be accepted");
    world.run(AMI, BUYER, "m5.large", ["2025-01-10T00:00:00Z", "2025-01-10T07:00:00Z"], "5");
    world.advance_to("2025-02-02T00:00:00Z");
    // Two years of cover; then 7 hours of 5 instances, 2 of which are covered.
    let told = |invoice: &Invoice| {
        let [line] = invoice.lines.as_slice() else { panic!("{invoice:?}") };
        let owed = line.wholesale.map(|owed| owed.to_string());
        (invoice.entity.clone(), line.seller.to_string(), line.amount.to_string(), owed)
    };
    let line = |amount: &str, owed: &str| {
        ("AWS EMEA SARL".to_owned(), RESELLER.to_owned(), amount.to_owned(), Some(owed.to_owned()))
    };
    let invoices: Vec<_> = world.invoices(BUYER).iter().map(|invoice| told(invoice)).collect();
    assert_eq!(invoices, [line("2000.00", "1600.00"), line("4.20", "2.73")]);
    assert_eq!(world.sandboxes().into_iter().map(check).collect::<Vec<_>>(), [Ok(())]);
}

#[test]
fn e_2_units_of_a_private_offer_end_when_another_private_offer_takes_its_place() {
    let mut world = ami_world();
    world.private(&private("offer-1", &[("m5.large", "900.00")])).private(&private("offer-2", &[]));
    world.accept("offer-1", BUYER).annual(AMI, BUYER, "m5.large", 2);
    world.advance_to("2025-01-11T00:00:00Z").accept("offer-2", BUYER);
    world.run(AMI, BUYER, "m5.large", ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], "3");
    world.advance_to("2025-02-02T00:00:00Z");
    // 10 days beyond two units of cover, then 21 days without.
    assert_eq!(billed(&world, "2025-01"), ["240", "1512"]);
}

#[test]
fn row_23_public_cover_stays_for_its_twelve_months_beside_a_private_offer() {
    let mut world = ami_world();
    world.private(&private("offer-1", &[]));
    world.accept(&public_offer(AMI), BUYER).annual(AMI, BUYER, "m5.large", 2);
    world.advance_to("2025-01-11T00:00:00Z").accept("offer-1", BUYER);
    world.run(AMI, BUYER, "m5.large", ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], "3");
    world.advance_to("2025-02-02T00:00:00Z");
    assert_eq!(billed(&world, "2025-01"), ["240", "504"]);
}

#[test]
fn private_cover_stays_when_its_agreement_only_falls_back_to_the_public_offer() {
    let mut world = ami_world();
    let month = Private { days: 10, ..private("offer-1", &[("m5.large", "900.00")]) };
    world.private(&month).accept("offer-1", BUYER).annual(AMI, BUYER, "m5.large", 2);
    world.run(AMI, BUYER, "m5.large", ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], "3");
    world.advance_to("2025-02-02T00:00:00Z");
    assert_eq!(billed(&world, "2025-01"), ["240", "504"]);
}

#[test]
fn row_21_the_hour_of_the_first_acceptance_is_priced_by_it() {
    let mut world = ami_world();
    world.advance_to("2025-01-03T10:20:00Z").accept(&public_offer(AMI), BUYER);
    world.run(AMI, BUYER, "m5.large", ["2025-01-03T10:30:00Z", "2025-01-03T13:00:00Z"], "1");
    world.advance_to("2025-02-02T00:00:00Z");
    assert_eq!(billed(&world, "2025-01"), ["3"]);
    let line = &world.invoices(BUYER)[0].lines[0];
    assert_eq!(line.start.to_string(), "2025-01-03T10:00:00Z", "its usage period is shown hour-aligned");
}

#[test]
fn an_immediate_cut_never_raises_what_a_subscriber_pays() {
    let rules = Rules { metering_window: MeteringWindow::OpenMonth, ..Rules::of(Profile::Y2026) };
    let mut world = World::with("2025-01-01T00:00:00Z", rules, 1);
    world.payer(BUYER).payer(OTHER).saas(SAAS, SELLER, &[("units", "1.00")]);
    world.accept(&public_offer(SAAS), BUYER);
    for (day, price) in [("2025-01-05T00:00:00Z", "2.00"), ("2025-01-10T00:00:00Z", "1.50")] {
        world.advance_to(day);
        world.reprice(&public_offer(SAAS), &[("units", price)], &[]).expect("a public price may change");
    }
    world.advance_to("2025-01-12T00:00:00Z").accept(&public_offer(SAAS), OTHER);
    world.run(SAAS, BUYER, "units", ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], "1");
    world.run(SAAS, OTHER, "units", ["2025-01-12T00:00:00Z", "2025-02-01T00:00:00Z"], "1");
    for month in
        [["2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"], ["2025-05-01T00:00:00Z", "2025-06-01T00:00:00Z"]]
    {
        world.run(SAAS, BUYER, "units", month, "1").run(SAAS, OTHER, "units", month, "1");
    }
    world.advance_to("2025-06-02T00:00:00Z");
    // From 2.00 to 1.50 is a cut, but from the 1.00 that the first buyer pays it is a rise, which waits for its
    // notice until May.
    for (buyer, amounts) in [
        (BUYER, ["744 at 1.00", "672 at 1.00", "744 at 1.50"]),
        (OTHER, ["480 at 1.50", "672 at 1.50", "744 at 1.50"]),
    ] {
        let invoices = world.invoices(buyer);
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
        let found: Vec<_> = lines.map(|line| format!("{} at {}", line.quantity, line.unit_price)).collect();
        assert_eq!(found, amounts, "{buyer}");
    }
}

/// Row 17: several live agreements only where the product allows them; the earliest accepted one is billed.
#[test]
fn usage_by_product_code_is_billed_by_the_earliest_of_several_agreements() {
    let mut world = World::at("2025-01-01T00:00:00Z");
    world.payer(BUYER).concurrent_saas(SAAS, SELLER, &[("units", "0.80")]);
    let offer = Private {
        id: "offer-private",
        product: SAAS,
        buyers: &[BUYER],
        accept_by: "2025-12-31",
        days: 90,
        usage: &[("units", "0.60")],
        annual: &[],
    };
    world.private(&offer).accept(&public_offer(SAAS), BUYER);
    world.advance_to("2025-01-02T00:00:00Z").accept("offer-private", BUYER);
    world.run(SAAS, BUYER, "units", ["2025-01-01T00:00:00Z", "2025-01-11T00:00:00Z"], "1");
    // The first of the two ends; the other goes on by itself.
    world.advance_to("2025-01-11T00:00:00Z").cancel(SAAS, BUYER);
    world.run(SAAS, BUYER, "units", ["2025-01-11T00:00:00Z", "2025-01-21T00:00:00Z"], "1");
    world.advance_to("2025-02-02T00:00:00Z");
    let invoices = world.invoices(BUYER);
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    let found: Vec<_> = lines.map(|l| format!("{} at {} of {}", l.quantity, l.unit_price, l.offer)).collect();
    assert_eq!(
        found,
        [format!("240 at 0.80 of {}", public_offer(SAAS)), "240 at 0.60 of offer-private".to_owned()]
    );
    let (_, family) = world.family(BUYER).expect("it has agreements");
    let licences: std::collections::BTreeSet<_> = family.agreements().map(|a| a.licence.clone()).collect();
    assert_eq!(licences.len(), 2, "each agreement has a licence of its own");
}

/// The check of the invariants sees what it is there to see.
#[test]
fn a_broken_state_is_found() {
    let mut world = World::at("2025-01-01T00:00:00Z");
    world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.80")]).accept(&public_offer(SAAS), BUYER);
    world.run(SAAS, BUYER, "units", ["2025-01-01T00:00:00Z", "2025-01-11T00:00:00Z"], "1");
    world.advance_to("2025-02-02T00:00:00Z");
    let (sandbox, family) = world.family(BUYER).expect("it has an agreement");
    assert_eq!(check(sandbox), Ok(()));
    let whole = Invoice::clone(&family.invoices()[0]);
    let cent = Money::from_minor(1, whole.currency);
    type Breaks = fn(&mut Invoice, Money);
    let breaks: [(&str, Breaks); 4] = [
        ("INV-3", |invoice, cent| invoice.lines[0].amount = invoice.lines[0].amount.plus(cent)),
        ("INV-4", |invoice, cent| invoice.revenue[0].billed = invoice.revenue[0].billed.plus(cent)),
        ("INV-8", |invoice, cent| invoice.lines[0].wholesale = Some(cent)),
        ("INV-5", |invoice, _| invoice.month = invoice.month.next()),
    ];
    for (invariant, breaks) in breaks {
        let mut broken = whole.clone();
        breaks(&mut broken, cent);
        let mut sandbox = sandbox.clone();
        sandbox.apply(&Event::InvoiceIssued(broken.into()));
        let found = check(&sandbox).map_err(|broken| broken.0);
        assert!(found.as_ref().is_err_and(|why| why.starts_with(invariant)), "{invariant}: {found:?}");
    }
}
