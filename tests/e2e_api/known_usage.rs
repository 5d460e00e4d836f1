//! The short way of usage records is the long one: the same requests get the same answers and leave the same state,
//! whether their series are known or not.

use proptest::prelude::*;
use prost::Message;
use souk_client::RecordFilter;
use souk_core::catalog::account::customer_identifier;
use souk_core::ids::{AccountId, SandboxName};
use souk_proto::metering::v1::metering_service_server::MeteringService;
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{BatchMeterUsageRequest, UsageAllocation, UsageRecord};
use souk_server::app::Souk;
use souk_server::grpc::convert::wire::UsageView;
use souk_server::grpc::metering::MeteringApi;
use tonic::{Request, Status};

use super::lists::read;
use crate::served::Served;
use crate::words::{SELLER, hours_after, put, turn_by};

const NOON: &str = "2025-03-10T12:00:00Z";
/// Two payers with agreements, one whose agreement ends, and one without.
const BUYERS: [&str; 4] = ["000000000201", "000000000202", "000000000203", "000000000204"];

fn document(rules: &str) -> String {
    let accounts: String = BUYERS.iter().map(|id| format!("  - {{accountId: {id}}}\n")).collect();
    let agreements: String = BUYERS[..2]
        .iter()
        .map(|id| {
            format!("  - {{offerId: offer-a, buyerAccountId: {id}, acceptanceTime: 2025-03-09T20:30:00Z}}\n")
        })
        .collect();
    format!(
        "
clock: {{at: {NOON}}}
rules: {{{rules}}}
accounts:
  - {{accountId: {SELLER}, seller: {{}}}}
{accounts}products:
  - productId: prod-a
    productCode: codea
    title: A
    sellerAccountId: {SELLER}
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{{key: units, types: [EXTERNALLY_METERED]}}, {{key: hosts, types: [EXTERNALLY_METERED]}}]
offers:
  - {{offerId: offer-a, productId: prod-a, terms: [{{usageBasedPricing: {{rateCard: {{units: 0.01, hosts: 0.02}}}}}}]}}
  - offerId: offer-p
    productId: prod-a
    buyerAccountIds: [000000000203]
    availabilityEndDate: 2025-03-31
    terms:
      - usageBasedPricing: {{rateCard: {{units: 0.005, hosts: 0.01}}}}
      - validity: {{agreementDuration: P1D}}
agreements:
{agreements}  - {{offerId: offer-p, buyerAccountId: 000000000203, acceptanceTime: 2025-03-09T20:00:00Z}}
"
    )
}

/// What is done next.
#[derive(Debug, Clone)]
enum Step {
    Meter(BatchMeterUsageRequest),
    Turn(i64),
    Publish,
    Replace,
}

fn customer() -> impl Strategy<Value = Customer> {
    let account = |id: &str| Customer::CustomerAwsAccountId(id.to_owned());
    let seller = AccountId::parse(SELLER).unwrap();
    let identifier =
        |id: &str| Customer::CustomerIdentifier(customer_identifier(seller, AccountId::parse(id).unwrap()));
    prop_oneof![
        20 => prop::sample::select(BUYERS[..3].iter().map(|id| account(id)).collect::<Vec<_>>()),
        4 => prop::sample::select(BUYERS[..2].iter().map(|id| identifier(id)).collect::<Vec<_>>()),
        2 => Just(account(BUYERS[3])),
        1 => Just(account("7")),
        1 => Just(Customer::CustomerIdentifier("unknown".to_owned())),
        1 => Just(Customer::LicenseArn("arn:aws:license-manager::1:license:l-1".to_owned())),
    ]
}

