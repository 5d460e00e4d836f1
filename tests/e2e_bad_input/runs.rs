//! Runs and inferences that are refused, and what is published for them.

use souk_client::SoukClient;
use souk_proto::catalog::v1::{BilledBy, Dimension, DimensionType, Offer, Product, ProductType};
use souk_proto::metering::v1::{
    Inference, InstanceHours, MeterInferencesRequest, MeterRunsRequest, ReportInstanceHoursRequest, Run,
};
use souk_proto::terms::v1::term::Term as Kind;
use souk_proto::terms::v1::{
    FixedUpfrontPricingTerm, FreeTrialPricingTerm, RenewalTerm, Term, UsageBasedPricingTerm,
};

use super::offers::{private, upfront};
use super::{BUYER, NOBODY, OTHER, is};
use crate::served::Served;
use crate::words::{at, preview, put, refused, turn};

const SANDBOX: &str = "runs";
const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
rules: {profile: 2026}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000101, companyName: Acme Airlines}
  - {accountId: 000000000202, companyName: Borealis}
products:
  - productId: prod-pods
    productCode: podcode
    title: Pods
    sellerAccountId: 111122223333
    productType: CONTAINER
    dimensions:
      - {key: pod, unit: Hrs, types: [METERED], billedBy: SECOND}
      - {key: task, unit: Hrs, types: [METERED]}
  - productId: prod-model
    productCode: modelcode
    title: Model
    sellerAccountId: 111122223333
    productType: MACHINE_LEARNING
    dimensions:
      - {key: ml.m5, unit: Hrs, types: [METERED], billedBy: MINUTE}
      - {key: call, unit: Units, types: [METERED], billedBy: INFERENCE}
offers:
  - {offerId: offer-pods, productId: prod-pods, terms: [{usageBasedPricing: {rateCard: {pod: 6.00, task: 1.00}}}]}
  - {offerId: offer-model, productId: prod-model, terms: [{usageBasedPricing: {rateCard: {ml.m5: 6.00, call: 0.001}}}]}
agreements:
  - {offerId: offer-pods, buyerAccountId: 000000000101, acceptanceTime: 2025-03-01T00:00:00Z}
  - {offerId: offer-model, buyerAccountId: 000000000101, acceptanceTime: 2025-03-01T00:00:00Z}
";

async fn start() -> Served {
    let served = Served::start().await;
    put(&served.client, SANDBOX, DOCUMENT).await;
    served
}

fn run() -> Run {
    Run {
        buyer_account_id: BUYER.to_owned(),
        dimension: "pod".to_owned(),
        resource: "pod-1".to_owned(),
        start_time: Some(at("2025-03-10T10:00:00Z")),
        end_time: Some(at("2025-03-10T11:00:00Z")),
    }
}

fn with(change: impl FnOnce(&mut Run)) -> MeterRunsRequest {
    let mut wrong = run();
    change(&mut wrong);
    told(vec![Run { resource: "pod-2".to_owned(), ..run() }, wrong])
}

fn told(runs: Vec<Run>) -> MeterRunsRequest {
    MeterRunsRequest {
        sandbox: SANDBOX.to_owned(),
        product_code: "podcode".to_owned(),
        region: String::new(),
        runs,
    }
}

fn when(from: &str, until: &str) -> MeterRunsRequest {
    with(|run| (run.start_time, run.end_time) = (Some(at(from)), Some(at(until))))
}

/// Half a second is left over.
fn begins(run: &mut Run) {
    run.start_time = Some(prost_types::Timestamp { nanos: 500_000_000, ..at("2025-03-10T10:00:00Z") });
}

/// Checks that nothing was metered, and stops the server.
async fn nothing_metered(served: Served) {
    assert!(preview(&served.client, SANDBOX, BUYER, "2025-03").await.is_empty());
    served.stop().await;
}

