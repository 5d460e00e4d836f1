//! The load generator against a real server: every door with everything odd, months that close, a server that is
//! killed, and a difference that it must find.

use std::time::Duration;

use indicatif::ProgressBar;
use souk_client::SoukClient;
use souk_client::proto::metering::v1::{BatchMeterUsageRequest, UsageRecord, usage_record::Customer};
use souk_loadgen::audit::Acknowledged;
use souk_loadgen::door::Door;
use souk_loadgen::drive::{self, Load, Options, ServerChoice};
use souk_loadgen::plan::{Plan, ProductKind, Shape, Share};
use souk_loadgen::report::Report;
use souk_loadgen::schedule::Schedule;

use crate::served::Served;
use crate::soukd;

/// Two months of everything that is odd, in a small market.
fn odd(seed: u64) -> Shape {
    let share = |percent: f64| Share::of_percent(percent).expect("a percentage");
    Shape {
        seed,
        buyers: 30,
        sellers: 5,
        dimensions: 3,
        subscriptions: 2,
        zipf_hundredths: 100,
        months: 2,
        hours: 40,
        decimals: share(40.0),
        zeros: share(10.0),
        duplicates: share(5.0),
        changed: share(3.0),
        late: share(2.0),
        invalid: share(2.0),
        annual: share(40.0),
        private: share(40.0),
    }
}

fn options(door: Door, shape: Shape) -> Options {
    Options {
        shape,
        door,
        batch: door.rows_usual(),
        in_flight: 6,
        streams: 2,
        connections: 2,
        load: Load::Closed,
        patience: Duration::from_secs(60),
        warm_up: Duration::ZERO,
        duration: None,
        server: ServerChoice::Start(soukd::binary().to_owned()),
        kill_every: None,
        keep: false,
        leave_open: false,
        interval: Duration::from_millis(100),
    }
}

async fn run(options: &Options) -> Report {
    drive::run(options, &ProgressBar::hidden()).await.expect("a run to its end")
}

#[track_caller]
fn assert_verified(report: &Report) {
    assert_eq!(report.verified, Some(true), "{:?}", report.differences);
    assert!(0 < report.bills.lines && 0 < report.size.metered, "{:?}", report.bills);
}

/// Everything odd was sent through a door, and answered as it must be.
async fn everything_through(door: Door) -> Report {
    let report = run(&options(door, odd(11))).await;
    assert_verified(&report);
    let plan = Plan::new(odd(11));
    assert_eq!((report.size.metered, report.size.months), (plan.cells(), 2));
    let Acknowledged { repeats, changed, strangers, late, invalid, .. } = report.acknowledged;
    for (count, what) in [
        (repeats, "repeats"),
        (changed, "changed"),
        (strangers, "strangers"),
        (late, "late"),
        (invalid, "invalid"),
        (report.size.annual, "agreements with cover"),
        (report.size.private, "private agreements"),
    ] {
        assert!(0 < count, "no {what}");
    }
    assert!(report.storage.is_some_and(|storage| 0 < storage.bytes), "{:?}", report.storage);
    report
}

#[tokio::test]
async fn every_door_bills_the_same_month_the_same() {
    let mut totals = Vec::new();
    for door in [Door::Unary, Door::Strings, Door::Columns, Door::Aws] {
        totals.push(everything_through(door).await.bills.total);
    }
    assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
}

#[tokio::test]
async fn an_open_loop_keeps_its_rate_and_measures_from_when_a_message_was_due() {
    let shape = Shape { months: 1, ..odd(12) };
    let load = Load::Open(Schedule::Ramp { from: 4_000.0, to: 12_000.0, over: 1.0 });
    let report = run(&Options { load, ..options(Door::Unary, shape) }).await;
    assert_verified(&report);
    let corrected = report.measured.corrected.as_ref().expect("an open loop");
    assert!(report.measured.raw.max_us <= corrected.max_us, "{:?}", report.measured);
    assert!(report.course.iter().any(|point| 0.0 < point.due_per_second), "{:?}", report.course);
    // The schedule needs its time, however fast the server is.
    assert!(0.3 < report.stages.send, "{:?}", report.stages);
}

#[tokio::test]
async fn a_server_that_is_killed_again_and_again_bills_everything_once() {
    for (door, seed) in [(Door::Strings, 21), (Door::Columns, 22), (Door::Unary, 23), (Door::Aws, 24)] {
        let shape = Shape { hours: 100, ..odd(seed) };
        let records = Plan::new(shape.clone()).cells() as f64;
        // The schedule lasts two seconds: long enough for a kill, however fast the machine is.
        let load = Load::Open(Schedule::Constant { rate: records / 2.0 });
        let kill_every = Some(Duration::from_millis(600));
        let report = run(&Options { load, kill_every, ..options(door, shape) }).await;
        assert_verified(&report);
        assert!(0 < report.restarts, "{door:?} was not killed");
    }
}

