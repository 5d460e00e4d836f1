//! The reference vectors that need a whole marketplace: published, accepted, metered, closed and reported.
//! Each test bears its vector's id; the vectors of single functions stand beside these in the core.

use std::sync::Arc;

use souk_core::catalog::{CatalogHistory, DimensionType, ProductType};
use souk_core::invoicing::payment::Standing;
use souk_core::invoicing::{Invoice, InvoiceKind};
use souk_core::money::{Currency, Money, PriceDecimals};
use souk_core::rejection::Code;
use souk_core::reports::{self, DailyFacts, Period, ReportInput};
use souk_core::rules::{MeteringWindow, OfferIdColumn, Profile, Rules};
use souk_core::terms::{ConfigurableUpfront, Terms, UpfrontRateCard};
use souk_core::time::TermDuration;
use souk_tests::publish::{Private, configuration, prices, public_offer};
use souk_tests::world::{SELLER, World, account, moment};

const BUYER: &str = "111111111111";
const OTHER: &str = "222222222222";
const AMI: &str = "prod-ami";
const SAAS: &str = "prod-saas";

/// The usage lines of a payer's month, in words.
fn usage_lines(world: &World, payer: &str, month: &str) -> Vec<String> {
    let invoices = invoices(world, payer, month, InvoiceKind::Usage);
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines).map(|line| {
        let private = world.market().offers()[&line.offer].is_private();
        let offer = if private { format!("{}: ", line.offer) } else { String::new() };
        let dimension = line.dimension.as_ref().expect("usage is of a dimension");
        let (quantity, price, amount) = (line.quantity, line.unit_price, line.amount);
        let (start, end) = (line.start, line.end);
        format!("{offer}{dimension} {quantity} at {price} = {amount} USD from {start} to {end}")
    });
    lines.collect()
}

fn invoices(world: &World, payer: &str, month: &str, kind: InvoiceKind) -> Vec<Arc<Invoice>> {
    let all = world.invoices(payer).into_iter();
    all.filter(|invoice| invoice.kind == kind && invoice.month.to_string() == month).collect()
}

fn usage_total(world: &World, payer: &str, month: &str) -> String {
    match invoices(world, payer, month, InvoiceKind::Usage).as_slice() {
        [] => "0.00".to_owned(),
        [invoice] => invoice.total().to_string(),
        several => panic!("{} invoices for one month of usage", several.len()),
    }
}

/// The columns that vectors name, of a seller's report.
fn report_rows(world: &World, report: &str, month: &str, offer_id_column: OfferIdColumn) -> Vec<String> {
    const WANTED: [&str; 9] = [
        "Offer ID",
        "Offer Visibility",
        "Customer Billed Amount",
        "AWS Listing Fee",
        "Refunds Amount",
        "AWS Fee Refund",
        "Cost",
        "Partner Revenue Amount",
        "Currency",
    ];
    let report = reports::by_name(report).expect("a known report");
    let all = world.all_invoices().into_values().flatten();
    let month = souk_core::time::BillingMonth::parse(month).expect("a month");
    let of_month = all.filter(|invoice| invoice.month == month);
    let zero = Money::zero(Currency::Usd);
    let invoices: Vec<_> = of_month
        .map(|invoice| Standing { invoice, corrects: None, collected_at: None, uncollected: zero })
        .collect();
    let (market, seller) = (world.market(), account(SELLER));
    let input = ReportInput {
        market,
        seller,
        offer_id_column,
        month,
        day: Period::Month(month).day(),
        history: &CatalogHistory::default(),
        current: false,
        now: month.invoiced_at(),
        invoices: &invoices,
        agreements: &[],
        demonstrations: &[],
        daily: &DailyFacts::default(),
    };
    let rows = (report.rows)(&input).expect("rows of a sound state");
    let cell = |row: &Vec<String>, wanted: &&str| {
        assert_eq!(row.len(), report.columns.len());
        row[report.columns.iter().position(|column| column == wanted).expect("a column of the report")]
            .clone()
    };
    rows.iter()
        .map(|row| WANTED.iter().map(|wanted| cell(row, wanted)).collect::<Vec<_>>().join(","))
        .collect()
}

const SECTION_1: &str = "monthly_revenue_billing_and_revenue_data";
const SECTION_2: &str = "monthly_revenue_annual_subscriptions";