#[tokio::test]
async fn runs_that_cannot_be_are_refused_as_a_whole() {
    let served = start().await;
    let client = &served.client;
    let ends = |run: &mut Run| {
        run.end_time = Some(prost_types::Timestamp { nanos: 1_000, ..at("2025-03-10T11:00:00Z") });
    };
    for (request, expected) in [
        (
            MeterRunsRequest { sandbox: "nowhere".to_owned(), ..told(vec![run()]) },
            "NotFound SANDBOX_UNKNOWN sandbox",
        ),
        (
            MeterRunsRequest { product_code: "nocode".to_owned(), ..told(vec![run()]) },
            "NotFound PRODUCT_UNKNOWN productCode",
        ),
        (told(Vec::new()), "InvalidArgument FIELD_MISSING runs"),
        (told(vec![run(); 5_001]), "InvalidArgument TOO_MANY_RECORDS runs"),
        (with(|r| r.resource.clear()), "InvalidArgument FIELD_MISSING runs[1].resource"),
        (with(|r| r.dimension = "web".to_owned()), "InvalidArgument DIMENSION_UNKNOWN runs[1].dimension"),
        // Counted by the hour.
        (with(|r| r.dimension = "task".to_owned()), "InvalidArgument DIMENSION_UNKNOWN runs[1].dimension"),
        (
            MeterRunsRequest {
                product_code: "modelcode".to_owned(),
                ..told(vec![Run { dimension: "call".to_owned(), ..run() }])
            },
            "InvalidArgument DIMENSION_UNKNOWN runs[0].dimension",
        ),
        (
            when("2025-03-10T10:00:00Z", "2025-03-10T10:00:00Z"),
            "InvalidArgument FIELD_INVALID runs[1].endTime",
        ),
        (
            when("2025-03-10T10:00:01Z", "2025-03-10T10:00:00Z"),
            "InvalidArgument FIELD_INVALID runs[1].endTime",
        ),
        (with(begins), "InvalidArgument FIELD_INVALID runs[1].startTime"),
        (with(ends), "InvalidArgument FIELD_INVALID runs[1].endTime"),
        (
            // Exactly 24 hours old.
            when("2025-03-09T12:00:00Z", "2025-03-10T10:00:00Z"),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS runs[1].startTime",
        ),
        (
            when("2025-03-10T10:00:00Z", "2025-03-10T12:05:01Z"),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS runs[1].endTime",
        ),
    ] {
        is(client.meter_runs(request).await, expected);
    }
    nothing_metered(served).await;
}

#[tokio::test]
async fn a_run_is_no_longer_than_a_month_and_all_of_them_are_so_many_hours() {
    let served = Served::start().await;
    let client = &served.client;
    let rules = "rules: {meteringWindow: METERING_WINDOW_OPEN_MONTH}";
    let document = DOCUMENT.replace("rules: {profile: 2026}", rules);
    put(client, SANDBOX, &document.replace("at: 2025-03-10T12:00:00Z", "at: 2025-03-31T23:59:59Z")).await;
    let of = |resource: &str| Run {
        resource: resource.to_owned(),
        start_time: Some(at("2025-03-01T00:00:00Z")),
        end_time: Some(at("2025-03-31T23:59:59Z")),
        ..run()
    };
    assert!(client.meter_runs(told(vec![of("month")])).await.is_ok());
    let many = (0..200).map(|number| of(&format!("pod-{number}"))).collect();
    is(client.meter_runs(told(many)).await, "InvalidArgument TOO_MANY_RECORDS runs");
    turn(client, SANDBOX, "2025-04-01T01:00:00Z").await;
    let longer = Run { end_time: Some(at("2025-04-01T00:30:00Z")), ..of("longer") };
    is(client.meter_runs(told(vec![longer])).await, "InvalidArgument FIELD_INVALID runs[0].endTime");
    served.stop().await;
}

#[tokio::test]
async fn a_refusal_of_a_run_says_what_to_do() {
    let served = start().await;
    let words = |answer: Result<_, souk_client::ClientError>| answer.expect_err("a refusal").to_string();
    for (request, expected) in [
        (with(begins), "runs are told in whole seconds (P2)"),
        (
            with(|run| run.dimension = "task".to_owned()),
            "\"task\" are not billed by the second or minute (billedBy, P2): report instance-hours",
        ),
    ] {
        let words = words(served.client.meter_runs(request).await.map(|_| ()));
        assert!(words.contains(expected), "{words}");
    }
    nothing_metered(served).await;
}

#[tokio::test]
async fn what_is_told_by_runs_is_not_reported_by_the_hour() {
    let served = start().await;
    for (code, dimension, expected) in [
        ("podcode", "pod", "is billed by the second: tell its runs with MeterRuns (P2)"),
        ("modelcode", "ml.m5", "is billed by the minute: tell its runs with MeterRuns (P5)"),
        ("modelcode", "call", "is billed by inferences: tell its calls with MeterInferences (P5)"),
    ] {
        let report = InstanceHours {
            product_code: code.to_owned(),
            buyer_account_id: BUYER.to_owned(),
            instance_type: dimension.to_owned(),
            hour: Some(at("2025-03-10T11:00:00Z")),
            count: 1,
        };
        let request = ReportInstanceHoursRequest {
            sandbox: SANDBOX.to_owned(),
            region: String::new(),
            reports: vec![report],
        };
        let answer = served.client.report_instance_hours(request).await;
        let words = answer.as_ref().expect_err("a refusal").to_string();
        assert!(words.contains(expected), "{words}");
        is(answer, "InvalidArgument DIMENSION_UNKNOWN reports[0].instanceType");
    }
    nothing_metered(served).await;
}