#[tokio::test]
async fn what_was_not_sent_when_the_time_is_up_is_not_expected_either() {
    let shape = Shape { hours: 700, ..odd(31) };
    let cells = Plan::new(shape.clone()).cells();
    let load = Load::Open(Schedule::Constant { rate: 5_000.0 });
    let duration = Some(Duration::from_millis(500));
    let report = run(&Options { load, duration, ..options(Door::Strings, shape) }).await;
    assert_verified(&report);
    assert!(report.size.metered < cells, "everything was sent");
}

#[tokio::test]
async fn a_search_ends_with_a_rate_or_says_that_there_is_none() {
    let shape = Shape { hours: 744, months: 3, buyers: 60, ..odd(41) };
    let target = "p90=100ms".parse().expect("a target");
    let load = Load::FindMax { target, begin: 3_000.0, trial: Duration::from_millis(200) };
    let report = run(&Options { load, ..options(Door::Strings, shape) }).await;
    assert_verified(&report);
    let search = report.search.expect("a search");
    assert!(2 <= search.trials.len(), "{search:?}");
    let kept = |rate: f64| {
        search.trials.iter().filter(|trial| trial.kept && trial.rate.total_cmp(&rate).is_eq()).count()
    };
    assert!(search.rate.is_none_or(|rate| 2 <= kept(rate)), "{search:?}");
}

/// Meters a record of a month's last hours, which the plan does not know, as soon as the month is open.
async fn plant(client: SoukClient, plan: Plan) {
    let series = (0..plan.market.series.len() as u32)
        .find(|series| plan.market.product_of(*series).kind == ProductKind::Saas)
        .expect("a series of software");
    let last_hours = plan.calendar.months[0].month.end().micros() / 1_000_000 - 3_600;
    let record = UsageRecord {
        timestamp: Some(prost_types::Timestamp { seconds: last_hours, nanos: 0 }),
        customer: Some(Customer::CustomerAwsAccountId(plan.market.buyer_of(series).account.to_string())),
        dimension: plan.market.dimension(series).key.clone(),
        quantity: Some(1_000),
        ..UsageRecord::default()
    };
    let request = BatchMeterUsageRequest {
        sandbox: plan.sandbox.clone(),
        product_code: plan.market.product_of(series).code.clone(),
        region: String::new(),
        usage_records: vec![record],
    };
    // Until the sandbox is made and its clock is turned, it is refused.
    while client.batch_meter_usage(request.clone()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn usage_that_nobody_acknowledged_to_the_generator_is_a_difference() {
    let served = Served::start().await;
    let shape = Shape { months: 1, ..odd(51) };
    let records = Plan::new(shape.clone()).cells() as f64;
    let planting = tokio::spawn(plant(served.client.clone(), Plan::new(shape.clone())));
    let server = ServerChoice::Running { grpc: served.endpoint.clone(), http: None, data: None };
    let load = Load::Open(Schedule::Constant { rate: records });
    let report = run(&Options { load, server, ..options(Door::Strings, shape) }).await;
    planting.await.expect("a record that was metered");
    assert_eq!(report.verified, Some(false));
    let shown = report.differences.shown.join("\n");
    for words in ["quantity is", "number of metered hours is", "in all: it must be"] {
        assert!(shown.contains(words), "{shown}");
    }
    // What it made it removed.
    let sandboxes = served.client.all_sandboxes().await.expect("a list");
    assert!(sandboxes.is_empty(), "{sandboxes:?}");
    served.stop().await;
}

#[tokio::test]
async fn what_cannot_be_run_says_why() {
    let nobody = ServerChoice::Running { grpc: "http://127.0.0.1:1".to_owned(), http: None, data: None };
    for (options, words) in [
        (Options { server: nobody.clone(), ..options(Door::Strings, odd(1)) }, "failed to make the sandbox"),
        (
            Options { server: nobody.clone(), ..options(Door::Aws, odd(1)) },
            "needs the address of the HTTP port",
        ),
        (
            Options {
                server: nobody,
                kill_every: Some(Duration::from_secs(1)),
                ..options(Door::Strings, odd(1))
            },
            "only a server that was started here can be killed",
        ),
        (
            Options {
                server: ServerChoice::Start("/no/such/soukd".into()),
                ..options(Door::Strings, odd(1))
            },
            "failed to start /no/such/soukd",
        ),
    ] {
        let error = drive::run(&options, &ProgressBar::hidden()).await.expect_err("it cannot be run");
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
}