/// A buyer who subscribes hourly from `began`, buys annual cover of m5.large, and runs some in a month that
/// is closed then.
fn annual_world(began: &str, rate: &str, cover: &[(&str, u64)], running: [&str; 2], count: &str) -> World {
    let mut world = World::at(began);
    world.payer(BUYER).ami(AMI, &[("m5.large", rate, "1200.00")]).accept(&public_offer(AMI), BUYER);
    for (start, units) in cover {
        world.advance_to(start).annual(AMI, BUYER, "m5.large", *units);
    }
    world.run(AMI, BUYER, "m5.large", running, count);
    let close = moment(running[0]).date().to_string();
    let next = souk_core::time::BillingMonth::parse(&close[..7]).expect("a month").invoiced_at();
    world.advance_to(&next.to_string());
    world
}

#[test]
fn a_01_more_run_than_are_covered_all_month() {
    let (january, cover) = (["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], [("2024-08-01T00:00:00Z", 3)]);
    let world = annual_world("2024-08-01T00:00:00Z", "0.25", &cover, january, "5");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-01"),
        ["m5.large 1488 at 0.25 = 372.00 USD from 2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z"]
    );
    assert_eq!(usage_total(&world, BUYER, "2025-01"), "372.00");
}

#[test]
fn a_02_more_covered_than_are_run_is_never_a_credit() {
    let (january, cover) = (["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], [("2024-08-01T00:00:00Z", 5)]);
    let world = annual_world("2024-08-01T00:00:00Z", "0.25", &cover, january, "3");
    assert!(invoices(&world, BUYER, "2025-01", InvoiceKind::Usage).is_empty());
}

#[test]
fn a_05_cover_rises_in_the_middle_of_a_month() {
    let cover = [("2024-08-01T00:00:00Z", 2), ("2025-03-15T12:00:00Z", 3)];
    let march = ["2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"];
    let world = annual_world("2024-08-01T00:00:00Z", "0.40", &cover, march, "6");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-03"),
        ["m5.large 1788 at 0.40 = 715.20 USD from 2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z"]
    );
    assert_eq!(usage_total(&world, BUYER, "2025-03"), "715.20");
}

#[test]
fn a_06_an_hour_already_begun_stays_hourly_when_cover_is_bought() {
    let (hours, cover) = (["2025-03-03T10:00:00Z", "2025-03-03T13:00:00Z"], [("2025-03-03T10:20:00Z", 1)]);
    let world = annual_world("2025-02-01T00:00:00Z", "1.00", &cover, hours, "1");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-03"),
        ["m5.large 1 at 1.00 = 1.00 USD from 2025-03-01T00:00:00Z to 2025-04-01T00:00:00Z"]
    );
}

#[test]
fn a_07_an_hour_already_begun_stays_covered_when_cover_ends() {
    let (hours, cover) = (["2025-06-10T09:00:00Z", "2025-06-10T13:00:00Z"], [("2024-06-10T10:20:00Z", 1)]);
    let world = annual_world("2024-06-01T00:00:00Z", "1.00", &cover, hours, "1");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-06"),
        ["m5.large 2 at 1.00 = 2.00 USD from 2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z"]
    );
}

#[test]
fn a_08a_overlapping_annual_subscriptions_add_up() {
    let cover = [("2024-07-01T00:00:00Z", 2), ("2025-06-15T00:00:00Z", 1)];
    let june = ["2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"];
    let world = annual_world("2024-07-01T00:00:00Z", "0.05", &cover, june, "4");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-06"),
        ["m5.large 1056 at 0.05 = 52.80 USD from 2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z"]
    );
}

#[test]
fn a_09_hourly_billing_takes_over_when_cover_expires_inside_a_month() {
    let (april, cover) = (["2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z"], [("2024-04-16T00:00:00Z", 1)]);
    let world = annual_world("2024-04-16T00:00:00Z", "0.13", &cover, april, "1");
    assert_eq!(
        usage_lines(&world, BUYER, "2025-04"),
        ["m5.large 360 at 0.13 = 46.80 USD from 2025-04-01T00:00:00Z to 2025-05-01T00:00:00Z"]
    );
}

#[test]
fn a_11_cover_is_shared_by_the_linked_accounts_of_a_payer() {
    const PAYER: &str = "000000000100";
    let day = ["2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"];
    let mut world = World::at("2024-08-01T00:00:00Z");
    world.payer(PAYER).linked(BUYER, PAYER).linked(OTHER, PAYER);
    world.ami(AMI, &[("m5.large", "0.10", "1200.00")]);
    world.accept(&public_offer(AMI), BUYER).annual(AMI, BUYER, "m5.large", 3);
    world.accept(&public_offer(AMI), OTHER);
    world.run(AMI, BUYER, "m5.large", day, "1").run(AMI, OTHER, "m5.large", day, "4");
    world.advance_to("2025-02-02T00:00:00Z");
    assert_eq!(
        usage_lines(&world, PAYER, "2025-01"),
        ["m5.large 48 at 0.10 = 4.80 USD from 2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z"]
    );
    let invoices = invoices(&world, PAYER, "2025-01", InvoiceKind::Usage);
    assert_eq!(invoices[0].lines[0].buyer, account(OTHER), "who ran more than the cover that was left");
}