fn inference() -> Inference {
    Inference {
        inference_id: "one".to_owned(),
        call_time: Some(at("2025-03-10T10:00:00Z")),
        status_code: 200,
        consumed_units: None,
    }
}

fn calls(inferences: Vec<Inference>) -> MeterInferencesRequest {
    MeterInferencesRequest {
        sandbox: SANDBOX.to_owned(),
        product_code: "modelcode".to_owned(),
        region: String::new(),
        buyer_account_id: BUYER.to_owned(),
        dimension: "call".to_owned(),
        inferences,
    }
}

fn call(change: impl FnOnce(&mut Inference)) -> MeterInferencesRequest {
    let mut wrong = inference();
    change(&mut wrong);
    calls(vec![Inference { inference_id: "two".to_owned(), ..inference() }, wrong])
}

#[tokio::test]
async fn inferences_that_cannot_be_are_refused_as_a_whole() {
    let served = start().await;
    let client = &served.client;
    let most = 2_147_483_647;
    let six = (0..6).map(|number| Inference {
        inference_id: format!("call-{number}"),
        consumed_units: Some(most),
        ..inference()
    });
    let changed = |change: fn(&mut MeterInferencesRequest)| {
        let mut request = calls(vec![inference()]);
        change(&mut request);
        request
    };
    for (request, expected) in [
        (changed(|r| r.sandbox = "nowhere".to_owned()), "NotFound SANDBOX_UNKNOWN sandbox"),
        (changed(|r| r.product_code = "nocode".to_owned()), "NotFound PRODUCT_UNKNOWN productCode"),
        (changed(|r| r.dimension = "calls".to_owned()), "InvalidArgument DIMENSION_UNKNOWN dimension"),
        (changed(|r| r.dimension = "ml.m5".to_owned()), "InvalidArgument DIMENSION_UNKNOWN dimension"),
        (changed(|r| r.buyer_account_id.clear()), "InvalidArgument FIELD_MISSING buyerAccountId"),
        (calls(Vec::new()), "InvalidArgument FIELD_MISSING inferences"),
        (
            call(|c| c.inference_id = "x".repeat(65)),
            "InvalidArgument FIELD_INVALID inferences[1].inferenceId",
        ),
        (call(|c| c.status_code = 99), "InvalidArgument FIELD_INVALID inferences[1].statusCode"),
        (call(|c| c.status_code = 600), "InvalidArgument FIELD_INVALID inferences[1].statusCode"),
        (
            call(|c| c.consumed_units = Some(1 << 31)),
            "InvalidArgument QUANTITY_INVALID inferences[1].consumedUnits",
        ),
        (
            call(|c| c.call_time = Some(at("2025-03-09T12:00:00Z"))),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS inferences[1].callTime",
        ),
        // An hour holds no more than a quantity can say.
        (calls(six.collect()), "InvalidArgument QUANTITY_INVALID inferences[4].consumedUnits"),
    ] {
        is(client.meter_inferences(request).await, expected);
    }
    nothing_metered(served).await;
}

#[tokio::test]
async fn who_has_no_agreement_is_told_so_run_by_run() {
    use souk_proto::metering::v1::UsageRecordStatus::{CustomerNotSubscribed, Success};
    let served = start().await;
    let client = &served.client;
    let of = |buyer: &str| Run { buyer_account_id: buyer.to_owned(), ..run() };
    let runs = client.meter_runs(told(vec![of(NOBODY), of(OTHER), of(BUYER)])).await.expect("an answer");
    let statuses: Vec<_> = runs.iter().map(|result| (result.record_index, result.status())).collect();
    assert_eq!(statuses, [(0, CustomerNotSubscribed), (1, CustomerNotSubscribed), (2, Success)]);
    for (buyer, expected) in
        [(NOBODY, CustomerNotSubscribed), (OTHER, CustomerNotSubscribed), (BUYER, Success)]
    {
        let request =
            MeterInferencesRequest { buyer_account_id: buyer.to_owned(), ..calls(vec![inference()]) };
        let results = client.meter_inferences(request).await.expect("an answer");
        assert_eq!(results[0].status(), expected, "{buyer}");
    }
    let other = Run { end_time: Some(at("2025-03-10T11:00:01Z")), ..run() };
    let results = client.meter_runs(told(vec![other])).await.expect("an answer");
    let words = format!(
        "what was told before is at odds with it, and stands in the record {}",
        results[0].metering_record_id
    );
    // What was refused is told of.
    let refused = client.all_refused_records(SANDBOX, &Default::default()).await.expect("a list");
    let found: Vec<_> = refused
        .iter()
        .map(|r| (&*r.operation, &*r.customer_aws_account_id, &*r.dimension, &*r.quantity))
        .collect();
    assert_eq!(
        found,
        [
            ("MeteringService/MeterRuns", BUYER, "pod", "3601"),
            ("MeteringService/MeterInferences", OTHER, "call", "1"),
            ("MeteringService/MeterInferences", NOBODY, "call", "1"),
            ("MeteringService/MeterRuns", OTHER, "pod", "3600"),
            ("MeteringService/MeterRuns", NOBODY, "pod", "3600"),
        ]
    );
    assert_eq!(refused[0].message, words);
    served.stop().await;
}