fn record() -> impl Strategy<Value = UsageRecord> {
    let quantity = prop_oneof![
        12 => (0_u64..3).prop_map(|units| (Some(units), String::new())),
        6 => prop::sample::select(vec!["0", "1", "1.0", "1.5"]).prop_map(|text| (None, text.to_owned())),
        1 => Just((None, "-1".to_owned())),
    ];
    let dimension =
        prop_oneof![20 => Just("units"), 10 => Just("hosts"), 1 => Just("none"), 1 => Just("later")];
    // Mostly within the window of a day.
    let hours = prop_oneof![40 => -3_i64..1, 8 => -22_i64..0, 1 => -30_i64..3];
    let parts = (customer(), dimension, quantity, hours, 0..3_i64, prop::bool::weighted(0.05));
    parts.prop_map(|(customer, dimension, (quantity, decimal), hours, thirds, allocated)| {
        let mut timestamp = hours_after(NOON, hours);
        timestamp.seconds += thirds * 1_200;
        let allocation = UsageAllocation { quantity, quantity_as_decimal: decimal.clone(), tags: Vec::new() };
        UsageRecord {
            timestamp: Some(timestamp),
            customer: Some(customer),
            dimension: dimension.to_owned(),
            quantity,
            quantity_as_decimal: decimal,
            usage_allocations: if allocated { vec![allocation] } else { Vec::new() },
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let region = prop::sample::select(vec!["", "us-east-1", "eu-west-1", "nowhere"]);
    let code = prop_oneof![20 => Just("codea"), 1 => Just("codeb"), 1 => Just("")];
    let records =
        prop_oneof![8 => prop::collection::vec(record(), 1..5), 1 => prop::collection::vec(record(), 0..27)];
    let meter = (region, code, records).prop_map(|(region, code, usage_records)| {
        Step::Meter(BatchMeterUsageRequest {
            sandbox: "s".to_owned(),
            product_code: code.to_owned(),
            region: if region == "nowhere" { "nowhere".to_owned() } else { region.to_owned() },
            usage_records,
        })
    });
    prop_oneof![40 => meter, 3 => (1_i64..3).prop_map(Step::Turn), 2 => Just(Step::Publish), 1 => Just(Step::Replace)]
}

/// An answer or a refusal as text.
fn told<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(status) => format!("{:?} {} {:?}", status.code(), status.message(), status.details()),
    }
}

async fn the_long_way(souk: &Souk, request: BatchMeterUsageRequest) -> String {
    let answer = MeteringApi(souk.clone()).batch_meter_usage(Request::new(request)).await;
    told(answer.map(|answer| answer.into_inner().results))
}

async fn as_it_comes(souk: &Souk, request: &BatchMeterUsageRequest) -> String {
    let answer = MeteringApi(souk.clone()).batch(&request.encode_to_vec()).await;
    told(answer.map(souk_server::grpc::convert::usage::to_proto_results))
}

/// Whether a request would go the short way.
fn is_short(souk: &Souk, request: &BatchMeterUsageRequest) -> bool {
    let message = request.encode_to_vec();
    let view = UsageView::read(&message).expect("the plain form");
    souk.resolve_known(&SandboxName::new(&request.sandbox), &view, 25).is_some()
}

/// What was received, as text; times of receiving are the sandbox's.
async fn received(served: &Served) -> String {
    let all = RecordFilter::default();
    let metered = read(|page| served.client.list_metered_records("s", &all, page)).await;
    let refused = read(|page| served.client.list_refused_records("s", &all, page)).await;
    format!("{metered:#?}{refused:#?}")
}

async fn publish(served: &Served) {
    let account = souk_proto::account::v1::Account {
        account_id: "000000000209".to_owned(),
        payer_account_id: "000000000209".to_owned(),
        ..Default::default()
    };
    served.client.put_account("s", account).await.expect("an account");
}

async fn compare(rules: &str, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let document = document(rules);
    let [long, short] = [Served::start().await, Served::start().await];
    for served in [&long, &short] {
        put(&served.client, "s", &document).await;
    }
    for step in steps {
        if let Step::Meter(request) = step {
            let expected = the_long_way(long.souk(), request.clone()).await;
            prop_assert_eq!(as_it_comes(short.souk(), &request).await, expected, "{:#?}", request);
            continue;
        }
        for served in [&long, &short] {
            match step {
                Step::Turn(hours) => drop(turn_by(&served.client, "s", hours).await),
                Step::Publish => publish(served).await,
                Step::Replace => drop(put(&served.client, "s", &document).await),
                Step::Meter(_) => (),
            }
        }
    }
    prop_assert_eq!(received(&short).await, received(&long).await);
    long.stop().await;
    short.stop().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_short_way_answers_as_the_long_one(
        rules in prop::sample::select(vec![
            "", "identicalRetry: DUPLICATE_RECORD", "retryComparesAllocations: true", "meteringWindow: OPEN_MONTH",
            "unknownIdentifierRefused: false",
        ]),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(compare(rules, steps))?;
    }
}

#[tokio::test]
async fn names_are_known_from_their_first_record_until_something_is_published() {
    let served = Served::start().await;
    put(&served.client, "s", &document("")).await;
    let record = |buyer: &str, hours| crate::words::record(buyer, hours_after(NOON, hours), "units", 1);
    let request = |records: Vec<UsageRecord>| crate::words::batch("s", "codea", records);
    let souk = served.souk();
    let both = request(vec![record(BUYERS[0], -1), record(BUYERS[1], -1)]);
    assert!(!is_short(souk, &both));
    as_it_comes(souk, &both).await;
    assert!(is_short(souk, &both));
    // One that is not known takes all with it.
    let three = request(vec![record(BUYERS[0], -2), record(BUYERS[2], -2)]);
    assert!(!is_short(souk, &three));
    // A clock changes nothing of what is known, anything else does.
    turn_by(&served.client, "s", 1).await;
    assert!(is_short(souk, &both));
    publish(&served).await;
    assert!(!is_short(souk, &both));
    as_it_comes(souk, &both).await;
    put(&served.client, "s", &document("")).await;
    assert!(!is_short(souk, &both));
    served.stop().await;
}