#[test]
fn b_01_a_product_has_one_to_twenty_four_dimensions() {
    for (profile, cases) in [
        (Profile::Source, [(0, false), (1, true), (24, true), (25, false)]),
        (Profile::Y2026, [(0, false), (1, true), (200, true), (201, false)]),
    ] {
        for (count, ok) in cases {
            let keys: Vec<_> = (0..count).map(|number| format!("d{number}")).collect();
            let dimensions: Vec<_> =
                keys.iter().map(|key| (&**key, DimensionType::ExternallyMetered)).collect();
            let mut world = World::with("2025-01-01T00:00:00Z", Rules::of(profile), 1);
            let published = world.product(SAAS, SELLER, ProductType::Saas, &dimensions).map(|_| ());
            assert_eq!(published.is_ok(), ok, "{count} dimensions: {published:?}");
        }
    }
}

#[test]
fn b_08_a_quantity_of_zero_makes_no_line() {
    let mut world = World::at("2025-01-01T00:00:00Z");
    world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.10")]).accept(&public_offer(SAAS), BUYER);
    world.run(SAAS, BUYER, "units", ["2025-01-05T00:00:00Z", "2025-01-05T03:00:00Z"], "0");
    world.advance_to("2025-02-02T00:00:00Z");
    assert!(world.invoices(BUYER).is_empty());
}

#[test]
fn c_01_a_contract_bought_from_the_public_listing_is_invoiced_at_once() {
    let sold = [("unencrypted_gb", "16.00"), ("encrypted_gb", "16.60")];
    let dimensions = sold.map(|(key, _)| (key, DimensionType::Entitled));
    let year = TermDuration::Months(12);
    let rate_cards = vec![UpfrontRateCard { duration: year, prices: prices(&sold, PriceDecimals::Upfront) }];
    let upfront = ConfigurableUpfront { currency: Currency::Usd, rate_cards };
    let terms = Terms { configurable_upfront: Some(upfront), ..Terms::default() };
    let mut world = World::at("2025-05-20T14:00:00Z");
    world.payer(BUYER).product(SAAS, SELLER, ProductType::Saas, &dimensions).expect("it may be published");
    let chosen = configuration(year, &[("unencrypted_gb", 10), ("encrypted_gb", 5)], false);
    world
        .public(SAAS, terms)
        .try_accept(&public_offer(SAAS), BUYER, Some(&chosen))
        .expect("it may be accepted");

    let invoices = invoices(&world, BUYER, "2025-05", InvoiceKind::Upfront);
    assert_eq!(invoices.len(), 1);
    assert_eq!(invoices[0].issued_at.date().to_string(), "2025-05-20");
    assert_eq!(invoices[0].total().to_string(), "243.00");
    let end = world.live(BUYER, SAAS).and_then(|agreement| agreement.end());
    assert_eq!(end, Some(moment("2026-05-20T14:00:00Z")));
    assert_eq!(
        report_rows(&world, SECTION_2, "2025-05", OfferIdColumn::Legacy),
        [",Public,160.00,-4.80,0.00,0.00,0.00,155.20,USD", ",Public,83.00,-2.49,0.00,0.00,0.00,80.51,USD",]
    );
    assert!(report_rows(&world, SECTION_1, "2025-05", OfferIdColumn::Legacy).is_empty());
}

#[test]
fn c_11_an_offer_can_be_accepted_until_the_end_of_its_last_day_in_utc() {
    for (attempt, ok) in
        [("2025-06-30T23:59:59Z", true), ("2025-07-01T00:00:00Z", false), ("2025-07-01T08:59:59+09:00", true)]
    {
        let mut world = World::at("2025-06-01T00:00:00Z");
        world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.80")]).private(&private_units());
        let accepted = world.advance_to(attempt).try_accept("offer-priv", BUYER, None);
        let expired = |refusal| match refusal {
            souk_core::agreement::acceptance::Refusal::Rejected(rejection) => rejection.code,
            souk_core::agreement::acceptance::Refusal::Broken(broken) => panic!("{broken}"),
        };
        assert_eq!(accepted.map_err(expired), if ok { Ok(()) } else { Err(Code::OfferExpired) }, "{attempt}");
    }
}

fn private_units() -> Private<'static> {
    Private {
        id: "offer-priv",
        product: SAAS,
        buyers: &[BUYER],
        accept_by: "2025-06-30",
        days: 30,
        usage: &[("units", "0.60")],
        annual: &[],
    }
}