#[tokio::test]
async fn products_say_by_what_they_are_billed_where_they_may() {
    let served = start().await;
    let product = |product_type: ProductType, kind: DimensionType, billed_by: BilledBy| Product {
        product_id: "prod-new".to_owned(),
        title: "New".to_owned(),
        seller_account_id: "111122223333".to_owned(),
        product_type: product_type.into(),
        usage_category: 6,
        dimensions: vec![Dimension {
            key: "a".to_owned(),
            types: vec![kind.into()],
            billed_by: billed_by.into(),
            ..Dimension::default()
        }],
        ..Product::default()
    };
    use BilledBy::{Inference, Minute, Second};
    use DimensionType::{Entitled, ExternallyMetered, Metered};
    use ProductType::{Ami, Container, MachineLearning, Saas};
    for (product_type, kind, billed_by, rule) in [
        (Ami, Metered, Second, "(P2)"),
        (MachineLearning, Metered, Second, "(P2)"),
        (Container, Metered, Minute, "(P5)"),
        (Ami, Metered, Inference, "(P5)"),
        (Saas, ExternallyMetered, Inference, "(P5)"),
        (Container, ExternallyMetered, Second, "not METERED"),
        (MachineLearning, Entitled, Inference, "not METERED"),
    ] {
        let answer = served.client.create_product(SANDBOX, product(product_type, kind, billed_by)).await;
        let words = answer.as_ref().expect_err("a refusal").to_string();
        assert!(words.contains(rule), "{words}");
        is(answer, "InvalidArgument DIMENSION_TYPES_INVALID product.dimensions[0].billedBy");
    }
    served.stop().await;
}

fn usage() -> Term {
    let prices = [("ml.m5", "5"), ("call", "0.001")];
    let rate_card = prices.iter().map(|(key, price)| ((*key).to_owned(), (*price).to_owned())).collect();
    let term = UsageBasedPricingTerm { currency_code: String::new(), rate_card };
    Term { term: Some(Kind::UsageBasedPricing(term)) }
}

fn contract(grants: &[(&str, u64)]) -> Term {
    let grants = grants.iter().map(|&(key, units)| (key.to_owned(), units)).collect();
    let (duration, price) = ("P30D".to_owned(), "1000".to_owned());
    let term = FixedUpfrontPricingTerm { duration, price, grants, ..FixedUpfrontPricingTerm::default() };
    Term { term: Some(Kind::FixedUpfrontPricing(term)) }
}

async fn release(client: &SoukClient, offer: Offer) -> String {
    refused(client.create_offer(SANDBOX, offer).await)
}

#[tokio::test]
async fn b21_offers_of_models_hold_what_they_may() {
    let served = start().await;
    let client = &served.client;
    let renewal = Term { term: Some(Kind::Renewal(RenewalTerm::default())) };
    let trial = Term {
        term: Some(Kind::FreeTrialPricing(FreeTrialPricingTerm {
            duration: "P14D".to_owned(),
            ..FreeTrialPricingTerm::default()
        })),
    };
    for (terms, expected) in [
        (
            vec![usage(), contract(&[("ml.m5", 2)])],
            "InvalidArgument TERM_NOT_ALLOWED offer.terms.fixedUpfrontPricing.grants",
        ),
        (vec![usage(), contract(&[]), renewal], "InvalidArgument TERM_NOT_ALLOWED offer.terms.renewal"),
        (vec![usage(), trial], "InvalidArgument TERM_NOT_ALLOWED offer.terms.freeTrialPricing"),
        (
            vec![usage(), upfront("P12M", &[("ml.m5", "900"), ("call", "900")])],
            "InvalidArgument METERING_EXCLUDES_ANNUAL offer.terms.configurableUpfrontPricing.rateCards",
        ),
    ] {
        assert_eq!(release(client, private("prod-model", terms)).await, expected);
    }
    let public = Offer {
        buyer_account_ids: Vec::new(),
        availability_end_date: String::new(),
        program: "EnterpriseContract".to_owned(),
        ..private("prod-model", vec![usage(), contract(&[])])
    };
    assert_eq!(
        release(client, public).await,
        "InvalidArgument TERM_NOT_ALLOWED offer.terms.fixedUpfrontPricing"
    );
    served.stop().await;
}
