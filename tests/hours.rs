//! Records at the edges of agreements, under AWS's own 24-hour window, and what many accounts do to a line.

use souk_core::metering::RecordStatus;
use souk_core::rules::{Profile, Rules};
use souk_tests::publish::{Private, public_offer};
use souk_tests::world::{Record, SELLER, World, moment};

const BUYER: &str = "111111111111";

const SAAS: &str = "prod-saas";
const AMI: &str = "prod-ami";

fn world(began: &str) -> World {
    let mut world = World::with(began, Rules::of(Profile::Source), 1);
    world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.80")]).ami(AMI, &[("m5.large", "0.25", "1200.00")]);
    world
}

fn record(product: &str, dimension: &str, at: &str) -> Record {
    Record {
        buyer: BUYER.to_owned(),
        product: product.to_owned(),
        dimension: dimension.to_owned(),
        region: "us-east-1".to_owned(),
        at: moment(at),
        quantity: "1".to_owned(),
    }
}

fn is_metered(world: &mut World, record: Record) -> bool {
    matches!(world.meter(&[record])[..], [RecordStatus::Success(_)])
}

/// The usage lines of the first invoice: quantity, price and period.
fn lines(world: &World) -> Vec<String> {
    let invoices = world.invoices(BUYER);
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    lines.map(|l| format!("{} at {}, {} to {}", l.quantity, l.unit_price, l.start, l.end)).collect()
}

#[test]
fn a_record_ahead_of_its_hour_is_billed_by_the_agreement_that_ended_before_it() {
    let mut world = world("2025-03-10T08:00:00Z");
    world.accept(&public_offer(SAAS), BUYER).advance_to("2025-03-10T09:58:00Z");
    assert!(is_metered(&mut world, record(SAAS, "units", "2025-03-10T10:02:00Z")), "five minutes of skew");
    world.advance_to("2025-03-10T09:59:00Z").cancel(SAAS, BUYER).advance_to("2025-04-02T00:00:00Z");
    assert_eq!(lines(&world), ["1 at 0.80, 2025-03-10T08:00:00Z to 2025-03-10T11:00:00Z"]);
}

#[test]
fn an_agreement_that_ends_on_the_hour_does_not_reach_into_it() {
    let mut world = world("2025-03-10T08:00:00Z");
    world.accept(&public_offer(SAAS), BUYER).advance_to("2025-03-10T09:00:00Z");
    assert!(is_metered(&mut world, record(SAAS, "units", "2025-03-10T08:30:00Z")));
    world.advance_to("2025-03-10T10:00:00Z").cancel(SAAS, BUYER).advance_to("2025-04-02T00:00:00Z");
    assert_eq!(lines(&world), ["1 at 0.80, 2025-03-10T08:00:00Z to 2025-03-10T10:00:00Z"]);
}

#[test]
fn usage_before_a_replacement_is_taken_as_long_as_any_other() {
    let mut world = world("2025-03-10T08:00:00Z");
    let private = Private {
        id: "offer-private",
        product: SAAS,
        buyers: &[BUYER],
        accept_by: "2025-12-31",
        days: 30,
        usage: &[("units", "0.60")],
        annual: &[],
    };
    world.private(&private).accept(&public_offer(SAAS), BUYER);
    world
        .advance_to("2025-03-10T10:00:00Z")
        .accept("offer-private", BUYER)
        .advance_to("2025-03-10T12:30:00Z");
    assert!(is_metered(&mut world, record(SAAS, "units", "2025-03-10T09:00:00Z")), "two hours after its end");
    // The end of the chain is another matter: an hour after the cancellation is the last.
    world.advance_to("2025-03-10T13:00:00Z").cancel(SAAS, BUYER).advance_to("2025-03-10T13:59:59Z");
    assert!(is_metered(&mut world, record(SAAS, "units", "2025-03-10T12:00:00Z")));
    world.advance_to("2025-03-10T14:00:00Z");
    assert!(!is_metered(&mut world, record(SAAS, "units", "2025-03-10T11:00:00Z")));
}

#[test]
fn an_hourly_reporter_lives_through_a_fall_back() {
    let mut world = world("2025-05-10T00:00:00Z");
    let private = Private {
        id: "offer-private",
        product: SAAS,
        buyers: &[BUYER],
        accept_by: "2025-12-31",
        days: 1,
        usage: &[("units", "0.60")],
        annual: &[],
    };
    world.private(&private).accept("offer-private", BUYER);
    for hour in 0..48 {
        let at = |hour: u32| format!("2025-05-{:02}T{:02}:00:00Z", 10 + hour / 24, hour % 24);
        // Three hours late, every time.
        if hour >= 3 {
            world.advance_to(&at(hour));
            assert!(is_metered(&mut world, record(SAAS, "units", &at(hour - 3))), "hour {hour}");
        }
    }
    world.advance_to("2025-06-02T00:00:00Z");
    assert_eq!(
        lines(&world),
        [
            "24 at 0.60, 2025-05-10T00:00:00Z to 2025-05-11T00:00:00Z",
            "21 at 0.80, 2025-05-11T00:00:00Z to 2025-06-01T00:00:00Z"
        ]
    );
}

#[test]
fn instances_reported_by_the_hour_count_from_the_hour_of_acceptance() {
    let mut world = world("2025-03-10T10:20:00Z");
    world.accept(&public_offer(AMI), BUYER).advance_to("2025-03-10T12:00:00Z");
    assert!(is_metered(&mut world, record(AMI, "m5.large", "2025-03-10T10:00:00Z")));
    assert!(!is_metered(&mut world, record(AMI, "m5.large", "2025-03-10T09:59:59Z")));
}

#[test]
fn other_accounts_of_a_family_do_not_cut_a_line_to_pieces() {
    let mut world = World::at("2025-03-01T00:00:00Z");
    world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.80")]);
    let linked: Vec<_> = (1..=40).map(|n| format!("{n:012}")).collect();
    for account in &linked {
        world.linked(account, BUYER);
    }
    world.accept(&public_offer(SAAS), BUYER);
    for (hour, account) in linked.iter().enumerate() {
        world.advance_to(&format!("2025-03-{:02}T{:02}:30:00Z", 1 + hour / 24, hour % 24));
        world.accept(&public_offer(SAAS), account);
    }
    for account in linked.iter().map(String::as_str).chain([BUYER]) {
        world.run(SAAS, account, "units", ["2025-03-10T00:00:00Z", "2025-03-10T02:00:00Z"], "1");
    }
    world.advance_to("2025-04-02T00:00:00Z");
    let invoices = world.invoices(BUYER);
    let lines: Vec<_> = invoices.iter().flat_map(|invoice| &invoice.lines).collect();
    assert_eq!(lines.len(), 41);
    for line in lines {
        assert_eq!(line.explanation.segments.len(), 1, "{}", line.buyer);
        assert_eq!(line.quantity.to_string(), "2");
    }
}