/// May and June 2025 of D-01, closed.
fn private_then_public() -> World {
    let mut world = World::at("2025-05-01T00:00:00Z");
    world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.80")]).private(&private_units());
    world.accept(&public_offer(SAAS), BUYER);
    world.advance_to("2025-05-10T00:00:00Z").accept("offer-priv", BUYER);
    world.run(SAAS, BUYER, "units", ["2025-05-01T00:00:00Z", "2025-06-01T00:00:00Z"], "1");
    world.run(SAAS, BUYER, "units", ["2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"], "1");
    world.advance_to("2025-07-02T00:00:00Z");
    world
}

#[test]
fn d_01_a_private_price_replaces_the_public_one_and_expires_back_to_it() {
    let world = private_then_public();
    assert_eq!(
        [usage_lines(&world, BUYER, "2025-05"), usage_lines(&world, BUYER, "2025-06")].concat(),
        [
            "units 216 at 0.80 = 172.80 USD from 2025-05-01T00:00:00Z to 2025-05-10T00:00:00Z",
            "offer-priv: units 528 at 0.60 = 316.80 USD from 2025-05-10T00:00:00Z to 2025-06-01T00:00:00Z",
            "offer-priv: units 192 at 0.60 = 115.20 USD from 2025-06-01T00:00:00Z to 2025-06-09T00:00:00Z",
            "units 528 at 0.80 = 422.40 USD from 2025-06-09T00:00:00Z to 2025-07-01T00:00:00Z",
        ]
    );
    let totals = ["2025-05", "2025-06"].map(|month| usage_total(&world, BUYER, month));
    assert_eq!(totals, ["489.60", "537.60"]);
}

#[test]
fn d_01_report_rows_name_the_offer_by_profile() {
    let world = private_then_public();
    for (column, public) in [(OfferIdColumn::Legacy, ""), (OfferIdColumn::Dashboard, "public-prod-saas")] {
        let mut rows = [report_rows(&world, SECTION_1, "2025-05", column)].concat();
        rows.extend(report_rows(&world, SECTION_1, "2025-06", column));
        rows.sort();
        let mut expected = [
            format!("{public},Public,172.80,-5.18,0.00,0.00,0.00,167.62,USD"),
            "offer-priv,Private,316.80,-9.50,0.00,0.00,0.00,307.30,USD".to_owned(),
            "offer-priv,Private,115.20,-3.46,0.00,0.00,0.00,111.74,USD".to_owned(),
            format!("{public},Public,422.40,-12.67,0.00,0.00,0.00,409.73,USD"),
        ];
        expected.sort();
        assert_eq!(rows, expected);
    }
}

#[test]
fn e_03_a_price_cut_waits_for_its_notice_unless_the_profile_has_it_at_once() {
    for (profile, effective) in
        [(Profile::Source, "2025-07-01T00:00:00Z"), (Profile::Y2026, "2025-03-16T00:00:00Z")]
    {
        let rules = Rules { metering_window: MeteringWindow::OpenMonth, ..Rules::of(profile) };
        let mut world = World::with("2025-03-01T00:00:00Z", rules, 1);
        world.payer(BUYER).saas(SAAS, SELLER, &[("units", "0.12")]).accept(&public_offer(SAAS), BUYER);
        world.advance_to("2025-03-16T00:00:00Z");
        world.reprice(&public_offer(SAAS), &[("units", "0.10")], &[]).expect("a public price may change");
        for months in ["03", "04", "05", "06", "07", "08"].windows(2) {
            let hours = [months[0], months[1]].map(|month| format!("2025-{month}-01T00:00:00Z"));
            world.run(SAAS, BUYER, "units", [&hours[0], &hours[1]], "1");
        }
        world.advance_to("2025-08-02T00:00:00Z");
        let invoices = world.invoices(BUYER);
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
        let (old, new): (Vec<_>, Vec<_>) = lines.partition(|line| line.unit_price.to_string() == "0.12");
        assert!(old.iter().all(|line| line.end <= moment(effective)), "{profile:?}");
        assert_eq!(new.iter().map(|line| line.start).min(), Some(moment(effective)), "{profile:?}");
    }
}

#[test]
fn f_02_public_use_of_an_ami_stands_on_the_monthly_report_less_twenty_percent() {
    let (january, cover) = (["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"], [("2024-08-01T00:00:00Z", 3)]);
    let world = annual_world("2024-08-01T00:00:00Z", "0.25", &cover, january, "5");
    assert_eq!(
        report_rows(&world, SECTION_1, "2025-01", OfferIdColumn::Legacy),
        [",Public,372.00,-74.40,0.00,0.00,0.00,297.60,USD"]
    );
}
